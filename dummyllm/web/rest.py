"""The routes that need not be fast, through Starlette: OpenAPI and `/__admin/`; fetched with the first request."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from dummyllm.backend import Backend
from dummyllm.settings import Settings
from dummyllm.web.admin import Admin
from dummyllm.web.jobs import method_not_allowed, not_found
from dummyllm.web.openapi import openapi_route
from dummyllm.web.refusal import Refusal
from dummyllm.web.waits import Waits


class Rest:
    """Answers what the native routes leave; raises `Refusal` where there is no route, or not with this method."""

    def __init__(self, backend: Backend, settings: Settings, waits: Waits) -> None:
        admin = Admin(backend, settings, waits)
        self.routes = [
            Route("/openapi.json", openapi_route),
            Route("/__admin/config", admin.config),
            Route("/__admin/journal", admin.journal),
            Route("/__admin/journal.jsonl", admin.journal_file),
            Route("/__admin/decisions", admin.decisions),
            Route("/__admin/verdict", admin.verdict),
            Route("/__admin/faults", admin.faults),
            Route("/__admin/clock", admin.clock, methods=["POST"]),
            Route("/__admin/reset", admin.reset, methods=["POST"]),
        ]
        self._router = Router(self.routes, redirect_slashes=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            await self._router(scope, receive, send)
        except HTTPException as error:
            raise _refusal_of(error, scope) from None


def _refusal_of(error: HTTPException, scope: Scope) -> Refusal:
    """Return what Starlette's own 404 or 405 is in the one error shape."""
    path = scope["path"]
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "").split(", ")
        return method_not_allowed(scope["method"], path, sorted(allowed))
    return not_found(path)
