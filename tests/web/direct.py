"""Asks an app in this process, as a server without a transport would: any address, any header, no socket."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Scope

from tests.web.stack import Answer

LOOPBACK = ("127.0.0.1", 8787)
HERE = ("127.0.0.1", 50_000)


def direct(
    app: ASGIApp,
    method: str,
    path: str,
    body: bytes = b"",
    headers: Iterable[tuple[bytes, bytes]] = ((b"host", b"localhost"),),
    *,
    server: tuple[str, int | None] | None = LOOPBACK,
    client: tuple[str, int] | None = HERE,
    query: bytes = b"",
) -> Answer:
    """Return what *app* answers to one request."""
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "root_path": "",
        "headers": list(headers),
        "server": server,
        "client": client,
    }
    incoming: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
    sent: list[Message] = []

    async def receive() -> Message:
        return incoming.pop() if incoming else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    start, *rest = sent
    fields = {name.decode().lower(): value.decode("latin-1") for name, value in start["headers"]}
    return Answer(start["status"], fields, b"".join(message.get("body", b"") for message in rest))
