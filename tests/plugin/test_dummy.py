"""What a test may ask of its server: its jobs, its journal, its clock, and whether the runner is a good one."""

from __future__ import annotations

import re

import pytest

from dummyllm.clock import MANUAL_START_MS
from dummyllm.journal import What
from dummyllm.journal_file import read_journal
from dummyllm.testing import serve
from dummyllm.verdict.finding import Result
from dummyllm.verdict.judge import UnknownRule
from tests.plugin.runner import HELLO, get, post, read, run, run_twice_at_once, soon, submit


def test_jobs_are_told_as_they_are_now() -> None:
    """Id, state, mode, ordinal and what was sent, in the order in which they came."""
    with serve(script="fail,ok", latency_ms=100, clock="manual") as dummy:
        first = submit(dummy.base_url)
        dummy.clock.advance(99)
        assert [job.state for job in dummy.jobs] == ["running"]
        dummy.clock.advance(1)
        second = submit(dummy.base_url)

        told = [(job.id, job.state, job.mode, job.ordinal) for job in dummy.jobs]
        assert told == [(first, "fail", "fail", 0), (second, "running", "ok", 1)]


def test_a_job_tells_what_was_sent() -> None:
    """With the defaults filled in."""
    with serve() as dummy:
        submit(dummy.base_url, {**HELLO, "trace_id": "t-1"})

        assert dummy.jobs[0].request == {**HELLO, "timeout_ms": 8000, "trace_id": "t-1"}


def test_a_job_that_waits_for_a_slot_has_started_when_there_is_one() -> None:
    """Nobody needs to ask over HTTP first."""
    with serve(slots=1, clock="manual", latency_ms=250) as dummy:
        submit(dummy.base_url, {"op": "a"})
        submit(dummy.base_url, {"op": "b"})
        assert [job.state for job in dummy.jobs] == ["running", "queued"]

        dummy.clock.advance(250)
        assert [job.state for job in dummy.jobs] == ["ok", "running"]


def test_time_plays_the_queue_when_nobody_asks_but_the_test() -> None:
    """A slot becomes free without a request, and the job that waited for it is told as it is."""
    with serve(slots=1, clock="scale(1000)", latency_ms=200_000) as dummy:
        submit(dummy.base_url, {"op": "a"})
        submit(dummy.base_url, {"op": "b"})

        assert soon(lambda: [job.state for job in dummy.jobs] == ["ok", "ok"])


def test_the_journal_is_told_line_by_line() -> None:
    """What the server saw and did, oldest first: the same lines as those of `/__admin/journal`."""
    with serve(latency_ms=0) as dummy:
        run(dummy.base_url)
        entries = get(f"{dummy.base_url}/__admin/journal").json()["entries"]

        assert [line.what for line in dummy.journal] == [What.SUBMIT, What.POLL]
        assert [(line.seq, line.job) for line in dummy.journal] == [(entry["seq"], entry["job"]) for entry in entries]


def test_what_an_answer_came_to_is_known_to_whoever_has_it() -> None:
    """*delivered* is settled before the test can ask."""
    with serve() as dummy:
        for _ in range(20):
            submit(dummy.base_url)
            assert dummy.journal[-1].delivered == "yes"


def test_a_manual_clock_stands_until_it_is_moved() -> None:
    """`clock="manual"`, and `advance` moves it."""
    with serve(clock="manual") as dummy:
        assert dummy.clock.now_ms == MANUAL_START_MS
        dummy.clock.advance(250)
        assert dummy.clock.now_ms == MANUAL_START_MS + 250
        dummy.clock.advance(0)
        assert dummy.clock.now_ms == MANUAL_START_MS + 250


def test_time_does_not_run_backwards() -> None:
    """And a mistake moves nothing."""
    with serve(clock="manual") as dummy:
        with pytest.raises(ValueError, match=r"backwards: advance\(-1\)"):
            dummy.clock.advance(-1)
        assert dummy.clock.now_ms == MANUAL_START_MS


@pytest.mark.parametrize("clock", ["wall", "scale(20)", "polls"])
def test_another_clock_is_not_moved_by_hand(clock: str) -> None:
    """The error says which clock it is, and how to have another."""
    name = clock.partition("(")[0]
    with serve(clock=clock) as dummy, pytest.raises(RuntimeError, match=rf'is {name}, .*; start with clock="manual"'):
        dummy.clock.advance(1)


def test_a_runner_that_does_well_is_good() -> None:
    """Nothing is raised, and the verdict is pass."""
    with serve(latency_ms=0) as dummy:
        assert run(dummy.base_url) == "ok"

        dummy.assert_good_runner()
        assert dummy.verdict().verdict is Result.PASS


def test_a_runner_that_breaks_a_rule_is_not() -> None:
    """AssertionError, and its message says what was done wrong and what replays the run."""
    with serve(mode="hang", seed=7) as dummy:
        run_twice_at_once(dummy.base_url)

        with pytest.raises(AssertionError) as caught:
            dummy.assert_good_runner()

    message = str(caught.value)
    first, second = dummy.jobs
    assert f"{second.id} was submitted by the runner while {first.id}, acknowledged " in " ".join(message.split())
    replay, verdict = message.splitlines()[-2:]
    assert re.fullmatch("replay +DUMMYLLM_MODE=hang DUMMYLLM_SEED=7 .* dummyllm serve", replay)
    assert re.match("verdict +fail: no-concurrent-duplicate failed", verdict)


def test_what_is_required_must_have_been_put_to_the_test() -> None:
    """A rule that nothing exercised is no proof of a good runner."""
    with serve(latency_ms=0) as dummy:
        run(dummy.base_url)

        dummy.assert_good_runner(require=["terminal-state-read"])
        with pytest.raises(AssertionError, match="retry-after-honoured was required"):
            dummy.assert_good_runner(require=["terminal-state-read", "retry-after-honoured"])
        with pytest.raises(AssertionError, match="retry-after-honoured was required"):
            dummy.assert_good_runner(require="retry-after-honoured")


def test_a_rule_that_is_none_is_refused() -> None:
    """With the nearest that is one."""
    with serve() as dummy, pytest.raises(UnknownRule, match=r"'backof' is no rule .*'backoff'"):
        dummy.assert_good_runner(require=["backof"])


def test_an_obligation_that_is_open_is_pending_until_the_run_is_over() -> None:
    """A job that nobody heard of again is no fault as long as somebody may still ask."""
    with serve(mode="hang") as dummy:
        submit(dummy.base_url)

        assert dummy.verdict(final=False).verdict is Result.PASS
        assert dummy.verdict().verdict is Result.FAIL
        with pytest.raises(AssertionError, match="cancel-on-give-up"):
            dummy.assert_good_runner()


@pytest.mark.parametrize(("identity", "expected"), [("payload", Result.FAIL), ("key", Result.PASS)])
def test_equal_payloads_are_one_piece_of_work(identity: str, expected: Result) -> None:
    """A test owns its payloads; another `verdict_identity` is a setting."""
    with serve(mode="hang", verdict_identity=identity) as dummy:
        run_twice_at_once(dummy.base_url)
        twice_ms = dummy.clock.now_ms
        assert soon(lambda: dummy.clock.now_ms > twice_ms + 1), "a cancel in the same millisecond may have come first"
        for job in dummy.jobs:
            post(f"{dummy.base_url}/v1/jobs/{job.id}/cancel")

        assert dummy.verdict().verdict is expected


def test_a_server_that_has_ended_can_still_be_asked() -> None:
    """Its journal, its jobs, and the verdict, as they were when its block ended."""
    with serve(mode="hang") as dummy:
        run_twice_at_once(dummy.base_url)

    assert len(dummy.jobs) == len(dummy.journal) == 2
    ended = dummy.verdict()
    assert ended.verdict is Result.FAIL
    assert dummy.verdict() == ended
    with pytest.raises(AssertionError, match="no-concurrent-duplicate"):
        dummy.assert_good_runner()


def test_what_happens_after_the_end_is_no_fault_of_the_runners() -> None:
    """A job that would have ended later ends for nobody: for the verdict the time stands still."""
    with serve(latency_ms=60_000, clock="scale(1000)", verdict_terminal_after_ms=0, verdict_slack_ms=0) as dummy:
        job_id = submit(dummy.base_url)
        read(dummy.base_url, job_id)
    ended_ms = dummy.case().run(is_final=True).end_ms
    assert soon(lambda: dummy.jobs[0].state == "ok")

    assert dummy.case().run(is_final=True).end_ms == ended_ms
    rules = {rule.id: rule for rule in dummy.verdict().invariants}
    assert rules["terminal-state-read"].findings == ()


def test_a_reset_begins_anew() -> None:
    """What follows is the same as after a start."""
    with serve(script="fail,ok", latency_ms=0) as dummy:
        first = run(dummy.base_url), dummy.jobs[0].id
        run_twice_at_once(dummy.base_url)
        dummy.reset()

        assert dummy.jobs == []
        assert [line.what for line in dummy.journal] == [What.RESET]
        assert (run(dummy.base_url), dummy.jobs[0].id) == first
        dummy.assert_good_runner()


def test_admin_is_on() -> None:
    """A runner in another language resets its server, or moves its clock, over HTTP."""
    with serve(clock="manual") as dummy:
        moved = post(f"{dummy.base_url}/__admin/clock", json={"advance_ms": 5})

        assert moved.json() == {"now_ms": dummy.clock.now_ms}


def test_the_case_can_be_kept_as_a_file() -> None:
    """It can be kept, and judged again elsewhere."""
    with serve(mode="hang", seed=7) as dummy:
        submit(dummy.base_url)
        kept = read_journal(dummy.case().as_file().splitlines(keepends=True))

        assert kept.heading.seed == "7"
        assert list(kept.lines) == dummy.journal
        assert kept.closing is not None
        started_ms = kept.closing.closed_at_ms - kept.heading.started_at_ms
        assert started_ms >= kept.lines[-1].arrived_ms
