"""`POST /v1/jobs`: the path of every submit, in plain ASGI, and the ways that leave it."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING
from zlib import crc32

from dummyllm.backend import Backend, KeyReused
from dummyllm.core.fingerprint import IdentityKind, fingerprint_of
from dummyllm.core.job import Job
from dummyllm.core.request import Identity, JobRequest
from dummyllm.core.schedule import QueueFull
from dummyllm.core.submit import Bent, Outcome
from dummyllm.core.timeline import State
from dummyllm.journal import Delivered, Entry, Sent, What
from dummyllm.setting_values import Unknown
from dummyllm.settings import Settings
from dummyllm.store import Full
from dummyllm.web import encode
from dummyllm.web.asked import idempotency_key, preference_applied, upgrade_refused, wait_s
from dummyllm.web.bend import WRITTEN, Bends
from dummyllm.web.content_type import check_content_type
from dummyllm.web.decode import decode_request, unknown_members
from dummyllm.web.delivery import Deliveries
from dummyllm.web.exchange import JSON, USER_AGENT_BYTES_MAX, Exchange
from dummyllm.web.holding import Holding
from dummyllm.web.no_place import no_place
from dummyllm.web.refusal import Header, Refusal
from dummyllm.web.sent import auth_of, retries_of, sent_with
from dummyllm.web.waits import Waits, shutting_down

if TYPE_CHECKING:
    from dummyllm.core.faults.fault import Fault

# Reading a member off its enum takes as long as a call.
_SUBMIT, _QUEUED, _OK, _IGNORE = What.SUBMIT, State.QUEUED, State.OK, Unknown.IGNORE


class Submits:
    """Answers every `POST /v1/jobs`, on *backend*."""

    def __init__(
        self,
        backend: Backend,
        settings: Settings,
        waits: Waits,
        deliveries: Deliveries,
        bends: Bends,
        holding: Holding,
    ) -> None:
        self._backend = backend
        self._submit = backend.submit
        self._hit_of, self._ahead = backend.hit_of, backend.store.ahead
        self._journal = backend.journal
        self._waits = waits
        self._deliveries = deliveries
        self._bends, self._bends_of_written = bends, bends.of_written()
        self._holding = holding
        self._unknown = settings.unknown
        self._max_body_bytes = settings.max_body_bytes
        self._marks_bodies = False
        """Whether to note checksums of all bodies: only after a refusal does it matter whether the same bytes come."""
        self._is_by_payload = settings.identity is IdentityKind.PAYLOAD

    def submit(self, exchange: Exchange) -> Awaitable[None]:
        """`POST /v1/jobs`: accept a job. With `Prefer: wait=N` the answer waits for its end, and then shows it.

        What needs no waiting is done at once; return what to await for the rest.
        """
        exchange.what = _SUBMIT
        headers = exchange.headers
        if self._waits.is_stopping:
            raise shutting_down()
        if headers.get(b"content-type") != b"application/json" or b"content-encoding" in headers:
            check_content_type(headers)
        body = exchange.body(self._waits, self._max_body_bytes)
        return self._take(exchange, body) if isinstance(body, bytearray) else self._take_later(exchange, body)

    async def _take_later(self, exchange: Exchange, body: Awaitable[bytearray]) -> None:
        await self._take(exchange, await body)

    def _take(self, exchange: Exchange, body: bytearray) -> Awaitable[None]:
        """Do what the *body* of a submit asks for."""
        headers = exchange.headers
        try:
            request = decode_request(body, self._unknown)
        except Refusal:
            exchange.sent = self._noted(headers, body)
            if not body and b"upgrade" in headers:
                raise upgrade_refused(headers[b"upgrade"]) from None
            raise
        key = self._key_of(exchange, request) if b"idempotency-key" in headers else None
        try:
            outcome = self._submit(request, key)
        except (Full, QueueFull, KeyReused) as error:
            exchange.sent = self._noted(headers, body, request, key)
            raise no_place(error, key, self._backend.clock) from None
        if type(outcome) is not Job or key is not None or b"prefer" in headers or self._unknown is _IGNORE:
            exchange.sent = self._noted(headers, body, request, key)
            return self._specially(exchange, request, outcome, body)
        journal = self._journal
        mark = crc32(body) if self._marks_bodies else None
        fingerprint = outcome.identity if self._is_by_payload else fingerprint_of(request)
        is_waiting = outcome.started_at_ms is None
        sent = Sent(
            mark, None, 0, fingerprint, request.trace_id, request.timeout_ms, None, outcome.fate, is_waiting
        )  # fmt: skip
        if b"authorization" in headers or b"x-api-key" in headers or b"x-stainless-retry-count" in headers:
            sent.auth, sent.retries = auth_of(headers), retries_of(headers)
        hit = self._hit_of(outcome) if self._ahead else outcome.ordinal
        agent = headers.get(b"user-agent", b"")[:USER_AGENT_BYTES_MAX]
        entry = Entry(
            journal.next_seq(), outcome.accepted_at_ms, _SUBMIT, outcome.id, outcome.identity, hit, outcome.ordinal,
            201, _QUEUED, None, None, agent, None, None, None, outcome.policy.rule, exchange.whole_at_s, sent,
        )  # fmt: skip
        return exchange.answer(201, encode.accepted(outcome), entry, journal, self._deliveries)

    def _key_of(self, exchange: Exchange, request: JobRequest) -> str | None:
        """Return the Idempotency-Key. Of a submit refused for it no checksum is noted: another key repairs it."""
        headers = exchange.headers
        try:
            return idempotency_key(headers)
        except Refusal:
            exchange.sent = sent = Sent(None, auth_of(headers), retries_of(headers))
            sent.trace_id, sent.timeout_ms = request.trace_id, request.timeout_ms
            raise

    def _noted(
        self, headers: dict[bytes, bytes], body: bytearray, request: JobRequest | None = None, key: str | None = None
    ) -> Sent:
        """Return what is known of a submit that may be refused; from now on equal bodies are known by checksums."""
        self._marks_bodies = True
        return sent_with(headers, body, request, key)

    async def _specially(
        self, exchange: Exchange, request: JobRequest, outcome: Outcome | Awaitable[Outcome], body: bytearray
    ) -> None:
        """Answer a submit that a fault befell, that was there already, or whose client waits for the end."""
        sent = exchange.sent
        assert sent is not None, "what was sent is noted before"
        note = self._ignored(body) if self._unknown is _IGNORE else None
        bent = await self._bent(outcome, sent)
        job, fault, wait = bent.job, bent.fault, wait_s(exchange.headers)
        # The hit that came with a key again is the request's own: another trace_id may be another identity.
        identity = self._backend.identity_of(request) if job is None or bent.is_replay else job.identity
        entry = self._entry(exchange, identity, bent, sent, note)
        headers = [JSON, (b"idempotency-replayed", b"true")] if bent.is_replay else [JSON]
        if fault is not None:
            self._backend.traffic.add("submit", identity, (bent.hit,), fault.text)
        if job is not None and wait is not None:
            await self._at_its_end(exchange, job, fault, wait, entry, headers)
            return
        answer = b"" if job is None else encode.accepted(job)
        if fault is not None:
            await self._bends.answer(exchange, fault, 201, answer, entry, headers)
        else:
            await exchange.answer(201, answer, entry, self._journal, self._deliveries, headers)

    async def _bent(self, outcome: Outcome | Awaitable[Outcome], sent: Sent) -> Bent:
        """Return what *outcome* comes to, in the form that says most."""
        if not isinstance(outcome, Job | Bent):
            try:
                outcome = await outcome
            except (Full, QueueFull, KeyReused) as error:
                raise no_place(error, sent.key, self._backend.clock) from None
        if isinstance(outcome, Job):
            outcome = Bent(outcome, None, self._hit_of(outcome), outcome.policy)
        sent.is_replay = outcome.is_replay
        if outcome.job is not None:
            sent.fate, sent.waits = outcome.job.fate, outcome.job.started_at_ms is None
        return outcome

    def _entry(self, exchange: Exchange, identity: Identity, bent: Bent, sent: Sent, note: str | None) -> Entry:
        job = bent.job
        return Entry(
            self._journal.next_seq(),
            self._backend.clock.now_ms() if job is None else job.accepted_at_ms,
            _SUBMIT,
            None if job is None else job.id,
            identity,
            bent.hit,
            None if job is None else job.ordinal,
            0 if job is None else 201,
            None if job is None else _QUEUED,
            user_agent=exchange.user_agent(),
            note="the job was there already: its Idempotency-Key came again" if bent.is_replay else note,
            fault=None if bent.fault is None else bent.fault.text,
            rule=bent.policy.rule,
            whole_at_s=exchange.whole_at_s,
            sent=sent,
        )

    async def _at_its_end(
        self, exchange: Exchange, job: Job, fault: Fault | None, wait: int, entry: Entry, headers: list[Header]
    ) -> None:
        """Answer when *job* has ended, with what a read would show, and let the *fault* befall that.

        The submit is in the journal before that.
        """
        backend = self._backend
        entry.wait_s = wait
        self._journal.append(entry)
        try:
            job = await self._holding.until_end(exchange, job, wait)
        except Exception:
            entry.delivered = Delivered.NO
            self._deliveries.settled(entry)
            raise
        snapshot, _ = backend.look(job)
        entry.state = snapshot.state
        body = encode.job_view(job, snapshot, backend.reply(job) if snapshot.state is _OK else None)
        headers = [*headers, preference_applied(wait)]
        if fault is not None:
            await self._bends_of_written.answer(exchange, fault, 201, body, entry, headers)
        else:
            await exchange.answer(201, body, entry, WRITTEN, self._deliveries, headers)

    def _ignored(self, body: bytearray) -> str | None:
        names = unknown_members(body)
        return f"ignored unknown members: {', '.join(names)[:200]}" if names else None
