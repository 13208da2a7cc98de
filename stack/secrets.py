"""The keys, passwords and ids of one embedded stack: made once, kept in its home, the same after every restart."""

from __future__ import annotations

import base64
import secrets
from pathlib import Path
from typing import Literal, Self
from uuid import UUID, uuid4

from pydantic import BaseModel, ConfigDict, Field

from stack.files import write_privately


def _password() -> str:
    return secrets.token_urlsafe(32)


def new_api_key(world: Literal["sandbox", "live"] = "sandbox") -> str:
    """A key of 256 random bits that says whether it is one for trying out."""
    return f"ck_{world}_{secrets.token_urlsafe(32)}"


def _webhook_secret() -> str:
    """A secret as Standard Webhooks writes it: `whsec_` and base64 of 32 bytes."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"


class Secrets(BaseModel):
    """What must stay the same for as long as the home exists."""

    model_config = ConfigDict(frozen=True)

    organisation: UUID = Field(default_factory=uuid4)
    business_entity: UUID = Field(default_factory=uuid4)
    api_key: str = Field(default_factory=new_api_key)
    operator_key: str = Field(default_factory=new_api_key)
    pepper: str = Field(default_factory=_password)
    sandbox_secret: str = Field(default_factory=_password)
    webhook_secret: str = Field(default_factory=_webhook_secret)
    postgres_password: str = Field(default_factory=_password)
    database_password: str = Field(default_factory=_password)

    @classmethod
    def of(cls, home: Path) -> Self:
        """The secrets kept in *home*, made now if it has none."""
        path = home / "secrets.json"
        kept = cls.model_validate_json(path.read_bytes()) if path.exists() else cls()
        write_privately(path, kept.model_dump_json(indent=2))
        return kept
