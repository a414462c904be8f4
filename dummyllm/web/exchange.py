"""Carries one request and its answer through the shell: headers, body, answer, journal entry.

This is the path of every hot request, so it is written out plainly: no request object, no response object.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Generator, Sequence
from time import monotonic
from typing import Any

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dummyllm.core.request import JobId
from dummyllm.journal import Delivered, Entry, Journal, Sent, What
from dummyllm.web.connection import EXTENSION, has_left
from dummyllm.web.cycle import answer_at_once, body_at_hand
from dummyllm.web.delivery import PROMPT_MS_MAX, UNSEEN_S_MAX, WRITTEN_WHOLE_BYTES_MAX, Deliveries
from dummyllm.web.refusal import ClientGone, Header, Refusal
from dummyllm.web.waits import Waits

JSON: Header = (b"content-type", b"application/json")
JOINED = {b"prefer", b"idempotency-key"}
CLOSE: Header = (b"connection", b"close")
USER_AGENT_BYTES_MAX = 200
LINGER_BYTES_MAX = 32 * 2**20
LINGER_S = 1
HALF_LEAVES_S = 0.01  # an RST takes with it what is still in our own buffers

# A declared length of few digits is not worth reading: the body itself is measured. One of many is surely too long.
SMALL_DIGITS, HUGE_DIGITS = 6, 20

_OTHER = What.OTHER
_YES, _NO, _UNKNOWN = Delivered.YES, Delivered.NO, Delivered.UNKNOWN
_NO_JOB = JobId("")


class _Done:
    """Nothing is left to await. A coroutine that only says so would be as dear as a draw."""

    def __await__(self) -> Generator[None, None, None]:
        return iter(())  # type: ignore[return-value]  # an iterator is all that `await` asks for


DONE = _Done()


class Exchange(msgspec.Struct, gc=False, eq=False):
    """One request, its connection, and the means to answer it. *what* and *job_id* are filled in by the routes.

    *cycle* is the request's cycle where the short way can be taken (see `cycle`), and *whole_at_s* the monotonic time
    at which the request had arrived.
    """

    scope: Scope
    receive: Receive
    send: Send
    transport: asyncio.Transport | None
    cycle: Any
    headers: dict[bytes, bytes]
    whole_at_s: float
    what: What = _OTHER
    job_id: JobId = _NO_JOB
    sent: Sent | None = None

    def user_agent(self) -> bytes:
        """Return the User-Agent header, at most 200 bytes of it; empty if there is none."""
        return self.headers.get(b"user-agent", b"")[:USER_AGENT_BYTES_MAX]

    def body(self, waits: Waits, bytes_max: int) -> bytearray | Awaitable[bytearray]:
        """Return the whole body if it is here, else what to await for it; refuse one that is too long or too slow."""
        headers, cycle = self.headers, self.cycle
        if cycle is not None and b"transfer-encoding" not in headers:
            body = body_at_hand(cycle)
            if body is not None:
                if len(body) > bytes_max:
                    raise _too_large(bytes_max)
                return body
        declared = headers.get(b"content-length", b"")
        if b"transfer-encoding" in headers and declared:
            # Two framings of one body: what this server takes for its end, another may not (RFC 9112, 6.1).
            raise Refusal("BAD_REQUEST", "the request has both Content-Length and Transfer-Encoding", closes=True)
        if len(declared) > SMALL_DIGITS and (len(declared) > HUGE_DIGITS or int(declared) > bytes_max):
            raise _too_large(bytes_max)
        return self._late_body(waits, bytes_max)

    async def _late_body(self, waits: Waits, bytes_max: int) -> bytearray:
        # One wait for all of it: a body that trickles in has no more time than one that comes at once.
        body = await waits.bounded(self._gathered(bytes_max))
        self.whole_at_s = monotonic()
        return body

    async def _gathered(self, bytes_max: int) -> bytearray:
        """Return the body, however many pieces it comes in; refuse it as soon as it is longer than *bytes_max*."""
        message = await self.receive()
        whole = bytearray(message.get("body", b""))
        while message.get("more_body", False) and len(whole) <= bytes_max:
            message = await self.receive()
            whole += message.get("body", b"")
        if message["type"] == "http.disconnect":
            raise ClientGone
        if len(whole) > bytes_max:
            # The refusal's traceback would keep both for as long as the answer takes.
            whole.clear()
            del message
            raise _too_large(bytes_max)
        return whole

    async def hand_over(self, app: ASGIApp, owner: object) -> None:
        """Let the Starlette *app* answer; an *owner* in the scope asks it for exceptions, not plain-text errors."""
        scope = self.scope
        scope["app"] = owner
        scope["extensions"] = {**scope.get("extensions", {}), EXTENSION: self.transport}
        await app(scope, self.receive, self.send)

    def answer(
        self,
        status: int,
        body: bytes,
        entry: Entry,
        journal: Journal,
        deliveries: Deliveries,
        headers: Sequence[Header] | None = None,
    ) -> Awaitable[None]:
        """Write *entry* into the journal, send *body*, settle whether it was delivered, and return what to await.

        *headers* say what the body is and whatever else there is to say; None says that it is JSON. Such an answer has
        often left when this returns.
        """
        journal.append(entry)
        cycle, now_s = self.cycle, monotonic()
        likely = self._likely(len(body), deliveries, now_s)
        if headers is None and cycle is not None and answer_at_once(cycle, status, body):
            self._settle(entry, likely, deliveries, now_s)
            return DONE
        return self._see_off(self.send_whole(status, body, headers or [JSON]), entry, likely, deliveries)

    def _likely(self, size: int, deliveries: Deliveries, now_s: float) -> Delivered:
        """Return what becomes of an answer of *size* bytes that is about to be sent, if it leaves promptly."""
        transport = self.transport
        if transport is None:
            return _UNKNOWN
        if transport.is_closing():
            return _NO
        if size > WRITTEN_WHOLE_BYTES_MAX or (now_s - deliveries.seen_s > UNSEEN_S_MAX and has_left(transport)):
            return _UNKNOWN
        return _YES

    async def _see_off(self, sending: Awaitable[None], entry: Entry, likely: Delivered, deliveries: Deliveries) -> None:
        await sending
        self._settle(entry, likely, deliveries, monotonic())

    def _settle(self, entry: Entry, likely: Delivered, deliveries: Deliveries, now_s: float) -> None:
        """Write down what is known of an answer that has left at *now_s*."""
        took_s = now_s - self.whole_at_s
        if took_s >= 0.001:
            entry.took_ms = int(took_s * 1000)
        transport = self.transport
        if likely is _YES and entry.took_ms <= PROMPT_MS_MAX:
            entry.delivered = _YES
        elif transport is not None:
            deliveries.doubtful(entry, transport, was_gone=likely is _NO)
        if deliveries.sink is not None:
            deliveries.sink(entry)

    async def send_whole(self, status: int, body: bytes, headers: Sequence[Header]) -> None:
        """Send an answer, head and body."""
        await self.send(_start(status, body, headers))
        await self.send({"type": "http.response.body", "body": body})

    async def send_half(self, status: int, body: bytes, headers: Sequence[Header] | None = None) -> None:
        """Send the head of an answer and half of its *body*, and see it off."""
        await self.send(_start(status, body, headers or [JSON]))
        await self.send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        await asyncio.sleep(HALF_LEAVES_S)

    async def answer_and_linger(
        self,
        status: int,
        body: bytes,
        entry: Entry,
        journal: Journal,
        deliveries: Deliveries,
        headers: Sequence[Header],
    ) -> None:
        """Answer a request whose body was not read to its end, in such a way that the client gets to see the answer.

        A socket closed with unread bytes in it sends an RST, which may overtake the answer. So the answer goes out
        complete, and the rest of the body is read and thrown away for a while before the connection closes.
        """
        journal.append(entry)
        await self.send(_start(status, body, [*headers, CLOSE]))
        await self.send({"type": "http.response.body", "body": body, "more_body": True})
        try:
            async with asyncio.timeout(LINGER_S):
                await self._drain()
        except TimeoutError:
            pass
        await self.send({"type": "http.response.body", "body": b""})
        entry.took_ms = int((monotonic() - self.whole_at_s) * 1000)
        deliveries.settled(entry)

    async def _drain(self) -> None:
        drained = 0
        while drained < LINGER_BYTES_MAX:
            message = await self.receive()
            if message["type"] != "http.request" or not message.get("more_body", False):
                return
            drained += len(message.get("body", b""))


def headers_of(raw: Sequence[Header]) -> dict[bytes, bytes]:
    """Return the *raw* headers by name: all values of those that are lists or should not come twice (RFC 9110, 5.3)."""
    headers = dict(raw)
    if len(raw) != len(headers):
        for name in JOINED & headers.keys():
            headers[name] = b", ".join(value for found, value in raw if found == name)
    return headers


def _start(status: int, body: bytes, headers: Sequence[Header]) -> Message:
    fields = [*headers, (b"content-length", b"%d" % len(body))]
    return {"type": "http.response.start", "status": status, "headers": fields}


def _too_large(bytes_max: int) -> Refusal:
    message = f"the body is longer than {bytes_max} bytes (DUMMYLLM_MAX_BODY_BYTES)"
    return Refusal("TOO_LARGE", message, closes=True)
