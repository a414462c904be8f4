"""The command line as a function, and as a process."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dummyllm.cli.main import main

ROOT = Path(__file__).parents[2]
PATIENCE_S = 30


@dataclass(frozen=True)
class Said:
    """What became of a call."""

    status: int
    out: str
    err: str


@pytest.fixture
def call() -> Callable[..., Said]:
    """Call `dummyllm ARGV` in this process, with *settings* under DUMMYLLM_ and *typed* as standard input."""

    def call(*argv: str, typed: str = "", **settings: str) -> Said:
        out, err = io.StringIO(), io.StringIO()
        environ = {f"DUMMYLLM_{name}": value for name, value in settings.items()}
        status = main(argv, environ, out, err, source=io.StringIO(typed))
        return Said(status, out.getvalue(), err.getvalue())

    return call


@dataclass
class Serving:
    """A running `dummyllm serve`, and the URL that it wrote to standard output."""

    process: subprocess.Popen[str]
    url: str

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.url.removeprefix("http://").rpartition(":")
        return host.strip("[]"), int(port)

    def end(self, number: int = signal.SIGINT) -> Said:
        """Send the signal *number* and return what the process said after its URL."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=PATIENCE_S)
        return Said(self.process.returncode, out, err)


def environment(**settings: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("DUMMYLLM_", "NO_COLOR"))}
    return clean | {f"DUMMYLLM_{name}": value for name, value in settings.items()}


@pytest.fixture
def spawn() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start `python -m dummyllm ARGV` in a process of its own, with pipes; it is ended with the test."""
    started: list[subprocess.Popen[str]] = []

    def spawn(*argv: str, **settings: str) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        command = [sys.executable, "-m", "dummyllm", *argv]
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment(**settings), stdin=pipe, stdout=pipe, stderr=pipe, text=True
        )
        started.append(process)
        return process

    yield spawn
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=PATIENCE_S)


@pytest.fixture
def serve(spawn) -> Callable[..., Serving]:
    """Start `dummyllm serve --port 0 ARGV`, and wait for the URL."""

    def serve(*argv: str, **settings: str) -> Serving:
        process = spawn("serve", "--port", "0", *argv, **settings)
        url = process.stdout.readline().strip()
        assert url, f"the server did not start:\n{process.communicate(timeout=PATIENCE_S)[1]}"
        return Serving(process, url)

    return serve
