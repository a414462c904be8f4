"""Answers leave in one write, and nothing else about them changes."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from dummyllm.web.whole import Held, send_whole
from tests.live import serve


class Wire:
    """A transport that remembers what was written to it, write by write."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes) -> None:
        self.writes.append(data)

    def close(self) -> None:
        self.is_closed = True

    def get_extra_info(self, name: str) -> str:
        return f"the {name}"


class Cycle:
    """What stands behind `send` under uvicorn: it writes head and body to its transport as they come."""

    def __init__(self, transport: Wire, *, has_body: bool = True, closes: bool = False) -> None:
        self.transport = transport
        self.has_body = has_body
        self.closes = closes

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.transport.write(b"head ")
            return
        if self.has_body:
            self.transport.write(message["body"])
        if self.closes:
            self.transport.close()


def answer(cycle: Cycle, transport: Wire | None) -> None:
    asyncio.run(send_whole(cycle.send, transport, 200, [], b"body"))  # type: ignore[arg-type]


def test_head_and_body_leave_in_one_write() -> None:
    """One write, one packet, one wake-up of the client."""
    wire = Wire()
    cycle = Cycle(wire)

    answer(cycle, wire)

    assert wire.writes == [b"head body"]
    assert cycle.transport is wire, "the cycle has its transport back"


def test_an_answer_without_a_body_still_leaves() -> None:
    """To a HEAD the head is all there is."""
    wire = Wire()

    answer(Cycle(wire, has_body=False), wire)

    assert wire.writes == [b"head "]


@pytest.mark.parametrize("has_body", [True, False])
def test_a_connection_closes_behind_the_answer_not_before_it(*, has_body: bool) -> None:
    """What was held back goes out before the connection does."""
    wire = Wire()

    answer(Cycle(wire, has_body=has_body, closes=True), wire)

    assert b"".join(wire.writes) == (b"head body" if has_body else b"head ")
    assert wire.is_closed


def test_a_send_that_fails_gives_the_cycle_its_transport_back() -> None:
    """Where an answer breaks off, what was started has been written."""
    wire = Wire()
    failing = Failing(wire)
    with pytest.raises(ConnectionError):
        answer(failing, wire)

    assert failing.transport is wire
    assert wire.writes == [b"head "]


class Failing(Cycle):
    """A cycle that loses its client between head and body."""

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body":
            raise ConnectionError
        self.transport.write(b"head ")


def test_where_the_transport_is_not_the_cycles_nothing_is_held_back() -> None:
    """Behind another server or a wrapped `send` the answer goes out in two writes, as ever."""
    wire = Wire()

    answer(Cycle(wire), None)
    answer(Cycle(wire), Wire())

    assert wire.writes == [b"head ", b"body"] * 2


def test_everything_else_reaches_the_transport() -> None:
    """A stand-in stands in for all of it."""
    assert Held(Wire()).get_extra_info("socket") == "the socket"


@pytest.mark.parametrize("http", ["httptools", "h11"])
def test_an_answer_arrives_whole(http: str) -> None:
    """One read of the client has head and body: nothing was sent before the body was there."""
    with serve(options=["--http", http]) as server, socket.create_connection(("127.0.0.1", server.port), 10) as client:
        for _ in range(20):
            client.sendall(b"GET /v1/jobs/job_000000000000000000000000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = client.recv(65_536)

            assert answer.startswith(b"HTTP/1.1 404")
            assert answer.endswith(b"}}}")
