"""Bodies that are too long, too slow, compressed, cut or a lie, on every stack."""

from __future__ import annotations

import gzip
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from tests.web.stack import Answer, Hung, Line, Served, ask, request, unhurried

MB = 1_000_000
TIMEOUT_MS = 700
CAP = 256 * 1024
SETTINGS = {"MAX_BODY_BYTES": "256KiB", "RECEIVE_TIMEOUT_MS": str(TIMEOUT_MS), "LATENCY_MS": "0"}
GOOD = b'{"op":"llm.chat"}'
CHUNKED = (
    b"POST /v1/jobs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
)


def declared(length: int | str) -> bytes:
    return request("POST", "/v1/jobs", b"", content_length=str(length))


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def payload_of(size: int) -> bytes:
    """Return a payload of exactly *size* bytes."""
    return b'{"op":"x","args":{"a":"' + b"a" * (size - 26) + b'"}}'


def assert_well(server: Served) -> None:
    assert ask(server.port, "POST", "/v1/jobs", GOOD).status == 201


def test_a_body_as_long_as_the_limit_is_taken_and_one_byte_more_is_not(server: Served) -> None:
    """413 `TOO_LARGE` beyond `MAX_BODY_BYTES`, declared or chunked; the limit itself is fine."""
    for size, status in ((CAP, 201), (CAP + 1, 413)):
        body = payload_of(size)
        assert len(body) == size
        assert ask(server.port, "POST", "/v1/jobs", body).status == status
        with Line(server.port) as line:
            line.send(CHUNKED + chunk(body[:1000]) + chunk(body[1000:]) + b"0\r\n\r\n")
            answer = line.answer()
            assert answer.status == status
            assert status == 201 or answer.code == "TOO_LARGE"


def test_a_hundred_megabytes_declared_are_refused_before_they_are_sent(server: Served) -> None:
    """Declared: at once, and the answer says what the limit is called."""
    with Line(server.port) as line:
        line.send(declared(100 * MB))
        answer = line.answer()

        assert (answer.status, answer.code) == (413, "TOO_LARGE")
        assert answer.headers["connection"] == "close"
        assert "DUMMYLLM_MAX_BODY_BYTES" in answer.message
        assert str(CAP) in answer.message


def test_a_client_that_asks_before_it_sends_is_told_before_it_sends(server: Served) -> None:
    """`Expect: 100-continue` with too long a body: 413, and no 100 before it."""
    with Line(server.port) as line:
        line.send(request("POST", "/v1/jobs", b"", content_length=str(100 * MB), expect="100-continue"))
        assert line.answer().status == 413


@pytest.mark.parametrize("chunked", [False, True])
def test_a_client_that_sends_a_hundred_megabytes_gets_to_read_the_refusal(server: Served, *, chunked: bool) -> None:
    """The refusal is an answer and not an RST, though the client sends on without looking."""
    piece = chunk(b"x" * MB) if chunked else b"x" * MB
    with Line(server.port) as line:
        line.send(CHUNKED if chunked else declared(100 * MB))
        for _ in range(100):
            if not line.send(piece):
                break
        answer = line.answer()

    assert (answer.status, answer.code) == (413, "TOO_LARGE")
    assert_well(server)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_client_that_sends_a_little_too_much_gets_to_send_it_all(server: Served, *, chunked: bool) -> None:
    """What it still sends is read and thrown away for a while, so that no RST overtakes the answer; then a FIN."""
    piece = chunk(b"x" * 100_000) if chunked else b"x" * 100_000
    with Line(server.port) as line:
        line.send(CHUNKED if chunked else declared(4 * MB))
        assert all(line.send(piece) for _ in range(40))
        assert line.answer().status == 413
        assert line.rest() == (b"", "FIN")


@pytest.mark.parametrize("chunked", [False, True])
def test_fifty_clients_with_a_hundred_megabytes_each_cost_no_memory(server: Served, *, chunked: bool) -> None:
    """50 at a time: each gets its 413, and the server grows by no more than 32 MB and the limit that each may fill."""
    assert_well(server)
    before = server.rss_bytes()
    start = threading.Barrier(50)

    def send_all(_: int) -> Answer:
        with Line(server.port) as line:
            start.wait()
            line.send(CHUNKED if chunked else declared(100 * MB))
            piece = chunk(b"x" * 100_000) if chunked else b"x" * 100_000
            for _ in range(1000):
                if not line.send(piece):
                    break
            return line.answer()

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(send_all, range(50)))

    assert {(answer.status, answer.code) for answer in answers} == {(413, "TOO_LARGE")}
    assert server.peak_bytes() - before <= 32 * MB + 50 * CAP
    assert_well(server)


def test_a_body_shorter_than_declared_makes_no_job(server: Served) -> None:
    """A lying length, too long: the client's end of the connection ends the request, and nothing was accepted."""
    with Line(server.port) as line:
        line.send(declared(len(GOOD) + 10) + GOOD)
        line.socket.shutdown(1)
        assert line.rest()[0] == b""
    assert_well(server)


def test_a_body_longer_than_declared_is_read_as_declared(server: Served) -> None:
    """A lying length, too short: what is declared is the payload, what follows is no request, and both are refused."""
    with Line(server.port) as line:
        line.send(declared(len(GOOD) - 3) + GOOD + b"\r\n\r\n")
        assert line.answer().status == 400  # ours for half the JSON, or uvicorn's for the rest that came with it
        assert b"201" not in line.rest()[0]
    assert_well(server)


@pytest.mark.parametrize("length", ["-1", "1x", "0x10", "1_0", "", "1e3", "９", "9" * 30, "1, 2"])
def test_a_length_that_is_no_number_is_refused(server: Served, length: str) -> None:
    """Never a 5xx, and the connection ends: nobody knows where the next request would begin."""
    with Line(server.port) as line:
        line.send(declared("LENGTH").replace(b"LENGTH", length.encode()) + GOOD)
        answer = line.answer()

        assert answer.status in (400, 413)
        assert line.rest()[1] in ("FIN", "RST")
    assert_well(server)


def test_leading_zeros_make_a_length_no_longer(server: Served) -> None:
    """`Content-Length: 0…017` is 17."""
    with Line(server.port) as line:
        line.send(declared("0" * 15 + str(len(GOOD))) + GOOD)
        assert line.answer().status == 201


@pytest.mark.parametrize("sent", [b"", GOOD[:1], GOOD[:-1]])
def test_a_body_that_does_not_arrive_ends_in_a_408(server: Served, sent: bytes) -> None:
    """408 `BODY_TOO_SLOW` within `RECEIVE_TIMEOUT_MS` and a little; not before it; then the connection closes."""
    start = time.monotonic()
    with Line(server.port) as line:
        line.send(declared(len(GOOD)) + sent)
        answer = line.answer()
        took_ms = (time.monotonic() - start) * 1000

        assert (answer.status, answer.code) == (408, "BODY_TOO_SLOW")
        assert "DUMMYLLM_RECEIVE_TIMEOUT_MS" in answer.message
        assert TIMEOUT_MS - 50 <= took_ms <= unhurried(2 * TIMEOUT_MS + 500)
        assert line.rest() == (b"", "FIN")
    assert_well(server)


def test_a_body_that_trickles_is_still_too_slow(server: Served) -> None:
    """The deadline is for the whole body: a byte now and then does not move it."""
    start = time.monotonic()
    with Line(server.port) as line:
        line.send(declared(100_000))
        line.socket.settimeout(0.05)
        while time.monotonic() - start < 20:
            line.send(b" ")
            try:
                answer = line.answer()
                break
            except TimeoutError:
                continue
        took_ms = (time.monotonic() - start) * 1000

    assert answer.status == 408
    assert took_ms <= unhurried(2 * TIMEOUT_MS + 500)


def test_a_hundred_silent_bodies_delay_nobody_else(server: Served) -> None:
    """Slow clients wait by themselves, and each is told."""
    lines = [Line(server.port) for _ in range(100)]
    try:
        for line in lines:
            line.send(declared(100) + b"{")
        start = time.monotonic()
        for _ in range(10):
            assert_well(server)
        assert (time.monotonic() - start) * 1000 < unhurried(TIMEOUT_MS)
        assert {line.answer().status for line in lines} == {408}
    finally:
        for line in lines:
            line.socket.close()


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "deflate", "br", "gzip, identity", "x"])
def test_a_compressed_body_is_not_read(server: Served, encoding: str) -> None:
    """A gzip bomb is a 415: nothing is ever unpacked."""
    bomb = gzip.compress(b'{"op":"' + b"a" * 100 * MB + b'"}', compresslevel=1)[:CAP]
    before = server.peak_bytes()

    answer = ask(server.port, "POST", "/v1/jobs", bomb, content_encoding=encoding)

    assert (answer.status, answer.code) == (415, "NOT_JSON")
    assert "Content-Encoding" in answer.message
    assert server.peak_bytes() - before <= 8 * MB


def test_an_identity_encoding_is_none(server: Served) -> None:
    """`Content-Encoding: identity` says that nothing was done."""
    assert ask(server.port, "POST", "/v1/jobs", GOOD, content_encoding="identity").status == 201


@pytest.mark.parametrize(
    "junk",
    [
        b"zz\r\n",
        b"-1\r\n",
        b"ffffffffffffffffff\r\n",
        b"5\r\nabc\r\n0\r\n\r\n",
        b"1\r\nab\r\n",
        b"\r\n",
        b"5;" + b"x" * 99,
    ],
)
def test_chunks_that_are_none_make_no_job(server: Served, junk: bytes) -> None:
    """Broken framing ends in a 4xx or in the end of the connection; never in a job."""
    with Line(server.port) as line:
        line.send(CHUNKED + chunk(GOOD) + junk)
        line.socket.shutdown(1)
        with suppress(Hung, ConnectionResetError):
            assert 400 <= line.answer().status < 500
    assert_well(server)


@pytest.mark.parametrize(
    "kind", ["application/json", "APPLICATION/JSON", "application/json; charset=utf-8", "text/json"]
)
@pytest.mark.parametrize("origin", [None, "http://localhost"])
def test_a_json_content_type_is_read(one_server: Served, kind: str, origin: str | None) -> None:
    """Any plain JSON type will do, with or without parameters."""
    headers = {"origin": origin} if origin else {}
    assert ask(one_server.port, "POST", "/v1/jobs", GOOD, content_type=kind, **headers).status == 201


@pytest.mark.parametrize("kind", ["application/vnd.api+json", "application/problem+json;v=1", " application/json "])
def test_a_type_that_is_json_underneath_is_read(one_server: Served, kind: str) -> None:
    """A `+json` type is JSON."""
    assert ask(one_server.port, "POST", "/v1/jobs", GOOD, content_type=kind).status == 201


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "application/x-ndjson",
        "json",
        "",
        ";application/json",
        "text/plain; application/json",
        "text/plain, application/json",
        "\xff",
        "x" * 10_000,
    ],
)
def test_any_other_content_type_is_a_415(one_server: Served, kind: str) -> None:
    """415 `NOT_JSON` for a Content-Type that is present and not JSON."""
    answer = ask(one_server.port, "POST", "/v1/jobs", GOOD, content_type=kind)

    assert (answer.status, answer.code) == (415, "NOT_JSON")
    assert len(answer.body) < 1000


def test_a_curl_user_is_told_what_to_type(one_server: Served) -> None:
    """`curl -d` says it is a form; the message helps."""
    answer = ask(one_server.port, "POST", "/v1/jobs", GOOD, content_type="application/x-www-form-urlencoded")

    assert "-H 'Content-Type: application/json'" in answer.message
    assert "--json" in answer.message


def test_no_content_type_is_json_unless_a_browser_sent_it(one_server: Served) -> None:
    """415 for none when `Origin` is sent: without the type there is no preflight."""
    bare = b"POST /v1/jobs HTTP/1.1\r\nhost: localhost\r\n%scontent-length: %d\r\n\r\n" + GOOD
    for extra, status in ((b"", 201), (b"origin: http://localhost\r\n", 415)):
        with Line(one_server.port) as line:
            line.send(bare % (extra, len(GOOD)))
            assert line.answer().status == status


def test_a_body_where_none_is_wanted_is_ignored(server: Served) -> None:
    """GET and cancel read no body; the next request on the connection is found all the same."""
    job = ask(server.port, "POST", "/v1/jobs", GOOD).json["id"]
    with Line(server.port) as line:
        for method, path in (("GET", f"/v1/jobs/{job}"), ("POST", f"/v1/jobs/{job}/cancel"), ("GET", "/health")):
            line.send(request(method, path, b"\xff" * 100_000))
            assert line.answer().status == 200
