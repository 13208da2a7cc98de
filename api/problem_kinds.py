"""Every error the API answers, in one table: its status, and what its page says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Kind:
    """A type of problem: its HTTP status, and what its page says."""

    status: int
    title: str
    meaning: str
    advice: str


_SAME_KEY = "Send the same request again with the same Idempotency-Key: it finds out what happened and never doubles."

KINDS: Final[Mapping[str, Kind]] = {
    "bad-request": Kind(400, "Bad request", "The request could not be read.", "Check what was sent."),
    "unauthorized": Kind(
        401,
        "No valid API key",
        "The header x-api-key is missing, malformed, unknown or revoked, or a key stood in the query string.",
        "Send a valid key in the header x-api-key, and nowhere else.",
    ),
    "forbidden": Kind(
        403,
        "Not allowed with this key",
        "The key's scope is not enough for this call, or the organisation header names another organisation.",
        "Use a key with the scope that the call asks for, and its own organisation or none in the header.",
    ),
    "not-found": Kind(
        404, "Not found", "There is nothing here, or it belongs to another organisation.", "Check the path and its ids."
    ),
    "session-not-found": Kind(
        404,
        "Checkout session not found",
        "There is no such session in this organisation.",
        "Check the id; it is the one that creating the session answered.",
    ),
    "method-not-allowed": Kind(
        405, "Method not allowed", "This path does not answer that method.", "See the Allow header."
    ),
    "invalid-status-transition": Kind(
        409,
        "Not possible in the session's status",
        "The session's status, or its payment's, does not allow this call.",
        "Read `session_status`, `payment_status` and `allowed`: they say where it stands and what is possible now.",
    ),
    "estimate-changed": Kind(
        409,
        "The estimate has changed",
        "The session was changed after the estimate that this confirmation names.",
        "Show the customer the new estimate, then confirm with its `estimation_id`.",
    ),
    "confirmation-undone": Kind(
        409,
        "The confirmation was undone",
        "An operator undid the confirmation while this call waited for it.",
        "Read the session: it may be open again, or closed.",
    ),
    "stale-revision": Kind(
        409,
        "Changed meanwhile",
        "Another change of the session came in between.",
        "Read the session again, and send the change again.",
    ),
    "too-many-updates": Kind(409, "Too many updates", "A session can be updated 500 times.", "Open a new session."),
    "request-in-progress": Kind(
        409,
        "The same request is still running",
        "Another request with this Idempotency-Key has not ended yet.",
        "Wait as long as Retry-After says, then send the same request again.",
    ),
    "customer-exists": Kind(
        409,
        "There is an active customer with this e-mail",
        "An e-mail address belongs to one active customer of an organisation.",
        "Find the customer with GET /customers?email=, and use or change that one.",
    ),
    "invalid-plan-status": Kind(
        409,
        "Not possible in the plan's status",
        "A plan goes from draft to active to archived, and never back.",
        "Make a new plan.",
    ),
    "test-clock-unavailable": Kind(
        409,
        "This session's clock can't be moved",
        "Clocks are moved in sandbox organisations only, on a Temporal server that offers time skipping.",
        "Use a sandbox organisation; `checkout up` starts a server that offers it.",
    ),
    "stale-session": Kind(
        412,
        "The session has changed since",
        "The If-Match header names an older version of the session.",
        "Read the session again, and decide on what it is now.",
    ),
    "content-too-large": Kind(413, "Body too large", "A body may have 256 KiB.", "Send less."),
    "unsupported-media-type": Kind(
        415,
        "Not JSON",
        "A body must be JSON in UTF-8, not compressed.",
        "Send `Content-Type: application/json` and no Content-Encoding.",
    ),
    "validation": Kind(
        422,
        "The request is not valid",
        "A part of the request is missing, unknown, malformed or out of range.",
        "`errors` names each place (`loc`) and what is wrong there (`msg`).",
    ),
    "customer-required": Kind(
        422,
        "A customer is needed",
        "The session has neither a customer nor a guest's details, or the customer was archived since.",
        "Open a session with `customer_id`, or with `guest_checkout` and `customer`.",
    ),
    "payment-not-made": Kind(
        422,
        "The payment was not made",
        "The payment page was left, refused or not paid in time, so the confirmation was undone.",
        "Confirm again, until the session expires.",
    ),
    "payment-method-required": Kind(
        422,
        "A saved payment method is needed",
        "Charging later needs a saved payment method of the customer, and there is none that fits.",
        "Attach one to the customer, or confirm with `charge_immediately`.",
    ),
    "payment-method-unusable": Kind(
        422,
        "The payment method can't be used",
        "The gateway does not know or refuses it, it is expired or removed, or another customer's.",
        "Ask the customer for another one.",
    ),
    "contract-creation-failed": Kind(
        422,
        "The contract could not be made",
        "Drafting or activating the contract was refused.",
        "Read `detail`, change the session, and confirm again.",
    ),
    "due-date-required": Kind(
        422,
        "A due date is needed",
        "Charging later needs to know when.",
        "Give the contract payment terms or a start date.",
    ),
    "currency-mismatch": Kind(
        422,
        "Currencies differ",
        "The session, its contract and its prices must be in one currency.",
        "Use the contract's currency everywhere.",
    ),
    "idempotency-key-reused": Kind(
        422,
        "Idempotency key already used",
        "This key was used before, for another request; or header and body name different keys.",
        "Use a new key for a new request, and the same request with an old key.",
    ),
    "plan-not-available": Kind(
        422, "The plan is not available", "The plan is a draft, archived, or does not exist.", "Choose an active plan."
    ),
    "too-many-requests": Kind(
        429,
        "Too many requests",
        "This key has sent as many requests within this second as its organisation's keys may.",
        "Wait as long as Retry-After says, then send the same request again: nothing was done.",
    ),
    "internal-error": Kind(
        500, "Something went wrong here", "An error of the service, which is recorded.", f"{_SAME_KEY}"
    ),
    "temporarily-unavailable": Kind(
        503,
        "Temporarily unavailable",
        "Something that this call needs does not answer. Nothing is known to have failed.",
        f"Wait as long as Retry-After says. {_SAME_KEY}",
    ),
}

RETRY_AFTER: Final[Mapping[str, int]] = {"request-in-progress": 1, "too-many-requests": 1, "temporarily-unavailable": 2}
"""Seconds that a client is asked to wait, unless the raiser knows better."""

OF_STATUS: Final[Mapping[int, str]] = {
    401: "unauthorized",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    413: "content-too-large",
    415: "unsupported-media-type",
    422: "validation",
    429: "too-many-requests",
    503: "temporarily-unavailable",
}
"""The problems that the framework raises by status alone."""
