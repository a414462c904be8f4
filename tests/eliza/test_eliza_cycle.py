"""Where a cycle starts, with a seed and without."""

from __future__ import annotations

from collections import Counter
from hashlib import blake2b

from dummyllm.eliza import explain, reply
from dummyllm.eliza.cycle import drawn, start_of
from tests.eliza.scripted import script_of, talked

FIVE = script_of("(A ((0) (ONE) (NEWKEY) (TWO) (NEWKEY) (THREE)))").keywords["A"].decompositions[0]


def test_without_a_seed_every_cycle_starts_at_its_first_entry() -> None:
    """As in 1966, even if that is a NEWKEY."""
    assert talked(script_of("(A ((0) (NEWKEY) (ONE)))"), "a", "a", seed=None) == ["NONE ONE", "ONE"]


def test_a_seed_spreads_starts_evenly_and_never_over_a_newkey() -> None:
    """Each other entry gets its share of a thousand seeds, within a tenth or so."""
    starts = Counter(start_of(FIVE, seed) for seed in range(999))

    assert set(starts) == {0, 2, 4}
    assert all(280 < times < 390 for times in starts.values())


def test_a_cycle_of_newkeys_starts_at_the_first() -> None:
    """There is nothing better to start at."""
    only = script_of("(A ((0) (NEWKEY) (NEWKEY)))").keywords["A"].decompositions[0]

    assert {start_of(only, seed) for seed in range(50)} == {0}


def test_a_seeded_cycle_uses_every_entry_before_it_repeats_one() -> None:
    """The seed moves the start and keeps the order."""
    for seed in range(20):
        said = talked(script_of("(A ((0) (1) (ONE) (TWO) (THREE) (FOUR)))"), *["a"] * 10, seed=seed)
        assert len(set(said[:5])) == 5
        assert said[:5] == said[5:]


def test_decompositions_and_keywords_start_apart() -> None:
    """The start hangs on keyword and place in the rule, so that one seed does not mean one place everywhere."""
    rule = "((0 X 0) (1A) (2A)) ((0) (1A) (2A))".replace("1A", "ONE").replace("2A", "TWO")
    script = script_of(f"(A {rule}) (B {rule})")
    starts = {tuple(talked(script, "a x", "a", "b x", "b", seed=seed)) for seed in range(200)}

    assert len(starts) == 16


def test_the_draw_is_blake2b_of_the_published_bytes() -> None:
    """`eliza`, the seed in decimal, the keyword in capitals, the decomposition from 1, with a NUL between."""
    expected = int.from_bytes(blake2b(b"eliza\x001337\x00SORRY\x002", digest_size=8).digest(), "big")

    assert script_of("(sorry ((X) (1)) ((0) (1)))").keywords["SORRY"].decompositions[1].site == "SORRY\x002"
    assert drawn(1337, "SORRY\x002") == expected


def test_the_memory_hash_does_not_depend_on_the_seed() -> None:
    """What is remembered, and how, is as in 1966."""
    script = script_of("")
    remembered = {explain(script, ["mine purpose"], seed=seed)[0].remembered for seed in [None, *range(50)]}

    assert remembered == {(("SECOND", "purpose"),)}


def test_a_seed_may_be_any_whole_number() -> None:
    """Also a negative one, or one of sixty digits."""
    script = script_of("")

    assert {reply(script, ["x"], seed=seed) for seed in (-1, 0, 10**60 - 1)} <= {"NONE ONE", "NONE TWO", "NONE THREE"}
