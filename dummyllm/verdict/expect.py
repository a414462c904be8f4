"""Reads what the runner was asked to send: one submit body a line, compared by `op` and `args` in canonical form."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from dummyllm.core.fingerprint import fingerprint_of
from dummyllm.core.request import JobRequest
from dummyllm.verdict.run import Expected


class _Body(msgspec.Struct):
    op: str
    args: msgspec.Raw = msgspec.Raw(b"{}")


_body = msgspec.json.Decoder(_Body)


def read_expected(lines: Iterable[str]) -> tuple[Expected, ...]:
    """Return the payloads on *lines*, blank ones apart; raise ValueError that names the first line that is none."""
    found = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            body = _body.decode(line.encode())
        except msgspec.DecodeError as error:
            raise ValueError(f"has no submit body in line {number}: {error}") from None
        request = JobRequest(body.op, bytes(body.args))
        found.append(Expected(number, fingerprint_of(request).hex(), body.op))
    return tuple(found)
