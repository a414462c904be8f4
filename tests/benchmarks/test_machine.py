from __future__ import annotations

import platform

from benchmarks.machine import HostTicks, machine, parse_cpu_model, parse_host_ticks


def test_the_cpu_is_the_first_model_in_cpuinfo() -> None:
    """Every core has the same block of lines; one is enough."""
    assert (
        parse_cpu_model("processor\t: 0\nmodel\t\t: 1\nmodel name\t: Zilog Z80 \nmodel name\t: other\n") == "Zilog Z80"
    )


def test_a_cpu_without_a_model_is_its_architecture() -> None:
    """Linux on ARM names no model."""
    assert parse_cpu_model("processor\t: 0\nBogoMIPS\t: 48.00\n") == platform.machine()


def test_the_machine_keeps_its_name_to_itself() -> None:
    """Results are published: what was measured on is of interest, where is not."""
    told = " ".join(machine().values())

    assert platform.python_version() in told
    assert platform.node() == "" or platform.node() not in told.split()


def test_stolen_time_is_a_share_of_what_was_wanted() -> None:
    """Idle time was wanted by nobody, and the time before a run is not the run's."""
    before = parse_host_ticks("cpu  100 0 50 9000 4 0 10 40 0 0\ncpu0 1 2 3\n")
    after = parse_host_ticks("cpu  160 0 70 9500 4 0 20 50 0 0\ncpu0 1 2 3\n")

    assert before == HostTicks(worked=160, stolen=40)
    assert after.stolen_percent(since=before) == 10
    assert before.stolen_percent(since=before) == 0
