"""The payments' rows as the payment activities need them: there before money can move, settled after."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, LiteralString
from uuid import UUID

from checkout.commands import AtKey, Charge, ChooseMethod, OpenPage, Refund, SaveMethod
from checkout.ids import kind_of, taken_of
from checkout.money import Money
from checkout.outcomes import (
    Captured,
    Closed,
    Declined,
    LookUpAnswer,
    MethodAnswer,
    MethodChosen,
    NeedsCustomer,
    NothingToRefund,
    Refunded,
    Refused,
)
from gateways.port import Account, Posted, SavedMethod, ToAsk, ToCharge, ToOpen, ToRefund
from store import customers, hosted_pages, payment_methods
from store.database import Connection, Database
from store.payment_methods import expired

SETTLED: Final[Mapping[type, str]] = {
    Captured: "captured",
    Declined: "declined",
    Closed: "declined",
    NeedsCustomer: "declined",
    Refunded: "refunded",
    NothingToRefund: "declined",
}
"""What an answer makes of its row; any other answer leaves it as it is."""

NO_METHOD: Final = Refused(
    problem="payment-method-required", detail="The customer has no saved payment method that fits."
)
UNUSABLE: Final = Refused(
    problem="payment-method-unusable", detail="The payment method is not this customer's, was removed or is expired."
)

POSTED: Final[LiteralString] = """
    SELECT coalesce(known.gateway, taken.gateway, organisation.gateway) AS gateway,
           CASE WHEN known.key IS NOT NULL THEN known.gateway_account
                WHEN taken.key IS NOT NULL THEN taken.gateway_account
                ELSE organisation.gateway_account END AS gateway_account,
           known.at, known.amount_minor, known.currency, known.reference
    FROM organisations organisation
    LEFT JOIN payments known ON known.key = %(key)s
    LEFT JOIN payments taken ON taken.key = %(of)s
    WHERE organisation.id = %(organisation)s
"""
"""A key, at the gateway where it was posted, also after its organisation has chosen another one; a refund's that has no row,
where that is posted which it returns.
"""

REMOVED: Final = Declined(code="payment_method_removed", soft=False)


Outcome = Callable[[UUID, UUID], str]
"""The address of the page that tells what became of an organisation's session."""


class PaymentRecords:
    """*outcome* is where a customer goes from a hosted page where the merchant gave no address."""

    def __init__(self, database: Database, outcome: Outcome | None = None) -> None:
        self._database = database
        self._outcome = outcome

    async def posted(self, cmd: AtKey) -> ToAsk:
        """The command's key, and the gateway where it was posted; that of the organisation where it never was."""
        async with self._database.of(cmd.organisation) as connection:
            return await _to_ask(connection, cmd, cmd.key)

    async def choose_method(self, cmd: ChooseMethod) -> MethodAnswer:
        """The method asked for, or the default, or the newest of the preferred type; usable at the command's instant."""
        async with self._database.of(cmd.organisation) as connection:
            cursor = await connection.execute(
                """
                SELECT id, expiry_month, expiry_year FROM payment_methods
                WHERE customer_id = %(customer)s AND status = 'active'
                  AND (%(method)s::uuid IS NULL OR id = %(method)s)
                  AND (%(method)s::uuid IS NOT NULL OR %(preferred)s::text IS NULL OR type = %(preferred)s)
                ORDER BY is_default DESC, created_at DESC
                """,
                {"customer": cmd.customer, "method": cmd.method, "preferred": cmd.preferred},
            )
            methods = await cursor.fetchall()
        usable = [row["id"] for row in methods if not expired(row, cmd.at)]
        if usable:
            return MethodChosen(method=usable[0])
        return UNUSABLE if methods or cmd.method else NO_METHOD

    async def page(self, cmd: OpenPage) -> ToOpen:
        """Record the page's key, and gather what its customer is shown: for one key always the same."""
        async with self._database.of(cmd.organisation) as connection:
            at = await _to_ask(connection, cmd, cmd.key)
            at = await _record(connection, cmd, at, expires_at=cmd.expires_at)
            outcome = self._outcome(cmd.organisation, cmd.session) if self._outcome else None
            return ToOpen(at.gateway, at.posted, await hosted_pages.request(connection, cmd, at.posted, outcome))

    async def charge(self, cmd: Charge) -> ToCharge | Declined:
        """Record the charge's key with its method, and say what to charge: a key keeps the method that it was first used
        with. A method that was removed is declined, unrecorded; only the gateway knows what came of one used before.
        """
        async with self._database.of(cmd.organisation) as connection:
            method = await _method(connection, cmd)
            if method is None or not (method["active"] or method["used"]):
                return REMOVED
            known = await _to_ask(connection, cmd, cmd.key)
            own = replace(known.posted, account=Account(cmd.organisation, method["gateway_account"]))
            at = await _record(connection, cmd, ToAsk(method["gateway"], own), method=method["id"])
            description = await hosted_pages.description(connection, cmd.notes)
        return ToCharge(at.gateway, at.posted, method["token"], description, chargeable=method["active"])

    async def refund(self, cmd: Refund) -> ToRefund:
        """Say what is to be returned, and where: at the gateway of what was captured. The refund's key is recorded where
        our row says that something was; elsewhere its answer is.
        """
        async with self._database.of(cmd.organisation) as connection:
            of = await _to_ask(connection, cmd, cmd.of)
            own = replace((await _to_ask(connection, cmd, cmd.key)).posted, account=of.posted.account)
            at = ToAsk(of.gateway, own)
            cursor = await connection.execute(
                "SELECT 1 FROM payments WHERE key = %s AND status = 'captured'", (cmd.of,)
            )
            if await cursor.fetchone():
                at = await _record(connection, cmd, at)
        return ToRefund(at.gateway, at.posted, of.posted)

    async def answered(self, cmd: AtKey, answer: LookUpAnswer, at: ToAsk | None = None) -> None:
        """Settle the row of the key with the gateway's answer. Where money moved and there is no row, it is made: *at* the
        gateway that is named, or the organisation's. Nothing to refund is a definite no to what should have been refunded,
        too.
        """
        status = SETTLED.get(type(answer))
        if status is None and getattr(answer, "reference", None) is None:
            return
        async with self._database.of(cmd.organisation) as connection:
            if isinstance(answer, Captured | Refunded):
                await _record(connection, cmd, at or await _to_ask(connection, cmd, cmd.key))
            await _settle(connection, cmd, status, answer)
            if isinstance(cmd, Refund) and isinstance(answer, NothingToRefund):
                await _never_captured(connection, cmd)

    async def keep_methods(self, cmd: SaveMethod, at: ToAsk, saved: Sequence[SavedMethod]) -> None:
        """Keep those that the customer has at the gateway and not here, also not removed; the first is the default where
        there is none.
        """
        async with self._database.of(cmd.organisation) as connection:
            await customers.lock(connection, cmd.customer)
            for method in saved:
                await payment_methods.keep(connection, cmd.customer, at, method)


async def _method(connection: Connection, cmd: Charge) -> dict[str, Any] | None:
    """The method that the key was *used* with before, else the command's; held as it is until the key is recorded."""
    cursor = await connection.execute(
        """
        SELECT method.id, method.gateway, method.gateway_account, method.token, method.status = 'active' AS active,
               used.payment_method_id IS NOT NULL AS used
        FROM payment_methods method LEFT JOIN payments used ON used.key = %(key)s
        WHERE method.id = coalesce(used.payment_method_id, %(method)s)
        FOR SHARE OF method
        """,
        {"key": cmd.key, "method": cmd.method},
    )
    return await cursor.fetchone()


async def _record(
    connection: Connection, cmd: AtKey, at: ToAsk, *, method: UUID | None = None, expires_at: datetime | None = None
) -> ToAsk:
    """Write the key's row unless it is there; with the instant of the first time, and where it was posted then: another
    post may have come first since the rows were asked.
    """
    cursor = await connection.execute(
        """
        INSERT INTO payments AS known (key, organisation_id, session_id, kind, amount_minor, currency, status, at,
                                       gateway, gateway_account, payment_method_id, expires_at)
        VALUES (%(key)s, %(organisation)s, %(session)s, %(kind)s, %(minor)s, %(currency)s, 'pending', %(at)s,
                %(gateway)s, %(account)s, %(method)s, %(expires_at)s)
        ON CONFLICT (key) DO UPDATE SET key = known.key
        RETURNING at, gateway, gateway_account
        """,
        {
            "key": cmd.key,
            "organisation": cmd.organisation,
            "session": cmd.session,
            "kind": "refund" if kind_of(cmd.key) == "refund" else "charge",
            "gateway": at.gateway,
            "account": at.posted.account.at_gateway,
            "minor": cmd.amount.minor,
            "currency": cmd.amount.currency,
            "at": cmd.at,
            "method": method,
            "expires_at": expires_at,
        },
    )
    row = await cursor.fetchone()
    if row is None:
        raise LookupError("the key belongs to another organisation")
    account = Account(cmd.organisation, row["gateway_account"])
    return replace(at, gateway=row["gateway"], posted=replace(at.posted, account=account, first_at=row["at"]))


async def _settle(connection: Connection, cmd: AtKey, status: str | None, answer: LookUpAnswer) -> None:
    """What the answer says of the key's row; without a *status* only the gateway's own id of it."""
    amount: Money = getattr(answer, "amount", cmd.amount)
    await connection.execute(
        """
        UPDATE payments SET status = coalesce(%(status)s, status), reference = coalesce(%(reference)s, reference),
            amount_minor = %(minor)s, currency = %(currency)s,
            settled_at = coalesce(settled_at, CASE WHEN %(status)s::text IS NOT NULL THEN %(at)s::timestamptz END)
        WHERE key = %(key)s AND status NOT IN ('captured', 'refunded')
        """,
        {
            "status": status,
            "reference": getattr(answer, "reference", None),
            "minor": amount.minor,
            "currency": amount.currency,
            "at": cmd.at,
            "key": cmd.key,
        },
    )


async def _never_captured(connection: Connection, cmd: Refund) -> None:
    """Settle a charge that had no answer, and whose key is closed by its refund."""
    await connection.execute(
        "UPDATE payments SET status = 'declined', settled_at = %s WHERE key = %s AND status IN ('pending', 'unknown')",
        (cmd.at, cmd.of),
    )


async def _to_ask(connection: Connection, cmd: AtKey, key: str) -> ToAsk:
    """What the rows know of *key*; one without a row is posted now, for the command's amount."""
    given = {"organisation": cmd.organisation, "key": key, "of": taken_of(key)}
    cursor = await connection.execute(POSTED, given)
    row = await cursor.fetchone()
    if row is None:
        raise LookupError("the organisation is missing")
    amount = cmd.amount if row["at"] is None else Money(minor=row["amount_minor"], currency=row["currency"])
    account = Account(cmd.organisation, row["gateway_account"])
    return ToAsk(
        row["gateway"], Posted(key, account, kind_of(key), amount, row["at"] or cmd.at, reference=row["reference"])
    )
