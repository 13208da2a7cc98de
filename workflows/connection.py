"""How every process of ours reaches Temporal: by Temporal's own variables and profiles, with our payloads."""

from __future__ import annotations

from collections.abc import Mapping

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfig


async def connect(*, lazy: bool = False, override: Mapping[str, str] | None = None) -> Client:
    """A client of the server that TEMPORAL_ADDRESS and the like name, or those of *override* instead of them.

    A *lazy* one connects at its first call, so that its process starts while Temporal is away. Raises RuntimeError
    where no server answers.
    """
    config = ClientConfig.load_client_connect_config(override_env_vars=dict(override) if override else None)
    config.setdefault("target_host", "localhost:7233")
    return await Client.connect(**config, data_converter=pydantic_data_converter, lazy=lazy)
