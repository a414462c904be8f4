"""A recording, replayed, is the same run: the same fates, faults and answers, and both digests, with no chance left.

Each run below is a few pieces of work, submitted several times over, read and cancelled, on a clock moved by hand.
"""

from __future__ import annotations

import json
import logging
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from dummyllm.assembly import app_of
from dummyllm.clock import ManualClock
from dummyllm.core.replay import read_replay
from dummyllm.recording import recorded
from dummyllm.settings import load
from dummyllm.web.app import App
from tests.web.direct import direct

WORKS, ATTEMPTS = 8, 4
READS_AT_MS = (0, 40, 40, 60, 100, 50, 10, 10, 10)  # each so long after the one before
JSON = [(b"host", b"localhost"), (b"content-type", b"application/json")]

RULES = """
[[rule]]
name = "quick"
when = { op = "work.1" }
then = { latency_ms = 40, reply = "done", faults = "poll.stale=50" }

[[rule]]
name = "stumbles"
when = { op = "work.2" }
then = { script = "submit.status(429), fail+poll.reset, ok" }

[[rule]]
name = "late"
when = { op = "work.3", ordinal = "1.." }
then = { weights = { ok = 1, slow = 1 }, latency_shape = "uniform(0.5,1.5)" }
"""

SUBMITS = "submit.status(503,retry_after=1)=15, submit.reset=10, submit.lost_ack=15, submit.slow_ack=20"
JOBS = "run.vanish=15, run.late(factor=0.02)=15, result.cut=30, cancel.ignored=20, cancel.slow(ms=30)=20, "
READS = "poll.missing=20, poll.unknown_state=20, poll.stale(reads=2)=25, poll.backwards=25"
POLLS = "poll.status(502)=15, poll.reset=10, poll.slow=25"
RUNS: dict[str, dict[str, str]] = {
    "modes": {"MODE": "random", "RANDOM_WEIGHTS": "ok=3,slow=1,fail=1,hang=1,timeout=1,flaky=4"},
    "shape": {"MODE": "random", "LATENCY_SHAPE": "lognormal(p99=8)"},
    "submits": {"FAULTS": SUBMITS},
    "jobs": {"MODE": "random", "FAULTS": JOBS + "cancel.status(503)=20"},
    "reads": {"FAULTS": READS},
    "polls": {"FAULTS": POLLS},
    "everything": {"MODE": "flaky", "FAULTS": f"{SUBMITS}, {JOBS}{READS}, {POLLS}"},
    "swarm": {"SWARM": "1", "MODE": "random"},
    "script": {
        "SCRIPT": "ok+submit.lost_ack, submit.status(429), hang+cancel.slow(ms=30), "
        "fail+poll.stale+poll.missing+poll.slow, flaky+run.vanish+poll.reset",
        "FAULTS": "cancel.ignored=50, poll.status(502)=20",
    },
    "rules": {"RULES": RULES, "FAULTS": "cancel.lost_ack=40"},
    "identity": {"IDENTITY": "prompt", "FAULTS": SUBMITS, "MODE": "flaky"},
}


def ran(**settings: str) -> App:
    """Return a server that was put through the whole run."""
    app = app_of(load({f"DUMMYLLM_{name}": value for name, value in settings.items()}), ManualClock())
    clock = app.backend.clock
    assert isinstance(clock, ManualClock)
    for _ in range(ATTEMPTS):
        ids = [submit(app, number) for number in range(WORKS)]
        for after_ms in READS_AT_MS:
            clock.advance(after_ms)
            for number, job_id in enumerate(ids):
                if job_id is not None:
                    direct(app, "GET", f"/v1/jobs/{job_id}")
                    if number % 3 == 0 and after_ms == 100:
                        direct(app, "POST", f"/v1/jobs/{job_id}/cancel")
                        direct(app, "POST", f"/v1/jobs/{job_id}/cancel")
        clock.advance(1_000)
    return app


def submit(app: App, number: int) -> str | None:
    body = {"op": f"work.{number}", "args": {"messages": [{"role": "user", "content": f"I am number {number}"}]}}
    direct(app, "POST", "/v1/jobs", json.dumps(body).encode(), JSON)
    return [*app.backend.journal.since()][-1].job  # its acknowledgement may be lost


def heard(app: App) -> list[tuple[Any, ...]]:
    """Return all that the journal has: what was asked, what befell it, and what was answered."""
    return [
        (e.at_ms, e.what, e.job, e.hit, e.ordinal, e.status, e.state, e.code, e.ended_at_ms, e.fault)
        for e in app.backend.journal.since()
    ]


def texts(app: App) -> dict[str, str]:
    return {job.id: app.backend.reply(job).text for job in app.backend.store.jobs()}


def replayed(app: App, file: Path, **settings: str) -> App:
    """Return a server that was put through the run again, with a recording of *app*, and no chance."""
    file.write_text("\n".join([*recorded(app.backend), ""]), encoding="utf-8")
    kept = {name: value for name, value in settings.items() if name in ("IDENTITY", "RULES")}
    return ran(REPLAY=str(file), **kept)


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    """There is no connection here to break; what such a fault would have been is in the journal all the same."""
    caplog.set_level(logging.ERROR, logger="dummyllm")


@pytest.mark.parametrize("name", RUNS)
def test_a_recording_replayed_is_the_same_run(name: str, tmp_path: Path) -> None:
    """A recorded list of faults, with no chance left: the same answers, faults, fates and replies, and both digests."""
    settings = dict(RUNS[name])
    if "RULES" in settings:
        rules = tmp_path / "rules.toml"
        rules.write_text(settings["RULES"], encoding="utf-8")
        settings["RULES"] = str(rules)
    app = ran(**settings)
    again = replayed(app, tmp_path / "run.faults", **settings)

    assert heard(again) == heard(app)
    assert texts(again) == texts(app)
    assert again.backend.fates_digest == app.backend.fates_digest
    assert again.backend.traffic.digest == app.backend.traffic.digest
    # In a run in which nothing befell anything, all of this would hold as well.
    assert len(list(recorded(app.backend))) > 10
    assert name in ("modes", "shape") or len(Counter(fault for *_, fault in heard(app))) > 2


@pytest.mark.parametrize("name", ["everything", "shape", "swarm"])
def test_a_recording_of_a_replay_is_the_recording(name: str, tmp_path: Path) -> None:
    """It can be recorded again, and says the same."""
    app = ran(**RUNS[name])
    again = replayed(app, tmp_path / "run.faults")

    assert list(recorded(again.backend)) == list(recorded(app.backend))


def test_without_chaos_there_is_nothing_to_write_down() -> None:
    """Only what did not go well has a line; whose fates and traffic they were is said above them."""
    app = ran()
    fates = app.backend.fates_digest

    assert list(recorded(app.backend)) == [
        "# dummyLLM faults, format 1",
        "# seed 1337, identity payload, latency 250 ms",
        f"# fates {fates}, traffic 0000000000000000",
    ]
    assert list(recorded(ran(LATENCY_MS="0").backend))[1] == "# seed 1337, identity payload, latency 0 ms"


def test_the_order_of_the_lines_is_not_that_of_arrival() -> None:
    """By identity, then by what it is about, then by counters as numbers."""
    lines = [line for line in recorded(ran(**RUNS["everything"]).backend) if not line.startswith("#")]
    places = [
        (identity, what, [int(word) for word in rest if word.isdigit()])
        for identity, what, *rest in map(str.split, lines)
    ]

    assert places == sorted(places)
    assert len({what for _, what, _ in places}) == 3
    assert len(set(lines)) == len(lines)
    assert read_replay(lines)


def test_a_counter_of_two_digits_comes_after_those_of_one() -> None:
    """Counters are numbers."""
    app = app_of(load({"DUMMYLLM_MODE": "hang"}), ManualClock())
    for _ in range(12):
        submit(app, 0)
    ordinals = [int(line.split()[2]) for line in recorded(app.backend) if not line.startswith("#")]

    assert ordinals == list(range(12))


def test_what_fell_out_of_the_journal_is_said() -> None:
    """A recording that cannot be whole says so, and why."""
    complaints = [line for line in recorded(ran(**RUNS["polls"], JOURNAL_MAX="100").backend) if "incomplete" in line]

    assert len(complaints) == 1
    assert re.fullmatch(r"# incomplete: \d{3} entries fell out of the journal \(DUMMYLLM_JOURNAL_MAX\)", complaints[0])


def test_jobs_that_had_left_are_counted() -> None:
    """They took their courses with them."""
    complaints = [line for line in recorded(ran(JOBS_MAX="8").backend) if "incomplete" in line]

    assert complaints == ["# incomplete: 24 finished jobs had left (DUMMYLLM_JOBS_MAX, DUMMYLLM_STORE_MAX_BYTES)"]
