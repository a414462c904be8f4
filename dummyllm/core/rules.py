"""Knows which policy a request falls under: the first rule that matches it, or the server's own."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import translate
from typing import TypeVar

import msgspec

from dummyllm.core.policy import Policy
from dummyllm.core.request import JobRequest

Decoded = TypeVar("Decoded")
Matcher = Callable[[str], "re.Match[str] | None"]


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """What a rule asks of a request; None asks nothing. Globs know `*`, `?` and `[…]`; *text* cares for no capitals."""

    op: str | None = None
    model: str | None = None
    trace_id: str | None = None
    text: str | None = None
    ordinals: tuple[int, int | None] | None = None  # from the first to the last, both included; None has no last


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A *policy* for the requests that *when* describes. Its policy has the rule's name in every decision it makes."""

    name: str
    when: When
    policy: Policy
    _op: Matcher | None = field(init=False, repr=False, compare=False)
    _model: Matcher | None = field(init=False, repr=False, compare=False)
    _trace_id: Matcher | None = field(init=False, repr=False, compare=False)
    _text: Matcher | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("op", "model", "trace_id"):
            object.__setattr__(self, f"_{name}", _matcher(getattr(self.when, name)))
        object.__setattr__(self, "_text", _matcher(self.when.text, re.IGNORECASE))

    def matches(self, request: JobRequest, ordinal: int) -> bool:
        """Say whether *request* is what this rule is for, when it comes for the *ordinal*-th time."""
        if self.when.ordinals is not None:
            first, last = self.when.ordinals
            if ordinal < first or (last is not None and ordinal > last):
                return False
        if self._op is not None and not self._op(request.op):
            return False
        trace_id = request.trace_id
        if self._trace_id is not None and (trace_id is None or not self._trace_id(trace_id)):
            return False
        if self._model is None and self._text is None:
            return True
        return self._matches_args(request.args)

    def _matches_args(self, args: bytes) -> bool:
        spoken = _spoken(args)
        if self._model is not None and not self._model(spoken.model):
            return False
        return self._text is None or any(map(self._text, spoken.texts))


def policy_for(policy: Policy, request: JobRequest, ordinal: int) -> Policy:
    """Return the policy that *request* falls under: that of the first rule of *policy* that matches, or *policy*."""
    for rule in policy.rules:
        if rule.matches(request, ordinal):
            return rule.policy
    return policy


def _matcher(glob: str | None, flags: int = 0) -> Matcher | None:
    return None if glob is None else re.compile(translate(glob), flags).match


@dataclass(frozen=True, slots=True)
class _Spoken:
    model: str
    texts: tuple[str, ...]


class _Args(msgspec.Struct):
    model: msgspec.Raw = msgspec.Raw(b'""')
    messages: msgspec.Raw = msgspec.Raw(b"[]")


class _Message(msgspec.Struct):
    content: msgspec.Raw = msgspec.Raw(b"null")


class _Part(msgspec.Struct):
    text: str = ""


_args = msgspec.json.Decoder(_Args)
_items = msgspec.json.Decoder(list[msgspec.Raw])
_message = msgspec.json.Decoder(_Message)
_content = msgspec.json.Decoder(str | list[msgspec.Raw])
_part = msgspec.json.Decoder(_Part)
_text = msgspec.json.Decoder(str)


def _spoken(args: bytes) -> _Spoken:
    """Return the model and the texts of all messages; whatever has another form has no text."""
    found = _args.decode(args)
    texts: list[str] = []
    for item in _read(_items, found.messages) or ():
        message = _read(_message, item)
        content = _read(_content, message.content) if message is not None else None
        if isinstance(content, str):
            texts.append(content)
        elif content is not None:
            parts = [_read(_part, part) for part in content]
            texts += [part.text for part in parts if part is not None]
    return _Spoken(_read(_text, found.model) or "", tuple(texts))


def _read(decoder: msgspec.json.Decoder[Decoded], raw: msgspec.Raw) -> Decoded | None:
    try:
        return decoder.decode(raw)
    except msgspec.DecodeError:
        return None
