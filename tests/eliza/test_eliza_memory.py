"""The hash of 1966, by which one of four ways to remember is chosen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dummyllm.eliza import explain
from dummyllm.eliza.memory import BCD, WAY_BITS, hashed, last_cell
from tests.eliza.scripted import script_of


def test_the_hash_gives_the_value_that_the_paper_of_1966_names() -> None:
    """Seven bits from the middle of the square of ALWAYS are 14."""
    assert hashed(last_cell("ALWAYS"), 7) == 14


@pytest.mark.parametrize(
    ("word", "way"),
    [("PURPOSE", 1), ("DEVONSHIRE", 0), ("PREDICAMENT", 3), ("EXECUTIONERS", 3), ("GLOUCESTERSHIRE", 2)],
)
def test_the_hash_chooses_as_the_program_did_on_an_emulated_7094(word: str, way: int) -> None:
    """Of a word longer than six characters only the last cell counts."""
    assert hashed(last_cell(word), WAY_BITS) == way


def test_a_cell_holds_six_characters_of_six_bits() -> None:
    """Short words are filled up with blanks, code 60 in octal."""
    assert last_cell("A") == 0o216060606060
    assert last_cell("ABCDEF") == 0o212223242526
    assert last_cell("ABCDEFG") == 0o276060606060
    assert last_cell("") == 0o606060606060


def test_the_sign_of_a_cell_does_not_count() -> None:
    """Of the 36 bits the first is dropped before the number is squared."""
    cell = last_cell("MOTHER")

    assert cell >> 35 == 1
    assert hashed(cell, 7) == hashed(cell - 2**35, 7)


def test_the_characters_of_the_7094_have_their_codes() -> None:
    """Sixteen to a row, four rows."""
    assert len(BCD) == 64
    assert [BCD.index(char) for char in "09='+A.)-J$* /S,("] == [
        0,
        9,
        11,
        12,
        16,
        17,
        27,
        28,
        32,
        33,
        43,
        44,
        48,
        49,
        50,
        59,
        60,
    ]


def test_other_characters_count_by_the_low_bits_of_their_bytes() -> None:
    """In UTF-8, six bits of each byte; even a lone surrogate has bytes."""
    assert last_cell("\u00e9") == int("03" + "51" + "60" * 4, 8)
    assert last_cell("\ud800") == int("55" + "40" + "00" + "60" * 3, 8)


@given(st.text(max_size=20), st.integers(1, 30))
def test_the_hash_has_so_many_bits_as_are_asked_for(word: str, bits: int) -> None:
    """Whatever the word."""
    assert 0 <= hashed(last_cell(word), bits) < 2**bits


def test_each_of_the_four_ways_is_taken_for_some_word() -> None:
    """By the last word of the clause, after substitution."""
    words = ["DEVONSHIRE", "PURPOSE", "GLOUCESTERSHIRE", "PREDICAMENT"]
    turns = explain(script_of(""), [f"mine {word}, and no more" for word in words], seed=None)

    assert [turn.remembered[0][0] for turn in turns] == ["FIRST", "SECOND", "THIRD", "FOURTH"]
