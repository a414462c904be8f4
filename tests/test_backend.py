"""The backend: policy, store, journal and clock, joined; and one pass of every mode over real HTTP in real time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection
from time import monotonic
from typing import Any

import pytest

from dummyllm.assembly import backend_of
from dummyllm.backend import Backend
from dummyllm.clock import ManualClock
from dummyllm.core.digest import hexadecimal, term_of
from dummyllm.core.job import Job
from dummyllm.core.request import JobRequest
from dummyllm.core.timeline import State
from dummyllm.journal import What
from dummyllm.settings import load
from dummyllm.store import Full
from tests.live import serve

HELLO = JobRequest("llm.chat", b'{"messages":[{"role":"user","content":"Hello"}]}')
START_MS = 946_684_800_000
BOUND_S = 30


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def backend(clock: ManualClock) -> Backend:
    return with_settings(clock)


def with_settings(clock: ManualClock, **settings: str) -> Backend:
    return backend_of(load({f"DUMMYLLM_{name}": value for name, value in settings.items()}), clock)


def accepted(backend: Backend, *requests: JobRequest) -> list[Job]:
    async def accept() -> list[Job]:
        return [await backend.accept(request) for request in requests]

    return asyncio.run(accept())


def number(n: int) -> JobRequest:
    return JobRequest("llm.chat", b'{"n":%d}' % n)


def test_a_job_is_accepted_at_the_clocks_present(backend: Backend, clock: ManualClock) -> None:
    """The backend is the only object that knows the time."""
    clock.advance(5)
    (job,) = accepted(backend, HELLO)

    assert job.accepted_at_ms == START_MS + 5
    assert asyncio.run(_held(backend, job)) == job


async def _held(backend: Backend, job: Job) -> Job | None:
    return await backend.job(job.id)


def test_looking_tells_the_state_and_the_present(backend: Backend, clock: ManualClock) -> None:
    """A state is computed from the clock: base latency is 250 ms."""
    (job,) = accepted(backend, HELLO)
    clock.advance(249)
    assert backend.look(job)[0].state is State.RUNNING

    clock.advance(1)
    snapshot, now_ms = backend.look(job)
    assert (snapshot.state, snapshot.since_ms, now_ms) == (State.OK, START_MS + 250, START_MS + 250)


def test_a_cancel_is_kept(backend: Backend, clock: ManualClock) -> None:
    """Cancelled jobs carry `CANCELLED`, and a second cancel changes nothing."""
    (job,) = accepted(backend, HELLO)
    clock.advance(100)
    after, snapshot, now_ms = asyncio.run(backend.cancel(job))
    clock.advance(1_000)
    again, snapshot_again, _ = asyncio.run(backend.cancel(after))

    assert (snapshot.state, now_ms) == (State.CANCELLED, START_MS + 100)
    assert (again, snapshot_again) == (after, snapshot)
    assert asyncio.run(_held(backend, job)) == after


def test_a_cancel_of_a_finished_job_says_how_it_ended(backend: Backend, clock: ManualClock) -> None:
    """On a finished job the state it has; in the same millisecond the planned end beats the cancel."""
    (job,) = accepted(backend, HELLO)
    clock.advance(250)
    after, snapshot, _ = asyncio.run(backend.cancel(job))

    assert after is job
    assert snapshot.state is State.OK


@pytest.mark.parametrize(
    ("identity", "same"),
    [("payload", [True, False, False]), ("prompt", [True, True, False]), ("trace_id", [False, True, True])],
)
def test_identity_says_what_counts_as_the_same_work(clock: ManualClock, identity: str, same: list[bool]) -> None:
    """`payload`, `prompt` or `trace_id`."""
    backend = with_settings(clock, IDENTITY=identity)
    first, *others = accepted(
        backend,
        JobRequest("llm.chat", b'{"model":"m","messages":[]}', trace_id="t"),
        JobRequest("llm.chat", b'{"messages": [], "model": "m"}', trace_id="u"),
        JobRequest("llm.chat", b'{"model":"m","messages":[],"run":7}', trace_id="t"),
        JobRequest("llm.chat", b'{"model":"n","messages":[]}', trace_id="t"),
    )

    assert [other.identity == first.identity for other in others] == same
    assert [other.ordinal > 0 for other in others] == same


def test_the_fates_digest_is_the_sum_of_the_terms_of_all_jobs(backend: Backend) -> None:
    """An order-independent sum of decisions; with no jobs it is 0."""
    assert backend.fates_digest == "0" * 16

    jobs = accepted(backend, HELLO, number(1), HELLO)
    assert backend.fates_digest == hexadecimal(sum(map(term_of, jobs)))


def test_the_fates_digest_remembers_jobs_that_left(clock: ManualClock) -> None:
    """Every fate decided since the start, held or not."""
    requests = [number(n % 7) for n in range(50)]
    small, large = with_settings(clock, JOBS_MAX="3", LATENCY_MS="0"), with_settings(clock, LATENCY_MS="0")
    accepted(small, *requests)
    accepted(large, *reversed(requests))

    assert small.store.held().jobs == 3
    assert small.fates_digest == large.fates_digest


def test_a_refused_submit_and_a_cancel_add_nothing_to_the_digest(clock: ManualClock) -> None:
    """Cancels, polls and refused submits add nothing."""
    backend = with_settings(clock, JOBS_MAX="1", MODE="hang")
    (job,) = accepted(backend, HELLO)
    before = backend.fates_digest
    with pytest.raises(Full):
        accepted(backend, HELLO)
    asyncio.run(backend.cancel(job))

    assert backend.fates_digest == before


def test_hits_count_refused_submits_too(clock: ManualClock) -> None:
    """Hit: every well-formed submit."""
    backend = with_settings(clock, JOBS_MAX="1")
    accepted(backend, HELLO)
    with pytest.raises(Full):
        accepted(backend, HELLO)
    clock.advance(250)
    (job,) = accepted(backend, HELLO)

    assert (job.ordinal, backend.hit_of(job)) == (1, 2)


def test_what_a_store_does_to_its_books_is_in_the_journal(clock: ManualClock) -> None:
    """Evictions, skipped ordinals and dropped counters are journaled."""
    backend = with_settings(clock, JOBS_MAX="1", LATENCY_MS="0")
    (first,) = accepted(backend, number(0))
    accepted(backend, *(number(n) for n in range(1, 5)))
    entries = list(backend.journal.since())

    assert [entry.what for entry in entries] == [What.EVICTED] * 4 + [What.ORDINAL_DROPPED]
    assert (entries[0].job, entries[0].identity, entries[0].at_ms) == (first.id, first.identity, START_MS)
    assert (entries[4].job, entries[4].identity) == (None, first.identity)
    assert all(entry.note for entry in entries)


def test_a_skipped_ordinal_is_in_the_journal(clock: ManualClock) -> None:
    """On an id already held the ordinal is skipped and journaled."""
    backend = with_settings(clock, JOBS_MAX="2", MODE="hang")
    (hung,) = accepted(backend, HELLO)
    for n in range(8):  # the ninth identity pushes out the counter of the first, whose job is still held
        (other,) = accepted(backend, number(n))
        asyncio.run(backend.cancel(other))
    (again,) = accepted(backend, HELLO)
    skipped = [entry for entry in backend.journal.since() if entry.what is What.ORDINAL_SKIPPED]

    assert again.ordinal == 1
    assert [(entry.job, entry.identity) for entry in skipped] == [(hung.id, hung.identity)]


def test_dropped_counters_make_a_run_weak(clock: ManualClock) -> None:
    """`reproducible: exact`, or what made it weak; after a reset it is exact again."""
    backend = with_settings(clock, JOBS_MAX="1", LATENCY_MS="0")
    accepted(backend, *(number(n) for n in range(4)))
    assert backend.reproducible == "exact"

    accepted(backend, number(4), number(5))
    assert backend.reproducible.startswith("weak: ")
    assert " 2 identities" in backend.reproducible

    backend.reset()
    assert backend.reproducible == "exact"


def test_after_a_reset_a_test_is_the_same_test(backend: Backend, clock: ManualClock) -> None:
    """There is no epoch in a fate or an id."""
    requests = [HELLO, number(1), HELLO]
    before = accepted(backend, *requests)
    digest = backend.fates_digest
    backend.reset()

    assert backend.fates_digest == "0" * 16
    assert asyncio.run(_held(backend, before[0])) is None
    assert not backend.was_evicted(before[0].id)
    assert [(entry.seq, entry.what) for entry in backend.journal.since()] == [(0, What.RESET)]
    assert accepted(backend, *requests) == before
    assert backend.fates_digest == digest


# --- Real time -------------------------------------------------------------------------------------------------------

LATENCY_MS = 60
MODES = {"ok": 60, "echo": 60, "slow": 360, "fail": 60, "timeout": 60, "hang": None, "flaky": 60, "random": 360}
CODES = {"fail": "SIM_FAIL", "timeout": "TIMEOUT", "cancelled": "CANCELLED"}
Ask = Callable[..., Any]


def asker(connection: HTTPConnection) -> Ask:
    def ask(method: str, path: str, body: str | None = None) -> Any:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return json.loads(answer.read())

    return ask


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_keeps_its_time_over_real_http(mode: str) -> None:
    """States come in order, and the end comes not a millisecond before its time nor after it."""
    with (
        serve(MODE=mode, LATENCY_MS=str(LATENCY_MS), RANDOM_WEIGHTS="slow=1") as server,
        closing(HTTPConnection("127.0.0.1", server.port, timeout=BOUND_S)) as connection,
    ):
        ask, lives = asker(connection), 12 if mode == "flaky" else 2
        outcomes = {one_life(ask, number, mode, MODES[mode]) for number in range(lives)}

    expected = {"ok", "fail", "cancelled"} if mode == "flaky" else {OUTCOMES.get(mode, "ok")}
    assert outcomes == expected


OUTCOMES = {"fail": "fail", "timeout": "timeout", "hang": "cancelled"}


def one_life(ask: Ask, number: int, mode: str, ends_at_ms: int | None) -> str:
    """Submit a job and watch it without a pause until it ends, or is cancelled because it does not; return how."""
    messages = [{"role": "user", "content": f"Hello {number}"}]
    body = {"op": "llm.chat", "args": {"messages": messages}}
    sent_s = monotonic()
    created = ask("POST", "/v1/jobs", json.dumps(body))
    answered_s = monotonic()
    assert created["state"] == "queued"

    fate = ask("GET", f"/v1/jobs/{created['id']}/request")["fate"]
    if fate["outcome"] == "running":
        ends_at_ms = None
    watched_until_s = sent_s + (3 * LATENCY_MS / 1000 if ends_at_ms is None else BOUND_S)
    while True:
        asked_s = monotonic()
        job = ask("GET", f"/v1/jobs/{created['id']}")
        told_s = monotonic()
        if job["state"] != "running" or told_s > watched_until_s:
            break
        # Asked that much after the answer to the POST, it would have been over. (A millisecond is lost to rounding.)
        assert ends_at_ms is None or (asked_s - answered_s) * 1000 < ends_at_ms + 1

    if ends_at_ms is None:
        assert job["state"] == "running"
        assert ask("POST", f"/v1/jobs/{created['id']}/cancel") == {"id": created["id"], "state": "cancelled"}
        job = ask("GET", f"/v1/jobs/{created['id']}")
    else:
        assert (told_s - sent_s) * 1000 > ends_at_ms - 1

    state: str = job["state"]
    code = "SIM_FLAKY" if (mode, state) == ("flaky", "fail") else CODES.get(state)
    assert (job["error"] or {}).get("code") == code
    assert (job["result"] is not None) == (state == "ok")
    if mode == "echo":
        assert job["result"]["text"] == json.dumps(messages, separators=(",", ":"))
    assert ask("GET", f"/v1/jobs/{created['id']}") == job, "what has ended stays as it is"
    return state
