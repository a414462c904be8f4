"""docs/verdict.md says of every rule what the rule itself says."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from dummyllm.core.faults.invariants import PASSING
from dummyllm.core.faults.registry import KINDS
from dummyllm.settings import SETTINGS
from dummyllm.verdict.finding import Invariant, Kind, Result
from dummyllm.verdict.invariants.registry import INVARIANTS
from dummyllm.verdict.limits import MEANINGS, Limits
from dummyllm.verdict.report.exercise import faults_that_exercise, how_to_exercise
from dummyllm.verdict.report.introduction import INTRODUCTION
from dummyllm.verdict.report.page import facts, gist, page, section
from dummyllm.verdict.same import Same

DOCS = Path(__file__).parents[3] / "docs"
LINK = re.compile(r"\]\(([^)]*)\)")

every_rule = pytest.mark.parametrize("rule", INVARIANTS.values(), ids=list(INVARIANTS))


def test_the_page_in_the_docs_is_the_page_of_the_rules() -> None:
    """A rule that is changed fails here until `dummyllm verdict --rules --markdown > docs/verdict.md`."""
    assert (DOCS / "verdict.md").read_text(encoding="utf-8") == page()


@every_rule
def test_every_rule_has_a_row_and_a_section(rule: Invariant) -> None:
    """The row has its kind and what it asks for, and links to the section."""
    assert page().count(f"\n| [{rule.id}](#{rule.id}) | {rule.kind} | {gist(rule)} |\n") == 1
    assert page().count(f"\n### {rule.id}\n\n- **Kind**: {rule.kind}.\n") == 1


@every_rule
def test_a_section_tells_everything_about_its_rule(rule: Invariant) -> None:
    """When it fails, what it is good for, how it is broken, what to do, what exercises it and what suspends it."""
    told = section(rule)

    for fact in (rule.fails_when, rule.means, rule.breaks, rule.remedy, rule.premise):
        assert fact in re.sub(r"\[(`[^`]*`)\]\([^)]*\)", r"\1", told)
    for kind in KINDS.values():
        named = f"[`{kind.name}`](faults.md#{kind.name.replace('.', '')})"
        exercised, suspended = (told.partition(f"- **{label}**: ")[2].partition("\n")[0] for label in
                                ("Exercised by", "Suspended by"))  # fmt: skip
        assert (named in exercised) is (rule.id in kind.exercises)
        assert (named in suspended) is (rule.id in (*kind.suspends, *kind.suspends_if_lasting))
        lasts = rule.id in kind.suspends_if_lasting and rule.id not in kind.suspends
        assert (f"{named} with a status that lasts" in suspended) is lasts


@every_rule
def test_a_fact_is_told_once_and_in_one_line(rule: Invariant) -> None:
    """Eight labels; a text with a line of its own would break the list."""
    labels = [label for label, _ in facts(rule)]

    assert labels == [
        "kind", "fails when", "a good runner", "what breaks it", "what to do", "premise", "exercised by",
        "suspended by",
    ]  # fmt: skip
    assert all("\n" not in fact and fact.endswith((".", "`.")) for _, fact in facts(rule))


@every_rule
def test_the_gist_of_a_rule_is_one_sentence(rule: Invariant) -> None:
    """Short enough for a list."""
    assert re.fullmatch(r"[A-Z][^.]*\.", gist(rule))
    assert len(gist(rule)) < 90


def test_nothing_exercises_some_rules_by_itself() -> None:
    """Then it takes what the premise says."""
    assert dict(facts(INVARIANTS["jitter"]))["exercised by"] == (
        "no fault in particular." if not faults_that_exercise("jitter") else "`submit.status`."
    )
    assert [*how_to_exercise("concurrency-limit")] == [f"Premise: {INVARIANTS['concurrency-limit'].premise}"]
    assert [*how_to_exercise("a rule of a later version")] == []


def test_every_number_has_a_row() -> None:
    """Each limit with its setting, its default and its meaning; the settings have the same."""
    settings = {setting.variable: setting for setting in SETTINGS}

    for field in fields(Limits):
        variable = f"DUMMYLLM_VERDICT_{field.name.upper()}"
        shown = "none" if field.default is None else f"`{field.default}`"
        assert f"\n| `{variable}` | {shown} | {MEANINGS[field.name]} |\n" in page()
        assert settings[variable].default == ("" if field.default is None else str(field.default))


@pytest.mark.parametrize("word", [*Result, *Same])
def test_every_result_and_every_identity_is_explained(word: str) -> None:
    """A row each."""
    assert f"\n| `{word}` | " in INTRODUCTION


def test_every_kind_is_explained() -> None:
    """Proven, advisory, declared."""
    assert all(f"**{kind}**" in INTRODUCTION for kind in Kind)


def test_a_status_that_lasts_is_one_that_does_not_pass() -> None:
    """As docs/faults.md has it."""
    assert PASSING in page()


def test_every_link_leads_somewhere() -> None:
    """To a section of this page, or to one of the page of faults."""
    faults = (DOCS / "faults.md").read_text(encoding="utf-8")
    headings = {"": page(), "faults.md": faults}
    links = LINK.findall(page())

    assert links
    for target in links:
        file, _, anchor = target.partition("#")
        known = {re.sub(r"[^\w -]", "", heading) for heading in re.findall(r"^### (.*)$", headings[file], re.MULTILINE)}
        assert anchor in known, target
