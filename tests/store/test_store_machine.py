"""A store does what a model of forty lines does, whatever is asked of it in whatever order."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule, run_state_machine_as_test

from dummyllm.core.job import Job
from dummyllm.core.mode import Mode
from dummyllm.core.request import Identity, JobId
from dummyllm.store import Event, Full, Held
from tests.store.driven import OVERHEAD_BYTES, STORES, Counters, Driven, Opener, identity_named

JOBS_MAX, BYTES_MAX = 3, 3 * OVERHEAD_BYTES + 40
IDENTITIES_MAX = 4 * JOBS_MAX


class Model:
    """What a store is meant to hold, said in the simplest way there is."""

    def __init__(self) -> None:
        self.jobs: dict[JobId, Job] = {}
        self.evicted: list[JobId] = []
        self.ordinals: dict[Identity, int] = {}
        self.hits: dict[Identity, int] = {}
        self.steps: dict[Identity, int] = {}
        self.dropped = 0

    @property
    def bytes(self) -> int:
        return sum(len(job.request.args) + OVERHEAD_BYTES for job in self.jobs.values())

    def ends(self) -> list[tuple[int, JobId]]:
        return sorted((job.ends_at_ms, job.id) for job in self.jobs.values() if job.ends_at_ms is not None)

    def makes_room(self, bytes_: int, now_ms: int) -> bool:
        """Let finished jobs leave until there is a place for *bytes_*; return whether there is one."""
        while len(self.jobs) >= JOBS_MAX or self.bytes + bytes_ + OVERHEAD_BYTES > BYTES_MAX:
            ends = self.ends()
            if not ends or ends[0][0] > now_ms:
                return False
            del self.jobs[ends[0][1]]
            self.evicted.append(ends[0][1])
        return True

    def keep(self, job: Job) -> None:
        """Note that *job* was accepted."""
        self.jobs[job.id] = job
        self.ordinals[job.identity] = job.ordinal
        self.count(job.identity, ordinals=1, steps=1)

    def count(self, identity: Identity, *, ordinals: int = 0, steps: int = 0) -> None:
        """Note that a submit was counted; the counters of the oldest identity leave if there are too many."""
        self.hits[identity] = self.hits.get(identity, 0) + 1
        self.ordinals[identity] = self.ordinals.get(identity, 0) + ordinals
        self.steps[identity] = self.steps.get(identity, 0) + steps
        if len(self.ordinals) > IDENTITIES_MAX:
            oldest = next(iter(self.ordinals))
            for counters in (self.ordinals, self.hits, self.steps):
                del counters[oldest]
            self.dropped += 1

    def counters(self, identity: Identity) -> Counters:
        hit, ordinal, step = (counts.get(identity, 0) for counts in (self.hits, self.ordinals, self.steps))
        return Counters(hit, ordinal, step)


class Machine(RuleBasedStateMachine):
    """Accepts, cancels and lets time pass. Some names come often and some jobs hang, so that places run out."""

    opener: Opener = STORES["memory"]
    jobs = Bundle("jobs")

    def __init__(self) -> None:
        super().__init__()
        self.driven = Driven(self.opener, jobs_max=JOBS_MAX, bytes_max=BYTES_MAX)
        self.model = Model()

    @rule(
        target=jobs,
        name=st.sampled_from("abcdefghijkl"),
        mode=st.sampled_from([Mode.OK, Mode.OK, Mode.SLOW, Mode.HANG]),
        base_ms=st.sampled_from([0, 1, 5, 100]),
        bytes_=st.sampled_from([2, 2, 20, 41, 900]),
    )
    def accept(self, name: str, mode: Mode, base_ms: int, bytes_: int) -> Job | None:
        return self.submit(name, mode, base_ms, bytes_)

    def submit(self, name: str, mode: Mode, base_ms: int, bytes_: int) -> Job | None:
        model, identity = self.model, identity_named(name)
        fits = model.makes_room(bytes_, self.driven.now_ms)
        expected = model.counters(identity)
        if not fits:
            skipped = len(self.driven.events)
            with pytest.raises(Full) as refused:
                self.driven.accept(name, mode=mode, base_ms=base_ms, bytes_=bytes_)
            ends = model.ends()
            assert refused.value.room_at_ms == (ends[0][0] if ends else None)
            events = [event for event, *_ in self.driven.events[skipped:]]
            model.count(identity, ordinals=events.count(Event.ORDINAL_SKIPPED))
            return None
        job = self.driven.accept(name, mode=mode, base_ms=base_ms, bytes_=bytes_)
        assert job.id not in model.jobs
        assert job.ordinal >= expected.ordinal
        assert self.driven.counters[-1] == expected._replace(ordinal=job.ordinal)
        if not model.dropped:
            assert job.ordinal == expected.ordinal
        model.keep(job)
        if identity in model.hits:
            assert self.driven.store.hit_of(job) == model.hits[identity] - 1
        return job

    @rule(name=st.sampled_from("abcdefghijkl"), moves_step=st.booleans())
    def refuse(self, name: str, *, moves_step: bool) -> None:
        identity = identity_named(name)
        expected = self.model.counters(identity)
        self.driven.refuse(name, moves_step=moves_step)
        assert self.driven.counters[-1] == expected
        self.model.count(identity, steps=moves_step)

    @rule(name=st.sampled_from("abcdefghijkl"))
    def come_again_by_key(self, name: str) -> None:
        identity = identity_named(name)
        assert self.driven.count_hit(name) == self.model.counters(identity).hit
        self.model.count(identity)

    @rule(job=jobs)
    def cancel(self, job: Job | None) -> None:
        held = self.model.jobs.get(job.id) if job else None
        if held is not None:
            self.model.jobs[held.id] = self.driven.cancel(held)

    @rule(job=consumes(jobs))
    def look_for_the_last_time(self, job: Job | None) -> None:
        if job is not None:
            assert self.driven.get(job) == self.model.jobs.get(job.id)

    @rule(by_ms=st.sampled_from([1, 4, 5, 95, 1_000]))
    def let_time_pass(self, by_ms: int) -> None:
        self.driven.now_ms += by_ms

    @rule()
    def clear(self) -> None:
        self.driven.store.clear()
        self.driven.events.clear()
        self.model = Model()

    @invariant()
    def the_store_holds_what_the_model_holds(self) -> None:
        model = self.model
        held = Held(len(model.jobs), model.bytes, len(model.ordinals), model.dropped, len(model.evicted))
        assert self.driven.held() == held
        assert self.driven.held().bytes <= BYTES_MAX
        assert self.driven.evicted() == model.evicted
        for job in model.jobs.values():
            assert self.driven.get(job) == job
        for job_id in model.evicted[-IDENTITIES_MAX:]:
            assert self.driven.store.was_evicted(job_id)

    def teardown(self) -> None:
        self.driven.close()


class ManyNames(Machine):
    """Thirty names for twelve counters, and jobs that end at once: counters are dropped, and nobody is refused."""

    jobs = Bundle("jobs")

    @rule(target=jobs, number=st.integers(0, 29))
    def accept(self, number: int) -> Job | None:
        return self.submit(f"{number}", Mode.OK, 0, 2)

    @rule(target=jobs, number=st.integers(0, 29))
    def accept_eight(self, number: int) -> Job | None:
        for offset in range(8):
            job = self.submit(f"{(number + offset) % 30}", Mode.OK, 0, 2)
        return job


@pytest.mark.parametrize("machine", [Machine, ManyNames])
@pytest.mark.parametrize("store", STORES)
def test_a_store_does_what_the_model_does(store: str, machine: type[Machine]) -> None:
    """One contract, every store."""
    opened = type(f"{machine.__name__}On{store.title()}", (machine,), {"opener": staticmethod(STORES[store])})

    run_state_machine_as_test(opened, settings=settings(max_examples=60, stateful_step_count=30, deadline=None))
