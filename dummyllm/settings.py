"""Turns the environment into settings, by the one table in `setting_rows`.

A mapping goes in, and Settings or all mistakes at once come out. Unset or blank is the default. A test double that
quietly falls back to a default makes its user's tests pass for the wrong reason, so a mistake stops the server.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from dummyllm import chaos_values, setting_values
from dummyllm.chaos_values import ClockChoice, Faults
from dummyllm.core.fingerprint import IdentityKind
from dummyllm.core.latency import Shape
from dummyllm.core.mode import Mode
from dummyllm.core.policy import Policy
from dummyllm.presets import PRESETS
from dummyllm.setting_rows import PREFIX, SETTINGS, Setting
from dummyllm.setting_values import ElizaOrder, Unknown
from dummyllm.verdict.limits import MEANINGS, Limits
from dummyllm.verdict.same import Same

if TYPE_CHECKING:
    from dummyllm.core.replay import Replay
    from dummyllm.core.script import Script as FateScript
    from dummyllm.eliza import Script
    from dummyllm.rules_file import Draft
    from dummyllm.verdict.run import Expected

# What Kubernetes puts into every container's environment for a Service named dummyllm, and what clients of ours use.
_FOREIGN = ("DUMMYLLM_URL", "DUMMYLLM_PORT")
_FOREIGN_PREFIXES = ("DUMMYLLM_PORT_", "DUMMYLLM_SERVICE_")

# A name that nobody knows may be that of a key, mistyped.
_SECRET = re.compile("API|AUTH|KEY|PASS|SECRET|TOKEN")


class SettingsError(ValueError):
    """Everything that is wrong with the environment, a line for each mistake."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = tuple(mistakes)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from: *text* is what was written, or what the *preset* says, blank for a default."""

    setting: Setting
    text: str
    preset: str = ""

    @property
    def source(self) -> str:
        """`environment`, `preset NAME` or `default`."""
        if self.preset:
            return f"preset {self.preset}"
        return "environment" if self.text else "default"

    @property
    def shown(self) -> str:
        """The value as it may be shown: a secret only as stars."""
        if self.setting.is_secret and self.text:
            return "***"
        return self.text or self.setting.default


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every choice of the operator, as values; the fields are the rows of the table in small letters."""

    mode: Mode
    random_weights: setting_values.Weights
    latency_ms: int
    latency_shape: Shape
    script: FateScript | None
    rules: tuple[Draft, ...]
    faults: Faults
    swarm: bool
    preset: str | None
    replay: Replay | None
    slots: int
    queue_max: int
    clock: ClockChoice
    seed: int
    identity: IdentityKind
    eliza: ElizaOrder
    eliza_file: Script | None
    admin: bool
    api_key: str | None
    allowed_hosts: tuple[str, ...]
    cors_origins: tuple[str, ...]
    unknown: Unknown
    max_body_bytes: int
    jobs_max: int
    store_max_bytes: int
    journal: Path | None
    journal_max: int
    receive_timeout_ms: int
    verdict: Path | None
    verdict_identity: Same
    verdict_expect: tuple[Expected, ...] | None
    verdict_limits: Limits
    origins: tuple[Origin, ...]

    @property
    def replay_words(self) -> tuple[str, ...]:
        """What a POSIX shell sets to have these settings again; in the place of a secret it looks for one itself."""
        words = []
        for origin in self.origins:
            if origin.text and not origin.preset:
                name = origin.setting.variable
                words.append(f'{name}="${{{name}:?}}"' if origin.setting.is_secret else f"{name}={quote(origin.text)}")
        return tuple(words)

    @property
    def verdict_is_wanted(self) -> bool:
        """Whether there is to be a verdict when the server ends."""
        return any(origin.setting.name == "VERDICT" and origin.text for origin in self.origins)

    @property
    def policy(self) -> Policy:
        """The choices that shape fates."""
        base = Policy(
            mode=Mode.SCRIPT if self.script is not None else self.mode,
            weights=self.random_weights,
            base_latency_ms=self.latency_ms,
            shape=self.latency_shape,
            seed=self.seed,
            identity=self.identity,
            script=self.script,
            replay=self.replay,
            **self._odds(self.faults or (chaos_values.every_fault() if self.swarm else ())),
        )
        drafts = [draft.rule(base, None if draft.faults is None else self._odds(draft.faults)) for draft in self.rules]
        return replace(base, rules=tuple(drafts)) if drafts else base

    def _odds(self, faults: Faults) -> dict[str, Any]:
        if not faults:
            return {"submit_odds": (), "job_odds": (), "poll_odds": ()}
        from dummyllm.core.faults.drawn import odds_of, swarm  # noqa: PLC0415  # fetched when there are some
        from dummyllm.core.faults.kind import Unit  # noqa: PLC0415

        if self.swarm:
            faults = swarm(faults, self.seed)
        return {f"{unit.value}_odds": odds_of(faults, unit) for unit in Unit}

    @property
    def notes(self) -> tuple[str, ...]:
        """What is no mistake, but probably not what was meant."""
        return tuple(note for applies, note in self._possible_notes() if applies)

    def _possible_notes(self) -> list[tuple[bool, str]]:
        named = {origin.setting.name for origin in self.origins if origin.text and not origin.preset}
        mode = self.mode.value
        return [
            (
                "RANDOM_WEIGHTS" in named and self.mode is not Mode.RANDOM,
                f"DUMMYLLM_RANDOM_WEIGHTS is set, but the mode is {mode}: weights count in mode random",
            ),
            (
                self.mode is Mode.RANDOM and not any(weight for _, weight in self.random_weights),
                "all weights of DUMMYLLM_RANDOM_WEIGHTS are zero, so every job is ok",
            ),
            (
                self.script is not None and "MODE" in named and self.mode is not Mode.SCRIPT,
                f"DUMMYLLM_SCRIPT is set, so DUMMYLLM_MODE={mode} decides nothing",
            ),
            (
                self.replay is not None and bool(named & {"MODE", "SCRIPT", "RULES", "FAULTS", "SWARM"}),
                "DUMMYLLM_REPLAY is set: it alone decides what befalls a job",
            ),
            (
                self.queue_max > 0 and not self.slots,
                "DUMMYLLM_QUEUE_MAX is set, but without DUMMYLLM_SLOTS nothing waits",
            ),
            (
                self.clock.name == "manual" and not self.admin,
                "the clock stands still: it is moved by POST /__admin/clock, which needs DUMMYLLM_ADMIN=1",
            ),
        ]


def load(environ: Mapping[str, str]) -> Settings:
    """Return the settings that *environ* asks for; raise `SettingsError` with all mistakes at once."""
    mistakes = _unknown_names(environ)
    values: dict[str, object] = {}
    origins: list[Origin] = []
    preset = environ.get(PREFIX + "PRESET", "").strip().lower()
    bundle = PRESETS.get(preset, {})
    for setting in SETTINGS:
        text = environ.get(setting.variable, "").strip()
        is_bundled = not text and setting.name in bundle
        text = text or bundle.get(setting.name, "")
        origins.append(Origin(setting, text, preset if is_bundled else ""))
        try:
            values[setting.name.lower()] = _value(setting, text)
        except ValueError as error:
            shown = "'***'" if setting.is_secret else repr(text)
            mistakes.append(f"{setting.variable}={shown} {error}")
    if not mistakes:
        mistakes = _contradictions(values)
    if mistakes:
        raise SettingsError(mistakes)
    values["verdict_limits"] = Limits(**{name: values.pop(f"verdict_{name}") for name in MEANINGS})  # type: ignore[arg-type]
    return Settings(**values, origins=tuple(origins))  # type: ignore[arg-type]  # the table's parsers give the types


def _value(setting: Setting, text: str) -> object:
    if text or setting.default:
        return setting.parse(text or setting.default)
    return () if setting.name in ("ALLOWED_HOSTS", "CORS_ORIGINS", "RULES", "FAULTS") else None


def _unknown_names(environ: Mapping[str, str]) -> list[str]:
    known = [setting.variable for setting in SETTINGS]
    short = [setting.name for setting in SETTINGS]
    mistakes = []
    for name in sorted(environ):
        is_ours = name.upper().startswith(PREFIX)
        if not is_ours or name in known or name in _FOREIGN or name.startswith(_FOREIGN_PREFIXES):
            continue
        shown = "'***'" if _SECRET.search(name.upper()) else repr(environ[name])
        hint = setting_values.nearest(name.upper().removeprefix(PREFIX), short, before=PREFIX)
        mistakes.append(f"{name}={shown} is not a setting{hint or '; `dummyllm config` lists them all'}")
    return mistakes


def _contradictions(values: Mapping[str, Any]) -> list[str]:
    mistakes = []
    body, store = values["max_body_bytes"], values["store_max_bytes"]
    if store < body + 1024:
        too_small = f"DUMMYLLM_STORE_MAX_BYTES is {store}, too small for one job of DUMMYLLM_MAX_BODY_BYTES={body}"
        mistakes.append(f"{too_small}; use at least {body + 1024}")
    if values["mode"] is Mode.SCRIPT and values["script"] is None and values["replay"] is None:
        mistakes.append("DUMMYLLM_MODE='script' has no script; set DUMMYLLM_SCRIPT, as in fail,fail,ok")
    if (replay := values["replay"]) is not None and replay.origin is not None:
        differing = replay.origin.differing(values["seed"], values["identity"].value, values["latency_ms"])
        mistakes += [f"DUMMYLLM_REPLAY is of a run with DUMMYLLM_{one}: use that of the run" for one in differing]
    if values["slots"] and values["clock"].name == "polls":
        mistakes.append(
            "DUMMYLLM_SLOTS needs a clock that all jobs share; DUMMYLLM_CLOCK='polls' gives each its own: use another"
        )
    return mistakes
