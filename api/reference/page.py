"""The page that shows the document and tries calls out: everything on it comes from here, and it asks nobody else."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from fastapi import Request, Response

from api.problems import Problem
from api.routes import router as routes

router: Final = routes("/docs", "Health")

HERE: Final = Path(__file__).with_name("static")

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; img-src 'self' data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Scripts are files of ours, and speak to nobody but us. RapiDoc writes styles into the page."""

KINDS: Final[Mapping[str, str]] = {
    "docs.html": "text/html",
    "docs.css": "text/css",
    "docs.js": "text/javascript",
    "rapidoc.js": "text/javascript",
    "rapidoc.LICENSE.txt": "text/plain",
}
"""The files, and what they are."""


@router.get("", include_in_schema=False)
async def read(request: Request) -> Response:
    return _file("docs.html", request)


@router.get("/{file}", include_in_schema=False)
async def read_file(file: str, request: Request) -> Response:
    if file not in KINDS:
        raise Problem("not-found")
    return _file(file, request)


def _file(name: str, request: Request) -> Response:
    headers = {"Content-Security-Policy": POLICY, "X-Frame-Options": "DENY", "Vary": "Accept-Encoding"}
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(_content(name), 200, headers, KINDS[name])
    return Response(_packed(name), 200, {**headers, "Content-Encoding": "gzip"}, KINDS[name])


@cache
def _content(name: str) -> bytes:
    return (HERE / name).read_bytes()


@cache
def _packed(name: str) -> bytes:
    return gzip.compress(_content(name), mtime=0)
