"""Shortens a story that repeats itself or goes on for too long: what proves the breach stays, with its neighbours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from dummyllm.verdict.report.row import Row
from dummyllm.verdict.report.words import counted

ALIKE_MAX = 5
ROWS_MAX = 40
NEIGHBOURS = 2


@dataclass(frozen=True, slots=True)
class Gap:
    """Stands for rows that are not shown; *is_proof* if some of these prove the breach."""

    text: str
    is_proof: bool = False


def abridged(rows: Sequence[Row]) -> list[Row | Gap]:
    """Return *rows* with rows alike drawn together, and of what is still too long the parts that matter."""
    shown = list(_without_repeats(rows))
    return shown if len(shown) <= ROWS_MAX else list(_without_the_rest(shown))


def _without_repeats(rows: Sequence[Row]) -> Iterator[Row | Gap]:
    for _, alike in groupby(rows, key=Row.gist):
        same = list(alike)
        if len(same) <= ALIKE_MAX or same[0].event:
            yield from same
            continue
        left_out = same[1:-1]
        lasted_ms = left_out[-1].at_ms - left_out[0].at_ms
        yield same[0]
        yield Gap(f"{len(left_out)} more alike, within {lasted_ms} ms", is_proof=same[0].is_proof)
        yield same[-1]


def _without_the_rest(rows: Sequence[Row | Gap]) -> Iterator[Row | Gap]:
    proofs = [place for place, row in enumerate(rows) if row.is_proof]
    if len(proofs) > ROWS_MAX // 4:
        half = ROWS_MAX // 8
        proofs = [*proofs[:half], *proofs[-half:]]
    ends = (0, len(rows) - 1)
    kept = sorted(
        {
            near
            for place in (*proofs, *ends)
            for near in range(place - NEIGHBOURS, place + NEIGHBOURS + 1)
            if 0 <= near < len(rows)
        }
    )
    before = -1
    for place in kept:
        left_out = rows[before + 1 : place]
        if left_out:
            yield Gap(f"{counted(len(left_out), 'row')} left out", is_proof=any(row.is_proof for row in left_out))
        yield rows[place]
        before = place
