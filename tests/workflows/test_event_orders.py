"""Whatever the order of a gateway's events, and however often each of them comes, the session ends in one state."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import permutations, product
from typing import Any, Final, Literal, cast
from uuid import UUID

import pytest

from checkout.commands import Cancel, Confirm, FindLooseEnds, PaymentReported
from checkout.lifecycle import Status
from checkout.outcomes import Captured, LooseCharge, LooseEnds, Refunded, Standing, UnderWay
from checkout.session import Mode, SessionState
from reconciler.further_runs import FurtherRuns
from store.database import Database
from tests.workflows.conftest import PRICE, Checkout, Open
from tests.workflows.parties import World
from tests.workflows.simulation import Simulation

MOST: Final = 5
"""How often events come in all, at most."""

Way = Literal["apart", "in a row", "beside an answer"]
WAYS: Final[tuple[Way, ...]] = ("apart", "in a row", "beside an answer")
"""How events come: each when the one before it was seen to, one right behind the other, or all at the same time as what
the session was waiting for.
"""

ANSWERS: Final = 13
"""More than any session is given between the moment that its story begins and its end."""

IF_LOOKED_AT: Final = {"payment.under_way"}
"""What is told only where somebody looked while it was so."""


@dataclass(frozen=True)
class Story:
    """What happens at the gateway, and what it *says* of it: of each event the key, behind the session's id, and whether
    money is said to have moved. The session is led to where it *begins*; then the gateway *acts*.
    """

    says: tuple[tuple[str | None, bool], ...]
    begins: Callable[[Simulation], None]
    acts: Callable[[World, object], None]
    status: Status
    payment: str
    moved: int
    refunds: tuple[str, ...] = ()
    due: bool = False


def confirmed(session: Simulation, mode: Mode = Mode.CHARGE_IMMEDIATELY, attempt: int = 1) -> None:
    session.settle()
    session.tell("confirm", Confirm(mode=mode, request=f"confirm {attempt}"))


def left_once(session: Simulation) -> None:
    """A first page was left, and is closed; a second one is asked for."""
    confirmed(session)
    session.settle()
    session.world.leave(session.key("1/page"))
    session.rest()
    confirmed(session, attempt=2)


def called_off(session: Simulation) -> None:
    """Two pages were left, and the session is cancelled."""
    left_once(session)
    session.settle()
    session.world.leave(session.key("2/page"))
    session.rest()
    session.tell("cancel", Cancel(request="cancel"))


def charged_by_transfer(session: Simulation) -> None:
    session.world.next_charge = [UnderWay()]
    confirmed(session, Mode.CHARGE_WHEN_DUE)


def both_are_paid(world: World, session: object) -> None:
    """Also the page that was closed: the gateway does not keep its promise."""
    for attempt in (1, 2):
        world.pay(f"{session}/{attempt}/page", PRICE)


def the_transfer_arrives(world: World, session: object) -> None:
    world.next_charge = []
    world.charges[f"{session}/1/charge/1/1"] = Captured(reference="ch_1", amount=PRICE)


STORIES: Final = {
    "a page is paid": Story(
        says=(("1/page", False), ("1/page", True), (None, False)),
        begins=confirmed,
        acts=lambda world, session: world.pay(f"{session}/1/page", PRICE),
        status=Status.COMPLETED,
        payment="paid",
        moved=PRICE.minor,
    ),
    "a page is left after a decline": Story(
        says=(("1/page", False), (None, False)),
        begins=confirmed,
        acts=lambda world, session: world.leave(f"{session}/1/page", declined=1),
        status=Status.OPEN,
        payment="failed",
        moved=0,
    ),
    "a closed page is paid, and the next one too": Story(
        says=(("1/page", False), ("1/page", True), ("2/page", False), ("2/page", True), ("1/page/refund", False)),
        begins=left_once,
        acts=both_are_paid,
        status=Status.COMPLETED,
        payment="paid",
        moved=PRICE.minor,
        refunds=("1/page/refund",),
    ),
    "money comes twice when all is over": Story(
        says=(("1/page", True), ("2/page", True), ("1/page/refund", False)),
        begins=called_off,
        acts=both_are_paid,
        status=Status.CANCELLED,
        payment="not_started",
        moved=0,
        refunds=("1/page/refund", "2/page/refund"),
    ),
    "a due transfer arrives": Story(
        says=(("1/charge/1/1", False), ("1/charge/1/1", True), (None, False)),
        begins=charged_by_transfer,
        acts=the_transfer_arrives,
        status=Status.COMPLETED,
        payment="paid",
        moved=PRICE.minor,
        due=True,
    ),
}


def orders(events: int) -> Iterator[tuple[int, ...]]:
    """Every order in which *events* can come, each at least once, MOST times in all."""
    for length in range(events, MOST + 1):
        yield from (order for order in product(range(events), repeat=length) if len(set(order)) == events)


def test_these_are_all_orders_and_duplications() -> None:
    assert [len(list(orders(events))) for events in range(1, MOST + 1)] == [5, 52, 192, 264, 120]
    assert list(orders(2))[:4] == [(0, 1), (1, 0), (0, 0, 1), (0, 1, 0)]


def reported(session: object, key: str | None, moved: bool) -> PaymentReported:  # noqa: FBT001 - what an event says
    return PaymentReported(event="evt", key=f"{session}/{key}" if key else None, captured=moved)


def rows(world: World) -> Callable[[FindLooseEnds], LooseEnds]:
    """What the rows say of pages that were left: nothing is loose of them, but where they are reported."""

    def loose(cmd: FindLooseEnds) -> LooseEnds:
        returned = {key.partition("/refund")[0] for key, sent in world.refunds.items() if isinstance(sent, Refunded)}
        reported = sorted(set(cmd.reported) - returned)
        return LooseEnds(charges=tuple(LooseCharge(key=key, amount=PRICE, page=True) for key in reported))

    return loose


def lived(story: Story, order: tuple[int, ...], way: Way, moment: int) -> dict[str, Any]:
    """How the session ends where events come in that *order* and *way*, after *moment* answers from the world; every
    other activity that is not waited for any more answers all the same.
    """
    world = World()
    world.loose = rows(world)
    with closing(Simulation(world, due=story.due)) as session:
        session.run.stubborn = moment % 2 == 1
        story.begins(session)
        for _ in range(moment):
            session.step()
        story.acts(world, session.id)
        told = [reported(session.id, *story.says[n]) for n in order]
        if way != "beside an answer" or not session.step(*told):
            for each in told:
                session.report(each)
                if way == "apart":
                    session.settle()
        session.rest()
        return ended(session)


def ended(session: Simulation) -> dict[str, Any]:
    """What is left of it: what reads show, and what was done at the gateway."""
    world, state, short = session.world, session.world.view(session.id), len(session.key(""))
    return {
        "status": state.status,
        "payment": state.payment_status,
        "payments": sorted((p.key[short:], p.kind, p.status, p.amount.minor) for p in state.payments),
        "schedule": [i.status for i in state.schedule],
        "asks": [asked.reason for asked in state.asks],
        "contracts": sorted(world.contracts.values()),
        "told": sorted(kind for kind in world.told(session.id) if kind not in IF_LOOKED_AT),
        "moved": world.moved(session.id),
        "refunds": tuple(sorted(key[short:] for key, sent in world.refunds.items() if isinstance(sent, Refunded))),
        "posted": [world.trouble.called[f"payments.{call}"] for call in ("open_page", "charge", "refund")],
    }


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", STORIES)
def test_every_order_and_duplication_of_up_to_five_events_ends_in_one_state(name: str, way: Way) -> None:
    """On the workflow's own code, at moments that take turns: each order is tried, and each moment, but not each order at
    each moment.
    """
    story = STORIES[name]

    ends = [
        (lived(story, order, way, turn % ANSWERS), order, turn % ANSWERS)
        for turn, order in enumerate(orders(len(story.says)))
    ]

    first = ends[0][0]
    assert [end for end in ends if end[0] != first] == []
    assert (first["status"], first["payment"], first["moved"], first["refunds"], first["asks"]) == (
        story.status,
        story.payment,
        story.moved,
        story.refunds,
        [],
    )


class ByTheWorld(FurtherRuns):
    """Tells a session on Temporal's server, whose rows are the world's."""

    def __init__(self, checkout: Checkout) -> None:
        super().__init__(checkout.skipper.client, cast("Database", None), checkout.queue)
        self._checkout = checkout

    async def _standing(self, organisation: UUID, session: UUID) -> Standing:
        del organisation
        return Standing(state=self._checkout.world.view(session), policy=self._checkout.opening.policy)


@pytest.mark.timeout(180)
async def test_every_order_of_four_events_ends_in_one_state_on_temporals_server(
    open_session: Open, world: World
) -> None:
    world.loose = rows(world)
    says = STORIES["a closed page is paid, and the next one too"].says[:4]

    async def lived_there(order: tuple[tuple[str | None, bool], ...]) -> tuple[Any, ...]:
        checkout: Checkout = await open_session()
        await checkout.confirm(Mode.CHARGE_IMMEDIATELY)
        world.leave(checkout.page())
        await checkout.until(lambda s: s.status is Status.OPEN and s.attempts == 1)
        await checkout.confirm(Mode.CHARGE_IMMEDIATELY)
        both_are_paid(world, checkout.id)
        for key, moved in order:
            await ByTheWorld(checkout).pass_on(
                checkout.opening.organisation, checkout.id, reported(checkout.id, key, moved)
            )
        state = await checkout.until(returned)
        await checkout.handle.result()
        payments = sorted((p.key.removeprefix(str(checkout.id)), p.status) for p in state.payments)
        return state.status, state.payment_status, payments, sorted(world.told(checkout.id)), world.moved(checkout.id)

    ends = await asyncio.gather(*(lived_there(order) for order in permutations(says)))

    assert len(ends) == 24
    assert [end for end in ends if end != ends[0]] == []
    assert ends[0][-1] == PRICE.minor


def returned(state: SessionState) -> bool:
    return state.status is Status.COMPLETED and any(payment.status == "refunded" for payment in state.payments)
