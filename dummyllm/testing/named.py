"""Turns settings that a test names, as in `serve(mode="flaky", seed=7)`, into Settings.

They go through the one table that the environment goes through, so they mean the same; of the environment of this
process nothing is read. Mistakes are told in the test's own words: `mode`, not `DUMMYLLM_MODE`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from os import fspath
from pathlib import Path

from dummyllm.setting_rows import PREFIX, SETTINGS
from dummyllm.setting_values import nearest
from dummyllm.settings import Settings, SettingsError, load

Value = str | int | float | Path | None  # a bool is an int
"""What a setting may be given; None leaves it at its default."""

# A test may do what it likes with its server, and it owns its payloads: equal ones are one piece of work.
DEFAULTS: Mapping[str, Value] = {"admin": True, "verdict_identity": "payload"}

NAMES = {setting.name.lower(): setting.variable for setting in SETTINGS}
_VARIABLE = re.compile(rf"\b{PREFIX}([A-Z_]+)")


def settings_of(named: Mapping[str, Value]) -> Settings:
    """Return the settings that *named* asks for; raise `SettingsError` with all mistakes at once."""
    mistakes = [*_mistakes(named)]
    known = {NAMES[name]: _text(value) for name, value in {**DEFAULTS, **named}.items() if name in NAMES}
    try:
        settings = load(known)
    except SettingsError as error:
        mistakes += [_VARIABLE.sub(lambda found: found[1].lower(), mistake) for mistake in error.mistakes]
    if mistakes:
        raise SettingsError(mistakes)
    return settings


def _mistakes(named: Mapping[str, object]) -> Iterator[str]:
    for name, value in named.items():
        if name not in NAMES:
            yield f"{name} is not a setting{nearest(name, list(NAMES)) or '; `dummyllm config` lists them all'}"
        elif not isinstance(value, str | int | float | Path | None):
            yield f"{name} is a {type(value).__name__}; write it as text, as in the environment of a server"


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(int(value))
        case Path():
            return fspath(value)
        case str() | int() | float():
            return str(value)
        case _:
            return ""  # a mistake, which is told already
