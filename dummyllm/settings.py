"""ONE table of everything an operator can set: parsing, `--help`, the docs page and `/__admin/config` read it.

A mapping goes in, and Settings or all mistakes at once come out. Unset or blank is the default. A test double that
quietly falls back to a default makes its user's tests pass for the wrong reason, so a mistake stops the server.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dummyllm import setting_values as read
from dummyllm.core.fingerprint import IdentityKind
from dummyllm.core.mode import Mode
from dummyllm.core.policy import Policy
from dummyllm.setting_values import ElizaOrder, Unknown

if TYPE_CHECKING:
    from dummyllm.eliza import Script

PREFIX = "DUMMYLLM_"

# What Kubernetes puts into every container's environment for a Service named dummyllm, and what clients of ours use.
_FOREIGN = ("DUMMYLLM_URL", "DUMMYLLM_PORT")
_FOREIGN_PREFIXES = ("DUMMYLLM_PORT_", "DUMMYLLM_SERVICE_")

# A name that nobody knows may be that of a key, mistyped.
_SECRET = re.compile("API|AUTH|KEY|PASS|SECRET|TOKEN")


@dataclass(frozen=True, slots=True)
class Setting:
    """One row: *parse* raises ValueError with the rest of a sentence that begins `NAME='text' …`."""

    name: str
    default: str
    allowed: str
    help: str
    parse: Callable[[str], object]
    is_secret: bool = False

    @property
    def variable(self) -> str:
        """The name of the environment variable."""
        return PREFIX + self.name


DAY_MS = 86_400_000

SETTINGS = (
    Setting("MODE", "ok", ", ".join(Mode), "what befalls every job", read.one_of(Mode, "a mode")),
    Setting(
        "RANDOM_WEIGHTS",
        "ok=70,echo=10,slow=10,fail=5,hang=3,timeout=2,flaky=0",
        "mode=weight, each a whole number from 0",
        "how often mode random picks each mode; a mode not named gets 0, and if all are 0 every job is ok",
        read.weights,
    ),
    Setting(
        "LATENCY_MS", "250", f"0 to {DAY_MS}", "base latency of a job, in milliseconds", read.whole(0, DAY_MS, "ms")
    ),
    Setting(
        "SEED", "1337", "a whole number, at most 60 digits", "chooses among all stories this server can tell", read.seed
    ),
    Setting(
        "IDENTITY",
        "payload",
        ", ".join(IdentityKind),
        "what counts as the same work: op and args; op, model and messages; or op and trace_id",
        read.one_of(IdentityKind, "an identity"),
    ),
    Setting(
        "ELIZA",
        "seeded",
        ", ".join(ElizaOrder),
        "whether the seed chooses where each cycle of replies starts, or the first entry does, as in 1966",
        read.one_of(ElizaOrder, "an order"),
    ),
    Setting("ELIZA_FILE", "", "a path", "a script in the 1966 format, instead of our own", read.eliza_file),
    Setting("ADMIN", "0", "1 or 0", "whether POST under /__admin/ works", read.switch),
    Setting(
        "API_KEY",
        "",
        "1 to 256 visible ASCII characters",
        "the key that clients must send, as Authorization: Bearer or as x-api-key",
        read.key,
        is_secret=True,
    ),
    Setting(
        "ALLOWED_HOSTS",
        "",
        "host names, comma between; * is any",
        "names besides the loopback ones that a Host header may carry",
        read.hosts,
    ),
    Setting("CORS_ORIGINS", "", "origins, comma between", "web origins whose pages may call this server", read.origins),
    Setting(
        "UNKNOWN",
        "refuse",
        ", ".join(Unknown),
        "whether a payload with an unknown member is refused, or the member is ignored and journaled",
        read.one_of(Unknown, "an answer to unknown members"),
    ),
    Setting("MAX_BODY_BYTES", "8MiB", "1024 to 1GiB", "the longest body a request may have", read.size(1024, 2**30)),
    Setting(
        "JOBS_MAX", "1000000", "1 to 100000000", "jobs held; finished ones leave first", read.whole(1, 10**8, "jobs")
    ),
    Setting(
        "STORE_MAX_BYTES",
        "1GiB",
        "1024 to 1024GiB",
        "bytes held: payloads, and 800 for each job; finished jobs leave first",
        read.size(1024, 2**40),
    ),
    Setting("JOURNAL_MAX", "100000", "1 to 100000000", "journal entries kept", read.whole(1, 10**8, "entries")),
    Setting(
        "RECEIVE_TIMEOUT_MS",
        "15000",
        f"100 to {DAY_MS}",
        "how long a request may take to arrive: its body, and under `dummyllm serve` the whole of it",
        read.whole(100, DAY_MS, "ms"),
    ),
)


class SettingsError(ValueError):
    """Everything that is wrong with the environment, a line for each mistake."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = tuple(mistakes)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from: *text* is what was written, blank for a default."""

    setting: Setting
    text: str

    @property
    def source(self) -> str:
        """`environment` or `default`."""
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
    random_weights: read.Weights
    latency_ms: int
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
    journal_max: int
    receive_timeout_ms: int
    origins: tuple[Origin, ...]

    @property
    def policy(self) -> Policy:
        """The choices that shape fates."""
        return Policy(
            mode=self.mode,
            weights=self.random_weights,
            base_latency_ms=self.latency_ms,
            seed=self.seed,
            identity=self.identity,
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What is no mistake, but probably not what was meant."""
        set_names = {origin.setting.name for origin in self.origins if origin.text}
        notes = []
        if "RANDOM_WEIGHTS" in set_names and self.mode is not Mode.RANDOM:
            notes.append(
                f"DUMMYLLM_RANDOM_WEIGHTS is set, but the mode is {self.mode.value}: weights count in mode random"
            )
        if self.mode is Mode.RANDOM and not any(weight for _, weight in self.random_weights):
            notes.append("all weights of DUMMYLLM_RANDOM_WEIGHTS are zero, so every job is ok")
        return tuple(notes)


def load(environ: Mapping[str, str]) -> Settings:
    """Return the settings that *environ* asks for; raise `SettingsError` with all mistakes at once."""
    mistakes = _unknown_names(environ)
    values: dict[str, object] = {}
    origins: list[Origin] = []
    for setting in SETTINGS:
        text = environ.get(setting.variable, "").strip()
        origins.append(Origin(setting, text))
        try:
            values[setting.name.lower()] = _value(setting, text)
        except ValueError as error:
            shown = "'***'" if setting.is_secret else repr(text)
            mistakes.append(f"{setting.variable}={shown} {error}")
    if not mistakes:
        mistakes = _contradictions(values)
    if mistakes:
        raise SettingsError(mistakes)
    return Settings(**values, origins=tuple(origins))  # type: ignore[arg-type]  # the table's parsers give the types


def _value(setting: Setting, text: str) -> object:
    if text or setting.default:
        return setting.parse(text or setting.default)
    return () if setting.name in ("ALLOWED_HOSTS", "CORS_ORIGINS") else None


def _unknown_names(environ: Mapping[str, str]) -> list[str]:
    known = [setting.variable for setting in SETTINGS]
    short = [setting.name for setting in SETTINGS]
    mistakes = []
    for name in sorted(environ):
        is_ours = name.upper().startswith(PREFIX)
        if not is_ours or name in known or name in _FOREIGN or name.startswith(_FOREIGN_PREFIXES):
            continue
        shown = "'***'" if _SECRET.search(name.upper()) else repr(environ[name])
        hint = read.nearest(name.upper().removeprefix(PREFIX), short, before=PREFIX)
        mistakes.append(f"{name}={shown} is not a setting{hint or '; `dummyllm config` lists them all'}")
    return mistakes


def _contradictions(values: Mapping[str, object]) -> list[str]:
    body, store = values["max_body_bytes"], values["store_max_bytes"]
    assert isinstance(body, int) and isinstance(store, int)  # noqa: PT018  # the table's parsers give no other
    if store >= body + 1024:
        return []
    too_small = f"DUMMYLLM_STORE_MAX_BYTES is {store}, too small for one job of DUMMYLLM_MAX_BODY_BYTES={body}"
    return [f"{too_small}; use at least {body + 1024}"]
