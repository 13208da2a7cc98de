"""Organisations: who everything belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from psycopg.rows import DictRow

from checkout.door import DoorRules
from checkout.due import DueRules
from gateways.port import Account
from store.database import Connection


async def ensure(
    connection: Connection,
    organisation: UUID,
    name: str,
    rules: DueRules | None = None,
    door: DoorRules | None = None,
) -> None:
    """Make the organisation, with the usual rules unless others are given; one that is there stays as it is."""
    rules, door = rules or DueRules(), door or DoorRules()
    await connection.execute(
        """
        INSERT INTO organisations (id, name, time_zone, dunning_days, notice_days, rate_limit, redirect_hosts)
        VALUES (%(id)s, %(name)s, %(time_zone)s, %(dunning_days)s, %(notice_days)s, %(rate_limit)s, %(redirect_hosts)s)
        ON CONFLICT (id) DO NOTHING
        """,
        {
            "id": organisation,
            "name": name,
            **rules.model_dump(),
            **door.model_dump(),
            "dunning_days": list(rules.dunning_days),
            "redirect_hosts": list(door.redirect_hosts),
        },
    )


async def set_rate_limit(connection: Connection, organisation: UUID, rate_limit: int) -> bool:
    """Let each key send so many requests a second from now on. False where there is no such organisation."""
    cursor = await connection.execute(
        "UPDATE organisations SET rate_limit = %s WHERE id = %s", (rate_limit, organisation)
    )
    return cursor.rowcount == 1


async def set_redirect_hosts(connection: Connection, organisation: UUID, hosts: Sequence[str]) -> bool:
    """Have sessions send customers to these hosts only from now on, or anywhere where there are none. False where there
    is no such organisation.
    """
    cursor = await connection.execute(
        "UPDATE organisations SET redirect_hosts = %s WHERE id = %s", (list(hosts), organisation)
    )
    return cursor.rowcount == 1


async def every(connection: Connection) -> list[UUID]:
    """Each organisation's id."""
    cursor = await connection.execute("SELECT id FROM organisations ORDER BY id")
    return [row["id"] for row in await cursor.fetchall()]


async def at_gateways(connection: Connection, organisation: UUID) -> list[tuple[str, Account]]:
    """Where the organisation takes money, and where it did: gateways, and its account at each."""
    cursor = await connection.execute(
        """
        SELECT gateway, gateway_account FROM organisations WHERE id = %(organisation)s
        UNION SELECT gateway, gateway_account FROM former_gateways WHERE organisation_id = %(organisation)s
        ORDER BY gateway, gateway_account
        """,
        {"organisation": organisation},
    )
    return [(row["gateway"], Account(organisation, row["gateway_account"])) for row in await cursor.fetchall()]


async def choose_gateway(connection: Connection, organisation: UUID, gateway: str, account: str | None) -> bool:
    """Take money there from now on; what was posted stays where it was. False where there is no such organisation."""
    cursor = await connection.execute(
        """
        WITH before AS (SELECT id, gateway, gateway_account FROM organisations WHERE id = %(organisation)s FOR UPDATE),
             kept AS (INSERT INTO former_gateways (organisation_id, gateway, gateway_account)
                      SELECT * FROM before WHERE (gateway, gateway_account) IS DISTINCT FROM (%(gateway)s, %(account)s)
                      ON CONFLICT DO NOTHING)
        UPDATE organisations SET gateway = %(gateway)s, gateway_account = %(account)s
        FROM before WHERE organisations.id = before.id
        """,
        {"organisation": organisation, "gateway": gateway, "account": account},
    )
    return cursor.rowcount == 1


async def get(connection: Connection, organisation: UUID) -> DictRow | None:
    """The organisation's row: id, name, time_zone (an IANA name), dunning_days, notice_days, rate_limit, redirect_hosts, gateway,
    gateway_account, created_at.
    """
    cursor = await connection.execute("SELECT * FROM organisations WHERE id = %s", (organisation,))
    return await cursor.fetchone()
