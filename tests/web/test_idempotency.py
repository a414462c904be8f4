"""Idempotency-Key: the same key and an equal payload return the first answer, and make no job.

It is what a lost acknowledgement is survived with (draft-ietf-httpapi-idempotency-key-header).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import msgspec
import pytest

from dummyllm.assembly import app_of
from dummyllm.clock import ManualClock
from dummyllm.journal_line import line_of
from dummyllm.settings import load
from dummyllm.web.app import App
from tests.web.direct import direct
from tests.web.stack import Answer, Hung, Line, Served, ask, request, served
from tests.web.wire import Fact, Visitor, journal, payload

WORKS = 200
ATTEMPTS_MAX = 60  # the chance that so many acknowledgements in a row get lost is 5 in 10**14

# --- A client that does not hear of its job --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lossy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that loses six acknowledgements in ten."""
    with served(tmp_path_factory.mktemp("lossy") / "stderr", FAULTS="submit.lost_ack=60", ADMIN="1") as running:
        yield running
        running.stop()
        assert running.complaints() == ""


def insistent(port: int, number: int, *, with_key: bool) -> tuple[str, int]:
    """Submit a piece of work until an answer comes; return the id in it and how many attempts it took."""
    headers = {"idempotency_key": f'"work-{number}"'} if with_key else {}
    for attempt in range(1, ATTEMPTS_MAX + 1):
        with Line(port) as line:
            line.send(request("POST", "/v1/jobs", payload("llm.chat", {"work": number}), **headers))
            try:
                answer = line.answer()
            except (Hung, ConnectionResetError):
                continue
        assert answer.status == 201
        assert answer.headers.get("idempotency-replayed") == ("true" if with_key and attempt > 1 else None)
        return answer.json["id"], attempt
    raise AssertionError(f"no answer in {ATTEMPTS_MAX} attempts")


@pytest.mark.parametrize("with_key", [False, True])
def test_a_client_with_a_key_gets_its_first_job_however_often_it_tries(lossy: Served, *, with_key: bool) -> None:
    """A naive retry makes a duplicate; with the same Idempotency-Key it gets the job that it already has."""
    assert ask(lossy.port, "POST", "/__admin/reset").status == 200
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(partial(insistent, lossy.port, with_key=with_key), range(WORKS)))
    submits = [entry for entry in journal(lossy.port) if entry["what"] == "submit"]
    made = {entry["job"] for entry in submits}
    attempts = sum(attempts for _, attempts in told)

    assert len(submits) == attempts > 2 * WORKS
    assert {job for job, _ in told} <= made
    if with_key:
        assert len(made) == WORKS, "every piece of work is one job"
    else:
        assert len(made) == attempts, "every attempt is a job of its own"


def test_one_lost_acknowledgement_makes_a_duplicate_or_not(tmp_path: Path) -> None:
    """Tries again with the same Idempotency-Key and gets the job that it already has; without one, makes another."""
    with served(tmp_path / "stderr", SCRIPT="ok+submit.lost_ack, ok") as server:
        naive, careful = Visitor(server.port, "llm.chat"), Visitor(server.port, "llm.chat")
        assert naive.broken_submit() == (b"", "FIN")
        duplicate = naive.submit()
        assert careful.broken_submit(idempotency_key='"k"') == (b"", "FIN")
        replayed = careful.submit(idempotency_key='"k"')

        assert duplicate.json["id"] == naive.id(1)
        assert replayed.json["id"] == careful.id(0)
        assert replayed.headers["idempotency-replayed"] == "true"
        assert [naive.is_there(1), careful.is_there(1)] == [True, False]
        assert careful.facts() == [Fact("submit", 201, "submit.lost_ack", delivered="no"), Fact("submit", 201)]
        assert [entry["hit"] for entry in careful.entries()] == [0, 1]
        assert server.complaints() == ""


def test_a_key_that_comes_many_times_at_once_is_one_job(one_server: Served) -> None:
    """Clients that race with one key all get the one job."""
    client = Visitor(one_server.port, "llm.chat")
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda _: client.submit(idempotency_key="k"), range(64)))

    assert {answer.json["id"] for answer in answers} == {client.id(0)}
    assert Counter(answer.headers.get("idempotency-replayed") for answer in answers) == {"true": 63, None: 1}
    assert not client.is_there(1)


# --- The key itself --------------------------------------------------------------------------------------------------


def app_with(**settings: str) -> App:
    return app_of(load({f"DUMMYLLM_{name}": value for name, value in settings.items()}))


def submit(app: App, key: str | None, args: object = None, **more: object) -> Answer:
    """Submit a piece of work under *key* to an app in this process."""
    headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
    if key is not None:
        headers.append((b"idempotency-key", key.encode("latin-1")))
    body = msgspec.json.encode({"op": "llm.chat", "args": args or {}, **more})
    return direct(app, "POST", "/v1/jobs", body, headers)


def test_the_same_key_gets_the_first_answer() -> None:
    """201 with the first body, and `Idempotency-Replayed: true`; the first answer itself has no such header."""
    app = app_with(LATENCY_MS="0")
    first, again = submit(app, '"k"'), submit(app, '"k"')

    assert (first.status, again.status) == (201, 201)
    assert again.body == first.body
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert submit(app, '"l"').json["id"] != first.json["id"]
    assert submit(app, None).json["id"] != first.json["id"]


def test_an_equal_payload_may_be_spelt_otherwise() -> None:
    """The same key and an equal fingerprint: white space, the order of members and `trace_id` do not count."""
    app = app_with()
    first = submit(app, "k", {"a": 1, "b": 2})
    headers = [(b"host", b"localhost"), (b"idempotency-key", b"k")]
    body = b'{ "trace_id": "t", "op": "llm.chat", "args": { "b": 2, "a": 1 } }'

    assert direct(app, "POST", "/v1/jobs", body, headers).body == first.body


def test_another_payload_is_refused() -> None:
    """Another payload is 422, and neither makes a job nor takes the key away from the first."""
    app = app_with()
    first = submit(app, '"k"', {"a": 1})
    other = submit(app, '"k"', {"a": 2})

    assert (other.status, other.code) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert "'k'" in other.message
    assert app.backend.store.held().jobs == 1
    assert submit(app, '"k"', {"a": 1}).body == first.body


@pytest.mark.parametrize(
    ("first", "second"),
    [('"8e03978e-40d5"', "8e03978e-40d5"), ('  "k"', '"k"  '), ('"k";version=1', "k"), ('"a\\"b"', '"a\\"b"')],
)
def test_a_key_quoted_or_bare_is_one_key(first: str, second: str) -> None:
    """A string in double quotes; many clients send it bare."""
    app = app_with()

    assert submit(app, second).body == submit(app, first).body
    assert app.backend.store.held().jobs == 1


@pytest.mark.parametrize("key", ["", '""', '"', '"a', "a b", "é", '"\t"', "k" * 256, '"' + "k" * 256 + '"'])
def test_a_key_that_cannot_be_read_is_refused(key: str) -> None:
    """1 to 255 visible ASCII characters; nothing is guessed, and no job is made."""
    app = app_with()
    answer = submit(app, key)

    assert (answer.status, answer.code) == (400, "BAD_REQUEST")
    assert "Idempotency-Key" in answer.message
    assert app.backend.store.held().jobs == 0


def test_who_repairs_a_key_is_not_accused_of_sending_the_same_again() -> None:
    """The bytes of the body are the same, and the request is another one: no checksum ties the two together."""
    app = app_with(MODE="hang")
    assert submit(app, '"').status == 400
    assert submit(app, '"k"').status == 201
    refused, accepted = (line_of(entry, 0.0) for entry in app.backend.journal.since())

    assert (refused.code, refused.timeout_ms, refused.body, refused.fingerprint) == ("BAD_REQUEST", 8000, None, None)
    assert (accepted.key, accepted.timeout_ms) == ("k", 8000)
    assert accepted.body is not None


def test_a_key_of_255_characters_is_read() -> None:
    """The other side of that edge."""
    app = app_with()

    assert submit(app, '"' + "k" * 255 + '"').body == submit(app, "k" * 255).body


def test_hits_count_and_ordinals_do_not() -> None:
    """A replay counts a hit only: the next job of this work has the next ordinal, as if nothing had been replayed."""
    app = app_with()
    for key in ("a", "a", "a", "b", None):
        submit(app, key)
    submits = [entry for entry in app.backend.journal.since() if entry.what == "submit"]

    assert [(entry.hit, entry.ordinal) for entry in submits] == [(0, 0), (1, 0), (2, 0), (3, 1), (4, 2)]
    assert Counter(entry.job for entry in submits).most_common(1)[0][1] == 3
    assert ["came again" in (entry.note or "") for entry in submits] == [False, True, True, False, False]


def test_a_replay_moves_no_step_of_a_script() -> None:
    """A replay by Idempotency-Key counts a hit only."""
    app = app_with(SCRIPT="ok, fail, hang", LATENCY_MS="0")
    for key in ("a", "a", "a"):
        submit(app, key)
    second = submit(app, "b").json["id"]

    assert direct(app, "GET", f"/v1/jobs/{second}").json["state"] == "fail"


def test_what_befalls_the_answer_of_a_replay_is_drawn_anew() -> None:
    """The answer's faults belong to the answer, not the job; a script's befalls only the submit that made the job."""
    drawn = app_with(FAULTS="submit.status(503)=50")
    answers = [submit(drawn, "k") for _ in range(40)]
    ids = {answer.json["id"] for answer in answers if answer.status == 201}
    scripted = app_with(SCRIPT="ok+submit.slow_ack(ms=1)")
    for _ in range(3):
        submit(scripted, "k")

    assert {answer.status for answer in answers} == {201, 503}
    assert len(ids) == 1
    assert [entry.fault for entry in scripted.backend.journal.since()] == ["submit.slow_ack(ms=1)", None, None]


def test_a_submit_that_was_refused_keeps_no_key() -> None:
    """There is no job, so there is nothing to return: the next attempt is the first."""
    app = app_with(SCRIPT="submit.status(503), ok")
    refused, accepted = submit(app, "k", {"a": 1}), submit(app, "k", {"a": 1})

    assert (refused.status, accepted.status) == (503, 201)
    assert "idempotency-replayed" not in accepted.headers


def test_a_key_dies_with_its_job() -> None:
    """It lives as long as its job: once that is evicted, the same key makes a new one."""
    app = app_with(JOBS_MAX="1", LATENCY_MS="0")
    first = submit(app, "k", {"a": 1})
    submit(app, "l", {"a": 2})
    again = submit(app, "k", {"a": 1})

    assert again.json["id"] != first.json["id"]
    assert "idempotency-replayed" not in again.headers
    assert app.backend.was_evicted(first.json["id"])
    assert submit(app, "k", {"a": 3}).status == 422, "it is the new job's now"


def test_a_reset_forgets_every_key() -> None:
    """Every job, counter and entry."""
    app = app_with(ADMIN="1")
    submit(app, "k", {"a": 1})
    direct(app, "POST", "/__admin/reset")

    assert submit(app, "k", {"a": 2}).status == 201


def test_a_key_whose_job_vanished_makes_a_new_job() -> None:
    """A key lives as long as its job: a server that forgot the one forgot the other."""
    app = app_of(load({"DUMMYLLM_SCRIPT": "ok+run.vanish(after_ms=5),ok"}), clock := ManualClock())
    headers = [(b"host", b"localhost"), (b"idempotency-key", b"one")]
    first, again = (direct(app, "POST", "/v1/jobs", b'{"op":"work"}', headers) for _ in range(2))
    clock.advance(5)
    new = direct(app, "POST", "/v1/jobs", b'{"op":"work"}', headers)
    replayed = direct(app, "POST", "/v1/jobs", b'{"op":"work"}', headers)

    assert again.json["id"] == first.json["id"] != new.json["id"] == replayed.json["id"]
    assert [answer.headers.get("idempotency-replayed") for answer in (first, again, new, replayed)] == [
        None,
        "true",
        None,
        "true",
    ]
