"""Where a session may send its customer: https addresses that every browser reads alike, on hosts that are allowed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
import pytest

from store.database import Database
from tests.api.shop import contract

FIELDS = ("success_url", "cancel_url", "pending_url")
MARK = "7h3-mark"

REFUSED = {
    "javascript": f"javascript:alert('{MARK}')",
    "javascript behind slashes": f"javascript://shop.example/%0aalert('{MARK}')",
    "javascript in capitals": f"JaVaScRiPt:alert('{MARK}')",
    "javascript behind a tab": f"java\tscript:alert('{MARK}')",
    "javascript behind a control character": f"\x01javascript:alert('{MARK}')",
    "data": f"data:text/html,<script>{MARK}</script>",
    "vbscript": f"vbscript:{MARK}",
    "file": f"file:///etc/{MARK}",
    "blob": f"blob:https://shop.example/{MARK}",
    "an app's own scheme": f"myapp://{MARK}",
    "no scheme": f"//shop.example/{MARK}",
    "three slashes": f"///shop.example/{MARK}",
    "no scheme and backslashes": f"\\\\shop.example\\{MARK}",
    "a path": f"/{MARK}",
    "a name": f"shop.example/{MARK}",
    "a user": f"https://shop.example@evil.example/{MARK}",
    "a user and a password": f"https://shop.example:443@evil.example/{MARK}",
    "an empty user": f"https://@evil.example/{MARK}",
    "a user, encoded": f"https://shop.example%40evil.example/{MARK}",
    "a backslash": f"https://evil.example\\@shop.example/{MARK}",
    "backslashes for slashes": f"https:\\\\shop.example\\{MARK}",
    "a backslash in the path": f"https://shop.example/\\{MARK}",
    "a tab": f"https://shop.example/\t{MARK}",
    "a tab in the host": f"https://shop\t.example/{MARK}",
    "a line end": f"https://shop.example/\n{MARK}",
    "a line end at the end": f"https://shop.example/{MARK}\n",
    "a line end in front": f"\nhttps://shop.example/{MARK}",
    "line ends and a header": f"https://shop.example/\r\nSet-Cookie: {MARK}=1",
    "a blank in front": f" https://shop.example/{MARK}",
    "a blank in the path": f"https://shop.example/{MARK} ok",
    "one slash": f"https:/shop.example/{MARK}",
    "no slash": f"https:shop.example/{MARK}",
    "no host": f"https:///{MARK}",
    "four slashes": f"https:////shop.example/{MARK}",
    "http": f"http://shop.example/{MARK}",
    "http to a name that begins like loopback": f"http://localhost.evil.example/{MARK}",
    "http to an address that begins like loopback": f"http://127.0.0.1.evil.example/{MARK}",
    "http to a private address": f"http://10.0.0.1/{MARK}",
    "loopback as one number": f"http://2130706433/{MARK}",
    "loopback as a hexadecimal": f"https://0x7f000001/{MARK}",
    "loopback in two parts": f"https://127.1/{MARK}",
    "loopback with a zone": f"http://[::1%25lo]/{MARK}",
    "an address with leading zeros": f"https://192.0.2.07/{MARK}",
    "an IDN": f"https://b\u00fccher.example/{MARK}",
    "an IDN that looks like another": f"https://sh\u043ep.example/{MARK}",
    "full-width letters": f"https://\uff53hop.example/{MARK}",
    "full-width digits": f"https://\uff11\uff12\uff17.0.0.1/{MARK}",
    "a full-width slash": f"https://shop.example\uff0f{MARK}",
    "an ideographic full stop": f"https://shop\u3002example/{MARK}",
    "a soft hyphen": f"https://sho\u00adp.example/{MARK}",
    "a zero-width space": f"https://shop\u200b.example/{MARK}",
    "a turn of direction": f"https://shop.example/\u202e{MARK}",
    "an encoded letter in the host": f"https://%73hop.example/{MARK}",
    "something behind an address": f"https://[2001:db8::1]evil.example/{MARK}",
    "something behind loopback": f"http://[::1]evil.example/{MARK}",
    "two ports": f"https://shop.example:1:2/{MARK}",
    "a port out of range": f"https://shop.example:65536/{MARK}",
    "a port in words": f"https://shop.example:https/{MARK}",
    "markup": f"https://shop.example/<b>{MARK}",
    "a quotation mark": f'https://shop.example/"{MARK}',
    "2084 characters": f"https://shop.example/{MARK}".ljust(2084, "x"),
    "nothing": "",
}


@pytest.fixture
async def customer(api: httpx.AsyncClient) -> str:
    return str((await api.post("/customers", json={"customer_name": "Acme GmbH"})).json()["id"])


@pytest.fixture
def body(customer: str) -> dict[str, Any]:
    return {"customer_id": customer, "contract": contract()}


async def allow(database: Database, organisation: UUID, *hosts: str) -> None:
    async with database.unbound() as connection:
        change = "UPDATE organisations SET redirect_hosts = %s WHERE id = %s"
        await connection.execute(change, (list(hosts), organisation))


async def opened(api: httpx.AsyncClient, body: dict[str, Any]) -> dict[str, Any]:
    answer = await api.post("/checkout_session", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def refused_at(answer: httpx.Response) -> list[list[str]]:
    """The fields that a 422 names."""
    assert answer.status_code == 422, answer.text
    assert answer.json()["type"] == "/problems/validation"
    return [error["loc"] for error in answer.json()["errors"]]


@pytest.mark.parametrize("url", REFUSED.values(), ids=REFUSED)
async def test_a_url_that_could_lead_elsewhere_is_refused_in_every_field_and_not_echoed(
    api: httpx.AsyncClient, url: str
) -> None:
    session = "00000000-0000-4000-8000-000000000007"
    urls = dict.fromkeys(FIELDS, url)
    created = await api.post("/checkout_session", json={"customer_id": session, "contract": contract(), **urls})
    changed = await api.put(f"/checkout_session/{session}", json=urls)

    for answer in (created, changed):
        assert refused_at(answer) == [["body", field] for field in FIELDS]
        assert MARK not in answer.text


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example/ok?order=1#paid",
        "https://xn--bcher-kva.example:8443/ok",
        "https://192.0.2.7/ok",
        "https://shop.example/?next=https://user@evil.example",
        "http://localhost:3000/ok",
        "http://127.0.0.1:3000/ok",
        "http://[::1]:3000/ok",
        "https://shop.example/".ljust(2083, "x"),
    ],
)
async def test_any_other_url_is_kept_as_it_is(api: httpx.AsyncClient, body: dict[str, Any], url: str) -> None:
    session = await opened(api, {**body, **dict.fromkeys(FIELDS, url)})

    assert [session[field] for field in FIELDS] == [url] * 3


FOREIGN = {
    "another host": "https://evil.example/ok",
    "a host that ends like it": "https://evilshop.example/ok",
    "a host that begins with it": "https://shop.example.evil.example/ok",
    "a host below it": "https://pay.shop.example/ok",
    "the host above a star": "https://northwind.example/ok",
    "its name in path, query and fragment": "https://evil.example/shop.example?shop.example#shop.example",
    "loopback": "http://localhost/ok",
}


@pytest.mark.parametrize("url", FOREIGN.values(), ids=FOREIGN)
async def test_a_host_outside_the_organisations_list_is_refused_when_opening_estimating_and_changing(
    api: httpx.AsyncClient, database: Database, organisation: UUID, body: dict[str, Any], url: str
) -> None:
    await allow(database, organisation, "shop.example", "*.northwind.example")
    good = {"success_url": "https://shop.example/ok", "cancel_url": "https://www.northwind.example:8443/no"}
    session = await opened(api, {**body, **good})
    at = f"/checkout_session/{session['id']}"

    created = await api.post("/checkout_session", json={**body, "success_url": url, "pending_url": url})
    estimated = await api.post("/checkout_session/summary", json={**body, "cancel_url": url})
    changed = await api.put(at, json={**good, "cancel_url": url})

    assert refused_at(created) == [["body", "success_url"], ["body", "pending_url"]]
    assert refused_at(estimated) == refused_at(changed) == [["body", "cancel_url"]]
    assert not any("evil" in answer.text for answer in (created, estimated, changed))
    assert (await api.get(at)).json() == session


async def test_an_organisation_without_a_list_sends_customers_anywhere(
    api: httpx.AsyncClient, database: Database, organisation: UUID, body: dict[str, Any]
) -> None:
    await allow(database, organisation, "shop.example")
    refused = await api.post("/checkout_session", json={**body, "success_url": "https://other.example"})
    await allow(database, organisation)

    assert refused.status_code == 422
    assert (await opened(api, {**body, "success_url": "https://other.example"}))["success_url"]


async def test_another_organisations_list_does_not_matter(
    api: httpx.AsyncClient, database: Database, body: dict[str, Any]
) -> None:
    async with database.unbound() as connection:
        await connection.execute(
            "INSERT INTO organisations (id, name, redirect_hosts) VALUES (gen_random_uuid(), 'Other', '{other.example}')"
        )

    assert (await opened(api, {**body, "success_url": "https://shop.example"}))["success_url"]


async def test_an_open_session_keeps_its_addresses_and_its_answer_when_the_list_changes(
    api: httpx.AsyncClient, database: Database, organisation: UUID, body: dict[str, Any]
) -> None:
    asked = {**body, "success_url": "https://shop.example/ok", "idempotency_key": "order 1"}
    session = await opened(api, asked)
    await allow(database, organisation, "new.example")

    again = await api.post("/checkout_session", json=asked)
    changed = await api.put(f"/checkout_session/{session['id']}", json={"cancel_url": "https://new.example/no"})

    assert (again.status_code, again.json()["id"]) == (201, session["id"])
    assert changed.status_code == 200
    assert changed.json()["success_url"] == "https://shop.example/ok"
