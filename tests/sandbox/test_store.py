"""The store: one that older code has made goes on."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from checkout.outcomes import NothingToRefund
from sandbox import calls, schema, store
from sandbox.records import Key
from sandbox.requests import Refund
from sandbox.turn import Turn

CAPTURED = (
    "INSERT INTO captures (reference, account, key, amount_minor, currency, refund) VALUES (?, 'a', ?, 500, 'USD', ?)"
)
REFUNDED = (
    "INSERT INTO keys (account, key, call, fingerprint, answer)"
    """ VALUES ('a', 'back', 'refund', '', '{"outcome": "refunded", "reference": "re_1"}')"""
)
LEDGER = (
    "INSERT INTO ledger (at, call, key, account, answered, effect)"
    " VALUES ('2026-01-01T00:00:00Z', 'refund', 'back', 'a', 1, 'refunded')"
)


def test_a_store_of_the_first_days_still_knows_what_was_returned(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "gateway.db")) as old:
        old.executescript(schema.FIRST)
        old.executemany(CAPTURED, [("c1", "twice", "re_1"), ("c2", "twice", "re_1"), ("c3", "kept", None)])
        old.execute(REFUNDED)
        old.execute(LEDGER)
        old.commit()

    for _ in range(2):
        with closing(store.connected(tmp_path / "gateway.db")) as connection:
            assert [store.held_of(connection, "a", key) for key in ("twice", "kept")] == [0, 500]
            (refund,) = connection.execute("SELECT * FROM refunds").fetchall()
            assert tuple(refund) == ("re_1", "a", "back", "twice", 1000, "2026-01-01T00:00:00Z")


def test_a_key_that_older_code_has_used_means_the_same_today(tmp_path: Path) -> None:
    account, of = "6b0d3a5e-8f0a-4f6a-9a39-0f3a4c1f2e11", "charge"
    then = f'refund {{"account":"{account}","key":"back","of":"{of}"}}'
    key = Key(
        account=account,
        key="back",
        call="refund",
        reference=None,
        fingerprint=hashlib.sha256(then.encode()).hexdigest(),
        answer=NothingToRefund().model_dump_json(),
    )
    with closing(store.connected(tmp_path / "gateway.db")) as connection:
        store.keep_key(connection, key)
        turn = Turn(connection, datetime.now(UTC), "refund", "", timedelta(seconds=3))

        assert calls.refund(turn, Refund(account=UUID(account), key="back", of=of)) == NothingToRefund()
