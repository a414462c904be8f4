"""Reads the standard headers with which a client asks for more than an answer: Idempotency-Key and Prefer.

The first is of draft-ietf-httpapi-idempotency-key-header-07: a string of RFC 8941 in double quotes; many clients send
it bare, and that is taken too. The second is of RFC 7240, section 4.3: `wait=N`, in seconds. A preference that we do
not know, or cannot read, is ignored, as that RFC wants it.
"""

from __future__ import annotations

import re

from dummyllm.web.refusal import Header, Refusal

KEY_CHARACTERS_MAX = 255
WAIT_S_MAX = 600

_KEY = re.compile(
    rb'"((?:[ !#-\[\]-~]|\\["\\]){1,%(most)d})"(?:;.*)?|([!#-+\--~]{1,%(most)d})' % {b"most": KEY_CHARACTERS_MAX}
)
KEY_PATTERN = f"^(?:{_KEY.pattern.decode()})$"

# A comma inside quotes ends no preference; quotes that nobody closes go on to the end.
_PREFERENCE = re.compile(rb'(?:[^,"]|"(?:[^"\\]|\\.?)*(?:"|\Z))+', re.DOTALL)
_WAIT = re.compile(rb'\s*wait\s*=\s*("?)([0-9]+)\1\s*(?:;.*)?', re.IGNORECASE | re.DOTALL)


def idempotency_key(headers: dict[bytes, bytes]) -> str | None:
    """Return the Idempotency-Key of *headers*, or None if there is none; refuse one that cannot be read."""
    raw = headers.get(b"idempotency-key")
    if raw is None:
        return None
    match = _KEY.fullmatch(raw.strip())
    if match is None:
        message = (
            f"Idempotency-Key {raw[:80].decode('latin-1')!r} cannot be read; use 1 to {KEY_CHARACTERS_MAX} "
            'printable ASCII characters in double quotes, as in "8e03978e-40d5-43dd-bc93-6894a57f9324"'
        )
        raise Refusal("BAD_REQUEST", message)
    quoted, bare = match.groups()
    key: bytes = bare if quoted is None else re.sub(rb"\\(.)", rb"\1", quoted)
    return key.decode("ascii")


def wait_s(headers: dict[bytes, bytes]) -> int | None:
    """Return how many seconds the client prefers to wait, at most 600; None if it does not say."""
    for preference in _PREFERENCE.findall(headers.get(b"prefer", b"")):
        match = _WAIT.fullmatch(preference)
        if match is not None:
            digits = match[2].lstrip(b"0")[:9]  # Python refuses to read a number of thousands of digits
            return min(int(digits or b"0"), WAIT_S_MAX)
    return None


def preference_applied(wait: int) -> Header:
    """Return the header that says that a preference was honoured (RFC 7240, section 3)."""
    return (b"preference-applied", b"wait=%d" % wait)


def upgrade_refused(protocol: bytes) -> Refusal:
    """Return the refusal of a submit whose body the server lost over the offer of another *protocol*.

    An offer that nobody takes up is to be ignored (RFC 9110, section 7.8). uvicorn with httptools ignores it, and with
    it the body.
    """
    shown = protocol[:40].decode("latin-1")
    message = (
        f"the request offers 'Upgrade: {shown}', and uvicorn with httptools loses the body of such a request; send "
        "plain HTTP/1.1 (Java: HttpClient.newBuilder().version(HTTP_1_1); curl: --http1.1), or serve with --http h11"
    )
    return Refusal("BAD_REQUEST", message)
