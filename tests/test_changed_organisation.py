"""`checkout organisations set-...`: what is let in at an organisation's door from now on."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any
from uuid import UUID, uuid4

import pytest

from store import organisations
from store.database import Database
from tests.conftest import ROOT


def changed(url: str, command: str, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CHECKOUT_DATABASE_URL": url}
    line = [sys.executable, "cli.py", "organisations", command, *words]
    return subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


async def row(database: Database, organisation: UUID) -> dict[str, Any]:
    async with database.unbound() as connection:
        found = await organisations.get(connection, organisation)
    assert found is not None
    return found


async def test_the_keys_of_an_organisation_may_send_as_many_requests_as_it_is_set_to(
    database: Database, database_url: str, organisation: UUID
) -> None:
    before = await row(database, organisation)

    answer = changed(database_url, "set-rate-limit", str(organisation), "25")

    assert (answer.returncode, answer.stderr) == (0, "")
    assert await row(database, organisation) == {**before, "rate_limit": 25}


@pytest.mark.parametrize("requests", ["0", "1000001", "many", "1.5"])
async def test_a_rate_that_can_not_be_is_refused_and_changes_nothing(
    database: Database, database_url: str, organisation: UUID, requests: str
) -> None:
    before = await row(database, organisation)

    assert changed(database_url, "set-rate-limit", str(organisation), requests).returncode == 2
    assert await row(database, organisation) == before


async def test_customers_may_be_sent_to_the_hosts_that_it_is_set_to_and_without_any_to_all(
    database: Database, database_url: str, organisation: UUID
) -> None:
    before = await row(database, organisation)

    listed = changed(database_url, "set-redirect-hosts", str(organisation), "SHOP.example", "*.shop.example")
    after = await row(database, organisation)
    emptied = changed(database_url, "set-redirect-hosts", str(organisation))

    assert (listed.returncode, listed.stderr) == (0, "")
    assert after == {**before, "redirect_hosts": ["shop.example", "*.shop.example"]}
    assert (emptied.returncode, "any host" in emptied.stdout) == (0, True)
    assert await row(database, organisation) == before


async def test_a_host_that_can_not_be_is_refused_and_changes_nothing(
    database: Database, database_url: str, organisation: UUID
) -> None:
    before = await row(database, organisation)

    answer = changed(database_url, "set-redirect-hosts", str(organisation), "shop.example", "https://shop.example/")

    assert answer.returncode == 1
    assert answer.stderr.startswith("DoorRules: redirect_hosts.1: Value error, must be a host like shop.example.com")
    assert await row(database, organisation) == before


@pytest.mark.parametrize("words", [("set-rate-limit", "25"), ("set-redirect-hosts", "shop.example")])
async def test_an_organisation_that_there_is_not_is_refused(database_url: str, words: tuple[str, str]) -> None:
    nobody = uuid4()

    answer = changed(database_url, words[0], str(nobody), words[1])

    assert (answer.returncode, answer.stderr.strip()) == (1, f"There is no organisation {nobody}.")
