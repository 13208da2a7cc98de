"""What an organisation's door lets in and out: how often its keys may call, and where its customers may be sent."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from checkout.hosts import pattern

RedirectHost = Annotated[str, AfterValidator(pattern)]
"""A host, or `*.example.com` for all hosts below it."""


class DoorRules(BaseModel):
    """*rate_limit* is how many requests a second each key of the organisation may send; a session's customer may be
    sent to *redirect_hosts* only, or anywhere where there are none.
    """

    model_config = ConfigDict(frozen=True)

    rate_limit: Annotated[int, Field(ge=1, le=1_000_000)] = 2000
    redirect_hosts: Annotated[tuple[RedirectHost, ...], Field(max_length=100)] = ()
