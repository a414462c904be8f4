"""What becomes of a server that cannot be: it ends by itself, with its reasons said once, whoever supervises it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.live import ROOT, environment

ENDS_WITHIN_S = 30  # it takes two to six; the machine may be busy
MISTAKE = "dummyllm: DUMMYLLM_MODE='flakey' is not a mode"
REASON = "dummyllm: jobs are kept in the memory of one process, and --workers starts several; run one worker"


def run(*options: str, cwd: Path = ROOT, **settings: str) -> tuple[int, str]:
    """Run `uvicorn server:app OPTIONS` to its own end; return exit status and what it said."""
    command = [sys.executable, "-m", "uvicorn", "server:app", "--host", "127.0.0.1", "--port", "0", *options]
    ended = subprocess.run(
        command,
        cwd=cwd,
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=ENDS_WITHIN_S,
        check=False,
    )
    return ended.returncode, ended.stdout + ended.stderr


def test_more_than_one_worker_is_refused_once_and_the_supervisor_ends() -> None:
    """`uvicorn server:app --workers 2` prints its reason once and ends instead of respawning for ever."""
    _, said = run("--workers", "2")

    assert said.count(REASON) == 1
    assert "Traceback" not in said


@pytest.mark.parametrize("options", [["--workers", "2"], ["--workers", "4"], ["--reload", "--reload-dir", "docs"]])
def test_a_bad_setting_is_said_once_and_the_supervisor_ends(options: Sequence[str]) -> None:
    """Every worker finds the same mistakes; one of them says them, each on a line of its own."""
    _, said = run(*options, MODE="flakey", LATENCYMS="5")

    assert said.count(MISTAKE) == 1
    assert said.count("dummyllm: DUMMYLLM_LATENCYMS='5' is not a setting (did you mean 'DUMMYLLM_LATENCY_MS'?)") == 1
    assert said.count("dummyllm: ") == 2
    assert "Traceback" not in said


def test_one_worker_is_no_worker_too_many() -> None:
    """`--workers 1` runs, as uvicorn then starts no supervisor."""
    command = [sys.executable, "-m", "uvicorn", "server:app", "--host", "127.0.0.1", "--port", "0", "--workers", "1"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment(), stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        assert any("Uvicorn running on" in line for line in process.stderr)
    finally:
        process.kill()
        process.communicate()


def test_a_mistake_found_on_a_reload_is_said_too(tmp_path: Path) -> None:
    """Under `--reload` each start has its own mistakes, so each says them; then the reloader ends."""
    script = tmp_path / "listener.eliza"
    script.write_text((ROOT / "dummyllm" / "eliza" / "listener.eliza").read_text(encoding="utf-8"), encoding="utf-8")
    watched = tmp_path / "watched"
    watched.mkdir()
    touched = watched / "touched.py"
    touched.write_text("", encoding="utf-8")
    command = [sys.executable, "-m", "uvicorn", "server:app", "--host", "127.0.0.1", "--port", "0"]
    command += ["--reload", "--reload-dir", str(watched), "--reload-delay", "0.05", "--app-dir", str(ROOT)]
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment(ELIZA_FILE=str(script)), stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None
        assert any("Application startup complete" in line for line in process.stderr)
        script.write_text("no script at all", encoding="utf-8")
        later = time.time() + 5
        os.utime(touched, (later, later))
        said = process.communicate(timeout=ENDS_WITHIN_S)[1]
    finally:
        process.kill()
        process.wait()

    assert said.count("dummyllm: DUMMYLLM_ELIZA_FILE=") == 1, said
    assert "Traceback" not in said


IMPORTING = """
import multiprocessing, signal, sys

def child():
    import dummyllm.asgi

if __name__ == "__main__":
    signals = []
    signal.signal(signal.SIGTERM, lambda *_: signals.append("SIGTERM"))
    process = multiprocessing.get_context("spawn").Process(target=child)
    process.start()
    process.join()
    print(process.exitcode, signals)
"""


@pytest.mark.parametrize(("mode", "status"), [("ok", 0), ("flakey", 2)])
def test_a_child_of_somebody_else_leaves_its_parent_alone(tmp_path: Path, mode: str, status: int) -> None:
    """Importing the server in an ordinary spawned process signals nobody: a bad setting ends that process only."""
    program = tmp_path / "importing.py"
    program.write_text(IMPORTING, encoding="utf-8")

    ended = subprocess.run(
        [sys.executable, str(program)],
        cwd=tmp_path,
        env=environment(MODE=mode) | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=ENDS_WITHIN_S,
        check=False,
    )

    assert ended.stdout.strip() == f"{status} []"
    assert ended.stderr.count(MISTAKE) == (1 if status else 0)
    assert "Traceback" not in ended.stderr


def test_a_taken_port_is_one_line_and_leaves_the_first_server_alone(tmp_path: Path) -> None:
    """A second server on the same port ends with uvicorn's own status, and says so in one line."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        status, said = run("--port", str(taken.getsockname()[1]))

    assert status != 0
    assert "address already in use" in said
    assert "Traceback" not in said
