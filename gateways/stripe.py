"""The adapter of Stripe: our words into its API, its answers and errors into ours (docs/gateways.md)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import stripe
from stripe.params import PaymentIntentCreateParams, RefundCreateParams
from stripe.params.checkout import SessionCreateParams

from checkout.money import Money
from checkout.outcomes import (
    Captured,
    ChargeAnswer,
    CloseAnswer,
    Closed,
    Declined,
    LookUpAnswer,
    NotFound,
    NothingToRefund,
    PageOpen,
    RefundAnswer,
    UnderWay,
)
from gateways import stripe_answers, stripe_errors, stripe_events, stripe_page
from gateways.port import (
    Account,
    GatewayEvent,
    GatewayUnavailable,
    Moved,
    PageRequest,
    Posted,
    SavedMethod,
)
from gateways.stripe_api import StripeApi, facts_of
from gateways.stripe_keys import REMEMBERED, StripeKeys
from gateways.stripe_money import from_stripe, to_stripe
from gateways.stripe_objects import Charge, Intent, Movement, Session

UNKNOWN_TOKEN: Final = Declined(code="unknown_token", soft=False)
KEY_CLOSED: Final = Declined(code="key_closed", soft=False)

UNREADABLE: Final = (ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError)
"""What the SDK, and reading what it read, make of JSON that is none of Stripe's; a ValidationError is a ValueError."""

PAID: Final = {"charge", "payment"}
"""The types of balance transactions that are captures: of cards, and of all else."""


class StripeGateway:
    """A PaymentGateway over Stripe's API with a *secret_key*; *webhook_secrets* sign its events. *url* is for tests, *limit*
    how many objects of a list are asked for at a time, at most 100. Close it with `aclose()`.
    """

    name = "stripe"
    timeout = timedelta(seconds=8)  # a bank may take seconds over a charge; the activity has 10, for its rows as well
    uncertainty = timedelta(seconds=30)  # a key that is posted again is replayed, so nothing but patience hangs on it
    memory = timedelta(hours=23)  # an hour less than Stripe's, for the round in which a key is posted

    def __init__(
        self, secret_key: str, webhook_secrets: Sequence[str], *, url: str | None = None, limit: int = 100
    ) -> None:
        self._api = StripeApi(secret_key, url, limit)
        self._keys = StripeKeys(self._api)
        self._webhook_secrets = webhook_secrets

    async def aclose(self) -> None:
        await self._api.aclose()

    async def attach(self, account: Account, customer: UUID, token: str) -> SavedMethod | Declined:
        async with self._calling("attach"):
            owner = await self._customer(customer, account)
            try:
                method = await self._api.attach(token, owner, f"attach/{customer}/{token}", account)
            except stripe.CardError as error:
                refusal = stripe_errors.refused(error)
                return refusal if isinstance(refusal, Declined) else Declined(code="authentication_required")
            except stripe.InvalidRequestError as error:
                if stripe_errors.is_missing(error):
                    return UNKNOWN_TOKEN
                raise
            return stripe_answers.saved(method, owner)

    async def methods(self, account: Account, customer: UUID) -> Sequence[SavedMethod]:
        async with self._calling("methods"):
            owner = await self._customer(customer, account)
            return [stripe_answers.saved(method, owner) for method in await self._api.methods(owner, account)]

    async def open_page(self, key: str, page: PageRequest) -> PageOpen:
        async with self._calling("open_page"):
            owner = None if page.saved_for is None else await self._customer(page.saved_for, page.account)
            params = stripe_page.parameters(key, page, owner)
            answer = stripe_answers.of_page(await self._opened(key, page, params))
            if not isinstance(answer, PageOpen):
                raise GatewayUnavailable("open_page: it was opened before, and is no longer open: look it up")
            return answer

    async def _opened(self, key: str, page: PageRequest, params: SessionCreateParams) -> Session:
        try:
            return await self._api.create_page(params, key, page.account)
        except stripe.APIError as error:
            posted = Posted(key, page.account, "page", page.amount, page.first_at)
            known = await self._keys.behind(error, posted)
            if isinstance(known, Session):
                return known
            raise

    async def close_page(self, posted: Posted) -> CloseAnswer:
        async with self._calling("close_page"):
            found = await self._keys.find(posted) or await self._keys.use_up(posted)
            answer = stripe_answers.answer_of(await self._keys.closed(found, posted.account)) if found else Closed()
            if isinstance(answer, PageOpen):
                raise GatewayUnavailable("close_page: still open")
            return answer if isinstance(answer, Captured | Closed | UnderWay) else Closed()

    async def charge(  # noqa: PLR0913, PLR0917 - a charge has six facts
        self, key: str, account: Account, reference: UUID, method: str, amount: Money, description: str
    ) -> ChargeAnswer:
        params = _charge(key, account, reference, method, amount, description)
        posted = Posted(key, account, "charge", amount, datetime.now(UTC) - REMEMBERED)
        async with self._calling("charge"):
            answer = await self._charged(params, posted)
        return KEY_CLOSED if isinstance(answer, Closed) else answer

    async def _charged(self, params: PaymentIntentCreateParams, posted: Posted) -> ChargeAnswer | Closed:
        """Create an intent that is confirmed at once; Stripe goes on answering for a key what it answered first."""
        try:
            return stripe_answers.of_intent(await self._api.create_intent(params, posted.key, posted.account))
        except stripe.CardError as error:
            return stripe_errors.refused(error)
        except stripe.InvalidRequestError as error:
            if error.code in stripe_errors.NEVER_THAT_MUCH:
                return Declined(code=error.code, soft=False)
            if stripe_errors.is_missing(error, "payment_method", "customer") or await self._is_detached(params, posted):
                return UNKNOWN_TOKEN
            raise
        except stripe.IdempotencyError:
            known = await self._keys.find(posted)
            if known is None:
                raise GatewayUnavailable("charge: the key is in use, and nothing is there yet") from None
            if isinstance(known, Intent) and known.closes_its_key:
                return KEY_CLOSED
            raise
        except stripe.APIError as error:
            known = await self._keys.behind(error, posted)
            if isinstance(known, Intent):
                return stripe_answers.of_intent(known)
            raise

    async def _is_detached(self, params: PaymentIntentCreateParams, posted: Posted) -> bool:
        """Whether the method is no longer its customer's. Stripe refuses it then with neither a code nor a parameter."""
        if "customer" not in params:
            return False
        method = await self._api.method(params["payment_method"], posted.account)
        return method.customer != params["customer"]

    async def refund(self, key: str, of: Posted, amount: Money | None = None) -> RefundAnswer:
        async with self._calling("refund"):
            paid = await self._keys.settled(of)
            if paid is None:
                return NothingToRefund()
            params: RefundCreateParams = {"payment_intent": paid.id, "metadata": {**paid.metadata, "key": key}}
            if amount is not None:
                params["amount"] = to_stripe(amount)
            try:
                return stripe_answers.of_refund(await self._api.create_refund(params, key, of.account))
            except stripe.InvalidRequestError as error:
                if stripe_errors.leaves_nothing(error):
                    return NothingToRefund()
                raise

    async def look_up(self, posted: Posted) -> LookUpAnswer:
        async with self._calling("look_up"):
            found = await self._keys.find(posted)
            return NotFound() if found is None else stripe_answers.answer_of(found)

    async def captures(self, account: Account, since: datetime) -> Sequence[Moved]:
        listed: list[Moved] = []
        movements = self._api.movements(int(since.timestamp()), account)
        while True:
            async with self._calling("captures"):
                each = await anext(movements, None)
                moved = None if each is None else _moved(each, account)
            if each is None:
                return listed[::-1]
            if moved is not None:
                listed.append(moved)

    def read_event(self, headers: Mapping[str, str], body: bytes) -> GatewayEvent:
        """Only what Stripe signed with one of our secrets, in the last five minutes, is an event."""
        return stripe_events.read(headers, body, self._webhook_secrets)

    async def _customer(self, customer: UUID, account: Account) -> str:
        """Stripe's customer for ours. Search knows it a minute after it was made; the key it was made under, for a day."""
        try:
            known = await self._api.customer(customer, account)
        except stripe.InvalidRequestError:  # there is no search for accounts in India
            known = None
        return (known or await self._api.create_customer(customer, account)).id

    @asynccontextmanager
    async def _calling(self, call: str) -> AsyncIterator[None]:
        """However many requests a call takes, it lasts no longer than our timeout, and raises our errors alone."""
        try:
            async with asyncio.timeout(self.timeout.total_seconds()):
                yield
        except stripe.StripeError as error:
            raise stripe_errors.translated(call, error) from None
        except TimeoutError:
            raise GatewayUnavailable(f"{call}: TimeoutError") from None
        except UNREADABLE as error:
            raise GatewayUnavailable(f"{call}: unreadable answer, {type(error).__name__}") from None


def _charge(  # noqa: PLR0913, PLR0917 - a charge has six facts
    key: str, account: Account, reference: UUID, method: str, amount: Money, description: str
) -> PaymentIntentCreateParams:
    """A charge without the customer. *method* names the customer that it is attached to, unless it is to none."""
    owner, _, attached = method.rpartition("/")
    params: PaymentIntentCreateParams = {
        "amount": to_stripe(amount),
        "currency": amount.currency.lower(),
        "payment_method": attached,
        "confirm": True,
        "off_session": True,
        "capture_method": "automatic",
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        "metadata": facts_of(key, reference, account),
    }
    if owner:
        params["customer"] = owner
    if description:
        params["description"] = description
    return params


def _moved(movement: Movement, account: Account) -> Moved | None:
    """A capture of the account's organisation; None for whatever else moved."""
    if movement.type not in PAID or not isinstance(movement.source, dict):
        return None
    charge = Charge.model_validate(movement.source)
    if not charge.is_of(account) or "key" not in charge.metadata:
        return None
    return Moved(
        key=charge.metadata["key"],
        reference=charge.session,
        amount=from_stripe(charge.amount_captured, charge.currency),
        at=datetime.fromtimestamp(movement.created, UTC),
        at_gateway=charge.payment_intent,
    )
