"""What the payment activities ask the gateway, in an environment without a server."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from temporalio.testing import ActivityEnvironment

from activities.payments import NEVER_ARRIVED, PaymentActivities
from checkout.commands import Charge, Refund
from checkout.ids import charge_key, excess_key
from checkout.money import Money
from checkout.outcomes import Captured, NotFound
from tests.workflows.parties import Records, World

PRICE = Money(minor=2999, currency="USD")
FIRST = datetime(2027, 3, 1, 12, tzinfo=UTC)


def started_after(wait: timedelta) -> ActivityEnvironment:
    """An activity that a worker took only some time after it was scheduled."""
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, started_time=environment.info.scheduled_time + wait)
    return environment


@pytest.mark.parametrize(("wait", "asked"), [(timedelta(minutes=30), 1), (timedelta(hours=2), 0)])
async def test_a_key_is_not_posted_again_once_it_had_to_wait_for_a_worker_until_it_may_be_forgotten(
    wait: timedelta, asked: int
) -> None:
    world, session = World(), uuid4()
    payments = PaymentActivities({"fake": world}, Records(world), world)
    key = charge_key(session, 1, 1, 1)
    at = {"organisation": uuid4(), "session": session, "at": FIRST + world.memory - timedelta(hours=1), "amount": PRICE}
    world.keys = {key: FIRST, excess_key(key): FIRST}

    charged = await started_after(wait).run(payments.charge, Charge(**at, key=key, method=uuid4()))
    refunded = await started_after(wait).run(payments.refund, Refund(**at, key=excess_key(key), of=key, excess=True))

    assert (world.trouble.called["payments.charge"], world.trouble.called["payments.refund"]) == (asked, asked)
    if not asked:
        assert (charged, refunded) == (NEVER_ARRIVED, NotFound())


async def test_a_first_post_is_made_however_long_it_had_to_wait_for_a_worker() -> None:
    world, session = World(), uuid4()
    payments = PaymentActivities({"fake": world}, Records(world), world)
    charge = Charge(
        organisation=uuid4(), session=session, at=FIRST, key=charge_key(session, 1, 1, 1), amount=PRICE, method=uuid4()
    )

    answer = await started_after(timedelta(days=3)).run(payments.charge, charge)

    assert isinstance(answer, Captured)
