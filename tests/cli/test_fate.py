"""`dummyllm fate`: what will happen to a payload under this environment, time after time, without a server."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.live import serve as live

PAYLOAD = json.dumps({"op": "llm.chat", "args": {"messages": [{"role": "user", "content": "Hello"}]}})
ALL_MODES = "ok=3,echo=3,slow=3,fail=3,hang=3,timeout=3,flaky=6"


def fetch(url: str, body: str | None = None) -> dict:
    headers = {"Content-Type": "application/json"}
    with urlopen(Request(url, body and body.encode(), headers), timeout=10) as answer:
        return json.load(answer)


def test_a_live_server_does_just_that(call) -> None:
    """Ids, ordinals, fates, draws and replies agree with a server in the same environment, exactly."""
    environment = {"MODE": "random", "RANDOM_WEIGHTS": ALL_MODES, "SEED": "42", "LATENCY_MS": "1"}
    times = 40
    foretold = json.loads(call("fate", "-", "--json", "--times", str(times), typed=PAYLOAD, **environment).out)

    with live(**environment) as server:
        for job in foretold["submits"]:
            made = fetch(f"{server.url}/v1/jobs", PAYLOAD)
            assert made["id"] == job["id"]
            seen = fetch(f"{server.url}/v1/jobs/{job['id']}/request")
            assert (seen["ordinal"], seen["fate"]) == (job["ordinal"], job["fate"])
            assert (seen["fingerprint"], seen["seed"]) == (foretold["fingerprint"], foretold["seed"])
            if job["fate"]["outcome"] == "ok":
                while (view := fetch(f"{server.url}/v1/jobs/{job['id']}"))["state"] == "running":
                    pass
                assert view["result"]["text"] == job["reply"]
        told = fetch(f"{server.url}/__admin/decisions")["decisions"]
    decided = [decision for decision in told if decision["what"] == "submit"]
    assert [job["draws"] for job in decided] == [job["draws"] for job in foretold["submits"]]
    assert {job["identity"] for job in decided} == {foretold["identity"]}
    assert {job["fate"]["mode"] for job in foretold["submits"]} == set(
        ALL_MODES.replace("=3", "").replace("=6", "").split(",")
    )


@pytest.mark.parametrize(
    ("mode", "row"),
    [
        ("ok", "ok     queued 0 → running 0 → ok 250 ms"),
        ("slow", "slow   queued 0 → running 0 → ok 1500 ms"),
        ("echo", 'echo   queued 0 → running 0 → ok 250 ms  [{"role":"user","content":"Hello"}]'),
        ("fail", "fail   queued 0 → running 0 → fail 200 ms  SIM_FAIL"),
        ("timeout", "timeout  queued 0 → running 0 → timeout 250 ms  TIMEOUT"),
        ("hang", "hang  queued 0 → running 0 ms  nothing: it never ends"),
    ],
)
def test_a_row_tells_mode_timeline_and_end(call, mode: str, row: str) -> None:
    """Base latency is 250 ms; `slow` takes six times as long, `fail` at most 200 ms, `hang` for ever."""
    line = call("fate", "-", "--times", "1", typed=PAYLOAD, MODE=mode).out.splitlines()[5]
    assert line.split()[0] == "0"
    assert " ".join(row.split()) in " ".join(line.split())


def test_the_page_says_whose_fates_these_are(call) -> None:
    """Fingerprint, identity and seed come first: whatever fails must print what replays it."""
    page = call("fate", "-", typed=PAYLOAD, SEED="99").out.splitlines()
    told = json.loads(call("fate", "-", "--json", typed=PAYLOAD, SEED="99").out)

    assert page[0].split() == ["fingerprint", told["fingerprint"]]
    assert page[1].split() == ["identity", told["identity"], "(payload)"]
    assert page[2].split() == ["seed", "99"]
    assert [line.split()[:2] for line in page[5:]] == [[str(job["ordinal"]), job["id"]] for job in told["submits"]]


@pytest.mark.parametrize(("argv", "rows"), [([], 5), (["--times", "1"], 1), (["--times", "12"], 12)])
def test_it_is_told_as_often_as_asked(call, argv: list[str], rows: int) -> None:
    """Five times unless `--times` says otherwise, the ordinals counted from 0."""
    jobs = json.loads(call("fate", "-", "--json", *argv, typed=PAYLOAD).out)["submits"]
    assert [job["ordinal"] for job in jobs] == list(range(rows))


@pytest.mark.parametrize("times", ["0", "-1", "100001"])
def test_a_number_of_times_that_cannot_be_is_a_wrong_call(call, times: str) -> None:
    """1 to 100000."""
    said = call("fate", "-", "--times", times, typed=PAYLOAD)
    assert (said.status, said.err) == (2, f"dummyllm: --times {times} is no number of times; use 1 to 100000\n")


def test_why_shows_every_draw_and_its_winner(call) -> None:
    """Of one race the least time wins, and the winner is marked."""
    page = call("fate", "-", "--why", "--times", "3", typed=PAYLOAD, MODE="flaky").out
    draws = [line.split() for line in page.splitlines() if " u 0." in line]

    assert [draw[0] for draw in draws] == ["flaky:fail", "flaky:hang", "flaky:ok"] * 3
    for start in (0, 3, 6):
        race = draws[start : start + 3]
        least = min(race, key=lambda draw: float(draw[5]))
        assert [draw for draw in race if draw[-1] == "won"] == [least]


def test_a_mode_that_is_set_has_no_draws(call) -> None:
    """Nothing was left to chance."""
    assert "no draws: the mode is set" in call("fate", "-", "--why", typed=PAYLOAD, MODE="fail").out


@pytest.mark.parametrize(
    ("payload", "status", "code"),
    [
        ("{", 400, "BAD_JSON"),
        ('{"op":""}', 400, "BAD_REQUEST"),
        ('{"op":"llm.chat","simulate":"fail"}', 422, "INVALID_REQUEST"),
        (f'{{"op":"llm.chat","args":{{"x":"{"y" * 2000}"}}}}', 413, "TOO_LARGE"),
    ],
)
def test_a_payload_that_a_server_refuses_is_refused_in_its_words(call, payload: str, status: int, code: str) -> None:
    """The call was right and the payload is not: status 1, with the server's code and sentence."""
    limit = {"MAX_BODY_BYTES": "1024"}
    said = call("fate", "-", "--json", typed=payload, **limit)
    with live(**limit) as server:
        with pytest.raises(HTTPError) as refused:
            fetch(f"{server.url}/v1/jobs", payload)
        with refused.value as answer:
            refusal = (answer.code, json.load(answer))

    assert said.status == 1
    assert said.err.startswith(f"dummyllm: the server refuses this payload: {status} {code}: ")
    assert refusal == (status, json.loads(said.out))


CHAOS = {
    "MODE": "random",
    "RANDOM_WEIGHTS": ALL_MODES,
    "LATENCY_MS": "1",
    "LATENCY_SHAPE": "lognormal(p99=8)",
    "FAULTS": "submit.status(503,retry_after=1)=20, submit.lost_ack=20, run.vanish(after_ms=5)=20, poll.status(502)=30,"
    " result.cut=30, cancel.ignored=20",
}


def submitted(url: str) -> dict | None:
    """Return what a submit was answered with, or None if it was not answered well."""
    try:
        return fetch(f"{url}/v1/jobs", PAYLOAD)
    except (HTTPError, OSError):
        return None


def test_faults_are_foretold_and_come_true(call) -> None:
    """Every refusal, every fault of a job and every draw is as a server with the same settings decides."""
    times = 60
    foretold = json.loads(call("fate", "-", "--json", "--times", str(times), typed=PAYLOAD, **CHAOS).out)["submits"]

    with live(**CHAOS) as server:
        answers = [submitted(server.url) for _ in foretold]
        told = fetch(f"{server.url}/__admin/decisions")["decisions"]
        staying = [one for one in foretold if one["id"] and "vanishes_after_ms" not in one["fate"]]
        fates = [fetch(f"{server.url}/v1/jobs/{one['id']}/request")["fate"] for one in staying]

    assert [one.get("ordinal") for one in told] == [one["ordinal"] for one in foretold]
    assert [one["hit"] for one in told] == [one["hit"] for one in foretold] == list(range(times))
    assert [one["faults"] for one in told] == [one["faults"] for one in foretold]
    assert fates == [one["fate"] for one in staying]
    assert 0 < len(staying) < sum(one["id"] is not None for one in foretold), "some vanish and some stay"
    assert [answer is None for answer in answers] == [one["fault"] is not None for one in foretold]
    assert {one["fault"] for one in foretold} == {None, "submit.status(503,retry_after=1)", "submit.lost_ack"}
    assert any(one["reads"] for one in foretold)


def test_a_script_is_foretold_step_by_step(call) -> None:
    """A refusal has no job, a fault stands beside what it befalls, and a job that never ends says so."""
    script = "submit.status(503),fail,hang+cancel.ignored,ok+run.vanish(after_ms=9)+poll.reset"
    page = call("fate", "-", "--times", "4", typed=PAYLOAD, SCRIPT=script).out.splitlines()[4:]

    assert page[0].split() == ["ordinal", "job", "mode", "timeline", "befalls", "it", "ends", "with"]
    assert page[1].split() == ["–", "no", "job", "–", "submit.status(503)", "refused"]
    assert page[2].endswith("SIM_FAIL")
    assert " ".join(page[3].split()).endswith("running 0 ms cancel.ignored nothing: it never ends")
    assert page[4].endswith("run.vanish(after_ms=9), read 0: poll.reset  gone after 9 ms")


def test_a_rule_says_that_it_was_the_one(call, tmp_path: Path) -> None:
    """Every decision that a rule makes has its name."""
    rules = tmp_path / "rules.toml"
    rules.write_text('[[rule]]\nname = "greeting"\nwhen = { text = "hel*" }\nthen = { reply = "Hi." }\n')
    page = call("fate", "-", "--times", "1", typed=PAYLOAD, RULES=str(rules)).out.splitlines()

    assert page[4].split()[:4] == ["ordinal", "job", "rule", "mode"]
    assert page[5].split()[2:4] == ["greeting", "ok"]
    assert page[5].endswith("ok 250 ms  Hi.")


def test_the_draws_of_faults_are_shown(call) -> None:
    """A share fires when its draw lies below it, and of those that exclude each other one stands back."""
    faults = {"FAULTS": "run.vanish=100, run.late=100, result.empty=0.0001"}
    page = call("fate", "-", "--why", "--times", "1", typed=PAYLOAD, **faults).out.splitlines()

    assert [line.split()[0] for line in page[6:]] == ["run.vanish", "run.late", "result.empty"]
    assert [" ".join(line.split()[3:]) for line in page[6:]] == [
        "< 100 % befalls",
        "< 100 % stands back",
        "≥ 0.0001 % does not",
    ]


def test_timelines_are_drawn_into_a_file(call, tmp_path: Path) -> None:
    """As a picture: one row for each submit, and the page all the same."""
    file = tmp_path / "fates.svg"
    said = call("fate", "-", "--svg", str(file), "--times", "3", typed=PAYLOAD, SCRIPT="submit.reset,hang,ok")
    texts = ["".join(node.itertext()) for node in ET.fromstring(file.read_text(encoding="utf-8")).iter()]

    assert said.status == 0
    assert "refused" in said.out
    for text in ("submit 0", "submit 1", "submit 2", "refused: submit.reset", "never ends"):
        assert any(text in one for one in texts), text


def test_a_picture_that_cannot_be_written_is_said_in_one_line(call, tmp_path: Path) -> None:
    """The call was right and it did not work."""
    said = call("fate", "-", "--svg", str(tmp_path / "missing" / "fates.svg"), typed=PAYLOAD)

    assert (said.status, said.out) == (1, "")
    assert said.err.endswith("cannot be written (No such file or directory)\n")


def test_a_file_is_read_as_bytes(call, tmp_path: Path) -> None:
    """A file that is not UTF-8 is refused as the server would, not with a traceback."""
    payload = tmp_path / "payload.json"
    payload.write_bytes(b'{"op":"\xff"}')
    said = call("fate", str(payload))
    assert (said.status, "400 BAD_JSON" in said.err) == (1, True)


@pytest.mark.parametrize("name", ["missing.json", "."])
def test_a_file_that_cannot_be_read_is_a_wrong_call(call, tmp_path: Path, name: str) -> None:
    """The line names the file, the reason and the other mistakes."""
    said = call("fate", str(tmp_path / name), MODE="nope")
    assert said.status == 2
    first, second = said.err.splitlines()
    assert "cannot be read (" in first
    assert "DUMMYLLM_MODE='nope'" in second


def test_a_reply_cannot_move_the_cursor(call) -> None:
    """Every row is one line, whatever the client wrote."""
    payload = json.dumps({"op": "llm.chat", "args": {"messages": "\x9b2J\u2028"}}, ensure_ascii=False)
    page = call("fate", "-", "--times", "1", typed=payload, MODE="echo").out
    assert page.endswith('"\\x9b2J\\u2028"\n')
    assert len(page.splitlines()) == 6


@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(-(10**20), 10**20), times=st.integers(1, 8))
def test_more_times_only_add_rows(call, seed: int, times: int) -> None:
    """What happens the first time does not depend on how often one asks."""
    few, more = (
        json.loads(call("fate", "-", "--json", "--times", str(n), typed=PAYLOAD, MODE="random", SEED=str(seed)).out)
        for n in (times, times + 3)
    )
    assert more["submits"][:times] == few["submits"]
