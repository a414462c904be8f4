"""Joins the routes into one ASGI callable, the outermost one: it alone sees the connection itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from starlette.exceptions import HTTPException
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from dummyllm.backend import Backend
from dummyllm.journal import Entry
from dummyllm.settings import Settings
from dummyllm.web.access import Access
from dummyllm.web.admin import Admin
from dummyllm.web.connection import connection_of, transport_of
from dummyllm.web.delivery import Deliveries
from dummyllm.web.exchange import JSON, Exchange
from dummyllm.web.health import HealthRoutes
from dummyllm.web.jobs import PREFIX, Jobs, method_not_allowed, not_found
from dummyllm.web.openapi import openapi_route
from dummyllm.web.refusal import ClientGone, Refusal, body_of
from dummyllm.web.shutdown import on_first_signal
from dummyllm.web.waits import Waits

logger = logging.getLogger("dummyllm")


class App:
    """The server as an ASGI callable. Native routes go straight to their handlers, all others through Starlette."""

    def __init__(self, backend: Backend, settings: Settings) -> None:
        self.backend = backend
        self.settings = settings
        self._waits = Waits(settings.receive_timeout_ms)
        self._deliveries = Deliveries()
        self._access = Access(settings)
        self._jobs = Jobs(backend, settings, self._waits, self._deliveries)
        self._rest = Router(self._routes(), redirect_slashes=False, lifespan=self._lifespan)
        self._cors = self._cors_middleware() if settings.cors_origins else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; here `send` is still the server's own, so here the connection can be seen."""
        if scope["type"] != "http":
            await self._rest(scope, receive, send)
            return
        await self._answer(Exchange(scope, receive, send, transport_of(send)), self._cors)

    async def _behind_cors(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._answer(Exchange(scope, receive, send, connection_of(scope)), None)

    async def _answer(self, exchange: Exchange, cors: ASGIApp | None) -> None:
        if self._deliveries.are_waiting:
            self._deliveries.next_request(exchange.transport)
        scope = exchange.scope
        try:
            path: str = scope["path"]
            self._access.check(exchange, path)
            if cors is not None and self._access.is_from_listed_page(exchange.headers):
                await exchange.hand_over(cors, self)  # which comes back by way of `_behind_cors`
                return
            if self._access.has_key:
                self._access.check_key(exchange, path)  # behind CORS, so that a page may read what is wrong
            if path.startswith(PREFIX) and path[len(PREFIX) : len(PREFIX) + 1] in ("", "/"):
                await self._jobs.route(exchange, path)(exchange)
            else:
                await exchange.hand_over(self._rest, self)
        except Refusal as refusal:
            await self._refuse(exchange, refusal)
        except HTTPException as error:
            await self._refuse(exchange, _refusal_of(error, exchange))
        except ClientGone:
            pass
        except asyncio.CancelledError:
            # uvicorn cuts what is left when its patience ends. That is an end, not an error.
            if not self._waits.is_stopping:
                raise
        except Exception:
            logger.exception("a bug of ours: %s %s", scope["method"], scope["path"])
            await self._refuse(exchange, Refusal("INTERNAL", "the server failed; this is a bug of ours", closes=True))

    async def _refuse(self, exchange: Exchange, refusal: Refusal) -> None:
        journal = self.backend.journal
        entry = Entry(
            journal.next_seq(),
            self.backend.clock.now_ms(),
            exchange.what,
            exchange.job_id,
            status=refusal.status,
            code=refusal.code,
            user_agent=exchange.user_agent(),
        )
        headers = [JSON, *refusal.headers]
        if refusal.closes:
            await exchange.answer_and_linger(refusal.status, body_of(refusal), entry, journal, headers)
        else:
            await exchange.answer(refusal.status, body_of(refusal), entry, journal, self._deliveries, headers)

    def _cors_middleware(self) -> ASGIApp:
        from starlette.middleware.cors import CORSMiddleware  # noqa: PLC0415  # most servers have no use for it

        return CORSMiddleware(
            self._behind_cors,
            allow_origins=self.settings.cors_origins,
            allow_methods=["*"],  # those that a route does not have get its 405
            allow_headers=["*"],
        )

    def _routes(self) -> list[Route]:
        health, admin = HealthRoutes(self.backend), Admin(self.backend, self.settings)
        return [
            Route("/health", health.health),
            Route("/livez", health.alive),
            Route("/readyz", health.alive),
            Route("/openapi.json", openapi_route),
            Route("/__admin/config", admin.config),
            Route("/__admin/journal", admin.journal),
            Route("/__admin/decisions", admin.decisions),
            Route("/__admin/reset", admin.reset, methods=["POST"]),
        ]

    @asynccontextmanager
    async def _lifespan(self, _: object) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        with on_first_signal(partial(loop.call_soon_threadsafe, self._waits.stop)):
            yield
        self._waits.stop()


def _refusal_of(error: HTTPException, exchange: Exchange) -> Refusal:
    """Return what Starlette's own 404 or 405 is in the one error shape."""
    path = exchange.scope["path"]
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "").split(", ")
        return method_not_allowed(exchange.scope["method"], path, sorted(allowed))
    return not_found(path)
