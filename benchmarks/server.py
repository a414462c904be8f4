"""One measured server: uvicorn in a process of its own, in a clean environment, ended whatever happens."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.process import Unmeasurable, cpu_seconds, resident_bytes

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS_MAX = 30.0
STOP_SECONDS_MAX = 10.0
POLL_SECONDS = 0.002
# What changes dummyLLM or uvicorn, and what would have every start compile all modules anew.
INHERITED_NOT = ("DUMMYLLM_", "UVICORN_", "WEB_CONCURRENCY", "FORWARDED_ALLOW_IPS", "PYTHONDONTWRITEBYTECODE")


class Server:
    """*app* served by uvicorn with httptools and uvloop, without access log, for the length of a `with`."""

    def __init__(self, app: str, settings: Mapping[str, str] | None = None) -> None:
        self.app = app
        self.settings = dict(settings or {})

    def __enter__(self) -> Self:
        self.port = free_port()
        self._stderr = tempfile.TemporaryFile()
        started = time.monotonic()
        self._process = subprocess.Popen(
            command(self.app, self.port),
            cwd=ROOT,
            env=environment(os.environ, self.settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._stderr,
            start_new_session=True,  # Ctrl-C reaches only us, and we end the server ourselves.
        )
        try:
            self._await_first_answer()
        except BaseException:
            self._end()
            raise
        self.start_seconds = time.monotonic() - started
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def cpu_seconds(self) -> float:
        return cpu_seconds(self._process.pid)

    def resident_bytes(self) -> int:
        return resident_bytes(self._process.pid)

    def _await_first_answer(self) -> None:
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self._answers():
            if self._process.poll() is not None:
                raise Unmeasurable(f"{self.app} ended with status {self._process.returncode}: {self._last_words()}")
            if time.monotonic() > deadline:
                raise Unmeasurable(f"{self.app} gave no 200 to GET /health within {START_SECONDS_MAX:.0f} s")
            time.sleep(POLL_SECONDS)

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=START_SECONDS_MAX)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _last_words(self) -> str:
        self._stderr.seek(0)
        # RESULTS.md may quote this, and no reader is helped by where the checkout was.
        lines = self._stderr.read().decode(errors="replace").replace(str(ROOT), ".").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "it wrote nothing to stderr")

    def _end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            print(f"{self.app} did not stop within {STOP_SECONDS_MAX:.0f} s and was killed", file=sys.stderr)
        finally:
            if self._process.poll() is None:  # Also after a second Ctrl-C: never leave the server behind.
                self._process.kill()
                self._process.wait()
            self._stderr.close()


def command(app: str, port: int) -> list[str]:
    flags = "--loop uvloop --http httptools --no-access-log --log-level warning --host 127.0.0.1"
    return [sys.executable, "-m", "uvicorn", app, *flags.split(), "--port", str(port)]


def environment(inherited: Mapping[str, str], settings: Mapping[str, str]) -> dict[str, str]:
    """Return *inherited* without what would change a server behind our back, and with *settings*."""
    kept = {name: value for name, value in inherited.items() if not name.startswith(INHERITED_NOT)}
    return kept | dict(settings)


def free_port() -> int:
    """Return a port of the loopback address that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
