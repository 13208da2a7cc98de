"""The sandbox's own durable store, and all of its SQL: SQLite, one writer, on disk before anything is answered."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

from sandbox import schema
from sandbox.records import Armed, Capture, Dispute, Entry, Event, Key, Payment, Return

Connection = sqlite3.Connection
T = TypeVar("T")


class Store:
    """One file, one writing thread. What *write* returns is on disk: a kill -9 after it loses nothing."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sandbox-store")
        self._connection = self._writer.submit(connected, path).result()

    async def write(self, act: Callable[[Connection], T]) -> T:
        """Run *act* in one transaction, alone; commit durably, or roll back whatever it raised."""
        return await asyncio.get_running_loop().run_in_executor(self._writer, self._transact, act)

    async def read(self, act: Callable[[Connection], T]) -> T:
        """Run *act* on a snapshot, beside the writer."""
        return await asyncio.to_thread(self._look, act)

    def close(self) -> None:
        self._writer.submit(self._connection.close).result()
        self._writer.shutdown()

    def _transact(self, act: Callable[[Connection], T]) -> T:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            result = act(self._connection)
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")
        return result

    def _look(self, act: Callable[[Connection], T]) -> T:
        with closing(_connect(self._path)) as connection:
            return act(connection)


def connected(path: Path) -> Connection:
    """A connection to the store at *path*, which is made or brought up to date."""
    connection = _connect(path)
    schema.bring_up_to_date(connection)
    return connection


def _connect(path: Path) -> Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=5)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _one(rows: Iterator[sqlite3.Row]) -> dict[str, Any] | None:
    row = next(rows, None)
    return dict(row) if row else None


def key_of(connection: Connection, account: str, key: str) -> Key | None:
    row = _one(connection.execute("SELECT * FROM keys WHERE account = ? AND key = ?", (account, key)))
    return Key(**row) if row else None


def keep_key(connection: Connection, key: Key) -> None:
    connection.execute(
        "INSERT INTO keys (account, key, call, reference, fingerprint, answer)"
        " VALUES (:account, :key, :call, :reference, :fingerprint, :answer)",
        key.model_dump(),
    )


def forget_key(connection: Connection, account: str, key: str) -> None:
    """Forget the key and its payment; what was captured under it stays captured."""
    connection.execute("DELETE FROM keys WHERE account = ? AND key = ?", (account, key))
    connection.execute("DELETE FROM payments WHERE account = ? AND key = ?", (account, key))


def payment_of(connection: Connection, account: str, key: str) -> Payment | None:
    row = _one(connection.execute("SELECT * FROM payments WHERE account = ? AND key = ?", (account, key)))
    return Payment(**row) if row else None


def payment_at(connection: Connection, token: str) -> Payment | None:
    """The payment whose hosted page has this *token* in its address."""
    row = _one(connection.execute("SELECT * FROM payments WHERE token = ?", (token,)))
    return Payment(**row) if row else None


def due_payments(connection: Connection, now: str) -> list[Payment]:
    """Those that settle or expire by *now*."""
    rows = connection.execute(
        "SELECT * FROM payments WHERE status = 'under_way' AND settles_at <= :now"
        " UNION ALL SELECT * FROM payments WHERE status IN ('open', 'left') AND expires_at <= :now",
        {"now": now},
    )
    return [Payment(**dict(row)) for row in rows]


def add_payment(connection: Connection, payment: Payment) -> None:
    connection.execute(
        "INSERT INTO payments (account, key, reference, amount_minor, currency, status, declined, code, soft, token,"
        " page, page_reference, expires_at, settles_at, settles_to) VALUES (:account, :key, :reference, :amount_minor,"
        " :currency, :status, :declined, :code, :soft, :token, :page, :page_reference, :expires_at, :settles_at,"
        " :settles_to)",
        payment.model_dump(),
    )


def save_payment(connection: Connection, payment: Payment) -> None:
    connection.execute(
        "UPDATE payments SET status = :status, declined = :declined, code = :code, soft = :soft,"
        " settles_at = :settles_at, settles_to = :settles_to, instrument = :instrument WHERE account = :account AND key = :key",
        payment.model_dump(),
    )


def add_method(connection: Connection, account: str, customer: str, token: str, at: str) -> None:
    """Keep what a customer can be charged by; once."""
    connection.execute(
        "INSERT INTO methods (account, customer, token, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (account, customer, token, at),
    )


def methods_of(connection: Connection, account: str, customer: str) -> list[str]:
    """Their tokens, oldest first."""
    rows = connection.execute(
        "SELECT token FROM methods WHERE account = ? AND customer = ? ORDER BY at, rowid", (account, customer)
    )
    return [token for (token,) in rows]


def add_capture(connection: Connection, capture: Capture) -> None:
    connection.execute(
        "INSERT INTO captures (reference, account, key, amount_minor, currency)"
        " VALUES (:reference, :account, :key, :amount_minor, :currency)",
        capture.model_dump(),
    )


def captures_of(connection: Connection, account: str, key: str) -> list[Capture]:
    """What was captured under *key*, oldest first."""
    rows = connection.execute(
        "SELECT * FROM captures WHERE account = ? AND key = ? ORDER BY rowid",
        (account, key),
    )
    return [Capture(**dict(row)) for row in rows]


def add_return(connection: Connection, returned: Return) -> None:
    connection.execute(
        "INSERT INTO refunds (reference, account, key, of, amount_minor, at)"
        " VALUES (:reference, :account, :key, :of, :amount_minor, :at)",
        returned.model_dump(),
    )


def held_of(connection: Connection, account: str, key: str) -> int:
    """Minor units that were captured under *key* and neither returned nor lost in a dispute."""
    (held,) = connection.execute(
        "SELECT coalesce((SELECT sum(amount_minor) FROM captures WHERE account = :account AND key = :key), 0)"
        " - coalesce((SELECT sum(amount_minor) FROM refunds WHERE account = :account AND of = :key), 0)"
        " - coalesce((SELECT sum(withdrawn_minor) FROM disputes WHERE account = :account AND key = :key), 0)",
        {"account": account, "key": key},
    ).fetchone()
    return int(held)


def add_dispute(connection: Connection, dispute: Dispute) -> None:
    connection.execute(
        "INSERT INTO disputes"
        " (id, account, key, reference, amount_minor, currency, reason, status, withdrawn_minor, at)"
        " VALUES (:id, :account, :key, :reference, :amount_minor, :currency, :reason, :status, :withdrawn_minor, :at)",
        dispute.model_dump(),
    )


def dispute_of(connection: Connection, dispute: str) -> Dispute | None:
    row = _one(connection.execute("SELECT * FROM disputes WHERE id = ?", (dispute,)))
    return Dispute(**row) if row else None


def save_dispute(connection: Connection, dispute: Dispute) -> None:
    connection.execute(
        "UPDATE disputes SET status = :status, withdrawn_minor = :withdrawn_minor WHERE id = :id", dispute.model_dump()
    )


def add_entry(connection: Connection, entry: Entry) -> None:
    connection.execute(
        "INSERT INTO ledger"
        " (at, call, key, reference, account, amount_minor, currency, effect, answered, asked, answer, withdrawn_minor)"
        " VALUES (:at, :call, :key, :reference, :account, :amount_minor, :currency, :effect, :answered, :asked, :answer,"
        " :withdrawn_minor)",
        entry.model_dump() | {name: _text(entry.model_dump()[name]) for name in ("asked", "answer")},
    )


def entries(connection: Connection, **wanted: str | int | None) -> list[Entry]:
    """The ledger, oldest first; *key*, *reference*, *account*, *after* (a seq) and *at* (a time) narrow it."""
    rows = connection.execute(
        "SELECT * FROM ledger WHERE (:key IS NULL OR key = :key) AND (:reference IS NULL OR reference = :reference)"
        " AND (:account IS NULL OR account = :account) AND (:after IS NULL OR seq > :after)"
        " AND (:at IS NULL OR at >= :at) ORDER BY seq",
        wanted,
    )
    return [_entry(dict(row)) for row in rows]


def _entry(row: dict[str, Any]) -> Entry:
    return Entry(**row | {name: json.loads(row[name] or "null") for name in ("asked", "answer")})


def _text(value: Any) -> str | None:
    return None if value is None else json.dumps(value)


def add_event(connection: Connection, event: Event) -> None:
    connection.execute(
        "INSERT INTO outbox (id, body, status, attempts, created_at, due_at, fault)"
        " VALUES (:id, :body, :status, :attempts, :created_at, :due_at, :fault)",
        event.model_dump(),
    )


def due_events(connection: Connection, now: str, most: int) -> list[Event]:
    rows = connection.execute(
        "SELECT * FROM outbox WHERE status = 'waiting' AND due_at <= ? ORDER BY due_at LIMIT ?", (now, most)
    )
    return [Event(**dict(row)) for row in rows]


def waiting_events(connection: Connection, ids: Sequence[str]) -> list[Event]:
    """Those of *ids* that did not arrive yet."""
    rows = connection.execute(
        "SELECT * FROM outbox WHERE status = 'waiting' AND id IN (SELECT value FROM json_each(?))", (json.dumps(ids),)
    )
    return [Event(**dict(row)) for row in rows]


def save_events(connection: Connection, events: Sequence[Event]) -> None:
    connection.executemany(
        "UPDATE outbox SET status = :status, attempts = :attempts, due_at = :due_at, fault = :fault WHERE id = :id",
        [event.model_dump() for event in events],
    )


def armed_faults(connection: Connection) -> list[Armed]:
    return [Armed(**dict(row)) for row in connection.execute("SELECT * FROM faults ORDER BY id")]


def arm(connection: Connection, fault: Armed) -> Armed:
    """Keep *fault*, and give it back with its id."""
    cursor = connection.execute(
        "INSERT INTO faults (call, fault, times, match, probability, seed, seen)"
        " VALUES (:call, :fault, :times, :match, :probability, :seed, :seen)",
        fault.model_dump(exclude={"id"}),
    )
    return fault.model_copy(update={"id": cursor.lastrowid})


def save_fault(connection: Connection, fault: Armed) -> None:
    connection.execute("UPDATE faults SET times = :times, seen = :seen WHERE id = :id", fault.model_dump())


def disarm(connection: Connection) -> None:
    connection.execute("DELETE FROM faults")
