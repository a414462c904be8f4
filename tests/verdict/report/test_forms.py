"""The forms of a verdict: text, JSON, JUnit and Markdown; the name of a file asks for one of them."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from dummyllm.verdict.judge import Verdict
from dummyllm.verdict.report.forms import Form, form_of, written
from dummyllm.verdict.report.junit import junit
from dummyllm.verdict.report.markdown import markdown
from dummyllm.verdict.report.text import text
from tests.verdict.report.stories import duplicate, judged


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("verdict.json", Form.JSON),
        ("verdict.xml", Form.JUNIT),
        ("verdict.md", Form.MARKDOWN),
        ("VERDICT.XML", Form.JUNIT),
        ("verdict.txt", Form.TEXT),
        ("verdict.jsonl", Form.TEXT),
        ("verdict", Form.TEXT),
        (".json", Form.TEXT),
        ("run.json/verdict", Form.TEXT),
        ("", Form.TEXT),
    ],
)
def test_the_name_of_a_file_says_its_form(name: str, form: Form) -> None:
    """`.json`, `.xml` for JUnit, `.md`, anything else for text."""
    assert form_of(Path(name)) is form


def test_every_form_is_what_its_writer_writes_and_ends_with_a_line_break() -> None:
    """One, so that a file ends as files do."""
    verdict, run = judged(duplicate())

    assert written(Form.TEXT, verdict, run) == text(verdict, run) + "\n"
    assert written(Form.MARKDOWN, verdict, run).rstrip("\n") == markdown(verdict, run).rstrip("\n")
    assert written(Form.JUNIT, verdict, run) == junit(verdict, run)
    for form in Form:
        assert written(form, verdict, run).endswith("\n")
        assert not written(form, verdict, run).endswith("\n\n")


def test_json_is_the_verdict_itself() -> None:
    """Every finding is in it, with the numbers of its entries."""
    verdict, run = judged(duplicate(), "isolation")

    assert msgspec.json.decode(written(Form.JSON, verdict, run), type=Verdict) == verdict


@pytest.mark.parametrize("form", [Form.JSON, Form.JUNIT, Form.MARKDOWN])
def test_only_text_has_colours(form: Form) -> None:
    """Whatever is asked for."""
    verdict, run = judged(duplicate())

    assert written(form, verdict, run, is_colourful=True) == written(form, verdict, run)
    assert "\x1b" in written(Form.TEXT, verdict, run, is_colourful=True)
