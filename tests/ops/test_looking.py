"""`checkout ops list` and `show`: what operators see, whole and harmless at any width."""

from __future__ import annotations

import io
import json
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from rich.console import Console
from temporalio.client import Client

from checkout.ids import workflow_of
from checkout.lifecycle import Payment, Status
from ops.answers import Session
from ops.door import Door
from ops.filters import Filters, selected
from ops.listing import table
from ops.words import age, duration, plain
from stack.errors import StackError
from tests.ops.conftest import Desk, Ran, Seen

EVIL = "[bold red]mallory[/] :boom: \x1b[2J\x1b]0;owned\x07\u202e\r\n\x9b31m"
ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def obeyed(text: str) -> set[str]:
    """The characters that a terminal would obey, line ends aside."""
    return {letter for letter in text if unicodedata.category(letter).startswith("C")} - {"\n"}


@dataclass(frozen=True)
class Screens:
    """What each screen showed, at 80 and at 120 columns."""

    list: Ran
    list_all: Ran
    show: Ran
    show_underpaid: Ran


@pytest.fixture(scope="module")
async def screens(seen: Seen) -> Screens:
    return Screens(
        await seen.desk.ops("list"),
        await seen.desk.ops("list", "--all-sessions", columns=120),
        await seen.desk.ops("show", seen.declined),
        await seen.desk.ops("show", seen.underpaid, columns=120),
    )


def test_the_list_names_who_needs_attention_for_what_and_what_can_be_done(seen: Seen, screens: Screens) -> None:
    ran = screens.list

    assert ran.code == 0
    assert ID.findall(ran.out) == [seen.underpaid, seen.declined]
    for words in ("processing, payment paid", "charge immediately, attempt 1", "payments.page_outcome", "wrong_amount"):
        assert words in ran.out
    for words in ("completed, payment failed", "charge when due, attempt 1", "payments.charge", "payment_failed"):
        assert words in ran.out
    assert ran.out.count("compensate") == ran.out.count("retry") == 1
    assert "2 sessions need attention." in ran.out


def test_every_line_fits_and_every_id_is_whole(seen: Seen, screens: Screens) -> None:
    assert ID.findall(screens.list_all.out) == [seen.fine, seen.declined, seen.underpaid]
    for columns, shown in ((80, (screens.list, screens.show)), (120, (screens.list_all, screens.show_underpaid))):
        lines = [line for ran in shown for line in ran.out.splitlines() if not line.startswith("Temporal ")]
        assert max(map(len, lines)) <= columns


def test_show_tells_where_it_stands_its_steps_its_money_and_what_happened(seen: Seen, screens: Screens) -> None:
    said = (
        "completed, payment failed",
        "payment_failed: card_declined",
        f"checkout ops retry {seen.declined} --reason",
        "contracts.activate",
        "1/charge/1/1",
        "Instalment",
        "A due payment is being charged: instalment 1,",
        "Somebody is asked to look at it",
    )

    assert screens.show.code == 0
    assert [words for words in said if words not in screens.show.out] == []


def test_show_gives_the_whole_address_in_the_temporal_ui_at_any_width(seen: Seen, screens: Screens) -> None:
    for session, ran in ((seen.declined, screens.show), (seen.underpaid, screens.show_underpaid)):
        link = next(line.split()[1] for line in ran.out.splitlines() if line.startswith("Temporal "))
        assert link.startswith(f"{seen.desk.shop.stack.temporal_ui}/namespaces/default/workflows/checkout%2F")
        assert link.endswith(f"%2F{session}")


async def test_show_in_json_is_what_the_api_says(seen: Seen) -> None:
    shown = json.loads((await seen.desk.ops("show", seen.declined, "--json")).out)

    assert shown["session"] == await seen.desk.shop.read(seen.declined)
    assert shown["timeline"][0]["what"] == "The session was opened"
    assert seen.declined in shown["temporal_ui"]


async def test_the_list_in_json_says_where_a_session_stands_and_nothing_about_its_customer(seen: Seen) -> None:
    ran = await seen.desk.ops("list", "--json", "--step", "payments.charge", "--status", "completed")

    rows = json.loads(ran.out)
    assert [(row["id"], row["attention"]["can"]) for row in rows] == [(seen.declined, ["retry"])]
    assert rows[0]["confirmation"] == {"mode": "charge_when_due", "attempt": 1}
    assert "Acme" not in ran.out


async def test_filters_let_through_what_they_name(seen: Seen) -> None:
    both = [seen.underpaid, seen.declined]
    filtered = [
        (Filters(), both),
        (Filters(step="payments.charge"), [seen.declined]),
        (Filters(reason="wrong_amount"), [seen.underpaid]),
        (Filters(statuses=(Status.COMPLETED,)), [seen.declined]),
        (Filters(statuses=(Status.COMPLETED, Status.PROCESSING)), both),
        (Filters(payments=(Payment.PAID,), statuses=(Status.COMPLETED,)), []),
        (Filters(older_than=duration("1d")), []),
        (Filters(older_than=duration("0s")), both),
        (Filters(limit=1), [seen.underpaid]),
        (Filters(limit=2), both),
        (Filters(all_sessions=True), [seen.fine, seen.declined, seen.underpaid]),
        (Filters(all_sessions=True, statuses=(Status.COMPLETED,)), [seen.fine, seen.declined]),
    ]
    async with Door(seen.desk.connection) as door:
        for filters, expected in filtered:
            selection = await selected(door, filters, datetime.now(UTC))
            assert [str(session.id) for session in selection.sessions] == expected, filters
            assert selection.cut == (filters.limit == 1)


async def test_the_list_goes_on_past_the_first_page(seen: Seen) -> None:
    async with Door(seen.desk.connection, page=1) as door:
        selection = await selected(door, Filters(all_sessions=True), datetime.now(UTC))

    assert [str(session.id) for session in selection.sessions] == [seen.fine, seen.declined, seen.underpaid]


async def test_what_somebody_wrote_is_neither_markup_nor_obeyed_by_the_terminal(desk: Desk, temporal: Client) -> None:
    session = await desk.declined()
    organisation = (await desk.shop.operator.get(f"/checkout_session/{session}/timeline")).json()["temporal_ui"]
    workflow = workflow_of(UUID(organisation.split("%2F")[-2]), UUID(session))
    evil = {"actor": EVIL, "reason": EVIL}
    await temporal.get_workflow_handle(workflow).execute_update("retry", evil)

    ran = await desk.ops("show", session, columns=160)

    assert ran.out.count("[bold red]mallory[/] :boom: [2J]0;owned 31m") == 2
    assert obeyed(ran.out) == set()


async def test_what_a_gateway_says_is_neither_markup_nor_obeyed_by_the_terminal(seen: Seen) -> None:
    answered: dict[str, Any] = await seen.desk.shop.read(seen.declined)
    attention = {**answered["attention"], "detail": EVIL, "reason": EVIL}
    session = Session.model_validate({**answered, "attention": attention})
    printed = io.StringIO()

    Console(file=printed, width=120, force_terminal=False).print(table([session], datetime.now(UTC)))

    assert "[bold red]mallory[/] :boom:" in printed.getvalue()
    assert obeyed(printed.getvalue()) == set()


def test_text_from_outside_is_one_line_without_control_characters() -> None:
    assert plain(EVIL) == "[bold red]mallory[/] :boom: [2J]0;owned 31m"
    assert plain("Größe 東京 ½\t\u2028fine") == "Größe 東京 ½ fine"


def test_an_age_is_said_in_its_two_largest_units() -> None:
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    said = {"12s": "12 s", "59m": "59 min", "2h": "2 h 0 min", "3d": "3 d 0 h"}

    assert {words: age(now - duration(words), now) for words in said} == said


@pytest.mark.parametrize("words", ["", "10", "m", "-1h", "1w", "1.5h", "10m ", "\x1b[2J"])
def test_what_is_no_length_of_time_is_refused_in_words(words: str) -> None:
    with pytest.raises(StackError, match="write 90s, 10m, 2h or 1d") as refused:
        duration(words)
    assert obeyed(str(refused.value)) == set()
