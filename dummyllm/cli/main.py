"""Finds the command that was asked for, and runs it: the whole program as a function of its arguments and streams."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TextIO

from cyclopts import App, CycloptsError

from dummyllm import __version__
from dummyllm.cli.terminal import Status, Terminal

HELP_WIDTH = 100
STDIN = "<stdin>"


@dataclass(frozen=True, slots=True)
class Command:
    """One command: the name of its module and of its function there, what it does, and how it is called."""

    name: str
    help: str
    examples: tuple[str, ...]


COMMANDS = (
    Command(
        "serve",
        "Run the server until Ctrl-C.\n\n"
        "What befalls each job is set by DUMMYLLM_ variables; `dummyllm config` lists them. The URL goes to standard"
        " output, everything else to standard error.",
        (
            "dummyllm serve",
            "dummyllm serve --port 0",
            "DUMMYLLM_MODE=flaky DUMMYLLM_SEED=7 dummyllm serve",
        ),
    ),
    Command(
        "chat",
        "Talk to a server, or to ELIZA without one.\n\n"
        "With a URL every line becomes a job there, with all its HTTP. Without one a server inside this process answers"
        " at once, with the settings of the environment. Ctrl-D or /quit ends; /help lists what else there is.",
        (
            "dummyllm chat",
            "dummyllm chat --url http://127.0.0.1:8787",
            "printf 'Hello\\n' | dummyllm chat --seed 7",
        ),
    ),
    Command(
        "fate",
        "Say what will happen to a payload, time after time, without a server.\n\n"
        "FILE is the body of a POST to /v1/jobs. A server in this environment gives it the same ids and fates.",
        (
            "dummyllm fate payload.json",
            "DUMMYLLM_MODE=random dummyllm fate payload.json --times 20 --why",
            "DUMMYLLM_SCRIPT=fail,hang,ok dummyllm fate payload.json --svg fates.svg",
            "dummyllm fate - --json < payload.json",
        ),
    ),
    Command(
        "seed",
        "Find the smallest seed under which payloads fare as you want them to.\n\n"
        "Every submit comes to ok, fail, timeout, hang or refused; echo, slow, flaky and the name of a fault say more,"
        " a + joins them, and `any` is anything. The settings are those of the environment, their seed apart. Seeds go"
        " to standard output, progress to standard error.",
        (
            "DUMMYLLM_MODE=flaky dummyllm seed find payload.json --want fail,fail,ok",
            "dummyllm seed find --want-file wants.txt --count 3",
        ),
    ),
    Command(
        "faults",
        "List what can go wrong on purpose, or tell all about one fault.",
        (
            "dummyllm faults",
            "dummyllm faults submit.lost_ack",
        ),
    ),
    Command(
        "record",
        "Write down what befell a running server's jobs, as DUMMYLLM_REPLAY reads it.\n\n"
        "A server that replays the file does just that again and leaves nothing to chance; what has no line goes well.",
        (
            "dummyllm record http://127.0.0.1:8787 > run.faults",
            "DUMMYLLM_API_KEY=… dummyllm record https://dummy.example.test > run.faults",
        ),
    ),
    Command(
        "verdict",
        "Say what a runner did wrong, as far as it is proven.\n\n"
        "A running server judges by its own settings. The file of a journal (DUMMYLLM_JOURNAL), or standard input if"
        " RUN is -, is judged by the DUMMYLLM_VERDICT_ settings of this environment. The exit status is 1 if a rule was"
        " broken, or was required and not exercised.",
        (
            "dummyllm verdict http://127.0.0.1:8787",
            "dummyllm verdict run.jsonl --require no-concurrent-duplicate,key-stable --out verdict.xml",
            "dummyllm verdict --rules key-stable",
        ),
    ),
    Command(
        "journal",
        "Watch what a running server sees and does.\n\n"
        "Each entry is a line: the seconds since the server started, its number, what came, what was answered, whether"
        " that was delivered, the job, and whatever befell it. Ctrl-C ends it.",
        (
            "dummyllm journal tail http://127.0.0.1:8787",
            "dummyllm journal tail http://127.0.0.1:8787 --what submit --fault --json",
        ),
    ),
    Command(
        "config",
        "List every setting, its value, and where that came from.\n\n"
        "A setting that cannot be read is a mistake: all of them are listed, and the exit status is 2.",
        (
            "dummyllm config",
            "DUMMYLLM_MODE=random dummyllm config --json",
        ),
    ),
)


def main(
    argv: Sequence[str], environ: Mapping[str, str], out: TextIO, err: TextIO, *, source: TextIO | None = None
) -> int:
    """Run the command line *argv* and return its exit status; *source* is standard input, empty if None."""
    terminal = Terminal(environ=environ, source=source or io.StringIO(), out=out, err=err)
    app = _app(is_plain=not out.isatty())
    # To cyclopts a lone dash is an option that it does not know.
    tokens = [STDIN if token == "-" else token for token in argv]
    try:
        command, bound, _ = app.parse_args(tokens, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        said = str(error)
        said = said if said.endswith("...") else said.rstrip(".")
        return terminal.refuse([f"{said}; dummyllm --help shows how it is called"])
    if STDIN in bound.kwargs.values():
        name = next(name for name, value in bound.kwargs.items() if value == STDIN)
        return terminal.refuse([f"--{name.replace('_', '-')} - names no file; a dash is standard input, in its place"])
    if command == app.version_print:
        terminal.say(f"dummyLLM {__version__}")
        return Status.OK
    if command == app.help_print:
        _print_help(app, bound.arguments["tokens"], terminal)
        return Status.OK
    try:
        return int(command(*bound.args, **bound.kwargs, terminal=terminal))
    except KeyboardInterrupt:
        return Status.INTERRUPTED


def _app(*, is_plain: bool) -> App:
    app = App(
        name="dummyllm",
        version=__version__,
        help="The LLM job backend that misbehaves the same way twice.",
        help_format="plaintext",
        help_formatter="plain" if is_plain else "default",
        help_epilogue=_examples("dummyllm serve", "dummyllm chat", "dummyllm fate payload.json"),
    )
    for command in COMMANDS:
        # The name of a function: its module is imported when the command is called, so that none pays for another.
        path = f"dummyllm.cli.{command.name}:{command.name}"
        app.command(path, name=command.name, help=command.help, help_epilogue=_examples(*command.examples))
    return app


def _examples(*lines: str) -> str:
    return "\n".join(["Examples:", *(f"  {line}" for line in lines)])


def _print_help(app: App, tokens: Sequence[str], terminal: Terminal) -> None:
    from rich.console import Console  # noqa: PLC0415  # nothing but help needs it

    out = terminal.out
    console = Console(
        file=out,
        width=None if out.isatty() else HELP_WIDTH,
        color_system="auto" if terminal.has_colours(out) else None,
        highlight=False,
    )
    app.help_print(tokens, console=console)
