"""`dummyllm serve`: the server under uvicorn, with a banner, a deadline for requests, and an end within two seconds."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from functools import partial
from logging import LogRecord
from logging.config import dictConfig
from typing import Annotated, Any

from cyclopts import Parameter
from uvicorn import Config, Server
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from dummyllm.assembly import app_of
from dummyllm.cli.banner import HOST_DEFAULT, PORT_DEFAULT, banner, replay_line
from dummyllm.cli.listener import PORT_MAX, is_local, listen, url_of, why_not
from dummyllm.cli.terminal import Status, Terminal
from dummyllm.settings import Settings, SettingsError, load
from dummyllm.web.deadline import with_deadline

GRACE_S = 1

OPEN_TO_ALL = (
    "other machines can reach this server, and it asks for no key; set DUMMYLLM_API_KEY, or use --host 127.0.0.1"
)


def serve(
    *,
    host: Annotated[str, Parameter(help="Address to listen on.")] = HOST_DEFAULT,
    port: Annotated[int, Parameter(help="Port to listen on; 0 is any free one.")] = PORT_DEFAULT,
    access_log: Annotated[
        bool, Parameter(negative="", show_default=False, help="Log every request; doubles its cost.")
    ] = False,
    quiet: Annotated[bool, Parameter(negative="", show_default=False, help="No banner, only the URL.")] = False,
    terminal: Annotated[Terminal, Parameter(parse=False)],
) -> Status:
    """Run the server until Ctrl-C."""
    mistakes = [] if 0 <= port <= PORT_MAX else [f"--port {port} is no port; use 0 to {PORT_MAX}"]
    try:
        settings = load(terminal.environ)
    except SettingsError as error:
        return terminal.refuse([*mistakes, *error.mistakes])
    if mistakes:
        return terminal.refuse(mistakes)
    try:
        listener = listen(host, port)
    except OSError as error:
        return terminal.fail(why_not(error, host, port))
    with listener:
        announce = partial(
            _announce, terminal, settings, listener, replay_line(settings, host=host, port=port), quiet=quiet
        )
        return _run(settings, listener, announce, has_access_log=access_log)


def _announce(terminal: Terminal, settings: Settings, listener: socket.socket, replay: str, *, quiet: bool) -> None:
    url = url_of(listener)
    warnings = () if is_local(listener) or settings.api_key else (OPEN_TO_ALL,)
    if not quiet:
        colours = terminal.has_colours(terminal.err)
        terminal.note(banner(settings, url, replay, warnings=warnings, is_colourful=colours))
    else:
        for warning in warnings:
            terminal.note(f"dummyllm: warning: {warning}")
    if quiet or not terminal.out.isatty():  # for scripts; a person has the banner
        terminal.say(url)


def _run(settings: Settings, listener: socket.socket, announce: Callable[[], None], *, has_access_log: bool) -> Status:
    config = Config(
        app_of(settings),
        http=with_deadline(AutoHTTPProtocol, settings.receive_timeout_ms),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=has_access_log,
        timeout_graceful_shutdown=GRACE_S,
    )
    server = _Server(config, announce)
    dictConfig(_logging(server, has_access_log=has_access_log))

    # uvicorn handles the signals while it runs, and raises them again when it is done: these handlers make that an end
    # with status 0. They also catch a Ctrl-C that comes just before uvicorn listens to signals.
    def end(number: int, frame: object) -> None:
        server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    server.run(sockets=[listener])
    return Status.OK if server.started else Status.FAILED


class _Server(Server):
    """uvicorn's server, which says when it is there."""

    def __init__(self, config: Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            self._announce()


def _logging(server: Server, *, has_access_log: bool) -> dict[str, Any]:
    """Return a logging configuration: warnings, and requests if asked for, all to standard error."""

    def is_worth_saying(record: LogRecord) -> bool:
        # After a Ctrl-C uvicorn counts the answers that it cuts. That was the order; a traceback never is.
        return record.exc_info is not None or not server.should_exit

    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"worth_saying": {"()": lambda: is_worth_saying}},
        "formatters": {
            "plain": {"format": "%(levelname)s: %(message)s"},
            "access": {
                "()": "uvicorn.logging.AccessFormatter",
                "fmt": '%(client_addr)s "%(request_line)s" %(status_code)s',
                "use_colors": False,
            },
        },
        "handlers": {
            "plain": {"class": "logging.StreamHandler", "formatter": "plain", "filters": ["worth_saying"]},
            "access": {"class": "logging.StreamHandler", "formatter": "access"},
        },
        "loggers": {
            "uvicorn": {"handlers": ["plain"], "level": "WARNING", "propagate": False},
            # uvicorn prepares a line for every request as soon as there is a handler, whatever the level.
            "uvicorn.access": {"handlers": ["access"] if has_access_log else [], "level": "INFO", "propagate": False},
            "dummyllm": {"handlers": ["plain"], "level": "WARNING", "propagate": False},
        },
    }
