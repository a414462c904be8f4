"""The verdict as JUnit XML: one suite, a case for each rule, and no character that XML cannot have."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from dummyllm.verdict.invariants.registry import INVARIANTS
from dummyllm.verdict.report.junit import junit
from dummyllm.verdict.same import Same
from tests.verdict.report.stories import NASTY, REPLAY, duplicate, judged, nasty, told_with, well
from tests.verdict.told import Told

# The shape that CI servers share (junit-10.xsd of the Jenkins xUnit plugin): of each element its attributes, those that
# must be there, and its children in order.
SHAPE: dict[str, tuple[set[str], set[str], list[str]]] = {
    "testsuites": ({"name", "time", "tests", "failures", "disabled", "errors"}, set(), ["testsuite"]),
    "testsuite": (
        {
            "name",
            "tests",
            "failures",
            "errors",
            "time",
            "disabled",
            "skipped",
            "timestamp",
            "hostname",
            "id",
            "package",
        },
        {"name", "tests", "failures", "errors"},
        ["properties", "testcase", "system-out", "system-err"],
    ),
    "properties": (set(), set(), ["property"]),
    "property": ({"name", "value"}, {"name", "value"}, []),
    "testcase": (
        {"name", "assertions", "time", "classname", "status"},
        {"name"},
        ["skipped", "error", "failure", "system-out", "system-err"],
    ),
    "skipped": ({"message"}, set(), []),
    "failure": ({"type", "message"}, set(), []),
    "system-out": (set(), set(), []),
}


def suite_of(told: Told, *required: str, **more: object) -> ET.Element:
    """Return the suite of the document, as a CI server reads it."""
    document = ET.fromstring(junit(*judged(told, *required, **more)).encode())
    (suite,) = document
    return suite


def case(suite: ET.Element, rule: str) -> ET.Element:
    (found,) = [case for case in suite.iter("testcase") if case.get("name") == rule]
    return found


def kinds(suite: ET.Element) -> dict[str, str]:
    """Return what each case is: a failure, skipped, or well."""
    return {one.attrib["name"]: one[0].tag if len(one) else "" for one in suite.iter("testcase")}


@pytest.mark.parametrize("told", [duplicate(), nasty(), well()], ids=["duplicate", "nasty", "well"])
@pytest.mark.parametrize("required", [(), ("isolation",)])
def test_the_document_has_the_shape_that_ci_servers_share(told: Told, required: tuple[str, ...]) -> None:
    """The elements, the attributes and the order of the common schema."""
    document = ET.fromstring(junit(*judged(told, *required)).encode())

    for element in document.iter():
        allowed, needed, children = SHAPE[element.tag]
        assert needed <= set(element.attrib) <= allowed, element.tag
        places = [children.index(child.tag) for child in element]
        assert places == sorted(places), element.tag
        if element.tag == "testcase":
            assert len(element) <= 1


def test_every_rule_is_a_case() -> None:
    """In the order in which a verdict lists them; the class tells how far one is to be trusted."""
    suite = suite_of(duplicate())

    assert suite.get("name") == "dummyllm"
    assert [(one.get("name"), one.get("classname")) for one in suite.iter("testcase")] == [
        (rule.id, f"dummyllm.{rule.kind}") for rule in INVARIANTS.values()
    ]


def test_a_broken_rule_is_a_failure_and_one_that_nothing_exercised_is_skipped() -> None:
    """And so is one that was required and not exercised: a failure."""
    suite = suite_of(duplicate(), "isolation")
    told = kinds(suite)

    assert {rule for rule, kind in told.items() if kind == "failure"} == {
        "no-concurrent-duplicate", "terminal-state-read", "isolation",
    }  # fmt: skip
    assert {rule for rule, kind in told.items() if not kind} == {"no-redundant-execution", "quiet-after-terminal"}
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped"), suite.get("errors")) == (
        "21",
        "3",
        "16",
        "0",
    )
    (missed,) = case(suite, "isolation")
    assert missed.get("message") == "it was required, and nothing put the runner to the test"
    assert "run.stuck_queued" in (missed.text or "")
    (skipped,) = case(suite, "backoff")
    assert skipped.get("message", "").startswith("not exercised; premise: Six attempts at some work failed in a row")


def test_a_failure_has_the_sentence_the_story_and_what_to_do() -> None:
    """The message is one line; the rest is what one sees after a click."""
    (failure,) = case(suite_of(duplicate()), "no-concurrent-duplicate")

    assert failure.get("message", "").endswith("was still under way: the same work runs twice")
    assert "\n      60  submit   job_000000000000000000000002  201 queued   yes        ◄ 2  key k2\n" in (
        failure.text or ""
    )
    assert "\nto do  Renew the lease while the job runs" in (failure.text or "")


def test_a_message_says_how_many_findings_there_are_more() -> None:
    """The first one is in it."""
    told = told_with()
    for number in range(3):
        told.submit(f"payload-{number}", job=number, ends_after_ms=None)
    (failure,) = case(suite_of(told), "cancel-on-give-up")

    assert re.search(r"^job_0{24} .* \(2 findings more\)$", failure.get("message", ""))


def test_what_a_rule_warns_of_is_the_output_of_its_case() -> None:
    """It fails no run."""
    told = told_with(same=Same.AUTO)
    told.submit(job=1, delivered="no", fault="submit.lost_ack")
    told.later(9).submit(job=2)
    told.later(300).read(2, "ok")
    (output,) = case(suite_of(told), "key-stable")

    assert output.tag == "system-out"
    assert "the acknowledgement of job_000000000000000000000001 was lost" in (output.text or "")


def test_what_is_pending_is_skipped() -> None:
    """The run goes on, and the runner may still do what it owes."""
    told = told_with()
    told.submit(job=1, ends_after_ms=None)
    (skipped,) = case(suite_of(told, is_final=False), "cancel-on-give-up")

    assert skipped.tag == "skipped"
    assert skipped.get("message", "").startswith("pending: job_000000000000000000000001")


def test_the_run_is_in_the_properties() -> None:
    """What replays it, and all by which it can be compared with another one; how long it took is the suite's time."""
    suite = suite_of(duplicate(), closing=None)

    assert {one.get("name"): one.get("value") for one in suite.iter("property")} == {
        "seed": "7", "fates": "not known", "traffic": "not known", "reproducible": "not known", "identity": "payload",
        "replay": REPLAY,
    }  # fmt: skip
    assert suite.get("time") == "7.300"
    said = suite.findtext("system-out")
    assert said is not None
    assert said.startswith("verdict: fail: no-concurrent-duplicate failed, 1 finding; ")
    assert "\nthe journal ends with entry 5 and has no closing line" in said


@given(st.text(st.one_of(st.characters(), st.sampled_from(NASTY + "]]>\ud800\x85\r\n\t")), max_size=20))
def test_any_text_makes_a_document_that_can_be_read(text: str) -> None:
    """Control characters, surrogates, ends of sections: whatever a client sent, or a journal has."""
    told = told_with(replay=text, seed=text)
    told.submit(job=1, key=text, trace_id=text, user_agent=text, note=text, fault=text)
    told.later(9).submit(job=2, key=f"{text}2")
    verdict, run = judged(told)
    rules = tuple([replace(one, id=one.id + text) for one in verdict.invariants])
    verdict = replace(verdict, notes=(text,), reasons=(text,), invariants=rules)

    assert ET.fromstring(junit(verdict, run).encode()).tag == "testsuites"
