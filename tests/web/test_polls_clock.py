"""The clock `polls`: a job advances by being asked, so a transcript is the same bytes however fast its client is.

Each status read moves that job's own clock by half of DUMMYLLM_LATENCY_MS, rounded up.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from dummyllm.assembly import app_of
from dummyllm.settings import load
from dummyllm.web.app import App
from tests.web.direct import direct
from tests.web.stack import STACKS, Answer, Line, ask, request, served
from tests.web.wire import payload

WORKS = 60
READS = 7
FAULTS = "poll.stale(reads=2)=20, poll.status(503,retry_after=1)=15, poll.missing=10, cancel.slow(ms=200)=40"
SETTINGS = {"CLOCK": "polls", "MODE": "random", "FAULTS": FAULTS, "LATENCY_MS": "301"}

Told = tuple[int, tuple[tuple[str, str], ...], bytes]
"""An answer as a transcript has it: the status, all headers but Date, the body."""


def told(answer: Answer) -> Told:
    return answer.status, tuple((n, v) for n, v in answer.headers.items() if n != "date"), answer.body


class Client:
    """Does one piece of work step by step, and writes down every answer."""

    def __init__(self, number: int) -> None:
        self._body = payload("llm.chat", {"work": number, "messages": [{"role": "user", "content": f"I am {number}"}]})
        self._path = ""
        self._cancels = number % 3 == 0
        self.transcript: list[Told] = []

    def steps(self, line: Line) -> Iterator[None]:
        """Take one step over *line* whenever asked for the next."""
        posted = self._say(line, "POST", "/v1/jobs", self._body)
        self._path = f"/v1/jobs/{posted.json['id']}"
        yield
        for read in range(READS):
            self._say(line, "GET", self._path)
            yield
            if read == 0 and self._cancels:
                self._say(line, "POST", self._path + "/cancel")
                yield
        self._say(line, "GET", self._path + "/request")

    def _say(self, line: Line, method: str, path: str, body: bytes | None = None) -> Answer:
        line.send(request(method, path, body))
        answer = line.answer()
        self.transcript.append(told(answer))
        return answer


def transcripts_of(port: int, *, is_slow: bool) -> list[list[Told]]:
    """Return what each piece of work was told: one after the other at full speed, or all in turns, a step at a time.

    Who takes turns waits between reads for as long as all the others take for theirs.
    """
    clients = [Client(number) for number in range(WORKS)]
    with ExitStack() as stack:
        if is_slow:
            turns = [client.steps(stack.enter_context(Line(port))) for client in reversed(clients)]
            while turns:
                turns = [turn for turn in turns if next(turn, turn) is not turn]
                assert ask(port, "GET", "/health").status == 200
        else:
            line = stack.enter_context(Line(port))
            for client in clients:
                list(client.steps(line))
    return [client.transcript for client in clients]


@pytest.mark.parametrize("stack", ["httptools+uvloop", "h11+asyncio"])
def test_a_fast_and_a_slow_client_are_told_the_same_bytes(stack: str, tmp_path: Path) -> None:
    """Transcripts are identical bytes, all headers but Date among them; nothing depends on how much time passes."""
    transcripts = []
    for is_slow in (False, True):
        with served(tmp_path / f"stderr-{is_slow}", *STACKS[stack], **SETTINGS) as server:
            transcripts.append(transcripts_of(server.port, is_slow=is_slow))
            assert server.complaints() == ""
    fast, slow = transcripts

    assert fast == slow
    statuses = {status for transcript in fast for status, _, _ in transcript}
    assert statuses == {200, 201, 404, 503}
    states = {json.loads(body).get("state") for transcript in fast for status, _, body in transcript if status == 200}
    assert states >= {"running", "ok", "fail", "timeout", "cancelled"}


# --- One job ---------------------------------------------------------------------------------------------------------


def app_with(**settings: str) -> App:
    chosen = {"CLOCK": "polls"} | settings
    return app_of(load({f"DUMMYLLM_{name}": value for name, value in chosen.items()}))


def started(app: App, prefer: bytes | None = None) -> Answer:
    headers = [(b"host", b"localhost"), *([(b"prefer", prefer)] if prefer else [])]
    return direct(app, "POST", "/v1/jobs", b'{"op":"x"}', headers)


def read(app: App, job: str, prefer: bytes | None = None) -> dict[str, object]:
    headers = [(b"host", b"localhost"), *([(b"prefer", prefer)] if prefer else [])]
    return direct(app, "GET", f"/v1/jobs/{job}", headers=headers).json


@pytest.mark.parametrize("latency_ms", ["2", "3", "250", "251", "86400000"])
def test_ok_shows_running_once_and_ends_on_the_second_read(latency_ms: str) -> None:
    """Half of the latency, rounded up: two reads are the whole of it."""
    app = app_with(LATENCY_MS=latency_ms)
    job = started(app).json["id"]

    assert [read(app, job)["state"] for _ in range(4)] == ["running", "ok", "ok", "ok"]


@pytest.mark.parametrize(
    ("mode", "states"),
    [
        ("echo", ["running", "ok"]),
        ("slow", ["running"] * 11 + ["ok"]),
        ("fail", ["running", "fail"]),
        ("timeout", ["running", "timeout"]),
        ("hang", ["running"] * 30),
    ],
)
def test_each_mode_takes_so_many_reads(mode: str, states: list[str]) -> None:
    """`fail` ends at 200 ms, `slow` at six times the latency of 250: the reads before that show `running`."""
    app = app_with(MODE=mode)
    job = started(app).json["id"]

    assert [read(app, job)["state"] for _ in states] == states


def test_only_its_own_reads_move_a_job() -> None:
    """Each job has its own clock: neither another job, nor looking at its request, nor a cancel elsewhere moves it."""
    app = app_with()
    mine = started(app).json["id"]
    for _ in range(5):
        other = started(app).json["id"]
        read(app, other)
        direct(app, "POST", f"/v1/jobs/{other}/cancel")
        direct(app, "GET", f"/v1/jobs/{mine}/request")

    assert [read(app, mine)["state"] for _ in range(2)] == ["running", "ok"]


def test_times_begin_with_the_year_2000() -> None:
    """The wire's times start at 2000-01-01T00:00:00Z, and move with the reads."""
    app = app_with(LATENCY_MS="60000")
    posted = started(app).json
    reads = [read(app, posted["id"]) for _ in range(2)]

    assert posted["created_at"] == 946_684_800
    assert [shown["created_at"] for shown in reads] == [946_684_800] * 2
    assert [shown["updated_at"] for shown in reads] == [946_684_800, 946_684_860]


@pytest.mark.parametrize(("mode", "state"), [("ok", "ok"), ("slow", "ok"), ("fail", "fail"), ("timeout", "timeout")])
def test_a_wait_runs_the_job_to_its_end_at_once(mode: str, state: str) -> None:
    """Under `polls` waits run the job to its end at once, however many seconds that is, on a POST and on a GET."""
    app = app_with(MODE=mode, LATENCY_MS="3600000")
    posted = started(app, prefer=b"wait=1").json
    other = started(app).json

    assert posted["state"] == state
    assert read(app, other["id"], prefer=b"wait=1")["state"] == state
    assert read(app, other["id"]) == read(app, other["id"])


def test_a_wait_for_what_never_ends_is_over_at_once() -> None:
    """No time passes by itself, so there is nothing to wait for; a cancel ends the job at its own instant."""
    app = app_with(MODE="hang")
    posted = started(app, prefer=b"wait=600").json

    assert posted["state"] == "running"
    assert direct(app, "POST", f"/v1/jobs/{posted['id']}/cancel").json["state"] == "cancelled"
    assert read(app, posted["id"])["state"] == "cancelled"


def test_slow_answers_are_not_waited_for() -> None:
    """A clock that stands still lets no time pass: an answer that is ten minutes late leaves at once."""
    app = app_with(FAULTS="submit.slow_ack(ms=600000)=100, poll.slow(ms=600000)=100", LATENCY_MS="0")
    job = started(app).json["id"]

    assert read(app, job)["state"] == "ok"
    assert [entry.fault for entry in app.backend.journal.since()] == [
        "submit.slow_ack(ms=600000)",
        "poll.slow(ms=600000)",
    ]
