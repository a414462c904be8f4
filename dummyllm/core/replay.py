"""Knows a recorded run: what befell it, a line each, and nothing left to chance.

    0aff8219456e3c4a25f984226f52147e submit 3 submit.lost_ack             the hit, and the fault that befell it
    0aff8219456e3c4a25f984226f52147e job 0 mode=flaky/fail latency_ms=250 the ordinal, and how the job fared
    0aff8219456e3c4a25f984226f52147e job 0 run.vanish(after_ms=100)       … and a fault that befell it
    0aff8219456e3c4a25f984226f52147e read 0 2 poll.status(503)            the ordinal, the number of the read, the fault

Whatever has no line goes well: a submit is accepted, a job is `ok` at the base latency, a read shows what is. So a line
can be taken out, and nothing else changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from dummyllm.core.fate import Fate, Turn, unbent
from dummyllm.core.faults.drawn import served
from dummyllm.core.faults.fault import Fault, fault_of
from dummyllm.core.faults.kind import Unit
from dummyllm.core.grammar import GrammarError, parse_script
from dummyllm.core.latency import LATENCY_MS_MAX
from dummyllm.core.mode import WEIGHABLE_MODES, Mode
from dummyllm.core.request import Identity, JobRequest
from dummyllm.core.twist import with_faults

FORMAT = 1
HEADING = f"# dummyLLM faults, format {FORMAT}"

_FORMAT = re.compile(r"# dummyLLM faults, format ([0-9]{1,9})", re.ASCII)
_ORIGIN = re.compile(r"# seed (-?[0-9]{1,80}), identity ([a-z_]{1,20}), latency ([0-9]{1,9}) ms", re.ASCII)

_LINE = re.compile(
    r"([0-9a-f]{32}) +(?:(submit|job) +([0-9]{1,19})|read +([0-9]{1,19}) +([0-9]{1,19})) +(.*\S)", re.ASCII
)
_COURSE = re.compile(r"mode=([a-z]+)(?:/([a-z]+))? +latency_ms=([0-9]{1,9})(?: +base_ms=([0-9]{1,9}))?", re.ASCII)

Place = tuple[Identity, int]
At = TypeVar("At")
What = TypeVar("What")


class ReplayError(ValueError):
    """What is wrong with the lines of a recorded run, one sentence for each."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("; ".join(mistakes))
        self.mistakes = tuple(mistakes)


@dataclass(frozen=True, slots=True)
class Course:
    """How a job fared, faults apart: its mode, which way it went if it was flaky, and its latency.

    *base_ms* is the base latency by which reads moved its own clock (`polls`), or None if it was the server's.
    """

    mode: Mode
    turn: Turn | None
    latency_ms: int
    base_ms: int | None = None

    @property
    def spelled(self) -> str:
        """The course as a line has it."""
        turn = f"/{self.turn.value}" if self.turn is not None else ""
        base = f" base_ms={self.base_ms}" if self.base_ms is not None else ""
        return f"mode={self.mode.value}{turn} latency_ms={self.latency_ms}{base}"


@dataclass(frozen=True, slots=True)
class Origin:
    """The settings that a recorded run depends on, as its head says; without them its lines mean other jobs."""

    seed: int
    identity: str
    latency_ms: int

    def differing(self, seed: int, identity: str, latency_ms: int) -> list[str]:
        """Return, for each setting that is another here, what it was and what it is."""
        here = {"SEED": (self.seed, seed), "IDENTITY": (self.identity, identity)}
        here["LATENCY_MS"] = (self.latency_ms, latency_ms)
        return [f"{name}={was}, and here it is {now}" for name, (was, now) in here.items() if was != now]


@dataclass(frozen=True, slots=True, eq=False)
class Replay:
    """A recorded run. It is equal to another only if it is the same one. *origin* is None if its lines were written."""

    submits: Mapping[Place, Fault] = field(default_factory=dict)
    courses: Mapping[Place, Course] = field(default_factory=dict)
    jobs: Mapping[Place, tuple[Fault, ...]] = field(default_factory=dict)
    reads: Mapping[tuple[Identity, int, int], Fault] = field(default_factory=dict)
    origin: Origin | None = None

    def fate(self, base_ms: int, request: JobRequest, identity: Identity, ordinal: int) -> Fate:
        """Return the fate that the *ordinal*-th job of *identity* had."""
        course = self.course(identity, ordinal, base_ms)
        fate = unbent(course.mode, course.turn, course.latency_ms, request.timeout_ms)
        faults = served(self.jobs.get((identity, ordinal), ()))
        return with_faults(fate, faults, request, counts_reads=bool(self.reads))

    def course(self, identity: Identity, ordinal: int, base_ms: int) -> Course:
        """Return how the *ordinal*-th job of *identity* fared, faults apart: well, if nothing else is recorded."""
        return self.courses.get((identity, ordinal), Course(Mode.OK, None, base_ms))


def read_replay(lines: Iterable[str]) -> Replay:
    """Return the run that *lines* record; raise `ReplayError` with all mistakes at once."""
    submits: dict[Place, Fault] = {}
    courses: dict[Place, Course] = {}
    jobs: dict[Place, tuple[Fault, ...]] = {}
    reads: dict[tuple[Identity, int, int], Fault] = {}
    origin: Origin | None = None
    mistakes = []
    for number, line in enumerate(lines, start=1):
        if line.startswith("#"):
            version = _FORMAT.match(line)
            if version is not None and int(version[1]) != FORMAT:
                mistakes.append(f"line {number}: it is of format {version[1]}, and this dummyLLM reads {FORMAT}")
            origin = origin or _origin(line)
        text = line.partition("#")[0].strip()
        if not text:
            continue
        try:
            _take(text, submits, courses, jobs, reads)
        except ValueError as error:
            mistakes.append(f"line {number}: {error}")
    if mistakes:
        raise ReplayError(mistakes)
    return Replay(submits, courses, jobs, reads, origin)


def _origin(line: str) -> Origin | None:
    match = _ORIGIN.match(line)
    return Origin(int(match[1]), match[2], int(match[3])) if match is not None else None


def _take(
    text: str,
    submits: dict[Place, Fault],
    courses: dict[Place, Course],
    jobs: dict[Place, tuple[Fault, ...]],
    reads: dict[tuple[Identity, int, int], Fault],
) -> None:
    match = _LINE.fullmatch(text)
    if match is None:
        raise ValueError(
            f"{text[:80]!r} is no line of a recorded run; write IDENTITY submit HIT FAULT, or job, or read"
        )
    identity = Identity(bytes.fromhex(match[1]))
    what = match[6]
    if match[2] is None:
        _put(reads, (identity, int(match[4]), int(match[5])), _fault(what, Unit.POLL), "fault of this read")
    elif match[2] == "submit":
        _put(submits, (identity, int(match[3])), _fault(what, Unit.SUBMIT), "fault of this submit")
    elif what.startswith("mode="):
        _put(courses, (identity, int(match[3])), _course(what), "course of this job")
    else:
        fault, place = _fault(what, Unit.JOB), (identity, int(match[3]))
        faults = jobs.get(place, ())
        rival = next((other for other in faults if other.kind.excludes == fault.kind.excludes), None)
        if rival is not None:
            raise ValueError(f"{fault.text} and {rival.text} exclude each other; keep one")
        jobs[place] = (*faults, fault)


def _put(lines: dict[At, What], place: At, what: What, called: str) -> None:
    # Were the last one to win, taking it out would let another one in.
    if place in lines:
        raise ValueError(f"is another {called}; keep one")
    lines[place] = what


def _fault(text: str, unit: Unit) -> Fault:
    try:
        (step, *others) = parse_script(text)
        if others or len(step.calls) != 1 or step.count != 1 or not text.startswith(step.calls[0].name):
            raise ValueError(f"{text[:80]!r} is not one fault")
        fault = fault_of(step.calls[0])
    except GrammarError as error:
        raise ValueError(f"{text[:80]!r} is no fault: {error}") from None
    if fault.kind.unit is not unit:
        raise ValueError(f"{fault.text} befalls a {fault.kind.unit.value}, and the line is about a {unit.value}")
    return fault


def _course(text: str) -> Course:
    match = _COURSE.fullmatch(text)
    names = [mode.value for mode in WEIGHABLE_MODES]
    turns = [turn.value for turn in Turn]
    if match is None or match[1] not in names or max(int(match[3]), int(match[4] or 0)) > LATENCY_MS_MAX:
        raise ValueError(
            f"{text[:80]!r} is no course; write mode=MODE latency_ms=NUMBER, where MODE is {', '.join(names)}"
        )
    mode = Mode(match[1])
    if (mode is Mode.FLAKY) != (match[2] is not None) or (match[2] is not None and match[2] not in turns):
        raise ValueError(
            f"{text[:80]!r} is no course; flaky, and nothing else, says how it went: flaky/{', flaky/'.join(turns)}"
        )
    turn = Turn(match[2]) if match[2] is not None else None
    return Course(mode, turn, int(match[3]), int(match[4]) if match[4] is not None else None)
