"""The examples in the document. Tests compare every one of them with what a server really says."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec

from dummyllm.core.cancelling import cancel
from dummyllm.core.decision import course_of
from dummyllm.core.digest import Traffic, hexadecimal, term_of
from dummyllm.core.fingerprint import IdentityKind, identity_of
from dummyllm.core.job import Job, make_job
from dummyllm.core.mode import Mode
from dummyllm.core.policy import Policy
from dummyllm.core.replay import HEADING
from dummyllm.core.request import JobRequest
from dummyllm.core.snapshot import snapshot_at
from dummyllm.replies import Reply, Usage, echo
from dummyllm.web import encode
from dummyllm.web.admin_views import Moved

SAID = {
    "BAD_JSON": "the body is not JSON: JSON is malformed: trailing characters (byte 12)",
    "BAD_REQUEST": "`op` is empty; it names the operation, as in llm.chat - at `$.op`",
    "UNAUTHORIZED": "a key is wanted; send DUMMYLLM_API_KEY as Authorization: Bearer or as x-api-key",
    "ADMIN_OFF": "POST under /__admin/ is off; start the server with DUMMYLLM_ADMIN=1",
    "HOST_NOT_ALLOWED": (
        "Host 'example.test' is not allowed; use localhost, 127.0.0.1, [::1] or a name of DUMMYLLM_ALLOWED_HOSTS "
        "(none is set)"
    ),
    "ORIGIN_NOT_ALLOWED": "Origin 'http://example.test' is not of DUMMYLLM_CORS_ORIGINS (none is set)",
    "NOT_FOUND": "there is no job job_000000000000000000000000",
    "METHOD_NOT_ALLOWED": "PUT does not work on /v1/jobs; use POST",
    "BODY_TOO_SLOW": "the body did not arrive within 15000 ms (DUMMYLLM_RECEIVE_TIMEOUT_MS)",
    "BUSY": "requests still open: 1; wait for them, or reset all the same with ?force=1",
    "CLOCK_NOT_MANUAL": "the clock is wall; start the server with DUMMYLLM_CLOCK=manual to move it",
    "TOO_LARGE": "the body is longer than 8388608 bytes (DUMMYLLM_MAX_BODY_BYTES)",
    "NOT_JSON": "Content-Type 'text/plain' is not JSON; send Content-Type: application/json",
    "INVALID_REQUEST": "Expected `int` <= 86400000 - at `$.timeout_ms`",
    "IDEMPOTENCY_KEY_REUSED": (
        "the Idempotency-Key 'order-17' came with another payload before; a new payload takes a new key"
    ),
    "HEADERS_TOO_LARGE": "the request has more than 100 headers or 65536 bytes of them",
    "INTERNAL": "the server failed; this is a bug of ours",
    "FULL": (
        "every place is taken by an unfinished job (DUMMYLLM_JOBS_MAX, DUMMYLLM_STORE_MAX_BYTES); try again in 30 s"
    ),
    "SHUTTING_DOWN": "the server is shutting down; try again",
    "SIM_STATUS": "dummyLLM answers 503 here because submit.status(503) befell this request",
}

PAYLOADS: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": (
        "a chat",
        {
            "op": "llm.chat",
            "args": {"model": "llama3.1:8b", "messages": [{"role": "user", "content": "Hello"}]},
            "timeout_ms": 8000,
            "trace_id": "order-17",
        },
    ),
    "least": ("the least there can be", {"op": "report.render"}),
}

MOVES: dict[str, tuple[str, dict[str, Any]]] = {
    "a quarter of a second": ("as long as a job takes by default", {"advance_ms": 250}),
}

# What is sent, by operation.
BODIES = {"submit": PAYLOADS, "clock": MOVES}

ACCEPTED_AT_MS = 946_684_800_000
LATER_MS = ACCEPTED_AT_MS + 250


@lru_cache
def answers() -> dict[str, dict[str, bytes]]:
    """Return what a server says about the job of the chat payload, by operation; a test compares it with a server."""
    payload = PAYLOADS["chat"][1]
    request = msgspec.convert(payload | {"args": encode.encode(payload["args"])}, JobRequest)
    made, failing = _made(request, Mode.ECHO), _made(request, Mode.FAIL)
    given_up = cancel(made, ACCEPTED_AT_MS).job
    text = echo(request.args)
    reply = Reply(text, Usage(prompt_tokens=9, completion_tokens=9))
    ended = encode.job_view(made, snapshot_at(made, LATER_MS), reply)
    return {
        "submit": {"accepted": encode.accepted(made), "waited for": ended},
        "poll": {
            "running": encode.job_view(made, snapshot_at(made, ACCEPTED_AT_MS), None),
            "ok": ended,
            "fail": encode.job_view(failing, snapshot_at(failing, LATER_MS), None),
            "cancelled": encode.job_view(given_up, snapshot_at(given_up, LATER_MS), None),
        },
        "cancel": {
            "cancelled": encode.cancel_view(given_up, snapshot_at(given_up, ACCEPTED_AT_MS)),
            "ended before": encode.cancel_view(made, snapshot_at(made, LATER_MS)),
        },
        "inspect": {"as it was sent": encode.request_view(made)},
        "faults": {"a job that failed": _recording_of(failing)},
        "clock": {"moved": encode.encode(Moved(LATER_MS))},
    }


def _recording_of(job: Job) -> bytes:
    policy = job.policy
    lines = [
        HEADING,
        f"# seed {policy.seed}, identity {policy.identity.value}, latency {policy.base_latency_ms} ms",
        f"# fates {hexadecimal(term_of(job))}, traffic {Traffic().digest}",
        f"{job.identity.hex()} job {job.ordinal} {course_of(job).spelled}",
        "",
    ]
    return "\n".join(lines).encode()


def _made(request: JobRequest, mode: Mode) -> Job:
    identity = identity_of(IdentityKind.PAYLOAD, request)
    return make_job(Policy(mode=mode), request, identity, now_ms=ACCEPTED_AT_MS, ordinal=0)
