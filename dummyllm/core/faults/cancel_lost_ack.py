"""`cancel.lost_ack`: a cancel takes effect, and the client never hears of it."""

from __future__ import annotations

from dummyllm.core.faults.effect import Break, Ending
from dummyllm.core.faults.kind import Kind, Unit

KIND = Kind(
    name="cancel.lost_ack",
    unit=Unit.JOB,
    effect=lambda: Break(Ending.FIN),
    befalls_answer=True,
    excludes="cancel",
    costs="What loses the acknowledgement of a submit (codalab/codabench#2425) loses that of a cancel too, and "
    "cancels are where runners are careless: 54 operators of one project never send theirs on ordinary failures "
    "(apache/airflow#72128).",
    sees="The first cancel of the job takes effect, and the connection closes with 0 bytes. Later ones are answered "
    "as ever.",
    good_runner="Sends the cancel again, or reads the state: both are safe, and both bring the truth.",
)
