"""`checkout ops retry` and `compensate`: exactly what was asked for, once, and the truth about what became of it."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest

from ops.acting import WRONG, Act, Outcome, perform
from ops.acting import _outcome as outcome_of
from ops.answers import Session
from ops.door import Door
from store.api_keys import recognisable
from tests.ops.conftest import Desk, Seen

UNDONE = "checkout_session.compensating"
RETRIED = "checkout_session.retried"


async def test_a_dry_run_shows_what_would_be_done_and_sends_nothing(seen: Seen) -> None:
    before = await seen.desk.events(seen.underpaid), await seen.desk.events(seen.declined)

    ran = await seen.desk.ops("retry", "--all", "--reason", "the bank was called")

    assert ran.code == 0
    assert seen.declined in ran.out
    assert seen.underpaid not in ran.out
    assert "Nothing was sent. Run it again with --yes to retry this session." in ran.out
    assert before == (await seen.desk.events(seen.underpaid), await seen.desk.events(seen.declined))


async def test_all_acts_on_exactly_what_the_filters_let_through(desk: Desk) -> None:
    first, second, other, fine = [
        await desk.underpaid(),
        await desk.underpaid(),
        await desk.declined(),
        await desk.fine(),
    ]
    untouched = {session: await desk.events(session) for session in (other, fine)}

    undone = await desk.ops(
        "compensate", "--all", "--step", "payments.page_outcome", "--then", "close", "--reason", "paid twice", "--yes"
    )

    assert undone.code == 0, undone.out
    assert "2 done." in undone.out
    for session in (first, second):
        assert f"{session}  closed, payment failed" in undone.out
        assert await desk.shop.moved(session) == 0
    assert {session: await desk.events(session) for session in untouched} == untouched


async def test_all_never_acts_where_the_act_is_not_among_what_can_be_done(desk: Desk) -> None:
    underpaid = await desk.underpaid()

    ran = await desk.ops("retry", "--all", "--attention-reason", "wrong_amount", "--reason", "why not", "--yes")

    assert ran.code == 0
    assert "There is nothing to retry. 1 more can't be" in " ".join(ran.out.split())
    assert RETRIED not in await desk.events(underpaid)


async def test_what_an_operator_did_is_recorded_with_the_key_and_the_reason(desk: Desk) -> None:
    session = await desk.declined()

    ran = await desk.ops("retry", "--all", "--reason", "[b]the bank[/b] was called", "--yes")

    assert ran.code == 0
    moments = (await desk.shop.http.get(f"/checkout_session/{session}/timeline")).json()["data"]
    retried = next(moment for moment in moments if moment["type"] == RETRIED)
    assert retried["actor"] == f"operator {recognisable(desk.key)}"
    assert retried["details"]["reason"] == "[b]the bank[/b] was called"


async def test_the_same_command_again_acts_once(desk: Desk) -> None:
    session = await desk.underpaid()
    command = ("compensate", session, session, "--reason", "the customer paid too much", "--then", "close")

    first, again = await desk.ops(*command), await desk.ops(*command)

    assert (first.code, again.code) == (0, 0)
    assert first.out == f"done        {session}  closed, payment failed\n"
    assert again.out.startswith(f"done before {session}  then closed, payment failed")
    assert (await desk.events(session)).count(UNDONE) == 1
    assert [row["effect"] for row in await desk.shop.ledger(session)].count("refunded") == 1


async def test_a_command_that_was_killed_and_is_run_again_acts_once_on_each(desk: Desk) -> None:
    sessions = [await desk.underpaid(), await desk.underpaid()]
    command = ("compensate", *sessions, "--reason", "the customers paid too much", "--rate", "0.1")
    killed = await desk.started(*command)
    assert killed.stdout
    assert (await killed.stdout.readline()).startswith(b"done        ")
    killed.kill()
    await killed.communicate()

    again = await desk.ops(*command[:-1], "5")

    assert again.code == 0
    assert "1 done before, 1 done." in again.out
    assert [(await desk.events(session)).count(UNDONE) for session in sessions] == [1, 1]


async def test_the_same_command_at_the_same_time_acts_once(desk: Desk) -> None:
    session = await desk.underpaid()
    act = Act("compensate", "two operators at once", "close")
    heard: list[Outcome] = []

    async with Door(desk.connection) as door:
        shown = await door.session((await desk.shop.read(session))["id"])
        await perform(door, act, [shown] * 5, 1000, heard.append, careful=False)

    assert len(heard) == 5
    assert not {outcome.became for outcome in heard} & WRONG
    assert (await desk.events(session)).count(UNDONE) == 1


async def test_a_refusal_is_told_the_rest_goes_on_and_the_command_ends_with_1(desk: Desk) -> None:
    fine, underpaid = await desk.fine(), await desk.underpaid()

    ran = await desk.ops("compensate", fine, underpaid, "--reason", "the customer called")

    assert ran.code == 1
    assert f"refused     {fine}  The session is completed" in ran.out
    assert f"done        {underpaid}  open, payment failed" in ran.out
    assert "1 refused, 1 done." in ran.out or "1 done, 1 refused." in ran.out


async def test_a_session_whose_attention_is_over_by_then_is_left_alone(desk: Desk) -> None:
    session = await desk.underpaid()
    heard: list[Outcome] = []

    async with Door(desk.connection) as door:
        listed = Session.model_validate(await desk.shop.read(session))
        body = {"reason": "somebody was faster"}
        assert (await desk.shop.operator.post(f"/checkout_session/{session}/compensate", json=body)).status_code == 200
        await perform(door, Act("compensate", "all of them", "close"), [listed], 5, heard.append, careful=True)

    assert [outcome.became for outcome in heard] == ["left alone"]
    assert (await desk.shop.read(session))["checkout_session_status"] == "open"


async def test_the_key_of_an_act_is_the_same_until_somebody_decides_otherwise(seen: Seen) -> None:
    session = Session.model_validate(await seen.desk.shop.read(seen.declined))
    since = session.since
    keys = [
        Act("retry", "once").key(session, since),
        Act("retry", "again").key(session, since),
        Act("retry", "once").key(session, None),
        Act("compensate", "once", "close").key(session, since),
        Act("compensate", "once", "reopen").key(session, since),
    ]

    assert len(set(keys)) == len(keys)
    assert keys[0] == Act("retry", "once").key(session.model_copy(), since)
    assert all(1 <= len(key) <= 255 and key.isascii() and key.isprintable() for key in keys)


@pytest.mark.parametrize(
    ("status", "problem", "became"),
    [
        (202, "", "at work"),
        (409, "/problems/request-in-progress", "at work"),
        (409, "/problems/invalid-status-transition", "refused"),
        (422, "/problems/idempotency-key-reused", "refused"),
        (403, "/problems/forbidden", "refused"),
        (503, "/problems/temporarily-unavailable", "failed"),
        (502, "", "failed"),
    ],
)
def test_every_answer_becomes_a_word(status: int, problem: str, became: str) -> None:
    outcome = outcome_of(uuid4(), httpx.Response(status, json={"type": problem, "detail": "because\x1b[2J"}))

    assert outcome.became == became
    assert "\x1b" not in outcome.words
