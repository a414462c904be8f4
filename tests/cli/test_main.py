"""`dummyllm`: exit 0 is well, 1 did not work, 2 is a wrong call or bad settings, 130 is Ctrl-C; never a traceback."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from dummyllm import __version__
from dummyllm.cli import run
from dummyllm.cli.main import COMMANDS, main
from dummyllm.cli.terminal import Terminal, printable
from tests.cli.conftest import PATIENCE_S, environment

HELP = Path(__file__).parent / "help"
NAMES = [command.name for command in COMMANDS]


def test_the_version_is_one_line(call) -> None:
    """`dummyllm --version` prints `dummyLLM 0.3.1`."""
    assert __version__ == "0.3.1"
    assert call("--version") == type(call("--version"))(0, "dummyLLM 0.3.1\n", "")


@pytest.mark.parametrize(("argv", "page"), [(["--help"], "dummyllm"), *(([name, "--help"], name) for name in NAMES)])
def test_the_help_of_each_command_is_as_it_was_reviewed(call, argv: list[str], page: str) -> None:
    """A changed help text is a decision: it changes a file in tests/cli/help."""
    said = call(*argv)

    assert (said.status, said.err) == (0, "")
    assert _without_trailing_blanks(said.out) == (HELP / f"{page}.txt").read_text(encoding="utf-8")


def _without_trailing_blanks(text: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def test_without_a_command_there_is_help(call) -> None:
    """`dummyllm` alone says what there is."""
    assert call() == call("--help")


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_examples_that_call_it(call, name: str) -> None:
    """The help of a command ends with ways to call it."""
    _, _, examples = call(name, "--help").out.partition("Examples:\n")
    lines = [line for line in examples.splitlines() if line]
    assert len(lines) >= 2
    assert all(f"dummyllm {name}" in line for line in lines)


@pytest.mark.parametrize(
    ("argv", "complaint"),
    [
        (["srve"], 'Unknown command "srve". Did you mean "serve"?'),
        (["serve", "--prot", "1"], "Unknown option: --prot. Did you mean --port?"),
        (["serve", "--port", "http"], 'unable to convert "http" into int'),
        (["serve", "--port"], "--port requires an argument"),
        (["serve", "extra"], "extra"),
        (["fate"], "FILE requires an argument"),
        (["fate", "--timse", "3", "-"], "Unknown option: --timse. Did you mean --times?"),
        (["config", "--json=perhaps"], "perhaps"),
        (["chat", "--seed", "lucky"], 'unable to convert "lucky" into int'),
    ],
)
def test_a_wrong_call_is_one_line_and_status_2(call, argv: list[str], complaint: str) -> None:
    """What was wrong, and where to see what is right."""
    said = call(*argv)

    assert (said.status, said.out) == (2, "")
    assert complaint in said.err
    assert re.fullmatch(r"dummyllm: .+; dummyllm --help shows how it is called\n", said.err)


@pytest.mark.parametrize("argv", [["serve"], ["chat"], ["fate", "-"], ["config"]])
def test_every_bad_setting_is_said_at_once(call, argv: list[str]) -> None:
    """Bad settings are status 2 and a line for each mistake, in every command that reads them."""
    said = call(*argv, MODE="slwo", SEED="luck", LATENCYMS="5")

    assert (said.status, said.out) == (2, "")
    lines = said.err.splitlines()
    assert len(lines) == 3
    assert all(line.startswith("dummyllm: DUMMYLLM_") for line in lines)
    assert {"MODE='slwo'", "SEED='luck'", "LATENCYMS='5'"} == {
        line.removeprefix("dummyllm: DUMMYLLM_").split()[0] for line in lines
    }


class Screen(io.StringIO):
    """A terminal, as far as a program can tell."""

    def isatty(self) -> bool:
        return True


def help_on_a_screen(**environ: str) -> str:
    out = Screen()
    assert main(["serve", "--help"], environ, out, io.StringIO()) == 0
    return out.getvalue()


def test_no_color_is_honoured_on_a_screen() -> None:
    """A terminal gets frames, and colours unless NO_COLOR is set."""
    assert "╭" in help_on_a_screen(NO_COLOR="1", TERM="xterm")
    assert "\x1b[" not in help_on_a_screen(NO_COLOR="1", TERM="xterm")


@pytest.mark.parametrize(
    ("stream", "environ", "has_colours"),
    [
        (Screen(), {"TERM": "xterm"}, True),
        (Screen(), {"TERM": "xterm", "NO_COLOR": ""}, True),
        (Screen(), {"TERM": "xterm", "NO_COLOR": "1"}, False),
        (Screen(), {"TERM": "dumb"}, False),
        (io.StringIO(), {"TERM": "xterm"}, False),
    ],
)
def test_colours_are_for_terminals_that_have_them(stream: io.StringIO, environ: dict[str, str], has_colours) -> None:
    """NO_COLOR counts when it is not empty, as no-color.org has it."""
    terminal = Terminal(environ=environ, source=io.StringIO(), out=stream, err=stream)
    assert terminal.has_colours(stream) is has_colours


@pytest.mark.parametrize(
    ("text", "shown"), [("naïve → ok", "naïve → ok"), ("a\x1b[2Jb", "a\\x1b[2Jb"), ("a\nb\u2028c", "a\\nb\\u2028c")]
)
def test_what_moves_a_cursor_is_spelled_out(text: str, shown: str) -> None:
    """One value is one line, whatever a client put into it."""
    assert printable(text) == shown


def test_the_module_is_the_same_program(spawn) -> None:
    """`python -m dummyllm` is `dummyllm`."""
    out, err = spawn("--version").communicate(timeout=30)
    assert (out, err) == ("dummyLLM 0.3.1\n", "")


def test_the_status_reaches_the_shell(spawn) -> None:
    """`dummyllm nonsense` exits with 2."""
    process = spawn("nonsense")
    process.communicate(timeout=30)
    assert process.returncode == 2


def test_a_reader_that_has_seen_enough_is_no_error(spawn, tmp_path: Path) -> None:
    """`dummyllm fate … | head -1` ends without a traceback."""
    payload = tmp_path / "payload.json"
    payload.write_text('{"op":"llm.chat"}')
    process = spawn("fate", str(payload), "--times", "20000")
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(timeout=30) == 1


def test_ctrl_c_while_modules_are_imported_is_no_traceback(monkeypatch) -> None:
    """The slowest part of a start is the one in which people change their minds."""

    def interrupted(*_args, **_kwargs) -> int:
        raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "dummyllm.cli.main", SimpleNamespace(main=interrupted))
    monkeypatch.setattr(sys, "argv", ["dummyllm", "serve"])
    with pytest.raises(SystemExit) as ended:
        run()
    assert ended.value.code == 130


HEAVY = {"rich", "cyclopts", "uvicorn", "starlette"}


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        ("import dummyllm.asgi", {"rich", "cyclopts", "dummyllm.cli"}),
        ("import dummyllm.cli.serve", {"rich"}),
        ("import dummyllm.cli.main", HEAVY - {"cyclopts"}),
        ("import dummyllm.cli", HEAVY | {"dummyllm.cli.main"}),
    ],
)
def test_nobody_pays_for_what_another_needs(statement: str, unwanted: set[str]) -> None:
    """The server path imports no command line, and no command imports rich before it is asked for help."""
    program = f"import sys; {statement}; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert unwanted.isdisjoint(modules)


def test_a_list_that_goes_on_says_so(call) -> None:
    """Its dots are no full stop."""
    said = call("serv")

    assert said.err.endswith("journal, ...; dummyllm --help shows how it is called\n")


@pytest.mark.parametrize(
    "argv", [["fate", "-", "--svg", "-"], ["verdict", "run.jsonl", "--out", "-"], ["verdict", "-", "--expect", "-"]]
)
def test_a_dash_is_standard_input_and_no_value_of_an_option(call, argv: list[str], tmp_path: Path) -> None:
    """It was a file with an odd name."""
    said = call(*argv, typed="{}")

    assert said.status == 2
    assert said.err == f"dummyllm: {argv[-2]} - names no file; a dash is standard input, in its place\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is Linux's")
@pytest.mark.parametrize(
    ("redirect", "status", "err"),
    [
        (">/dev/full", 1, "dummyllm: standard output cannot be written (No space left on device)\n"),
        (">&-", 0, ""),
        ("2>&- >/dev/null", 0, ""),
        ("<&- >/dev/null", 0, ""),
    ],
)
def test_a_stream_that_is_full_or_closed_is_no_traceback(redirect: str, status: int, err: str) -> None:
    """Who starts a program without one means it so."""
    command = f"{sys.executable} -m dummyllm config {redirect}"
    ended = subprocess.run(
        command, check=False, shell=True, capture_output=True, text=True, env=environment(), timeout=PATIENCE_S
    )

    assert (ended.returncode, ended.stderr) == (status, err)
