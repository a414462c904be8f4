"""`dummyllm fate`: what will happen to a payload under this environment, time after time, without a server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from dummyllm.assembly import backend_of
from dummyllm.backend import Backend
from dummyllm.cli.main import STDIN
from dummyllm.cli.terminal import Status, Terminal, printable
from dummyllm.clock import ManualClock
from dummyllm.core.decision import Decision, decisions_of
from dummyllm.core.fingerprint import IdentityKind, fingerprint_of, identity_of
from dummyllm.core.job import Job
from dummyllm.core.request import JobRequest
from dummyllm.core.timeline import State
from dummyllm.settings import Settings, SettingsError, load
from dummyllm.web.decode import decode_request
from dummyllm.web.encode import FateView
from dummyllm.web.refusal import Refusal, body_of

TIMES_MAX = 100_000


class JobFate(msgspec.Struct, frozen=True):
    """What befalls one job of the payload; *reply* is null unless it ends well."""

    ordinal: int
    id: str
    fate: FateView
    reply: str | None
    draws: tuple[Decision, ...]


class Fates(msgspec.Struct, frozen=True):
    """What befalls the payload, time after time."""

    fingerprint: str
    identity: str
    identity_kind: IdentityKind
    seed: int
    jobs: tuple[JobFate, ...]


def fate(
    file: Annotated[str, Parameter(name="FILE", help="A payload, or - for standard input.")],
    /,
    *,
    times: Annotated[int, Parameter(help="How often the payload is submitted.")] = 5,
    why: Annotated[bool, Parameter(negative="", show_default=False, help="Show the draws that decided.")] = False,
    as_json: Annotated[
        bool, Parameter(name="--json", negative="", show_default=False, help="Print one JSON object.")
    ] = False,
    terminal: Annotated[Terminal, Parameter(parse=False)],
) -> Status:
    """Say what will happen to a payload."""
    mistakes = [] if 1 <= times <= TIMES_MAX else [f"--times {times} is no number of times; use 1 to {TIMES_MAX}"]
    try:
        body = _read(file, terminal)
    except OSError as error:
        mistakes.append(
            f"{file!r} cannot be read ({error.strerror}); use the path of a payload, or - for standard input"
        )
    try:
        settings = load(terminal.environ)
    except SettingsError as error:
        mistakes += error.mistakes
    if mistakes:
        return terminal.refuse(mistakes)
    try:
        request = _decode(body, settings)
    except Refusal as refusal:
        if as_json:
            terminal.say(body_of(refusal).decode())
        return terminal.fail(f"the server refuses this payload: {refusal.status} {refusal.code}: {refusal.message}")
    fates = fates_of(request, settings, times)
    if as_json:
        terminal.say(msgspec.json.format(msgspec.json.encode(fates)).decode())
    else:
        for line in _page(fates, has_draws=why):
            terminal.say(line)
    return Status.OK


def fates_of(request: JobRequest, settings: Settings, times: int) -> Fates:
    """Return what befalls the first *times* jobs of *request* in a server with *settings*."""
    roomy = replace(settings, jobs_max=times, store_max_bytes=times * 2 * settings.max_body_bytes)
    backend = backend_of(roomy, ManualClock())
    return Fates(
        fingerprint=fingerprint_of(request).hex(),
        identity=identity_of(settings.identity, request).hex(),
        identity_kind=settings.identity,
        seed=settings.seed,
        jobs=tuple(_job_fate(job, backend) for job in asyncio.run(_jobs(backend, request, times))),
    )


async def _jobs(backend: Backend, request: JobRequest, times: int) -> list[Job]:
    return [await backend.accept(request) for _ in range(times)]


def _job_fate(job: Job, backend: Backend) -> JobFate:
    planned = job.fate
    reply = backend.reply(job).text if planned.outcome is State.OK else None
    view = FateView(planned.mode, planned.outcome, planned.timeline, planned.failure)
    return JobFate(job.ordinal, job.id, view, reply, decisions_of(job.policy, job.identity, job.ordinal))


def _read(file: str, terminal: Terminal) -> bytes:
    if file != STDIN:
        return Path(file).read_bytes()
    binary = getattr(terminal.source, "buffer", None)
    return terminal.source.read().encode() if binary is None else bytes(binary.read())


def _decode(body: bytes, settings: Settings) -> JobRequest:
    if len(body) > settings.max_body_bytes:
        raise Refusal("TOO_LARGE", f"the body is longer than {settings.max_body_bytes} bytes (DUMMYLLM_MAX_BODY_BYTES)")
    return decode_request(body, settings.unknown)


HEADINGS = ("ordinal", "job", "mode", "timeline", "ends with")


def _page(fates: Fates, *, has_draws: bool) -> Iterator[str]:
    yield f"fingerprint  {fates.fingerprint}"
    yield f"identity     {fates.identity} ({fates.identity_kind.value})"
    yield f"seed         {fates.seed}"
    yield ""
    rows = [HEADINGS, *(_row(job) for job in fates.jobs)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS) - 1)]
    for place, row in enumerate(rows):
        yield _aligned(row, widths)
        if has_draws and place > 0:
            yield from _why(fates.jobs[place - 1])


def _row(job: JobFate) -> tuple[str, ...]:
    timeline = " → ".join(f"{moment.state.value} {moment.at_ms}" for moment in job.fate.timeline)
    return str(job.ordinal), job.id, job.fate.mode.value, f"{timeline} ms", _end(job)


def _end(job: JobFate) -> str:
    if job.reply is not None:
        return printable(job.reply)
    return job.fate.failure.code if job.fate.failure is not None else "nothing: it never ends"


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [row[0].rjust(widths[0]), *(cell.ljust(width) for cell, width in zip(row[1:], widths[1:], strict=False))]
    return "  ".join([*cells, row[-1]])


def _why(job: JobFate) -> Iterator[str]:
    if not job.draws:
        yield "           no draws: the mode is set"
    for draw in job.draws:
        won = "  won" if draw.won else ""
        yield f"           {draw.site:<14} u {draw.u:.10f}  -ln(u)/{draw.weight} = {draw.time:.10f}{won}"
