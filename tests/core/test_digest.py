"""The fates digest: one number that says that two runs decided alike."""

from __future__ import annotations

import random

import pytest

from dummyllm.core.digest import MODULUS, hexadecimal, spelled, term_of
from dummyllm.core.fate import Fate
from dummyllm.core.job import make_job
from dummyllm.core.mode import Mode
from dummyllm.core.policy import Policy
from dummyllm.core.request import Identity, JobRequest
from dummyllm.core.timeline import Moment, State


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
