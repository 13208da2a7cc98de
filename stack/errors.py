"""What can keep the stack from starting, said so that the reader knows what to do."""

from __future__ import annotations


class StackError(Exception):
    """The stack cannot start or go on; the text is for the person at the terminal."""
