"""The memory store: what is its own beside the contract that it shares with every store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from dummyllm.core.mode import Mode
from tests.store.driven import STORES, Driven, identity_named


@pytest.fixture
def store() -> Iterator[Driven]:
    driven = Driven(STORES["memory"], jobs_max=1)
    yield driven
    driven.close()


def test_only_the_latest_evicted_ids_are_remembered(store: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    """The latest 100,000 of those are remembered."""
    monkeypatch.setattr("dummyllm.store.memory.EVICTED_REMEMBERED_MAX", 3)
    jobs = [store.accept("a", base_ms=0) for _ in range(6)]

    assert [store.store.was_evicted(job.id) for job in jobs] == [False, False, True, True, True, False]
    assert store.get(jobs[5]) == jobs[5]


def test_jobs_cancelled_long_before_their_end_do_not_pile_up(store: Driven) -> None:
    """A job that left takes nothing with it into the future: what is held is bounded by the jobs that are held."""
    for _ in range(1_000):
        job = store.accept("a", base_ms=86_400_000)
        store.cancel(job)
        store.now_ms += 1

    assert len(store.store._endings) <= 100


def test_a_hung_job_is_in_no_heap_until_it_is_cancelled(store: Driven) -> None:
    """A hung job costs only its memory."""
    job = store.accept("a", mode=Mode.HANG)
    assert store.store._endings == []

    store.cancel(job)
    assert store.store._endings == [(store.now_ms, job.id)]


def test_counters_that_are_level_are_kept_once(store: Driven) -> None:
    """They nearly always agree, so the other two are kept for the few identities where they do not."""
    store.accept("a", base_ms=0)
    store.accept("b", base_ms=0)
    assert store.store.ahead == {}

    store.refuse("a")
    store.count_hit("b")
    store.refuse("c", moves_step=True)
    assert store.store.ahead == {
        identity_named("a"): (1, 0),
        identity_named("b"): (1, 0),
        identity_named("c"): (1, 1),
    }


def test_counters_that_were_dropped_leave_nothing_behind(store: Driven) -> None:
    """At most 4 × JOBS_MAX identities are kept, and what is kept beside an ordinal goes with it."""
    for number in range(20):
        store.refuse(f"{number}")

    assert len(store.store.ahead) == len(store.store._ordinals) == 4


def test_reads_that_are_counted_do_not_pile_up(store: Driven) -> None:
    """A job that is read for ever has its one place."""
    job = store.accept("a")
    for reads in range(1_000):
        job = store.replace(replace(job, reads=reads))

    assert (len(store.store._endings), len(store.store._newcomers)) == (0, 1)


def test_a_heap_is_made_where_places_get_scarce() -> None:
    """Up to the half no submit pays for it; beyond, every one puts two in their places, so that none waits for all."""
    store = Driven(STORES["memory"], jobs_max=20)
    jobs = [store.accept(f"{number}", base_ms=100 + 37 * number % 50) for number in range(10)]
    assert store.store._endings == []

    jobs += [store.accept(f"{number}", base_ms=100 + 37 * number % 50) for number in range(10, 20)]
    assert (len(store.store._endings), len(store.store._newcomers)) == (19, 1)
    store.now_ms += 1_000
    left = sorted(jobs, key=lambda job: (job.ends_at_ms, job.id))
    for number in range(20, 25):
        store.accept(f"{number}")
    assert [job.id for _, _, job in store.events if job is not None] == [job.id for job in left[:5]]
    store.close()
