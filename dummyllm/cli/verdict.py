"""`dummyllm verdict`: what a runner did wrong, from a running server or from the file of a journal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from dummyllm.cli.judged import Question, judged, nothing_collected
from dummyllm.cli.partner import AwayError, TroubleError
from dummyllm.cli.terminal import Status, Terminal
from dummyllm.cli.verdict_rules import rule_mistake, rules_told
from dummyllm.settings import SettingsError
from dummyllm.verdict.finding import Result
from dummyllm.verdict.report.forms import Form, form_of, written
from dummyllm.verdict.report.summary import why

FormName = Literal["text", "json", "junit", "markdown"]
SameName = Literal["auto", "payload", "trace_id", "key"]


def verdict(
    run: Annotated[
        str | None, Parameter(name="RUN", help="The URL of a running server, the file of a journal, or -.")
    ] = None,
    /,
    *,
    require: Annotated[str, Parameter(show_default=False, help="Rules that must be exercised, comma between.")] = "",
    form: Annotated[FormName | None, Parameter(name="--format", help="The form; else as --out is named.")] = None,
    out: Annotated[str | None, Parameter(help="The file to write to.")] = None,
    identity: Annotated[SameName | None, Parameter(help="For a file: what makes two submits the same work.")] = None,
    expect: Annotated[str | None, Parameter(help="For a file: what was to be sent, one submit body a line.")] = None,
    rules: Annotated[
        bool, Parameter(negative="", show_default=False, help="List the rules; with an id as RUN, tell all about one.")
    ] = False,
    markdown: Annotated[
        bool, Parameter(negative="", show_default=False, help="With --rules: the page that is docs/verdict.md.")
    ] = False,
    terminal: Annotated[Terminal, Parameter(parse=False)],
) -> Status:
    """Say what the runner did wrong, as far as it is proven."""
    if rules or markdown:
        return rules_told(run, terminal, is_markdown=markdown)
    required = [word.strip() for word in require.split(",") if word.strip()]
    mistakes = [f"--require: {mistake}" for rule in required if (mistake := rule_mistake(rule)) is not None]
    if run is None:
        mistakes.append("RUN is missing: the URL of a running server, the file of a journal, or -")
    if mistakes or run is None:
        return terminal.refuse(mistakes)
    question = Question(source=run, required=required, same=identity, expect=expect)
    form_wanted = form_of(Path(out or "")) if form is None else Form(form)
    with nothing_collected():
        return _told(question, form_wanted, out, terminal)


def _told(question: Question, form: Form, out: str | None, terminal: Terminal) -> Status:
    """Have the run judged, and write what comes of it to *out*, or to standard output."""
    try:
        found, run = judged(question, terminal)
    except SettingsError as error:
        return terminal.refuse(error.mistakes)
    except ValueError as error:
        return terminal.refuse([str(error)])
    except (AwayError, TroubleError) as error:
        return terminal.fail(str(error))
    said = written(form, found, run, is_colourful=out is None and terminal.has_colours(terminal.out))
    if out is None:
        terminal.say(said.removesuffix("\n"))
    else:
        try:
            Path(out).write_text(said, encoding="utf-8")
        except OSError as error:
            return terminal.refuse([f"--out {out!r} cannot be written ({error.strerror})"])
        terminal.note(f"dummyllm: {found.verdict}: {why(found)}")
    return Status.OK if found.verdict is Result.PASS else Status.FAILED
