"""Request heads that are too big, malformed or at odds with themselves, on every stack."""

from __future__ import annotations

import pytest

from tests.web.stack import Hung, Line, Served, ask, request

SETTINGS = {"LATENCY_MS": "0"}
HEAD = b"GET /v1/jobs/x HTTP/1.1\r\nhost: localhost\r\n"
POST = b"POST /v1/jobs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
GOOD = b'{"op":"llm.chat"}'


def status_of(server: Served, raw: bytes) -> tuple[int, str | None]:
    """Send *raw*, and return status and code of the first answer; 0 if the connection just ends."""
    with Line(server.port) as line:
        line.send(raw)
        try:
            answer = line.answer()
        except (Hung, ConnectionResetError):
            return 0, None
        return answer.status, answer.code


def assert_refused_and_closed(server: Served, raw: bytes, *statuses: int) -> None:
    """Assert that *raw* gets one of *statuses*, that its connection ends, and that the server is well afterwards."""
    with Line(server.port) as line:
        line.send(raw)
        assert line.answer().status in statuses
        assert line.rest()[1] in ("FIN", "RST")
    assert ask(server.port, "POST", "/v1/jobs", GOOD).status == 201


TOO_BIG = {
    "a value of 100 kB": b"x: " + b"a" * 100_000 + b"\r\n",
    "a name of 100 kB": b"a" * 100_000 + b": x\r\n",
    "a value of 1 MB": b"x: " + b"a" * 1_000_000 + b"\r\n",
    "10,000 small ones": b"x: y\r\n" * 10_000,
    "10,000 different ones": b"".join(b"x%d: y\r\n" % n for n in range(10_000)),
    "90 of 10 kB under one name": (b"x: " + b"a" * 10_000 + b"\r\n") * 90,
    "a cookie of 70 kB": b"cookie: " + b"a=b;" * 17_500 + b"\r\n",
}


@pytest.mark.parametrize("name", TOO_BIG)
def test_headers_that_are_too_big_are_refused_and_the_connection_ends(server: Served, name: str) -> None:
    """431 `HEADERS_TOO_LARGE`, or the 400 that h11 gives before us; and the client gets to read it."""
    assert_refused_and_closed(server, HEAD + TOO_BIG[name] + b"\r\n", 431, 400)


def test_a_hundred_headers_are_taken_and_one_more_is_not(server: Served) -> None:
    """Both sides of the count: more than 100 headers is 431, in our shape."""
    for more, outcome in ((99, (404, "NOT_FOUND")), (100, (431, "HEADERS_TOO_LARGE"))):
        assert status_of(server, HEAD + b"x: y\r\n" * more + b"\r\n") == outcome


def test_64_kib_of_headers_are_taken_and_a_byte_more_is_not(one_server: Served) -> None:
    """Both sides of the size: names and values together, 64 KiB."""
    rest = 65_536 - len(b"hostlocalhostx")
    for size, outcome in ((rest, (404, "NOT_FOUND")), (rest + 1, (431, "HEADERS_TOO_LARGE"))):
        assert status_of(one_server, HEAD + b"x: " + b"a" * size + b"\r\n\r\n") == outcome


MALFORMED = {
    "a blank in a name": HEAD + b"bad name: x\r\n\r\n",
    "no name": HEAD + b": x\r\n\r\n",
    "no colon": HEAD + b"nothing\r\n\r\n",
    "a blank before the colon": HEAD + b"x : y\r\n\r\n",
    "a NUL in a value": HEAD + b"x: \x00\r\n\r\n",
    "a NUL in a name": HEAD + b"x\x00: y\r\n\r\n",
    "a letter beyond ASCII in a name": HEAD + "é: x\r\n\r\n".encode(),
    "two lengths": POST + b"content-length: 17\r\ncontent-length: 18\r\n\r\n" + GOOD + b"x",
    "a negative length": POST + b"content-length: -1\r\n\r\n" + GOOD,
    "no method": b" / HTTP/1.1\r\nhost: localhost\r\n\r\n",
    "no path": b"GET  HTTP/1.1\r\nhost: localhost\r\n\r\n",
    "a path beyond ASCII": "GET /é HTTP/1.1\r\nhost: localhost\r\n\r\n".encode(),
    "a path of 1 MB": b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\nhost: localhost\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64,
    "zeros": b"\x00" * 1_000,
    "SSH": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_head_is_refused_and_the_connection_ends(server: Served, name: str) -> None:
    """400, in uvicorn's plain words or in ours: after it nobody knows where the next request would begin."""
    assert_refused_and_closed(server, MALFORMED[name], 400, 431)


def test_a_length_beside_chunks_is_refused_and_the_connection_ends(server: Served) -> None:
    """The classic pair of request smuggling: two servers would read two different bodies."""
    raw = POST + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n"
    assert_refused_and_closed(server, raw + b"11\r\n" + GOOD + b"\r\n0\r\n\r\nGET /health HTTP/1.1\r\n\r\n", 400)


@pytest.mark.parametrize("encoding", ["gzip, chunked", "chunked, chunked", "xchunked", "identity", "chunked;q=1"])
def test_an_odd_transfer_encoding_makes_no_job(server: Served, encoding: str) -> None:
    """Whoever refuses it, it is never a job and never a 5xx."""
    raw = POST + b"transfer-encoding: " + encoding.encode() + b"\r\n\r\n8\r\n" + GOOD[:8] + b"\r\n0\r\n\r\n"
    assert status_of(server, raw)[0] in (0, 400, 411)


def test_a_folded_header_never_makes_a_second_one(server: Served) -> None:
    """obs-fold: refused by httptools; h11 makes it one line again. It never smuggles in a Host."""
    status, code = status_of(server, b"GET /v1/jobs/x HTTP/1.1\r\nhost: evil.test\r\nx: a\r\n host: localhost\r\n\r\n")
    assert (status, code) in ((400, None), (403, "HOST_NOT_ALLOWED"))


@pytest.mark.parametrize("hosts", [("evil.test", "localhost"), ("localhost", "evil.test"), ("localhost", "localhost")])
def test_two_hosts_are_refused(server: Served, hosts: tuple[str, str]) -> None:
    """More than one Host is no Host at all, whichever comes last."""
    raw = b"GET /v1/jobs/x HTTP/1.1\r\n" + b"".join(f"Host: {host}\r\n".encode() for host in hosts) + b"\r\n"
    assert status_of(server, raw) in ((400, None), (403, "HOST_NOT_ALLOWED"))


@pytest.mark.parametrize(
    "line",
    [
        b"CONNECT localhost:80 HTTP/1.1",
        b"OPTIONS * HTTP/1.1",
        b"OPTIONS /v1/jobs HTTP/1.1",
        b"TRACE /v1/jobs HTTP/1.1",
        b"FOO /v1/jobs HTTP/1.1",
        b"A" * 1_000 + b" /v1/jobs HTTP/1.1",
        b"PRI * HTTP/2.0",
        b"GET /v1/jobs HTTP/9.9",
        b"GET /v1/jobs",
        b"GET http://localhost/v1/jobs/x HTTP/1.1",
        b"GET http://[ HTTP/1.1",
        b"GET //[ HTTP/1.1",
        b"GET /v1/jobs/x?" + b"a" * 10_000 + b" HTTP/1.1",
        b"GET /v1/jobs/x?\x7f HTTP/1.1",
        b"GET /v1/jobs/x#fragment HTTP/1.1",
        b"GET /%zz HTTP/1.1",
        b"GET /%c3%28%ff HTTP/1.1",
    ],
)
def test_an_odd_request_line_is_refused(server: Served, line: bytes) -> None:
    """400, 403, 404 or 405, whoever says it."""
    assert status_of(server, line + b"\r\nhost: localhost\r\n\r\n")[0] in (400, 403, 404, 405)


def test_a_web_socket_is_not_opened(server: Served) -> None:
    """There is no WebSocket here: the handshake is answered as the plain request that it also is."""
    shake = b"connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: " + b"A" * 22
    assert status_of(server, HEAD + shake + b"==\r\n\r\n")[0] in (403, 404)


def test_requests_sent_in_one_piece_are_answered_in_order(server: Served) -> None:
    """Pipelining: each gets its own answer, a refusal in the middle does not shift the rest."""
    with Line(server.port) as line:
        line.send(b"".join([request("POST", "/v1/jobs", GOOD), request("POST", "/v1/jobs", b"{"), HEAD + b"\r\n"]))
        assert [line.answer().status for _ in range(3)] == [201, 400, 404]


def test_a_head_request_is_answered_without_a_body(server: Served) -> None:
    """HEAD is GET without the body, for refusals too."""
    job = ask(server.port, "POST", "/v1/jobs", GOOD).json["id"]
    for path, status in ((f"/v1/jobs/{job}", 200), (f"/v1/jobs/{job}/request", 200), ("/health", 200), ("/no", 404)):
        with Line(server.port) as line:
            line.send(request("HEAD", path) + request("GET", path))
            head, whole = line.answer(has_body=False), line.answer()
            assert (head.status, whole.status) == (status, status)
            assert int(head.headers["content-length"]) > 0


def test_a_header_in_every_odd_spelling_leaves_the_server_well(one_server: Served) -> None:
    """Values that programs stumble over: kept out of the way, answered as if they were not there."""
    for value in (
        "",
        " ",
        "\t",
        "\xff\xfe",
        "%00",
        "${jndi:ldap://x}",
        "() { :;}; echo",
        "'; DROP TABLE jobs;--",
        "a" * 9000,
    ):
        for name in ("user-agent", "accept", "x-forwarded-for", "x-request-id", "prefer", "cookie", "range", "te"):
            answer = ask(one_server.port, "GET", "/v1/jobs/x", **{name: value})
            assert (answer.status, answer.code) == (404, "NOT_FOUND"), (name, value)
