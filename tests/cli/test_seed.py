"""`dummyllm seed find`: a seed that does what is wanted, on a live server too."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from dummyllm.cli import news, seed
from dummyllm.cli.seed import read_want
from dummyllm.core.fingerprint import identity_of
from dummyllm.core.foresight import labels, outcomes, with_seed
from dummyllm.core.request import JobRequest
from dummyllm.settings import load
from tests.live import serve as live

PAYLOAD = json.dumps({"op": "llm.chat", "args": {"messages": [{"role": "user", "content": "Hello"}]}})


def fetch(url: str, body: str | None = None) -> dict:
    with urlopen(Request(url, body and body.encode(), {"Content-Type": "application/json"}), timeout=10) as answer:
        return json.load(answer)


def endings(url: str, body: str, times: int) -> list[str]:
    """Return how the first jobs of *body* end on a server: in a state, or as refused."""
    seen = []
    for _ in range(times):
        try:
            job = fetch(f"{url}/v1/jobs", body)
        except HTTPError as error:
            error.close()
            seen.append("refused")
            continue
        outcome = fetch(f"{url}/v1/jobs/{job['id']}/request")["fate"]["outcome"]
        seen.append({"running": "hang", "queued": "hang"}.get(outcome, outcome))
    return seen


def test_it_finds_the_smallest_seed(call) -> None:
    """All smaller ones do something else."""
    found = int(call("seed", "find", "-", "--want", "fail,fail,ok", typed=PAYLOAD, MODE="flaky").out)
    request = JobRequest("llm.chat", json.dumps(json.loads(PAYLOAD)["args"]).encode())
    policy = load({"DUMMYLLM_MODE": "flaky"}).policy
    identity = identity_of(policy.identity, request)

    def told(seed: int) -> list[set[str]]:
        return [
            labels(outcome)
            for _, (_, outcome) in zip(range(3), outcomes(with_seed(policy, seed), request, identity), strict=False)
        ]

    wanted = [{"fail", "flaky"}, {"fail", "flaky"}, {"ok", "flaky"}]
    assert told(found) == wanted
    assert all(told(seed) != wanted for seed in range(found))


def test_three_payloads_find_a_seed_that_holds_on_a_live_server(call, tmp_path: Path) -> None:
    """Several payloads at once with `--want-file`; the found seed does what was asked."""
    wants = {"a": "fail,fail,ok", "b": "ok,hang,ok", "c": "refused,ok,fail"}
    lines = ["# payload and want", ""]
    for name, want in wants.items():
        (tmp_path / f"{name}.json").write_text(
            json.dumps({"op": "llm.chat", "args": {"messages": [{"content": name}]}})
        )
        lines.append(f"{name}.json {want}")
    (tmp_path / "wants.txt").write_text("\n".join(lines))
    environment = {"MODE": "flaky", "FAULTS": "submit.status(503)=20", "LATENCY_MS": "0"}
    seed = call("seed", "find", "--want-file", str(tmp_path / "wants.txt"), **environment).out.strip()

    with live(**environment, SEED=seed) as server:
        for name, want in wants.items():
            body = (tmp_path / f"{name}.json").read_text()
            assert endings(server.url, body, 3) == want.split(","), f"{name} under seed {seed}"


def test_it_finds_as_many_as_asked_in_order(call) -> None:
    """`--count` seeds, each on a line; `--first` says where to begin."""
    three = call("seed", "find", "-", "--want", "ok,fail", "--count", "3", typed=PAYLOAD, MODE="flaky").out.split()
    after = str(int(three[0]) + 1)
    rest = call("seed", "find", "-", "--want", "ok,fail", "--count", "2", "--first", after, typed=PAYLOAD, MODE="flaky")

    assert sorted(map(int, three)) == [int(seed) for seed in three]
    assert rest.out.split() == three[1:]


@pytest.mark.parametrize(
    ("want", "settings"),
    [
        ("slow", {"MODE": "random"}),
        ("echo,any,ok", {"MODE": "random"}),
        ("ok+submit.lost_ack", {"FAULTS": "submit.lost_ack=10"}),
        ("ok+submit.status(503)", {"FAULTS": "submit.lost_ack=10"}),
        ("refused+submit.status(503),ok", {"FAULTS": "submit.status(503)=10, submit.status(429)=50"}),
        ("hang+run.stuck_queued", {"FAULTS": "run.stuck_queued=5"}),
        ("ok+poll.stale+cancel.slow", {"SWARM": "1"}),
    ],
)
def test_what_can_be_wanted(call, want: str, settings: dict[str, str]) -> None:
    """How it ends, the mode where that says more, the faults that befall it, and any."""
    said = call("seed", "find", "-", "--want", want, "--most", "30000", typed=PAYLOAD, **settings)

    if want == "ok+submit.status(503)":
        assert (said.status, said.out) == (1, ""), "what refuses a submit leaves no job to end well"
    else:
        told = json.loads(call("fate", "-", "--json", typed=PAYLOAD, **settings, SEED=said.out.strip()).out)["submits"]
        assert said.status == 0
        for words, submit in zip(want.split(","), told, strict=False):
            assert all(_is_told(word, submit) for word in words.split("+")), (words, submit)


def _is_told(word: str, submit: dict) -> bool:
    if word == "refused":
        return submit["id"] is None
    faults = [submit["fault"] or "", *(submit["fate"] or {}).get("faults", [])]
    ends = {"ok": "ok", "hang": ("running", "queued")}
    outcome = (submit["fate"] or {}).get("outcome")
    if word in ends:
        return outcome in ends[word]
    return word == "any" or word == (submit["fate"] or {}).get("mode") or any(f.startswith(word) for f in faults)


def test_what_is_not_to_be_found_is_said(call) -> None:
    """The call was right and it did not work: status 1, and the way that needs no search."""
    said = call("seed", "find", "-", "--want", "timeout", "--most", "500", typed=PAYLOAD, MODE="flaky")

    assert (said.status, said.out) == (1, "")
    assert said.err == (
        "dummyllm: of 500 seeds from 0 on, 0 do that; a script (DUMMYLLM_SCRIPT) does it without a search\n"
    )


@pytest.mark.parametrize(
    ("argv", "complaint"),
    [
        (["-"], "say FILE --want OUTCOMES for one payload, or --want-file FILE for several"),
        (["--want", "ok"], "say FILE --want OUTCOMES for one payload, or --want-file FILE for several"),
        (["-", "--want", "ok", "--count", "0"], "--count 0 is no number of seeds; use 1 to 10000"),
        (["-", "--want", "ok", "--most", "0"], "--most 0 is no number of tries; use 1 to 1000000000000"),
        (["-", "--want", "okay"], "--want has 'okay', which no submit comes to; use ok, fail, timeout, hang, refused"),
        (["-", "--want", "fail,,ok"], "--want has '', which no submit comes to"),
        (["-", "--want", "submit.lost_akc"], "(did you mean 'submit.lost_ack'?)"),
        (["missing.json", "--want", "ok"], "'missing.json' cannot be read (No such file or directory)"),
        (["--want-file", "missing.txt"], "'missing.txt' cannot be read (No such file or directory)"),
    ],
)
def test_a_wrong_call_says_what_is_right(call, argv: list[str], complaint: str) -> None:
    """Status 2, and one line for each mistake."""
    said = call("seed", "find", *argv, typed=PAYLOAD)

    assert (said.status, said.out) == (2, "")
    assert complaint in said.err


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ("", "has no line; write PATH fail,fail,ok on each"),
        ("a.json", "line 1: 'a.json' lacks its want; write PATH fail,fail,ok"),
        ("a.json ok\na.json fail", "two of the payloads are the same work, and share their counters"),
        ("b.json ok", "b.json' cannot be read"),
    ],
)
def test_a_file_of_wants_says_what_is_wrong_with_it(call, tmp_path: Path, lines: str, complaint: str) -> None:
    """Two payloads that are the same work would count for each other."""
    (tmp_path / "a.json").write_text(PAYLOAD)
    (tmp_path / "wants.txt").write_text(lines)
    said = call("seed", "find", "--want-file", str(tmp_path / "wants.txt"))

    assert (said.status, said.out) == (2, "")
    assert complaint in said.err


def test_a_payload_that_a_server_refuses_has_no_seed(call) -> None:
    """It is refused in the server's words."""
    said = call("seed", "find", "-", "--want", "ok", typed="{")

    assert said.status == 1
    assert "the server refuses this payload: 400 BAD_JSON" in said.err


def test_a_want_is_read_step_by_step() -> None:
    """A comma between submits, a plus between what is true of one, and a comma at the end is forgiven."""
    assert read_want("fail, ok + poll.stale,any,") == (
        frozenset({"fail"}),
        frozenset({"ok", "poll.stale"}),
        frozenset(),
    )


def test_a_long_search_is_told_of(call, monkeypatch: pytest.MonkeyPatch) -> None:
    """How far it is goes to standard error, and only seeds to standard output."""
    monkeypatch.setattr(news, "SECONDS_BETWEEN_NEWS", -1.0)
    monkeypatch.setattr(seed, "CHECK_EVERY", 2)

    said = call("seed", "find", "-", "--want", "timeout", "--most", "5", typed=PAYLOAD, MODE="flaky")

    assert said.out == ""
    assert said.err.splitlines()[:-1] == [
        f"dummyllm: {tried} seeds tried in 0 s, 0 found; Ctrl-C ends it" for tried in (2, 4)
    ]


def test_no_seed_is_looked_for_where_none_matters(call) -> None:
    """To try a hundred million of them takes half an hour."""
    said = call("seed", "find", "-", "--want", "fail", typed=PAYLOAD, MODE="ok")

    assert (said.status, said.out) == (1, "")
    assert said.err.startswith("dummyllm: nothing is left to chance here, so all seeds do the same, and not that; set ")
