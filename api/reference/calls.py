"""Every call of the API, in one table: its name for programs, what it does for people, and what may go wrong in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class Call(NamedTuple):
    """*id* is the operation's; *problems* are those of its own, beside the ones that follow from how it is called
    (api/reference/declared.py).
    """

    id: str
    description: str
    problems: tuple[str, ...] = ()


_PRICED: Final = ("plan-not-available", "currency-mismatch")
_UNDONE: Final = (
    "confirmation-undone",
    "contract-creation-failed",
    "customer-required",
    "due-date-required",
    "payment-method-required",
    "payment-method-unusable",
    "payment-not-made",
    "plan-not-available",
)
"""Why a confirmation turned back: everything it had done is undone, and the session is open again."""

CALLS: Final[Mapping[str, Call]] = {
    "POST /checkout_session": Call(
        "create_checkout_session",
        "Opens a session for a contract: from a plan, or from prices of its own; for a customer, or for a guest. "
        "It is priced now, and keeps these prices until it is changed. It expires after 24 hours, or at `expires_at`.",
        (*_PRICED, "customer-required"),
    ),
    "POST /checkout_session/summary": Call(
        "estimate_checkout_session",
        "Prices what the same body would open, line by line, and writes nothing: for a basket or a preview.",
        (*_PRICED, "customer-required"),
    ),
    "GET /checkout_session/{session_id}": Call(
        "get_checkout_session",
        "The session as it stands, with its `ETag`. A change that was answered can be read from then on.",
    ),
    "GET /checkout_session": Call(
        "list_checkout_sessions",
        "The organisation's sessions, newest first. `needs_attention=true` are those that wait for an operator.",
    ),
    "PUT /checkout_session/{session_id}": Call(
        "update_checkout_session",
        "Changes an open session, all or nothing, and prices it again where its contract changes. "
        "Absent members stay as they are. Each change is kept in `custom_data.update_history`.",
        (*_PRICED, "invalid-status-transition", "too-many-updates", "request-in-progress"),
    ),
    "POST /checkout_session/{session_id}/confirm": Call(
        "confirm_checkout_session",
        "Makes the customer (of a guest) and the contract, and gets the money: `charge_immediately` at a payment page, "
        "`charge_when_due` on a saved payment method, `no_payment` not here. With `redirect` and a page to go to, the "
        "answer is a 302 to it; otherwise the session, with the page in `redirect_url`.\n\n"
        "What takes longer than the service waits is answered with 202 and goes on: the same request with the same "
        "`Idempotency-Key` finds its outcome, and money never moves twice. What can't be completed is undone.",
        ("invalid-status-transition", "estimate-changed", *_UNDONE),
    ),
    "POST /checkout_session/{session_id}/cancel": Call(
        "cancel_checkout_session",
        "Ends an open session for good. The body is optional; the type `other` needs a `reason`.",
        ("invalid-status-transition",),
    ),
    "GET /checkout_session/{session_id}/timeline": Call(
        "get_checkout_session_timeline",
        "What happened to the session, in plain words, oldest first, and who made it happen. "
        "Operators also get the address of its workflow in the Temporal UI.",
    ),
    "GET /checkout_session/{session_id}/events": Call(
        "watch_checkout_session",
        "Server-sent events, each with the whole session: `id` is its version. Versions that follow each other at once may "
        "come as one. The stream ends when nothing more is to be expected: the session is final, owes nothing and asks for "
        "nobody. It also ends when the service or its database stops, or the key is revoked: come back with "
        "`Last-Event-ID` then, and what you have is not sent again. At most 50 streams of a key at the same time.",
    ),
    "PATCH /checkout_session/{session_id}/payment_schedule/{n}": Call(
        "change_due_payment",
        "Moves, brings forward, pauses, resumes or cancels a due payment of a completed session, or has it charged to "
        "another saved payment method: before charging begins, or between two tries. "
        "A date is a day of the organisation; today or past is now.",
        ("not-found", "invalid-status-transition", "payment-method-unusable"),
    ),
    "POST /checkout_session/{session_id}/test_clock": Call(
        "move_test_clock",
        "Moves the clock of this session of a sandbox organisation, and no other's. Expiry, due dates and dunning that "
        "lie between happen at once, each at its own instant and in its order; the answer is the session after them. "
        "An open payment page takes longer: 202 then, and the same request later finds the clock there.",
        ("invalid-status-transition", "test-clock-unavailable"),
    ),
    "POST /checkout_session/{session_id}/retry": Call(
        "retry_checkout_session",
        "For operators: runs the step that `attention` names again now, instead of waiting for its next try.",
        ("invalid-status-transition",),
    ),
    "POST /checkout_session/{session_id}/compensate": Call(
        "compensate_checkout_session",
        "For operators: undoes everything that the confirmation has done, from the first moment of `processing`, and "
        "returns what was paid. `then` says whether the session is open again or closed.",
        ("invalid-status-transition",),
    ),
    "POST /checkout_session/{session_id}/acknowledge": Call(
        "acknowledge_checkout_session",
        "For operators: says that somebody has seen to what only people can mend, so that nobody is asked any more.",
        ("invalid-status-transition",),
    ),
    "POST /customers": Call(
        "create_customer",
        "Makes a customer. An e-mail address belongs to one active customer of an organisation.",
        ("customer-exists",),
    ),
    "GET /customers/{customer_id}": Call("get_customer", "A customer, archived ones too."),
    "GET /customers": Call("list_customers", "The organisation's customers, newest first."),
    "PUT /customers/{customer_id}": Call(
        "update_customer",
        "Changes a customer. Absent members stay as they are, null unsets.",
        ("customer-exists",),
    ),
    "POST /customers/{customer_id}/payment_methods": Call(
        "attach_payment_method",
        "Saves a payment method by the token that the gateway's front end gave: never a card number. "
        "Due payments of the customer that were declined are then charged to it. In the sandbox, "
        "`pm_sandbox_` and one of `card_ok card_declined card_insufficient_funds card_expired card_needs_customer "
        "bank_ok wallet_ok invoice_ok`.",
        ("customer-required", "payment-method-unusable"),
    ),
    "GET /customers/{customer_id}/payment_methods/{payment_method_id}": Call(
        "get_payment_method", "A saved payment method, without anything that could pay."
    ),
    "GET /customers/{customer_id}/payment_methods": Call(
        "list_payment_methods", "A customer's payment methods, newest first; `status=active` leaves out removed ones."
    ),
    "PUT /customers/{customer_id}/payment_methods/{payment_method_id}/default": Call(
        "set_default_payment_method",
        "Makes it the one that is charged when a confirmation names none.",
        ("payment-method-unusable",),
    ),
    "DELETE /customers/{customer_id}/payment_methods/{payment_method_id}": Call(
        "remove_payment_method", "Removes a payment method: it is never charged again. Doing so twice is no error."
    ),
    "POST /products": Call("create_product", "Makes a product: what is sold, and in which unit."),
    "GET /products/{product_id}": Call("get_product", "A product."),
    "GET /products": Call("list_products", "The organisation's products, newest first."),
    "POST /products/{product_id}/pricings": Call(
        "create_pricing",
        "Makes a price that the product can be sold at: `flat_fee`, `per_unit`, `tiered` (each slice at its own "
        "price), `volume` (all at the reached bracket's price), `step` (the reached tier's amount) or `package`.",
    ),
    "GET /products/{product_id}/pricings/{pricing_id}": Call("get_pricing", "A pricing of the product."),
    "GET /products/{product_id}/pricings": Call("list_pricings", "The product's pricings, newest first."),
    "POST /plans": Call(
        "create_plan",
        "Makes a plan of phases that contracts are copied from. Prices of the catalogue are copied into it now. "
        "A phase without a duration runs to the end.",
        ("currency-mismatch",),
    ),
    "GET /plans/{plan_id}": Call("get_plan", "A plan in its newest version."),
    "GET /plans": Call("list_plans", "The organisation's plans, newest first."),
    "PUT /plans/{plan_id}": Call(
        "replace_plan",
        "Replaces a plan by a new version. What was opened with an older one keeps that.",
        ("currency-mismatch", "invalid-plan-status"),
    ),
    "POST /plans/{plan_id}/activate": Call(
        "activate_plan", "From a draft to a plan that sessions can be opened with.", ("invalid-plan-status",)
    ),
    "POST /plans/{plan_id}/archive": Call(
        "archive_plan",
        "No new contract is made from it; those that were made stay as they are.",
        ("invalid-plan-status",),
    ),
    "GET /contracts/{contract_id}": Call(
        "get_contract", "A contract as it was priced. A checkout makes contracts, and nothing else does."
    ),
    "GET /contracts": Call("list_contracts", "The organisation's contracts, newest first."),
    "GET /payments/{payment_id}": Call(
        "get_payment", "A charge or refund, by the key that it has at the gateway; its slashes may stand in the path."
    ),
    "GET /payments": Call("list_payments", "Charges and refunds of the organisation, newest first."),
    "GET /request_log": Call(
        "list_requests",
        "What this organisation's keys asked, and how it was answered; newest first, visible within a second. The newest "
        "10,000 are kept, for 7 days at most; a server that is killed, or kept from its database for long, may forget "
        "some. Requests without a valid key are nobody's, and not listed.",
    ),
    "POST /business_entities": Call(
        "create_business_entity", "Makes a legal entity that sells. Sessions of guests need one."
    ),
    "GET /business_entities/{business_entity_id}": Call("get_business_entity", "A business entity."),
    "GET /business_entities": Call("list_business_entities", "The organisation's business entities, newest first."),
    "POST /webhooks/{gateway}": Call(
        "take_gateway_event",
        "For gateways, not for merchants: the body is the gateway's own, and its signature is the authentication. "
        "Answered once the event is stored; anything but a 2xx says that it is not, and should be sent again.",
        ("bad-request", "unauthorized", "not-found", "content-too-large", "temporarily-unavailable"),
    ),
    "GET /outcome/{organisation}/{session}": Call(
        "show_outcome",
        "For customers: the page that they return to where the merchant gave no address. Its own signature is the "
        "authentication, in the link that the service made. While nobody can tell, it looks again by itself.",
        ("not-found",),
    ),
    "GET /problems/{name}": Call(
        "explain_problem",
        "The page that the `type` of a problem resolves to: what it means, and what to do.",
        ("not-found",),
    ),
    "GET /health/live": Call("get_liveness", "Whether this process answers; it asks nothing else."),
    "GET /health/ready": Call(
        "get_readiness",
        "Whether requests can be served: 503 with the part that is away where not.",
        ("temporarily-unavailable",),
    ),
    "GET /metrics": Call("get_metrics", "The counters of this process, in Prometheus's text format."),
}
"""By method and path, in the order in which people read about them."""

TAGS: Final[Mapping[str, str]] = {
    "Checkout sessions": "A purchase from its first price to the money: open a session, change it, confirm it or "
    "cancel it. Each is one workflow: if a process dies in the middle, another one goes on where it stopped.",
    "Customers": "Whom contracts are made with.",
    "Payment methods": "What customers can be charged with later. The gateway keeps the secret part.",
    "Products": "What is sold, and the pricings that it can be sold at.",
    "Plans": "Phases of products and prices that contracts are copied from.",
    "Contracts": "What was agreed. Checkout makes them.",
    "Payments": "Charges and refunds, as the gateway told us.",
    "Business entities": "The legal entities that sell.",
    "Requests": "What was asked of the API, for those who look for what went wrong.",
    "Events in": "What gateways tell us.",
    "Outcomes": "What customers see after paying, where the merchant has no page for it.",
    "Problems": "What each kind of error means, and what to do about it.",
    "Health": "What an operator's monitoring asks.",
}
"""The tags in the order of the document."""
