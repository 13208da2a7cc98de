"""Makes the purchases of the examples on a running stack, all at once, and says how each of them went."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any, Final
from uuid import UUID, uuid4

from checkout.ids import workflow_of
from checkout.lifecycle import Status
from checkout.money import Money
from demo import page
from demo.calls import PATIENCE, Calls, expected
from demo.catalogue import Catalogue
from demo.checks import Evidence, differences, gathered
from demo.examples import Json, Purchase, filled, load
from demo.problems import Differs
from demo.workflows import Workflows

LOOK_AGAIN: Final = 0.1
MARGIN: Final = timedelta(minutes=1)
WORDS: Final = {"checkout_session_status": "the session is now", "payment_status": "its payment"}

Tell = Callable[["Result"], None]
"""Is told of a purchase whenever something happened in it."""


@dataclass
class Result:
    """A purchase as far as it got: what happened (*story*), and what is not as it should be (*problems*)."""

    purchase: Purchase
    session: UUID | None = None
    link: str | None = None
    story: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    evidence: Evidence | None = None
    seconds: float = 0.0
    done: bool = False


def _silent(_: Result) -> None:
    """Nobody is told."""


async def run(ready_file: Path, tell: Tell = _silent) -> list[Result]:
    """Make every purchase of the examples on the stack that *ready_file* describes.

    Calls are repeated with their keys until they are answered, so parts of the stack may die meanwhile. What went
    wrong is in the results' `problems`; raises Differs where the catalogue can't be put in place.
    """
    examples, run_id = load(), uuid4().hex[:8]
    async with Calls(ready_file) as calls:
        workflows = await Workflows.at(calls.ready.temporal, calls.ready.temporal_ui)
        catalogue = Catalogue(calls, run_id)
        await catalogue.put_in_place(examples)
        buyers = [
            Buyer(calls, workflows, Result(purchase), tell, f"demo-{run_id}-{n}")
            for n, purchase in enumerate(examples.purchases, start=1)
        ]
        return list(await asyncio.gather(*(buyer.buy(catalogue.ids, run_id) for buyer in buyers)))


class Buyer:
    """Makes one purchase: opens its session, takes its steps, and looks at how it ended. Its keys begin with *keys*."""

    def __init__(self, calls: Calls, workflows: Workflows, result: Result, tell: Tell, keys: str) -> None:
        self._calls = calls
        self._workflows = workflows
        self._result = result
        self._tell = tell
        self._keys = keys
        self._page: str | None = None

    async def buy(self, ids: Mapping[str, str], run: str) -> Result:
        result, started = self._result, monotonic()
        try:
            await self._open(filled(result.purchase.session, ids, run))
            for number, step in enumerate(result.purchase.steps, start=1):
                [(verb, told)] = step.items()
                await VERBS[verb](self, filled(told, ids, run), f"{self._keys}-{number}-{verb}")
            await self._look_at_the_end()
        except Differs as differs:
            result.problems.append(str(differs))
        result.seconds, result.done = monotonic() - started, True
        self._tell(result)
        return result

    @property
    def _session(self) -> UUID:
        if self._result.session is None:
            raise Differs("no session was opened")
        return self._result.session

    @property
    def _workflow(self) -> str:
        return workflow_of(self._calls.ready.organisation, self._session)

    async def _open(self, body: Json) -> None:
        opened = expected(await self._calls.post("/checkout_session", body, f"{self._keys}-open"), 201).json()
        self._result.session = UUID(opened["id"])
        self._result.link = self._workflows.link(self._workflow)
        self._say(f"opened: {_amount(opened['estimates']['amount_due'], opened['currency'])} due")

    async def confirm(self, body: Json, key: str) -> None:
        answer = expected(await self._calls.post(f"/checkout_session/{self._session}/confirm", body, key), 200, 302)
        confirmed = answer.json()
        self._page = answer.headers.get("Location") if answer.status_code == 302 else confirmed["redirect_url"]
        if body["confirmation"] == "charge_immediately" and not self._page:
            raise Differs("the confirmation led to no page to pay at")
        if answer.status_code == 302 and self._page != confirmed["redirect_url"]:
            raise Differs("the redirect does not lead to the session's page")
        mode = body["confirmation"].replace("_", " ")
        self._say(f"confirmed: {mode}" + (", payment page opened" if self._page else ""))

    async def page(self, choice: str, _key: str) -> None:
        """Pay with *choice* at the page that the last confirm led to, or leave it."""
        if self._page is None:
            raise Differs("there is no page to pay at")
        action = "leave" if choice == "leave" else "pay"
        said = await page.act(self._calls, self._page, choice, action)
        self._say(f"at the page, {choice.replace('_', ' ')}: {said}")

    async def until(self, members: Json, _key: str) -> None:
        """Wait until the session has *members*."""
        await self._until(members)
        self._say(", ".join(f"{WORDS[name]} {value}".replace("_", " ") for name, value in members.items()))

    async def instalments(self, statuses: list[str], _key: str) -> None:
        """Wait until the session's instalments have these *statuses*."""
        await self._waited(lambda shown: [part["status"] for part in shown["payment_schedule"]], statuses)
        self._say(f"its instalments are {', '.join(statuses)}")

    async def card(self, token: str, key: str) -> None:
        """Save another payment method of the session's customer, in the place of those that were there."""
        methods = f"/customers/{(await self._calls.session(self._session))['customer_id']}/payment_methods"
        saved = {"gateway": "sandbox", "token": token, "set_as_default": True}
        new = expected(await self._calls.post(methods, saved, key), 201).json()["id"]
        for method in (await self._calls.get(methods, status="active"))["data"]:
            if method["id"] != new:
                expected(await self._calls.delete(f"{methods}/{method['id']}"), 204, 404)
        self._say(f"its customer saved another method: {token.removeprefix('pm_sandbox_').replace('_', ' ')}")

    async def clock(self, moment: str, key: str) -> None:
        """Move this one session's clock: past when the next of it is *due*, or past its *expiry*."""
        seen = await gathered(self._calls, self._session)
        shown = seen.session
        if seen.collected != seen.paid:
            raise Differs(f"{seen.collected} were collected before the clock was moved, not {seen.paid}")
        due = [part["due_at"] for part in shown["payment_schedule"] if part["status"] == "scheduled"]
        at = datetime.fromisoformat(due[0] if moment == "due" else shown["expires_at"])
        now = datetime.fromisoformat(shown["test_clock"]["now"]) if shown["test_clock"] else datetime.now(UTC)
        body = {"advance": f"PT{int((at + MARGIN - now).total_seconds())}S"}
        expected(await self._calls.post(f"/checkout_session/{self._session}/test_clock", body, key), 200)
        self._say(f"its clock moved past {at:%Y-%m-%d %H:%M}: {moment}")

    async def cancel(self, body: Json, key: str) -> None:
        cancelled = expected(await self._calls.post(f"/checkout_session/{self._session}/cancel", body, key), 200).json()
        if cancelled["cancellation_details"]["reason_type"] != body["reason_type"]:
            raise Differs("the cancellation has another reason")
        self._say(f"cancelled: {body['reason']}")

    async def _look_at_the_end(self) -> None:
        """Wait for the end that the example names, then compare everything with everything."""
        ends, result = self._result.purchase.ends, self._result
        await self._until(
            {"checkout_session_status": ends.checkout_session_status, "payment_status": ends.payment_status}
        )
        seen = result.evidence = await gathered(self._calls, self._session)
        result.problems.extend(differences(result.purchase, seen))
        if wrong := await self._workflows.wrong_with(self._workflow):
            result.problems.append(wrong)
        if seen.session["guest_checkout"] and seen.customer:
            self._say(f"customer created: {seen.customer['customer_name']}")

    async def _until(self, members: Json) -> None:
        await self._waited(lambda shown: {name: shown[name] for name in members}, members)

    async def _waited(self, told: Callable[[Json], Any], wanted: Any) -> None:
        """Wait until what is *told* of the session is as *wanted*. Raises Differs."""
        until = monotonic() + PATIENCE
        while (seen := told(shown := await self._calls.session(self._session))) != wanted:
            if monotonic() > until or _is_over(shown, wanted):
                raise Differs(f"it is {_words(seen)}, not {_words(wanted)}")
            await asyncio.sleep(LOOK_AGAIN)

    def _say(self, sentence: str) -> None:
        self._result.story.append(sentence)
        self._tell(self._result)


VERBS: Final[dict[str, Callable[[Buyer, Any, str], Awaitable[None]]]] = {
    "confirm": Buyer.confirm,
    "page": Buyer.page,
    "until": Buyer.until,
    "instalments": Buyer.instalments,
    "card": Buyer.card,
    "clock": Buyer.clock,
    "cancel": Buyer.cancel,
}
"""The steps of examples/purchases.json."""

ABSORBING: Final = frozenset({Status.CLOSED, Status.CANCELLED})


def _is_over(shown: Json, wanted: Any) -> bool:
    """Whether waiting is in vain: a session that is closed or cancelled stays so."""
    status = shown["checkout_session_status"]
    asked = wanted.get("checkout_session_status", status) if isinstance(wanted, dict) else None
    return status in ABSORBING and status != asked


def _words(told: Any) -> str:
    return ", ".join(map(str, told.values() if isinstance(told, dict) else told))


def _amount(amount: str, currency: str) -> str:
    return spelt(Money.of(amount, currency))


def spelt(money: Money) -> str:
    """An amount for people: 40,260.00 GBP."""
    whole, point, rest = money.amount.partition(".")
    return f"{int(whole):,}{point}{rest} {money.currency}"
