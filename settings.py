"""The only place that reads the environment; read only by composition roots.

Temporal's own variables (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TLS, API key, profiles) are read by Temporal's
client configuration, not here.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Every member is an environment variable with the prefix CHECKOUT_, in capitals."""

    model_config = SettingsConfigDict(env_prefix="CHECKOUT_", frozen=True, hide_input_in_errors=True)

    home: Path = Field(Path(".checkout"), description="Folder of the embedded stack's state")
    database_url: SecretStr | None = Field(None, description="PostgreSQL of the service: postgresql://user:pw@host/db")
    pepper: SecretStr | None = Field(None, description="Secret mixed into the stored hashes of API keys")
    host: str = Field("127.0.0.1", description="Address the HTTP parts listen on")
    port: int = Field(8000, description="Port of `checkout api`")
    public_url: str | None = Field(None, description="Base URL of the API as customers reach it, for its outcome page")
    wait: float = Field(10, gt=0, le=60, description="Seconds a call waits for its outcome before it answers 202")
    task_queue: str = Field("checkout", description="Temporal task queue that API and workers share")
    temporal_ui: str | None = Field(None, description="Base URL of the Temporal UI, for links that operators follow")
    retention_days: int = Field(30, ge=1, description="Days Temporal keeps the history of a finished session")
    sandbox_url: str | None = Field(None, description="Base URL of the sandbox payment provider")
    sandbox_secret: SecretStr | None = Field(None, description="Bearer secret between the service and the sandbox")
    webhook_secret: SecretStr | None = Field(
        None, description="Secret the sandbox signs its events with: whsec_...; several, while one replaces another"
    )
    sandbox: bool = Field(False, description="Start the provider as a sandbox: ledger, faults, disputes, without a key")
    stripe_secret_key: SecretStr | None = Field(None, description="Stripe's secret or restricted key: sk_... or rk_...")
    stripe_secret_key_file: Path | None = Field(None, description="File that holds it instead")
    stripe_webhook_secrets: SecretStr | None = Field(
        None, description="Secrets Stripe signs its events with, by commas: whsec_..."
    )
    stripe_webhook_secrets_file: Path | None = Field(None, description="File that holds them instead, also one a line")
    stripe_url: str | None = Field(None, description="Where Stripe's API is, for tests")
    gateway_port: int = Field(8001, description="Port of `checkout gateway`")
    gateway_store: Path = Field(Path(".checkout/gateway.db"), description="The sandbox provider's own store")
    gateway_webhook_url: str | None = Field(None, description="Where the sandbox sends its events")
    api_url: str | None = Field(None, description="Base URL of the API that `checkout ops` talks to")
    operator_key: SecretStr | None = Field(None, description="Operator's API key that `checkout ops` acts with")

    @model_validator(mode="before")
    @classmethod
    def _from_files(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Read the secrets that stand in files."""
        files = {name.removesuffix("_file"): path for name, path in given.items() if name.endswith("_file") and path}
        if both := sorted(files.keys() & given.keys()):
            raise ValueError(f"{both[0]} and {both[0]}_file are both set: one is enough")
        try:
            return given | {name: Path(path).read_text().strip() for name, path in files.items()}
        except OSError as error:
            raise ValueError(f"a file of a secret can't be read: {error.strerror}") from None


@cache
def settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()
