"""Draws an account as a timeline in characters, with a `◄` and the number of its entry at every line that proves it.

 ms  request  answer       delivered
  0  submit   201 queued   yes
 51  poll     200 running  yes        ◄ 1
250  ·        ends: ok
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dummyllm.verdict.report.abridged import Gap, abridged
from dummyllm.verdict.report.account import Account
from dummyllm.verdict.report.row import Row
from dummyllm.verdict.report.words import short_ids, wrapped

PROOF = "◄"
BETWEEN = "·"
LEFT_OUT = "⋮"
ROOM = 24  # what remarks need beside a row

Paint = Callable[[str], str]
Cells = tuple[str, str, str, str, str, str]  # the last is the proof

HEADINGS: Cells = ("ms", "request", "job", "answer", "delivered", "")
_JOB, _ANSWER, _PROOF = 2, 3, 5


def timeline(account: Account, width: int, *, proof: Paint = str, quiet: Paint = str) -> list[str]:
    """Return the lines of a timeline at most *width* wide; *proof* and *quiet* may colour some of them."""
    jobs = list(dict.fromkeys(row.job for row in account.rows if row.job))
    shown = abridged(account.rows)
    columns = _columns(shown, account.begins_ms, short_ids(jobs), has_jobs=len(jobs) > 1)
    facts = f"{'; '.join(account.facts)}; begins {account.begins_ms} ms into the run"
    lines = [quiet(line) for line in (*wrapped(facts, width, rest="  "), columns.line(HEADINGS))]
    for row in shown:
        paint = proof if row.is_proof else str
        if isinstance(row, Gap):
            text = f"{LEFT_OUT:>{columns.widths[0]}}  {row.text}"
            lines.append(paint(f"{text:<{columns.proof}}{PROOF}" if row.is_proof else text))
        else:
            remarks = ", ".join(row.remarks)
            first = columns.line(columns.cells(row), is_padded=bool(remarks))
            lines += [paint(line) for line in _with(first, remarks, width)]
    return lines


def _with(first: str, remarks: str, width: int) -> list[str]:
    """Return the line *first* with *remarks* behind it, or below it where there is no room."""
    if not remarks:
        return [first]
    if len(first) + len(remarks) > width and len(first) > width - ROOM:
        return [first.rstrip(), *wrapped(remarks, width, " " * ROOM)]
    return wrapped(remarks, width, first)


@dataclass(frozen=True, slots=True)
class _Columns:
    """How wide each column is, and what stands in it."""

    begins_ms: int
    ids: dict[str, str]
    widths: tuple[int, ...]

    @property
    def proof(self) -> int:
        """Where the proofs stand."""
        return sum(width + 2 for width in self.widths[:_PROOF] if width)

    def cells(self, row: Row) -> Cells:
        return _cells(row, self.begins_ms, self.ids)

    def line(self, cells: Cells, *, is_padded: bool = False) -> str:
        """Return *cells* beneath each other; what follows after them wants them *padded*."""
        parts = [cells[0].rjust(self.widths[0])]
        parts += [cell.ljust(width) for cell, width in zip(cells[1:], self.widths[1:], strict=True) if width]
        line = "  ".join(parts)
        return f"{line}  " if is_padded else line.rstrip()


def _columns(rows: Sequence[Row | Gap], begins_ms: int, ids: dict[str, str], *, has_jobs: bool) -> _Columns:
    cells = [HEADINGS, *(_cells(row, begins_ms, ids) for row in rows if isinstance(row, Row))]
    widths = [max(len(row[column]) for row in cells) for column in range(len(HEADINGS))]
    # What happens in between has no more to say, so it may run over.
    answers = [_cells(row, begins_ms, ids)[_ANSWER] for row in rows if isinstance(row, Row) and not row.event]
    widths[_ANSWER] = max(map(len, [HEADINGS[_ANSWER], *answers]))
    widths[_JOB] *= has_jobs
    return _Columns(begins_ms, ids, tuple(widths))


def _cells(row: Row, begins_ms: int, ids: dict[str, str]) -> Cells:
    mark = f"{PROOF} {row.seq}" if row.is_proof else ""
    job = ids.get(row.job, "")
    return str(row.at_ms - begins_ms), row.request or BETWEEN, job, row.answer or row.event, row.delivered, mark
