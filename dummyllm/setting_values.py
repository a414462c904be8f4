"""Reads the text of one setting: returns its value, or raises ValueError saying what is allowed."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from dummyllm.core.draw import SEED_DIGITS_MAX
from dummyllm.core.mode import WEIGHABLE_MODES, WEIGHT_MAX, Mode
from dummyllm.presets import PRESETS

if TYPE_CHECKING:
    from dummyllm.eliza import Script

Choice = TypeVar("Choice", bound=StrEnum)
Weights = tuple[tuple[Mode, int], ...]

_UNITS = {"": 1, "b": 1, "kib": 2**10, "mib": 2**20, "gib": 2**30}
_HOST = re.compile(r"(\*|(\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\])")
_ORIGIN = re.compile(r"https?://([a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")


class ElizaOrder(StrEnum):
    """Where each cycle of replies starts."""

    SEEDED = "seeded"
    CLASSIC = "classic"


class Unknown(StrEnum):
    """What happens to a payload with a member we do not know."""

    REFUSE = "refuse"
    IGNORE = "ignore"


def nearest(word: str, known: list[str], before: str = "") -> str:
    """Return ` (did you mean …?)` for the *known* word closest to *word*, with *before* in front, or nothing."""
    match = get_close_matches(word, known, n=1, cutoff=0.5)
    return f" (did you mean {before + match[0]!r}?)" if match else ""


def one_of(kind: type[Choice], noun: str) -> Callable[[str], Choice]:
    """Return the reader of a closed set; capitals and blanks around the word are forgiven."""

    def read(text: str) -> Choice:
        word = text.strip().lower()
        words = [choice.value for choice in kind]
        if word not in words:
            raise ValueError(f"is not {noun}; use one of {', '.join(words)}{nearest(word, words)}")
        return kind(word)

    return read


def whole(low: int, high: int, unit: str) -> Callable[[str], int]:
    """Return the reader of a whole number of *unit* from *low* to *high*."""

    def read(text: str) -> int:
        value = _integer(text)
        if value is None or not low <= value <= high:
            raise ValueError(f"is not a number of {unit}; use a whole number from {low} to {high}")
        return value

    return read


def size(low: int, high: int) -> Callable[[str], int]:
    """Return the reader of a number of bytes, with `KiB`, `MiB` or `GiB` behind it if wanted."""

    def read(text: str) -> int:
        match = re.fullmatch(r"([0-9]{1,15})\s*([a-z]*)", text.strip().lower(), re.ASCII)
        factor = _UNITS.get(match[2]) if match else None
        if match is None or factor is None or not low <= int(match[1]) * factor <= high:
            raise ValueError(f"is not a size; use a whole number of bytes from {low} to {high}, or one such as 8MiB")
        return int(match[1]) * factor

    return read


def seed(text: str) -> int:
    """Return the seed: any whole number of at most 60 digits."""
    value = _integer(text)
    if value is None or len(str(abs(value))) > SEED_DIGITS_MAX:
        raise ValueError(f"is not a seed; use a whole number of at most {SEED_DIGITS_MAX} digits")
    return value


def switch(text: str) -> bool:
    """Return whether a thing is on."""
    word = text.strip().lower()
    if word in ("1", "true", "yes", "on"):
        return True
    if word in ("0", "false", "no", "off"):
        return False
    raise ValueError("is neither on nor off; use 1 or 0")


def weights(text: str) -> Weights:
    """Return the weight of every mode, 0 for those not named, in the order of the modes."""
    found: dict[str, int] = {}
    names = [mode.value for mode in WEIGHABLE_MODES]
    for item in (part.strip() for part in text.split(",")):
        if not item:
            continue
        name, equals, number = (part.strip() for part in item.partition("="))
        name = name.lower()
        if not equals:
            raise ValueError(f"has {item!r} without a weight; write mode=weight, as in ok=70,fail=30")
        if name in (Mode.RANDOM.value, Mode.SCRIPT.value):
            raise ValueError(f"gives {name} itself a weight; use one of " + ", ".join(names))
        if name not in names:
            raise ValueError(f"has {name!r}, which is no mode; use one of {', '.join(names)}{nearest(name, names)}")
        if name in found:
            raise ValueError(f"names {name!r} twice; give each mode one weight")
        weight = _integer(number)
        if weight is None or not 0 <= weight <= WEIGHT_MAX:
            raise ValueError(f"gives {name} the weight {number!r}; use a whole number from 0 to {WEIGHT_MAX}")
        found[name] = weight
    return tuple((mode, found.get(mode.value, 0)) for mode in WEIGHABLE_MODES)


def hosts(text: str) -> tuple[str, ...]:
    """Return host names without ports, lower case; `*` is any host and `*.example.test` any below that one."""
    names = _items(text.lower())
    for name in names:
        if not _HOST.fullmatch(name):
            raise ValueError(
                f"has {name!r}, which is no host name; use names such as llm.test, *.test or [::1], no ports"
            )
    return names


def origins(text: str) -> tuple[str, ...]:
    """Return web origins, lower case. There is no `*`: any page of any site could then drive this server."""
    names = _items(text.lower())
    for name in names:
        if not _ORIGIN.fullmatch(name):
            raise ValueError(f"has {name!r}, which is no origin; use origins such as http://localhost:3000")
    return names


def key(text: str) -> str:
    """Return a key that can travel in a header: visible ASCII characters."""
    value = text.strip()
    if not re.fullmatch(r"[!-~]{1,256}", value):
        raise ValueError("is not a key; use 1 to 256 visible ASCII characters, no blanks")
    return value


def preset(text: str) -> str:
    """Return the name of a bundle of settings."""
    word = text.strip().lower()
    if word not in PRESETS:
        raise ValueError(f"is not a preset; use one of {', '.join(PRESETS)}{nearest(word, list(PRESETS))}")
    return word


def new_file(text: str) -> Path:
    """Return the path of a file that can be written, or made."""
    path = Path(text.strip())
    try:
        can_be = not path.is_dir() and path.parent.is_dir()
        can_be = can_be and os.access(path if path.exists() else path.parent, os.W_OK)
    except (OSError, ValueError):  # too long a name, or one with a null in it
        can_be = False
    if not can_be:
        raise ValueError("is no file that can be written; use a path in a directory that exists")
    return path


def verdict_target(text: str) -> Path | None:
    """Return the path of the file for a verdict, or None if it is to be printed."""
    return None if text.strip().lower() == "print" else new_file(text)


def eliza_file(text: str) -> Script:
    """Return the script read from the file that *text* names."""
    from dummyllm import eliza  # noqa: PLC0415  # only those who set this wait for it

    try:
        source = Path(text.strip()).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ValueError(f"cannot be read ({reason}); use the path of a script in the 1966 format") from None
    try:
        return eliza.read_script(source, source=text.strip())
    except eliza.ScriptError as error:
        raise ValueError(f"is no script in the 1966 format:\n{error}") from None


def _items(text: str) -> tuple[str, ...]:
    return tuple(item for item in (part.strip() for part in text.split(",")) if item)


def _integer(text: str) -> int | None:
    return int(text) if re.fullmatch(r"\s*[+-]?[0-9]{1,70}\s*", text, re.ASCII) else None
