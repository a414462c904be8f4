"""The verdict as text: what somebody reads in a red log at two in the morning."""

from __future__ import annotations

import re

import pytest

from dummyllm.journal_line import Closing
from dummyllm.verdict.finding import Evidence, Finding, Invariant, Kind
from dummyllm.verdict.invariants.registry import INVARIANTS
from dummyllm.verdict.judge import Verdict, judge
from dummyllm.verdict.report.rule import DRAWN_MAX, SAID_MAX, TOLD_MAX
from dummyllm.verdict.report.text import WIDTH, text
from dummyllm.verdict.run import Run
from dummyllm.verdict.same import Same
from tests.verdict.report.stories import CLOSING, NASTY, REPLAY, duplicate, judged, nasty, told_with, well
from tests.verdict.told import Told

COLOUR = re.compile("\x1b\\[\\d+m")


def said(told: Told, *required: str) -> str:
    return text(*judged(told, *required))


def test_a_broken_rule_is_told_with_its_story_and_what_to_do() -> None:
    """The finding in one sentence, the requests of its work in order, what proves it, and what to do about it."""
    assert """\
FAIL no-concurrent-duplicate

    job_000000000000000000000002 was submitted by the runner while job_000000000000000000000001,
    acknowledged 60 ms before, was still under way: the same work runs twice

        L1: 2 submits, 2 jobs, one work by payload; timeout_ms 8000; begins 1000 ms into the run
          ms  request  job                           answer       delivered
           0  submit   job_000000000000000000000001  201 queued   yes        ◄ 0  key k1
          50  poll     job_000000000000000000000001  200 running  yes
          60  submit   job_000000000000000000000002  201 queued   yes        ◄ 2  key k2
         900  ·        job_000000000000000000000001  ends: ok
         960  ·        job_000000000000000000000002  ends: ok
        1000  poll     job_000000000000000000000002  200 ok       yes
        6300  ·                                      the run is over

    to do  Renew the lease while the job runs, cancel before you submit again, and let one owner
           decide.

""" in said(duplicate())


def test_the_first_line_is_the_verdict_and_so_is_the_last() -> None:
    """A log is opened at its end."""
    lines = said(duplicate()).splitlines()

    assert lines[0] == "dummyLLM verdict: fail (2 failed, 2 passed, 17 not exercised)"
    assert lines[-3:] == [
        f"replay         {REPLAY}",
        "verdict        fail: no-concurrent-duplicate failed, 1 finding; terminal-state-read failed, 1",
        "               finding",
    ]


def test_a_run_in_which_all_went_well_is_short() -> None:
    """What was put to the test, and how often; what was not; and what replays the run."""
    assert (
        said(well())
        == f"""\
dummyLLM verdict: pass (3 passed, 18 not exercised)

passed         no-redundant-execution (1), quiet-after-terminal (1), terminal-state-read (1)
not exercised  payload-integrity, no-concurrent-duplicate, attempt-budget, permanent-errors-final,
               retry-after-honoured, backoff, jitter, deadline-honoured, cancel-on-give-up,
               cancel-follow-through, poll-cadence, stale-state-ignored, poll-faults-tolerated,
               unknown-state-tolerated, concurrency-limit, isolation, trace-stable, key-stable
oracle         a correct runner reports 1 ok
run            seed 7, fates 485449f279c454b2, traffic 0123456789abcdef, reproducible exact,
               identity payload
replay         {REPLAY}
verdict        pass: no rule was broken"""
    )


def test_a_rule_that_was_required_and_not_exercised_says_what_would_do_it() -> None:
    """Its premise, and the faults that can bring it about."""
    told = said(well(), "isolation")

    assert (
        """\
FAIL isolation

    it was required, and nothing put the runner to the test
    Premise: A job hung for 5 s while somebody stayed with it, and 3 others ended meanwhile.
    DUMMYLLM_FAULTS can bring that about: run.stuck_queued.

"""
        in told
    )
    assert told.startswith("dummyLLM verdict: fail (1 required but not exercised, 3 passed, 17 not exercised)\n")


def test_what_is_pending_is_said_without_a_story() -> None:
    """The run goes on, and the runner may still do what it owes."""
    told = told_with()
    told.submit(job=1, ends_after_ms=None)
    shown = text(*judged(told, is_final=False))

    assert shown.startswith("dummyLLM verdict: pass, so far (1 pending, ")
    assert "PENDING cancel-on-give-up\n\n    job_000000000000000000000001" in shown
    assert "◄" not in shown
    assert "to do" not in shown


def test_a_warning_has_its_story_too() -> None:
    """It may be the reason for what went wrong elsewhere."""
    told = told_with(same=Same.AUTO)
    told.submit(job=1, delivered="no", fault="submit.lost_ack")
    told.later(9).submit(job=2)
    told.later(300).read(2, "ok")
    shown = said(told)

    assert "WARN key-stable\n" in shown
    assert "201 queued  no         ◄ 0  submit.lost_ack\n" in shown
    assert "    to do  Make the key where the work comes in" in shown


def test_what_is_missing_is_noted() -> None:
    """Of a server that was killed, and of work that may as well be several pieces of work."""
    told = told_with(same=Same.AUTO)
    told.submit("a", job=1, ends_after_ms=None)
    told.submit("a", job=2, ends_after_ms=None)
    shown = text(*judged(told, closing=None))

    assert (
        "\nnote           L1: equal payloads that may be one piece of work or several, so they convict nobody;" in shown
    )
    assert "\nnote           the journal ends with entry 1 and has no closing line: the server did not" in shown
    assert "\nrun            seed 7, fates not known, traffic not known, reproducible not known," in shown


def rule_that_finds(*findings: Finding) -> dict[str, Invariant]:
    return {
        "a-rule": Invariant(
            id="a-rule", kind=Kind.PROVEN, fails_when="", means="", breaks="", remedy="", premise="",
            judge=lambda _: Evidence(premises=1, breaches=[*findings]),
        )
    }  # fmt: skip


def breaches(count: int, *, works: bool) -> tuple[Verdict, Run]:
    """Return the verdict of a run with *count* breaches of one rule, each by a work of its own or all by one."""
    told = told_with()
    for number in range(count):
        told.submit(f"payload-{number}" if works else "a", job=number)
    run = told.run(closing=CLOSING)
    findings = [Finding(f"breach {n}.", (n,), logical_job=f"L{n + 1 if works else 1}") for n in range(count)]
    return judge(run, invariants=rule_that_finds(*findings)), run


def test_of_many_findings_the_first_are_drawn_and_some_more_are_told() -> None:
    """A log is no place for a thousand stories; the verdict as JSON has them all."""
    shown = text(*breaches(30, works=True))

    assert shown.count("begins 0 ms into the run") == DRAWN_MAX
    assert re.findall(r"breach (\d+)\.", shown) == [str(number) for number in range(TOLD_MAX)]
    assert "    … and 20 more; the verdict as JSON has them all\n" in shown


@pytest.mark.parametrize(("count", "told", "more"), [(SAID_MAX, SAID_MAX, 0), (SAID_MAX + 1, SAID_MAX, 1)])
def test_findings_about_one_work_share_its_story(count: int, told: int, more: int) -> None:
    """One timeline with the proofs of all of them."""
    shown = text(*breaches(count, works=False))

    assert shown.count("into the run") == 1
    assert len(re.findall(r"breach \d+\.", shown)) == told
    assert (f"… and {more} times more with the same work" in shown) == bool(more)
    assert all(f"◄ {number}\n" in shown for number in range(count))


def test_a_rule_that_this_version_does_not_know_is_told_as_well() -> None:
    """A server may be newer than the command line that asks it."""
    assert "a-rule" not in INVARIANTS
    assert "to do" not in text(*breaches(1, works=True))


def test_colours_are_only_there_if_they_are_asked_for() -> None:
    """And they change nothing else."""
    verdict, run = judged(duplicate(), "isolation")
    plain, colourful = text(verdict, run), text(verdict, run, is_colourful=True)

    assert not COLOUR.search(plain)
    assert COLOUR.sub("", colourful) == plain
    assert "\x1b[31m           0  submit" in colourful.replace("        \x1b[31m", "\x1b[31m        ")
    assert colourful.splitlines()[0].startswith("\x1b[1m\x1b[31mdummyLLM verdict: fail\x1b[0m (")


@pytest.mark.parametrize("told", [duplicate(), nasty(), well()], ids=["duplicate", "nasty", "well"])
def test_no_line_is_wider_than_a_log_is(told: Told) -> None:
    """100 columns; only what replays the run stays in one line, to be copied."""
    lines = [line for line in said(told).splitlines() if not line.startswith("replay")]

    assert max(map(len, lines)) <= WIDTH


def test_what_a_client_sent_moves_no_cursor() -> None:
    """Neither in a sentence, nor in a story, nor in the line that replays the run."""
    shown = said(nasty())

    assert all(line.isprintable() for line in shown.split("\n"))
    assert "\\x1b[2J" in shown
    assert NASTY not in shown


def test_a_journal_without_a_heading_of_its_own_has_no_line_that_replays_it() -> None:
    """Nothing is made up."""
    assert "replay" not in text(*judged(told_with(replay="")))


def test_what_replays_the_run_stays_in_one_line() -> None:
    """However long: it is there to be copied."""
    replay = f"DUMMYLLM_FAULTS='{'submit.lost_ack=5, ' * 20}' dummyllm serve"

    assert f"\nreplay         {replay}\n" in text(*judged(told_with(replay=replay)))


def test_the_sums_are_those_of_the_closing_line() -> None:
    """All by which a run can be compared with another one."""
    told = well()
    shown = text(*judged(told, closing=Closing(0, "a" * 16, "b" * 16, "weak: dropped")))

    assert f"run            seed 7, fates {'a' * 16}, traffic {'b' * 16}, reproducible weak:" in shown
