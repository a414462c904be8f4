"""Finds the run that somebody asks about, at a running server or in the file of a journal, and has it judged there."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import msgspec

from dummyllm.chaos_values import expected
from dummyllm.cli.fetch import Fetch, url_mistake
from dummyllm.cli.main import STDIN
from dummyllm.cli.news import News
from dummyllm.cli.partner import AwayError
from dummyllm.cli.terminal import Terminal
from dummyllm.journal_file import JournalFileError, Read, read_journal
from dummyllm.settings import load
from dummyllm.verdict.attempts import run_of
from dummyllm.verdict.judge import Verdict, judge
from dummyllm.verdict.run import Run
from dummyllm.verdict.same import Same

CHECK_EVERY = 4096
OWN_SETTINGS = (
    "a server judges by its own settings: start it with DUMMYLLM_VERDICT_IDENTITY and DUMMYLLM_VERDICT_EXPECT, or "
    "judge a file of its journal"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which run it is about, and by what it is judged: *same* and *expect* are None where the settings say so."""

    source: str
    required: list[str]
    same: str | None
    expect: str | None


@contextmanager
def nothing_collected() -> Iterator[None]:
    """Look for no garbage meanwhile: a run is millions of objects that all stay, and the search a third of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def judged(question: Question, terminal: Terminal) -> tuple[Verdict, Run]:
    """Return the verdict, and the run that it is about.

    Raise ValueError for a wrong call, in one sentence, or `SettingsError` with all mistakes; `AwayError` or
    `TroubleError` if there is no server or it refuses.
    """
    if "://" in question.source:
        return _of_server(question, terminal.environ)
    return _of_file(question, terminal)


def _of_server(question: Question, environ: Mapping[str, str]) -> tuple[Verdict, Run]:
    mistake = url_mistake(question.source, "RUN")
    if mistake is None and (question.same or question.expect):
        mistake = f"{'--identity' if question.same else '--expect'} is for files; {OWN_SETTINGS}"
    if mistake is not None:
        raise ValueError(mistake)
    fetch = Fetch(question.source, environ.get("DUMMYLLM_API_KEY", ""), agent="dummyllm-verdict")
    try:
        answer = fetch.send("GET", f"/__admin/verdict?final=1&require={quote(','.join(question.required))}")
        found = msgspec.json.decode(answer, type=Verdict)
        # The entries by which it proves what it finds, as they are told in a story.
        read = read_journal(fetch.send("GET", "/__admin/journal.jsonl").splitlines(keepends=True))
    except (msgspec.DecodeError, JournalFileError) as error:
        raise AwayError(f"what answers at {fetch.url} is no dummyLLM of this version ({error})") from None
    return found, run_of(read.heading, read.lines, same=Same(found.identity), closing=read.closing)


def _of_file(question: Question, terminal: Terminal) -> tuple[Verdict, Run]:
    settings = load(terminal.environ)
    news = News(terminal)
    read = _read(question.source, terminal, news)
    if news.were_told:
        news.tell(f"judging {len(read.lines):,} entries")
    try:
        payloads = settings.verdict_expect if question.expect is None else expected(question.expect)
    except ValueError as error:
        raise ValueError(f"--expect {question.expect!r} {error}") from None
    run = run_of(
        read.heading,
        read.lines,
        same=settings.verdict_identity if question.same is None else Same(question.same),
        limits=settings.verdict_limits,
        expected=payloads,
        closing=read.closing,
        is_final=read.closing is not None,  # a server that was killed cut its runner short: what is open is pending
    )
    notes = [] if read.closing else [f"the last whole line of the file is line {read.ends_at_line}"]
    return judge(run, question.required, notes=notes, is_all_there_is=True), run


def _read(file: str, terminal: Terminal, news: News) -> Read:
    try:
        if file == STDIN:
            binary = getattr(terminal.source, "buffer", None)
            raw = terminal.source.read().encode() if binary is None else bytes(binary.read())
            return read_journal(_counted(raw.splitlines(keepends=True), news))
        with Path(file).open("rb") as lines:
            return read_journal(_counted(lines, news))
    except OSError as error:
        use = "use the file of a journal (DUMMYLLM_JOURNAL), or a URL such as http://127.0.0.1:8787"
        raise ValueError(f"{file!r} cannot be read ({error.strerror}); {use}") from None
    except JournalFileError as error:
        raise ValueError(f"{file!r} is no journal: {error}") from None


def _counted(lines: Iterable[bytes], news: News) -> Iterator[bytes]:
    """Yield *lines*, and say how many there were so far if there are many."""
    for number, line in enumerate(lines, start=1):
        if number % CHECK_EVERY == 0 and news.are_due:
            news.tell(f"{number:,} lines read in {news.passed_s:.0f} s")
        yield line
