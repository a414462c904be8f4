"""The examples as a reader runs them: as programs, in real time, against a server that misbehaves."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dummyllm.testing import serve
from tests.runners.trial import payloads

ROOT = Path(__file__).parent.parent.parent
RUNNERS = ROOT / "examples" / "runners"
FAULTS = "submit.status(503,retry_after=1)=30, poll.status(503)=30, poll.stale(reads=2)=30"


@pytest.mark.parametrize("name", ["good_runner", "long_polling_runner"])
def test_a_runner_reports_a_line_for_each_payload_and_is_acquitted(name: str) -> None:
    """What it is asked comes in as lines of JSON, as curl would send them."""
    asked = "\n".join(json.dumps(payload) for payload in payloads(6))
    with serve(seed=2, latency_ms=20, faults=FAULTS) as dummy:
        command = [sys.executable, str(RUNNERS / f"{name}.py"), dummy.base_url]
        done = subprocess.run(command, input=asked, capture_output=True, text=True, timeout=60, check=True)

        assert [line.split("\t")[0] for line in done.stdout.splitlines()] == ["ok"] * 6
        assert any(line.fault for line in dummy.journal)
        dummy.assert_good_runner()


def test_each_runner_is_in_the_table() -> None:
    """And what is in the table is there."""
    text = (RUNNERS / "README.md").read_text(encoding="utf-8")

    assert {path.name for path in RUNNERS.glob("*_runner.py")} == {
        part.partition("]")[0] for part in text.split("[")[1:] if part.partition("]")[0].endswith("_runner.py")
    }
