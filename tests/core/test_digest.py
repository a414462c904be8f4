"""The fates digest: one number that says that two runs decided alike."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest

from dummyllm.core.digest import MODULUS, Traffic, hexadecimal, spelled, term_of
from dummyllm.core.fate import Fate
from dummyllm.core.job import make_job
from dummyllm.core.mode import Mode
from dummyllm.core.policy import Policy
from dummyllm.core.request import Identity, JobRequest
from dummyllm.core.timeline import Moment, State
from tests.core.chaos import one_step


def term(mode: Mode = Mode.OK, *, base_ms: int = 250, seed: int = 1337, identity: int = 0, ordinal: int = 0) -> int:
    policy = Policy(mode=mode, base_latency_ms=base_ms, seed=seed)
    request = JobRequest("llm.chat", timeout_ms=1)
    return term_of(make_job(policy, request, Identity(bytes([identity] * 16)), now_ms=0, ordinal=ordinal)) % MODULUS


@pytest.mark.parametrize(
    "change",
    [{"mode": Mode.ECHO}, {"mode": Mode.HANG}, {"base_ms": 251}, {"seed": 1338}, {"identity": 1}, {"ordinal": 1}],
    ids=str,
)
def test_any_other_decision_is_another_term(change: dict[str, object]) -> None:
    """Change a fate, an ordinal or the seed, and the sum changes."""
    assert term(**change) != term()  # type: ignore[arg-type]


def test_what_no_fate_depends_on_changes_no_term() -> None:
    """The instant of acceptance and the start of the run are not part of the fates digest."""
    policy, request, identity = Policy(), JobRequest("llm.chat"), Identity(bytes(16))
    one = make_job(policy, request, identity, now_ms=0, ordinal=0)
    other = make_job(policy, JobRequest("llm.chat", timeout_ms=1), identity, now_ms=10**13, ordinal=0)

    assert term_of(one) == term_of(other)


def test_the_order_of_jobs_does_not_matter_but_each_of_them_does() -> None:
    """An order-independent sum of decisions."""
    terms = [term(Mode.RANDOM, ordinal=ordinal) for ordinal in range(200)]
    shuffled = random.Random(1).sample(terms, len(terms))

    assert hexadecimal(sum(shuffled)) == hexadecimal(sum(terms))
    assert len({hexadecimal(sum(terms) - one) for one in terms}) == len(terms)
    assert hexadecimal(sum(terms) + terms[0]) != hexadecimal(sum(terms)), "a job counted twice does not cancel out"


def test_two_jobs_that_change_places_change_the_sum() -> None:
    """The digest tells which job had which fate, not only how many there were of each."""
    here, there = term(Mode.OK, ordinal=0), term(Mode.FAIL, ordinal=1)
    here_changed, there_changed = term(Mode.FAIL, ordinal=0), term(Mode.OK, ordinal=1)

    assert hexadecimal(here + there) != hexadecimal(here_changed + there_changed)


@pytest.mark.parametrize(
    ("fate", "line"),
    [
        (Fate(mode=Mode.HANG, timeline=(Moment(0, State.QUEUED),)), "hang 0:queued -"),
        (
            make_job(Policy(mode=Mode.FAIL), JobRequest("x"), Identity(bytes(16)), now_ms=5, ordinal=0).fate,
            "fail 0:queued 0:running 200:fail SIM_FAIL",
        ),
        (
            make_job(Policy(mode=Mode.SLOW), JobRequest("x"), Identity(bytes(16)), now_ms=5, ordinal=0).fate,
            "slow 0:queued 0:running 1500:ok -",
        ),
    ],
)
def test_a_fate_is_spelled_as_one_line(fate: Fate, line: str) -> None:
    """Mode, moments, and the code of the failure or `-`."""
    assert spelled(fate) == line


@pytest.mark.parametrize(
    ("script", "line"),
    [
        ("ok+cancel.ignored", "ok 0:queued 0:running 250:ok - +cancel.ignored"),
        ("fail+run.late(factor=2)", "fail 0:queued 0:running 16000:ok - +run.late(factor=2)"),
        ("fail+run.vanish+poll.stale", "fail 0:queued 0:running 200:fail SIM_FAIL +run.vanish +poll.stale"),
        ("hang+run.stuck_queued", "hang 0:queued - +run.stuck_queued"),
        ("ok+submit.lost_ack", "ok 0:queued 0:running 250:ok -"),
        ("ok+poll.status(503)", "ok 0:queued 0:running 250:ok -"),
    ],
)
def test_every_fault_of_a_job_is_spelled_behind_its_failure(script: str, line: str) -> None:
    """What befalls the submit's answer or a read is no part of it."""
    assert spelled(one_step(script).fate) == line


def test_a_fault_changes_the_fates_digest() -> None:
    """Two runs decided alike if their fates digests are equal, faults and all."""
    scripts = ["ok", "ok+cancel.ignored", "ok+cancel.slow", "ok+cancel.slow(ms=1)", "ok+run.vanish", "ok+poll.stale"]

    assert len({term_of(one_step(script)) % MODULUS for script in scripts}) == len(scripts)


# ---- traffic

HERE, THERE = Identity(bytes(16)), Identity(bytes([1] * 16))
EVENTS = [
    ("submit", HERE, (3,), "submit.lost_ack"),
    ("submit", HERE, (4,), "submit.lost_ack"),
    ("submit", THERE, (3,), "submit.lost_ack"),
    ("submit", HERE, (3,), "submit.cut_ack"),
    ("poll", HERE, (3, 0), "poll.reset"),
    ("poll", HERE, (0, 3), "poll.reset"),
    ("cancel", HERE, (3, 0), "poll.reset"),
    ("poll", HERE, (3,), "submit.lost_ack"),
    ("poll", HERE, (3, 0), "poll.slow(ms=1)"),
]


def traffic(events: Iterable[tuple[str, Identity, tuple[int, ...], str]]) -> str:
    sum_ = Traffic()
    for event in events:
        sum_.add(*event)
    return sum_.digest


def test_without_faults_the_traffic_digest_is_0() -> None:
    """A sum of nothing."""
    assert Traffic().digest == "0" * 16


def test_every_part_of_what_befell_counts() -> None:
    """What it was, whose, at which counters, and the fault."""
    assert len({traffic([event]) for event in EVENTS}) == len(EVENTS)


def test_the_order_in_which_things_befell_does_not_matter_but_each_of_them_does() -> None:
    """An order-independent sum; what came twice counts twice."""
    whole = traffic(EVENTS)

    assert traffic(reversed(EVENTS)) == whole
    assert len({traffic([*EVENTS[:n], *EVENTS[n + 1 :]]) for n in range(len(EVENTS))} | {whole}) == len(EVENTS) + 1
    assert traffic([*EVENTS, EVENTS[0], EVENTS[0]]) != whole, "what came three times does not cancel out"


@pytest.mark.parametrize(
    ("total", "text"),
    [
        (0, "0" * 16),
        (255, "00000000000000ff"),
        (MODULUS - 1, "f" * 16),
        (MODULUS, "0" * 16),
        (MODULUS + 1, "0" * 15 + "1"),
    ],
)
def test_a_digest_is_sixteen_hex_digits(total: int, text: str) -> None:
    """A sum modulo 2^64."""
    assert hexadecimal(total) == text
