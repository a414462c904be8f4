"""An app that ends its connections in every way there is, by the path asked for; it runs under a real uvicorn."""

from __future__ import annotations

from starlette.types import Receive, Scope, Send

from dummyllm.web.connection import close, reset, transport_of

BODY = b"the whole answer"
START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-length", b"%d" % len(BODY)), (b"content-type", b"text/plain")],
}


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """End the connection as the path says."""
    if scope["type"] != "http":
        return
    transport = transport_of(send)
    assert transport is not None, "this server hides its transport"
    match scope["path"]:
        case "/raise":
            raise RuntimeError("raised on purpose")
        case "/return":
            return
        case "/close":
            await close(transport, receive)
        case "/reset":
            await reset(transport, receive)
        case "/half-then-reset":
            await send(START)
            await send({"type": "http.response.body", "body": BODY[:8], "more_body": True})
            await receive()  # the client's "go on": it has what was sent so far
            await reset(transport, receive)
        case "/whole-then-close":
            await send(START)
            await send({"type": "http.response.body", "body": BODY})
            await close(transport, receive)
        case _:
            await send(START)
            await send({"type": "http.response.body", "body": BODY})
