"""Answers whether the server is well, and what it is set to."""

from __future__ import annotations

import msgspec

from dummyllm import __version__
from dummyllm.backend import Backend
from dummyllm.core.mode import Mode
from dummyllm.web.encode import Seconds, encode
from dummyllm.web.exchange import JSON, Exchange
from dummyllm.web.jobs import method_not_allowed

METHODS = ["GET", "HEAD"]


class Health(msgspec.Struct, frozen=True):
    """What is set, as far as it shapes fates; *random_weights* is null unless the mode is random."""

    ok: bool
    name: str
    version: str
    time: Seconds
    mode: Mode
    latency_ms: int
    seed: int
    random_weights: dict[str, int] | None
    reproducible: str


class HealthRoutes:
    """`/health` for people and tests, `/livez` and `/readyz` for orchestrators.

    They are what a start is waited for with, so they are plain ASGI: to fetch Starlette is a good part of a start.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.views = {"/health": self.health, "/livez": self.alive, "/readyz": self.alive}

    async def answer(self, exchange: Exchange, path: str) -> None:
        """Answer with the view at *path*, which is one of `views`."""
        method = exchange.scope["method"]
        if method not in METHODS:
            raise method_not_allowed(method, path, METHODS)
        await exchange.send_whole(200, self.views[path](), [JSON])

    def health(self) -> bytes:
        """`GET /health`: the active mode, latency, seed and weights."""
        policy = self._backend.policy
        return encode(
            Health(
                ok=True,
                name="dummyLLM",
                version=__version__,
                time=self._backend.clock.now_ms() // 1000,
                mode=policy.mode,
                latency_ms=policy.base_latency_ms,
                seed=policy.seed,
                random_weights=policy.random_weights,
                reproducible=self._backend.reproducible,
            )
        )

    def alive(self) -> bytes:
        """`GET /livez`, `GET /readyz`: 200 while requests are answered at all."""
        return b'{"ok":true}'
