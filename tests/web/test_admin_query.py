"""What the operator asks of the journal: everything, a page, or only what is of interest; and the verdict so far."""

from __future__ import annotations

from typing import Any

import pytest

from dummyllm.journal import What
from dummyllm.journal_file import read_journal
from dummyllm.web.app import App
from tests.web.desk import FIRST_JOB, app_with, get, polled, post, submitted
from tests.web.direct import direct

ID = FIRST_JOB.rpartition("/")[2]


def busy() -> App:
    """Return an app that has seen two submits, one of them befallen, two reads and a cancel."""
    app = app_with(SCRIPT="ok+poll.missing, submit.status(503), ok")
    job = submitted(app)
    submitted(app)
    for _ in range(2):
        get(app, f"/v1/jobs/{job['id']}")
    submitted(app, "other")
    post(app, f"/v1/jobs/{job['id']}/cancel")
    return app


def numbers(app: App, query: str) -> tuple[list[int], int]:
    view = get(app, f"/__admin/journal?{query}").json
    return [one["seq"] for one in view["entries"]], view["next"]


@pytest.mark.parametrize(
    ("query", "seqs"),
    [
        ("", [0, 1, 2, 3, 4, 5]),
        ("what=submit", [0, 1, 4]),
        ("what=poll", [2, 3]),
        ("what=evicted", []),
        (f"job={ID}", [0, 2, 3, 5]),
        ("job=job_000000000000000000000000", []),
        ("fault=1", [1, 2]),
        ("fault=0", [0, 1, 2, 3, 4, 5]),
        (f"what=poll&job={ID}&fault=1", [2]),
        ("what=submit&since=1", [1, 4]),
    ],
)
def test_the_journal_is_asked_for_what_is_of_interest(query: str, seqs: list[int]) -> None:
    """`what` is a kind of entry, `job` an id, and `fault=1` leaves only what a fault befell; all of them must hold."""
    assert numbers(busy(), query) == (seqs, 6)


def test_a_page_goes_on_where_the_one_before_it_stopped_to_look() -> None:
    """`next` is the number after the last entry that was looked at, so that nothing is looked at twice or missed."""
    app = busy()

    assert numbers(app, "what=submit&limit=2") == ([0, 1], 2)
    assert numbers(app, "what=submit&limit=2&since=2") == ([4], 6)
    assert numbers(app, "what=submit&limit=0") == ([], 0)


@pytest.mark.parametrize("page", ["journal", "decisions"])
def test_after_a_reset_there_are_fewer_entries_than_before(page: str) -> None:
    """A reader who waits for entry 6 is told that there are only so many: the numbers began anew."""
    app = busy()
    assert get(app, f"/__admin/{page}?since=6").json["next"] == 6
    post(app, "/__admin/reset")

    assert get(app, f"/__admin/{page}?since=6").json["next"] == 1


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("what=pol", f"what='pol' is none of {', '.join(What)} (did you mean 'poll'?) - at `query.what`"),
        ("what=", "what='' is none of submit"),
        ("job=17", "job='17' is no job id; an id is job_ and 24 hex digits - at `query.job`"),
        (f"job={ID}%0A", "is no job id"),
        (f"job={ID[:-1]}%D9%A3", "is no job id"),
        ("fault=yes", "fault='yes' is neither 1 nor 0 - at `query.fault`"),
        ("since=-1", "since='-1' is not a whole number from 0 to 9007199254740992 - at `query.since`"),
        ("limit=10001", "limit='10001' is not a whole number from 0 to 10000 - at `query.limit`"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_the_parameter(query: str, why: str) -> None:
    """422, what was wrong, and what is allowed."""
    answer = get(busy(), f"/__admin/journal?{query}")

    assert (answer.status, answer.code) == (422, "INVALID_REQUEST")
    assert why in answer.message


def test_the_journal_can_be_had_as_a_file() -> None:
    """As DUMMYLLM_JOURNAL keeps it: a heading, a line for each entry, and the sums as of now."""
    app = busy()
    answer = get(app, "/__admin/journal.jsonl")
    read = read_journal(answer.body.splitlines(keepends=True))

    assert (answer.status, answer.headers["content-type"]) == (200, "application/jsonl")
    assert [line.seq for line in read.lines] == [0, 1, 2, 3, 4, 5]
    assert read.heading.replay.endswith(" dummyllm serve")
    assert read.closing is not None
    assert read.closing.fates == get(app, "/__admin/decisions").json["fates"]


@pytest.mark.parametrize("path", ["/__admin/journal.jsonl", "/__admin/verdict"])
def test_neither_is_for_strangers(path: str) -> None:
    """The GETs answer this machine, and others only with the key."""
    answer = direct(app_with(), "GET", path, client=("192.0.2.1", 50_000))

    assert (answer.status, answer.code) == (403, "ADMIN_OFF")


def results(app: App, query: str) -> dict[str, Any]:
    return {one["id"]: one["result"] for one in get(app, f"/__admin/verdict?{query}").json["invariants"]}


def test_the_verdict_so_far_changes_nothing() -> None:
    """It can be had at any time, as often as anybody likes."""
    app = app_with(MODE="hang", CLOCK="wall")
    polled(app, submitted(app))
    before = get(app, "/__admin/journal").json

    assert results(app, "final=1") == results(app, "final=1")
    assert get(app, "/__admin/verdict").json["is_final"] is False
    assert get(app, "/__admin/journal").json == before


def test_what_is_required_and_not_exercised_fails_a_run_that_is_over() -> None:
    """`require` is a list with commas; blanks around the words and empty words do no harm."""
    app = app_with()
    verdict = get(app, "/__admin/verdict?final=1&require=%20backoff%20,,jitter,").json

    assert verdict["verdict"] == "fail"
    assert [reason.split()[0] for reason in verdict["reasons"]] == ["backoff", "jitter"]
    assert get(app, "/__admin/verdict?require=backoff").json["verdict"] == "pass"


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("require=bakoff", "'bakoff' is no rule of the verdict (did you mean 'backoff'?)"),
        ("require=backoff%0A", "'backoff\\n' is no rule of the verdict (did you mean 'backoff'?)"),
        ("final=2", "final='2' is neither 1 nor 0 - at `query.final`"),
    ],
)
def test_a_rule_that_does_not_exist_is_refused_with_the_nearest(query: str, why: str) -> None:
    """422, with the path of the mistake."""
    answer = get(app_with(), f"/__admin/verdict?{query}")

    assert (answer.status, answer.code) == (422, "INVALID_REQUEST")
    assert answer.message.startswith(why)
