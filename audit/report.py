"""What the checker found, as tables for people or as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from audit.invariants import INVARIANTS, NOT_JUDGED
from audit.main import Report


def in_one_line(report: Report) -> str:
    """The whole of it for a line of its own: how many sessions, violations, and sessions not at rest."""
    found = len(report.violations)
    said = "no violation" if not found else "1 violation" if found == 1 else f"{found} violations"
    moving = f", {len(report.moving)} not at rest" if report.moving else ""
    return f"Audit: {report.sessions} {'session' if report.sessions == 1 else 'sessions'}, {said}{moving}"


def as_json(report: Report) -> str:
    """{sessions, violations[] {invariant, sentence, organisation, session, detail}, not_at_rest, not_judged}."""
    violations = [
        {
            "invariant": each.invariant,
            "sentence": INVARIANTS[each.invariant].sentence,
            "organisation": str(each.organisation),
            "session": str(each.session),
            "detail": each.detail,
        }
        for each in report.violations
    ]
    return json.dumps(
        {
            "sessions": report.sessions,
            "violations": violations,
            "not_at_rest": {str(session): why for session, why in report.moving.items()},
            "judged": {name: invariant.sentence for name, invariant in INVARIANTS.items()},
            "not_judged": dict(NOT_JUDGED),
        },
        indent=2,
    )


def show(report: Report, console: Console) -> None:
    for table in _tables(report):
        console.print(table)
    console.print(in_one_line(report), style="red" if report.violations else "green", markup=False)


def _tables(report: Report) -> Iterator[Table]:
    if report.violations:
        table = _table("Violations", "Invariant", "What was seen")
        for each in report.violations:
            sentence = f"{each.invariant} {INVARIANTS[each.invariant].sentence}"
            table.add_row(str(each.session), sentence, each.detail.replace(f"{each.session}/", ""))
        yield table
    if report.moving:
        table = _table("Not at rest: judged in part", "Why")
        for session, why in report.moving.items():
            table.add_row(str(session), why)
        yield table
    table = Table("", "Not judged, and why", title="Beyond these sources", title_justify="left")
    for name, why in NOT_JUDGED.items():
        table.add_row(name, why)
    yield table


def _table(title: str, *columns: str) -> Table:
    """A table of sessions, whose ids are always whole."""
    table = Table(title=title, title_justify="left")
    table.add_column("Session", no_wrap=True, min_width=36)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
