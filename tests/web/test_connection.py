"""What a client and stderr see of each way to end a connection: the table that lost acknowledgements are built on.

uvicorn does not document the transport that all this rests on. An upgrade that moves it fails here, and loudly.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Iterator

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from dummyllm.assembly import app_of
from dummyllm.journal import Delivered
from dummyllm.settings import load
from dummyllm.web.connection import EXTENSION, connection_of, gone, transport_of
from tests.web.breaking_app import BODY
from tests.web.stack import STACKS, Line, Served, request, served

ASK = b"GET %s HTTP/1.1\r\nhost: localhost\r\n\r\n"


@pytest.fixture(scope="module", params=STACKS)
def breaking(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The app that breaks its connections, on each stack."""
    log = tmp_path_factory.mktemp("breaking") / "stderr"
    with served(log, *STACKS[request.param], app="tests.web.breaking_app:app") as running:
        yield running


def said_about(server: Served, path: bytes) -> tuple[bytes, str, str]:
    """Return what a client gets that asks for *path*, how the connection ended, and what stderr says of it."""
    before = server.complaints()
    with Line(server.port) as line:
        line.send(ASK % path)
        received, end = line.rest()
    with Line(server.port) as line:  # answered after whatever the first request had to log
        line.send(ASK % b"/plain")
        assert line.answer().body == BODY
    return received, end, server.complaints().removeprefix(before)


@pytest.mark.parametrize("path", [b"/raise", b"/return"])
def test_an_app_that_fails_before_it_answers_gives_a_500_and_not_a_lost_acknowledgement(
    breaking: Served, path: bytes
) -> None:
    """Raise or return before `response.start`: a 500, and stderr says so."""
    received, end, stderr = said_about(breaking, path)

    assert received.startswith(b"HTTP/1.1 500 ")
    assert b"Internal Server Error" in received.partition(b"\r\n\r\n")[2]
    assert end == "FIN"
    assert ("Traceback" in stderr) is (path == b"/raise")
    assert "ASGI" in stderr


def test_a_close_gives_no_byte_and_a_fin(breaking: Served) -> None:
    """`transport.close()`, then await `http.disconnect`: 0 bytes, FIN, nothing on stderr."""
    assert said_about(breaking, b"/close") == (b"", "FIN", "")


def test_a_reset_gives_no_byte_and_an_rst(breaking: Served) -> None:
    """Linger 0 on the socket, `transport.abort()`, then await `http.disconnect`: 0 bytes, RST, nothing on stderr."""
    assert said_about(breaking, b"/reset") == (b"", "RST", "")


def test_half_an_answer_then_a_reset_gives_the_half_and_an_rst(breaking: Served) -> None:
    """Start and half a body, then the same: head and half a body, RST, nothing on stderr."""
    before = breaking.complaints()
    with Line(breaking.port) as line:
        # Half a body is asked for with half a body: when its rest comes, the client has read all it was sent.
        line.send(b"POST /half-then-reset HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\r\n")
        received = b""
        while not received.endswith(BODY[:8]):
            received += line.socket.recv(1024)
        line.send(b"go")
        assert line.rest() == (b"", "RST")

    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"content-length: %d" % len(BODY) in head
    assert body == BODY[:8]
    assert breaking.complaints() == before


def test_a_whole_answer_then_a_close_gives_the_answer_and_an_unannounced_fin(breaking: Served) -> None:
    """Whole answer, then `close()`: the answer, FIN without `Connection: close`, nothing on stderr."""
    received, end, stderr = said_about(breaking, b"/whole-then-close")

    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"connection:" not in head.lower()
    assert (body, end, stderr) == (BODY, "FIN", "")


def test_an_answer_without_any_of_this_leaves_the_connection_open(breaking: Served) -> None:
    """The table's other side: the same app, the same client, no fault."""
    with Line(breaking.port) as line:
        for _ in range(2):
            line.send(ASK % b"/plain")
            assert line.answer().body == BODY


async def answer_nothing(_: Message) -> None:
    """Take an answer as a server without a transport does."""


async def say_gone() -> Message:
    return {"type": "http.disconnect"}


class Cycle:
    """As much of a server's cycle as `transport_of` looks at."""

    def __init__(self, transport: object) -> None:
        self.transport = transport
        self.sent: list[Message] = []

    async def send(self, message: Message) -> None:
        self.sent.append(message)


def http_scope(path: str, **headers: str) -> Scope:
    fields = {"host": "localhost"} | headers
    return {
        "type": "http",
        "method": "GET",
        "path": path,
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in fields.items()],
        "query_string": b"",
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 5000),
        "extensions": {"http.response.pathsend": {}},
    }


@pytest.mark.parametrize("origins", ["", "http://page.test"])
def test_the_transport_travels_in_the_scope(origins: str) -> None:
    """It is `send.__self__.transport` in the outermost callable, and travels in `scope["extensions"]`, CORS or not."""
    seen: list[Scope] = []

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    app = app_of(load({"DUMMYLLM_CORS_ORIGINS": origins}))
    app._rest = inner
    transport = object()
    cycle = Cycle(transport)

    asyncio.run(app(http_scope("/openapi.json", origin="http://localhost"), say_gone, cycle.send))

    assert cycle.sent[0]["status"] == 200
    assert connection_of(seen[0]) is transport
    assert set(seen[0]["extensions"]) == {EXTENSION, "http.response.pathsend"}, "what the server offers stays"


def test_another_server_has_no_transport() -> None:
    """Where `send` is a plain function there is none, and asking is no error."""
    assert transport_of(answer_nothing) is None
    assert connection_of({"type": "http"}) is None
    assert connection_of({"type": "http", "extensions": None}) is None


def test_an_in_process_client_works_and_its_answers_are_of_unknown_delivery() -> None:
    """Where there is no transport everything works; only *delivered* stays unknown."""
    app = app_of(load({"DUMMYLLM_LATENCY_MS": "0"}))

    async def talk() -> list[int]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            posted = await client.post("/v1/jobs", json={"op": "llm.chat"})
            polled = await client.get(f"/v1/jobs/{posted.json()['id']}")
            missing = await client.get("/v1/jobs/job_nope")
            return [posted.status_code, polled.status_code, missing.status_code]

    assert asyncio.run(talk()) == [201, 200, 404]
    assert [entry.delivered for entry in app.backend.journal.since()] == [Delivered.UNKNOWN] * 3


def test_gone_waits_for_the_disconnect_and_passes_over_the_body() -> None:
    """What a client still sends is not yet its departure."""
    messages = [{"type": "http.request", "body": b"x", "more_body": True}, {"type": "http.request"}]
    messages.append({"type": "http.disconnect"})

    async def receive() -> Message:
        return messages.pop(0)

    asyncio.run(gone(receive))

    assert messages == []


SETTINGS = {"CORS_ORIGINS": "http://page.test"}


def test_a_client_that_reads_its_answer_is_known_to_have_it(server: Served) -> None:
    """Under uvicorn *delivered* is yes for a prompt small answer, whatever middleware lies between."""
    with Line(server.port) as line:
        line.send(request("POST", "/v1/jobs", b'{"op":"x"}', origin="http://page.test"))
        posted = line.answer()
        entries = journal(line)

    assert [entry["delivered"] for entry in entries if entry.get("job") == posted.json["id"]] == ["yes"]


def test_a_client_that_leaves_in_the_middle_of_its_body_leaves_no_trace(server: Served) -> None:
    """A POST body cut by the client's disconnect: no job, nothing logged."""
    with Line(server.port) as reader:
        before = journal(reader)
        for end in ("FIN", "RST"):
            with Line(server.port) as line:
                line.send(request("POST", "/v1/jobs", b'{"op":"cut off"}')[:-5])
                if end == "RST":
                    line.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        for _ in range(20):  # the server has long seen both ends when it has answered these
            reader.send(request("GET", "/health"))
            assert reader.answer().status == 200
        after = journal(reader)

    assert after[: len(before)] == before
    assert [entry for entry in after[len(before) :] if entry["what"] != "other"] == []
    assert server.complaints() == ""


def journal(line: Line) -> list[dict[str, object]]:
    line.send(request("GET", "/__admin/journal?limit=10000"))
    return line.answer().json["entries"]
