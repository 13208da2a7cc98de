"""Names of schemas that people and generated clients can read: FastAPI's carry module paths where two are alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

NAMES: Final[Mapping[str, str]] = {
    "Instalments-Input": "NewInstalments",
    "Instalments-Output": "Instalments",
    "Item": "PlanItem",
    "Mode": "ConfirmationMode",
    "Moment": "TimelineMoment",
    "Part-Input": "NewPart",
    "Part-Output": "Part",
    "Payment-Input": "PaymentStatus",
    "Payment-Output": "PaymentStatus",
    "Status": "CheckoutSessionStatus",
    "api__health__Part": "HealthPart",
    "api__payments__Payment": "Payment",
    "api__products__Pricing": "Pricing",
    "api__products__Product": "Product",
    "checkout__catalogue__Pricing": "PlanPricing",
    "checkout__catalogue__Product": "PlanProduct",
    "checkout__lifecycle__Payment": "PaymentStatus",
    "checkout__terms__Part": "Part",
}

_REF: Final = "#/components/schemas/"
_LIST: Final = "Listed_"


def renamed(document: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of *document* whose schemas have readable names, with each of them as its title."""
    schemas = document["components"]["schemas"]
    named = {
        name(old): {**schema, "title": name(old)} if "title" in schema else schema for old, schema in schemas.items()
    }
    whole: dict[str, Any] = _copied({**document, "components": {**document["components"], "schemas": named}})
    return whole


def name(old: str) -> str:
    """`Listed_Customer_` is a CustomerList, of api__payments__Payment a PaymentList."""
    if old.startswith(_LIST):
        return f"{name(old.removeprefix(_LIST).removesuffix('_'))}List"
    return NAMES.get(old, old)


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copied(member) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_copied(item) for item in value]
    if isinstance(value, str) and value.startswith(_REF):
        return _REF + name(value.removeprefix(_REF))
    return value
