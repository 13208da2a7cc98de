"""Side effects, one class per outside party."""
