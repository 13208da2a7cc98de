"""The ready file: where everything is and how to get in, written when all of it is healthy."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from stack.files import write_privately


class Pids(BaseModel):
    """Process ids of the parts; None where an existing server is used instead."""

    model_config = ConfigDict(frozen=True)

    postgres: int | None
    temporal: int | None
    gateway: int
    worker: int
    api: int


class Ready(BaseModel):
    """What a caller needs to use the stack. `temporal` is host:port, `database` a PostgreSQL URL, the others URLs."""

    model_config = ConfigDict(frozen=True)

    api: str
    api_key: str
    operator_key: str
    organisation: UUID
    business_entity: UUID
    database: str
    temporal: str
    temporal_ui: str | None
    gateway: str
    pids: Pids

    def write(self, path: Path) -> None:
        write_privately(path, self.model_dump_json(indent=2) + "\n")
