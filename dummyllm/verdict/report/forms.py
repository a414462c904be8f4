"""Knows every form that a verdict can be written in, and which one the name of a file asks for."""

from __future__ import annotations

from enum import StrEnum
from pathlib import PurePath

import msgspec

from dummyllm.verdict.judge import Verdict
from dummyllm.verdict.report.junit import junit
from dummyllm.verdict.report.markdown import markdown
from dummyllm.verdict.report.text import text
from dummyllm.verdict.run import Run


class Form(StrEnum):
    """How a verdict is written."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"
    MARKDOWN = "markdown"


SUFFIXES = {".json": Form.JSON, ".xml": Form.JUNIT, ".md": Form.MARKDOWN}


def form_of(path: PurePath) -> Form:
    """Return the form that the name of a file asks for; text if it asks for none."""
    return SUFFIXES.get(path.suffix.lower(), Form.TEXT)


def written(form: Form, verdict: Verdict, run: Run, *, is_colourful: bool = False) -> str:
    """Return the *verdict* in this *form*, with a line break at its end; only text has colours."""
    match form:
        case Form.JSON:
            said = msgspec.json.format(msgspec.json.encode(verdict)).decode()
        case Form.JUNIT:
            said = junit(verdict, run)
        case Form.MARKDOWN:
            said = markdown(verdict, run)
        case Form.TEXT:
            said = text(verdict, run, is_colourful=is_colourful)
    return said.removesuffix("\n") + "\n"
