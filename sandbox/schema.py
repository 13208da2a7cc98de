"""The tables of the sandbox's store, as the steps that led to them: a store of any age is brought up to date."""

from __future__ import annotations

import sqlite3
from typing import Final

FIRST: Final = """
CREATE TABLE IF NOT EXISTS keys (
    account TEXT NOT NULL, key TEXT NOT NULL, call TEXT NOT NULL, reference TEXT,
    fingerprint TEXT NOT NULL, answer TEXT NOT NULL,
    PRIMARY KEY (account, key)
);
CREATE TABLE IF NOT EXISTS payments (
    account TEXT NOT NULL, key TEXT NOT NULL, reference TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0), currency TEXT NOT NULL,
    status TEXT NOT NULL
        CHECK (status IN ('open', 'left', 'under_way', 'captured', 'closed', 'declined', 'needs_customer')),
    declined INTEGER NOT NULL DEFAULT 0, code TEXT, soft INTEGER NOT NULL DEFAULT 1,
    token TEXT UNIQUE, page TEXT, expires_at TEXT, settles_at TEXT, settles_to TEXT,
    PRIMARY KEY (account, key)
);
CREATE INDEX IF NOT EXISTS payments_settling ON payments (settles_at) WHERE status = 'under_way';
CREATE INDEX IF NOT EXISTS payments_expiring ON payments (expires_at) WHERE status IN ('open', 'left');
CREATE TABLE IF NOT EXISTS captures (
    reference TEXT PRIMARY KEY, account TEXT NOT NULL, key TEXT NOT NULL,
    amount_minor INTEGER NOT NULL, currency TEXT NOT NULL, refund TEXT
);
CREATE INDEX IF NOT EXISTS captures_of ON captures (account, key);
CREATE TABLE IF NOT EXISTS ledger (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, call TEXT NOT NULL, key TEXT, reference TEXT,
    account TEXT NOT NULL, amount_minor INTEGER, currency TEXT, answered INTEGER NOT NULL,
    effect TEXT NOT NULL
        CHECK (effect IN ('page_opened', 'page_closed', 'captured', 'declined', 'refunded', 'none'))
);
CREATE INDEX IF NOT EXISTS ledger_by_key ON ledger (key);
CREATE INDEX IF NOT EXISTS ledger_by_reference ON ledger (reference);
CREATE TRIGGER IF NOT EXISTS ledger_keeps BEFORE UPDATE ON ledger
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER IF NOT EXISTS ledger_keeps_all BEFORE DELETE ON ledger
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TABLE IF NOT EXISTS outbox (
    id TEXT PRIMARY KEY, body TEXT NOT NULL, status TEXT NOT NULL, attempts INTEGER NOT NULL,
    created_at TEXT NOT NULL, due_at TEXT NOT NULL, fault TEXT
);
CREATE INDEX IF NOT EXISTS outbox_due ON outbox (due_at) WHERE status = 'waiting';
CREATE TABLE IF NOT EXISTS faults (
    id INTEGER PRIMARY KEY AUTOINCREMENT, call TEXT NOT NULL, fault TEXT, times INTEGER, match TEXT NOT NULL,
    probability REAL NOT NULL, seed INTEGER NOT NULL, seen INTEGER NOT NULL
);
"""

REFUNDS: Final = """
CREATE TABLE refunds (
    reference TEXT PRIMARY KEY, account TEXT NOT NULL, key TEXT NOT NULL, of TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0), at TEXT NOT NULL
);
CREATE INDEX refunds_of ON refunds (account, of);
INSERT INTO refunds (reference, account, key, of, amount_minor, at)
    SELECT returned.refund, returned.account, keys.key, returned.key, returned.amount_minor, (
        SELECT min(at) FROM ledger
        WHERE ledger.account = returned.account AND ledger.key = keys.key AND effect = 'refunded'
    )
    FROM (
        SELECT refund, account, key, sum(amount_minor) AS amount_minor FROM captures
        WHERE refund IS NOT NULL GROUP BY refund, account, key
    ) AS returned
    JOIN keys ON keys.account = returned.account AND keys.call = 'refund'
        AND json_extract(keys.answer, '$.reference') = returned.refund;
ALTER TABLE captures DROP COLUMN refund;
"""
"""A refund is a fact of its own, that may return a part of what was captured."""

ANSWERS: Final = """
ALTER TABLE ledger ADD COLUMN asked TEXT;
ALTER TABLE ledger ADD COLUMN answer TEXT;
"""
"""The ledger also tells what was asked and what was answered."""

DISPUTES: Final = """
CREATE TABLE disputes (
    id TEXT PRIMARY KEY, account TEXT NOT NULL, key TEXT NOT NULL, reference TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0), currency TEXT NOT NULL, reason TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('open', 'won', 'lost')), withdrawn_minor INTEGER NOT NULL, at TEXT NOT NULL
);
CREATE INDEX disputes_of ON disputes (account, key);
ALTER TABLE ledger ADD COLUMN withdrawn_minor INTEGER;
"""
"""A dispute that was lost withdraws money, which can't be returned then."""

METHODS: Final = """
CREATE TABLE methods (
    account TEXT NOT NULL, customer TEXT NOT NULL, token TEXT NOT NULL, at TEXT NOT NULL,
    PRIMARY KEY (account, customer, token)
);
ALTER TABLE payments ADD COLUMN instrument TEXT;
ALTER TABLE payments ADD COLUMN page_reference TEXT;
"""
"""What a customer can be charged by is kept, also what was paid with at a page; and a page has a name of its own."""

STEPS: Final = (FIRST, REFUNDS, ANSWERS, DISPUTES, METHODS)
"""In their order; the file's own `user_version` counts those it has taken. The first is also right where it was taken
before anything counted.
"""


def bring_up_to_date(connection: sqlite3.Connection) -> None:
    """Take the steps that are missing, each in a transaction of its own."""
    (taken,) = connection.execute("PRAGMA user_version").fetchone()
    for number, step in enumerate(STEPS[taken:], taken + 1):
        connection.executescript(f"BEGIN IMMEDIATE; {step} PRAGMA user_version = {number}; COMMIT;")
