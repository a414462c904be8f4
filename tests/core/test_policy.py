"""The policy: the operator's choices that shape fates."""

from __future__ import annotations

from typing import Any

import pytest

from dummyllm.core.draw import Luck
from dummyllm.core.latency import Uniform
from dummyllm.core.mode import WEIGHABLE_MODES, Mode, winner
from dummyllm.core.policy import Policy
from dummyllm.core.replay import read_replay
from dummyllm.core.request import Identity
from dummyllm.core.rules import Rule, When
from dummyllm.core.script import read_script
from tests.core.chaos import policy_of


def test_the_defaults_are_those_of_the_contract() -> None:
    """Mode ok, latency 250 ms, seed 1337, weights ok=70,echo=10,slow=10,fail=5,hang=3,timeout=2,flaky=0."""
    policy = Policy()

    assert (policy.mode, policy.base_latency_ms, policy.seed) == (Mode.OK, 250, 1337)
    assert [weight for _, weight in policy.weights] == [70, 10, 10, 5, 3, 2, 0]
    assert tuple(mode for mode, _ in policy.weights) == WEIGHABLE_MODES


def test_if_all_weights_are_zero_every_job_is_ok() -> None:
    """If all weights are zero → defaults to `ok`."""
    for weights in (tuple((mode, 0) for mode in WEIGHABLE_MODES), ()):
        policy = Policy(mode=Mode.RANDOM, weights=weights)
        won = {winner(policy.race, Luck(1337, Identity(bytes(16)), ordinal)) for ordinal in range(100)}

        assert won == {Mode.OK}


def test_one_weight_above_zero_is_enough_not_to_be_ok() -> None:
    """The lenient rule is for all zeros only."""
    policy = Policy(mode=Mode.RANDOM, weights=tuple((mode, int(mode is Mode.HANG)) for mode in WEIGHABLE_MODES))

    assert winner(policy.race, Luck(1337, Identity(bytes(16)), 0)) is Mode.HANG


def test_clients_see_the_weights_only_in_mode_random() -> None:
    """random_weights (if random mode)."""
    weights = ((Mode.OK, 1), (Mode.FAIL, 0))

    assert Policy(mode=Mode.RANDOM, weights=weights).random_weights == {"ok": 1, "fail": 0}
    assert all(Policy(mode=mode, weights=weights).random_weights is None for mode in WEIGHABLE_MODES)


@pytest.mark.parametrize(
    "chosen",
    [
        {"script": read_script("ok")},
        {"submit_odds": policy_of("submit.reset=1").submit_odds},
        {"job_odds": policy_of("run.late=1").job_odds},
        {"poll_odds": policy_of("poll.slow=1").poll_odds},
        {"rules": (Rule(name="r", when=When(), policy=Policy()),)},
        {"replay": read_replay([])},
    ],
    ids=lambda chosen: next(iter(chosen)),
)
def test_a_policy_has_chaos_in_it_if_anything_but_modes_weights_and_latency_decides(chosen: dict[str, Any]) -> None:
    """None if a submit is always accepted, and decided by mode, weights and latency alone."""
    assert Policy(**chosen).chaos is not None
    assert Policy(mode=Mode.RANDOM, shape=Uniform(0.5, 1.5), seed=5, reply="x").chaos is None


def test_chaos_makes_no_policy_another() -> None:
    """It is where things are found, and no choice of the operator."""
    assert policy_of("submit.reset=1") == policy_of("submit.reset=1") != policy_of("submit.reset=2")


def test_policies_with_equal_choices_are_equal() -> None:
    """A policy is a value."""
    assert Policy(seed=1) == Policy(seed=1)
    assert hash(Policy(seed=1)) == hash(Policy(seed=1))
    assert Policy(seed=1) != Policy(seed=2)
