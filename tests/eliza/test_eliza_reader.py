"""The script format of 1966, and what its reader says about mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dummyllm.eliza import Script, ScriptError, read_script
from dummyllm.eliza.rules import Link, NewKey, Pre, Words
from tests.eliza.scripted import FRAME, script_of

MISTAKES = Path(__file__).parents[1] / "golden" / "eliza_mistakes.txt"
REST = "(MEMORY K (0=A) (0=B) (0=C) (0=D)) (K ((0) (YES))) (NONE ((0) (NO)))"


def complaint(text: str) -> str:
    """Return what the reader says about *text*."""
    with pytest.raises(ScriptError) as caught:
        read_script(text, source="bad.eliza")
    return str(caught.value)


def test_a_rule_has_a_front_and_transformations() -> None:
    """Keyword, substitute, precedence and tags, then decompositions and at most one link."""
    script = script_of(
        "(DAD = FATHER 7 DLIST(/FAMILY NOUN) ((0 FATHER 0) (WHO IS 3 ?) (NEWKEY)) ((0) (=MOM)) (=MOM)) (MOM (=DAD))"
    )
    dad = script.keywords["DAD"]

    said = ("WHO", "IS", 3, "?")

    assert (dad.substitute, dad.precedence, dad.tags, dad.link) == ("FATHER", 7, ("FAMILY", "NOUN"), "MOM")
    assert [str(decomposition.pattern.source) for decomposition in dad.decompositions] == ["(0 FATHER 0)", "(0)"]
    assert dad.decompositions[0].cycle == (Words(said, said, parts=(3,)), NewKey())
    assert dad.decompositions[1].cycle == (Link("MOM"),)


def test_pre_rewrites_before_it_links() -> None:
    """`(PRE (WORDS …) (=X))` is an entry like any other."""
    entry = script_of("(A ((0 A 0) (PRE (1 B 3) (=A))))").keywords["A"].decompositions[0].cycle[0]

    assert entry == Pre(Words((1, "B", 3), (1, "B", 3), parts=(1, 3)), "A")
    assert str(entry) == "(PRE (1 B 3) (=A))"


def test_comments_line_ends_and_a_byte_order_mark_are_no_matter() -> None:
    """A comment runs from `;` to the end of its line."""
    script = read_script(f"\ufeff; so it begins (\r\n(HI THERE) ; not ) this\r\n\t{REST}\r\n")

    assert script.greeting == ("HI", "THERE")
    assert set(script.keywords) == {"K"}


def test_the_first_list_is_the_greeting_and_start_may_follow() -> None:
    """START and the empty list at the end are of 1966; both may be left out."""
    assert read_script(f"(HI) START {REST} ()").keywords.keys() == read_script(f"(HI) {REST}").keywords.keys()


def test_digits_end_where_anything_else_begins() -> None:
    """`3?` is a part and a question mark, `'AM'` is one word, and a number in the greeting is just a number."""
    script = script_of("(A ((0 A 0) (WHY 3? 'AM' X3)))")

    assert script.keywords["A"].decompositions[0].cycle[0].words == ("WHY", 3, "?", "'AM'", "X3")
    assert read_script(f"(IN 1966) {REST}").greeting == ("IN", "1966")


def test_a_keyword_may_be_called_none_or_memory_in_small_letters() -> None:
    """The words of the format are in capitals."""
    script = read_script(f"(Hi) (none ((0) (None?))) (memory ((0) (Yours?))) {REST}")

    assert {"NONE", "MEMORY", "K"} == set(script.keywords)
    assert script.none.key not in script.keywords


def mistakes() -> list[tuple[str, str]]:
    """Return the scripts of the golden file, `...` standing for the rest of a script, and what is said about each."""
    blocks = MISTAKES.read_text(encoding="utf-8").removesuffix("\n").split("\n----\n")
    return [(text.replace("...", REST), said) for text, said in (block.split("\n! ") for block in blocks)]


@pytest.mark.parametrize(("text", "said"), mistakes())
def test_a_mistake_is_told_with_its_line_and_what_would_be_right(text: str, said: str) -> None:
    """The message names file and line, repeats what is there, and shows the form."""
    assert said in complaint(text).splitlines()


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    """An author mends a script in one pass."""
    lines = complaint("(HI)\n(A ((0) (1 2)))\n(B (=C))\n(A ((0) (X)))").splitlines()

    assert [line.split(":")[1] for line in lines] == ["1", "1", "2", "3", "4"]


def test_a_flood_of_mistakes_is_cut_short() -> None:
    """Fifty are told, the others counted."""
    lines = complaint("(HI)" + "\nNO" * 60 + REST).splitlines()

    assert len(lines) == 51
    assert lines[-1] == "bad.eliza: and 10 more"


@pytest.mark.parametrize(
    ("text", "natural"), [(f"(HI) {REST}", False), (f"(Hi) {REST}", True), (f"; hi\n(HI) {REST}", False)]
)
def test_a_script_is_natural_as_soon_as_it_has_a_small_letter(text: str, *, natural: bool) -> None:
    """Comments aside."""
    assert read_script(text).natural is natural


TOKENS = st.sampled_from(
    [
        *(
            "(",
            ")",
            "((0)",
            "(=",
            "=",
            "0",
            "3",
            "1)",
            "A",
            "MY",
            "(/T)",
            "(*A B)",
            "()",
            "\n",
            ";",
            "\ud800",
            "9" * 5000,
        ),
        *("NONE", "MEMORY", "PRE", "NEWKEY", "DLIST", "START"),
    ],
)


@settings(max_examples=150)
@given(st.one_of(st.text(max_size=80), st.lists(TOKENS, max_size=40).map(" ".join)))
def test_any_text_is_a_script_or_a_script_error(text: str) -> None:
    """Whatever is in the file, nothing else comes out; and put where rules belong, it does no harm either."""
    for script in (text, FRAME.format(rules=text)):
        try:
            assert isinstance(read_script(script), Script)
        except ScriptError as error:
            assert all(line.startswith("script:") for line in str(error).split("\n"))  # noqa: PT017


def test_a_hundred_thousand_parentheses_are_refused() -> None:
    """Depth is counted, not recursed into."""
    assert complaint("(" * 100_000) == "bad.eliza:1: lists are nested deeper than 8"
