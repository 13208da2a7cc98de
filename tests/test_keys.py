"""`checkout keys`: made for an organisation, shown once, listed without the secret, and ended at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from store import api_keys
from store.database import Database
from tests.conftest import ROOT, Stack

SAME = "ck_test_abcd"


class Keys:
    """`checkout keys` beside a stack, with its database and its pepper."""

    def __init__(self, stack: Stack) -> None:
        self.pepper = json.loads((stack.home / "secrets.json").read_text())["pepper"]
        self._settings = {"CHECKOUT_DATABASE_URL": stack.database, "CHECKOUT_PEPPER": self.pepper}

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "cli.py", "keys", *words]
        environment = {**os.environ, **self._settings, "COLUMNS": "80"}
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    def printed(self, *words: str) -> Any:
        answer = self.run(*words)
        assert (answer.returncode, answer.stderr) == (0, "")
        return json.loads(answer.stdout)


@pytest.fixture(scope="module")
def keys(stack: Stack) -> Keys:
    return Keys(stack)


async def stored(database: Database) -> list[dict[str, Any]]:
    async with database.unbound() as connection:
        cursor = await connection.execute("SELECT * FROM api_keys ORDER BY id")
        return await cursor.fetchall()


async def take_money_at(database: Database, organisation: UUID, gateway: str) -> None:
    async with database.unbound() as connection:
        await connection.execute("UPDATE organisations SET gateway = %s WHERE id = %s", (gateway, organisation))


async def asked(stack: Stack, key: str, path: str = "/customers") -> int:
    async with httpx.AsyncClient(base_url=stack.api, headers={"x-api-key": key}) as client:
        return (await client.get(path)).status_code


async def test_a_key_opens_the_api_until_it_is_revoked_by_its_prefix_and_from_then_on_does_not(
    keys: Keys, stack: Stack, organisation: UUID
) -> None:
    made = keys.printed("create", str(organisation), "merchant", "--name", "web shop")
    assert await asked(stack, made["api_key"]) == 200

    revoked = keys.run("revoke", made["prefix"])

    assert await asked(stack, made["api_key"]) == 401
    assert (revoked.returncode, revoked.stderr) == (0, "")
    assert made["id"] in revoked.stdout


async def test_a_key_may_do_what_its_scope_allows(keys: Keys, stack: Stack, organisation: UUID) -> None:
    call = f"/checkout_session/{uuid4()}/retry"
    answered = {}
    for scope in ("merchant", "operator", "admin"):
        made = keys.printed("create", str(organisation), scope)
        async with httpx.AsyncClient(base_url=stack.api, headers={"x-api-key": made["api_key"]}) as client:
            answered[scope] = (await client.post(call, json={"reason": "why not"})).status_code

    assert answered == {"merchant": 403, "operator": 404, "admin": 404}


async def test_a_key_is_shown_once_and_then_by_what_may_be_seen_of_it(
    keys: Keys, database: Database, organisation: UUID
) -> None:
    made = keys.printed("create", str(organisation), "operator", "--name", "night watch")
    table = keys.run("list", str(organisation)).stdout
    before = keys.printed("list", str(organisation), "--json")
    keys.run("revoke", made["id"].upper())
    after = keys.printed("list", str(organisation), "--json")

    row = next(row for row in await stored(database) if str(row["id"]) == made["id"])
    assert row["hash"] == api_keys.hash_of(made["api_key"], keys.pepper)
    assert made["api_key"] not in table + str(before) + str(row)
    for seen in (made["prefix"], made["id"], "operator", "night watch"):
        assert seen in table
    assert before == [
        {
            "id": made["id"],
            "prefix": made["prefix"],
            "scope": "operator",
            "name": "night watch",
            "created_at": before[0]["created_at"],
            "revoked_at": None,
        }
    ]
    assert made["api_key"].startswith(made["prefix"])
    assert after[0]["revoked_at"] is not None


async def test_a_list_has_the_keys_of_its_organisation_only(
    keys: Keys, stack: Stack, database: Database, organisation: UUID
) -> None:
    assert stack.organisation in str(await stored(database))
    assert keys.printed("list", str(organisation), "--json") == []


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        (("create", str(UUID(int=7)), "merchant"), f"There is no organisation {UUID(int=7)}."),
        (("create", "OWN", "root"), "NewKey: scope: Input should be 'merchant', 'operator' or 'admin'"),
        (("create", "OWN", "Admin"), "NewKey: scope: Input should be 'merchant', 'operator' or 'admin'"),
        (("create", "OWN", "admin", "--name", " "), "NewKey: name: Value error, must not be blank"),
        (
            ("create", "OWN", "admin", "--name", "a\x1b[31m"),
            "NewKey: name: Value error, must not have control characters, line ends or direction marks",
        ),
        (("list", str(UUID(int=7))), f"There is no organisation {UUID(int=7)}."),
        (("revoke", "ck_test_none"), "There is no such key"),
        (("revoke", ""), "There is no such key"),
        (("revoke", "%"), "There is no such key"),
        (("revoke", str(UUID(int=7))), "There is no such key"),
    ],
)
async def test_what_can_not_be_is_refused_in_words_and_writes_nothing(
    keys: Keys, database: Database, organisation: UUID, words: tuple[str, ...], refusal: str
) -> None:
    before = await stored(database)

    answer = keys.run(*[str(organisation) if word == "OWN" else word for word in words])

    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr.startswith(refusal)
    assert await stored(database) == before


async def test_a_prefix_of_two_keys_ends_neither(keys: Keys, database: Database, organisation: UUID) -> None:
    async with database.unbound() as connection:
        ids = [
            await api_keys.store_key(connection, organisation, f"{SAME}{uuid4()}", "merchant", keys.pepper)
            for _ in range(2)
        ]
    before = await stored(database)

    answer = keys.run("revoke", SAME)

    assert answer.returncode == 1
    assert all(str(each) in answer.stderr for each in ids)
    assert await stored(database) == before
    assert keys.run("revoke", str(ids[0])).returncode == 0
    assert keys.run("revoke", SAME).returncode == 0, "one is left that lives"


async def test_what_was_revoked_before_stays_revoked_as_it_was(
    keys: Keys, database: Database, organisation: UUID
) -> None:
    made = keys.printed("create", str(organisation), "merchant")
    assert keys.run("revoke", made["id"]).returncode == 0
    before = await stored(database)

    answer = keys.run("revoke", made["id"])

    assert answer.returncode == 1
    assert answer.stderr.startswith("The key was revoked before, at ")
    assert await stored(database) == before


async def test_a_key_says_whether_its_organisation_takes_real_money(
    keys: Keys, database: Database, organisation: UUID
) -> None:
    sandbox = keys.printed("create", str(organisation), "merchant")
    await take_money_at(database, organisation, "stripe")
    live = keys.printed("create", str(organisation), "merchant")
    await take_money_at(database, organisation, "sandbox")

    assert sandbox["api_key"].startswith("ck_sandbox_")
    assert live["api_key"].startswith("ck_live_")
