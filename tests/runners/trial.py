"""Puts a runner on trial: a server of its own in this process, real sockets, and the verdict when the runner is done.

Many trials fit into one event loop (`hurried`), and go on side by side.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from dummyllm.assembly import app_of
from dummyllm.journal_line import Closing, Heading, Line, line_of
from dummyllm.settings import load
from dummyllm.trial import closing_of, heading_of
from dummyllm.verdict.attempts import run_of
from dummyllm.verdict.expect import read_expected
from dummyllm.verdict.limits import Limits
from dummyllm.verdict.run import Run
from dummyllm.verdict.same import Same
from dummyllm.web.app import App

Payload = dict[str, Any]
Runner = Callable[[str, Sequence[Payload]], Awaitable[Sequence[Any]]]

QUIET_MS = 5_000  # how long nothing more happens, after the runner is done, before its verdict is given


def payloads(count: int, *, timeout_ms: int = 8_000) -> list[Payload]:
    """Return *count* payloads, no two of them equal."""
    return [
        {
            "op": "llm.chat" if number % 3 else "report.render",
            "args": {"model": "llama3.1:8b", "messages": [{"role": "user", "content": f"Zahl {number}: Grüße"}]},
            "timeout_ms": timeout_ms,
            "trace_id": f"case-{number}",
        }
        for number in range(count)
    ]


@asynccontextmanager
async def serving(app: App) -> AsyncIterator[str]:
    """Yield the URL of *app* on a port of its own, until the block ends."""
    config = uvicorn.Config(app, http="httptools", ws="none", lifespan="off", log_config=None)
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: config.http_protocol_class(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for connection in list(state.connections):
            connection.transport.abort()
        await asyncio.gather(*state.tasks, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class Trial:
    """What is known when the runner is done: the journal, what the runner was asked to send, and what it reports."""

    asked: Sequence[Payload]
    reported: Sequence[Any]
    heading: Heading
    lines: Sequence[Line]
    closing: Closing
    limits: Limits
    done_ms: int

    def run(self, same: Same = Same.PAYLOAD, **limits: Any) -> Run:
        """Return the run, over and quiet for a while; every payload that the runner was asked to send is expected."""
        return run_of(
            self.heading,
            self.lines,
            same=same,
            limits=replace(self.limits, **limits),
            now_ms=self.done_ms + QUIET_MS,
            expected=read_expected(json.dumps(payload) for payload in self.asked),
            closing=self.closing,
        )


async def put_on_trial(runner: Runner, asked: Sequence[Payload], settings: Mapping[str, str]) -> Trial:
    """Let *runner* do what it is *asked*, on a server with *settings*, and return what is known of it."""
    app = app_of(load({f"DUMMYLLM_{name}": value for name, value in settings.items()}))
    backend = app.backend
    async with serving(app) as url:
        reported = await runner(url, asked)
        return Trial(
            asked,
            reported,
            heading_of(app.settings, backend),
            [line_of(entry, backend.journal.zero_s) for entry in backend.journal.since()],
            closing_of(backend),
            app.settings.verdict_limits,
            done_ms=int((monotonic() - backend.journal.zero_s) * 1000),
        )
