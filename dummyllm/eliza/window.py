"""Knows how far back ELIZA remembers a conversation: whole turns, the newest, forgotten a few at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dummyllm.eliza.limits import FORGOTTEN_AT_ONCE, MESSAGE_CHARS_MAX, TALK_CHARS_MAX, TURNS_MAX

if TYPE_CHECKING:
    from collections.abc import Sequence


def first_heard(messages: Sequence[str]) -> int:
    """Return the place of the oldest of *messages* that still counts.

    Turns are forgotten in groups, so that a long conversation keeps going on: were they forgotten one by one, each
    message would be answered as if by a talk that had begun a message later, and someone who repeats himself would
    get one answer for ever. The newest group always fits.
    """
    place = len(messages)
    chars = 0
    while place and len(messages) - place < TURNS_MAX:
        chars += min(len(messages[place - 1]), MESSAGE_CHARS_MAX)
        if chars > TALK_CHARS_MAX:
            break
        place -= 1
    return -(-place // FORGOTTEN_AT_ONCE) * FORGOTTEN_AT_ONCE
