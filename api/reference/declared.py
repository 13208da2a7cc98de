"""Which problems a call may answer, and how the document shows them: each under its status, with an example."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from api.problem_kinds import KINDS, RETRY_AFTER
from api.problems import MEDIA_TYPE
from api.reference.calls import Call

ALWAYS: Final = ("internal-error",)

OF_KEYS: Final = ("unauthorized", "forbidden", "too-many-requests", "temporarily-unavailable")
"""Problems of every call that needs an API key."""

OF_BODIES: Final = ("content-too-large", "unsupported-media-type", "validation")
"""Problems of every call that takes a body."""

OF_PARAMETERS: Final[Mapping[str, tuple[str, ...]]] = {
    "Idempotency-Key": ("validation", "idempotency-key-reused", "request-in-progress"),
    "If-Match": ("validation", "stale-session"),
    "session_id": ("validation", "session-not-found"),
    "customer_id": ("validation", "not-found"),
    "payment_method_id": ("validation", "not-found"),
    "product_id": ("validation", "not-found"),
    "pricing_id": ("validation", "not-found"),
    "plan_id": ("validation", "not-found"),
    "contract_id": ("validation", "not-found"),
    "payment_id": ("validation", "not-found"),
    "business_entity_id": ("validation", "not-found"),
    "n": ("validation", "not-found"),
    "limit": ("validation",),
}
"""Problems of every call that takes the parameter; `business_entity_id` and the like as part of the path."""

_STANDS: Final = {"session_status": "completed", "payment_status": "paid", "allowed": []}

MEMBERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "invalid-status-transition": _STANDS,
    "stale-session": {"session_status": "open", "payment_status": "not_started", "allowed": ["confirm", "cancel"]},
    "estimate-changed": {
        "session_status": "open",
        "payment_status": "not_started",
        "allowed": ["confirm", "cancel"],
        "estimation_id": "5d1cf2a09c3e",
        "current_estimation_id": "a41b77d0e6f2",
    },
    **{name: {"retry_after": seconds} for name, seconds in RETRY_AFTER.items()},
}
"""What examples of these problems say beside what every problem says."""

CARRIED: Final[Mapping[str, frozenset[str]]] = {
    "Retry-After": frozenset(RETRY_AFTER),
    "RateLimit": frozenset({"too-many-requests"}),
    "RateLimit-Policy": frozenset({"too-many-requests"}),
}
"""Headers, and the problems that have them."""

SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "title": "Problem",
    "description": "An error (RFC 9457). `type` tells which one it is and resolves to a page about it; some have more members than these.",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {"type": "string", "enum": [f"/problems/{name}" for name in KINDS]},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "What is wrong this time, in words"},
        "instance": {"type": "string", "description": "The path that was called"},
        "errors": {
            "type": "array",
            "description": "With `validation`: each place, and what is wrong there",
            "items": {
                "type": "object",
                "required": ["loc", "msg"],
                "properties": {
                    "loc": {"type": "array", "items": {"type": ["string", "integer"]}},
                    "msg": {"type": "string"},
                },
            },
        },
        "session_status": {"type": "string", "description": "Where the session stands"},
        "payment_status": {"type": "string", "description": "Where its payment stands"},
        "allowed": {
            "type": "array",
            "items": {"type": "string"},
            "description": "The calls that are possible now",
        },
        "retry_after": {"type": "integer", "description": "Seconds to wait, as the header Retry-After says"},
    },
    "additionalProperties": True,
}


def problems_of(call: Call, operation: Mapping[str, Any]) -> list[str]:
    """The problems that *operation* may answer, in the order of the table of kinds."""
    may = {*ALWAYS, *call.problems}
    if "security" in operation:
        may.update(OF_KEYS)
    if "requestBody" in operation and "security" in operation:
        may.update(OF_BODIES)
    for parameter in operation.get("parameters", []):
        if parameter["in"] != "query" or parameter["name"] == "limit":
            may.update(OF_PARAMETERS.get(parameter["name"], ()))
    return [name for name in KINDS if name in may]


def responses(names: Iterable[str], path: str, operation: Mapping[str, Any]) -> dict[str, Any]:
    """OpenAPI's `responses` of those problems, as they are answered at *path*."""
    by_status: dict[str, list[str]] = {}
    for name in names:
        by_status.setdefault(str(KINDS[name].status), []).append(name)
    return {status: _response(group, path, operation) for status, group in by_status.items()}


def _response(names: list[str], path: str, operation: Mapping[str, Any]) -> dict[str, Any]:
    examples = {name: {"summary": KINDS[name].title, "value": _example(name, path, operation)} for name in names}
    carried = [header for header, problems in CARRIED.items() if problems.intersection(names)]
    return {
        "description": "; ".join(f"`{name}`: {KINDS[name].title}" for name in names),
        **({"headers": {header: {"$ref": f"#/components/headers/{header}"} for header in carried}} if carried else {}),
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}},
    }


def _example(name: str, path: str, operation: Mapping[str, Any]) -> dict[str, Any]:
    kind = KINDS[name]
    members = {"errors": [next(_errors(operation))]} if name == "validation" else MEMBERS.get(name, {})
    return {
        "type": f"/problems/{name}",
        "title": kind.title,
        "status": kind.status,
        "detail": kind.meaning,
        "instance": path,
        **members,
    }


def _errors(operation: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Something that may be wrong with a request of this operation."""
    if "requestBody" in operation:
        yield {"loc": ["body", "colour"], "msg": "is not a known field"}
    for parameter in operation.get("parameters", []):
        if parameter["name"] == "limit":
            yield {"loc": ["query", "limit"], "msg": "must be at most 100"}
        if parameter["in"] == "path" and parameter["schema"].get("format") == "uuid":
            yield {"loc": ["path", parameter["name"]], "msg": "must be a UUID"}
    yield {"loc": ["path"], "msg": "is malformed"}
