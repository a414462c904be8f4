"""One row of an account: a request and its answer as an entry of the journal has them, or what happened in between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dummyllm.journal_line import Line
from dummyllm.verdict.report.words import printable, short

SLOW_MS = 100
WORD_MAX = 24  # IDEMPOTENCY_KEY_REUSED has 22


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What happened *at_ms* after the account begins. *event* is what nobody asked for, and then it is alone.

    *is_proof* says that the entry *seq* is one of those that prove the breach.
    """

    at_ms: int
    event: str = ""
    seq: int | None = None
    request: str = ""
    job: str = ""
    answer: str = ""
    delivered: str = ""
    remarks: tuple[str, ...] = ()
    is_proof: bool = False

    def gist(self) -> tuple[object, ...]:
        """Return what the row tells, whenever it was."""
        return self.event, self.request, self.job, self.answer, self.delivered, self.remarks, self.is_proof


def answer_of(line: Line) -> str:
    """Return what *line* was answered, in two words: the status, and the state or the code that came with it."""
    if not line.status:
        return "no answer"
    word = line.code if line.status >= 400 else line.shown or line.state
    return f"{line.status} {short(word, WORD_MAX)}" if word else str(line.status)


def remarks_on(line: Line) -> Iterator[str]:
    """Yield what else there is to say about *line*: what befell it, how long it took, and what its client was told."""
    if line.fault is not None:
        yield printable(line.fault) + ("" if line.served else " (not served)")
    if line.retry_after_s is not None and "retry_after=" not in (line.fault or ""):
        yield f"Retry-After: {line.retry_after_s}"
    if line.wait_s is not None:
        yield f"Prefer: wait={line.wait_s}"
    if line.took_ms >= SLOW_MS:
        yield f"took {line.took_ms} ms"
    if line.is_replay:
        yield "the job was there already"
    elif line.note is not None:
        yield printable(line.note)
    if line.retries:
        yield f"retry {line.retries} of an SDK"
    if line.names_unknown:
        yield "named an unknown member"
    if line.faults and not line.is_replay:
        yield f"its job has {', '.join(map(printable, line.faults))}"
