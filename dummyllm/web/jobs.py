"""The native API of SPEC.md: submit, poll, cancel and inspect a job. These four are the hot path, in plain ASGI."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import NoReturn

from dummyllm.backend import Backend
from dummyllm.core.job import Job
from dummyllm.core.request import JobId
from dummyllm.core.snapshot import Snapshot
from dummyllm.core.timeline import FINAL_STATES, State
from dummyllm.journal import Entry, What
from dummyllm.setting_values import Unknown
from dummyllm.settings import Settings
from dummyllm.store import Full
from dummyllm.web import encode
from dummyllm.web.decode import decode_request, unknown_members
from dummyllm.web.delivery import Deliveries
from dummyllm.web.exchange import Exchange
from dummyllm.web.refusal import Refusal
from dummyllm.web.waits import Waits, shutting_down

PREFIX = "/v1/jobs"
FULL_RETRY_AFTER_S = 30

Handler = Callable[[Exchange], Awaitable[None]]

# Reading a member off its enum takes as long as a call.
_SUBMIT, _POLL, _CANCEL, _INSPECT = What.SUBMIT, What.POLL, What.CANCEL, What.INSPECT
_QUEUED, _OK = State.QUEUED, State.OK
_IGNORE = Unknown.IGNORE

_ID = re.compile(r"job_[0-9a-f]{24}", re.ASCII)


class Jobs:
    """The native routes, on *backend*."""

    def __init__(self, backend: Backend, settings: Settings, waits: Waits, deliveries: Deliveries) -> None:
        self._backend = backend
        self._submit = backend.submit
        self._hit_of = backend.hit_of
        self._get = backend.job
        self._journal = backend.journal
        self._waits = waits
        self._deliveries = deliveries
        self._unknown = settings.unknown
        self._max_body_bytes = settings.max_body_bytes
        self._collection: dict[str, Handler] = {"POST": self.submit}
        self._members: dict[str, dict[str, Handler]] = {
            "": {"GET": self.poll, "HEAD": self.poll},
            "cancel": {"POST": self.cancel},
            "request": {"GET": self.inspect, "HEAD": self.inspect},
        }

    def route(self, exchange: Exchange, path: str) -> Handler:
        """Return the handler of *path*, which begins with `/v1/jobs`; refuse what is no route or has no such method."""
        if path == PREFIX:
            handlers = self._collection
        else:
            job_id, _, rest = path[len(PREFIX) + 1 :].partition("/")
            found = self._members.get(rest)
            if found is None or path.endswith("/"):
                raise not_found(path)
            handlers = found
        method = exchange.scope["method"]
        handler = handlers.get(method)
        if handler is None:
            raise method_not_allowed(method, path, list(handlers))
        if handlers is not self._collection:
            if _ID.fullmatch(job_id) is None:
                message = f"{job_id[:40]!r} is no job id; an id is job_ and 24 hex digits, as a POST returned it"
                raise Refusal("NOT_FOUND", message)
            exchange.job_id = JobId(job_id)
        return handler

    async def submit(self, exchange: Exchange) -> None:
        """`POST /v1/jobs`: accept a job."""
        exchange.what = _SUBMIT
        headers = exchange.headers
        if self._waits.is_stopping:
            raise shutting_down()
        if headers.get(b"content-type") != b"application/json" or b"content-encoding" in headers:
            check_content_type(headers)
        body = exchange.body(self._waits, self._max_body_bytes)
        if not isinstance(body, bytes):
            body = await body
        request = decode_request(body, self._unknown)
        try:
            job = self._submit(request)
            if not isinstance(job, Job):
                job = await job
        except Full as full:
            raise self._full(full) from None
        note = self._ignored(body) if self._unknown is _IGNORE else None
        journal = self._journal
        entry = Entry(
            journal.next_seq(), job.accepted_at_ms, _SUBMIT, job.id, job.identity, self._hit_of(job), job.ordinal,
            201, _QUEUED, None, None, exchange.user_agent(), note,
        )  # fmt: skip
        await exchange.answer(201, encode.accepted(job), entry, journal, self._deliveries)

    async def poll(self, exchange: Exchange) -> None:
        """`GET /v1/jobs/{id}`: say what a job looks like now."""
        exchange.what = _POLL
        job = await self._get(exchange.job_id) or self._missing(exchange)
        backend = self._backend
        snapshot, now_ms = backend.look(job)
        reply = backend.reply(job) if snapshot.state is _OK else None
        body = encode.job_view(job, snapshot, reply)
        await self._answer(exchange, _POLL, job, snapshot, now_ms, body)

    async def cancel(self, exchange: Exchange) -> None:
        """`POST /v1/jobs/{id}/cancel`: cancel a job; on one that has ended, say how. A body is ignored."""
        exchange.what = _CANCEL
        job = await self._get(exchange.job_id) or self._missing(exchange)
        job, snapshot, now_ms = await self._backend.cancel(job)
        await self._answer(exchange, _CANCEL, job, snapshot, now_ms, encode.cancel_view(job, snapshot))

    async def inspect(self, exchange: Exchange) -> None:
        """`GET /v1/jobs/{id}/request`: say what a job was asked to do, as it was sent."""
        exchange.what = _INSPECT
        job = await self._get(exchange.job_id) or self._missing(exchange)
        snapshot, now_ms = self._backend.look(job)
        await self._answer(exchange, _INSPECT, job, snapshot, now_ms, encode.request_view(job))

    def _missing(self, exchange: Exchange) -> NoReturn:
        job_id = exchange.job_id
        if self._backend.was_evicted(job_id):
            raise Refusal("NOT_FOUND", f"job {job_id} was evicted: it had ended, and its place was needed")
        raise Refusal("NOT_FOUND", f"there is no job {job_id}")

    def _answer(
        self, exchange: Exchange, what: What, job: Job, snapshot: Snapshot, now_ms: int, body: bytes
    ) -> Awaitable[None]:
        journal = self._journal
        ended_at_ms = snapshot.since_ms if snapshot.state in FINAL_STATES else None
        entry = Entry(
            journal.next_seq(), now_ms, what, job.id, job.identity, None, job.ordinal, 200, snapshot.state, None,
            ended_at_ms, exchange.user_agent(),
        )  # fmt: skip
        return exchange.answer(200, body, entry, journal, self._deliveries)

    def _full(self, full: Full) -> Refusal:
        wait_s = FULL_RETRY_AFTER_S
        if full.room_at_ms is not None:
            wait_s = max(1, -(-(full.room_at_ms - self._backend.clock.now_ms()) // 1000))
        limits = "DUMMYLLM_JOBS_MAX, DUMMYLLM_STORE_MAX_BYTES"
        message = f"every place is taken by an unfinished job ({limits}); try again in {wait_s} s"
        return Refusal("FULL", message, headers=((b"retry-after", b"%d" % wait_s),))

    def _ignored(self, body: bytes) -> str | None:
        names = unknown_members(body)
        return f"ignored unknown members: {', '.join(names)[:200]}" if names else None


def not_found(path: str) -> Refusal:
    """Return the refusal of a path that is no route."""
    return Refusal(
        "NOT_FOUND", f"there is no route {path[:80]!r}; jobs are at /v1/jobs, and /openapi.json lists every route"
    )


def method_not_allowed(method: str, path: str, allowed: list[str]) -> Refusal:
    """Return the refusal of a method that *path* does not have."""
    listed = ", ".join(allowed)
    message = f"{method[:20]} does not work on {path[:80]}; use {listed}"
    return Refusal("METHOD_NOT_ALLOWED", message, headers=((b"allow", listed.encode()),))


def check_content_type(headers: dict[bytes, bytes]) -> None:
    """Refuse a body that says it is something other than plain JSON.

    No Content-Type at all is taken as JSON, unless a browser sent it: there, its absence would dodge the preflight.
    """
    kind = headers.get(b"content-type")
    if kind is None:
        if b"origin" in headers:
            raise Refusal(
                "NOT_JSON", "the request has an Origin and no Content-Type; send Content-Type: application/json"
            )
    elif not _is_json(kind):
        raise Refusal("NOT_JSON", _content_type_complaint(kind))
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise Refusal("NOT_JSON", "compressed bodies are not read; send the JSON as it is, without Content-Encoding")


def _is_json(kind: bytes) -> bool:
    media_type = kind.partition(b";")[0].strip().lower()
    return media_type in (b"application/json", b"text/json") or media_type.endswith(b"+json")


def _content_type_complaint(kind: bytes) -> str:
    shown = kind.decode("latin-1")[:80]
    help_ = "send Content-Type: application/json"
    if kind.startswith(b"application/x-www-form-urlencoded"):
        help_ += "; with curl, add -H 'Content-Type: application/json' to -d, or use --json instead of -d"
    return f"Content-Type {shown!r} is not JSON; {help_}"
