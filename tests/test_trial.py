"""The runner of a running server on trial: what is known at one instant goes in, and the verdict comes out."""

from __future__ import annotations

from pathlib import Path
from time import monotonic

import pytest

from dummyllm.clock import MANUAL_START_MS
from dummyllm.journal import Delivered
from dummyllm.journal_file import read_journal
from dummyllm.journal_line import Heading
from dummyllm.trial import Case, closing_of, heading_of
from dummyllm.verdict.attempts import run_of
from dummyllm.verdict.finding import Result
from dummyllm.verdict.judge import UnknownRule, judge
from dummyllm.verdict.same import Same
from dummyllm.web.app import App
from tests.web.desk import app_with, polled, post, submitted


def heading(app: App) -> Heading:
    return heading_of(app.settings, app.backend)


def case(app: App) -> Case:
    return Case(app.backend, app.settings)


def elapse(app: App, by_ms: int) -> None:
    """Let the server have started *by_ms* earlier than it did."""
    app.backend.journal.zero_s -= by_ms / 1000


def arrive(app: App) -> None:
    """Let every answer have arrived: in this process there is no connection that could show it."""
    for entry in app.backend.journal.since():
        entry.delivered = Delivered.YES


def test_a_heading_says_what_run_it_is() -> None:
    """The seed, what counts as the same work, the clock, and the line that starts the same server again."""
    said = heading(app_with(SEED="7", IDENTITY="trace_id", CLOCK="scale(20)", API_KEY="geheim"))

    assert (said.journal, said.seed, said.identity, said.clock, said.pace) == (1, "7", "trace_id", "scale", 20)
    assert said.replay == (
        "DUMMYLLM_CLOCK='scale(20)' DUMMYLLM_SEED=7 DUMMYLLM_IDENTITY=trace_id DUMMYLLM_ADMIN=1 "
        'DUMMYLLM_API_KEY="${DUMMYLLM_API_KEY:?}" dummyllm serve'
    )


@pytest.mark.parametrize(("clock", "pace"), [("wall", 1), ("scale(20)", 20)])
def test_a_heading_tells_when_the_server_started_whenever_it_is_asked_for(clock: str, pace: int) -> None:
    """On the jobs' clock, so that the end of a run can be counted from there; a reset does not change it."""
    app = app_with(CLOCK=clock)
    started_at_ms = heading(app).started_at_ms
    elapse(app, 5_000)
    app.backend.reset()

    assert heading(app).started_at_ms == pytest.approx(started_at_ms - 5_000 * pace, abs=200 * pace)


def test_a_clock_that_stands_still_started_where_it_stands() -> None:
    """2000-01-01T00:00:00Z, however long ago that was."""
    app = app_with(CLOCK="manual")
    elapse(app, 5_000)

    assert heading(app).started_at_ms == MANUAL_START_MS


def test_a_closing_line_has_the_sums_as_of_now() -> None:
    """Both digests, whether the run can be had again, and how many entries fell out of the ring."""
    app = app_with(JOURNAL_MAX="2")
    before = closing_of(app.backend)
    for _ in range(5):
        submitted(app)
    after = closing_of(app.backend)

    assert (before.fates, before.dropped) == ("0" * 16, 0)
    assert (after.fates, after.dropped) == (app.backend.fates_digest, 3)
    assert (after.traffic, after.reproducible) == ("0" * 16, "exact")


def test_a_case_is_what_was_known_at_one_instant() -> None:
    """It is judged elsewhere while the server goes on; what comes later is not in it."""
    app = app_with(CLOCK="wall", LATENCY_MS="0")
    job = submitted(app)
    early = case(app)
    polled(app, job)

    assert [len(one.run(is_final=True).lines) for one in (early, case(app))] == [1, 2]


@pytest.mark.parametrize(("is_final", "result"), [(True, Result.FAIL), (False, Result.PENDING)])
def test_an_open_obligation_is_pending_until_the_run_is_final(*, is_final: bool, result: Result) -> None:
    """A job that was left running is only left when the run is over."""
    app = app_with(MODE="hang", CLOCK="wall")
    submitted(app)
    arrive(app)
    verdict = case(app).verdict(is_final=is_final)

    assert {one.result for one in verdict.invariants if one.id == "cancel-on-give-up"} == {result}
    assert verdict.is_final is is_final


def test_a_run_goes_on_until_now() -> None:
    """Whether somebody was idle for too long is counted up to the instant of the case."""
    app = app_with(CLOCK="wall")
    submitted(app)
    elapse(app, 60_000)
    run = case(app).run(is_final=False)

    assert run.end_ms == pytest.approx((monotonic() - app.backend.journal.zero_s) * 1000, abs=200)


def test_a_case_is_judged_by_the_settings_of_its_server(tmp_path: Path) -> None:
    """`DUMMYLLM_VERDICT_IDENTITY`, `DUMMYLLM_VERDICT_EXPECT`, and the limits."""
    (tmp_path / "jobs.jsonl").write_text('{"op":"report.render"}\n\n{"op":"other"}\n')
    app = app_with(
        VERDICT_IDENTITY="payload", VERDICT_EXPECT=str(tmp_path / "jobs.jsonl"), VERDICT_ATTEMPTS_MAX="2", MODE="fail"
    )
    run = case(app).run(is_final=True)

    assert (run.same, run.limits.attempts_max) == (Same.PAYLOAD, 2)
    assert [(one.line, one.op) for one in run.expected or ()] == [(1, "report.render"), (3, "other")]
    assert case(app).verdict(is_final=True).identity == "payload"


def test_what_is_required_must_be_a_rule() -> None:
    """The message has the nearest one."""
    with pytest.raises(UnknownRule, match="did you mean 'backoff'"):
        case(app_with()).verdict(is_final=True, required=["bakoff"])


@pytest.mark.parametrize("clock", ["wall", "scale(20)"])
def test_a_case_as_a_file_is_judged_as_the_server_judges_it(clock: str) -> None:
    """`GET /__admin/journal.jsonl` is what DUMMYLLM_JOURNAL keeps: the same lines, the same end, the same verdict."""
    app = app_with(CLOCK=clock, MODE="hang", LATENCY_MS="0", JOURNAL_MAX="4")
    for number in range(3):
        polled(app, submitted(app, f"op-{number}"))
    arrive(app)
    elapse(app, 60_000)
    known = case(app)
    read = read_journal(known.as_file().splitlines(keepends=True))
    run, again = known.run(is_final=True), run_of(read.heading, read.lines, closing=read.closing)

    assert (again.lines, again.dropped) == (run.lines, 2)
    assert again.end_ms == pytest.approx(run.end_ms, abs=2)
    assert judge(again).reasons == judge(run).reasons
    assert judge(again).digests == judge(run).digests
    assert judge(run).verdict is Result.FAIL


def test_a_case_of_a_reset_server_begins_anew() -> None:
    """What was forgotten is judged no more."""
    app = app_with(MODE="hang", CLOCK="wall")
    submitted(app)
    arrive(app)
    assert case(app).verdict(is_final=True).verdict is Result.FAIL

    post(app, "/__admin/reset")
    assert case(app).verdict(is_final=True).verdict is Result.PASS
