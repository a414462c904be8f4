"""Recomputes why a job, a submit or a read came out as it did: every draw, its site, its number and what it did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from dummyllm.core.draw import Luck, unit
from dummyllm.core.fate import FLAKY, LATENCY_SITE, Turn
from dummyllm.core.latency import FIXED, latency_ms
from dummyllm.core.mode import Mode, Race, times, winner
from dummyllm.core.policy import Policy
from dummyllm.core.request import Identity

if TYPE_CHECKING:
    from dummyllm.core.faults.drawn import Odds
    from dummyllm.core.job import Job
    from dummyllm.core.replay import Course


class Decision(msgspec.Struct, frozen=True):
    """One draw of a race: *u* is inside (0, 1), and of the options the least *time* −ln(u) / weight wins."""

    site: str
    option: str
    weight: int
    u: float
    time: float
    won: bool


class LatencyDecision(msgspec.Struct, frozen=True):
    """The draw of a latency: at *u* the *shape* gives so many milliseconds."""

    site: str
    shape: str
    u: float
    latency_ms: int


class FaultDecision(msgspec.Struct, frozen=True, omit_defaults=True):
    """One draw of a fault that befalls *percent* of its unit. A fault without a draw was named by a script.

    One that *fired* and was not *served* had to stand back behind another, or the server could not do it.
    """

    site: str
    fault: str
    fired: bool
    served: bool
    percent: float | None = None
    u: float | None = None


def decisions_of(policy: Policy, identity: Identity, ordinal: int, mode: Mode | None = None) -> tuple[Decision, ...]:
    """Return every draw that decides the *ordinal*-th job of *identity* under *policy*: its mode, and how flaky went.

    In mode script only a step knows the *mode*, so there it is to be said.
    """
    if policy.replay is not None:
        return ()
    luck = Luck(policy.seed, identity, ordinal)
    drawn: tuple[Decision, ...] = ()
    if policy.mode is Mode.RANDOM:
        drawn += _race("mode", policy.race, luck)
        mode = winner(policy.race, luck)
    if (mode or policy.mode) is Mode.FLAKY:
        drawn += _race("flaky", FLAKY, luck)
    return drawn


def latency_decision(policy: Policy, identity: Identity, ordinal: int) -> LatencyDecision | None:
    """Return the draw that decides the latency of the *ordinal*-th job of *identity*, or None if it is fixed."""
    if policy.replay is not None or policy.shape is FIXED:
        return None
    u = Luck(policy.seed, identity, ordinal).at(LATENCY_SITE)
    return LatencyDecision("latency", policy.shape.spelled, u, latency_ms(policy.base_latency_ms, policy.shape, u))


def _race(name: str, race: Race, luck: Luck) -> tuple[Decision, ...]:  # type: ignore[type-arg]  # any options will do
    won = winner(race, luck)
    return tuple(
        Decision(f"{name}:{option.value}", option.value, weight, u, time, option is won)
        for option, weight, u, time in times(race, luck)
    )


def submit_decisions(policy: Policy, identity: Identity, hit: int, served: str | None) -> tuple[FaultDecision, ...]:
    """Return the draws of the faults that can befall the *hit*-th submit, of which *served* did."""
    if policy.replay is not None:
        return _named(served)
    drawn = _drawn(policy.submit_odds, Luck(policy.seed, identity, hit), {served})
    return drawn if any(one.served for one in drawn) else (*_named(served), *drawn)


def job_decisions(job: Job) -> tuple[FaultDecision, ...]:
    """Return the draws of the faults that can befall *job*, and the faults that its script or recording names."""
    served: set[str | None] = {fault.text for fault in job.fate.faults}
    drawn: tuple[FaultDecision, ...] = ()
    if job.policy.replay is None:
        drawn = _drawn(job.policy.job_odds, Luck(job.policy.seed, job.identity, job.ordinal), served)
    known = {decision.fault for decision in drawn if decision.served}
    named = [FaultDecision(f.site, f.text, fired=True, served=True) for f in job.fate.faults if f.text not in known]
    return (*named, *drawn)


def read_decisions(job: Job, n: int, served: str | None) -> tuple[FaultDecision, ...]:
    """Return the draws of the faults that can befall the *n*-th status read of *job*, of which *served* did."""
    if job.policy.replay is not None or not job.policy.poll_odds:
        return _named(served)
    from dummyllm.core.faults.drawn import read_site  # noqa: PLC0415  # faults are fetched when there are some

    luck = Luck(job.policy.seed, job.identity, job.ordinal)
    found = [_decision(odds, luck.number(read_site(odds, n)), f"#{n}", {served}) for odds in job.policy.poll_odds]
    return tuple(found) if any(one.served for one in found) else (*_named(served), *found)


def _drawn(odds: tuple[Odds, ...], luck: Luck, served: set[str | None]) -> tuple[FaultDecision, ...]:
    return tuple(_decision(one, luck.number(one.site), "", served) for one in odds)


def _decision(odds: Odds, number: int, suffix: str, served: set[str | None]) -> FaultDecision:
    fired = odds.fires(number)
    text = odds.fault.text
    return FaultDecision(
        odds.fault.site + suffix, text, fired, fired and text in served, odds.millionths / 10_000, unit(number)
    )


def _named(served: str | None) -> tuple[FaultDecision, ...]:
    """Return a fault that came about without a draw."""
    if served is None:
        return ()
    from dummyllm.core.faults.fault import fault_of  # noqa: PLC0415
    from dummyllm.core.grammar import parse_script  # noqa: PLC0415

    fault = fault_of(parse_script(served)[0].calls[0])
    return (FaultDecision(fault.site, fault.text, fired=True, served=True),)


def course_of(job: Job) -> Course:
    """Return how *job* was to fare, faults apart: what a recording of it says."""
    from dummyllm.core.replay import Course  # noqa: PLC0415

    policy, fate = job.policy, job.fate
    if policy.replay is not None:
        return policy.replay.course(job.identity, job.ordinal, policy.base_latency_ms)
    luck = Luck(policy.seed, job.identity, job.ordinal)
    base_ms = policy.base_latency_ms
    if policy.shape is not FIXED:
        base_ms = latency_ms(base_ms, policy.shape, luck.at(LATENCY_SITE))
    turn: Turn | None = winner(FLAKY, luck) if fate.mode is Mode.FLAKY else None
    return Course(fate.mode, turn, base_ms)
