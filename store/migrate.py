"""Brings the schema up to date with dbmate: parallel runs wait for each other on an advisory lock."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sysconfig
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import psycopg

MIGRATIONS: Final = Path(__file__).parent / "migrations"
LOCK: Final = 0x636865636B6F7574
"""Key of the advisory lock: the letters of "checkout"."""


class MigrationFailed(Exception):
    """dbmate ended with an error; the text is what it said."""


async def migrate(url: str) -> None:
    """Apply every migration that *url*'s database has not had. Raise MigrationFailed, or psycopg's OperationalError."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True, connect_timeout=5) as connection:
        await connection.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
        await _dbmate(_with_sslmode(url, encrypted=bool(connection.pgconn.ssl_in_use)))


async def _dbmate(url: str) -> None:
    """Run dbmate. The URL holds a password, so it travels in the environment: process lists show arguments."""
    process = await asyncio.create_subprocess_exec(
        str(Path(sysconfig.get_path("scripts"), "dbmate")),
        *("--migrations-dir", str(MIGRATIONS), "--no-dump-schema", "migrate"),
        env={**os.environ, "DATABASE_URL": url},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    if process.returncode != 0:
        raise MigrationFailed(output.decode(errors="replace").strip())


def _with_sslmode(url: str, *, encrypted: bool) -> str:
    """*url* asking dbmate for what was agreed on: its default refuses servers without TLS, libpq's does not."""
    parts = urlsplit(url)
    if "sslmode=" in parts.query:
        return url
    mode = f"sslmode={'require' if encrypted else 'disable'}"
    return urlunsplit(parts._replace(query=f"{parts.query}&{mode}" if parts.query else mode))
