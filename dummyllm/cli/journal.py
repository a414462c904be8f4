"""`dummyllm journal tail`: what a running server sees and does, line by line, while it does."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal
from urllib.parse import urlencode

import msgspec
from cyclopts import Parameter

from dummyllm.cli.fetch import Fetch, url_mistake
from dummyllm.cli.partner import AwayError, TroubleError
from dummyllm.cli.terminal import Status, Terminal, printable
from dummyllm.journal import What
from dummyllm.journal_line import Line
from dummyllm.verdict.report.row import answer_of, remarks_on

INTERVAL_S = 0.2
PAGE = 1_000
SEQ_MAX = 2**53

WhatName = Literal[
    "submit", "poll", "cancel", "inspect", "other",
    "started", "ordinal_skipped", "ordinal_dropped", "evicted", "reset",
]  # fmt: skip
REQUESTS = (What.SUBMIT, What.POLL, What.CANCEL, What.INSPECT, What.OTHER)


def journal(
    action: Annotated[Literal["tail"], Parameter(name="ACTION", help="tail is all there is.")],
    url: Annotated[str, Parameter(name="URL", help="A running server.")],
    /,
    *,
    since: Annotated[int, Parameter(help="The number of the first entry wanted.")] = 0,
    count: Annotated[int | None, Parameter(help="How many entries to print; then it ends.")] = None,
    what: Annotated[WhatName | None, Parameter(help="Only entries of this kind.")] = None,
    job: Annotated[str | None, Parameter(help="Only entries about this job.")] = None,
    fault: Annotated[bool, Parameter(negative="", show_default=False, help="Only what a fault befell.")] = False,
    as_json: Annotated[
        bool, Parameter(name="--json", negative="", show_default=False, help="Print each entry as it is, as JSON.")
    ] = False,
    terminal: Annotated[Terminal, Parameter(parse=False)],
) -> Status:
    """Print the entries of the journal as they come."""
    mistakes = [mistake] if (mistake := url_mistake(url, "URL")) is not None else []
    if not 0 <= since <= SEQ_MAX:
        mistakes.append(f"--since {since} is no number of an entry; they count from 0")
    if count is not None and count < 1:
        mistakes.append(f"--count {count} is no number of entries; use 1 or more")
    if mistakes:
        return terminal.refuse(mistakes)
    asked = {"what": what, "job": job, "fault": "1" if fault else None}
    query = {name: value for name, value in asked.items() if value is not None}
    fetch = Fetch(url, terminal.environ.get("DUMMYLLM_API_KEY", ""), agent="dummyllm-journal")
    try:
        for number, raw in enumerate(_entries(fetch, since, query, terminal), start=1):
            terminal.say(bytes(raw).decode() if as_json else shown(_line(raw)))
            if number == count:
                break
    except (AwayError, TroubleError) as error:
        return terminal.fail(str(error))
    except msgspec.DecodeError as error:
        return terminal.fail(f"what answers at {url} is no dummyLLM of this version ({error})")
    return Status.OK


class _View(msgspec.Struct):
    """A page of the journal, with its entries as they were sent."""

    entries: list[msgspec.Raw]
    next: int
    dropped: int


_view = msgspec.json.Decoder(_View).decode
_line = msgspec.json.Decoder(Line).decode


def _entries(fetch: Fetch, since: int, query: Mapping[str, str], terminal: Terminal) -> Iterator[msgspec.Raw]:
    """Yield what the server at the other end of *fetch* writes down, from entry *since* on, for as long as it runs."""
    reached = 0
    while True:
        view = _view(fetch.send("GET", f"/__admin/journal?{urlencode({'since': since, 'limit': PAGE, **query})}"))
        if view.next < reached:
            since = reached = 0  # the server was reset: its numbers begin anew
            continue
        if view.dropped > since:
            terminal.note(f"dummyllm: {view.dropped - since} entries fell out of the journal (DUMMYLLM_JOURNAL_MAX)")
        yield from view.entries
        is_new = view.next > max(since, reached)
        reached, since = view.next, max(since, view.next, view.dropped)
        if not is_new:
            time.sleep(INTERVAL_S)


def shown(line: Line) -> str:
    """Return an entry as a line to read: when, its number, what came, what was answered, and whether that arrived."""
    head = f"{line.arrived_ms / 1000:10.3f} s  {line.seq:>6}  {line.what:<7}  "
    if line.what not in REQUESTS:
        return f"{head}{' '.join(part for part in (line.job, printable(line.note or '')) if part)}".rstrip()
    cells = f"{answer_of(line):<16}  {line.delivered:<9}  {line.job or '–':<28}"
    return f"{head}{cells}  {', '.join(remarks_on(line))}".rstrip()
