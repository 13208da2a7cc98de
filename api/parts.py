"""The parts of the application that a route may ask for, as `create_app` was given them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Request

from gateways.port import PaymentGateway
from store.database import Database


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


def _gateways(request: Request) -> Mapping[str, PaymentGateway]:
    gateways: Mapping[str, PaymentGateway] = request.app.state.gateways
    return gateways


Data = Annotated[Database, Depends(_database)]
Gateways = Annotated[Mapping[str, PaymentGateway], Depends(_gateways)]
