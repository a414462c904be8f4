"""Sends the head of an answer together with its body: one write, one packet, one wake-up of the client.

uvicorn writes the head when the answer starts and the body when it comes, and the transports of asyncio and uvloop hand
every write to the kernel at once. For an answer as short as ours that second system call costs as much as a third of
all that uvicorn does for the request. So for the length of one answer the cycle behind `send` gets a stand-in for its
transport, which holds the head back until the body is there. Where a server shows no such cycle, nothing changes.
"""

from __future__ import annotations

from asyncio import Transport
from typing import Any

from starlette.types import Send

from dummyllm.web.refusal import Header


class Held:
    """A transport that holds back the first write until the second; everything else goes straight to *transport*."""

    __slots__ = ("_head", "_transport")

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._head: bytes | None = None

    def write(self, data: bytes) -> None:
        """Keep *data* if it is the first, else write it behind what was kept."""
        if self._head is None:
            self._head = data
        else:
            self._transport.write(self._head + data)
            self._head = b""

    def close(self) -> None:
        """Close the transport after what was held back."""
        self.flush()
        self._transport.close()

    def flush(self) -> None:
        """Write what is still held back: the head of an answer that has no body, as to a HEAD."""
        if self._head:
            self._transport.write(self._head)
            self._head = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


async def send_whole(send: Send, transport: Transport | None, status: int, headers: list[Header], body: bytes) -> None:
    """Send an answer in one write if *transport*, that of the cycle behind *send*, is known; else in two."""
    start = {"type": "http.response.start", "status": status, "headers": headers}
    end = {"type": "http.response.body", "body": body}
    cycle: Any = getattr(send, "__self__", None)
    if transport is None or getattr(cycle, "transport", None) is not transport:  # behind CORS, or without a server
        await send(start)
        await send(end)
        return
    held = Held(transport)
    cycle.transport = held
    try:
        await send(start)
        await send(end)
    finally:
        cycle.transport = transport
        held.flush()
