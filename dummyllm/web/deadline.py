"""Closes connections whose request does not begin to arrive, or whose head never becomes whole.

uvicorn limits only how long a connection may be idle *between* requests: one that says nothing, or half a header and
then nothing, or a byte now and then, stays open for ever. `waits` limits bodies from inside the app; the head of a
request is over before an app hears of it, so this module goes below, to the server's protocol classes.

One timer sweeps over the connections ten times within the limit, and asks each for the head it is waiting for. A
request costs nothing, whatever their number: no timer is set for it and none of its bytes are looked at.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

SWEEPS_PER_TIMEOUT = 10


def with_deadline(protocol_class: type[asyncio.Protocol], timeout_ms: int) -> type[asyncio.Protocol]:
    """Return *protocol_class*, one of uvicorn's two for HTTP/1.1, with a limit on heads, kept to a tenth of it.

    A connection is closed when the head of its first request is not whole *timeout_ms* after the connection was made,
    or that of a later one not *timeout_ms* after its first byte. Between requests uvicorn's keep-alive limit holds.
    """
    if not issubclass(protocol_class, _known_classes()):
        raise TypeError(
            f"{protocol_class!r} is no HTTP/1.1 protocol of uvicorn's; there is no telling what it waits for"
        )
    heads = Heads(timeout_ms)

    class WithDeadline(protocol_class):  # type: ignore[misc, valid-type]  # the class is a parameter
        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            heads.watch(self)

        def connection_lost(self, exc: Exception | None) -> None:
            heads.forget(self)
            super().connection_lost(exc)

    return WithDeadline


def _known_classes() -> tuple[type[asyncio.Protocol], ...]:
    try:
        from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol  # noqa: PLC0415  # an optional dependency
    except ImportError:
        return (H11Protocol,)
    return (H11Protocol, HttpToolsProtocol)


@dataclass(slots=True)
class _Wait:
    head: object  # stands for the head that is waited for; None while a request is being answered or none has begun
    since_s: float


class Heads:
    """The connections of a server, and since when each waits for the head it waits for."""

    def __init__(self, timeout_ms: int) -> None:
        self._timeout_s = timeout_ms / 1000
        self._waits: dict[Any, _Wait] = {}
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, protocol: Any) -> None:
        """Note that *protocol* has got its connection just now."""
        self._waits[protocol] = _Wait(_head_awaited(protocol), protocol.loop.time())
        if self._timer is None:
            self._arm(protocol.loop)

    def forget(self, protocol: Any) -> None:
        """Note that *protocol* has lost its connection; without any the timer stops as well."""
        self._waits.pop(protocol, None)
        if not self._waits and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = loop.call_later(self._timeout_s / SWEEPS_PER_TIMEOUT, self._sweep, loop)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        now_s = loop.time()
        for protocol, wait in list(self._waits.items()):
            head = _head_awaited(protocol)
            if head is not wait.head:
                wait.head, wait.since_s = head, now_s
            elif head is not None and now_s - wait.since_s >= self._timeout_s:
                protocol.transport.close()
        self._arm(loop)


def _head_awaited(protocol: Any) -> object:
    """Return what stands for the head *protocol* waits for: the same object for the same head, None if there is none.

    A cycle is uvicorn's word for a request from the end of its head on. Once its answer is out uvicorn sets its own
    timer, and takes it away at the next byte: no timer means that another head has begun.
    """
    cycle = protocol.cycle
    if cycle is None:
        return protocol
    if cycle.response_complete and protocol.timeout_keep_alive_task is None:
        return cycle
    return None
