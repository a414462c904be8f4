"""The run whose verdict is measured is one that a good runner could have made."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.judging import LINES_PER_JOB, cost_of, write_run
from benchmarks.process import Unmeasurable
from dummyllm.journal_file import read_journal
from dummyllm.verdict.attempts import run_of
from dummyllm.verdict.finding import Result
from dummyllm.verdict.judge import judge

JOBS = 10


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """The file of a small one."""
    write_run(tmp_path / "run.jsonl", JOBS)
    return tmp_path / "run.jsonl"


def test_a_job_has_five_entries_and_the_run_breaks_no_rule(journal: Path) -> None:
    """Four in five jobs end and are read, and one hangs and is cancelled."""
    with journal.open("rb") as lines:
        read = read_journal(lines)
    run = run_of(read.heading, read.lines, closing=read.closing)
    found = judge(run)

    assert [line.seq for line in read.lines] == list(range(JOBS * LINES_PER_JOB))
    assert (found.verdict, found.notes) == (Result.PASS, ())
    assert [one.outcome for one in found.oracle] == ["cancelled", "ok", "ok", "ok", "ok"] * 2
    exercised = {one.id for one in found.invariants if one.premises}
    assert {"cancel-on-give-up", "quiet-after-terminal", "no-redundant-execution", "terminal-state-read"} <= exercised


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere memory is told in other units")
def test_what_a_verdict_takes_is_measured(journal: Path) -> None:
    """Seconds, and gigabytes: a Python process has at least ten million bytes, and this one far below one billion."""
    seconds, gigabytes = cost_of(journal)

    assert seconds > 0.01
    assert 0.01 < gigabytes < 1


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere memory is told in other units")
def test_a_run_that_is_no_good_one_is_no_measure(journal: Path) -> None:
    """A file that is none, for instance: no figure is made of a command that failed."""
    journal.write_text("no journal\n")

    with pytest.raises(Unmeasurable, match="ended with status 2"):
        cost_of(journal)
