"""How Temporal's answers read as ours: refusals become problems by name, silence becomes "unknown", never "failed"."""

from __future__ import annotations

from typing import Final

from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from api.problem_kinds import KINDS
from api.problems import Problem
from checkout.commands import RefusedUpdate
from workflows.refusals import INTERRUPTED

AWAY: Final = {
    RPCStatusCode.UNAVAILABLE,
    RPCStatusCode.DEADLINE_EXCEEDED,
    RPCStatusCode.CANCELLED,
    RPCStatusCode.FAILED_PRECONDITION,
    RPCStatusCode.RESOURCE_EXHAUSTED,
    RPCStatusCode.ABORTED,
    RPCStatusCode.INTERNAL,
    RPCStatusCode.UNKNOWN,
}
"""What Temporal's client says when the server, or the workflow behind it, does not answer: away, busy, or failing."""


INTERRUPTIONS: Final = frozenset({"AcceptedUpdateCompletedWorkflow", INTERRUPTED})
"""Failures of an update by Temporal, where a run was terminated or reset, and by a run that went on in another one."""


def refusal_of(error: WorkflowUpdateFailedError) -> RefusedUpdate:
    """The refusal that an update failed with; anything else is a fault and is raised on."""
    cause = error.cause
    if isinstance(cause, ApplicationError) and cause.type in {*KINDS, "stale-revision"} and cause.details:
        return RefusedUpdate.model_validate(cause.details[0])
    raise error


def was_interrupted(error: WorkflowUpdateFailedError) -> bool:
    """Whether the workflow's run ended while it answered: another run of it goes on with the request."""
    return isinstance(error.cause, ApplicationError) and error.cause.type in INTERRUPTIONS


def problem_of(refusal: RefusedUpdate) -> Problem:
    """A refusal as a problem: where the session stands, and what is allowed now."""
    members = refusal.model_dump(include={"session_status", "payment_status"}) | {"allowed": list(refusal.allowed)}
    if refusal.current_estimation_id is not None:
        members |= refusal.model_dump(include={"estimation_id", "current_estimation_id"})
    return Problem(refusal.problem, refusal.detail, **members)


NO_ANSWER: Final = (RPCError, TimeoutError, RuntimeError)
"""What may be raised where Temporal does not answer; `is_away` tells."""


def is_away(error: BaseException) -> bool:
    """Whether Temporal did not answer, so that it may or may not have heard."""
    return isinstance(error, TimeoutError) or (isinstance(error, RPCError) and error.status in AWAY)


def was_never_reached(error: BaseException) -> bool:
    """Whether a lazy client found no server to connect to, so that nothing was sent."""
    return isinstance(error, RuntimeError) and "client connect" in str(error)


def unavailable(error: BaseException) -> BaseException:
    """The problem `temporarily-unavailable` where Temporal is away; any other error as it is."""
    return Problem("temporarily-unavailable") if is_away(error) or was_never_reached(error) else error


def is_unknown(error: BaseException) -> bool:
    """Whether Temporal does not know the workflow, or it takes no new updates because it has ended."""
    return isinstance(error, RPCError) and error.status is RPCStatusCode.NOT_FOUND
