"""What one request costs inside an ASGI app, without sockets: `python -m benchmarks.hotpath server:app`.

The app is imported here and called as uvicorn would call it, so the figures hold only the app's own work: decode,
decide, store, encode. uvicorn, httptools and the kernel add the same to every app and are left out; the ratios of
`python -m benchmarks` include them. With `--profile` the standard library's profiler says where the time goes. The
environment is used as it is: `DUMMYLLM_MODE=random python -m benchmarks.hotpath server:app`.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import gc
import json
import pstats
import time
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from statistics import median
from typing import Any

from uvicorn.importer import ImportFromStringError, import_from_string

from benchmarks.payload import submit_body

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

BATCHES = 10
IDS_ASKED = 1000


class Exchange:
    """One request to *app*, with a scope like the one uvicorn makes for HTTP/1.1."""

    def __init__(self, app: App, method: str, path: str, body: bytes = b"") -> None:
        self.app = app
        self.body = body
        self.status = 0
        self.answer = b""
        self.scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "server": ("127.0.0.1", 8787),
            "client": ("127.0.0.1", 50000),
            "scheme": "http",
            "method": method,
            "root_path": "",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(b"host", b"127.0.0.1:8787")],
            "state": {},
        }
        if body:
            length = str(len(body)).encode()
            self.scope["headers"] += [(b"content-type", b"application/json"), (b"content-length", length)]

    async def run(self) -> None:
        # Plain functions, not bound methods: an app that looks for a transport behind `send` finds none here.
        asked = False

        async def receive() -> Message:
            nonlocal asked
            if asked:
                return {"type": "http.disconnect"}
            asked = True
            return {"type": "http.request", "body": self.body, "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.status = message["status"]
            else:
                self.answer += message.get("body", b"")

        await self.app(self.scope, receive, send)


class Lifespan:
    """The life of *app* around a `with`: started before the first request, shut down after the last."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._to_app: asyncio.Queue[Message] = asyncio.Queue()
        self._from_app: asyncio.Queue[Message] = asyncio.Queue()

    async def __aenter__(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
        self._task = asyncio.ensure_future(self._app(scope, self._to_app.get, self._from_app.put))
        await self._say("startup")

    async def __aexit__(self, *_: object) -> None:
        await self._say("shutdown")
        await self._task

    async def _say(self, word: str) -> None:
        await self._to_app.put({"type": f"lifespan.{word}"})
        answer = await self._from_app.get()
        if answer["type"] != f"lifespan.{word}.complete":
            raise RuntimeError(f"the app did not get through its {word}: {answer.get('message', answer)}")


async def cost_us(exchanges: Sequence[Exchange]) -> list[float]:
    """Return the CPU time of one exchange in microseconds, as seen in each of ten batches."""
    size = len(exchanges) // BATCHES
    costs = []
    for first in range(0, size * BATCHES, size):
        batch = exchanges[first : first + size]
        start_ns = time.process_time_ns()
        for exchange in batch:
            await exchange.run()
        costs.append((time.process_time_ns() - start_ns) / size / 1000)
    return costs


async def measure(app: App, posts: int, gets: int, profiler: cProfile.Profile | None) -> list[str]:
    """Return one line for each kind of request."""
    async with Lifespan(app):
        warm = [Exchange(app, "POST", "/v1/jobs", submit_body(number)) for number in range(IDS_ASKED)]
        await cost_us(warm)
        ids = [id_in(exchange) for exchange in warm]
        submits = [Exchange(app, "POST", "/v1/jobs", submit_body(IDS_ASKED + number)) for number in range(posts)]
        polls = [Exchange(app, "GET", f"/v1/jobs/{ids[number % len(ids)]}") for number in range(gets)]
        # What this file built beforehand is none of the app's garbage: keep its collections as short as in a server.
        gc.collect()
        gc.freeze()
        if profiler:
            profiler.enable()
        costs = {"POST /v1/jobs": await cost_us(submits), "GET /v1/jobs/{id}": await cost_us(polls)}
        if profiler:
            profiler.disable()
        gc.unfreeze()
    assert all(exchange.status == 201 for exchange in submits), "a submit was refused while it was measured"
    assert all(exchange.status == 200 for exchange in polls), "a poll was refused while it was measured"
    return [
        f"{name:<18}{median(seen):7.1f} us  (best batch {min(seen):.1f}, worst {max(seen):.1f})"
        for name, seen in costs.items()
    ]


def id_in(exchange: Exchange) -> str:
    """Return the id that a submit was answered with."""
    if exchange.status != 201:
        raise RuntimeError(f"POST /v1/jobs was answered {exchange.status}: {exchange.answer.decode()}")
    return str(json.loads(exchange.answer)["id"])


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hotpath", description=__doc__.partition("\n")[0])
    parser.add_argument("app", metavar="MODULE:APP", help="server:app, or benchmarks.floor:app to compare with")
    parser.add_argument("--posts", type=int, default=20_000, help="submits to measure (default %(default)s)")
    parser.add_argument("--gets", type=int, default=20_000, help="polls to measure (default %(default)s)")
    parser.add_argument("--profile", action="store_true", help="also print the thirty functions with the most own time")
    options = parser.parse_args(argv)
    if min(options.posts, options.gets) < BATCHES:
        parser.error(f"--posts and --gets are at least {BATCHES}")
    try:
        app: App = import_from_string(options.app)
    except ImportFromStringError as mistake:
        parser.error(str(mistake))
    profiler = cProfile.Profile() if options.profile else None
    print("\n".join(asyncio.run(measure(app, options.posts, options.gets, profiler))))
    if profiler:
        pstats.Stats(profiler).sort_stats("tottime").print_stats(30)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
