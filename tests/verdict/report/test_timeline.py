"""The timeline in characters: a line for each row, and `◄` where it proves the breach."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dummyllm.verdict.judge import Found, Result
from dummyllm.verdict.report.account import Account, account_of
from dummyllm.verdict.report.row import Row
from dummyllm.verdict.report.timeline import timeline
from dummyllm.verdict.run import Run
from tests.verdict.report.stories import duplicate, nasty, told_with


def drawn(run: Run, *entries: int, width: int = 92) -> str:
    account = account_of(run, [Found(Result.FAIL, "it happened", entries, logical_job="L1")])
    assert account is not None
    return "\n".join(timeline(account, width))


def test_a_story_is_drawn_as_a_table() -> None:
    """Milliseconds since it began, what came, for which job, what was answered, and whether that arrived."""
    assert (
        drawn(duplicate().run(), 0, 2)
        == """\
L1: 2 submits, 2 jobs, one work by payload; timeout_ms 8000; begins 1000 ms into the run
  ms  request  job                           answer       delivered
   0  submit   job_000000000000000000000001  201 queued   yes        ◄ 0  key k1
  50  poll     job_000000000000000000000001  200 running  yes
  60  submit   job_000000000000000000000002  201 queued   yes        ◄ 2  key k2
 900  ·        job_000000000000000000000001  ends: ok
 960  ·        job_000000000000000000000002  ends: ok
1000  poll     job_000000000000000000000002  200 ok       yes
6300  ·                                      the run is over"""
    )


def test_one_job_needs_no_column() -> None:
    """It is named above; a long remark goes on below itself."""
    told = told_with()
    told.submit(
        job=1, ends_after_ms=None, timeout_ms=0, took_ms=100, faults=("run.vanish(after_ms=60000)", "result.cut")
    )
    for _ in range(9):
        told.later(10).read(1)

    assert (
        drawn(told.run(), 0, 1, width=80)
        == """\
L1: job_000000000000000000000001; timeout_ms 0; begins 0 ms into the run
 ms  request  answer       delivered
  0  submit   201 queued   yes        ◄ 0  took 100 ms, its job has
                                           run.vanish(after_ms=60000),
                                           result.cut
 10  poll     200 running  yes        ◄ 1
 20  poll     200 running  yes
  ⋮  6 more alike, within 50 ms
 90  poll     200 running  yes
100  ·        the run is over"""
    )


def test_where_there_is_no_room_beside_a_row_its_remarks_stand_below() -> None:
    """Two jobs with their whole ids, a long answer, and much to say about it."""
    told = told_with()
    told.submit(job=1, key="k" * 30)
    told.submit(job=2, key="q" * 30, status=422, code="IDEMPOTENCY_KEY_REUSED", state=None)

    assert drawn(told.run(), 0).splitlines()[2:5] == [
        " 0  submit   job_000000000000000000000001  201 queued                  yes        ◄ 0",
        f"{' ' * 24}key {'k' * 30}",
        " 0  submit   job_000000000000000000000002  422 IDEMPOTENCY_KEY_REUSED  yes",
    ]


def test_proofs_that_are_drawn_together_are_marked_in_their_column() -> None:
    """So that the eye finds them where it looks."""
    told = told_with()
    told.submit(job=1, ends_after_ms=None, timeout_ms=0)
    for _ in range(9):
        told.later(10).read(1)
    lines = drawn(told.run(), *range(1, 10)).splitlines()

    places = {line.index("◄") for line in lines if "◄" in line}
    assert len(places) == 1
    assert sum("◄" in line for line in lines) == 3


def test_only_what_is_asked_for_is_painted() -> None:
    """The lines that prove it, and those that are read last."""
    account = account_of(duplicate().run(), [Found(Result.FAIL, "", (0, 2), logical_job="L1")])
    assert account is not None
    lines = timeline(account, 92, proof=lambda line: f"<{line}>", quiet=lambda line: f"({line})")

    assert [line[0] for line in lines[:2]] == ["(", "("]
    assert [line[0] == "<" for line in lines[2:]] == ["◄" in line for line in lines[2:]]


def test_what_a_client_sent_does_not_break_a_line() -> None:
    """No control character, no line break, no change of direction."""
    lines = drawn(nasty().run(), 0, 1, 2).splitlines()

    assert all(line.isprintable() for line in lines)
    assert any("\\x1b[2J" in line for line in lines)


ROWS = st.builds(
    Row,
    at_ms=st.integers(0, 10**7),
    seq=st.integers(0, 10**6),
    request=st.sampled_from(["submit", "poll", "cancel", "inspect"]),
    job=st.sampled_from(["", "job_12eb8f0367abacfed8909bf6", "job_bf6fc4eee95e72d741b38cd7"]),
    answer=st.sampled_from(["200 ok", "503 SIM_STATUS", "no answer"]),
    delivered=st.sampled_from(["yes", "no", "unknown"]),
    remarks=st.lists(st.sampled_from(["took 9 ms", "key k", "poll.slow"]), max_size=9).map(tuple),
    is_proof=st.booleans(),
)


@given(st.lists(ROWS, min_size=1, max_size=60))
def test_no_line_is_wider_than_it_may_be(rows: list[Row]) -> None:
    """Whatever happened."""
    account = Account(0, ("L1: a story",), tuple(sorted(rows, key=lambda row: row.at_ms)))

    assert max(map(len, timeline(account, 100))) <= 100
