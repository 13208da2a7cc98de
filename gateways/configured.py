"""The gateways of a process: an adapter for each whose credentials it was given, built in this one place."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from pydantic import SecretStr

from gateways.port import PaymentGateway
from gateways.sandbox import SandboxGateway
from gateways.stripe import StripeGateway


class Configuration(Protocol):
    """What the settings say of gateways; credentials are here and nowhere else."""

    @property
    def sandbox_url(self) -> str | None: ...

    @property
    def sandbox_secret(self) -> SecretStr | None: ...

    @property
    def webhook_secret(self) -> SecretStr | None: ...

    @property
    def stripe_secret_key(self) -> SecretStr | None: ...

    @property
    def stripe_webhook_secrets(self) -> SecretStr | None: ...

    @property
    def stripe_url(self) -> str | None: ...


class Configured(PaymentGateway, Protocol):
    """An adapter of this process, which closes it when it ends."""

    async def aclose(self) -> None: ...


class HalfConfigured(Exception):
    """A gateway is there, and a secret of it is missing."""


class NoSuchGateway(Exception):
    """There is no such gateway, or no such account at it; the message is for whoever chose it."""


def configured(given: Configuration) -> dict[str, Configured]:
    """The adapters by their names. Raises HalfConfigured."""
    built = {name: build(given) for name, build in ADAPTERS.items()}
    return {name: gateway for name, gateway in built.items() if gateway is not None}


def check_choice(gateway: str, account: str | None) -> None:
    """Raise NoSuchGateway where there is no such *gateway*, or no *account* at it that looks like this; None is that of
    the credentials.
    """
    if gateway not in ADAPTERS:
        raise NoSuchGateway(f"There is no gateway {gateway}: choose one of {', '.join(ADAPTERS)}.")
    looks = ACCOUNTS.get(gateway)
    if account is not None and looks is None:
        raise NoSuchGateway(f"{gateway} has no accounts to choose from.")
    if account is not None and not re.fullmatch(looks or "", account):
        raise NoSuchGateway(f"{gateway} has no account like {account}.")


def _sandbox(given: Configuration) -> SandboxGateway | None:
    if not given.sandbox_url:
        return None
    secret = _needed(given.sandbox_secret, "CHECKOUT_SANDBOX_SECRET")
    return SandboxGateway(given.sandbox_url, secret, _needed(given.webhook_secret, "CHECKOUT_WEBHOOK_SECRET"))


def _stripe(given: Configuration) -> StripeGateway | None:
    if given.stripe_secret_key is None or not given.stripe_secret_key.get_secret_value():
        return None
    signing = _needed(given.stripe_webhook_secrets, "CHECKOUT_STRIPE_WEBHOOK_SECRETS")
    secrets = [secret for secret in re.split(r"[\s,]+", signing) if secret]
    if not secrets:
        raise HalfConfigured("CHECKOUT_STRIPE_WEBHOOK_SECRETS names no secret")
    return StripeGateway(given.stripe_secret_key.get_secret_value(), secrets, url=given.stripe_url)


def _needed(secret: SecretStr | None, name: str) -> str:
    if secret is None or not secret.get_secret_value().strip():
        raise HalfConfigured(f"{name} is not set")
    return secret.get_secret_value()


ADAPTERS: Final[Mapping[str, Callable[[Configuration], Configured | None]]] = {
    SandboxGateway.name: _sandbox,
    StripeGateway.name: _stripe,
}
"""By the name that an organisation chooses it with."""

ACCOUNTS: Final = {StripeGateway.name: r"acct_\w{1,60}"}
"""Where one set of credentials serves several accounts, what those look like: with Stripe Connect."""
