"""Counts what came of the rules, and says the verdict in one line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from dummyllm.verdict.finding import Invariant, Result
from dummyllm.verdict.invariants.registry import INVARIANTS
from dummyllm.verdict.judge import Found, Judged, Verdict

MISSED = "required but not exercised"
NAMES_MAX = 5

# In this order everything is told: what is worst first.
RESULTS = (Result.FAIL, Result.WARN, Result.PENDING, Result.PASS, Result.NOT_EXERCISED)

WORDS: Mapping[Result, str] = MappingProxyType(
    {
        Result.FAIL: "failed",
        Result.WARN: "warned",
        Result.PENDING: "pending",
        Result.PASS: "passed",
        Result.NOT_EXERCISED: "not exercised",
    }
)


def title(verdict: Verdict) -> str:
    """Return the verdict in one line."""
    return f"dummyLLM verdict: {verdict.verdict}" + ("" if verdict.is_final else ", so far")


def tally(verdict: Verdict) -> str:
    """Return how many rules came to what: `1 failed, 3 passed, 17 not exercised`."""
    counts: Counter[str] = Counter(WORDS[one.result] for one in verdict.invariants)
    missed = len(untested(verdict))
    counts[MISSED] = missed
    counts[WORDS[Result.NOT_EXERCISED]] -= missed
    words = [WORDS[Result.FAIL], MISSED, *(WORDS[result] for result in RESULTS[1:])]
    return ", ".join(f"{counts[word]} {word}" for word in words if counts[word])


def by_result(verdict: Verdict, result: Result) -> list[Judged]:
    """Return the rules that came to *result*."""
    return [one for one in verdict.invariants if one.result is result]


def untested(verdict: Verdict) -> list[Judged]:
    """Return the rules that were required and not exercised: a reason begins with the id of each."""
    named = {reason.partition(" ")[0] for reason in verdict.reasons}
    return [one for one in by_result(verdict, Result.NOT_EXERCISED) if one.id in named]


def why(verdict: Verdict) -> str:
    """Return what the verdict rests on, in one sentence."""
    return "; ".join(verdict.reasons) or "no rule was broken"


def by_work(judged: Judged) -> list[list[Found]]:
    """Return the findings of a rule, those about the same work together, those that fail it before those that warn."""
    groups: dict[object, list[Found]] = {}
    for number, found in enumerate(sorted(judged.findings, key=lambda found: RESULTS.index(found.result))):
        key = (found.result, found.logical_job) if found.logical_job is not None else number
        groups.setdefault(key, []).append(found)
    return list(groups.values())


def rule_of(judged: Judged) -> Invariant | None:
    """Return the rule that was judged; None if this dummyLLM does not know it."""
    return INVARIANTS.get(judged.id)


def sums(verdict: Verdict) -> Iterator[tuple[str, str]]:
    """Yield what the run was, name by name: all by which it can be compared with another one."""
    yield "seed", verdict.seed
    yield "fates", verdict.digests.fates or "not known"
    yield "traffic", verdict.digests.traffic or "not known"
    yield "reproducible", verdict.reproducible or "not known"
    yield "identity", verdict.identity


def foretold(verdict: Verdict) -> str:
    """Return what a correct runner reports, in numbers: `3 ok, 1 timeout`."""
    counts = Counter(one.outcome for one in verdict.oracle)
    return ", ".join(f"{count} {outcome}" for outcome, count in counts.most_common()) or "nothing"


def notes(verdict: Verdict) -> Iterator[str]:
    """Yield what the reader should know of the run, and what to do about work that may be several pieces of work."""
    names = [one.logical_job for one in verdict.ambiguous]
    if names:
        more = f" and {len(names) - NAMES_MAX} more" if len(names) > NAMES_MAX else ""
        yield (
            f"{', '.join(names[:NAMES_MAX])}{more}: equal payloads that may be one piece of work or several, so they "
            "convict nobody; DUMMYLLM_VERDICT_IDENTITY says which"
        )
    yield from verdict.notes
