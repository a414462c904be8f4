"""*Delivered* is the premise of every conviction: a client that had left before its answer was given got none."""

from __future__ import annotations

import asyncio
import os
import signal
from math import inf
from pathlib import Path
from time import monotonic

import pytest

from dummyllm.web.delivery import UNSEEN_S_MAX, Deliveries
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
            for _ in range(5):  # the connection is made, and the loop has been seen to turn
                client.send(request("GET", "/health"))
                assert client.answer().status == 200
            os.kill(server.process.pid, signal.SIGSTOP)
            eventually(lambda: states(server.process.pid) == "T", "a server that stands still")
            stopped_s = monotonic()
            eventually(lambda: monotonic() - stopped_s > 2 * UNSEEN_S_MAX, "a pause that is worth a look")
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


def test_what_a_busy_loop_has_seen_is_two_turns_old() -> None:
    """What it answers in this turn may have come at any time since the look before, which was after the turn before."""

    async def turns() -> list[tuple[float, bool]]:
        deliveries, seen = Deliveries(), []
        for now_s in (1.0, 2.0, 3.0, 4.0):
            deliveries.turn(now_s)
            is_new_at_once = deliveries.is_new_turn
            await asyncio.sleep(0)
            assert deliveries.is_new_turn
            seen.append((deliveries.seen_s, is_new_at_once))
        return seen

    assert asyncio.run(turns()) == [(-inf, False), (-inf, False), (1.0, False), (2.0, False)]
