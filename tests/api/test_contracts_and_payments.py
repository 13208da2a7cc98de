"""Contracts and payments are read as checkout wrote them."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import httpx
import pytest
from psycopg.types.json import Jsonb

from store.database import Database


@pytest.fixture
async def purchase(database: Database, organisation: UUID, api: httpx.AsyncClient) -> dict[str, str]:
    """A contract in force and its captured charge, as the steps' rows would be: ids and the key."""
    customer = (await api.post("/customers", json={"customer_name": "Acme GmbH"})).json()["id"]
    session, contract = str(uuid4()), str(uuid4())
    async with database.of(organisation) as connection:
        await connection.execute(
            "INSERT INTO contents (organisation_id, estimation_id, content) VALUES (%s, 'est', %s)",
            (organisation, Jsonb({"contract": {"currency": "JPY"}})),
        )
        await connection.execute(
            """
            INSERT INTO contracts (id, organisation_id, session_id, attempt, customer_id, estimation_id, currency,
                                   name, start_date, status, activated_at)
            VALUES (%s, %s, %s, 1, %s, 'est', 'JPY', 'Team', '2027-01-01', 'active', now())
            """,
            (contract, organisation, session, customer),
        )
        await connection.execute(
            """
            INSERT INTO payments (key, organisation_id, session_id, kind, amount_minor, currency, status, reference, at,
                                  gateway)
            VALUES (%s, %s, %s, 'charge', 1200, 'JPY', 'captured', 'cap_1', now(), 'sandbox')
            """,
            (f"{session}/1/page", organisation, session),
        )
    return {"customer": customer, "session": session, "contract": contract, "key": f"{session}/1/page"}


async def test_a_contract_names_its_customer_session_and_content(
    api: httpx.AsyncClient, other: httpx.AsyncClient, purchase: dict[str, str]
) -> None:
    contract = (await api.get(f"/contracts/{purchase['contract']}")).json()

    assert contract["customer_id"] == purchase["customer"]
    assert contract["checkout_session_id"] == purchase["session"]
    assert contract["start_date"] == "2027-01-01"
    assert contract["end_date"] is None
    assert contract["content"] == {"currency": "JPY"}
    assert (await other.get(f"/contracts/{purchase['contract']}")).status_code == 404


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("customer_id={customer}", 1),
        ("checkout_session_id={session}&status=active", 1),
        ("status=void", 0),
        ("start_date__gte=2027-01-01&start_date__lt=2027-01-02&order=start_date", 1),
        ("activated_at__lt=2000-01-01T00:00:00Z", 0),
    ],
)
async def test_contracts_are_found_by_their_members(
    api: httpx.AsyncClient, purchase: dict[str, str], query: str, found: int
) -> None:
    page = (await api.get(f"/contracts?{query.format(**purchase)}")).json()

    assert page["total"] == len(page["data"]) == found


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
async def test_a_contract_is_expired_from_the_day_after_its_last_in_the_organisations_time_zone(
    api: httpx.AsyncClient, database: Database, organisation: UUID, purchase: dict[str, str], zone: str
) -> None:
    async with database.unbound() as connection:
        await connection.execute("UPDATE organisations SET time_zone = %s WHERE id = %s", (zone, organisation))
    today = datetime.now(ZoneInfo(zone)).date()

    for last, status in ((today - timedelta(days=1), "expired"), (today, "active")):
        async with database.of(organisation) as connection:
            await connection.execute("UPDATE contracts SET start_date = %s, end_date = %s", (last, last))

        assert (await api.get(f"/contracts/{purchase['contract']}")).json()["status"] == status
        for asked in ("active", "expired"):
            page = (await api.get("/contracts", params={"status": asked})).json()
            assert page["total"] == (asked == status)


async def test_only_a_contract_in_force_expires(
    api: httpx.AsyncClient, database: Database, organisation: UUID, purchase: dict[str, str]
) -> None:
    for status in ("draft", "void"):
        async with database.of(organisation) as connection:
            await connection.execute("UPDATE contracts SET status = %s, end_date = '2020-01-01'", (status,))

        assert (await api.get(f"/contracts/{purchase['contract']}")).json()["status"] == status


async def test_a_payment_is_read_by_its_key_and_shows_major_units(
    api: httpx.AsyncClient, other: httpx.AsyncClient, purchase: dict[str, str]
) -> None:
    page = (await api.get("/payments", params={"checkout_session_id": purchase["session"], "kind": "charge"})).json()
    payment = page["data"][0]
    encoded = purchase["key"].replace("/", "%2F")

    assert payment["id"] == purchase["key"]
    assert (payment["amount"], payment["currency"], payment["status"]) == ("1200", "JPY", "captured")
    assert (await api.get(f"/payments/{purchase['key']}")).json() == payment
    assert (await api.get(f"/payments/{encoded}")).json() == payment
    assert (await other.get(f"/payments/{encoded}")).status_code == 404


async def test_pages_of_payments_follow_their_cursors(
    api: httpx.AsyncClient, database: Database, organisation: UUID, purchase: dict[str, str]
) -> None:
    async with database.of(organisation) as connection:
        await connection.execute(
            """
            INSERT INTO payments (key, organisation_id, session_id, kind, amount_minor, currency, status, at,
                                  gateway)
            SELECT key || '/refund', organisation_id, session_id, 'refund', amount_minor, currency, 'refunded', at, gateway
            FROM payments WHERE key = %s
            """,
            (purchase["key"],),
        )
    first = (await api.get("/payments", params={"limit": 1})).json()
    second = (await api.get("/payments", params={"limit": 1, "cursor": first["next"]})).json()

    assert [payment["kind"] for payment in (*first["data"], *second["data"])] == ["refund", "charge"]
    assert second["next"] is None
