"""ETag and If-Match of a session: its version, as a strong validator (RFC 9110)."""

from __future__ import annotations

import re
from typing import Annotated, Final

from fastapi import Depends, Header, Request

from api.problems import Problem, invalid

_TAG: Final = re.compile(r'"([0-9]{1,9})"')
_LIST: Final = re.compile(r'\s*(W/)?"[\x21\x23-\x7e]*"\s*(,\s*(W/)?"[\x21\x23-\x7e]*"\s*)*')


def etag(version: int) -> str:
    """The ETag of that version of a session."""
    return f'"{version}"'


def _version(
    request: Request,
    _documented: Annotated[str | None, Header(alias="If-Match", description="The session's ETag as last read")] = None,
) -> int | None:
    """The version that If-Match names; None for none, or for any (`*`). Raises `stale-session` for a foreign tag."""
    given = request.headers.get("if-match")
    if given is None or given.strip() == "*":
        return None
    if not _LIST.fullmatch(given):
        raise invalid(("header", "If-Match"), "must be the ETag of the session, in quotes")
    tag = _TAG.fullmatch(given.strip())
    if tag is None:
        raise Problem("stale-session")
    return int(tag[1])


IfMatch = Annotated[int | None, Depends(_version)]
