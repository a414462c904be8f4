"""`dummyllm config`: every setting, its value, and where that came from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import msgspec
from cyclopts import Parameter

from dummyllm.cli.terminal import Status, Terminal, printable
from dummyllm.settings import Settings, SettingsError, load


def config(
    *,
    as_json: Annotated[
        bool, Parameter(name="--json", negative="", show_default=False, help="Print what GET /__admin/config answers.")
    ] = False,
    terminal: Annotated[Terminal, Parameter(parse=False)],
) -> Status:
    """List every setting."""
    try:
        settings = load(terminal.environ)
    except SettingsError as error:
        return terminal.refuse(error.mistakes)
    if as_json:
        terminal.say(_json(settings))
    else:
        for line in _page(settings):
            terminal.say(line)
    return Status.OK


def _page(settings: Settings) -> Iterator[str]:
    for origin in settings.origins:
        setting = origin.setting
        yield _row(origin.source, f"{setting.variable}={printable(origin.shown)}")
        yield _row("", setting.help)
        yield _row("", f"allowed: {setting.allowed}")
    for note in settings.notes:
        yield _row("note", note)


def _row(left: str, right: str) -> str:
    return f"{left:<12} {right}"


def _json(settings: Settings) -> str:
    from dummyllm.web.admin_views import ConfigView, SettingView  # noqa: PLC0415  # brings Starlette, which the page does without

    rows = [
        SettingView(o.setting.variable, o.shown, o.source, o.setting.default, o.setting.allowed, o.setting.help)
        for o in settings.origins
    ]
    return msgspec.json.format(msgspec.json.encode(ConfigView(rows, list(settings.notes)))).decode()
