"""Events out: signed, kept, tried again, and spoiled where a fault says so."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from sandbox import store
from sandbox.records import Event, Payment, stamp
from sandbox.store import Store
from sandbox.turn import Turn
from sandbox.webhooks import AT_ONCE, Deliverer, _after
from tests.sandbox.conftest import Shop
from tests.sandbox.provider import WEBHOOK_SECRET, Listener, Provider, listening, until

signed = Webhook(WEBHOOK_SECRET)


def types(listener: Listener, shop: Shop) -> list[str]:
    return [json.loads(body)["type"] for _, body in listener.about(shop.reference)]


def test_an_event_is_signed_and_names_what_it_is_about(shop: Shop, provider: Provider, listener: Listener) -> None:
    provider.submit(shop.page(), "pay")

    headers, body = until(lambda: listener.about(shop.reference))[0]

    event = signed.verify(body, headers)
    assert {name: event[name] for name in ("type", "account", "reference", "key")} == {
        "type": "page.paid",
        "account": shop.account,
        "reference": shop.reference,
        "key": shop.key,
    }
    assert event["id"] == headers["webhook-id"]


def test_what_is_not_taken_comes_again_with_the_same_id_and_body(shop: Shop, listener: Listener) -> None:
    listener.refusals = [500, 302]

    shop.charge()

    first, second, third = until(lambda: (arrived := listener.about(shop.reference))[2:] and arrived)
    assert first[1] == second[1] == third[1]
    assert first[0]["webhook-id"] == second[0]["webhook-id"] == third[0]["webhook-id"]
    signed.verify(*reversed(third))


def test_intervals_grow_and_end_after_a_day() -> None:
    now = datetime.now(UTC)
    event = Event(id="evt_1", body="{}", created_at=stamp(now), due_at=stamp(now))
    waits = []
    while event.status == "waiting":
        at = datetime.fromisoformat(event.due_at)
        event = _after(event, at, arrived=False)
        waits.append((datetime.fromisoformat(event.due_at) - at).total_seconds())

    assert waits[:4] == [0.5, 1, 2, 4]
    assert waits == sorted(waits)
    assert event.status == "dead"
    assert timedelta(hours=22) < at - now < timedelta(days=1)


def test_a_dropped_event_never_arrives_and_a_reordered_one_arrives_later(
    shop: Shop, provider: Provider, listener: Listener
) -> None:
    for fault, kind in (("drop", "page.declined"), ("reorder", "page.left")):
        provider.arm(call="webhook", fault=fault, match={"reference": shop.reference, "type": kind})
    page = shop.page()

    provider.submit(page, "pay", "card_declined")
    provider.submit(page, "leave")
    provider.submit(page, "pay")

    until(lambda: len(types(listener, shop)) == 2)
    assert types(listener, shop) == ["page.paid", "page.left"]


def test_a_delayed_event_stands_back_for_ten_seconds(shop: Shop, provider: Provider, listener: Listener) -> None:
    provider.arm(call="webhook", fault="delay", match={"reference": shop.reference})
    shop.charge()
    mine = {"reference": f"%{shop.reference}%"}

    with closing(sqlite3.connect(provider.home / "gateway.db", isolation_level=None)) as outbox:
        select = "SELECT created_at, due_at, attempts FROM outbox WHERE body LIKE :reference"
        made, due, attempts = outbox.execute(select, mine).fetchone()
        assert datetime.fromisoformat(due) - datetime.fromisoformat(made) == timedelta(seconds=10)
        assert (attempts, types(listener, shop)) == (0, [])
        outbox.execute("UPDATE outbox SET due_at = created_at WHERE body LIKE :reference", mine)

    until(lambda: types(listener, shop) == ["charge.captured"])


async def test_an_event_that_goes_first_waits_behind_no_other(tmp_path: Path) -> None:
    now = stamp(datetime.now(UTC))
    *others, first = [Event(id=f"evt_{uuid4()}", body="{}", created_at=now, due_at=now) for _ in range(2 * AT_ONCE)]
    books = Store(tmp_path / "gateway.db")

    def add(connection: store.Connection) -> None:
        for event in (*others, first):
            store.add_event(connection, event)

    await books.write(add)
    with listening() as listener:
        deliverer = Deliverer(books, listener.url, WEBHOOK_SECRET)
        await deliverer.deliver([first])
        await deliverer.deliver([first])
        await deliverer.close()

    assert [headers["webhook-id"] for headers, _ in listener.arrived] == [first.id]
    books.close()


def test_what_time_does_during_a_call_is_announced_by_it(tmp_path: Path) -> None:
    with closing(store.connected(tmp_path / "gateway.db")) as connection:
        turn = Turn(connection, datetime.now(UTC), "look_up", "", timedelta(seconds=3))
        payment = Payment(
            account="a", key="k", reference="r", amount_minor=1, currency="USD", status="captured", token="t"
        )

        turn.aside(payment).announce("page.paid", payment)
        turn.write_up(None)

        assert [event.due_at for event in store.due_events(connection, "9", 9)] == [stamp(turn.now)]


def test_a_duplicate_arrives_ten_times(shop: Shop, provider: Provider, listener: Listener) -> None:
    provider.arm(call="webhook", fault="duplicate", match={"reference": shop.reference})

    shop.charge()

    until(lambda: len(listener.about(shop.reference)) == 10)
    assert len({body for _, body in listener.about(shop.reference)}) == 1


def test_a_forged_event_has_a_wrong_signature_and_the_true_one_follows(
    shop: Shop, provider: Provider, listener: Listener
) -> None:
    provider.arm(call="webhook", fault="forge", match={"reference": shop.reference})

    shop.charge(method="card_declined")

    forged, true = until(lambda: (arrived := listener.about(shop.reference))[1:] and arrived)
    assert types(listener, shop) == ["page.paid", "charge.declined"]
    with pytest.raises(WebhookVerificationError):
        signed.verify(*reversed(forged))
    signed.verify(*reversed(true))


def test_an_event_can_arrive_before_the_reply(shop: Shop, provider: Provider, listener: Listener) -> None:
    provider.arm(call="webhook", fault="before_reply", match={"reference": shop.reference})

    shop.charge()

    assert types(listener, shop) == ["charge.captured"]
