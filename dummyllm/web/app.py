"""Joins the routes into one ASGI callable, the outermost one: it alone sees the connection itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from functools import partial
from time import monotonic
from traceback import format_exc
from typing import Any

from msgspec.structs import replace
from starlette.types import ASGIApp, Receive, Scope, Send

from dummyllm.backend import Backend
from dummyllm.journal import Entry
from dummyllm.journal_file import JournalFile
from dummyllm.settings import Settings
from dummyllm.trial import closing_of
from dummyllm.web.access import Access
from dummyllm.web.connection import connection_of, transport_of
from dummyllm.web.cycle import Cycle
from dummyllm.web.delivery import Deliveries
from dummyllm.web.exchange import JSON, Exchange, headers_of
from dummyllm.web.health import HealthRoutes
from dummyllm.web.jobs import PREFIX, Jobs
from dummyllm.web.last_word import last_word
from dummyllm.web.refusal import ClientGone, Refusal, body_of
from dummyllm.web.shutdown import on_first_signal
from dummyllm.web.waits import Waits

logger = logging.getLogger("dummyllm")


class App:
    """The server as an ASGI callable. Native routes go straight to their handlers, all others through Starlette."""

    def __init__(self, backend: Backend, settings: Settings, journal_file: JournalFile | None = None) -> None:
        self.backend = backend
        self._journal_file = journal_file
        self.settings = settings
        self._waits = Waits(settings.receive_timeout_ms)
        self._deliveries = Deliveries(backend.journal.sink)
        self._access = Access(settings)
        self._jobs = Jobs(backend, settings, self._waits, self._deliveries)
        self._submit = self._jobs.submit
        self._health = HealthRoutes(backend)
        self._rest: ASGIApp | None = None
        self._cors = self._cors_middleware() if settings.cors_origins else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; here `send` is still the server's own, so here the connection can be seen."""
        if scope["type"] != "http":
            await self._live(scope, receive, send)
            return
        cycle: Any = getattr(send, "__self__", None)
        if type(cycle) is Cycle:
            transport = cycle.transport
        else:
            cycle, transport = None, transport_of(send)
        raw = scope["headers"]
        headers = dict(raw)
        if len(raw) != len(headers):
            headers = headers_of(raw)
        exchange = Exchange(scope, receive, send, transport, cycle, headers, monotonic())
        deliveries = self._deliveries
        if deliveries.is_new_turn and transport is not None:
            deliveries.turn(exchange.whole_at_s)
        if deliveries.are_waiting:
            deliveries.next_request(transport)
        try:
            path: str = scope["path"]
            self._access.check(exchange, path)
            if self._cors is not None and self._access.is_from_listed_page(headers):
                await exchange.hand_over(self._cors, self)  # which goes on in `_behind_cors`
            else:
                await self._handle(exchange, path)
        except Exception as error:  # noqa: BLE001  # every one of them gets an answer
            await self._fail(exchange, error)
        except asyncio.CancelledError:
            # uvicorn cuts what is left when its patience ends. That is an end, not an error.
            if not self._waits.is_stopping:
                raise

    async def _behind_cors(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = headers_of(scope["headers"])
        exchange = Exchange(scope, receive, send, connection_of(scope), None, headers, monotonic())
        try:
            await self._handle(exchange, scope["path"])
        except Exception as error:  # noqa: BLE001  # answered here, so that a page may read what is wrong
            await self._fail(exchange, error)

    def _handle(self, exchange: Exchange, path: str) -> Awaitable[None]:
        """Begin to answer *exchange*, and return what to await for the rest of it."""
        if self._access.has_key:
            self._access.check_key(exchange, path)
        if path == PREFIX and exchange.scope["method"] == "POST":
            return self._submit(exchange)
        if path == PREFIX or path.startswith(PREFIX + "/"):
            return self._jobs.route(exchange, path)(exchange)
        if path in self._health.views:
            return self._health.answer(exchange, path)
        return exchange.hand_over(self._fetched_rest(), self)

    def _fetched_rest(self) -> ASGIApp:
        if self._rest is None:
            from dummyllm.web.rest import Rest  # noqa: PLC0415  # with Starlette, that is a good part of a start

            self._rest = Rest(self.backend, self.settings, self._waits)
        return self._rest

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Speak the lifespan protocol of ASGI; refuse a WebSocket."""
        if scope["type"] != "lifespan":
            await self._fetched_rest()(scope, receive, send)
            return
        await receive()
        moment = "startup"
        try:
            async with self.lifespan():
                await send({"type": "lifespan.startup.complete"})
                moment = "shutdown"
                await receive()
        except Exception:
            await send({"type": f"lifespan.{moment}.failed", "message": format_exc()})
            raise
        await send({"type": "lifespan.shutdown.complete"})

    async def _fail(self, exchange: Exchange, error: Exception) -> None:
        match error:
            case ClientGone():
                return
            case Refusal():
                await self._refuse(exchange, error)
            case _:
                logger.error("a bug of ours: %s %s", exchange.scope["method"], exchange.scope["path"], exc_info=error)
                sorry = "the server failed; this is a bug of ours"
                await self._refuse(exchange, Refusal("INTERNAL", sorry, closes=True))

    async def _refuse(self, exchange: Exchange, refusal: Refusal) -> None:
        journal = self.backend.journal
        entry = Entry(
            journal.next_seq(),
            self.backend.clock.now_ms(),
            exchange.what,
            exchange.job_id or None,
            status=refusal.status,
            code=refusal.code,
            user_agent=exchange.user_agent(),
            whole_at_s=exchange.whole_at_s,
            sent=exchange.sent,
            retry_after_s=refusal.retry_after_s,
        )
        if entry.sent is not None:
            entry.sent.names_unknown = refusal.names_unknown
        body = body_of(refusal)
        if refusal.closes:
            headers = [JSON, *refusal.headers]
            await exchange.answer_and_linger(refusal.status, body, entry, journal, self._deliveries, headers)
        else:
            more = [JSON, *refusal.headers] if refusal.headers else None
            await exchange.answer(refusal.status, body, entry, journal, self._deliveries, more)

    def _cors_middleware(self) -> ASGIApp:
        from starlette.middleware.cors import CORSMiddleware  # noqa: PLC0415  # most servers have no use for it

        return CORSMiddleware(
            self._behind_cors,
            allow_origins=self.settings.cors_origins,
            allow_methods=["*"],  # those that a route does not have get its 405
            allow_headers=["*"],
        )

    def stop_waiting(self) -> None:
        """Let nobody wait any longer: whoever is held gets a 503 at once."""
        self._waits.stop()

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Begin, and end with the block: who ends it sooner than the requests are over loses what they would write."""
        loop = asyncio.get_running_loop()
        if self._journal_file is not None:
            self._journal_file.attach(loop.call_later)
        with on_first_signal(partial(loop.call_soon_threadsafe, self._waits.stop)):
            yield
        self._waits.stop()
        self._end()

    def _end(self) -> None:
        """Close the journal's file, and give the verdict that was asked for."""
        if self._journal_file is not None:
            # What fell out of the ring is in the file all the same.
            self._journal_file.close(replace(closing_of(self.backend), dropped=0))
        last_word(self.backend, self.settings)
