"""What a sweep can't see to now is named and left for the next one; everything else is seen to all the same."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from typing import Final

import psycopg
from psycopg_pool import PoolTimeout
from temporalio.exceptions import TemporalError
from temporalio.service import RPCError

from checkout.outcomes import Reconciled
from gateways.port import GatewayRejected, GatewayUnavailable

FAULTS: Final = (
    RPCError,
    TemporalError,
    GatewayUnavailable,
    GatewayRejected,
    PoolTimeout,
    psycopg.Error,
    LookupError,
    ValueError,
)
"""What can go wrong with one payment, event, session or organisation. A LookupError is a gateway without an adapter here,
or a key that is another organisation's; a ValueError is a row that can't be read.
"""


async def or_later(what: str, work: Awaitable[Reconciled]) -> Reconciled:
    """Do *work*, or name *what* where that is not possible now."""
    try:
        return await work
    except FAULTS:
        return Reconciled(failed=(what,))


def together(parts: Iterable[Reconciled]) -> Reconciled:
    """What several parts of a sweep did."""
    parts = list(parts)
    return Reconciled(
        went_on=sum(part.went_on for part in parts),
        set_right=sum(part.set_right for part in parts),
        passed_on=sum(part.passed_on for part in parts),
        mended=sum(part.mended for part in parts),
        strangers=tuple(key for part in parts for key in part.strangers),
        failed=tuple(what for part in parts for what in part.failed),
    )
