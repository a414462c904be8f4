"""The short way through uvicorn: the same bytes and the same state as by its own methods, on the version installed."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from dummyllm.web.cycle import Cycle, answer_at_once, body_at_hand
from tests.live import serve

DATE = (b"date", b"Thu, 26 Nov 2026 09:00:00 GMT")
SERVER = (b"server", b"uvicorn")

Headers = list[tuple[bytes, bytes]]


class Wire:
    """A transport that remembers what befell it, in order."""

    def __init__(self) -> None:
        self.events: list[object] = []

    def write(self, data: bytes) -> None:
        if data:
            self.events.append(data)

    def close(self) -> None:
        self.events.append("closed")

    def is_closing(self) -> bool:
        return "closed" in self.events

    def pause_reading(self) -> None:
        self.events.append("paused")

    def resume_reading(self) -> None:
        self.events.append("resumed")


def cycle(
    *,
    default_headers: Sequence[tuple[bytes, bytes]] = (DATE, SERVER),
    method: str = "POST",
    keep_alive: bool = True,
    pieces: Sequence[bytes] = (),
    is_whole: bool = True,
    expects_continue: bool = False,
) -> RequestResponseCycle:
    """Return a cycle as uvicorn's protocol makes it, with *pieces* of a body that have come."""
    wire: Any = Wire()
    made = RequestResponseCycle(
        scope={"type": "http", "method": method},  # type: ignore[arg-type]
        transport=wire,
        flow=FlowControl(wire),
        logger=logging.getLogger("uvicorn.error"),
        access_logger=logging.getLogger("uvicorn.access"),
        access_log=False,
        default_headers=list(default_headers),
        message_event=asyncio.Event(),
        expect_100_continue=expects_continue,
        keep_alive=keep_alive,
        on_response=lambda: wire.events.append("answered"),
    )
    for piece in pieces:
        made.body += piece
        made.message_event.set()
    if is_whole:
        made.more_body = False
        made.message_event.set()
    return made


def state_of(made: RequestResponseCycle) -> dict[str, object]:
    """Return what is left behind: every attribute, with those that are objects as what can be compared of them."""
    flow, event, wire = made.flow, made.message_event, made.transport
    told = {"flow": vars(flow) | {"_transport": None, "_is_writable_event": None}, "message_event": event.is_set()}
    left_out = {"transport": None, "on_response": None, "logger": None, "access_logger": None}
    return vars(made) | left_out | told | {"wire": b"".join(e for e in wire.events if isinstance(e, bytes))}  # type: ignore[attr-defined]


def sent_by_uvicorn(made: RequestResponseCycle, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]

    async def send() -> None:
        await made.send({"type": "http.response.start", "status": status, "headers": headers})
        await made.send({"type": "http.response.body", "body": body, "more_body": False})

    asyncio.run(send())


@settings(deadline=None, max_examples=300)
@given(
    status=st.sampled_from([status for status in STATUS_LINE if status >= 200 and status not in (204, 304)]),
    body=st.binary(max_size=300),
    keep_alive=st.booleans(),
    expects_continue=st.booleans(),
    default_headers=st.sampled_from([(DATE, SERVER), (), (DATE,), (SERVER, (b"X-Extra", b"one"))]),
)
def test_an_answer_is_what_uvicorn_would_have_sent(
    *, status: int, body: bytes, keep_alive: bool, expects_continue: bool, default_headers: Headers
) -> None:
    """The same bytes, and the same state left behind, attribute by attribute."""
    theirs, ours = (
        cycle(default_headers=default_headers, keep_alive=keep_alive, expects_continue=expects_continue)
        for _ in range(2)
    )
    sent_by_uvicorn(theirs, status, body)

    assert answer_at_once(ours, status, body)
    assert state_of(ours) == state_of(theirs)
    assert [e for e in ours.transport.events if isinstance(e, str)] == [  # type: ignore[attr-defined]
        e
        for e in theirs.transport.events  # type: ignore[attr-defined]
        if isinstance(e, str)
    ]


def test_head_and_body_leave_in_one_write() -> None:
    """One write, one packet, one wake-up of the client."""
    made = cycle()

    assert answer_at_once(made, 200, b"{}")
    assert sum(isinstance(event, bytes) for event in made.transport.events) == 1  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "made",
    [
        cycle(method="HEAD"),
        cycle(default_headers=[DATE, (b"Connection", b"close")]),
        cycle(default_headers=[(b"transfer-encoding", b"chunked")]),
    ],
    ids=["HEAD", "a server that closes every connection", "a server that frames answers itself"],
)
def test_what_is_out_of_the_ordinary_goes_the_long_way(made: RequestResponseCycle) -> None:
    """Then nothing has been done."""
    before = state_of(made)

    assert not answer_at_once(made, 200, b"{}")
    assert state_of(made) == before


@pytest.mark.parametrize("attribute", ["access_log", "response_started", "disconnected"])
def test_a_cycle_that_is_not_waiting_for_its_answer_goes_the_long_way(attribute: str) -> None:
    """A log wants its line, an answer is sent once, and a client that is gone gets none."""
    made = cycle()
    setattr(made, attribute, True)

    assert not answer_at_once(made, 200, b"{}")
    assert made.transport.events == []  # type: ignore[attr-defined]


def test_a_client_that_does_not_read_is_waited_for_by_uvicorn() -> None:
    """The long way waits until there is room."""
    made = cycle()
    made.flow.pause_writing()

    assert not answer_at_once(made, 200, b"{}")


@settings(deadline=None, max_examples=100)
@given(pieces=st.lists(st.binary(max_size=50), max_size=4))
def test_a_body_at_hand_is_what_uvicorn_would_have_handed_over(pieces: list[bytes]) -> None:
    """The same bytes and the same state."""
    theirs, ours = cycle(pieces=pieces), cycle(pieces=pieces)
    theirs.flow.pause_reading()
    ours.flow.pause_reading()
    message = asyncio.run(theirs.receive())  # type: ignore[arg-type]

    assert body_at_hand(ours) == message["body"]  # type: ignore[typeddict-item]
    assert state_of(ours) == state_of(theirs)
    assert ours.transport.events == theirs.transport.events  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "made",
    [cycle(pieces=[b"half"], is_whole=False), cycle(is_whole=False), cycle(pieces=[b"all"], expects_continue=True)],
    ids=["half of it", "nothing yet", "a client that asks whether it may"],
)
def test_a_body_that_is_not_here_is_waited_for(made: RequestResponseCycle) -> None:
    """Then nothing has been done."""
    before = state_of(made)

    assert body_at_hand(made) is None
    assert state_of(made) == before


def test_a_cycle_is_what_stands_behind_send() -> None:
    """That is how the outermost callable knows that the short way is there."""
    made: Any = cycle()

    assert type(made.send.__self__) is Cycle


def test_an_answer_arrives_whole() -> None:
    """One read of the client has head and body, time after time on one connection."""
    with serve() as server, socket.create_connection(("127.0.0.1", server.port), 10) as client:
        for _ in range(20):
            client.sendall(b"GET /v1/jobs/job_000000000000000000000000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = client.recv(65_536)

            assert answer.startswith(b"HTTP/1.1 404")
            assert answer.endswith(b"}}}")


def test_pipelined_requests_are_answered_in_order() -> None:
    """A client may send the next request before it has the answer to the last."""
    asked = b"".join(b"GET /v1/jobs/job_%024x HTTP/1.1\r\nHost: localhost\r\n\r\n" % number for number in range(20))
    with serve() as server, socket.create_connection(("127.0.0.1", server.port), 10) as client:
        client.sendall(asked)
        received = b""
        while received.count(b"}}}") < 20:
            received += client.recv(65_536)

    ids = [b"there is no job job_%024x" % number for number in range(20)]
    assert [received.find(job_id) for job_id in ids] == sorted(received.find(job_id) for job_id in ids)
    assert all(job_id in received for job_id in ids)
