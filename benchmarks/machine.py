"""What the figures were measured on, without the machine's name."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("uvicorn", "uvloop", "httptools", "msgspec", "starlette")


def machine() -> dict[str, str]:
    packages = ", ".join(f"{name} {installed(name)}" for name in PACKAGES)
    return {
        "CPU": cpu_model(),
        "cores": str(os.cpu_count()),
        "system": platform.system(),
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "packages": packages,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class HostTicks:
    """What all cores together have done since the start of the machine, in clock ticks."""

    worked: int
    stolen: int

    def stolen_percent(self, since: HostTicks) -> int:
        """Return how much of the CPU time that was wanted *since* then went to other guests of the same host."""
        worked, stolen = self.worked - since.worked, self.stolen - since.stolen
        return round(100 * stolen / (worked + stolen)) if stolen else 0


def host_ticks() -> HostTicks:
    """Return the ticks so far; where there is no `/proc`, none were stolen that we could know of."""
    try:
        return parse_host_ticks(Path("/proc/stat").read_text())
    except FileNotFoundError:
        return HostTicks(worked=0, stolen=0)


def parse_host_ticks(stat: str) -> HostTicks:
    """Return the ticks in the first line of `/proc/stat`."""
    first_line = stat.partition("\n")[0]
    user, nice, system, _idle, _iowait, irq, softirq, stolen = map(int, first_line.split()[1:9])
    return HostTicks(worked=user + nice + system + irq + softirq, stolen=stolen)


def cpu_model() -> str:
    try:
        return parse_cpu_model(Path("/proc/cpuinfo").read_text())
    except FileNotFoundError:
        return platform.processor() or platform.machine()


def parse_cpu_model(cpuinfo: str) -> str:
    """Return the first model in the text of `/proc/cpuinfo`, or the architecture where it names none."""
    found = re.search(r"^model name\s*: *(\S.*)$", cpuinfo, re.MULTILINE)
    return found[1].strip() if found else platform.machine()


def installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
