"""Knows the operator's choices that shape fates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dummyllm.core.fingerprint import IdentityKind
from dummyllm.core.latency import FIXED, Shape
from dummyllm.core.mode import Mode, Race

if TYPE_CHECKING:
    # Faults are two dozen modules: a server without them starts without them.
    from dummyllm.core.draw import Luck
    from dummyllm.core.fate import Fate
    from dummyllm.core.faults.drawn import Odds
    from dummyllm.core.faults.fault import Fault
    from dummyllm.core.replay import Replay
    from dummyllm.core.request import JobRequest
    from dummyllm.core.rules import Rule
    from dummyllm.core.script import Script

DEFAULT_WEIGHTS: tuple[tuple[Mode, int], ...] = (
    (Mode.OK, 70),
    (Mode.ECHO, 10),
    (Mode.SLOW, 10),
    (Mode.FAIL, 5),
    (Mode.HANG, 3),
    (Mode.TIMEOUT, 2),
    (Mode.FLAKY, 0),
)


@dataclass(frozen=True, slots=True)
class Chaos:
    """What a policy that is not plain decides by. It is fetched once: to ask for it at every submit costs as a draw."""

    twisted: Callable[..., Fate]
    first_fired: Callable[[tuple[Odds, ...], Luck], Fault | None]
    policy_for: Callable[[Policy, JobRequest, int], Policy]

    @classmethod
    def fetched(cls) -> Chaos:
        """Return it, with the modules of the faults."""
        from dummyllm.core.faults.drawn import first_fired  # noqa: PLC0415
        from dummyllm.core.rules import policy_for  # noqa: PLC0415
        from dummyllm.core.twist import twisted  # noqa: PLC0415

        return cls(twisted, first_fired, policy_for)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Everything that, with a request and its counters, decides a fate.

    *weights* count only in mode random, *script* only in mode script. Each of *rules* has a policy of its own, whose
    *rule* is its name; *reply* is the text of every job that ends well, or None for ELIZA's.
    """

    mode: Mode = Mode.OK
    weights: tuple[tuple[Mode, int], ...] = DEFAULT_WEIGHTS
    base_latency_ms: int = 250
    shape: Shape = FIXED
    seed: int = 1337
    identity: IdentityKind = IdentityKind.PAYLOAD
    script: Script | None = None
    submit_odds: tuple[Odds, ...] = ()
    job_odds: tuple[Odds, ...] = ()
    poll_odds: tuple[Odds, ...] = ()
    rules: tuple[Rule, ...] = ()
    rule: str | None = None
    reply: str | None = None
    replay: Replay | None = None
    race: Race[Mode] = field(init=False, repr=False, compare=False)
    chaos: Chaos | None = field(init=False, repr=False, compare=False)
    """None if a submit is always accepted, and decided by mode, weights and latency alone."""

    def __post_init__(self) -> None:
        weights = {mode: weight for mode, weight in self.weights if weight > 0}
        # The one lenient rule is SPEC.md's: if all weights are zero, every job is ok.
        object.__setattr__(self, "race", Race.of("mode", weights or {Mode.OK: 1}))
        special = (self.script, self.submit_odds, self.job_odds, self.poll_odds, self.rules, self.replay)
        object.__setattr__(self, "chaos", Chaos.fetched() if any(special) else None)

    @property
    def random_weights(self) -> dict[str, int] | None:
        """The weights as clients see them, or None unless the mode is random."""
        return {mode.value: weight for mode, weight in self.weights} if self.mode is Mode.RANDOM else None
