"""What parameters and headers mean, said once for all calls that have them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from api.reference.examples import Example

_TEXT: Final = {"type": "string"}

HEADERS: Final[Mapping[str, Any]] = {
    "ETag": {"description": "The session's version, for `If-Match`", "schema": {**_TEXT, "examples": ['"3"']}},
    "Idempotency-Replayed": {
        "description": "`true` where this is the answer to an earlier request with the same `Idempotency-Key`; else absent",
        "schema": {**_TEXT, "enum": ["true"]},
    },
    "Location": {
        "description": "Where what was made is, or where to go",
        "schema": {**_TEXT, "format": "uri-reference"},
    },
    "RateLimit": {
        "description": "Requests that are left (`r`) for so many seconds (`t`); other answers to a key have both too",
        "schema": {**_TEXT, "examples": ['"key";r=0;t=1']},
    },
    "RateLimit-Policy": {
        "description": "Requests (`q`) that the key may send within so many seconds (`w`)",
        "schema": {**_TEXT, "examples": ['"key";q=2000;w=1']},
    },
    "Retry-After": {
        "description": "Seconds to wait before asking again",
        "schema": {"type": "integer", "examples": [2]},
    },
}
"""Headers of answers."""

WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "path": {
        "n": "Which instalment; they count from 1",
        "name": "The problem's name, the last part of its `type`",
        "gateway": "Whose event it is",
        "payment_id": "The payment's id, which is its key",
        "organisation": "The merchant's organisation",
    },
    "query": {
        "limit": "How many to a page",
        "cursor": "`next` of the page before",
        "order": "By which member; with `-` in front, descending",
        "signature": "What the link came with",
    },
    "header": {
        "organisation": "The key's organisation, if you like: another one is refused",
        "Idempotency-Key": "Yours for this request, 1 to 255 printable ASCII characters: sent again, it is never done twice",
        "If-Match": "The session's `ETag` as you last read it: refused with 412 when it has changed since",
        "accept-language": "The customer's languages",
    },
}
"""Parameters by place and name; what is not here is an id or a filter."""

SUFFIXES: Final[Mapping[str, str]] = {
    "": "Exactly this",
    "in": "Any of these, separated by commas",
    "gt": "Later than this",
    "gte": "This or later",
    "lt": "Earlier than this",
    "lte": "This or earlier",
}
"""Filters by what stands after `__`."""

SHAPES: Final[Mapping[str, Mapping[str, Any]]] = {
    "Idempotency-Key": {"minLength": 1, "maxLength": 255, "pattern": "^[\\x20-\\x7e]+$"},
    "organisation": {"format": "uuid"},
}
"""What the routes check of headers by themselves."""


VALUES: Final[Mapping[str, Callable[[str], Any]]] = {"integer": int, "array": lambda text: text.split(",")}
"""What a parameter's text is, by the type of its schema."""


def explained(parameter: Mapping[str, Any], example: Example) -> dict[str, Any]:
    """The parameter with words and, where the example of the call has one, a value."""
    name, place = parameter["name"], parameter["in"]
    schema = {**_given(parameter["schema"]), **(SHAPES.get(name, {}) if place == "header" else {})}
    given = {"path": example.path, "query": example.query, "header": example.headers}[place]
    shown = {"example": _value(given[name], schema)} if name in given else {}
    return {**parameter, "schema": schema, "description": _words(name, place), **shown}


def _words(name: str, place: str) -> str:
    if name in WORDS[place]:
        return WORDS[place][name]
    if place == "path":
        return f"The id of the {name.removesuffix('_id').replace('_', ' ')}"
    field, _, suffix = name.partition("__")
    return f"{SUFFIXES[suffix]}: `{field}`"


def _given(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a parameter that is there: null can't be said in an address or a header."""
    kinds = [kind for kind in schema.get("anyOf", []) if kind.get("type") != "null"]
    if len(kinds) != 1:
        return dict(schema)
    return {**kinds[0], **({"title": schema["title"]} if "title" in schema else {})}


def _value(text: str, schema: Mapping[str, Any]) -> Any:
    return VALUES.get(schema.get("type", ""), str)(text)


def headers_of(operation: Mapping[str, Any], status: str, response: Mapping[str, Any]) -> dict[str, Any]:
    """The headers of an answer that is no problem."""
    names = [name for name, there in _carries(operation, status, response).items() if there]
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _carries(operation: Mapping[str, Any], status: str, response: Mapping[str, Any]) -> dict[str, bool]:
    schema = response.get("content", {}).get("application/json", {}).get("schema", {})
    named = {parameter["name"] for parameter in operation.get("parameters", [])}
    return {
        "ETag": schema == {"$ref": "#/components/schemas/Session"},
        "Location": status in {"201", "302"},
        "Retry-After": status == "202",
        "Idempotency-Replayed": "Idempotency-Key" in named and status != "202",
    }
