"""The invariants of contracts, K1-K5."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from audit.evidence import Activity, ContractRow, Evidence, Run
from audit.keys import Key
from checkout.ids import contract_of
from checkout.lifecycle import Status
from checkout.session import Mode, SessionState

STEPS = ("contracts.draft", "contracts.activate", "contracts.void")


def one_contract_per_attempt(seen: Evidence) -> Iterator[str]:
    """K1."""
    attempts = Counter(contract.attempt for contract in seen.contracts)
    for attempt, count in attempts.items():
        if count > 1:
            yield f"attempt {attempt} has {count} contracts"
    active = [contract for contract in seen.contracts if contract.status == "active"]
    if len(active) > 1:
        yield f"{len(active)} contracts are in force"
    confirmed = {event.state.attempts for event in seen.confirmations()}
    for contract in seen.contracts:
        if contract.attempt not in confirmed:
            yield f"contract {contract.id} is of attempt {contract.attempt}, which was never confirmed"


def in_force_when_completed(seen: Evidence) -> Iterator[str]:
    """K2, at rest."""
    in_force = [contract for contract in seen.contracts if contract.in_force]
    status = seen.state.status if seen.state else None
    if status is not Status.PROCESSING and len(in_force) != (status is Status.COMPLETED):
        yield f"the session is {status or 'unknown'}, and {len(in_force)} contracts are in force"
    if len(in_force) == 1 and seen.view and seen.view.contract_id != in_force[0].id:
        yield f"contract {in_force[0].id} is in force, the session names {seen.view.contract_id}"
    if status is not Status.PROCESSING:
        yield from (f"contract {each.id} was left as a draft" for each in seen.contracts if each.status == "draft")


def void_stays_void(seen: Evidence) -> Iterator[str]:
    """The other half of K2."""
    for contract in seen.contracts:
        if contract.voided_at is not None and contract.status != "void":
            yield f"contract {contract.id} was void, and is {contract.status}"
    void: set[int] = set()
    for event in seen.events:
        if event.type == "contract.voided":
            void.add(event.data.get("attempt", event.attempt))
        if event.type in {"contract.created", "contract.activated"} and event.attempt in void:
            yield f"{event.type} of attempt {event.attempt} after it was void"


def made_of_the_estimate(seen: Evidence) -> Iterator[str]:
    """K3. A void contract, too, is of what was confirmed."""
    for contract in seen.contracts:
        confirmed = seen.confirmed(contract.attempt)
        if confirmed is None:
            continue
        if contract.estimation_id != confirmed.offer.estimation_id:
            yield f"contract {contract.id} is of another estimate than was confirmed"
        if contract.currency != confirmed.offer.amount_due.currency:
            yield f"contract {contract.id} is in {contract.currency}, confirmed was {confirmed.offer.amount_due.currency}"


def in_force_after_the_money(seen: Evidence) -> Iterator[str]:
    """K4. What came first is told by the history's order; where there is no history any more, that it came at all."""
    for contract in seen.contracts:
        state = seen.confirmed(contract.attempt)
        if state is None or state.confirmation is None or contract.activated_at is None:
            continue
        if state.offer.amount_due.minor == 0 or state.confirmation.mode is Mode.NO_PAYMENT:
            continue
        if state.confirmation.mode is Mode.CHARGE_WHEN_DUE:
            yield from _scheduled(seen, contract, state)
        else:
            yield from _captured(seen, contract)


def _scheduled(seen: Evidence, contract: ContractRow, confirmed: SessionState) -> Iterator[str]:
    told = (e.state for e in seen.events if e.type == "contract.activated" and e.attempt == contract.attempt)
    for state in told:
        owed = sum(part.amount.minor for part in state.schedule)
        if owed != confirmed.offer.amount_due.minor:
            yield f"contract {contract.id} came into force with a schedule of {owed} minor units"


def _captured(seen: Evidence, contract: ContractRow) -> Iterator[str]:
    key = Key(seen.session, contract.attempt, "page")
    if not seen.moves("captured", f"{key.session}/{key.attempt}/page"):
        yield f"contract {contract.id} came into force, and its page captured nothing"
    for run in seen.runs:
        activated = [a.number for a in _of(run, contract) if a.name == "contracts.activate"]
        captured = [a.ended for a in run.activities if a.ended and _outcome(a.result) == "captured"]
        if activated and not any(ended < min(activated) for ended in captured):
            yield f"contract {contract.id} was brought into force before the gateway said that it captured"


def _of(run: Run, contract: ContractRow) -> Iterator[Activity]:
    return (each for each in run.activities if each.input.get("contract") == str(contract.id))


def _outcome(result: object) -> object:
    return result.get("outcome") if isinstance(result, dict) else None


def steps_repeat_the_same(seen: Evidence) -> Iterator[str]:
    """K5. The contract's id is derived from session and attempt, so each repetition names the same."""
    for contract in seen.contracts:
        if contract.id != contract_of(seen.session, contract.attempt):
            yield f"contract {contract.id} is not the one of attempt {contract.attempt}"
    for run in seen.runs:
        for each in run.activities:
            if each.name in STEPS and each.input["contract"] != str(contract_of(seen.session, each.input["attempt"])):
                yield f"{each.name} of attempt {each.input['attempt']} was about contract {each.input['contract']}"
