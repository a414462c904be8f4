"""Knows what puts a runner to the test of a rule: its premise, and the faults that can bring it about."""

from __future__ import annotations

from collections.abc import Iterator

from dummyllm.core.faults.registry import KINDS
from dummyllm.verdict.invariants.registry import INVARIANTS


def faults_that_exercise(rule: str) -> list[str]:
    """Return the names of the faults that can meet the premise of *rule*."""
    return [kind.name for kind in KINDS.values() if rule in kind.exercises]


def faults_that_suspend(rule: str) -> list[str]:
    """Return the names of the faults after which *rule* is never judged for what they befell."""
    return [kind.name for kind in KINDS.values() if rule in kind.suspends]


def faults_that_suspend_if_lasting(rule: str) -> list[str]:
    """Return the names of the faults after which *rule* is not judged if their status lasts."""
    return [kind.name for kind in KINDS.values() if rule in kind.suspends_if_lasting and rule not in kind.suspends]


def how_to_exercise(rule: str) -> Iterator[str]:
    """Yield what would have put a runner to the test of *rule*, in sentences."""
    invariant = INVARIANTS.get(rule)
    if invariant is not None:
        yield f"Premise: {invariant.premise}"
    faults = faults_that_exercise(rule)
    if faults:
        yield f"DUMMYLLM_FAULTS can bring that about: {', '.join(faults)}."
