"""Decisions: why a job got the fate it got, and what befell a submit or a read."""

from __future__ import annotations

import math

import pytest

from dummyllm.core.decision import (
    Decision,
    FaultDecision,
    course_of,
    decisions_of,
    job_decisions,
    latency_decision,
    read_decisions,
    submit_decisions,
)
from dummyllm.core.draw import Luck, site_of, unit
from dummyllm.core.job import make_job
from dummyllm.core.latency import Uniform
from dummyllm.core.mode import WEIGHABLE_MODES, Mode
from dummyllm.core.policy import Policy
from dummyllm.core.reading import read
from dummyllm.core.replay import Course, read_replay
from dummyllm.core.request import Identity, JobRequest
from dummyllm.core.submit import submit_fault
from dummyllm.core.timeline import State
from tests.core.chaos import accepted, policy_of, texts

HERE = Identity(bytes(16))
EVEN = tuple((mode, 1) for mode in WEIGHABLE_MODES)
OUTCOME_OF_TURN = {"fail": State.FAIL, "hang": State.RUNNING, "ok": State.OK}


def decisions(policy: Policy, ordinal: int) -> dict[str, list[Decision]]:
    """Return the decisions by race."""
    races: dict[str, list[Decision]] = {}
    for decision in decisions_of(policy, HERE, ordinal):
        races.setdefault(decision.site.partition(":")[0], []).append(decision)
    return races


@pytest.mark.parametrize("mode", [mode for mode in WEIGHABLE_MODES if mode is not Mode.FLAKY])
def test_a_mode_that_was_set_took_no_draw(mode: Mode) -> None:
    """No draws if the mode was set."""
    assert decisions_of(Policy(mode=mode), HERE, 0) == ()


@pytest.mark.parametrize("ordinal", range(30))
def test_the_decisions_of_a_job_are_those_its_fate_came_from(ordinal: int) -> None:
    """Every draw, with its site, its number and whether it won."""
    policy = Policy(mode=Mode.RANDOM, weights=EVEN)
    fate = make_job(policy, JobRequest("llm.chat"), HERE, now_ms=0, ordinal=ordinal).fate
    races = decisions(policy, ordinal)
    (won,) = [decision for decision in races["mode"] if decision.won]

    assert won.option == fate.mode.value
    assert won.time == min(decision.time for decision in races["mode"])
    assert [decision.option for decision in races["mode"]] == [mode.value for mode in WEIGHABLE_MODES]
    assert ("flaky" in races) == (fate.mode is Mode.FLAKY)


@pytest.mark.parametrize("ordinal", range(10))
def test_a_flaky_job_shows_which_way_it_went(ordinal: int) -> None:
    """`flaky` is drawn, whether the mode was set or drawn itself."""
    policy = Policy(mode=Mode.FLAKY)
    races = decisions(policy, ordinal)
    (won,) = [decision for decision in races["flaky"] if decision.won]

    assert list(races) == ["flaky"]
    assert [(decision.option, decision.weight) for decision in races["flaky"]] == [
        ("fail", 50),
        ("hang", 20),
        ("ok", 30),
    ]
    fate = make_job(policy, JobRequest("llm.chat"), HERE, now_ms=0, ordinal=ordinal).fate
    assert fate.outcome is OUTCOME_OF_TURN[won.option]


def test_a_decision_can_be_recomputed_from_what_it_says() -> None:
    """Of the options of one race the least time −ln(u) / weight wins."""
    for decision in decisions_of(Policy(mode=Mode.RANDOM, seed=7), HERE, 5):
        lane = list(Mode).index(Mode(decision.option))
        assert decision.u == unit(Luck(7, HERE, 5).lanes(site_of("mode"))[lane])
        assert decision.time == -math.log(decision.u) / decision.weight
        assert decision.site == f"mode:{decision.option}"


def test_options_of_weight_0_are_not_drawn() -> None:
    """Sites with weight 0 are not drawn."""
    policy = Policy(mode=Mode.RANDOM, weights=((Mode.OK, 1), (Mode.FAIL, 0), (Mode.HANG, 2)))

    assert [decision.option for decision in decisions_of(policy, HERE, 0)] == ["ok", "hang"]


@pytest.mark.parametrize("ordinal", range(10))
def test_a_step_that_is_flaky_shows_which_way_its_job_went(ordinal: int) -> None:
    """In mode script only a step knows the mode, so there it is to be said."""
    policy = policy_of(script="flaky")
    found = decisions_of(policy, HERE, ordinal, accepted(policy, ordinal).fate.mode)
    (won,) = [decision for decision in found if decision.won]

    assert {decision.site.partition(":")[0] for decision in found} == {"flaky"}
    assert accepted(policy, ordinal).fate.outcome is OUTCOME_OF_TURN[won.option]
    assert decisions_of(policy_of(script="hang"), HERE, ordinal, Mode.HANG) == ()


@pytest.mark.parametrize("ordinal", range(5))
def test_the_draw_of_a_latency_is_shown(ordinal: int) -> None:
    """At its own u the shape gives so many milliseconds: those after which an `ok` job ends."""
    policy = Policy(shape=Uniform(0.5, 1.5))
    found = latency_decision(policy, HERE, ordinal)

    assert found is not None
    assert (found.site, found.shape) == ("latency", "uniform(0.5,1.5)")
    assert found.u == Luck(1337, HERE, ordinal).at(site_of("latency"))
    assert found.latency_ms == accepted(policy, ordinal).fate.ends_at_ms
    assert latency_decision(Policy(), HERE, ordinal) is None
    assert latency_decision(Policy(shape=Uniform(0.5, 1.5), replay=read_replay([])), HERE, ordinal) is None


def test_a_recorded_job_took_no_draw() -> None:
    """A recorded list of faults, with no chance left."""
    assert decisions_of(Policy(mode=Mode.RANDOM, replay=read_replay([])), HERE, 0) == ()


# ---- faults


def by_name(decisions: tuple[FaultDecision, ...]) -> dict[str, FaultDecision]:
    found = {decision.fault: decision for decision in decisions}
    assert len(found) == len(decisions)
    return found


@pytest.mark.parametrize("hit", range(20))
def test_the_faults_of_a_submit_are_shown_with_their_draws(hit: int) -> None:
    """Each with its site, its percentage, its number, whether it fired, and whether it was served."""
    policy = policy_of("submit.status(429,retry_after=2)=60, submit.lost_ack=50.5")
    served = submit_fault(policy, HERE, hit)
    found = by_name(submit_decisions(policy, HERE, hit, served.text if served else None))
    status, lost = found["submit.status(429,retry_after=2)"], found["submit.lost_ack"]

    assert (status.site, status.percent, lost.site, lost.percent) == ("submit.status(429)", 60, "submit.lost_ack", 50.5)
    for decision in (status, lost):
        assert decision.u == Luck(1337, HERE, hit).at(site_of(decision.site))
        assert decision.percent is not None
        assert decision.fired is (decision.u < decision.percent / 100)
    assert [decision.served for decision in (status, lost)] == [status.fired, lost.fired and not status.fired]


def test_a_fault_that_fired_and_was_not_served_had_to_stand_back() -> None:
    """Recorded as `drawn, not served`."""
    found = by_name(submit_decisions(policy_of("submit.reset=100, submit.lost_ack=100"), HERE, 0, "submit.reset"))

    assert [(one.fired, one.served) for one in found.values()] == [(True, True), (True, False)]


def test_a_fault_that_a_script_names_has_no_draw() -> None:
    """It stands before those that were drawn and had to stand back."""
    policy = policy_of("submit.lost_ack=100", "submit.status(503,retry_after=1)")
    named, drawn = submit_decisions(policy, HERE, 0, "submit.status(503,retry_after=1)")

    assert named == FaultDecision("submit.status(503)", "submit.status(503,retry_after=1)", fired=True, served=True)
    assert (drawn.fault, drawn.fired, drawn.served) == ("submit.lost_ack", True, False)


def test_a_submit_that_nothing_can_befall_has_no_decisions() -> None:
    """Both are empty where nothing was left to chance."""
    assert submit_decisions(Policy(), HERE, 0, None) == ()
    assert job_decisions(accepted(Policy())) == ()
    assert read_decisions(accepted(Policy()), 0, None) == ()


@pytest.mark.parametrize("ordinal", range(10))
def test_the_faults_of_a_job_are_those_of_its_fate(ordinal: int) -> None:
    """Drawn at its ordinal; of those that exclude each other one is served."""
    job = accepted(policy_of("run.vanish=60, run.late=60, cancel.ignored=50"), ordinal)
    found = by_name(job_decisions(job))

    assert [one.fault for one in found.values() if one.served] == texts(job.fate.faults)
    assert all(one.fired is (one.u is not None and one.u < (one.percent or 0) / 100) for one in found.values())
    assert found["run.late"].served is (found["run.late"].fired and not found["run.vanish"].fired)


def test_faults_of_a_step_stand_before_those_of_its_job_that_are_drawn() -> None:
    """The faults that its script names."""
    job = accepted(policy_of("run.vanish=100, cancel.ignored=100", "ok+run.late+poll.status(503)"))
    found = [(one.site, one.fired, one.served, one.percent) for one in job_decisions(job)]

    assert found == [
        ("run.late", True, True, None),
        ("poll.status(503)", True, True, None),
        ("run.vanish", True, False, 100),
        ("cancel.ignored", True, True, 100),
    ]


@pytest.mark.parametrize("n", range(10))
def test_the_faults_of_a_read_are_shown_with_their_draws(n: int) -> None:
    """At sites with the number of the read in them."""
    job = accepted(policy_of("poll.status(503)=50, poll.slow=50"))
    for _ in range(n):
        job = read(job, 1_000).job
    served = read(job, 1_000).fault
    found = by_name(read_decisions(job, n, served.text if served else None))

    assert [one.site for one in found.values()] == [f"poll.status(503)#{n}", f"poll.slow#{n}"]
    assert all(one.u == Luck(1337, HERE, 0).at(site_of(one.site)) for one in found.values())
    assert [one.fault for one in found.values() if one.served] == ([served.text] if served else [])


def test_a_read_shows_the_jobs_own_fault_without_a_draw() -> None:
    """It was drawn with the job, or named by its script."""
    job = accepted(policy_of("poll.reset=0.0001", "ok+poll.missing"))
    named, drawn = read_decisions(job, 0, "poll.missing")

    assert named == FaultDecision("poll.missing", "poll.missing", fired=True, served=True)
    assert (drawn.site, drawn.fired) == ("poll.reset#0", False)


def test_what_was_recorded_has_no_draw() -> None:
    """The faults that its recording names, and no other."""
    lines = ["submit 0 submit.lost_ack", "job 0 run.late", "read 0 0 poll.reset"]
    policy = policy_of(
        "submit.reset=100, run.vanish=100, poll.slow=100",
        replay=read_replay(f"{HERE.hex()} {line}" for line in lines),
    )
    job = accepted(policy)
    found = [
        submit_decisions(policy, HERE, 0, "submit.lost_ack"),
        job_decisions(job),
        read_decisions(job, 0, "poll.reset"),
    ]

    assert [[(one.fault, one.served, one.u) for one in each] for each in found] == [
        [("submit.lost_ack", True, None)],
        [("run.late", True, None)],
        [("poll.reset", True, None)],
    ]


# ---- courses


@pytest.mark.parametrize("ordinal", range(30))
def test_the_course_of_a_job_leads_to_its_fate(ordinal: int) -> None:
    """How a job was to fare, faults apart: what a recording of it says."""
    policy = Policy(mode=Mode.RANDOM, weights=EVEN, shape=Uniform(0.5, 1.5))
    job = accepted(policy, ordinal)
    course = course_of(job)
    replay = read_replay([f"{HERE.hex()} job {ordinal} {course.spelled}"])
    again = accepted(Policy(replay=replay), ordinal)

    assert again.fate == job.fate
    assert course_of(again) == course


@pytest.mark.parametrize("text", ["run.late", "run.stuck_queued", "run.vanish"])
def test_a_course_knows_nothing_of_faults(text: str) -> None:
    """They have lines of their own."""
    assert course_of(accepted(policy_of(script=f"fail+{text}"))) == Course(Mode.FAIL, None, 250)


def test_a_course_has_the_latency_of_the_rule_that_its_job_fell_under() -> None:
    """The base from which its mode takes its time."""
    assert course_of(accepted(Policy(mode=Mode.HANG, base_latency_ms=40))) == Course(Mode.HANG, None, 40)
