"""The invariants of money, M1-M14: each function says, in words, what of the evidence breaks its invariant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from audit.evidence import Activity, Evidence, LedgerRow, PaymentRow
from audit.keys import Key, taken_apart
from audit.rest import waits
from checkout.lifecycle import FINAL, Status
from checkout.money import EXPONENTS, Money
from checkout.session import Instalment, Mode

CHARGING: Final = frozenset({"page_opened", "captured", "declined"})
"""Effects of asking for money."""
POSTS: Final = ("payments.open_page", "payments.charge", "payments.refund")
"""Activities that post a key at the gateway."""
MEMORY: Final = timedelta(hours=24)
"""How long a gateway remembers a key."""
SAME: Final = ("amount", "method", "of", "estimation_id")
"""What a post means: these members are the same each time its key is posted."""


def charges(seen: Evidence, effect: str) -> Iterator[tuple[LedgerRow, Key]]:
    """The ledger's lines of an *effect* under keys of pages and charges."""
    for row in seen.moves(effect):
        if (key := taken_apart(row.key)) and key.of is None:
            yield row, key


def excused(seen: Evidence, key: str) -> bool:
    """Whether the gateway broke its own promise under *key*, and it was handled: the excess went back, and somebody
    was told.
    """
    parts = taken_apart(key)
    asked = seen.asked(parts) if parts else None
    return seen.attention_was_raised and asked is not None and seen.held(key) in {0, asked.minor}


def captured_once(seen: Evidence) -> Iterator[str]:
    """M1. A page pays every instalment of its attempt; another attempt may collect what was returned before."""
    held: dict[str, Key] = {}
    for row in seen.ledger:
        key = taken_apart(row.key)
        if key is None or row.key is None:
            continue
        if row.effect == "refunded" and key.of:
            held.pop(key.of, None)
        if row.effect != "captured":
            continue
        for other, parts in held.items():
            if not _same_obligation(key, parts) or (other == row.key and excused(seen, other)):
                continue
            yield f"captured under {row.key} although {other} had captured it"
        held[row.key] = key
    yield from _captured_again(seen)


def _captured_again(seen: Evidence) -> Iterator[str]:
    """A second capture within one attempt, even where the first was returned before."""
    by_obligation: defaultdict[tuple[int, int | None], set[str]] = defaultdict(set)
    for row, key in charges(seen, "captured"):
        by_obligation[key.attempt, key.instalment].add(row.key or "")
    for (attempt, instalment), keys in by_obligation.items():
        if len(keys) > 1:
            yield f"attempt {attempt}, instalment {instalment}: captured under {len(keys)} keys"


def _same_obligation(one: Key, other: Key) -> bool:
    return one.instalment == other.instalment or "page" in {one.step, other.step}


def collected_what_is_due(seen: Evidence) -> Iterator[str]:
    """M2, at rest."""
    if seen.state is None or seen.state.status is Status.PROCESSING:
        return
    minor = sum(seen.held(key) for key in {row.key for row in seen.moves("captured") if row.key})
    minor -= sum(row.amount_minor for row in seen.moves("refunded") if not _of_a_capture(seen, row))
    due = due_so_far(seen)
    if minor != due:
        yield f"captured minus refunded is {minor}, due so far {due} minor units ({seen.state.status})"


def _of_a_capture(seen: Evidence, refund: LedgerRow) -> bool:
    key = taken_apart(refund.key)
    return bool(key and key.of and seen.moves("captured", key.of))


def due_so_far(seen: Evidence) -> int:
    """What has to be collected by now, in minor units."""
    state = seen.state
    if state is None or state.status is not Status.COMPLETED:
        return 0
    if seen.owes(Mode.CHARGE_IMMEDIATELY):
        return state.offer.amount_due.minor
    return sum(part.amount.minor for part in state.schedule if _is_owed(seen, part))


def _is_owed(seen: Evidence, part: Instalment) -> bool:
    """Due by now, and nothing says why it is not collected yet."""
    if part.due_at > seen.now or part.status in {"cancelled", "paused"} or waits(part, seen.now):
        return False
    told = seen.state is not None and seen.state.attention is not None
    refused = part.code in NOT_OWED or bool(definite_noes(seen, part.n))
    return not (part.status == "failed" and told and refused)


NOT_OWED: Final = frozenset({"contract_not_in_force", "customer_archived", "amount_changed", "no_method"})
"""Why an instalment failed although the gateway was never asked."""


def definite_noes(seen: Evidence, instalment: int) -> list[LedgerRow]:
    """The ledger's lines that say that a try at an instalment captured nothing: declined, or the customer is needed."""
    return [
        row for row in seen.ledger if (key := taken_apart(row.key)) and key.instalment == instalment and _is_no(row)
    ]


def _is_no(row: LedgerRow) -> bool:
    asked_for_customer = row.effect == "none" and row.call == "charge" and row.amount_minor is not None
    return row.effect == "declined" or (asked_for_customer and row.said in {None, "needs_customer"})


def charged_what_was_confirmed(seen: Evidence) -> Iterator[str]:
    """M3."""
    for effect in CHARGING:
        for row, key in charges(seen, effect):
            asked = seen.asked(key)
            if asked is None:
                yield f"{row.key}: {effect}, but no confirmed estimate asks for it"
            elif (row.amount_minor, row.currency) != (asked.minor, asked.currency) and not _broken(seen, row, asked):
                yield f"{row.key}: {effect} {row.amount_minor} {row.currency}, confirmed {asked.minor} {asked.currency}"


def _broken(seen: Evidence, row: LedgerRow, asked: Money) -> bool:
    """Whether it was the gateway that took another amount than it was asked for, and that was handled."""
    posted = [each for each in posts(seen) if each.input.get("key") == row.key]
    right = all(each.input.get("amount") == asked.model_dump() for each in posted)
    return row.effect == "captured" and bool(posted) and right and excused(seen, row.key or "")


def posts(seen: Evidence) -> Iterator[Activity]:
    """The activities that posted keys, of every run."""
    return (each for run in seen.runs for each in run.activities if each.name in POSTS)


def refunded_what_was_captured(seen: Evidence) -> Iterator[str]:
    """M6."""
    captured: defaultdict[str, int] = defaultdict(int)
    for row in seen.ledger:
        if row.effect == "captured":
            captured[row.key or ""] += row.amount_minor
        if row.effect == "refunded":
            key = taken_apart(row.key)
            of = (key.of if key else None) or ""
            captured[of] -= row.amount_minor
            if captured[of] < 0:
                yield f"{row.key}: refunded {-captured[of]} minor units more than was captured"


def rows_match_the_ledger(seen: Evidence) -> Iterator[str]:
    """M7, at rest."""
    kinds = {row.key: row.kind for row in seen.payments}
    for row in seen.ledger:
        expected = "refund" if row.effect == "refunded" else "charge" if row.effect in CHARGING else None
        if expected and kinds.get(row.key or "") != expected:
            yield f"{row.key}: {row.effect} at the gateway, and no payment row of a {expected}"
    for paid in seen.payments:
        if paid.status in {"captured", "refunded"}:
            moved = seen.moves(paid.status, paid.key)
            amount = sum(row.amount_minor for row in moved)
            if amount != paid.amount_minor and not (moved and excused(seen, paid.key)):
                yield f"{paid.key}: the row says {paid.status} {paid.amount_minor}, the ledger {amount} minor units"
        elif seen.moves("captured", paid.key):
            yield f"{paid.key}: captured at the gateway, and its row says {paid.status}"


def outcomes_are_known(seen: Evidence) -> Iterator[str]:
    """M8, at rest."""
    state = seen.state
    if state is None or state.attention is not None:
        return
    waiting = {part.n for part in state.schedule if waits(part, seen.now)}
    shown = {record.key: record.status for record in state.payments}
    for key, status in ({row.key: row.status for row in seen.payments} | shown).items():
        parts = taken_apart(key)
        if status in {"pending", "unknown"} and not (parts and parts.instalment in waiting):
            yield f"{key}: still {status}"


def keys_have_one_meaning(seen: Evidence) -> Iterator[str]:
    """M9. What each run posted, by the histories, and what arrived, by the ledger. A run that was reset may ask for a
    known key with another method: the rows keep the one it was first used with.
    """
    meanings: defaultdict[str, set[str]] = defaultdict(set)
    for run in seen.runs:
        for each in (activity for activity in run.activities if activity.name in POSTS):
            meaning = f"{each.name} {[each.input.get(name) for name in SAME]}"
            meanings[f"{each.input['key']} in run {run.run_id}"].add(meaning)
    for row in seen.ledger:
        if row.key and row.currency is not None and row.effect not in {"captured", "refunded"}:
            meanings[f"{row.key} at the gateway"].add(f"{row.amount_minor} {row.currency} {row.reference}")
    for key, found in meanings.items():
        if len(found) > 1:
            yield f"{key}: {len(found)} meanings"


def new_keys_after_a_no(seen: Evidence) -> Iterator[str]:
    """M10. A page's definite no is that it was closed, or that what it captured went back."""
    first: dict[str, int] = {}
    for row in seen.ledger:
        if row.key and (row.effect in CHARGING or row.call == "charge"):
            first.setdefault(row.key, row.seq)
    keys = sorted(first, key=first.__getitem__)
    tried = sorted((key for key in map(taken_apart, keys) if key and key.of is None), key=_obligation)
    for earlier, later in pairwise(tried):
        if _obligation(earlier) != _obligation(later):
            continue
        before = [row for row in seen.ledger if row.seq < first[_text(later)]]
        if not _was_a_no(before, earlier):
            yield f"{_text(later)}: used without a definite no to {_text(earlier)}"
    yield from _skipped(tried, seen)


def _skipped(tried: list[Key], seen: Evidence) -> Iterator[str]:
    """Tries whose forerunner never reached the gateway at all."""
    known = {row.key for row in seen.ledger}
    for key in tried:
        if key.charge and key.charge > 1:
            forerunner = f"{key.session}/{key.attempt}/charge/{key.instalment}/{key.charge - 1}"
            if not known & {forerunner, f"{forerunner}/page"}:
                yield f"{_text(key)}: used although the gateway never heard of {forerunner}"


def _was_a_no(before: list[LedgerRow], key: Key) -> bool:
    about = [row for row in before if row.key == _text(key)]
    if any(row.effect == "captured" for row in about):
        return any(
            (parts := taken_apart(row.key)) and parts.of == _text(key) for row in before if row.effect == "refunded"
        )
    return any(_is_no(row) if key.step == "charge" else row.effect == "page_closed" for row in about)


def _obligation(key: Key) -> int:
    return key.instalment or 0


def _text(key: Key) -> str:
    charge = f"charge/{key.instalment}/{key.charge}"
    step = {"page": "page", "charge": charge, "action": f"{charge}/page"}[key.step]
    return f"{key.session}/{key.attempt}/{step}"


def keys_are_not_posted_late(seen: Evidence) -> Iterator[str]:
    """M11. By the histories' time for posts, by the ledger's for calls that had been heard of."""
    times: defaultdict[str, list[datetime]] = defaultdict(list)
    for each in posts(seen):
        if each.name != "payments.open_page":
            times[f"{each.input['key']} by the history"].append(each.at)
    for row in seen.ledger:
        if row.key and row.call in {"charge", "refund"}:
            times[f"{row.key} by the ledger"].append(row.at)
    for key, at in times.items():
        if max(at) - min(at) > MEMORY:
            yield f"{key}: posted again {max(at) - min(at)} after the first time"


def ended_at(seen: Evidence) -> datetime | None:
    """When the session became cancelled or closed; None where it did not."""
    ended = (event.at for event in seen.events if event.state.status in FINAL - {Status.COMPLETED})
    return next(ended, None)


def no_charge_after_the_end(seen: Evidence) -> Iterator[str]:
    """M12. By the ledger, and by the order of the history after the answer to a cancel."""
    ended = ended_at(seen)
    for row in seen.ledger:
        asked = row.call in {"open_page", "charge"} and row.effect in CHARGING
        if ended and asked and row.at > ended:
            yield f"{row.key}: {row.effect} at {row.at:%H:%M:%S}, after the session had ended"
    for run in seen.runs:
        told = [call.answered for call in run.updates if call.name == "cancel" and call.answered and not call.failed]
        for each in run.activities:
            if told and each.number > min(told) and each.name in {"payments.open_page", "payments.charge"}:
                yield f"{each.input.get('key')}: {each.name} was scheduled after the cancel was answered"


def late_money_goes_back(seen: Evidence) -> Iterator[str]:
    """M13, at rest: once and all of it; twice is refused by the refund's own key, and would show as two lines."""
    ended = ended_at(seen)
    for row in seen.moves("captured"):
        if ended and row.at > ended and row.key:
            back = seen.refunds(row.key)
            if len(back) != 1 or seen.held(row.key):
                yield f"{row.key}: captured after the end, and returned {len(back)} times; {seen.held(row.key)} is held"


def never_early(seen: Evidence) -> Iterator[str]:
    """M14, by the workflow's time; that each is charged once is M1."""
    for event in seen.events:
        early = (part for part in event.state.schedule if part.status == "charging" and part.due_at > event.at)
        if event.type == "payment.charging":
            for part in early:
                yield f"instalment {part.n}: charged at {event.at:%F %T}, and it was due at {part.due_at:%F %T}"


def known_currencies(seen: Evidence) -> Iterator[str]:
    """The part of M4 that the ledger and the payments show."""
    rows: tuple[LedgerRow | PaymentRow, ...] = (*seen.ledger, *seen.payments)
    for row in rows:
        if row.amount_minor is not None and type(row.amount_minor) is not int:
            yield f"{row.key}: the amount {row.amount_minor!r} is no integer"
        if row.currency is not None and row.currency not in EXPONENTS:
            yield f"{row.key}: {row.currency} is no currency with minor units"
