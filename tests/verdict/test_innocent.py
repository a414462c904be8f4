"""What looks like a breach, and is none: the client may have known better, or could not know."""

from __future__ import annotations

import httpx
import pytest

from dummyllm.testing import serve
from dummyllm.verdict.finding import Result
from dummyllm.verdict.judge import Verdict, judge
from dummyllm.verdict.limits import Limits
from dummyllm.verdict.oracle import oracle_of
from dummyllm.verdict.same import Same
from tests.plugin.runner import post
from tests.verdict.told import Told

HELLO = {"op": "x", "args": {}}


def failed(told: Told) -> list[str]:
    """Return the rules that the run breaks."""
    return broken(judge(told.run()))


def broken(verdict: Verdict) -> list[str]:
    return [one.id for one in verdict.invariants if one.result is Result.FAIL]


@pytest.mark.parametrize(("delivered", "breaks"), [("yes", []), ("unknown", []), ("no", ["cancel-follow-through"])])
def test_an_end_that_may_have_been_told_frees_the_work(delivered: str, breaks: list[str]) -> None:
    """A held answer takes long, so nobody knows whether it arrived; that proves nothing against who goes by it."""
    told = Told()
    told.submit(job=1, ends_after_ms=None)
    told.later(100).cancel(1, "running")
    told.later(10).read(1, "cancelled", delivered=delivered)
    told.later(100).submit(job=2)
    told.later(300).read(2, "ok")

    assert failed(told) == breaks


def test_a_404_that_may_have_arrived_frees_the_work() -> None:
    """The job is gone, for all its client knows."""
    told = Told()
    told.submit(job=1, ends_after_ms=None)
    told.later(100).cancel(1, "running")
    told.later(10).read(1, None, status=404, delivered="unknown")
    told.later(100).submit(job=2)
    told.later(300).read(2, "ok")

    assert "cancel-follow-through" not in failed(told)


def test_a_job_that_ended_when_the_clock_was_moved_for_the_last_time_was_not_left_running() -> None:
    """No request came after; the server knows all the same, and so does its verdict."""
    with serve(mode="slow", latency_ms=10_000, clock="manual") as dummy:
        post(f"{dummy.base_url}/v1/jobs", json=HELLO)
        dummy.clock.advance(59_999)
        assert broken(dummy.verdict()) == ["cancel-on-give-up"]
        dummy.clock.advance(1)
        assert dummy.jobs[0].state == "ok"

        dummy.assert_good_runner()
    assert broken(dummy.verdict()) == []


# --- Keys ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("same", [Same.AUTO, Same.KEY])
def test_a_key_that_was_used_for_another_payload_ties_nothing(same: Same) -> None:
    """To use it so is wrong, and nothing else is: what came with it then is done under a key of its own."""
    told = Told(same=same)
    told.submit("one", job=1, key="k", trace_id="a")
    told.submit("two", status=422, code="IDEMPOTENCY_KEY_REUSED", key="k", trace_id="b")
    told.later(300).read(1, "ok")
    told.later(100).submit("two", job=2, key="k2", trace_id="b")
    told.later(300).read(2, "ok")

    assert failed(told) == ["payload-integrity"]
    assert {one.jobs for one in oracle_of(told.run()) if one.jobs} == {(f"job_{1:024x}",), (f"job_{2:024x}",)}


def test_the_same_key_again_after_its_refusal_is_the_same_mistake() -> None:
    """Nothing about the request has changed."""
    told = Told(same=Same.AUTO)
    told.submit("one", job=1, key="k", trace_id="a")
    for _ in range(2):
        told.later(300).submit("two", status=422, code="IDEMPOTENCY_KEY_REUSED", key="k", trace_id="b")
    told.read(1, "ok")

    assert failed(told) == ["payload-integrity", "permanent-errors-final"]


@pytest.mark.parametrize(("same", "shared"), [(Same.AUTO, {"key": "k"}), (Same.TRACE_ID, {"trace_id": "t"})])
@pytest.mark.parametrize("status", [413, 422])
def test_a_payload_that_was_repaired_is_another_piece_of_work(same: Same, shared: dict[str, str], status: int) -> None:
    """So a hint to wait that came with the refusal does not bind it; the same payload is no repair."""
    told = Told(same=same)
    told.submit("long", status=status, retry_after_s=5, **shared)
    told.later(200).submit("short", job=1, **shared)
    told.later(300).read(1, "ok")
    again = Told(same=same)
    again.submit("long", status=status, retry_after_s=5, **shared)
    again.later(200).submit("long", job=1, **shared)
    again.later(300).read(1, "ok")

    assert failed(told) == []
    assert failed(again) == ["permanent-errors-final", "retry-after-honoured"]


@pytest.mark.parametrize(("key", "breaks"), [("k", []), ("k2", ["no-redundant-execution"])])
def test_who_sends_the_same_key_again_asks_for_the_same_job(key: str, breaks: list[str]) -> None:
    """That the server forgot it with its job, nobody can know."""
    told = Told()
    told.submit(job=1, key="k")
    told.later(300).read(1, "ok")
    told.later(500).submit(job=2, key=key)
    told.later(300).read(2, "ok")

    assert failed(told) == breaks


# --- Others who read -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("agent", "breaks"), [("runner", ["retry-after-honoured"]), ("dashboard", [])])
def test_a_dashboard_that_comes_back_too_soon_is_no_fault_of_the_runners(agent: str, breaks: list[str]) -> None:
    """The runner is the one that submitted."""
    told = Told(limits=Limits())
    told.submit(job=1, ends_after_ms=5_000, user_agent="runner")
    told.later(100).read(1, None, status=429, retry_after_s=2, user_agent=agent)
    told.later(500).read(1, user_agent=agent)
    told.later(5_000).read(1, "ok", user_agent="runner")

    assert failed(told) == breaks


def test_a_late_success_that_may_have_been_told_is_anybodys_guess() -> None:
    """A runner that keeps it is right, and so is one that does not."""
    told = Told()
    told.submit(job=1, ends_after_ms=1_500, timeout_ms=1_000)
    told.later(1_000).cancel(1, "running")
    told.later(500).read(1, "ok", delivered="unknown")
    (foretold,) = oracle_of(told.run())

    assert foretold.outcome == "unknown"


def test_who_asks_for_the_head_alone_was_told_nothing() -> None:
    """`HEAD` has no body, so it shows no state, and is no read."""
    with serve(latency_ms=0, verdict_terminal_after_ms=0, verdict_slack_ms=0) as dummy:
        job = post(f"{dummy.base_url}/v1/jobs", json=HELLO).json()["id"]
        assert httpx.head(f"{dummy.base_url}/v1/jobs/{job}", trust_env=False).status_code == 200
        assert [line.what for line in dummy.journal] == ["submit", "inspect"]
        assert [rule.premises for rule in dummy.verdict().invariants if rule.id == "no-redundant-execution"] == [0]
