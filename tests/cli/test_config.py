"""`dummyllm config`: every setting, its value, where it came from, what is allowed; secrets as stars."""

from __future__ import annotations

import json
from urllib.request import urlopen

from dummyllm.settings import SETTINGS
from tests.live import serve as live


def test_every_setting_is_listed_with_its_default_and_what_is_allowed(call) -> None:
    """Without an environment every value is the default."""
    lines = call("config").out.splitlines()

    for place, setting in enumerate(SETTINGS):
        row, meaning, allowed = lines[3 * place : 3 * place + 3]
        assert row.split() == ["default", *f"{setting.variable}={setting.default}".split()]
        assert meaning.strip() == setting.help
        assert allowed.strip() == f"allowed: {setting.allowed}"
    assert len(lines) == 3 * len(SETTINGS)


def test_a_value_of_the_environment_says_so(call) -> None:
    """What was set is shown as it was set."""
    assert "environment  DUMMYLLM_MODE=flaky\n" in call("config", MODE="flaky").out


def test_a_secret_is_stars(call) -> None:
    """The key is shown to nobody, in no format."""
    for said in (call("config", API_KEY="hush-hush"), call("config", "--json", API_KEY="hush-hush")):
        assert "***" in said.out
        assert "hush" not in said.out + said.err


def test_a_secret_that_is_a_mistake_is_stars_too(call) -> None:
    """Not even a mistake shows the key."""
    said = call("config", API_KEY="hush hush")
    assert said.status == 2
    assert "hush" not in said.out + said.err


def test_notes_come_last(call) -> None:
    """What is no mistake but probably not meant is a note."""
    last = call("config", RANDOM_WEIGHTS="ok=1").out.splitlines()[-1]
    assert last.startswith("note         DUMMYLLM_RANDOM_WEIGHTS is set, but the mode is ok")


def test_json_is_what_a_server_answers(call) -> None:
    """`dummyllm config --json` and `GET /__admin/config` are the same object."""
    settings = {"MODE": "random", "API_KEY": "", "SEED": "-7", "LATENCY_MS": "0"}
    with live(**settings) as server, urlopen(f"{server.url}/__admin/config", timeout=10) as answer:
        assert json.loads(call("config", "--json", **settings).out) == json.load(answer)


def test_mistakes_leave_standard_output_empty(call) -> None:
    """A program that reads the JSON never reads half an answer."""
    said = call("config", "--json", MODE="nope", SEED="nope")
    assert (said.status, said.out, len(said.err.splitlines())) == (2, "", 2)
