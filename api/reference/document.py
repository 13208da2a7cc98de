"""The OpenAPI document: what FastAPI knows of the routes, with words, examples, headers and problems from the tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, product
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from api.reference import schemas
from api.reference.calls import CALLS, TAGS, Call
from api.reference.declared import SCHEMA, problems_of, responses
from api.reference.examples import EXAMPLES, Example, Named
from api.reference.parameters import HEADERS, explained, headers_of
from api.reference.samples import samples
from api.routes import required

INTRO: Final = Path(__file__).with_name("intro.md").read_text()

PATTERN: Final = re.compile(r":\w+}")
"""What FastAPI's paths say of a parameter's shape, and OpenAPI's do not."""

KEY: Final = {
    "type": "apiKey",
    "in": "header",
    "name": "x-api-key",
    "description": "A key of your organisation. `checkout up` writes one into its ready file.",
}

BODIES: Final[Mapping[str, Any]] = {
    "take_gateway_event": {
        "description": "The event, as the gateway signed it",
        "required": True,
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}
"""Bodies that their routes read by themselves, so that FastAPI knows nothing of them."""

TEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    "get_metrics": {"200": "text/plain"},
    "show_outcome": {"200": "text/html", "503": "text/html"},
}
"""Answers that are no JSON and that FastAPI does not know, by their status."""


AT_WORK: Final = frozenset(
    {
        "acknowledge_checkout_session",
        "cancel_checkout_session",
        "compensate_checkout_session",
        "retry_checkout_session",
        "update_checkout_session",
    }
)
"""Calls that may be answered with 202 as well, where Temporal is slow or away."""


class Described(FastAPI):
    """An application of *routers*, whose OpenAPI document is written for people: GET /openapi.json."""

    def __init__(self, routers: Sequence[APIRouter], **given: Any) -> None:
        super().__init__(**given)
        self._routers = routers
        for router in routers:
            self.include_router(router)

    def openapi(self) -> dict[str, Any]:
        """The document; made once."""
        if self.openapi_schema is None:
            self.openapi_schema = _described(super().openapi(), dict(_scopes(self._routers)))
        return self.openapi_schema


def _described(plain: dict[str, Any], scopes: Mapping[str, str]) -> dict[str, Any]:
    document = schemas.renamed(plain)
    document["info"]["description"] = INTRO
    document["servers"] = [{"url": "/", "description": "This service"}]
    document["tags"] = [{"name": name, "description": words} for name, words in TAGS.items()]
    document["components"]["schemas"] |= {"Problem": SCHEMA}
    document["components"]["headers"] = dict(HEADERS)
    document["components"]["securitySchemes"] = {"x-api-key": KEY}
    for place, operation in _operations(document):
        _describe(operation, place, scopes.get(place))
    document["paths"] = _in_order(document["paths"])
    return document


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every operation by its method and path, as CALLS names it."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield f"{method.upper()} {path}", operation


def _scopes(routers: Iterable[APIRouter]) -> Iterator[tuple[str, str]]:
    """The scope that each call needs, where it needs one."""
    for route in chain.from_iterable(router.routes for router in routers):
        if isinstance(route, APIRoute):
            for requires, method in product(required(route.dependant), route.methods or ()):
                yield f"{method} {PATTERN.sub('}', route.path)}", requires.scope


def _describe(operation: dict[str, Any], place: str, scope: str | None) -> None:
    call = CALLS[place]
    example = EXAMPLES[call.id]
    needs = f"\n\nNeeds a key of the scope `{scope}`." if scope else "\n\nNeeds no key."
    operation |= {"operationId": call.id, "description": call.description + needs}
    operation["parameters"] = [explained(each, example) for each in operation.get("parameters", [])]
    if call.id in BODIES:
        operation["requestBody"] = BODIES[call.id]
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]["application/json"]
        operation["requestBody"]["content"] = {"application/json": {**content, "examples": example.requests}}
    operation["responses"] = _responses(operation, place, call, example)
    method, _, path = place.partition(" ")
    operation["x-codeSamples"] = samples(method, path, operation, example)


def _responses(operation: Mapping[str, Any], place: str, call: Call, example: Example) -> dict[str, Any]:
    """What the call answers when it does what it is for, then its problems by status, then any other."""
    answers: dict[str, Any] = {
        status: response for status, response in operation["responses"].items() if status != "default"
    }
    for status, kind in TEXTS.get(call.id, {}).items():
        answers[status] = {"description": "Text", "content": {kind: {"schema": {"type": "string"}}}}
    if call.id in AT_WORK:
        answers["202"] = {**answers["200"], "description": "Still at work: the same request later finds the outcome"}
    for status, response in answers.items():
        answers[status] = _answer(response, headers_of(operation, status, response), example.answers.get(status, {}))
    problems = responses(problems_of(call, operation), example.at(place.partition(" ")[2]), operation)
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    other = {"description": "Any other problem", "content": {"application/problem+json": problem}}
    return {**dict(sorted(answers.items())), **problems, "default": other}


def _answer(response: Mapping[str, Any], headers: dict[str, Any], examples: Named) -> dict[str, Any]:
    content = {kind: {**shape, "examples": examples} for kind, shape in response.get("content", {}).items()}
    return {**response, **({"headers": headers} if headers else {}), **({"content": content} if content else {})}


def _in_order(paths: Mapping[str, Any]) -> dict[str, Any]:
    """The paths, and the methods of each, in the order of CALLS."""
    ordered: dict[str, Any] = {}
    for place in CALLS:
        method, _, path = place.partition(" ")
        if method.lower() in paths.get(path, {}):
            ordered.setdefault(path, {})[method.lower()] = paths[path][method.lower()]
    return ordered
