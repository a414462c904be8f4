"""A client for the tests of faults: it marks what it sends, so that the journal tells its requests from all others."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec

from dummyllm.core.draw import Luck
from dummyllm.core.fingerprint import fingerprint_of
from dummyllm.core.request import JobRequest
from tests.web.stack import PATIENCE_S, Answer, Line, ask, request

SEED = 1337
PAGE = 10_000

Found = TypeVar("Found")


class Fact(NamedTuple):
    """What the journal says of one request; what does not apply is None."""

    what: str
    status: int | None
    fault: str | None = None
    n: int | None = None
    delivered: str = "yes"
    served: bool = True


def fact_of(entry: Mapping[str, Any]) -> Fact:
    """Return what an *entry* of the journal says, as far as faults go."""
    return Fact(
        entry["what"],
        entry.get("status"),
        entry.get("fault"),
        entry.get("n"),
        entry["delivered"],
        entry.get("served", True),
    )


def journal(port: int, since: int = 0) -> list[dict[str, Any]]:
    """Return every entry of the journal from number *since* on."""
    entries: list[dict[str, Any]] = []
    with Line(port) as line:
        while True:
            line.send(request("GET", f"/__admin/journal?since={since}&limit={PAGE}"))
            page = line.answer().json
            entries += page["entries"]
            since = page["next"]
            if len(page["entries"]) < PAGE:
                return entries


def digests(port: int) -> tuple[str, str]:
    """Return both digests: of fates, and of traffic."""
    view = ask(port, "GET", "/__admin/decisions?limit=0").json
    return view["fates"], view["traffic"]


def eventually(found: Callable[[], Found | None], what: str) -> Found:
    """Return what *found* returns once that is something; fail if it takes longer than anybody's patience."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        answer = found()
        if answer:
            return answer
    raise AssertionError(f"{what} did not come about within {PATIENCE_S} s")


def payload(op: str, args: Mapping[str, object] | None = None, timeout_ms: int = 8000) -> bytes:
    """Return the body of a submit."""
    return msgspec.json.encode({"op": op, "args": args or {}, "timeout_ms": timeout_ms})


def id_of(op: str, args: Mapping[str, object], ordinal: int = 0, seed: int = SEED) -> str:
    """Return the id that the *ordinal*-th job of this work has, or would have: it depends on nothing else."""
    work = JobRequest(op, msgspec.json.encode(args))
    return Luck(seed, fingerprint_of(work), ordinal).job_id()


def rules_file(path: Path, thens: Mapping[str, str]) -> str:
    """Write a file of rules at *path*, one for each op of *thens*, and return the path."""
    rules = [f'[[rule]]\nname = "{op}"\nwhen = {{ op = "{op}" }}\nthen = {{ {then} }}\n' for op, then in thens.items()]
    path.write_text("\n".join(rules), encoding="utf-8")
    return str(path)


_numbers = count()


class Visitor:
    """A client with one piece of work of its own, of the kind *op*; every request has a connection of its own."""

    def __init__(self, port: int, op: str, *, timeout_ms: int = 8000) -> None:
        number = next(_numbers)
        self.port = port
        self.name = f"visitor-{number}"
        self.op = op
        self.args = {"visitor": number, "messages": [{"role": "user", "content": f"Hello from {number}"}]}
        self.body = payload(op, self.args, timeout_ms)

    def id(self, ordinal: int = 0) -> str:
        """Return the id of the *ordinal*-th job of this work, whether there is one or not."""
        return id_of(self.op, self.args, ordinal)

    def path(self, ordinal: int = 0) -> str:
        """Return the path of the *ordinal*-th job of this work."""
        return f"/v1/jobs/{self.id(ordinal)}"

    def submit(self, **headers: str) -> Answer:
        """Submit the work and return the answer."""
        return ask(self.port, "POST", "/v1/jobs", self.body, user_agent=self.name, **headers)

    def poll(self, **headers: str) -> Answer:
        """Read the first job's status."""
        return ask(self.port, "GET", self.path(), user_agent=self.name, **headers)

    def cancel(self) -> Answer:
        """Cancel the first job."""
        return ask(self.port, "POST", self.path() + "/cancel", user_agent=self.name)

    def states(self, reads: int) -> list[str | int]:
        """Return what so many status reads show: a state, or the status of an answer that is no job."""
        answers = [self.poll() for _ in range(reads)]
        return [answer.json["state"] if answer.status == 200 else answer.status for answer in answers]

    def broken(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[bytes, str]:
        """Send a request; return all that comes until the connection ends, and how it ends."""
        with Line(self.port) as line:
            line.send(request(method, path, body, user_agent=self.name, **headers))
            return line.rest()

    def broken_submit(self, **headers: str) -> tuple[bytes, str]:
        """Submit the work; return all that comes until the connection ends, and how it ends."""
        return self.broken("POST", "/v1/jobs", self.body, **headers)

    def is_there(self, ordinal: int = 0) -> bool:
        """Say whether there is an *ordinal*-th job of this work; asked by somebody else, so that no fact is added."""
        status = ask(self.port, "GET", self.path(ordinal) + "/request").status
        assert status in (200, 404)
        return status == 200

    def facts(self) -> list[Fact]:
        """Return what the journal says of this client's requests."""
        return [fact_of(entry) for entry in self.entries()]

    def entries(self) -> list[dict[str, Any]]:
        """Return this client's entries in the journal."""
        return [entry for entry in journal(self.port) if entry.get("user_agent") == self.name]
