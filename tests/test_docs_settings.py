"""docs/settings.md shows the table of settings as the program has it.

The table on the page is written by `python -m tests.test_docs_settings`.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dummyllm.core.fingerprint import IdentityKind
from dummyllm.settings import SETTINGS, Setting, SettingsError, load

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "settings.md"
BEGIN, END = "<!-- the table of dummyllm/settings.py -->", "<!-- its end -->"
SNIPPET = re.compile(r"^    export (DUMMYLLM_\w+)=\"?([^\"\n]*)\"?$", re.MULTILINE)


def table() -> str:
    """Return the table of settings as the page has it."""
    head = ["| setting | default | allowed | meaning |", "| --- | --- | --- | --- |"]
    return "\n".join([*head, *map(row, SETTINGS)])


def row(setting: Setting) -> str:
    default = f"`{setting.default}`" if setting.default else "none"
    cells = [f"`{setting.variable}`", default, setting.allowed, setting.help]
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def with_table(page: str) -> str:
    """Return *page* with the table of today between its marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


def test_the_page_has_the_table_that_the_program_has() -> None:
    """A row that is added, changed or dropped fails here until `python -m tests.test_docs_settings` was run."""
    page = PAGE.read_text(encoding="utf-8")

    assert page.count(BEGIN) == page.count(END) == 1
    assert with_table(page) == page


def test_every_setting_is_spoken_of_outside_the_table() -> None:
    """The table says what; the words around it say what for."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    prose = before + rest.partition(END)[2]

    assert [setting.name for setting in SETTINGS if f"`{setting.name}`" not in prose] == []


@pytest.mark.parametrize("kind", IdentityKind)
def test_every_identity_is_explained(kind: IdentityKind) -> None:
    """Each kind has its own row."""
    assert f"\n| `{kind.value}` |" in PAGE.read_text(encoding="utf-8")


def test_every_export_on_the_page_is_one_the_server_takes() -> None:
    """What can be copied from the page can be used."""
    snippets = SNIPPET.findall(PAGE.read_text(encoding="utf-8"))

    assert len(snippets) >= 4
    load(dict(snippets))


def test_the_refusals_on_the_page_are_the_ones_the_program_prints() -> None:
    """The example of a start that fails is what such a start prints."""
    page = PAGE.read_text(encoding="utf-8")
    shown = re.findall(r"^    dummyllm: (.*)$", page, re.MULTILINE)
    environ = {"DUMMYLLM_MODE": "flakey", "DUMMYLLM_LATENCYMS": "100", "DUMMYLLM_RANDOM_WEIGHTS": "ok=70,echo"}

    with pytest.raises(SettingsError) as refused:
        load(environ)

    assert shown == list(refused.value.mistakes)


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
