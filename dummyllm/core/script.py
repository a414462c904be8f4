"""Knows a script: what befalls the work of one identity, step by step, with no chance in it."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import accumulate

from dummyllm.core.faults.fault import Fault, forced_of
from dummyllm.core.faults.kind import Unit
from dummyllm.core.grammar import Step, parse_script, spelled_script
from dummyllm.core.mode import Mode


@dataclass(frozen=True, slots=True)
class Cue:
    """One step of a script, ready to be played. *submit* befalls the submit itself, *faults* the job it makes."""

    mode: Mode
    submit: Fault | None
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Script:
    """Cues with how often each comes; the last one repeats for ever."""

    steps: tuple[Step, ...]
    _cues: tuple[Cue, ...] = field(init=False, repr=False, compare=False)
    _ends: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        assert self.steps, "a script has at least one step"
        object.__setattr__(self, "_cues", tuple(map(_cue, self.steps)))
        object.__setattr__(self, "_ends", tuple(accumulate(step.count for step in self.steps)))

    def at(self, step: int) -> Cue:
        """Return the cue of the *step*-th step, counted from 0."""
        return self._cues[min(bisect_right(self._ends, step), len(self._cues) - 1)]

    @property
    def spelled(self) -> str:
        """The script as it is written."""
        return spelled_script(self.steps)


def read_script(text: str) -> Script:
    """Return the script that *text* spells; raise `GrammarError` if it does not."""
    return Script(parse_script(text))


def _cue(step: Step) -> Cue:
    faults = forced_of(step)
    submit = next((fault for fault in faults if fault.kind.unit is Unit.SUBMIT), None)
    return Cue(step.mode, submit, tuple(fault for fault in faults if fault is not submit))
