"""`result.unicode`: success with a text that is valid and awkward."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dummyllm.core.faults.result_unicode import CLOSING, OPENING, awkward

REPLY = "How do you do."


@pytest.mark.parametrize(
    ("what", "characters"),
    [
        ("a byte order mark", "\ufeff"),
        ("a line separator", "\u2028"),
        ("a NEL", "\u0085"),
        ("a combining accent", "e\u0301"),
        ("an emoji joined by U+200D, of two astral characters", "\U0001f469\u200d\U0001f680"),
        ("Hebrew between bidi marks", "\u2067\u05e9\u05dc\u05d5\u05dd\u2069"),
        ("a NUL", "\0"),
    ],
)
def test_the_text_has_what_gets_lost_on_the_way(what: str, characters: str) -> None:
    """Awkward but valid."""
    assert characters in awkward(REPLY), what


@given(st.text())
def test_its_own_text_stands_unchanged_between_the_two_sentences(text: str) -> None:
    """A runner's record can be searched for what ELIZA said."""
    assert awkward(text) == OPENING + text + CLOSING


def test_the_text_is_valid() -> None:
    """UTF-8 without lone surrogates; JSON writes the NUL as an escape and gives everything back."""
    text = awkward(REPLY)

    assert text.encode().decode() == text
    assert json.loads(json.dumps(text)) == text
    assert "\\u0000" in json.dumps(text)


@pytest.mark.parametrize(
    "careless",
    [
        lambda text: unicodedata.normalize("NFC", text),
        lambda text: " ".join(text.splitlines()),
        lambda text: text.split("\0")[0],
        lambda text: text.replace("\ufeff", ""),
        lambda text: text.encode().decode("utf-8-sig"),
        lambda text: "".join(letter for letter in text if letter.isprintable()),
    ],
)
def test_whatever_is_careless_with_a_text_changes_it(careless) -> None:
    """Normalising, splitting at lines, cutting at a NUL, stripping marks: each leaves a trace."""
    assert careless(awkward(REPLY)) != awkward(REPLY)
