"""The backend: policy, store, schedule, journal and clock, joined; and every mode once over real HTTP in real time."""

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
from dummyllm.backend import Backend, KeyReused, Refused
from dummyllm.clock import ManualClock
from dummyllm.core.digest import Traffic, hexadecimal, term_of
from dummyllm.core.job import Job
from dummyllm.core.reading import Reading
from dummyllm.core.request import Identity, JobRequest
from dummyllm.core.schedule import QueueFull
from dummyllm.core.submit import Bent, Outcome, job_of, submit_fault
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
    made, snapshot, now_ms = asyncio.run(backend.cancel(job))
    clock.advance(1_000)
    again, snapshot_again, _ = asyncio.run(backend.cancel(made.job))

    assert (snapshot.state, now_ms) == (State.CANCELLED, START_MS + 100)
    assert (again, snapshot_again) == (made, snapshot)
    assert asyncio.run(_held(backend, job)) == made.job


def test_a_cancel_of_a_finished_job_says_how_it_ended(backend: Backend, clock: ManualClock) -> None:
    """On a finished job the state it has; in the same millisecond the planned end beats the cancel."""
    (job,) = accepted(backend, HELLO)
    clock.advance(250)
    made, snapshot, _ = asyncio.run(backend.cancel(job))

    assert made.job is job
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


# --- Faults ----------------------------------------------------------------------------------------------------------


def submitted(backend: Backend, request: JobRequest = HELLO, key: str | None = None) -> Outcome:
    """Return what a submit of *request* comes to."""

    async def submit() -> Outcome:
        outcome = backend.submit(request, key)
        return outcome if isinstance(outcome, Job | Bent) else await outcome

    return asyncio.run(submit())


def read(backend: Backend, job: Job) -> Reading:
    return asyncio.run(backend.read(job))[0]


def state(backend: Backend, job: Job) -> State:
    """Return the state of *job* as the store has it now."""
    held = asyncio.run(backend.present(job))
    return backend.look(held)[0].state


def test_a_submit_is_decided_by_the_counters_of_its_identity(clock: ManualClock) -> None:
    """Submit faults are drawn at `hit`, everything after commit at `ordinal`; a script goes by `step`."""
    backend = with_settings(clock, SCRIPT="submit.reset, fail+submit.lost_ack, ok")
    told = [submitted(backend) for _ in range(4)]

    assert [one.hit for one in told if isinstance(one, Bent)] == [0, 1]
    assert [job.ordinal for one in told if (job := job_of(one))] == [0, 1, 2]
    assert [job.fate.mode.value for one in told if (job := job_of(one))] == ["fail", "ok", "ok"]
    assert isinstance(submitted(backend, number(1)), Bent), "other work is at the first step"


def test_accept_submits_until_there_is_a_job(clock: ManualClock) -> None:
    """Whatever befalls its submits."""
    backend = with_settings(clock, SCRIPT="submit.reset*5, submit.status(503), hang+submit.lost_ack, ok")
    first, second = accepted(backend, HELLO, HELLO)

    assert [first.fate.mode.value, second.fate.mode.value] == ["hang", "ok"]
    assert (first.ordinal, backend.hit_of(second)) == (0, 7)


@pytest.mark.parametrize("settings", [{"SCRIPT": "submit.reset"}, {"FAULTS": "submit.status(503)=100"}])
def test_accept_gives_up_where_every_submit_is_refused(clock: ManualClock, settings: dict[str, str]) -> None:
    """A script may refuse for ever."""
    with pytest.raises(Refused):
        accepted(with_settings(clock, **settings), HELLO)


def test_a_read_is_counted_where_its_fate_asks_for_it(clock: ManualClock) -> None:
    """A job counts its polls only when one of these is in force."""
    plain, counting = with_settings(clock), with_settings(clock, SCRIPT="ok+poll.missing(reads=2)")
    (one,), (other,) = accepted(plain, HELLO), accepted(counting, HELLO)

    assert [read(plain, one).n for _ in range(3)] == [None, None, None]
    assert [(reading.n, reading.snapshot is None) for reading in [read(counting, other) for _ in range(3)]] == [
        (0, True),
        (1, True),
        (2, False),
    ]
    assert asyncio.run(_held(plain, one)) is one


def test_what_befalls_reads_and_cancels_is_in_the_traffic_digest(clock: ManualClock) -> None:
    """An order-independent sum of the faults that befell submits, polls and cancels."""
    backend = with_settings(clock, SCRIPT="hang+poll.missing+cancel.status(503)")
    (job,) = accepted(backend, HELLO)
    assert backend.traffic.digest == "0" * 16

    read(backend, job)
    read(backend, job)
    asyncio.run(backend.cancel(job))
    asyncio.run(backend.cancel(job))
    expected = Traffic()
    expected.add("poll", job.identity, (0, 0), "poll.missing")
    expected.add("cancel", job.identity, (0, 0), "cancel.status(503)")
    assert backend.traffic.digest == expected.digest

    backend.reset()
    assert backend.traffic.digest == "0" * 16


def test_a_cancel_goes_on_from_the_job_as_it_is_now(clock: ManualClock) -> None:
    """What another request wrote down meanwhile is not undone."""
    backend = with_settings(clock, SCRIPT="hang+poll.missing(reads=2)+cancel.status(503)")
    (job,) = accepted(backend, HELLO)
    read(backend, job)
    asyncio.run(backend.cancel(job))
    read(backend, job)
    held = asyncio.run(_held(backend, job))

    assert held is not None
    assert (held.reads, held.cancels) == (2, 1)


# --- Idempotency keys ------------------------------------------------------------------------------------------------


def test_the_same_key_brings_the_same_job(backend: Backend) -> None:
    """The same key and an equal fingerprint return the first answer and make no job; a replay counts a hit only."""
    first, again = submitted(backend, HELLO, "k"), submitted(backend, HELLO, "k")
    later = submitted(backend)

    assert isinstance(first, Job)
    assert isinstance(again, Bent)
    assert (again.job, again.fault, again.hit, again.is_replay) == (first, None, 1, True)
    assert isinstance(later, Job)
    assert (later.ordinal, backend.hit_of(later)) == (1, 2)


def test_another_spelling_of_a_payload_is_the_same_payload_to_a_key(backend: Backend) -> None:
    """An equal fingerprint is enough."""
    first = submitted(backend, JobRequest("x", b'{"a":1,"b":2}', 8000, "t"), "k")
    again = submitted(backend, JobRequest("x", b'{ "b": 2, "a": 1 }', 9000, "u"), "k")

    assert job_of(again) == first


def test_a_key_with_another_payload_is_refused(backend: Backend) -> None:
    """Another payload is 422; it was well-formed, and so it is a hit of the work that it is."""
    submitted(backend, HELLO, "k")
    with pytest.raises(KeyReused):
        submitted(backend, number(1), "k")
    job = submitted(backend, number(1), "other")

    assert isinstance(job, Job)
    assert (job.ordinal, backend.hit_of(job)) == (0, 1)


def test_a_replay_by_its_key_draws_anew(clock: ManualClock) -> None:
    """The answer's faults belong to the answer, not the job."""
    backend = with_settings(clock, FAULTS="submit.lost_ack=50, submit.reset=10")
    told = [submitted(backend, HELLO, "k") for _ in range(200)]
    faults = [one.fault.text if isinstance(one, Bent) and one.fault else None for one in told]
    policy = backend.policy

    assert faults == [
        fault.text if (fault := submit_fault(policy, told_identity(told), hit)) else None for hit in range(200)
    ]
    assert len({job.id for one in told if (job := job_of(one))}) == 1
    assert all((job_of(one) is None) == (fault == "submit.reset") for one, fault in zip(told, faults, strict=True))


def told_identity(told: list[Outcome]) -> Identity:
    return next(job.identity for one in told if (job := job_of(one)))


def test_a_scripts_fault_of_the_answer_befalls_no_replay(clock: ManualClock) -> None:
    """A script's ack fault befalls only the submit that committed the job."""
    backend = with_settings(clock, SCRIPT="ok+submit.lost_ack, hang")
    first, again, later = (submitted(backend, HELLO, key) for key in ("k", "k", None))

    assert isinstance(first, Bent)
    assert first.fault is not None
    assert isinstance(again, Bent)
    assert (again.fault, again.job) == (None, first.job)
    assert isinstance(later, Job), "a replay moves no step"
    assert later.fate.mode.value == "hang"


def test_a_refused_submit_leaves_its_key_free(clock: ManualClock) -> None:
    """There is no job that it could bring back."""
    backend = with_settings(clock, SCRIPT="submit.status(503), ok")
    refused, made = submitted(backend, HELLO, "k"), submitted(backend, HELLO, "k")

    assert job_of(refused) is None
    assert isinstance(made, Job)


# --- Slots -----------------------------------------------------------------------------------------------------------


def test_jobs_wait_for_a_slot(clock: ManualClock) -> None:
    """Jobs that run at once; the others wait queued, and run from when they get theirs."""
    backend = with_settings(clock, SLOTS="2")
    jobs = accepted(backend, *(number(n) for n in range(5)))
    assert [state(backend, job).value for job in jobs] == ["running", "running", "queued", "queued", "queued"]

    clock.advance(249)
    assert [state(backend, job).value for job in jobs] == ["running", "running", "queued", "queued", "queued"]
    clock.advance(1)
    assert [state(backend, job).value for job in jobs] == ["ok", "ok", "running", "running", "queued"]
    clock.advance(500)
    assert [state(backend, job).value for job in jobs] == ["ok"] * 5
    ends = [job.ends_at_ms for job in backend.store.jobs()]
    assert ends == [START_MS + ms for ms in (250, 250, 500, 500, 750)]


def test_slots_change_no_fate(clock: ManualClock) -> None:
    """The start is the one thing that depends on other jobs; it is not part of the fates digest."""
    settings = {"MODE": "random", "RANDOM_WEIGHTS": "ok=1,fail=1,slow=1"}
    with_slots, without = with_settings(clock, SLOTS="1", **settings), with_settings(clock, **settings)
    requests = [number(n % 5) for n in range(20)]

    assert [job.fate for job in accepted(with_slots, *requests)] == [job.fate for job in accepted(without, *requests)]
    assert with_slots.fates_digest == without.fates_digest


@pytest.mark.parametrize(("queue_max", "taken"), [("1", 2), ("3", 4), ("0", 50)])
def test_as_many_may_wait_as_the_queue_holds(clock: ManualClock, queue_max: str, taken: int) -> None:
    """How many may wait before 503; 0 is any number. A refused submit is a hit, and says when there is room."""
    backend = with_settings(clock, SLOTS="1", QUEUE_MAX=queue_max)
    accepted(backend, *[HELLO] * taken)
    if queue_max == "0":
        return
    with pytest.raises(QueueFull) as refused:
        submitted(backend)
    assert refused.value.room_at_ms == START_MS + 250

    clock.advance(249)
    with pytest.raises(QueueFull):
        submitted(backend)
    clock.advance(1)
    job = submitted(backend)
    assert isinstance(job, Job)
    assert (job.ordinal, backend.hit_of(job)) == (taken, taken + 2)


def test_a_cancel_gives_the_slot_to_who_waited_longest(clock: ManualClock) -> None:
    """A hung job keeps its slot until it is cancelled."""
    backend = with_settings(clock, SLOTS="1", SCRIPT="hang,ok")
    hung, first, second = accepted(backend, HELLO, HELLO, HELLO)
    clock.advance(10_000)
    assert [state(backend, job).value for job in (hung, first, second)] == ["running", "queued", "queued"]

    asyncio.run(backend.cancel(hung))
    assert [state(backend, job).value for job in (hung, first, second)] == ["cancelled", "running", "queued"]
    clock.advance(250)
    assert [state(backend, job).value for job in (hung, first, second)] == ["cancelled", "ok", "running"]


def test_a_slow_cancel_frees_its_slot_when_it_takes_effect(clock: ManualClock) -> None:
    """Cancelled after a while, and running until then."""
    backend = with_settings(clock, SLOTS="1", SCRIPT="hang+cancel.slow(ms=500), ok")
    hung, waiting = accepted(backend, HELLO, HELLO)
    asyncio.run(backend.cancel(hung))
    clock.advance(499)
    assert [state(backend, job).value for job in (hung, waiting)] == ["running", "queued"]

    clock.advance(1)
    assert [state(backend, job).value for job in (hung, waiting)] == ["cancelled", "running"]


def test_a_job_that_is_cancelled_in_the_queue_leaves_it(clock: ManualClock) -> None:
    """It never ran, and its place in the queue is another's."""
    backend = with_settings(clock, SLOTS="1", QUEUE_MAX="1")
    running, waiting = accepted(backend, HELLO, HELLO)
    asyncio.run(backend.cancel(waiting))
    (next_,) = accepted(backend, HELLO)
    clock.advance(250)

    assert [state(backend, job).value for job in (running, waiting, next_)] == ["ok", "cancelled", "running"]


@pytest.mark.parametrize("text", ["hang+run.vanish(after_ms=100)", "ok+run.vanish(after_ms=100)"])
def test_a_job_that_has_vanished_holds_no_slot(clock: ManualClock, text: str) -> None:
    """It runs no more: it has ended, or is gone."""
    backend = with_settings(clock, SLOTS="1", SCRIPT=f"{text}, ok")
    _, waiting = accepted(backend, HELLO, HELLO)
    clock.advance(99)
    assert state(backend, waiting) is State.QUEUED

    clock.advance(1)
    assert state(backend, waiting) is State.RUNNING


def test_a_job_that_is_stuck_takes_no_slot(clock: ManualClock) -> None:
    """It never starts, so it holds nobody up; and nobody holds it up."""
    backend = with_settings(clock, SLOTS="1", QUEUE_MAX="1", SCRIPT="run.stuck_queued*5, ok")
    jobs = accepted(backend, *[HELLO] * 7)

    assert [state(backend, job).value for job in jobs] == ["queued"] * 5 + ["running", "queued"]


def test_a_clock_that_goes_on_during_a_submit_does_no_harm() -> None:
    """The queue is played up to one instant, and a job that comes after that comes no earlier."""
    backend = backend_of(load({"DUMMYLLM_SLOTS": "2", "DUMMYLLM_LATENCY_MS": "3"}), Ticking())
    jobs = accepted(backend, *(number(n) for n in range(20)))
    again = submitted(backend, HELLO, "k")

    assert isinstance(again, Job)
    assert [job.ordinal for job in jobs] == [0] * 20
    assert all(state(backend, job) is not State.CANCELLED for job in jobs)


class Ticking:
    """A clock of which a millisecond passes between any two looks at it."""

    pace = 1

    def __init__(self) -> None:
        self._now_ms = START_MS

    def now_ms(self) -> int:
        self._now_ms += 1
        return self._now_ms


def test_after_a_reset_every_slot_is_free(clock: ManualClock) -> None:
    """What follows is the same as after a start: the clock too goes back to its beginning."""
    backend = with_settings(clock, SLOTS="1", MODE="hang")
    accepted(backend, HELLO, HELLO)
    clock.advance(500)
    backend.reset()
    (job,) = accepted(backend, HELLO)

    assert clock.now_ms() == START_MS
    assert state(backend, job) is State.RUNNING


def test_who_waits_is_told_of_every_job_whose_end_may_have_moved(clock: ManualClock) -> None:
    """*changed* is told of each job whose end may have moved, and with None of all."""
    backend = with_settings(clock, SLOTS="1", SCRIPT="hang,ok")
    told: list[object] = []
    backend.changed = told.append
    hung, waiting = accepted(backend, HELLO, HELLO)
    told.clear()
    asyncio.run(backend.cancel(hung))
    assert told == [waiting.id, hung.id]

    told.clear()
    asyncio.run(backend.advance(5))
    assert told == [None]
    backend.reset()
    assert told == [None, None]


# --- Clocks ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("latency_ms", "mode", "words"),
    [
        ("250", "ok", ["running", "ok", "ok"]),
        ("251", "ok", ["running", "ok", "ok"]),
        ("1", "ok", ["ok", "ok"]),
        ("0", "ok", ["ok"]),
        ("250", "slow", ["running"] * 11 + ["ok"]),
        ("250", "fail", ["running", "fail"]),
        ("250", "hang", ["running"] * 5),
    ],
)
def test_under_clock_polls_a_job_advances_by_being_asked(latency_ms: str, mode: str, words: list[str]) -> None:
    """Each status read moves that job's own clock by half of LATENCY_MS, rounded up."""
    backend = backend_of(load({"DUMMYLLM_CLOCK": "polls", "DUMMYLLM_LATENCY_MS": latency_ms, "DUMMYLLM_MODE": mode}))
    (job, other) = accepted(backend, HELLO, HELLO)
    readings = [read(backend, job) for _ in words]

    assert [reading.snapshot.state.value for reading in readings if reading.snapshot] == words
    assert backend.look(other)[1] == START_MS, "the shared clock stands"
    assert asyncio.run(_held(backend, other)) == other


def test_under_clock_polls_a_cancel_comes_at_the_jobs_own_time() -> None:
    """Looking at it otherwise moves nothing."""
    backend = backend_of(load({"DUMMYLLM_CLOCK": "polls", "DUMMYLLM_MODE": "slow"}))
    (job,) = accepted(backend, HELLO)
    read(backend, job)
    read(backend, job)
    _, snapshot, now_ms = asyncio.run(backend.cancel(job))

    assert (snapshot.state, snapshot.since_ms, now_ms) == (State.CANCELLED, START_MS + 250, START_MS + 250)


def test_under_clock_polls_a_finished_job_keeps_its_place() -> None:
    """The clock that all jobs share stands still, and to it no job has ended; a reset frees every place."""
    backend = backend_of(load({"DUMMYLLM_CLOCK": "polls", "DUMMYLLM_JOBS_MAX": "1"}))
    (job,) = accepted(backend, HELLO)
    read(backend, job)
    read(backend, job)
    assert state(backend, job) is State.OK
    with pytest.raises(Full):
        accepted(backend, HELLO)

    backend.reset()
    assert accepted(backend, HELLO) == [job]


@pytest.mark.parametrize(("mode", "state_", "own_ms"), [("ok", State.OK, 250), ("hang", State.RUNNING, 0)])
def test_under_clock_polls_a_wait_runs_the_job_to_its_end_at_once(mode: str, state_: State, own_ms: int) -> None:
    """Its own clock alone moves; that of a job which never ends does not."""
    backend = backend_of(load({"DUMMYLLM_CLOCK": "polls", "DUMMYLLM_MODE": mode}))
    job, other = accepted(backend, HELLO, HELLO)
    for _ in range(2):
        asyncio.run(backend.pass_time(asyncio.run(backend.present(job)), 60_000))

    held = asyncio.run(backend.present(job))
    assert (backend.look(held)[0].state, held.own_ms) == (state_, own_ms)
    assert (state(backend, other), backend.clock.now_ms()) == (State.RUNNING, START_MS)


@pytest.mark.parametrize(
    ("mode", "most_ms", "passed_ms"),
    [("ok", 60_000, 250), ("ok", 250, 250), ("ok", 249, 249), ("ok", 0, 0), ("hang", 5_000, 5_000)],
)
def test_under_a_manual_clock_a_wait_lets_the_time_pass(mode: str, most_ms: int, passed_ms: int) -> None:
    """To the end of the job, at once; a clock that jobs share moves by so much at the most."""
    backend = backend_of(load({"DUMMYLLM_CLOCK": "manual", "DUMMYLLM_MODE": mode, "DUMMYLLM_ADMIN": "1"}))
    (job,) = accepted(backend, HELLO)
    asyncio.run(backend.pass_time(job, most_ms))
    assert backend.clock.now_ms() == START_MS + passed_ms

    asyncio.run(backend.pass_time(job, 0))
    assert backend.clock.now_ms() == START_MS + passed_ms


def test_who_waits_for_a_job_that_has_ended_lets_no_time_pass(clock: ManualClock, backend: Backend) -> None:
    """Time does not run backwards either."""
    (job,) = accepted(backend, HELLO)
    clock.advance(1_000)
    asyncio.run(backend.pass_time(job, 60_000))

    assert clock.now_ms() == START_MS + 1_000


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
