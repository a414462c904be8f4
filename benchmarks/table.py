"""The figures as a table: in colour for a terminal, as plain text for a pipe, as Markdown for the repository."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.figure import Figure, NotMeasured

Row = tuple[str, ...]
HEAD: Row = ("figure", "measured", "rounds", "reach", "reached", "made from")


def rows(results: Sequence[Figure | NotMeasured]) -> list[Row]:
    return [not_measured_row(result) if isinstance(result, NotMeasured) else figure_row(result) for result in results]


def figure_row(figure: Figure) -> Row:
    spread = "" if figure.low is None or figure.high is None else f"{figure.low:.2f} … {figure.high:.2f}"
    reached = "yes" if figure.reached else "no"
    return (figure.name, f"{figure.value:.2f} {figure.unit}", spread, str(figure.reach), reached, figure.note)


def not_measured_row(result: NotMeasured) -> Row:
    return (result.name, "not measured", "", "", "", result.reason)


def plain(table: Sequence[Row]) -> str:
    widths = [max(len(row[column]) for row in (HEAD, *table)) for column in range(len(HEAD))]
    lines = [HEAD, tuple("-" * width for width in widths), *table]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def markdown(table: Sequence[Row]) -> str:
    lines = [HEAD, tuple("---" for _ in HEAD), *table]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def show(table: Sequence[Row], out: IO[str]) -> None:
    """Print *table* to *out*: drawn by rich if that is a terminal, else as plain text."""
    if not out.isatty():
        print(plain(table), file=out)
        return
    drawn = Table(*HEAD)
    for row in table:
        drawn.add_row(*map(Text, row), style="red" if row[4] == "no" else "")
    Console(file=out).print(drawn)
