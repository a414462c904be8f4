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

from typing import Any

from starlette.types import Send

try:
    from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle
except ImportError:  # httptools is optional to uvicorn
    RequestResponseCycle = None  # type: ignore[assignment, misc]
    STATUS_LINE = {}

_Cycle: Any = RequestResponseCycle


def cycle_of(send: Send) -> Any:
    """Return the cycle behind *send* if it is of the class this module knows, else None."""
    cycle = getattr(send, "__self__", None)
    return cycle if type(cycle) is _Cycle else None


def body_at_hand(cycle: Any) -> bytes | None:
    """Return the whole body of the request if it has arrived and nobody asked for it yet, else None."""
    if cycle.more_body or cycle.waiting_for_100_continue or cycle.disconnected or cycle.response_complete:
        return None
    cycle.flow.resume_reading()
    cycle.message_event.clear()
    body = bytes(cycle.body)
    cycle.body = bytearray()
    return body


def answer_at_once(cycle: Any, status: int, body: bytes) -> bool:
    """Send a JSON answer with this *status*, and say so; or return False, and nothing has been done."""
    if cycle.access_log or cycle.flow.write_paused or cycle.response_started or cycle.disconnected:
        return False
    default_lines = _default_lines.of(cycle.default_headers)
    if default_lines is None or cycle.scope["method"] == "HEAD":
        return False
    cycle.response_started = True
    cycle.waiting_for_100_continue = False
    cycle.chunked_encoding = False
    closing = b"" if cycle.keep_alive else b"connection: close\r\n"
    cycle.transport.write(
        b"%b%bcontent-type: application/json\r\ncontent-length: %d\r\n%b\r\n%b"
        % (STATUS_LINE[status], default_lines, len(body), closing, body)
    )
    cycle.response_complete = True
    cycle.message_event.set()
    if closing:
        cycle.transport.close()
    cycle.on_response()
    return True


class _DefaultLines:
    """The headers that uvicorn adds to every answer, Date and Server, as lines; it makes them anew each second."""

    __slots__ = ("_headers", "_lines")

    def __init__(self) -> None:
        self._headers: object = None
        self._lines: bytes | None = None

    def of(self, headers: list[tuple[bytes, bytes]]) -> bytes | None:
        """Return *headers* as lines, or None if one of them says how the answer is framed."""
        if headers is not self._headers:
            says_too_much = any(name.lower() in _FRAMING for name, _ in headers)
            self._lines = None if says_too_much else b"".join(b"%b: %b\r\n" % (n.lower(), v) for n, v in headers)
            self._headers = headers
        return self._lines


_FRAMING = (b"connection", b"content-length", b"transfer-encoding")
_default_lines = _DefaultLines()
