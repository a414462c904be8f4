"""The race: how a weighted choice falls."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dummyllm.core.draw import Luck
from dummyllm.core.mode import WEIGHABLE_MODES, WEIGHT_MAX, Mode, Race, times, winner
from dummyllm.core.request import Identity

HERE = Identity(bytes(16))
WEIGHTS = st.integers(0, 20) | st.integers(0, WEIGHT_MAX)
LUCK = st.builds(Luck, st.integers(-(10**60) + 1, 10**60 - 1), st.just(HERE), st.integers(0, 2**64 - 1))


class Always(Luck):
    """A luck in which the runners of every race draw the same numbers."""

    drawn: tuple[int, ...] = (0,) * 8

    def lanes(self, site: bytes) -> tuple[int, ...]:
        return self.drawn


def test_modes_are_those_of_the_environment() -> None:
    """DUMMYLLM_MODE=ok|echo|slow|fail|hang|timeout|flaky|random, and script."""
    spec = ["ok", "echo", "slow", "fail", "hang", "timeout", "flaky", "random"]

    assert [mode.value for mode in Mode] == [*spec, "script"]
    assert [*WEIGHABLE_MODES, Mode.RANDOM, Mode.SCRIPT] == list(Mode), "random cannot draw random, nor a script"


@settings(deadline=None, max_examples=300)
@given(
    st.fixed_dictionaries(dict.fromkeys(WEIGHABLE_MODES, WEIGHTS)).filter(lambda weights: any(weights.values())),
    st.sampled_from(WEIGHABLE_MODES),
    st.integers(1, WEIGHT_MAX),
    LUCK,
)
def test_raising_one_weight_moves_jobs_only_into_that_mode(
    weights: dict[Mode, int], raised: Mode, by: int, luck: Luck
) -> None:
    """A job either stays where it was or goes to the mode whose weight was raised."""
    before = winner(Race.of("mode", weights), luck)
    after = winner(Race.of("mode", {**weights, raised: weights[raised] + by}), luck)

    assert after in (before, raised)


def test_raising_one_weight_does_move_jobs_into_that_mode() -> None:
    """From 10 % to 90 %: of 2,000 jobs about 1,600 move, and none leaves or goes elsewhere."""
    small, large = {Mode.OK: 45, Mode.ECHO: 45, Mode.FAIL: 10}, {Mode.OK: 45, Mode.ECHO: 45, Mode.FAIL: 810}
    lucks = [Luck(1337, HERE, ordinal) for ordinal in range(2_000)]
    before = [winner(Race.of("mode", small), luck) for luck in lucks]
    after = [winner(Race.of("mode", large), luck) for luck in lucks]

    assert 1_500 < sum(was is not now for was, now in zip(before, after, strict=True)) < 1_700
    assert all(now is Mode.FAIL for was, now in zip(before, after, strict=True) if was is not now)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(WEIGHABLE_MODES), st.integers(1, WEIGHT_MAX), min_size=1), LUCK)
def test_the_winner_is_the_one_with_the_least_time(weights: dict[Mode, int], luck: Luck) -> None:
    """The option with the least −ln(u) / weight: the race that is run is the race that is shown."""
    race = Race.of("mode", weights)
    shown = {option: time for option, _, _, time in times(race, luck)}

    assert list(shown) == list(weights)
    assert all(time > 0 for time in shown.values())
    assert winner(race, luck) is min(shown, key=lambda option: shown[option])


NUMBERS = st.integers(0, 2**64 - 1) | st.integers(2**64 - 2**46, 2**64 - 1) | st.sampled_from([0, 2**63, 2**64 - 1])


@settings(deadline=None, max_examples=500)
@given(
    st.dictionaries(st.sampled_from(WEIGHABLE_MODES), st.integers(1, 9) | st.integers(1, WEIGHT_MAX), min_size=1),
    st.lists(NUMBERS, min_size=8, max_size=8),
)
def test_who_is_too_slow_to_run_would_not_have_won(weights: dict[Mode, int], numbers: list[int]) -> None:
    """A runner is left out if even 1 − u, which −ln(u) never undercuts, is too long: also where u is nearly 1."""
    luck, race = Always(1337, HERE, 0), Race.of("mode", weights)
    luck.drawn = tuple(numbers)
    shown = {option: time for option, _, _, time in times(race, luck)}

    assert winner(race, luck) is min(shown, key=lambda option: shown[option])


@settings(deadline=None)
@given(st.permutations([(Mode.OK, 3), (Mode.ECHO, 1), (Mode.FAIL, 0), (Mode.HANG, 2)]), LUCK)
def test_the_order_in_which_weights_are_written_does_not_matter(weights: list[tuple[Mode, int]], luck: Luck) -> None:
    """Every option runs on a draw of its own."""
    assert winner(Race.of("mode", dict(weights)), luck) is winner(Race.of("mode", dict(sorted(weights))), luck)


@settings(deadline=None)
@given(st.sampled_from(WEIGHABLE_MODES), st.integers(1, WEIGHT_MAX), LUCK)
def test_an_option_alone_always_wins(mode: Mode, weight: int, luck: Luck) -> None:
    """An option of weight 0 does not start."""
    race = Race.of("mode", {**dict.fromkeys(WEIGHABLE_MODES, 0), mode: weight})

    assert len(race.runners) == 1
    assert winner(race, luck) is mode


def test_a_race_without_runners_is_a_mistake_of_ours() -> None:
    """At least one option must have a weight above 0; the policy sees to that."""
    with pytest.raises(AssertionError, match="no runner with a weight above 0"):
        Race.of("mode", {Mode.OK: 0})


@pytest.mark.parametrize("number", [0, 2**64 - 1])
@pytest.mark.parametrize("weight", [1, WEIGHT_MAX])
def test_a_race_has_a_winner_at_both_ends_of_the_draw(number: int, weight: int) -> None:
    """No logarithm of 0, no division by 0; of two that come home together the one that stands first wins."""
    luck = Always(1337, HERE, 0)
    luck.drawn = (number,) * 8
    race = Race.of("mode", {Mode.ECHO: weight, Mode.OK: weight})

    assert winner(race, luck) is Mode.ECHO
    assert all(0 < time < float("inf") for *_, time in times(race, luck))


def test_an_option_keeps_its_lane_whoever_else_runs() -> None:
    """An option's lane is its place among all members of its enum, so no weight moves another option's draw."""
    alone = {mode: lane for mode in WEIGHABLE_MODES for _, _, lane in Race.of("mode", {mode: 1}).runners}
    together = {mode: lane for mode, _, lane in Race.of("mode", dict.fromkeys(reversed(WEIGHABLE_MODES), 1)).runners}

    assert alone == together == {mode: place for place, mode in enumerate(WEIGHABLE_MODES)}


def test_races_of_two_names_are_independent() -> None:
    """The site keeps draws apart: a new race never shifts an old one."""
    mode, other = Race.of("mode", {Mode.OK: 1, Mode.FAIL: 1}), Race.of("other", {Mode.OK: 1, Mode.FAIL: 1})
    lucks = [Luck(1337, HERE, ordinal) for ordinal in range(1_000)]
    alike = sum(winner(mode, luck) is winner(other, luck) for luck in lucks)

    assert 420 < alike < 580
