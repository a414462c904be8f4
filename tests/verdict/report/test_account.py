"""The account of a finding: the requests about its work in order, and what happened in between."""

from __future__ import annotations

from typing import Any

import pytest

from dummyllm.verdict.judge import Found, Result
from dummyllm.verdict.report.account import Account, account_of
from dummyllm.verdict.run import Run
from dummyllm.verdict.same import Same
from tests.verdict.report.stories import duplicate, told_with
from tests.verdict.told import Told, job_id


def found(*entries: int, work: str | None = "L1", **more: Any) -> Found:
    return Found(Result.FAIL, "it happened", entries, logical_job=work, **more)


def account(run: Run, *group: Found) -> Account:
    told = account_of(run, group)
    assert told is not None
    return told


def rows(told: Account) -> list[tuple[int, str]]:
    """Return when each row was, and what it tells, in short."""
    return [(row.at_ms - told.begins_ms, row.event or f"{row.request} {row.answer}") for row in told.rows]


def test_an_account_has_every_request_about_the_work_in_order() -> None:
    """The requests of another piece of work are not in it; what proves the breach is marked."""
    told = account(duplicate().run(), found(0, 2))

    assert [row.seq for row in told.rows if row.seq is not None] == [0, 1, 2, 3]
    assert [row.seq for row in told.rows if row.is_proof] == [0, 2]
    assert [row.job for row in told.rows if row.seq is not None] == [job_id(1), job_id(1), job_id(2), job_id(2)]
    assert told.begins_ms == 1_000


def test_a_job_ends_in_the_account_though_nobody_asked() -> None:
    """In the millisecond of a request it had ended when that came."""
    told = told_with()
    told.submit(job=1, ends_after_ms=100)
    told.later(100).read(1, "ok")
    told.later(5).read(1, "ok")

    assert rows(account(told.run(), found(0))) == [
        (0, "submit 201 queued"), (100, "ends: ok"), (100, "poll 200 ok"), (105, "poll 200 ok"),
    ]  # fmt: skip


@pytest.mark.parametrize(("is_final", "said"), [(True, "the run is over"), (False, "the run goes on")])
def test_the_end_of_the_run_is_told_where_a_job_was_left(*, is_final: bool, said: str) -> None:
    """What did not happen takes time, too: an end that nobody heard of, and a job that never ended."""
    told = told_with()
    told.submit(job=1, ends_after_ms=None, timeout_ms=0)
    told.later(50).read(1)

    assert rows(account(told.run(is_final=is_final, now_ms=700), found(0)))[-1] == (700, said)
    told.later(50).read(1, "ok", delivered="yes")
    assert "run" not in rows(account(told.run(is_final=is_final, now_ms=700), found(0)))[-1][1]


@pytest.mark.parametrize(("end_ms", "is_told"), [(7_999, False), (8_000, True)])
def test_the_deadline_is_told_once_it_is_outlived(end_ms: int, *, is_told: bool) -> None:
    """`timeout_ms` after the acceptance, if the job had not ended by then and the run went on for that long."""
    told = told_with()
    told.submit(job=1, ends_after_ms=None, timeout_ms=8_000)
    events = rows(account(told.run(now_ms=end_ms), found(0)))

    assert ((8_000, "outlives its timeout_ms") in events) is is_told


@pytest.mark.parametrize(
    ("ends_after_ms", "pace", "clock", "is_told"),
    [(8_000, 1, "wall", False), (8_001, 1, "wall", True), (None, 0, "manual", False), (None, 20, "scale", False)],
)
def test_a_deadline_that_was_kept_or_that_runs_by_another_clock_is_not_told(
    ends_after_ms: int | None, pace: int, clock: str, *, is_told: bool
) -> None:
    """The jobs' own clock may be anywhere."""
    told = told_with(pace=pace, clock=clock)
    told.submit(job=1, ends_after_ms=ends_after_ms, timeout_ms=8_000)
    events = [said for _, said in rows(account(told.run(now_ms=9_000), found(0)))]

    assert ("outlives its timeout_ms" in events) is is_told


def test_a_job_that_waited_gets_its_slot_in_the_account() -> None:
    """With DUMMYLLM_SLOTS a job starts later than it is accepted."""
    told = told_with()
    told.submit(job=1, waits=True, ends_after_ms=100)
    told.later(40).started(1)
    told.later(200).read(1, "ok")

    assert rows(account(told.run(), found(0)))[1:3] == [(40, "gets its slot"), (140, "ends: ok")]


def test_what_all_submits_share_is_told_once() -> None:
    """And what differs is told with each of them."""
    told = told_with()
    told.submit(job=1, key="k1", trace_id="t", user_agent="runner/1")
    told.later(10).submit(job=2, key="k2", trace_id="t", user_agent="runner/1")
    told.later(10).submit(job=3, trace_id="t", user_agent="runner/1")
    account_ = account(told.run(), found(0))

    assert account_.facts == (
        "L1: 3 submits, 3 jobs, one work by payload", "timeout_ms 8000", "trace_id t", "by runner/1"
    )  # fmt: skip
    assert [row.remarks for row in account_.rows if row.request == "submit"] == [("key k1",), ("key k2",), ("no key",)]


def test_who_asked_is_told_with_each_request_if_several_did() -> None:
    """A dashboard reads too."""
    told = told_with()
    told.submit(job=1, user_agent="runner/1")
    told.later(10).read(1, user_agent="dashboard")
    told.later(10).read(1)

    remarks = [row.remarks for row in account(told.run(), found(0)).rows if row.request]
    assert remarks == [("by runner/1",), ("by dashboard",), ("by a client without a name",)]


@pytest.mark.parametrize(
    ("more", "told_so"),
    [
        ({"body": "9-other"}, []),
        ({"fingerprint": "b" * 32}, ["payload bbbbbbbbbbbb"]),
        ({"auth": "1-1"}, ["credentials 1-1"]),
    ],
)
def test_another_payload_or_another_key_is_told_apart(more: dict[str, Any], told_so: list[str]) -> None:
    """White space in a body makes no other payload."""
    told = told_with(same=Same.KEY)
    told.submit(job=1, key="k")
    told.submit(job=2, key="k", **more)

    assert [*account(told.run(), found(0)).rows[1].remarks] == told_so


@pytest.mark.parametrize(
    ("submits", "fact"),
    [
        ([{"job": 1}], f"L1: {job_id(1)}"),
        ([{"status": 503}], "L1: no job"),
        ([{"status": 503}, {"job": 1}], f"L1: 2 submits, {job_id(1)}, one work by payload"),
        ([{"status": 503}, {"status": 503}], "L1: 2 submits, 0 jobs, one work by payload"),
        ([{"job": 1}, {"job": 2}], "L1: 2 submits, 2 jobs, one work by payload"),
    ],
)
def test_an_account_says_whose_it_is(submits: list[dict[str, Any]], fact: str) -> None:
    """The piece of work, what it became, and what holds it together."""
    told = told_with()
    for submit in submits:
        told.submit("a", **submit)

    assert account(told.run(), found(0)).facts[0] == fact


def crowd(count: int) -> Told:
    told = told_with()
    for number in range(count):
        told.submit(f"payload-{number}", job=number)
        told.read(number)
    return told


@pytest.mark.parametrize(("count", "rows_told"), [(1, 2), (3, 6), (4, 4)])
def test_a_finding_without_a_work_tells_the_works_of_its_proofs(count: int, rows_told: int) -> None:
    """But of many pieces of work only the proofs."""
    told = account(crowd(count).run(), found(*range(0, 2 * count, 2), work=None))

    assert len([row for row in told.rows if row.request]) == rows_told
    assert sum(row.is_proof for row in told.rows) == count


def test_several_findings_about_one_work_are_one_account() -> None:
    """With the proofs of all of them."""
    told = account(duplicate().run(), found(0), found(2, 3))

    assert [row.seq for row in told.rows if row.is_proof] == [0, 2, 3]


def test_a_finding_whose_entries_are_gone_has_no_account() -> None:
    """They may have fallen out of the journal meanwhile, or there never were any."""
    run = duplicate().run()

    assert account_of(run, [found(work=None)]) is None
    assert account_of(run, [found(99, work="L99")]) is None
