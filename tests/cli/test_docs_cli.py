"""docs/cli.md is run: what stands behind a `$` is typed, and what stands below it must come out."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from dummyllm.cli.main import COMMANDS
from tests.cli.conftest import environment

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "cli.md"
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
CTRL_C = "^C"
NAMES = [command.name for command in COMMANDS]
PATIENCE_S = 30


@dataclass(frozen=True)
class Step:
    """A command of the page, and the lines that it shows."""

    command: str
    lines: tuple[str, ...]

    @property
    def pattern(self) -> str:
        """What the output must match; `…` stands for anything in a line."""
        shown = "".join(f"{line}\n" for line in self.lines if line != CTRL_C)
        return re.escape(shown).replace("…", "[^\n]*")


def steps_of(text: str) -> list[Step]:
    steps = []
    for block in BLOCK.findall(text):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *lines = part.splitlines()
            steps.append(Step(command, tuple(lines)))
    return steps


@pytest.fixture
def shell(tmp_path: Path) -> dict[str, str]:
    """An environment in which `dummyllm` is this checkout's."""
    program = tmp_path / "bin" / "dummyllm"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m dummyllm "$@"\n')
    program.chmod(0o755)
    path = os.pathsep.join([str(program.parent), os.environ["PATH"]])
    return environment() | {"PATH": path, "PYTHONPATH": str(ROOT)}


def output_of(step: Step, shell: dict[str, str], cwd: Path) -> str:
    """Return what the command of *step* says on both streams; Ctrl-C is pressed where it is shown."""
    command = step.command if CTRL_C not in step.lines else f"exec env {step.command}"
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        ["bash", "-c", command], cwd=cwd, env=shell, stdin=subprocess.DEVNULL, stdout=pipe, stderr=subprocess.STDOUT,
        text=True,
    )  # fmt: skip
    assert process.stdout is not None
    said = ""
    try:
        if CTRL_C in step.lines:
            for _ in step.lines[: step.lines.index(CTRL_C)]:
                said += process.stdout.readline()
            process.send_signal(signal.SIGINT)
        said += process.communicate(timeout=PATIENCE_S)[0]
    finally:
        process.kill()
    return "".join(f"{line.rstrip()}\n" for line in said.splitlines())


def test_every_block_of_the_page_is_as_shown(shell: dict[str, str], tmp_path: Path) -> None:
    """In order and in one directory, as a reader would try them."""
    for step in steps_of(PAGE.read_text(encoding="utf-8")):
        said = output_of(step, shell, tmp_path)
        shown = "\n".join(step.lines)
        assert re.fullmatch(step.pattern, said), f"$ {step.command}\n{said}\n--- the page shows ---\n{shown}"


def test_the_page_has_every_command_and_option() -> None:
    """What can be typed is explained."""
    page = PAGE.read_text(encoding="utf-8")
    helps = "".join(path.read_text(encoding="utf-8") for path in (Path(__file__).parent / "help").glob("*.txt"))
    options = set(re.findall(r"^  (--[a-z-]+)", helps, re.MULTILINE)) - {"--help"}
    assert {"--port", "--json", "--seed", "--version"} <= options
    assert [option for option in sorted(options) if option not in page] == []
    assert all(f"## dummyllm {name}\n" in page for name in NAMES)


def test_the_three_dots_stand_for_one_line_at_most() -> None:
    """A placeholder that matched everything would make every page right."""
    step = Step("anything", ("a … b", "c"))
    assert re.fullmatch(step.pattern, "a 1 b\nc\n")
    assert not re.fullmatch(step.pattern, "a 1 b\nx\nc\n")
    assert not re.fullmatch(step.pattern, "a 1\n b\nc\n")
