"""The search attributes operators filter by in the Temporal UI; never personal data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from checkout.session import SessionState

STATUS: Final = SearchAttributeKey.for_keyword("CheckoutStatus")
PAYMENT_STATUS: Final = SearchAttributeKey.for_keyword("CheckoutPaymentStatus")
MODE: Final = SearchAttributeKey.for_keyword("CheckoutMode")
ORGANISATION: Final = SearchAttributeKey.for_keyword("CheckoutOrganisation")
FAILING_STEP: Final = SearchAttributeKey.for_keyword("CheckoutFailingStep")
NEEDS_ATTENTION: Final = SearchAttributeKey.for_bool("CheckoutNeedsAttention")
NEXT_DUE: Final = SearchAttributeKey.for_datetime("CheckoutNextDue")

ATTRIBUTES: Final[Mapping[str, str]] = {
    STATUS.name: "Keyword",
    PAYMENT_STATUS.name: "Keyword",
    MODE.name: "Keyword",
    ORGANISATION.name: "Keyword",
    FAILING_STEP.name: "Keyword",
    NEEDS_ATTENTION.name: "Bool",
    NEXT_DUE.name: "Datetime",
}
"""Name and type of each, as `checkout migrate` registers them."""


def attributes_of(state: SessionState) -> dict[SearchAttributeKey[Any], Any]:
    """What the session's search attributes are now; None where there is nothing to say."""
    return {
        STATUS: state.status.value,
        PAYMENT_STATUS: state.payment_status.value,
        ORGANISATION: str(state.organisation),
        NEEDS_ATTENTION: state.attention is not None,
        MODE: state.confirmation.mode.value if state.confirmation else None,
        FAILING_STEP: state.attention.step if state.attention else None,
        NEXT_DUE: state.next_due_at,
    }


def typed(state: SessionState) -> TypedSearchAttributes:
    """The same, for starting the workflow with."""
    return TypedSearchAttributes(
        [SearchAttributePair(key, value) for key, value in attributes_of(state).items() if value is not None]
    )
