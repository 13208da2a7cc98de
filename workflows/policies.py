"""How activities are called: the policy has a name, the number stands here once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityCancellationType

INCURABLE: Final = ["GatewayRejected"]
"""Errors that retrying cannot cure: the step parks and somebody decides."""

STEP: Final[dict[str, Any]] = {
    "start_to_close_timeout": timedelta(seconds=10),
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(milliseconds=500),
        backoff_coefficient=2,
        maximum_interval=timedelta(seconds=30),
        non_retryable_error_types=INCURABLE,
    ),
    "cancellation_type": ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
}
"""A step or an undo: retried by the server for as long as its round lasts. Cancelled, it is waited for."""

ONCE: Final[dict[str, Any]] = STEP | {"retry_policy": RetryPolicy(maximum_attempts=1)}
"""A post that moves money: one try; what became of it is looked up."""

ASK: Final[dict[str, Any]] = STEP | {
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(seconds=1),
        maximum_interval=timedelta(minutes=2),
        non_retryable_error_types=INCURABLE,
    ),
}
"""Asking until there is an answer: "not yet" brings its own interval; a gateway that is away is asked again."""

SWEEP: Final[dict[str, Any]] = {
    "start_to_close_timeout": timedelta(minutes=10),
    "heartbeat_timeout": timedelta(seconds=15),
    "retry_policy": RetryPolicy(maximum_attempts=2),
}
"""A sweep of the reconciler: the next one comes soon anyway."""

PUBLISH: Final[dict[str, Any]] = {
    "start_to_close_timeout": timedelta(seconds=10),
    "retry_policy": RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=30)),
}
"""The view: for as long as the database is away. No local activity: readers would be shown what a workflow task decided
before the history has it, and after the loss of that task it may be decided otherwise.
"""
