"""What a merchant or an operator may say of a checkout session (api.md, Checkout sessions)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo, field_validator, model_validator

from api.fields import Address, Advance, Body, Day, Email, Instant, JsonObject, Name, Phone, TaxInfos, Text, Url, Yes
from checkout.commands import Change
from checkout.contract import ContractBody
from checkout.money import Currency
from checkout.session import Mode, PaymentMethodType

Key = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[\x20-\x7e]+$")]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=500)]


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    return text


Why = Annotated[Text, StringConstraints(min_length=1, max_length=500), AfterValidator(_said)]
"""A reason that is one."""

NEEDS: Final[Mapping[Change, str]] = {"move": "date", "change_method": "payment_method_id"}
TAKES: Final[Mapping[Change, str]] = {**NEEDS, "bring_forward": "date"}
"""What an action on a due payment needs to be told beside its reason, and what it may be."""


class Guest(Body):
    """A customer who is not one yet."""

    customer_name: Name
    email: Email | None = None
    phone_number: Phone | None = None
    address: Address | None = None
    tax_info: TaxInfos = Field(default_factory=list)
    custom_data: JsonObject | None = None


class Surroundings(Body):
    """What goes with a session and can be changed while it is open. Absent members of a PUT stay as they are."""

    expires_at: Instant | None = None
    customer: Guest | None = None
    business_entity_id: UUID | None = None
    currency: Currency | None = None
    success_url: Url | None = None
    cancel_url: Url | None = None
    pending_url: Url | None = None
    correlation_id: Name | None = None
    attribution: JsonObject | None = None
    custom_data: JsonObject | None = None


class NewSession(Surroundings):
    """Open a session: a contract, and a customer or a guest. *expires_at* is 24 h from now unless given, at least 5
    minutes and at most 30 days away.
    """

    contract: ContractBody
    customer_id: UUID | None = None
    guest_checkout: Yes = False
    idempotency_key: Key | None = None

    @model_validator(mode="after")
    def _either_customer_or_guest(self) -> NewSession:
        if self.guest_checkout and self.customer_id is not None:
            raise ValueError("customer_id and guest_checkout exclude each other")
        if self.guest_checkout and (self.customer is None or self.business_entity_id is None):
            raise ValueError("guest_checkout needs customer and business_entity_id")
        if not self.guest_checkout and self.customer is not None:
            raise ValueError("customer is for guests: use customer_id, or guest_checkout")
        return self


class ChangedSession(Surroundings):
    """Change an open session, all or nothing."""

    contract: ContractBody | None = None
    reason: (
        Literal["customer_request", "admin_correction", "price_update", "contract_update", "error_correction", "other"]
        | None
    ) = None
    note: Annotated[Text, StringConstraints(max_length=500)] | None = None

    @model_validator(mode="after")
    def _keeps_a_contract(self) -> ChangedSession:
        if "contract" in self.model_fields_set and self.contract is None:
            raise ValueError("contract can't be removed")
        return self


class ConfirmBody(Body):
    """Confirm. With *redirect* and a page to go to the answer is a 302, otherwise JSON. With *save_payment_method* what the
    customer pays with at the page becomes a payment method of theirs.
    """

    confirmation: Mode
    redirect: Yes = False
    preferred_payment_method: PaymentMethodType | None = None
    save_payment_method: Yes = False
    payment_description: Annotated[Text, StringConstraints(max_length=255)] | None = None
    customer_notes: Text | None = None
    payment_method_id: UUID | None = None
    estimation_id: Annotated[str, StringConstraints(max_length=128)] | None = None

    @model_validator(mode="after")
    def _only_a_page_saves(self) -> ConfirmBody:
        if self.save_payment_method and self.confirmation is not Mode.CHARGE_IMMEDIATELY:
            raise ValueError("save_payment_method needs charge_immediately")
        return self


class CancelBody(Body):
    """Cancel an open session. *reason* says more; the type `other` needs it."""

    reason_type: (
        Literal["customer_requested", "payment_failed", "expired", "duplicate", "fraudulent", "other"] | None
    ) = None
    reason: Annotated[Text, StringConstraints(max_length=500)] | None = None
    reference_id: Name | None = None

    @model_validator(mode="after")
    def _other_needs_a_reason(self) -> CancelBody:
        if self.reason_type == "other" and not self.reason:
            raise ValueError("reason_type other needs a reason")
        return self


class RetryBody(Body):
    """Run the failing step again now."""

    reason: Reason


class AcknowledgeBody(Body):
    """Say that somebody has seen to what needed attention."""

    reason: Reason


class CompensateBody(Body):
    """Undo everything done so far, then reopen the session or close it."""

    reason: Reason
    then: Literal["reopen", "close"] = "reopen"


class TestClockBody(Body):
    """Move the session's clock forward."""

    advance: Advance


class PaymentChange(Body):
    """Change a due payment. `move` needs the day *date*, `bring_forward` takes one that is earlier (now without one),
    `change_method` needs a saved method of the customer's in *payment_method_id*; the other actions take neither.
    """

    action: Change
    date: Annotated[Day | None, Field(validate_default=True)] = None
    payment_method_id: Annotated[UUID | None, Field(validate_default=True)] = None
    reason: Why

    @field_validator("date", "payment_method_id")
    @classmethod
    def _as_the_action_takes_it(cls, value: Any, info: ValidationInfo) -> Any:
        action = info.data.get("action")
        if action and value is None and NEEDS.get(action) == info.field_name:
            raise ValueError(f"is required with the action {action}")
        if action and value is not None and TAKES.get(action) != info.field_name:
            raise ValueError(f"does not go with the action {action}")
        return value
