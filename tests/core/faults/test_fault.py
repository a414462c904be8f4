"""A fault out of its text: what it is, where it is drawn, and what is said about every mistake."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dummyllm.core.faults.fault import Fault, fault_of, faults_of, forced_of, kind_named
from dummyllm.core.faults.invariants import STAYING
from dummyllm.core.faults.registry import KINDS
from dummyllm.core.grammar import WHOLE, Call, GrammarError, Item, Step, parse_faults, parse_script
from dummyllm.core.mode import WEIGHABLE_MODES, Mode


def fault(text: str) -> Fault:
    """Return the fault that *text* spells."""
    (item,) = parse_faults(f"{text}=1")
    return fault_of(item.call)


def mistake_in(text: str) -> str:
    """Return what is said about `DUMMYLLM_FAULTS` that says *text*."""
    with pytest.raises(GrammarError) as caught:
        faults_of(parse_faults(text))
    return str(caught.value)


def script_mistake_in(text: str) -> str:
    """Return what is said about `DUMMYLLM_SCRIPT` that says *text*."""
    with pytest.raises(GrammarError) as caught:
        [forced_of(step) for step in parse_script(text)]
    return str(caught.value)


POLLS = "poll.missing, poll.unknown_state, poll.stale, poll.backwards, poll.status, poll.reset or poll.slow"
ALL = ", ".join([*KINDS][:-1]) + " or poll.slow"
STATUS = "submit.status(503,retry_after=2,body=json)"

MISTAKES = {
    "poll.stal=1": f"column 1: expected a fault: {POLLS}, found 'poll.stal' (did you mean 'poll.stale'?)",
    "poll.q=1": f"column 1: expected a fault: {POLLS}, found 'poll.q'",
    "pol.stale=1": f"column 1: expected a fault: {ALL}, found 'pol.stale' (did you mean 'poll.stale'?)",
    "qq.zz=1": f"column 1: expected a fault: {ALL}, found 'qq.zz'",
    "run.late=1, run.lat=2": "column 13: expected a fault: run.vanish, run.stuck_queued or run.late, found 'run.lat' "
    "(did you mean 'run.late'?)",
    "submit.reset(5)=1": "column 1: expected submit.reset without arguments, found 5",
    "submit.reset(code=5)=1": "column 1: expected submit.reset without arguments, found 'code'",
    "poll.slow(5)=1": "column 1: expected every argument with its name, as in poll.slow(ms=2000), found 5",
    "poll.slow(mss=5)=1": "column 1: expected ms as an argument of poll.slow, found 'mss' (did you mean 'ms'?)",
    "submit.status(429,retry=1)=1": "column 1: expected code, retry_after or body as an argument of submit.status, "
    "found 'retry' (did you mean 'retry_after'?)",
    "poll.status(429,q=1)=1": "column 1: expected code or retry_after as an argument of poll.status, found 'q'",
    "submit.status(429,code=503)=1": "column 1: expected one code for submit.status, found 429 and 503",
    "submit.status=1": f"column 1: expected submit.status with its code, as in {STATUS}, found no code",
    "submit.status(retry_after=2)=1": f"column 1: expected submit.status with its code, as in {STATUS}, found no code",
    "submit.status(399)=1": "column 1: expected a whole number from 400 to 599 as code of submit.status, found 399",
    "submit.status(600)=1": "column 1: expected a whole number from 400 to 599 as code of submit.status, found 600",
    "submit.status(429.0)=1": "column 1: expected a whole number from 400 to 599 as code of submit.status, found 429.0",
    "submit.status(teapot)=1": "column 1: expected a whole number from 400 to 599 as code of submit.status, "
    "found 'teapot'",
    "submit.status(429,body=jsn)=1": "column 1: expected json, html or empty as body of submit.status, found 'jsn' "
    "(did you mean 'json'?)",
    "submit.status(429,body=5)=1": "column 1: expected json, html or empty as body of submit.status, found 5",
    "poll.unknown_state(name=running)=1": "column 1: expected a word other than queued, running, ok, fail, timeout or "
    "cancelled as name of poll.unknown_state, found 'running'",
    "poll.unknown_state(name=5)=1": "column 1: expected a word other than queued, running, ok, fail, timeout or "
    "cancelled as name of poll.unknown_state, found 5",
    "poll.stale(reads=0)=1": "column 1: expected a whole number from 1 to 10000 as reads of poll.stale, found 0",
    "run.late(factor=1000.5)=1": "column 1: expected a number from 0 to 1000 as factor of run.late, found 1000.5",
    "poll.slow=1, poll.slow=2": "column 14: expected poll.slow once, as a site has one percentage, found 'poll.slow' "
    "after the one in column 1",
    "poll.slow=1, poll.slow(ms=5)=1": "column 14: expected poll.slow once, as a site has one percentage, found "
    "'poll.slow(ms=5)' after the one in column 1",
    "poll.reset=1,submit.status(429)=1,submit.status(code=429,retry_after=3)=2": "column 35: expected "
    "submit.status(429) once, as a site has one percentage, found 'submit.status(429,retry_after=3)' after the one in "
    "column 14",
}

SCRIPT_MISTAKES = {
    "ok, poll.stal": f"column 5: expected a fault: {POLLS}, found 'poll.stal' (did you mean 'poll.stale'?)",
    "fail+submit.reset": "column 6: expected submit.reset alone in its step, as it leaves no job for anything else to "
    "befall, found 'fail' beside it",
    "ok+submit.status(429)+poll.stale(reads=2)": "column 4: expected submit.status alone in its step, as it leaves no "
    "job for anything else to befall, found 'poll.stale(reads=2)' beside it",
    "poll.stale+submit.reset": "column 12: expected submit.reset alone in its step, as it leaves no job for anything "
    "else to befall, found 'poll.stale' beside it",
    "submit.lost_ack+submit.cut_ack": "column 17: expected one of submit.lost_ack and submit.cut_ack, which exclude "
    "each other, found both in one step",
    "hang+cancel.ignored+poll.stale+cancel.slow": "column 32: expected one of cancel.ignored and cancel.slow, which "
    "exclude each other, found both in one step",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_says_where_it_is_what_is_allowed_and_what_is_nearest(text: str) -> None:
    """The column, what was expected there, what was found, and the nearest match."""
    assert mistake_in(text) == MISTAKES[text]


@pytest.mark.parametrize("text", SCRIPT_MISTAKES)
def test_a_mistake_in_a_script_does_so_too(text: str) -> None:
    """What cannot all befall one job cannot be one step."""
    assert script_mistake_in(text) == SCRIPT_MISTAKES[text]


@pytest.mark.parametrize(
    ("text", "spelled", "site"),
    [
        ("submit.lost_ack", "submit.lost_ack", "submit.lost_ack"),
        ("submit.status(429)", "submit.status(429)", "submit.status(429)"),
        ("submit.status(code=429)", "submit.status(429)", "submit.status(429)"),
        ("submit.status(429, retry_after=2)", "submit.status(429,retry_after=2)", "submit.status(429)"),
        (
            "submit.status(429,body=html,retry_after=2)",
            "submit.status(429,retry_after=2,body=html)",
            "submit.status(429)",
        ),
        ("submit.status(body=html,code=503)", "submit.status(503,body=html)", "submit.status(503)"),
        ("poll.stale(reads=1)", "poll.stale(reads=1)", "poll.stale"),
        ("run.late(factor=1.10)", "run.late(factor=1.1)", "run.late"),
    ],
)
def test_a_site_is_the_name_and_the_positional_argument(text: str, spelled: str, site: str) -> None:
    """So changing `retry_after` moves no draw; the order in which arguments were written makes no other fault."""
    assert (fault(text).text, fault(text).site) == (spelled, site)


def test_faults_are_equal_when_they_are_spelled_alike() -> None:
    """They can be compared and be keys, though their effects hold functions."""
    one, same, other = fault("run.late"), fault("run.late"), fault("run.late(factor=2)")

    assert one == same != other
    assert {one, same, other} == {one, other}


def test_a_setting_keeps_its_faults_with_their_shares() -> None:
    """In millionths, as they were written; statuses of their own are sites of their own."""
    items = parse_faults("poll.stale=2.5, submit.status(503)=0, submit.status(429,retry_after=2)=100%")

    assert [(fault.text, share) for fault, share in faults_of(items)] == [
        ("poll.stale", 25_000),
        ("submit.status(503)", 0),
        ("submit.status(429,retry_after=2)", WHOLE),
    ]


def test_a_fault_may_be_set_beside_those_it_excludes() -> None:
    """They draw independently; of those that were drawn one is served."""
    assert len(faults_of(parse_faults(",".join(f"{kind.usage}=1" for kind in KINDS.values())))) == len(KINDS)


@pytest.mark.parametrize(
    ("text", "forced"),
    [
        ("hang", []),
        ("ok+submit.status(429)*2", ["submit.status(429)"]),
        ("submit.reset", ["submit.reset"]),
        ("fail+submit.lost_ack", ["submit.lost_ack"]),
        ("hang+cancel.ignored+poll.missing", ["cancel.ignored", "poll.missing"]),
        ("run.late+poll.missing+poll.stale+poll.reset", ["run.late", "poll.missing", "poll.stale", "poll.reset"]),
    ],
)
def test_a_step_forces_its_faults(text: str, forced: list[str]) -> None:
    """In the order in which they were written."""
    (step,) = parse_script(text)

    assert [fault.text for fault in forced_of(step)] == forced


@pytest.mark.parametrize("mode", WEIGHABLE_MODES)
@pytest.mark.parametrize("name", ["submit.status(429)", "submit.reset"])
def test_a_step_that_refuses_its_submit_has_no_mode(name: str, mode: Mode) -> None:
    """Only the default, ok, can stand there: nothing else of that step can happen."""
    (step,) = parse_script(f"{mode.value}+{name}")

    if mode is Mode.OK:
        assert len(forced_of(step)) == 1
    else:
        with pytest.raises(GrammarError, match=f"alone in its step, .* found '{mode.value}' beside it"):
            forced_of(step)


def test_a_status_that_passes_suspends_less_than_one_that_lasts() -> None:
    """After a 401 a runner cannot stay with its job; after a 503 it can."""
    passing, lasting = fault("poll.status(503)"), fault("poll.status(401)")

    assert passing.suspends == KINDS["poll.status"].suspends
    assert "poll-faults-tolerated" not in passing.suspends
    assert {*lasting.suspends} == {*passing.suspends, *STAYING}
    assert len(lasting.suspends) == len({*lasting.suspends}), "no rule twice"


def test_a_payload_may_be_repaired_after_an_error_that_lasts() -> None:
    """payload-integrity: a repair after a refusal starts a new piece of work, but a 429 is no reason to repair."""
    assert fault("submit.status(429)").suspends == ()
    assert fault("submit.status(400)").suspends == ("payload-integrity",)


def test_a_kind_is_found_by_its_name() -> None:
    """What a fault is looked up by outside a setting; there the column is 1."""
    assert kind_named("poll.slow") is KINDS["poll.slow"]
    with pytest.raises(GrammarError, match=re.escape("column 1: expected a fault: ")):
        kind_named("slow")


WORDS = st.sampled_from(["code", "ms", "reads", "name", "body", "json", "paused", "running", "factor", "429"])
NAMES = st.sampled_from([*KINDS, "poll.stal", "", ".", "poll"]) | st.text(max_size=8)
VALUES = WORDS | st.integers() | st.sampled_from([0, 1, 429, 503, 1.5]) | st.floats() | st.text(max_size=4)
CALLS = st.builds(
    Call,
    NAMES,
    st.none() | VALUES,
    st.lists(st.tuples(WORDS | st.text(max_size=4), VALUES), max_size=3).map(tuple),
    st.integers(1, 99),
) | st.sampled_from([parse_faults(f"{kind.usage}=1")[0].call for kind in KINDS.values()])


def column_of(mistake: GrammarError) -> int:
    """Return where the mistake is; there is something expected and something found."""
    assert mistake.expected
    assert mistake.found
    return mistake.column


@settings(max_examples=500)
@given(CALLS)
def test_any_call_is_a_fault_or_a_mistake_at_its_column(call: Call) -> None:
    """Nothing else comes of it, whatever stands there."""
    try:
        found = fault_of(call)
    except GrammarError as error:
        column = column_of(error)
    else:
        assert found.kind is KINDS[call.name]
        assert found.site.partition("(")[0] == call.name
        return
    assert column == call.column


@given(st.lists(st.builds(Item, CALLS, st.integers(0, WHOLE)), max_size=4))
def test_any_items_are_faults_of_different_sites_or_a_mistake(items: list[Item]) -> None:
    """The same site twice in one setting is an error."""
    try:
        faults = faults_of(items)
    except GrammarError as error:
        column = column_of(error)
    else:
        assert [share for _, share in faults] == [item.millionths for item in items]
        assert len({fault.site for fault, _ in faults}) == len(items)
        return
    assert column in {item.call.column for item in items}


@given(st.builds(Step, st.sampled_from(WEIGHABLE_MODES), st.lists(CALLS, max_size=4).map(tuple)))
def test_any_step_forces_faults_that_can_befall_one_job_or_is_a_mistake(step: Step) -> None:
    """A step that is accepted is a step that can happen."""
    try:
        faults = forced_of(step)
    except GrammarError as error:
        column = column_of(error)
    else:
        assert len({fault.kind.excludes for fault in faults}) == len(faults) == len(step.calls)
        assert step.calls[1:] == () or not any(fault.kind.refuses_submit for fault in faults)
        return
    assert column in {call.column for call in step.calls}
