"""Knows whether a body says that it is plain JSON."""

from __future__ import annotations

from dummyllm.web.refusal import Refusal


def check_content_type(headers: dict[bytes, bytes]) -> None:
    """Refuse a body that says it is something other than plain JSON.

    No Content-Type at all is taken as JSON, unless a browser sent it: there, its absence would dodge the preflight.
    """
    kind = headers.get(b"content-type")
    if kind is None:
        if b"origin" in headers:
            raise Refusal(
                "NOT_JSON", "the request has an Origin and no Content-Type; send Content-Type: application/json"
            )
    elif not _is_json(kind):
        raise Refusal("NOT_JSON", _content_type_complaint(kind))
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise Refusal("NOT_JSON", "compressed bodies are not read; send the JSON as it is, without Content-Encoding")


def _is_json(kind: bytes) -> bool:
    media_type = kind.partition(b";")[0].strip().lower()
    return media_type in (b"application/json", b"text/json") or media_type.endswith(b"+json")


def _content_type_complaint(kind: bytes) -> str:
    shown = kind.decode("latin-1")[:80]
    help_ = "send Content-Type: application/json"
    if kind.startswith(b"application/x-www-form-urlencoded"):
        help_ += "; with curl, add -H 'Content-Type: application/json' to -d, or use --json instead of -d"
    return f"Content-Type {shown!r} is not JSON; {help_}"
