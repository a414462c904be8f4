"""`dummyllm fate`: what will happen to a payload under this environment, time after time, without a server."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

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
        for job in foretold["jobs"]:
            made = fetch(f"{server.url}/v1/jobs", PAYLOAD)
            assert made["id"] == job["id"]
            seen = fetch(f"{server.url}/v1/jobs/{job['id']}/request")
            assert (seen["ordinal"], seen["fate"]) == (job["ordinal"], job["fate"])
            assert (seen["fingerprint"], seen["seed"]) == (foretold["fingerprint"], foretold["seed"])
            if job["fate"]["outcome"] == "ok":
                while (view := fetch(f"{server.url}/v1/jobs/{job['id']}"))["state"] == "running":
                    pass
                assert view["result"]["text"] == job["reply"]
        decided = fetch(f"{server.url}/__admin/decisions")["jobs"]
    assert [job["draws"] for job in decided] == [job["draws"] for job in foretold["jobs"]]
    assert {job["identity"] for job in decided} == {foretold["identity"]}
    assert {job["fate"]["mode"] for job in foretold["jobs"]} == set(
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
    assert [line.split()[:2] for line in page[5:]] == [[str(job["ordinal"]), job["id"]] for job in told["jobs"]]


@pytest.mark.parametrize(("argv", "rows"), [([], 5), (["--times", "1"], 1), (["--times", "12"], 12)])
def test_it_is_told_as_often_as_asked(call, argv: list[str], rows: int) -> None:
    """Five times unless `--times` says otherwise, the ordinals counted from 0."""
    jobs = json.loads(call("fate", "-", "--json", *argv, typed=PAYLOAD).out)["jobs"]
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
    assert more["jobs"][:times] == few["jobs"]
