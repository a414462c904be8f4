"""Knows every way in which a request is refused, and the one JSON shape in which it is said.

{"detail": {"error": {"code": "…", "message": "…"}}}
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

Header = tuple[bytes, bytes]

STATUS_OF = {
    "BAD_JSON": 400,
    "BAD_REQUEST": 400,
    "UNAUTHORIZED": 401,
    "ADMIN_OFF": 403,
    "HOST_NOT_ALLOWED": 403,
    "ORIGIN_NOT_ALLOWED": 403,
    "NOT_FOUND": 404,
    "METHOD_NOT_ALLOWED": 405,
    "BODY_TOO_SLOW": 408,
    "BUSY": 409,
    "CLOCK_NOT_MANUAL": 409,
    "TOO_LARGE": 413,
    "NOT_JSON": 415,
    "INVALID_REQUEST": 422,
    "IDEMPOTENCY_KEY_REUSED": 422,
    "HEADERS_TOO_LARGE": 431,
    "INTERNAL": 500,
    "FULL": 503,
    "SHUTTING_DOWN": 503,
    "SIM_STATUS": 503,  # or whatever status the operator names
}

MEANINGS = {
    "BAD_JSON": "the body is not UTF-8, not JSON, has a lone surrogate, or is nested deeper than 64 levels",
    "BAD_REQUEST": "`op` is empty, or the Idempotency-Key cannot be read",
    "UNAUTHORIZED": "a key is wanted, and the request has none or another one",
    "ADMIN_OFF": "this part of `/__admin/` is off here",
    "HOST_NOT_ALLOWED": "the Host header names neither this machine nor a host of `DUMMYLLM_ALLOWED_HOSTS`",
    "ORIGIN_NOT_ALLOWED": "a page of another site sent the request",
    "NOT_FOUND": "no such route, or no such job; says so if the job was evicted",
    "METHOD_NOT_ALLOWED": "the route exists, the method does not; `Allow` lists those that do",
    "BODY_TOO_SLOW": "the body did not arrive within `DUMMYLLM_RECEIVE_TIMEOUT_MS`",
    "BUSY": "other requests are open; `?force=1` resets all the same",
    "CLOCK_NOT_MANUAL": "only a manual clock is moved",
    "TOO_LARGE": "the body is longer than `DUMMYLLM_MAX_BODY_BYTES`",
    "NOT_JSON": "the Content-Type is not JSON",
    "INVALID_REQUEST": "the payload does not fit; the message has the path of the mistake",
    "IDEMPOTENCY_KEY_REUSED": "the Idempotency-Key came with another payload before",
    "HEADERS_TOO_LARGE": "more than 100 headers, or more than 64 KiB of them",
    "INTERNAL": "a bug of ours; nothing a client sends should cause it",
    "FULL": "every place, or the whole queue, is taken by unfinished jobs; `Retry-After` says when to come back",
    "SHUTTING_DOWN": "the server is on its way out",
    "SIM_STATUS": "a fault befell the request, and its status is the one that the operator named for it",
}


class Refusal(Exception):
    """A request that gets an error instead of an answer; *code* is a row of `STATUS_OF`."""

    def __init__(self, code: str, message: str, *, headers: Sequence[Header] = (), closes: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.status = STATUS_OF[code]
        self.message = message
        self.headers = tuple(headers)
        self.closes = closes  # the request's body was not read to its end, so the connection cannot go on

    @property
    def retry_after_s(self) -> int | None:
        """The seconds of its Retry-After, if it has one."""
        return next((int(value) for name, value in self.headers if name == b"retry-after"), None)

    @property
    def names_unknown(self) -> bool:
        """Whether it is about a member of the payload that nobody knows."""
        return self.code == "INVALID_REQUEST" and "unknown field" in self.message


class ClientGone(Exception):
    """The client left before its request was whole; nobody is there to be answered."""


class Error(msgspec.Struct, frozen=True):
    """The code a program branches on and the sentence a person reads."""

    code: str
    message: str


class ErrorDetail(msgspec.Struct, frozen=True):
    """The inner wrapper of the error shape."""

    error: Error


class ErrorBody(msgspec.Struct, frozen=True):
    """The one shape of every error."""

    detail: ErrorDetail


def body_of(refusal: Refusal) -> bytes:
    """Return the JSON body that tells a client of *refusal*."""
    return msgspec.json.encode(ErrorBody(ErrorDetail(Error(refusal.code, refusal.message))))
