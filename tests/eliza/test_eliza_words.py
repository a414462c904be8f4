"""What a word is, and when two are the same."""

from __future__ import annotations

import sys
import unicodedata
from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dummyllm.eliza.limits import MESSAGE_CHARS_MAX, MESSAGE_WORDS_MAX
from dummyllm.eliza.words import BLANKS, CAPITALS, COMPARED, HEARD, key_of, keys_of, words_of

ANY_TEXT = st.text(st.characters(codec=None, categories=None), max_size=60)  # surrogates and all


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("I am sad", ["I", "am", "sad"]),
        ("  tabs\tand\nnew\r\nlines  ", ["tabs", "and", "new", "lines"]),
        ("no,really.yes", ["no", ",", "really", ".", "yes"]),
        ("What?! Why; how: so", ["What", "?", "!", "Why", ";", "how", ":", "so"]),
        ("it is 3.5 or 1,000 at 10:30", ["it", "is", "3.5", "or", "1,000", "at", "10:30"]),
        ("in 1966.", ["in", "1966", "."]),
        ("I don\u2019t, I don\u00b4t", ["I", "don't", ",", "I", "don't"]),
        ("'quoted' dogs' 'cause", ["quoted", "dogs", "cause"]),
        ("\u201cso\u201d (they) [say] *loudly*", ["so", "they", "say", "loudly"]),
        ("wait\u2026 what \u2014 now\u3002", ["wait", ".", "what", ",", "now", "."]),
        ("nul\x00led \x7f", ["nul", "led"]),
        ("right\u200f\u202eto left", ["rightto", "left"]),
        ("lone \ud800 surrogate", ["lone", "\ufffd", "surrogate"]),
        ("cafe\u0301", ["caf\u00e9"]),
        ("f(x) = f x", ["f", "x", "=", "f", "x"]),
        ("", []),
        (" '\u200b' ", []),
        (".,.", [".", ",", "."]),
    ],
)
def test_a_message_is_cut_into_words_and_delimiters(message: str, words: list[str]) -> None:
    """Blanks part words, delimiters are words of their own, quotes and brackets vanish."""
    assert words_of(message) == words


def test_a_message_is_heard_up_to_its_two_thousandth_character() -> None:
    """The rest of a longer message is not there for ELIZA."""
    assert words_of("x" * (MESSAGE_CHARS_MAX - 2) + " y z")[-1] == "y"
    assert words_of("x" * (MESSAGE_CHARS_MAX - 1) + " y z")[-1] == "x" * (MESSAGE_CHARS_MAX - 1)


def test_a_message_is_heard_up_to_its_256th_word() -> None:
    """Delimiters are counted too."""
    assert words_of("a " * (MESSAGE_WORDS_MAX - 1) + ". b") == ["a"] * (MESSAGE_WORDS_MAX - 1) + ["."]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Boss", "BOSS"),
        ("\u00e9t\u00e9", "\u00c9T\u00c9"),
        ("\u043f\u0440\u0438", "\u041f\u0420\u0418"),
        ("\u03c3", "\u03a3"),
        ("\u03c2", "\u03a3"),
        ("don\u2019t", "DON'T"),
    ],
)
def test_words_are_the_same_whatever_their_case(one: str, other: str) -> None:
    """In ASCII, Latin, Greek and Cyrillic letters; the typographic apostrophe is the plain one."""
    assert key_of(one) == key_of(other)


@given(st.lists(st.text(st.characters(codec=None, categories=None, exclude_characters=" "), min_size=1, max_size=8)))
def test_the_keys_of_words_are_the_key_of_each_word(words: list[str]) -> None:
    """Reading them together is only faster."""
    assert keys_of(words) == [key_of(word) for word in words]


@given(ANY_TEXT)
def test_words_can_always_be_said(message: str) -> None:
    """No blank, no control character and no surrogate is left in a word, and no word is empty."""
    words = words_of(message)
    assert all(words)
    assert not any(ord(char) in BLANKS for word in words for char in word)
    "".join(words).encode()


@given(ANY_TEXT)
def test_cutting_a_message_again_changes_nothing(message: str) -> None:
    """Words joined with blanks are the same words, as long as no digits come to stand beside a mark."""
    words = words_of(message)
    assert words_of(" ".join(words)) == words


def test_the_letters_with_capitals_are_pinned() -> None:
    """The table is computed; were a later Python to compute another one, replies would change, and this test tells."""
    table = "".join(f"{chr(code)}{capital}" for code, capital in sorted(CAPITALS.items()))
    assert blake2b(table.encode(), digest_size=8).hexdigest() == "b1c3e525f8737160"
    assert len(CAPITALS) == 267


def test_tables_turn_one_character_into_one_at_most() -> None:
    """So a text never grows while it is read, and keys are cut where words are."""
    assert all(len(char) <= 1 for char in HEARD.values())
    assert all(len(char) == 1 for char in COMPARED.values())


def test_every_blank_that_unicode_knows_is_a_blank_of_ours() -> None:
    """The list is ours, but it misses none of this Python's blanks."""
    spaces = {code for code in range(sys.maxunicode + 1) if chr(code).isspace()}
    assert spaces <= {code for code, char in HEARD.items() if char == " "}


def test_marks_are_composed_as_in_unicode_3_2() -> None:
    """Where that version has no composed letter, later tables change nothing."""
    assert words_of("e\u0301 \u304b\u3099") == ["\u00e9", "\u304c"]
    late = "\U00016d67\U00016d67"  # Unicode 16 composes this pair
    assert words_of(late + "\u0301") == [unicodedata.ucd_3_2_0.normalize("NFC", late + "\u0301")]
