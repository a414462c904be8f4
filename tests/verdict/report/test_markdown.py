"""The verdict as Markdown: the summary of a CI job, or a comment on a change."""

from __future__ import annotations

import re
from html import unescape

import pytest
from markdown_it import MarkdownIt

from dummyllm.verdict.report.markdown import MARKS, markdown
from dummyllm.verdict.report.rule import TOLD_MAX
from tests.verdict.report.stories import REPLAY, duplicate, judged, nasty, told_with, well
from tests.verdict.report.test_text import breaches
from tests.verdict.told import Told

GFM = MarkdownIt("commonmark", {"html": True}).enable("table")
TAG = re.compile(r"<[^>]*>")


def html(told: Told, *required: str) -> str:
    return GFM.render(markdown(*judged(told, *required)))


def table(page: str) -> list[list[str]]:
    """Return the cells of the table, as they are seen."""
    rows = re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)
    return [[unescape(TAG.sub("", cell)) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)] for row in rows]


def test_a_table_says_what_came_of_each_rule_that_was_put_to_the_test() -> None:
    """The worst first; those that nothing exercised are named in one line."""
    page = html(duplicate(), "isolation")

    assert table(page) == [
        ["", "rule", "result", "findings", "times tested"],
        ["✗", "no-concurrent-duplicate", "failed", "1", "1"],
        ["✗", "terminal-state-read", "failed", "1", "3"],
        ["✗", "isolation", "required but not exercised", "", "0"],
        ["✓", "no-redundant-execution", "passed", "", "2"],
        ["✓", "quiet-after-terminal", "passed", "", "2"],
    ]
    assert "<h2>✗ dummyLLM verdict: fail</h2>" in page
    assert "<p>Not exercised: payload-integrity, attempt-budget," in page
    assert "isolation" not in page.partition("<p>Not exercised: ")[2].partition("</p>")[0]


def test_a_finding_unfolds_into_its_story() -> None:
    """The sentence is what one sees of it; the timeline is code, in which nothing moves."""
    page = html(duplicate())
    found = re.search(
        r"<h3>✗ no-concurrent-duplicate</h3>\n<details>\n<summary>(.*?)</summary>\n(.*?)</details>", page, re.DOTALL
    )

    assert found is not None
    assert found[1].endswith("acknowledged 60 ms before, was still under way: the same work runs twice")
    assert found[2].startswith('<pre><code class="language-text">L1: 2 submits, 2 jobs')
    assert "\n  60  submit   job_000000000000000000000002  201 queued   yes        ◄ 2  key k2\n" in found[2]
    assert "<strong>To do:</strong> Renew the lease" in page.partition("</details>")[2]


def test_what_would_have_exercised_a_required_rule_is_said() -> None:
    """Its premise, and the faults."""
    page = html(well(), "isolation")

    assert "<h3>✗ isolation</h3>\n<p>It was required, and nothing put the runner to the test." in page
    assert "DUMMYLLM_FAULTS can bring that about: run.stuck_queued." in page


def test_a_run_in_which_all_went_well_has_nothing_to_unfold() -> None:
    """A table, and what replays the run."""
    page = html(well())

    assert "<h2>✓ dummyLLM verdict: pass</h2>" in page
    assert "<details>" not in page
    assert f'<pre><code class="language-sh">{REPLAY}\n</code></pre>' in page
    assert "<li>a correct runner reports 1 ok</li>" in page
    assert "<li>seed <code>7</code>, fates <code>485449f279c454b2</code>," in page


def test_what_is_pending_is_a_list() -> None:
    """Without a story: it is not over."""
    told = told_with()
    told.submit(job=1, ends_after_ms=None)
    page = GFM.render(markdown(*judged(told, is_final=False)))

    assert "<h2>✓ dummyLLM verdict: pass, so far</h2>" in page
    assert "<h3>… cancel-on-give-up</h3>\n<ul>\n<li>job_000000000000000000000001" in page


def test_notes_are_in_the_list_about_the_run() -> None:
    """What the reader should know of the journal."""
    page = GFM.render(markdown(*judged(well(), closing=None)))

    assert "<li>the journal ends with entry 1 and has no closing line: the server did not come to its end" in page


def test_of_many_findings_the_first_unfold_and_some_more_are_listed() -> None:
    """The verdict as JSON has them all."""
    page = GFM.render(markdown(*breaches(30, works=True)))

    assert page.count("<details>") == 3
    assert len(re.findall(r"breach \d+\.", page)) == TOLD_MAX
    assert "… and 20 more; the verdict as JSON has them all." in page


def test_a_client_writes_no_markdown_and_no_html() -> None:
    """Whatever it sent: no tag, no table, no emphasis, nobody who is called."""
    source = markdown(*judged(nasty()))
    page = GFM.render(source)

    known = {
        "h2",
        "h3",
        "p",
        "strong",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "details",
        "summary",
        "pre",
        "code",
    }
    assert set(re.findall(r"<(\w+)", page)) <= known | {"ul", "li", "br"}
    assert page.count("<details>") == page.count("</details>") == page.count("<summary>") == page.count("</summary>")
    assert all(line.isprintable() for line in source.split("\n"))
    outside = re.sub(r"^(`{3,}).*?^\1$", "", source, flags=re.MULTILINE | re.DOTALL)
    assert "@team" not in outside
    assert all(len(row) == 5 for row in table(page))


@pytest.mark.parametrize("mark", MARKS.values())
def test_marks_are_letters_and_no_pictures(mark: str) -> None:
    """An emoji looks different everywhere, and is read aloud with its name."""
    assert len(mark) == 1
    assert ord(mark) < 0x1F000
    assert mark not in "✔✖❌✅❗⚠"
