"""The grammar: how faults and scripts are written, and what is said about a mistake."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dummyllm.core.grammar import (
    COUNT_MAX,
    TEXT_MAX,
    WHOLE,
    Call,
    GrammarError,
    Item,
    Step,
    Value,
    parse_faults,
    parse_script,
    spelled_call,
    spelled_faults,
    spelled_percent,
    spelled_script,
)
from dummyllm.core.mode import WEIGHABLE_MODES, Mode

Parse = Callable[[str], tuple[object, ...]]

WORDS = st.from_regex(r"[a-z][a-z0-9_-]{0,7}", fullmatch=True) | st.sampled_from(["ok", "ms", "lost_ack", "random"])
VALUES = WORDS | st.integers(0, 999_999_999) | st.integers(0, 10**13 - 1).map(lambda n: n / 10_000)
NAMED = st.lists(st.tuples(WORDS, VALUES), max_size=3, unique_by=lambda argument: argument[0]).map(tuple)
CALLS = st.builds(Call, st.builds("{}.{}".format, WORDS, WORDS), st.none() | VALUES, NAMED)
FAULTS = st.lists(st.builds(Item, CALLS, st.integers(0, WHOLE)), min_size=1, max_size=4).map(tuple)
SCRIPTS = st.lists(
    st.builds(
        Step,
        st.sampled_from(WEIGHABLE_MODES),
        st.lists(CALLS, max_size=3, unique_by=lambda call: call.name).map(tuple),
        st.integers(1, COUNT_MAX) | st.just(1),
    ),
    min_size=1,
    max_size=4,
).map(tuple)
TEXTS = FAULTS.map(spelled_faults) | SCRIPTS.map(spelled_script)
BLANKS = st.text(" \t\r\n", max_size=2)
PIECES = [*Mode, "submit", ".lost_ack", ".status", "(", ")", ",", ",", "=", "+", "*", "%", ".", "5", "100", "2.50", "0"]

# The grammar once more, as one regular expression: its brackets do not nest.
_ = r"[ \t\r\n]*"
WORD = r"[a-z][a-z0-9_-]*"
NUMBER = r"[0-9]{1,9}(?:\.[0-9]{1,4})?"
VALUE = f"(?:{NUMBER}|{WORD})"
ARG = f"{WORD}{_}={_}{VALUE}"
ARGS = rf"\({_}(?:(?:{ARG}|{VALUE}){_}(?:,{_}{ARG}{_})*)?\)"
FAULT = rf"{WORD}{_}\.{_}{WORD}{_}(?:{ARGS}{_})?"
ITEM = rf"{FAULT}={_}{NUMBER}{_}(?:%{_})?"
MODE = f"(?:ok|echo|slow|fail|hang|timeout|flaky){_}"
STEP = rf"(?:{MODE}|{FAULT})(?:\+{_}{FAULT})*(?:\*{_}[0-9]{{1,5}}{_})?"
LANGUAGES: dict[Parse, re.Pattern[str]] = {
    parse_faults: re.compile(rf"{_}{ITEM}(?:,{_}{ITEM})*(?:,{_})?"),
    parse_script: re.compile(rf"{_}{STEP}(?:,{_}{STEP})*(?:,{_})?"),
}

A_FAULT = "a fault of two words and a dot, such as submit.lost_ack"
A_PART = f"a mode (ok, echo, slow, fail, hang, timeout, flaky) or {A_FAULT}"
A_PERCENT = "a percent from 0 to 100 with at most 4 decimals"
A_COUNT = "a count from 1 to 10000, in at most 5 digits"
A_VALUE = "a word, or a number of at most 9 digits and 4 decimals"
A_NEW_FAULT = "a fault that the step does not have yet"
A_NEW_NAME = "a name that the fault does not have yet"
ONLY_FIRST = "as only the first argument goes without a name"
A_MODE = ", a mode; only a step of a script has one, and it stands first"


@st.composite
def mutations(draw: st.DrawFn) -> str:
    """A valid text in which a few characters were replaced, dropped or added."""
    text = draw(TEXTS)
    for _edit in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(start + 2, len(text))))
        text = text[:start] + draw(st.text("ok.,=+*%()_-09 AZé\n\0", max_size=2)) + text[end:]
    return text


NOISE = st.text() | st.text("okfail.,=+*%()_-09 AZé", max_size=30) | mutations() | TEXTS
NOISE |= st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


def mistake_in(parse: Parse, text: str) -> GrammarError | None:
    """Return the error that *parse* raises for *text*; any other exception passes through and fails the test."""
    try:
        parse(text)
    except GrammarError as error:
        return error
    return None


def one_call(text: str) -> Call:
    (item,) = parse_faults(f"{text}=5")
    return item.call


def test_faults_are_read_as_they_are_documented() -> None:
    """`submit.lost_ack=5, submit.status(429,retry_after=2)=10`: percent of the fault's unit."""
    assert parse_faults("submit.lost_ack=5, submit.status(429,retry_after=2)=10") == (
        Item(Call("submit.lost_ack"), 50_000),
        Item(Call("submit.status", 429, (("retry_after", 2),)), 100_000),
    )


def test_a_script_is_read_as_it_is_documented() -> None:
    """`ok+submit.lost_ack*2, hang+cancel.ignored`: two lost acknowledgements, then a hang whose cancel is ignored."""
    assert parse_script("ok+submit.lost_ack*2, hang+cancel.ignored") == (
        Step(Mode.OK, (Call("submit.lost_ack"),), count=2),
        Step(Mode.HANG, (Call("cancel.ignored"),)),
    )
    assert parse_script("fail,fail,ok") == (Step(Mode.FAIL), Step(Mode.FAIL), Step(Mode.OK))
    assert parse_script("hang*3") == (Step(Mode.HANG, count=3),)


def test_a_count_repeats_the_whole_step_and_not_its_last_fault() -> None:
    """A count repeats the whole step: `ok+submit.lost_ack*2` is two lost acknowledgements."""
    (step,) = parse_script("fail+submit.lost_ack+cancel.ignored*2")

    assert step == Step(Mode.FAIL, (Call("submit.lost_ack"), Call("cancel.ignored")), count=2)


@pytest.mark.parametrize("mode", WEIGHABLE_MODES)
def test_every_mode_but_random_makes_a_step(mode: Mode) -> None:
    """Ok, echo, slow, fail, hang, timeout, flaky."""
    assert parse_script(mode.value) == (Step(mode),)
    assert parse_script(f"{mode.value}+a.b") == (Step(mode, (Call("a.b"),)),)
    assert mistake_in(parse_script, "random") is not None


def test_no_mode_means_ok() -> None:
    """A step of faults alone is a job that ends well."""
    assert parse_script("submit.lost_ack") == parse_script("ok+submit.lost_ack")
    assert parse_script("a.b+c.d*3") == (Step(Mode.OK, (Call("a.b"), Call("c.d")), count=3),)


def test_the_faults_of_a_step_differ_in_name_and_those_of_two_steps_need_not() -> None:
    """The faults of a step differ in name."""
    assert len(parse_script("a.b+a.c,a.b")) == 2
    assert mistake_in(parse_script, "a.b(1)+a.b(2)") is not None


def test_whether_a_fault_exists_is_not_the_business_of_the_grammar() -> None:
    """Any two words with a dot between them are a fault, also those that are modes elsewhere."""
    assert one_call("no-such.thing_2") == Call("no-such.thing_2")
    assert one_call("ok.fail(hang=slow)") == Call("ok.fail", None, (("hang", "slow"),))
    assert parse_script("ok.fail") == (Step(Mode.OK, (Call("ok.fail"),)),)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("429", 429),
        ("007", 7),
        ("999999999", 999_999_999),
        ("1.50", 1.5),
        ("1.0", 1.0),
        ("0.0001", 0.0001),
        ("999999999.9999", 999_999_999.9999),
        ("json", "json"),
        ("a-b_9", "a-b_9"),
    ],
)
def test_a_value_is_a_whole_number_a_number_with_a_fraction_or_a_word(text: str, value: Value) -> None:
    """Without a fraction an int, with one a float; a word is a str."""
    call = one_call(f"a.b({text},x={text})")

    assert call == Call("a.b", value, (("x", value),))
    assert type(call.positional) is type(call.named[0][1]) is type(value)


@pytest.mark.parametrize("text", ["1000000000", "0000000001", "1.23456", "1.", "1.2.3", "-1", "+1", ".5", "1e3", "'a'"])
def test_no_other_value_is_read(text: str) -> None:
    """At most 9 digits and 4 decimals, no signs, no exponents, no quotes."""
    assert mistake_in(parse_faults, f"a.b({text})=5") is not None
    assert mistake_in(parse_faults, f"a.b(x={text})=5") is not None


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("a.b", Call("a.b")),
        ("a.b()", Call("a.b")),
        ("a.b(1)", Call("a.b", 1)),
        ("a.b(x)", Call("a.b", "x")),
        ("a.b(x=1)", Call("a.b", None, (("x", 1),))),
        ("a.b(x,x=1)", Call("a.b", "x", (("x", 1),))),
        ("a.b(1,y=2,x=z)", Call("a.b", 1, (("y", 2), ("x", "z")))),
    ],
)
def test_a_fault_has_at_most_one_positional_argument_and_it_is_the_first(text: str, call: Call) -> None:
    """Named arguments keep the order in which they were written."""
    assert one_call(text) == call


@pytest.mark.parametrize(
    ("text", "millionths"),
    [
        ("0", 0),
        ("0.0001", 1),
        ("0.29", 2_900),  # a float would make it 2,899
        ("5", 50_000),
        ("5%", 50_000),
        ("05.50 %", 55_000),
        ("99.9999", 999_999),
        ("100", 1_000_000),
        ("100.0000%", 1_000_000),
        ("000000100", 1_000_000),
    ],
)
def test_a_percent_is_kept_as_integer_millionths(text: str, millionths: int) -> None:
    """0 … 100, at most four decimals, kept as integer millionths."""
    (item,) = parse_faults(f"a.b={text}")

    assert item.millionths == millionths
    assert type(item.millionths) is int


@pytest.mark.parametrize(
    "text", ["100.0001", "101", "999999999", "0000000005", "0.00001", "5.", ".5", "-1", "x", "", "%"]
)
def test_no_other_percent_is_read(text: str) -> None:
    """0 … 100, at most four decimals."""
    error = mistake_in(parse_faults, f"a.b={text}")

    assert error is not None
    assert (error.column, error.expected) == (5, A_PERCENT)


@pytest.mark.parametrize(("text", "count"), [("1", 1), ("2", 2), ("00002", 2), ("9999", 9_999), ("10000", 10_000)])
def test_a_count_goes_from_1_to_10000(text: str, count: int) -> None:
    """1 … 10000, in at most 5 digits."""
    assert parse_script(f"ok*{text}") == (Step(Mode.OK, count=count),)


@pytest.mark.parametrize("text", ["0", "00000", "10001", "99999", "000001", "999999999", "1.0", "1.", "-1", "x", ""])
def test_no_other_count_is_read(text: str) -> None:
    """1 … 10000, in at most 5 digits."""
    error = mistake_in(parse_script, f"ok*{text}")

    assert error is not None
    assert (error.column, error.expected) == (4, A_COUNT)


def test_columns_count_from_1_and_take_no_part_in_comparison() -> None:
    """A fault and a step know where they were written, for those who find fault with them later."""
    first, second = parse_script(" ok + a.b,\n c.d*2")

    assert (first.column, first.calls[0].column) == (2, 7)
    assert (second.column, second.calls[0].column) == (13, 13)
    assert [item.call.column for item in parse_faults("a.b=1, c.d=2")] == [1, 8]
    assert Call("a.b", column=1) == Call("a.b", column=9)
    assert {Step(Mode.OK, column=1): 1} == {Step(Mode.OK, column=9): 1}


def test_what_was_read_is_a_value() -> None:
    """Frozen, and fit to be a key."""
    item, step = parse_faults("a.b(1,x=y)=5")[0], parse_script("ok+a.b(1)*2")[0]

    assert len({item, item.call, step, *parse_faults("a.b(1,x=y)=5"), *parse_script("ok+a.b(1)*2")}) == 3
    for value, name in ((item, "millionths"), (item.call, "name"), (step, "count")):
        with pytest.raises(FrozenInstanceError):
            setattr(value, name, 2)


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        (" a . b ( ) = 5.00 % , ", "a.b=5"),
        ("a.b(1.50,x=007)=0.1000", "a.b(1.5,x=7)=0.1"),
        ("a.b(1.0)=100.0", "a.b(1.0)=100"),
        ("a.b\t(x\r\n=y)=0", "a.b(x=y)=0"),
    ],
)
def test_faults_have_one_spelling(text: str, spelled: str) -> None:
    """No blanks, no empty brackets, no zeros that say nothing, no per cent sign, no last comma."""
    assert spelled_faults(parse_faults(text)) == spelled


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        (" fail , fail*1 , ok * 2 , ", "fail,fail,ok*2"),
        ("submit.lost_ack", "ok+submit.lost_ack"),
        ("hang + a.b(7) + c.d()*00010", "hang+a.b(7)+c.d*10"),
    ],
)
def test_a_script_has_one_spelling(text: str, spelled: str) -> None:
    """Every step names its mode; a count of 1 goes without saying."""
    assert spelled_script(parse_script(text)) == spelled


@pytest.mark.parametrize(
    ("millionths", "percent"),
    [(0, "0"), (1, "0.0001"), (2_500, "0.25"), (50_000, "5"), (500_000, "50"), (999_999, "99.9999"), (WHOLE, "100")],
)
def test_a_percent_has_no_more_decimals_than_it_needs(millionths: int, percent: str) -> None:
    """`5`, `0.25`, `100`."""
    assert spelled_percent(millionths) == percent


@settings(deadline=None)
@given(CALLS)
def test_a_fault_is_read_as_it_was_spelled(call: Call) -> None:
    """Its name, its arguments, and whether a number has a fraction."""
    read = one_call(spelled_call(call))

    assert read == call
    assert spelled_call(read) == spelled_call(call), "1 == 1.0, but they are spelled apart"


@settings(deadline=None)
@given(FAULTS, st.data())
def test_faults_are_read_as_they_were_spelled_whatever_blanks_there_are(
    items: tuple[Item, ...], data: st.DataObject
) -> None:
    """Blanks are free around every token, and a comma may stand last."""
    text = spelled_faults(items)

    assert parse_faults(text) == items
    assert parse_faults(loosened(text, data)) == items


@settings(deadline=None)
@given(SCRIPTS, st.data())
def test_a_script_is_read_as_it_was_spelled_whatever_blanks_there_are(
    steps: tuple[Step, ...], data: st.DataObject
) -> None:
    """Blanks are free around every token, and a comma may stand last."""
    text = spelled_script(steps)

    assert parse_script(text) == steps
    assert parse_script(loosened(text, data)) == steps


def loosened(text: str, data: st.DataObject) -> str:
    """Return *text* with blanks drawn from *data* around every token, and perhaps with a last comma."""
    tokens = re.findall(rf"{WORD}|{NUMBER}|.", text) + data.draw(st.sampled_from([[], [","]]))
    return "".join(data.draw(BLANKS) + token for token in tokens) + data.draw(BLANKS)


@settings(deadline=None, max_examples=400)
@given(st.sampled_from([parse_faults, parse_script]), NOISE)
def test_a_mistake_is_a_grammar_error_whatever_the_text(parse: Parse, text: str) -> None:
    """The column is one of the text's, or the one behind it; the message begins with it and has one line."""
    error = mistake_in(parse, text)

    if error is not None:
        assert 1 <= error.column <= len(text) + 1
        assert str(error) == f"column {error.column}: expected {error.expected}, found {error.found}"
        assert str(error).isprintable()


@settings(deadline=None, max_examples=400)
@given(st.sampled_from([parse_faults, parse_script]), NOISE)
def test_what_is_read_is_what_the_grammar_derives(parse: Parse, text: str) -> None:
    """Nothing else is read; of what it derives only the limits written beside it are refused."""
    error = mistake_in(parse, text)

    if LANGUAGES[parse].fullmatch(text):
        assert error is None or error.expected in (A_PERCENT, A_COUNT, A_NEW_FAULT, A_NEW_NAME)
    else:
        assert error is not None


@settings(deadline=None)
@given(st.sampled_from([parse_faults, parse_script]), TEXTS, st.data())
def test_a_mistake_is_reported_where_it_stands(parse: Parse, text: str, data: st.DataObject) -> None:
    """At its column at the latest, and whatever follows it."""
    column = data.draw(st.integers(1, len(text) + 1))
    before, after = text[: column - 1], data.draw(st.text())
    error = mistake_in(parse, f"{before}#{after}")

    assert error is not None
    assert error.column <= column
    assert str(mistake_in(parse, f"{before}#")) == str(error)


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("", 1, f"expected {A_FAULT}, found the end"),
        (" \n", 3, f"expected {A_FAULT}, found the end"),
        (",", 1, f"expected {A_FAULT}, found ','"),
        ("a.b=5,,", 7, f"expected {A_FAULT}, found ','"),
        ("fail=10", 1, f"expected {A_FAULT}, found 'fail'{A_MODE}"),
        ("lost_ack=5", 1, f"expected {A_FAULT}, found 'lost_ack'"),
        ("Submit.reset=5", 1, f"expected {A_FAULT}, found 'Submit'; names are lower case"),
        ("submit.lost_Ack=5", 8, "expected a word after the dot, found 'lost_Ack'; names are lower case"),
        ("submit.=5", 8, "expected a word after the dot, found '='"),
        ("submit.503=5", 8, "expected a word after the dot, found '503'"),
        ("submit..reset=5", 8, "expected a word after the dot, found '.'"),
        ("submit.lost_ack", 16, "expected '=' and a percent after the fault, found the end"),
        ("a.b(1),c.d=5", 7, "expected '=' and a percent after the fault, found ','"),
        ("a.b*2=5", 4, "expected '=' and a percent after the fault, found '*'"),
        ("a.b.c=5", 4, "expected '=' and a percent after the fault, found '.'"),
        ("a.b:5", 4, "expected '=' and a percent after the fault, found ':'"),
        ("a.b=", 5, f"expected {A_PERCENT}, found the end"),
        ("a.b=101", 5, f"expected {A_PERCENT}, found '101'"),
        ("a.b=5.", 5, f"expected {A_PERCENT}, found '5.'"),
        ("a.b=-5", 5, f"expected {A_PERCENT}, found '-'"),
        ("a.b=５", 5, f"expected {A_PERCENT}, found '５'"),
        ("a.b=often", 5, f"expected {A_PERCENT}, found 'often'"),
        ("a.b=5 c.d=5", 7, "expected '%', ',' or the end, found 'c'"),
        ("a.b=5%%", 7, "expected ',' or the end, found '%'"),
        ("a.b=5#", 6, "expected '%', ',' or the end, found '#'"),
        ("a.b=5\xa0", 6, r"expected '%', ',' or the end, found '\xa0'"),
        ("a.b(", 5, f"expected ')', {A_VALUE}, found the end"),
        ("a.b(,x=1)=5", 5, f"expected ')', {A_VALUE}, found ','"),
        ("a.b(1.23456)=5", 5, f"expected ')', {A_VALUE}, found '1.23456'"),
        ('a.b("x")=5', 5, f"expected ')', {A_VALUE}, found '\"'"),
        ("a.b(429=5", 8, "expected ',' or ')' after the argument, found '='"),
        ("a.b(429", 8, "expected ',' or ')' after the argument, found the end"),
        ("a.b(250ms)=5", 8, "expected ',' or ')' after the argument, found 'ms'"),
        ("a.b((1))=5", 5, f"expected ')', {A_VALUE}, found '('"),
        ("a.b(x=)=5", 7, f"expected {A_VALUE}, found ')'"),
        ("a.b(x=1000000000)=5", 7, f"expected {A_VALUE}, found '1000000000'"),
        ("a.b(1,)=5", 7, f"expected a name and '=', {ONLY_FIRST}, found ')'"),
        ("a.b(1,2)=5", 7, f"expected a name and '=', {ONLY_FIRST}, found '2'"),
        ("a.b(1,json)=5", 11, f"expected '=' after the name, {ONLY_FIRST}, found ')'"),
        ("a.b(x=1,x=1)=5", 9, f"expected {A_NEW_NAME}, found 'x' again"),
        ("a.b(1,x=1,y=2,x=3)=5", 15, f"expected {A_NEW_NAME}, found 'x' again"),
    ],
)
def test_a_mistake_in_faults_is_named_with_its_column(text: str, column: int, message: str) -> None:
    """What was found, and what was expected."""
    error = mistake_in(parse_faults, text)

    assert error is not None
    assert str(error) == f"column {column}: {message}"
    assert error.column == column


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("", 1, f"expected {A_PART}, found the end"),
        ("ok,,ok", 4, f"expected {A_PART}, found ','"),
        ("*2", 1, f"expected {A_PART}, found '*'"),
        ("slwo", 1, f"expected {A_PART}, found 'slwo' (did you mean 'slow'?)"),
        ("ok, failed*2", 5, f"expected {A_PART}, found 'failed' (did you mean 'fail'?)"),
        ("lost_ack", 1, f"expected {A_PART}, found 'lost_ack'"),
        ("random", 1, f"expected {A_PART}, found 'random'"),
        ("OK", 1, f"expected {A_PART}, found 'OK'; names are lower case"),
        ("ok+fail", 4, f"expected {A_FAULT}, found 'fail'{A_MODE}"),
        ("submit.reset+fail", 14, f"expected {A_FAULT}, found 'fail'{A_MODE}"),
        ("ok+reset", 4, f"expected {A_FAULT}, found 'reset'"),
        ("ok+", 4, f"expected {A_FAULT}, found the end"),
        ("ok+a.b+c.d+a.b(1)", 12, f"expected {A_NEW_FAULT}, found 'a.b' again"),
        ("ok+a.b(1", 9, "expected ',' or ')' after the argument, found the end"),
        ("ok fail", 4, "expected '.', '+', '*', ',' or the end, found 'fail'"),
        ("ok=5", 3, "expected '.', '+', '*', ',' or the end, found '='"),
        ("a.b=5", 4, "expected '(', '+', '*', ',' or the end, found '='"),
        ("a.b(1))", 7, "expected '+', '*', ',' or the end, found ')'"),
        ("ok*", 4, f"expected {A_COUNT}, found the end"),
        ("ok*10001", 4, f"expected {A_COUNT}, found '10001'"),
        ("ok*2+a.b", 5, "expected ',' or the end, found '+'"),
        ("ok*2*2", 5, "expected ',' or the end, found '*'"),
    ],
)
def test_a_mistake_in_a_script_is_named_with_its_column(text: str, column: int, message: str) -> None:
    """What was found, what was expected, and the nearest mode for a word that is none."""
    error = mistake_in(parse_script, text)

    assert error is not None
    assert str(error) == f"column {column}: {message}"
    assert error.column == column


@pytest.mark.parametrize("parse", [parse_faults, parse_script])
def test_an_error_repeats_no_more_than_forty_characters_of_the_text(parse: Parse) -> None:
    """A message has to fit on a screen."""
    shown, cut = mistake_in(parse, "x" * 40), mistake_in(parse, "x" * 41)

    assert shown is not None
    assert cut is not None
    assert shown.found == repr("x" * 40)
    assert cut.found == repr("x" * 40 + "…")


def test_an_error_survives_the_way_to_another_process() -> None:
    """It is made of its column, of what was expected and of what was found."""
    error = mistake_in(parse_script, "ok*0")
    copy = pickle.loads(pickle.dumps(error))

    assert isinstance(error, ValueError)
    assert len({error, copy}) == 2, "an error is one event, and fit for a set"
    assert str(copy) == str(error) == f"column 4: expected {A_COUNT}, found '0'"
    assert (copy.column, copy.expected, copy.found) == (4, A_COUNT, "'0'")


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse_script, "ok".ljust(TEXT_MAX)),
        (parse_script, ("ok," * (TEXT_MAX // 3)).ljust(TEXT_MAX)),
        (parse_script, "+".join(f"a.b{number:05}" for number in range(TEXT_MAX // 9)).ljust(TEXT_MAX)),
        (parse_faults, f"a.b({','.join(f'x{number:05}=1' for number in range(TEXT_MAX // 9 - 1))})=5".ljust(TEXT_MAX)),
        (parse_faults, "a." + "b" * (TEXT_MAX - 4) + "=5"),
    ],
)
def test_a_text_has_at_most_65536_characters(parse: Parse, text: str) -> None:
    """A longer one is refused before it is read."""
    assert len(text) == TEXT_MAX == 65_536
    assert mistake_in(parse, text) is None
    assert str(mistake_in(parse, text + " ")) == "column 65537: expected at most 65,536 characters, found 65,537"
