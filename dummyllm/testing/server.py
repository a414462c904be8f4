"""One server on the loop that all share: uvicorn's protocol on a listening socket, without uvicorn's own server.

That one waits a tenth of a second twice before it ends, and changes signal handlers and loggers, which belong to the
test here. What it does besides is little: it begins and ends the app, keeps the Date header, and closes connections.
"""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import AsyncExitStack, suppress
from email.utils import formatdate
from typing import Any

from uvicorn import Config
from uvicorn.protocols.http.auto import AutoHTTPProtocol
from uvicorn.server import ServerState

from dummyllm.web.app import App
from dummyllm.web.deadline import with_deadline

DATE_EACH_S = 1
GRACE_S = 0.1  # for answers that cannot leave, since their client has not sent or does not read
STEPS_OF_ACCEPTING = 3  # of the loop, from a connection that is let in to a protocol that knows it


class Server:
    """Answers on *listener* with *app*, from `start` to `stop`; both are called in the loop."""

    def __init__(self, app: App, listener: socket.socket) -> None:
        self._app = app
        self._listener = listener
        self._config = _config(app)
        self._state = ServerState()
        self._life = AsyncExitStack()

    async def start(self) -> None:
        """Begin to answer."""
        loop = asyncio.get_running_loop()
        await self._life.enter_async_context(self._app.lifespan())
        self._keep_date(loop)
        self._listening = await loop.create_server(self._protocol, sock=self._listener)

    async def stop(self) -> None:
        """Let nobody in, give those who wait their 503, let answers leave, and close every connection."""
        asyncio.get_running_loop().remove_reader(self._listener)
        for _ in range(STEPS_OF_ACCEPTING):
            await asyncio.sleep(0)
        self._listening.close()  # not before: asyncio forgets, unclosed, whom it was about to let in
        self._app.stop_waiting()
        await self._answered()
        for connection in list(self._state.connections):
            connection.transport.abort()
        await self._answered()
        self._date.cancel()
        await self._life.aclose()

    def let_go(self) -> None:
        """Close the copies of the sockets that a forked child has: a connection ends when nobody has it open."""
        self._listener.close()
        for connection in self._state.connections:
            with suppress(OSError):
                os.close(connection.transport.get_extra_info("socket").fileno())

    async def _answered(self) -> None:
        if self._state.tasks:
            await asyncio.wait(self._state.tasks, timeout=GRACE_S)

    def _protocol(self) -> asyncio.Protocol:
        protocol: Any = self._config.http_protocol_class(config=self._config, server_state=self._state, app_state={})  # type: ignore[call-arg]
        protocol.access_log = False  # uvicorn turns it on as soon as anybody in the process has a log handler
        return protocol  # type: ignore[no-any-return]

    def _keep_date(self, loop: asyncio.AbstractEventLoop) -> None:
        date = (b"date", formatdate(usegmt=True).encode())
        self._state.default_headers = [date, *self._config.encoded_headers]
        self._date = loop.call_later(DATE_EACH_S, self._keep_date, loop)


def _config(app: App) -> Config:
    """Return what uvicorn's protocols ask for; everything that uvicorn would read of the environment is said."""
    config = Config(
        app,
        http=with_deadline(AutoHTTPProtocol, app.settings.receive_timeout_ms),
        ws="none",
        lifespan="off",
        log_config=None,
        interface="asgi3",
        workers=1,
        proxy_headers=False,
        forwarded_allow_ips=[],
    )
    config.load()
    config.loaded_app = app  # unwrapped, whatever the level of the test's logs: a wrapper hides the connection
    return config
