"""Knows when two payloads say the same thing.

A runner may store a payload in a JSON column and send it again: members come back in another order, white space and
escapes change. That is still the same work. The canonical form removes just those differences:

- members sorted by the UTF-8 bytes of their names; of duplicate members the last;
- strings by value, written as UTF-8 with the least escaping; integers by value;
- a number with a fraction or an exponent by its spelling, so `1.0`, `1.00` and `1e0` stay three payloads;
- no white space.
"""

from __future__ import annotations

import msgspec

_decode = msgspec.json.Decoder(float_hook=msgspec.Raw).decode  # a Raw is written as it is spelled
_encode = msgspec.json.Encoder(order="sorted").encode


def canonical(value: bytes) -> bytes | None:
    """Return the canonical form of the JSON *value*, or None if it holds an integer too long to be read as one."""
    try:
        return _encode(_decode(value))
    except (msgspec.DecodeError, ValueError):
        return None


def minified(value: bytes) -> bytes:
    """Return the JSON *value* without insignificant white space, every other byte as it was sent."""
    return msgspec.json.format(value, indent=-1)
