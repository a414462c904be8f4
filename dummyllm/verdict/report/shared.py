"""Knows what the submits of an account have in common: that is told once, and what differs with each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from dummyllm.journal import What
from dummyllm.journal_line import Line
from dummyllm.verdict.report.words import short

AGENT = "by"

# What may tell one submit from another: under which word, and how it is read off a line. None is told as such.
MEMBERS: dict[str, Callable[[Line], str | None]] = {
    "timeout_ms": lambda line: None if line.timeout_ms is None else str(line.timeout_ms),
    "key": lambda line: line.key,
    "trace_id": lambda line: line.trace_id,
    "payload": lambda line: line.fingerprint[:12] if line.fingerprint else None,
    "credentials": lambda line: line.auth,
}

# Of these it is enough to know that they are the same.
UNTOLD = ("payload", "credentials")


class Shared:
    """What all submits among *lines* have in common, and what all requests have."""

    def __init__(self, lines: Sequence[Line]) -> None:
        submits = [line for line in lines if line.what is What.SUBMIT]
        self._values = {name: {read(line) for line in submits} for name, read in MEMBERS.items()}
        self._agents = {line.user_agent for line in lines}

    def facts(self) -> Iterator[str]:
        """Yield what is true of all of them."""
        for name, values in self._values.items():
            if len(values) == 1 and name not in UNTOLD:
                (value,) = values
                if value is not None:
                    yield f"{name} {short(value)}"
        if len(self._agents) == 1 and self._agents != {None}:
            (agent,) = self._agents
            yield f"{AGENT} {short(agent or '')}"

    def differences(self, line: Line) -> Iterator[str]:
        """Yield what sets *line* apart from others."""
        if line.what is What.SUBMIT:
            for name, values in self._values.items():
                if len(values) > 1:
                    value = MEMBERS[name](line)
                    yield f"no {name}" if value is None else f"{name} {short(value)}"
        if len(self._agents) > 1:
            yield f"{AGENT} {short(line.user_agent or 'a client without a name')}"
