"""Decisions: why a job got the fate it got."""

from __future__ import annotations

import math

import pytest

from dummyllm.core.decision import Decision, decisions_of
from dummyllm.core.draw import Luck, site_of, unit
from dummyllm.core.job import make_job
from dummyllm.core.mode import WEIGHABLE_MODES, Mode
from dummyllm.core.policy import Policy
from dummyllm.core.request import Identity, JobRequest
from dummyllm.core.timeline import State

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
