"""Runs a real server for a test: uvicorn in a process of its own, on a port of its own, ended with the block."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
STARTED = re.compile(r"running on https?://127\.0\.0\.1:(\d+)")


@dataclass
class Server:
    """A running server: *url* to talk to it, *process* to signal it, *stderr* what it said so far."""

    url: str
    port: int
    process: subprocess.Popen[str]
    stderr: str

    def stop(self, number: int = signal.SIGINT, *, timeout_s: float = 10) -> int:
        """Send the signal *number*, wait for the end, and return the exit status; *stderr* then has everything."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        _, rest = self.process.communicate(timeout=timeout_s)
        self.stderr += rest
        return self.process.returncode


def environment(**settings: str) -> dict[str, str]:
    """Return this process's environment without any DUMMYLLM_ name, and with *settings* under that prefix."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DUMMYLLM_")}
    return clean | {f"DUMMYLLM_{name}": value for name, value in settings.items()}


@contextmanager
def serve(*, options: Sequence[str] = (), app: str = "server:app", **settings: str) -> Iterator[Server]:
    """Run `uvicorn APP OPTIONS` with DUMMYLLM_ *settings* until the block ends."""
    command = [sys.executable, "-m", "uvicorn", app, "--host", "127.0.0.1", "--port", "0", "--no-access-log", *options]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment(**settings), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    assert process.stderr is not None
    said = ""
    try:
        for line in process.stderr:
            said += line
            match = STARTED.search(line)
            if match:
                break
        else:
            raise AssertionError(f"the server did not start:\n{said}")
        server = Server(f"http://127.0.0.1:{match[1]}", int(match[1]), process, said)
        yield server
    finally:
        if process.poll() is None:
            process.kill()
        process.stderr.close()
        process.wait()
