"""The calls of Stripe's API that the double knows: path, the parameters each takes, and what it does."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tests.gateways.stripe_double import customers, pages, payments
from tests.gateways.stripe_double.books import Books, Refused, Thing, page_of

LISTING: Final = {"created", "limit", "starting_after", "expand"}


@dataclass(frozen=True)
class Asked:
    """A request: on which *account*, with which parameters, about the object *id* of the path."""

    books: Books
    account: str
    params: Thing
    id: str
    base: str


@dataclass(frozen=True)
class Call:
    """*takes* are the parameters it knows; whatever else is sent is refused, as Stripe does."""

    method: str
    path: str
    takes: set[str]
    act: Callable[[Asked], Thing]


def find(method: str, path: str) -> tuple[Call, str]:
    for call in CALLS:
        found = re.fullmatch(call.path, path)
        if found and call.method == method:
            return call, next(iter(found.groups()), "")
    raise Refused(404, "invalid_request_error", None, kept=False)


def _intent(asked: Asked) -> Thing:
    return payments.brought_up_to_date(asked.books, asked.books.get(asked.account, asked.id, "payment_intent"))


def _intents(asked: Asked) -> Thing:
    things = asked.books.newest_first(asked.account, "payment_intent")
    return page_of(
        things, asked.params, "/v1/payment_intents", lambda each: payments.brought_up_to_date(asked.books, each)
    )


def _page(asked: Asked) -> Thing:
    page = asked.books.get(asked.account, asked.id, "checkout.session")
    return _expanded(asked, pages.brought_up_to_date(asked.books, page))


def _pages(asked: Asked) -> Thing:
    things = asked.books.newest_first(asked.account, "checkout.session")
    return page_of(
        things, asked.params, "/v1/checkout/sessions", lambda each: pages.brought_up_to_date(asked.books, each)
    )


def _expanded(asked: Asked, page: Thing) -> Thing:
    if "payment_intent" in asked.params.get("expand", []) and page["payment_intent"]:
        return {**page, "payment_intent": asked.books.things[page["payment_intent"]]}
    return page


def _movements(asked: Asked) -> Thing:
    for intent in asked.books.newest_first(asked.account, "payment_intent"):
        payments.brought_up_to_date(asked.books, intent)
    expanded = "data.source" in asked.params.get("expand", [])

    def shown(each: Thing) -> Thing:
        return {**each, "source": asked.books.things[each["source"]]} if expanded else each

    things = list(asked.books.newest_first(asked.account, "balance_transaction"))
    return page_of(iter(things), asked.params, "/v1/balance_transactions", shown)


def _methods(asked: Asked) -> Thing:
    customer = asked.books.get(asked.account, asked.id, "customer")
    own = (
        each for each in asked.books.newest_first(asked.account, "payment_method") if each["customer"] == customer["id"]
    )
    return page_of(own, asked.params, f"/v1/customers/{asked.id}/payment_methods", lambda each: each)


def _things(kind: str, url: str) -> Callable[[Asked], Thing]:
    return lambda asked: page_of(asked.books.newest_first(asked.account, kind), asked.params, url, lambda each: each)


CALLS: Final[tuple[Call, ...]] = (
    Call(
        "POST", "/v1/customers", {"metadata"}, lambda asked: customers.create(asked.books, asked.account, asked.params)
    ),
    Call(
        "GET",
        "/v1/customers/search",
        {"query", "limit"},
        lambda asked: customers.search(asked.books, asked.account, asked.params),
    ),
    Call("GET", r"/v1/customers/([^/]+)/payment_methods", LISTING, _methods),
    Call(
        "POST",
        r"/v1/payment_methods/([^/]+)/attach",
        {"customer"},
        lambda asked: customers.attach(asked.books, asked.account, asked.id, asked.params),
    ),
    Call(
        "POST",
        r"/v1/payment_methods/([^/]+)/detach",
        set(),
        lambda asked: customers.detach(asked.books, asked.account, asked.id),
    ),
    Call(
        "GET",
        r"/v1/payment_methods/([^/]+)",
        set(),
        lambda asked: asked.books.get(asked.account, asked.id, "payment_method"),
    ),
    Call(
        "POST",
        "/v1/payment_intents",
        {
            "amount",
            "automatic_payment_methods",
            "capture_method",
            "confirm",
            "currency",
            "customer",
            "description",
            "metadata",
            "off_session",
            "payment_method",
        },
        lambda asked: payments.create_intent(asked.books, asked.account, asked.params),
    ),
    Call("GET", "/v1/payment_intents", LISTING, _intents),
    Call("GET", r"/v1/payment_intents/([^/]+)", {"expand"}, _intent),
    Call(
        "POST",
        r"/v1/payment_intents/([^/]+)/cancel",
        set(),
        lambda asked: payments.cancel_intent(asked.books, asked.account, asked.id),
    ),
    Call(
        "POST",
        "/v1/checkout/sessions",
        {
            "adaptive_pricing",
            "allowed_payment_method_types",
            "cancel_url",
            "client_reference_id",
            "customer",
            "expand",
            "expires_at",
            "line_items",
            "metadata",
            "mode",
            "payment_intent_data",
            "submit_type",
            "success_url",
        },
        lambda asked: pages.create(asked.books, asked.account, asked.params, asked.base),
    ),
    Call("GET", "/v1/checkout/sessions", LISTING, _pages),
    Call("GET", r"/v1/checkout/sessions/([^/]+)", {"expand"}, _page),
    Call(
        "POST",
        r"/v1/checkout/sessions/([^/]+)/expire",
        {"expand"},
        lambda asked: _expanded(asked, pages.expire(asked.books, asked.account, asked.id)),
    ),
    Call(
        "POST",
        "/v1/refunds",
        {"payment_intent", "amount", "metadata"},
        lambda asked: payments.create_refund(asked.books, asked.account, asked.params),
    ),
    Call("GET", "/v1/refunds", LISTING, _things("refund", "/v1/refunds")),
    Call(
        "GET",
        r"/v1/refunds/([^/]+)",
        {"expand"},
        lambda asked: asked.books.get(asked.account, asked.id, "refund"),
    ),
    Call("GET", "/v1/balance_transactions", LISTING, _movements),
)


def nested(pairs: list[tuple[str, str]]) -> Thing:
    """`a[b][0][c]=d` as Stripe reads it: {"a": {"b": [{"c": "d"}]}}; true and false are so."""
    tree: Thing = {}
    for name, value in pairs:
        steps = re.findall(r"[^\[\]]+", name)
        place = tree
        for step in steps[:-1]:
            place = place.setdefault(step, {})
        place[steps[-1]] = {"true": True, "false": False}.get(value, value)
    listed: Thing = _listed(tree)
    return listed


def _listed(tree: Any) -> Any:
    if not isinstance(tree, dict):
        return tree
    if tree and all(name.isdigit() for name in tree):
        return [_listed(tree[name]) for name in sorted(tree, key=int)]
    return {name: _listed(value) for name, value in tree.items()}
