from __future__ import annotations

import re
from pathlib import Path

from benchmarks.payload import status_request, submit_parts
from benchmarks.wrk import command, lua_string, poll_script, submit_script


def bytes_of(literal: str) -> bytes:
    """Return what Lua reads from a quoted *literal*."""
    plain = re.sub(r"\\(\d{3})", lambda escape: chr(int(escape[1])), literal[1:-1])
    return plain.encode("latin-1")


def test_every_byte_survives_as_a_lua_string() -> None:
    """Quotes, backslashes, line ends and bytes beyond ASCII are decimal escapes; all else is as it was."""
    everything = bytes(range(256))

    assert bytes_of(lua_string(everything)) == everything
    assert lua_string(b'say "x"\r\n') == '"say \\034x\\034\\013\\010"'


def test_a_submit_script_starts_at_its_number() -> None:
    """The template is the client's own, so both generators send the same bytes."""
    script = submit_script(8787, first=20_000_000)
    before, after = submit_parts(8787)

    assert f"= {lua_string(before)}, {lua_string(after)}, 20000000\n" in script
    assert '"%012d"' in script


def test_a_poll_script_asks_for_every_job() -> None:
    """One whole request for each id."""
    script = poll_script(8787, ["job_a", "job_b"])

    assert lua_string(status_request(8787, "job_a")) in script
    assert lua_string(status_request(8787, "job_b")) in script


def test_wrk_is_bounded_and_stays_at_home() -> None:
    """A run ends after its seconds and goes to the loopback address."""
    called = command(8787, Path("x.lua"), seconds=2, connections=64)

    assert called[called.index("--duration") + 1] == "2s"
    assert called[-1] == "http://127.0.0.1:8787"
