"""Says why a submit found no place, and when to come again."""

from __future__ import annotations

from dummyllm.backend import KeyReused
from dummyllm.clock import Clock
from dummyllm.core.schedule import QueueFull
from dummyllm.store import Full
from dummyllm.web.refusal import Refusal

FULL_RETRY_AFTER_S = 30


def no_place(error: Full | QueueFull | KeyReused, key: str | None, clock: Clock) -> Refusal:
    """Return the refusal for *error*. Its Retry-After is when the next place is free, by *clock*, or 30 s."""
    if isinstance(error, KeyReused):
        message = f"the Idempotency-Key {key!r} came with another payload before; a new payload takes a new key"
        return Refusal("IDEMPOTENCY_KEY_REUSED", message)
    wait_s = FULL_RETRY_AFTER_S
    if error.room_at_ms is not None:
        left_ms = error.room_at_ms - clock.now_ms()
        wait_s = max(1, -(-left_ms // (1000 * max(1, clock.pace))))
    if isinstance(error, QueueFull):
        message = f"every slot is taken and the queue is full (DUMMYLLM_QUEUE_MAX); try again in {wait_s} s"
    else:
        limits = "DUMMYLLM_JOBS_MAX, DUMMYLLM_STORE_MAX_BYTES"
        message = f"every place is taken by an unfinished job ({limits}); try again in {wait_s} s"
    return Refusal("FULL", message, headers=((b"retry-after", b"%d" % wait_s),))
