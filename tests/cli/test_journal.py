"""`dummyllm journal tail`: what a running server sees and does, line by line, while it does."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from threading import Timer
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from dummyllm.cli import journal as journal_module
from dummyllm.cli.journal import WhatName, shown
from dummyllm.journal import What
from dummyllm.journal_line import Line
from tests.live import Server
from tests.live import serve as live
from tests.verdict.told import Told, job_id

PATIENCE_S = 30


@pytest.fixture
def server() -> Iterator[Server]:
    """A server on which every second submit is refused."""
    with live(
        SCRIPT="ok, submit.status(503), ok", MODE="script", ADMIN="1", LATENCY_MS="0", JOURNAL_MAX="50"
    ) as running:
        yield running


def submit(server: Server, count: int = 1) -> None:
    for _ in range(count):
        try:
            urlopen(
                Request(f"{server.url}/v1/jobs", b'{"op":"work"}', {"Content-Type": "application/json"}), timeout=10
            ).close()
        except HTTPError as refused:
            refused.close()


def reset(server: Server) -> None:
    urlopen(Request(f"{server.url}/__admin/reset", b""), timeout=10).close()


def test_each_entry_is_a_line(call, server: Server) -> None:
    """When, its number, what came, what was answered, whether that was delivered, the job, and whatever befell it."""
    submit(server, 3)
    said = call("journal", "tail", server.url, "--count", "3")
    lines = [re.sub(r" +", " ", line.strip()) for line in said.out.splitlines()]

    assert (said.status, said.err) == (0, "")
    assert re.fullmatch(r"\d+\.\d{3} s 0 submit 201 queued yes job_[0-9a-f]{24}", lines[0])
    assert re.fullmatch(r"\d+\.\d{3} s 1 submit 503 SIM_STATUS yes – submit\.status\(503\)", lines[1])
    assert len(lines) == 3


def test_json_is_the_entry_as_the_server_has_it(call, server: Server) -> None:
    """A line of it, for programs; nothing is left out."""
    submit(server, 2)
    with urlopen(f"{server.url}/__admin/journal", timeout=10) as answer:
        entries = json.load(answer)["entries"]
    said = call("journal", "tail", server.url, "--count", "2", "--json")

    assert [json.loads(line) for line in said.out.splitlines()] == entries


@pytest.mark.parametrize(
    ("options", "seqs"),
    [
        (["--since", "2"], [2, 3]),
        (["--what", "submit"], [0, 1]),
        (["--what", "submit", "--fault"], [1]),
        (["--fault", "--json"], [1]),
    ],
)
def test_only_what_is_of_interest_is_printed(call, server: Server, options: list[str], seqs: list[int]) -> None:
    """From an entry on, of one kind, about one job, or what a fault befell."""
    submit(server, 5)
    said = call("journal", "tail", server.url, *options, "--count", str(len(seqs)))

    found = [json.loads(line)["seq"] if "--json" in options else int(line.split()[2]) for line in said.out.splitlines()]
    assert found == seqs


def test_one_job_can_be_followed(call, server: Server) -> None:
    """By its id."""
    submit(server)
    with urlopen(f"{server.url}/__admin/journal", timeout=10) as answer:
        job = json.load(answer)["entries"][0]["job"]
    submit(server)
    urlopen(f"{server.url}/v1/jobs/{job}", timeout=10).close()
    said = call("journal", "tail", server.url, "--job", job, "--count", "2")

    assert [line.split()[3] for line in said.out.splitlines()] == ["submit", "poll"]


@pytest.fixture
def following(spawn, server: Server) -> Iterator[subprocess.Popen[str]]:
    """A process that follows the journal of the server, and has shown its first entry; it does not live for ever."""
    submit(server)
    process = spawn("journal", "tail", server.url)
    end = Timer(PATIENCE_S, process.kill)
    end.start()
    assert process.stdout.readline().split()[2:4] == ["0", "submit"]
    yield process
    end.cancel()


def test_entries_are_printed_as_they_come_until_ctrl_c(following: subprocess.Popen[str], server: Server) -> None:
    """Ctrl-C ends it, with status 130 and without a word."""
    for seq in ("1", "2"):
        submit(server)
        assert following.stdout.readline().split()[2] == seq
    following.send_signal(signal.SIGINT)
    out, err = following.communicate(timeout=PATIENCE_S)

    assert (following.returncode, out, err) == (130, "", "")


def test_a_reset_is_followed(following: subprocess.Popen[str], server: Server) -> None:
    """The numbers begin anew; the first entry says why."""
    submit(server)
    assert following.stdout.readline().split()[2] == "1"
    reset(server)

    assert following.stdout.readline().split()[2:4] == ["0", "reset"]


def test_a_server_that_ends_ends_it(following: subprocess.Popen[str], server: Server) -> None:
    """Status 1, in one line."""
    server.process.kill()
    server.process.wait()
    _, err = following.communicate(timeout=PATIENCE_S)

    assert following.returncode == 1
    assert err.startswith(f"dummyllm: no server answers at {server.url} (")
    assert len(err.splitlines()) == 1


def test_what_fell_out_of_the_ring_is_said(call, server: Server) -> None:
    """Whoever comes late has missed something."""
    submit(server, 55)
    said = call("journal", "tail", server.url, "--count", "1")

    assert said.err == "dummyllm: 5 entries fell out of the journal (DUMMYLLM_JOURNAL_MAX)\n"
    assert said.out.split()[2] == "5"


def test_an_entry_that_is_yet_to_come_is_waited_for(call, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--since` may name the future; what is there already is none of it."""
    submit(server)
    pauses = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        submit(server)

    monkeypatch.setattr(journal_module.time, "sleep", pause)
    said = call("journal", "tail", server.url, "--since", "3", "--count", "1")

    assert said.out.split()[2] == "3"
    assert 2 <= len(pauses) <= 4


@pytest.mark.parametrize(
    ("argv", "complaint"),
    [
        (["tail", "127.0.0.1"], "URL='127.0.0.1' is no URL of a server"),
        (["tail", "http://127.0.0.1:1", "--since", "-1"], "--since -1 is no number of an entry; they count from 0"),
        (["tail", "http://127.0.0.1:1", "--count", "0"], "--count 0 is no number of entries; use 1 or more"),
        (["tail", "http://127.0.0.1:1", "--what", "polls"], "polls"),
        (["tail"], "URL"),
        (["head", "http://127.0.0.1:1"], "head"),
    ],
)
def test_a_wrong_call_is_one_line_and_status_2(call, argv: list[str], complaint: str) -> None:
    """What was wrong."""
    said = call("journal", *argv)

    assert (said.status, said.out) == (2, "")
    assert complaint in said.err
    assert len(said.err.splitlines()) == 1


@pytest.mark.parametrize("options", [[], ["--job", "17"]])
def test_a_server_that_is_not_there_or_refuses_did_not_work(call, server: Server, options: list[str]) -> None:
    """Status 1, in the server's words."""
    said = call("journal", "tail", server.url if options else "http://127.0.0.1:1", *options)

    assert (said.status, said.out) == (1, "")
    assert ("'17' is no job id" if options else "no server answers at") in said.err


def test_a_key_is_sent_if_it_is_set(call) -> None:
    """`DUMMYLLM_API_KEY`, as everywhere."""
    with live(API_KEY="sesame", ADMIN="1") as server:
        urlopen(Request(f"{server.url}/__admin/reset", b"", {"x-api-key": "sesame"}), timeout=10).close()
        assert call("journal", "tail", server.url, "--count", "1").status == 1
        assert call("journal", "tail", server.url, "--count", "1", API_KEY="sesame").status == 0


def test_the_kinds_are_those_of_the_journal() -> None:
    """A kind of entry that is added is one that can be asked for."""
    assert list(WhatName.__args__) == list(What)


EACH: list[Callable[[Told], Line]] = [
    lambda told: told.read(1, user_agent="\x1b[2J", shown="a\nb"),
    lambda told: told.submit(status=503, code="SIM_STATUS", fault="submit.status(503)", note="\x1b\n"),
    lambda told: told.started(1, note="a slot\nbecame free"),
]


@pytest.mark.parametrize("entry", EACH)
def test_an_entry_is_one_line_whatever_a_client_sent(entry: Callable[[Told], Line]) -> None:
    """What could move a cursor is spelled out."""
    assert shown(entry(Told())).isprintable()


def test_what_the_server_did_by_itself_is_told_with_its_note() -> None:
    """No client asked for it, and none was answered."""
    line = shown(Told().started(1, note="a slot became free"))

    assert re.sub(r" +", " ", line) == f" 0.000 s 0 started {job_id(1)} a slot became free"
