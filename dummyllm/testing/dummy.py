"""What a test holds in its hands while a server runs: where it is, what it saw, what time it is, and the verdict."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from typing import Any

from dummyllm.backend import Backend
from dummyllm.clock import ManualClock
from dummyllm.core.job import Job
from dummyllm.core.mode import Mode
from dummyllm.core.request import JobRequest
from dummyllm.core.timeline import State
from dummyllm.journal_line import Line, line_of
from dummyllm.settings import Settings
from dummyllm.testing.loop import LoopThread
from dummyllm.trial import Case
from dummyllm.verdict.finding import Result
from dummyllm.verdict.judge import Verdict, judge
from dummyllm.verdict.report.text import text
from dummyllm.verdict.run import Run


@dataclass(frozen=True, slots=True)
class JobView:
    """A job as it was when it was asked for; *state* compares with a string, and so does *mode*."""

    id: str
    state: State
    mode: Mode
    ordinal: int
    sent: JobRequest

    @property
    def request(self) -> dict[str, Any]:
        """What the client sent, with defaults filled in: `op`, `args`, `timeout_ms` and `trace_id`."""
        sent = self.sent
        return {
            "op": sent.op,
            "args": json.loads(sent.args),
            "timeout_ms": sent.timeout_ms,
            "trace_id": sent.trace_id,
        }


class DummyClock:
    """The clock that the jobs go by."""

    def __init__(self, backend: Backend, name: str, thread: LoopThread) -> None:
        self._backend = backend
        self._name = name
        self._thread = thread

    @property
    def now_ms(self) -> int:
        """The present in epoch milliseconds."""
        return self._backend.clock.now_ms()

    def advance(self, by_ms: int) -> None:
        """Move a manual clock by *by_ms* milliseconds, and play what happens until then."""
        if self._name != "manual" or not isinstance(self._backend.clock, ManualClock):
            raise RuntimeError(f'the clock is {self._name}, which nobody moves by hand; start with clock="manual"')
        if by_ms < 0:
            raise ValueError(f"time does not run backwards: advance({by_ms!r})")
        self._thread.run(self._backend.advance(by_ms))


class Dummy:
    """A server. After its block has ended it answers no client any more, and can still be asked what it saw."""

    def __init__(self, base_url: str, backend: Backend, settings: Settings, thread: LoopThread) -> None:
        self.base_url = base_url
        """Where clients find it: `http://127.0.0.1:PORT`."""
        self.settings = settings
        self.clock = DummyClock(backend, settings.clock.name, thread)
        self.is_final = False
        """Whether the run is over: its block has ended, or the test has said so by `assert_good_runner`."""
        self.required: Collection[str] = ()
        """The rules that the test has required, by `assert_good_runner`."""
        self._backend = backend
        self._thread = thread
        self._last_case: Case | None = None

    def __repr__(self) -> str:
        """Return what pytest shows of it in a traceback."""
        return f"<Dummy at {self.base_url}, seed {self.settings.seed}>"

    @property
    def jobs(self) -> list[JobView]:
        """Every job held, in the order in which they came, as it is now."""
        return self._thread.run(self._jobs())

    async def _jobs(self) -> list[JobView]:
        await self._backend.settle()
        return [self._view(job) for job in self._backend.store.jobs()]

    def _view(self, job: Job) -> JobView:
        return JobView(job.id, self._backend.look(job)[0].state, job.fate.mode, job.ordinal, job.request)

    @property
    def journal(self) -> list[Line]:
        """What the server saw and did, oldest first."""
        return self._thread.ask(self._lines)

    def _lines(self) -> list[Line]:
        journal = self._backend.journal
        return [line_of(entry, journal.zero_s) for entry in journal.since()]

    def case(self) -> Case:
        """Return all that is known by now, or was when the block ended, to be judged."""
        return self._last_case or self._thread.ask(partial(Case, self._backend, self.settings))

    def verdict(self, *, final: bool = True, require: Collection[str] = ()) -> Verdict:
        """Return what is proven against the runner; *final* says that it is done, so that nothing more will come."""
        return self.case().verdict(is_final=final, required=_rules(require))

    def assert_good_runner(self, require: Collection[str] = ()) -> None:
        """Raise AssertionError, with every finding, if the runner broke a rule; the run is over.

        What is *required* must have been put to the test as well.
        """
        __tracebackhide__ = True
        required, run = _rules(require), self.case().run(is_final=True)
        verdict = judge(run, required)  # raises if one of them is no rule: then none is kept
        self.is_final, self.required = True, required
        if verdict.verdict is Result.FAIL:
            raise AssertionError(text(verdict, run))

    def judged(self, case: Case) -> tuple[Run, Verdict]:
        """Return the run of *case*, over or not, and the verdict with what was required."""
        run = case.run(is_final=self.is_final)
        return run, judge(run, self.required)

    def reset(self) -> None:
        """Forget every job, counter and entry: what follows is the same as after a start."""
        self.is_final, self.required = False, ()
        self._last_case = None
        self._thread.ask(self._backend.reset)

    def end(self) -> None:
        """Note that the server has ended: what happens later is no fault of the runner's."""
        self._last_case = self.case()
        self.is_final = True


def _rules(required: Collection[str]) -> Collection[str]:
    return (required,) if isinstance(required, str) else required
