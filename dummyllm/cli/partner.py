"""Knows what the other side of a chat is: somebody who is sent a conversation and says one thing, or comes to grief."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from dummyllm import eliza

MODEL = "eliza"
ROLE_USER, ROLE_ASSISTANT = "user", "assistant"


class Message(msgspec.Struct, frozen=True):
    """One line of a conversation."""

    role: str
    content: str


class _Args(msgspec.Struct, frozen=True):
    model: str
    messages: Sequence[Message]


class _Payload(msgspec.Struct, frozen=True):
    op: str
    args: _Args
    timeout_ms: int


class TroubleError(Exception):
    """A job that ended badly or not at all; the conversation can go on."""


class AwayError(Exception):
    """There is no server to talk to, or what answers is not ours; the conversation is over."""


class BarredError(AwayError):
    """The server lets nobody in like this: to ask again changes nothing."""


class Partner(Protocol):
    """The other side of a chat."""

    title: str

    def greet(self) -> str:
        """Return what is said before anything was heard."""
        ...

    def answer(self, messages: Sequence[Message]) -> str:
        """Return what is said to the last of *messages*; raise `TroubleError` or `AwayError`."""
        ...

    def explain(self, messages: Sequence[Message], reply: str) -> str | None:
        """Return how *reply* to *messages* came about, many lines; None if that cannot be known."""
        ...


@dataclass(frozen=True, slots=True)
class Manner:
    """A script and where its cycles start: all that a reply depends on besides the conversation."""

    script: eliza.Script
    seed: int | None


def payload_of(messages: Sequence[Message], *, timeout_ms: int) -> bytes:
    """Return the standard payload that asks for an answer to *messages*."""
    return msgspec.json.encode(_Payload("llm.chat", _Args(MODEL, messages), timeout_ms))


def explanation(manners: Iterable[Manner], messages: Sequence[Message], reply: str) -> str | None:
    """Return how *reply* to *messages* came about under the first of *manners* that says it; None if none does."""
    texts = eliza.texts_of(msgspec.to_builtins([*messages]))
    for manner in manners:
        turn = eliza.explain(manner.script, texts, seed=manner.seed)[-1]
        if turn.reply == reply:
            return str(turn)
    return None
