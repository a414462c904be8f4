"""`dummyllm record`: what befell a run, in a file that makes it happen again."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.live import serve as live

CHAOS = {
    "MODE": "random",
    "RANDOM_WEIGHTS": "ok=4,fail=3,hang=2,flaky=3",
    "LATENCY_MS": "5",
    "LATENCY_SHAPE": "uniform(0.5,1.5)",
    "FAULTS": "submit.status(503)=15, submit.lost_ack=15, run.vanish(after_ms=3)=10, poll.status(502)=30,"
    " result.cut=30",
}


def ask(url: str, body: bytes | None = None) -> None:
    try:
        with urlopen(Request(url, body, {"Content-Type": "application/json"}), timeout=10) as answer:
            answer.read()
    except (HTTPError, OSError):
        pass


def drive(url: str) -> tuple[str, str]:
    """Submit thirty times, read every job three times, and return both digests."""
    for number in range(30):
        ask(f"{url}/v1/jobs", json.dumps({"op": "work", "args": {"n": number % 10}}).encode())
    with urlopen(f"{url}/__admin/journal", timeout=10) as answer:
        entries = json.load(answer)["entries"]
    for job in [entry["job"] for entry in entries if "job" in entry]:
        for _ in range(3):
            ask(f"{url}/v1/jobs/{job}")
    with urlopen(f"{url}/__admin/decisions", timeout=10) as answer:
        told = json.load(answer)
    return told["fates"], told["traffic"]


def test_a_recorded_run_happens_again(call, tmp_path: Path) -> None:
    """The same digests for the same client, and no chance left: every setting that draws is gone."""
    with live(**CHAOS) as server:
        digests = drive(server.url)
        said = call("record", server.url)
    file = tmp_path / "run.faults"
    file.write_text(said.out)

    assert said.status == 0
    assert said.err.endswith("lines; DUMMYLLM_REPLAY=FILE replays just these, with the same seed\n")
    with live(REPLAY=str(file), LATENCY_MS="5") as server:
        assert drive(server.url) == digests
        assert call("record", server.url).out == said.out


def test_a_run_in_which_nothing_befell_anything_has_no_line(call) -> None:
    """Only what did not go well has a line."""
    with live(LATENCY_MS="0") as server:
        ask(f"{server.url}/v1/jobs", b'{"op":"work"}')
        lines = call("record", server.url).out.splitlines()

    assert lines[0] == "# dummyLLM faults, format 1"
    assert all(line.startswith("#") for line in lines)


def test_what_is_missing_from_a_recording_is_said(call) -> None:
    """What fell out of the journal's ring cannot be written down."""
    with live(JOURNAL_MAX="1", FAULTS="submit.status(503)=100") as server:
        for _ in range(3):
            ask(f"{server.url}/v1/jobs", b'{"op":"work"}')
        said = call("record", server.url)

    assert "# incomplete: 2 entries fell out of the journal (DUMMYLLM_JOURNAL_MAX)" in said.out
    assert "dummyllm: warning: incomplete: 2 entries fell out of the journal" in said.err


def test_a_key_is_sent_if_it_is_set(call) -> None:
    """`DUMMYLLM_API_KEY`, as everywhere."""
    with live(API_KEY="geheim") as server:
        assert call("record", server.url).status == 1
        assert call("record", server.url, API_KEY="geheim").status == 0


@pytest.mark.parametrize(("url", "status"), [("127.0.0.1", 2), ("http://127.0.0.1:1", 1)])
def test_without_a_server_there_is_nothing_to_record(call, url: str, status: int) -> None:
    """A wrong URL is a wrong call; a server that is not there is one line."""
    said = call("record", url)

    assert (said.status, said.out) == (status, "")
    assert len(said.err.splitlines()) == 1
