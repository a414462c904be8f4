"""Tells a run for a test, request by request: each call is a line of the journal, and time goes on by hand.

told = Told()
told.submit("a", job=1)                   # 201, delivered, at 0 ms
told.later(250).read(1, "ok")             # a status read 250 ms later
run = told.run()                          # over; `told.run(is_final=False)` goes on
"""

from __future__ import annotations

from typing import Any, Self

from dummyllm.core.timeline import State
from dummyllm.journal import Delivered, What
from dummyllm.journal_line import Heading, Line
from dummyllm.verdict.attempts import run_of
from dummyllm.verdict.limits import Limits
from dummyllm.verdict.run import Run
from dummyllm.verdict.same import Same

EPOCH_MS = 1_800_000_000_000


def job_id(number: int) -> str:
    """Return the id of the job with this *number*."""
    return f"job_{number:024x}"


class Told:
    """A run that grows line by line. *same* is `payload` unless said otherwise: a test owns its payloads."""

    def __init__(self, *, same: Same = Same.PAYLOAD, limits: Limits | None = None, **heading: Any) -> None:
        self.lines: list[Line] = []
        self.now_ms = 0
        self.same = same
        self.limits = limits or Limits()
        self.heading = Heading(**heading)

    def later(self, by_ms: int) -> Self:
        """Let *by_ms* milliseconds pass."""
        self.now_ms += by_ms
        return self

    def submit(
        self,
        payload: str = "a",
        *,
        job: int | None = None,
        status: int = 201,
        ends_after_ms: int | None = 250,
        outcome: str = "ok",
        timeout_ms: int = 8000,
        **more: Any,
    ) -> Line:
        """Submit *payload*; with *job* it is committed, and ends as *outcome* so many ms later, or with None never."""
        planned = (
            {}
            if job is None
            else {"ends_after_ms": ends_after_ms, "outcome": State(outcome if ends_after_ms is not None else "running")}
        )
        return self._add(
            What.SUBMIT,
            **{
                "status": status,
                "job": None if job is None else job_id(job),
                "state": None if job is None else State.QUEUED,
                "fingerprint": f"{payload:>032}",
                "body": f"9-{payload}",
                "timeout_ms": timeout_ms,
                **planned,
                **more,
            },
        )

    def read(self, job: int, state: str | None = "running", *, status: int = 200, **more: Any) -> Line:
        """Read the status of *job*, and be shown *state*; with another *status* than 200 be shown none.

        What a refusal hid is in the journal all the same: `hidden="ok"`.
        """
        return self._add(What.POLL, **{"status": status, "job": job_id(job), **_state(state, status, more)})

    def cancel(self, job: int, state: str = "cancelled", *, status: int = 200, **more: Any) -> Line:
        """Cancel *job*, and be shown *state*."""
        return self._add(What.CANCEL, **{"status": status, "job": job_id(job), **_state(state, status, more)})

    def inspect(self, job: int, *, status: int = 200, **more: Any) -> Line:
        """Ask what *job* was asked to do."""
        return self._add(What.INSPECT, status=status, job=job_id(job), **more)

    def started(self, job: int, **more: Any) -> Line:
        """Let *job*, which was submitted with `waits=True`, get its slot."""
        return self._add(What.STARTED, job=job_id(job), **more)

    def run(self, *, is_final: bool = True, now_ms: int | None = None, **more: Any) -> Run:
        """Return the run so far; *now_ms* is the present if it goes on."""
        return run_of(
            self.heading, self.lines, same=self.same, limits=self.limits, is_final=is_final, now_ms=now_ms, **more
        )

    def _add(self, what: What, **members: Any) -> Line:
        at_ms = EPOCH_MS + self.now_ms * self.heading.pace
        line = Line(
            seq=len(self.lines),
            at_ms=members.pop("at_ms", at_ms),
            what=what,
            arrived_ms=self.now_ms,
            delivered=Delivered(members.pop("delivered", "yes")),
            **members,
        )
        self.lines.append(line)
        return line


def _state(state: str | None, status: int, more: dict[str, Any]) -> dict[str, Any]:
    hidden = more.pop("hidden", None)
    named = state if status == 200 else hidden
    return {"state": None if named is None else State(named), **more}
