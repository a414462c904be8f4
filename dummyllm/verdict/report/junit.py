"""The verdict as JUnit XML, as CI servers read it: one suite, and a case for each rule.

A rule that was broken is a failure, and so is one that was required and not exercised. One that was not exercised, or
is still pending, is skipped; what it warns of is the case's output. The XML has no character that XML cannot have.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from dummyllm.verdict.finding import Result
from dummyllm.verdict.judge import Judged, Verdict
from dummyllm.verdict.report.rule import NEVER_TESTED, not_exercised, told
from dummyllm.verdict.report.summary import by_work, notes, rule_of, sums, untested, why
from dummyllm.verdict.report.words import counted, printable
from dummyllm.verdict.run import Run

SUITE = "dummyllm"
WIDTH = 100

_NO_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(verdict: Verdict, run: Run) -> str:
    """Return the verdict as an XML document."""
    missed = {judged.id for judged in untested(verdict)}
    cases = [_case(judged, run, is_missed=judged.id in missed) for judged in verdict.invariants]
    suite = ET.Element(
        "testsuite",
        {
            "name": SUITE,
            "tests": str(len(cases)),
            "failures": _count(cases, "failure"),
            "errors": "0",
            "skipped": _count(cases, "skipped"),
            "time": f"{run.end_ms / 1000:.3f}",
        },
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in (*sums(verdict), ("replay", run.heading.replay)):
        ET.SubElement(properties, "property", {"name": name, "value": _xml(printable(value))})
    suite.extend(cases)
    said = "\n".join([f"verdict: {verdict.verdict}: {why(verdict)}", *notes(verdict)])
    ET.SubElement(suite, "system-out").text = _xml(said)
    suites = ET.Element("testsuites", {name: suite.attrib[name] for name in _SUMMED})
    suites.append(suite)
    ET.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(suites, encoding="unicode")}\n'


_SUMMED = ("name", "tests", "failures", "errors", "time")


def _case(judged: Judged, run: Run, *, is_missed: bool) -> ET.Element:
    case = ET.Element("testcase", {"classname": f"{SUITE}.{judged.kind}", "name": _xml(judged.id), "time": "0"})
    if is_missed:
        _tell(case, "failure", NEVER_TESTED, "\n".join(not_exercised(judged.id, WIDTH)))
        return case
    match judged.result:
        case Result.FAIL:
            _tell(case, "failure", _message(judged), _told(judged, run))
        case Result.PENDING:
            _tell(case, "skipped", f"pending: {_message(judged)}")
        case Result.NOT_EXERCISED:
            rule = rule_of(judged)
            _tell(case, "skipped", "not exercised" + (f"; premise: {rule.premise}" if rule is not None else ""))
        case Result.WARN:
            ET.SubElement(case, "system-out").text = _xml(_told(judged, run))
    return case


def _tell(case: ET.Element, kind: str, message: str, body: str | None = None) -> None:
    element = ET.SubElement(case, kind, {"message": _xml(message)})
    if kind == "failure":
        element.set("type", case.attrib["name"])
    element.text = None if body is None else _xml(body)


def _message(judged: Judged) -> str:
    """Return the worst finding, and how many more there are."""
    first = by_work(judged)[0][0].message
    more = len(judged.findings) - 1
    return f"{printable(first)} ({counted(more, 'finding')} more)" if more else printable(first)


def _told(judged: Judged, run: Run) -> str:
    return "\n".join(["", *told(judged, run, WIDTH)])


def _count(cases: list[ET.Element], kind: str) -> str:
    return str(sum(case.find(kind) is not None for case in cases))


def _xml(text: str) -> str:
    return _NO_XML.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
