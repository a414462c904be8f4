"""Knows what every fault must say of itself: its name, its unit, its parameters, its effect, and what it teaches.

A kind is one file of this package; `registry` lists them in the order in which one goes before another. Its usage is a
fault that can be copied, with every default written out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dummyllm.core.faults.effect import Effect
from dummyllm.core.faults.invariants import RULES
from dummyllm.core.grammar import Call, Value, spelled_call


class Unit(StrEnum):
    """What a fault's percentage is a percentage of, and so which counter its draw goes by."""

    SUBMIT = "submit"  # every well-formed submit, by its hit
    JOB = "job"  # every job, by its ordinal
    POLL = "poll"  # every status read of a job, by the job's ordinal and the number of the read


ANY_WORD = ("*",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One argument of a fault. *default* None means that it must be given; *words* lists the words it may be."""

    name: str
    help: str
    default: Value | None = None
    example: Value | None = None  # stands in a usage where there is no default
    least: int = 0
    most: int = 0
    words: tuple[str, ...] = ()
    not_words: tuple[str, ...] = ()  # with ANY_WORD: those that it may not be
    is_fraction: bool = False
    is_positional: bool = False
    is_optional: bool = False  # may be left out, and then is None

    @property
    def allowed(self) -> str:
        """What it may be, as an error or a page of the docs says it."""
        if self.words == ANY_WORD:
            return f"a word other than {either(self.not_words)}" if self.not_words else "a word"
        if self.words:
            return either(self.words)
        return f"a {'number' if self.is_fraction else 'whole number'} from {self.least} to {self.most}"

    @property
    def shown(self) -> Value | None:
        """The value that it has in a usage."""
        return self.example if self.default is None else self.default

    def fits(self, value: Value) -> bool:
        """Say whether it may be *value*."""
        if isinstance(value, str):
            return value not in self.not_words and (self.words == ANY_WORD or value in self.words)
        if self.words or not (self.is_fraction or isinstance(value, int)):
            return False
        return self.least <= value <= self.most


CODE = Parameter(name="code", help="the HTTP status", example=503, least=400, most=599, is_positional=True)
RETRY_AFTER = Parameter(
    name="retry_after", help="seconds in a Retry-After header", example=2, most=86_400, is_optional=True
)
READS = Parameter(name="reads", help="how many status reads", default=1, least=1, most=10_000)
DELAY_MS = Parameter(name="ms", help="how late the answer leaves", default=2_000, least=1, most=600_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One misbehaviour. Its texts are sentences for docs/faults.md; *exercises* and *suspends* are for the verdict."""

    name: str
    unit: Unit
    effect: Callable[..., Effect]  # takes the arguments by the names of the parameters
    parameters: tuple[Parameter, ...] = ()
    befalls_answer: bool = False  # the request is carried out, and then its answer suffers
    excludes: str  # of the faults that share this word the first in the registry is served
    costs: str  # what it costs a runner in the wild, with its source
    sees: str  # what the client sees
    good_runner: str  # what a good runner does
    exercises: tuple[str, ...] = ()  # rules whose premise it can meet
    suspends: tuple[str, ...] = ()  # rules that are not judged for what it befell
    suspends_if_lasting: tuple[str, ...] = ()  # and these, if it answers with a status that does not pass by itself

    def __post_init__(self) -> None:
        named = {*self.exercises, *self.suspends, *self.suspends_if_lasting}
        assert named <= {*RULES}, f"{self.name} speaks of rules that do not exist: {sorted(named - {*RULES})}"

    @property
    def site(self) -> str:
        """The part of the server it befalls: `submit` of `submit.lost_ack`."""
        return self.name.partition(".")[0]

    @property
    def refuses_submit(self) -> bool:
        """Whether the submit it befalls makes no job."""
        return self.unit is Unit.SUBMIT and not self.befalls_answer

    @property
    def usage(self) -> str:
        """The fault with every argument at its default, or an example where there is none."""
        shown = [(parameter.name, parameter.shown) for parameter in self.parameters if not parameter.is_positional]
        named = tuple((name, value) for name, value in shown if value is not None)
        return spelled_call(Call(self.name, next((p.shown for p in self.parameters if p.is_positional), None), named))


def either(words: Sequence[str]) -> str:
    """Return *words* as a sentence offers them: `json, html or empty`."""
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def ten_thousandths(number: float) -> int:
    """Return *number* times 10,000: exact for all that the grammar can write, which has at most four decimals."""
    return round(number * 10_000)
