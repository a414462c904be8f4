"""docs/faults.md is what the registry says, and everything on it that can be copied can be used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dummyllm.core import grammar
from dummyllm.core.faults.fault import faults_of, forced_of
from dummyllm.core.faults.introduction import INTRODUCTION
from dummyllm.core.faults.kind import Kind, Unit
from dummyllm.core.faults.page import UNITS, arguments, facts, gist, page, section
from dummyllm.core.faults.registry import KINDS, rivals
from dummyllm.core.grammar import GrammarError, parse_faults, parse_script

DOCS = Path(__file__).parents[3] / "docs"
EXPORT = re.compile(r'^    export DUMMYLLM_(FAULTS|SCRIPT)="([^"\n]*)"$', re.MULTILINE)
LINK = re.compile(r"\]\(([^)]*)\)")

every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))


def test_the_page_in_the_docs_is_the_page_of_the_registry() -> None:
    """A fault that is added, changed or dropped fails here until `dummyllm faults --markdown > docs/faults.md`."""
    assert (DOCS / "faults.md").read_text(encoding="utf-8") == page()


@every_kind
def test_every_fault_has_a_row_and_a_section(kind: Kind) -> None:
    """The row has its usage, its unit and what the client sees; it links to the section, as anchors are made."""
    anchor = re.sub(r"[^\w -]", "", kind.name)

    assert page().count(f"\n| [`{kind.usage}`](#{anchor}) | {kind.unit.value} | {gist(kind)} |\n") == 1
    assert page().count(f"\n### {kind.name}\n\n    {kind.usage}\n") == 1


@every_kind
def test_a_section_tells_everything_about_its_fault(kind: Kind) -> None:
    """Defaults and bounds, unit, what is seen, what it costs, what a good runner does, rules, rivals."""
    told = section(kind)
    ids = {*kind.exercises, *kind.suspends, *kind.suspends_if_lasting, *(other.name for other in rivals(kind))}

    assert kind.sees in told
    assert kind.good_runner in told
    assert UNITS[kind.unit] in told
    assert all(f"`{name}`" in told for name in ids)
    for parameter in kind.parameters:
        assert f"\n| `{parameter.name}` | {parameter.help}" in told
        assert f"| {parameter.allowed} | {parameter.default or ''}" in told


@every_kind
def test_a_cost_links_to_its_issue(kind: Kind) -> None:
    """In the text as owner/repo#N, and there a link."""
    for name, number in re.findall(r"([\w.-]+/[\w.-]+)#(\d+)", kind.costs):
        assert f"[{name}#{number}](https://github.com/{name}/issues/{number})" in section(kind)


@every_kind
def test_a_fact_is_told_once_and_in_one_line(kind: Kind) -> None:
    """Seven labels; a text with a line of its own would break the list."""
    labels = [label for label, _ in facts(kind)]

    assert labels == ["unit", "the client sees", "in the wild", "a good runner", "exercises", "suspends", "excludes"]
    assert all("\n" not in fact and fact.endswith(".") for _, fact in facts(kind))


def test_what_can_be_left_out_says_what_holds_then() -> None:
    """A default, nothing, or a mistake."""
    left_out = [(name, value) for name, _, _, value in arguments(KINDS["submit.status"])]

    assert left_out == [("code", "a mistake"), ("retry_after", "nothing"), ("body", "json")]


def test_a_rule_is_suspended_always_or_after_a_status_that_lasts() -> None:
    """No rule twice, and none is *nothing*."""
    suspended = {name: dict(facts(kind))["suspends"] for name, kind in KINDS.items()}

    assert suspended["run.stuck_queued"] == "nothing."
    assert suspended["run.late"] == "`no-redundant-execution`."
    assert suspended["submit.status"] == (
        "nothing; after a status that lasts (all but 408, 425, 429, and 5xx other than 501, 505 and 511), also "
        "`payload-integrity`."
    )
    assert all(len(ids) == len({*ids}) for ids in (re.findall("`[a-z-]+`", text) for text in suspended.values()))


def test_the_exports_on_the_page_are_ones_that_can_be_set() -> None:
    """What can be copied from the page can be used."""
    exports = EXPORT.findall(page())

    assert [name for name, _ in exports] == ["FAULTS", "SCRIPT"]
    assert len(faults_of(parse_faults(exports[0][1]))) == 3
    assert [len(forced_of(step)) for step in parse_script(exports[1][1])] == [1, 1, 0, 0]


def test_the_mistake_on_the_page_is_what_is_said() -> None:
    """The example of a mistake is what such a mistake gets."""
    ((text, said),) = re.findall(r"`([^`]*=5)` gets\n\n    (column .*)\n", page())
    with pytest.raises(GrammarError, match=re.escape(said)):
        faults_of(parse_faults(text))


def test_the_grammar_on_the_page_is_the_grammar_of_the_parser() -> None:
    """Line for line, as the parser's own page has it."""
    rules = re.findall(r"^    \w+ +=.*$", INTRODUCTION, re.MULTILINE)

    assert len(rules) == 13
    assert grammar.__doc__ is not None
    assert re.findall(r"^    \w+ +=.*$", grammar.__doc__, re.MULTILINE) == rules


def test_every_unit_is_explained() -> None:
    """Each unit has its own row."""
    assert all(f"\n| `{unit.value}` |" in INTRODUCTION for unit in Unit)
    assert {*UNITS} == {*Unit}


def test_every_link_leads_somewhere() -> None:
    """To a section of this page, to a page beside it, or to an issue."""
    headings = {re.sub(r"[^\w -]", "", heading) for heading in re.findall(r"^### (.*)$", page(), re.MULTILINE)}

    for target in LINK.findall(page()):
        if target.startswith("#"):
            assert target[1:] in headings
        elif not target.startswith("https://github.com/"):
            assert (DOCS / target).is_file(), target
