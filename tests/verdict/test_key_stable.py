"""key-stable: a retry after a lost acknowledgement carries the key of the first attempt."""

from __future__ import annotations

from typing import Any

import pytest

from dummyllm.verdict.invariants.key_stable import INVARIANT
from dummyllm.verdict.same import Same
from tests.verdict.told import Told, job_id


def lost(told: Told | None = None, *, key: str | None = "k1", **more: Any) -> Told:
    """Tell of a job whose acknowledgement was lost."""
    told = told or Told()
    told.submit(job=1, key=key, **{"delivered": "no", "fault": "submit.lost_ack", **more})
    return told


def test_a_retry_with_another_key_convicts() -> None:
    """The evidence is the submit whose answer was lost, and the next one."""
    told = lost()
    again = told.later(100).submit(job=2, key="k2")
    found = INVARIANT.judge(told.run())

    assert [finding.entries for finding in found.breaches] == [(0, again.seq)]
    assert found.breaches[0].job == job_id(1)
    assert (found.premises, found.warnings) == (1, [])


def test_a_retry_with_the_same_key_does_right() -> None:
    """It gets the job that it already has."""
    told = lost()
    told.later(100).submit(job=1, is_replay=True, key="k1")
    found = INVARIANT.judge(told.run())

    assert (found.premises, found.breaches, found.warnings) == (1, [], [])


@pytest.mark.parametrize(
    ("first", "again", "says"),
    [
        ("k1", None, "without an Idempotency-Key, though the first attempt had one"),
        (None, None, "without an Idempotency-Key, as before"),
        (None, "k2", "with an Idempotency-Key that the first attempt did not have"),
    ],
)
def test_a_retry_without_a_key_to_go_by_is_warned_of(first: str | None, again: str | None, says: str) -> None:
    """The official SDKs send none: a warning, never a failure."""
    told = lost(key=first)
    told.later(100).submit(job=2, key=again)
    found = INVARIANT.judge(told.run())

    assert (found.premises, found.breaches, len(found.warnings)) == (1, [], 1)
    assert says in found.warnings[0].message


def test_a_retry_that_was_refused_counts_as_well() -> None:
    """It would have made a second job."""
    told = lost()
    told.later(100).submit(status=503, key="k2")

    assert len(INVARIANT.judge(told.run()).breaches) == 1


@pytest.mark.parametrize("delivered", ["yes", "unknown"])
def test_an_acknowledgement_that_may_have_arrived_is_no_premise(delivered: str) -> None:
    """Only `no` is: after an acknowledgement a new key means a new execution."""
    told = lost(delivered=delivered, fault=None)
    told.later(100).submit(job=2, key="k2")

    assert INVARIANT.judge(told.run()).premises == 0


def test_a_refusal_that_was_lost_is_no_premise() -> None:
    """No job was made, so no second one can be."""
    told = Told()
    told.submit(status=503, key="k1", delivered="no")
    told.later(100).submit(job=2, key="k2", delivered="unknown")
    told.later(100).submit(job=2, key="k2", status=409, delivered="no")
    told.later(100).submit(job=3, key="k3")

    assert INVARIANT.judge(told.run()).premises == 0


def test_only_the_very_next_submit_is_judged() -> None:
    """The second retry may well be a new execution."""
    told = lost()
    told.later(100).submit(job=1, is_replay=True, key="k1")
    told.later(100).submit(job=2, key="k2")
    found = INVARIANT.judge(told.run())

    assert (found.premises, found.breaches) == (1, [])


def test_a_lost_answer_to_the_retry_is_judged_again() -> None:
    """Each lost acknowledgement asks for the key once more."""
    told = lost()
    told.later(100).submit(job=1, is_replay=True, key="k1", delivered="no", fault="submit.lost_ack")
    told.later(100).submit(job=2, key="k2")
    found = INVARIANT.judge(told.run())

    assert (found.premises, len(found.breaches)) == (2, 1)


def test_a_submit_that_was_on_its_way_is_no_retry() -> None:
    """Both sides of the edge: a client that left after 100 ms."""
    told = lost(took_ms=100, fault="submit.slow_ack")
    told.later(99).submit(job=2, key="k2")
    assert INVARIANT.judge(told.run()).premises == 0

    told = lost(took_ms=100, fault="submit.slow_ack")
    told.later(100).submit(job=2, key="k2")
    assert len(INVARIANT.judge(told.run()).breaches) == 1


def test_a_client_that_left_a_wait_at_nobody_knows_when_is_not_judged() -> None:
    """The next submit may have come while it still waited."""
    told = lost(wait_s=30, fault=None)
    told.later(100).submit(job=2, key="k2")

    assert INVARIANT.judge(told.run()).premises == 0


def test_a_client_that_is_known_to_have_left_a_wait_is_judged() -> None:
    """It waited for 100 ms, and then came again."""
    told = lost(wait_s=30, took_ms=100, fault=None)
    told.later(100).submit(job=2, key="k2")

    assert len(INVARIANT.judge(told.run()).breaches) == 1


def test_another_payload_takes_another_key() -> None:
    """With the old one it would be refused."""
    told = lost(Told(same=Same.TRACE_ID), trace_id="t")
    told.later(100).submit("b", job=2, key="k2", trace_id="t")

    assert INVARIANT.judge(told.run()).premises == 0


@pytest.mark.parametrize("ask", ["read", "cancel"])
def test_whoever_knows_the_job_all_the_same_may_run_it_again(ask: str) -> None:
    """Half an answer may have been enough to learn its id."""
    told = lost(fault="submit.cut_ack")
    getattr(told.later(50), ask)(1)
    told.later(50).submit(job=2, key="k2")

    assert INVARIANT.judge(told.run()).premises == 0


def test_whoever_was_acknowledged_before_may_run_it_again() -> None:
    """Only the answer to a second submit with the key was lost; the id was known."""
    told = Told()
    told.submit(job=1, key="k1", outcome="fail")
    told.later(300).submit(job=1, is_replay=True, key="k1", delivered="no")
    told.later(100).submit(job=2, key="k2")

    assert INVARIANT.judge(told.run()).premises == 0


def test_a_key_that_was_there_before_belongs_to_another_attempt() -> None:
    """Two workers have taken the same work, each with a key of its own: this is the other one's retry."""
    told = Told()
    told.submit(status=503, key="k2")
    lost(told.later(10))
    told.later(10).submit(job=2, key="k2")

    assert INVARIANT.judge(told.run()).premises == 0


def test_a_retry_without_a_key_is_nobody_elses() -> None:
    """That another attempt had none either does not make it that one's retry."""
    told = Told()
    told.submit(status=503, key=None)
    lost(told.later(10))
    told.later(10).submit(job=2, key=None)

    assert len(INVARIANT.judge(told.run()).warnings) == 1


def test_the_same_key_does_right_again_and_again() -> None:
    """Two acknowledgements were lost, and the key stayed."""
    told = lost()
    for delivered in ("no", "yes"):
        told.later(100).submit(job=1, is_replay=True, key="k1", delivered=delivered)
    found = INVARIANT.judge(told.run())

    assert (found.premises, found.breaches) == (2, [])


def test_a_suspended_job_is_not_judged() -> None:
    """No fault asks for it today; one of tomorrow may."""
    told = lost()
    told.later(100).submit(job=2, key="k2")
    run = told.run()
    run.works[0].stories[0].suspended = frozenset({INVARIANT.id})

    assert INVARIANT.judge(run).premises == 0


def test_other_work_is_none_of_its_business() -> None:
    """Only submits of the same work are compared."""
    told = lost()
    told.later(100).submit("b", job=2, key="k2")

    assert INVARIANT.judge(told.run()).premises == 0


def test_equal_payloads_alone_only_warn() -> None:
    """Under `auto` a group that is held together by its payload alone never fails."""
    told = lost(Told(same=Same.AUTO))
    told.later(100).submit(job=2, key="k2")
    found = INVARIANT.judge(told.run())

    assert (len(found.breaches), len(found.warnings)) == (0, 1)


def test_a_sdk_that_tries_again_by_itself_is_named() -> None:
    """Attempts of the same call are told apart in the report."""
    told = lost()
    told.later(100).submit(job=2, key="k2", retries=1)

    assert "the runner's SDK" in INVARIANT.judge(told.run()).breaches[0].message
