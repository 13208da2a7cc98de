"""Text that others wrote, as it may stand on a page: nothing in it that is not seen but changes what is."""

from __future__ import annotations

import unicodedata
from typing import Final

JOINERS: Final = "\u200c\u200d"
"""Characters without width that some scripts can't be written without."""


def plain(text: str) -> str:
    """*text* without controls, marks of direction and characters of no width; a dash where nothing is left."""
    kept = (" " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c for c in text)
    return "".join(c for c in kept if c in JOINERS or unicodedata.category(c) != "Cf").strip() or "-"
