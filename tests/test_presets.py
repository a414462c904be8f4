"""Presets: a day as it may come, in one word. Whatever is set beside a preset wins."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

import pytest

from dummyllm.assembly import backend_of
from dummyllm.core.faults.kind import Unit
from dummyllm.core.mode import Mode
from dummyllm.presets import PRESETS
from dummyllm.settings import SETTINGS, Settings, SettingsError, load

BUNDLED = [(preset, name) for preset, bundle in PRESETS.items() for name in bundle]
# Something else than any preset says.
OTHERS = {
    "MODE": "fail",
    "RANDOM_WEIGHTS": "echo=1",
    "LATENCY_SHAPE": "uniform(0.1,0.2)",
    "FAULTS": "result.cut=1",
    "SLOTS": "7",
    "QUEUE_MAX": "9",
}


def chosen(**settings: str) -> Settings:
    return load({f"DUMMYLLM_{name}": text for name, text in settings.items()})


def sources(settings: Settings) -> Mapping[str, str]:
    return {origin.setting.name: origin.source for origin in settings.origins}


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_loads(preset: str) -> None:
    """A named bundle of settings makes a server, and one that has nothing to remark."""
    settings = chosen(PRESET=preset)

    assert settings.preset == preset
    assert settings.notes == ()
    assert backend_of(settings).policy.chaos is not None


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_what_its_settings_are_one_by_one(preset: str) -> None:
    """There is nothing in it that could not be set by hand."""
    by_name, by_hand = chosen(PRESET=preset), chosen(**PRESETS[preset])

    assert by_name.policy == by_hand.policy
    assert (by_name.slots, by_name.queue_max, by_name.clock) == (by_hand.slots, by_hand.queue_max, by_hand.clock)


@pytest.mark.parametrize("preset", PRESETS)
def test_where_a_value_came_from_is_told(preset: str) -> None:
    """`dummyllm config` says `preset NAME` of what the preset set, and `default` of all the rest."""
    told = sources(chosen(PRESET=preset))

    assert told.pop("PRESET") == "environment"
    assert {name for name, source in told.items() if source == f"preset {preset}"} == set(PRESETS[preset])
    assert set(told.values()) == {f"preset {preset}", "default"}
    shown = {origin.setting.name: origin.shown for origin in chosen(PRESET=preset).origins}
    assert {name: shown[name] for name in PRESETS[preset]} == PRESETS[preset]


@pytest.mark.parametrize(("preset", "name"), BUNDLED)
def test_whatever_is_set_beside_a_preset_wins(preset: str, name: str) -> None:
    """Explicit settings win, one by one; the others of the bundle stay."""
    settings = chosen(PRESET=preset, **{name: OTHERS[name]})
    told = sources(settings)

    assert told[name] == "environment"
    assert getattr(settings, name.lower()) == getattr(chosen(**{name: OTHERS[name]}), name.lower())
    assert {other for other, source in told.items() if source == f"preset {preset}"} == {*PRESETS[preset]} - {name}


@pytest.mark.parametrize(("preset", "name"), BUNDLED)
def test_a_blank_beside_a_preset_changes_nothing(preset: str, name: str) -> None:
    """Unset or blank is the default; and with a preset the default is what the preset says."""
    assert chosen(PRESET=preset, **{name: " "}) == chosen(PRESET=preset)


@pytest.mark.parametrize("text", ["bad-day", " BAD-DAY\n"])
def test_the_name_of_a_preset_is_forgiven_its_capitals(text: str) -> None:
    """As in every word of a setting."""
    assert chosen(PRESET=text).policy == chosen(PRESET="bad-day").policy


def test_a_preset_that_is_none_is_refused_with_the_nearest() -> None:
    """And nothing of it is set."""
    with pytest.raises(SettingsError) as refused:
        chosen(PRESET="badday")

    names = ", ".join(PRESETS)
    assert refused.value.mistakes == (
        f"DUMMYLLM_PRESET='badday' is not a preset; use one of {names} (did you mean 'bad-day'?)",
    )


def test_a_preset_sets_what_there_is() -> None:
    """Every name in a bundle is that of a setting, and none of them is a preset itself."""
    names = {setting.name for setting in SETTINGS} - {"PRESET"}

    assert {*chain.from_iterable(PRESETS.values())} <= names


def test_the_presets_bring_what_they_are_called_after() -> None:
    """Everything at once; cancels that race; a server with less room than it is asked for; replicas that lag."""
    bad, races, limited, lagging = (
        chosen(PRESET=preset) for preset in ("bad-day", "cancel-races", "rate-limited", "read-your-writes")
    )

    assert {unit for unit in Unit if getattr(bad.policy, f"{unit.value}_odds")} == {*Unit}
    assert races.policy.mode is Mode.RANDOM
    assert {one.fault.kind.site for one in races.policy.job_odds} == {"cancel", "run"}
    assert (limited.slots, limited.queue_max) == (4, 16)
    assert {one.fault.text for one in limited.policy.submit_odds} == {"submit.status(429,retry_after=1)"}
    assert {one.fault.kind.site for one in lagging.policy.job_odds} == {"poll"}
