"""The wire under Stripe's SDK: each request once, its answer bounded in size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import httpx
import stripe

LARGEST_ANSWER: Final = 8 * 1024 * 1024
"""Bytes; a list of a hundred expanded objects is well below."""

stripe.enable_telemetry = False
"""Stripe would be told how long our requests took, and what machine this is. The SDK has this switch only for all clients."""


class Wire(stripe.HTTPClient):
    """The SDK's asynchronous HTTP client on httpx; a request lasts as long as its caller's patience."""

    name = "httpx"

    def __init__(self) -> None:
        super().__init__()
        self._client = httpx.AsyncClient(timeout=None)  # noqa: S113 - every call has one, around all of its requests

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: str | None = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Raises stripe.APIConnectionError where there is no answer, or none that Stripe would give."""
        try:
            async with self._client.stream(method, url, headers=headers, content=post_data) as response:
                content = await _read(response)
        except httpx.HTTPError as error:
            raise stripe.APIConnectionError(type(error).__name__) from None  # type: ignore[no-untyped-call]
        if not content.lstrip().startswith(b"{"):
            raise stripe.APIConnectionError("no JSON object")  # type: ignore[no-untyped-call]
        return content, response.status_code, response.headers

    async def close_async(self) -> None:
        await self._client.aclose()


async def _read(response: httpx.Response) -> bytes:
    content = bytearray()
    async for part in response.aiter_bytes():
        content += part
        if len(content) > LARGEST_ANSWER:
            raise httpx.ReadError("endless answer")
    return bytes(content)
