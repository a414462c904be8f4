"""judge: what comes of all invariants together."""

from __future__ import annotations

import msgspec
import pytest

from dummyllm.journal_line import Closing
from dummyllm.verdict.attempts import Same, run_of
from dummyllm.verdict.finding import Evidence, Finding, Invariant, Kind, Result
from dummyllm.verdict.invariants.registry import INVARIANTS
from dummyllm.verdict.judge import UnknownRule, judge
from dummyllm.verdict.run import Run
from tests.verdict.told import Told, job_id

ONE = Finding("something happened", (0,), logical_job="L1")
CLOSING = Closing(0, fates="f" * 16, traffic="7" * 16, reproducible="exact")


def rule(kind: Kind, evidence: Evidence) -> dict[str, Invariant]:
    """Return a verdict's rules: one that always finds *evidence*."""
    one = Invariant(
        id="rule", kind=kind, fails_when="", means="", breaks="", remedy="", premise="", judge=lambda _: evidence
    )
    return {"rule": one}


def one_job(same: Same = Same.PAYLOAD, **more: object) -> Run:
    """Return a run with a single job, which went well."""
    told = Told(same=same)
    told.submit(job=1)
    told.later(300).read(1, "ok")
    return told.run(closing=CLOSING, **more)


def result(kind: Kind, evidence: Evidence, *required: str, run: Run | None = None) -> tuple[str, str]:
    """Return what comes of a rule, and of the run."""
    verdict = judge(run or one_job(), required, invariants=rule(kind, evidence))
    return verdict.invariants[0].result, verdict.verdict


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        (Evidence(), ("not-exercised", "pass")),
        (Evidence(premises=1), ("pass", "pass")),
        (Evidence(premises=1, pending=[ONE]), ("pending", "pass")),
        (Evidence(premises=1, warnings=[ONE], pending=[ONE]), ("warn", "pass")),
        (Evidence(premises=1, breaches=[ONE], warnings=[ONE], pending=[ONE]), ("fail", "fail")),
    ],
    ids=["nothing", "premise", "pending", "warning", "breach"],
)
@pytest.mark.parametrize("kind", [Kind.PROVEN, Kind.DECLARED])
def test_the_worst_finding_counts(kind: Kind, evidence: Evidence, expected: tuple[str, str]) -> None:
    """A rule fails by a breach; warnings and what is pending fail nothing."""
    assert result(kind, evidence) == expected


@pytest.mark.parametrize("evidence", [Evidence(1, warnings=[ONE]), Evidence(1, breaches=[ONE])])
def test_an_advisory_rule_fails_only_if_it_is_required(evidence: Evidence) -> None:
    """Otherwise it warns."""
    assert result(Kind.ADVISORY, evidence) == ("warn", "pass")
    assert result(Kind.ADVISORY, evidence, "rule") == ("fail", "fail")


@pytest.mark.parametrize("kind", [Kind.PROVEN, Kind.DECLARED])
def test_a_warning_of_another_rule_fails_nothing_even_if_it_is_required(kind: Kind) -> None:
    """It was not sure enough."""
    assert result(kind, Evidence(1, warnings=[ONE]), "rule") == ("warn", "pass")


def test_a_weak_work_never_fails_a_required_rule() -> None:
    """It is held together by equal payloads alone."""
    told = Told(same=Same.AUTO)
    told.submit(job=1)
    told.submit(job=2)

    assert result(Kind.ADVISORY, Evidence(1, warnings=[ONE]), "rule", run=told.run()) == ("warn", "pass")


def test_what_is_required_must_be_exercised() -> None:
    """A run that put the runner to no test cannot pass for it; but while it goes on the test may still come."""
    verdict = judge(one_job(), ["rule"], invariants=rule(Kind.PROVEN, Evidence()))

    assert (verdict.invariants[0].result, verdict.verdict) == ("not-exercised", "fail")
    assert verdict.reasons == ("rule was required, and nothing put the runner to the test",)
    assert result(Kind.PROVEN, Evidence(), "rule", run=one_job(is_final=False)) == ("not-exercised", "pass")


def test_a_rule_that_does_not_exist_cannot_be_required() -> None:
    """The error names the nearest."""
    with pytest.raises(UnknownRule) as raised:
        judge(one_job(), ["back-off"])

    assert str(raised.value).startswith("'back-off' is no rule of the verdict (did you mean 'backoff'?); use some of ")


def test_a_failed_run_says_why() -> None:
    """Every rule that failed, with the number of its findings."""
    for breaches, reason in ([ONE], "rule failed, 1 finding"), ([ONE, ONE], "rule failed, 2 findings"):
        assert judge(one_job(), invariants=rule(Kind.PROVEN, Evidence(2, breaches=breaches))).reasons == (reason,)


def test_a_finding_says_how_much_it_weighs() -> None:
    """A rule that failed may have warnings beside."""
    evidence = Evidence(1, breaches=[ONE], warnings=[ONE], pending=[ONE])
    (judged,) = judge(one_job(), invariants=rule(Kind.PROVEN, evidence)).invariants

    assert [found.result for found in judged.findings] == [Result.FAIL, Result.WARN, Result.PENDING]
    assert (judged.findings[0].message, judged.findings[0].entries) == (ONE.message, ONE.entries)


def test_a_verdict_is_json_with_everything_that_replays_the_run() -> None:
    """The shape that scripts read."""
    told = Told(seed="1337")
    told.submit(job=1, key="k")
    told.later(300).read(1, "ok")
    verdict = msgspec.json.decode(msgspec.json.encode(judge(told.run(closing=CLOSING))))

    assert verdict["verdict"] == "pass"
    assert (verdict["seed"], verdict["identity"], verdict["reproducible"]) == ("1337", "payload", "exact")
    assert verdict["digests"] == {"fates": "f" * 16, "traffic": "7" * 16}
    assert [one["id"] for one in verdict["invariants"]] == list(INVARIANTS)
    assert set(verdict["invariants"][0]) == {"id", "kind", "result", "premises", "findings"}
    assert verdict["oracle"][0]["outcome"] == "ok"
    assert (verdict["ambiguous"], verdict["notes"], verdict["reasons"]) == ([], [], [])


def test_a_finding_in_json_points_at_its_evidence() -> None:
    """Job, logical job, message, entries."""
    told = Told()
    told.submit(job=1, ends_after_ms=None)
    verdict = msgspec.json.decode(msgspec.json.encode(judge(told.run())))
    (finding,) = next(one for one in verdict["invariants"] if one["id"] == "cancel-on-give-up")["findings"]

    assert verdict["verdict"] == "fail"
    assert (finding["job"], finding["logical_job"], finding["entries"]) == (job_id(1), "L1", [0])
    assert finding["result"] == "fail"


def test_ambiguous_works_are_listed() -> None:
    """Jobs with equal payloads that overlap."""
    told = Told(same=Same.AUTO)
    told.submit("a", job=1)
    told.submit("a", job=2)
    told.submit("b", job=3)
    (ambiguity,) = judge(told.run()).ambiguous

    assert (ambiguity.logical_job, ambiguity.jobs) == ("L1", (job_id(1), job_id(2)))


def test_notes_say_what_is_missing() -> None:
    """Lines that fell out, jobs without a beginning, a file without an end; and what the caller has to say."""
    told = Told()
    told.submit("a", job=1)
    told.later(10).read(1)
    told.later(300).submit("b", job=2)
    run = run_of(told.heading, told.lines[1:])
    notes = judge(run, notes=["read from run.jsonl"]).notes

    assert notes == (
        "1 entries are missing: they fell out of the journal (DUMMYLLM_JOURNAL_MAX)",
        "1 jobs were left out: the journal does not have their beginning",
        "the journal ends with entry 2 and has no closing line: the server did not come to its end in peace",
        "read from run.jsonl",
    )
    assert judge(run_of(told.heading, ())).notes == (
        "the journal has no entries and has no closing line: the server did not come to its end in peace",
    )
    told.submit("c", status=503)
    assert judge(told.run(is_final=False)).notes == ()


def test_a_clock_moved_by_hand_is_noted() -> None:
    """Then some rules had nothing to judge."""
    (note,) = judge(Told(clock="manual", pace=0).run(closing=CLOSING)).notes

    assert "moved by hand" in note


def test_the_order_of_the_lines_does_not_matter() -> None:
    """The verdict is a pure function of the journal."""
    told = Told(same=Same.AUTO)
    for number in range(30):
        told.later(7).submit(f"{number % 4}", job=number, outcome=("ok", "fail")[number % 2], trace_id=f"{number % 3}")
        told.later(40).read(number % 8)
    verdict = judge(told.run())

    assert judge(run_of(told.heading, told.lines[::-1])) == verdict
