"""Measures dummyLLM against the floor and prints what it found: `python -m benchmarks`."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.bench import FULL, QUICK, Bench
from benchmarks.figure import Figure, NotMeasured
from benchmarks.figures import MEASUREMENTS, measure
from benchmarks.load import generator
from benchmarks.machine import host_ticks, machine
from benchmarks.results import Results
from benchmarks.table import rows, show

RESULTS_FILE = Path(__file__).with_name("RESULTS.md")


def main(argv: Sequence[str] | None = None) -> int:
    options = parse_arguments(argv)
    try:
        results = run(Bench(app=options.app, scale=QUICK if options.quick else FULL), options.only)
    except KeyboardInterrupt:
        print("stopped; nothing was written", file=sys.stderr)
        return 130
    show(rows(results.results), sys.stdout)
    if results.stolen_percent:
        print(f"Other guests of the host took {results.stolen_percent} % of the CPU time: mind the milliseconds.")
    if options.json:
        options.json.write_text(results.to_json())
    missing = [result.name for result in results.results if isinstance(result, NotMeasured)]
    if options.write and not missing:
        RESULTS_FILE.write_text(results.to_markdown())
    if missing:
        print(f"could not be measured: {', '.join(missing)}", file=sys.stderr)
    return 1 if missing else 0


def run(bench: Bench, names: Sequence[str]) -> Results:
    """Return the figures of the measurements called *names*, telling stderr how far it has come."""
    results: list[Figure | NotMeasured] = []
    before = host_ticks()
    for number, name in enumerate(names, start=1):
        print(f"[{number}/{len(names)}] {name} …", file=sys.stderr, flush=True)
        measured = measure(name, bench)
        results += [measured] if isinstance(measured, NotMeasured) else measured
    return Results(
        app=bench.app,
        day=datetime.now(UTC).date(),
        machine=machine(),
        generator=generator(),
        stolen_percent=host_ticks().stolen_percent(since=before),
        results=results,
    )


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measures dummyLLM against the least an ASGI app can do. Linux only, apart from the starts.",
        epilog="The exit status is 1 if something could not be measured, and 0 otherwise: a missed reach is no error.",
    )
    names = ", ".join(MEASUREMENTS)
    parser.add_argument("--quick", action="store_true", help="fewer rounds and jobs: under a minute, and less exact")
    parser.add_argument("--only", type=measurements, default=tuple(MEASUREMENTS), help=f"some of: {names}")
    parser.add_argument("--app", default="server:app", metavar="MODULE:APP", help="what to measure (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to FILE")
    parser.add_argument(
        "--write", action="store_true", help="also rewrite benchmarks/RESULTS.md, if nothing is missing"
    )
    return parser.parse_args(argv)


def measurements(raw: str) -> tuple[str, ...]:
    """Return the names in a list with commas, in the order in which they are measured."""
    asked = {name.strip() for name in raw.split(",") if name.strip()}
    if unknown := sorted(asked - set(MEASUREMENTS)):
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)} is not among {', '.join(MEASUREMENTS)}")
    return tuple(name for name in MEASUREMENTS if name in asked)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # Unwinds, so that every server is ended.
    sys.exit(main())
