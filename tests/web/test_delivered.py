"""*Delivered* is the premise of every conviction: a client that had left before its answer was given got none."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.web.stack import STACKS, Line, ask, request, served
from tests.web.wire import eventually


def states(pid: int) -> str:
    """Return what the kernel says a process is doing: `T` is stopped."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]


@pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="what the kernel tells of a client that left is Linux's"
)
@pytest.mark.parametrize("options", STACKS.values(), ids=STACKS)
def test_a_client_that_gave_up_on_a_paused_server_got_no_answer(tmp_path: Path, options: tuple[str, ...]) -> None:
    """The server reads a request whose client closed its connection meanwhile: whether that arrived is not known."""
    with served(tmp_path / "log", *options) as server:
        with Line(server.port) as client:
            client.send(request("GET", "/health"))
            assert client.answer().status == 200  # the connection is made
            os.kill(server.process.pid, signal.SIGSTOP)
            eventually(lambda: states(server.process.pid) == "T", "a server that stands still")
            client.send(request("POST", "/v1/jobs", b'{"op":"work"}'))
        os.kill(server.process.pid, signal.SIGCONT)

        def entries() -> list[dict]:
            return [
                one for one in ask(server.port, "GET", "/__admin/journal").json["entries"] if one["what"] == "submit"
            ]

        eventually(lambda: bool(entries()), "the submit in the journal")
        assert [entry["delivered"] for entry in entries()] == ["unknown"]


def test_a_client_that_waits_for_its_answer_gets_it(tmp_path: Path) -> None:
    """The other side of that edge."""
    with served(tmp_path / "log") as server:
        assert ask(server.port, "POST", "/v1/jobs", b'{"op":"work"}').status == 201
        (entry,) = [
            one for one in ask(server.port, "GET", "/__admin/journal").json["entries"] if one["what"] == "submit"
        ]

    assert entry["delivered"] == "yes"
