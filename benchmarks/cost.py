"""CPU time per request: what the server's process used, over the requests that the load generator counted."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from benchmarks import load
from benchmarks.figure import Figure, Reach
from benchmarks.rounds import Ratio, alternate, more_of, ratio_of
from benchmarks.server import Server
from benchmarks.tally import Tally

Load = Callable[[Server], Tally]


def submitting(seconds: int) -> Load:
    """Return a load of distinct submits."""
    return lambda server: load.submit(server.port, seconds=seconds)


def polling(seconds: int, job_ids: list[str]) -> Load:
    """Return a load that asks for *job_ids* over and over."""
    return lambda server: load.poll(server.port, job_ids, seconds=seconds)


def cpu_us(server: Server, under: Load) -> float:
    """Return the CPU time in microseconds that one request of the load costs *server*."""
    before = server.cpu_seconds()
    done = under(server)
    return (server.cpu_seconds() - before) / done.completed * 1e6


def cpu_ratio(rounds: int, first: tuple[Server, Load], second: tuple[Server, Load]) -> Ratio:
    """Return what a request costs the *second* server, in requests of the *first*."""
    return ratio_of(alternate(rounds, lambda: cpu_us(*first), lambda: cpu_us(*second)))


def cpu_more(rounds: int, *sides: tuple[Server, Load]) -> Ratio:
    """Return by how much a request costs the third server more than the second, in requests of the first."""
    return more_of(alternate(rounds, *(partial(cpu_us, *side) for side in sides)))


def in_floors(name: str, ratio: Ratio, reach: Reach) -> Figure:
    """Return the figure of a *ratio* whose first side is the floor."""
    note = f"{ratio.second:.0f} µs of CPU, floor {ratio.first:.0f} µs"
    return Figure(name=name, value=ratio.value, unit="floors", low=ratio.low, high=ratio.high, reach=reach, note=note)
