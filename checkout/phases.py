"""On which days the phases of a contract lie: those of a plan by their durations, those written out by their dates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from checkout.billing import DAY, Span, after, span
from checkout.catalogue import Loc, PhaseBody, PlanPhase, Sold
from checkout.fields import ContractProblem, Day


class DatedPhaseBody(PhaseBody):
    """A phase from *start_date* (else where the phase before ends) to *end_date*, included (else the next one's start)."""

    start_date: Day | None = None
    end_date: Day | None = None


class Phase(Sold):
    """A phase of a contract, from *start_date* to *end_date*, both included; without end, null."""

    start_date: date
    end_date: date | None = None


def dated(phases: Iterable[PlanPhase], start: date, end: date | None) -> Iterator[Phase]:
    """A plan's phases on days from *start*, until *end*. Months add up from the last anchor: 31 Jan, 28 Feb, 31 Mar."""
    anchor, months = start, 0
    for phase in phases:
        first = after(anchor, Span(months, 0))
        if end is not None and first > end:
            return
        last = end
        if phase.duration is not None:
            length = span(phase.duration)
            months += length.months
            if length.days:
                anchor, months = after(first, length), 0
            following = after(anchor, Span(months, 0))
            last = following - DAY if end is None else min(following - DAY, end)
        members = phase.model_dump(exclude={"duration"})
        yield Phase(**members, start_date=first, end_date=last)


def days_of(phases: tuple[DatedPhaseBody, ...], start: date, end: date | None) -> Iterator[tuple[date, date | None]]:
    """First and last day of each phase. Raises ContractProblem where they are not in order within *start* to *end*."""
    following: date | None = start
    for index, phase in enumerate(phases):
        loc: Loc = ("phases", index)
        first = phase.start_date or following
        if first is None:
            raise ContractProblem((*loc, "start_date"), "is required: the phase before has no end_date")
        last = phase.end_date or _last(phases[index + 1 :], end)
        if following is not None and first < following:
            rule = "must be after the phase before" if index else "must not be before the contract's"
            raise ContractProblem((*loc, "start_date"), rule)
        if last is not None and last < first:
            raise ContractProblem((*loc, "end_date"), "must not be before the phase's start; the next one begins after")
        if end is not None and max(first, last or first) > end:
            raise ContractProblem((*loc, "end_date"), "must not be after the contract's")
        following = last + DAY if last is not None else None
        yield first, last


def _last(rest: tuple[DatedPhaseBody, ...], end: date | None) -> date | None:
    """The last day of a phase that names none, *rest* being what follows it."""
    if not rest:
        return end
    return rest[0].start_date - DAY if rest[0].start_date else None
