from __future__ import annotations

import json

from benchmarks.payload import ARGS_BYTES, status_request, submit_body, submit_parts


def test_a_submit_is_a_standard_one_of_about_320_bytes_of_args() -> None:
    """Each job is a model and two messages, and says nothing that a runner's payload would not say."""
    body = json.loads(submit_body(7))

    assert set(body) == {"op", "args", "timeout_ms"}
    assert set(body["args"]) == {"model", "messages"}
    assert [message["role"] for message in body["args"]["messages"]] == ["system", "user"]
    assert len(json.dumps(body["args"], separators=(",", ":"))) == ARGS_BYTES
    assert 300 <= ARGS_BYTES <= 340


def test_no_two_submits_are_alike_and_all_have_one_length() -> None:
    """The number has a fixed width, so that Content-Length is a constant."""
    bodies = {submit_body(number) for number in (0, 1, 999, 10**12 - 1)}

    assert len(bodies) == 4
    assert len({len(body) for body in bodies}) == 1


def test_the_whole_request_frames_its_body() -> None:
    """Content-Length is the length of what follows the blank line."""
    before, after = submit_parts(8787)
    head, _, body = (before + b"%012d" % 5 + after).partition(b"\r\n\r\n")

    assert body == submit_body(5)
    assert head.split(b"\r\n")[0] == b"POST /v1/jobs HTTP/1.1"
    assert b"Host: 127.0.0.1:8787" in head.split(b"\r\n")
    assert f"Content-Length: {len(body)}".encode() in head.split(b"\r\n")


def test_a_poll_is_one_get() -> None:
    """It has a Host and no body."""
    assert status_request(8787, "job_1") == b"GET /v1/jobs/job_1 HTTP/1.1\r\nHost: 127.0.0.1:8787\r\n\r\n"
