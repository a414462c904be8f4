"""attempts: which submits mean the same work, and what is known of every job."""

from __future__ import annotations

import random

import pytest

from dummyllm.core.timeline import State
from dummyllm.journal_line import Closing
from dummyllm.verdict.attempts import Same, run_of
from dummyllm.verdict.run import Run
from tests.verdict.told import EPOCH_MS, Told, job_id


def groups(run: Run) -> list[list[int]]:
    """Return the works of *run* as the numbers of their submits' lines."""
    return [[line.seq for line in work.submits] for work in run.works]


def test_by_payload_equal_payloads_are_one_work() -> None:
    """Every payload of this run is distinct, so an equal one is a retry, whatever its key or trace_id."""
    told = Told(same=Same.PAYLOAD)
    told.submit("a", job=1, key="k1", trace_id="t1")
    told.submit("b", job=2, key="k1", trace_id="t1")
    told.submit("a", job=3, key="k2", trace_id="t2")
    run = told.run()

    assert groups(run) == [[0, 2], [1]]
    assert [(work.name, work.tie, work.is_weak) for work in run.works] == [
        ("L1", "payload", False),
        ("L2", "one submit", False),
    ]


def test_by_trace_id_one_trace_id_is_one_work() -> None:
    """The payload may differ: then that is what payload-integrity is about."""
    told = Told(same=Same.TRACE_ID)
    told.submit("a", trace_id="t1")
    told.submit("a", trace_id="t2")
    told.submit("b", trace_id="t1")

    assert groups(told.run()) == [[0, 2], [1]]
    assert told.run().works[0].tie == "trace_id"


def test_null_trace_ids_are_not_shared() -> None:
    """Submits without one are not one work; if their payloads are equal they are, but weakly."""
    told = Told(same=Same.TRACE_ID)
    told.submit("a")
    told.submit("b")
    told.submit("a")
    run = told.run()

    assert groups(run) == [[0, 2], [1]]
    assert run.works[0].is_weak


def test_by_key_one_key_is_one_work() -> None:
    """And a submit without one is a work of its own."""
    told = Told(same=Same.KEY)
    told.submit("a", key="k")
    told.submit("a")
    told.submit("b", key="k")
    told.submit("a")

    assert groups(told.run()) == [[0, 2], [1], [3]]
    assert told.run().works[0].tie == "key"


@pytest.mark.parametrize(
    ("shared", "tie"), [({"key": "k"}, "key"), ({"trace_id": "t"}, "trace_id and payload")], ids=["key", "trace_id"]
)
def test_by_auto_a_key_or_a_trace_id_with_the_payload_holds_strongly(shared: dict[str, str], tie: str) -> None:
    """Submits that share a key, or both trace_id and fingerprint, are one."""
    told = Told(same=Same.AUTO)
    told.submit("a", **shared)
    told.submit("a", **shared)
    (work,) = told.run().works

    assert (work.tie, work.is_weak, work.ambiguous) == (tie, False, False)


def test_by_auto_a_trace_id_alone_holds_nothing_together() -> None:
    """One trace spans many jobs."""
    told = Told(same=Same.AUTO)
    told.submit("a", trace_id="t")
    told.submit("b", trace_id="t")

    assert groups(told.run()) == [[0], [1]]


def test_by_auto_the_payload_alone_holds_weakly() -> None:
    """A new key alone never makes new work; two customers may well ask the same thing."""
    told = Told(same=Same.AUTO)
    told.submit("a", key="k1")
    told.submit("a", key="k2")
    (work,) = told.run().works

    assert (work.tie, work.is_weak) == ("payload alone", True)


def test_one_weak_tie_makes_all_of_it_weak() -> None:
    """Two submits share a key, and a third only their payload."""
    told = Told(same=Same.AUTO)
    told.submit("a", key="k")
    told.submit("a", key="k")
    told.submit("a")

    assert [work.is_weak for work in told.run().works] == [True]


def test_ties_reach_over_others() -> None:
    """The first shares its key with the second, and that its trace_id with the third."""
    told = Told(same=Same.AUTO)
    told.submit("a", key="k")
    told.submit("a", key="k", trace_id="t")
    told.submit("a", trace_id="t")
    (work,) = told.run().works

    assert not work.is_weak


def test_a_weak_work_is_ambiguous_if_its_jobs_overlap() -> None:
    """Both sides of the edge: in the millisecond of the end the first has ended."""
    for gap_ms, ambiguous in ((249, True), (250, False)):
        told = Told(same=Same.AUTO)
        told.submit(job=1, ends_after_ms=250, outcome="fail")
        told.later(gap_ms).submit(job=2)

        assert told.run().works[0].ambiguous is ambiguous


def test_a_weak_work_is_ambiguous_if_it_goes_on_after_a_success() -> None:
    """Another customer, or the same work again: nobody can tell."""
    told = Told(same=Same.AUTO)
    told.submit(job=1, outcome="ok")
    told.later(300).submit(job=2)

    assert told.run().works[0].ambiguous


def test_a_strong_work_is_never_ambiguous() -> None:
    """However its jobs overlap."""
    told = Told(same=Same.PAYLOAD)
    told.submit(job=1)
    told.submit(job=2)

    assert not told.run().works[0].ambiguous


def test_a_submit_that_was_never_decoded_is_told_by_its_bytes() -> None:
    """It has no fingerprint; and one without a body shares nothing with anybody."""
    told = Told()
    for body in ("1-x", "1-x", None, None):
        told.submit(status=400, fingerprint=None, body=body)

    assert groups(told.run()) == [[0, 1], [2], [3]]


def test_the_order_of_the_lines_does_not_matter() -> None:
    """They are put in order by their numbers."""
    told = Told(same=Same.AUTO)
    for number in range(20):
        told.submit(f"{number % 3}", job=number, key=f"{number % 7}", ends_after_ms=40)
        told.later(50).read(number, "ok")
    shuffled = told.lines.copy()
    random.Random(1).shuffle(shuffled)
    one, other = told.run(), run_of(told.heading, shuffled)

    assert groups(one) == groups(other)
    assert one.stories == other.stories
    assert one.lines == other.lines


def test_a_job_whose_beginning_fell_out_is_left_out() -> None:
    """Nothing is said of it; the submit that was given it again is still an attempt."""
    told = Told()
    told.read(7, "ok")
    told.submit("a", job=7, is_replay=True)
    told.submit("a", job=8)
    run = told.run()

    assert list(run.stories) == [job_id(8)]
    assert groups(run) == [[1, 2]]
    assert [story.id for story in run.works[0].stories] == [job_id(8)]


def test_a_replay_is_an_attempt_of_the_same_job() -> None:
    """An Idempotency-Key that comes again makes no second job."""
    told = Told()
    told.submit(job=1, delivered="no", key="k")
    told.later(100).submit(job=1, is_replay=True, key="k", took_ms=3)
    run = told.run()
    (story,) = run.stories.values()

    assert len(story.submits) == 2
    assert (story.accepted_ms, story.acked_ms) == (0, 103)
    assert run.works[0].stories == (story,)


def test_the_first_acknowledgement_and_the_first_404_count() -> None:
    """By when they had left, not by when they were asked for."""
    told = Told()
    told.submit(job=1, key="k", took_ms=90)
    told.later(10).submit(job=1, key="k", is_replay=True, took_ms=5)
    told.later(10).submit(job=1, key="k", is_replay=True, took_ms=5)
    told.read(1, status=404, took_ms=50)
    told.later(10).read(1, status=404)
    story = told.run().stories[job_id(1)]

    assert (story.acked_ms, story.told_gone_ms) == (15, 30)


@pytest.mark.parametrize("delivered", ["no", "unknown"])
def test_only_a_delivered_acknowledgement_makes_a_job_known(delivered: str) -> None:
    """`yes` is the only premise."""
    told = Told()
    told.submit(job=1, delivered=delivered)
    run = told.run()

    assert run.acked == []
    assert run.stories[job_id(1)].acked_ms is None


def test_by_the_walls_clock_a_job_ends_as_planned() -> None:
    """The plan counts from the start, which is the acceptance unless jobs wait for a slot."""
    told = Told()
    told.later(100).submit(job=1, ends_after_ms=250, outcome="fail")
    story = told.run().stories[job_id(1)]

    assert (story.started_ms, story.ended_ms, story.ended_as) == (100, 350, State.FAIL)
    assert (story.is_over(349), story.is_over(350)) == (False, True)


def test_a_job_that_hangs_never_ends() -> None:
    """Its plan has no end."""
    told = Told()
    told.submit(job=1, ends_after_ms=None)
    story = told.run().stories[job_id(1)]

    assert (story.ended_ms, story.ended_as) == (None, None)


def test_a_job_that_waited_for_a_slot_ends_so_long_after_its_start() -> None:
    """And before it has started nobody knows when it will end."""
    told = Told()
    told.submit(job=1, ends_after_ms=250, waits=True)
    assert told.run().stories[job_id(1)].ended_ms is None

    told.later(400).started(1)
    story = told.run().stories[job_id(1)]

    assert (story.started_ms, story.ended_ms) == (400, 650)
    assert len(story.contacts) == 1, "a start is no request"


def test_a_start_counts_by_the_jobs_clock_however_late_it_was_noticed() -> None:
    """The queue is played when somebody looks."""
    told = Told()
    told.submit(job=1, ends_after_ms=250, waits=True)
    told.later(900).started(1, at_ms=EPOCH_MS + 400)

    assert told.run().stories[job_id(1)].ended_ms == 650


def test_by_a_scaled_clock_the_end_comes_sooner() -> None:
    """250 ms at twenty times the pace."""
    told = Told(clock="scale(20)", pace=20)
    told.later(100).submit(job=1, ends_after_ms=250)

    assert told.run().stories[job_id(1)].ended_ms == 112


def test_by_a_manual_clock_the_end_came_before_the_first_request_after_it() -> None:
    """Whoever moved the clock did so between two requests, of this job or of any other."""
    told = Told(clock="manual", pace=0)
    told.submit("a", job=1, ends_after_ms=250)
    told.later(7).submit("b", job=2, at_ms=EPOCH_MS + 249)
    assert told.run().stories[job_id(1)].ended_ms is None

    told.later(7).submit("c", job=3, at_ms=EPOCH_MS + 250)
    assert told.run().stories[job_id(1)].ended_ms == 14


def test_a_held_request_shows_a_manual_clock_as_it_was_when_it_was_answered() -> None:
    """It came before the clock was moved; and what the server noted by itself came at no time of the wall's."""
    told = Told(clock="manual", pace=0)
    told.submit("a", job=1, ends_after_ms=250)
    told.later(7).read(1, "ok", wait_s=60, took_ms=90, at_ms=EPOCH_MS + 250)
    told.now_ms = 0
    told.started(2, at_ms=EPOCH_MS + 250)

    assert told.run().stories[job_id(1)].ended_ms == 97


def test_by_the_clock_polls_a_job_has_a_time_of_its_own() -> None:
    """It is moved by its own reads; those of others say nothing."""
    told = Told(clock="polls", pace=0)
    told.submit("a", job=1, ends_after_ms=250)
    told.submit("b", job=2, ends_after_ms=250)
    for _ in range(2):
        told.later(5).read(2, at_ms=EPOCH_MS + 125)
    told.later(5).read(2, status=503, at_ms=EPOCH_MS + 250)
    told.later(5).read(1, at_ms=EPOCH_MS + 125)
    run = told.run()

    assert run.stories[job_id(2)].ended_ms == 15
    assert run.stories[job_id(1)].ended_ms is None


def test_a_cancel_that_took_effect_ends_a_job() -> None:
    """Whether or not its answer arrived."""
    told = Told()
    told.submit(job=1, ends_after_ms=None)
    told.later(40).cancel(1, "cancelled", delivered="no", took_ms=9)
    story = told.run().stories[job_id(1)]

    assert (story.ended_ms, story.ended_as) == (40, State.CANCELLED)
    assert story.told_end is None


@pytest.mark.parametrize(("state", "status"), [("running", 200), ("running", 503)])
def test_a_cancel_without_effect_ends_nothing(state: str, status: int) -> None:
    """It may have been ignored, or refused."""
    told = Told()
    told.submit(job=1, ends_after_ms=None)
    told.later(40).cancel(1, state, status=status, hidden=state)

    assert told.run().stories[job_id(1)].ended_ms is None


def test_an_answer_that_shows_the_end_puts_it_no_later_than_that() -> None:
    """What was truly shown is true, whatever the plan says: a slow cancel took effect."""
    told = Told()
    told.submit(job=1, ends_after_ms=5000)
    told.later(40).cancel(1, "running")
    told.later(60).read(1, "cancelled", took_ms=2)
    story = told.run().stories[job_id(1)]

    assert (story.ended_ms, story.ended_as) == (102, State.CANCELLED)


def test_a_stale_or_a_failed_answer_shows_no_end() -> None:
    """A word that stands in the state's place is no state, and a refusal has none."""
    told = Told()
    told.submit(job=1, ends_after_ms=None)
    told.read(1, "ok", shown="paused")
    told.read(1, status=503, hidden="ok")
    story = told.run().stories[job_id(1)]

    assert (story.ended_ms, story.told_end, story.may_have_been_told) == (None, None, False)


def test_the_client_was_told_of_the_end_by_the_first_answer_that_arrived() -> None:
    """By any path: a read, the answer to a cancel, a submit that waited."""
    told = Told()
    told.submit(job=1)
    told.later(300).read(1, "ok", delivered="unknown")
    story = told.run().stories[job_id(1)]
    assert (story.told_end, story.may_have_been_told) == (None, True)

    line = told.later(10).cancel(1, "ok")
    told.later(10).read(1, "ok")
    assert told.run().stories[job_id(1)].told_end == line


def test_a_submit_that_waited_tells_the_end_itself() -> None:
    """`Prefer: wait`."""
    told = Told()
    line = told.submit(job=1, wait_s=10, took_ms=250, state=State.OK)

    assert told.run().stories[job_id(1)].told_end == line


@pytest.mark.parametrize(
    ("status", "delivered", "gone_ms"), [(404, "yes", 11), (410, "yes", 11), (404, "unknown", None)]
)
def test_the_client_was_told_that_the_job_is_gone(status: int, delivered: str, gone_ms: int | None) -> None:
    """Only a delivered 404 or 410 says so."""
    told = Told()
    told.submit(job=1, ends_after_ms=None)
    told.later(10).read(1, status=status, delivered=delivered, took_ms=1)

    assert told.run().stories[job_id(1)].told_gone_ms == gone_ms


def test_faults_suspend_rules_for_the_job_that_they_befell() -> None:
    """Those of its fate, and those that befell a request about it; unless the server could not serve them."""
    told = Told()
    told.submit("a", job=1, faults=("run.vanish(after_ms=100)",))
    told.submit("b", job=2)
    told.read(2, fault="poll.slow(ms=100)")
    told.submit("c", job=3)
    told.read(3, fault="poll.reset", served=False)
    told.submit("d", job=4, faults=("from.the_future",))
    stories = told.run().stories

    assert stories[job_id(1)].is_suspended("no-concurrent-duplicate")
    assert stories[job_id(2)].is_suspended("cancel-on-give-up")
    assert not stories[job_id(2)].is_suspended("no-concurrent-duplicate")
    assert stories[job_id(3)].suspended == stories[job_id(4)].suspended == frozenset()


@pytest.mark.parametrize(("status", "is_suspended"), [(422, True), (429, False)])
def test_a_fault_that_refused_a_submit_suspends_rules_for_its_work(status: int, *, is_suspended: bool) -> None:
    """Whoever is told that a payload is wrong may repair it; a 429 says no such thing."""
    told = Told()
    told.submit(status=503)
    told.submit(status=status, fault=f"submit.status({status})")
    told.submit(job=1)
    (work,) = told.run().works

    assert work.is_suspended("payload-integrity") is is_suspended
    assert not work.stories[0].is_suspended("payload-integrity")


@pytest.mark.parametrize(
    "members",
    [{"job": 1, "fault": "submit.slow_ack(ms=100)"}, {"status": 400, "fault": "submit.status(400)", "served": False}],
)
def test_a_fault_that_refused_nothing_suspends_nothing_for_its_work(members: dict[str, object]) -> None:
    """One of an answer counts for its job, and one that could not be served for nobody."""
    told = Told()
    told.submit(**members)

    assert told.run().works[0].suspended == frozenset()


def test_a_run_ends_with_its_last_answer_or_later() -> None:
    """*now_ms* while it goes on, and the closing line when it is over."""
    told = Told(started_at_ms=EPOCH_MS)
    told.submit("b", status=503)
    told.later(10).submit(job=1, took_ms=5)
    closing = Closing(EPOCH_MS + 900, fates="f", traffic="t", reproducible="exact")

    assert told.run().end_ms == 15
    assert told.run(now_ms=400).end_ms == 400
    assert told.run(now_ms=3).end_ms == 15
    assert told.run(closing=closing).end_ms == 900


def test_lines_that_fell_out_are_counted() -> None:
    """By the number of the first that is there, by the closing line, or by whoever read the journal."""
    told = Told()
    told.submit(job=1)
    told.submit(job=2)
    lines = told.lines[1:]
    closing = Closing(0, fates="f", traffic="t", reproducible="exact", dropped=3)

    assert told.run().dropped == 0
    assert run_of(told.heading, lines).dropped == 1
    assert run_of(told.heading, lines, closing=closing).dropped == 3
    assert run_of(told.heading, lines, dropped=5).dropped == 5


def test_nothing_makes_an_empty_run() -> None:
    """No lines, no works, no stories."""
    run = Told().run()

    assert (run.works, run.stories, run.end_ms, run.dropped) == ([], {}, 0, 0)
