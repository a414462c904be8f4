"""The operator's POSTs: a clock moved by hand, and a fresh start."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Any

import msgspec
import pytest

from dummyllm.web.app import App
from tests.web.desk import BODY, FIRST_JOB, app_with, get, polled, post, submitted
from tests.web.stack import PATIENCE_S, Answer, Line, Served, ask, request

START_MS = 946_684_800_000  # 2000-01-01T00:00:00Z
DAY_MS = 86_400_000

SETTINGS = {"MODE": "hang", "ADMIN": "1"}


def moved(app: App, body: bytes) -> Answer:
    """Return the answer to a move of the clock."""
    return post(app, "/__admin/clock", body)


def now_ms(app: App) -> int:
    return moved(app, b'{"advance_ms":0}').json["now_ms"]


# --- The clock -------------------------------------------------------------------------------------------------------


def test_a_manual_clock_stands_still_until_it_is_moved() -> None:
    """It is 2000-01-01T00:00:00Z, and stays so until somebody moves the clock; base latency is 250 ms."""
    app = app_with()
    job = submitted(app)
    assert job["created_at"] == START_MS // 1000

    assert moved(app, b'{"advance_ms":249}').json == {"now_ms": START_MS + 249}
    assert polled(app, job)["state"] == "running"
    assert moved(app, b'{"advance_ms":1}').json == {"now_ms": START_MS + 250}
    assert polled(app, job)["state"] == "ok"


@pytest.mark.parametrize("by_ms", [0, 1, 366 * DAY_MS])
def test_a_clock_is_moved_by_as_much_as_is_asked(by_ms: int) -> None:
    """By at most 366 days at a time, and as often as anybody likes."""
    app = app_with()
    body = msgspec.json.encode({"advance_ms": by_ms})

    assert [moved(app, body).json["now_ms"] for _ in range(2)] == [START_MS + by_ms, START_MS + 2 * by_ms]


def test_one_move_plays_all_that_happens_on_its_way() -> None:
    """With one slot the second job starts in the millisecond in which the first one ends, though nobody asked then."""
    app = app_with(SLOTS="1", LATENCY_MS="1000")
    jobs = [submitted(app) for _ in range(3)]
    moved(app, b'{"advance_ms":2500}')

    assert [(view["state"], view["updated_at"] - START_MS // 1000) for view in (polled(app, job) for job in jobs)] == [
        ("ok", 1), ("ok", 2), ("running", 2),
    ]  # fmt: skip


@pytest.mark.parametrize(("clock", "name"), [("wall", "wall"), ("scale(20)", "scale"), ("polls", "polls")])
def test_any_other_clock_goes_by_itself(clock: str, name: str) -> None:
    """Any other clock is 409 `CLOCK_NOT_MANUAL`, and the message says what would help."""
    answer = moved(app_with(CLOCK=clock), b'{"advance_ms":250}')

    assert (answer.status, answer.code) == (409, "CLOCK_NOT_MANUAL")
    assert answer.message == f"the clock is {name}; start the server with DUMMYLLM_CLOCK=manual to move it"


@pytest.mark.parametrize("clock", ["wall", "manual"])
def test_a_clock_is_moved_only_where_post_is_on(clock: str) -> None:
    """The POSTs need `DUMMYLLM_ADMIN=1`."""
    app = app_with(ADMIN="0", CLOCK=clock)
    before_ms = app.backend.clock.now_ms()
    answer = moved(app, b'{"advance_ms":3600000}')

    assert (answer.status, answer.code) == (403, "ADMIN_OFF")
    assert app.backend.clock.now_ms() - before_ms < 3_600_000


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (b"", "BAD_JSON", "the body is not JSON: Input data was truncated"),
        (b'{"advance_ms":', "BAD_JSON", "the body is not JSON: Input data was truncated"),
        (b'{"advance_ms":250} x', "BAD_JSON", "the body is not JSON: JSON is malformed: trailing characters (byte 20)"),
        (b"\xff", "BAD_JSON", "the body is not JSON: JSON is malformed: invalid character (byte 0)"),
        (b"[" * 100_000, "INVALID_REQUEST", "Expected `object`, got `array`"),
        (b"250", "INVALID_REQUEST", "Expected `object`, got `int`"),
        (b"{}", "INVALID_REQUEST", "Object missing required field `advance_ms`"),
        (b'{"advance_ms":250,"to":1}', "INVALID_REQUEST", "Object contains unknown field `to`"),
        (b'{"advance_ms":-1}', "INVALID_REQUEST", "Expected `int` >= 0 - at `$.advance_ms`"),
        (b'{"advance_ms":31622400001}', "INVALID_REQUEST", "Expected `int` <= 31622400000 - at `$.advance_ms`"),
        (b'{"advance_ms":0.5}', "INVALID_REQUEST", "Expected `int`, got a fraction - at `$.advance_ms`"),
        (b'{"advance_ms":"250"}', "INVALID_REQUEST", "Expected `int`, got `str` - at `$.advance_ms`"),
        (b'{"advance_ms":true}', "INVALID_REQUEST", "Expected `int`, got `bool` - at `$.advance_ms`"),
        (b'{"advance_ms":1e400}', "INVALID_REQUEST", "Number out of range - at `$.advance_ms`"),
    ],
    ids=lambda part: repr(part)[:30],
)
def test_a_move_that_cannot_be_read_moves_nothing(body: bytes, code: str, message: str) -> None:
    """What is not JSON is 400; what does not fit is 422, with the path of the mistake and an example."""
    app = app_with()
    answer = moved(app, body)

    example = '; write {"advance_ms": 250}' if code == "INVALID_REQUEST" else ""
    assert (answer.status, answer.code) == (422 if example else 400, code)
    assert answer.message == message + example
    assert now_ms(app) == START_MS


def test_whole_milliseconds_may_be_written_as_a_fraction() -> None:
    """Some clients' JSON libraries write 250 as 250.0."""
    assert moved(app_with(), b'{"advance_ms":250.0}').json == {"now_ms": START_MS + 250}


def test_the_body_of_a_move_is_bounded() -> None:
    """A body is as long as DUMMYLLM_MAX_BODY_BYTES says, here too."""
    app = app_with(MAX_BODY_BYTES="1024")
    move = b'{"advance_ms":250}'

    assert moved(app, move.ljust(1024)).json == {"now_ms": START_MS + 250}
    assert moved(app, move.ljust(1025)).code == "TOO_LARGE"
    assert now_ms(app) == START_MS + 250


@pytest.mark.parametrize(("is_gone", "answers"), [(True, []), (False, [408])])
def test_a_move_that_never_comes_is_not_waited_for(
    caplog: pytest.LogCaptureFixture, answers: list[int], *, is_gone: bool
) -> None:
    """A body that does not arrive in time is 408; when its client has left, nobody is answered and nobody complains."""
    app = app_with(RECEIVE_TIMEOUT_MS="100")
    incoming = [{"type": "http.request", "body": b'{"advance_', "more_body": True}]
    incoming += [{"type": "http.disconnect"}] * is_gone
    sent: list[Any] = []

    async def receive() -> Any:
        if not incoming:
            await asyncio.sleep(60 if not sent else 0)
            return {"type": "http.disconnect"}
        return incoming.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/__admin/clock", "raw_path": b"/__admin/clock", "query_string": b"",
        "headers": [(b"host", b"localhost")], "server": ("127.0.0.1", 8787), "client": ("127.0.0.1", 50_000),
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))

    assert [message["status"] for message in sent if "status" in message] == answers
    assert [record.message for record in caplog.records] == []
    assert app.backend.clock.now_ms() == START_MS


# --- The reset -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/__admin/reset", "/__admin/reset?force=0", "/__admin/reset?force=1"])
def test_what_follows_a_reset_is_the_same_as_after_a_start(path: str) -> None:
    """The same payload has its first id and its first fate again, it is 2000-01-01 again, entries count from 0."""
    app = app_with(MODE="random", RANDOM_WEIGHTS="ok=1,fail=1,hang=1")
    ops = [f"op-{number}" for number in range(10)]

    def told() -> list[Any]:
        jobs = [submitted(app, op) for op in ops]
        moved(app, b'{"advance_ms":10000}')
        return [jobs, [polled(app, job) for job in jobs], get(app, "/__admin/decisions?limit=0").json["fates"]]

    first, before = told(), get(app, "/__admin/journal").json["next"]
    answer = post(app, path)

    assert (answer.status, answer.json) == (200, {"ok": True})
    assert told() == first
    entries = get(app, "/__admin/journal").json
    assert (entries["entries"][0]["what"], entries["next"]) == ("reset", before + 1)


@pytest.mark.parametrize("force", ["2", "-1", "01", "yes", "", " 1"])
def test_a_reset_is_forced_or_not(force: str) -> None:
    """`?force=` is 1 or 0; anything else is 422, and nothing is forgotten."""
    app = app_with()
    job = submitted(app)
    answer = post(app, f"/__admin/reset?force={force.replace(' ', '%20')}")

    assert (answer.status, answer.code) == (422, "INVALID_REQUEST")
    assert answer.message == f"force={force!r} is neither 1 nor 0 - at `query.force`"
    assert polled(app, job)["id"] == job["id"]


@pytest.fixture
def server(one_server: Served) -> Served:
    """The server whose jobs hang, with nobody waiting and nothing remembered."""
    until(lambda: ask(one_server.port, "POST", "/__admin/reset").status == 200)
    return one_server


def until(holds: Callable[[], bool]) -> None:
    """Ask until it *holds*; each time is a request, so there are many times in anybody's patience."""
    deadline_s = monotonic() + PATIENCE_S
    while not holds():
        assert monotonic() < deadline_s


WAIT = request("POST", "/v1/jobs", BODY, prefer="wait=600")
HALF = request("POST", "/v1/jobs", BODY)[: -len(BODY)]


@pytest.mark.parametrize("query", ["", "?force=0"])
def test_a_reset_does_not_pull_the_job_from_under_a_wait(server: Served, query: str) -> None:
    """While another request is open, held by a wait, a reset is 409 `BUSY`; when its client has left, it is not."""
    with Line(server.port) as line:
        line.send(WAIT)
        until(lambda: ask(server.port, "GET", FIRST_JOB).status == 200)
        answer = ask(server.port, "POST", f"/__admin/reset{query}")
        assert (answer.status, answer.code) == (409, "BUSY")
        assert answer.message == "requests still open: 1; wait for them, or reset all the same with ?force=1"
        assert ask(server.port, "GET", FIRST_JOB).status == 200

    until(lambda: ask(server.port, "POST", f"/__admin/reset{query}").status == 200)
    assert ask(server.port, "GET", FIRST_JOB).code == "NOT_FOUND"


def test_a_body_still_to_come_keeps_a_server_busy(server: Served) -> None:
    """While another request is open, with a body still to come, a reset is 409 `BUSY`; when it came, it is not."""
    with Line(server.port) as line:
        line.send(HALF)
        until(lambda: ask(server.port, "POST", "/__admin/reset").code == "BUSY")
        line.send(BODY)
        assert line.answer().status == 201
        assert ask(server.port, "POST", "/__admin/reset").status == 200


def test_a_forced_reset_asks_nobody(server: Served) -> None:
    """`?force=1` resets all the same, and whoever waits for a job that is forgotten gets 404 `NOT_FOUND`."""
    with Line(server.port) as line, Line(server.port) as other:
        line.send(WAIT)
        until(lambda: ask(server.port, "GET", FIRST_JOB).status == 200)
        other.send(request("GET", FIRST_JOB, prefer="wait=600"))
        until(lambda: "open: 2;" in ask(server.port, "POST", "/__admin/reset").message)

        assert ask(server.port, "POST", "/__admin/reset?force=1").json == {"ok": True}
        assert [(answer.status, answer.code) for answer in (line.answer(), other.answer())] == [(404, "NOT_FOUND")] * 2
