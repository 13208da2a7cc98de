"""The invariants that are judged, as one table: what must hold, and the function that says what does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Final, NamedTuple

from audit import amounts, contracts, money, sessions
from audit.evidence import Evidence, Violation
from audit.rest import unrest

Judge = Callable[[Evidence], Iterator[str]]


class Invariant(NamedTuple):
    """*sentence* is what must hold; *always* is judged of every session, *at_rest* of those at rest."""

    sentence: str
    always: tuple[Judge, ...] = ()
    at_rest: tuple[Judge, ...] = ()


INVARIANTS: Final[Mapping[str, Invariant]] = {
    "M1": Invariant("At most one capture per obligation", always=(money.captured_once,)),
    "M2": Invariant(
        "Captured minus refunded is what is due so far if completed, else zero", at_rest=(money.collected_what_is_due,)
    ),
    "M3": Invariant(
        "Every charge has the amount and currency of the confirmed estimate", always=(money.charged_what_was_confirmed,)
    ),
    "M4": Invariant("Amounts are integer minor units of ISO 4217", always=(amounts.whole_minor_units,)),
    "M5": Invariant("Lines and instalments sum to the total, exactly", always=(amounts.sums_are_exact,)),
    "M6": Invariant("Refunds never exceed captures", always=(money.refunded_what_was_captured,)),
    "M7": Invariant(
        "Every charge has its payment row, and the other way round", at_rest=(money.rows_match_the_ledger,)
    ),
    "M8": Invariant("No payment stays unknown", at_rest=(money.outcomes_are_known,)),
    "M9": Invariant("One key, one meaning", always=(money.keys_have_one_meaning,)),
    "M10": Invariant("A new key only after a definite no", always=(money.new_keys_after_a_no,)),
    "M11": Invariant(
        "No key is posted again past the gateway's memory of it", always=(money.keys_are_not_posted_late,)
    ),
    "M12": Invariant("No new charge after cancelled or closed", always=(money.no_charge_after_the_end,)),
    "M13": Invariant("Money for a finished session is returned, once", at_rest=(money.late_money_goes_back,)),
    "M14": Invariant("No charge before its due instant", always=(money.never_early,)),
    "K1": Invariant(
        "One contract per attempt at most, one in force at most", always=(contracts.one_contract_per_attempt,)
    ),
    "K2": Invariant(
        "Completed if and only if one contract is in force; void never comes back",
        always=(contracts.void_stays_void,),
        at_rest=(contracts.in_force_when_completed,),
    ),
    "K3": Invariant("The contract is what was estimated", always=(contracts.made_of_the_estimate,)),
    "K4": Invariant(
        "In force only after the money was captured, scheduled or not owed",
        always=(contracts.in_force_after_the_money,),
    ),
    "K5": Invariant("Repeating a step returns the same contract", always=(contracts.steps_repeat_the_same,)),
    "S1": Invariant("Only the transitions of the table", always=(sessions.only_transitions_of_the_table,)),
    "S2": Invariant("What was answered is durable", always=(sessions.what_was_said_is_durable,)),
    "S3": Invariant("Of what happens at once exactly one wins", at_rest=(sessions.one_of_those_at_once_wins,)),
    "S4": Invariant("No confirm at or after the expiry", always=(sessions.confirmed_before_the_expiry,)),
    "S5": Invariant("Nothing is stuck", at_rest=(sessions.nothing_is_stuck,)),
    "S6": Invariant(
        "Every row has its workflow, and the other way round", at_rest=(sessions.rows_have_their_workflow,)
    ),
    "S7": Invariant("Every workflow ends well, and its tasks do not fail", always=(sessions.workflows_end_well,)),
}

NOT_JUDGED: Final[Mapping[str, str]] = {
    "M4": "that no float is used on the way: what is stored is judged; tests of the money and the linters judge the code",
    "M11": "a repetition inside one activity's retries that never reached the gateway: no source records it",
    "M12": "what the client was told, and when: only its own journal knows; the answered cancel and the event stand for it",
    "M13": "excess that the gateway kept to itself: what is in no ledger can't be seen",
    "S2": "that every later read showed it: only the reader's journal knows; the rows of now are judged",
    "S4": "that an accepted confirm was not undone by the expiry: why one was undone stands in no row",
    "S6": "finished sessions past Temporal's retention: their workflow is forgotten on purpose",
}
"""The parts of the same invariants that these sources can't tell, and why."""


def judged(seen: Evidence) -> Iterator[Violation]:
    """Every invariant that does not hold for a session. One that moved meanwhile is left for another time: its
    sources are of different moments.
    """
    if seen.moved:
        return
    still = unrest(seen) is None
    for name, invariant in INVARIANTS.items():
        judges = invariant.always + (invariant.at_rest if still else ())
        for detail in chain.from_iterable(judge(seen) for judge in judges):
            yield Violation(invariant=name, organisation=seen.organisation, session=seen.session, detail=detail)
