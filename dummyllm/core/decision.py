"""Recomputes why a job got the fate it got: every draw, with its site, its number and whether it won."""

from __future__ import annotations

import msgspec

from dummyllm.core.draw import Luck
from dummyllm.core.fate import FLAKY
from dummyllm.core.mode import Mode, Race, times, winner
from dummyllm.core.policy import Policy
from dummyllm.core.request import Identity


class Decision(msgspec.Struct, frozen=True):
    """One draw: *u* is inside (0, 1), and of the options of one race the least *time* −ln(u) / weight wins."""

    site: str
    option: str
    weight: int
    u: float
    time: float
    won: bool


def decisions_of(policy: Policy, identity: Identity, ordinal: int) -> tuple[Decision, ...]:
    """Return every draw that decides the *ordinal*-th job of *identity* under *policy*."""
    luck = Luck(policy.seed, identity, ordinal)
    drawn: tuple[Decision, ...] = ()
    mode = policy.mode
    if mode is Mode.RANDOM:
        mode = winner(policy.race, luck)
        drawn += _race("mode", policy.race, luck)
    if mode is Mode.FLAKY:
        drawn += _race("flaky", FLAKY, luck)
    return drawn


def _race(name: str, race: Race, luck: Luck) -> tuple[Decision, ...]:  # type: ignore[type-arg]  # any options will do
    won = winner(race, luck)
    return tuple(
        Decision(f"{name}:{option.value}", option.value, weight, u, time, option is won)
        for option, weight, u, time in times(race, luck)
    )
