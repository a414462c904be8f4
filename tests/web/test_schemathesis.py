"""Lets schemathesis loose on a real server, with every check it has: what /openapi.json says is what the server does.

The tool runs as a user would run it, with the document of that very server. It is deterministic here; a longer hunt is
`schemathesis run http://127.0.0.1:8787/openapi.json -n 3000`, with the hook below.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from dummyllm.web.asked import KEY_PATTERN
from tests.live import Server, environment, serve

KEY = "sesame"
CONFIG = f"""
hooks = "hooks.py"

[auth.openapi.{{scheme}}]
{{member}} = "{KEY}"

[warnings]
fail-on = true
"""

# The tool sends one key with many payloads, and that is rightly refused. So each good key becomes a new one, with a
# number in front; one that is too long for that stays as it is.
HOOKS = f"""
import re
from itertools import count
import schemathesis

numbers = count()

@schemathesis.hook
def before_call(context, case, kwargs):
    key = (case.headers or {{}}).get("Idempotency-Key", "")
    quote = '"' if key.startswith('"') else ""
    new = f"{{quote}}{{next(numbers)}}-{{key[len(quote):]}}"
    if re.fullmatch({KEY_PATTERN!r}, key) and re.fullmatch({KEY_PATTERN!r}, new):
        case.headers["Idempotency-Key"] = new
"""

# Latency 0 lets the states of all modes be seen at once: the tool does not wait for a job, unless with `Prefer`.
RANDOM = {
    "MODE": "random",
    "RANDOM_WEIGHTS": "ok=1,echo=1,slow=1,fail=1,hang=1,timeout=1,flaky=1",
    "LATENCY_MS": "0",
    "API_KEY": KEY,
}


@pytest.mark.parametrize(
    ("phase", "scheme", "clock", "examples_max", "operations_tested", "cases_min"),
    [
        ("examples", "key", "wall", 1, 5, 20),
        ("coverage", "bearer", "manual", 1, 16, 300),
        ("fuzzing", "key", "manual", 80, 16, 500),
    ],
)
def test_every_answer_is_as_the_document_says(
    tmp_path: Path, phase: str, scheme: str, clock: str, examples_max: int, operations_tested: int, cases_min: int
) -> None:
    """`/openapi.json` lists every route, every answer and every error; a key is taken as Bearer or as `x-api-key`."""
    with watched(**RANDOM, ADMIN="1", CLOCK=clock) as server:
        report = campaign(server, tmp_path, scheme, "--phases", phase, "-n", str(examples_max))

    assert report["operations"]["tested"] == operations_tested
    assert report["test_cases"]["generated"] >= cases_min
    assert report["valid_rates"]["POST /v1/jobs"][phase]["accepted"] >= 2
    assert report["valid_rates"]["GET /v1/jobs/{id}"][phase]["accepted"] >= 1
    assert (report["valid_rates"]["POST /__admin/clock"][phase]["accepted"] >= 1) == (clock == "manual")


def test_a_job_can_be_followed_along_the_links_of_the_document(tmp_path: Path) -> None:
    """The document links a submit to the polls, cancels and inspections of its job, and a page to the next."""
    # Without ADMIN, for a reset between a submit and a poll makes the tool believe that a job was lost.
    with watched(**RANDOM) as server:
        document = document_of(server)
        # The tool takes a member called *_id for the key of some other thing, and would never begin with a submit.
        del document["components"]["schemas"]["Submission"]["properties"]["trace_id"]
        campaign(server, tmp_path, "bearer", "--phases", "stateful", "-n", "60", document=document)
        reached = Counter((entry["what"], entry.get("state")) for entry in journal(server))

    # Mode timeout ends after 50 ms at the soonest, and the tool seldom waits.
    assert {state for what, state in reached if what in ("poll", "inspect")} >= {"running", "ok", "fail", "cancelled"}
    assert {state for what, state in reached if what == "cancel"} >= {"ok", "fail", "cancelled"}
    assert sum(count for (what, state), count in reached.items() if what == "inspect" and state) >= 5


def test_the_document_of_a_lenient_server_says_that_unknown_members_are_welcome(tmp_path: Path) -> None:
    """`DUMMYLLM_UNKNOWN=ignore`: the member is ignored and journaled."""
    with watched(**RANDOM, UNKNOWN="ignore") as server:
        options = ("--include-operation-id", "submit", "--phases", "coverage,fuzzing", "-n", "40")
        report = campaign(server, tmp_path, "bearer", *options)
        notes = [entry.get("note", "") for entry in journal(server)]

    assert report["operations"]["tested"] == 1
    assert any(note.startswith("ignored unknown members: ") for note in notes)


@contextmanager
def watched(**settings: str) -> Iterator[Server]:
    """Run a server until the block ends, and expect that it had no trouble with any of its clients."""
    with serve(**settings) as server:
        yield server
        server.stop()
        assert "Traceback" not in server.stderr, server.stderr


def campaign(
    server: Server, tmp_path: Path, scheme: str, *options: str, document: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Run schemathesis with *options* on *server*, expect no failure and no warning, and return its report."""
    file, config, report = tmp_path / "openapi.json", tmp_path / "schemathesis.toml", tmp_path / "report.json"
    file.write_text(json.dumps(document or document_of(server)))
    (tmp_path / "hooks.py").write_text(HOOKS)
    config.write_text(CONFIG.format(scheme=scheme, member="bearer" if scheme == "bearer" else "api_key"))
    command = [
        sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run", str(file),
        "--url", server.url, "--checks", "all", "--generation-deterministic", "--no-color",
        "--report", "json", "--report-json-path", str(report), *options,
    ]  # fmt: skip
    run = subprocess.run(
        command, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=300, check=False
    )

    assert run.returncode == 0, run.stdout + run.stderr
    found: dict[str, Any] = json.loads(report.read_text())
    assert found["complete"]
    assert found["failures"] == []
    return found


def document_of(server: Server) -> dict[str, Any]:
    """Return what *server* says of itself."""
    document: dict[str, Any] = httpx.get(f"{server.url}/openapi.json", headers={"x-api-key": KEY}).json()
    return document


def journal(server: Server) -> list[dict[str, Any]]:
    """Return what *server* saw and did."""
    answer = httpx.get(f"{server.url}/__admin/journal?limit=10000", headers={"x-api-key": KEY})
    entries: list[dict[str, Any]] = answer.json()["entries"]
    return entries
