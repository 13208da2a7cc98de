"""The parts of one stack and how each finds the others."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from settings import Settings
from stack.ports import HOST, PURPOSES, Ports
from stack.postgres import Postgres
from stack.secrets import Secrets
from stack.temporal import Temporal, without_temporal

TEMPORAL_PORTS: Final = {"temporal", "temporal_ui", "temporal_http", "temporal_metrics"}


@dataclass(frozen=True)
class Blueprint:
    """Addresses and environments, from settings, ports and kept secrets; state under *home*."""

    settings: Settings
    home: Path
    ports: Ports
    secrets: Secrets

    @property
    def api(self) -> str:
        return f"http://{HOST}:{self.ports.api}"

    @property
    def gateway(self) -> str:
        return f"http://{HOST}:{self.ports.gateway}"

    @property
    def database(self) -> str:
        return self.postgres.url if self.postgres else _open(self.settings.database_url, "")

    @property
    def pepper(self) -> str:
        return _open(self.settings.pepper, self.secrets.pepper)

    @cached_property
    def postgres(self) -> Postgres | None:
        """The embedded server, or None where CHECKOUT_DATABASE_URL names another."""
        if self.settings.database_url:
            return None
        return Postgres(self.home, self.ports.postgres, self.secrets.postgres_password, self.secrets.database_password)

    @cached_property
    def temporal(self) -> Temporal | None:
        """The embedded server, or None where TEMPORAL_ADDRESS names another."""
        return None if os.environ.get("TEMPORAL_ADDRESS") else Temporal(self.home, self.ports)

    @property
    def temporal_address(self) -> str:
        return self.temporal.address if self.temporal else os.environ["TEMPORAL_ADDRESS"]

    @property
    def temporal_ui(self) -> str:
        """The base URL of the embedded UI, or what CHECKOUT_TEMPORAL_UI says of another server's; empty for none."""
        return self.temporal.ui if self.temporal else self.settings.temporal_ui or ""

    @property
    def purposes(self) -> set[str]:
        """What this stack itself listens for, in the words of stack.ports."""
        foreign = (set() if self.postgres else {"postgres"}) | (set() if self.temporal else TEMPORAL_PORTS)
        return set(PURPOSES) - foreign

    @cached_property
    def environment(self) -> Mapping[str, str]:
        """What our own programs are told: the settings as they are, and where everything is here."""
        told = without_temporal(os.environ) | self.temporal.environment if self.temporal else dict(os.environ)
        return told | {
            "CHECKOUT_HOME": str(self.home),
            "CHECKOUT_HOST": HOST,
            "CHECKOUT_PORT": str(self.ports.api),
            "CHECKOUT_PUBLIC_URL": self.settings.public_url or self.api,
            "CHECKOUT_DATABASE_URL": self.database,
            "CHECKOUT_PEPPER": self.pepper,
            "CHECKOUT_SANDBOX_URL": self.gateway,
            "CHECKOUT_SANDBOX_SECRET": _open(self.settings.sandbox_secret, self.secrets.sandbox_secret),
            "CHECKOUT_WEBHOOK_SECRET": _open(self.settings.webhook_secret, self.secrets.webhook_secret),
            "CHECKOUT_SANDBOX": "true",
            "CHECKOUT_GATEWAY_PORT": str(self.ports.gateway),
            "CHECKOUT_GATEWAY_STORE": str(self.home / "gateway.db"),
            "CHECKOUT_GATEWAY_WEBHOOK_URL": f"{self.api}/webhooks/sandbox",
            "CHECKOUT_TEMPORAL_UI": self.temporal_ui,
            "PYTHONUNBUFFERED": "1",
        }


def _open(given: SecretStr | None, otherwise: str) -> str:
    return given.get_secret_value() if given else otherwise
