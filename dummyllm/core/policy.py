"""Knows the operator's choices that shape fates."""

from __future__ import annotations

from dataclasses import dataclass, field

from dummyllm.core.fingerprint import IdentityKind
from dummyllm.core.mode import Mode, Race

DEFAULT_WEIGHTS: tuple[tuple[Mode, int], ...] = (
    (Mode.OK, 70),
    (Mode.ECHO, 10),
    (Mode.SLOW, 10),
    (Mode.FAIL, 5),
    (Mode.HANG, 3),
    (Mode.TIMEOUT, 2),
    (Mode.FLAKY, 0),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Everything that, with a request and its ordinal, decides a fate. *weights* count only in mode random."""

    mode: Mode = Mode.OK
    weights: tuple[tuple[Mode, int], ...] = DEFAULT_WEIGHTS
    base_latency_ms: int = 250
    seed: int = 1337
    identity: IdentityKind = IdentityKind.PAYLOAD
    race: Race[Mode] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        weights = {mode: weight for mode, weight in self.weights if weight > 0}
        # The one lenient rule is SPEC.md's: if all weights are zero, every job is ok.
        object.__setattr__(self, "race", Race.of("mode", weights or {Mode.OK: 1}))

    @property
    def random_weights(self) -> dict[str, int] | None:
        """The weights as clients see them, or None unless the mode is random."""
        return {mode.value: weight for mode, weight in self.weights} if self.mode is Mode.RANDOM else None
