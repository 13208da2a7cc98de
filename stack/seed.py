"""An organisation with a business entity and keys, so that a fresh service can be used at once."""

from __future__ import annotations

from typing import Annotated, Final

from iso3166 import countries_by_alpha2
from pydantic import AfterValidator, BaseModel, ConfigDict

from checkout.door import DoorRules
from checkout.due import DueRules
from checkout.money import Currency
from stack.secrets import Secrets
from store import api_keys, business_entities, organisations
from store.database import Database


def _known_country(code: str) -> str:
    if code not in countries_by_alpha2:
        raise ValueError("must be an ISO 3166-1 alpha-2 country code, in capitals")
    return code


class Company(BaseModel):
    """Who is given access: the country as ISO 3166-1 alpha-2, the currency as ISO 4217; *rules* for due payments,
    *door* for what is let in.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    country: Annotated[str, AfterValidator(_known_country)]
    currency: Currency
    rules: DueRules = DueRules()
    door: DoorRules = DoorRules()


EXAMPLE: Final = Company(name="Example Company", country="DE", currency="EUR")


async def seed(url: str, company: Company, secrets: Secrets, pepper: str) -> None:
    """Put *company*, with the ids and keys of *secrets*, into the database at *url*, unless it is there."""
    async with Database(url, most=2) as database:
        async with database.unbound() as connection:
            await organisations.ensure(connection, secrets.organisation, company.name, company.rules, company.door)
            await api_keys.store_key(connection, secrets.organisation, secrets.api_key, "merchant", pepper)
            await api_keys.store_key(connection, secrets.organisation, secrets.operator_key, "operator", pepper)
        async with database.of(secrets.organisation) as connection:
            await business_entities.ensure(
                connection, secrets.business_entity, company.name, company.country, company.currency
            )
