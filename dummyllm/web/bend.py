"""Serves the faults that befall an answer: a refusal, a delay, a connection that breaks.

What each way of breaking looks like to a client is measured in the tests, on every stack that uvicorn offers. Where the
server does not show its connection there is nothing to break: then the journal says `not served`, the log says so once,
and the client gets what it would have got.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dummyllm.clock import Clock
from dummyllm.journal import Delivered, Entry, Journal
from dummyllm.web.connection import close, reset
from dummyllm.web.delivery import Deliveries
from dummyllm.web.exchange import JSON, Exchange
from dummyllm.web.refusal import STATUS_OF, Header, Refusal, body_of
from dummyllm.web.waits import Waits, departure

if TYPE_CHECKING:
    from dummyllm.core.faults.effect import Break, Delay, Refuse
    from dummyllm.core.faults.fault import Fault

logger = logging.getLogger("dummyllm")

WRITTEN = Journal(0)
"""Stands for the journal where an entry is in it already."""

HTML: Header = (b"content-type", b"text/html; charset=utf-8")
PAGE = (
    b"<!doctype html>\n<html><head><title>%d</title></head><body><h1>%d</h1><p>dummyLLM misbehaves.</p></body></html>\n"
)


class Bends:
    """Answers in whatever way a fault would have it."""

    def __init__(self, clock: Clock, journal: Journal, waits: Waits, deliveries: Deliveries) -> None:
        self._clock = clock
        self._journal = journal
        self._waits = waits
        self._deliveries = deliveries
        self._has_complained = False

    def of_written(self) -> Bends:
        """Return the same for answers whose entries are in the journal already."""
        return Bends(self._clock, WRITTEN, self._waits, self._deliveries)

    async def answer(
        self,
        exchange: Exchange,
        fault: Fault,
        status: int,
        body: bytes,
        entry: Entry,
        headers: Sequence[Header] | None = None,
    ) -> None:
        """Give *exchange* the answer that *fault* leaves of this one, and write *entry* into the journal."""
        from dummyllm.core.faults.effect import Break, CloseAfter, Delay, Refuse  # noqa: PLC0415

        effect = fault.effect
        match effect:
            case Refuse():
                await self._refuse(exchange, fault, effect, entry)
            case Delay():
                self._journal.append(entry)  # in its place: entries are found by their number
                try:
                    await self._delay(exchange, effect)
                except Exception:
                    entry.delivered = Delivered.NO
                    self._deliveries.settled(entry)
                    raise
                await exchange.answer(status, body, entry, WRITTEN, self._deliveries, headers)
            case Break():
                await self._break(exchange, fault, effect, status, body, entry, headers)
            case CloseAfter():
                await self._plainly(exchange, status, body, entry, headers)
                if exchange.transport is None:
                    self._not_served(entry)
                else:
                    exchange.transport.close()
            case _:
                raise AssertionError(f"{fault.text} befalls no answer")

    async def _delay(self, exchange: Exchange, effect: Delay) -> None:
        pace = self._clock.pace
        if pace:  # a clock that stands still lets no time pass
            async with departure(exchange.receive) as left:
                await self._waits.held(asyncio.wait({left}, timeout=effect.by_ms / pace / 1000))

    async def _refuse(self, exchange: Exchange, fault: Fault, effect: Refuse, entry: Entry) -> None:
        headers: list[Header] = [HTML if effect.body == "html" else JSON]
        if effect.retry_after_s is not None:
            headers.append((b"retry-after", b"%d" % effect.retry_after_s))
        if effect.body == "html":
            body = PAGE % (effect.status, effect.status)
        elif effect.body == "empty":
            body = b""
        else:
            message = f"dummyLLM answers {effect.status} here because {fault.text} befell this request"
            body = body_of(Refusal("SIM_STATUS", message))
        entry.status = effect.status
        entry.retry_after_s = effect.retry_after_s
        entry.code = "SIM_STATUS"
        await self._plainly(exchange, effect.status, body, entry, headers)

    async def _break(
        self,
        exchange: Exchange,
        fault: Fault,
        effect: Break,
        status: int,
        body: bytes,
        entry: Entry,
        headers: Sequence[Header] | None,
    ) -> None:
        from dummyllm.core.faults.effect import Ending  # noqa: PLC0415

        transport = exchange.transport
        if transport is None:
            self._not_served(entry)
            if fault.kind.refuses_submit:  # there is nothing to answer with: the request was not carried out
                message = f"{fault.text} refused this request, and this server does not show the connection to break"
                entry.status, entry.code = STATUS_OF["SIM_STATUS"], "SIM_STATUS"
                status, body, headers = entry.status, body_of(Refusal("SIM_STATUS", message)), None
            await self._plainly(exchange, status, body, entry, headers)
            return
        entry.delivered = Delivered.NO
        self._journal.append(entry)
        if effect.sends_half:
            await exchange.send_half(status, body, headers)
        if effect.ending is Ending.FIN:
            await close(transport, exchange.receive)
        else:
            await reset(transport, exchange.receive)
        self._deliveries.settled(entry)

    async def _plainly(
        self, exchange: Exchange, status: int, body: bytes, entry: Entry, headers: Sequence[Header] | None
    ) -> None:
        await exchange.answer(status, body, entry, self._journal, self._deliveries, headers)

    def _not_served(self, entry: Entry) -> None:
        entry.served = False
        if not self._has_complained:
            self._has_complained = True
            logger.warning(
                "this server does not show its connections: faults that break one are not served (%s)", entry.fault
            )
