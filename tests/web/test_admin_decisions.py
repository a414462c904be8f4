"""What the operator is told of chance: every draw behind what befell a job or a request, and the run as a recording."""

from __future__ import annotations

from math import log
from pathlib import Path
from typing import Any

import pytest

from dummyllm.core.draw import Luck, site_of
from dummyllm.core.fingerprint import fingerprint_of
from dummyllm.core.replay import read_replay
from dummyllm.web.app import App
from tests.web.desk import BODY, FIRST_JOB, HERE, WORK, app_with, get, polled, post, submitted
from tests.web.direct import direct

IDENTITY = fingerprint_of(WORK).hex()


# --- The decisions ---------------------------------------------------------------------------------------------------


def decided(app: App, what: str = "submit") -> list[Any]:
    """Return the decisions of *app* about requests of one kind."""
    found = get(app, "/__admin/decisions").json["decisions"]
    return [one for one in found if one["what"] == what]


def test_the_race_for_a_mode_is_laid_open() -> None:
    """Each option runs for `time` = −ln(`u`) / `weight`, and the first one home has `won`."""
    app = app_with(MODE="random", RANDOM_WEIGHTS="ok=3,fail=2,hang=1")
    jobs = [submitted(app) for _ in range(10)]

    for ordinal, (job, one) in enumerate(zip(jobs, decided(app), strict=True)):
        assert (one["seq"], one["identity"], one["job"]) == (ordinal, IDENTITY, job["id"])
        assert (one["hit"], one["ordinal"], one["faults"]) == (ordinal, ordinal, [])
        for draw, (mode, weight) in zip(one["draws"], [("ok", 3), ("fail", 2), ("hang", 1)], strict=True):
            assert (draw["site"], draw["option"], draw["weight"]) == (f"mode:{mode}", mode, weight)
            assert 0 < draw["u"] < 1
            assert draw["time"] == pytest.approx(-log(draw["u"]) / weight)
        won = min(one["draws"], key=lambda draw: draw["time"])
        assert [draw["option"] for draw in one["draws"] if draw["won"]] == [won["option"]]
        assert get(app, f"/v1/jobs/{job['id']}/request").json["chosen_mode"] == won["option"]


def test_who_repeats_a_submit_by_its_key_moves_the_hit_and_not_the_ordinal() -> None:
    """`hit` and `ordinal` say how often the same work was submitted and made a job before."""
    app = app_with()
    for key in (b"a", b"a", b"b"):
        direct(app, "POST", "/v1/jobs", BODY, [*HERE, (b"idempotency-key", key)])

    assert [(one["hit"], one["ordinal"]) for one in decided(app)] == [(0, 0), (1, 0), (2, 1)]


@pytest.mark.parametrize(
    ("faults", "what", "site", "fault"),
    [
        ("submit.status(503,retry_after=2)=30", "submit", "submit.status(503)", "submit.status(503,retry_after=2)"),
        ("run.vanish(after_ms=7)=30", "submit", "run.vanish", "run.vanish(after_ms=7)"),
        ("poll.slow(ms=1)=30", "poll", "poll.slow#0", "poll.slow(ms=1)"),
    ],
)
def test_a_fault_fires_where_its_draw_comes_below_its_percent(faults: str, what: str, site: str, fault: str) -> None:
    """Each was drawn at its `site`, and `fired` if its `u` came below its `percent`, whether it then was or not."""
    app = app_with(FAULTS=faults)
    befallen = []
    for number in range(40):
        answer = submitted(app, f"op-{number}")
        if "id" in answer:
            polled(app, answer)
    for one in decided(app, what):
        (draw,) = one["faults"]
        assert (draw["site"], draw["fault"], draw["percent"]) == (site, fault, 30.0)
        assert draw["fired"] == draw["served"] == (draw["u"] < 0.3)
        befallen.append(draw["served"])

    assert set(befallen) == {True, False}


def test_of_faults_that_exclude_each_other_one_is_served() -> None:
    """Of those that exclude each other only the first is `served`; what befell the request is in the journal, too."""
    app = app_with(FAULTS="submit.lost_ack=100,submit.status(429)=100,submit.reset=0.0001")
    refused = post(app, "/v1/jobs", BODY)
    (one,) = decided(app)
    (entry,) = get(app, "/__admin/journal").json["entries"]

    assert (refused.status, entry["fault"], entry["status"]) == (429, "submit.status(429)", 429)
    assert {draw["fault"]: (draw["fired"], draw["served"]) for draw in one["faults"]} == {
        "submit.status(429)": (True, True), "submit.reset": (False, False), "submit.lost_ack": (True, False),
    }  # fmt: skip
    assert (one["hit"], "job" in one, "ordinal" in one) == (0, False, False)


def test_a_fault_that_the_server_cannot_do_is_not_served() -> None:
    """`"served":false` says that the server could not do what the fault asks for: here it shows no connection."""
    app = app_with(FAULTS="submit.lost_ack=100")
    answer = post(app, "/v1/jobs", BODY)
    (one,) = decided(app)
    (entry,) = get(app, "/__admin/journal").json["entries"]

    assert (answer.status, entry["fault"], entry["served"]) == (201, "submit.lost_ack", False)
    assert [(draw["fired"], draw["served"]) for draw in one["faults"]] == [(True, False)]


@pytest.mark.parametrize(
    ("script", "fault"),
    [("submit.status(503)", "submit.status(503)"), ("ok+run.late", "run.late")],
)
def test_a_fault_that_a_script_names_has_no_draw(script: str, fault: str) -> None:
    """A fault that a script or a recording names is there without a draw."""
    app = app_with(SCRIPT=script, FAULTS="submit.reset=0.0001")
    post(app, "/v1/jobs", BODY)
    (one,) = decided(app)
    named, *drawn = [draw for draw in one["faults"] if draw["served"]] + one["faults"]

    assert named == {"site": fault, "fault": fault, "fired": True, "served": True}
    assert [draw["site"] for draw in drawn if "u" in draw] == ["submit.reset"]


def test_a_read_or_cancel_that_its_jobs_fate_befell_shows_the_draw_of_the_job() -> None:
    """Its `faults` are those that could have befallen this read or this cancel: `n` says which one it was."""
    app = app_with(FAULTS="poll.missing=100,cancel.ignored=100,poll.status(503)=0.0001")
    job = submitted(app)
    assert get(app, f"/v1/jobs/{job['id']}").status == 404
    polled(app, job)
    for _ in range(2):
        post(app, f"/v1/jobs/{job['id']}/cancel")
    luck = Luck(1337, fingerprint_of(WORK), 0)

    assert [(one["n"], [draw["site"] for draw in one["faults"]]) for one in decided(app, "poll")] == [
        (0, ["poll.missing", "poll.status(503)#0"]), (1, ["poll.status(503)#1"]),
    ]  # fmt: skip
    assert decided(app, "poll")[0]["faults"][0]["u"] == luck.at(site_of("poll.missing"))
    cancels = decided(app, "cancel")
    assert [one["n"] for one in cancels] == [0, 1]
    for one in cancels:
        (draw,) = one["faults"]
        assert (one["identity"], one["ordinal"], one["job"]) == (IDENTITY, 0, job["id"])
        assert (draw["site"], draw["fault"], draw["served"]) == ("cancel.ignored", "cancel.ignored", True)
        assert draw["u"] == luck.at(site_of("cancel.ignored"))


def test_what_nothing_could_befall_has_no_decision() -> None:
    """A decision tells why one entry came out as it did; a read that nothing could befall came out as it had to."""
    app = app_with()
    job = submitted(app)
    polled(app, job)
    post(app, f"/v1/jobs/{job['id']}/cancel")
    get(app, "/v1/jobs/job_000000000000000000000000")

    assert (decided(app, "poll"), decided(app, "cancel"), len(decided(app))) == ([], [], 1)


def test_the_rule_that_decided_is_named_with_its_own_draws(tmp_path: Path) -> None:
    """`rule` is the rule that decided about a request, a refused one too: its faults are drawn, not the server's."""
    rules = tmp_path / "rules.toml"
    rules.write_text(
        '[[rule]]\nname = "stubborn"\nwhen = { op = "report.*" }\nthen = { faults = "submit.status(429)=60" }\n'
    )
    app = app_with(RULES=str(rules), FAULTS="submit.status(503)=60")
    for number in range(20):
        submitted(app, f"report.{number}")
        submitted(app, f"order.{number}")
    kinds = {(one.get("rule"), one["faults"][0]["site"], "job" in one) for one in decided(app)}

    assert kinds == {
        (rule, site, is_accepted)
        for rule, site in [("stubborn", "submit.status(429)"), (None, "submit.status(503)")]
        for is_accepted in (True, False)
    }
    for one in decided(app):
        (draw,) = one["faults"]
        assert draw["fired"] == draw["served"] == (draw["u"] < 0.6) == ("job" not in one)


def test_a_job_that_left_still_has_its_draws() -> None:
    """The draws of a job depend on nothing but seed, identity and ordinal: they are known when the job is gone."""
    app = app_with(MODE="random", RANDOM_WEIGHTS="ok=1,fail=1", LATENCY_MS="0", JOBS_MAX="1")
    submitted(app)
    before = decided(app)
    submitted(app, "other")

    assert get(app, f"/v1/jobs/{before[0]['job']}").status == 404
    assert decided(app)[0] == before[0]


@pytest.mark.parametrize(("page", "list_"), [("journal", "entries"), ("decisions", "decisions")])
def test_both_lists_are_read_a_page_at_a_time(page: str, list_: str) -> None:
    """`?since=` is the first number wanted, `?limit=` how many at most, and `next` is where to go on."""
    app = app_with(JOURNAL_MAX="5")
    for _ in range(7):
        submitted(app)

    def numbers(query: str) -> tuple[list[int], int, int]:
        view = get(app, f"/__admin/{page}?{query}").json
        return [one["seq"] for one in view[list_]], view["next"], view["dropped"]

    assert numbers("") == ([2, 3, 4, 5, 6], 7, 2)
    assert numbers("since=3&limit=2") == ([3, 4], 5, 2)
    assert numbers("since=5&limit=2") == ([5, 6], 7, 2)
    assert numbers("since=7&limit=2") == ([], 7, 2)
    assert numbers("limit=0") == ([], 0, 2)


# --- The faults ------------------------------------------------------------------------------------------------------


def recording(app: App) -> list[str]:
    answer = get(app, "/__admin/faults")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    return answer.body.decode().splitlines()


def test_a_run_in_which_all_went_well_has_no_line() -> None:
    """A line for whatever did not go well: here there are only the seed and the digests, and they are comments."""
    app = app_with()
    submitted(app)
    digests = get(app, "/__admin/decisions").json

    assert recording(app) == [
        "# dummyLLM faults, format 1",
        "# seed 1337, identity payload, latency 250 ms",
        f"# fates {digests['fates']}, traffic 0000000000000000",
    ]


def test_what_befell_the_run_is_what_a_replay_reads() -> None:
    """`/__admin/faults` is what `DUMMYLLM_REPLAY` reads: submits, jobs and reads, each under its counter."""
    app = app_with(
        SCRIPT="fail+run.vanish(after_ms=500), slow, hang, submit.status(503), ok",
        FAULTS="submit.lost_ack=100,poll.slow(ms=3)=100",
    )
    for _ in range(5):
        submitted(app)
    polled(app, {"id": FIRST_JOB.rpartition("/")[2]})
    replay = read_replay(recording(app))
    identity = fingerprint_of(WORK)

    assert {hit: fault.text for (_, hit), fault in replay.submits.items()} == {
        0: "submit.lost_ack", 1: "submit.lost_ack", 2: "submit.lost_ack", 3: "submit.status(503)", 4: "submit.lost_ack",
    }  # fmt: skip
    assert {ordinal: course.mode.value for (_, ordinal), course in replay.courses.items()} == {
        0: "fail", 1: "slow", 2: "hang",
    }  # fmt: skip
    assert {place: [fault.text for fault in faults] for place, faults in replay.jobs.items()} == {
        (identity, 0): ["run.vanish(after_ms=500)"]
    }
    assert {place: fault.text for place, fault in replay.reads.items()} == {(identity, 0, 0): "poll.slow(ms=3)"}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"JOURNAL_MAX": "1"}, "# incomplete: 2 entries fell out of the journal (DUMMYLLM_JOURNAL_MAX)"),
        ({"JOBS_MAX": "1"}, "# incomplete: 1 finished jobs had left (DUMMYLLM_JOBS_MAX, DUMMYLLM_STORE_MAX_BYTES)"),
    ],
)
def test_a_recording_says_what_is_missing(settings: dict[str, str], said: str) -> None:
    """It says so if entries or jobs are missing that had to make room."""
    app = app_with(LATENCY_MS="0", **settings)
    submitted(app)
    assert said[:13] not in "\n".join(recording(app))
    submitted(app)
    if "JOURNAL_MAX" in settings:
        submitted(app)

    assert said in recording(app)
    read_replay(recording(app))
