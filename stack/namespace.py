"""Makes a Temporal namespace fit for checkout: its search attributes, and how long finished sessions are kept."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from socket import gethostname
from typing import Final

from temporalio.api.enums.v1 import IndexedValueType, TaskQueueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    DescribeTaskQueueRequest,
    RegisterNamespaceRequest,
    UpdateNamespaceRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from stack.errors import StackError
from workflows import connection

VISIBLE_LIMIT: Final = 60.0
LOOK_AGAIN: Final = 0.05
PROBES: Final = {"Keyword": "= 'x'", "Bool": "= true", "Datetime": "= '2020-01-01T00:00:00Z'"}
TYPES: Final = {
    "Keyword": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "Bool": IndexedValueType.INDEXED_VALUE_TYPE_BOOL,
    "Datetime": IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
}


async def connect(override: Mapping[str, str] | None = None) -> Client:
    """A client of the server that Temporal's own variables name, or those of *override* instead of them."""
    try:
        return await connection.connect(override=override)
    except RuntimeError as error:
        raise StackError("No Temporal server answers at the address that Temporal's variables name.") from error


async def prepare(client: Client, attributes: Mapping[str, str], retention: timedelta) -> None:
    """Register what is missing of *attributes* (name: type), set *retention*, and return when both can be used."""
    await _keep_for(client, retention)
    await _register(client, attributes)
    try:
        async with asyncio.timeout(VISIBLE_LIMIT):
            await _until_visible(client, attributes)
    except TimeoutError as error:
        raise StackError("Temporal did not take on the search attributes within a minute.") from error


async def polls(client: Client, task_queue: str, pid: int | None = None) -> bool:
    """Whether a worker on this machine, with process id *pid* if one is given, asks *task_queue* for work."""
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=task_queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    try:
        answer = await client.workflow_service.describe_task_queue(request, timeout=timedelta(seconds=2))
    except RPCError:
        return False
    pollers = (poller.identity.partition("@") for poller in answer.pollers)
    return any(host == gethostname() and process == str(pid or process) for process, _, host in pollers)


async def _keep_for(client: Client, retention: timedelta) -> None:
    """Set the namespace's retention; make the namespace if the server does not have it."""
    try:
        found = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=client.namespace))
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        registration = RegisterNamespaceRequest(namespace=client.namespace)
        registration.workflow_execution_retention_period.FromTimedelta(retention)
        await client.workflow_service.register_namespace(registration)
        return
    if found.config.workflow_execution_retention_ttl.ToTimedelta() != retention:
        change = UpdateNamespaceRequest(namespace=client.namespace)
        change.config.workflow_execution_retention_ttl.FromTimedelta(retention)
        await client.workflow_service.update_namespace(change)


async def _register(client: Client, attributes: Mapping[str, str]) -> None:
    listed = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    missing = {name: TYPES[kind] for name, kind in attributes.items() if name not in listed.custom_attributes}
    if missing:
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing)
        )


async def _until_visible(client: Client, attributes: Mapping[str, str]) -> None:
    while not await _visible(client, attributes):  # noqa: ASYNC110 - only asking tells
        await asyncio.sleep(LOOK_AGAIN)


async def _visible(client: Client, attributes: Mapping[str, str]) -> bool:
    """Whether workflows can be searched by all of *attributes*."""
    query = " AND ".join(f"{name} {PROBES[kind]}" for name, kind in attributes.items())
    try:
        await client.count_workflows(query)
    except RPCError:
        return False
    return True
