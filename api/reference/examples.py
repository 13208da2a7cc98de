"""Examples of every call: what is sent, and what came back when it was sent to a real stack (examples.json)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import Field

from api.fields import Shown

Named = dict[str, dict[str, Any]]
"""Examples by name, each as OpenAPI has it: `value`, and perhaps a `summary`."""


class Example(Shown):
    """A call: its *path* and *query* parameters and *headers*, its bodies by name, its answers by status and name."""

    path: dict[str, str] = Field(default_factory=dict)
    query: dict[str, str] = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict)
    requests: Named = Field(default_factory=dict)
    answers: dict[str, Named] = Field(default_factory=dict)

    def at(self, path: str) -> str:
        """The path of this call: *path* with its parameters filled in."""
        return path.format_map(self.path)

    @property
    def body(self) -> Any:
        """What is sent in the first of its bodies; None where nothing is."""
        return next((request["value"] for request in self.requests.values()), None)


def _whole(written: Mapping[str, Any]) -> dict[str, Any]:
    """The calls, their sessions whole: one that is `like` another call's is written as what differs from it."""
    whole = json.loads(json.dumps(written))
    for example in whole.values():
        for named in example.get("answers", {}).values():
            for shown in named.values():
                if like := shown.pop("like", None):
                    shown["value"] = {**written[like]["answers"]["200"]["answer"]["value"], **shown["value"]}
    return dict(whole)


EXAMPLES: Final[Mapping[str, Example]] = {
    operation: Example.model_validate(example)
    for operation, example in _whole(json.loads(Path(__file__).with_name("examples.json").read_text())).items()
}
"""By the operation's id."""
