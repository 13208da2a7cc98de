"""The control endpoints: only in a sandbox, and nothing that was armed there strikes elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sandbox.conftest import Shop
from tests.sandbox.provider import Provider

CONTROL = [
    ("GET", "/ledger"), ("GET", "/faults"), ("POST", "/faults"), ("DELETE", "/faults"), ("POST", "/disputes"),
    ("POST", "/disputes/dp_1"), ("GET", "/elsewhere"),
]  # fmt: skip


@pytest.fixture(scope="module")
def earnest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """A provider that is no sandbox any more; when it was one, a fault was armed for every call."""
    provider = Provider(tmp_path_factory.mktemp("earnest"))
    provider.start()
    provider.arm(call="*", probability=1)
    provider.arm(call="charge", fault="decline", times=100)
    provider.kill()
    provider.sandbox = False
    provider.start()
    yield provider
    provider.stop()


@pytest.mark.parametrize(("method", "path"), CONTROL)
def test_a_provider_that_is_no_sandbox_has_no_control_endpoints(earnest: Provider, method: str, path: str) -> None:
    assert earnest.http.request(method, path, json={}).status_code == 404


@pytest.mark.parametrize(("method", "path"), CONTROL)
def test_a_sandbox_has_them(provider: Provider, method: str, path: str) -> None:
    answer = provider.http.request(method, path, json={})

    assert answer.status_code != 405
    assert "Not Found" not in answer.text


@pytest.mark.parametrize("faults", ["", "500_before", "decline", "nonsense"])
def test_no_fault_strikes_outside_a_sandbox(earnest: Provider, faults: str) -> None:
    shop = Shop(earnest)

    assert shop.charge(faults=faults).json()["outcome"] == "captured"
    assert earnest.submit(shop.page(), "pay").status_code == 303


def test_it_says_of_itself_that_it_is_well(earnest: Provider) -> None:
    assert earnest.http.get("/health").json() == {"status": "ok"}
