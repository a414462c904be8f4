"""The canonical form: two payloads that say the same thing have the same one, and no others do."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dummyllm.core.canonical import canonical, minified

# JSON as clients write it. Floats are spelled by the client, so they are no values here but texts (see below).
SCALARS = st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=4), inner, max_size=4)
    ),
    max_leaves=20,
)


def with_members_turned_round(value: object) -> object:
    if isinstance(value, dict):
        return {name: with_members_turned_round(value[name]) for name in reversed(value)}
    if isinstance(value, list):
        return [with_members_turned_round(item) for item in value]
    return value


@settings(deadline=None)
@given(value=VALUES, ensure_ascii=st.booleans(), indent=st.sampled_from([None, 1, "\t"]))
def test_a_payload_that_went_through_a_json_column_has_the_same_form(
    *, value: object, ensure_ascii: bool, indent: int | str | None
) -> None:
    """Members come back in another order, white space and escapes change: that is still the same work."""
    sent = json.dumps(value).encode()
    stored = json.dumps(with_members_turned_round(value), ensure_ascii=ensure_ascii, indent=indent).encode()

    assert canonical(stored) == canonical(sent) is not None


@settings(deadline=None)
@given(VALUES)
def test_the_form_says_what_the_payload_said(value: object) -> None:
    """Nothing but spelling is lost, so payloads that say different things never share a form."""
    form = canonical(json.dumps(value).encode())

    assert form is not None
    assert json.loads(form) == value
    assert canonical(form) == form == minified(form)


@settings(deadline=None)
@given(VALUES, st.sampled_from([None, 3]))
def test_minified_takes_nothing_away_but_white_space(value: object, indent: int | None) -> None:
    """Verbatim but for insignificant white space."""
    assert minified(json.dumps(value, indent=indent).encode()) == json.dumps(value, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"a":1,"b":2}', '{"b":2,"a":1}'),
        ('{"a":{"y":1,"x":2}}', '{"a":{"x":2,"y":1}}'),
        ('{"a":1}', ' {\t"a"\r\n: 1 } '),
        ('{"a":1,"a":2}', '{"a":2}'),
        ('{"a":1,"\\u0061":2}', '{"a":2}'),
        ('"\\u00e9"', '"é"'),
        ('"\\/"', '"/"'),
        ('"\\u000a"', '"\\n"'),
        ('"\\uD83D\\ude00"', '"😀"'),
        ("-0", "0"),
        ("[18446744073709551616]", "[ 18446744073709551616 ]"),
    ],
)
def test_what_says_the_same_has_one_form(one: str, other: str) -> None:
    """Members sorted; of duplicates the last; strings and integers by value; no white space."""
    assert canonical(one.encode()) == canonical(other.encode()) is not None


@pytest.mark.parametrize(
    "texts",
    [
        ("1", "1.0", "1.00", "1e0", "1E0", "10e-1", '"1"', "true", "[1]"),
        ("0", "0.0", "-0.0", "0e0", "null", '""', "false", "[]", "{}"),
        ("18446744073709551615", "18446744073709551616", "1.8446744073709551616e19"),
        ("-9223372036854775808", "-9223372036854775809"),
        ("[1,2]", "[2,1]", "[1,2,2]", "[[1,2]]", "[[1],2]"),
        ('{"a":1,"b":2}', '{"a":2,"b":1}', '{"a":1}', '{"a":{"b":2}}', '{"b":2}'),
        ('"é"', '"e\u0301"', '"E"'),
        ('"a b"', '"a  b"', '"ab"', '" ab"'),
        ("1e400", "1e401", "-1e400"),
    ],
)
def test_what_says_something_else_has_another_form(texts: tuple[str, ...]) -> None:
    """A number with a fraction or an exponent counts as it is spelled: `1.0`, `1.00` and `1` stay three payloads."""
    forms = {canonical(text.encode()) for text in texts}

    assert len(forms - {None}) == len(texts)


def test_members_are_sorted_by_the_bytes_of_their_names() -> None:
    """By UTF-8 bytes: an astral name comes after U+FFFF, where UTF-16 would put it before."""
    assert canonical('{"😀":1,"\uffff":2,"é":3,"z":4,"Z":5,"":6,"zz":7}'.encode()) == (
        '{"":6,"Z":5,"z":4,"zz":7,"é":3,"\uffff":2,"😀":1}'.encode()
    )


@pytest.mark.parametrize(("longest", "too_long"), [("9" * 4300, "9" * 4301), ("-" + "9" * 4299, "-" + "9" * 4300)])
def test_an_integer_of_more_than_4300_characters_has_no_form(longest: str, too_long: str) -> None:
    """What cannot be read as a number is digested as its bytes without white space."""
    assert canonical(f"[{longest}]".encode()) == f"[{longest}]".encode()
    assert canonical(f"[{too_long}]".encode()) is None


def test_length_matters_only_for_integers() -> None:
    """A fraction is never read as a number, so it can be as long as it likes; and a string is no number."""
    for text in (f"[0.{'9' * 5000}]", f"[{'9' * 5000}e1]", f'["{"9" * 5000}"]'):
        assert canonical(text.encode()) == text.encode()


@pytest.mark.parametrize("text", ["1e2", "1.0", "-0", "18446744073709551616", "9" * 5000, '"\\u00e9é\\/\u2028😀"'])
def test_minified_keeps_every_spelling(text: str) -> None:
    """`1e2`, `-0`, 2^64, escapes, member order and duplicates survive."""
    spaced = f' {{ "b" : {text} , "a" : [ {text} ] , "b" : 1 }} '

    assert minified(spaced.encode()) == f'{{"b":{text},"a":[{text}],"b":1}}'.encode()
