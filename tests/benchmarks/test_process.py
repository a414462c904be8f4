from __future__ import annotations

import os
import sys

import pytest

from benchmarks.process import Unmeasurable, cpu_seconds, parse_resident, parse_stat, resident_bytes

STAT = "12 (uvi) corn (x) S 1 12 12 0 -1 4194560 100 0 0 0 {user} {system} 0 0 20 0 1 0 68540 3133440 360"


def test_cpu_time_is_user_and_system() -> None:
    """A command's name may hold blanks and brackets; the fields are counted from the last one."""
    assert parse_stat(STAT.format(user=250, system=31)) == 281


def test_resident_memory_is_in_bytes() -> None:
    """`/proc` says kB and means 1024."""
    assert parse_resident("Name:\tpython\nVmHWM:\t  99 kB\nVmRSS:\t   31248 kB\nThreads:\t1\n") == 31248 * 1024


def test_a_process_without_memory_has_ended() -> None:
    """A zombie's status has no VmRSS."""
    with pytest.raises(Unmeasurable, match="no VmRSS line"):
        parse_resident("Name:\tpython\nState:\tZ (zombie)\n")


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_a_running_process_can_be_read() -> None:
    """The one that runs this test, for instance."""
    assert cpu_seconds(os.getpid()) > 0
    assert resident_bytes(os.getpid()) > 1_000_000


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_a_process_that_is_gone_is_named() -> None:
    """A server that ended while it was measured is a figure that could not be measured."""
    with pytest.raises(Unmeasurable, match="process 4194305 ended"):
        cpu_seconds(4194305)  # Above the largest pid that Linux gives.


@pytest.mark.skipif(sys.platform == "linux", reason="what other systems are told")
def test_elsewhere_it_says_linux_only() -> None:
    """No figure is made up where there is no `/proc`."""
    with pytest.raises(Unmeasurable, match="Linux only"):
        cpu_seconds(os.getpid())
