"""The pool, and the one place where tenancy is enforced: a transaction belongs to an organisation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Self
from uuid import UUID

from psycopg import AsyncConnection, OperationalError
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

Connection = AsyncConnection[DictRow]

UNAVAILABLE: Final = (OperationalError, PoolTimeout)
"""What psycopg raises when the database is away; a COMMIT that fails so may have committed."""

OPTIONS: Final = {
    "connect_timeout": "3",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "8000",
    "application_name": "durable-checkout",
    "options": "-c statement_timeout=5000 -c idle_in_transaction_session_timeout=15000 -c lock_timeout=3000",
}


class UnsafeRole(Exception):
    """The database role can see past row-level security, so tenancy would not be enforced."""


class Database:
    """A pool of connections, made once per process. Open it with `async with`."""

    def __init__(self, url: str, *, most: int = 10) -> None:
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            url,
            connection_class=AsyncConnection[DictRow],
            kwargs={"row_factory": dict_row, **OPTIONS},
            min_size=1,
            max_size=most,
            timeout=3,
            open=False,
            check=AsyncConnectionPool.check_connection,
        )

    async def __aenter__(self) -> Self:
        await self._pool.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._pool.close()

    @asynccontextmanager
    async def of(self, organisation: UUID) -> AsyncIterator[Connection]:
        """A transaction that sees and writes only rows of *organisation* (row-level security)."""
        async with self._pool.connection() as connection:
            await connection.execute("SELECT set_config('checkout.organisation', %s, true)", (str(organisation),))
            yield connection

    @asynccontextmanager
    async def unbound(self) -> AsyncIterator[Connection]:
        """A transaction of no organisation: only organisations, API keys and inbound events can be touched."""
        async with self._pool.connection() as connection:
            yield connection

    async def refuse_unsafe_role(self) -> None:
        """Raise UnsafeRole when row-level security would not bind this role (superuser, BYPASSRLS)."""
        async with self.unbound() as connection:
            cursor = await connection.execute(
                "SELECT rolsuper OR rolbypassrls AS unsafe FROM pg_roles WHERE rolname = current_user"
            )
            row = await cursor.fetchone()
        if row is None or row["unsafe"]:
            raise UnsafeRole(
                "CHECKOUT_DATABASE_URL names a superuser or BYPASSRLS role: use a plain role that owns the database"
            )
