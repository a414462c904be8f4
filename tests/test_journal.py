"""The journal: an append-only ring of what the server saw and did."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dummyllm.core.request import Identity, JobId
from dummyllm.journal import Delivered, Entry, Journal, What


def filled(entries: int, *, ring: int = 100) -> Journal:
    journal = Journal(ring)
    for number in range(entries):
        journal.note(What.EVICTED, at_ms=number, note=f"entry {number}")
    return journal


def seqs(journal: Journal, since: int = 0) -> list[int]:
    return [entry.seq for entry in journal.since(since)]


def test_entries_are_numbered_from_0_in_order() -> None:
    """Append-only, in order."""
    journal = filled(5)

    assert seqs(journal) == [0, 1, 2, 3, 4]
    assert [entry.at_ms for entry in journal.since()] == [0, 1, 2, 3, 4]
    assert (len(journal), journal.dropped) == (5, 0)


def test_a_new_journal_is_empty() -> None:
    """Nothing was seen yet."""
    journal = Journal(3)

    assert (seqs(journal), len(journal), journal.dropped) == ([], 0, 0)


@pytest.mark.parametrize(("entries", "held", "dropped"), [(2, 2, 0), (3, 3, 0), (4, 3, 1), (10, 3, 7)])
def test_the_oldest_entries_fall_out_of_the_ring_and_are_counted(entries: int, held: int, dropped: int) -> None:
    """JOURNAL_MAX: entries kept in memory."""
    journal = filled(entries, ring=3)

    assert (len(journal), journal.dropped) == (held, dropped)
    assert seqs(journal) == list(range(dropped, entries))


@settings(deadline=None)
@given(entries=st.integers(0, 30), ring=st.integers(1, 12), since=st.integers(-3, 40))
def test_since_yields_what_is_held_from_that_number_on(entries: int, ring: int, since: int) -> None:
    """Asking for what fell out begins at the oldest that is held; asking for the future yields nothing."""
    journal = filled(entries, ring=ring)

    assert seqs(journal, since) == [seq for seq in range(max(0, entries - ring), entries) if seq >= since]


def test_since_can_be_followed() -> None:
    """A reader goes on from the number after the last one it saw, and misses nothing."""
    journal = filled(3)
    seen = seqs(journal)
    journal.note(What.RESET, at_ms=9, note="later")

    assert seqs(journal, seen[-1] + 1) == [3]


def test_a_note_says_what_when_and_of_which_job() -> None:
    """Something the server did on its own account; it went to no client."""
    journal = Journal(10)
    journal.note(What.EVICTED, at_ms=7, job=JobId("job_1"), identity=Identity(b"i"), note="left")

    (entry,) = journal.since()
    expected = Entry(0, 7, What.EVICTED, JobId("job_1"), Identity(b"i"), note="left", whole_at_s=entry.whole_at_s)

    assert entry == expected
    assert entry.whole_at_s >= journal.zero_s
    assert entry.delivered is Delivered.UNKNOWN


def test_an_entry_is_there_before_it_is_settled_whether_it_was_delivered() -> None:
    """It is filled in when the answer has left: a client that has an answer in hand always finds its entry."""
    journal = Journal(10)
    entry = Entry(journal.next_seq(), 0, What.POLL)
    journal.append(entry)
    (found,) = journal.since()
    entry.delivered = Delivered.YES

    assert found.delivered is Delivered.YES


def test_after_a_clear_numbering_begins_again() -> None:
    """Forget every entry; numbering begins again at 0."""
    journal = filled(10, ring=3)
    journal.clear()
    assert (seqs(journal), len(journal), journal.dropped) == ([], 0, 0)

    journal.note(What.RESET, at_ms=1, note="a fresh start")
    assert (seqs(journal), journal.dropped) == ([0], 0)
