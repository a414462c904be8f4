"""`dummyllm faults`: the list, all about one, and the page."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from cyclopts import App

from dummyllm.cli.faults import WIDTH, faults
from dummyllm.cli.terminal import Status, Terminal
from dummyllm.core.faults.page import facts, section
from dummyllm.core.faults.registry import KINDS

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"


@dataclass(frozen=True)
class Said:
    """What became of a call."""

    status: Status
    out: str
    err: str


@pytest.fixture
def faults_command() -> Callable[..., Said]:
    """Call `dummyllm faults ARGV` in this process, through the parser that all commands share."""

    def call(*argv: str) -> Said:
        out, err = io.StringIO(), io.StringIO()
        app = App()
        app.command(faults, name="faults")
        command, bound, _ = app.parse_args(["faults", *argv], exit_on_error=False, print_error=False)
        terminal = Terminal(environ={}, source=io.StringIO(), out=out, err=err)
        status = command(*bound.args, **bound.kwargs, terminal=terminal)
        return Said(status, out.getvalue(), err.getvalue())

    return call


def test_without_a_name_every_fault_is_a_line(faults_command) -> None:
    """Its name as it is written, its unit, what the client sees."""
    said = faults_command()
    lines = said.out.splitlines()

    assert said.status is Status.OK
    assert [line.split()[:2] for line in lines] == [[kind.usage, kind.unit.value] for kind in KINDS.values()]
    assert len({line.index(f" {kind.unit.value} ") for line, kind in zip(lines, KINDS.values(), strict=True)}) == 1
    assert "The job is accepted and runs; the connection closes with 0 bytes." in said.out


@pytest.mark.parametrize("name", KINDS)
def test_with_a_name_everything_is_told_about_that_one(faults_command, name: str) -> None:
    """All its facts, in lines that fit."""
    said = faults_command(name)
    words = " ".join(said.out.split())

    assert said.out.startswith(f"{KINDS[name].usage}\n")
    assert all(f"{label} {fact}" in words for label, fact in facts(KINDS[name]))
    assert max(map(len, said.out.splitlines())) <= WIDTH


def test_an_argument_is_told_with_its_bounds_and_its_default(faults_command) -> None:
    """What it is, what it may be, and what holds if it is left out."""
    out = faults_command("submit.slow_ack").out

    assert "  ms             how late the answer leaves: a whole number from 1 to 600000; if left out, 2000.\n" in out


def test_a_fault_may_be_asked_for_as_it_is_written(faults_command) -> None:
    """As the list has it, with its arguments."""
    assert faults_command("poll.stale(reads=3)") == faults_command("poll.stale")


def test_markdown_is_the_page(faults_command) -> None:
    """`dummyllm faults --markdown > docs/faults.md` changes nothing."""
    assert faults_command("--markdown") == Said(Status.OK, PAGE.read_text(encoding="utf-8"), "")


def test_markdown_with_a_name_is_its_section(faults_command) -> None:
    """The part of the page that is about this one."""
    assert faults_command("poll.stale", "--markdown").out == section(KINDS["poll.stale"])


def test_an_unknown_name_is_refused_with_the_nearest_one(faults_command) -> None:
    """A wrong call: what was expected, what was found, and the nearest match."""
    assert faults_command("run.lat") == Said(
        Status.MISTAKEN,
        "",
        "dummyllm: expected a fault: run.vanish, run.stuck_queued or run.late, found 'run.lat' "
        "(did you mean 'run.late'?)\n",
    )
