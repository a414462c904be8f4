"""Knows what counts as the same work: the fingerprint of a payload, and the identity that counters go by.

Both are BLAKE2b-128 digests (RFC 7693) over a tag and the parts, each with its length in front, so that no two lists of
parts have the same bytes. `docs/determinism.md` publishes the layout with test vectors.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b
from typing import cast

import msgspec

from dummyllm.core.canonical import canonical, minified
from dummyllm.core.request import Fingerprint, Identity, JobRequest

PERSON = b"dummyllm-1"
DIGEST_BYTES = 16


class IdentityKind(StrEnum):
    """What makes two jobs the same work: the values of `DUMMYLLM_IDENTITY`."""

    PAYLOAD = "payload"
    PROMPT = "prompt"
    TRACE_ID = "trace_id"

    __hash__ = str.__hash__


def packed(part: bytes) -> bytes:
    """Return *part* behind its length in four bytes, most significant first."""
    return len(part).to_bytes(4, "big") + part


def fingerprint_of(request: JobRequest) -> Fingerprint:
    """Return the fingerprint of *request*: its `op` and `args`, not its `timeout_ms` and not its `trace_id`."""
    args = canonical(request.args)
    if args is None:
        return Fingerprint(_digest(_opening(b"payload-raw", request.op), minified(request.args)))
    # This is _digest(_opening(b"payload", request.op), args), written out: it is done for every submit.
    state = _opening(b"payload", request.op).copy()
    state.update(len(args).to_bytes(4, "big") + args)
    return state.digest()  # type: ignore[return-value]


def identifier(kind: IdentityKind) -> Callable[[JobRequest], Identity]:
    """Return the function that tells what a request counts as under the *kind* the operator chose."""
    return _IDENTIFIERS[kind]


def identity_of(kind: IdentityKind, request: JobRequest) -> Identity:
    """Return what *request* counts as under the *kind* the operator chose."""
    return _IDENTIFIERS[kind](request)


def _by_trace_id(request: JobRequest) -> Identity:
    """Return the identity by `trace_id`; without one, that by payload: the tags keep the two apart."""
    if request.trace_id is None:
        return Identity(fingerprint_of(request))
    return Identity(_digest(_opening(b"trace_id", request.op), request.trace_id.encode()))


class _Prompt(msgspec.Struct):
    model: msgspec.Raw = msgspec.Raw(b"null")
    messages: msgspec.Raw = msgspec.Raw(b"null")


_prompt_decoder = msgspec.json.Decoder(_Prompt)


def _by_prompt(request: JobRequest) -> Identity:
    prompt = _prompt_decoder.decode(request.args)
    raw = [bytes(prompt.model), bytes(prompt.messages)]
    forms = [canonical(part) for part in raw]
    if None in forms:
        return Identity(_digest(_opening(b"prompt-raw", request.op), *map(minified, raw)))
    return Identity(_digest(_opening(b"prompt", request.op), *(form for form in forms if form is not None)))


_IDENTIFIERS: dict[IdentityKind, Callable[[JobRequest], Identity]] = {
    IdentityKind.PAYLOAD: cast("Callable[[JobRequest], Identity]", fingerprint_of),
    IdentityKind.PROMPT: _by_prompt,
    IdentityKind.TRACE_ID: _by_trace_id,
}


# A state that has the opening in it already is copied in half the time that a new one takes.
@lru_cache(maxsize=256)
def _opening(tag: bytes, op: str) -> blake2b:
    return blake2b(packed(tag) + packed(op.encode()), digest_size=DIGEST_BYTES, person=PERSON)


def _digest(opening: blake2b, *parts: bytes) -> bytes:
    state = opening.copy()
    for part in parts:
        state.update(len(part).to_bytes(4, "big") + part)
    return state.digest()
