"""A small HTTP/1.1 load generator: the one that fills a server with a counted number of jobs, and wrk's stand-in.

Each connection sends a request when the answer to its last one has arrived: keep-alive, no pipelining. A count and a
number of seconds bound every run. It is a process of its own (`python -m benchmarks.client`), so that its work is never
booked on the server, and it speaks only to 127.0.0.1. It prints one line of JSON, a `Tally`.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import count, cycle, islice
from pathlib import Path

from benchmarks.payload import status_request, submit_parts
from benchmarks.tally import Tally, tally

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


class Run:
    """Requests to send until they or *seconds* are used up, and what came of them."""

    def __init__(self, requests: Iterator[bytes], *, seconds: float, keep_bodies: bool) -> None:
        self._requests = requests
        self._keep_bodies = keep_bodies
        self.deadline = time.monotonic() + seconds
        self.latencies_us: list[int] = []
        self.bodies: list[bytes] = []
        self.refused = 0
        self.broken = 0

    def next_request(self) -> bytes | None:
        return next(self._requests, None) if time.monotonic() < self.deadline else None

    def answered(self, status: int, body: bytes, latency_us: int) -> None:
        self.latencies_us.append(latency_us)
        self.refused += not 200 <= status < 300
        if self._keep_bodies:
            self.bodies.append(body)


class Connection(asyncio.Protocol):
    """One connection of a *run*: its `closed` is done when it has nothing more to send."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._received = b""
        self._waiting = False
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end_of_head, body = self._received.partition(b"\r\n\r\n")
        if not end_of_head:
            return
        length = LENGTH.search(head + b"\r\n")
        if length is None:
            self._transport.abort()  # An answer without a length is none that the benchmarks ask for.
            return
        if len(body) < int(length[1]):
            return
        latency_us = (time.perf_counter_ns() - self._sent_ns) // 1000
        self._received = b""
        self._run.answered(int(head[9:12]), body, latency_us)
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        self._run.broken += self._waiting
        if not self.closed.done():
            self.closed.set_result(None)

    def _send(self) -> None:
        request = self._run.next_request()
        self._waiting = request is not None
        if request is None:
            self._transport.close()
            return
        self._sent_ns = time.perf_counter_ns()
        self._transport.write(request)


async def drive(run: Run, port: int, connections: int) -> Tally:
    """Return the tally of *run* over so many *connections*; an answer that never comes is a broken one."""
    loop = asyncio.get_running_loop()
    started = time.monotonic()
    opened = [await loop.create_connection(lambda: Connection(run), "127.0.0.1", port) for _ in range(connections)]
    grace = run.deadline - started + 10
    await asyncio.wait([connection.closed for _, connection in opened], timeout=grace)
    for transport, connection in opened:
        if not connection.closed.done():
            transport.abort()
    seconds = time.monotonic() - started
    await asyncio.sleep(0)
    return tally(run.latencies_us, seconds=seconds, connections=connections, refused=run.refused, broken=run.broken)


def submits(port: int, first: int) -> Iterator[bytes]:
    before, after = submit_parts(port)
    return (b"%b%012d%b" % (before, number, after) for number in count(first))


def polls(port: int, job_ids: Sequence[str]) -> Iterator[bytes]:
    return cycle([status_request(port, job_id) for job_id in job_ids])


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.client", description=__doc__.partition("\n")[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=10, help="send no more after this time")
    parser.add_argument("--count", type=int, help="send no more than this")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--post", type=int, metavar="FIRST", help="submit jobs, numbered from FIRST")
    what.add_argument("--get", type=Path, metavar="FILE", help="ask for the job ids in FILE, one a line, over and over")
    parser.add_argument("--ids", type=Path, metavar="FILE", help="write the ids of the submitted jobs to FILE")
    options = parser.parse_args(argv)
    if options.get is None:
        requests = submits(options.port, options.post)
    else:
        requests = polls(options.port, options.get.read_text().split())
    run = Run(islice(requests, options.count), seconds=options.seconds, keep_bodies=options.ids is not None)
    gc.disable()  # A bounded run needs no collection, and a pause here would be taken for one of the server.
    result = asyncio.run(drive(run, options.port, options.connections))
    if options.ids is not None:
        options.ids.write_text("".join(f"{json.loads(body)['id']}\n" for body in run.bodies))
    print(json.dumps(asdict(result)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
