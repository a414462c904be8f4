"""uvicorn never closes a connection that says nothing or half a header; under `dummyllm serve` such a one is closed."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPResponse
from time import monotonic
from types import SimpleNamespace

import pytest
from uvicorn import Config, Server
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from dummyllm.web.deadline import SWEEPS_PER_TIMEOUT, Heads, with_deadline

TIMEOUT_MS = 200
TIMEOUT_S = TIMEOUT_MS / 1000
KEEP_ALIVE_S = 0.6
PATIENCE_S = 10  # of a test with a busy machine

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
HALF_HEAD = GET[:20]  # an unfinished name of a header
STACKS = [(HttpToolsProtocol, "uvloop"), (HttpToolsProtocol, "asyncio"), (H11Protocol, "asyncio")]


class Echo:
    """An app that answers with the body it got; it answers `/gate` when the gate is opened."""

    def __init__(self) -> None:
        self.gate = threading.Event()

    async def __call__(self, scope, receive, send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        if scope["path"] == "/gate":
            await asyncio.get_running_loop().run_in_executor(None, self.gate.wait, PATIENCE_S)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
        await send({"type": "http.response.body", "body": body})


@pytest.fixture(scope="module", params=STACKS, ids=lambda stack: f"{stack[0].__name__}-{stack[1]}")
def server(request) -> Iterator[SimpleNamespace]:
    protocol, loop = request.param
    app = Echo()
    config = Config(
        app,
        http=with_deadline(protocol, TIMEOUT_MS),
        loop=loop,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=1,
    )
    uvicorn = Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=uvicorn.run, kwargs={"sockets": [listener]})
        thread.start()
        yield SimpleNamespace(address=listener.getsockname(), app=app)
        uvicorn.should_exit = True
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def connect(server: SimpleNamespace) -> socket.socket:
    return socket.create_connection(server.address, timeout=PATIENCE_S)


def seconds_until_closed(client: socket.socket) -> float:
    start = monotonic()
    assert client.recv(1024) == b""
    return monotonic() - start


def is_silent(client: socket.socket, seconds: float) -> bool:
    """Wait that long; say whether nothing came and the connection still stands."""
    client.settimeout(seconds)
    try:
        client.recv(1024)
    except TimeoutError:
        return True
    except ConnectionResetError:  # closed while a byte of ours was on its way
        return False
    finally:
        client.settimeout(PATIENCE_S)
    return False


def exchange(client: socket.socket, request: bytes = GET) -> tuple[int, bytes]:
    client.sendall(request)
    return answer_from(client)


def answer_from(client: socket.socket) -> tuple[int, bytes]:
    answer = HTTPResponse(client)
    answer.begin()
    return answer.status, answer.read()


def test_a_silent_connection_is_closed(server: SimpleNamespace) -> None:
    """Nothing said for the timeout: closed, and not before."""
    with connect(server) as client:
        assert TIMEOUT_S * 0.9 <= seconds_until_closed(client) < PATIENCE_S


def test_half_a_header_is_closed(server: SimpleNamespace) -> None:
    """A head that never becomes whole is closed."""
    with connect(server) as client:
        client.sendall(HALF_HEAD)
        assert TIMEOUT_S * 0.9 <= seconds_until_closed(client) < PATIENCE_S


def test_a_byte_now_and_then_does_not_move_the_deadline(server: SimpleNamespace) -> None:
    """The deadline counts from the connection, not from the last byte."""
    start = monotonic()
    with connect(server) as client:
        client.sendall(HALF_HEAD)
        while is_silent(client, TIMEOUT_S / 20):
            assert monotonic() - start < PATIENCE_S
            client.sendall(b"a")
        assert monotonic() - start >= TIMEOUT_S * 0.9


def test_a_head_in_time_is_answered_though_it_came_in_two_parts(server: SimpleNamespace) -> None:
    """Only the deadline counts, not how many packets a head takes."""
    with connect(server) as client:
        client.sendall(HALF_HEAD)
        assert is_silent(client, TIMEOUT_S / 4)
        assert exchange(client, GET[20:]) == (200, b"")


def test_between_requests_the_keep_alive_limit_holds(server: SimpleNamespace) -> None:
    """An idle connection has uvicorn's own limit, and is of use until then."""
    with connect(server) as client:
        assert exchange(client) == (200, b"")
        assert is_silent(client, 1.5 * TIMEOUT_S)
        assert exchange(client) == (200, b"")
        assert KEEP_ALIVE_S * 0.9 <= seconds_until_closed(client) < PATIENCE_S


def test_the_next_head_has_the_timeout_from_its_first_byte(server: SimpleNamespace) -> None:
    """At the first byte of the next head uvicorn takes its keep-alive limit away, and would then wait for ever."""
    with connect(server) as client:
        exchange(client)
        client.sendall(HALF_HEAD)
        assert TIMEOUT_S * 0.9 <= seconds_until_closed(client) < PATIENCE_S


def test_an_empty_line_after_an_answer_is_no_way_to_stay(server: SimpleNamespace) -> None:
    """Httptools passes over it, but the keep-alive limit is gone all the same; h11 answers 400."""
    with connect(server) as client:
        exchange(client)
        client.sendall(b"\r\n")
        while client.recv(1024):
            pass


def test_a_body_is_not_our_business(server: SimpleNamespace) -> None:
    """Once the head is whole the app decides how long it waits for the body."""
    with connect(server) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nab")
        assert is_silent(client, 1.5 * TIMEOUT_S)
        assert exchange(client, b"cd") == (200, b"abcd")


def test_an_answer_in_the_making_is_not_cut_by_half_a_head_behind_it(server: SimpleNamespace) -> None:
    """A pipelined head waits for its turn, and so does its deadline."""
    server.app.gate.clear()
    with connect(server) as client:
        client.sendall(GET.replace(b"/ ", b"/gate ", 1) + HALF_HEAD)
        assert is_silent(client, 1.5 * TIMEOUT_S)
        server.app.gate.set()
        assert answer_from(client) == (200, b"")
        assert seconds_until_closed(client) < PATIENCE_S


def test_three_hundred_slow_connections_leave_the_server_to_the_others(server: SimpleNamespace) -> None:
    """Each slow connection is closed, and an ordinary client is answered all the while."""
    slow = []
    try:
        for place in range(300):
            slow.append(connect(server))
            slow[-1].sendall(HALF_HEAD[: place % len(HALF_HEAD)])
        with connect(server) as ordinary:
            answers = [exchange(ordinary) for _ in range(100)]
        assert answers == [(200, b"")] * 100
        assert not any(is_silent(client, PATIENCE_S) for client in slow)
    finally:
        for client in slow:
            client.close()


def test_a_protocol_that_nobody_looked_into_is_refused() -> None:
    """There is no telling what another protocol class waits for."""
    with pytest.raises(TypeError, match=r"no HTTP/1\.1 protocol of uvicorn's"):
        with_deadline(asyncio.Protocol, 1000)


class Loop:
    """A loop whose time is moved by hand."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.timers: list[Timer] = []
        self.armed = 0

    def time(self) -> float:
        return self.now_s

    def call_later(self, delay_s: float, callback, *args) -> Timer:
        self.armed += 1
        timer = Timer(self, round(self.now_s + delay_s, 6), lambda: callback(*args))
        self.timers.append(timer)
        return timer

    def run_until(self, end_s: float) -> None:
        while self.timers and (timer := min(self.timers, key=lambda timer: timer.at_s)).at_s <= end_s:
            self.now_s = timer.at_s
            timer.cancel()
            timer.callback()
        self.now_s = end_s


@dataclass(eq=False)
class Timer:
    loop: Loop
    at_s: float
    callback: object

    def cancel(self) -> None:
        self.loop.timers.remove(self)


@dataclass(eq=False)
class Protocol:
    """What a protocol of uvicorn's shows of itself."""

    loop: Loop
    cycle: SimpleNamespace | None = None
    timeout_keep_alive_task: object = None
    closed_at_s: list[float] = field(default_factory=list)

    @property
    def transport(self) -> SimpleNamespace:
        return SimpleNamespace(close=lambda: self.closed_at_s.append(self.loop.now_s))


def test_a_deadline_is_kept_to_a_tenth_of_it() -> None:
    """A connection made between two sweeps is closed by the first sweep that finds it too old."""
    loop, heads = Loop(), Heads(1000)
    first, second = Protocol(loop), Protocol(loop)
    heads.watch(first)
    loop.run_until(0.05)
    heads.watch(second)

    loop.run_until(0.99)
    assert (first.closed_at_s, second.closed_at_s) == ([], [])
    loop.run_until(1.01)
    assert (len(first.closed_at_s), second.closed_at_s) == (1, [])
    heads.forget(first)
    loop.run_until(1.11)
    assert second.closed_at_s == [pytest.approx(1.1)]


def test_every_head_has_a_deadline_of_its_own() -> None:
    """A connection that answered in between starts anew."""
    loop, heads = Loop(), Heads(1000)
    protocol = Protocol(loop)
    heads.watch(protocol)
    loop.run_until(0.95)
    protocol.cycle = SimpleNamespace(response_complete=True)  # an answer is out, and a byte has come since
    loop.run_until(1.95)
    assert protocol.closed_at_s == []
    loop.run_until(2.05)
    assert protocol.closed_at_s == [pytest.approx(2.0)]


@pytest.mark.parametrize("seconds", [1, 10])
def test_any_number_of_connections_share_one_timer(seconds: int) -> None:
    """Ten sweeps within the timeout, however many connections; a request sets no timer."""
    loop, heads = Loop(), Heads(1000)
    for _ in range(500):
        heads.watch(Protocol(loop, cycle=SimpleNamespace(response_complete=False)))
    loop.run_until(seconds + 0.05)

    assert len(loop.timers) == 1
    assert loop.armed == 1 + SWEEPS_PER_TIMEOUT * seconds


def test_without_connections_there_is_no_timer() -> None:
    """An idle server does nothing."""
    loop, heads = Loop(), Heads(1000)
    protocols = [Protocol(loop), Protocol(loop)]
    for protocol in protocols:
        heads.watch(protocol)
    heads.forget(protocols[0])
    assert len(loop.timers) == 1
    heads.forget(protocols[1])
    assert loop.timers == []
    heads.forget(protocols[1])
