"""Faults: each does what its name says to the call it was armed for, and to no other."""

from __future__ import annotations

import time

import httpx
import pytest

from sandbox.arming import EVENTS, FITS, REPLIES, of_replies
from sandbox.faults import FAULTS
from tests.sandbox.conftest import Shop
from tests.sandbox.provider import Listener, Provider

TRUE_EFFECTS = {
    "500_before": (500, [], "internal"),
    "500_after": (500, ["captured"], "internal"),
    "lost_reply": (None, ["captured"], None),
    "reset": (None, [], None),
    "truncated": (None, ["captured"], None),
    "429": (429, [], "too_many_requests"),
    "409_in_progress": (409, [], "key_in_progress"),
    "redirect": (302, [], None),
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


def test_a_slow_answer_is_the_true_one(shop: Shop, provider: Provider) -> None:
    provider.arm(call="charge", fault="slow", match={"account": shop.account})
    started = time.monotonic()

    assert shop.charge().json()["outcome"] == "captured"

    assert 2.5 < time.monotonic() - started < 5
    (line,) = provider.ledger(account=shop.account)
    assert (line["answered"], line["answer"]["outcome"]) == (True, "captured")


def test_a_flood_goes_on_until_one_has_had_enough(shop: Shop, provider: Provider) -> None:
    provider.arm(call="charge", fault="flood", match={"account": shop.account})
    read = 0

    with provider.http.stream("POST", "/charge", json=shop.charging(), headers=shop.headers) as answer:
        for part in answer.iter_bytes():
            read += len(part)
            if read > 3 * 1024 * 1024:
                break

    assert provider.effects(account=shop.account) == ["captured"]
    assert shop.charge().json()["outcome"] == "captured"


def test_who_follows_a_redirect_is_told_a_lie(shop: Shop, provider: Provider) -> None:
    provider.arm(call="charge", fault="redirect", match={"account": shop.account})

    followed = provider.http.get(shop.charge().headers["location"])

    assert followed.json() == {"outcome": "declined", "code": "redirected", "soft": False}
    assert shop.charge().json()["outcome"] == "captured"


def test_a_decline_on_demand_is_a_definite_no_of_what_would_have_paid(shop: Shop, provider: Provider) -> None:
    provider.arm(call="charge", fault="decline", match={"account": shop.account})
    no = {"outcome": "declined", "code": "card_declined", "soft": True}

    assert shop.charge("first").json() == no
    assert shop.charge("first").json() == no
    assert shop.charge("second").json()["outcome"] == "captured"
    assert provider.effects(account=shop.account) == ["declined", "captured"]


@pytest.mark.parametrize("instrument", ["card_ok", "bank_ok"])
def test_a_customer_is_declined_on_demand_and_may_try_again(shop: Shop, provider: Provider, instrument: str) -> None:
    provider.arm(call="page", fault="decline", match={"account": shop.account})
    page = shop.page()

    assert 'role="alert"' in provider.submit(page, "pay", instrument).text
    assert shop.truth()["declined"] == 1
    assert provider.submit(page, "pay").status_code == 303


def test_a_decline_waits_for_an_instrument_that_pays(shop: Shop, provider: Provider) -> None:
    provider.arm(call="charge", fault="decline", match={"account": shop.account})

    assert shop.charge("first", "card_expired").json()["code"] == "expired_card"
    assert shop.charge("second").json()["code"] == "card_declined"


def test_a_late_look_up_knows_nothing_yet(shop: Shop, provider: Provider) -> None:
    shop.charge()
    provider.arm(call="look_up", fault="look_up_lag", match={"account": shop.account})

    assert [shop.truth(f"{shop.reference}/charge")["outcome"] for _ in range(2)] == ["not_found", "captured"]


@pytest.mark.parametrize(
    "fault", [{"call": "charge", "fault": "drop"}, {"fault": "nonsense"}, {"call": "pay"}, {"times": 0}, {"more": 1}]
)
def test_a_fault_that_does_not_exist_cannot_be_armed(provider: Provider, fault: dict[str, object]) -> None:
    assert provider.http.post("/faults", json=fault).status_code == 422


@pytest.mark.parametrize("fault", TRUE_EFFECTS)
def test_a_call_may_bring_its_own_fault(shop: Shop, provider: Provider, fault: str) -> None:
    status, effects, _ = TRUE_EFFECTS[fault]

    if status is None:
        with pytest.raises(httpx.TransportError):
            shop.charge(faults=fault)
    else:
        assert shop.charge(faults=fault).status_code == status

    assert provider.effects(account=shop.account) == effects
    assert shop.charge().json()["outcome"] == "captured"
    assert provider.http.get("/faults").json() == []


def test_a_call_may_bring_faults_of_its_effect_its_answer_and_its_event(
    shop: Shop, provider: Provider, listener: Listener
) -> None:
    with pytest.raises(httpx.TransportError):
        shop.charge(faults="double_capture, lost_reply, before_reply")

    assert provider.effects(account=shop.account) == ["captured", "captured"]
    assert listener.about(shop.reference)


def test_a_fault_of_its_own_goes_before_one_that_was_armed(shop: Shop, provider: Provider) -> None:
    provider.arm(call="charge", fault="500_before", match={"account": shop.account})

    assert shop.charge(faults="429").status_code == 429
    assert shop.charge().status_code == 500


@pytest.mark.parametrize("faults", ["refund_fails", "nonsense", "lost_reply, look_up_lag"])
def test_a_call_cannot_bring_a_fault_that_it_does_not_have(shop: Shop, provider: Provider, faults: str) -> None:
    answer = shop.charge(faults=faults)

    assert (answer.status_code, answer.json()) == (422, {"error": {"code": "no_such_fault"}})
    assert provider.ledger(account=shop.account) == []


@pytest.mark.parametrize(
    ("call", "body"), [("attach", {"token": "pm_sandbox_card_ok"}), ("captures", {"since": "2026-01-01T00:00:00Z"})]
)
def test_calls_without_a_key_can_fail_too(shop: Shop, provider: Provider, call: str, body: dict[str, str]) -> None:
    provider.arm(call=call, fault="500_after", match={"account": shop.account})

    assert [shop.call(call, **body).status_code for _ in range(2)] == [500, 200]


def test_any_fault_is_drawn_from_the_table_in_its_order_and_breaks_no_promise() -> None:
    assert {call: of_replies(call) for call in FITS} == {
        **dict.fromkeys(FITS, REPLIES),
        "look_up": (*REPLIES, "look_up_lag"),
        "refund": (*REPLIES, "refund_fails"),
        "page": (),
        "webhook": EVENTS,
    }


def test_every_fault_of_a_reply_is_built() -> None:
    assert set(REPLIES) <= set(FAULTS)
    assert set(FAULTS) == set(REPLIES) | {"refund_fails", "look_up_lag"}
    assert {fault for call in ("refund", "look_up") for fault in FITS[call]} == set(FAULTS)
