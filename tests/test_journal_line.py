"""A line says of an entry what the entry says: members are handed over by their place, so every one is looked at."""

from __future__ import annotations

import msgspec
import pytest

from dummyllm.core.fate import Fate
from dummyllm.core.faults.fault import fault_of
from dummyllm.core.grammar import Call
from dummyllm.core.mode import Mode
from dummyllm.core.request import Identity, JobId
from dummyllm.core.timeline import Moment, State
from dummyllm.journal import Delivered, Entry, Sent, What
from dummyllm.journal_line import Line, line_of

FATE = Fate(
    mode=Mode.OK,
    timeline=(Moment(0, State.QUEUED), Moment(77, State.TIMEOUT)),
    faults=(fault_of(Call("run.vanish")),),
)
SENT = Sent(
    body=0xB0D1,
    auth=0xA07,
    retries=3,
    fingerprint=bytes([15]) * 16,
    trace_id="trace",
    timeout_ms=9_000,
    key="key",
    fate=FATE,
    waits=True,
    is_replay=True,
    names_unknown=True,
)
ENTRY = Entry(
    seq=1,
    at_ms=2,
    what=What.SUBMIT,
    delivered=Delivered.NO,
    job=JobId("job_3"),
    identity=Identity(bytes([4]) * 16),
    hit=5,
    ordinal=6,
    status=207,
    state=State.RUNNING,
    shown="shown",
    code="CODE",
    ended_at_ms=8,
    user_agent=b"agent",
    note="note",
    n=9,
    fault="fault",
    rule="rule",
    served=False,
    took_ms=10,
    whole_at_s=12.5,
    wait_s=13,
    retry_after_s=14,
    sent=SENT,
)
TOLD = {
    "seq": 1,
    "at_ms": 2,
    "what": "submit",
    "delivered": "no",
    "job": "job_3",
    "identity": "04" * 16,
    "hit": 5,
    "ordinal": 6,
    "status": 207,
    "state": "running",
    "shown": "shown",
    "code": "CODE",
    "ended_at_ms": 8,
    "user_agent": "agent",
    "note": "note",
    "n": 9,
    "fault": "fault",
    "rule": "rule",
    "served": False,
    "took_ms": 10,
    "arrived_ms": 2_500,
    "wait_s": 13,
    "retry_after_s": 14,
}
TOLD_OF_A_SUBMIT = {
    "fingerprint": "0f" * 16,
    "trace_id": "trace",
    "timeout_ms": 9_000,
    "key": "key",
    "is_replay": True,
    "waits": True,
    "body": "0000b0d1",
    "auth": "00000a07",
    "retries": 3,
    "names_unknown": True,
    "outcome": "timeout",
    "ends_after_ms": 77,
    "faults": [FATE.faults[0].text],
}


@pytest.mark.parametrize(
    ("entry", "told"),
    [(ENTRY, TOLD | TOLD_OF_A_SUBMIT), (msgspec.structs.replace(ENTRY, sent=None), TOLD)],
    ids=["a submit", "any other"],
)
def test_every_member_of_a_line_is_what_its_name_says(entry: Entry, told: dict[str, object]) -> None:
    """Over HTTP and in a file alike."""
    assert msgspec.json.decode(msgspec.json.encode(line_of(entry, zero_s=10.0))) == told


def test_no_member_of_a_line_goes_untold() -> None:
    """Nor of this test."""
    assert set(Line.__struct_fields__) == set(TOLD | TOLD_OF_A_SUBMIT)


def test_a_line_arrived_at_the_start_at_the_soonest() -> None:
    """A note of the start itself may have been written a moment before it."""
    assert line_of(ENTRY, zero_s=99.0).arrived_ms == 0
