"""The demo's purchases, made on the shared stack, and whether its checks would notice what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from audit.main import audit, sources
from demo import purchases
from demo.calls import Calls
from demo.catalogue import Catalogue
from demo.checks import differences
from demo.examples import load
from demo.purchases import Result
from settings import settings
from store.database import Database
from tests.conftest import Stack, dun_after


@pytest.fixture(scope="module")
def ready_file(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "ready.json"
    path.write_text(json.dumps(stack.ready))
    return path


@pytest.fixture(scope="module")
async def results(ready_file: Path, stack: Stack, database: Database) -> list[Result]:
    await dun_after(database, stack, [1, 3, 5, 7])
    return await purchases.run(ready_file)


async def test_every_purchase_of_the_examples_ends_as_it_says(results: list[Result]) -> None:
    assert {result.purchase.name: result.problems for result in results if result.problems} == {}
    assert [result.purchase for result in results] == list(load().purchases)


async def test_every_purchase_is_linked_in_the_temporal_ui(results: list[Result], stack: Stack) -> None:
    for result in results:
        expected = f"checkout%2F{stack.organisation}%2F{result.session}"
        assert result.link == f"{stack.temporal_ui}/namespaces/default/workflows/{expected}"


@pytest.mark.parametrize(
    ("lie", "noticed"),
    [
        ({"collected": "1.00"}, "the gateway's ledger holds 193.00 USD, not 1.00 USD"),
        ({"amount_due": "192.99"}, "the amount due is 193.00 USD, not 192.99 USD"),
        ({"payment_status": "failed"}, "payment_status is paid, not failed"),
        ({"declined": 1}, "the gateway declined 0 times, not 1"),
    ],
)
async def test_an_end_that_is_not_so_is_noticed(results: list[Result], lie: dict[str, Any], noticed: str) -> None:
    told = results[0].purchase
    assert results[0].evidence is not None

    wrong = told.model_copy(update={"ends": told.ends.model_copy(update=lie)})

    assert noticed in differences(wrong, results[0].evidence)


async def test_money_that_only_the_ledger_knows_is_noticed(results: list[Result]) -> None:
    result = results[0]
    assert result.evidence is not None
    captured = next(row for row in result.evidence.ledger if row["effect"] == "captured")
    result.evidence.ledger.append({**captured, "key": "another"})
    try:
        assert len(differences(result.purchase, result.evidence)) >= 4
    finally:
        result.evidence.ledger.pop()


async def test_a_second_run_finds_the_catalogue_of_the_first(ready_file: Path, results: list[Result]) -> None:  # noqa: ARG001 - the first run
    async with Calls(ready_file) as calls:
        found = []
        for run in ("one", "two"):
            catalogue = Catalogue(calls, run)
            await catalogue.put_in_place(load())
            found.append(catalogue.ids)
    assert found[0] == found[1]


async def test_the_audit_names_no_violation_of_a_purchase(
    ready_file: Path, results: list[Result], stack: Stack
) -> None:
    report = await audit(sources(settings(), ready_file), organisation=UUID(stack.organisation))

    bought = {result.session for result in results}
    assert [each for each in report.violations if str(each.session) in bought] == []
    assert report.sessions >= len(bought) == len(load().purchases)
