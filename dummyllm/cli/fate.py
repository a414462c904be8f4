"""`dummyllm fate`: what will happen to a payload under this environment, time after time, without a server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from dummyllm.cli.foretold import Foretold, Submit, foretell
from dummyllm.cli.payload import decode, read, refused
from dummyllm.cli.terminal import Status, Terminal, printable
from dummyllm.core.decision import FaultDecision
from dummyllm.settings import SettingsError, load
from dummyllm.web.refusal import Refusal, body_of

TIMES_MAX = 100_000


def fate(
    file: Annotated[str, Parameter(name="FILE", help="A payload, or - for standard input.")],
    /,
    *,
    times: Annotated[int, Parameter(help="How often the payload is submitted.")] = 5,
    why: Annotated[bool, Parameter(negative="", show_default=False, help="Show the draws that decided.")] = False,
    svg: Annotated[str | None, Parameter(help="Also draw the timelines into this file.")] = None,
    as_json: Annotated[
        bool, Parameter(name="--json", negative="", show_default=False, help="Print one JSON object.")
    ] = False,
    terminal: Annotated[Terminal, Parameter(parse=False)],
) -> Status:
    """Say what will happen to a payload."""
    mistakes = [] if 1 <= times <= TIMES_MAX else [f"--times {times} is no number of times; use 1 to {TIMES_MAX}"]
    try:
        body = read(file, terminal)
    except ValueError as error:
        mistakes.append(str(error))
    try:
        settings = load(terminal.environ)
    except SettingsError as error:
        mistakes += error.mistakes
    if mistakes:
        return terminal.refuse(mistakes)
    try:
        foretold = foretell(decode(body, settings), settings, times)
    except Refusal as refusal:
        if as_json:
            terminal.say(body_of(refusal).decode())
        return terminal.fail(refused(refusal))
    if svg is not None:
        try:
            Path(svg).write_text(_drawn(foretold), encoding="utf-8")
        except OSError as error:
            return terminal.fail(f"{svg!r} cannot be written ({error.strerror})")
    if as_json:
        terminal.say(msgspec.json.format(msgspec.json.encode(foretold)).decode())
    else:
        for line in _page(foretold, has_draws=why):
            terminal.say(line)
    return Status.OK


def _drawn(foretold: Foretold) -> str:
    from dummyllm.cli.picture import Row, picture  # noqa: PLC0415  # only those who want one wait for it

    def row(submit: Submit) -> Row:
        if submit.fate is None:
            return Row(label=f"submit {submit.hit}", note=_note(submit), refused=submit.fault)
        moments = tuple((moment.at_ms, moment.state.value) for moment in submit.fate.timeline)
        faults = tuple(_befalls(submit))
        return Row(
            label=f"submit {submit.hit}", note=_note(submit), moments=moments, faults=faults, ends_with=_end(submit)
        )

    return picture(f"seed {foretold.seed}, payload {foretold.fingerprint[:12]}", [row(one) for one in foretold.submits])


def _note(submit: Submit) -> str:
    parts = [submit.fate.mode.value if submit.fate is not None else "", f"rule {submit.rule}" if submit.rule else ""]
    return ", ".join(part for part in parts if part)


def _page(foretold: Foretold, *, has_draws: bool) -> Iterator[str]:
    yield f"fingerprint  {foretold.fingerprint}"
    yield f"identity     {foretold.identity} ({foretold.identity_kind.value})"
    yield f"seed         {foretold.seed}"
    yield ""
    rows = _columns([_cells(submit) for submit in foretold.submits])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    for place, row in enumerate(rows):
        yield _aligned(row, widths)
        if has_draws and place > 0:
            yield from _why(foretold.submits[place - 1])


def _cells(submit: Submit) -> dict[str, str]:
    """Return the cells of one row under their headings; a column that is blank in every row is left out."""
    planned = submit.fate
    timeline = " → ".join(f"{m.state.value} {m.at_ms}" for m in planned.timeline) + " ms" if planned is not None else ""
    return {
        "ordinal": "–" if submit.ordinal is None else str(submit.ordinal),
        "job": submit.id or "no job",
        "rule": submit.rule or "",
        "mode": planned.mode.value if planned is not None else "–",
        "timeline": timeline,
        "befalls it": ", ".join(_befalls(submit)),
        "ends with": _end(submit),
    }


def _columns(rows: Sequence[dict[str, str]]) -> list[tuple[str, ...]]:
    headings = [heading for heading in rows[0] if heading == "ends with" or any(row[heading] for row in rows)]
    return [tuple(headings), *(tuple(row[heading] for heading in headings) for row in rows)]


def _befalls(submit: Submit) -> Iterator[str]:
    if submit.fault is not None:
        yield submit.fault
    if submit.fate is not None:
        yield from (
            fault for fault in submit.fate.faults if not fault.startswith(("poll.status", "poll.reset", "poll.slow"))
        )
    yield from submit.reads


def _end(submit: Submit) -> str:
    if submit.fate is None:
        return "refused"
    if submit.fate.vanishes_after_ms is not None:
        return f"gone after {submit.fate.vanishes_after_ms} ms"
    if submit.reply is not None:
        return printable(submit.reply)
    return submit.fate.failure.code if submit.fate.failure is not None else "nothing: it never ends"


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [row[0].rjust(widths[0]), *(cell.ljust(width) for cell, width in zip(row[1:], widths[1:], strict=False))]
    return "  ".join([*cells, row[-1]]).rstrip()


def _why(submit: Submit) -> Iterator[str]:
    if not submit.draws and not submit.faults and submit.latency is None:
        yield "           no draws: the mode is set"
    for draw in submit.draws:
        won = "  won" if draw.won else ""
        yield f"           {draw.site:<14} u {draw.u:.10f}  -ln(u)/{draw.weight} = {draw.time:.10f}{won}"
    if submit.latency is not None:
        drawn = submit.latency
        yield f"           {drawn.site:<14} u {drawn.u:.10f}  {drawn.shape}: {drawn.latency_ms} ms"
    for fault in submit.faults:
        yield f"           {_why_fault(fault)}"


def _why_fault(fault: FaultDecision) -> str:
    if fault.u is None or fault.percent is None:
        return f"{fault.fault:<14} named, not drawn"
    did = "befalls" if fault.served else "stands back" if fault.fired else "does not"
    return f"{fault.site:<24} u {fault.u:.10f}  {'<' if fault.fired else '≥'} {fault.percent:g} %  {did}"
