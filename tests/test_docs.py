"""The pages under docs/: up to date, whole, and about the product only."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from checkout.diagram import PAYMENT_EVENTS, SESSION_EVENTS, Table, page
from checkout.lifecycle import PAYMENT, SESSION, Event, PaymentEvent

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
DECISIONS = sorted((DOCS / "decisions").glob("[0-9]*.md"))
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
HEADINGS = ["Context", "Decision", "Consequences", "What else was considered"]
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)]+)\)")
CODE = re.compile(r"`((?:[a-z_]+/)+[\w.-]+\.(?:py|md|json|sql|yml)|[a-z_]+\.(?:py|yml|toml|txt))`")
MACHINE = re.compile(r"(?<![\w.])/(?:home|root|work|tmp|Users)/")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def transitions(table: Table) -> list[tuple[str, str, str]]:
    """From where to where, by which event."""
    return [(status, to, event) for status, exits in table.items() for event, to in exits.items()]


def test_the_lifecycle_page_is_made_from_the_tables() -> None:
    assert (DOCS / "lifecycle.md").read_text() == page(), "python -m checkout.diagram > docs/lifecycle.md"


def test_the_diagrams_show_every_transition_and_no_other() -> None:
    shown = re.findall(r"^    (\w+) --> (\w+): (\w+)$", page(), re.MULTILINE)

    assert shown == transitions(SESSION) + transitions(PAYMENT)


def test_every_event_is_explained() -> None:
    assert set(SESSION_EVENTS) == set(Event)
    assert set(PAYMENT_EVENTS) == set(PaymentEvent)


def test_decisions_are_numbered_without_gaps_and_all_listed() -> None:
    listed = LINK.findall((DOCS / "decisions" / "README.md").read_text())

    assert [path.name[:4] for path in DECISIONS] == [f"{n:04}" for n in range(1, len(DECISIONS) + 1)]
    assert listed == [path.name for path in DECISIONS]


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_says_why_what_then_and_what_else_in_half_a_page(path: Path) -> None:
    text = path.read_text()

    assert text.startswith(f"# {int(path.name[:4])}. ")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == HEADINGS
    assert all(part.strip() for part in re.split(r"^#.*$", text, flags=re.MULTILINE)[2:])
    assert len(text.split()) <= 400


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_links_and_files_that_a_page_names_are_there(path: Path) -> None:
    text = path.read_text()

    linked = [target for target in LINK.findall(text) if not urlsplit(target).scheme]
    assert [target for target in linked if not (path.parent / target.partition("#")[0]).exists()] == []
    assert [name for name in CODE.findall(text) if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_a_page_names_no_machine(path: Path) -> None:
    assert MACHINE.findall(path.read_text()) == []
