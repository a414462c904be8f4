"""One row of an account: what was answered, and what else there is to say."""

from __future__ import annotations

from typing import Any

import pytest

from dummyllm.verdict.report.row import answer_of, remarks_on
from tests.verdict.told import Told


def read(**more: Any) -> Any:
    return Told().read(1, **more)


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ({}, "200 running"),
        ({"state": "ok"}, "200 ok"),
        ({"shown": "paused"}, "200 paused"),
        ({"shown": "\x1bpaused"}, "200 \\x1bpaused"),
        ({"state": None}, "200"),
        ({"status": 404, "code": "NOT_FOUND"}, "404 NOT_FOUND"),
        ({"status": 503, "code": "SIM_STATUS", "state": "running"}, "503 SIM_STATUS"),
        ({"status": 502}, "502"),
        ({"status": 0}, "no answer"),
    ],
)
def test_an_answer_is_its_status_and_the_word_that_came_with_it(line: dict[str, Any], answer: str) -> None:
    """The state that was shown, or the code of the error."""
    assert answer_of(read(**line)) == answer


@pytest.mark.parametrize(
    ("line", "remarks"),
    [
        ({}, []),
        ({"fault": "poll.reset"}, ["poll.reset"]),
        ({"fault": "poll.reset", "served": False}, ["poll.reset (not served)"]),
        ({"retry_after_s": 2}, ["Retry-After: 2"]),
        ({"retry_after_s": 2, "fault": "poll.status(503,retry_after=2)"}, ["poll.status(503,retry_after=2)"]),
        ({"wait_s": 30}, ["Prefer: wait=30"]),
        ({"took_ms": 99}, []),
        ({"took_ms": 100}, ["took 100 ms"]),
        ({"note": "a\nb"}, ["a\\nb"]),
        ({"retries": 2}, ["retry 2 of an SDK"]),
        ({"fault": "poll.slow", "wait_s": 1, "took_ms": 900}, ["poll.slow", "Prefer: wait=1", "took 900 ms"]),
    ],
)
def test_a_remark_is_made_where_there_is_something_to_say(line: dict[str, Any], remarks: list[str]) -> None:
    """What befell it, what it was told, how long it took."""
    assert [*remarks_on(read(**line))] == remarks


def test_a_submit_tells_what_its_job_was_dealt() -> None:
    """But not again when its key is repeated: that job was told of before."""
    told = Told()
    first = told.submit(job=1, faults=("run.late(by_ms=9)", "result.cut"))
    again = told.submit(job=1, faults=("run.late(by_ms=9)", "result.cut"), is_replay=True, note="its key came again")
    unknown = told.submit(status=422, names_unknown=True)

    assert [*remarks_on(first)] == ["its job has run.late(by_ms=9), result.cut"]
    assert [*remarks_on(again)] == ["the job was there already"]
    assert [*remarks_on(unknown)] == ["named an unknown member"]
