"""The calls of Stripe's API that are made here, each with its answer read. Errors are the SDK's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final, TypeVar
from uuid import UUID

import stripe
from stripe.params import (
    PaymentIntentCreateParams,
    RefundCreateParams,
)
from stripe.params.checkout import SessionCreateParams

from gateways.port import Account
from gateways.stripe_objects import Customer, Intent, Method, Movement, Ours, Read, Refund, Session
from gateways.stripe_wire import Wire

VERSION: Final = "2026-10-28.endive"
"""The version of the API that is spoken, whatever the account's own is and whichever a newer SDK would choose."""

R = TypeVar("R", bound=Read)
O = TypeVar("O", bound=Ours)  # noqa: E741 - an object of ours


class StripeApi:
    """Stripe at *url* with a *secret_key*; lists are asked for *limit* objects at a time, at most 100."""

    def __init__(self, secret_key: str, url: str | None, limit: int) -> None:
        self._wire = Wire()
        self._client = stripe.StripeClient(
            secret_key,
            stripe_version=VERSION,
            base_addresses={"api": url.rstrip("/")} if url else None,
            max_network_retries=0,
            http_client=self._wire,
        )
        self._limit = limit

    async def aclose(self) -> None:
        await self._wire.close_async()

    # --- payments --------------------------------------------------------------------------------------------

    async def create_intent(self, params: PaymentIntentCreateParams, key: str, account: Account) -> Intent:
        options = _options(account, key)
        return _read(Intent, await self._client.v1.payment_intents.create_async(params, options))

    async def cancel_intent(self, intent: str, account: Account) -> Intent:
        answer = await self._client.v1.payment_intents.cancel_async(intent, {}, _options(account))
        return _read(Intent, answer)

    async def intent(self, intent: str, account: Account) -> Intent:
        return _read(Intent, await self._client.v1.payment_intents.retrieve_async(intent, {}, _options(account)))

    async def intents(self, since: int, until: int, account: Account) -> AsyncIterator[Intent]:
        """Those created from *since* until *until*, newest first."""
        answer = await self._client.v1.payment_intents.list_async(
            {"created": {"gte": since, "lte": until}, "limit": self._limit}, _options(account)
        )
        async for each in answer.auto_paging_iter():
            yield _read(Intent, each)

    async def create_refund(self, params: RefundCreateParams, key: str, account: Account) -> Refund:
        return _read(Refund, await self._client.v1.refunds.create_async(params, _options(account, key)))

    async def refund(self, refund: str, account: Account) -> Refund:
        return _read(Refund, await self._client.v1.refunds.retrieve_async(refund, {}, _options(account)))

    async def refunds(self, since: int, until: int, account: Account) -> AsyncIterator[Refund]:
        """Those created from *since* until *until*, newest first."""
        answer = await self._client.v1.refunds.list_async(
            {"created": {"gte": since, "lte": until}, "limit": self._limit}, _options(account)
        )
        async for each in answer.auto_paging_iter():
            yield _read(Refund, each)

    async def movements(self, since: int, account: Account) -> AsyncIterator[Movement]:
        """What moved on the account's balance from *since* on, newest first."""
        answer = await self._client.v1.balance_transactions.list_async(
            {"created": {"gte": since}, "limit": self._limit, "expand": ["data.source"]}, _options(account)
        )
        async for each in answer.auto_paging_iter():
            yield _read(Movement, each)

    # --- hosted pages ----------------------------------------------------------------------------------------

    async def create_page(self, params: SessionCreateParams, key: str, account: Account) -> Session:
        params = {**params, "expand": ["payment_intent"]}
        return _read(Session, await self._client.v1.checkout.sessions.create_async(params, _options(account, key)))

    async def expire_page(self, page: str, account: Account) -> Session:
        answer = await self._client.v1.checkout.sessions.expire_async(
            page, {"expand": ["payment_intent"]}, _options(account)
        )
        return _read(Session, answer)

    async def page(self, page: str, account: Account) -> Session:
        answer = await self._client.v1.checkout.sessions.retrieve_async(
            page, {"expand": ["payment_intent"]}, _options(account)
        )
        return _read(Session, answer)

    async def pages(self, since: int, until: int, account: Account) -> AsyncIterator[Session]:
        """Those created from *since* until *until*, newest first."""
        answer = await self._client.v1.checkout.sessions.list_async(
            {"created": {"gte": since, "lte": until}, "limit": self._limit}, _options(account)
        )
        async for each in answer.auto_paging_iter():
            yield _read(Session, each)

    # --- customers and what is saved for them ----------------------------------------------------------------

    async def customer(self, customer: UUID, account: Account) -> Customer | None:
        """The customer of Stripe's that was made for ours, once Stripe's search knows it: that takes up to a minute."""
        ours = f"metadata['customer']:'{customer}' AND metadata['organisation']:'{account.organisation}'"
        found = await self._client.v1.customers.search_async({"query": ours, "limit": 1}, _options(account))
        return next((_read(Customer, each) for each in found.data), None)

    async def create_customer(self, customer: UUID, account: Account) -> Customer:
        """Make one, with no word about who it is; the same one for a day, however often."""
        metadata = {"customer": str(customer), "organisation": str(account.organisation)}
        options = _options(account, f"customer/{customer}")
        return _read(Customer, await self._client.v1.customers.create_async({"metadata": metadata}, options))

    async def attach(self, method: str, customer: str, key: str, account: Account) -> Method:
        answer = await self._client.v1.payment_methods.attach_async(
            method, {"customer": customer}, _options(account, key)
        )
        return _read(Method, answer)

    async def method(self, method: str, account: Account) -> Method:
        return _read(Method, await self._client.v1.payment_methods.retrieve_async(method, {}, _options(account)))

    async def methods(self, customer: str, account: Account) -> list[Method]:
        """What is attached to a customer, newest first."""
        answer = await self._client.v1.customers.payment_methods.list_async(
            customer, {"limit": self._limit}, _options(account)
        )
        return [_read(Method, each) async for each in answer.auto_paging_iter()]


def _options(account: Account, key: str | None = None) -> stripe.RequestOptions:
    """On whose account, and once for which key. Organisations that share one account at Stripe share no keys."""
    options: stripe.RequestOptions = {}
    if account.at_gateway is not None:
        options["stripe_account"] = account.at_gateway
    if key is not None:
        options["idempotency_key"] = f"{account.organisation}/{key}"
    return options


def _read(model: type[R], answer: stripe.StripeObject) -> R:
    return model.model_validate(answer.to_dict())


async def first_under(key: str, account: Account, listed: AsyncIterator[O]) -> O | None:
    """The first object that was made under *key* by *account*."""
    async for each in listed:
        if each.is_under(key, account):
            return each
    return None


def facts_of(key: str, session: UUID, account: Account) -> dict[str, str]:
    """The metadata that finds an object again: no personal data, Stripe shows it in its dashboard."""
    return {"key": key, "session": str(session), "organisation": str(account.organisation)}
