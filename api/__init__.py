"""The HTTP surface, on FastAPI."""
