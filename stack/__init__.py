"""The embedded stack on one machine."""
