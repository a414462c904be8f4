"""The floor: the least an ASGI app can do that accepts jobs and answers for them.

It decodes with msgspec (`args` stay raw bytes), keeps what it was sent in a dict and encodes an answer: no fate, no
journal, no limits, and a job stays queued for ever. It is neither tuned nor slowed down, so a ratio to it says what
dummyLLM's features cost, on whatever machine both are measured.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, MutableMapping
from itertools import count
from typing import Any

import msgspec

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Submit(msgspec.Struct, forbid_unknown_fields=True):
    op: str
    args: msgspec.Raw
    timeout_ms: int = 8000
    trace_id: str | None = None


class Job(msgspec.Struct):
    submit: Submit
    created_at: int


class Accepted(msgspec.Struct):
    id: str
    state: str
    created_at: int


class Status(msgspec.Struct):
    id: str
    state: str
    created_at: int
    updated_at: int
    result: None = None
    error: None = None


class Health(msgspec.Struct):
    ok: bool
    name: str


jobs: dict[str, Job] = {}
numbers = count(1)
decode = msgspec.json.Decoder(Submit).decode
encode = msgspec.json.Encoder().encode


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    method: str = scope["method"]
    path: str = scope["path"]
    if path == "/v1/jobs" and method == "POST":
        status, body = accept(await whole_body(receive))
    elif path.startswith("/v1/jobs/") and method == "GET":
        status, body = look_up(path[len("/v1/jobs/") :])
    elif path == "/health" and method == "GET":
        status, body = 200, encode(Health(ok=True, name="floor"))
    else:
        status, body = 404, b"{}"
    await answer(send, status, body)


def accept(body: bytes) -> tuple[int, bytes]:
    try:
        submit = decode(body)
    except msgspec.DecodeError:
        return 400, b"{}"
    job_id = f"job_{next(numbers):024x}"
    job = jobs[job_id] = Job(submit, int(time.time()))
    return 201, encode(Accepted(job_id, "queued", job.created_at))


def look_up(job_id: str) -> tuple[int, bytes]:
    job = jobs.get(job_id)
    if job is None:
        return 404, b"{}"
    return 200, encode(Status(job_id, "queued", job.created_at, job.created_at))


async def whole_body(receive: Receive) -> bytes:
    """Return the request's body, in one piece without a copy when it came in one."""
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        return body
    pieces = [body]
    while message.get("more_body", False):
        message = await receive()
        pieces.append(message.get("body", b""))
    return b"".join(pieces)


async def answer(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
