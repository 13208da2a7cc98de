"""Brings the schema up to date with dbmate; parallel runs wait for each other on its advisory lock."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sysconfig
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

MIGRATIONS: Final = Path(__file__).parent / "migrations"
OPTIONS: Final = ("--migrations-dir", str(MIGRATIONS), "--no-dump-schema", "--migration-lock", "migrate")
LIKE_LIBPQ: Final = {"sslmode": "prefer", "connect_timeout": "5"}
"""dbmate's own default refuses servers without TLS, libpq's does not."""


class MigrationFailed(Exception):
    """dbmate ended with an error; the text is what it said, without the password."""


async def migrate(url: str) -> None:
    """Apply every migration that *url*'s database has not had. Raise MigrationFailed.

    The URL holds a password, so it travels in the environment: process lists show arguments.
    """
    parts = urlsplit(url)
    options = urlencode(LIKE_LIBPQ | dict(parse_qsl(parts.query)))
    process = await asyncio.create_subprocess_exec(
        str(Path(sysconfig.get_path("scripts"), "dbmate")),
        *OPTIONS,
        env={**os.environ, "DATABASE_URL": parts._replace(query=options).geturl()},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    if process.returncode != 0:
        said = output.decode(errors="replace").strip()
        raise MigrationFailed(said.replace(parts.password, "***") if parts.password else said)
