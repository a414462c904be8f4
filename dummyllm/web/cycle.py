"""Takes the short way through uvicorn: a body that is there already, and an answer that leaves in one write.

Under uvicorn `receive` and `send` are methods of one object, the *cycle* of a request. `receive` waits even for what
has come; `send` looks at every header with two regular expressions, and hands head and body to the kernel one by one,
each time waking the client. Both are right for any app, and for answers as short and as alike as ours they cost more
than all that dummyLLM does for a poll.

So where the cycle is uvicorn's own for httptools, these functions do what its methods would: the same bytes, and the
same state left behind. A test compares the two, attribute by attribute. Whatever is out of the ordinary (a HEAD, a
client that does not read, an access log, another server) goes the long way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

try:
    from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle
except ImportError:  # httptools is optional to uvicorn
    RequestResponseCycle = None  # type: ignore[assignment, misc]
    STATUS_LINE = {}

Cycle: Any = RequestResponseCycle
"""The class whose objects this module knows: `send.__self__` under uvicorn with httptools."""


def body_at_hand(cycle: Any) -> bytearray | None:
    """Return the whole body of the request if it has arrived and nobody asked for it yet, else None."""
    if cycle.more_body or cycle.waiting_for_100_continue or cycle.disconnected or cycle.response_complete:
        return None
    if cycle.flow.read_paused:
        cycle.flow.resume_reading()
    cycle.message_event.clear()
    body: bytearray = cycle.body
    cycle.body = bytearray()
    return body


def answer_at_once(cycle: Any, status: int, body: bytes) -> bool:
    """Send a JSON answer with this *status*, and say so; or return False, and nothing has been done."""
    if cycle.access_log or cycle.flow.write_paused or cycle.response_started or cycle.disconnected:
        return False
    heads = _heads
    if cycle.default_headers is not heads.made_of:
        heads.renew(cycle.default_headers)
    head = heads.of(status)
    if head is None or cycle.scope["method"] == "HEAD":
        return False
    cycle.response_started = True
    cycle.waiting_for_100_continue = False
    cycle.chunked_encoding = False
    if cycle.keep_alive:
        cycle.transport.write(b"%b%d\r\n\r\n%b" % (head, len(body), body))
    else:
        cycle.transport.write(b"%b%d\r\nconnection: close\r\n\r\n%b" % (head, len(body), body))
    cycle.response_complete = True
    cycle.message_event.set()
    if not cycle.keep_alive:
        cycle.transport.close()
    cycle.on_response()
    return True


def _no_head(_: int) -> None:
    return None


class _Heads:
    """The head of an answer of each status, up to its length.

    uvicorn adds Date and Server to every answer and makes both anew each second, so these are made anew with them.
    """

    __slots__ = ("made_of", "of")

    def __init__(self) -> None:
        self.made_of: object = None
        self.of: Callable[[int], bytes | None] = _no_head

    def renew(self, headers: list[tuple[bytes, bytes]]) -> None:
        """Take *headers* for those of every answer from now on; no head is known if they say how it is framed."""
        heads: dict[int, bytes] = {}
        if not any(name.lower() in _FRAMING for name, _ in headers):
            lines = b"".join(b"%b: %b\r\n" % (name.lower(), value) for name, value in headers)
            more = b"%bcontent-type: application/json\r\ncontent-length: " % lines
            heads = {status: line + more for status, line in STATUS_LINE.items()}
        self.made_of, self.of = headers, heads.get


_FRAMING = (b"connection", b"content-length", b"transfer-encoding")
_heads = _Heads()
