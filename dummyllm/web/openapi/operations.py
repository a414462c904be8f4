"""The one table written by hand: what each method does on each path, how it answers, and every way it refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from dummyllm.web import admin, encode
from dummyllm.web.admin import Admin
from dummyllm.web.health import Health, HealthRoutes
from dummyllm.web.jobs import Jobs
from dummyllm.web.openapi import openapi_route
from dummyllm.web.refusal import STATUS_OF


class Alive(msgspec.Struct, frozen=True):
    """What a probe answers."""

    ok: Literal[True]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A row of the table: what one method does on one path. *codes* are all the refusals it can give."""

    id: str
    tag: str
    method: str = "get"
    path: str
    handler: Callable[..., object]
    status: int = 200
    answer: type[msgspec.Struct] | None
    codes: Sequence[str]
    parameters: Sequence[str] = ()
    links: Sequence[str] = ()
    is_open: bool = False  # works without a key, and from any one Host

    def refusals(self) -> Iterator[tuple[int, list[str]]]:
        """Yield each status of an error with the codes it comes with, in order."""
        for status in sorted({STATUS_OF[code] for code in self.codes}):
            yield status, sorted(code for code in self.codes if STATUS_OF[code] == status)


OPEN = ("HOST_NOT_ALLOWED", "METHOD_NOT_ALLOWED", "HEADERS_TOO_LARGE", "INTERNAL")
GUARDED = (*OPEN, "UNAUTHORIZED", "ORIGIN_NOT_ALLOWED")
ON_JOB = (*GUARDED, "NOT_FOUND")
SUBMIT = (*GUARDED, "BAD_JSON", "BAD_REQUEST", "BODY_TOO_SLOW", "TOO_LARGE", "NOT_JSON", "INVALID_REQUEST", "FULL",
          "SHUTTING_DOWN")  # fmt: skip
ADMIN = (*GUARDED, "ADMIN_OFF")
PAGED = (*ADMIN, "INVALID_REQUEST")
WITH_JOB = ("poll", "cancel", "inspect")

OPERATIONS = (
    Operation(
        id="submit", tag="jobs", method="post", path="/v1/jobs", handler=Jobs.submit,
        status=201, answer=encode.Accepted, codes=SUBMIT, links=WITH_JOB,
    ),
    Operation(
        id="poll", tag="jobs", path="/v1/jobs/{id}", handler=Jobs.poll,
        answer=encode.JobView, codes=ON_JOB, parameters=["id"],
    ),
    Operation(
        id="cancel", tag="jobs", method="post", path="/v1/jobs/{id}/cancel", handler=Jobs.cancel,
        answer=encode.Cancelled, codes=ON_JOB, parameters=["id"], links=WITH_JOB,
    ),
    Operation(
        id="inspect", tag="jobs", path="/v1/jobs/{id}/request", handler=Jobs.inspect,
        answer=encode.RequestView, codes=ON_JOB, parameters=["id"],
    ),
    Operation(id="health", tag="server", path="/health", handler=HealthRoutes.health,
              answer=Health, codes=OPEN, is_open=True),
    Operation(id="livez", tag="server", path="/livez", handler=HealthRoutes.alive,
              answer=Alive, codes=OPEN, is_open=True),
    Operation(id="readyz", tag="server", path="/readyz", handler=HealthRoutes.alive,
              answer=Alive, codes=OPEN, is_open=True),
    Operation(id="openapi", tag="server", path="/openapi.json", handler=openapi_route, answer=None, codes=GUARDED),
    Operation(id="config", tag="operator", path="/__admin/config", handler=Admin.config,
              answer=admin.ConfigView, codes=ADMIN),
    Operation(id="journal", tag="operator", path="/__admin/journal", handler=Admin.journal,
              answer=admin.JournalView, codes=PAGED, parameters=["since", "limit"], links=["journal"]),
    Operation(id="decisions", tag="operator", path="/__admin/decisions", handler=Admin.decisions,
              answer=admin.DecisionsView, codes=PAGED, parameters=["since", "limit"], links=["decisions"]),
    Operation(id="reset", tag="operator", method="post", path="/__admin/reset", handler=Admin.reset,
              answer=admin.Reset, codes=ADMIN),
)  # fmt: skip
