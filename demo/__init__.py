"""The demo: real purchases on the real stack, each checked against the API and the gateway's ledger."""

from __future__ import annotations

from demo.main import main

__all__ = ["main"]
