"""The Lua scripts that make wrk send our requests and print a `Tally`, one line of JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.payload import DIGITS, status_request, submit_parts

# wrk calls `done` once, with microseconds everywhere; its percentiles are already corrected, as those in tally.py.
DONE = """
function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{"completed":%d,"seconds":%.6f,"p50_us":%d,"p99_us":%d,"max_us":%d,"refused":%d,"broken":%d}\\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99), latency.max,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
"""


def submit_script(port: int, first: int) -> str:
    """Return a script that submits jobs, numbered from *first*."""
    before, after = (lua_string(part) for part in submit_parts(port))
    return f"""
local before, after, number = {before}, {after}, {first}
function request()
  number = number + 1
  return before .. string.format("%0{DIGITS}d", number - 1) .. after
end
{DONE}"""


def poll_script(port: int, job_ids: Sequence[str]) -> str:
    """Return a script that asks for *job_ids*, over and over."""
    requests = ",\n".join(lua_string(status_request(port, job_id)) for job_id in job_ids)
    return f"""
local requests, last = {{
{requests}
}}, 0
function request()
  last = last % #requests + 1
  return requests[last]
end
{DONE}"""


def command(port: int, script: Path, *, seconds: int, connections: int) -> list[str]:
    # One thread: the numbers in a script are those of its thread, and one sends more than any server here can answer.
    bounds = ["--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s", "--timeout", "10s"]
    return ["wrk", *bounds, "--script", str(script), f"http://127.0.0.1:{port}"]


def lua_string(text: bytes) -> str:
    """Return *text* as a Lua literal: every byte that is not plain is written as a decimal escape."""
    plain = set(range(32, 127)) - set(b'"\\')
    return '"' + "".join(chr(byte) if byte in plain else f"\\{byte:03d}" for byte in text) + '"'
