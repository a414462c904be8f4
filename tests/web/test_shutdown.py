"""One Ctrl-C ends the server in two seconds, whoever is still connected."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.web.stack import PATIENCE_S, STACKS, Line, Served, ask, request, served, unhurried

ENDS_WITHIN_S = 2.0

# uvicorn says this in one line when it cuts what a client does not read; that is no traceback.
CUT = "ERROR:    Cancel "

LARGE = b'{"op":"llm.chat","args":{"messages":"' + b"x" * 8_000_000 + b'"}}'
HALF_A_HEADER = b"POST /v1/jobs HTTP/1.1\r\nhost: local"
HALF_A_BODY = request("POST", "/v1/jobs", b'{"op":"llm.chat"}')[:-5]


@pytest.fixture(params=STACKS)
def stack(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """The options of each stack."""
    return STACKS[request.param]


@pytest.fixture
def held(stack: tuple[str, ...], tmp_path: Path) -> Iterator[Served]:
    """A server on each stack."""
    with served(tmp_path / "stderr", *stack, LATENCY_MS="0") as running:
        yield running


def idle(server: Served) -> Line:
    line = Line(server.port)
    line.send(request("GET", "/health"))
    assert line.answer().status == 200
    return line


def stuck(server: Served, sent: bytes) -> Line:
    line = Line(server.port)
    line.send(sent)
    return line


def deaf(server: Served, path: str) -> Line:
    """Return a client that asks for a large answer and reads one byte of it."""
    line = Line(server.port, receive_buffer=4096)
    line.send(request("GET", path))
    assert line.socket.recv(1) == b"H"
    return line


def is_as_told(server: Served, number: int) -> bool:
    """Say whether the exit status is what uvicorn gives after this signal: it raises SIGTERM again once it is done."""
    return server.process.returncode in ((0,) if number == signal.SIGINT else (0, -signal.SIGTERM))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_ends_the_server_in_two_seconds_whoever_is_connected(held: Served, number: int) -> None:
    """Idle keep-alive connections, half a header, half a body, and answers that nobody reads, many at once."""
    posted = ask(held.port, "POST", "/v1/jobs", LARGE)
    large = f"/v1/jobs/{posted.json['id']}/request"
    with ExitStack() as open_lines:
        for _ in range(20):
            open_lines.enter_context(idle(held))
            open_lines.enter_context(stuck(held, HALF_A_HEADER))
        half_bodies = [open_lines.enter_context(stuck(held, HALF_A_BODY)) for _ in range(20)]
        for _ in range(4):
            open_lines.enter_context(deaf(held, large))
        idle(held).socket.close()  # by now the server has read what came before

        took_s = held.stop(number)

        for line in half_bodies:
            answer = line.answer()
            assert (answer.status, answer.code) == (503, "SHUTTING_DOWN")
            assert answer.headers["retry-after"] == "1"
            assert answer.headers["content-type"] == "application/json"
            assert line.rest() == (b"", "FIN")
    assert took_s <= unhurried(ENDS_WITHIN_S)
    assert is_as_told(held, number)
    assert [line for line in held.complaints().splitlines() if not line.startswith(CUT)] == []


def test_a_server_that_nobody_holds_ends_at_once(held: Served) -> None:
    """Nothing to wait for: half of the two seconds is plenty."""
    assert ask(held.port, "GET", "/health").status == 200

    assert held.stop() <= unhurried(ENDS_WITHIN_S / 2)
    assert is_as_told(held, signal.SIGINT)
    assert held.complaints() == ""


def test_a_half_sent_body_is_told_at_once_that_the_server_goes(held: Served) -> None:
    """Waits end with the signal, not with the grace that follows it."""
    with stuck(held, HALF_A_BODY) as line:
        idle(held).socket.close()
        start = time.monotonic()
        held.process.send_signal(signal.SIGINT)
        answer = line.answer()
        took_s = time.monotonic() - start

        assert (answer.status, answer.code) == (503, "SHUTTING_DOWN")
        assert took_s < unhurried(0.8)
    held.process.wait(PATIENCE_S)
    assert held.complaints() == ""


def test_a_hung_job_holds_nothing_up(stack: tuple[str, ...], tmp_path: Path) -> None:
    """No background task, no timer: jobs that never end are only memory."""
    with served(tmp_path / "stderr", *stack, MODE="hang") as server:
        with Line(server.port) as line:
            for _ in range(50):
                line.send(request("POST", "/v1/jobs", b'{"op":"llm.chat"}'))
                assert line.answer().status == 201
            assert server.stop() <= unhurried(ENDS_WITHIN_S / 2)
        assert server.complaints() == ""


def test_a_limit_that_the_operator_gave_uvicorn_is_kept(tmp_path: Path) -> None:
    """`--timeout-graceful-shutdown` is the operator's word; we only fill in for its absence."""
    with served(tmp_path / "stderr", "--timeout-graceful-shutdown", "0", LATENCY_MS="0") as server:
        posted = ask(server.port, "POST", "/v1/jobs", LARGE)
        with deaf(server, f"/v1/jobs/{posted.json['id']}/request"):
            assert server.stop() < unhurried(0.9)
