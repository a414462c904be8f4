"""What a fault says of itself, and what its arguments may be."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dummyllm.core.faults.kind import ANY_WORD, CODE, Parameter, either, ten_thousandths
from dummyllm.core.faults.registry import KINDS
from dummyllm.core.grammar import Value

WHOLE = Parameter(name="ms", help="", least=1, most=600_000)
FRACTION = Parameter(name="factor", help="", least=0, most=1_000, is_fraction=True)
ONE_OF = Parameter(name="body", help="", words=("json", "html", "empty"))
ANY = Parameter(name="name", help="", words=ANY_WORD)
OTHER = Parameter(name="name", help="", words=ANY_WORD, not_words=("ok", "fail"))


@pytest.mark.parametrize(
    ("parameter", "value", "is_fit"),
    [
        (WHOLE, 0, False),
        (WHOLE, 1, True),
        (WHOLE, 600_000, True),
        (WHOLE, 600_001, False),
        (WHOLE, 2.0, False),
        (WHOLE, "many", False),
        (FRACTION, 0, True),
        (FRACTION, 1.05, True),
        (FRACTION, 1_000, True),
        (FRACTION, 1_000.0001, False),
        (FRACTION, float("nan"), False),
        (FRACTION, "much", False),
        (ONE_OF, "html", True),
        (ONE_OF, "xml", False),
        (ONE_OF, 5, False),
        (ANY, "paused", True),
        (ANY, 5, False),
        (OTHER, "okay", True),
        (OTHER, "ok", False),
    ],
)
def test_an_argument_is_held_to_its_bounds(parameter: Parameter, value: Value, *, is_fit: bool) -> None:
    """Both ends count; a whole number is none with decimals; a word is no number."""
    assert parameter.fits(value) is is_fit


@pytest.mark.parametrize(
    ("parameter", "allowed"),
    [
        (WHOLE, "a whole number from 1 to 600000"),
        (FRACTION, "a number from 0 to 1000"),
        (ONE_OF, "json, html or empty"),
        (ANY, "a word"),
        (OTHER, "a word other than ok or fail"),
        (replace(WHOLE, most=86_400_000), "a whole number from 1 to 86400000"),
    ],
)
def test_an_argument_says_what_it_may_be(parameter: Parameter, allowed: str) -> None:
    """As an error or a page of the docs says it; a large bound is written out."""
    assert parameter.allowed == allowed


def test_a_usage_shows_defaults_and_an_example_where_there_is_none() -> None:
    """The positional argument goes first and without its name."""
    assert (CODE.default, CODE.shown) == (None, 503)
    assert KINDS["submit.status"].usage == "submit.status(503,retry_after=2,body=json)"
    assert KINDS["run.late"].usage == "run.late(factor=1.05)"
    assert KINDS["submit.reset"].usage == "submit.reset"


@pytest.mark.parametrize("field", ["exercises", "suspends", "suspends_if_lasting"])
def test_a_kind_cannot_speak_of_a_rule_that_does_not_exist(field: str) -> None:
    """A mistyped id would suspend nothing, and nobody would know."""
    with pytest.raises(AssertionError, match=r"poll\.slow speaks of rules that do not exist: \['key-stabel'\]"):
        replace(KINDS["poll.slow"], **{field: ("key-stable", "key-stabel")})


def test_the_site_of_a_kind_is_the_part_of_the_server_it_befalls() -> None:
    """`submit` of `submit.lost_ack`."""
    assert KINDS["submit.lost_ack"].site == "submit"
    assert KINDS["connection.close_idle"].site == "connection"


def test_words_are_offered_as_a_sentence_does() -> None:
    """Commas, and one *or*."""
    assert [either(["a"]), either(["a", "b"]), either(["a", "b", "c"])] == ["a", "a or b", "a, b or c"]


@given(st.integers(0, 10**13 - 1))
def test_ten_thousandths_are_exact_for_every_number_of_the_grammar(whole: int) -> None:
    """At most nine digits and four decimals; 1.05 is 10,500 and not 10,499."""
    assert ten_thousandths(float(f"{whole // 10_000}.{whole % 10_000:04}")) == whole
