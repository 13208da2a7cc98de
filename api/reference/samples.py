"""Code that makes a call, in three languages: written from the call's example, so that it is never another call."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

from api.reference.examples import Example


@dataclass(frozen=True)
class Request:
    """A call as it is sent: *path* with its query, *keyed* where it needs a key; *answer* is `json`, `text` or nothing."""

    method: str
    path: str
    keyed: bool
    headers: Mapping[str, str]
    body: Any
    answer: str


def samples(method: str, path: str, operation: Mapping[str, Any], example: Example) -> list[dict[str, str]]:
    """OpenAPI's `x-codeSamples` of the operation. The service's address and the key come from the environment."""
    query = f"?{urlencode(example.query, safe=',')}" if example.query else ""
    request = Request(
        method=method,
        path=quote(example.at(path)) + query,
        keyed="security" in operation,
        headers=example.headers,
        body=example.body,
        answer=_answer(operation),
    )
    return [{"lang": language, "label": label, "source": write(request)} for language, label, write in LANGUAGES]


def _answer(operation: Mapping[str, Any]) -> str:
    first = next(response for status, response in operation["responses"].items() if status.startswith("2"))
    return next(("json" if "json" in kind else "text" for kind in first.get("content", {})), "")


def curl(request: Request) -> str:
    """For a shell."""
    parts = [f'curl --request {request.method} "$CHECKOUT_URL{request.path}"']
    parts += ['--header "x-api-key: $CHECKOUT_KEY"'] if request.keyed else []
    parts += [f"--header {shlex.quote(f'{name}: {value}')}" for name, value in request.headers.items()]
    if request.body is not None:
        parts += ["--header 'Content-Type: application/json'"]
        parts += [f"--data {shlex.quote(json.dumps(request.body, indent=2, ensure_ascii=False))}"]
    return " \\\n  ".join(parts)


def python(request: Request) -> str:
    """With httpx."""
    headers = ['"x-api-key": os.environ["CHECKOUT_KEY"]'] if request.keyed else []
    headers += [f"{_text(name)}: {_text(value)}" for name, value in request.headers.items()]
    given = [f'os.environ["CHECKOUT_URL"] + {_text(request.path)},']
    given += [f"headers={{{', '.join(headers)}}},"] if headers else []
    given += [f"json={_literal(request.body, 1)},"] if request.body is not None else []
    shown = {"json": ", answer.json()", "text": ", answer.text"}.get(request.answer, "")
    call = f"answer = httpx.{request.method.lower()}(\n    " + "\n    ".join(given) + "\n)"
    return f"import os\n\nimport httpx\n\n{call}\nprint(answer.status_code{shown})"


def javascript(request: Request) -> str:
    """With fetch, as Node.js and Deno have it; a key has no place in a page that customers open."""
    headers = ['"x-api-key": process.env.CHECKOUT_KEY'] if request.keyed else []
    headers += [f"{_text(name)}: {_text(value)}" for name, value in request.headers.items()]
    headers += ['"Content-Type": "application/json"'] if request.body is not None else []
    given = [f"method: {_text(request.method)},"]
    given += [f"headers: {{ {', '.join(headers)} }},"] if headers else []
    if request.body is not None:
        body = json.dumps(request.body, indent=2, ensure_ascii=False).replace("\n", "\n  ")
        given += [f"body: JSON.stringify({body}),"]
    shown = f", await answer.{request.answer}()" if request.answer else ""
    call = f"const answer = await fetch(process.env.CHECKOUT_URL + {_text(request.path)}, {{\n  "
    return call + "\n  ".join(given) + f"\n}});\nconsole.log(answer.status{shown});"


LANGUAGES: Final[tuple[tuple[str, str, Callable[[Request], str]], ...]] = (
    ("Shell", "curl", curl),
    ("Python", "Python (httpx)", python),
    ("JavaScript", "JavaScript (fetch)", javascript),
)

_NAMES: Final = {True: "True", False: "False", None: "None"}


def _text(text: str) -> str:
    """A string as Python and JavaScript both write it."""
    return json.dumps(text, ensure_ascii=False)


def _literal(value: Any, depth: int) -> str:
    """JSON as Python writes it, each member on a line of its own."""
    margin, end = "    " * (depth + 1), "    " * depth
    if isinstance(value, dict) and value:
        members = [f"{margin}{_text(name)}: {_literal(member, depth + 1)},\n" for name, member in value.items()]
        return f"{{\n{''.join(members)}{end}}}"
    if isinstance(value, list) and value:
        items = [f"{margin}{_literal(item, depth + 1)},\n" for item in value]
        return f"[\n{''.join(items)}{end}]"
    return _NAMES[value] if value is None or isinstance(value, bool) else json.dumps(value, ensure_ascii=False)
