"""The command line: `dummyllm serve`, `chat`, `fate` and `config`, one command a file.

Nothing here is imported by the server path. `run` is the rim, with the process's own streams and environment; `main` is
the whole program as a function.
"""

from __future__ import annotations

import errno
import os
import sys
from io import TextIOWrapper
from typing import NoReturn

INTERRUPTED = 130


def run() -> NoReturn:
    """Run the command line of this process, and exit with its status."""
    try:
        status = _main()
    except KeyboardInterrupt:  # before there was a command to be interrupted: while modules were being imported
        status = INTERRUPTED
    sys.exit(status)


def _main() -> int:
    from dummyllm.cli.main import main  # noqa: PLC0415  # a Ctrl-C while this is imported ends quietly too

    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:  # it was closed when the process began (`>&-`)
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), "r" if name == "stdin" else "w"))
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a byte we cannot read or a letter we cannot write is no traceback
            stream.reconfigure(errors="replace" if stream is sys.stdin else "backslashreplace")
    try:
        status = main(sys.argv[1:], os.environ, sys.stdout, sys.stderr, source=sys.stdin)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has seen enough (`dummyllm fate - | head`). What is still in the buffer is not worth a traceback.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        sys.stderr.write(f"dummyllm: standard output cannot be written ({error.strerror})\n")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status
