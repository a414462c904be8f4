"""Every fault over a real socket: what the client sees, what the journal says of it, and whether the job is there.

One server on each stack has a rule for every kind of work, and the work's `op` chooses the rule: so a test names the
fault it is about, and no chance comes into it. The base latency is 0, so that a job of mode `ok` ends at once.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator

import pytest

from dummyllm.assembly import app_of
from dummyllm.core.faults.registry import KINDS
from dummyllm.core.faults.result_unicode import CLOSING, OPENING
from dummyllm.journal import Delivered
from dummyllm.settings import load
from dummyllm.web.app import App
from tests.web.direct import direct
from tests.web.stack import STACKS, Line, Served, request, served
from tests.web.wire import Fact, Visitor, eventually, payload, rules_file

LATE_MS = 500
AT_LEAST_S = (LATE_MS - 1) / 1000  # the server counts whole milliseconds

RULES = {
    # A submit that is refused once and then accepted: what was refused has left no trace.
    "refused": 'script = "submit.status(429,retry_after=7), ok"',
    "refused-html": 'script = "submit.status(502,body=html), ok"',
    "refused-empty": 'script = "submit.status(503,body=empty,retry_after=0), ok"',
    "reset": 'script = "submit.reset, ok"',
    "lost": 'script = "ok+submit.lost_ack, ok"',
    "cut": 'script = "ok+submit.cut_ack, ok"',
    "slow": f'script = "ok+submit.slow_ack(ms={LATE_MS}), ok"',
    "close-idle": 'script = "ok+connection.close_idle, ok"',
    "vanish-at-once": 'script = "ok+run.vanish(after_ms=0)"',
    "vanish": f'script = "hang+run.vanish(after_ms={LATE_MS})"',
    "stuck": 'script = "ok+run.stuck_queued"',
    "late": 'script = "hang+run.late(factor=0.25)"',
    "text": 'mode = "echo"',
    "text-empty": 'script = "echo+result.empty"',
    "text-cut": 'script = "echo+result.cut(percent=30.5)"',
    "text-unicode": 'script = "echo+result.unicode"',
    "cancel-ignored": 'script = "hang+cancel.ignored"',
    "cancel-slow": f'script = "hang+cancel.slow(ms={LATE_MS})"',
    "cancel-lost": 'script = "hang+cancel.lost_ack"',
    "cancel-refused": 'script = "hang+cancel.status(409)"',
    "missing": 'script = "ok+poll.missing(reads=2)"',
    "unknown": 'script = "ok+poll.unknown_state(name=preempted,reads=2)"',
    "stale": 'script = "ok+poll.stale(reads=2)", latency_ms = 1',
    "backwards": 'script = "ok+poll.backwards(reads=2)", latency_ms = 1',
    "read-refused": 'faults = "poll.status(502,retry_after=3)=100"',
    "read-refused-once": 'script = "ok+poll.status(429)"',
    "read-reset": 'script = "ok+poll.reset"',
    "read-slow": f'script = "ok+poll.slow(ms={LATE_MS})"',
}


@pytest.fixture(scope="module", params=["httptools+uvloop", "h11+asyncio"])
def chaos(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that misbehaves by op; whatever it does to its clients, it has nothing to complain of."""
    folder = tmp_path_factory.mktemp("chaos")
    rules = rules_file(folder / "rules.toml", RULES)
    # The server's own patience with idle connections ends after ours: no test takes its FIN for a fault's.
    options = (*STACKS[request.param], "--timeout-keep-alive", "60")
    with served(folder / "stderr", *options, RULES=rules, LATENCY_MS="0") as running:
        yield running
        running.stop()
        assert running.complaints() == ""


def test_every_fault_is_on_this_page() -> None:
    """Each fault of the registry has a rule here, and so a test."""
    told = " ".join(RULES.values())

    assert [name for name in KINDS if name not in told] == []


# --- A submit --------------------------------------------------------------------------------------------------------


def test_a_refused_submit_has_the_status_and_the_retry_after_and_leaves_no_job(chaos: Served) -> None:
    """An error with this status, and there is no job. With `retry_after` it has a Retry-After in whole seconds."""
    client = Visitor(chaos.port, "refused")
    answer = client.submit()

    assert (answer.status, answer.code) == (429, "SIM_STATUS")
    assert answer.headers["retry-after"] == "7"
    assert answer.headers["content-type"] == "application/json"
    assert "submit.status(429,retry_after=7)" in answer.message
    assert not client.is_there()
    assert client.submit().json["id"] == client.id(0), "a refused submit uses no ordinal"
    assert client.facts() == [Fact("submit", 429, "submit.status(429,retry_after=7)"), Fact("submit", 201)]
    assert [(entry.get("job"), entry["hit"], entry.get("ordinal")) for entry in client.entries()] == [
        (None, 0, None),
        (client.id(0), 1, 0),
    ]


@pytest.mark.parametrize(
    ("op", "status", "kind", "begins", "retry_after"),
    [
        ("refused-html", 502, "text/html; charset=utf-8", b"<!doctype html>", None),
        ("refused-empty", 503, "application/json", b"", "0"),
    ],
)
def test_the_body_of_a_refusal_is_json_a_page_of_html_or_nothing(
    chaos: Served, op: str, status: int, kind: str, begins: bytes, retry_after: str | None
) -> None:
    """Its `body` is JSON, a page of HTML, or nothing; without `retry_after` there is no Retry-After."""
    client = Visitor(chaos.port, op)
    answer = client.submit()

    assert (answer.status, answer.headers["content-type"]) == (status, kind)
    assert answer.headers.get("retry-after") == retry_after
    assert answer.body[:15] == begins
    assert not client.is_there()
    assert [fact.status for fact in client.facts()] == [status]


def test_a_reset_submit_gives_no_byte_and_an_rst_and_leaves_no_job(chaos: Served) -> None:
    """The connection is reset before a byte of the answer, and there is no job."""
    client = Visitor(chaos.port, "reset")

    assert client.broken_submit() == (b"", "RST")
    assert not client.is_there()
    assert client.submit().json["id"] == client.id(0)
    assert client.facts() == [Fact("submit", None, "submit.reset", delivered="no"), Fact("submit", 201)]
    assert "job" not in client.entries()[0]


def test_a_lost_acknowledgement_gives_no_byte_and_a_fin_and_the_job_is_there(chaos: Served) -> None:
    """The job is accepted and runs; the connection closes with 0 bytes. A naive retry makes a duplicate."""
    client = Visitor(chaos.port, "lost")

    assert client.broken_submit() == (b"", "FIN")
    assert client.is_there()
    assert client.poll().json["state"] == "ok"
    assert client.submit().json["id"] == client.id(1)
    assert client.facts() == [
        Fact("submit", 201, "submit.lost_ack", delivered="no"),
        Fact("poll", 200),
        Fact("submit", 201),
    ]
    assert client.entries()[0]["job"] == client.id()


def test_a_cut_acknowledgement_gives_the_head_and_half_a_body_and_an_rst(chaos: Served) -> None:
    """The job is accepted and runs; a status of 201 and half of the body arrive, then the connection is reset."""
    client = Visitor(chaos.port, "cut")
    received, end = client.broken_submit()
    head, _, half = received.partition(b"\r\n\r\n")
    whole = client.submit()

    assert head.startswith(b"HTTP/1.1 201 ")
    assert b"content-length: %d" % len(whole.body) in head
    assert b"connection:" not in head.lower()
    assert half == (b'{"id":"%b","state":"queued"' % client.id().encode())[: len(whole.body) // 2]
    assert end == "RST"
    assert client.is_there()
    assert client.facts()[0] == Fact("submit", 201, "submit.cut_ack", delivered="no")


def test_a_slow_acknowledgement_is_late_and_the_job_is_accepted_at_once(chaos: Served) -> None:
    """The job is accepted at once and runs; the answer arrives `ms` milliseconds late."""
    client = Visitor(chaos.port, "slow")
    start_s = time.monotonic()
    answer = client.submit()
    took_s, answered_ms = time.monotonic() - start_s, time.time_ns() // 1_000_000
    (entry,) = client.entries()

    assert (answer.status, answer.json["id"]) == (201, client.id())
    assert took_s >= AT_LEAST_S
    assert entry["at_ms"] <= answered_ms - LATE_MS + 1, "the journal has the instant of the acceptance"
    assert entry["took_ms"] >= LATE_MS - 1
    assert (entry["status"], entry["fault"]) == (201, f"submit.slow_ack(ms={LATE_MS})")


def test_a_submit_is_in_the_journal_in_its_place_however_late_its_answer_is(chaos: Served) -> None:
    """The journal is in order, and no entry is ever behind a reader who goes on from `next`."""
    slow, quick = Visitor(chaos.port, "slow"), Visitor(chaos.port, "text")
    with Line(chaos.port) as line:
        line.send(request("POST", "/v1/jobs", slow.body, user_agent=slow.name))
        eventually(slow.is_there, "the job")
        quick.submit()
        quick_seq = quick.entries()[0]["seq"]
        line.answer()
    numbers = [entry["seq"] for entry in quick.entries() + slow.entries()]
    with Line(chaos.port) as line:
        line.send(request("GET", "/__admin/journal?limit=10000"))
        page = line.answer().json

    assert [entry["seq"] for entry in page["entries"]] == list(range(page["next"]))
    assert page["dropped"] == 0
    assert len(numbers) == 2
    assert slow.entries()[0]["seq"] < quick_seq


def test_a_client_that_leaves_a_slow_answer_is_forgotten(chaos: Served) -> None:
    """If the client still waits for it: one that does not has its job, and an answer that was not delivered."""
    client = Visitor(chaos.port, "slow")
    with Line(chaos.port) as line:
        line.send(request("POST", "/v1/jobs", client.body, user_agent=client.name))
        eventually(client.is_there, "the job")
    eventually(lambda: [fact for fact in client.facts() if fact.delivered == "no"], "an answer that did not arrive")

    assert client.facts() == [Fact("submit", 201, f"submit.slow_ack(ms={LATE_MS})", delivered="no")]


def test_an_idle_connection_is_closed_after_a_whole_answer_without_a_word(chaos: Served) -> None:
    """The answer arrives whole; then the server closes the connection, without having said `Connection: close`."""
    client = Visitor(chaos.port, "close-idle")
    received, end = client.broken_submit()
    head, _, body = received.partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 201 ")
    assert b"connection:" not in head.lower()
    assert json.loads(body)["id"] == client.id()
    assert end == "FIN"
    assert client.is_there()
    assert client.facts() == [Fact("submit", 201, "connection.close_idle")]


# --- A run -----------------------------------------------------------------------------------------------------------


def test_a_job_that_vanishes_at_once_is_never_seen(chaos: Served) -> None:
    """From then on everything that names it is answered 404, for ever. With 0 it is never seen at all."""
    client = Visitor(chaos.port, "vanish-at-once")

    assert client.submit().status == 201
    for answer in (client.poll(), client.cancel(), client.poll()):
        assert (answer.status, answer.code) == (404, "NOT_FOUND")
    assert not client.is_there()
    fault = "run.vanish(after_ms=0)"
    assert client.facts() == [
        Fact("submit", 201),
        Fact("poll", 404, fault, 0),
        Fact("cancel", 404),
        Fact("poll", 404, fault, 1),
    ]


def test_a_job_vanishes_after_it_existed(chaos: Served) -> None:
    """The job is there until `after_ms` milliseconds after its start; then it is answered 404."""
    client = Visitor(chaos.port, "vanish")
    start_s = time.monotonic()
    client.submit()
    seen = client.states(1)[0]
    eventually(lambda: client.poll().status == 404, "a job that is gone")

    assert seen == "running"
    assert time.monotonic() - start_s >= AT_LEAST_S
    assert client.states(2) == [404, 404]
    assert client.cancel().status == 404
    assert not client.is_there()
    gone = [fact for fact in client.facts() if (fact.what, fact.status) == ("poll", 404)]
    assert {fact.fault for fact in gone} == {f"run.vanish(after_ms={LATE_MS})"}


def test_a_job_stuck_in_the_queue_never_starts_and_a_cancel_ends_it(chaos: Served) -> None:
    """The job is `queued` and stays so, whatever its mode; a cancel ends it."""
    client = Visitor(chaos.port, "stuck")
    client.submit()

    assert client.states(3) == ["queued"] * 3
    assert client.cancel().json["state"] == "cancelled"
    assert client.states(1) == ["cancelled"]
    assert [fact.status for fact in client.facts()] == [201, 200, 200, 200, 200, 200]


def test_a_late_job_ends_well_at_its_factor_of_the_clients_deadline(chaos: Served) -> None:
    """The job runs until `factor` times its `timeout_ms` and then ends `ok`, whatever its mode."""
    client = Visitor(chaos.port, "late", timeout_ms=2000)
    start_s = time.monotonic()
    client.submit()
    early = client.poll().json["state"]
    eventually(lambda: client.poll().json["state"] == "ok", "the late end")
    ended = client.entries()[-1]

    assert early == "running"
    assert time.monotonic() - start_s >= AT_LEAST_S
    assert ended["ended_at_ms"] == client.entries()[0]["at_ms"] + LATE_MS


# --- A result --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("op", "text_of"),
    [
        ("text", lambda text: text),
        ("text-empty", lambda _: ""),
        ("text-cut", lambda text: text[: len(text) * 305 // 1000]),
        ("text-unicode", lambda text: OPENING + text + CLOSING),
    ],
)
def test_a_result_is_empty_cut_or_awkward(chaos: Served, op: str, text_of: object) -> None:
    """The job ends `ok`, and its text is empty, has the first `percent` of its characters, or two awkward sentences."""
    client = Visitor(chaos.port, op)
    client.submit()
    answer = client.poll()
    own = json.dumps(client.args["messages"], separators=(",", ":"))
    expected = text_of(own)  # type: ignore[operator]

    assert answer.json["state"] == "ok"
    assert answer.json["result"]["text"] == expected
    assert answer.json["result"]["usage"]["completion_tokens"] == -(-len(expected) // 4)
    assert b"\0" not in answer.body, "JSON writes a NUL as an escape"
    assert client.poll().body == answer.body
    assert client.facts() == [Fact("submit", 201), Fact("poll", 200), Fact("poll", 200)]


# --- A cancel --------------------------------------------------------------------------------------------------------


def test_an_ignored_cancel_is_answered_and_changes_nothing(chaos: Served) -> None:
    """Every cancel of the job is answered 200 with the state that it has, and changes nothing."""
    client = Visitor(chaos.port, "cancel-ignored")
    client.submit()
    answers = [client.cancel(), client.cancel()]

    assert [answer.json for answer in answers] == [{"id": client.id(), "state": "running"}] * 2
    assert client.states(1) == ["running"]
    assert client.facts()[1:3] == [Fact("cancel", 200, "cancel.ignored", n) for n in (0, 1)]


def test_a_slow_cancel_takes_effect_a_while_later(chaos: Served) -> None:
    """The cancel is answered 200 with the state that the job still has; `ms` milliseconds later it is `cancelled`."""
    client = Visitor(chaos.port, "cancel-slow")
    client.submit()
    start_s = time.monotonic()
    first, second = client.cancel(), client.cancel()
    eventually(lambda: client.poll().json["state"] == "cancelled", "the cancel")
    took_s = time.monotonic() - start_s
    cancelled, last = client.entries()[1], client.entries()[-1]

    assert first.json["state"] == second.json["state"] == "running"
    assert took_s >= AT_LEAST_S
    assert last["ended_at_ms"] == cancelled["at_ms"] + LATE_MS, "a second cancel does not put it off"
    assert client.cancel().json["state"] == "cancelled"
    assert client.facts()[1:3] == [Fact("cancel", 200, f"cancel.slow(ms={LATE_MS})", n) for n in (0, 1)]


def test_a_lost_cancel_takes_effect_and_nothing_arrives(chaos: Served) -> None:
    """The first cancel takes effect, and the connection closes with 0 bytes. Later ones are answered as ever."""
    client = Visitor(chaos.port, "cancel-lost")
    client.submit()

    assert client.broken("POST", client.path() + "/cancel") == (b"", "FIN")
    assert client.states(1) == ["cancelled"]
    assert client.cancel().json["state"] == "cancelled"
    assert client.facts()[1:] == [
        Fact("cancel", 200, "cancel.lost_ack", 0, delivered="no"),
        Fact("poll", 200),
        Fact("cancel", 200),
    ]


def test_a_refused_cancel_has_no_effect_and_the_next_one_has(chaos: Served) -> None:
    """The first cancel is answered with this status and has no effect. Later ones are answered as ever."""
    client = Visitor(chaos.port, "cancel-refused")
    client.submit()
    refused = client.cancel()

    assert (refused.status, refused.code) == (409, "SIM_STATUS")
    assert client.states(1) == ["running"]
    assert client.cancel().json["state"] == "cancelled"
    assert client.facts()[1:] == [Fact("cancel", 409, "cancel.status(409)", 0), Fact("poll", 200), Fact("cancel", 200)]


# --- A status read ---------------------------------------------------------------------------------------------------


def test_a_new_job_is_missing_for_its_first_reads(chaos: Served) -> None:
    """The first `reads` status reads are answered 404; after them it is there, and was all the time."""
    client = Visitor(chaos.port, "missing")
    client.submit()
    missing = client.poll()

    assert (missing.status, missing.code) == (404, "NOT_FOUND")
    assert client.is_there()
    assert client.states(2) == [404, "ok"]
    fault = "poll.missing(reads=2)"
    assert client.facts()[1:] == [Fact("poll", 404, fault, 0), Fact("poll", 404, fault, 1), Fact("poll", 200, None, 2)]


def test_a_state_that_nobody_documented_is_shown_and_then_the_truth(chaos: Served) -> None:
    """The first `reads` status reads show the state `name`, without a result; after them the truth."""
    client = Visitor(chaos.port, "unknown")
    client.submit()
    odd = client.poll().json

    assert (odd["id"], odd["state"], odd["result"], odd["error"]) == (client.id(), "preempted", None, None)
    assert list(odd) == ["id", "state", "created_at", "updated_at", "result", "error"]
    assert client.states(2) == ["preempted", "ok"]
    fault = "poll.unknown_state(name=preempted,reads=2)"
    assert client.facts()[1:] == [Fact("poll", 200, fault, 0), Fact("poll", 200, fault, 1), Fact("poll", 200, None, 2)]


def test_a_stale_read_shows_the_moment_before_the_end(chaos: Served) -> None:
    """The first `reads` status reads that should show the end show the moment before it; after them the truth."""
    client = Visitor(chaos.port, "stale")
    client.submit(prefer="wait=20")
    stale = client.poll().json

    assert (stale["state"], stale["result"], stale["error"]) == ("running", None, None)
    assert client.states(3) == ["running", "ok", "ok"]
    fault = "poll.stale(reads=2)"
    assert [fact.fault for fact in client.facts()[1:]] == [fault, fault, None, None]
    assert [fact.n for fact in client.facts()[1:]] == [0, 1, 2, 3]


def test_a_state_goes_backwards_after_the_end_was_seen(chaos: Served) -> None:
    """One status read shows the end, then `reads` of them show the moment before it; after them the truth."""
    client = Visitor(chaos.port, "backwards")
    client.submit(prefer="wait=20")

    assert client.states(5) == ["ok", "running", "running", "ok", "ok"]
    fault = "poll.backwards(reads=2)"
    assert [fact.fault for fact in client.facts()[1:]] == [None, fault, fault, None, None]


def test_a_read_fails_with_its_status_and_the_job_is_well(chaos: Served) -> None:
    """The read is answered with this status, with `retry_after` also with a Retry-After. The job is well."""
    client = Visitor(chaos.port, "read-refused")
    client.submit()
    answers = [client.poll(), client.poll()]

    for answer in answers:
        assert (answer.status, answer.code, answer.headers["retry-after"]) == (502, "SIM_STATUS", "3")
    assert client.is_there()
    fault = "poll.status(502,retry_after=3)"
    assert client.facts()[1:] == [Fact("poll", 502, fault, 0), Fact("poll", 502, fault, 1)]


def test_a_scripted_fault_of_a_read_befalls_the_first_one(chaos: Served) -> None:
    """A fault of unit `poll` befalls the first status read; without `retry_after` there is no Retry-After."""
    client = Visitor(chaos.port, "read-refused-once")
    client.submit()
    refused = client.poll()

    assert (refused.status, "retry-after" in refused.headers) == (429, False)
    assert client.states(1) == ["ok"]


def test_a_read_is_reset_and_the_next_one_is_well(chaos: Served) -> None:
    """The connection of this read is reset before a byte of the answer. The job is well."""
    client = Visitor(chaos.port, "read-reset")
    client.submit()

    assert client.broken("GET", client.path()) == (b"", "RST")
    assert client.states(1) == ["ok"]
    assert client.facts()[1:] == [Fact("poll", 200, "poll.reset", 0, delivered="no"), Fact("poll", 200, None, 1)]


def test_a_slow_read_is_late_and_right(chaos: Served) -> None:
    """The answer to this read arrives `ms` milliseconds late. The job is well."""
    client = Visitor(chaos.port, "read-slow")
    client.submit()
    start_s = time.monotonic()
    answer = client.poll()

    assert time.monotonic() - start_s >= AT_LEAST_S
    assert answer.json["state"] == "ok"
    slow = client.facts()[1]
    assert (slow.status, slow.fault, slow.n) == (200, f"poll.slow(ms={LATE_MS})", 0)


# --- Without a transport ---------------------------------------------------------------------------------------------


def inside(script: str) -> App:
    """An app in this process, under a *script*: it has no connection to break."""
    return app_of(load({"DUMMYLLM_SCRIPT": script, "DUMMYLLM_LATENCY_MS": "0"}))


def entry_of(app: App) -> tuple[int, str | None, bool, Delivered]:
    """Return what the journal of *app* says of the last request."""
    entry = list(app.backend.journal.since())[-1]
    return entry.status, entry.fault, entry.served, entry.delivered


def test_without_a_transport_a_submit_that_was_to_be_reset_is_refused() -> None:
    """There is no job, and so no answer that it would have got."""
    app = inside("submit.reset, ok")
    refused = direct(app, "POST", "/v1/jobs", payload("x"))

    assert (refused.status, refused.code) == (503, "SIM_STATUS")
    assert "does not show the connection" in refused.message
    assert entry_of(app)[:3] == (503, "submit.reset", False)
    assert direct(app, "POST", "/v1/jobs", payload("x")).status == 201


@pytest.mark.parametrize("fault", ["submit.lost_ack", "submit.cut_ack", "connection.close_idle"])
def test_without_a_transport_a_submit_gets_what_it_would_have_got(fault: str, caplog: pytest.LogCaptureFixture) -> None:
    """Where there is none the fault is journaled as not served, the first one says so in one line, and no more."""
    app = inside(fault)
    with caplog.at_level(logging.WARNING, "dummyllm"):
        answers = [direct(app, "POST", "/v1/jobs", payload("x", {"n": n})) for n in range(3)]

    for answer in answers:
        assert answer.status == 201
        assert answer.json["state"] == "queued"
        assert direct(app, "GET", f"/v1/jobs/{answer.json['id']}").json["state"] == "ok"
    submits = [entry for entry in app.backend.journal.since() if entry.what == "submit"]
    assert [(entry.fault, entry.served, entry.job) for entry in submits] == [
        (fault, False, answer.json["id"]) for answer in answers
    ]
    assert [record.getMessage() for record in caplog.records] == [
        f"this server does not show its connections: faults that break one are not served ({fault})"
    ]


@pytest.mark.parametrize(
    ("script", "method", "end", "state"),
    [("ok+poll.reset", "GET", "", "ok"), ("hang+cancel.lost_ack", "POST", "/cancel", "cancelled")],
)
def test_without_a_transport_a_read_or_a_cancel_gets_what_it_would_have_got(
    script: str, method: str, end: str, state: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The same for what befalls a read or a cancel: only the connection stays whole."""
    app = inside(script)
    job_id = direct(app, "POST", "/v1/jobs", payload("x")).json["id"]
    with caplog.at_level(logging.WARNING, "dummyllm"):
        answer = direct(app, method, f"/v1/jobs/{job_id}{end}")

    assert (answer.status, answer.json["state"]) == (200, state)
    assert entry_of(app) == (200, script.partition("+")[2], False, Delivered.UNKNOWN)
    assert len(caplog.records) == 1


def test_without_a_transport_faults_of_answers_are_served_as_ever(caplog: pytest.LogCaptureFixture) -> None:
    """A status needs no connection to break."""
    app = inside("submit.status(503,retry_after=2), ok+poll.status(500)")
    refused = direct(app, "POST", "/v1/jobs", payload("x"))
    job_id = direct(app, "POST", "/v1/jobs", payload("x")).json["id"]

    assert (refused.status, refused.headers["retry-after"]) == (503, "2")
    assert direct(app, "GET", f"/v1/jobs/{job_id}").status == 500
    assert entry_of(app) == (500, "poll.status(500)", True, Delivered.UNKNOWN)
    assert caplog.records == []
