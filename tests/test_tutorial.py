"""docs/tutorial.md is walked, step by step: red where it says red, and green where it says green."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live import ROOT, environment

PAGE = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
RUNNER, TESTS, WAITS, CANCELS, LOST_ACK, SUBMIT = BLOCKS


def tried(place: Path, runner: str, tests: str) -> tuple[int, str]:
    """Run the tutorial's tests on *runner* in *place*; return the exit status and what pytest says."""
    (place / "runner.py").write_text(runner, encoding="utf-8")
    (place / "test_runner.py").write_text(tests, encoding="utf-8")
    said = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        env=environment() | {"PYTHONPATH": os.pathsep.join([str(place), str(ROOT)])},
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return said.returncode, said.stdout


def mended() -> str:
    """Return the runner of step 4: step 2's, with the two pieces in their places."""
    waits = RUNNER.replace("        if answer.status_code != 201:\n            continue\n", WAITS)
    runner = waits.replace('        if job["state"] == "ok":\n', CANCELS)
    assert RUNNER != waits != runner
    return runner


def keyed() -> str:
    """Return the runner of step 5: it submits with a key."""
    runner = mended().replace("import time\n", "import time\nimport uuid\n")
    runner = runner.replace("def run(", f"{SUBMIT}\n\ndef run(")
    with_key = runner.replace(
        'answer = httpx.post(f"{url}/v1/jobs", json=payload)',
        re.search(r"`(answer = submit\(.*?\))` in `run`", PAGE)[1],
    )
    assert with_key != runner
    return with_key


def test_the_naive_runner_is_red_with_three_findings(tmp_path: Path) -> None:
    """Both tests get their answer, and the bad start fails with three findings."""
    status, said = tried(tmp_path, RUNNER, TESTS)

    assert status == 1
    assert "1 failed, 1 passed" in said
    for shown in re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL):
        for line in filter(None, map(str.strip, shown.splitlines())):
            assert re.search(re.escape(line).replace("…", "[0-9]+ ms"), said), line
    assert set(re.findall(r"FAIL ([a-z-]+)$", said, re.MULTILINE)) == {
        "retry-after-honoured",
        "no-concurrent-duplicate",
        "cancel-on-give-up",
    }
    assert "◄" in said
    assert "replay" in said


def test_three_lines_make_it_green(tmp_path: Path) -> None:
    """Wait as long as you were told to, and cancel what you give up."""
    status, said = tried(tmp_path, mended(), TESTS)

    assert (status, "2 passed" in said) == (0, True), said


def test_what_is_required_and_not_exercised_is_no_green(tmp_path: Path) -> None:
    """A rule that nothing put to the test fails as `not exercised`."""
    tests = TESTS.replace("submit.status(503,retry_after=1)*2,hang,ok", "ok")
    status, said = tried(tmp_path, mended(), tests)

    assert status == 1
    assert "retry-after-honoured was required, and nothing put the runner to the test" in said


@pytest.mark.parametrize(("runner", "passed"), [(mended(), 2), (keyed(), 3)], ids=["without a key", "with a key"])
def test_a_lost_acknowledgement_wants_a_key(tmp_path: Path, runner: str, passed: int) -> None:
    """It fails with an exception of httpx; with a key the second submit gets the job that is already there."""
    _, said = tried(tmp_path, runner, f"{TESTS}\n\n{LOST_ACK}")

    assert f"{passed} passed" in said, said
    assert ("RemoteProtocolError" in said) == (passed == 2)


def test_the_readme_asks_for_the_same_verdict(tmp_path: Path) -> None:
    """In a test that is one line: red for the naive runner, green for the mended one."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (snippet,) = [block for block in re.findall(r"```python\n(.*?)```", readme, re.DOTALL) if "good_runner(" in block]
    tests = TESTS.partition("def test_a_good_day")[0] + snippet

    assert "1 failed" in tried(tmp_path, RUNNER, tests)[1]
    assert "1 passed" in tried(tmp_path, mended(), tests)[1]
