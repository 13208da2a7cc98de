"""The code samples: every call in three languages, each of which is that language and makes that call."""

from __future__ import annotations

import ast
import json
import re
import shlex
from typing import Any, Final

import pytest

from api.reference.calls import CALLS
from api.reference.examples import EXAMPLES
from tests.api.test_reference import OPERATIONS

every_call = pytest.mark.parametrize("place", OPERATIONS)

RAW: Final = json.JSONDecoder()


def sample(place: str, language: str) -> str:
    return next(str(each["source"]) for each in OPERATIONS[place]["x-codeSamples"] if each["lang"] == language)


def sent(place: str) -> Any:
    """The first body that the call's example sends."""
    return EXAMPLES[CALLS[place].id].body


@every_call
def test_a_call_is_shown_in_three_languages(place: str) -> None:
    assert [each["label"] for each in OPERATIONS[place]["x-codeSamples"]] == [
        "curl",
        "Python (httpx)",
        "JavaScript (fetch)",
    ]
    for each in OPERATIONS[place]["x-codeSamples"]:
        assert ("CHECKOUT_KEY" in each["source"]) == ("security" in OPERATIONS[place])
        assert not re.search(r"\{[a-z_]+\}", each["source"])


@every_call
def test_the_python_is_python_and_makes_the_call(place: str) -> None:
    source = sample(place, "Python")
    compile(source, place, "exec")
    called = next(
        node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and "httpx" in ast.unparse(node.func)
    )
    given = {keyword.arg: keyword.value for keyword in called.keywords}

    assert ast.unparse(called.func) == f"httpx.{place.partition(' ')[0].lower()}"
    assert (ast.literal_eval(given["json"]) if "json" in given else None) == sent(place)
    for name, value in EXAMPLES[CALLS[place].id].headers.items():
        assert f"{name!r}: {value!r}" in ast.unparse(given["headers"])


@every_call
def test_the_curl_is_one_command_and_makes_the_call(place: str) -> None:
    words = shlex.split(sample(place, "Shell").replace(" \\\n", ""))

    assert words[:3] == ["curl", "--request", place.partition(" ")[0]]
    assert re.fullmatch(r"\$CHECKOUT_URL/[!-~]+", words[3])
    assert set(words[4::2]) <= {"--header", "--data"}
    assert (json.loads(words[words.index("--data") + 1]) if "--data" in words else None) == sent(place)


@every_call
def test_the_javascript_makes_the_call(place: str) -> None:
    source = sample(place, "JavaScript")
    before, stringify, after = source.partition("JSON.stringify(")

    assert f'method: "{place.partition(" ")[0]}"' in before
    assert (RAW.raw_decode(after)[0] if stringify else None) == sent(place)
    for opening, closing in ("()", "[]", "{}"):
        assert source.count(opening) == source.count(closing)
