"""`dummyllm chat`: a conversation in the terminal, with a running server or with one inside this process."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

from cyclopts import Parameter

from dummyllm import __version__
from dummyllm.cli.embedded import embedded
from dummyllm.cli.fetch import url_mistake
from dummyllm.cli.partner import ROLE_ASSISTANT, ROLE_USER, AwayError, Message, Partner, TroubleError
from dummyllm.cli.remote import Remote
from dummyllm.cli.terminal import Status, Terminal, printable
from dummyllm.settings import SettingsError

PROMPT = "you> "
VOICE = "eliza> "
DIM, PLAIN = "\x1b[2m", "\x1b[0m"

HELP = """\
/trace  show how each reply comes about, or stop showing it
/new    start a conversation over
/help   list these
/quit   end; so does Ctrl-D"""


def chat(
    *,
    url: Annotated[
        str | None, Parameter(help="A running server; DUMMYLLM_URL is the default. None: one inside this process.")
    ] = None,
    seed: Annotated[int | None, Parameter(help="The seed of the server inside this process.")] = None,
    terminal: Annotated[Terminal, Parameter(parse=False)],
) -> Status:
    """Talk to a server, or to ELIZA without one."""
    source = "DUMMYLLM_URL" if url is None else "--url"
    target = (terminal.environ.get("DUMMYLLM_URL", "") if url is None else url).strip()
    mistakes = []
    if target and seed is not None:
        mistakes.append(f"--seed={seed} is for a server inside this process, but {source}={target!r} names another")
    if target or url is not None:
        mistakes += filter(None, [url_mistake(target, source)])
    if mistakes:
        return terminal.refuse(mistakes)
    try:
        partner: Partner
        if target:
            partner = Remote(target, terminal.environ.get("DUMMYLLM_API_KEY", "").strip())
        else:
            partner = embedded(terminal.environ, seed)
        Conversation(partner, terminal).hold()
    except SettingsError as error:
        return terminal.refuse(error.mistakes)
    except (AwayError, TroubleError) as error:
        return terminal.fail(printable(str(error)))
    return Status.OK


class Conversation:
    """The talk of one person, line by line, with *partner*."""

    def __init__(self, partner: Partner, terminal: Terminal) -> None:
        self._partner = partner
        self._terminal = terminal
        self._messages: tuple[Message, ...] = ()
        self._is_traced = False

    def hold(self) -> None:
        """Greet, and answer each line until there is none; raise `AwayError` if the server goes."""
        if self._terminal.is_interactive:
            with suppress(ImportError):
                import readline  # noqa: F401, PLC0415  # gives `input` a history and working arrows
            self._terminal.note(f"dummyLLM {__version__}: {self._partner.title}. /help lists what else there is.")
        self._speak(self._partner.greet())
        while (line := self._hear()) is not None:
            match line.strip():
                case "":
                    pass
                case "/quit":
                    return
                case "/help":
                    self._aside(HELP)
                case "/new":
                    self._messages = ()
                    self._speak(self._partner.greet())
                case "/trace":
                    self._is_traced = not self._is_traced
                    self._aside(f"the trace is {'on' if self._is_traced else 'off'}")
                case command if command.startswith("/"):
                    self._aside(f"there is no {printable(command)}; /help lists what there is")
                case text:
                    self._exchange(text)

    def _exchange(self, text: str) -> None:
        messages = (*self._messages, Message(ROLE_USER, text))
        try:
            reply = self._partner.answer(messages)
        except TroubleError as trouble:
            # Nobody answered this line, so it is not said: saying it again is a retry of the very same job.
            self._aside(printable(str(trouble)))
            return
        if self._is_traced:
            self._aside(self._partner.explain(messages, reply) or "no trace: this reply is not of our own script")
        self._speak(reply)
        self._messages = (*messages, Message(ROLE_ASSISTANT, reply))

    def _hear(self) -> str | None:
        """Return the next line, or None at the end; a line that was not typed is written out, as if it had been."""
        terminal = self._terminal
        if terminal.is_interactive:
            return self._typed()
        line = terminal.source.readline()
        if not line:
            return None
        line = line.rstrip("\r\n")
        terminal.say(f"{PROMPT}{printable(line)}".rstrip())
        return line

    def _typed(self) -> str | None:
        try:
            return input(PROMPT)
        except EOFError:
            self._terminal.say()
            return None

    def _speak(self, text: str) -> None:
        self._terminal.say(VOICE + printable(text))

    def _aside(self, text: str) -> None:
        """Say what neither of the two said."""
        dim, plain = (DIM, PLAIN) if self._terminal.has_colours(self._terminal.out) else ("", "")
        for line in text.splitlines():
            self._terminal.say(f"{dim}  | {line}{plain}")
