"""Which faults befall something: each drawn for itself, and of those that exclude each other one served."""

from __future__ import annotations

from collections.abc import Callable
from math import erfc, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dummyllm.core.draw import Luck, site_of
from dummyllm.core.faults.drawn import (
    Odds,
    fired,
    fired_at_read,
    first_fired,
    odds_of,
    read_site,
    served,
    swarm,
)
from dummyllm.core.faults.fault import Fault
from dummyllm.core.faults.kind import Unit
from dummyllm.core.faults.registry import KINDS
from dummyllm.core.grammar import WHOLE
from dummyllm.core.request import Identity
from tests.core.chaos import HERE, fault, listed, texts

USAGES = [kind.usage for kind in KINDS.values()]
LUCK = st.builds(Luck, st.integers(-(10**60) + 1, 10**60 - 1), st.just(HERE), st.integers(0, 2**64 - 1))
SHARES = st.dictionaries(st.sampled_from(USAGES), st.integers(0, WHOLE))
Shares = dict[str, int]


class Always(Luck):
    """A luck that draws the same number at every site."""

    drawn = 0

    def number(self, site: bytes) -> int:
        return self.drawn

    def digests(self) -> Callable[[bytes], bytes]:
        return lambda site: self.drawn.to_bytes(8, "big")


def always(number: int) -> Luck:
    luck = Always(1337, HERE, 0)
    luck.drawn = number
    return luck


def odds(shares: Shares, unit: Unit | None = None) -> tuple[Odds, ...]:
    """Return the odds of faults with these millionths: of *unit*, or of every one."""
    faults = [(fault(text), share) for text, share in shares.items()]
    units = Unit if unit is None else [unit]
    return tuple(one for each in units for one in odds_of(faults, each))


def every_one_fired(shares: Shares, luck: Luck, n: int) -> set[str]:
    """Return the faults that fire, of whatever unit; those of unit poll at the *n*-th read."""
    of_poll = odds(shares, Unit.POLL)
    others = odds(shares, Unit.SUBMIT) + odds(shares, Unit.JOB)
    return {*texts(fired(others, luck)), *texts(fired_at_read(of_poll, luck, n))}


# ---- the comparison


@pytest.mark.parametrize(
    ("millionths", "number", "fires"),
    [
        (1, 0, True),
        (1, 18_446_744_073_709, True),  # 2^64 / 10^6 is 18446744073709.551616
        (1, 18_446_744_073_710, False),
        (500_000, 2**63 - 1, True),
        (500_000, 2**63, False),
        (WHOLE, 2**64 - 1, True),
        (999_999, 2**64 - 1, False),
        (999_999, 2**64 - 18_446_744_073_710, True),
        (999_999, 2**64 - 18_446_744_073_709, False),
    ],
)
def test_a_share_fires_below_its_part_of_all_numbers(millionths: int, number: int, *, fires: bool) -> None:
    """A percentage of m millionths fires when n × 1,000,000 < m × 2^64, in integers."""
    luck = always(number)

    assert bool(fired(odds({"run.late": millionths}), luck)) is fires
    assert bool(first_fired(odds({"submit.reset": millionths}), luck)) is fires
    assert bool(fired_at_read(odds({"poll.reset": millionths}), luck, 3)) is fires
    assert Odds.of(fault("run.late"), millionths).fires(number) is fires


@given(st.integers(1, WHOLE), st.integers(0, 2**64 - 1), st.integers(-1, 1))
def test_a_digest_says_what_its_number_does(millionths: int, number: int, beside: int) -> None:
    """Bytes of one length are ordered as the numbers that they are, at the edge of every share and far from it."""
    one = Odds.of(fault("run.late"), millionths)
    edge = min(max(-(-(millionths << 64) // WHOLE) + beside, 0), 2**64 - 1)
    for each in (number, edge):
        assert (each.to_bytes(8, "big") < one.below) is one.fires(each) is (each * WHOLE < millionths << 64)


def test_a_share_of_nothing_is_not_drawn() -> None:
    """Sites with weight 0 are not drawn."""
    assert odds(dict.fromkeys(USAGES, 0)) == ()
    assert [one.fault.text for one in odds({"run.late": 0, "run.vanish": 1})] == ["run.vanish"]


# ---- sites


@pytest.mark.parametrize(
    ("text", "site"),
    [
        ("submit.lost_ack", "submit.lost_ack"),
        ("submit.status(429,retry_after=2)", "submit.status(429)"),
        ("run.late(factor=2)", "run.late"),
    ],
)
def test_a_fault_is_drawn_at_its_name_and_positional_argument(text: str, site: str) -> None:
    """Changing `retry_after` moves no draw."""
    assert Odds.of(fault(text), 1).site == site_of(site)


@pytest.mark.parametrize(
    ("n", "site"), [(0, "poll.status(503)#0"), (7, "poll.status(503)#7"), (10**6, "poll.status(503)#1000000")]
)
def test_a_read_is_drawn_at_the_faults_site_and_its_number(n: int, site: str) -> None:
    """Reads of a job count from 0."""
    assert read_site(Odds.of(fault("poll.status(503,retry_after=2)"), 1), n) == site_of(site)


def test_a_fault_draws_the_number_of_its_site() -> None:
    """With the luck of the submit or of the job."""
    half = odds({"run.late": 500_000})
    for ordinal in range(100):
        luck = Luck(1337, HERE, ordinal)
        assert bool(fired(half, luck)) is (luck.number(site_of("run.late")) < 2**63)


# ---- laws


@settings(deadline=None, max_examples=200)
@given(SHARES, st.sampled_from(USAGES), st.integers(1, WHOLE), LUCK, st.integers(0, 50))
def test_switching_one_fault_on_changes_no_other_decision(
    shares: Shares, added: str, share: int, luck: Luck, n: int
) -> None:
    """Every site has a draw of its own."""
    without = {text: each for text, each in shares.items() if text != added}

    assert every_one_fired({**without, added: share}, luck, n) - {added} == every_one_fired(without, luck, n)


@settings(deadline=None, max_examples=200)
@given(SHARES, st.data(), LUCK, st.integers(0, 50))
def test_raising_a_share_only_adds_to_what_it_befell(shares: Shares, data: st.DataObject, luck: Luck, n: int) -> None:
    """A higher percentage only adds to what a lower one befell."""
    higher = {text: data.draw(st.integers(share, WHOLE)) for text, share in shares.items()}

    assert every_one_fired(shares, luck, n) <= every_one_fired(higher, luck, n)


@settings(deadline=None)
@given(st.permutations(USAGES), LUCK)
def test_the_order_in_which_faults_are_written_does_not_matter(written: list[str], luck: Luck) -> None:
    """They are served in the order of the registry."""
    for unit in Unit:
        ordered = odds(dict.fromkeys(USAGES, 500_000), unit)
        shuffled = odds(dict.fromkeys(written, 500_000), unit)
        assert shuffled == ordered
        assert first_fired(shuffled, luck) == next(iter(fired(ordered, luck)), None)


def test_of_two_with_one_name_the_one_that_was_written_first_is_served() -> None:
    """Two statuses are two sites and one place in the registry."""
    found = odds({"submit.status(503)": WHOLE, "submit.status(429)": WHOLE, "submit.reset": WHOLE})

    assert [one.fault.text for one in found] == ["submit.status(503)", "submit.status(429)", "submit.reset"]


def test_odds_are_told_apart_by_their_unit() -> None:
    """Unit submit, job and poll are drawn at different times."""
    all_of_them = listed(", ".join(f"{usage}=1" for usage in USAGES))
    by_unit = {unit: [one.fault.kind.unit for one in odds_of(all_of_them, unit)] for unit in Unit}

    assert all(set(units) == {unit} for unit, units in by_unit.items())
    assert sum(map(len, by_unit.values())) == len(USAGES)


# ---- exclusion


@settings(deadline=None)
@given(st.lists(st.sampled_from(USAGES)))
def test_of_those_that_exclude_each_other_the_first_is_left(written: list[str]) -> None:
    """… in the order in which they were given; what is left stands in the order of the registry."""
    faults = tuple(map(fault, written))
    left = served(faults)
    firsts = {one.kind.excludes: one for one in reversed(faults)}

    assert {*left} == {*firsts.values()}
    assert [*map(rank, left)] == sorted(map(rank, left))


def rank(one: Fault) -> int:
    return list(KINDS).index(one.kind.name)


# ---- rates

DRAWS, PERCENT = 20_000, 5


@pytest.mark.parametrize("usage", USAGES)
def test_a_fault_befalls_as_many_as_its_percentage_says(usage: str) -> None:
    """Of 20,000 decisions about so many in a hundred: chi-square p > 0.001, as the seed would have it."""
    mine = odds({usage: PERCENT * WHOLE // 100})
    is_of_poll = mine[0].fault.kind.unit is Unit.POLL
    lucks = [Luck(1337, HERE, counter // 10 if is_of_poll else counter) for counter in range(DRAWS)]
    seen = sum(
        len(fired_at_read(mine, luck, number % 10) if is_of_poll else fired(mine, luck))
        for number, luck in enumerate(lucks)
    )

    assert p_of(seen, DRAWS, PERCENT / 100) > 0.001, seen


def test_a_rate_that_is_a_little_wrong_is_noticed() -> None:
    """The test can fail: what befalls 5 % is not taken for 6 %."""
    mine = odds({"run.late": 50_000})
    seen = sum(len(fired(mine, Luck(1337, HERE, counter))) for counter in range(DRAWS))

    assert p_of(seen, DRAWS, 0.05) > 0.001
    assert p_of(seen, DRAWS, 0.06) < 0.001
    assert p_of(seen, DRAWS, 0.04) < 0.001


@pytest.mark.parametrize(("statistic", "p"), [(3.841, 0.05), (6.635, 0.01), (10.828, 0.001)])
def test_the_chi_square_distribution_is_that_of_the_tables(statistic: float, p: float) -> None:
    """Critical values for one degree of freedom, as printed in any table of the distribution."""
    assert chi_square_above(statistic) == pytest.approx(p, rel=2e-3)


def p_of(seen: int, draws: int, share: float) -> float:
    """Return how probable it is that this *share* of so many *draws* differs from it by as much as *seen*, or more."""
    expected = draws * share
    return chi_square_above((seen - expected) ** 2 / expected + (seen - expected) ** 2 / (draws - expected))


def chi_square_above(statistic: float) -> float:
    return erfc(sqrt(statistic / 2))


def test_faults_fire_independently_of_each_other() -> None:
    """They draw independently: of two at 50 % each, both fire in a quarter of all cases."""
    both = odds({"run.late": 500_000, "cancel.ignored": 500_000})
    seen = sum(len(fired(both, Luck(1337, HERE, counter))) == 2 for counter in range(DRAWS))

    assert p_of(seen, DRAWS, 0.25) > 0.001, seen


# ---- swarm

EVERY = listed(", ".join(f"{usage}=5" for usage in USAGES))


def test_a_swarm_is_about_half_of_the_faults() -> None:
    """A seeded half of the faults: each is in or out, with its share, by a draw of its own."""
    swarms = [swarm(EVERY, seed) for seed in range(1_000)]

    assert all(set(one) <= set(EVERY) for one in swarms)
    assert p_of(sum(map(len, swarms)), 1_000 * len(EVERY), 0.5) > 0.001
    for place, each in enumerate(EVERY):
        assert 430 < sum(each in one for one in swarms) < 570, USAGES[place]


def test_swarms_of_two_seeds_differ_in_kind() -> None:
    """Runs of many seeds differ in kind and not only in detail; the same seed leaves out the same ones."""
    assert swarm(EVERY, 7) == swarm(EVERY, 7)
    assert len({swarm(EVERY, seed) for seed in range(100)}) == 100


@settings(deadline=None)
@given(st.lists(st.sampled_from(EVERY), unique=True), st.sampled_from(EVERY), st.integers(-(10**60) + 1, 10**60 - 1))
def test_adding_a_fault_to_a_swarm_moves_no_other(
    faults: list[tuple[Fault, int]], added: tuple[Fault, int], seed: int
) -> None:
    """Each fault is in or out by a draw of its own."""
    without = [one for one in faults if one != added]

    assert tuple(one for one in swarm([*without, added], seed) if one != added) == swarm(without, seed)


def test_a_fault_is_in_when_its_draw_is_below_the_half() -> None:
    """At the site `swarm:SITE`, with the identity of sixteen zero bytes and the counter 0."""
    luck = Luck(42, Identity(bytes(16)), 0)

    assert swarm(EVERY, 42) == tuple(one for one in EVERY if luck.number(site_of(f"swarm:{one[0].site}")) < 2**63)
