"""Which gateways a process has is configuration; their secrets come from the environment or from files."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from pydantic import ValidationError

from gateways.configured import ADAPTERS, HalfConfigured, NoSuchGateway, check_choice, configured
from gateways.sandbox import SandboxGateway
from gateways.stripe import StripeGateway
from settings import Settings
from tests.gateways.stripe_world import stripe_headers

EVENT = b'{"id": "evt_1", "type": "charge.succeeded"}'
SANDBOX = {
    "CHECKOUT_SANDBOX_URL": "http://127.0.0.1:8001",
    "CHECKOUT_SANDBOX_SECRET": "a secret",
    "CHECKOUT_WEBHOOK_SECRET": "whsec_c2FuZGJveA==",
}
STRIPE = {"CHECKOUT_STRIPE_SECRET_KEY": "sk_test_1", "CHECKOUT_STRIPE_WEBHOOK_SECRETS": "whsec_1, whsec_2"}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("SANDBOX_URL", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRETS"):
        monkeypatch.delenv(f"CHECKOUT_{name}", raising=False)
    return monkeypatch


def told(environment: pytest.MonkeyPatch, variables: dict[str, str]) -> Settings:
    for name, value in variables.items():
        environment.setenv(name, value)
    return Settings()


@pytest.mark.parametrize(
    ("variables", "names"),
    [
        ({}, []),
        (SANDBOX, ["sandbox"]),
        (STRIPE, ["stripe"]),
        (SANDBOX | STRIPE, ["sandbox", "stripe"]),
        (SANDBOX | {"CHECKOUT_STRIPE_SECRET_KEY": ""}, ["sandbox"]),
    ],
)
async def test_a_process_has_the_gateways_whose_credentials_it_has(
    environment: pytest.MonkeyPatch, variables: dict[str, str], names: list[str]
) -> None:
    async with AsyncExitStack() as closing:
        gateways = configured(told(environment, variables))
        for gateway in gateways.values():
            closing.push_async_callback(gateway.aclose)

        assert [*gateways] == names == [gateway.name for gateway in gateways.values()]


@pytest.mark.parametrize(
    "missing", ["CHECKOUT_SANDBOX_SECRET", "CHECKOUT_WEBHOOK_SECRET", "CHECKOUT_STRIPE_WEBHOOK_SECRETS"]
)
def test_a_gateway_without_one_of_its_secrets_is_refused_by_its_name(
    environment: pytest.MonkeyPatch, missing: str
) -> None:
    with pytest.raises(HalfConfigured, match=f"{missing} is not set"):
        configured(told(environment, {**SANDBOX, **STRIPE, missing: " "}))


def test_a_list_of_no_secrets_is_none(environment: pytest.MonkeyPatch) -> None:
    with pytest.raises(HalfConfigured, match="names no secret"):
        configured(told(environment, {**SANDBOX, **STRIPE, "CHECKOUT_STRIPE_WEBHOOK_SECRETS": " , "}))


async def test_secrets_are_read_from_files(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk_test_1\n")
    (tmp_path / "signing").write_text("whsec_1\nwhsec_2\n")
    given = told(
        environment,
        {
            "CHECKOUT_STRIPE_SECRET_KEY_FILE": str(tmp_path / "key"),
            "CHECKOUT_STRIPE_WEBHOOK_SECRETS_FILE": str(tmp_path / "signing"),
        },
    )

    assert given.stripe_secret_key is not None
    assert given.stripe_secret_key.get_secret_value() == "sk_test_1"
    gateway = configured(given)["stripe"]
    for secret in ("whsec_1", "whsec_2"):
        assert gateway.read_event(stripe_headers(EVENT, secret), EVENT).id == "evt_1"
    await gateway.aclose()


@pytest.mark.parametrize("path", ["nowhere", ""])
def test_a_secret_that_can_not_be_read_is_an_error_without_any_secret_in_it(
    environment: pytest.MonkeyPatch, path: str, tmp_path: Path
) -> None:
    file = tmp_path / path if path else Path(__file__)
    also = {} if path else {"CHECKOUT_STRIPE_SECRET_KEY": "sk_test_in_the_environment"}

    with pytest.raises(ValidationError) as raised:
        told(environment, {**STRIPE, **also, "CHECKOUT_STRIPE_SECRET_KEY_FILE": str(file)})

    assert "sk_test" not in str(raised.value)
    assert "whsec" not in str(raised.value)


@pytest.mark.parametrize(("gateway", "account"), [("sandbox", None), ("stripe", None), ("stripe", "acct_1NMDmKQ0")])
def test_a_gateway_that_there_is_can_be_chosen(gateway: str, account: str | None) -> None:
    check_choice(gateway, account)


@pytest.mark.parametrize(
    ("gateway", "account"),
    [("paypal", None), ("", None), ("Stripe", None), ("sandbox", "acct_1"), ("stripe", "cus_1"), ("stripe", "acct_1 ")],
)
def test_a_gateway_or_an_account_that_there_is_not_can_not_be_chosen(gateway: str, account: str | None) -> None:
    with pytest.raises(NoSuchGateway):
        check_choice(gateway, account)


def test_every_adapter_can_be_chosen_by_its_name() -> None:
    assert set(ADAPTERS) == {SandboxGateway.name, StripeGateway.name}
