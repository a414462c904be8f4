"""Notes of a submit what the verdict will ask for: what tells it from others, and equal ones from each other."""

from __future__ import annotations

from zlib import crc32

from dummyllm.core.fingerprint import fingerprint_of
from dummyllm.core.request import JobRequest
from dummyllm.journal import Sent

DIGITS_MAX = 4


def sent_with(
    headers: dict[bytes, bytes], body: bytes | bytearray, request: JobRequest | None = None, key: str | None = None
) -> Sent:
    """Return what is known of a submit from its *headers* and *body*, and from what could be read of them.

    A checksum of a body is made for every submit, so it is a quick one; it is only compared within one piece of work.
    """
    sent = Sent(crc32(body), auth_of(headers), retries_of(headers))
    if request is not None:
        sent.fingerprint, sent.key = fingerprint_of(request), key
        sent.trace_id, sent.timeout_ms = request.trace_id, request.timeout_ms
    return sent


def auth_of(headers: dict[bytes, bytes]) -> int | None:
    """Return a checksum of the key that came with a request, or None if none did."""
    if b"authorization" not in headers and b"x-api-key" not in headers:
        return None
    return crc32(headers.get(b"x-api-key", b"") + b"\n" + headers.get(b"authorization", b""))


def retries_of(headers: dict[bytes, bytes]) -> int:
    """Return the retry that an official SDK says it is, from 0; whatever else stands there counts as 0."""
    text = headers.get(b"x-stainless-retry-count", b"")
    return int(text) if text.isdigit() and len(text) <= DIGITS_MAX else 0
