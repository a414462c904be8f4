"""Runs the server on each stack that uvicorn offers, its stderr in a file, and talks to it in raw bytes."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import msgspec

from tests.live import ROOT, STARTED, environment

STACKS = {
    "httptools+uvloop": ("--http", "httptools", "--loop", "uvloop"),
    "httptools+asyncio": ("--http", "httptools", "--loop", "asyncio"),
    "h11+asyncio": ("--http", "h11", "--loop", "asyncio"),
}

PATIENCE_S = 20  # how long a test waits for what ought to come at once; the machine may be busy


def unhurried(seconds: float) -> float:
    """Return *seconds* of an idle machine in those of this one: as many times more as its cores have work waiting."""
    return seconds * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


@dataclass(frozen=True)
class Served:
    """A running server and the file its stderr goes to."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def stderr(self) -> str:
        """Everything the server has said so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def complaints(self) -> str:
        """Return what the server said beyond its ordinary lines: a traceback, an error, a bug of ours.

        uvicorn warns of each request it could not read, and of an upgrade it does not know; that is its own affair.
        """
        ordinary = (
            "INFO: ",
            "WARNING:  Invalid HTTP request",
            "WARNING:  Unsupported upgrade",
            "WARNING:  No supported",
        )
        return "\n".join(line for line in self.stderr.splitlines() if line and not line.startswith(ordinary))

    def stop(self, number: int = signal.SIGINT, *, timeout_s: float = PATIENCE_S) -> float:
        """Send the signal *number* and return the seconds it took the server to end."""
        start = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(timeout_s)
        return time.monotonic() - start

    def cpu_s(self) -> float:
        """Return the seconds of work that the server has done so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_bytes(self) -> int:
        """Return the memory the server holds at this instant."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024

    def peak_bytes(self) -> int:
        """Return the most memory the server has held so far."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


@contextmanager
def served(log: Path, *options: str, app: str = "server:app", **settings: str) -> Iterator[Served]:
    """Run `uvicorn APP OPTIONS` with DUMMYLLM_ *settings* until the block ends, its stderr in the file *log*."""
    command = [sys.executable, "-m", "uvicorn", app, "--host", "127.0.0.1", "--port", "0", "--no-access-log", *options]
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment(**settings), stderr=stderr, stdout=subprocess.DEVNULL
        )
    try:
        yield Served(_port_of(process, log), process, log)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def _port_of(process: subprocess.Popen[bytes], log: Path) -> int:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        match = STARTED.search(log.read_text(encoding="utf-8"))
        if match:
            return int(match[1])
        try:
            process.wait(0.02)
        except subprocess.TimeoutExpired:
            continue
        break
    raise AssertionError(f"the server did not start:\n{log.read_text(encoding='utf-8')}")


class Line:
    """One TCP connection to a server, in raw bytes."""

    def __init__(self, port: int, *, receive_buffer: int | None = None) -> None:
        self.socket = socket.socket()
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(PATIENCE_S)
        self.socket.connect(("127.0.0.1", port))
        self._read = bytearray()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> bool:
        """Send *data* whole and return True; False if the server closed its end before that."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def rest(self) -> tuple[bytes, str]:
        """Return everything up to the end of the connection, and how it ended: FIN or RST."""
        end = "FIN"
        with suppress(Hung):
            try:
                while True:
                    self._more()
            except ConnectionResetError:
                end = "RST"
        return self._taken(len(self._read)), end

    def answer(self, *, has_body: bool = True) -> Answer:
        """Return the next answer; raise `Hung` if the connection ends before it is whole.

        An answer to HEAD has no body, whatever its Content-Length; without one the body ends with the connection.
        """
        while (head_bytes := self._read.find(b"\r\n\r\n")) < 0:
            self._more()
        status_line, *lines = self._taken(head_bytes).split(b"\r\n")
        self._taken(4)
        fields = [line.partition(b":") for line in lines]
        headers = {name.lower().decode(): value.strip().decode("latin-1") for name, _, value in fields}
        status = int(status_line.split(b" ")[1])
        if not has_body:
            return Answer(status, headers, b"")
        if "content-length" not in headers:
            return Answer(status, headers, self.rest()[0])
        while len(self._read) < int(headers["content-length"]):
            self._more()
        return Answer(status, headers, self._taken(int(headers["content-length"])))

    def _more(self) -> None:
        piece = self.socket.recv(262_144)
        if not piece:
            raise Hung(bytes(self._read))
        self._read += piece

    def _taken(self, count: int) -> bytes:
        taken = bytes(self._read[:count])
        del self._read[:count]
        return taken


class Hung(Exception):
    """The connection ended before an answer was whole."""


@dataclass(frozen=True)
class Answer:
    """An answer over a raw connection; the names of *headers* are in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return msgspec.json.decode(self.body)

    @property
    def code(self) -> str | None:
        """The code of the error, or None if the answer is not an error in our shape."""
        try:
            return self.json["detail"]["error"]["code"]
        except (msgspec.DecodeError, KeyError, TypeError):
            return None

    @property
    def message(self) -> str:
        """The sentence of the error."""
        return self.json["detail"]["error"]["message"]


def request(method: str, path: str, body: bytes | None = None, **headers: str) -> bytes:
    """Return the bytes of a plain request; `_` in a header's name stands for `-`."""
    fields = {"host": "localhost"} | {name.replace("_", "-"): value for name, value in headers.items()}
    if body is not None:
        fields = {"content-type": "application/json", "content-length": str(len(body))} | fields
    head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items()) + "\r\n"
    return head.encode("latin-1") + (body or b"")


def ask(port: int, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
    """Send one request over a connection of its own and return the answer."""
    with Line(port) as line:
        line.send(request(method, path, body, **headers))
        return line.answer(has_body=method != "HEAD")
