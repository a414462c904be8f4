"""The results on paper: `RESULTS.md` for readers, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date

from benchmarks.figure import Figure, NotMeasured
from benchmarks.table import markdown, rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    app: str
    day: date
    machine: Mapping[str, str]
    generator: str
    stolen_percent: int
    results: Sequence[Figure | NotMeasured]

    def to_json(self) -> str:
        measured = [
            asdict(result) | {"reached": result.reached} for result in self.results if isinstance(result, Figure)
        ]
        missing = [asdict(result) for result in self.results if isinstance(result, NotMeasured)]
        head = {
            "app": self.app,
            "day": str(self.day),
            "machine": dict(self.machine),
            "generator": self.generator,
            "stolen_percent": self.stolen_percent,
        }
        return json.dumps(head | {"figures": measured, "not_measured": missing}, indent=2, ensure_ascii=False) + "\n"

    def to_markdown(self) -> str:
        machine = "\n".join(f"- {what}: {which}" for what, which in self.machine.items())
        return TEXT.format(
            app=self.app,
            day=self.day,
            machine=machine,
            generator=self.generator,
            stolen_percent=self.stolen_percent,
            table=markdown(rows(self.results)),
        )


TEXT = """\
# Benchmark results

Written by `python -m benchmarks --write` on {day} for `{app}`; load from {generator}.

{machine}

{table}

A *floor* is the CPU time (user and system) that one request costs `benchmarks/floor.py`, the least an ASGI app can do
that accepts jobs and answers for them, on the same uvicorn with httptools and uvloop. Floor and app are measured
in turn; a figure in floors is the median of the ratios of single rounds, and *rounds* are the lowest and the highest.
Such ratios travel from machine to machine; milliseconds do not, which is why the floor's stand beside them. While this
was measured, other guests of the host took {stolen_percent} % of the CPU time that was wanted: every such pause is
in the p99.

The p99 comes from a closed loop: 64 connections that each wait for their answer before they send again, as a runner's
workers do. Such a loop sends nothing while the server stands still, so its percentiles are corrected for the requests
that were held back (as wrk and HdrHistogram do it). Its rounds take ten seconds: a load opens all connections at once,
they are accepted one by one, and in a shorter round their first answers would be the tail. It does not say what happens
when requests keep arriving faster than they are answered.
"""
