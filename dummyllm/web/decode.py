"""Turns the bytes of a body into a JobRequest, or into a refusal that names the path of the mistake."""

from __future__ import annotations

import re
from array import array
from itertools import accumulate
from typing import Annotated

import msgspec
from msgspec import Meta

from dummyllm.core.request import JobRequest
from dummyllm.setting_values import Unknown
from dummyllm.web.refusal import Refusal

DEPTH_MAX = 64
TIMEOUT_MS_MAX = 86_400_000
TRACE_ID_CHARACTERS_MAX = 256
OP_CHARACTERS_MAX = 256
MEMBERS = ("op", "args", "timeout_ms", "trace_id")

# To JSON Schema 8000.0 is an integer, and some runners' JSON libraries write it so.
TimeoutMs = (
    Annotated[int, Meta(ge=0, le=TIMEOUT_MS_MAX)] | Annotated[float, Meta(ge=0, le=TIMEOUT_MS_MAX, multiple_of=1)]
)
TraceId = Annotated[str, Meta(max_length=TRACE_ID_CHARACTERS_MAX)]
Op = Annotated[str, Meta(max_length=OP_CHARACTERS_MAX)]


class Submission(msgspec.Struct):
    """The standard payload, with `args` as the client's own bytes."""

    op: Op
    args: msgspec.Raw = msgspec.Raw(b"{}")
    timeout_ms: TimeoutMs = 8000
    trace_id: TraceId | None = None


class StrictSubmission(Submission, forbid_unknown_fields=True):
    """The standard payload and not a member more."""


_strict = msgspec.json.Decoder(StrictSubmission).decode
_lenient = msgspec.json.Decoder(Submission).decode
_IGNORE = Unknown.IGNORE
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


def decode_request(body: bytes | bytearray, unknown: Unknown) -> JobRequest:
    """Return what *body* asks for; raise `Refusal` BAD_JSON, BAD_REQUEST or INVALID_REQUEST."""
    if body.count(b"[") + body.count(b"{") > DEPTH_MAX and depth_of(bytes(body)) > DEPTH_MAX:
        raise Refusal("BAD_JSON", f"the body is nested deeper than {DEPTH_MAX} levels")
    decode = _lenient if unknown is _IGNORE else _strict
    try:
        if not body.isascii():
            body.decode()  # msgspec passes over the inside of `args`, so the whole body is checked here
        submission = decode(body)
    except msgspec.ValidationError as error:
        raise Refusal("INVALID_REQUEST", _explained(error)) from None
    except UnicodeDecodeError as error:
        raise Refusal("BAD_JSON", f"the body is not UTF-8: byte {error.start} cannot be read") from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise Refusal("BAD_JSON", f"the body is not JSON: {_syntax_of(body, error)}") from None
    op, args, timeout_ms = submission.op, bytes(submission.args), submission.timeout_ms
    if not args.startswith(b"{"):
        raise Refusal("INVALID_REQUEST", f"Expected `object`, got `{_kind_of(args)}` - at `$.args`")
    if not op:
        raise Refusal("BAD_REQUEST", "`op` is empty; it names the operation, as in llm.chat - at `$.op`")
    return JobRequest(op, args, timeout_ms if type(timeout_ms) is int else int(timeout_ms), submission.trace_id)


def _syntax_of(body: bytes | bytearray, error: Exception) -> str:
    # msgspec says of a lone high surrogate that the input was truncated, which helps nobody.
    is_whole = body.rstrip().endswith(b"}")
    return "it has a lone surrogate" if is_whole and _SURROGATE.search(body) else str(error)


def unknown_members(body: bytes | bytearray) -> list[str]:
    """Return the names of the top-level members of *body* that are not of the standard payload."""
    return sorted(set(_members.decode(body)) - set(MEMBERS))


_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_BRACKETS = b"[]{}"
_ALL_BUT_MARKS = bytes(set(range(256)) - set(_BRACKETS + b'"'))
_STEPS = bytes.maketrans(_BRACKETS, bytes([1, 255, 1, 255]))


def depth_of(body: bytes) -> int:
    """Return how deep the brackets of *body* are nested, those inside strings apart. Linear, and nearly all of it in C.

    In JSON escapes stand only inside strings. Without them every quote that is left opens or closes a string.
    """
    unescaped = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    # Two quotes side by side say nothing of what stands around them: without those, few strings are left to cut out.
    marks = unescaped.translate(None, delete=_ALL_BUT_MARKS).replace(b'""', b"")
    steps = b"".join(marks.split(b'"')[::2]).translate(_STEPS)
    return max(accumulate(array("b", steps)), default=0)


def plain(error: msgspec.ValidationError) -> str:
    """Return what *error* says; a number that must be whole is called an integer, as in JSON Schema."""
    message = str(error).replace("Expected `float` that's a multiple of 1.0", "Expected `int`, got a fraction")
    return message.replace("`int | float`", "`int`")


def _explained(error: msgspec.ValidationError) -> str:
    message = plain(error)
    if "unknown field" in message:
        known = ", ".join(MEMBERS)
        return (
            f"{message}; the payload has {known}. Behaviour is set on the server (DUMMYLLM_MODE …), never in a payload"
        )
    return message


_KINDS = {b"[": "array", b'"': "str", b"t": "bool", b"f": "bool", b"n": "null"}


def _kind_of(value: bytes) -> str:
    return _KINDS.get(value[:1], "number")
