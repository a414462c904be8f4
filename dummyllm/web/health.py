"""Answers whether the server is well, and what it is set to."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from dummyllm import __version__
from dummyllm.backend import Backend
from dummyllm.core.mode import Mode
from dummyllm.web.encode import Seconds, encode


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
    """`/health` for people and tests, `/livez` and `/readyz` for orchestrators."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def health(self, request: Request) -> Response:
        """`GET /health`: the active mode, latency, seed and weights."""
        policy = self._backend.policy
        view = Health(
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
        return Response(encode(view), media_type="application/json")

    async def alive(self, request: Request) -> Response:
        """`GET /livez`, `GET /readyz`: 200 while requests are answered at all."""
        return Response(b'{"ok":true}', media_type="application/json")
