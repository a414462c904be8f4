"""Finds out which submits mean the same work.

By `payload`, `trace_id` or `key` the operator says so. By `auto` submits that share a key are one, and so are those
that share a trace_id and a payload. Those that share a payload alone are one too, but weakly: two customers may well
ask the same thing. A key replays its job however that ended, so a new key alone never makes new work.
Another payload after a 413 or 422 does: it was repaired.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from operator import attrgetter

from dummyllm.journal import What
from dummyllm.journal_line import Closing, Heading, Line
from dummyllm.verdict.limits import Limits
from dummyllm.verdict.run import KEY_REUSED, NOTHING, REPAIRABLE, Expected, Run, Story, Work, done_ms, is_lost
from dummyllm.verdict.same import Same
from dummyllm.verdict.stories import refused_suspends, stories_of


def run_of(
    heading: Heading,
    lines: Sequence[Line],
    *,
    same: Same = Same.AUTO,
    limits: Limits | None = None,
    is_final: bool = True,
    now_ms: int | None = None,
    expected: tuple[Expected, ...] | None = None,
    closing: Closing | None = None,
    dropped: int = 0,
) -> Run:
    """Return the run that *lines* tell of, in any order; *now_ms* is the wall's present if it goes on.

    *closing* has its sums, as of now if it goes on. *dropped* counts lines that are known to be missing; those that
    came before the first one, and those that *closing* knows of, need not be counted.
    """
    lines = sorted(lines, key=attrgetter("seq"))
    last_ms = max(map(done_ms, lines), default=0)
    if closing is not None and heading.pace and heading.started_at_ms:
        last_ms = max(last_ms, (closing.closed_at_ms - heading.started_at_ms) // heading.pace)
    end_ms = last_ms if now_ms is None else max(now_ms, last_ms)
    stories = stories_of(heading, lines, None if closing is None else (closing.closed_at_ms, end_ms))
    submits = [line for line in lines if line.what is What.SUBMIT]
    works = list(_works(submits, stories, same))
    return Run(
        heading=heading,
        lines=lines,
        stories=stories,
        works=works,
        limits=limits or Limits(),
        is_final=is_final,
        end_ms=end_ms,
        same=same,
        expected=expected,
        work_of_story={story.id: work for work in works for story in work.stories},
        submits=submits,
        acked=[story for story in stories.values() if story.ack is not None],
        closing=closing,
        dropped=max(dropped, closing.dropped if closing is not None else 0, lines[0].seq if lines else 0),
    )


def _works(submits: Sequence[Line], stories: dict[str, Story], same: Same) -> Iterator[Work]:
    ties = _Ties(len(submits))
    for place, line in enumerate(submits):
        ties.add(place, line, same)
    for number, places in enumerate(ties.parts(), start=1):
        lines = [submits[place] for place in places]
        jobs = dict.fromkeys([line.job for line in lines if line.job is not None])
        is_weak = ties.is_weak(places)
        yield Work(
            name=f"L{number}",
            tie="payload alone" if is_weak else ties.named(places),
            is_weak=is_weak,
            submits=tuple(lines),
            stories=tuple([stories[job] for job in jobs if job in stories]),
            suspended=refused_suspends(lines) if any(line.fault for line in lines) else NOTHING,
            known=stories,
        )


class _Ties:
    """Which submits, by their places, share something: strongly, or by their payload alone."""

    def __init__(self, size: int) -> None:
        self._strong = _Sets(size)
        self._whole = _Sets(size)
        self._first: defaultdict[str, dict[Hashable, int]] = defaultdict(dict)
        self._names: dict[int, str] = {}
        self._last: dict[tuple[str, str], tuple[int, tuple[str | None] | None]] = {}  # the payload if it was refused

    def add(self, place: int, line: Line, same: Same) -> None:
        """Tie the submit *line* to all before it that share anything with it."""
        payload = line.fingerprint or (f"body {line.body}" if line.body else None)
        # A key that came with another payload is no tie to what came with it before: the server said so.
        key = None if line.code == KEY_REUSED else line.key
        if same is Same.PAYLOAD:
            self._tie(place, "payload", payload)
        elif same is Same.KEY:
            self._tie(place, "key", self._unrepaired("key", key, payload, line))
        elif same is Same.TRACE_ID and line.trace_id is not None:
            self._tie(place, "trace_id", self._unrepaired("trace_id", line.trace_id, payload, line))
        else:
            if same is Same.AUTO:
                self._tie(place, "key", self._unrepaired("key", key, payload, line))
                traced = None if line.trace_id is None or payload is None else (line.trace_id, payload)
                self._tie(place, "trace_id and payload", traced)
            self._tie(place, "payload alone", payload, is_weak=True)

    def _unrepaired(self, name: str, value: str | None, payload: str | None, line: Line) -> Hashable | None:
        """Return *value*, and how often its payload was repaired: another one after a 413 or 422 is new work."""
        if value is None:
            return None
        repairs, refused = self._last.get((name, value), (0, None))
        if refused is not None and refused[0] != payload:
            repairs += 1
        is_refused = line.status in REPAIRABLE and not is_lost(line)
        self._last[name, value] = repairs, (payload,) if is_refused else None
        return value, repairs

    def _tie(self, place: int, name: str, value: Hashable | None, *, is_weak: bool = False) -> None:
        if value is None:  # what nobody has is not shared
            return
        first = self._first[name].setdefault(value, place)
        if first == place:
            return
        self._whole.join(first, place)
        if not is_weak:
            self._strong.join(first, place)
            self._names.setdefault(first, name)
            self._names.setdefault(place, name)

    def parts(self) -> Iterator[list[int]]:
        """Yield the places that belong together, in order."""
        yield from self._whole.parts()

    def is_weak(self, places: Sequence[int]) -> bool:
        """Say whether nothing but equal payloads holds all of *places* together."""
        root = self._strong.root
        return len({root(place) for place in places}) > 1 if len(places) > 1 else False

    def named(self, places: Sequence[int]) -> str:
        """Return what holds *places* together, if it is strong."""
        return self._names[places[0]] if len(places) > 1 else "one submit"


class _Sets:
    """Disjoint sets (Tarjan 1975): the things that are known to belong together. The root is the first of them."""

    def __init__(self, size: int) -> None:
        self._parent = list(range(size))

    def root(self, thing: int) -> int:
        parent = self._parent
        while parent[thing] != thing:
            parent[thing] = parent[parent[thing]]
            thing = parent[thing]
        return thing

    def join(self, one: int, other: int) -> None:
        low, high = sorted((self.root(one), self.root(other)))
        self._parent[high] = low

    def parts(self) -> Iterator[list[int]]:
        members: dict[int, list[int]] = {}
        for thing in range(len(self._parent)):
            members.setdefault(self.root(thing), []).append(thing)
        yield from members.values()
