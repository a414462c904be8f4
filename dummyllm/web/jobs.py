"""The native API of SPEC.md: poll, cancel and inspect a job, in plain ASGI; `submits` has the submit."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import NoReturn

from dummyllm.backend import Backend
from dummyllm.core.job import Job
from dummyllm.core.reading import Reading
from dummyllm.core.request import JobId
from dummyllm.core.snapshot import Snapshot
from dummyllm.core.timeline import FINAL_STATES, State
from dummyllm.journal import Entry, What
from dummyllm.settings import Settings
from dummyllm.web import encode
from dummyllm.web.asked import preference_applied, wait_s
from dummyllm.web.bend import Bends
from dummyllm.web.delivery import Deliveries
from dummyllm.web.exchange import JSON, Exchange
from dummyllm.web.holding import Holding
from dummyllm.web.refusal import Refusal, body_of
from dummyllm.web.submits import Submits
from dummyllm.web.waits import Waits

PREFIX = "/v1/jobs"

Handler = Callable[[Exchange], Awaitable[None]]

# Reading a member off its enum takes as long as a call.
_POLL, _CANCEL, _INSPECT, _OK = What.POLL, What.CANCEL, What.INSPECT, State.OK

_ID = re.compile(r"job_[0-9a-f]{24}", re.ASCII)


class Jobs:
    """The native routes, on *backend*."""

    def __init__(self, backend: Backend, settings: Settings, waits: Waits, deliveries: Deliveries) -> None:
        self._backend = backend
        self._bends = Bends(backend.clock, backend.journal, waits, deliveries)
        self._holding = Holding(backend, waits)
        submits = Submits(backend, settings, waits, deliveries, self._bends, self._holding)
        self.submit = submits.submit
        self._get = backend.job
        self._journal = backend.journal
        self._deliveries = deliveries
        self._collection: dict[str, Handler] = {"POST": self.submit}
        self._members: dict[str, dict[str, Handler]] = {
            "": {"GET": self.poll, "HEAD": self.peek},
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

    async def poll(self, exchange: Exchange) -> None:
        """`GET /v1/jobs/{id}`: say what a job looks like now; with `Prefer: wait=N`, when it has ended."""
        exchange.what = _POLL
        job = await self._get(exchange.job_id) or self._missing(exchange)
        backend = self._backend
        if backend.reads_are_plain and not job.fate.counts_reads and b"prefer" not in exchange.headers:
            snapshot, now_ms = backend.look(job)
            body = self._view(job, snapshot)
            await self._answer(exchange, _POLL, job, snapshot, now_ms, body)
            return
        wait = wait_s(exchange.headers)
        if wait is not None:
            job = await self._holding.until_end(exchange, job, wait)
        reading, now_ms = await backend.read(job)
        await self._show(exchange, reading, now_ms, wait)

    async def peek(self, exchange: Exchange) -> None:
        """`HEAD /v1/jobs/{id}`: what a GET would answer, without the body, so it tells nobody how a job is; no read."""
        await self._look(exchange, self._view)

    async def _show(self, exchange: Exchange, reading: Reading, now_ms: int, wait: int | None) -> None:
        """Answer a read that is counted, or that a fault befell."""
        job, snapshot = reading.job, reading.snapshot
        entry = self._entry(exchange, _POLL, job, snapshot, now_ms)
        entry.n = reading.n
        entry.shown, entry.wait_s = reading.shown, wait
        headers = [JSON] if wait is None else [JSON, preference_applied(wait)]
        entry.fault = reading.fault.text if reading.fault is not None else None
        if snapshot is None:
            refusal = _no_such(job.id)
            entry.status, entry.code = refusal.status, refusal.code
            status, body = refusal.status, body_of(refusal)
        else:
            status = 200
            body = self._view(job, snapshot) if reading.shown is None else encode.odd_view(job, snapshot, reading.shown)
        if reading.bend is not None:
            await self._bends.answer(exchange, reading.bend, status, body, entry, headers)
        else:
            await exchange.answer(status, body, entry, self._journal, self._deliveries, headers)

    async def cancel(self, exchange: Exchange) -> None:
        """`POST /v1/jobs/{id}/cancel`: cancel a job; on one that has ended, say how. A body is ignored."""
        exchange.what = _CANCEL
        job = await self._backend.present(await self._get(exchange.job_id) or self._missing(exchange))
        if job.has_vanished(self._backend.clock.now_ms() + job.own_ms):
            raise _no_such(job.id)
        made, snapshot, now_ms = await self._backend.cancel(job)
        body = encode.cancel_view(made.job, snapshot)
        if made.fault is None:
            await self._answer(exchange, _CANCEL, made.job, snapshot, now_ms, body)
            return
        entry = self._entry(exchange, _CANCEL, made.job, snapshot, now_ms)
        entry.n, entry.fault = made.job.cancels - 1, made.fault.text
        if made.bend is not None:
            await self._bends.answer(exchange, made.bend, 200, body, entry)
        else:
            await exchange.answer(200, body, entry, self._journal, self._deliveries)

    async def inspect(self, exchange: Exchange) -> None:
        """`GET /v1/jobs/{id}/request`: say what a job was asked to do, as it was sent."""
        await self._look(exchange, lambda job, _: encode.request_view(job))

    async def _look(self, exchange: Exchange, view: Callable[[Job, Snapshot], bytes]) -> None:
        exchange.what = _INSPECT
        job = await self._get(exchange.job_id) or self._missing(exchange)
        job = await self._backend.present(job)
        snapshot, now_ms = self._backend.look(job)
        if job.has_vanished(now_ms):
            raise _no_such(job.id)
        await self._answer(exchange, _INSPECT, job, snapshot, now_ms, view(job, snapshot))

    def _view(self, job: Job, snapshot: Snapshot) -> bytes:
        return encode.job_view(job, snapshot, self._backend.reply(job) if snapshot.state is _OK else None)

    def _missing(self, exchange: Exchange) -> NoReturn:
        job_id = exchange.job_id
        if self._backend.was_evicted(job_id):
            raise Refusal("NOT_FOUND", f"job {job_id} was evicted: it had ended, and its place was needed")
        raise _no_such(job_id)

    def _answer(
        self, exchange: Exchange, what: What, job: Job, snapshot: Snapshot, now_ms: int, body: bytes
    ) -> Awaitable[None]:
        entry = self._entry(exchange, what, job, snapshot, now_ms)
        return exchange.answer(200, body, entry, self._journal, self._deliveries)

    def _entry(self, exchange: Exchange, what: What, job: Job, snapshot: Snapshot | None, now_ms: int) -> Entry:
        state = snapshot.state if snapshot is not None else None
        ended_at_ms = snapshot.since_ms if snapshot is not None and state in FINAL_STATES else None
        return Entry(
            self._journal.next_seq(), now_ms, what, job.id, job.identity, None, job.ordinal, 200, state, None,
            ended_at_ms, exchange.user_agent(), None, None, None, job.policy.rule, exchange.whole_at_s,
        )  # fmt: skip


def _no_such(job_id: JobId) -> Refusal:
    return Refusal("NOT_FOUND", f"there is no job {job_id}")


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
