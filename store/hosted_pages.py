"""What a hosted payment page shows, gathered from the rows."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from checkout.commands import OpenPage
from checkout.money import Money
from gateways.port import PageLine, PageRequest, Posted
from store.database import Connection


async def description(connection: Connection, notes: UUID | None) -> str:
    """What the merchant calls the payment; empty where nothing was said."""
    cursor = await connection.execute(
        "SELECT details ->> 'payment_description' AS description FROM details WHERE id = %s", (notes,)
    )
    row = await cursor.fetchone()
    return (row["description"] if row else None) or ""


async def request(connection: Connection, cmd: OpenPage, posted: Posted, outcome: str | None) -> PageRequest:
    """Everything that the page of a key shows and leads to, where the merchant gave no address to the *outcome*: for one
    key always the same.
    """
    cursor = await connection.execute(
        """
        SELECT coalesce(entity.name, organisation.name) AS merchant,
               content.content #> '{estimates,current_invoice}' AS invoice,
               details.details AS details, page.expires_at AS expires_at
        FROM contents content
        JOIN payments page ON page.key = %(key)s
        JOIN organisations organisation ON organisation.id = content.organisation_id
        JOIN details ON details.id = %(details)s
        LEFT JOIN business_entities entity ON entity.id = (details.details ->> 'business_entity_id')::uuid
        WHERE content.estimation_id = %(estimation)s
        """,
        {"key": cmd.key, "details": cmd.details, "estimation": cmd.estimation_id},
    )
    row = await cursor.fetchone()
    if row is None:
        raise LookupError("the content or details row of this session is missing")
    urls: dict[str, str | None] = row["details"]
    return PageRequest(
        account=posted.account,
        reference=cmd.session,
        amount=cmd.amount,
        merchant=row["merchant"],
        description=await description(connection, cmd.notes),
        lines=[PageLine(cmd.instalment, "1", cmd.amount)] if cmd.instalment else _lines(row["invoice"]),
        success_url=urls.get("success_url") or outcome,
        cancel_url=urls.get("cancel_url") or outcome,
        pending_url=urls.get("pending_url"),
        preferred=cmd.preferred,
        first_at=posted.first_at,
        expires_at=row["expires_at"],
        saved_for=cmd.saved_for,
    )


def _lines(invoice: dict[str, Any]) -> list[PageLine]:
    """The invoice's lines, its discount and the tax that comes on top: what adds up to its total."""
    currency = invoice["currency"]
    lines = [
        PageLine(name=line["name"], quantity=line["quantity"], amount=Money.of(line["amount"], currency))
        for line in invoice["line_items"]
    ]
    before = Money.of(invoice["subtotal"], currency)
    less = Money.zero(currency) - Money.of(invoice["discount"], currency)
    on_top = Money.of(invoice["total"], currency) - before - less
    extra = [PageLine("Discount", "1", less, "discount"), PageLine("Tax", "1", on_top, "tax")]
    return lines + [line for line in extra if line.amount.minor]
