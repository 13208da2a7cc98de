"""What stands behind a key at Stripe: finding it, using the key up where nothing does, closing what is open."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import stripe
from stripe.params import PaymentIntentCreateParams

from checkout.outcomes import Captured, PageOpen, UnderWay
from gateways.port import Account, GatewayRejected, GatewayUnavailable, Posted
from gateways.stripe_answers import answer_of
from gateways.stripe_api import StripeApi, first_under
from gateways.stripe_errors import is_missing, was_replayed
from gateways.stripe_money import to_stripe
from gateways.stripe_objects import Intent, Refund, Session

Found = Intent | Refund | Session

SKEW: Final = timedelta(minutes=15)
"""How far our clock may be from Stripe's, where objects are looked for by when they were created."""

REMEMBERED: Final = timedelta(hours=24)
"""How long Stripe keeps a key at least; nothing is created under one that is older."""


class StripeKeys:
    """Keys that were posted to Stripe over *api*. Errors are the SDK's own, and GatewayUnavailable for "not yet"."""

    def __init__(self, api: StripeApi) -> None:
        self._api = api

    async def find(self, posted: Posted) -> Found | None:
        """The object that was made under a key: by its id where it is known, else in the list of what was created since
        the key was first posted. Lists show what was just created; Stripe's search does only later.
        """
        by_id = await self._by_id(posted)
        if by_id is not None:
            return by_id
        since, until = posted.first_at - SKEW, posted.first_at + REMEMBERED + SKEW
        window = (int(since.timestamp()), int(until.timestamp()), posted.account)
        if posted.kind == "refund":
            return await first_under(posted.key, posted.account, self._api.refunds(*window))
        if posted.kind == "page":
            listed = await first_under(posted.key, posted.account, self._api.pages(*window))
            if listed is not None:
                return await self._api.page(listed.id, posted.account)
        return await first_under(posted.key, posted.account, self._api.intents(*window))

    async def _by_id(self, posted: Posted) -> Found | None:
        kind, reference = (posted.reference or "").split("_")[0], posted.reference or ""
        try:
            match kind:
                case "cs":
                    return await self._api.page(reference, posted.account)
                case "pi":
                    return await self._api.intent(reference, posted.account)
                case "re" | "pyr":
                    return await self._api.refund(reference, posted.account)
        except stripe.InvalidRequestError as error:
            if not is_missing(error):
                raise
        return None

    async def behind(self, error: stripe.APIError, posted: Posted) -> Found | None:
        """What was made although Stripe answered with an error of its own, which it goes on answering for the key."""
        return await self.find(posted) if was_replayed(error) else None

    async def use_up(self, posted: Posted) -> Found | None:
        """Use a key up that Stripe does not know: it takes a key once, so that the real request is refused if it still
        arrives. What was there first is found. None: nothing can be paid under the key.
        """
        try:
            spent = await self._api.create_intent(_nothing(posted), posted.key, posted.account)
        except stripe.IdempotencyError:
            found = await self.find(posted)
            # What Stripe has kept for the key may be a refusal. And a page that it is still making can't be paid, nobody
            # was told its address; a charge would move money.
            if found is None and posted.kind != "page":
                raise GatewayUnavailable("the key is in use, and nothing is there yet") from None
            return found
        except GatewayRejected:
            return None  # an amount that Stripe can't count was never sent
        except stripe.InvalidRequestError:
            return await self.find(posted)  # only the amount is asked for: as it is refused here, so it is in earnest
        return await self._api.cancel_intent(spent.id, posted.account)

    async def closed(self, found: Found, account: Account) -> Found:
        """A page that was open, closed; as it is where Stripe does not close it: it was paid just now."""
        if not (isinstance(found, Session) and found.status == "open"):
            return found
        try:
            return await self._api.expire_page(found.id, account)
        except stripe.InvalidRequestError:
            return await self._api.page(found.id, account)

    async def settled(self, of: Posted) -> Intent | None:
        """What was captured under a key; None where nothing was, and now nothing can be."""
        found = await self.find(of) or await self.use_up(of)
        if found is None:
            return None
        found = await self.closed(found, of.account)
        intent = found.intent if isinstance(found, Session) else found
        answer = answer_of(found)
        if isinstance(answer, PageOpen):
            raise GatewayUnavailable("refund: the page is still open")
        if isinstance(answer, UnderWay) and isinstance(intent, Intent):
            await self._stop(intent, of.account)
        return intent if isinstance(answer, Captured) and isinstance(intent, Intent) else None

    async def _stop(self, intent: Intent, account: Account) -> None:
        """Stop a payment that is under way, where its kind can be stopped; else it has to settle first."""
        try:
            await self._api.cancel_intent(intent.id, account)
        except stripe.InvalidRequestError:
            raise GatewayUnavailable("refund: under way, it can be returned once it has settled") from None


def _nothing(posted: Posted) -> PaymentIntentCreateParams:
    """An intent that is never confirmed and that nobody has the secret of: all it does is to use its key up."""
    organisation = str(posted.account.organisation)
    return {
        "amount": to_stripe(posted.amount),
        "currency": posted.amount.currency.lower(),
        "metadata": {"key": posted.key, "organisation": organisation, "closes": posted.kind},
    }
