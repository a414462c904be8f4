"""Slots: so many jobs run at once, the others wait, first come, first served; held against a simulation of its own.

The clock is `manual`, so that every start and end falls on a millisecond that can be foretold.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf
from random import Random
from typing import Any

import msgspec
import pytest

from dummyllm.assembly import app_of
from dummyllm.clock import MANUAL_START_MS, ManualClock
from dummyllm.settings import load
from dummyllm.web.app import App
from tests.web.direct import direct
from tests.web.stack import Answer, Line, Served, request
from tests.web.wire import journal, payload

SLOTS = 4
JOBS = 200
BASE_MS = 3_000
RUN_MS = {"ok": BASE_MS, "echo": BASE_MS, "slow": 6 * BASE_MS, "fail": 200, "timeout": 2_000, "hang": inf}
OUTCOMES = {"ok": "ok", "echo": "ok", "slow": "ok", "fail": "fail", "timeout": "timeout"}
TIMEOUT_MS = 2_000

SETTINGS = {
    "SLOTS": str(SLOTS),
    "CLOCK": "manual",
    "ADMIN": "1",
    "LATENCY_MS": str(BASE_MS),
    "MODE": "random",
    "RANDOM_WEIGHTS": "ok=30,echo=10,slow=10,fail=20,hang=15,timeout=15",
}


@dataclass
class Simulation:
    """Jobs in slots, played from one instant to the next; an end hands its slot on in its own millisecond."""

    slots: int
    modes: list[str] = field(default_factory=list)
    accepted: list[float] = field(default_factory=list)
    started: dict[int, float] = field(default_factory=dict)
    ended: dict[int, tuple[float, str]] = field(default_factory=dict)
    waiting: list[int] = field(default_factory=list)
    running: dict[int, float] = field(default_factory=dict)

    def play(self, now_ms: float) -> None:
        while self.running and min(self.running.values()) <= now_ms:
            job = min(self.running, key=self.running.__getitem__)
            at_ms = self.running[job]
            self.end(job, at_ms, OUTCOMES[self.modes[job]])

    def submit(self, mode: str, now_ms: float) -> None:
        self.waiting.append(len(self.modes))
        self.modes.append(mode)
        self.accepted.append(now_ms)
        self.fill(now_ms)

    def cancel(self, job: int, now_ms: float) -> None:
        if job not in self.ended:
            self.end(job, now_ms, "cancelled")

    def end(self, job: int, at_ms: float, state: str) -> None:
        self.ended[job] = (at_ms, state)
        self.running.pop(job, None)
        if job in self.waiting:
            self.waiting.remove(job)
        self.fill(at_ms)

    def fill(self, at_ms: float) -> None:
        while self.waiting and len(self.running) < self.slots:
            job = self.waiting.pop(0)
            self.started[job] = at_ms
            self.running[job] = at_ms + RUN_MS[self.modes[job]]

    def shown(self, job: int) -> tuple[str, float]:
        if job in self.ended:
            return self.ended[job][1], self.ended[job][0]
        return ("running", self.started[job]) if job in self.started else ("queued", self.accepted[job])


class Rig:
    """A server and the simulation of it, driven alike over one connection."""

    def __init__(self, server: Served) -> None:
        self.line = Line(server.port)
        self.simulated = Simulation(SLOTS)
        self.now_ms = 0
        self.ids: list[str] = []
        self.seen: set[str] = set()

    def ask(self, method: str, path: str, body: bytes | None = None) -> Any:
        self.line.send(request(method, path, body))
        answer = self.line.answer()
        assert answer.status in (200, 201), answer
        return answer.json

    def advance(self, by_ms: int) -> None:
        self.now_ms += by_ms
        moved = self.ask("POST", "/__admin/clock", b'{"advance_ms":%d}' % by_ms)
        assert moved == {"now_ms": MANUAL_START_MS + self.now_ms}
        self.simulated.play(self.now_ms)

    def submit(self) -> None:
        body = payload("llm.chat", {"job": len(self.ids)}, TIMEOUT_MS)
        posted = self.ask("POST", "/v1/jobs", body)
        assert posted["state"] == "queued"
        self.ids.append(posted["id"])
        mode = self.ask("GET", f"/v1/jobs/{posted['id']}/request")["chosen_mode"]
        self.simulated.submit(mode, self.now_ms)

    def cancel(self, job: int) -> None:
        state = self.ask("POST", f"/v1/jobs/{self.ids[job]}/cancel")["state"]
        self.simulated.cancel(job, self.now_ms)
        assert state == self.simulated.shown(job)[0]

    def poll(self, job: int) -> None:
        shown = self.ask("GET", f"/v1/jobs/{self.ids[job]}")
        state, since_ms = self.simulated.shown(job)
        assert (shown["state"], shown["updated_at"]) == (state, (MANUAL_START_MS + since_ms) // 1000), job
        assert shown["created_at"] == (MANUAL_START_MS + self.simulated.accepted[job]) // 1000
        self.seen.add(state)


@pytest.fixture
def rig(one_server: Served) -> Iterator[Rig]:
    """The server with four slots, and the simulation."""
    driven = Rig(one_server)
    with driven.line:
        yield driven


def test_starts_and_ends_are_those_of_the_simulation(rig: Rig, one_server: Served) -> None:
    """200 jobs of mixed fates with hangs and cancels: first come, first served, each in its millisecond."""
    chance = Random(7)
    while len(rig.ids) < JOBS:
        rig.advance(chance.choice((0, 0, 1, 137, 800, 1_499)))
        rig.submit()
        for _ in range(3):
            rig.poll(chance.randrange(len(rig.ids)))
        if chance.random() < 0.3:
            rig.cancel(chance.randrange(len(rig.ids)))
        if rig.simulated.waiting and min(rig.simulated.running.values()) == inf:
            rig.cancel(chance.choice(list(rig.simulated.running)))  # four that hang would hold up everybody
    for job in range(JOBS):
        if rig.simulated.modes[job] == "hang":
            rig.cancel(job)
        rig.poll(job)
    rig.advance(6 * BASE_MS * JOBS)
    for job in range(JOBS):
        rig.poll(job)

    simulated = rig.simulated
    ended = {entry["job"]: entry["ended_at_ms"] for entry in journal(one_server.port) if "ended_at_ms" in entry}
    assert [ended[job] - MANUAL_START_MS for job in rig.ids] == [simulated.ended[job][0] for job in range(JOBS)]
    well = [job for job in range(JOBS) if simulated.ended[job][1] != "cancelled"]
    starts = [ended[rig.ids[job]] - MANUAL_START_MS - RUN_MS[simulated.modes[job]] for job in well]
    assert starts == [simulated.started[job] for job in well]
    assert rig.seen == {"queued", "running", "ok", "fail", "timeout", "cancelled"}
    assert any(simulated.started[job] > simulated.accepted[job] for job in well), "somebody had to wait"
    assert any(job not in simulated.started for job in range(JOBS)), "somebody was cancelled in the queue"
    assert len(well) > JOBS // 2


# --- A full queue, and faults: in this process, where the clock is at hand -------------------------------------------


class Place:
    """An app in this process with a clock that is moved by hand, or of another kind."""

    def __init__(self, clock: ManualClock | None = None, **settings: str) -> None:
        self.clock = clock or ManualClock()
        chosen = {"LATENCY_MS": str(BASE_MS), "SLOTS": "1"} | settings
        self.app: App = app_of(load({f"DUMMYLLM_{name}": value for name, value in chosen.items()}), self.clock)
        self._count = 0

    def submit(self) -> Answer:
        self._count += 1
        return direct(self.app, "POST", "/v1/jobs", msgspec.json.encode({"op": "x", "args": {"n": self._count}}))

    def job(self) -> str:
        answer = self.submit()
        assert answer.status == 201
        return answer.json["id"]

    def state(self, job: str) -> str | int:
        answer = direct(self.app, "GET", f"/v1/jobs/{job}")
        return answer.json["state"] if answer.status == 200 else answer.status

    def cancel(self, job: str) -> str:
        return direct(self.app, "POST", f"/v1/jobs/{job}/cancel").json["state"]


@pytest.mark.parametrize(
    ("passed_ms", "retry_after"), [(0, "3"), (1, "3"), (1_000, "2"), (1_999, "2"), (2_000, "1"), (2_999, "1")]
)
def test_a_full_queue_says_when_to_come_back(passed_ms: int, retry_after: str) -> None:
    """503 FULL, with Retry-After the next planned end rounded up to whole seconds."""
    place = Place(QUEUE_MAX="2")
    jobs = [place.job() for _ in range(3)]
    place.clock.advance(passed_ms)
    refused = place.submit()

    assert (refused.status, refused.code, refused.headers["retry-after"]) == (503, "FULL", retry_after)
    assert "DUMMYLLM_QUEUE_MAX" in refused.message
    assert [place.state(job) for job in jobs] == ["running", "queued", "queued"]
    place.clock.advance(BASE_MS - passed_ms)
    assert place.submit().status == 201, "the end made room in its own millisecond"


def test_a_queue_that_nothing_ends_says_thirty_seconds() -> None:
    """Or 30 if none is planned: all that run hang."""
    place = Place(QUEUE_MAX="1", MODE="hang")
    running, _ = place.job(), place.job()
    refused = place.submit()

    assert (refused.status, refused.headers["retry-after"]) == (503, "30")
    place.cancel(running)
    assert place.submit().status == 201


def test_retry_after_is_the_clients_seconds_under_a_scaled_clock() -> None:
    """`scale(N)` does not scale promises to the client: sixty seconds of a clock twenty times as fast are three."""

    class Fast(ManualClock):
        pace = 20

    place = Place(Fast(), QUEUE_MAX="1", LATENCY_MS="60000")
    place.job()
    place.job()

    assert place.submit().headers["retry-after"] == "3"


def test_a_full_queue_takes_no_ordinal_and_moves_no_step() -> None:
    """A full queue moves no step: the hit counts, and the next job is the script's next."""
    place = Place(QUEUE_MAX="1", SCRIPT="ok, hang, fail")
    work = b'{"op":"x"}'
    answers = [direct(place.app, "POST", "/v1/jobs", work) for _ in range(4)]
    place.clock.advance(BASE_MS)
    answers.append(direct(place.app, "POST", "/v1/jobs", work))
    submits = [entry for entry in place.app.backend.journal.since() if entry.what == "submit" and entry.job]

    assert [answer.status for answer in answers] == [201, 201, 503, 503, 201]
    assert [(entry.hit, entry.ordinal) for entry in submits] == [(0, 0), (1, 1), (4, 2)]
    asked = direct(place.app, "GET", f"/v1/jobs/{answers[4].json['id']}/request").json
    assert asked["chosen_mode"] == "fail"


def test_time_that_passes_while_a_submit_is_worked_on_harms_nobody() -> None:
    """A clock that is never twice at the same millisecond: the queue is played up to the submit's own instant."""

    class Restless(ManualClock):
        pace = 1

        def now_ms(self) -> int:
            self.advance(1)
            return super().now_ms()

    place = Place(Restless(), LATENCY_MS="7")
    jobs = [place.job() for _ in range(50)]
    for job in jobs:
        place.cancel(job)

    assert {place.state(job) for job in jobs} <= {"ok", "cancelled"}


def test_a_job_stuck_in_the_queue_takes_no_slot_and_no_place() -> None:
    """It never starts, so the next one does."""
    place = Place(SCRIPT="ok+run.stuck_queued")
    stuck = place.job()
    place.app.backend.policy = load({"DUMMYLLM_LATENCY_MS": str(BASE_MS)}).policy
    well = place.job()

    assert [place.state(stuck), place.state(well)] == ["queued", "running"]


@pytest.mark.parametrize(
    ("script", "cancels", "starts_ms"),
    [
        ("hang+run.vanish(after_ms=700)", False, 700),
        ("hang+cancel.slow(ms=900)", True, 900),
        ("slow+cancel.slow(ms=20000)", True, 18_000),
        ("hang+cancel.lost_ack", True, 0),
        ("slow+cancel.ignored", True, 18_000),
        ("slow+cancel.status(503)", True, 18_000),
    ],
)
def test_a_slot_is_free_when_its_job_runs_no_more(script: str, starts_ms: int, *, cancels: bool) -> None:
    """It has ended, or is gone; a cancel frees the slot when it takes effect, and one that does not frees nothing."""
    place = Place(SCRIPT=script)
    first = place.job()
    place.app.backend.policy = load({"DUMMYLLM_MODE": "hang"}).policy
    second = place.job()
    if cancels:
        direct(place.app, "POST", f"/v1/jobs/{first}/cancel")
    if starts_ms:
        place.clock.advance(starts_ms - 1)
        assert place.state(second) == "queued"
        place.clock.advance(1)

    assert place.state(second) == "running"


def test_a_job_that_vanished_while_nobody_looked_cannot_be_cancelled() -> None:
    """From then on everything that names it is answered 404, for ever: its start and its end are played first."""
    place = Place(SCRIPT="ok+run.vanish(after_ms=100)")
    _, second = place.job(), place.job()
    place.clock.advance(199)
    assert direct(place.app, "GET", f"/v1/jobs/{second}/request").status == 200
    third = place.job()
    place.clock.advance(1_000)

    for path in (f"/v1/jobs/{third}/cancel", f"/v1/jobs/{second}/cancel"):
        answer = direct(place.app, "POST", path)
        assert (answer.status, answer.code) == (404, "NOT_FOUND")


def test_a_job_cancelled_in_the_queue_never_starts() -> None:
    """Its place passes on, and the job behind it goes first."""
    place = Place()
    first, second, third = place.job(), place.job(), place.job()
    assert place.cancel(second) == "cancelled"
    place.clock.advance(BASE_MS)

    assert [place.state(job) for job in (first, second, third)] == ["ok", "cancelled", "running"]
