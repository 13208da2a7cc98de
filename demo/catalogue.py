"""Puts the company, its catalogue and its customers in place; what is there already is used as it is."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from demo.calls import Calls, expected, problem_type
from demo.examples import Examples, Json, filled

ELSEWHERE = {"ref", "pricings", "payment_methods"}
"""Members of an example that are not of its request body."""


class Catalogue:
    """Makes things of the examples, and remembers the id of each `ref`."""

    def __init__(self, calls: Calls, run: str) -> None:
        self._calls = calls
        self._run = run
        self.ids: dict[str, str] = {}

    async def put_in_place(self, examples: Examples) -> None:
        """Make all of it, or find it. Raises Differs where the API refuses something."""
        await self._made("/business_entities", examples.company)
        for product in examples.catalogue.products:
            made = await self._made("/products", product)
            for pricing in product["pricings"]:
                await self._made(f"/products/{made['id']}/pricings", pricing)
        for plan in examples.catalogue.plans:
            await self._made("/plans", plan)
        for customer in examples.customers:
            made = await self._customer(customer)
            for token in customer.get("payment_methods", ()):
                method = {"gateway": "sandbox", "token": token, "set_as_default": True}
                await self._made(f"/customers/{made['id']}/payment_methods", method)

    async def _made(self, path: str, example: Json) -> dict[str, Any]:
        body = self._body(path, example)
        return self._remembered(example, expected(await self._calls.post(path, body, _key(path, body)), 201).json())

    async def _customer(self, example: Json) -> dict[str, Any]:
        """The customer; who was there before is found by the e-mail address."""
        body = self._body("/customers", example)
        answer = await self._calls.post("/customers", body, _key("/customers", body))
        if problem_type(answer) != "/problems/customer-exists":
            return self._remembered(example, expected(answer, 201).json())
        found = await self._calls.get("/customers", email=body["email"], status="active")
        return self._remembered(example, found["data"][0])

    def _body(self, path: str, example: Json) -> Json:
        left_out = ELSEWHERE - ({"pricings"} if path == "/plans" else set())
        body = {name: member for name, member in example.items() if name not in left_out}
        return dict(filled(body, self.ids, self._run))

    def _remembered(self, example: Json, made: dict[str, Any]) -> dict[str, Any]:
        if "ref" in example:
            self.ids[example["ref"]] = made["id"]
        return made


def _key(path: str, body: Json) -> str:
    """The same for the same example, in every run: the service then answers with what it made the first time."""
    content = json.dumps([path, body], sort_keys=True)
    return f"examples-{hashlib.sha256(content.encode()).hexdigest()[:32]}"
