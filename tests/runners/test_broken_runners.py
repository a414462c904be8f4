"""Each broken runner is convicted, by the rule that it broke, and with evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from dummyllm.verdict.finding import Kind, Result
from dummyllm.verdict.invariants.registry import INVARIANTS
from dummyllm.verdict.judge import Found, judge
from dummyllm.verdict.run import Run
from examples.runners.good_runner import GoodRunner
from tests.runners import broken, hurried
from tests.runners.quick import QUICK, runner_of
from tests.runners.trial import payloads, put_on_trial

JOBS_MAX = 30
SEED = 1337

ABOUT_MANY = ("jitter", "isolation", "concurrency-limit")  # what they prove takes entries of several jobs
NEVER_CAME = "never came"  # a finding about what is not in the journal, so that no entry can prove it

RUNS_ON = "the first job was known to be under way"
WAS_READ = "the success of the first job had been delivered"


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """A *runner*, the *rule* that convicts it, and the settings that put it to the test.

    *follows* lists what else is found, and why that follows from the same mistake.
    """

    runner: type[GoodRunner]
    rule: str
    settings: Mapping[str, str] = field(default_factory=dict)
    result: Result = Result.FAIL
    follows: Mapping[str, str] = field(default_factory=dict)
    jobs: int = 6
    timeout_ms: int = 8_000
    patience: Mapping[str, Any] = field(default_factory=dict)
    rules: str = ""


def script(steps: str, latency_ms: int = 20) -> dict[str, str]:
    """Return the settings that make everybody's work go through *steps*."""
    return {"SCRIPT": steps, "LATENCY_MS": str(latency_ms)}


MISTAKES = (
    Mistake(
        runner=broken.SendsNoKey,
        rule="key-stable",
        settings=script("ok+submit.lost_ack, ok"),
        result=Result.WARN,
    ),
    Mistake(
        runner=broken.MakesAKeyForEachRequest,
        rule="key-stable",
        settings=script("ok+submit.lost_ack, ok"),
    ),
    Mistake(
        runner=broken.CountsItsAttemptsInThePayload,
        rule="payload-integrity",
        settings={**script("submit.status(503), ok"), "IDENTITY": "trace_id"},
    ),
    Mistake(runner=broken.NormalisesText, rule="payload-integrity", settings=script("ok")),
    Mistake(
        runner=broken.SendsATestFlag,
        rule="payload-integrity",
        settings=script("ok"),
    ),
    Mistake(runner=broken.MakesATraceForEachAttempt, rule="trace-stable", settings=script("fail, ok")),
    Mistake(
        runner=broken.IgnoresHints,
        rule="retry-after-honoured",
        settings=script("submit.status(429,retry_after=2), ok"),
        patience={"backoff_s": 0.8},
        jobs=12,
    ),
    Mistake(
        runner=broken.IgnoresHints,
        rule="retry-after-honoured",
        settings=script("slow+poll.status(429,retry_after=2), ok", latency_ms=200),
    ),
    Mistake(
        runner=broken.TriesAgainAtOnce,
        rule="backoff",
        settings=script("submit.status(503)*7, ok"),
        patience={"submits": 10},
    ),
    Mistake(
        runner=broken.WaitsAsLongEachTime,
        rule="backoff",
        settings=script("submit.status(503)*7, ok"),
        result=Result.WARN,
        patience={"submits": 10},
    ),
    Mistake(
        runner=broken.WaitsAsLongEachTime,
        rule="jitter",
        settings=script("submit.status(503), ok"),
        jobs=24,
        patience={"concurrency": 24},
    ),
    Mistake(
        runner=broken.BelievesNoRefusal,
        rule="permanent-errors-final",
        settings=script("submit.status(400)*2, ok"),
    ),
    Mistake(
        runner=broken.NeverGivesUp,
        rule="attempt-budget",
        settings={**script("fail*5, ok"), "VERDICT_ATTEMPTS_MAX": "3"},
        jobs=3,
    ),
    Mistake(
        runner=broken.TriesAgainInTwoLayers,
        rule="attempt-budget",
        settings={**script("fail"), "VERDICT_ATTEMPTS_MAX": "3"},
        jobs=3,
    ),
    Mistake(
        runner=broken.GivesUpWithoutACancel,
        rule="cancel-on-give-up",
        settings=script("hang"),
        timeout_ms=300,
        patience={"attempts": 1},
    ),
    Mistake(
        runner=broken.GivesUpWithoutACancel,
        rule="no-concurrent-duplicate",
        settings=script("ok", latency_ms=1_000),
        timeout_ms=400,
        patience={"attempts": 2},
        follows={"terminal-state-read": "nobody came back to what was given up"},
    ),
    Mistake(
        runner=broken.TakesACancelForTheEnd,
        rule="cancel-follow-through",
        settings=script("hang+cancel.slow(ms=1000), ok"),
        timeout_ms=300,
    ),
    Mistake(
        runner=broken.ForgetsWhatItCancels,
        rule="cancel-follow-through",
        settings=script("hang+cancel.slow(ms=1000), ok"),
        result=Result.WARN,
        timeout_ms=300,
    ),
    Mistake(
        runner=broken.HasADeadlineForEachRead,
        rule="deadline-honoured",
        settings=script("ok", latency_ms=2_500),
        timeout_ms=500,
    ),
    Mistake(runner=broken.ForgetsWhatItSubmits, rule="terminal-state-read", settings=script("ok")),
    Mistake(runner=broken.ReadsOn, rule="quiet-after-terminal", settings=script("ok")),
    Mistake(runner=broken.ReadsWithoutAPause, rule="poll-cadence", settings=script("ok", latency_ms=200), jobs=2),
    Mistake(
        runner=broken.TakesAFailedReadForAFailedJob,
        rule="poll-faults-tolerated",
        settings=script("ok+poll.status(503), ok", latency_ms=1_000),
        follows={"no-concurrent-duplicate": RUNS_ON},
    ),
    Mistake(
        runner=broken.GivesUpAfterABrokenRead,
        rule="poll-faults-tolerated",
        settings=script("ok+poll.reset, ok", latency_ms=200),
    ),
    Mistake(
        runner=broken.BelievesTheFirst404,
        rule="poll-faults-tolerated",
        settings=script("ok+poll.missing, ok", latency_ms=200),
    ),
    Mistake(
        runner=broken.TakesAnUnknownStateForAFailure,
        rule="unknown-state-tolerated",
        settings=script("ok+poll.unknown_state, ok", latency_ms=200),
    ),
    Mistake(
        runner=broken.StartsAgainAfterAnUnknownState,
        rule="unknown-state-tolerated",
        settings=script("ok+poll.unknown_state, ok", latency_ms=1_000),
        follows={"no-concurrent-duplicate": RUNS_ON},
    ),
    Mistake(
        runner=broken.KnowsHowLongAJobTakes,
        rule="stale-state-ignored",
        settings=script("ok+poll.stale(reads=9), ok"),
    ),
    Mistake(
        runner=broken.LooksAgainAndBelievesIt,
        rule="stale-state-ignored",
        settings=script("ok+poll.backwards, ok"),
        follows={"no-redundant-execution": WAS_READ},
    ),
    Mistake(
        runner=broken.KnowsHowLongAJobTakes,
        rule="no-concurrent-duplicate",
        settings=script("slow, ok", latency_ms=80),
        follows={"terminal-state-read": "nobody came back to what was thought lost"},
    ),
    Mistake(
        runner=broken.RedeliversWhatTakesLong,
        rule="no-concurrent-duplicate",
        settings=script("slow, ok", latency_ms=100),
    ),
    Mistake(runner=broken.LosesItsResult, rule="no-redundant-execution", settings=script("ok")),
    Mistake(
        runner=broken.WaitsForOneAfterTheOther,
        rule="isolation",
        settings={"LATENCY_MS": "200"},
        rules='[[rule]]\nname = "hangs"\nwhen = { trace_id = "case-0" }\nthen = { mode = "hang" }\n',
        timeout_ms=6_000,
        patience={"attempts": 1},
    ),
    Mistake(
        runner=broken.CountsItsPlacesTwice,
        rule="concurrency-limit",
        settings={**script("ok", latency_ms=300), "VERDICT_CONCURRENCY_MAX": str(QUICK.concurrency)},
        jobs=2 * QUICK.concurrency,
    ),
)


def named(mistake: Mistake) -> str:
    return f"{mistake.runner.__name__}-{mistake.rule}"


def tried(mistake: Mistake, tmp_path: Path, runner: type[GoodRunner]) -> Run:
    """Return the run of *runner* under the settings that put the one of *mistake* to the test."""
    settings = {"SEED": str(SEED), **mistake.settings}
    if mistake.rules:
        settings["RULES"] = str(tmp_path / "rules.toml")
        Path(settings["RULES"]).write_text(mistake.rules, encoding="utf-8")
    asked = payloads(mistake.jobs, timeout_ms=mistake.timeout_ms)
    patience = replace(QUICK, **mistake.patience)
    return hurried.run(put_on_trial(runner_of(runner, patience), asked, settings), seed=SEED).run()


@pytest.mark.parametrize("mistake", MISTAKES, ids=named)
def test_a_broken_runner_is_convicted_by_its_own_rule_with_evidence(mistake: Mistake, tmp_path: Path) -> None:
    """What else is found follows from the same mistake. An advisory rule convicts where it is required."""
    run = tried(mistake, tmp_path, mistake.runner)
    is_advisory = INVARIANTS[mistake.rule].kind is Kind.ADVISORY
    verdict = judge(run, [mistake.rule] if is_advisory else [])
    found = {one.id: one for one in verdict.invariants if one.findings}

    assert set(found) == {mistake.rule, *mistake.follows}
    assert found[mistake.rule].result is mistake.result
    assert verdict.verdict is (Result.PASS if mistake.result is Result.WARN else Result.FAIL)
    assert len(run.stories) < JOBS_MAX
    proven = [finding for finding in found[mistake.rule].findings if NEVER_CAME not in finding.message]
    assert proven
    for finding in proven:
        check_evidence(run, mistake.rule, finding)


def check_evidence(run: Run, rule: str, finding: Found) -> None:
    """The entries are in the journal, and they are about the job and the work in question."""
    lines = {line.seq: line for line in run.lines}
    entries = [lines[seq] for seq in finding.entries]

    assert entries
    if finding.job is not None:
        assert finding.job in {line.job for line in entries}
    if rule not in ABOUT_MANY and finding.logical_job is not None:
        work = next(work for work in run.works if work.name == finding.logical_job)
        ours = {line.seq for line in work.submits}
        ours.update(line.seq for story in work.stories for line in story.contacts)
        assert ours.issuperset(finding.entries)


@pytest.mark.parametrize("mistake", MISTAKES, ids=named)
def test_the_good_runner_passes_the_same_test(mistake: Mistake, tmp_path: Path) -> None:
    """It was the mistake that convicted, and not the weather."""
    verdict = judge(tried(mistake, tmp_path, GoodRunner))

    assert [(one.id, one.findings) for one in verdict.invariants if one.findings] == []
    assert verdict.verdict is Result.PASS


def test_a_payload_that_never_came_is_missed() -> None:
    """There is no entry to show for it: its line among those that were expected is named instead."""
    run = hurried.run(put_on_trial(runner_of(broken.LosesAPayload), payloads(6), {"LATENCY_MS": "20"})).run()
    found = {one.id: [finding.message for finding in one.findings] for one in judge(run).invariants if one.findings}

    assert found == {"payload-integrity": [f"the payload in line 6 of those to be sent (llm.chat) {NEVER_CAME}"]}


def test_every_rule_convicts_somebody() -> None:
    """None is there for show, and more than twenty mistakes are told apart."""
    assert {mistake.rule for mistake in MISTAKES} == set(INVARIANTS)
    assert len({mistake.runner for mistake in MISTAKES}) > 20
