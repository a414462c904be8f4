"""DUMMYLLM_VERDICT: when the server ends, the verdict is printed, or written into a file."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from urllib.request import Request, urlopen
from xml.etree import ElementTree as ET

import pytest

from tests.live import ROOT, STARTED, environment
from tests.web.stack import PATIENCE_S, unhurried

ENDS_WITHIN_S = 2.0
HOW = {
    "uvicorn": ("-m", "uvicorn", "server:app", "--host", "127.0.0.1", "--port", "0", "--no-access-log"),
    "dummyllm serve": ("-m", "dummyllm", "serve", "--port", "0"),
}


class Ended:
    """A server that was started, saw a job that nobody looked after, and was told to end."""

    def __init__(self, process: subprocess.Popen[str], said: str) -> None:
        self._process = process
        self._said = said
        self._url = f"http://127.0.0.1:{STARTED.search(said)[1] if STARTED.search(said) else said.rpartition(':')[2]}"

    def submit(self) -> None:
        body = Request(f"{self._url.strip()}/v1/jobs", b'{"op":"work"}', {"Content-Type": "application/json"})
        urlopen(body, timeout=PATIENCE_S).close()

    def close_stdout(self) -> None:
        """Go away, as the reader of a pipe."""
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process.stdout = None

    def stop(self, number: int = signal.SIGINT) -> tuple[float, str, str]:
        """Send the signal, and return how long the end took, and what was said on both streams."""
        start_s = monotonic()
        self._process.send_signal(number)
        out, err = self._process.communicate(timeout=PATIENCE_S)
        return monotonic() - start_s, out, err


@pytest.fixture(params=list(HOW))
def how(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def run(tmp_path: Path, how: str) -> Iterator[Callable[..., Ended]]:
    """Start a server whose jobs hang, in the directory of the test."""
    started: list[subprocess.Popen[str]] = []

    def run(**settings: str) -> Ended:
        pipe = subprocess.PIPE
        env = environment(MODE="hang", **settings) | {"PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(
            [sys.executable, *HOW[how]], cwd=tmp_path, env=env, stdout=pipe, stderr=pipe, text=True
        )
        started.append(process)
        said = process.stdout.readline() if how == "dummyllm serve" else ""
        while how == "uvicorn" and not STARTED.search(said):
            said = process.stderr.readline()
            assert said, "the server did not start"
        return Ended(process, said.strip())

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
            process.communicate(timeout=PATIENCE_S)


FOUND = "was left running when the run was over"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_verdict_is_printed_when_the_server_ends(run: Callable[..., Ended], number: int) -> None:
    """On standard output, as text, within the two seconds that an end takes."""
    server = run(VERDICT="print")
    server.submit()
    took_s, out, err = server.stop(number)

    assert out.startswith("dummyLLM verdict: fail (1 failed, 20 not exercised)\n\nFAIL cancel-on-give-up\n")
    assert FOUND in " ".join(out.split())
    assert out.splitlines()[-1] == "verdict        fail: cancel-on-give-up failed, 1 finding"
    assert "Traceback" not in err
    assert took_s < unhurried(ENDS_WITHIN_S)


@pytest.mark.parametrize("name", ["verdict.txt", "verdict.json", "verdict.xml", "verdict.md"])
def test_the_verdict_is_written_into_a_file(run: Callable[..., Ended], tmp_path: Path, name: str) -> None:
    """`.json`, `.xml` for JUnit, `.md`, anything else for text; a file that is there is written over."""
    (tmp_path / name).write_text("of the run before")
    server = run(VERDICT=str(tmp_path / name))
    server.submit()
    _, out, err = server.stop()
    written = (tmp_path / name).read_text(encoding="utf-8")

    assert (out, "Traceback" in err) == ("", False)
    match name.rpartition(".")[2]:
        case "json":
            assert json.loads(written)["verdict"] == "fail"
        case "xml":
            assert ET.fromstring(written)[0].get("failures") == "1"
        case "md":
            assert written.startswith("## ✗ dummyLLM verdict: fail\n")
        case _:
            assert written.startswith("dummyLLM verdict: fail (")
    assert FOUND in " ".join(written.split())


def test_nobody_is_told_who_did_not_ask(run: Callable[..., Ended]) -> None:
    """Without DUMMYLLM_VERDICT a server ends as ever."""
    server = run()
    server.submit()
    _, out, err = server.stop()

    assert (out, "verdict" in err) == ("", False)


def test_a_verdict_that_cannot_be_written_is_one_line_on_standard_error(
    run: Callable[..., Ended], tmp_path: Path
) -> None:
    """The server has done its work; nothing but that line tells of it. /dev/full is a disk that takes no more."""
    (tmp_path / "verdict.md").symlink_to("/dev/full")
    server = run(VERDICT="verdict.md")
    server.submit()
    took_s, out, err = server.stop()

    assert out == ""
    assert "dummyllm: the verdict cannot be written to 'verdict.md' (No space left on device)\n" in err
    assert "Traceback" not in err
    assert took_s < unhurried(ENDS_WITHIN_S)


def test_a_reader_that_is_gone_is_no_error_of_the_server(run: Callable[..., Ended]) -> None:
    """`dummyllm serve | head -1`: nobody is left to read the verdict."""
    server = run(VERDICT="print")
    server.submit()
    server.close_stdout()
    _, _, err = server.stop()

    assert "dummyllm: the verdict cannot be written to standard output (Broken pipe)\n" in err
    assert "Traceback" not in err


def test_the_journal_in_a_file_is_judged_like_the_run_itself(run: Callable[..., Ended], tmp_path: Path) -> None:
    """The file is closed before the verdict is given, and tells the same story."""
    server = run(VERDICT="print", JOURNAL="run.jsonl")
    server.submit()
    _, out, _ = server.stop()
    told = subprocess.run(
        [sys.executable, "-m", "dummyllm", "verdict", "run.jsonl"],
        cwd=tmp_path, env=environment() | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert told.returncode == 1
    assert steady(told.stdout) == steady(out)


def steady(told: str) -> list[str]:
    """Return what was told, but for the milliseconds since the last request: they are counted anew."""
    return [line for line in told.splitlines() if "the run is over" not in line and "last asked about" not in line]
