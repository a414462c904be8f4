"""Which clauses a pattern fits, and which words its parts take."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dummyllm.eliza.match import Part, Pattern, Span, match, pattern_of
from tests.eliza.scripted import script_of

if TYPE_CHECKING:
    from collections.abc import Sequence


def pattern(text: str) -> Pattern:
    """Return the pattern that *text* spells."""
    return (
        script_of(f"(KEY ((0) (YES))) (NOISE DLIST(/TAG OTHER)) (HUM DLIST(/ TAG)) (X (({text}) (YES)))")
        .keywords["X"]
        .decompositions[0]
        .pattern
    )


def taken(text: str, clause: str) -> list[str] | None:
    """Return what each part of the pattern *text* takes of *clause*."""
    words = clause.split()
    spans = match(pattern(text), words)
    return None if spans is None else [" ".join(words[start:end]) for start, end in spans]


@pytest.mark.parametrize(
    ("text", "clause", "parts"),
    [
        ("0", "", [""]),
        ("0", "A B", ["A B"]),
        ("A B", "A B", ["A", "B"]),
        ("A B", "A B C", None),
        ("A B", "A", None),
        ("0 A 0", "X A Y", ["X", "A", "Y"]),
        ("0 A 0", "A A", ["", "A", "A"]),  # the leftmost place
        ("0 A", "A X A", ["A X", "A"]),  # but at the end the last
        ("0 A 0", "X Y", None),
        ("2 A 0", "X Y A Z", ["X Y", "A", "Z"]),
        ("2 A 0", "X A Z", None),
        ("0 2", "X Y Z", ["X", "Y Z"]),
        ("0 1 A 0", "A X A", ["A", "X", "A", ""]),
        ("0 0", "X Y", ["", "X Y"]),
        ("0 A 1 B 0", "A B A X B", ["A B", "A", "X", "B", ""]),
        ("0 (*A B) 0", "X B Y", ["X", "B", "Y"]),
        ("0 (* A B ) 0", "X B Y", ["X", "B", "Y"]),
        ("0 (/TAG) 0", "X HUM", ["X", "HUM", ""]),
        ("0 (/OTHER) 0", "X HUM", None),
        ("0 (/ TAG) (/TAG)", "NOISE HUM", ["", "NOISE", "HUM"]),
        ("a (*b c)", "A C", ["A", "C"]),  # small letters are compared as capitals
        ("A 0 A", "A", None),  # one word cannot be two parts
    ],
)
def test_a_pattern_takes_the_clause_apart(text: str, clause: str, parts: list[str] | None) -> None:
    """`0` takes any number of words, `n` takes n, a list one of its words, a tag one of the words that carry it."""
    assert taken(text, clause) == parts


def patient(parts: Sequence[Part | None], keys: Sequence[str], at: int = 0) -> list[Span] | None:
    """Match the plain way: try every length for every `0`, the shortest first, and take choices back."""
    if not parts:
        return [] if at == len(keys) else None
    part, *others = parts
    widths = range(len(keys) - at + 1) if part is None else [part.width] if at + part.width <= len(keys) else []
    for width in widths:
        end = at + width
        fits = part is None or part.allowed is None or keys[at] in part.allowed
        if fits and (rest := patient(others, keys, end)) is not None:
            return [(at, end), *rest]
    return None


PARTS = st.lists(
    st.one_of(
        st.none(),
        st.integers(1, 3).map(lambda width: Part(width, None)),
        st.frozensets(st.sampled_from("ABC"), min_size=1, max_size=2).map(lambda allowed: Part(1, allowed)),
    ),
    min_size=1,
    max_size=7,
)


@settings(max_examples=250)
@given(PARTS, st.lists(st.sampled_from("ABCD"), max_size=10))
def test_cutting_into_segments_finds_what_backtracking_finds(parts: list[Part | None], keys: list[str]) -> None:
    """The fast matcher and an independent slow one agree on every pattern and clause, part for part."""
    assert match(pattern_of("", parts), keys) == patient(parts, keys)


@given(PARTS, st.lists(st.sampled_from("ABCD"), max_size=10))
def test_a_pattern_that_matches_is_never_refused_at_first_sight(parts: list[Part | None], keys: list[str]) -> None:
    """The glance at the words that are present may let a misfit pass, but keeps out nothing that fits."""
    if match(pattern_of("", parts), keys) is not None:
        assert pattern_of("", parts).may_match(frozenset(keys))


class Counted(list[str]):
    """Words that count how often one of them is looked at."""

    looks = 0

    def __getitem__(self, place: int) -> str:  # type: ignore[override]
        self.looks += 1
        return super().__getitem__(place)


@settings(max_examples=200)
@given(PARTS, st.lists(st.sampled_from("ABCD"), max_size=30))
def test_a_match_looks_at_no_more_words_than_it_is_charged_for(parts: list[Part | None], keys: list[str]) -> None:
    """The steps that a pattern claims beforehand cover the search, whatever the clause."""
    counted = Counted(keys)
    asked = pattern_of("", parts)
    match(asked, counted)
    assert counted.looks <= asked.steps + asked.steps_a_word * len(keys)
