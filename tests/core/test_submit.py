"""What a submit comes to: a job, a fault instead of one, or a job whose answer a fault befalls."""

from __future__ import annotations

import pytest

from dummyllm.core.faults.registry import KINDS
from dummyllm.core.job import Job, make_job
from dummyllm.core.mode import WEIGHABLE_MODES, Mode
from dummyllm.core.policy import Policy
from dummyllm.core.replay import read_replay
from dummyllm.core.request import JobRequest
from dummyllm.core.rules import Rule, When
from dummyllm.core.submit import Bent, job_of, moves_step, submit_fault
from tests.core.chaos import HERE, NOW_MS, REQUEST, fault, outcome_of, policy_of, texts

ANSWERS = ["submit.lost_ack", "submit.cut_ack", "submit.slow_ack", "connection.close_idle"]
REFUSALS = ["submit.status(503)", "submit.reset"]


def bent(outcome: object) -> Bent:
    """Return *outcome*, which a fault befell."""
    assert isinstance(outcome, Bent)
    return outcome


@pytest.mark.parametrize("mode", [*WEIGHABLE_MODES, Mode.RANDOM])
@pytest.mark.parametrize("ordinal", [0, 1, 7])
def test_without_faults_a_submit_is_a_job(mode: Mode, ordinal: int) -> None:
    """Planned at the instant it is accepted; neither hit nor step has a say in its fate."""
    policy = Policy(mode=mode)
    job = make_job(policy, REQUEST, HERE, NOW_MS, ordinal)

    assert outcome_of(policy, hit=99, ordinal=ordinal, step=42) == job


@pytest.mark.parametrize("text", REFUSALS)
def test_a_refusal_leaves_no_job(text: str) -> None:
    """Refused before anything was committed."""
    policy = policy_of(f"{text}=100")

    assert outcome_of(policy, hit=3) == Bent(None, fault(text), 3, policy)


@pytest.mark.parametrize("text", ANSWERS)
def test_a_fault_of_the_answer_leaves_the_job(text: str) -> None:
    """The job exists, with the fate it would have had; what suffers is its acknowledgement."""
    policy = policy_of(f"{text}=100", mode=Mode.RANDOM)
    plain = outcome_of(Policy(mode=Mode.RANDOM), ordinal=2)
    outcome = bent(outcome_of(policy, hit=5, ordinal=2))

    assert (outcome.fault, outcome.hit) == (fault(text), 5)
    assert isinstance(plain, Job)
    assert outcome.job is not None
    assert (outcome.job.id, outcome.job.fate) == (plain.id, plain.fate)


def test_faults_of_a_submit_are_drawn_at_its_hit() -> None:
    """Submit faults are drawn at `hit`, everything after commit at `ordinal`."""
    policy = policy_of("submit.reset=50")
    drawn = [isinstance(outcome_of(policy, hit=hit), Bent) for hit in range(200)]

    assert [isinstance(outcome_of(policy, hit=hit, ordinal=5, step=9), Bent) for hit in range(200)] == drawn
    assert 70 < sum(drawn) < 130


def test_faults_of_a_job_are_drawn_at_its_ordinal() -> None:
    """A submit that was refused before moves no fault of the job that follows."""
    policy = policy_of("cancel.ignored=50")
    fates = [job_of(outcome_of(policy, ordinal=n)) for n in range(200)]
    later = [job_of(outcome_of(policy, hit=n + 7, ordinal=n)) for n in range(200)]

    assert fates == later
    assert 70 < sum(bool(job.fate.faults) for job in fates if job is not None) < 130


def test_of_faults_that_exclude_each_other_the_first_in_the_registry_is_served() -> None:
    """They draw independently, in whatever order they were written."""
    together = policy_of("submit.slow_ack=50, submit.lost_ack=50, submit.status(503)=50")
    alone = [policy_of(f"{text}=50") for text in ("submit.status(503)", "submit.lost_ack", "submit.slow_ack")]
    for hit in range(100):
        fired = [found for policy in alone if (found := submit_fault(policy, HERE, hit)) is not None]
        assert submit_fault(together, HERE, hit) == (fired[0] if fired else None)


# ---- scripts


def told(script: str, submits: int, faults: str = "") -> list[tuple[str, int]]:
    """Return what so many submits in a row come to under *script*, each with the step that it found."""
    policy, ordinal, step = policy_of(faults, script), 0, 0
    heard = []
    for hit in range(submits):
        outcome = outcome_of(policy, hit, ordinal, step)
        job = job_of(outcome)
        name = outcome.fault.text if isinstance(outcome, Bent) and outcome.fault is not None else ""
        heard.append((" ".join(filter(None, [name, job.fate.mode.value if job else ""])), step))
        ordinal += job is not None
        step += moves_step(outcome)
    return heard


def test_a_script_goes_on_with_every_job() -> None:
    """`step` moves when a job is committed."""
    assert told("fail,hang*2,ok", 5) == [("fail", 0), ("hang", 1), ("hang", 2), ("ok", 3), ("ok", 4)]


def test_a_script_goes_on_when_its_own_step_refuses() -> None:
    """… or when the *script's own* token refuses the submit."""
    assert told("submit.status(503)*2, submit.reset, ok", 5) == [
        ("submit.status(503)", 0),
        ("submit.status(503)", 1),
        ("submit.reset", 2),
        ("ok", 3),
        ("ok", 4),
    ]


def test_a_script_stands_still_when_chance_refuses() -> None:
    """A refusal drawn from FAULTS moves no step."""
    assert told("fail,ok", 3, faults="submit.reset=100") == [("submit.reset", 0)] * 3


def test_a_fault_of_the_answer_moves_the_step_of_its_job() -> None:
    """`ok+submit.lost_ack*2, hang`: two lost acknowledgements, then a hang."""
    assert told("ok+submit.lost_ack*2, hang", 3) == [("submit.lost_ack ok", 0), ("submit.lost_ack ok", 1), ("hang", 2)]


@pytest.mark.parametrize("own", [*REFUSALS, *ANSWERS])
def test_a_scripts_own_fault_of_a_submit_replaces_those_that_are_drawn(own: str) -> None:
    """In mode script a token's submit fault replaces drawn submit faults for that submit."""
    others = ", ".join(f"{text}=100" for text in ("submit.status(429)", *ANSWERS) if text != own)
    policy = policy_of(others, own)

    assert bent(outcome_of(policy)).fault == fault(own)


@pytest.mark.parametrize(("own", "moves"), [("submit.reset", True), ("ok", False)])
def test_the_same_refusal_moves_the_step_only_if_it_is_the_scripts_own(own: str, *, moves: bool) -> None:
    """A drawn refusal and a script's look alike to a client; only one of them is a step."""
    outcome = bent(outcome_of(policy_of("submit.reset=100", own)))

    assert outcome.fault == fault("submit.reset")
    assert (outcome.moves_step, moves_step(outcome)) == (moves, moves)


def test_a_step_brings_its_job_the_faults_it_names() -> None:
    """A script leaves nothing to chance."""
    job = job_of(outcome_of(policy_of(script="hang+cancel.ignored+poll.missing+submit.slow_ack")))

    assert job is not None
    assert job.fate.mode is Mode.HANG
    assert texts(job.fate.faults) == ["cancel.ignored", "poll.missing"]


# ---- rules


def test_a_rule_decides_for_what_it_matches() -> None:
    """The first rule that matches decides, about the submit as about the job."""
    refuses = policy_of("submit.status(400)=100", rule="poison")
    hangs = Policy(mode=Mode.HANG, rule="second")
    policy = Policy(
        rules=(
            Rule(name="poison", when=When(op="poison"), policy=refuses),
            Rule(name="second", when=When(ordinals=(1, 1)), policy=hangs),
        )
    )

    assert outcome_of(policy, request=JobRequest("poison")) == Bent(None, fault("submit.status(400)"), 0, refuses)
    modes = [job_of(outcome_of(policy, ordinal=n)) for n in range(3)]
    assert [job.fate.mode for job in modes if job is not None] == [Mode.OK, Mode.HANG, Mode.OK]
    assert [job.policy.rule for job in modes if job is not None] == [None, "second", None]


def test_a_rule_with_a_script_goes_by_the_same_step() -> None:
    """The step belongs to the identity, whichever script it is the place in."""
    policy = Policy(rules=(Rule(name="s", when=When(), policy=policy_of(script="fail,hang,ok")),))

    assert [job.fate.mode for n in range(3) if (job := job_of(outcome_of(policy, step=n)))] == [
        Mode.FAIL,
        Mode.HANG,
        Mode.OK,
    ]


# ---- recorded runs


def test_a_recorded_run_decides_alone() -> None:
    """REPLAY, then RULES, then SCRIPT, then MODE; and no chance left."""
    replay = read_replay([f"{HERE.hex()} submit 1 submit.lost_ack", f"{HERE.hex()} job 2 mode=hang latency_ms=9"])
    policy = policy_of("submit.reset=100, run.late=100", "submit.status(503), fail", replay=replay)
    told = [outcome_of(policy, hit, ordinal) for hit, ordinal in ((0, 0), (1, 1), (2, 2))]

    assert [texts((one.fault,)) if isinstance(one, Bent) and one.fault else [] for one in told] == [
        [],
        ["submit.lost_ack"],
        [],
    ]
    jobs = [job for one in told if (job := job_of(one))]
    assert [job.fate.mode for job in jobs] == [Mode.OK, Mode.OK, Mode.HANG]
    assert [job.fate.faults for job in jobs] == [(), (), ()]


def test_a_recorded_refusal_moves_no_step() -> None:
    """There is no script to move in."""
    replay = read_replay([f"{HERE.hex()} submit 0 submit.reset"])
    outcome = bent(outcome_of(policy_of(script="submit.reset,ok", replay=replay)))

    assert not moves_step(outcome)


# ---- what an outcome says of itself


def test_an_outcome_has_a_job_or_none() -> None:
    """A replay by its key is bent, too: its job was there already."""
    job = outcome_of(Policy())
    assert isinstance(job, Job)

    assert job_of(job) is job
    assert job_of(Bent(job, None, 1, Policy(), is_replay=True)) is job
    assert job_of(Bent(None, fault("submit.reset"), 0, Policy())) is None


def test_no_fault_of_a_job_or_a_read_befalls_a_submit() -> None:
    """Unit submit: all `submit.*`, and what befalls the connection after it."""
    others = ", ".join(f"{kind.usage}=100" for kind in KINDS.values() if kind.unit.value != "submit")

    assert submit_fault(policy_of(others), HERE, 0) is None
    assert isinstance(outcome_of(policy_of(others)), Job)
