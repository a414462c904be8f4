"""The server as `uvicorn server:app` finds it: the one module that reads `os.environ`."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from typing import NoReturn

from dummyllm.assembly import app_of
from dummyllm.settings import SettingsError, load
from dummyllm.web.app import App

EXIT_USAGE = 2
# What uvicorn's own workers exit with when the app cannot be started; newer supervisors then give up by themselves.
EXIT_WORKER = 3
PATIENCE_S = 10


def app_from_environment() -> App:
    """Return the app that the environment asks for, or end the process with every mistake on stderr."""
    try:
        settings = load(os.environ)
    except SettingsError as error:
        stop(error.mistakes)
    if "uvicorn.supervisors.multiprocess" in _callers():
        stop(["jobs are kept in the memory of one process, and --workers starts several; run one worker"])
    return app_of(settings)


def stop(mistakes: Iterable[str]) -> NoReturn:
    """Print *mistakes* and end the process with status 2; and the supervisor above it, if uvicorn has one."""
    lines = "".join(f"dummyllm: {mistake}\n" for mistake in mistakes)
    import multiprocessing  # noqa: PLC0415  # a server that starts well has no use for it

    supervisor = multiprocessing.parent_process()
    if supervisor is None or supervisor.pid is None or "uvicorn._subprocess" not in _callers():
        sys.stderr.write(lines)
        raise SystemExit(EXIT_USAGE)
    # A supervisor starts a dead worker anew for ever. Each would find the same mistakes, so the first one says them and
    # ends the supervisor; the others wait for that, lest the supervisor end the first before it has spoken.
    is_one_of_many = "uvicorn.supervisors.multiprocess" in _callers()
    if is_one_of_many and multiprocessing.current_process().name != "SpawnProcess-1":
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        time.sleep(PATIENCE_S)
        raise SystemExit(EXIT_WORKER)
    sys.stderr.write(lines)
    sys.stderr.flush()
    os.kill(supervisor.pid, signal.SIGTERM)
    raise SystemExit(EXIT_WORKER)


def _callers() -> set[str]:
    return set(_modules_above(sys._getframe(1)))  # noqa: SLF001  # there is no public way to ask who imports us


def _modules_above(frame: object) -> Iterator[str]:
    while frame is not None:
        yield frame.f_globals.get("__name__", "")  # type: ignore[attr-defined]
        frame = frame.f_back  # type: ignore[attr-defined]


app = app_from_environment()
