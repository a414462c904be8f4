"""Tells the story of every job: who asked about it, who was told what, and when it truly ended.

The jobs' clock and the wall's are two. By a clock that runs the end is where the plan puts it; one that stands still is
moved between two requests, and there the end came with the first request after it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import lru_cache

from dummyllm.core.timeline import State
from dummyllm.journal import Delivered, What
from dummyllm.journal_line import Heading, Line
from dummyllm.verdict.run import FINAL, NOTHING, Story, done_ms, is_delivered, shows_end

# Reading a member off its enum takes as long as a call.
_SUBMIT, _POLL, _CANCEL, _INSPECT, _STARTED = What.SUBMIT, What.POLL, What.CANCEL, What.INSPECT, What.STARTED
_NO, _CANCELLED = Delivered.NO, State.CANCELLED

_REQUESTS = (_SUBMIT, _POLL, _CANCEL, _INSPECT, What.OTHER)
_GONE = (404, 410)


def stories_of(heading: Heading, lines: Sequence[Line], end: tuple[int, int] | None = None) -> dict[str, Story]:
    """Return the story of every job whose acceptance is among *lines*, by its id.

    *end* is when the run ended, by the jobs' clock and by the wall's, if that is known.
    """
    told: dict[str, list[Line]] = {}
    for line in lines:
        if line.job is None:
            continue
        so_far = told.get(line.job)
        if so_far is not None:
            so_far.append(line)
        elif line.what is _SUBMIT and not line.is_replay:
            told[line.job] = [line]
        # Else its beginning fell out of the journal: nothing is said of it.
    is_moved = not heading.pace and heading.clock != "polls"
    moves = _Moves((line for line in lines if line.what in _REQUESTS), end) if is_moved else None
    return {job: _story(job, told.pop(job), heading.pace, moves) for job in list(told)}


def _story(job: str, lines: list[Line], pace: int, moves: _Moves | None) -> Story:
    commit = lines[0]
    start = None if commit.waits else commit
    contacts: list[Line] = []
    by_what: dict[What, list[Line]] = {_SUBMIT: [], _POLL: [], _CANCEL: [], _INSPECT: []}
    for line in lines:
        alike = by_what.get(line.what)
        if alike is not None:
            alike.append(line)
            contacts.append(line)
        elif line.what is _STARTED:
            start = line
    submits, reads, cancels, others = map(tuple, by_what.values())
    every = submits if len(submits) == len(contacts) else tuple(contacts)
    answers = tuple([line for line in contacts if line.what is not _INSPECT]) if others else every
    story = Story(
        id=job,
        commit=commit,
        submits=submits,
        reads=reads,
        cancels=cancels,
        others=others,
        contacts=every,
        answers=answers,
    )
    acks = [line for line in submits if line.status == 201 and is_delivered(line)]
    if acks:
        story.ack = min(acks, key=done_ms) if len(acks) > 1 else acks[0]
    ends = [line for line in answers if line.state in FINAL and shows_end(line)]
    _hear(story, ends)
    story.suspended = _suspended(story)
    if start is not None:
        story.started_ms = _wall_ms(story, start.at_ms, pace, moves)
        if commit.ends_after_ms is not None:
            story.ended_ms = _wall_ms(story, start.at_ms + commit.ends_after_ms, pace, moves)
            story.ended_as = None if story.ended_ms is None else commit.outcome
    _end(story, ends)
    return story


def _hear(story: Story, ends: Sequence[Line]) -> None:
    """Fill in what the client was told of the end: *ends* are the answers that show it."""
    delivered = [line for line in ends if is_delivered(line)]
    if delivered:
        story.told_end = min(delivered, key=done_ms)
    story.may_have_been_told = any(line.delivered is not _NO for line in ends)
    gone = [done_ms(line) for line in story.contacts if line.status in _GONE and is_delivered(line)]
    if gone:
        story.told_gone_ms = min(gone)


def _end(story: Story, ends: Sequence[Line]) -> None:
    """Fill in when the job truly ended, if that was not as planned: by a cancel, or before an answer showed it.

    A job has one end: what any answer truly showed is how it ended, whichever millisecond the plan puts it in.
    """
    if not ends:
        return
    known = [done_ms(line) for line in ends]
    known += [line.arrived_ms for line in story.cancels if line.state is _CANCELLED and line.status == 200]
    if story.ended_ms is not None:
        known.append(story.ended_ms)
    story.ended_ms, story.ended_as = min(known), ends[0].state


def _wall_ms(story: Story, at_ms: int, pace: int, moves: _Moves | None) -> int | None:
    """Return the wall's time at *at_ms* of the clock that the job goes by; None is not yet."""
    commit = story.commit
    if pace:
        return commit.arrived_ms + (at_ms - commit.at_ms) // pace
    if moves is not None:
        return moves.wall_ms(at_ms, commit.arrived_ms)
    # Under `polls` a job has a clock of its own, which moves when it is read.
    return next((line.arrived_ms for line in story.contacts if line.at_ms >= at_ms), None)


class _Moves:
    """How a clock that stands still was moved, as far as the lines show it."""

    def __init__(self, lines: Iterable[Line], end: tuple[int, int] | None) -> None:
        # A request that was held shows the clock as it was when it was answered. It may have been moved after the last.
        timed = [(line.at_ms, done_ms(line) if line.wait_s else line.arrived_ms) for line in lines]
        timed = sorted([*timed, end] if end is not None else timed)
        self._at_ms = [at_ms for at_ms, _ in timed]
        self._arrived_ms = [arrived_ms for _, arrived_ms in timed]

    def wall_ms(self, at_ms: int, earliest_ms: int) -> int | None:
        """Return when the first line came that is not before *at_ms* of the jobs' clock, or None if there is none."""
        place = bisect_left(self._at_ms, at_ms)
        return None if place == len(self._at_ms) else max(self._arrived_ms[place], earliest_ms)


def _suspended(story: Story) -> frozenset[str]:
    befell = [line.fault for line in story.contacts if line.fault is not None and line.served]
    return suspended_by(frozenset((*story.commit.faults, *befell))) if befell or story.commit.faults else NOTHING


def refused_suspends(submits: Iterable[Line]) -> frozenset[str]:
    """Return the rules that are not judged for the work of *submits*, by the faults that refused some of them."""
    texts = [line.fault for line in submits if line.fault is not None and line.job is None and line.served]
    return suspended_by(frozenset(texts)) if texts else NOTHING


@lru_cache(maxsize=1024)
def suspended_by(texts: frozenset[str]) -> frozenset[str]:
    """Return the invariants that are not judged where the faults that *texts* spell befell something."""
    from dummyllm.core.faults.fault import fault_of  # noqa: PLC0415  # most runs have none
    from dummyllm.core.grammar import GrammarError, parse_script  # noqa: PLC0415

    rules: set[str] = set()
    for text in texts:
        with suppress(GrammarError, IndexError):  # of a later version: then it is told apart by what it did
            rules.update(fault_of(parse_script(text)[0].calls[0]).suspends)
    return frozenset(rules)
