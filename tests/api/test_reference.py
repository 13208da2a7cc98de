"""The OpenAPI document: every call is explained and shown, and nothing that it shows is untrue to its own schemas."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from api.app import create_app
from api.problem_kinds import KINDS
from api.reference.calls import CALLS, TAGS
from api.reference.examples import EXAMPLES

NOTHING: Final[Any] = None
DOCUMENT: Final = create_app(database=NOTHING, gateways={}, pepper="", wait=1).openapi()
OPERATIONS: Final[dict[str, dict[str, Any]]] = {
    f"{method.upper()} {path}": operation
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
}
NOT_OF_A_CALL: Final = {"method-not-allowed", "stale-revision"}
"""What the framework answers where there is no such call, and what is tried again before anybody is told."""

every_call = pytest.mark.parametrize("place", OPERATIONS)


def wrong(schema: dict[str, Any], value: Any) -> list[str]:
    """What in *value* is not as *schema*, a part of the document, has it."""
    whole = {**schema, "components": DOCUMENT["components"]}
    errors = Draft202012Validator(whole, format_checker=FormatChecker()).iter_errors(value)
    return [f"{error.json_path}: {error.message}" for error in errors]


def contents(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What can be sent and answered: where, and the schema with its examples."""
    for content in operation.get("requestBody", {}).get("content", {}).values():
        yield "request", content
    for status, response in operation["responses"].items():
        for content in response.get("content", {}).values():
            yield status, content


def test_every_route_has_its_row_and_every_row_its_route() -> None:
    assert set(OPERATIONS) == set(CALLS)
    assert {operation["operationId"] for operation in OPERATIONS.values()} == set(EXAMPLES)


def test_tags_stand_in_order_and_each_says_what_it_is() -> None:
    assert [tag["name"] for tag in DOCUMENT["tags"]] == list(TAGS)
    assert all(tag["description"] for tag in DOCUMENT["tags"])
    assert {tag for operation in OPERATIONS.values() for tag in operation["tags"]} == set(TAGS)


def test_the_document_says_what_it_is_where_it_is_served_and_which_key_it_takes() -> None:
    assert DOCUMENT["openapi"].startswith("3.1")
    assert DOCUMENT["info"]["description"]
    assert DOCUMENT["servers"] == [{"url": "/", "description": "This service"}]
    assert DOCUMENT["components"]["securitySchemes"]["x-api-key"]["name"] == "x-api-key"


def test_names_of_operations_are_unique_and_read_well() -> None:
    names = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)+", name) for name in names)
    assert OPERATIONS["POST /checkout_session/{session_id}/confirm"]["operationId"] == "confirm_checkout_session"


def test_names_of_schemas_read_well() -> None:
    assert [name for name in DOCUMENT["components"]["schemas"] if not re.fullmatch(r"([A-Z][a-z]+)+", name)] == []


@every_call
def test_a_call_says_what_it_does_and_every_parameter_what_it_means(place: str) -> None:
    operation = OPERATIONS[place]
    assert operation["summary"]
    assert operation["description"]
    assert all(parameter["description"] for parameter in operation["parameters"])


@every_call
def test_a_call_says_which_scope_its_key_needs(place: str) -> None:
    operation = OPERATIONS[place]
    scope = "operator" if place.endswith(("/retry", "/compensate", "/acknowledge")) else "merchant"
    needs = f"Needs a key of the scope `{scope}`." if "security" in operation else "Needs no key."
    assert operation["description"].endswith(needs)


@every_call
def test_a_call_shows_what_is_sent_and_answered(place: str) -> None:
    operation = OPERATIONS[place]
    shown = [where for where, content in contents(operation) if content.get("examples") or where == "default"]
    assert shown == [where for where, _ in contents(operation)]
    assert any(status.startswith("2") for status in operation["responses"])
    for parameter in operation["parameters"]:
        assert parameter["in"] != "path" or parameter["example"]


@every_call
def test_examples_are_as_their_schemas_have_them(place: str) -> None:
    for where, content in contents(OPERATIONS[place]):
        for name, example in content.get("examples", {}).items():
            assert wrong(content["schema"], example["value"]) == [], (where, name)
    for parameter in OPERATIONS[place]["parameters"]:
        if "example" in parameter:
            assert wrong(parameter["schema"], parameter["example"]) == [], parameter["name"]


def declared(operation: dict[str, Any]) -> set[str]:
    """The names of the problems that the operation shows."""
    problems = (response["content"].get("application/problem+json", {}) for response in _with_content(operation))
    return {name for problem in problems for name in problem.get("examples", {})}


def _with_content(operation: dict[str, Any]) -> list[dict[str, Any]]:
    return [response for response in operation["responses"].values() if "content" in response]


@every_call
def test_a_call_declares_its_problems_each_under_its_status(place: str) -> None:
    operation = OPERATIONS[place]
    assert "internal-error" in declared(operation)
    assert set(CALLS[place].problems) <= declared(operation)
    if "security" in operation:
        assert {"unauthorized", "forbidden", "too-many-requests", "temporarily-unavailable"} <= declared(operation)
    for status, response in operation["responses"].items():
        for name in response.get("content", {}).get("application/problem+json", {}).get("examples", {}):
            assert str(KINDS[name].status) == status


def test_every_problem_of_the_table_is_declared_somewhere() -> None:
    assert set().union(*map(declared, OPERATIONS.values())) == set(KINDS) - NOT_OF_A_CALL


@every_call
def test_headers_that_a_client_may_rely_on_are_named(place: str) -> None:
    operation = OPERATIONS[place]
    takes = {parameter["name"] for parameter in operation["parameters"]}
    for status, response in operation["responses"].items():
        headers = set(response.get("headers", {}))
        assert "Retry-After" in headers or status not in {"202", "429"}
        assert "Location" in headers or status not in {"201", "302"}
        assert "Idempotency-Replayed" in headers or "Idempotency-Key" not in takes or status not in {"200", "201"}
    if "If-Match" in takes:
        assert "ETag" in operation["responses"]["200"]["headers"]
