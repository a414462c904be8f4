"""Sends load at a measured server, from another process: by wrk where it is installed, else by our own client."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from benchmarks import wrk
from benchmarks.process import Unmeasurable
from benchmarks.server import ROOT
from benchmarks.tally import Tally, parse

CONNECTIONS = 64
FILL_SECONDS_MAX = 600
SPARE_SECONDS = 30

# No two loads of a run submit the same payload: the second time it would be another ordinal of the same identity.
_first_numbers = count(0, 10_000_000)


def generator() -> str:
    """Return the name of the load generator that is used here."""
    return "wrk" if shutil.which("wrk") else "benchmarks.client"


def submit(port: int, *, seconds: int) -> Tally:
    """Submit distinct jobs for so many *seconds*."""
    first = next(_first_numbers)
    with tempfile.TemporaryDirectory() as folder:
        if generator() == "wrk":
            return _wrk(port, Path(folder), wrk.submit_script(port, first), seconds)
        return _client(port, "--post", str(first), seconds=seconds)


def poll(port: int, job_ids: Sequence[str], *, seconds: int) -> Tally:
    """Ask for *job_ids*, over and over, for so many *seconds*."""
    with tempfile.TemporaryDirectory() as folder:
        if generator() == "wrk":
            return _wrk(port, Path(folder), wrk.poll_script(port, job_ids), seconds)
        file = Path(folder, "ids")
        file.write_text("\n".join(job_ids))
        return _client(port, "--get", str(file), seconds=seconds)


def poll_counted(port: int, job_ids: Sequence[str], *, polls: int) -> Tally:
    """Ask for *job_ids*, over and over, exactly so many times."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "ids")
        file.write_text("\n".join(job_ids))
        return _client(port, "--get", str(file), "--count", str(polls), seconds=FILL_SECONDS_MAX)


def fill(port: int, jobs: int) -> list[str]:
    """Submit exactly so many distinct *jobs* and return their ids."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "ids")
        bounds = ("--count", str(jobs), "--ids", str(file))
        done = _client(port, "--post", str(next(_first_numbers)), *bounds, seconds=FILL_SECONDS_MAX)
        if done.completed < jobs:
            raise Unmeasurable(f"only {done.completed:,} of {jobs:,} jobs were accepted in {FILL_SECONDS_MAX} s")
        return file.read_text().split()


def _wrk(port: int, folder: Path, script: str, seconds: int) -> Tally:
    file = folder / "requests.lua"
    file.write_text(script)
    return _run(wrk.command(port, file, seconds=seconds, connections=CONNECTIONS), seconds)


def _client(port: int, *what: str, seconds: int) -> Tally:
    bounds = ["--port", str(port), "--connections", str(CONNECTIONS), "--seconds", str(seconds)]
    return _run([sys.executable, "-m", "benchmarks.client", *bounds, *what], seconds)


def _run(command: Sequence[str], seconds: int) -> Tally:
    """Return what *command* printed; it is killed if it overstays and whenever we are interrupted."""
    try:
        ran = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=seconds + SPARE_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise Unmeasurable(f"{command[0]} did not end within {seconds + SPARE_SECONDS} s") from None
    if ran.returncode:
        raise Unmeasurable(f"{command[0]} ended with status {ran.returncode}: {ran.stderr.strip()[-300:]}")
    done = parse(ran.stdout)
    if done.refused or done.broken or not done.completed:
        raise Unmeasurable(
            f"of {done.completed:,} requests {done.refused:,} were not answered 2xx and {done.broken:,} not at all"
        )
    return done
