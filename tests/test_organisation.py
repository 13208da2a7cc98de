"""`checkout organisation`: an organisation with the rules it was asked for, or a refusal that says what is wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from store import organisations
from store.database import Database

ROOT = Path(__file__).parents[1]


def made(*options: str, url: str = "postgresql://nowhere") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CHECKOUT_DATABASE_URL": url, "CHECKOUT_PEPPER": "pepper"}
    command = [sys.executable, "cli.py", "organisation", "Northwind Software Ltd", *options]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


async def rules(database: Database, organisation: str) -> dict[str, Any]:
    async with database.unbound() as connection:
        row = await organisations.get(connection, UUID(organisation))
    assert row is not None
    return {name: row[name] for name in ("time_zone", "dunning_days", "notice_days", "rate_limit", "redirect_hosts")}


CHOSEN = {
    "the usual": (
        (),
        {"time_zone": "UTC", "dunning_days": [1, 3, 5, 7], "notice_days": 3, "rate_limit": 2000, "redirect_hosts": []},
    ),
    "its own": (
        (
            "--time-zone",
            "America/Sao_Paulo",
            "--dunning",
            "2,10,60",
            "--notice-days",
            "14",
            "--rate-limit",
            "50",
            "--redirect-host",
            "Shop.example",
            "--redirect-host",
            "*.shop.example",
        ),
        {
            "time_zone": "America/Sao_Paulo",
            "dunning_days": [2, 10, 60],
            "notice_days": 14,
            "rate_limit": 50,
            "redirect_hosts": ["shop.example", "*.shop.example"],
        },
    ),
    "neither notice nor dunning": (
        ("--dunning", "", "--notice-days", "0"),
        {"time_zone": "UTC", "dunning_days": [], "notice_days": 0, "rate_limit": 2000, "redirect_hosts": []},
    ),
}


@pytest.mark.parametrize(("options", "expected"), CHOSEN.values(), ids=CHOSEN)
async def test_an_organisation_has_the_rules_it_was_made_with(
    database: Database, database_url: str, options: tuple[str, ...], expected: dict[str, Any]
) -> None:
    answer = made(*options, url=database_url)

    assert answer.returncode == 0, answer.stderr
    assert await rules(database, json.loads(answer.stdout)["organisation"]) == expected


BAD = [
    ("--time-zone", "../../etc/localtime", 1, "must be an IANA time zone"),
    ("--time-zone", "/etc/localtime", 1, "must be an IANA time zone"),
    ("--time-zone", "", 1, "must be an IANA time zone"),
    ("--dunning", "3,1", 1, "must be in ascending order"),
    ("--dunning", "1,61", 1, "dunning_days.1"),
    ("--dunning", "soon", 1, "should be a valid integer"),
    ("--dunning", "1,2,3,4,5,6,7,8,9,10,11", 1, "at most 10"),
    ("--notice-days", "61", 2, "notice-days"),
    ("--notice-days", "-1", 2, "notice-days"),
    ("--rate-limit", "0", 2, "rate-limit"),
    ("--redirect-host", "https://shop.example", 1, "redirect_hosts.0: Value error, must be a host like"),
    ("--redirect-host", "", 1, "redirect_hosts.0: Value error, must be a host like"),
    ("--rate-limit", "1000001", 2, "rate-limit"),
]


@pytest.mark.parametrize(("option", "value", "code", "words"), BAD)
def test_bad_rules_are_refused_in_words(option: str, value: str, code: int, words: str) -> None:
    answer = made(option, value)

    assert answer.returncode == code
    assert words in answer.stderr
    assert "Traceback" not in answer.stderr
