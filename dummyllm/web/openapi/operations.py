"""The one table written by hand: what each method does on each path, how it answers, and every way it refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from dummyllm.verdict.judge import Verdict
from dummyllm.web import admin_views, encode
from dummyllm.web.admin import JSON_LINES, Admin
from dummyllm.web.health import Health, HealthRoutes
from dummyllm.web.jobs import Jobs
from dummyllm.web.openapi import openapi_route
from dummyllm.web.refusal import STATUS_OF
from dummyllm.web.submits import Submits


class Alive(msgspec.Struct, frozen=True):
    """What a probe answers."""

    ok: Literal[True]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A row of the table: what one method does on one path.

    It answers with one of *answers* (none: with what is no struct), as *media*, and perhaps with *headers*. *body* is
    what is sent, where that is no payload. *codes* are all the refusals it can give.
    """

    id: str
    tag: str
    method: str = "get"
    path: str
    handler: Callable[..., object]
    status: int = 200
    answers: Sequence[type[msgspec.Struct]] = ()
    codes: Sequence[str]
    parameters: Sequence[str] = ()
    links: Sequence[str] = ()
    headers: Sequence[str] = ()
    body: type[msgspec.Struct] | None = None
    media: str = "application/json"
    is_open: bool = False  # works without a key, and from any one Host

    def refusals(self) -> Iterator[tuple[int, list[str]]]:
        """Yield each status of an error with the codes it comes with, in order."""
        for status in sorted({STATUS_OF[code] for code in self.codes}):
            yield status, sorted(code for code in self.codes if STATUS_OF[code] == status)


OPEN = ("HOST_NOT_ALLOWED", "METHOD_NOT_ALLOWED", "HEADERS_TOO_LARGE", "INTERNAL")
GUARDED = (*OPEN, "UNAUTHORIZED", "ORIGIN_NOT_ALLOWED")
ON_JOB = (*GUARDED, "NOT_FOUND")
SUBMIT = (*GUARDED, "BAD_JSON", "BAD_REQUEST", "BODY_TOO_SLOW", "TOO_LARGE", "NOT_JSON", "INVALID_REQUEST",
          "IDEMPOTENCY_KEY_REUSED", "NOT_FOUND", "FULL", "SHUTTING_DOWN")  # fmt: skip
ADMIN = (*GUARDED, "ADMIN_OFF")
PAGED = (*ADMIN, "INVALID_REQUEST")
WITH_JOB = ("poll", "cancel", "inspect")

OPERATIONS = (
    Operation(
        id="submit", tag="jobs", method="post", path="/v1/jobs", handler=Submits.submit,
        status=201, answers=[encode.Accepted, encode.JobView], codes=SUBMIT, links=WITH_JOB,
        parameters=["idempotency-key", "prefer"], headers=["Idempotency-Replayed", "Preference-Applied"],
    ),
    Operation(
        id="poll", tag="jobs", path="/v1/jobs/{id}", handler=Jobs.poll,
        answers=[encode.JobView], codes=(*ON_JOB, "SHUTTING_DOWN"), parameters=["id", "prefer"],
        headers=["Preference-Applied"],
    ),
    Operation(
        id="cancel", tag="jobs", method="post", path="/v1/jobs/{id}/cancel", handler=Jobs.cancel,
        answers=[encode.Cancelled], codes=ON_JOB, parameters=["id"], links=WITH_JOB,
    ),
    Operation(
        id="inspect", tag="jobs", path="/v1/jobs/{id}/request", handler=Jobs.inspect,
        answers=[encode.RequestView], codes=ON_JOB, parameters=["id"],
    ),
    Operation(id="health", tag="server", path="/health", handler=HealthRoutes.health,
              answers=[Health], codes=OPEN, is_open=True),
    Operation(id="livez", tag="server", path="/livez", handler=HealthRoutes.alive,
              answers=[Alive], codes=OPEN, is_open=True),
    Operation(id="readyz", tag="server", path="/readyz", handler=HealthRoutes.alive,
              answers=[Alive], codes=OPEN, is_open=True),
    Operation(id="openapi", tag="server", path="/openapi.json", handler=openapi_route, codes=GUARDED),
    Operation(id="config", tag="operator", path="/__admin/config", handler=Admin.config,
              answers=[admin_views.ConfigView], codes=ADMIN),
    Operation(id="journal", tag="operator", path="/__admin/journal", handler=Admin.journal,
              answers=[admin_views.JournalView], codes=PAGED, parameters=["since", "limit", "what", "job", "fault"],
              links=["journal"]),
    Operation(id="journal_file", tag="operator", path="/__admin/journal.jsonl", handler=Admin.journal_file,
              codes=ADMIN, media=JSON_LINES),
    Operation(id="decisions", tag="operator", path="/__admin/decisions", handler=Admin.decisions,
              answers=[admin_views.DecisionsView], codes=PAGED, parameters=["since", "limit"], links=["decisions"]),
    Operation(id="verdict", tag="operator", path="/__admin/verdict", handler=Admin.verdict,
              answers=[Verdict], codes=PAGED, parameters=["final", "require"]),
    Operation(id="faults", tag="operator", path="/__admin/faults", handler=Admin.faults,
              codes=ADMIN, media="text/plain"),
    Operation(id="clock", tag="operator", method="post", path="/__admin/clock", handler=Admin.clock,
              answers=[admin_views.Moved], body=admin_views.Move,
              codes=(*ADMIN, "BAD_JSON", "BODY_TOO_SLOW", "CLOCK_NOT_MANUAL", "TOO_LARGE", "INVALID_REQUEST",
                     "SHUTTING_DOWN")),
    Operation(id="reset", tag="operator", method="post", path="/__admin/reset", handler=Admin.reset,
              answers=[admin_views.Reset], codes=(*ADMIN, "BUSY", "INVALID_REQUEST"), parameters=["force"]),
)  # fmt: skip
