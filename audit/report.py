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
        table = Table("", "Invariant", "Session", "What was seen", title="Violations", title_justify="left")
        for each in report.violations:
            table.add_row(each.invariant, INVARIANTS[each.invariant].sentence, str(each.session), each.detail)
        yield table
    if report.moving:
        table = Table("Session", "Why", title="Not at rest: judged in part", title_justify="left")
        for session, why in report.moving.items():
            table.add_row(str(session), why)
        yield table
    table = Table("", "Not judged, and why", title="Beyond these sources", title_justify="left")
    for name, why in NOT_JUDGED.items():
        table.add_row(name, why)
    yield table
