"""What the demo raises."""

from __future__ import annotations


class Differs(Exception):
    """Something is not as it should be; the text says what."""
