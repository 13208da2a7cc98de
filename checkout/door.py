"""What an organisation's door lets in: how often each of its keys may call."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class DoorRules(BaseModel):
    """*rate_limit* is how many requests a second each key of the organisation may send."""

    model_config = ConfigDict(frozen=True)

    rate_limit: Annotated[int, Field(ge=1, le=1_000_000)] = 2000
