"""One contract, every store: what is kept, what leaves first, and what is told when nothing fits."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from msgspec.structs import replace

from dummyllm.core.faults.fault import fault_of
from dummyllm.core.grammar import Call
from dummyllm.core.job import Job, make_job
from dummyllm.core.mode import Mode
from dummyllm.core.policy import Policy
from dummyllm.core.request import JobRequest
from dummyllm.core.schedule import QueueFull
from dummyllm.core.submit import Bent
from dummyllm.store import Event, Full, Held
from tests.store.driven import OVERHEAD_BYTES, STORES, Driven, identity_named

Open = Callable[..., Driven]


@pytest.fixture(params=STORES)
def open_store(request: pytest.FixtureRequest) -> Iterator[Open]:
    opened: list[Driven] = []

    def open_(**limits: int) -> Driven:
        opened.append(Driven(STORES[request.param], **limits))
        return opened[-1]

    yield open_
    for driven in opened:
        driven.close()


def test_an_accepted_job_is_found(open_store: Open) -> None:
    """Acknowledged ⇒ kept."""
    store = open_store()
    job = store.accept("a")

    assert store.get(job) == job
    assert not store.store.was_evicted(job.id)


def test_an_unknown_job_is_not_found(open_store: Open) -> None:
    """404: unknown job."""
    store, other = open_store(), open_store()
    job = other.accept("a")

    assert store.get(job) is None
    assert not store.store.was_evicted(job.id)


def test_ordinals_count_the_jobs_of_each_identity_from_0(open_store: Open) -> None:
    """How often that content came before."""
    store = open_store()

    assert [store.accept(name).ordinal for name in "abaab"] == [0, 0, 1, 2, 1]


def test_a_refused_submit_takes_no_ordinal_but_is_a_hit(open_store: Open) -> None:
    """Hit: every well-formed submit; ordinal: committed jobs."""
    store = open_store(jobs_max=2)
    first = store.accept("a", base_ms=250)
    store.accept("b", mode=Mode.HANG)
    for _ in range(3):
        with pytest.raises(Full):
            store.accept("a")
    store.now_ms += 250
    again = store.accept("a")

    assert (first.ordinal, again.ordinal) == (0, 1)
    assert store.store.hit_of(again) == 4


def test_hits_and_ordinals_agree_while_nothing_is_refused(open_store: Open) -> None:
    """They nearly always agree."""
    store = open_store()

    for name in "aabba":
        job = store.accept(name)
        assert store.store.hit_of(job) == job.ordinal


def counted(store: Driven) -> list[tuple[int, int, int]]:
    """Return what each submit so far was decided by: hit, ordinal and step."""
    return [(counters.hit, counters.ordinal, counters.step) for counters in store.counters]


def test_three_counters_go_on_together_while_every_submit_makes_a_job(open_store: Open) -> None:
    """Hit, ordinal and step: every well-formed submit; committed jobs; the place in the script."""
    store = open_store()
    for name in "aab":
        store.accept(name)

    assert counted(store) == [(0, 0, 0), (1, 1, 1), (0, 0, 0)]


def test_a_submit_that_chance_refuses_is_a_hit_and_nothing_else(open_store: Open) -> None:
    """A refusal drawn from FAULTS moves no step."""
    store = open_store()
    store.refuse("a")
    store.refuse("a")
    job = store.accept("a")
    store.accept("a")

    assert counted(store) == [(0, 0, 0), (1, 0, 0), (2, 0, 0), (3, 1, 1)]
    assert (job.ordinal, store.held().jobs) == (0, 2)


def test_a_submit_that_a_script_refuses_moves_its_step(open_store: Open) -> None:
    """`step` moves when a job is committed or when the script's own token refuses the submit."""
    store = open_store()
    store.refuse("a", moves_step=True)
    store.refuse("a")
    store.accept("a")
    store.refuse("a", moves_step=True)
    store.accept("a")

    assert counted(store) == [(0, 0, 0), (1, 0, 1), (2, 0, 1), (3, 1, 2), (4, 1, 3)]


def test_what_is_decided_about_a_submit_is_what_comes_back(open_store: Open) -> None:
    """A job, or what befell the submit instead."""
    store = open_store()
    bent = store.refuse("a")

    assert isinstance(bent, Bent)
    assert (bent.job, bent.hit, store.held().jobs) == (None, 0, 0)


def test_a_job_whose_answer_a_fault_befalls_is_kept(open_store: Open) -> None:
    """The job exists; its acknowledgement is lost."""
    store = open_store()
    decided: list[Bent] = []

    def bend(hit: int, ordinal: int, _: int) -> Bent:
        job = make_job(Policy(), JobRequest("x"), identity_named("a"), now_ms=1_000, ordinal=ordinal)
        decided.append(Bent(job, fault_of(Call("submit.lost_ack")), hit, Policy()))
        return decided[-1]

    outcome = store.submit("a", bend)
    assert outcome is decided[0]
    assert decided[0].job is not None
    assert store.get(decided[0].job) == decided[0].job
    assert store.accept("a").ordinal == 1


def test_a_full_queue_moves_no_ordinal_and_no_step(open_store: Open) -> None:
    """Whatever decide raises, the submit is counted all the same."""
    store = open_store()

    def refuse(*_: int) -> Job:
        raise QueueFull(None)

    for _ in range(2):
        with pytest.raises(QueueFull):
            store.submit("a", refuse)
    store.accept("a")

    assert counted(store) == [(2, 0, 0)]


def test_a_full_store_moves_no_ordinal_and_no_step(open_store: Open) -> None:
    """A refused submit is a hit."""
    store = open_store(jobs_max=1)
    hung = store.accept("hung", mode=Mode.HANG)
    with pytest.raises(Full):
        store.accept("a")
    store.cancel(hung)
    store.accept("a")

    assert counted(store)[1:] == [(0, 0, 0), (1, 0, 0)]


def test_a_replay_by_its_key_counts_a_hit_only(open_store: Open) -> None:
    """A replay by Idempotency-Key counts a hit only, and says which it was."""
    store = open_store()
    store.accept("a", key="k")
    hits = [store.count_hit("a"), store.count_hit("a"), store.count_hit("new")]
    store.accept("a")

    assert hits == [1, 2, 0]
    assert counted(store) == [(0, 0, 0), (3, 1, 1)]


def test_a_job_is_found_by_its_key_while_it_is_held(open_store: Open) -> None:
    """It lives as long as its job."""
    store = open_store(jobs_max=1)
    job = store.accept("a", key="k", base_ms=0)
    assert store.keyed("k") == job
    assert store.keyed("K") is None

    store.accept("b", key="other", base_ms=0)
    assert store.keyed("k") is None
    store.store.clear()
    assert store.keyed("other") is None


def test_a_key_finds_its_job_as_it_is_now(open_store: Open) -> None:
    """What is replaced keeps its key."""
    store = open_store()
    cancelled = store.cancel(store.accept("a", key="k", mode=Mode.HANG))

    assert store.keyed("k") == cancelled


def test_a_job_that_waits_for_a_slot_is_unfinished(open_store: Open) -> None:
    """With slots the start is not settled, and so no end is."""
    store = open_store(jobs_max=1)
    job = store.accept("a", base_ms=0, waits=True)
    store.now_ms += 10**6
    with pytest.raises(Full) as refused:
        store.accept("b")

    assert refused.value.room_at_ms is None
    assert store.get(job) == job


@pytest.mark.parametrize(("passed_ms", "leaves"), [(249, False), (250, True)])
def test_a_job_that_waited_leaves_when_it_has_run(open_store: Open, passed_ms: int, *, leaves: bool) -> None:
    """Its end counts from its start, not from its acceptance."""
    store = open_store(jobs_max=1)
    job = store.accept("a", base_ms=250, waits=True)
    store.now_ms += 10_000
    started = store.start(job)
    store.now_ms += passed_ms
    if leaves:
        store.accept("b")
    else:
        with pytest.raises(Full) as refused:
            store.accept("b")
        assert refused.value.room_at_ms == 1_000 + 10_000 + 250

    assert store.get(job) == (None if leaves else started)


def test_a_cancel_that_takes_its_time_makes_room_when_it_has_taken_effect(open_store: Open) -> None:
    """`cancel.slow`: cancelled after a while; until then the job is unfinished."""
    store = open_store(jobs_max=1)
    hung = store.accept("a", mode=Mode.HANG)
    store.replace(replace(hung, cancelled_at_ms=store.now_ms + 500))
    store.now_ms += 499
    with pytest.raises(Full) as refused:
        store.accept("b")
    assert refused.value.room_at_ms == 1_500

    store.now_ms += 1
    store.accept("b")
    assert store.evicted() == [hung.id]


def test_what_is_counted_about_a_job_moves_no_end(open_store: Open) -> None:
    """A read that is counted leaves the job as unfinished, or as finished, as it was."""
    store = open_store(jobs_max=1)
    job = store.accept("a", base_ms=250)
    for reads in range(500):
        job = store.replace(replace(job, reads=reads))
    store.now_ms += 250
    newcomer = store.accept("b", mode=Mode.HANG)

    assert store.evicted() == [job.id]
    assert store.get(newcomer) == newcomer


def test_what_left_is_counted(open_store: Open) -> None:
    """A recording says how many finished jobs had left."""
    store = open_store(jobs_max=1)
    for _ in range(4):
        store.accept("a", base_ms=0)

    assert store.held().evicted == 3 == len(store.evicted())


def test_finished_jobs_leave_first_in_the_order_of_their_ends(open_store: Open) -> None:
    """Finished ones leave first: not the oldest, but the one that ended first."""
    store = open_store(jobs_max=4)
    slow = store.accept("slow", base_ms=300)
    hung = store.accept("hung", mode=Mode.HANG)
    quick = store.accept("quick", base_ms=100)
    middle = store.accept("middle", base_ms=200)
    store.now_ms += 1_000
    newcomers = [store.accept(f"new {number}", mode=Mode.HANG) for number in range(3)]

    assert store.evicted() == [quick.id, middle.id, slow.id]
    assert [store.get(job) for job in (quick, middle, slow)] == [None, None, None]
    assert [store.get(job) for job in (hung, *newcomers)] == [hung, *newcomers]
    assert all(store.store.was_evicted(job.id) for job in (quick, middle, slow))


@pytest.mark.parametrize(("passed_ms", "leaves"), [(249, False), (250, True)])
def test_a_job_leaves_from_the_millisecond_of_its_end(open_store: Open, passed_ms: int, *, leaves: bool) -> None:
    """An unfinished job never leaves."""
    store = open_store(jobs_max=1)
    job = store.accept("a", base_ms=250)
    store.now_ms += passed_ms
    if leaves:
        store.accept("b")
    else:
        with pytest.raises(Full):
            store.accept("b")

    assert (store.get(job) is None) == leaves


def test_no_job_leaves_before_its_place_is_needed(open_store: Open) -> None:
    """A place is only looked for when one is needed."""
    store = open_store(jobs_max=3)
    jobs = [store.accept(name, base_ms=0) for name in "abc"]
    store.now_ms += 10**9

    assert [store.get(job) for job in jobs] == jobs
    assert store.evicted() == []


def test_a_cancelled_job_leaves_too(open_store: Open) -> None:
    """A hung job leaves once it is cancelled, and in the order of its cancel."""
    store = open_store(jobs_max=3)
    hung, slow, quick = store.accept("hung", mode=Mode.HANG), store.accept("slow", base_ms=900), store.accept("quick")
    store.now_ms += 100
    hung = store.cancel(hung)
    store.now_ms += 50
    slow = store.cancel(slow)
    assert store.get(slow) == slow
    store.now_ms += 500
    for name in "xyz":
        store.accept(name)

    assert store.evicted() == [hung.id, slow.id, quick.id]


def test_the_planned_end_of_a_cancelled_job_evicts_nobody(open_store: Open) -> None:
    """An entry of the heap may be out of date: its job was cancelled earlier, or has left."""
    store = open_store(jobs_max=2)
    job = store.accept("a", base_ms=250)
    store.now_ms += 100
    store.cancel(job)
    hung = store.accept("hung", mode=Mode.HANG)
    newcomer = store.accept("b", mode=Mode.HANG)
    store.now_ms += 10_000
    with pytest.raises(Full) as refused:
        store.accept("c")

    assert store.evicted() == [job.id]
    assert [store.get(kept) for kept in (hung, newcomer)] == [hung, newcomer]
    assert refused.value.room_at_ms is None


def test_full_says_when_the_next_job_is_due_to_end(open_store: Open) -> None:
    """503 `FULL` with Retry-After."""
    store = open_store(jobs_max=3)
    store.accept("hung", mode=Mode.HANG)
    store.accept("a", base_ms=900)
    store.accept("b", base_ms=400)
    with pytest.raises(Full) as refused:
        store.accept("c")

    assert refused.value.room_at_ms == 1_000 + 400


def test_full_of_hung_jobs_cannot_say_when(open_store: Open) -> None:
    """The instant at which the next one is due to end, if any is."""
    store = open_store(jobs_max=1)
    store.accept("hung", mode=Mode.HANG)
    with pytest.raises(Full) as refused:
        store.accept("a")

    assert refused.value.room_at_ms is None


def test_a_refused_job_leaves_no_trace_but_its_hit(open_store: Open) -> None:
    """Half a job is never kept."""
    store = open_store(jobs_max=1)
    hung = store.accept("hung", mode=Mode.HANG)
    before = store.held()
    with pytest.raises(Full):
        store.accept("hung")

    assert store.held() == before
    assert store.get(hung) == hung
    assert store.events == []


def test_bytes_are_those_of_the_payloads_and_800_for_each_job(open_store: Open) -> None:
    """Bytes held: payloads, and 800 for each job."""
    store = open_store(jobs_max=2)
    store.accept("a", bytes_=100, base_ms=0)
    store.accept("b", bytes_=1_000)
    assert store.held() == Held(jobs=2, bytes=1_100 + 2 * OVERHEAD_BYTES, identities=2, ordinals_dropped=0, evicted=0)

    store.accept("c", bytes_=7)
    assert store.held() == Held(jobs=2, bytes=1_007 + 2 * OVERHEAD_BYTES, identities=3, ordinals_dropped=0, evicted=1)


def test_an_op_takes_its_bytes_like_any_other_part_of_a_payload(open_store: Open) -> None:
    """Bytes held: payloads. An `op` or a `trace_id` is part of one, and may be as long as a body may."""
    store = open_store()
    store.accept("a", op="x" * 10_000)

    assert store.held().bytes >= 10_000 + OVERHEAD_BYTES


def test_a_job_fits_to_the_last_byte_and_not_beyond(open_store: Open) -> None:
    """STORE_MAX_BYTES, both sides of the edge."""
    limit = 2 * OVERHEAD_BYTES + 150
    exact, over = open_store(bytes_max=limit), open_store(bytes_max=limit)
    for store in (exact, over):
        store.accept("hung", mode=Mode.HANG, bytes_=100)

    assert exact.accept("a", bytes_=50).ordinal == 0
    with pytest.raises(Full):
        over.accept("a", bytes_=51)


def test_as_many_jobs_leave_as_a_large_payload_needs(open_store: Open) -> None:
    """Finished jobs leave first, until there are bytes enough; the others stay."""
    store = open_store(bytes_max=4 * (OVERHEAD_BYTES + 100))
    jobs = [store.accept(name, base_ms=10 * number, bytes_=100) for number, name in enumerate("abcd")]
    store.now_ms += 1_000
    large = store.accept("large", bytes_=1_000)

    assert store.evicted() == [job.id for job in jobs[:2]]
    assert [store.get(job) for job in (*jobs[2:], large)] == [*jobs[2:], large]


def test_a_payload_too_large_for_the_whole_store_is_full(open_store: Open) -> None:
    """There is no place for it, now or ever; the server's own settings keep such payloads away."""
    store = open_store(bytes_max=OVERHEAD_BYTES + 10)
    with pytest.raises(Full) as refused:
        store.accept("a", bytes_=11)

    assert refused.value.room_at_ms is None
    assert store.held().jobs == 0


def test_ordinals_outlive_their_jobs(open_store: Open) -> None:
    """A payload whose first job was evicted gets ordinal 1 next."""
    store = open_store(jobs_max=1)
    first = store.accept("a", base_ms=0)
    store.accept("b", base_ms=0)
    again = store.accept("a", base_ms=0)

    assert store.store.was_evicted(first.id)
    assert again.ordinal == 1
    assert again.id != first.id


def test_counters_of_four_identities_for_each_job_are_kept_and_the_oldest_dropped(open_store: Open) -> None:
    """At most 4 × JOBS_MAX are kept; when one is dropped, that is reported."""
    store = open_store(jobs_max=2)
    for number in range(8):
        store.accept(f"{number}", base_ms=0)
    assert store.held().identities == 8
    assert [event for event, *_ in store.events if event is Event.ORDINAL_DROPPED] == []

    store.accept("8", base_ms=0)
    held = store.held()

    assert (held.identities, held.ordinals_dropped) == (8, 1)
    assert (Event.ORDINAL_DROPPED, identity_named("0"), None) in store.events
    assert store.accept("1", base_ms=0).ordinal == 1, "its counter was kept"
    assert store.accept("0", base_ms=0).ordinal == 0, "its counter was dropped"


def test_refused_identities_are_no_more_than_four_for_each_job_either(open_store: Open) -> None:
    """A full server that is asked for ever new work does not grow."""
    store = open_store(jobs_max=1)
    store.accept("hung", mode=Mode.HANG)
    for number in range(50):
        with pytest.raises(Full):
            store.accept(f"{number}")

    assert store.held().identities <= 4


def test_an_id_that_is_held_already_costs_its_ordinal(open_store: Open) -> None:
    """On an id already held the ordinal is skipped and journaled."""
    store = open_store(jobs_max=2)
    hung = store.accept("hung", mode=Mode.HANG)
    for number in range(8):
        store.accept(f"{number}", base_ms=0)  # the counter of the hung job's identity is dropped
    store.events.clear()
    again = store.accept("hung", mode=Mode.HANG)

    assert store.events[0] == (Event.ORDINAL_SKIPPED, hung.identity, hung)
    assert again.ordinal == 1
    assert store.get(hung) == hung


def test_a_job_does_not_end_by_the_plan_of_one_that_had_its_id_before(open_store: Open) -> None:
    """After its counter was dropped an id may come again; its new job is unfinished, whatever the old one planned."""
    store = open_store(jobs_max=1)
    namesake = store.accept("a", base_ms=1_000)
    store.now_ms += 1
    store.cancel(namesake)
    for number in range(4):
        store.accept(f"{number}", base_ms=0)  # the job leaves, and then its counter does
    job = store.accept("a", base_ms=9_000)
    assert job.id == namesake.id
    store.now_ms += 2_000
    with pytest.raises(Full) as refused:
        store.accept("b")

    assert store.get(job) == job
    assert refused.value.room_at_ms == job.ends_at_ms


def test_jobs_are_listed_in_the_order_in_which_they_came(open_store: Open) -> None:
    """Every job held, and none that left; a cancelled one as it is now."""
    store = open_store(jobs_max=3)
    store.accept("gone", base_ms=0)
    hung, ok = store.accept("hung", mode=Mode.HANG), store.accept("ok")
    late = store.accept("late")
    cancelled = store.cancel(hung)

    assert store.store.jobs() == [cancelled, ok, late]


def test_after_a_clear_a_test_is_the_same_test(open_store: Open) -> None:
    """Forget every job and every counter: ids and ordinals begin again."""
    store = open_store(jobs_max=1)
    first = store.accept("a", base_ms=0)
    store.accept("b", mode=Mode.HANG)
    with pytest.raises(Full):
        store.accept("a")
    store.store.clear()

    assert store.held() == Held(jobs=0, bytes=0, identities=0, ordinals_dropped=0, evicted=0)
    assert not store.store.was_evicted(first.id)
    again = store.accept("a", base_ms=0)
    assert (again, store.store.hit_of(again)) == (first, 0)
