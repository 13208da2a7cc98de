"""kill -9: what was answered is so for good, and what was not can be asked for again."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

from tests.sandbox.conftest import Shop
from tests.sandbox.provider import Provider, listening, running, until

PURCHASES = 300


def purchase(shop: Shop, number: int, answered: dict[str, Any]) -> None:
    """Charge, and return a part of it."""
    charged, returned = f"{number}", f"{number}/refund"
    answered[charged] = shop.charge(charged).json()
    part = {"key": f"{shop.reference}/{returned}", "of": f"{shop.reference}/{charged}"}
    answered[returned] = shop.call("refund", **part, amount_minor=number + 1).json()


def moved(shop: Shop, provider: Provider) -> Counter[tuple[str, str, int]]:
    lines = provider.ledger(account=shop.account)
    return Counter((line["key"], line["effect"], line["amount_minor"]) for line in lines if line["effect"] != "none")


def test_a_kill_in_the_middle_of_load_loses_and_doubles_nothing(tmp_path: Path) -> None:
    with running(tmp_path) as provider:
        shop = Shop(provider)
        answered: dict[str, Any] = {}
        with ThreadPoolExecutor(8) as pool:
            purchases = [pool.submit(purchase, shop, number, answered) for number in range(PURCHASES)]
            until(lambda: len(answered) > 60)
            provider.kill()
        unanswered = [number for number, done in enumerate(purchases) if done.exception()]
        assert {type(purchases[number].exception()) for number in unanswered} <= {
            httpx.ConnectError, httpx.ReadError, httpx.RemoteProtocolError, httpx.WriteError,
        }  # fmt: skip
        provider.start()

        before = dict(answered)
        assert {name: shop.truth(f"{shop.reference}/{name}") for name in before} == before
        for number in range(PURCHASES):
            purchase(shop, number, answered)

        assert answered | before == answered
        assert len(unanswered) > PURCHASES / 2
        assert moved(shop, provider) == Counter(
            [(f"{shop.reference}/{number}", "captured", 500) for number in range(PURCHASES)]
            + [(f"{shop.reference}/{number}/refund", "refunded", number + 1) for number in range(PURCHASES)]
        )


def test_events_outlive_a_kill(tmp_path: Path) -> None:
    with listening() as listener, running(tmp_path, listener.url) as provider:
        shop = Shop(provider)
        listener.refusals = [503, 503, 503]
        shop.charge()
        until(lambda: listener.about(shop.reference))

        provider.kill()
        provider.start()

        until(lambda: len(listener.about(shop.reference)) == 4)
        assert len({body for _, body in listener.about(shop.reference)}) == 1


def test_a_transfer_settles_after_a_kill(tmp_path: Path) -> None:
    with running(tmp_path) as provider:
        shop = Shop(provider)
        shop.charge(method="bank_later")
        provider.kill()
        provider.start()

        until(lambda: provider.effects(account=shop.account) == ["captured"])
