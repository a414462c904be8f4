"""`serve`: a real server on a socket of its own, from the beginning of a block to its end."""

from __future__ import annotations

import asyncio
import gc
import logging
import multiprocessing
import os
import signal
import socket
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from dummyllm.journal_file import read_journal
from dummyllm.testing import Dummy, serve, server
from tests.plugin.runner import HELLO, PATIENCE_S, get, post, run, soon, submit

WAIT_S = 3600
WAIT_MS = 1000 * WAIT_S
FORK = "fork" in multiprocessing.get_all_start_methods()


def connection_to(dummy: Dummy) -> socket.socket:
    address = urlsplit(dummy.base_url)
    assert address.hostname is not None
    return socket.create_connection((address.hostname, address.port or 0), timeout=PATIENCE_S)


def all_of(connection: socket.socket) -> bytes:
    """Return what comes until the connection is closed."""
    received = b""
    while piece := connection.recv(65_536):
        received += piece
    return received


def is_open(dummy: Dummy) -> bool:
    """Say whether anybody can connect to the server."""
    try:
        connection_to(dummy).close()
    except ConnectionRefusedError:
        return False
    return True


def loop_threads() -> int:
    return [thread.name for thread in threading.enumerate()].count("dummyllm")


def test_a_block_has_a_server() -> None:
    """`with serve(mode="fail", seed=7) as dummy:` and there it is, until the block ends."""
    with serve(mode="fail", seed=7, latency_ms=0) as dummy:
        assert get(f"{dummy.base_url}/health").json()["seed"] == 7
        assert run(dummy.base_url) == "fail"

    assert not is_open(dummy)


def test_its_url_is_that_of_a_port_of_its_own() -> None:
    """`http://127.0.0.1:PORT`, any free one."""
    with serve() as one, serve() as other:
        for dummy in (one, other):
            assert dummy.base_url.startswith("http://127.0.0.1:")
        assert one.base_url != other.base_url


def test_servers_may_be_nested_and_know_nothing_of_each_other() -> None:
    """Each has settings, jobs and a seed of its own; the inner one ends first."""
    with serve(mode="ok", seed=1, latency_ms=0) as outer:
        with serve(mode="fail", seed=2, latency_ms=0) as inner:
            assert (run(outer.base_url), run(inner.base_url)) == ("ok", "fail")
            assert [job.ordinal for job in (*outer.jobs, *inner.jobs)] == [0, 0]
            assert outer.jobs[0].id != inner.jobs[0].id
        assert not is_open(inner)
        assert run(outer.base_url) == "ok"


def test_two_runs_with_one_seed_tell_the_same_story() -> None:
    """The same fates on every run."""

    def story() -> list[tuple[str, str]]:
        with serve(mode="random", seed=7) as dummy:
            for number in range(20):
                submit(dummy.base_url, {"op": f"op-{number}"})
            return [(job.id, job.mode.value) for job in dummy.jobs]

    first = story()

    assert story() == first
    assert len({mode for _, mode in first}) > 1


def test_what_serve_returns_may_run_again_but_not_twice_at_once() -> None:
    """One block at a time; each has a new server."""
    serving = serve()
    with serving as first:
        submit(first.base_url)
        with pytest.raises(RuntimeError, match="runs already"):
            serving.__enter__()
    with serving as second:
        assert second.jobs == []
        assert len(first.jobs) == 1


def test_a_server_ends_with_its_block_whatever_ends_it() -> None:
    """An error goes on its way, and leaves no server behind."""
    with pytest.raises(ZeroDivisionError), serve() as dummy:
        raise ZeroDivisionError

    assert not is_open(dummy)


def test_a_caller_with_a_loop_of_its_own_is_served() -> None:
    """`async with` too, and each inside the other."""

    async def talk() -> None:
        async with serve(mode="fail", latency_ms=0) as dummy, httpx.AsyncClient(base_url=dummy.base_url) as client:
            with serve() as other:
                assert (await client.get(f"{other.base_url}/health")).json()["mode"] == "ok"
            job = (await client.post("/v1/jobs", json=HELLO)).json()
            assert (await client.get(f"/v1/jobs/{job['id']}")).json()["state"] == "fail"
            assert dummy.jobs[0].state == "fail"
        assert not is_open(dummy)

    asyncio.run(talk())


def test_all_servers_of_a_process_share_one_thread() -> None:
    """Also those that are started by eight threads at the same time."""
    together = threading.Barrier(8)

    def start(seed: int) -> int:
        together.wait()
        with serve(seed=seed) as dummy:
            together.wait()  # eight servers at once
            submit(dummy.base_url)
            seen: int = get(f"{dummy.base_url}/health").json()["seed"]
            assert len(dummy.jobs) == 1
            assert loop_threads() == 1
            return seen

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(start, range(8))) == list(range(8))


def test_whoever_is_held_when_the_block_ends_is_told_so_at_once() -> None:
    """A 503, though the client would have waited for an hour, and no later than that the connection is closed."""
    started_s = time.monotonic()
    with serve(mode="hang") as dummy:
        connection = connection_to(dummy)
        connection.sendall(
            b"POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            b"Prefer: wait=%d\r\nContent-Length: 11\r\n\r\n" % WAIT_S + b'{"op": "a"}'
        )
        assert soon(lambda: dummy.jobs)

    with connection:
        answer = all_of(connection)
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"SHUTTING_DOWN" in answer
    assert dummy.journal[-1].status == 503
    assert time.monotonic() - started_s < WAIT_S / 60


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"POST /v1/jobs HT",
        b"POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{",
        b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    ],
    ids=["nothing", "half a head", "half a body", "a whole request"],
)
def test_a_client_that_stays_does_not_keep_the_server(sent: bytes) -> None:
    """Whatever it has sent, its connection is closed with the block."""
    with serve(receive_timeout_ms=WAIT_MS) as dummy:
        connection = connection_to(dummy)
        connection.sendall(sent)
        get(f"{dummy.base_url}/health")  # by now the server has seen the first connection too

    with connection:
        try:
            all_of(connection)
        except ConnectionResetError:
            assert sent, "who said nothing has nothing unread"


def test_a_client_that_comes_as_the_block_ends_is_not_forgotten() -> None:
    """Let in or not: it does not sit on a connection that nobody serves."""
    for _ in range(50):
        with serve(receive_timeout_ms=WAIT_MS) as dummy:
            connection = connection_to(dummy)
        with connection, suppress(ConnectionResetError):
            assert all_of(connection) == b""


def test_a_client_that_does_not_read_does_not_keep_the_server() -> None:
    """An answer that cannot leave is cut."""
    big = b'{"op": "llm.chat", "args": {"messages": ["%b"]}}' % (b"a" * 2**22)
    with serve(mode="echo", latency_ms=0) as dummy:
        job_id = post(f"{dummy.base_url}/v1/jobs", content=big, headers={"Content-Type": "application/json"})
        connection = connection_to(dummy)
        ask = f"GET /v1/jobs/{job_id.json()['id']} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        connection.sendall(ask.encode() * 20)
        assert connection.recv(1) == b"H"

    connection.close()
    assert not is_open(dummy)


def test_a_journal_file_has_the_whole_run_and_is_closed(tmp_path: Path) -> None:
    """The setting `journal` works, and its last line is there as soon as the block has ended."""
    path = tmp_path / "journal.jsonl"
    with serve(journal=path, seed=7, mode="hang") as dummy:
        submit(dummy.base_url)
        connection = connection_to(dummy)
        connection.sendall(
            b"GET /v1/jobs/%b HTTP/1.1\r\nHost: 127.0.0.1\r\nPrefer: wait=%d\r\n\r\n"
            % (dummy.jobs[0].id.encode(), WAIT_S)
        )
        get(f"{dummy.base_url}/health")

    connection.close()
    with path.open("rb") as lines:
        read = read_journal(lines)
    assert read.heading.seed == "7"
    assert read.closing is not None
    assert [line.seq for line in read.lines] == [line.seq for line in dummy.journal]
    assert read.lines[-1].status == 503


@pytest.mark.parametrize(("fault", "is_served"), [("submit.lost_ack", True), ("submit.reset", True)])
def test_faults_that_break_a_connection_do_so_whatever_is_logged(
    fault: str, *, is_served: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """At the lowest level uvicorn wraps an app in one that logs, behind which no connection is seen."""
    caplog.set_level(1)
    with serve(script=f"{fault},ok") as dummy:
        with pytest.raises(httpx.TransportError):
            submit(dummy.base_url)
        assert [(line.fault, line.served) for line in dummy.journal] == [(fault, is_served)]


def test_the_loggers_of_the_process_stay_as_they_are(caplog: pytest.LogCaptureFixture) -> None:
    """A test may have set up uvicorn's own, for a server of its own; ours says nothing there."""
    caplog.set_level(logging.INFO)
    access = logging.getLogger("uvicorn.access")
    handler, propagates = logging.NullHandler(), access.propagate
    access.addHandler(handler)
    try:
        with serve() as dummy:
            get(f"{dummy.base_url}/health")
        assert handler in access.handlers
        assert access.propagate is propagates
        assert not [record for record in caplog.records if record.name.startswith(("uvicorn", "dummyllm"))]
    finally:
        access.removeHandler(handler)


def test_the_handlers_of_signals_stay_as_they_are() -> None:
    """Ctrl-C is the test's business."""
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with serve():
        assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_an_answer_has_its_date(monkeypatch: pytest.MonkeyPatch) -> None:
    """As under uvicorn, and made anew each second."""
    seconds = count()
    monkeypatch.setattr(server, "DATE_EACH_S", 0.001)
    monkeypatch.setattr(server, "formatdate", lambda *, usegmt: f"{usegmt} {next(seconds)}")
    with serve() as dummy:
        assert get(f"{dummy.base_url}/health").headers["server"] == "uvicorn"
        assert soon(lambda: get(f"{dummy.base_url}/health").headers["date"] not in ("True 0", "True 1"))


def test_nothing_of_a_server_is_left_in_the_loop() -> None:
    """Neither a timer nor a task keeps its jobs and its journal."""
    with serve(mode="hang") as dummy:
        submit(dummy.base_url)
        backend = weakref.ref(dummy._backend)
    del dummy
    with serve():
        pass  # the loop goes on
    gc.collect()

    assert backend() is None


def in_child(target: Callable[[], object]) -> None:
    """Call *target* in a process forked from this one, and see that it comes to its end."""
    child = multiprocessing.get_context("fork").Process(target=target)
    child.start()
    child.join(PATIENCE_S)
    child.kill()
    assert child.exitcode == 0


forks = [
    pytest.mark.skipif(not FORK, reason="this system cannot fork"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning"),
]


class TestAfterAFork:
    """A forked child has a loop of its own, and leaves alone what it inherited."""

    pytestmark = forks

    def test_a_child_starts_servers_of_its_own(self) -> None:
        """As a worker does that was forked when servers were running already."""

        def target() -> None:
            assert loop_threads() == 0
            with serve(latency_ms=0) as own:
                assert run(own.base_url) == "ok"
            assert loop_threads() == 1

        with serve() as dummy:
            in_child(target)
            assert run(dummy.base_url) == "ok"

    def test_a_child_uses_the_server_of_its_parent_as_any_client_does(self) -> None:
        """But it cannot look inside, and does not end it."""
        serving = serve(latency_ms=0)

        def target() -> None:
            assert run(dummy.base_url) == "ok"
            with pytest.raises(RuntimeError, match="forked from"):
                _ = dummy.jobs
            serving.__exit__(None, None, None)

        with serving as dummy:
            in_child(target)
            assert len(dummy.jobs) == 1

    def test_a_child_does_not_keep_open_what_its_parent_closes(self) -> None:
        """Neither the port nor a connection: a client would wait for an end that does not come."""
        ready, over = os.pipe(), os.pipe()
        with serve() as dummy:
            connection = connection_to(dummy)
            get(f"{dummy.base_url}/health")  # by now the server has seen the first connection too

            def target() -> None:
                os.write(ready[1], b".")
                os.read(over[0], 1)

            child = multiprocessing.get_context("fork").Process(target=target)
            child.start()
            os.read(ready[0], 1)
        try:
            with connection:
                assert all_of(connection) == b""
            assert not is_open(dummy)
        finally:
            os.write(over[1], b".")
            child.join(60)
            for end in (*ready, *over):
                os.close(end)
        assert child.exitcode == 0
