"""The connection under a request: cutting it off, as a network does."""

from __future__ import annotations

import asyncio
import socket
import struct

from fastapi import Request, Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class Protocol(HttpToolsProtocol):
    """uvicorn's own protocol, that also shows each request its transport."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"]["transport"] = self.transport


class Cut(Response):
    """No answer: the connection is closed, after *first* bytes of a longer body if there are any; *rudely* resets it."""

    def __init__(self, request: Request, first: bytes = b"", length: int = 0, *, rudely: bool = False) -> None:
        super().__init__(media_type="application/json")
        self._transport: asyncio.Transport = request.state.transport
        self._first = first
        self._length = length
        self._rudely = rudely

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        if self._first:
            headers = [(b"content-type", b"application/json"), (b"content-length", str(self._length).encode())]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": self._first, "more_body": True})
        if self._rudely:
            held: socket.socket = self._transport.get_extra_info("socket")
            held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()
        self._transport.close()
        while (await receive())["type"] != "http.disconnect":
            pass
