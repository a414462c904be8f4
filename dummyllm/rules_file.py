"""Reads the file of rules: TOML in, rules or every mistake out, each with its rule and the path of its key.

[[rule]]
name = "poison"
when = { op = "llm.chat", model = "*:70b", trace_id = "pay-*", text = "*poison*", ordinal = "0..2" }
then = { mode = "fail" }
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dummyllm import chaos_values, setting_values
from dummyllm.chaos_values import Faults
from dummyllm.core.latency import Shape, parse_shape
from dummyllm.core.mode import Mode

if TYPE_CHECKING:
    from dummyllm.core.policy import Policy
    from dummyllm.core.rules import Rule, When
    from dummyllm.core.script import Script

DAY_MS = 86_400_000
GLOBS = ("op", "model", "trace_id", "text")
THEN = ("mode", "script", "weights", "latency_ms", "latency_shape", "faults", "reply")
REPLY_CHARACTERS_MAX = 1_000_000
_ORDINALS = re.compile(r"([0-9]{1,18})(?:\.\.([0-9]{1,18})?)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A rule as it was written. None leaves to the server's own settings what it does not say."""

    name: str
    when: When
    mode: Mode | None = None
    script: Script | None = None
    weights: setting_values.Weights | None = None
    latency_ms: int | None = None
    shape: Shape | None = None
    faults: Faults | None = None
    reply: str | None = None

    def rule(self, base: Policy, odds: Mapping[str, Any] | None) -> Rule:
        """Return the rule in a server whose own policy is *base*; *odds* are those of its own faults, if it has any."""
        from dummyllm.core.rules import Rule  # noqa: PLC0415  # rules are fetched when there are some

        if base.replay is not None:  # what befalls a job is recorded; what it replies is not
            return Rule(name=self.name, when=self.when, policy=replace(base, rule=self.name, reply=self.reply))
        said = {
            "mode": Mode.SCRIPT if self.script is not None else Mode.RANDOM if self.weights is not None else self.mode,
            "weights": self.weights,
            "script": self.script,
            "base_latency_ms": self.latency_ms,
            "shape": self.shape,
            "reply": self.reply,
        }
        chosen: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
        if "mode" in chosen and self.script is None:
            chosen["script"] = None
        policy = replace(base, rule=self.name, **chosen, **(odds or {}))
        return Rule(name=self.name, when=self.when, policy=policy)


def rules(path: str) -> tuple[Draft, ...]:
    """Return the rules in the file at *path*; raise ValueError with all mistakes, in the rest of a sentence."""
    import tomllib  # noqa: PLC0415  # takes longer to fetch than all our settings together

    try:
        document = tomllib.loads(chaos_values.contents(path))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"is not TOML: {error}") from None
    except RecursionError:
        raise ValueError("is nested too deeply; a file of rules has [[rule]] and nothing else") from None
    mistakes = [
        f"{name!r} is not known; a file of rules has [[rule]] and nothing else" for name in document if name != "rule"
    ]
    listed = document.get("rule", [])
    if not isinstance(listed, list) or not listed:
        mistakes.append("there is no rule; write [[rule]]")
        listed = []
    drafts: list[Draft] = []
    taken: set[str] = set()
    for number, table in enumerate(listed, start=1):
        reader = _Reader(number, table, taken)
        draft = reader.draft()
        mistakes += reader.mistakes
        if draft is not None:
            drafts.append(draft)
    if mistakes:
        raise ValueError("has mistakes: " + "; ".join(mistakes))
    return tuple(drafts)


class _Reader:
    """Reads one [[rule]] and keeps every mistake in it."""

    def __init__(self, number: int, table: object, taken: set[str]) -> None:
        self.mistakes: list[str] = []
        self._table: dict[str, Any] = table if isinstance(table, dict) else {}
        self._taken = taken
        name = self._table.get("name")
        self._called = f"rule {name!r}" if isinstance(name, str) and name else f"rule {number}"

    def draft(self) -> Draft | None:
        """Return the rule, or None if there is a mistake in it."""
        from dummyllm.core.rules import When  # noqa: PLC0415

        self._only(self._table, ("name", "when", "then"), "")
        name = self._table.get("name")
        if not isinstance(name, str) or not name:
            self._wrong("name", "is missing; give each rule a name of its own")
        elif name in self._taken:
            self._wrong("name", f"{name!r} is the name of two rules; give each its own")
        else:
            self._taken.add(name)
        when, then = self._part("when"), self._part("then")
        self._only(when, (*GLOBS, "ordinal"), "when.")
        self._only(then, THEN, "then.")
        choices = [choice for choice in ("mode", "script", "weights") if choice in then]
        if len(choices) > 1:
            self._wrong("then", f"has {' and '.join(choices)}; use one of mode, script, weights")
        if not then and isinstance(self._table.get("then", then), dict):
            self._wrong("then", "says nothing; use mode, script, weights, latency_ms, latency_shape, faults or reply")
        globs = {glob: self._text(when, "when", glob) for glob in GLOBS}
        said = self._said(then)
        ordinals = self._ordinals(when)
        if self.mistakes:
            return None
        return Draft(name=str(name), when=When(ordinals=ordinals, **globs), **said)

    def _said(self, then: dict[str, Any]) -> dict[str, Any]:
        return {
            "mode": self._read(then, "mode", _mode),
            "script": self._read(then, "script", chaos_values.script),
            "weights": self._weights(then),
            "latency_ms": self._latency_ms(then),
            "shape": self._read(then, "latency_shape", parse_shape),
            "faults": () if then.get("faults") == "" else self._read(then, "faults", chaos_values.faults),
            "reply": self._text(then, "then", "reply"),
        }

    def _part(self, name: str) -> dict[str, Any]:
        part = self._table.get(name, {})
        if isinstance(part, dict):
            return part
        self._wrong(name, f"is {part!r}; write {name} = {{ … }}")
        return {}

    def _only(self, table: dict[str, Any], known: tuple[str, ...], before: str) -> None:
        for name in table:
            if name not in known:
                hint = setting_values.nearest(name, list(known)) or f"; use {', '.join(known)}"
                self._wrong(before + (name if name.isprintable() else repr(name)), f"is not known{hint}")

    def _text(self, table: dict[str, Any], part: str, name: str) -> str | None:
        value = table.get(name)
        if value is None or isinstance(value, str):
            return value
        self._wrong(f"{part}.{name}", f"is {value!r}; use a text in quotes")
        return None

    def _read(self, then: dict[str, Any], name: str, read: Any) -> Any:
        text = self._text(then, "then", name)
        if text is None:
            return None
        try:
            return read(text)
        except ValueError as error:
            self._wrong(f"then.{name}", f"= {text!r} {error}")
            return None

    def _weights(self, then: dict[str, Any]) -> setting_values.Weights | None:
        value = then.get("weights")
        if isinstance(value, dict):
            then = {"weights": ",".join(f"{mode}={weight}" for mode, weight in value.items())}
        return self._read(then, "weights", setting_values.weights)  # type: ignore[no-any-return]

    def _latency_ms(self, then: dict[str, Any]) -> int | None:
        value = then.get("latency_ms")
        if value is None or (type(value) is int and 0 <= value <= DAY_MS):
            return value
        self._wrong("then.latency_ms", f"is {value!r}; use a whole number from 0 to {DAY_MS}")
        return None

    def _ordinals(self, when: dict[str, Any]) -> tuple[int, int | None] | None:
        value = when.get("ordinal")
        if value is None:
            return None
        match = _ORDINALS.fullmatch(str(value).strip()) if isinstance(value, int | str) and value is not True else None
        if match is None or (match[2] and int(match[2]) < int(match[1])):
            self._wrong("when.ordinal", f'is {value!r}; use a number such as 0, or a range such as "0..2" or "3.."')
            return None
        return int(match[1]), int(match[2]) if match[2] else None if ".." in match[0] else int(match[1])

    def _wrong(self, path: str, what: str) -> None:
        self.mistakes.append(f"{self._called}, {path} {what}")


def _mode(text: str) -> Mode:
    mode = setting_values.one_of(Mode, "a mode")(text)
    if mode is Mode.SCRIPT:
        raise ValueError('has no script; write script = "fail,fail,ok" instead of mode')
    return mode
