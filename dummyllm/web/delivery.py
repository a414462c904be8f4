"""Estimates whether an answer arrived, as far as a server can know (the rule is `journal.Delivered`)."""

from __future__ import annotations

from asyncio import Transport, get_running_loop
from math import inf
from weakref import WeakKeyDictionary

from dummyllm.journal import Delivered, Entry, Sink

PROMPT_MS_MAX = 250

# A client that left so short a time ago counts as one that was still there: it costs a system call to know better.
UNSEEN_S_MAX = 0.05
_YES, _NO = Delivered.YES, Delivered.NO

# What the kernel takes from us at once. A longer answer is still being sent when we are done with it.
WRITTEN_WHOLE_BYTES_MAX = 65_536


class Deliveries:
    """Settles *delivered* of each entry: at once where that can be known, else with the connection's next request."""

    def __init__(self, sink: Sink | None = None) -> None:
        self.sink = sink
        self._unsure: WeakKeyDictionary[Transport, list[Entry]] = WeakKeyDictionary()
        self.are_waiting = False
        self.is_new_turn = True
        """Whether the next request is the first since the loop looked at its sockets."""
        self.seen_s = self._last_turn_s = self._turn_s = -inf
        """Of a client that had left before this monotonic time we know it: the loop has looked since then."""

    def turn(self, now_s: float) -> None:
        """Note that the loop, at *now_s*, begins to answer what it found when it last looked at its sockets.

        What it found may have come at any time since the look before that, which was after the turn before the last.
        """
        self.seen_s, self._last_turn_s, self._turn_s = self._last_turn_s, self._turn_s, now_s
        self.is_new_turn = False
        get_running_loop().call_soon(self._end_turn)  # behind all that was found

    def _end_turn(self) -> None:
        self.is_new_turn = True

    def next_request(self, transport: Transport | None) -> None:
        """Note that a connection carries another request: whatever it was sent before has arrived."""
        if transport is not None:
            for entry in self._unsure.pop(transport, ()):
                entry.delivered = _YES
                self.settled(entry)
            self.are_waiting = len(self._unsure) > 0

    def settled(self, entry: Entry) -> None:
        """Tell whoever keeps the journal elsewhere that *entry* is as it will stay, for all we know by now."""
        if self.sink is not None:
            self.sink(entry)

    def doubtful(self, entry: Entry, transport: Transport, *, was_gone: bool) -> None:
        """Settle *entry*, whose answer went to *transport* late, long, or when the peer *was_gone*."""
        if was_gone:
            entry.delivered = _NO
        else:
            self._unsure.setdefault(transport, []).append(entry)
            self.are_waiting = True
