"""failures: what went wrong with a piece of work, when its client was told, and what it did next."""

from __future__ import annotations

from dummyllm.verdict.failures import Failure, failures_of
from tests.verdict.told import Told


def failures(told: Told) -> list[Failure | None]:
    """Return those of the only work of *told*."""
    (work,) = told.run().works
    return list(failures_of(work, "backoff"))


def test_a_refused_submit_is_a_failure_and_the_next_submit_answers_it() -> None:
    """The gap counts from when the refusal had left."""
    told = Told()
    refusal = told.submit(status=503, took_ms=5)
    again = told.later(25).submit(job=1)

    first, second = failures(told)

    assert first == Failure(refusal, again)
    assert (first.gap_ms, first.alike, first.has_hint) == (20, "503", False)
    assert second is None


def test_a_failed_job_is_one_when_its_client_is_told() -> None:
    """The answer that told it is the evidence."""
    told = Told()
    told.submit(job=1, outcome="fail")
    news = told.later(300).read(1, "fail")
    (failure,) = failures(told)

    assert failure == Failure(news, None)
    assert (failure.gap_ms, failure.alike) == (None, "fail")


def test_a_submit_before_the_news_does_not_answer_it() -> None:
    """In the same millisecond it may."""
    for gap_ms, answers in ((4, False), (5, True)):
        told = Told()
        told.submit(status=503, took_ms=5)
        told.later(gap_ms).submit(status=503)
        first = failures(told)[0]

        assert first is not None
        assert (first.again is not None) is answers


def test_a_hint_is_noticed() -> None:
    """Whoever has one need not back off."""
    told = Told()
    told.submit(status=429, retry_after_s=2)
    (failure,) = failures(told)

    assert failure is not None
    assert failure.has_hint


def test_a_suspended_job_has_not_failed() -> None:
    """Not for the rule that is suspended."""
    told = Told()
    told.submit(job=1, outcome="fail", faults=("run.vanish(after_ms=1)",))
    told.later(300).read(1, "fail")
    (work,) = told.run().works

    assert list(failures_of(work, "isolation")) == [None]
    assert list(failures_of(work, "backoff")) != [None]
