"""Knows what a server says when it starts: what it is, what it is set to, and the line that replays the run."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from dummyllm import __version__
from dummyllm.cli.terminal import printable
from dummyllm.core.latency import FIXED
from dummyllm.core.mode import Mode
from dummyllm.core.policy import Policy
from dummyllm.settings import Settings

HOST_DEFAULT = "127.0.0.1"
PORT_DEFAULT = 8787

PAYLOAD = '{"op":"llm.chat","args":{"model":"llama3.1:8b","messages":[{"role":"user","content":"Hello"}]}}'
BOLD, PLAIN = "\x1b[1m", "\x1b[0m"


def banner(settings: Settings, url: str, replay: str, *, warnings: tuple[str, ...] = (), is_colourful: bool) -> str:
    """Return the banner of a server at *url*, many lines."""
    title = f"dummyLLM {__version__} at {url}"
    lines = [f"{BOLD}{title}{PLAIN}" if is_colourful else title, ""]
    lines += [f"  {name:<8}{text}" for name, text in _rows(settings)]
    lines += [f"  {'warning':<8}{text}" for text in warnings]
    lines += ["", f"  {'try':<8}{curl(settings, url)}", f"  {'replay':<8}{replay}", "", "Ctrl-C ends it."]
    return "\n".join(lines)


# What is told of a setting only where it was set, and under which word.
TOLD = {
    "PRESET": "preset",
    "REPLAY": "replays",
    "RULES": "rules",
    "SCRIPT": "script",
    "FAULTS": "faults",
    "SWARM": "swarm",
    "SLOTS": "slots",
    "QUEUE_MAX": "queue",
    "CLOCK": "clock",
}


def _rows(settings: Settings) -> Iterator[tuple[str, str]]:
    policy = settings.policy
    yield "mode", policy.mode.value
    if policy.mode is Mode.RANDOM:
        yield "weights", ",".join(f"{mode.value}={weight}" for mode, weight in settings.random_weights)
    shape = "" if settings.latency_shape is FIXED else f", {settings.latency_shape.spelled}"
    yield "latency", f"{settings.latency_ms} ms{shape}"
    yield "seed", str(settings.seed)
    for origin in settings.origins:
        word = TOLD.get(origin.setting.name)
        if word is not None and origin.text:
            yield word, printable(origin.text)
    if settings.swarm:
        yield "in play", ", ".join(_in_play(policy)) or "no fault at this seed"
    for note in settings.notes:
        yield "note", note


def _in_play(policy: Policy) -> list[str]:
    return [odds.fault.text for odds in (*policy.submit_odds, *policy.job_odds, *policy.poll_odds)]


def curl(settings: Settings, url: str) -> str:
    """Return a command that submits a job."""
    words = ["curl", "-s", f"{url}/v1/jobs", "-H", "Content-Type: application/json", "-d", PAYLOAD]
    line = shlex.join(words)
    if settings.api_key is not None:
        line += ' -H "Authorization: Bearer $DUMMYLLM_API_KEY"'
    return line


def replay_line(settings: Settings, *, host: str, port: int) -> str:
    """Return the command that starts this server again: what the environment set, and what the call chose.

    A secret is not in it. In its place stands what a POSIX shell puts there, or says is missing.
    """
    words = [*settings.replay_words, "dummyllm", "serve"]
    if host != HOST_DEFAULT:
        words += ["--host", shlex.quote(host)]
    if port != PORT_DEFAULT:
        words += ["--port", str(port)]
    return " ".join(words)
