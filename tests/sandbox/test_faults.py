"""Faults: each does what its name says to the call it was armed for, and to no other."""

from __future__ import annotations

import httpx
import pytest

from sandbox.arming import FITS, REPLIES
from sandbox.faults import FAULTS
from tests.sandbox.conftest import Shop
from tests.sandbox.provider import Provider

TRUE_EFFECTS = {
    "500_before": (500, [], "internal"),
    "500_after": (500, ["captured"], "internal"),
    "lost_reply": (None, ["captured"], None),
    "reset": (None, [], None),
    "truncated": (None, ["captured"], None),
    "429": (429, [], "too_many_requests"),
    "409_in_progress": (409, [], "key_in_progress"),
}


@pytest.mark.parametrize("fault", TRUE_EFFECTS)
def test_a_fault_strikes_once_and_the_ledger_tells_what_truly_happened(
    shop: Shop, provider: Provider, fault: str
) -> None:
    status, effects, code = TRUE_EFFECTS[fault]
    provider.arm(call="charge", fault=fault, match={"reference": shop.reference})

    if status is None:
        with pytest.raises(httpx.TransportError):
            shop.charge()
    else:
        assert shop.charge().status_code == status

    assert provider.effects(reference=shop.reference) == effects
    assert shop.charge().json()["outcome"] == "captured"
    assert provider.effects(reference=shop.reference) == ["captured"]
    struck, *_ = provider.ledger(account=shop.account)
    assert struck["answered"] is (fault in {"429", "409_in_progress"})
    assert (struck["answer"] or {}).get("code") == code
    assert struck["asked"]["amount_minor"] == 500


def test_only_the_call_it_matches_is_struck(shop: Shop, provider: Provider) -> None:
    provider.arm(call="charge", fault="500_before", match={"key": f"{shop.reference}/second"})

    assert [shop.charge(key).status_code for key in ("first", "second", "third")] == [200, 500, 200]


def test_it_strikes_as_many_times_as_it_was_armed_for(shop: Shop, provider: Provider) -> None:
    provider.arm(call="*", fault="500_before", times=2, match={"account": shop.account})

    assert [shop.charge().status_code for _ in range(3)] == [500, 500, 200]
    assert [fault["times"] for fault in provider.http.get("/faults").json()] == [0]


def test_a_seed_draws_the_same_again(provider: Provider) -> None:
    def struck() -> list[int]:
        provider.http.delete("/faults")
        shop = Shop(provider)
        provider.arm(call="charge", fault="500_before", probability=0.5, seed=7, match={"account": shop.account})
        return [shop.charge(str(n)).status_code for n in range(12)]

    first = struck()

    assert set(first) == {200, 500}
    assert struck() == first


def test_a_failing_refund_returns_nothing_until_it_is_tried_again(shop: Shop, provider: Provider) -> None:
    shop.charge()
    provider.arm(call="refund", fault="refund_fails", match={"account": shop.account})
    refund = {"key": f"{shop.reference}/refund", "of": f"{shop.reference}/charge"}

    assert shop.call("refund", **refund).status_code == 503
    assert provider.effects(account=shop.account) == ["captured"]
    assert shop.call("refund", **refund).json()["outcome"] == "refunded"


def test_a_gateway_that_breaks_its_promise_does_so_only_when_told_to(shop: Shop, provider: Provider) -> None:
    provider.arm(call="charge", fault="double_capture", match={"key": f"{shop.reference}/double"})
    provider.arm(call="*", fault="wrong_amount", match={"key": f"{shop.reference}/wrong"})

    assert shop.charge("double").json()["amount"]["minor"] == 1000
    assert shop.charge("wrong").json()["amount"]["minor"] == 501
    provider.arm(call="charge", fault="forget_keys", match={"key": f"{shop.reference}/wrong"})
    assert shop.charge("wrong").json()["outcome"] == "captured"
    assert provider.effects(reference=shop.reference).count("captured") == 4


def test_a_late_look_up_knows_nothing_yet(shop: Shop, provider: Provider) -> None:
    shop.charge()
    provider.arm(call="look_up", fault="looks_up_late", match={"account": shop.account})

    assert [shop.truth(f"{shop.reference}/charge")["outcome"] for _ in range(2)] == ["not_found", "captured"]


@pytest.mark.parametrize(
    "fault", [{"call": "charge", "fault": "drop"}, {"fault": "nonsense"}, {"call": "pay"}, {"times": 0}, {"more": 1}]
)
def test_a_fault_that_does_not_exist_cannot_be_armed(provider: Provider, fault: dict[str, object]) -> None:
    assert provider.http.post("/faults", json=fault).status_code == 422


def test_every_fault_of_a_reply_is_built() -> None:
    assert set(REPLIES) <= set(FAULTS)
    assert set(FAULTS) == set(REPLIES) | {"refund_fails", "looks_up_late"}
    assert {fault for call in ("refund", "look_up") for fault in FITS[call]} == set(FAULTS)
