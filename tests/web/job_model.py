"""What becomes of jobs, said once more from the documents alone: docs/api.md, docs/faults.md and DESIGN.md.

It plays time from one instant to the next, and holds no code of the server's. Times are milliseconds since the start.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

FINAL = ("ok", "fail", "timeout", "cancelled")
LEGAL = {("queued", "running"), *((before, after) for before in ("queued", "running") for after in FINAL)}
"""Every state that a client may see after another one, if no fault befalls its reads."""

ERRORS = {"fail": "SIM_FAIL", "flaky": "SIM_FLAKY", "timeout": "TIMEOUT", "cancelled": "CANCELLED"}


class Fault(NamedTuple):
    """A fault as a setting has it, with the one number of it that counts."""

    text: str
    number: int = 0

    @property
    def name(self) -> str:
        """Its name alone."""
        return self.text.partition("(")[0]


REFUSALS = (Fault("submit.status(503,retry_after=2)", 503), Fault("submit.status(422)", 422), Fault("submit.reset"))

# Of the faults in one row only one can befall the same thing.
GROUPS: dict[str, tuple[Fault, ...]] = {
    "submit": (
        Fault("submit.lost_ack"),
        Fault("submit.cut_ack"),
        Fault("submit.slow_ack(ms=700)"),
        Fault("connection.close_idle"),
    ),
    "run": (
        Fault("run.vanish(after_ms=0)", 0),
        Fault("run.vanish(after_ms=250)", 250),
        Fault("run.vanish(after_ms=900)", 900),
        Fault("run.stuck_queued"),
        Fault("run.late(factor=0.5)", 50),
        Fault("run.late(factor=1.25)", 125),
    ),
    "result": (Fault("result.empty"), Fault("result.cut(percent=40)", 40), Fault("result.unicode")),
    "cancel": (
        Fault("cancel.ignored"),
        Fault("cancel.slow(ms=1)", 1),
        Fault("cancel.slow(ms=300)", 300),
        Fault("cancel.slow(ms=5000)", 5000),
        Fault("cancel.lost_ack"),
        Fault("cancel.status(409)", 409),
    ),
    "first reads": (
        Fault("poll.missing(reads=1)", 1),
        Fault("poll.missing(reads=2)", 2),
        Fault("poll.unknown_state(name=paused,reads=2)", 2),
    ),
    "end reads": (
        Fault("poll.stale(reads=1)", 1),
        Fault("poll.stale(reads=2)", 2),
        Fault("poll.backwards(reads=1)", 1),
        Fault("poll.backwards(reads=2)", 2),
    ),
    "poll": (Fault("poll.status(502,retry_after=1)", 502), Fault("poll.reset"), Fault("poll.slow(ms=300)")),
}

Faults = dict[str, Fault]
"""A fault for each group that has one."""


@dataclass(frozen=True)
class Step:
    """One step of a script: a refusal alone, or a mode and faults in the order in which they were written."""

    mode: str = "ok"
    faults: tuple[tuple[str, Fault], ...] = ()
    refusal: Fault | None = None

    @property
    def text(self) -> str:
        """The step as DUMMYLLM_SCRIPT has it."""
        if self.refusal is not None:
            return self.refusal.text
        return "+".join([self.mode, *(fault.text for _, fault in self.faults)])


@dataclass(frozen=True)
class Rules:
    """What the operator set: a script or a mode, and *drawn* faults at 100 percent."""

    steps: tuple[Step, ...] = ()
    mode: str = "ok"
    drawn: tuple[tuple[str, Fault], ...] = ()
    base_ms: int = 250
    slots: int = 0
    queue_max: int = 0

    def step(self, number: int) -> Step:
        """Return the step of that number; the last one repeats, and without a script there is only one."""
        return self.steps[min(number, len(self.steps) - 1)] if self.steps else Step(self.mode)


@dataclass(eq=False)
class Life:
    """One job, and what is written down about it."""

    work: int
    ordinal: int
    accepted_ms: int
    timeout_ms: int
    mode: str
    forced: Faults
    faults: Faults
    outcome: str = ""
    run_ms: int | None = None
    started_ms: int | None = None
    cancelled_ms: int | None = None
    cancels: int = 0
    reads: int = 0
    end_reads: int = 0

    def has(self, name: str) -> Fault | None:
        """Return its fault called *name*, if it has that."""
        return next((fault for fault in self.faults.values() if fault.name == name), None)

    @property
    def is_stuck(self) -> bool:
        """Whether it never starts."""
        return self.has("run.stuck_queued") is not None

    @property
    def planned_ms(self) -> int | None:
        """When it ends by itself, as far as that is settled."""
        return None if self.run_ms is None or self.started_ms is None else self.started_ms + self.run_ms

    @property
    def gone_ms(self) -> int | None:
        """When it vanishes, as far as that is settled."""
        vanish = self.has("run.vanish")
        return None if vanish is None or self.started_ms is None else self.started_ms + vanish.number

    @property
    def frees_ms(self) -> int | None:
        """When it needs its slot no more."""
        return least(self.planned_ms, self.gone_ms, self.cancelled_ms)

    @property
    def ends_ms(self) -> int | None:
        """When it ends or ended, as far as that is settled; the end beats a cancel in the same millisecond."""
        return least(self.planned_ms, self.cancelled_ms)

    @property
    def over_ms(self) -> int | None:
        """When there is nothing left to wait for."""
        return least(self.ends_ms, self.gone_ms)

    def is_gone(self, now_ms: int) -> bool:
        """Say whether everything that names it is answered 404."""
        return self.gone_ms is not None and self.gone_ms <= now_ms

    def shown(self, now_ms: int) -> tuple[str, int]:
        """Return its true state, and since when."""
        if self.ends_ms is not None and self.ends_ms <= now_ms:
            by_itself = self.planned_ms == self.ends_ms
            return (self.outcome if by_itself else "cancelled"), self.ends_ms
        return self.before_the_end()

    def before_the_end(self) -> tuple[str, int]:
        """Return the state it was in before it ended, and since when."""
        if self.is_stuck or self.started_ms is None:
            return "queued", self.accepted_ms
        return "running", self.started_ms

    def settle(self, mode: str, base_ms: int, outcome: str) -> None:
        """Note which mode was chosen for it; *outcome* says which way it goes if that mode is flaky."""
        self.mode = mode
        runs = {
            "ok": (base_ms, "ok"),
            "echo": (base_ms, "ok"),
            "slow": (6 * base_ms, "ok"),
            "fail": (min(200, base_ms), "fail"),
            "timeout": (min(max(50, base_ms), max(50, self.timeout_ms)), "timeout"),
            "hang": (None, "running"),
            "flaky": (None if outcome == "running" else base_ms, outcome),
        }
        self.run_ms, self.outcome = runs[mode]
        late = self.has("run.late")
        if late is not None:
            self.run_ms, self.outcome = late.number * self.timeout_ms // 100, "ok"
        if self.is_stuck:
            self.run_ms, self.outcome = None, "queued"

    def error(self, state: str) -> str | None:
        """Return the code of its error in *state*."""
        return ERRORS.get("flaky" if (self.mode, state) == ("flaky", "fail") else state)


class Told(NamedTuple):
    """What a client is to be told, and how the connection is to end; None is anything, and `RST` comes with nothing."""

    status: int | None
    state: str | None = None
    since_ms: int | None = None
    fault: str | None = None
    end: str | None = None
    is_stale: bool = False


@dataclass
class Model:
    """All jobs, the queue, the counters and the keys."""

    rules: Rules
    now_ms: int = 0
    jobs: list[Life] = field(default_factory=list)
    waiting: list[Life] = field(default_factory=list)
    running: list[Life] = field(default_factory=list)
    ordinals: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    steps: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    keys: dict[str, Life] = field(default_factory=dict)

    # --- Time and slots ---

    def advance(self, by_ms: int) -> None:
        """Let time pass, and play what happens until then."""
        self.now_ms += by_ms
        self._play()

    def wait(self, job: Life, most_ms: int) -> None:
        """Let time pass until *job* is over, and *most_ms* at the most."""
        until_ms = self.now_ms + most_ms
        while self.now_ms < until_ms and (job.over_ms is None or job.over_ms > self.now_ms):
            self.advance(min([*self.instants()[:1], until_ms]) - self.now_ms)

    def instants(self) -> list[int]:
        """Return every instant to come at which something is settled to happen."""
        at = {ms for job in self.jobs for ms in (job.planned_ms, job.gone_ms, job.cancelled_ms) if ms is not None}
        return sorted(ms for ms in at if ms > self.now_ms)

    def next_room_ms(self) -> int | None:
        """Return when the next job leaves its slot or the queue, if that is settled."""
        return least(*(job.frees_ms for job in self.running), *(job.cancelled_ms for job in self.waiting))

    def _play(self) -> None:
        while True:
            # Runs end first and their slots pass on; then those leave the queue that were cancelled.
            ends = [(job.frees_ms, 0, job) for job in self.running if job.frees_ms is not None]
            leaves = [(job.cancelled_ms, 1, job) for job in self.waiting if job.cancelled_ms is not None]
            due = [end for end in ends + leaves if end[0] <= self.now_ms]
            if not due:
                return
            at_ms, waits, job = min(due, key=lambda end: end[:2])
            (self.waiting if waits else self.running).remove(job)
            self._fill(at_ms)

    def _fill(self, at_ms: int) -> None:
        while self.waiting and len(self.running) < self.rules.slots:
            job = self.waiting.pop(0)
            job.started_ms = at_ms
            self.running.append(job)

    # --- Submits ---

    def meets_a_full_queue(self, work: int) -> bool:
        """Say whether the next job of *work* would find no place."""
        is_stuck = "run.stuck_queued" in (fault.name for fault in self._faults(work)[1].values())
        limit = self.rules.queue_max
        return (
            bool(self.rules.slots and limit)
            and not is_stuck
            and len(self.running) == self.rules.slots
            and len(self.waiting) >= limit
        )

    def refusal(self, work: int) -> Fault | None:
        """Return the fault with which the script refuses the next submit of *work*, and go one step on."""
        refusal = self.rules.step(self.steps[work]).refusal
        if refusal is not None:
            self.steps[work] += 1
        return refusal

    def accept(self, work: int, timeout_ms: int, key: str | None) -> Life:
        """Return the next job of *work*; its mode is still to be settled."""
        forced, faults = self._faults(work)
        mode = self.rules.step(self.steps[work]).mode
        job = Life(work, self.ordinals[work], self.now_ms, timeout_ms, mode, forced, faults)
        self.ordinals[work] += 1
        self.steps[work] += 1
        self.jobs.append(job)
        if key is not None:
            self.keys[key] = job
        return job

    def start(self, job: Life) -> None:
        """Let *job*, whose mode is settled, start or wait for a slot."""
        if not self.rules.slots or job.is_stuck:
            job.started_ms = self.now_ms
        else:
            self.waiting.append(job)
            self._fill(self.now_ms)
            self._play()

    def _faults(self, work: int) -> tuple[Faults, Faults]:
        forced = dict(self.rules.step(self.steps[work]).faults)
        return forced, dict(self.rules.drawn) | forced

    # --- Reads and cancels ---

    def read(self, job: Life) -> Told:
        """Count a status read of *job* and return what it shows."""
        n = job.reads
        job.reads += 1
        drawn = dict(self.rules.drawn).get("poll")
        bend = job.forced.get("poll", drawn) if n == 0 else drawn
        if bend is not None and bend.name == "poll.status":
            return Told(bend.number, fault=bend.text)
        if bend is not None and bend.name == "poll.reset":
            return Told(None, fault=bend.text, end="RST")
        told = self._shown(job, n)
        return told if bend is None or told.status == 404 else told._replace(fault=bend.text)

    def _shown(self, job: Life, n: int) -> Told:
        if job.is_gone(self.now_ms):
            return Told(404, fault=job.faults["run"].text)
        state, since_ms = job.shown(self.now_ms)
        first, last = job.faults.get("first reads"), job.faults.get("end reads")
        if first is not None and n < first.number:
            if first.name == "poll.missing":
                return Told(404, fault=first.text)
            return Told(200, "paused", since_ms, fault=first.text)
        if last is not None and state in FINAL:
            seen = job.end_reads
            job.end_reads += 1
            shown_before = 0 if last.name == "poll.stale" else 1
            if shown_before <= seen < shown_before + last.number:
                return Told(200, *job.before_the_end(), fault=last.text, is_stale=True)
        return Told(200, state, since_ms)

    def cancel(self, job: Life) -> Told:
        """Cancel *job* as far as it can be, and return what the answer says."""
        if job.is_gone(self.now_ms):
            return Told(404)
        state, since_ms = job.shown(self.now_ms)
        if state in FINAL:
            return Told(200, state, since_ms)
        fault = job.faults.get("cancel")
        is_first = job.cancels == 0
        job.cancels += 1
        if fault is not None and fault.name in ("cancel.ignored", "cancel.slow"):
            if fault.name == "cancel.slow" and job.cancelled_ms is None:
                job.cancelled_ms = self.now_ms + fault.number
            return Told(200, state, since_ms, fault=fault.text)
        if fault is not None and is_first and fault.name == "cancel.status":
            return Told(fault.number, fault=fault.text)
        job.cancelled_ms = self.now_ms
        self._play()
        if fault is not None and is_first:
            return Told(None, fault=fault.text, end="FIN")
        return Told(200, "cancelled", self.now_ms)


def least(*instants: int | None) -> int | None:
    """Return the first of *instants* that is one."""
    return min((ms for ms in instants if ms is not None), default=None)


def spelled(faults: Iterable[tuple[str, Fault]]) -> str:
    """Return *faults* as DUMMYLLM_FAULTS has them, each of them certain."""
    return ", ".join(f"{fault.text}=100" for _, fault in faults)
