"""What `checkout ops` can't do: said in plain words on stderr, with 1, and nothing sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import typer.main
from pydantic import SecretStr
from typer.testing import CliRunner

import cli
from ops.connection import Connection, connection
from ops.door import Door
from settings import Settings
from stack.errors import StackError
from tests.ops.conftest import Desk, Ran, Seen

NOT_THERE = str(uuid4())
KEY = SecretStr("ck_test_unknown")


def refused(ran: Ran, *words: str) -> None:
    """In one line on stderr, with 1."""
    assert (ran.code, ran.out) == (1, "")
    assert [each for each in words if each not in ran.err] == []
    assert "Traceback" not in ran.err
    assert ran.err.count("\n") == 1


async def test_without_a_key_it_says_which_setting_is_missing(seen: Seen) -> None:
    refused(await seen.desk.ops("list", CHECKOUT_OPERATOR_KEY=""), "no operator's key", "CHECKOUT_OPERATOR_KEY")


async def test_a_key_that_is_not_known_is_said_to_be_unknown(seen: Seen) -> None:
    refused(await seen.desk.ops("list", CHECKOUT_OPERATOR_KEY=KEY.get_secret_value()), "does not know this key")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "set CHECKOUT_API_URL"),
        ({"api_url": "http://127.0.0.1:8000"}, "set CHECKOUT_OPERATOR_KEY"),
        ({"api_url": "ftp://api", "operator_key": KEY}, "CHECKOUT_API_URL is no address"),
        ({"api_url": "127.0.0.1:8000", "operator_key": KEY}, "CHECKOUT_API_URL is no address"),
        ({"api_url": "http://[", "operator_key": KEY}, "CHECKOUT_API_URL is no address"),
        ({"api_url": "http://api", "operator_key": SecretStr("clé\n")}, "CHECKOUT_OPERATOR_KEY holds characters"),
    ],
)
def test_a_setting_that_is_missing_or_wrong_is_named(given: dict[str, Any], said: str) -> None:
    with pytest.raises(StackError, match=said):
        connection(Settings.model_validate({"api_url": None, "operator_key": None, **given}), None)


async def test_an_api_that_is_away_is_said_to_be_away() -> None:
    async with Door(Connection("http://127.0.0.1:9", KEY)) as door:
        with pytest.raises(StackError, match="does not answer"):
            await door.session(uuid4())


async def test_something_else_at_the_address_is_said_to_be_something_else(seen: Seen) -> None:
    async with Door(Connection(str(seen.desk.shop.stack.temporal_ui), KEY)) as door:
        with pytest.raises(StackError, match=r"The API answers \d+|is not the checkout API"):
            await door.session(uuid4())


async def test_a_merchants_key_does_not_act(seen: Seen) -> None:
    before = await seen.desk.events(seen.declined)
    merchant = seen.desk.shop.http.headers["x-api-key"]

    acted = await seen.desk.ops("retry", seen.declined, "--reason", "please", CHECKOUT_OPERATOR_KEY=merchant)

    assert acted.code == 1
    assert "This call needs the scope operator." in acted.out
    assert await seen.desk.events(seen.declined) == before


async def test_a_session_that_is_not_there_is_named_and_nothing_is_sent_to_the_others(seen: Seen) -> None:
    before = await seen.desk.events(seen.declined)

    refused(await seen.desk.ops("retry", seen.declined, NOT_THERE, "--reason", "why not"), f"no session {NOT_THERE}")

    assert await seen.desk.events(seen.declined) == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "nonsense"), "'nonsense' is no session's id"),
        (("show", "\x1b[2Jnonsense"), r"'\[2Jnonsense' is no session's id"),
        (("retry", NOT_THERE, "nonsense", "--reason", "why not"), "'nonsense' is no session's id"),
        (("retry", "--reason", "why not"), "Name sessions by their ids, or --all of them"),
        (("retry", NOT_THERE, "--all", "--reason", "why not"), "and not both"),
        (("retry", NOT_THERE, "--step", "payments.charge", "--reason", "why not"), "Filters and --yes go with --all"),
        (("compensate", NOT_THERE, "--yes", "--reason", "why not"), "Filters and --yes go with --all"),
        (("compensate", NOT_THERE, "--reason", " "), "--reason says why"),
        (("list", "--older-than", "soon"), "write 90s, 10m, 2h or 1d"),
        (("list", "--ready-file", "not-there.json"), "ready file can't be read"),
        (("list", "--ready-file", "README.md"), "ready file is none"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_sent(words: tuple[str, ...], said: str) -> None:
    ran = CliRunner().invoke(cli.app, ["ops", *words])

    assert isinstance(ran.exception, StackError)
    with pytest.raises(StackError, match=said):
        raise ran.exception


def test_an_act_without_a_reason_is_refused() -> None:
    ran = CliRunner().invoke(cli.app, ["ops", "compensate", NOT_THERE])

    assert ran.exit_code != 0
    assert "--reason" in ran.output


async def test_a_ready_file_is_enough(desk: Desk, tmp_path: Path) -> None:
    session = await desk.fine()
    ready = tmp_path / "ready.json"
    ready.write_text(json.dumps({**desk.shop.stack.ready, "operator_key": desk.key}))

    words = ("list", "--all-sessions", "--ready-file", str(ready))
    ran = await desk.ops(*words, CHECKOUT_API_URL="", CHECKOUT_OPERATOR_KEY="")

    assert ran.code == 0, ran.err
    assert session in ran.out


def commands(*names: str) -> dict[str, Any]:
    """The commands under `checkout` and the *names* after it."""
    found: Any = typer.main.get_command(cli.app)
    for name in names:
        found = found.commands[name]
    return dict(found.commands)


def test_no_command_takes_a_key_among_its_arguments() -> None:
    options = {option for command in commands("ops").values() for each in command.params for option in each.opts}

    assert set(commands("ops")) == {"list", "show", "retry", "compensate", "acknowledge", "requests", "audit"}
    assert [option for option in options if "key" in option or "secret" in option] == []


def test_the_audit_is_the_same_one_under_both_names() -> None:
    one, other = commands()["audit"], commands("ops")["audit"]

    assert one.help == other.help
    assert [each.opts for each in one.params] == [each.opts for each in other.params]
