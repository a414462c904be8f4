"""`Prefer: wait=N` holds an answer until the job ends or N seconds pass (RFC 7240), on a POST and on a GET.

A wait ends at the first of: the job's moment, a cancel, N seconds, the client's departure, shutdown.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from dummyllm.assembly import backend_of
from dummyllm.core.reading import Reading
from dummyllm.core.request import JobRequest
from dummyllm.settings import load
from tests.web.stack import STACKS, Answer, Line, Served, ask, request, served, unhurried
from tests.web.wire import Fact, Visitor, eventually, rules_file

SOON_MS = 300
SOON_S = (SOON_MS - 1) / 1000  # the server counts whole milliseconds
LONG = "wait=60"

RULES = {
    "soon": f"latency_ms = {SOON_MS}",
    "hang": 'mode = "hang"',
    "late-cancel": f'script = "hang+cancel.slow(ms={SOON_MS})"',
    "stale-once": f'script = "ok+poll.stale", latency_ms = {SOON_MS}',
    "vanish": f'script = "hang+run.vanish(after_ms={SOON_MS})"',
}


@pytest.fixture(scope="module", params=["httptools+uvloop", "h11+asyncio"])
def holding(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server whose jobs end soon or never, by op; it must have logged nothing bad when the module is done."""
    folder = tmp_path_factory.mktemp("holding")
    rules = rules_file(folder / "rules.toml", RULES)
    with served(folder / "stderr", *STACKS[request.param], RULES=rules, ADMIN="1") as running:
        yield running
        running.stop()
        assert running.complaints() == ""


@pytest.fixture(scope="module")
def one_slot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that runs one job at a time."""
    folder = tmp_path_factory.mktemp("one-slot")
    rules = rules_file(folder / "rules.toml", RULES)
    with served(folder / "stderr", RULES=rules, SLOTS="1") as running:
        yield running
        running.stop()
        assert running.complaints() == ""


class Waiter:
    """A client that sends one request and does not read the answer yet."""

    def __init__(self, client: Visitor, method: str, path: str, body: bytes | None = None, prefer: str = LONG) -> None:
        self._line = Line(client.port)
        self._line.send(request(method, path, body, user_agent=client.name, prefer=prefer))
        for _ in range(3):  # the server has read what came before when it has answered these
            assert ask(client.port, "GET", "/livez").status == 200
        self.sent_s = time.monotonic()

    def answer(self) -> Answer:
        """Return the answer when it comes."""
        with self._line:
            return self._line.answer()

    def leave(self) -> None:
        """Close the connection without having read anything."""
        self._line.socket.close()


def waiting(client: Visitor, prefer: str = LONG) -> Waiter:
    """Let *client* wait for the end of its job."""
    return Waiter(client, "GET", client.path(), prefer=prefer)


def submitted(server: Served, op: str) -> Visitor:
    """Return a client whose job is accepted."""
    client = Visitor(server.port, op)
    assert client.submit().status == 201
    return client


# --- The first of: the job's moment, a cancel, N seconds -------------------------------------------------------------


def test_a_read_waits_for_the_end_of_the_job(holding: Served) -> None:
    """A wait ends at the job's moment, and the answer says which preference was applied."""
    start_s = time.monotonic()
    client = submitted(holding, "soon")
    answer = client.poll(prefer=LONG)

    assert time.monotonic() - start_s >= SOON_S
    assert (answer.status, answer.json["state"]) == (200, "ok")
    assert answer.headers["preference-applied"] == LONG
    assert answer.body == client.poll().body
    posted, waited, _ = client.entries()
    assert waited["ended_at_ms"] == posted["at_ms"] + SOON_MS
    assert (waited["state"], waited["at_ms"] >= waited["ended_at_ms"]) == ("ok", True)


def test_a_submit_waits_for_the_end_of_its_job_and_shows_it(holding: Served) -> None:
    """201 as ever, and the body is what a read would show."""
    client = Visitor(holding.port, "soon")
    start_s = time.monotonic()
    answer = client.submit(prefer=LONG)

    assert time.monotonic() - start_s >= SOON_S
    assert (answer.status, answer.json["id"], answer.json["state"]) == (201, client.id(), "ok")
    assert answer.headers["preference-applied"] == LONG
    assert answer.body == client.poll().body
    assert [entry["state"] for entry in client.entries()] == ["ok", "ok"]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_wait_ends_with_a_cancel(holding: Served, method: str) -> None:
    """A cancel by somebody else ends it at once: the job has ended."""
    client = Visitor(holding.port, "hang")
    if method == "POST":
        waiter = Waiter(client, "POST", "/v1/jobs", client.body)
    else:
        client.submit()
        waiter = waiting(client)
    assert client.cancel().json["state"] == "cancelled"
    answer = waiter.answer()

    assert (answer.status, answer.json["state"]) == (200 if method == "GET" else 201, "cancelled")
    assert time.monotonic() - waiter.sent_s < 30, "not the sixty seconds it would have waited"


def test_a_wait_ends_when_a_slow_cancel_takes_effect(holding: Served) -> None:
    """The cancel sets an end that was not there, and whoever waits learns of it."""
    client = submitted(holding, "late-cancel")
    waiter = waiting(client)
    assert client.cancel().json["state"] == "running"

    assert waiter.answer().json["state"] == "cancelled"
    assert time.monotonic() - waiter.sent_s < 30


@pytest.mark.parametrize("seconds", [0, 1])
def test_a_wait_ends_after_its_seconds(holding: Served, seconds: int) -> None:
    """Or N seconds pass: then the answer shows the job as it is, and is no error."""
    client = submitted(holding, "hang")
    start_s = time.monotonic()
    answer = client.poll(prefer=f"wait={seconds}")

    assert time.monotonic() - start_s >= seconds - 0.001
    assert (answer.status, answer.json["state"]) == (200, "running")
    assert answer.headers["preference-applied"] == f"wait={seconds}"


def test_a_submit_that_waits_no_time_shows_its_job_as_it_is(holding: Served) -> None:
    """`wait=0` on a POST: the job runs already."""
    answer = Visitor(holding.port, "hang").submit(prefer="wait=0")

    assert (answer.status, answer.json["state"], answer.json["result"]) == (201, "running", None)


def test_a_wait_for_a_job_that_vanishes_ends_then(holding: Served) -> None:
    """It has not ended, but there is nothing left to wait for."""
    client = submitted(holding, "vanish")
    waiter = waiting(client)

    assert waiter.answer().status == 404
    assert time.monotonic() - waiter.sent_s < 30


def test_two_who_wait_for_one_job_are_two_reads(holding: Served) -> None:
    """A stale read befalls the first of them, and the second sees the truth."""
    client = submitted(holding, "stale-once")
    waiters = [waiting(client) for _ in range(4)]
    states = [waiter.answer().json["state"] for waiter in waiters]

    assert sorted(states) == ["ok", "ok", "ok", "running"]
    assert sorted(fact.n for fact in client.facts() if fact.what == "poll") == [0, 1, 2, 3]


# --- The client's departure ------------------------------------------------------------------------------------------


def reset(server: Served) -> Answer:
    return ask(server.port, "POST", "/__admin/reset")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_client_that_leaves_is_forgotten(holding: Served, method: str) -> None:
    """While somebody waits a reset is 409; once the client has left, nobody does."""
    client = Visitor(holding.port, "hang")
    if method == "POST":
        waiter = Waiter(client, "POST", "/v1/jobs", client.body)
    else:
        client.submit()
        waiter = waiting(client)
    busy = reset(holding)
    waiter.leave()

    assert (busy.status, busy.code) == (409, "BUSY")
    assert " 1;" in busy.message
    assert eventually(lambda: reset(holding).status == 200, "a reset")


def test_a_submit_whose_client_left_is_in_the_journal(holding: Served) -> None:
    """The job was accepted, so there was a submit; its answer did not arrive."""
    client = Visitor(holding.port, "hang")
    waiter = Waiter(client, "POST", "/v1/jobs", client.body)
    assert client.is_there()
    waiter.leave()
    eventually(client.entries, "the entry of the submit")
    eventually(lambda: client.entries()[0]["delivered"] == "no", "an answer that did not arrive")

    assert client.facts() == [Fact("submit", 201, delivered="no")]
    assert client.entries()[0]["job"] == client.id()


def test_a_forced_reset_ends_a_wait(holding: Served) -> None:
    """What is waited for is not there any more."""
    client = submitted(holding, "stale-once")
    waiter = waiting(client)
    assert ask(holding.port, "POST", "/__admin/reset?force=1").status == 200
    answer = waiter.answer()

    assert (answer.status, answer.code) == (404, "NOT_FOUND")


def test_a_job_that_left_while_it_was_waited_for_is_shown_as_it_ended() -> None:
    """It ended, and its place was needed before whoever waited for it was awake: that is no error."""
    settings = {"DUMMYLLM_SCRIPT": "ok+poll.missing", "DUMMYLLM_LATENCY_MS": "0", "DUMMYLLM_JOBS_MAX": "1"}
    backend = backend_of(load(settings))

    async def read_too_late() -> tuple[Reading, int]:
        job = await backend.accept(JobRequest("x", b"{}"))
        await backend.accept(JobRequest("y", b"{}"))
        assert await backend.job(job.id) is None
        return await backend.read(job)

    reading, _ = asyncio.run(read_too_late())
    assert (reading.n, reading.fault.text) == (0, "poll.missing")


# --- Shutdown --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stack", STACKS)
def test_one_signal_ends_ten_hung_waits_and_the_server_in_two_seconds(stack: str, tmp_path: Path) -> None:
    """Each of them gets 503 SHUTTING_DOWN with Retry-After, and stderr says nothing."""
    with served(tmp_path / "stderr", *STACKS[stack], MODE="hang") as server:
        clients = [Visitor(server.port, "x") for _ in range(10)]
        waiters = [Waiter(client, "POST", "/v1/jobs", client.body) for client in clients[:5]]
        for client in clients[5:]:
            client.submit()
            waiters.append(waiting(client))

        took_s = server.stop()

        for waiter in waiters:
            answer = waiter.answer()
            assert (answer.status, answer.code, answer.headers["retry-after"]) == (503, "SHUTTING_DOWN", "1")
        assert took_s <= unhurried(2.0)
        assert server.complaints() == ""


# --- What it costs ---------------------------------------------------------------------------------------------------


def test_two_hundred_held_waits_cost_nothing_while_they_wait(holding: Served) -> None:
    """Nothing ticks: a job whose end is settled needs one timer, and one that never ends needs none."""
    hung = submitted(holding, "hang")
    held = request("GET", hung.path(), prefer=LONG)
    with ExitStack() as lines:
        for _ in range(200):
            lines.enter_context(Line(holding.port)).send(held)
        hung.poll(prefer="wait=0")
        before_s = holding.cpu_s()
        hung.poll(prefer="wait=1")
        used_s = holding.cpu_s() - before_s

    assert used_s < 0.2
    assert eventually(lambda: reset(holding).status == 200, "the departure of all of them")


# --- Slots and scaled time -------------------------------------------------------------------------------------------


def test_who_waits_for_a_queued_job_is_woken_when_it_starts_and_ends(one_slot: Served) -> None:
    """With one slot, and although nobody else asks: each job starts in the millisecond in which the one before ends."""
    first, second, third = (submitted(one_slot, "soon") for _ in range(3))
    assert third.states(1) == ["queued"]
    answer = waiting(third).answer()
    started_ms = first.entries()[0]["at_ms"]

    assert (answer.json["state"], second.poll().json["state"]) == ("ok", "ok")
    assert third.entries()[-1]["ended_at_ms"] == started_ms + 3 * SOON_MS
    assert third.entries()[-1]["took_ms"] < 30_000


@pytest.mark.parametrize("op", ["hang", "late-cancel"])
def test_who_waits_for_a_queued_job_is_woken_when_a_cancel_frees_the_slot(one_slot: Served, op: str) -> None:
    """Now, or when a slow cancel takes effect: an end that nobody knew of when the wait began."""
    blocking, queued = submitted(one_slot, op), submitted(one_slot, "soon")
    waiter = waiting(queued, prefer="wait=20")
    blocking.cancel()

    assert waiter.answer().json["state"] == "ok"
    cancelled_ms = blocking.entries()[-1]["at_ms"] + (SOON_MS if op == "late-cancel" else 0)
    assert queued.entries()[-1]["ended_at_ms"] == cancelled_ms + SOON_MS
    assert time.monotonic() - waiter.sent_s < 15


def test_the_seconds_of_a_wait_are_the_clients(tmp_path: Path) -> None:
    """`scale(N)` does not scale promises to the client: thirty seconds of a job take 1.5, one of a wait takes one."""
    rules = rules_file(tmp_path / "rules.toml", {"hang": 'mode = "hang"', "ok": "latency_ms = 30000"})
    with served(tmp_path / "stderr", RULES=rules, CLOCK="scale(20)") as server:
        hung, well = submitted(server, "hang"), Visitor(server.port, "ok")
        start_s = time.monotonic()
        assert hung.poll(prefer="wait=1").json["state"] == "running"
        assert time.monotonic() - start_s >= 0.999
        start_s = time.monotonic()
        assert well.submit(prefer=LONG).json["state"] == "ok"
        assert time.monotonic() - start_s >= 1.499
