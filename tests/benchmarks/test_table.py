from __future__ import annotations

import io
import json
from datetime import date

import pytest

from benchmarks.figure import Figure, NotMeasured, Reach
from benchmarks.results import Results
from benchmarks.table import HEAD, markdown, plain, rows, show

POST = Figure(
    name="POST", value=1.304, unit="floors", low=1.2, high=1.41, reach=Reach(most=1.3), note="78 µs of CPU, floor 60 µs"
)
MEMORY = Figure(name="memory", value=0.905, unit="kB", reach=Reach(most=0.8))
START = NotMeasured("start", "server:app ended with status 2: DUMMYLLM_MODE='slwo' is not a mode")


@pytest.mark.parametrize(("value", "reached"), [(0.79, "no"), (0.8, "yes"), (1.2, "yes"), (1.204, "yes"), (1.21, "no")])
def test_a_reach_includes_its_ends_as_they_are_printed(value: float, reached: str) -> None:
    """Two decimals are printed and two are judged: nobody reads "1.20, at most 1.2: no"."""
    figure = Figure(name="x", value=value, unit="", reach=Reach(least=0.8, most=1.2))

    assert reached in rows([figure])[0]


def test_a_row_says_what_was_measured_and_what_was_meant() -> None:
    """Value with unit, the spread of the rounds, the reach, and whether it was reached."""
    assert rows([POST, MEMORY]) == [
        ("POST", "1.30 floors", "1.20 … 1.41", "≤ 1.3", "yes", "78 µs of CPU, floor 60 µs"),
        ("memory", "0.91 kB", "", "≤ 0.8", "no", ""),
    ]


def test_what_could_not_be_measured_is_neither_reached_nor_missed() -> None:
    """Its row holds the reason and no number."""
    assert rows([START]) == [("start", "not measured", "", "", "", START.reason)]


def test_the_plain_table_is_aligned() -> None:
    """Every column begins at the same place in every line."""
    lines = plain(rows([POST, MEMORY])).splitlines()

    assert len({lines[0].index("measured"), lines[2].index("1.30"), lines[3].index("0.91")}) == 1
    assert len({lines[0].index("reach"), lines[2].index("≤ 1.3"), lines[3].index("≤ 0.8")}) == 1
    assert all(line == line.rstrip() for line in lines)


def test_markdown_has_a_cell_for_every_column() -> None:
    """Also in the rows that say little, and when a reason holds a bar."""
    lines = markdown(rows([POST, NotMeasured("get", "a|b")])).splitlines()

    assert {line.replace("\\|", "").count("|") for line in lines} == {len(HEAD) + 1}


def test_a_pipe_gets_plain_text() -> None:
    """Boxes and colours are for terminals."""
    out = io.StringIO()
    show(rows([POST]), out)

    assert out.getvalue() == plain(rows([POST])) + "\n"


def test_the_results_name_day_and_machine() -> None:
    """A figure without its machine is a rumour."""
    results = Results(
        app="server:app",
        day=date(2026, 1, 2),
        machine={"CPU": "Z80"},
        generator="wrk",
        stolen_percent=7,
        results=[POST, START],
    )
    page, record = results.to_markdown(), json.loads(results.to_json())

    told = ("2026-01-02", "- CPU: Z80", "1.30 floors", "7 % of the CPU time")
    assert [part for part in told if part not in page] == []
    assert record["figures"][0]["value"] == 1.304
    assert record["figures"][0]["reached"] is True
    assert record["not_measured"] == [{"name": "start", "reason": START.reason}]
