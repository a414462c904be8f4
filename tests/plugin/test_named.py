"""Settings that a test names: the same as the environment's, in small letters and without `DUMMYLLM_`."""

from __future__ import annotations

from pathlib import Path

import pytest

from dummyllm.core.mode import Mode
from dummyllm.settings import Settings, load
from dummyllm.testing import SettingsError, serve
from dummyllm.testing.named import NAMES, Value, settings_of
from dummyllm.verdict.same import Same


def mistakes_of(**named: object) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        serve(**named)  # type: ignore[arg-type]
    return caught.value.mistakes


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("mode", "flaky", "flaky"),
        ("seed", 7, "7"),
        ("seed", -7, "-7"),
        ("swarm", True, "1"),
        ("swarm", False, "0"),
        ("clock", "scale(20)", "scale(20)"),
        ("script", "fail*2,ok", "fail*2,ok"),
        ("faults", "submit.lost_ack=2.5", "submit.lost_ack=2.5"),
        ("random_weights", "ok=1,fail=1", "ok=1,fail=1"),
        ("verdict_attempts_max", 3, "3"),
        ("latency_ms", 0, "0"),
    ],
)
def test_a_setting_means_what_it_means_in_the_environment(name: str, value: Value, text: str) -> None:
    """Any setting by its name, in small letters and without the prefix."""
    found = settings_of({name: value, "admin": None, "verdict_identity": None})

    assert found == load({f"DUMMYLLM_{name.upper()}": text})


def test_every_setting_has_a_name() -> None:
    """Any setting."""
    fields = set(Settings.__dataclass_fields__) - {"origins", "verdict_limits"}

    assert fields <= set(NAMES)
    assert {NAMES[name] for name in fields} <= {f"DUMMYLLM_{name.upper()}" for name in fields}


def test_a_path_may_be_a_path(tmp_path: Path) -> None:
    """Values are text, numbers, True or False, or paths."""
    rules = tmp_path / "rules.toml"
    rules.write_text('[[rule]]\nname = "embeddings"\nwhen.op = "embed"\nthen.mode = "fail"\n', encoding="utf-8")

    assert len(settings_of({"rules": rules}).rules) == 1


def test_nothing_named_is_the_default() -> None:
    """None leaves a setting at its default, as a blank variable does."""
    assert settings_of({"mode": None, "script": ""}).mode is load({}).mode


def test_two_settings_have_another_default() -> None:
    """`admin` is on, and `verdict_identity` is `payload`: a test owns its payloads."""
    settings = settings_of({})

    assert settings.admin
    assert settings.verdict_identity is Same.PAYLOAD


def test_they_may_be_set_all_the_same() -> None:
    """What is named wins; and None is the environment's default."""
    assert not settings_of({"admin": False}).admin
    assert settings_of({"verdict_identity": None}).verdict_identity is Same.AUTO


def test_the_environment_of_the_process_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither our variables nor those that uvicorn would look at."""
    monkeypatch.setenv("DUMMYLLM_MODE", "slwo")
    monkeypatch.setenv("DUMMYLLM_LATENCY_MS", "7")
    monkeypatch.setenv("WEB_CONCURRENCY", "several")

    with serve(mode="fail") as dummy:
        assert dummy.settings.mode == "fail"
        assert dummy.settings.latency_ms == 250


def test_all_mistakes_are_told_at_once_in_the_words_of_the_test() -> None:
    """Before there is any server, and with the nearest name or value."""
    assert mistakes_of(moed="ok", mode="slwo", seed="x", script=["fail", "ok"]) == (
        "moed is not a setting (did you mean 'mode'?)",
        "script is a list; write it as text, as in the environment of a server",
        f"mode='slwo' is not a mode; use one of {', '.join(Mode)} (did you mean 'slow'?)",
        "seed='x' is not a seed; use a whole number of at most 60 digits",
    )


def test_a_mistake_between_two_settings_is_told_in_the_words_of_the_test() -> None:
    """`DUMMYLLM_` is of the environment's names, and none of these came from there."""
    assert mistakes_of(slots=1, clock="polls") == (
        "slots needs a clock that all jobs share; clock='polls' gives each its own: use another",
    )


@pytest.mark.parametrize("name", ["port", "url", "service_host", "MODE", "dummyllm_mode", "quiet"])
def test_a_name_that_is_no_setting_is_refused(name: str) -> None:
    """Also one that is let through in an environment, where Kubernetes may have put it."""
    (mistake,) = mistakes_of(**{name: "ok"})

    assert mistake.startswith(f"{name} is not a setting")


def test_a_key_that_is_wrong_is_not_shown() -> None:
    """A secret is shown only as stars."""
    assert mistakes_of(api_key="s e c r e t") == (
        "api_key='***' is not a key; use 1 to 256 visible ASCII characters, no blanks",
    )
