"""Reads the settings that make chaos: clocks, scripts, faults, rules and recorded runs.

As in `setting_values`, each function returns a value or raises ValueError with the rest of a sentence that begins with
the setting. Faults are two dozen modules, so what needs them is fetched when it is needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dummyllm.setting_values import nearest

if TYPE_CHECKING:
    from dummyllm.core.faults.fault import Fault
    from dummyllm.core.replay import Replay
    from dummyllm.core.script import Script
    from dummyllm.verdict.run import Expected

Faults = tuple[tuple["Fault", int], ...]

FILE_BYTES_MAX = 64 * 2**20
PACE_MAX = 1_000
SWARM_MILLIONTHS = 50_000

_SCALE = re.compile(r"scale\s*\(\s*([0-9]{1,5})\s*\)")


@dataclass(frozen=True, slots=True)
class ClockChoice:
    """Which clock tells the time: `wall`, `scale` at a *pace*, `polls` or `manual`."""

    name: str
    pace: int = 1


CLOCKS = ("wall", "scale(20)", "polls", "manual")


def clock(text: str) -> ClockChoice:
    """Return the clock that *text* chooses."""
    word = text.strip().lower()
    scaled = _SCALE.fullmatch(word)
    if scaled and 1 <= int(scaled[1]) <= PACE_MAX:
        return ClockChoice("scale", int(scaled[1]))
    if word in ("wall", "polls", "manual"):
        return ClockChoice(word)
    if word.startswith("scale"):
        raise ValueError(f"is not a scaled clock; use scale(N) with a whole number N from 1 to {PACE_MAX}")
    raise ValueError(f"is not a clock; use one of {', '.join(CLOCKS)}{nearest(word, list(CLOCKS))}")


def script(text: str) -> Script:
    """Return the script that *text* spells."""
    from dummyllm.core.grammar import GrammarError  # noqa: PLC0415
    from dummyllm.core.script import read_script  # noqa: PLC0415

    try:
        return read_script(text)
    except GrammarError as error:
        raise ValueError(f"cannot be read at {error}") from None


def faults(text: str) -> Faults:
    """Return the faults that *text* lists, each with its share in millionths."""
    from dummyllm.core.faults.fault import faults_of  # noqa: PLC0415
    from dummyllm.core.grammar import GrammarError, parse_faults  # noqa: PLC0415

    try:
        return faults_of(parse_faults(text))
    except GrammarError as error:
        raise ValueError(f"cannot be read at {error}") from None


def every_fault() -> Faults:
    """Return all there are, each befalling five in a hundred: what a swarm chooses from if nothing else is set."""
    from dummyllm.core.faults.registry import KINDS  # noqa: PLC0415

    return faults(", ".join(f"{kind.usage}={SWARM_MILLIONTHS / 10_000:g}" for kind in KINDS.values()))


def replay(text: str) -> Replay:
    """Return the recorded run in the file *text*."""
    from dummyllm.core.replay import ReplayError, read_replay  # noqa: PLC0415

    try:
        return read_replay(lines_of(text))
    except ReplayError as error:
        more = f"; and {len(error.mistakes) - 3} more" if len(error.mistakes) > 3 else ""
        raise ValueError(f"is no recorded run: {'; '.join(error.mistakes[:3])}{more}") from None


def expected(text: str) -> tuple[Expected, ...]:
    """Return the payloads in the file *text*, which the runner was asked to send."""
    from dummyllm.verdict.expect import read_expected  # noqa: PLC0415

    return read_expected(lines_of(text))


def lines_of(path: str) -> Iterator[str]:
    """Return the lines of the file at *path*."""
    return iter(contents(path).splitlines())


def contents(path: str) -> str:
    """Return the text of the file at *path*."""
    try:
        file = Path(path)
        if file.stat().st_size <= FILE_BYTES_MAX:
            return file.read_bytes().decode()
    except OSError as error:
        raise ValueError(f"cannot be read ({error.strerror}); use the path of a file that can") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"is not UTF-8: byte {error.start} cannot be read") from None
    except ValueError:
        raise ValueError("cannot be read (no file is called so); use the path of a file that can") from None
    raise ValueError(f"is longer than {FILE_BYTES_MAX} bytes")
