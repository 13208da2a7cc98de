"""Asks a part over HTTP whether it is well."""

from __future__ import annotations

import httpx


async def answers(url: str) -> bool:
    """Whether *url* answers 200 within two seconds."""
    try:
        async with httpx.AsyncClient(timeout=2, trust_env=False) as client:
            return (await client.get(url)).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
