"""Knows what a fault does when it befalls something: a handful of effects, shared by all faults.

The shell serves the first group, which breaks or bends one answer; the core reads the second, which bends a job. A
fault is only a name, its parameters, and which effect they make.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from dummyllm.core.request import JobRequest
from dummyllm.core.timeline import Timeline


class Ending(StrEnum):
    """How a connection ends: with a FIN after what was sent, or with an RST at once."""

    FIN = "fin"
    RST = "rst"


@dataclass(frozen=True, slots=True)
class Refuse:
    """The request is answered with *status* and nothing is done; *body* is `json`, `html` or `empty`."""

    status: int
    retry_after_s: int | None = None
    body: str = "json"


@dataclass(frozen=True, slots=True)
class Break:
    """The connection ends instead of an answer; with *sends_half* after half of it."""

    ending: Ending
    sends_half: bool = False


@dataclass(frozen=True, slots=True)
class Delay:
    """The answer leaves *by_ms* milliseconds late."""

    by_ms: int


@dataclass(frozen=True, slots=True)
class CloseAfter:
    """The answer leaves whole, and the connection is closed right after it, without a word."""


Bend = Refuse | Break | Delay | CloseAfter
"""What can befall one answer."""


@dataclass(frozen=True, slots=True)
class Replan:
    """The job takes another course: *change* makes its timeline out of the one it would have had."""

    change: Callable[[Timeline, JobRequest], Timeline]


@dataclass(frozen=True, slots=True)
class Vanish:
    """The job is not to be found any more from *after_ms* after its start on."""

    after_ms: int


@dataclass(frozen=True, slots=True)
class Hide:
    """The first *reads* status reads do not find the job."""

    reads: int


@dataclass(frozen=True, slots=True)
class Mask:
    """The first *reads* status reads show the state *name*, which nobody documented."""

    name: str
    reads: int


@dataclass(frozen=True, slots=True)
class Lag:
    """Of the reads that should show the end, those from *first* on show the moment before it, *reads* of them."""

    first: int
    reads: int


@dataclass(frozen=True, slots=True)
class HoldCancel:
    """A cancel is answered as if the job went on; it takes effect *by_ms* later, or with None never."""

    by_ms: int | None


@dataclass(frozen=True, slots=True)
class Rewrite:
    """The text of the reply becomes what *change* makes of it."""

    change: Callable[[str], str]


Twist = Replan | Vanish | Hide | Mask | Lag | HoldCancel | Rewrite
"""What can befall a job."""

Effect = Bend | Twist
