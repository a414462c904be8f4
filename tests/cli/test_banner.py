"""The banner: URL, mode, seed, latency, weights when random, a line to try, and the line that replays this run."""

from __future__ import annotations

import shlex

import pytest

from dummyllm.cli.banner import banner, curl, replay_line
from dummyllm.settings import load

URL = "http://127.0.0.1:8787"


def settings_of(**settings: str):
    return load({f"DUMMYLLM_{name}": value for name, value in settings.items()})


def banner_of(**settings: str) -> str:
    return banner(settings_of(**settings), URL, "dummyllm serve", is_colourful=False)


def test_the_banner_as_a_whole() -> None:
    """What it is, what it is set to, how to try it, how to see it again."""
    assert banner_of().splitlines() == [
        "dummyLLM 0.3.1 at http://127.0.0.1:8787",
        "",
        "  mode    ok",
        "  latency 250 ms",
        "  seed    1337",
        "",
        f"  try     {curl(settings_of(), URL)}",
        "  replay  dummyllm serve",
        "",
        "Ctrl-C ends it.",
    ]


def test_weights_are_shown_when_they_count() -> None:
    """In mode random, every mode with its weight."""
    assert "  weights ok=1,echo=0,slow=0,fail=2,hang=0,timeout=0,flaky=0\n" in banner_of(
        MODE="random", RANDOM_WEIGHTS="fail=2,ok=1"
    )
    assert "weights ok=" not in banner_of()


def test_notes_and_warnings_are_lines_of_their_own() -> None:
    """What is probably not meant is said, and stops nothing."""
    lines = banner(
        settings_of(RANDOM_WEIGHTS="ok=1"), URL, "dummyllm serve", warnings=("look out",), is_colourful=False
    ).splitlines()
    assert any(line.startswith("  note    DUMMYLLM_RANDOM_WEIGHTS is set, but the mode is ok") for line in lines)
    assert "  warning look out" in lines


def test_colours_only_when_asked_for() -> None:
    """A log file gets text."""
    assert "\x1b" not in banner_of()
    assert banner(settings_of(), URL, "", is_colourful=True).startswith("\x1b[1mdummyLLM 0.3.1 at")


def test_the_line_to_try_is_shell() -> None:
    """A copied line posts one job, with the key if one is wanted."""
    words = shlex.split(curl(settings_of(), URL))
    assert words[:3] == ["curl", "-s", f"{URL}/v1/jobs"]
    assert curl(settings_of(API_KEY="hush"), URL).endswith(' -H "Authorization: Bearer $DUMMYLLM_API_KEY"')


@pytest.mark.parametrize(
    ("settings", "host", "port", "line"),
    [
        ({}, "127.0.0.1", 8787, "dummyllm serve"),
        ({}, "127.0.0.1", 0, "dummyllm serve --port 0"),
        ({}, "0.0.0.0", 8788, "dummyllm serve --host 0.0.0.0 --port 8788"),
        ({"SEED": "7", "MODE": " Flaky "}, "127.0.0.1", 8787, "DUMMYLLM_MODE=Flaky DUMMYLLM_SEED=7 dummyllm serve"),
        ({"ALLOWED_HOSTS": "*"}, "127.0.0.1", 8787, "DUMMYLLM_ALLOWED_HOSTS='*' dummyllm serve"),
        ({"API_KEY": "hush"}, "127.0.0.1", 8787, 'DUMMYLLM_API_KEY="${DUMMYLLM_API_KEY:?}" dummyllm serve'),
    ],
)
def test_the_replay_is_what_was_set_and_no_more(settings: dict[str, str], host: str, port: int, line: str) -> None:
    """One line, shell-quoted, without secrets."""
    assert replay_line(settings_of(**settings), host=host, port=port) == line


def test_the_replay_gives_the_same_settings() -> None:
    """Read back, the line sets what was set."""
    environment = {
        "DUMMYLLM_MODE": "random",
        "DUMMYLLM_RANDOM_WEIGHTS": "ok=1, fail=2",
        "DUMMYLLM_SEED": "-5",
        "DUMMYLLM_CORS_ORIGINS": "http://localhost:3000,http://[::1]:1",
    }
    words = shlex.split(replay_line(load(environment), host="127.0.0.1", port=8787))
    assert words[-2:] == ["dummyllm", "serve"]
    assert load(dict(word.split("=", 1) for word in words[:-2])) == load(environment)


def test_it_says_what_else_was_set() -> None:
    """A preset, a script, faults, slots, a clock: whatever shapes the run, and nothing that was not set."""
    page = banner(
        load({
            "DUMMYLLM_SCRIPT": "fail,ok",
            "DUMMYLLM_FAULTS": "submit.lost_ack=5",
            "DUMMYLLM_SLOTS": "2",
            "DUMMYLLM_CLOCK": "scale(20)",
            "DUMMYLLM_LATENCY_SHAPE": "lognormal(p99=8)",
        }),
        "http://127.0.0.1:8787",
        "dummyllm serve",
        is_colourful=False,
    )  # fmt: skip

    rows = dict(line.split(maxsplit=1) for line in page.splitlines() if line.startswith("  "))
    assert {name: rows[name] for name in ("mode", "latency", "script", "faults", "slots", "clock")} == {
        "mode": "script",
        "latency": "250 ms, lognormal(p99=8)",
        "script": "fail,ok",
        "faults": "submit.lost_ack=5",
        "slots": "2",
        "clock": "scale(20)",
    }
    assert not {"preset", "rules", "replays", "swarm", "queue", "weights"} & set(rows)


def test_a_swarm_says_which_faults_are_in_play() -> None:
    """Which half it is depends on the seed."""
    pages = [
        banner(load({"DUMMYLLM_SWARM": "1", "DUMMYLLM_SEED": str(seed)}), "", "", is_colourful=False) for seed in (1, 2)
    ]
    played = [next(line for line in page.splitlines() if "in play" in line) for page in pages]

    assert played[0] != played[1]
    assert all(line.count(",") > 3 for line in played)
