"""The draw: a number that depends on nothing but seed, identity, counter and site."""

from __future__ import annotations

import random
import re
from itertools import product

import pytest

from dummyllm.core.draw import SEED_DIGITS_MAX, Luck, site_of
from dummyllm.core.request import Identity

HERE = Identity(bytes(range(16)))
SITE = site_of("mode:ok")


class Always(Luck):
    """A luck that draws the same number at every site."""

    drawn = 0

    def number(self, site: bytes) -> int:
        return self.drawn


def always(number: int) -> Luck:
    """Return a luck that draws *number* at every site."""
    luck = Always(1337, HERE, 0)
    luck.drawn = number
    return luck


def test_the_lanes_of_a_site_are_eight_numbers_of_their_own() -> None:
    """A decision that needs several numbers at once takes them from one digest, its eight lanes."""
    lanes = Luck(1337, HERE, 0).lanes(SITE)

    assert len(set(lanes)) == 8
    assert all(0 <= lane < 2**64 for lane in lanes)
    assert not set(lanes) & set(Luck(1337, HERE, 0).lanes(site_of("other")))
    assert not set(lanes) & set(Luck(1337, HERE, 1).lanes(SITE))
    assert not set(lanes) & set(Luck(1338, HERE, 0).lanes(SITE))


def test_a_draw_depends_on_each_of_its_four_parts() -> None:
    """Seed, identity, counter and site: change one, and it is another number."""
    seeds, identities, counters, sites = (0, 1, -1, 10), (HERE, Identity(bytes(16))), (0, 1, 256), (SITE, site_of("x"))
    numbers = {
        Luck(seed, identity, counter).number(site)
        for seed, identity, counter, site in product(seeds, identities, counters, sites)
    }

    assert len(numbers) == 4 * 2 * 3 * 2


def test_the_digest_of_a_site_is_its_number() -> None:
    """Many decisions about one thing begin with the same bytes: worked through once, they come to the same numbers."""
    luck = Luck(1337, HERE, 3)
    digest_at = luck.digests()
    sites = [site_of(f"site:{number}") for number in range(20)]

    assert [digest_at(site) for site in (*sites, *sites)] == [
        luck.number(site).to_bytes(8, "big") for site in sites
    ] * 2


def test_draws_have_no_order() -> None:
    """There is no generator: a draw is the same however many were taken before, and at whichever site."""
    sites = [site_of(f"site:{number}") for number in range(50)]
    alone = {site: Luck(7, HERE, 3).number(site) for site in sites}
    luck = Luck(7, HERE, 3)
    shuffled = random.Random(1).sample(sites * 2, 100)

    assert [luck.number(site) for site in shuffled] == [alone[site] for site in shuffled]


@pytest.mark.parametrize("number", [0, 1, 4095, 4096, 2**63, 2**64 - 4097, 2**64 - 4096, 2**64 - 1])
def test_a_fraction_lies_strictly_between_0_and_1(number: int) -> None:
    """It is ((n >> 12) + ½) / 2^52, always inside (0, 1), also at both ends of n."""
    u = always(number).at(SITE)

    assert 0 < u < 1
    assert u == ((number >> 12) + 0.5) / 2**52
    assert u * 2**53 == 2 * (number >> 12) + 1, "no bit was rounded away"


@pytest.mark.parametrize("seed", [0, -1, 1337, 10**SEED_DIGITS_MAX - 1, -(10**SEED_DIGITS_MAX) + 1])
def test_every_seed_of_sixty_digits_has_draws_and_ids(seed: int) -> None:
    """The key of a draw is the seed's decimal digits, at most 60, and a sign."""
    luck = Luck(seed, HERE, 0)

    assert 0 < luck.at(SITE) < 1
    assert re.fullmatch("job_[0-9a-f]{24}", luck.job_id())


def test_an_id_depends_on_seed_identity_and_ordinal() -> None:
    """Ids: BLAKE2b over seed, identity, ordinal; the same run has the same ids."""
    ids = {Luck(seed, Identity(bytes([i] * 16)), n).job_id() for seed, i, n in product((1, 2), (1, 2), (0, 1, 2**40))}

    assert len(ids) == 12
    assert Luck(1, HERE, 0).job_id() == Luck(1, HERE, 0).job_id()
