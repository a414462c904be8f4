"""`dummyllm record`: what befell a running server's jobs, as `DUMMYLLM_REPLAY` reads it."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from dummyllm.cli.fetch import Fetch, url_mistake
from dummyllm.cli.partner import AwayError, TroubleError
from dummyllm.cli.terminal import Status, Terminal


def record(
    url: Annotated[str, Parameter(name="URL", help="A running server.")],
    /,
    *,
    terminal: Annotated[Terminal, Parameter(parse=False)],
) -> Status:
    """Write the faults that fired to standard output."""
    mistake = url_mistake(url, "URL")
    if mistake is not None:
        return terminal.refuse([mistake])
    fetch = Fetch(url, terminal.environ.get("DUMMYLLM_API_KEY", ""), agent="dummyllm-record")
    try:
        text = fetch.send("GET", "/__admin/faults").decode()
    except (AwayError, TroubleError, UnicodeDecodeError) as error:
        return terminal.fail(str(error))
    if not text.startswith("# dummyLLM"):
        return terminal.fail(f"what answers at {url} is no dummyLLM")
    terminal.say(text.removesuffix("\n"))
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    for line in text.splitlines():
        if line.startswith("# incomplete"):
            terminal.note(f"dummyllm: warning: {line.removeprefix('# ')}")
    terminal.note(f"dummyllm: {len(lines)} lines; DUMMYLLM_REPLAY=FILE replays just these, with the same seed")
    return Status.OK
