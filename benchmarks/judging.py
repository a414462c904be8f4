"""What `dummyllm verdict` takes for the file of a long run: by the clock, and of memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import msgspec
from msgspec.structs import replace

from benchmarks.bench import Bench
from benchmarks.figure import Figure, Reach
from benchmarks.process import Unmeasurable
from benchmarks.server import ROOT, environment
from dummyllm.core.timeline import State
from dummyllm.journal import Delivered, What
from dummyllm.journal_line import Closing, Heading, Line

STARTED_AT_MS = 1_700_000_000_000
JOBS_PER_SECOND = 200
LATENCY_MS = 350
POLL_EACH_MS = 100
HANG_EACH = 5
LINES_PER_JOB = 5  # a submit, three polls that say running, and the end, read or brought about by a cancel
LAST_MS = 1000


def verdict(bench: Bench) -> list[Figure]:
    scale = bench.scale
    with tempfile.TemporaryDirectory() as folder:
        journal = Path(folder, "run.jsonl")
        write_run(journal, scale.entries_judged // LINES_PER_JOB)
        costs = [cost_of(journal) for _ in range(scale.verdicts)]
    seconds, gigabytes = (sorted(side) for side in zip(*costs, strict=True))
    name = f"verdict of {scale.entries_judged:,} entries"
    note = f"`dummyllm verdict FILE`, {LINES_PER_JOB} entries a job, by the clock"
    return [
        Figure(
            name=name,
            value=median(seconds),
            unit="s",
            low=seconds[0],
            high=seconds[-1],
            reach=Reach(most=20),
            note=note,
        ),
        Figure(
            name=f"memory of a {name}",
            value=median(gigabytes),
            unit="GB",
            low=gigabytes[0],
            high=gigabytes[-1],
            reach=Reach(most=1),
            note="the most that was resident",
        ),
    ]


def write_run(path: Path, jobs: int) -> None:
    """Write the journal of a good runner's run with so many *jobs*."""
    encode = msgspec.json.Encoder().encode
    with path.open("wb") as file:
        file.write(encode(Heading(started_at_ms=STARTED_AT_MS, seed="1337")) + b"\n")
        for number in range(jobs):
            file.writelines(encode(line) + b"\n" for line in _lines(number))
        closed_at_ms = STARTED_AT_MS + jobs * 1000 // JOBS_PER_SECOND + LAST_MS
        file.write(encode(Closing(closed_at_ms, fates="0" * 16, traffic="0" * 16, reproducible="exact")) + b"\n")


def _lines(number: int) -> Iterator[Line]:
    """Yield what is seen of the job with this *number*: its submit, its polls, and the cancel of one that hangs."""
    hangs = number % HANG_EACH == 0
    came_ms = number * 1000 // JOBS_PER_SECOND
    fingerprint = f"{number:032x}"
    submit = Line(
        seq=number * LINES_PER_JOB,
        at_ms=STARTED_AT_MS + came_ms,
        what=What.SUBMIT,
        delivered=Delivered.YES,
        job=f"job_{number:024x}",
        identity=fingerprint,
        ordinal=0,
        user_agent="runner/1",
        arrived_ms=came_ms,
    )
    yield replace(
        submit,
        hit=0,
        status=201,
        state=State.QUEUED,
        fingerprint=fingerprint,
        timeout_ms=8000,
        outcome=State.RUNNING if hangs else State.OK,
        ends_after_ms=None if hangs else LATENCY_MS,
    )
    for count in range(1, LINES_PER_JOB):
        after_ms = count * POLL_EACH_MS
        is_last = count == LINES_PER_JOB - 1
        yield replace(
            submit,
            seq=submit.seq + count,
            at_ms=submit.at_ms + after_ms,
            what=What.CANCEL if is_last and hangs else What.POLL,
            status=200,
            state=State.RUNNING if not is_last else State.CANCELLED if hangs else State.OK,
            arrived_ms=came_ms + after_ms,
        )


def cost_of(journal: Path) -> tuple[float, float]:
    """Return the seconds and the most gigabytes that a process takes to judge *journal*; raise if it finds anything."""
    if sys.platform != "linux":
        raise Unmeasurable("Linux only: elsewhere memory is told in other units")
    command = [sys.executable, "-m", "dummyllm", "verdict", str(journal)]
    started_s = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(os.environ, {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)  # what it took is told to who waits for it, and to nobody else
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise Unmeasurable(f"`dummyllm verdict` ended with status {process.returncode}")
    return time.monotonic() - started_s, usage.ru_maxrss * 1024 / 1e9
