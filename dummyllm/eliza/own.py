"""Knows where our own script is, and reads it once."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from dummyllm.eliza.reader import read_script

if TYPE_CHECKING:
    from dummyllm.eliza.rules import Script

FILE: Final = "listener.eliza"


@cache
def own_script() -> Script:
    """Return the script that comes with dummyLLM."""
    from importlib import resources  # noqa: PLC0415  # only those who want a reply pay for what this imports

    return read_script(resources.files(__package__).joinpath(FILE).read_text(encoding="utf-8"), source=FILE)
