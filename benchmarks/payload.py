"""The jobs that the benchmarks submit: about 320 bytes of `args`, no two alike.

Each submit is one template around a number of fixed width, so that every request has the same length and a load
generator in any language sends the same bytes.
"""

from __future__ import annotations

import json

DIGITS = 12

_NUMBER = "#" * DIGITS
_ARGS = {
    "model": "llama3.1:8b",
    "messages": [
        {"role": "system", "content": "You listen first, and you answer in one short sentence, as a therapist would."},
        {
            "role": "user",
            "content": f"I am worried about my order {_NUMBER}. The runner has asked for it three times since this "
            "morning, and everybody here tells me that the queue is fine.",
        },
    ],
}


def compact(value: object) -> bytes:
    """Return *value* as JSON without white space, which is how the clients people use send it."""
    return json.dumps(value, separators=(",", ":")).encode()


ARGS_BYTES = len(compact(_ARGS))
_BODY = compact({"op": "llm.chat", "args": _ARGS, "timeout_ms": 8000})
_BEFORE, _AFTER = _BODY.split(_NUMBER.encode())


def submit_body(number: int) -> bytes:
    """Return the body of the submit with this *number*, which has at most 12 digits."""
    return b"%b%012d%b" % (_BEFORE, number, _AFTER)


def submit_parts(port: int) -> tuple[bytes, bytes]:
    """Return what stands before and after the number in a whole HTTP/1.1 submit."""
    head = (
        "POST /v1/jobs HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Content-Type: application/json",
        f"Content-Length: {len(_BODY)}",
        "\r\n",
    )
    return "\r\n".join(head).encode() + _BEFORE, _AFTER


def status_request(port: int, job_id: str) -> bytes:
    """Return the HTTP/1.1 request that asks for the job *job_id*."""
    return f"GET /v1/jobs/{job_id} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
