"""Gives the verdict that was asked for when the server ends: on standard output, or in a file.

A server that cannot write it says so in one line and ends as it would have: by then there is nobody to refuse.
"""

from __future__ import annotations

import sys

from dummyllm.backend import Backend
from dummyllm.settings import Settings
from dummyllm.trial import Case


def last_word(backend: Backend, settings: Settings) -> None:
    """Judge the run, which is over, and print or write what comes of it; do nothing if nobody wants to know."""
    if not settings.verdict_is_wanted:
        return
    from dummyllm.verdict.judge import judge  # noqa: PLC0415  # three dozen modules that most servers never need
    from dummyllm.verdict.report.forms import Form, form_of, written  # noqa: PLC0415

    run = Case(backend, settings).run(is_final=True)
    path = settings.verdict
    said = written(Form.TEXT if path is None else form_of(path), judge(run), run)
    try:
        if path is None:
            sys.stdout.write(said)
            sys.stdout.flush()
        else:
            path.write_text(said, encoding="utf-8")
    except (OSError, ValueError) as error:
        where = "standard output" if path is None else repr(str(path))
        reason = error.strerror if isinstance(error, OSError) else str(error)
        sys.stderr.write(f"dummyllm: the verdict cannot be written to {where} ({reason})\n")
