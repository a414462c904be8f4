"""Reads a payload for the commands that foretell: the body of a POST, from a file or from standard input."""

from __future__ import annotations

from pathlib import Path

from dummyllm.cli.main import STDIN
from dummyllm.cli.terminal import Terminal
from dummyllm.core.request import JobRequest
from dummyllm.settings import Settings
from dummyllm.web.decode import decode_request
from dummyllm.web.refusal import Refusal


def read(file: str, terminal: Terminal) -> bytes:
    """Return what is in *file*, or on standard input; raise ValueError with the sentence that says why not."""
    if file == STDIN:
        binary = getattr(terminal.source, "buffer", None)
        return terminal.source.read().encode() if binary is None else bytes(binary.read())
    try:
        return Path(file).read_bytes()
    except OSError as error:
        why = f"{file!r} cannot be read ({error.strerror}); use the path of a payload, or - for standard input"
        raise ValueError(why) from None


def decode(body: bytes, settings: Settings) -> JobRequest:
    """Return what *body* asks for; raise `Refusal` as a server with *settings* would."""
    if len(body) > settings.max_body_bytes:
        raise Refusal("TOO_LARGE", f"the body is longer than {settings.max_body_bytes} bytes (DUMMYLLM_MAX_BODY_BYTES)")
    return decode_request(body, settings.unknown)


def refused(refusal: Refusal) -> str:
    """Return the sentence that tells of *refusal*."""
    return f"the server refuses this payload: {refusal.status} {refusal.code}: {refusal.message}"
