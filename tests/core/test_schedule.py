"""The schedule: so many jobs run at once, the others wait their turn, and nobody keeps a clock for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dummyllm.core.request import JobId
from dummyllm.core.schedule import HEAP_SLACK, QueueFull, Schedule, Start

A, B, C, D = (JobId(name) for name in "ABCD")


def one_slot(queue_max: int = 0) -> Schedule:
    return Schedule(slots=1, queue_max=queue_max)


def running_a(run_ms: int | None) -> Schedule:
    """Return a schedule of one slot in which A has run since 0."""
    schedule = one_slot()
    assert schedule.arrive(A, run_ms=run_ms, now_ms=0) == [Start(A, 0)]
    return schedule


def counts(schedule: Schedule) -> tuple[int, int, int | None]:
    return schedule.running, schedule.waiting, schedule.next_end_ms


def test_a_job_starts_at_once_if_a_slot_is_free_and_waits_if_none_is() -> None:
    """Only SLOTS jobs run at once."""
    schedule = Schedule(slots=2, queue_max=0)

    assert schedule.arrive(A, run_ms=10, now_ms=0) == [Start(A, 0)]
    assert schedule.arrive(B, run_ms=10, now_ms=1) == [Start(B, 1)]
    assert schedule.arrive(C, run_ms=10, now_ms=1) == []
    assert counts(schedule) == (2, 1, 10)


def test_a_waiting_job_starts_in_the_millisecond_in_which_a_slot_is_freed() -> None:
    """A job waits `queued` until a slot is free."""
    schedule = running_a(10)
    schedule.arrive(B, run_ms=10, now_ms=3)

    assert schedule.advance(9) == []
    assert schedule.advance(10) == [Start(B, 10)]
    assert counts(schedule) == (1, 0, 20)


def test_whoever_came_first_starts_first() -> None:
    """First come, first served, also among those who came in the same millisecond."""
    schedule = running_a(10)
    for job in (D, B, C):
        schedule.arrive(job, run_ms=5, now_ms=4)

    assert schedule.advance(100) == [Start(D, 10), Start(B, 15), Start(C, 20)]


def test_one_late_look_sees_every_start_where_it_was() -> None:
    """A job that started may itself end before now and hand its slot on."""
    schedule = running_a(10)
    schedule.arrive(B, run_ms=7, now_ms=0)
    schedule.arrive(C, run_ms=None, now_ms=0)

    assert schedule.arrive(D, run_ms=1, now_ms=10**12) == [Start(B, 10), Start(C, 17)]
    assert counts(schedule) == (1, 1, None)


def test_a_hung_job_keeps_its_slot_until_it_is_cancelled() -> None:
    """What never ends holds up all who wait behind it."""
    schedule = running_a(None)
    schedule.arrive(B, run_ms=5, now_ms=1)

    assert schedule.advance(10**12) == []
    assert schedule.leave(A, 10**12 + 1) == [Start(B, 10**12 + 1)]


@pytest.mark.parametrize(("now_ms", "starts"), [(9, [Start(B, 9)]), (10, [Start(B, 10)]), (11, [Start(B, 10)])])
def test_the_planned_end_comes_before_a_cancel(now_ms: int, starts: list[Start]) -> None:
    """A cancel of a job that ended in the same millisecond finds no slot to free, and takes none from another job."""
    schedule = running_a(10)
    schedule.arrive(B, run_ms=None, now_ms=0)
    schedule.arrive(C, run_ms=None, now_ms=0)

    assert schedule.leave(A, now_ms) == starts
    assert counts(schedule) == (1, 1, None)


@pytest.mark.parametrize(("now_ms", "starts"), [(9, []), (10, [Start(B, 10)])])
def test_the_planned_end_comes_before_an_arrival(now_ms: int, starts: list[Start]) -> None:
    """A slot that is freed in this millisecond is there for a job that comes in this millisecond."""
    schedule = running_a(10)

    assert schedule.arrive(B, run_ms=5, now_ms=now_ms) == starts


def test_a_job_cancelled_in_the_queue_never_starts() -> None:
    """It gives up its place, and those behind it move up."""
    schedule = running_a(10)
    schedule.arrive(B, run_ms=5, now_ms=0)
    schedule.arrive(C, run_ms=5, now_ms=0)

    assert schedule.leave(B, 9) == []
    assert counts(schedule) == (1, 1, 10)
    assert schedule.advance(100) == [Start(C, 10)]


def test_a_job_that_came_back_waits_at_the_end() -> None:
    """Whoever leaves the queue leaves nothing behind in it."""
    schedule = running_a(10)
    schedule.arrive(B, run_ms=5, now_ms=0)
    schedule.arrive(C, run_ms=5, now_ms=0)
    schedule.leave(B, 1)
    schedule.arrive(B, run_ms=5, now_ms=2)

    assert schedule.advance(100) == [Start(C, 10), Start(B, 15)]


def test_a_job_that_came_back_ends_as_it_does_now() -> None:
    """An end that was settled for an earlier run, or for an earlier wait, is not one of this run or this wait."""
    schedule = Schedule(slots=2, queue_max=0)
    schedule.arrive(C, run_ms=5, now_ms=0)
    schedule.arrive(A, run_ms=10, now_ms=0)
    schedule.arrive(B, run_ms=5, now_ms=0)
    schedule.shorten(B, ends_at_ms=9, now_ms=0)
    schedule.leave(B, 1)
    schedule.leave(A, 1)
    schedule.arrive(A, run_ms=100, now_ms=2)
    schedule.arrive(D, run_ms=None, now_ms=2)
    schedule.arrive(B, run_ms=5, now_ms=2)

    assert schedule.advance(50) == [Start(D, 5)]
    assert counts(schedule) == (2, 1, 102)


def test_a_cancel_of_a_job_nobody_knows_does_nothing_but_look() -> None:
    """It still returns what started in the meantime."""
    schedule = running_a(10)
    schedule.arrive(B, run_ms=5, now_ms=0)

    assert schedule.leave(D, 12) == [Start(B, 10)]
    assert schedule.leave(A, 12) == []
    assert counts(schedule) == (1, 0, 15)


def test_jobs_of_no_length_pass_through_a_slot_in_one_millisecond() -> None:
    """A run of 0 ms ends in the millisecond in which it starts."""
    schedule = running_a(10)
    jobs = [JobId(f"job {number}") for number in range(1000)]
    for job in jobs:
        schedule.arrive(job, run_ms=0, now_ms=5)
    schedule.arrive(B, run_ms=1, now_ms=5)

    assert schedule.advance(9) == []
    assert schedule.advance(10) == [*(Start(job, 10) for job in jobs), Start(B, 10)]


def test_a_job_of_no_length_is_gone_when_its_arrival_returns() -> None:
    """Nobody has to look again to see that the slot is free."""
    schedule = running_a(0)

    assert counts(schedule) == (0, 0, None)
    assert schedule.arrive(B, run_ms=1, now_ms=0) == [Start(B, 0)]


def test_a_full_queue_refuses_and_says_when_there_will_be_room() -> None:
    """QUEUE_MAX is how many may wait."""
    schedule = one_slot(queue_max=1)
    schedule.arrive(A, run_ms=10, now_ms=0)
    schedule.arrive(B, run_ms=10, now_ms=0)

    assert not schedule.has_room(9)
    with pytest.raises(QueueFull) as refusal:
        schedule.arrive(C, run_ms=10, now_ms=9)
    assert refusal.value.room_at_ms == 10

    assert schedule.has_room(10)
    assert schedule.arrive(C, run_ms=10, now_ms=10) == [Start(B, 10)]


def test_a_refusal_and_a_question_lose_no_start() -> None:
    """Each start is told once, by the first call that returns starts after it."""
    schedule = one_slot(queue_max=1)
    schedule.arrive(A, run_ms=None, now_ms=0)
    schedule.arrive(B, run_ms=2, now_ms=0)
    schedule.shorten(A, ends_at_ms=10, now_ms=0)

    assert schedule.has_room(11)
    assert schedule.arrive(C, run_ms=None, now_ms=11) == [Start(B, 10)]
    assert schedule.has_room(12)
    assert schedule.advance(12) == [Start(C, 12)]
    assert schedule.advance(12) == []


def test_a_refusal_says_nothing_where_nothing_will_make_room() -> None:
    """While all that run hang, only a cancel helps; a refusal changes nothing."""
    schedule = one_slot(queue_max=1)
    schedule.arrive(A, run_ms=None, now_ms=0)
    schedule.arrive(B, run_ms=5, now_ms=0)

    with pytest.raises(QueueFull) as refusal:
        schedule.arrive(C, run_ms=5, now_ms=1)
    assert refusal.value.room_at_ms is None
    assert counts(schedule) == (1, 1, None)
    assert schedule.leave(A, 2) == [Start(B, 2)]
    assert schedule.advance(100) == [], "C was not taken"


def test_a_queue_without_a_bound_takes_everybody() -> None:
    """QUEUE_MAX=0 is no bound."""
    schedule = running_a(None)
    for number in range(1000):
        schedule.arrive(JobId(f"job {number}"), run_ms=1, now_ms=0)

    assert schedule.has_room(0)
    assert schedule.waiting == 1000


@pytest.mark.parametrize(("ends_at_ms", "b_starts_at_ms"), [(5, 5), (9, 9), (10, 10), (11, 10)])
def test_a_shortened_run_ends_then_at_the_latest(ends_at_ms: int, b_starts_at_ms: int) -> None:
    """A cancel that is slow to take effect never makes a run longer."""
    schedule = running_a(10)
    schedule.arrive(B, run_ms=5, now_ms=0)
    schedule.shorten(A, ends_at_ms=ends_at_ms, now_ms=2)

    assert schedule.next_end_ms == b_starts_at_ms
    assert schedule.advance(100) == [Start(B, b_starts_at_ms)]


@pytest.mark.parametrize("ends", [(5, 7), (7, 5)])
def test_of_two_shortenings_the_earlier_end_holds(ends: tuple[int, int]) -> None:
    """In whichever order they came, for a job that runs and for one that waits."""
    schedule = running_a(None)
    schedule.arrive(B, run_ms=5, now_ms=0)
    for job in (A, B):
        for ends_at_ms in ends:
            schedule.shorten(job, ends_at_ms=ends_at_ms + (job == A), now_ms=1)

    assert schedule.advance(4) == []
    assert counts(schedule) == (1, 1, 5)
    assert schedule.advance(5) == []
    assert counts(schedule) == (1, 0, 6)
    assert schedule.advance(6) == []
    assert counts(schedule) == (0, 0, None)


@pytest.mark.parametrize(("ends_at_ms", "c_starts_at_ms"), [(10, 10), (11, 11), (12, 12), (13, 12)])
def test_a_job_shortened_in_the_queue_runs_until_then_if_it_starts(ends_at_ms: int, c_starts_at_ms: int) -> None:
    """B could run from 10 to 12; in the millisecond of its own leaving it still starts, and ends at once."""
    schedule = running_a(10)
    schedule.arrive(B, run_ms=2, now_ms=0)
    schedule.arrive(C, run_ms=5, now_ms=0)
    schedule.shorten(B, ends_at_ms=ends_at_ms, now_ms=1)

    assert schedule.advance(100) == [Start(B, 10), Start(C, c_starts_at_ms)]


def test_a_job_shortened_in_the_queue_leaves_it_then() -> None:
    """Until that very millisecond it holds its place against others."""
    schedule = one_slot(queue_max=1)
    schedule.arrive(A, run_ms=10, now_ms=0)
    schedule.arrive(B, run_ms=2, now_ms=0)
    schedule.shorten(B, ends_at_ms=9, now_ms=1)

    with pytest.raises(QueueFull) as refusal:
        schedule.arrive(C, run_ms=5, now_ms=8)
    assert refusal.value.room_at_ms == 9, "it is the queue that gets room first"
    assert schedule.arrive(C, run_ms=5, now_ms=9) == []
    assert schedule.advance(100) == [Start(C, 10)]


def test_time_never_goes_backwards() -> None:
    """The schedule may be looked at twice in a millisecond, not before the last one."""
    schedule = running_a(10)
    schedule.advance(7)
    schedule.advance(7)

    with pytest.raises(AssertionError, match="time went back from 7 to 6"):
        schedule.advance(6)
    with pytest.raises(AssertionError, match="what has passed"):
        schedule.shorten(A, ends_at_ms=6, now_ms=7)


def test_a_job_is_in_the_schedule_once() -> None:
    """An id that arrives twice is a mistake of ours, never of a user."""
    schedule = running_a(10)
    schedule.arrive(B, run_ms=1, now_ms=0)

    with pytest.raises(AssertionError, match="A runs already"):
        schedule.arrive(A, run_ms=1, now_ms=9)
    with pytest.raises(AssertionError, match="B waits already"):
        schedule.arrive(B, run_ms=1, now_ms=9)


# The same rules once more, as somebody with a stopwatch and a list of visitors would follow them.


class Step(NamedTuple):
    """Something done *pause_ms* after the step before it."""

    verb: str
    pause_ms: int
    span_ms: int | None = None  # how long the one who arrives will run, or how soon the one who is shortened ends
    ago: int = 0  # whom to shorten: the latest who came, the one before, ...


@dataclass
class Visitor:
    number: int
    run_ms: int | None
    until_ms: int | None = None
    began_ms: int | None = None
    gone: bool = False

    def end_ms(self) -> int | None:
        planned = [] if self.began_ms is None or self.run_ms is None else [self.began_ms + self.run_ms]
        return min(planned + ([] if self.until_ms is None else [self.until_ms]), default=None)


@dataclass
class Story:
    """All that can be seen of a schedule from outside."""

    starts: list[tuple[str, int]] = field(default_factory=list)
    refusals: list[tuple[int, int | None]] = field(default_factory=list)
    answers: list[bool] = field(default_factory=list)
    counts: list[tuple[int, int, int | None]] = field(default_factory=list)


def simulated(slots: int, queue_max: int, steps: list[Step]) -> Story:
    """Tell the story of *steps* millisecond by millisecond, reading the whole list of visitors each time."""
    story, now_ms, came = Story(), 0, 0
    visitors: list[Visitor] = []

    def here(*, inside: bool) -> list[Visitor]:
        return [visitor for visitor in visitors if not visitor.gone and (visitor.began_ms is not None) is inside]

    def next_end_ms() -> int | None:
        ends = [visitor.end_ms() for visitor in visitors if not visitor.gone]
        return min((end_ms for end_ms in ends if end_ms is not None), default=None)

    def settle() -> None:
        changed = True
        while changed:
            over = [visitor for visitor in here(inside=True) if visitor.end_ms() == now_ms]
            for visitor in over:
                visitor.gone = True
            called = here(inside=False)[: slots - len(here(inside=True))]
            for visitor in called:
                visitor.began_ms = now_ms
                story.starts.append((f"job {visitor.number}", now_ms))
            changed = bool(over or called)
        for visitor in here(inside=False):
            visitor.gone = visitor.end_ms() == now_ms

    for step in steps:
        for _ in range(step.pause_ms):
            now_ms += 1
            settle()
        full = queue_max > 0 and len(here(inside=False)) == queue_max
        if step.verb == "ask":
            story.answers.append(not full)
        if step.verb == "arrive":
            came += 1
            if full:
                story.refusals.append((came, next_end_ms()))
            else:
                visitors.append(Visitor(came, step.span_ms))
        for visitor in visitors:
            if step.verb == "shorten" and visitor.number == came - step.ago and not visitor.gone:
                end_ms = now_ms + (step.span_ms or 0)
                visitor.until_ms = min(end_ms, visitor.until_ms or end_ms)
        settle()
        story.counts.append((len(here(inside=True)), len(here(inside=False)), next_end_ms()))
    return story


def told_by_the_schedule(slots: int, queue_max: int, steps: list[Step]) -> Story:
    schedule, story, now_ms, came = Schedule(slots=slots, queue_max=queue_max), Story(), 0, 0
    for step in steps:
        now_ms += step.pause_ms
        match step.verb:
            case "arrive":
                came += 1
                try:
                    story.starts += schedule.arrive(JobId(f"job {came}"), run_ms=step.span_ms, now_ms=now_ms)
                except QueueFull as refusal:
                    story.refusals.append((came, refusal.room_at_ms))
            case "shorten":
                job = JobId(f"job {came - step.ago}")
                if step.span_ms:
                    story.starts += schedule.shorten(job, ends_at_ms=now_ms + step.span_ms, now_ms=now_ms)
                else:
                    story.starts += schedule.leave(job, now_ms)
            case "ask":
                story.answers.append(schedule.has_room(now_ms))
            case "look":
                story.starts += schedule.advance(now_ms)
        story.counts.append(counts(schedule))
    return story


SPANS = st.sampled_from([0, 0, 1, 2, 3, 4, 6, 9])
PAUSES = st.sampled_from([0, 0, 0, 1, 1, 2, 3, 5])
STEPS = st.lists(
    st.one_of(
        st.builds(Step, st.sampled_from(["look", "ask"]), PAUSES),
        st.builds(Step, st.just("arrive"), PAUSES, SPANS),
        st.builds(Step, st.just("arrive"), PAUSES, SPANS | st.none()),
        st.builds(Step, st.just("shorten"), PAUSES, SPANS, st.integers(0, 3)),
    ),
    min_size=12,  # shorter stories are told above; a dull step is a look
    max_size=40,
)


@settings(max_examples=300, deadline=None)
@given(slots=st.integers(1, 4), queue_max=st.integers(0, 4), steps=STEPS)
def test_the_schedule_tells_the_story_that_a_stopwatch_tells(slots: int, queue_max: int, steps: list[Step]) -> None:
    """Same starts in the same milliseconds, same refusals, and whenever anybody looks in between changes nothing."""
    steps = [*steps, Step("look", pause_ms=400)]

    assert told_by_the_schedule(slots, queue_max, steps) == simulated(slots, queue_max, steps)


@settings(max_examples=100, deadline=None)
@given(slots=st.integers(1, 4), queue_max=st.integers(0, 4), steps=STEPS, looks=st.lists(st.integers(0, 3)))
def test_looking_more_often_changes_no_start(slots: int, queue_max: int, steps: list[Step], looks: list[int]) -> None:
    """The schedule is advanced to now whenever anybody looks, and nobody has to."""
    seldom = [step for step in steps if step.verb in ("arrive", "shorten")] + [Step("look", pause_ms=400)]
    often = [part for step in seldom for part in watched(step, looks)]
    one, other = told_by_the_schedule(slots, queue_max, seldom), told_by_the_schedule(slots, queue_max, often)

    assert (one.starts, one.refusals) == (other.starts, other.refusals)


def watched(step: Step, looks: list[int]) -> list[Step]:
    """Return *step* with looks in its pause, and one after it."""
    pauses: list[int] = []
    for pause_ms in looks:
        pauses += [pause_ms] if sum(pauses) + pause_ms <= step.pause_ms else []
    left_ms = step.pause_ms - sum(pauses)
    return [*(Step("look", pause_ms) for pause_ms in pauses), step._replace(pause_ms=left_ms), Step("look", 0)]


class CountedId(str):
    """A job id that counts how often anything asks about it."""

    __slots__ = ()
    touched = 0

    def __hash__(self) -> int:
        CountedId.touched += 1
        return super().__hash__()

    def __eq__(self, other: object) -> bool:
        CountedId.touched += 1
        return super().__eq__(other)

    def __lt__(self, other: str) -> bool:
        CountedId.touched += 1
        return super().__lt__(other)


JOBS = 100_000
TOUCHES_MAX = 40  # for each call: a few look-ups, and twice the height of a heap of 100,000


def crowd(schedule: Schedule, size: int = JOBS) -> list[JobId]:
    jobs = [JobId(CountedId(f"job {number}")) for number in range(size)]
    for job in jobs:
        schedule.arrive(job, run_ms=1, now_ms=0)
    CountedId.touched = 0
    return jobs


@pytest.mark.parametrize("step", [1, -1, 7919], ids=["first to last", "last to first", "here and there"])
def test_leaving_a_long_queue_costs_no_search(step: int) -> None:
    """A waiting job that is cancelled leaves nothing behind, wherever in the queue it stood."""
    schedule = running_a(None)
    jobs = crowd(schedule)
    for number in range(JOBS - 1):
        schedule.leave(jobs[number * step % JOBS], now_ms=1)
        assert len(schedule._waiting) == JOBS - 1 - number
        assert len(schedule._ends) == 0

    assert CountedId.touched < TOUCHES_MAX * JOBS
    assert schedule.leave(A, now_ms=2) == [Start(jobs[(JOBS - 1) * step % JOBS], 2)]


def test_shortening_a_long_queue_again_and_again_leaves_bounded_garbage() -> None:
    """Ends that no longer stand are thrown away before they are more than the jobs."""
    schedule = running_a(None)
    jobs = crowd(schedule, size=10_000)
    for ends_at_ms in (50, 40, 30, 20):
        for job in jobs:
            schedule.shorten(job, ends_at_ms=ends_at_ms, now_ms=1)
            assert len(schedule._ends) <= 2 * (len(jobs) + 1) + HEAP_SLACK

    assert CountedId.touched < 4 * TOUCHES_MAX * len(jobs)
    assert schedule.next_end_ms == 20
    assert schedule.advance(20) == []
    assert counts(schedule) == (1, 0, None)
    assert len(schedule._ends) == 0


def test_cancelled_runs_leave_bounded_garbage() -> None:
    """A run that was cancelled long before its end does not stay in memory until then."""
    schedule = one_slot()
    for now_ms in range(10_000):
        schedule.arrive(JobId(f"job {now_ms}"), run_ms=86_400_000, now_ms=now_ms)
        schedule.arrive(JobId("next"), run_ms=86_400_000, now_ms=now_ms)
        assert schedule.leave(JobId(f"job {now_ms}"), now_ms) == [Start(JobId("next"), now_ms)]
        assert schedule.leave(JobId("next"), now_ms) == []
        assert len(schedule._ends) <= HEAP_SLACK


def test_a_look_at_a_long_queue_with_nothing_due_touches_nothing() -> None:
    """Only what is due is played."""
    schedule = running_a(10**6)
    crowd(schedule)
    for now_ms in range(1000):
        assert schedule.advance(now_ms) == []

    assert CountedId.touched == 0


def test_a_long_queue_is_played_without_a_search() -> None:
    """All of it in one look, each job in its own millisecond."""
    schedule = running_a(1)
    jobs = crowd(schedule)

    assert schedule.advance(JOBS + 1) == [Start(job, number) for number, job in enumerate(jobs, start=1)]
    assert CountedId.touched < TOUCHES_MAX * JOBS
