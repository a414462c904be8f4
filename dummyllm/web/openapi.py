"""Describes the API as an OpenAPI 3.1 document, made from the types and tables that the server itself goes by.

What a payload and an answer look like comes from the structs, what an error means from `refusal`, what a route does
from the docstring of its handler, and the examples of jobs from the code that answers. Written by hand is one table:
which route gives which answer and which errors. The document tells of *this* server: where a key is set, it says that
one is wanted. It is made when it is first asked for; a server that nobody asks starts no later for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from dummyllm import __version__
from dummyllm.core.fingerprint import IdentityKind, identity_of
from dummyllm.core.job import Job, cancelled, make_job
from dummyllm.core.mode import Mode
from dummyllm.core.policy import Policy
from dummyllm.core.request import JobRequest
from dummyllm.core.snapshot import snapshot_at
from dummyllm.replies import Reply, Usage, echo
from dummyllm.settings import Settings, Unknown
from dummyllm.web import admin, encode
from dummyllm.web.admin import Admin
from dummyllm.web.decode import TIMEOUT_MS_MAX, StrictSubmission
from dummyllm.web.health import Health, HealthRoutes
from dummyllm.web.jobs import Jobs
from dummyllm.web.refusal import MEANINGS, STATUS_OF, ErrorBody, Refusal, body_of

JSON = "application/json"
SINCE_MAX = 2**53

Document = dict[str, Any]


async def openapi_route(request: Request) -> Response:
    """`GET /openapi.json`: this document."""
    settings: Settings = request.app.settings
    return Response(_written(settings.unknown, needs_key=settings.api_key is not None), media_type=JSON)


@lru_cache
def _written(unknown: Unknown, *, needs_key: bool) -> bytes:
    return encode.encode(document(unknown, needs_key=needs_key))


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
    is_open: bool = False  # works without a key, from any Host and any Origin


OPEN = ("METHOD_NOT_ALLOWED", "HEADERS_TOO_LARGE", "INTERNAL")
GUARDED = (*OPEN, "UNAUTHORIZED", "HOST_NOT_ALLOWED", "ORIGIN_NOT_ALLOWED")
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

ABOUT = """\
A backend for jobs that misbehaves the same way twice: what befalls a job is decided by the environment of the server,
never by the payload. Every error has one shape, and a program branches on its `code`. Every GET answers HEAD, too."""

TAGS = {
    "jobs": "Submit, poll, cancel and inspect jobs.",
    "server": "Whether the server is well, and what it is set to.",
    "operator": "What the server was set to, saw and decided; open to this machine, or elsewhere with the key.",
}

PARAMETERS = {
    "id": ("path", "the id of a job, as the submit returned it", msgspec.json.schema(encode.Id)),
    "since": ("query", "the number of the first entry wanted", {"minimum": 0, "maximum": SINCE_MAX, "default": 0}),
    "limit": (
        "query",
        "how many entries at most",
        {"minimum": 0, "maximum": admin.LIMIT_MAX, "default": admin.LIMIT_DEFAULT},
    ),
}

LINKS = {
    "poll": ("id", "id", "what became of this job"),
    "cancel": ("id", "id", "give this job up"),
    "inspect": ("id", "id", "what this job was asked to do, and what was decided about it"),
    "journal": ("since", "next", "the entries after these"),
    "decisions": ("since", "next", "the decisions after these"),
}

SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "`DUMMYLLM_API_KEY` as `Authorization: Bearer`"},
    "key": {"type": "apiKey", "in": "header", "name": "x-api-key", "description": "`DUMMYLLM_API_KEY` as `x-api-key`"},
}
KEY_WANTED: list[Document] = [{name: []} for name in SECURITY_SCHEMES]
KEY_WELCOME: list[Document] = [{}, *KEY_WANTED]

HEADERS = {
    401: ("WWW-Authenticate", "how to send a key", {"type": "string", "examples": ["Bearer"]}),
    405: ("Allow", "the methods that work on this path", {"type": "string", "examples": ["GET, HEAD"]}),
    503: ("Retry-After", "whole seconds until a try makes sense", {"type": "integer", "minimum": 1}),
}

# What the server really says; a test provokes every one of them.
SAID = {
    "BAD_JSON": "the body is not JSON: JSON is malformed: trailing characters (byte 12)",
    "BAD_REQUEST": "`op` is empty; it names the operation, as in llm.chat - at `$.op`",
    "UNAUTHORIZED": "a key is wanted; send DUMMYLLM_API_KEY as Authorization: Bearer or as x-api-key",
    "ADMIN_OFF": "POST under /__admin/ is off; start the server with DUMMYLLM_ADMIN=1",
    "HOST_NOT_ALLOWED": (
        "Host 'example.test' is not allowed; use localhost, 127.0.0.1, [::1] or a name of DUMMYLLM_ALLOWED_HOSTS "
        "(none is set)"
    ),
    "ORIGIN_NOT_ALLOWED": "Origin 'http://example.test' is not of DUMMYLLM_CORS_ORIGINS (none is set)",
    "NOT_FOUND": "there is no job job_000000000000000000000000",
    "METHOD_NOT_ALLOWED": "PUT does not work on /v1/jobs; use POST",
    "BODY_TOO_SLOW": "the body did not arrive within 15000 ms (DUMMYLLM_RECEIVE_TIMEOUT_MS)",
    "TOO_LARGE": "the body is longer than 8388608 bytes (DUMMYLLM_MAX_BODY_BYTES)",
    "NOT_JSON": "Content-Type 'text/plain' is not JSON; send Content-Type: application/json",
    "INVALID_REQUEST": "Expected `int` <= 86400000 - at `$.timeout_ms`",
    "HEADERS_TOO_LARGE": "the request has more than 100 headers or 65536 bytes of them",
    "INTERNAL": "the server failed; this is a bug of ours",
    "FULL": (
        "every place is taken by an unfinished job (DUMMYLLM_JOBS_MAX, DUMMYLLM_STORE_MAX_BYTES); try again in 30 s"
    ),
    "SHUTTING_DOWN": "the server is shutting down; try again",
}

# Where the decoder has a type of its own, this is what a client may send.
DOCUMENTED: dict[str, Any] = {
    "args": dict[str, Any],
    "timeout_ms": Annotated[int, Meta(ge=0, le=TIMEOUT_MS_MAX)],
}
MEMBERS = {
    "op": Meta(min_length=1, description="the operation; only `llm.chat` is answered by ELIZA"),
    "args": Meta(description="whatever the operation takes; kept byte for byte, white space aside"),
    "timeout_ms": Meta(
        description="how long the client means to wait; the deadline is the client's to keep, and only mode timeout "
        "looks at it"
    ),
    "trace_id": Meta(description="the client's own name for this piece of work"),
}
UNKNOWN_MEMBERS = {
    Unknown.REFUSE: "The standard payload and not a member more: behaviour is set on the server.",
    Unknown.IGNORE: "The standard payload. Any other member is ignored, and the journal says so.",
}

PAYLOADS: dict[str, tuple[str, Document]] = {
    "chat": (
        "a chat",
        {
            "op": "llm.chat",
            "args": {"model": "llama3.1:8b", "messages": [{"role": "user", "content": "Hello"}]},
            "timeout_ms": 8000,
            "trace_id": "order-17",
        },
    ),
    "least": ("the least there can be", {"op": "report.render"}),
}

ACCEPTED_AT_MS = 946_684_800_000
LATER_MS = ACCEPTED_AT_MS + 250


def document(unknown: Unknown = Unknown.REFUSE, *, needs_key: bool = False) -> Document:
    """Return the document of a server that treats *unknown* members so, and that wants a key or takes any client."""
    schemas = _Schemas(_payload(unknown))
    paths: dict[str, Document] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "dummyLLM",
            "version": __version__,
            "description": ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "security": KEY_WANTED if needs_key else KEY_WELCOME,
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "responses": {name: _refused(name, schemas) for name in sorted({*_refusals()})},
            "parameters": {name: _parameter(name) for name in PARAMETERS},
            "links": {name: _link(name) for name in LINKS},
            "securitySchemes": SECURITY_SCHEMES,
        },
    }


def _operation(operation: Operation, schemas: _Schemas) -> Document:
    about = _about(operation.handler)
    found: Document = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": about.partition(".")[0],
        "description": about,
        "responses": {str(operation.status): _answered(operation, schemas)}
        | {str(status): _ref("responses", "-".join(codes)) for status, codes in _by_status(operation.codes)},
    }
    if operation.is_open:
        found["security"] = []
    if operation.parameters:
        found["parameters"] = [_ref("parameters", name) for name in operation.parameters]
    if operation.id == "submit":
        examples = {name: {"summary": text, "value": value} for name, (text, value) in PAYLOADS.items()}
        content = {JSON: {"schema": schemas.of(schemas.payload), "examples": examples}}
        found["requestBody"] = {"required": True, "content": content}
    return found


def _answered(operation: Operation, schemas: _Schemas) -> Document:
    schema = {"type": "object"} if operation.answer is None else schemas.of(operation.answer)
    content: Document = {"schema": schema}
    examples = _examples().get(operation.id)
    if examples is not None:
        content["examples"] = {name: {"value": msgspec.json.decode(body)} for name, body in examples.items()}
    found: Document = {"description": _text(operation.answer) or "This document.", "content": {JSON: content}}
    if operation.links:
        found["links"] = {name: _ref("links", name) for name in operation.links}
    return found


def _refusals() -> Iterator[str]:
    for operation in OPERATIONS:
        for _, codes in _by_status(operation.codes):
            yield "-".join(codes)


def _refused(name: str, schemas: _Schemas) -> Document:
    """Return the response called *name*: all the codes, joined by a dash, that one operation gives with one status."""
    codes = name.split("-")
    status = STATUS_OF[codes[0]]
    narrowed = {"properties": {"detail": {"properties": {"error": {"properties": {"code": {"enum": codes}}}}}}}
    examples = {
        code: {"summary": MEANINGS[code], "value": msgspec.json.decode(body_of(Refusal(code, SAID[code])))}
        for code in codes
    }
    found: Document = {
        "description": "; ".join(f"`{code}`: {MEANINGS[code]}" for code in codes),
        "content": {JSON: {"schema": schemas.of(ErrorBody) | narrowed, "examples": examples}},
    }
    if status in HEADERS:
        header, text, schema = HEADERS[status]
        found["headers"] = {header: {"description": text, "required": True, "schema": schema}}
    return found


def _by_status(codes: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    for status in sorted({STATUS_OF[code] for code in codes}):
        yield status, sorted(code for code in codes if STATUS_OF[code] == status)


def _parameter(name: str) -> Document:
    place, text, limits = PARAMETERS[name]
    schema = {"type": "integer"} | limits
    return {"name": name, "in": place, "required": place == "path", "description": text, "schema": schema}


def _link(name: str) -> Document:
    parameter, member, text = LINKS[name]
    return {"operationId": name, "parameters": {parameter: f"$response.body#/{member}"}, "description": text}


def _ref(kind: str, name: str) -> Document:
    return {"$ref": f"#/components/{kind}/{name}"}


@lru_cache
def _examples() -> dict[str, dict[str, bytes]]:
    """Return what a server says about the job of the chat payload, by operation; a test compares it with a server."""
    payload = PAYLOADS["chat"][1]
    request = msgspec.convert(payload | {"args": encode.encode(payload["args"])}, JobRequest)
    made, failing = _made(request, Mode.ECHO), _made(request, Mode.FAIL)
    given_up = cancelled(made, now_ms=ACCEPTED_AT_MS)
    text = echo(request.args)
    reply = Reply(text, Usage(prompt_tokens=9, completion_tokens=9))
    return {
        "submit": {"accepted": encode.accepted(made)},
        "poll": {
            "running": encode.job_view(made, snapshot_at(made, ACCEPTED_AT_MS), None),
            "ok": encode.job_view(made, snapshot_at(made, LATER_MS), reply),
            "fail": encode.job_view(failing, snapshot_at(failing, LATER_MS), None),
            "cancelled": encode.job_view(given_up, snapshot_at(given_up, LATER_MS), None),
        },
        "cancel": {
            "cancelled": encode.cancel_view(given_up, snapshot_at(given_up, ACCEPTED_AT_MS)),
            "ended before": encode.cancel_view(made, snapshot_at(made, LATER_MS)),
        },
        "inspect": {"as it was sent": encode.request_view(made)},
    }


def _made(request: JobRequest, mode: Mode) -> Job:
    identity = identity_of(IdentityKind.PAYLOAD, request)
    return make_job(Policy(mode=mode), request, identity, now_ms=ACCEPTED_AT_MS, ordinal=0)


class _Schemas:
    """The schemas of the structs, under the names of the structs."""

    def __init__(self, payload: type[msgspec.Struct]) -> None:
        self.payload = payload
        kinds = [payload, ErrorBody, *{operation.answer: None for operation in OPERATIONS if operation.answer}]
        found, self.components = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
        self._of = dict(zip(kinds, found, strict=True))
        # `args` passes through us as bytes; what is in them is an object, and that is all we know of it.
        self.components["RequestView"]["properties"]["args"] = {"type": "object"}

    def of(self, kind: type[msgspec.Struct]) -> Document:
        return dict(self._of[kind])


def _payload(unknown: Unknown) -> type[msgspec.Struct]:
    """Return the standard payload as a client sees it: where the decoder keeps bytes, there is an object."""
    fields: list[tuple[str, Any, Any]] = []
    for field in msgspec.structs.fields(StrictSubmission):
        kind = DOCUMENTED.get(field.name, field.type)
        default = {} if field.type is msgspec.Raw else field.default
        fields.append((field.name, Annotated[kind, MEMBERS[field.name]], default))
    text = {"__doc__": UNKNOWN_MEMBERS[unknown]}
    is_strict = unknown is Unknown.REFUSE
    return msgspec.defstruct("Submission", fields, namespace=text, forbid_unknown_fields=is_strict)


def _about(handler: Callable[..., object]) -> str:
    """Return the docstring of *handler* behind the routes it begins with, as a sentence."""
    text = _text(handler).rpartition("`: ")[2]
    return text[:1].upper() + text[1:]


def _text(described: object) -> str:
    return " ".join((described.__doc__ or "").split())  # `python -OO` takes docstrings away
