"""A body is waited for once, however many pieces it comes in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from dummyllm.web.exchange import Exchange, headers_of
from dummyllm.web.refusal import ClientGone, Refusal
from dummyllm.web.waits import Waits

SCOPE = {"type": "http", "headers": []}


class Counted(Waits):
    """Waits that remember how many there were."""

    def __init__(self) -> None:
        super().__init__(60_000)
        self.bounds = 0

    async def bounded(self, awaitable: Awaitable[Any]) -> Any:
        self.bounds += 1
        return await super().bounded(awaitable)


def body_of(*messages: dict[str, Any], suspends: bool, bytes_max: int = 100) -> tuple[bytes, int]:
    """Return the body made of *messages*, and how often it was waited for."""
    left = list(messages)

    async def receive() -> dict[str, Any]:
        if suspends:
            await asyncio.sleep(0)
        return left.pop(0)

    async def read() -> tuple[bytes, int]:
        waits = Counted()
        exchange = Exchange(SCOPE, receive, receive, None, None, {}, 0.0)  # type: ignore[arg-type]
        body = exchange.body(waits, bytes_max)
        return (body if isinstance(body, bytearray) else await body), waits.bounds

    return asyncio.run(read())


def piece(body: bytes, *, more: bool) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


@pytest.mark.parametrize("suspends", [True, False])
def test_one_deadline_covers_the_whole_body(*, suspends: bool) -> None:
    """A body that trickles in has no more time than one that comes at once."""
    pieces = [piece(b"a", more=True), piece(b"b", more=True), piece(b"c", more=False)]

    assert body_of(*pieces, suspends=suspends) == (b"abc", 1)


@pytest.mark.parametrize("suspends", [True, False])
@pytest.mark.parametrize("pieces", [(b"x" * 101,), (b"x" * 100, b"x"), (b"x" * 60, b"x" * 60)])
def test_a_byte_too_many_is_too_many_in_whatever_pieces(pieces: tuple[bytes, ...], *, suspends: bool) -> None:
    """Longer than the limit is 413."""
    messages = [piece(body, more=left > 0) for left, body in zip(reversed(range(len(pieces))), pieces, strict=True)]

    with pytest.raises(Refusal, match="longer than 100 bytes"):
        body_of(*messages, suspends=suspends)


@pytest.mark.parametrize("suspends", [True, False])
def test_a_body_of_just_the_limit_is_taken(*, suspends: bool) -> None:
    """The other side of that edge."""
    assert body_of(piece(b"x" * 60, more=True), piece(b"x" * 40, more=False), suspends=suspends)[0] == b"x" * 100


@pytest.mark.parametrize("suspends", [True, False])
def test_who_leaves_before_the_end_is_gone(*, suspends: bool) -> None:
    """Nobody is there to be answered."""
    with pytest.raises(ClientGone):
        body_of(piece(b"half", more=True), {"type": "http.disconnect"}, suspends=suspends)


def test_a_header_that_is_a_list_may_come_in_several() -> None:
    """Of two Prefer headers both count, and two keys are no key."""
    raw = [(b"prefer", b"wait=5"), (b"host", b"a"), (b"prefer", b"handling=lenient"), (b"idempotency-key", b"a")]
    headers = headers_of(raw)

    assert headers[b"prefer"] == b"wait=5, handling=lenient"
    assert headers[b"idempotency-key"] == b"a"
    assert headers_of([*raw, (b"idempotency-key", b"b")])[b"idempotency-key"] == b"a, b"
