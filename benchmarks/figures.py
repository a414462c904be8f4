"""The figures that dummyLLM means to reach, each with how it is measured.

A measurement is a function from `Bench` to figures. Those in *floors* are CPU time (user and system) of the server's
process per request, in units of what `floor.py` uses under the same load: steadier than throughput, and comparable
between machines. Milliseconds are this machine's own.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

from benchmarks import load
from benchmarks.bench import Bench
from benchmarks.cost import Load, cpu_more, cpu_ratio, in_floors, polling, submitting
from benchmarks.figure import Figure, NotMeasured, Reach
from benchmarks.judging import verdict
from benchmarks.payload import ARGS_BYTES
from benchmarks.process import Unmeasurable
from benchmarks.rounds import alternate, ratio_of
from benchmarks.server import Server

FLOOR = "benchmarks.floor:app"
WARM_JOBS = 2_000
FEW_JOBS = 100

# SPEC.md's example, with flaky above zero so that all seven modes take part in the race.
RANDOM = {"DUMMYLLM_MODE": "random", "DUMMYLLM_RANDOM_WEIGHTS": "ok=70,echo=10,slow=10,fail=5,hang=3,timeout=2,flaky=0"}
# Half of the jobs run for ever and the others have ended before they are asked for.
MIXED = {
    "DUMMYLLM_MODE": "random",
    "DUMMYLLM_RANDOM_WEIGHTS": "hang=50,ok=35,echo=5,fail=10",
    "DUMMYLLM_LATENCY_MS": "1",
}
# Twelve faults, drawn for every submit or job, so rare that next to none fires; none of them breaks the load.
FAULTS = (
    "submit.slow_ack(ms=1)", "run.vanish", "run.late", "run.stuck_queued", "result.empty", "result.cut",
    "result.unicode", "cancel.ignored", "cancel.slow", "cancel.lost_ack", "poll.missing", "poll.stale",
)  # fmt: skip
FAULTY = RANDOM | {"DUMMYLLM_FAULTS": ",".join(f"{fault}=0.0001" for fault in FAULTS)}
FINISHED = {"DUMMYLLM_MODE": "ok", "DUMMYLLM_LATENCY_MS": "1"}
HANG = {"DUMMYLLM_MODE": "hang"}
HANG_WITH_SHORT_JOURNAL = HANG | {"DUMMYLLM_JOURNAL_MAX": "1000"}


Ready = Callable[[Server, int], Load]
"""Fills a server, and returns the load for it, of so many seconds."""


def post(bench: Bench) -> list[Figure]:
    return [
        _post(bench, "POST /v1/jobs, mode random", RANDOM, Reach(most=1.3)),
        _post(bench, "POST /v1/jobs, mode random, twelve faults", FAULTY, Reach(most=1.8)),
    ]


def _post(bench: Bench, name: str, settings: Mapping[str, str], reach: Reach) -> Figure:
    scale = bench.scale
    with Server(FLOOR) as floor, Server(bench.app, settings) as ours:
        for server in (floor, ours):
            load.fill(server.port, WARM_JOBS)
        submits = submitting(scale.seconds)
        ratio = cpu_ratio(scale.rounds, (floor, submits), (ours, submits))
    return in_floors(name, ratio, reach)


def get(bench: Bench) -> list[Figure]:
    return [
        _get(bench, "GET /v1/jobs/{id}, running and ended jobs", MIXED, jobs=WARM_JOBS),
        _get(bench, "GET /v1/jobs/{id}, one ok reply again and again", FINISHED, jobs=1),
    ]


def _get(bench: Bench, name: str, settings: Mapping[str, str], *, jobs: int) -> Figure:
    """Return the cost of a GET, spread over so many *jobs*; every one has been asked for before that."""
    with Server(FLOOR) as floor, Server(bench.app, settings) as ours:
        sides = [warmed(server, load.fill(server.port, jobs), bench.scale.seconds) for server in (floor, ours)]
        return in_floors(name, cpu_ratio(bench.scale.rounds, *sides), Reach(most=1.3))


def warmed(server: Server, job_ids: list[str], seconds: int) -> tuple[Server, Load]:
    """Return *server* with a load of polls for *job_ids*, each of which it has answered before."""
    load.poll_counted(server.port, job_ids, polls=max(len(job_ids), WARM_JOBS))
    return server, polling(seconds, job_ids)


def journal(bench: Bench) -> list[Figure]:
    """Return what a request costs more while the journal goes to a file as well."""
    with tempfile.TemporaryDirectory() as folder:
        kept = {"DUMMYLLM_JOURNAL": str(Path(folder, "run.jsonl"))}
        return [
            _more(bench, "POST /v1/jobs, more for a journal in a file", RANDOM, kept, _submitted),
            _more(bench, "GET /v1/jobs/{id}, more for a journal in a file", MIXED, kept, _polled),
        ]


def _more(bench: Bench, name: str, settings: Mapping[str, str], added: Mapping[str, str], ready: Ready) -> Figure:
    """Return what the *added* settings cost a request of a server with *settings*."""
    with Server(FLOOR) as floor, Server(bench.app, settings) as plain, Server(bench.app, {**settings, **added}) as more:
        sides = [(server, ready(server, bench.scale.seconds)) for server in (floor, plain, more)]
        ratio = cpu_more(bench.scale.rounds, *sides)
    note = f"{ratio.second:.1f} µs of CPU, floor {ratio.first:.0f} µs"
    reach = Reach(most=0.15)
    return Figure(name=name, value=ratio.value, unit="floors", low=ratio.low, high=ratio.high, reach=reach, note=note)


def _submitted(server: Server, seconds: int) -> Load:
    load.fill(server.port, WARM_JOBS)
    return submitting(seconds)


def _polled(server: Server, seconds: int) -> Load:
    return warmed(server, load.fill(server.port, WARM_JOBS), seconds)[1]


def memory(bench: Bench) -> list[Figure]:
    jobs = bench.scale.jobs_weighed
    with Server(bench.app, HANG_WITH_SHORT_JOURNAL) as ours:
        load.fill(ours.port, WARM_JOBS)  # Fills the journal's ring, so that it does not grow with the jobs.
        before = ours.resident_bytes()
        load.fill(ours.port, jobs)
        kilobytes = ((ours.resident_bytes() - before) / jobs - ARGS_BYTES) / 1000
    note = f"resident memory of {jobs:,} jobs without the {ARGS_BYTES} bytes of args in each"
    return [
        Figure(name="memory of a hung job, args apart", value=kilobytes, unit="kB", reach=Reach(most=0.8), note=note)
    ]


def held(bench: Bench) -> list[Figure]:
    scale = bench.scale
    with Server(bench.app, HANG) as few, Server(bench.app, HANG) as many:
        of_few = warmed(few, load.fill(few.port, FEW_JOBS), scale.seconds)
        of_many = warmed(many, load.fill(many.port, scale.jobs_held)[-FEW_JOBS:], scale.seconds)
        get = cpu_ratio(scale.rounds, of_few, of_many)
    submits = submitting(scale.tail_seconds)
    tails = alternate(
        scale.tail_rounds,
        lambda: _p99_ms(FLOOR, {}, WARM_JOBS, submits),
        lambda: _p99_ms(bench.app, HANG, scale.jobs_held, submits),
    )
    floor_ms, ours_ms = (sorted(side) for side in zip(*tails, strict=True))
    return [
        Figure(
            name=f"p99 of POST with {scale.jobs_held:,} jobs held",
            value=median(ours_ms),
            unit="ms",
            low=ours_ms[0],
            high=ours_ms[-1],
            reach=Reach(most=15),
            note=f"{load.CONNECTIONS} connections in a closed loop; floor from few on, {median(floor_ms):.1f} ms",
        ),
        Figure(
            name=f"GET of a job with {scale.jobs_held:,} held",
            value=get.value,
            unit=f"of that with {FEW_JOBS}",
            low=get.low,
            high=get.high,
            reach=Reach(least=0.8, most=1.2),
            note=f"{get.second:.0f} µs of CPU, with {FEW_JOBS} held {get.first:.0f} µs",
        ),
    ]


def _p99_ms(app: str, settings: Mapping[str, str], jobs: int, submits: Load) -> float:
    """Return the tail of *submits* to a server that holds so many *jobs*; it is a new one, since they add to these."""
    with Server(app, settings) as server:
        load.fill(server.port, jobs)
        return submits(server).p99_us / 1000


def start(bench: Bench) -> list[Figure]:
    for app in (FLOOR, bench.app):
        start_ms(app)  # The first start after a change compiles, and reads from the disk.
    ratio = ratio_of(alternate(bench.scale.starts, lambda: start_ms(FLOOR), lambda: start_ms(bench.app)))
    return [
        Figure(
            name="start of the process to the first 200",
            value=ratio.value,
            unit="floors",
            low=ratio.low,
            high=ratio.high,
            reach=Reach(most=1.5),
            note=f"{ratio.second:.0f} ms by the clock, floor {ratio.first:.0f} ms",
        )
    ]


def start_ms(app: str) -> float:
    """Return the time from starting uvicorn to the first 200 of `GET /health`."""
    with Server(app) as server:
        return server.start_seconds * 1000


MEASUREMENTS: dict[str, Callable[[Bench], list[Figure]]] = {
    "post": post,
    "get": get,
    "journal": journal,
    "memory": memory,
    "held": held,
    "start": start,
    "verdict": verdict,
}


def measure(name: str, bench: Bench) -> list[Figure] | NotMeasured:
    """Return the figures of one of `MEASUREMENTS`, or why there are none."""
    try:
        return MEASUREMENTS[name](bench)
    except Unmeasurable as why:
        return NotMeasured(name, str(why))
