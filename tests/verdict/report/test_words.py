"""How a report spells things: one value, one line, whatever a client put into it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dummyllm.verdict.report.words import counted, printable, short, short_ids, wrapped


@pytest.mark.parametrize(
    ("text", "shown"),
    [("naïve → ok", "naïve → ok"), ("a\x1b[2Jb", "a\\x1b[2Jb"), ("a\nb\u2028c\u202e", "a\\nb\\u2028c\\u202e")],
)
def test_what_moves_a_cursor_or_turns_a_line_is_spelled_out(text: str, shown: str) -> None:
    """One value is one line."""
    assert printable(text) == shown


@given(st.text())
def test_whatever_is_spelled_is_one_line(text: str) -> None:
    """Whatever a client sent."""
    assert printable(text).isprintable()
    assert len(printable(text).splitlines()) <= 1


@pytest.mark.parametrize(("length", "said"), [(39, "x" * 39), (40, "x" * 40), (41, "x" * 39 + "…")])
def test_a_value_of_a_client_is_as_long_as_a_line_can_bear(length: int, said: str) -> None:
    """A UUID stays whole."""
    assert short("x" * length) == said
    assert short("\n" * 2, 4) == "\\n\\n"


@pytest.mark.parametrize(("count", "said"), [(0, "0 jobs"), (1, "1 job"), (2, "2 jobs")])
def test_a_count_agrees_with_its_noun(count: int, said: str) -> None:
    """One is one."""
    assert counted(count, "job") == said


@given(st.text().map(printable), st.integers(20, 80))
def test_wrapped_text_loses_nothing_but_white_space(text: str, width: int) -> None:
    """Neither in a word that is longer than a line."""
    lines = wrapped(text, width, "said  ")

    assert "".join(" ".join(lines).split()) == "".join(["said", *text.split()])
    assert max(map(len, lines)) <= width


def test_the_lines_after_the_first_stand_below_what_it_says() -> None:
    """Behind the label, or behind what is asked for."""
    assert wrapped("one two three", 10, "l  ") == ["l  one two", "   three"]
    assert wrapped("one two three", 10, "l  ", " ") == ["l  one two", " three"]
    assert wrapped("", 10, "l  ") == ["l"]


@pytest.mark.parametrize(
    ("ids", "short"),
    [
        ([], []),
        (["job_12eb8f0367abacfed8909bf6"], ["job_12eb8f03"]),
        (["job_12eb8f0367abacfed8909bf6", "job_12eb8f0367aaacfed8909bf6"], ["job_12eb8f0367ab", "job_12eb8f0367aa"]),
        (["job_000000000000000000000001", "job_000000000000000000000002"],) * 2,
        (["another", "job_12eb8f0367abacfed8909bf6"], ["another", "job_12eb8f03"]),
    ],
)
def test_an_id_is_as_short_as_tells_it_from_the_others(ids: list[str], short: list[str]) -> None:
    """Eight hex digits, or more where two ids begin alike, or all of them."""
    assert short_ids(ids) == dict(zip(ids, short, strict=True))
