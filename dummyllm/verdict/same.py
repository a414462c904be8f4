"""What makes two submits the same work to the verdict: the values of `DUMMYLLM_VERDICT_IDENTITY`."""

from __future__ import annotations

from enum import StrEnum


class Same(StrEnum):
    """`auto` goes by keys and trace_ids and is never sure of payloads alone; the others are the operator's word."""

    AUTO = "auto"
    PAYLOAD = "payload"
    TRACE_ID = "trace_id"
    KEY = "key"
