"""A hundred tests, each with a server of its own, in two processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.live import ROOT, environment

TESTS = 100
PATIENCE_S = 240

TEST = """
import os
import threading

import pytest
from tests.plugin.runner import submit

pytestmark = pytest.mark.dummyllm(mode="random")
SERVERS = os.path.abspath(f"servers-{{os.getpid()}}")

@pytest.mark.parametrize("number", range({tests}))
def test_it(dummyllm, number, worker_id):
    jobs = [submit(dummyllm.base_url) for _ in range(2)]
    assert [(job.id, job.ordinal) for job in dummyllm.jobs] == [(jobs[0], 0), (jobs[1], 1)]
    assert [thread.name for thread in threading.enumerate()].count("dummyllm") == 1
    with open(SERVERS, "a") as servers:
        print(number, dummyllm.base_url, *jobs, file=servers)
"""


def test_a_hundred_tests_have_a_hundred_servers_in_two_threads(tmp_path: Path) -> None:
    """Under pytest-xdist each worker has one thread, each test one server, and all of them the same fates."""
    (tmp_path / "test_it.py").write_text(TEST.format(tests=TESTS), encoding="utf-8")
    command = [sys.executable, "-W", "error", "-m", "pytest", "-p", "dummyllm", "-p", "xdist", "-n", "2", "-q"]
    env = environment() | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False, timeout=PATIENCE_S
    )

    assert f"{TESTS} passed" in ended.stdout, ended.stdout + ended.stderr
    workers = [path.read_text(encoding="utf-8").splitlines() for path in tmp_path.glob("servers-*")]
    servers = [line.split() for lines in workers for line in lines]
    assert len([lines for lines in workers if lines]) == 2
    assert sorted(int(number) for number, *_ in servers) == list(range(TESTS))
    assert len({tuple(jobs) for _, _, *jobs in servers}) == 1
