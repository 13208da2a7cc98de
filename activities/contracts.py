"""The contracts' side effects, as activities."""

from __future__ import annotations

from typing import Protocol

from temporalio import activity

from checkout.commands import ContractStep
from checkout.outcomes import ContractAnswer


class Contracts(Protocol):
    """A contract per attempt: draft, in force, void. Each call can be repeated; void never comes back."""

    async def draft(self, cmd: ContractStep) -> ContractAnswer: ...

    async def activate(self, cmd: ContractStep) -> ContractAnswer: ...

    async def void(self, cmd: ContractStep) -> None: ...


class ContractActivities:
    def __init__(self, contracts: Contracts) -> None:
        self._contracts = contracts

    @activity.defn(name="contracts.draft")
    async def draft(self, cmd: ContractStep) -> ContractAnswer:
        """Draft the attempt's contract; refused when its plan or customer is archived."""
        return await self._contracts.draft(cmd)

    @activity.defn(name="contracts.activate")
    async def activate(self, cmd: ContractStep) -> ContractAnswer:
        """Put the drafted contract in force."""
        return await self._contracts.activate(cmd)

    @activity.defn(name="contracts.void")
    async def void(self, cmd: ContractStep) -> None:
        """Undo of `contracts.draft` and `contracts.activate`; also of a draft that never happened."""
        await self._contracts.void(cmd)
