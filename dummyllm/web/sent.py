"""Notes of a submit what the verdict will ask for: what tells it from others, and equal ones from each other."""

from __future__ import annotations

from zlib import crc32

from dummyllm.journal import Sent

DIGITS_MAX = 4


def sent_with(headers: dict[bytes, bytes], body: bytes) -> Sent:
    """Return what is known of a submit from its *headers* and *body* alone.

    A checksum of a body is made for every submit, so it is a quick one; it is only compared within one piece of work.
    """
    sent = Sent((crc32(body), len(body)))
    if b"authorization" in headers or b"x-api-key" in headers:
        key = headers.get(b"x-api-key", b"") + b"\n" + headers.get(b"authorization", b"")
        sent.auth = (crc32(key), len(key))
    if b"x-stainless-retry-count" in headers:
        sent.retries = _number(headers[b"x-stainless-retry-count"])
    return sent


def _number(text: bytes) -> int:
    """Return the retry that an official SDK says it is, from 0; whatever else stands there counts as 0."""
    return int(text) if text.isdigit() and len(text) <= DIGITS_MAX else 0
