"""What the kernel knows about a process: its CPU time and its memory, from Linux's `/proc`."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path


class Unmeasurable(Exception):
    """A figure could not be measured; the text says why."""


def cpu_seconds(pid: int) -> float:
    """Return the user and system time that the process has used so far."""
    return parse_stat(_proc(pid, "stat")) / os.sysconf("SC_CLK_TCK")


def parse_stat(stat: str) -> int:
    """Return user and system time, in clock ticks, from the text of `/proc/PID/stat`."""
    # The second field is the command's name in brackets, and a name may hold spaces and brackets itself.
    fields = stat.rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def resident_bytes(pid: int) -> int:
    """Return how much of the process is in memory."""
    return parse_resident(_proc(pid, "status"))


def parse_resident(status: str) -> int:
    """Return the resident set in bytes from the text of `/proc/PID/status`."""
    found = re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
    if found is None:
        raise Unmeasurable("/proc/PID/status has no VmRSS line; has the process ended?")
    return int(found[1]) * 1024


def _proc(pid: int, name: str) -> str:
    if sys.platform != "linux":
        raise Unmeasurable(f"Linux only: it is read from /proc/PID/{name}")
    try:
        return Path(f"/proc/{pid}/{name}").read_text()
    except FileNotFoundError:
        raise Unmeasurable(f"process {pid} ended while it was measured") from None
