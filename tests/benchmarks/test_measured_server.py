"""The floor through uvicorn, sockets and both load generators: that they work together, never how fast."""

from __future__ import annotations

import shutil
import sys

import pytest

from benchmarks import load
from benchmarks.process import Unmeasurable
from benchmarks.server import Server, environment

FLOOR = "benchmarks.floor:app"
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="uvloop and /proc")


def test_a_server_inherits_nothing_that_would_change_it() -> None:
    """Only the settings given for the measurement reach dummyLLM and uvicorn."""
    inherited = {"PATH": "/bin", "DUMMYLLM_MODE": "fail", "UVICORN_WORKERS": "4", "WEB_CONCURRENCY": "4"}

    assert environment(inherited, {"DUMMYLLM_SEED": "7"}) == {"PATH": "/bin", "DUMMYLLM_SEED": "7"}


@linux_only
@pytest.mark.parametrize("generator", ["wrk", "benchmarks.client"])
def test_a_measured_server_takes_load_and_is_ended(generator: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is filled with an exact number of jobs, asked for them by either generator, and gone after the `with`."""
    if generator == "wrk" and not shutil.which("wrk"):
        pytest.skip("wrk is not installed")
    monkeypatch.setattr(load, "generator", lambda: generator)

    with Server(FLOOR) as server:
        before = server.cpu_seconds()
        ids = load.fill(server.port, 200)
        polled = load.poll(server.port, ids, seconds=1)

        assert len(set(ids)) == 200
        assert polled.completed > 0
        assert (polled.refused, polled.broken) == (0, 0)
        assert 0 < polled.p50_us <= polled.p99_us <= polled.max_us
        assert server.cpu_seconds() > before
        assert server.start_seconds > 0

    with pytest.raises(Unmeasurable):
        load.fill(server.port, 1)
    with pytest.raises(Unmeasurable, match="ended while it was measured"):
        server.cpu_seconds()


@linux_only
def test_an_answer_other_than_2xx_is_no_measurement() -> None:
    """A server that refuses quickly would look fast."""
    with Server(FLOOR) as server, pytest.raises(Unmeasurable, match="were not answered 2xx"):
        load.poll(server.port, ["job_unknown"], seconds=1)


@linux_only
def test_a_server_that_does_not_start_says_why() -> None:
    """The last thing that uvicorn wrote is in the message."""
    with pytest.raises(Unmeasurable, match=r"benchmarks\.nothing:app ended with status \d: .*benchmarks\.nothing"):
        Server("benchmarks.nothing:app").__enter__()
