"""The page that a problem's `type` resolves to."""

from __future__ import annotations

from typing import Final

from fastapi.responses import HTMLResponse
from jinja2 import Environment, StrictUndefined

from api.problem_kinds import KINDS
from api.problems import Problem
from api.routes import router as routes

router: Final = routes("/problems", "Problems")

PAGE: Final = Environment(autoescape=True, undefined=StrictUndefined).from_string("""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{ kind.title }}</title></head>
<body>
<main>
<h1>{{ kind.title }}</h1>
<p><code>{{ name }}</code>, answered with status {{ kind.status }}.</p>
<h2>What it means</h2>
<p>{{ kind.meaning }}</p>
<h2>What to do</h2>
<p>{{ kind.advice }}</p>
</main>
</body>
</html>
""")


@router.get("/{name}", summary="What a problem means", response_class=HTMLResponse)
async def read(name: str) -> HTMLResponse:
    if name not in KINDS:
        raise Problem("not-found")
    return HTMLResponse(
        PAGE.render(name=name, kind=KINDS[name]),
        headers={"Content-Security-Policy": "default-src 'none'"},
    )
