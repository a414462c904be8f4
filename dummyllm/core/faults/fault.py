"""Turns the text of a fault into the fault itself: a kind with its arguments, each checked."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

from dummyllm.core.faults.effect import Effect, Refuse
from dummyllm.core.faults.invariants import PASSING_STATUSES
from dummyllm.core.faults.kind import Kind, Parameter, either
from dummyllm.core.faults.registry import KINDS
from dummyllm.core.grammar import Call, GrammarError, Item, Step, Value, spelled_call
from dummyllm.core.mode import Mode


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind with its arguments. *text* spells it, *site* is where it is drawn: its name and positional argument."""

    text: str
    site: str
    kind: Kind = field(compare=False, repr=False)
    effect: Effect = field(compare=False, repr=False)

    @property
    def suspends(self) -> tuple[str, ...]:
        """The verdict's rules that are not judged for a job that it befell, or for the work whose submit it refused."""
        effect, kind = self.effect, self.kind
        lasts = isinstance(effect, Refuse) and effect.status not in PASSING_STATUSES
        more = kind.suspends_if_lasting if lasts else ()
        return (*kind.suspends, *(rule for rule in more if rule not in kind.suspends))


def fault_of(call: Call) -> Fault:
    """Return the fault that *call* spells; raise `GrammarError` at its column if there is none such."""
    kind = kind_named(call.name, call.column)
    given = _given(call, kind)
    arguments = {parameter.name: _checked(call, kind, parameter, given) for parameter in kind.parameters}
    named = tuple((p.name, given[p.name]) for p in kind.parameters if p.name in given and not p.is_positional)
    site = Call(kind.name, next((given[p.name] for p in kind.parameters if p.is_positional), None))
    return Fault(spelled_call(replace(site, named=named)), spelled_call(site), kind, kind.effect(**arguments))


def faults_of(items: Iterable[Item]) -> tuple[tuple[Fault, int], ...]:
    """Return the faults of *items* with their millionths, as they were written; a site may have one only."""
    columns: dict[str, int] = {}
    faults = []
    for item in items:
        fault, column = fault_of(item.call), item.call.column
        if fault.site in columns:
            expected = f"{fault.site} once, as a site has one percentage"
            raise GrammarError(column, expected, f"{fault.text!r} after the one in column {columns[fault.site]}")
        columns[fault.site] = column
        faults.append((fault, item.millionths))
    return tuple(faults)


def forced_of(step: Step) -> tuple[Fault, ...]:
    """Return the faults that *step* of a script forces; raise `GrammarError` if they cannot all befall one job."""
    faults = tuple(map(fault_of, step.calls))
    for place, fault in enumerate(faults):
        column = step.calls[place].column
        if fault.kind.refuses_submit and (step.mode is not Mode.OK or len(faults) > 1):
            others = [other.text for other in faults if other is not fault]
            beside = others[0] if step.mode is Mode.OK else step.mode.value
            expected = f"{fault.kind.name} alone in its step, as it leaves no job for anything else to befall"
            raise GrammarError(column, expected, f"{beside!r} beside it")
        rival = next((other for other in faults[:place] if other.kind.excludes == fault.kind.excludes), None)
        if rival is not None:
            expected = f"one of {rival.kind.name} and {fault.kind.name}, which exclude each other"
            raise GrammarError(column, expected, "both in one step")
    return faults


def kind_named(name: str, column: int = 1) -> Kind:
    """Return the kind called *name*; raise `GrammarError` at *column* if there is none such."""
    kind = KINDS.get(name)
    if kind is None:
        site = name.partition(".")[0]
        neighbours = [known.name for known in KINDS.values() if known.site == site]
        raise GrammarError(
            column, f"a fault: {either(neighbours or list(KINDS))}", _found(name, KINDS, cutoff=0.7)
        )  # half of it is the site
    return kind


def _given(call: Call, kind: Kind) -> dict[str, Value]:
    """Return the arguments of *call* by their names; all of them are names of *kind*'s parameters."""
    given = dict(call.named)
    names = [parameter.name for parameter in kind.parameters]
    none = f"{kind.name} without arguments"
    for name in given:
        if name not in names:
            expected = f"{either(names)} as an argument of {kind.name}" if names else none
            raise GrammarError(call.column, expected, _found(name, names))
    if call.positional is not None:
        first = next((parameter.name for parameter in kind.parameters if parameter.is_positional), None)
        if first is None:
            expected = f"every argument with its name, as in {kind.usage}" if names else none
            raise GrammarError(call.column, expected, repr(call.positional))
        if first in given:
            raise GrammarError(call.column, f"one {first} for {kind.name}", f"{call.positional!r} and {given[first]!r}")
        given[first] = call.positional
    return given


def _checked(call: Call, kind: Kind, parameter: Parameter, given: dict[str, Value]) -> Value | None:
    if parameter.name not in given:
        if parameter.default is None and not parameter.is_optional:
            expected = f"{kind.name} with its {parameter.name}, as in {kind.usage}"
            raise GrammarError(call.column, expected, f"no {parameter.name}")
        return parameter.default
    value = given[parameter.name]
    if not parameter.fits(value):
        expected = f"{parameter.allowed} as {parameter.name} of {kind.name}"
        raise GrammarError(call.column, expected, _found(value, parameter.words))
    return value


def _found(value: Value, known: Collection[str], *, cutoff: float = 0.5) -> str:
    near = get_close_matches(value, known, n=1, cutoff=cutoff) if isinstance(value, str) else []
    return f"{value!r} (did you mean {near[0]!r}?)" if near else repr(value)
