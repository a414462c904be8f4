"""How words become a sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dummyllm.eliza import read_script, reply
from dummyllm.eliza.limits import REPLY_CHARS_MAX
from dummyllm.eliza.speech import BUILT_IN, built_in, spoken

REST = "(MEMORY {my} (0=A) (0=B) (0=C) (0=D)) ({my} = {your} ((0 {your} 0) ({why} {your} 3 ?))) (NONE ((0) (GO ON)))"
CAPITALS = read_script("(HELLO THERE.)" + REST.format(my="MY", your="YOUR", why="WHY"))
NATURAL = read_script("(hello there.)" + REST.format(my="my", your="your", why="why"))


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["Go", "on", ",", "please", "."], "Go on, please."),
        (["what", "?"], "What?"),
        ([",", "so"], ", so"),
        (["élan"], "Élan"),
        (["ßo"], "ßo"),
        ([], ""),
    ],
)
def test_a_mark_sits_tight_against_the_word_before_it(words: list[str], text: str) -> None:
    """Other words are parted by one blank, and the first letter is a capital."""
    assert spoken(words, natural=True) == text


def test_a_script_in_capitals_answers_in_capitals() -> None:
    """As in 1966, whatever the user's letters."""
    assert reply(CAPITALS, ["my Dürer is große Kunst"], seed=None) == "WHY YOUR DÜRER IS GROßE KUNST?"
    assert reply(CAPITALS, [], seed=None) == "HELLO THERE."


def test_a_natural_script_keeps_its_spelling_and_the_user_s() -> None:
    """Only the first letter of the reply is made a capital."""
    assert reply(NATURAL, ["MY Dürer IS lost"], seed=None) == "Why your Dürer IS lost?"
    assert reply(NATURAL, [], seed=None) == "Hello there."


def test_the_built_in_lines_go_with_the_limit() -> None:
    """Four lines, and stops only where the script is natural."""
    assert [spoken(built_in(limit, natural=True), natural=True) for limit in (1, 2, 3, 4)] == list(BUILT_IN)
    assert spoken(built_in(3, natural=False), natural=False) == "GO ON, PLEASE"


def test_a_reply_ends_after_four_thousand_characters() -> None:
    """Whatever the script makes of a long word."""
    long = read_script("(Hi) (MEMORY my (0=a) (0=b) (0=c) (0=d)) (my ((0 my 0) (3 3 3 3 3))) (NONE ((0) (go on)))")

    assert len(reply(long, ["my " + "x" * 1_990], seed=None)) == REPLY_CHARS_MAX


@given(words=st.lists(st.text("abc,.!? \n", min_size=1), max_size=8), natural=st.booleans())
def test_what_is_said_begins_with_the_first_word(words: list[str], *, natural: bool) -> None:
    """No word is lost or reordered."""
    squeezed = "".join("".join(words).split()).lower()
    assert "".join(spoken(words, natural=natural).split()).lower() == squeezed
