"""Reaches through ASGI to the connection itself: what it takes to break one on purpose, or to know that it broke.

Under uvicorn, `send` is a method of the request's cycle, and the cycle holds the asyncio transport. That holds only in
the outermost callable: frameworks wrap `send`. It is no documented interface, so tests pin it down on every stack, and
where it is missing (another server, an in-process client) there is no transport and callers do without.

What each way of ending looks like to a client, and to this server's stderr, is a table in the tests:
closing before an answer gives 0 bytes and a FIN; aborting with linger 0 gives 0 bytes and an RST.
"""

from __future__ import annotations

import asyncio
import select
import socket
import struct
from typing import Any, cast

from starlette.types import Receive, Scope, Send

EXTENSION = "dummyllm.connection"
POLLRDHUP: int | None = getattr(select, "POLLRDHUP", None)


def transport_of(send: Send) -> asyncio.Transport | None:
    """Return the transport under *send*, or None if this server does not show it."""
    return getattr(getattr(send, "__self__", None), "transport", None)


def connection_of(scope: Scope) -> asyncio.Transport | None:
    """Return the transport that the outermost callable put into *scope*."""
    extensions = scope.get("extensions") or {}
    return cast("asyncio.Transport | None", extensions.get(EXTENSION))


def has_left(transport: asyncio.Transport) -> bool:
    """Say whether the client has closed its side already, as the kernel knows it; the server's loop may not know yet.

    A server that was paused, or starved of CPU time, reads requests whose clients gave up long ago. Only Linux tells.
    """
    sock: Any = transport.get_extra_info("socket")
    if sock is None or POLLRDHUP is None:
        return False
    poller = select.poll()
    poller.register(sock.fileno(), POLLRDHUP)
    return bool(poller.poll(0))


async def close(transport: asyncio.Transport, receive: Receive) -> None:
    """End the connection with a FIN after what was written so far, and wait until it is gone."""
    transport.close()
    await gone(receive)


async def reset(transport: asyncio.Transport, receive: Receive) -> None:
    """End the connection with an RST at once, and wait until it is gone; what was not yet sent is lost."""
    sock: Any = transport.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    await gone(receive)


async def gone(receive: Receive) -> None:
    """Wait until the server has noticed that the client is gone; then it does not miss an answer."""
    while (await receive())["type"] != "http.disconnect":
        pass
