"""Knows what a client asked for: the payload of one job, never altered."""

from __future__ import annotations

from typing import NewType

import msgspec

Fingerprint = NewType("Fingerprint", bytes)
"""128-bit digest of the canonical form of `op` and `args`."""

Identity = NewType("Identity", bytes)
"""16 bytes that say what counts as the same work."""

JobId = NewType("JobId", str)
"""`job_` and 24 hex digits."""

OP_OF_CHAT = "llm.chat"


class JobRequest(msgspec.Struct, frozen=True, gc=False):
    """What the client sent, validated once; *args* are the client's own bytes, a JSON object."""

    op: str
    args: bytes = b"{}"
    timeout_ms: int = 8000
    trace_id: str | None = None
