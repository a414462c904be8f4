"""Two features at once, each of which works alone: what one does must not undo what the other promises."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dummyllm.assembly import app_of
from dummyllm.clock import ManualClock
from dummyllm.recording import recorded
from dummyllm.settings import SettingsError, load
from dummyllm.web.app import App
from tests.web.direct import direct
from tests.web.stack import STACKS, Answer, Line, served
from tests.web.wire import rules_file

HEADERS = [(b"host", b"localhost"), (b"content-type", b"application/json")]


def app(**settings: str) -> App:
    """Return a server with DUMMYLLM_ *settings*, on a clock of its own."""
    chosen = load({f"DUMMYLLM_{name}": value for name, value in settings.items()})
    return app_of(chosen, ManualClock())


def submit(server: App, body: dict[str, Any], **headers: str) -> Answer:
    more = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return direct(server, "POST", "/v1/jobs", json.dumps(body).encode(), [*HEADERS, *more])


def digests(server: App) -> tuple[str, str]:
    return server.backend.fates_digest, server.backend.traffic.digest


def replay_of(server: App, folder: Path) -> str:
    file = folder / "run.faults"
    file.write_text("\n".join([*recorded(server.backend), ""]))
    return str(file)


# --- A key, and an identity that is not the payload's -----------------------------------------------------------------


def test_a_key_that_comes_again_under_another_trace_id_is_a_hit_of_that_one(tmp_path: Path) -> None:
    """Its faults are drawn for its own identity, so it is journaled, counted and recorded under that."""

    def run(**settings: str) -> App:
        server = app(IDENTITY="trace_id", **settings)
        for number in range(12):
            submit(server, {"op": "x", "trace_id": f"t{number}"}, idempotency_key="K")
        return server

    first = run(FAULTS="submit.slow_ack(ms=1)=50, connection.close_idle=50")
    entries = list(first.backend.journal.since())
    again = run(REPLAY=replay_of(first, tmp_path))

    assert len({entry.identity for entry in entries}) == 12
    assert len({entry.job for entry in entries}) == 1
    assert digests(again) == digests(first)
    assert [entry.fault for entry in again.backend.journal.since()] == [entry.fault for entry in entries]
    answer = direct(first, "GET", "/__admin/decisions", query=b"limit=100").json["decisions"]
    assert all(one["served"] == one["fired"] for decided in answer for one in decided["faults"][:1])


# --- A replay, and a clock that is moved by reads ---------------------------------------------------------------------


def test_a_replay_moves_a_jobs_own_clock_as_the_run_did(tmp_path: Path) -> None:
    """By half of the latency that a rule gave it, which is in its line."""
    rules = rules_file(tmp_path / "rules.toml", {"x": "latency_ms = 1000"})

    def run(**settings: str) -> tuple[App, list[str]]:
        server = app(CLOCK="polls", **settings)
        path = f"/v1/jobs/{submit(server, {'op': 'x'}).json['id']}"
        return server, [direct(server, "GET", path).json["state"] for _ in range(6)]

    first, seen = run(RULES=rules, FAULTS="poll.stale=100")
    again, seen_again = run(REPLAY=replay_of(first, tmp_path))
    third, _ = run(REPLAY=replay_of(again, tmp_path))

    assert seen == seen_again == ["running", "running", "ok", "ok", "ok", "ok"]
    assert digests(again) == digests(third) == digests(first)


@pytest.mark.parametrize(
    ("head", "mistake"),
    [
        ("# seed 99, identity prompt, latency 5 ms", "DUMMYLLM_SEED=99, and here it is 1337: use that of the run"),
        ("# seed 1337, identity prompt, latency 250 ms", "DUMMYLLM_IDENTITY=prompt, and here it is payload"),
        ("# seed 1337, identity payload, latency 5 ms", "DUMMYLLM_LATENCY_MS=5, and here it is 250"),
        ("# dummyLLM faults, format 2", "line 1: it is of format 2, and this dummyLLM reads 1"),
    ],
)
def test_a_recording_of_another_run_is_refused(tmp_path: Path, head: str, mistake: str) -> None:
    """Its lines would mean other jobs; lines without a head were written by hand, and may mean what they like."""
    file = tmp_path / "run.faults"
    file.write_text(f"{head}\n")

    with pytest.raises(SettingsError) as caught:
        load({"DUMMYLLM_REPLAY": str(file)})

    assert mistake in str(caught.value)
    file.write_text("# seed 1337, identity payload, latency 250 ms\n# mine\n")
    assert load({"DUMMYLLM_REPLAY": str(file)}).replay is not None


# --- Clock polls, and no latency --------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [{"MODE": "timeout"}, {"SCRIPT": "ok+run.late(factor=0.01)"}])
def test_without_latency_a_job_still_advances_by_being_asked(settings: dict[str, str]) -> None:
    """By a millisecond: what ends at 50 ms ends with the fiftieth read, or a runner would poll for ever."""
    server = app(CLOCK="polls", LATENCY_MS="0", **settings)
    path = f"/v1/jobs/{submit(server, {'op': 'x'}).json['id']}"
    states = [direct(server, "GET", path).json["state"] for _ in range(200)]

    assert states[0] == "running"
    assert states[-1] in ("timeout", "ok")


# --- Prefer: wait, and a fault that befalls the answer ----------------------------------------------------------------


@pytest.mark.parametrize("fault", ["submit.slow_ack(ms=100)", "connection.close_idle", "submit.lost_ack"])
def test_a_fault_befalls_the_answer_that_was_waited_for(fault: str) -> None:
    """A submit that waits shows the end, whatever befalls its answer then. In this process no connection can break."""
    server = app(CLOCK="manual", LATENCY_MS="1000", FAULTS=f"{fault}=100")
    answer = submit(server, {"op": "x"}, prefer="wait=5")
    (entry,) = server.backend.journal.since()

    assert (answer.status, answer.json["state"]) == (201, "ok")
    assert answer.headers["preference-applied"] == "wait=5"
    assert (entry.wait_s, entry.fault, entry.status, entry.state) == (5, fault, 201, "ok")


# --- A place in the store, and a job that vanished --------------------------------------------------------------------


def test_a_job_that_vanished_gives_up_its_place() -> None:
    """Nobody can cancel it, so it would keep it for ever."""
    server = app(MODE="hang", JOBS_MAX="2", FAULTS="run.vanish(after_ms=100)=100")
    assert [submit(server, {"op": op}).status for op in "abc"] == [201, 201, 503]

    clock = server.backend.clock
    assert isinstance(clock, ManualClock)
    clock.advance(100)

    assert [submit(server, {"op": op}).status for op in "cd"] == [201, 201]
    assert submit(server, {"op": "e"}).headers["retry-after"] == "1", "and a place is promised for when one is gone"


# --- A client that offers another protocol ----------------------------------------------------------------------------

UPGRADE = (
    b"POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 10\r\n"
    b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"
    b'{"op":"x"}'
)


@pytest.mark.parametrize("stack", list(STACKS))
def test_who_offers_an_upgrade_is_served_or_told_what_became_of_the_body(stack: str, tmp_path: Path) -> None:
    """Java's HttpClient offers h2c by default. h11 passes over it; httptools loses the body, and the answer says so."""
    with served(tmp_path / "stderr", *STACKS[stack]) as running:
        with Line(running.port) as line:
            line.send(UPGRADE)
            answer = line.answer()
        running.stop()

    if stack.startswith("h11"):
        assert answer.status == 201
    else:
        assert (answer.status, answer.code) == (400, "BAD_REQUEST")
        assert "'Upgrade: h2c'" in answer.message
        assert "HttpClient.newBuilder().version(HTTP_1_1)" in answer.message
