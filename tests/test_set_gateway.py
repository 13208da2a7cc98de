"""`checkout organisations set-gateway`: where an organisation takes its money from now on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from gateways.port import Account
from store import organisations
from store.database import Database

ROOT = Path(__file__).parents[1]
SECRETS = {
    "CHECKOUT_STRIPE_SECRET_KEY": "sk_test_of_the_tests",
    "CHECKOUT_STRIPE_WEBHOOK_SECRETS": "whsec_of_the_tests",
}


def set_gateway(organisation: UUID, *options: str, url: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CHECKOUT_DATABASE_URL": url, **variables}
    command = [sys.executable, "cli.py", "organisations", "set-gateway", str(organisation), *options]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


async def chosen(database: Database, organisation: UUID) -> list[tuple[str, Account]]:
    """Where it takes money now, then where it did."""
    async with database.of(organisation) as connection:
        row = await organisations.get(connection, organisation)
        assert row is not None
        now = (row["gateway"], Account(organisation, row["gateway_account"]))
        return [now, *(each for each in await organisations.at_gateways(connection, organisation) if each != now)]


async def test_an_organisation_takes_its_money_where_it_is_set_to(
    database: Database, database_url: str, organisation: UUID
) -> None:
    own = Account(organisation, "acct_1")

    answer = set_gateway(organisation, "stripe", "--account", "acct_1", url=database_url, **SECRETS)

    assert (answer.returncode, answer.stderr) == (0, "")
    assert await chosen(database, organisation) == [("stripe", own), ("sandbox", Account(organisation))]
    assert set_gateway(organisation, "stripe", url=database_url, **SECRETS).returncode == 0
    assert (await chosen(database, organisation))[0] == ("stripe", Account(organisation))
    assert "of_the_tests" not in answer.stdout


async def test_who_has_no_credentials_of_it_here_is_told(database_url: str, organisation: UUID) -> None:
    answer = set_gateway(organisation, "stripe", url=database_url)

    assert answer.returncode == 0
    assert "no credentials of stripe" in answer.stderr


@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        (("paypal",), "There is no gateway paypal: choose one of sandbox, stripe."),
        (("stripe", "--account", "sk_live_1"), "stripe has no account like sk_live_1."),
        (("sandbox", "--account", "acct_1"), "sandbox has no accounts to choose from."),
    ],
)
async def test_what_can_not_be_is_refused_and_changes_nothing(
    database: Database, database_url: str, organisation: UUID, options: tuple[str, ...], refusal: str
) -> None:
    answer = set_gateway(organisation, *options, url=database_url)

    assert (answer.returncode, answer.stderr.strip()) == (1, refusal)
    assert await chosen(database, organisation) == [("sandbox", Account(organisation))]


async def test_an_organisation_that_there_is_not_is_refused(database_url: str) -> None:
    nobody = uuid4()

    answer = set_gateway(nobody, "stripe", url=database_url, **SECRETS)

    assert (answer.returncode, answer.stderr.strip()) == (1, f"There is no organisation {nobody}.")
