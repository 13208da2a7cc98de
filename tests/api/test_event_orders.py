"""Over HTTP, a hundred samples of the order in which a gateway's events come, and of how often: each story has one end."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import pytest

from gateways.sandbox import SandboxGateway
from tests.api.interruptions import PRICE, Operator, due_today, late_page, page_of
from tests.api.messenger import Messenger, Said
from tests.api.shop import Shop, onboarding

SAMPLES: Final = 100
AT_ONCE: Final = 10
MOST: Final = 5
"""How often events come in all, at most."""


@dataclass
class Teller:
    """Who lets stories happen: the shop, its customer, and the gateway."""

    shop: Shop
    operator: Operator
    gateway: SandboxGateway
    customer: str

    async def opened(self, **more: Any) -> str:
        return str((await self.shop.session(onboarding(self.customer, **more)))["id"])

    async def paid(self) -> str:
        """Refused once at the page, then paid."""
        session = await self.opened()
        page = await page_of(self.shop, session)
        await self.shop.at_the_page(page, "card_declined")
        await self.shop.at_the_page(page)
        return session

    async def left(self) -> str:
        """Refused once at the page, then left."""
        session = await self.opened()
        page = await page_of(self.shop, session)
        await self.shop.at_the_page(page, "card_declined")
        await self.shop.at_the_page(page, action="leave")
        return session

    async def late(self) -> str:
        """Paid at a page that no run of the session knows of, when the session was cancelled."""
        session = await self.opened()
        page = await late_page(self.gateway, self.operator, session)
        await self.shop.http.post(f"/checkout_session/{session}/cancel")
        await self.shop.at_the_page(page)
        return session

    async def due(self) -> str:
        """Charged on the day that it is due."""
        session = await self.opened(contract=due_today(self.customer)["contract"])
        await self.shop.confirmed(session, "charge_when_due")
        return session


@dataclass(frozen=True)
class Story:
    """What happens, what the gateway says of it, when that is over, and what has moved in the end."""

    happens: Callable[[Teller], Awaitable[str]]
    says: tuple[tuple[str, str], ...]
    over: Callable[[dict[str, Any]], bool]
    moved: int


STORIES: Final = {
    "paid": Story(
        Teller.paid,
        (("page.declined", "1/page"), ("page.paid", "1/page")),
        lambda s: bool(s["checkout_session_status"] == "completed"),
        PRICE.minor,
    ),
    "left": Story(
        Teller.left,
        (("page.declined", "1/page"), ("page.left", "1/page")),
        lambda s: bool(s["checkout_session_status"] == "open"),
        0,
    ),
    "late": Story(
        Teller.late,
        (("page.declined", "1/page"), ("page.paid", "1/page"), ("refund.created", "1/page/refund")),
        lambda s: [p["status"] for p in s["payments"]] == ["captured", "refunded"],
        0,
    ),
    "due": Story(
        Teller.due,
        (("charge.captured", "1/charge/1/1"), ("customer.moved", "1/charge/1/1")),
        lambda s: bool(s["payment_status"] == "paid"),
        PRICE.minor,
    ),
}


def sample(messenger: Messenger, session: str, story: Story, chance: random.Random) -> list[Said]:
    """Each event at least once, in any order; some come again, as they were or under another id."""
    said = [messenger.event(kind, session, f"{session}/{key}") for kind, key in story.says]
    for _ in range(chance.randint(0, MOST - len(said))):
        kind, key = chance.choice(story.says)
        said.append(chance.choice([chance.choice(said), messenger.event(kind, session, f"{session}/{key}")]))
    chance.shuffle(said)
    return said


async def end_of(shop: Shop, operator: Operator, session: str, story: Story) -> dict[str, Any]:
    """What is left of it: what reads show, and what truly happened at the gateway."""
    with suppress(TimeoutError):
        await shop.until(session, story.over)
        if story is not STORIES["left"]:
            await operator.workflow(session).result()
    shown = await shop.read(session)
    effects = [row["effect"] for row in await shop.ledger(session) if row["effect"] != "none"]
    return {
        "status": (shown["checkout_session_status"], shown["payment_status"], shown["attention"]),
        "payments": [(p["key"].removeprefix(session), p["status"], p["amount"]) for p in shown["payments"]],
        "schedule": [(i["n"], i["status"], i["attempts"]) for i in shown["payment_schedule"]],
        "contract": shown["contract_id"] is not None,
        "version": shown["version"],
        "effects": effects,
        "moved": await shop.moved(session),
    }


@pytest.fixture
async def quiet(shop: Shop) -> AsyncIterator[None]:
    """The gateway itself says nothing meanwhile."""
    drop = {"call": "webhook", "fault": "drop", "times": None, "match": {"account": shop.stack.organisation}}
    await shop.gateway.post("/faults", json=drop)
    yield
    await shop.gateway.delete("/faults")


@pytest.mark.usefixtures("quiet")
@pytest.mark.timeout(180)
async def test_a_hundred_samples_of_order_and_duplication_end_in_one_state_for_each_story(
    shop: Shop, operator: Operator, gateway: SandboxGateway, messenger: Messenger
) -> None:
    teller = Teller(shop, operator, gateway, await shop.customer("pm_sandbox_card_ok"))
    turns = asyncio.Semaphore(AT_ONCE)
    ends: defaultdict[str, list[Any]] = defaultdict(list)

    async def one(seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311 - the same samples each time
        name = list(STORIES)[seed % len(STORIES)]
        async with turns:
            session = await STORIES[name].happens(teller)
            said = sample(messenger, session, STORIES[name], chance)
            if chance.random() < 0.5:
                await messenger.brought(*said)
            else:
                await asyncio.gather(*(messenger.brought(each) for each in said))
            ends[name].append((await end_of(shop, operator, session, STORIES[name]), seed))

    await asyncio.gather(*(one(seed) for seed in range(SAMPLES)))

    assert sum(map(len, ends.values())) == SAMPLES
    for name, story in STORIES.items():
        first = ends[name][0][0]
        assert [end for end in ends[name] if end[0] != first] == []
        assert (first["moved"], first["status"][-1]) == (story.moved, None)
