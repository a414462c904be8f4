"""Knows how faults and scripts are written: reads their text, and writes it.

    faults   = item *( "," item ) [","]              ; blanks are free around every token; names are lower case
    item     = fault "=" percent
    script   = step *( "," step ) [","]
    step     = part *( "+" part ) ["*" count]        ; at most one mode, and first; no mode means ok
    part     = mode / fault                          ; the faults of a step differ in name
    fault    = word "." word [ "(" [ arg *( "," arg ) ] ")" ]
    arg      = value / word "=" value                ; at most one positional, and first; no name twice
    value    = number / word
    mode     = "ok" / "echo" / "slow" / "fail" / "hang" / "timeout" / "flaky"
    percent  = number ["%"]                          ; 0 … 100, at most four decimals, kept as integer millionths
    count    = 1*5DIGIT                              ; 1 … 10000
    number   = 1*9DIGIT [ "." 1*4DIGIT ]
    word     = lower *( lower / DIGIT / "_" / "-" )

One token of lookahead is enough, so a mistake is reported where it stands. A count repeats the whole step:
`ok+submit.lost_ack*2` is two lost acknowledgements. Whether a fault exists is not the grammar's business.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import NamedTuple, TypeVar

from dummyllm.core.mode import WEIGHABLE_MODES, Mode

Value = int | float | str
Part = TypeVar("Part")

TEXT_MAX = 65_536  # characters
COUNT_MAX = 10_000
WHOLE = 1_000_000  # 100 % in millionths

_MODES = {mode.value: mode for mode in WEIGHABLE_MODES}
_TOKEN = re.compile(
    r"""[ \t\r\n]*+ (?:
        (?P<number> [0-9]{1,9}+ (?: \.[0-9]{1,4}+ )? (?![0-9.]) ) | (?P<malformed> [0-9][0-9.]*+ )
      | (?P<word> [a-z][a-z0-9_-]*+ (?![A-Z]) )                   | (?P<capitals> [A-Za-z][A-Za-z0-9_-]*+ )
      | (?P<end> \Z )                                             | (?P<single> . ) )""",
    re.VERBOSE,
)

_FAULT = "a fault of two words and a dot, such as submit.lost_ack"
_PART = f"a mode ({', '.join(_MODES)}) or {_FAULT}"
_PERCENT = "a percent from 0 to 100 with at most 4 decimals"
_ABOUT_MODES = ", a mode; only a step of a script has one, and it stands first"
_COUNT = f"a count from 1 to {COUNT_MAX}, in at most 5 digits"
_VALUE = "a word, or a number of at most 9 digits and 4 decimals"
_ONLY_FIRST = "as only the first argument goes without a name"


@dataclass(eq=False)
class GrammarError(ValueError):
    """The first mistake in a text: its *column*, counted from 1, what was *expected* there and what was *found*."""

    column: int
    expected: str
    found: str

    def __str__(self) -> str:
        return f"column {self.column}: expected {self.expected}, found {self.found}"


@dataclass(frozen=True, slots=True)
class Call:
    """A fault with its arguments, the named ones in the order in which they were written."""

    name: str
    positional: Value | None = None
    named: tuple[tuple[str, Value], ...] = ()
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Item:
    """A fault and its share in millionths of the whole: 5 % is 50,000."""

    call: Call
    millionths: int


@dataclass(frozen=True, slots=True)
class Step:
    """A mode and the faults beside it, *count* times in a row."""

    mode: Mode
    calls: tuple[Call, ...] = ()
    count: int = 1
    column: int = field(default=1, compare=False)


def parse_faults(text: str) -> tuple[Item, ...]:
    """Return the items of *text*, at least one, or raise GrammarError."""
    return _Parser(text).list_of(_Parser.item)


def parse_script(text: str) -> tuple[Step, ...]:
    """Return the steps of *text*, at least one, or raise GrammarError."""
    return _Parser(text).list_of(_Parser.step)


def spelled_call(call: Call) -> str:
    """Return *call* as text without blanks, and without brackets if there is nothing to put into them."""
    positional = [] if call.positional is None else [str(call.positional)]
    arguments = ",".join(positional + [f"{name}={value}" for name, value in call.named])
    return f"{call.name}({arguments})" if arguments else call.name


def spelled_faults(items: tuple[Item, ...]) -> str:
    """Return the text from which `parse_faults` reads *items*."""
    return ",".join(f"{spelled_call(item.call)}={spelled_percent(item.millionths)}" for item in items)


def spelled_script(steps: tuple[Step, ...]) -> str:
    """Return the text from which `parse_script` reads *steps*; every step names its mode."""
    return ",".join(
        "+".join([step.mode.value, *map(spelled_call, step.calls)]) + (f"*{step.count}" if step.count > 1 else "")
        for step in steps
    )


def spelled_percent(millionths: int) -> str:
    """Return *millionths* of the whole as a percent, with no more decimals than it needs: `5`, `0.25`, `100`."""
    whole, rest = divmod(millionths, WHOLE // 100)
    return f"{whole}.{rest:04}".rstrip("0").rstrip(".")


class _Token(NamedTuple):
    """A number, a word, the end or a single character, which is its own kind."""

    kind: str
    text: str
    column: int

    def instead_of(self, expected: str, note: str = "") -> GrammarError:
        """Return the error that *expected* should stand here; *note* says more about this token."""
        text = self.text if len(self.text) <= 40 else f"{self.text[:40]}…"
        found = "the end" if self.kind == "end" else repr(text)
        case = "; names are lower case" if self.kind == "capitals" else ""
        return GrammarError(self.column, expected, found + note + case)


def _token(match: re.Match[str]) -> _Token:
    kind = match.lastgroup or ""
    return _Token(match[kind] if kind == "single" else kind, match[kind], match.start(kind) + 1)


class _Parser:
    """A recursive descent with a method for each rule; *token* is the next one, *refused* what it might have been."""

    def __init__(self, text: str) -> None:
        if len(text) > TEXT_MAX:
            raise GrammarError(TEXT_MAX + 1, f"at most {TEXT_MAX:,} characters", f"{len(text):,}")
        self._tokens = map(_token, _TOKEN.finditer(text))
        self.token = next(self._tokens)
        self.refused: list[str] = []

    def accept(self, kind: str) -> bool:
        """Go on if the next token is of this *kind*, and return whether it is."""
        if self.token.kind != kind:
            self.refused.append(kind)
            return False
        self.token, self.refused = next(self._tokens, self.token), []
        return True

    def expect(self, kind: str, expected: str) -> _Token:
        """Go on if the next token is of this *kind*, and return it; it must be."""
        token = self.token
        if not self.accept(kind):
            raise token.instead_of(expected)
        return token

    def list_of(self, part: Callable[[_Parser], Part]) -> tuple[Part, ...]:
        """Return what *part* reads, again and again until the text ends; commas divide, and one may stand last."""
        parts = [part(self)]
        while self.accept(",") and self.token.kind != "end":
            parts.append(part(self))
        self.expect("end", ", ".join(map(repr, self.refused)) + " or the end")
        return tuple(parts)

    def item(self) -> Item:
        call = self.fault()
        self.expect("=", "'=' and a percent after the fault")
        percent = self.expect("number", _PERCENT)
        digits, _, decimals = percent.text.partition(".")
        millionths = int(digits + decimals.ljust(4, "0"))
        if millionths > WHOLE:
            raise percent.instead_of(_PERCENT)
        self.accept("%")
        return Item(call, millionths)

    def step(self) -> Step:
        first = self.expect("word", _PART)
        faults = [self.call(first)] if self.accept(".") else []
        mode = Mode.OK if faults else self.mode(first)
        calls = {call.name: call for call in faults}
        while self.accept("+"):
            call = self.fault()
            if call.name in calls:
                raise GrammarError(call.column, "a fault that the step does not have yet", f"{call.name!r} again")
            calls[call.name] = call
        return Step(mode, tuple(calls.values()), self.count() if self.accept("*") else 1, first.column)

    def count(self) -> int:
        count = self.expect("number", _COUNT)
        if len(count.text) > 5 or not count.text.isdigit() or not 1 <= int(count.text) <= COUNT_MAX:
            raise count.instead_of(_COUNT)
        return int(count.text)

    def mode(self, word: _Token) -> Mode:
        if word.text not in _MODES:
            nearest = get_close_matches(word.text, _MODES, n=1, cutoff=0.5)
            raise word.instead_of(_PART, f" (did you mean {nearest[0]!r}?)" if nearest else "")
        return _MODES[word.text]

    def fault(self) -> Call:
        word = self.expect("word", _FAULT)
        if not self.accept("."):
            raise word.instead_of(_FAULT, _ABOUT_MODES if word.text in _MODES else "")
        return self.call(word)

    def call(self, first: _Token) -> Call:
        """Return the fault whose *first* word and dot have been read."""
        name = f"{first.text}.{self.expect('word', 'a word after the dot').text}"
        arguments = self.arguments() if self.accept("(") and not self.accept(")") else {}
        return Call(name, arguments.pop("", None), tuple(arguments.items()), first.column)

    def arguments(self) -> dict[str, Value]:
        """Return the arguments by their names, up to the closing bracket; the positional one is named ``""``."""
        value = self.value(f"')', {_VALUE}")
        is_name = isinstance(value, str) and self.accept("=")
        arguments = {str(value): self.value(_VALUE)} if is_name else {"": value}
        while self.accept(","):
            name = self.expect("word", f"a name and '=', {_ONLY_FIRST}")
            self.expect("=", f"'=' after the name, {_ONLY_FIRST}")
            if name.text in arguments:
                raise name.instead_of("a name that the fault does not have yet", " again")
            arguments[name.text] = self.value(_VALUE)
        self.expect(")", "',' or ')' after the argument")
        return arguments

    def value(self, expected: str) -> Value:
        if self.token.kind == "word":
            return self.expect("word", expected).text
        number = self.expect("number", expected).text
        return float(number) if "." in number else int(number)
