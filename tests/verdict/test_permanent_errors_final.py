"""permanent-errors-final: what was refused for good is not sent again as it is."""

from __future__ import annotations

import pytest

from dummyllm.verdict.attempts import Same
from dummyllm.verdict.invariants.permanent_errors_final import INVARIANT
from tests.verdict.told import Told


@pytest.mark.parametrize("status", [400, 401, 403, 413, 415, 422])
def test_the_same_bytes_after_a_permanent_error_convict(status: int) -> None:
    """The evidence is the refusal and the first that came after it, whatever became of that."""
    told = Told()
    refusal = told.submit(status=status, took_ms=3)
    again = told.later(3).submit(job=1)
    found = INVARIANT.judge(told.run())

    assert [finding.entries for finding in found.breaches] == [(refusal.seq, again.seq)]
    assert found.premises == 1


@pytest.mark.parametrize("status", [404, 408, 409, 425, 429, 500, 503])
def test_other_errors_may_pass(status: int) -> None:
    """They are no premise."""
    told = Told()
    told.submit(status=status)
    told.later(100).submit(job=1)

    assert INVARIANT.judge(told.run()).premises == 0


def test_an_error_that_was_taken_for_final_is_a_pass() -> None:
    """The premise was met, and nothing came after it."""
    told = Told()
    told.submit(status=422)
    found = INVARIANT.judge(told.run())

    assert (found.premises, found.breaches) == (1, [])


def test_a_submit_that_was_on_its_way_proves_nothing() -> None:
    """It came before the refusal had left."""
    told = Told()
    told.submit(status=422, took_ms=10)
    told.later(9).submit(status=422)

    assert INVARIANT.judge(told.run()).breaches == []


@pytest.mark.parametrize("delivered", ["no", "unknown"])
def test_a_refusal_that_may_not_have_arrived_binds_nobody(delivered: str) -> None:
    """Only `yes` is a premise."""
    told = Told()
    told.submit(status=422, delivered=delivered)
    told.later(100).submit(job=1)

    assert INVARIANT.judge(told.run()).premises == 0


@pytest.mark.parametrize("changed", [{"body": "9-b"}, {"auth": "another"}], ids=["bytes", "credentials"])
def test_other_bytes_or_other_credentials_are_a_repair(changed: dict[str, str]) -> None:
    """Neither is the same request."""
    told = Told()
    told.submit(status=401, auth="one", body="9-a")
    told.later(100).submit(**{"job": 1, "auth": "one", "body": "9-a", **changed})

    assert INVARIANT.judge(told.run()).breaches == []


def test_a_body_that_was_never_read_is_not_compared() -> None:
    """Nobody knows whether it was the same."""
    told = Told()
    told.submit(status=413, body=None)
    told.later(100).submit(status=413, body=None)

    assert INVARIANT.judge(told.run()).premises == 0


@pytest.mark.parametrize("times", [2, 4])
def test_a_loop_is_one_finding_that_counts(times: int) -> None:
    """The smallest evidence is the first time."""
    told = Told()
    for _ in range(1 + times):
        told.later(10).submit(status=400)
    (finding,) = INVARIANT.judge(told.run()).breaches

    assert finding.entries == (0, 1)
    assert finding.message == (
        "400 is for good; 10 ms after it the runner sent the same bytes with the same credentials again, "
        f"{times} times in all"
    )


def test_once_is_not_counted() -> None:
    """And the code is named where there is one."""
    told = Told()
    told.submit(status=400, code="BAD_JSON", took_ms=2)
    told.later(12).submit(status=400, retries=1)

    assert INVARIANT.judge(told.run()).breaches[0].message == (
        "400 BAD_JSON is for good; 10 ms after it the runner's SDK sent the same bytes with the same credentials again"
    )


def test_two_bodies_are_two_premises() -> None:
    """Each may be sent again for itself."""
    told = Told(same=Same.KEY)
    for body in ("1-x", "1-y", "1-x", "1-y"):
        told.later(10).submit(status=422, body=body, key="k")
    found = INVARIANT.judge(told.run())

    assert (found.premises, len(found.breaches)) == (2, 2)


def test_equal_payloads_alone_only_warn() -> None:
    """Two customers may send the same nonsense."""
    told = Told(same=Same.AUTO)
    told.submit(status=422)
    told.later(100).submit(status=422)
    found = INVARIANT.judge(told.run())

    assert (len(found.breaches), len(found.warnings)) == (0, 1)
