"""The customers' side effects, as activities."""

from __future__ import annotations

from typing import Protocol

from temporalio import activity

from checkout.commands import ArchiveCustomer, CreateCustomer
from checkout.outcomes import CustomerAnswer


class Customers(Protocol):
    """Making a guest a customer, and undoing it. Each call can be repeated."""

    async def create(self, cmd: CreateCustomer) -> CustomerAnswer: ...

    async def archive(self, cmd: ArchiveCustomer) -> None: ...


class CustomerActivities:
    def __init__(self, customers: Customers) -> None:
        self._customers = customers

    @activity.defn(name="customers.create")
    async def create(self, cmd: CreateCustomer) -> CustomerAnswer:
        """Make the guest a customer, or link the active customer of the same e-mail."""
        return await self._customers.create(cmd)

    @activity.defn(name="customers.archive")
    async def archive(self, cmd: ArchiveCustomer) -> None:
        """Undo of `customers.create`: only what this session made and no other uses."""
        await self._customers.archive(cmd)
