"""Migrations are applied once, however many ask for them at the same moment."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from temporalio.client import Client, ScheduleOverlapPolicy

from stack import schedules
from store.migrate import MigrationFailed, migrate
from workflows.reconciliation import SCHEDULES


@pytest.fixture
async def empty_database(stack: Any) -> AsyncIterator[str]:
    """URL of a database without a schema, on the shared stack's server."""
    secrets = json.loads((stack.home / "secrets.json").read_text())
    port, name = urlsplit(stack.database).port, f"empty_{uuid4().hex}"
    server = f"postgresql://postgres:{secrets['postgres_password']}@127.0.0.1:{port}"
    async with await psycopg.AsyncConnection.connect(f"{server}/postgres", autocommit=True) as connection:
        await connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield f"{server}/{name}"
        await connection.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


async def test_four_first_runs_at_once_all_end_well(empty_database: str) -> None:
    await asyncio.gather(*(migrate(empty_database) for _ in range(4)))

    async with await psycopg.AsyncConnection.connect(empty_database) as connection:
        cursor = await connection.execute("SELECT to_regclass('checkout_sessions') IS NOT NULL")
        assert await cursor.fetchone() == (True,)


async def test_the_reconciler_is_scheduled_once_however_often_it_is_asked_for(temporal: Client) -> None:
    for _ in range(2):
        await schedules.ensure(temporal, "checkout")

    for name, (every, _) in SCHEDULES.items():
        described = await temporal.get_schedule_handle(name).describe()
        assert [interval.every for interval in described.schedule.spec.intervals] == [every]
        assert described.schedule.policy.overlap is ScheduleOverlapPolicy.SKIP


async def test_a_failure_does_not_tell_the_password() -> None:
    for url in ("postgresql://somebody:sekret@127.0.0.1:1/x", "postgresql://somebody:sekret@127.0.0.1:1x/x"):
        with pytest.raises(MigrationFailed) as failed:
            await migrate(url)

        assert "sekret" not in str(failed.value)
