"""The command line of `python -m benchmarks`, without a single measurement."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks import figures
from benchmarks.bench import Bench
from benchmarks.figure import Figure, Reach
from benchmarks.process import Unmeasurable

POST = Figure(name="POST", value=2.5, unit="floors", reach=Reach(most=1.3))


@pytest.fixture(autouse=True)
def measurements(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand-ins for the measurements: one that misses its reach, and one that cannot be made."""

    def post(_: Bench) -> list[Figure]:
        return [POST]

    def start(_: Bench) -> list[Figure]:
        raise Unmeasurable("Linux only")

    stand_ins: dict[str, Callable[[Bench], list[Figure]]] = {"post": post, "start": start}
    monkeypatch.setattr(figures, "MEASUREMENTS", stand_ins)
    monkeypatch.setattr(command, "MEASUREMENTS", stand_ins)


def test_a_missed_reach_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    """Figures go to stdout, progress to stderr, and the status is 0."""
    assert command.main(["--only", "post"]) == 0

    printed = capsys.readouterr()
    assert "2.50 floors" in printed.out
    assert printed.err == "[1/1] post …\n"


def test_what_could_not_be_measured_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    """The status is 1 and the last line says what; the other figures are still printed."""
    assert command.main([]) == 1

    printed = capsys.readouterr()
    assert "2.50 floors" in printed.out
    assert "Linux only" in printed.out
    assert printed.err.endswith("could not be measured: start\n")


def test_an_unknown_measurement_is_a_wrong_call(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 2, with the name and those there are."""
    with pytest.raises(SystemExit) as left:
        command.main(["--only", "post,gte"])

    assert left.value.code == 2
    assert "gte is not among post, start" in capsys.readouterr().err


def test_figures_can_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--json` is for programs; `--write` is for the repository, and writes nothing with a hole in it."""
    monkeypatch.setattr(command, "RESULTS_FILE", tmp_path / "RESULTS.md")

    command.main(["--write"])
    assert not (tmp_path / "RESULTS.md").exists(), "a figure was missing"

    command.main(["--only", "post", "--json", str(tmp_path / "figures.json"), "--write"])
    assert json.loads((tmp_path / "figures.json").read_text())["figures"][0]["name"] == "POST"
    assert "| POST | 2.50 floors |" in (tmp_path / "RESULTS.md").read_text()
