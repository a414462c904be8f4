"""Rules are properties: a good run breaks none of them, and one change makes it break just the one that it is about.

A life is what befalls one piece of work, as events with their times, from the first submit to the end. A good run is a
few lives side by side. A mutation changes one of them as one mistake of its runner would have.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dummyllm.verdict.finding import Kind, Result
from dummyllm.verdict.invariants.registry import INVARIANTS
from dummyllm.verdict.judge import judge
from dummyllm.verdict.run import Run
from tests.verdict.told import Told

Draw = Callable[[st.SearchStrategy[int]], int]

PATIENT_MS = 30_000
QUIET_MS = 60_000  # after the last event; by then all that was due has come


@dataclass(frozen=True)
class Event:
    """One request at *at_ms*: a `submit`, `read` or `cancel`, with what `Told` is told of it."""

    at_ms: int
    kind: str
    told: dict[str, Any]

    def but(self, *, at_ms: int | None = None, **told: Any) -> Event:
        """Return this event with something changed."""
        return replace(self, at_ms=self.at_ms if at_ms is None else at_ms, told={**self.told, **told})


Life = tuple[Event, ...]


@dataclass(frozen=True)
class Teller:
    """Makes the events of life *number*: its payload, its trace_id, its jobs and its keys are its own."""

    number: int
    draw: Draw

    def ms(self, least: int, most: int) -> int:
        return self.draw(st.integers(least, most))

    def submit(self, at_ms: int, attempt: int = 0, **told: Any) -> Event:
        """Return a submit that makes job *attempt* of this life, with its key."""
        job = 10 * self.number + attempt
        name = f"{self.number}"
        made = {"payload": name, "job": job, "key": f"k{job}", "trace_id": f"t{name}", "timeout_ms": PATIENT_MS}
        return Event(at_ms, "submit", {**made, **told})

    def refused(self, at_ms: int, attempt: int = 0, **told: Any) -> Event:
        return self.submit(at_ms, attempt, job=None, key=f"k{10 * self.number + attempt}", **told)

    def read(self, at_ms: int, state: str | None, attempt: int = 0, **told: Any) -> Event:
        return Event(at_ms, "read", {"job": 10 * self.number + attempt, "state": state, **told})

    def cancel(self, at_ms: int, state: str, attempt: int = 0) -> Event:
        return Event(at_ms, "cancel", {"job": 10 * self.number + attempt, "state": state})

    def job(self, at_ms: int, attempt: int = 0, outcome: str = "ok", **told: Any) -> Life:
        """Return the whole life of a job: its submit, and reads until one shows its end."""
        lasts_ms, gap_ms = self.ms(300, 3000), self.ms(120, 900)
        submit = self.submit(at_ms, attempt, ends_after_ms=lasts_ms, outcome=outcome, **told)
        return (submit, *self.reads(at_ms, lasts_ms, gap_ms, outcome, attempt))

    def reads(self, at_ms: int, lasts_ms: int, gap_ms: int, outcome: str, attempt: int = 0) -> Life:
        running = range(at_ms + gap_ms, at_ms + lasts_ms, gap_ms)
        end_ms = (running[-1] if running else at_ms) + gap_ms
        return (*(self.read(ms, "running", attempt) for ms in running), self.read(end_ms, outcome, attempt))


def plain(of: Teller) -> Life:
    """A job that ends well, and is read until it has."""
    return of.job(of.ms(0, 2000))


def failing(of: Teller) -> Life:
    """One that fails, and a second one that does not."""
    first = of.job(of.ms(0, 2000), outcome="fail")
    return (*first, *of.job(first[-1].at_ms + of.ms(100, 2000), 1))


def told_to_wait(of: Teller) -> Life:
    """A refusal with a hint, which is kept."""
    at_ms, hint_s = of.ms(0, 2000), of.ms(1, 5)
    refusal = of.refused(at_ms, status=503, retry_after_s=hint_s)
    return (refusal, *of.job(at_ms + 1000 * hint_s + of.ms(0, 500)))


def refused_for_good(of: Teller) -> Life:
    """An error that lasts, which is believed."""
    return (of.refused(of.ms(0, 2000), status=of.draw(st.sampled_from([400, 401, 403, 413, 415, 422]))),)


def outage(of: Teller) -> Life:
    """Seven refusals without a hint, and ever longer waits."""
    at_ms = of.ms(0, 2000)
    refusals = [of.refused(at_ms, status=503)]
    for doubled in range(6):
        at_ms += of.ms(1, 100 * 2**doubled)
        refusals.append(of.refused(at_ms, status=503))
    return (*refusals, *of.job(at_ms + of.ms(3000, 6000)))


def lost(of: Teller) -> Life:
    """An acknowledgement that is lost, and a second submit with the same key."""
    at_ms, lasts_ms = of.ms(0, 2000), of.ms(300, 3000)
    first = of.submit(at_ms, ends_after_ms=lasts_ms, delivered="no", fault="submit.lost_ack")
    again = first.but(at_ms=at_ms + of.ms(50, 2000), delivered="yes", fault=None, is_replay=True)
    end_ms = max(at_ms + lasts_ms, again.at_ms) + of.ms(1, 500)
    return (first, again, of.read(end_ms, "ok"))


def hung(of: Teller) -> Life:
    """A job that never ends, and is cancelled at its deadline."""
    at_ms, timeout_ms, gap_ms = of.ms(0, 2000), of.ms(1000, 8000), of.ms(100, 900)
    submit = of.submit(at_ms, ends_after_ms=None, timeout_ms=timeout_ms)
    reads = (of.read(ms, "running") for ms in range(at_ms + gap_ms, at_ms + timeout_ms, gap_ms))
    return (submit, *reads, of.cancel(at_ms + timeout_ms + of.ms(0, 200), "cancelled"))


def slowly_cancelled(of: Teller) -> Life:
    """A cancel that takes a while and is followed; then there is another attempt."""
    *before, cancel = hung(of)
    end_ms = cancel.at_ms + of.ms(200, 2000)
    soft = cancel.but(state="running")
    return (*before, soft, of.read(end_ms, "cancelled"), *of.job(end_ms + of.ms(100, 2000), 1))


def stale(of: Teller) -> Life:
    """A job that has ended and seems to run on, and is read again."""
    submit, *_, end = of.job(of.ms(0, 2000))
    lagging = end.but(state="running", fault="poll.stale(reads=1)")
    return (submit, lagging, end.but(at_ms=end.at_ms + of.ms(500, 2000)))


def badly_read(of: Teller) -> Life:
    """A read that fails, and another one."""
    submit, *_, end = of.job(of.ms(0, 2000))
    failed = of.draw(
        st.sampled_from(
            [
                end.but(state=None, status=503, fault="poll.status(503)"),
                end.but(state=None, status=0, delivered="no", fault="poll.reset"),
            ]
        )
    )
    return (submit, failed, end.but(at_ms=end.at_ms + of.ms(100, 2000)))


def oddly_named(of: Teller) -> Life:
    """A state that nobody has documented, and another read."""
    submit, *_, end = of.job(of.ms(0, 2000))
    odd = end.but(state="running", shown="paused", fault="poll.unknown_state")
    return (submit, odd, end.but(at_ms=end.at_ms + of.ms(100, 2000)))


LIVES = (
    plain,
    failing,
    told_to_wait,
    refused_for_good,
    outage,
    lost,
    hung,
    slowly_cancelled,
    stale,
    badly_read,
    oddly_named,
)


def no_cancel(life: Life, of: Teller) -> Life:
    """Whoever gives up forgets to say so."""
    return life[:-1]


def a_late_cancel(life: Life, of: Teller) -> Life:
    """The deadline passes, and the job is read on for a while."""
    submit, *_, cancel = life
    timeout_ms, gap_ms = submit.told["timeout_ms"], of.ms(100, 900)
    late_ms = submit.at_ms + timeout_ms + max(1000, 2 * gap_ms, timeout_ms // 10) + 1
    reads = (of.read(ms, "running") for ms in range(submit.at_ms + gap_ms, late_ms + gap_ms, gap_ms))
    return (submit, *reads, cancel.but(at_ms=late_ms + 2 * gap_ms))


def an_early_retry(life: Life, of: Teller) -> Life:
    """The hint is not kept; the rest comes sooner by as much."""
    refusal, *rest = life
    hint_ms = 1000 * refusal.told["retry_after_s"]
    sooner_ms = rest[0].at_ms - refusal.at_ms - of.ms(101, hint_ms - 51)
    return (refusal, *(event.but(at_ms=event.at_ms - sooner_ms) for event in rest))


def the_same_bytes_again(life: Life, of: Teller) -> Life:
    """What was refused for good is sent once more."""
    return (*life, life[0].but(at_ms=life[0].at_ms + of.ms(1, 5000)))


def a_hot_loop(life: Life, of: Teller) -> Life:
    """All retries follow at once."""
    refusals = [event for event in life if event.told.get("status") == 503]
    at_ms, hurried = refusals[0].at_ms, []
    for refusal in refusals:
        hurried.append(refusal.but(at_ms=at_ms))
        at_ms += of.ms(0, 99)
    return (*hurried, *of.job(at_ms))


def another_payload(life: Life, of: Teller) -> Life:
    """The second attempt with a key says something else."""
    refusal, submit, *rest = life
    return (refusal, submit.but(payload="f00"), *rest)


def an_unknown_member(life: Life, of: Teller) -> Life:
    """A test flag comes along, and is refused."""
    note = "Object contains unknown field `simulate`"
    return (of.refused(life[0].at_ms, status=422, note=note, names_unknown=True),)


def another_key(life: Life, of: Teller) -> Life:
    """After a lost acknowledgement the work is submitted as if it were new."""
    first, again, _ = life
    return (first, *of.job(again.at_ms, 1))


def a_duplicate(life: Life, of: Teller) -> Life:
    """A second job is made while the first one is known to run; both are read to their ends."""
    return (*life, *of.job(life[0].at_ms + of.ms(1, life[0].told["ends_after_ms"] - 1), 1))


def a_repetition(life: Life, of: Teller) -> Life:
    """What went well is done again."""
    return (*life, *of.job(life[-1].at_ms + of.ms(51, 3000), 1))


def no_read(life: Life, of: Teller) -> Life:
    """Nobody comes to hear how it ended."""
    return life[:1]


def no_read_after_the_odd_one(life: Life, of: Teller) -> Life:
    """What looked odd is taken for the end."""
    return life[:2]


def a_resubmit_after_the_odd_one(life: Life, of: Teller) -> Life:
    """What looked odd is a reason to begin again, before the next read."""
    submit, odd, end = life
    again = of.job(odd.at_ms + of.ms(1, end.at_ms - odd.at_ms - 1), 1)
    return (submit, odd, end, *again)


def a_resubmit_before_the_end(life: Life, of: Teller) -> Life:
    """A cancel that has not taken effect is taken for the end."""
    place = next(place for place, event in enumerate(life) if event.told.get("state") == "cancelled")
    soft, end = life[place - 1], life[place]
    return (*life[: place + 1], *of.job(soft.at_ms + of.ms(1, end.at_ms - soft.at_ms - 1), 1))


MUTATIONS = (
    (hung, no_cancel, "cancel-on-give-up"),
    (hung, a_late_cancel, "deadline-honoured"),
    (told_to_wait, an_early_retry, "retry-after-honoured"),
    (refused_for_good, the_same_bytes_again, "permanent-errors-final"),
    (outage, a_hot_loop, "backoff"),
    (told_to_wait, another_payload, "payload-integrity"),
    (plain, an_unknown_member, "payload-integrity"),
    (lost, another_key, "key-stable"),
    (plain, a_duplicate, "no-concurrent-duplicate"),
    (plain, a_repetition, "no-redundant-execution"),
    (plain, no_read, "terminal-state-read"),
    (badly_read, no_read_after_the_odd_one, "poll-faults-tolerated"),
    (badly_read, a_resubmit_after_the_odd_one, "poll-faults-tolerated"),
    (oddly_named, no_read_after_the_odd_one, "unknown-state-tolerated"),
    (stale, a_resubmit_after_the_odd_one, "stale-state-ignored"),
    (slowly_cancelled, a_resubmit_before_the_end, "cancel-follow-through"),
)


def run_of_lives(lives: Sequence[Life]) -> Run:
    """Return the run in which *lives* went on side by side; it is over when nothing has happened for a while."""
    told = Told()
    for event in sorted((event for life in lives for event in life), key=lambda event: event.at_ms):
        told.now_ms = event.at_ms
        getattr(told, event.kind)(**event.told)
    return told.run(now_ms=told.now_ms + QUIET_MS)


@st.composite
def others(draw: Draw) -> list[Life]:
    """Draw a few good lives."""
    kinds = draw(st.lists(st.sampled_from(LIVES), max_size=4))
    return [kind(Teller(number, draw)) for number, kind in enumerate(kinds, start=1)]


@settings(deadline=None)
@given(others())
def test_a_good_journal_breaks_no_rule(lives: list[Life]) -> None:
    """Not even one that only warns."""
    assert [(one.id, one.findings) for one in judge(run_of_lives(lives)).invariants if one.findings] == []


@pytest.mark.parametrize(
    ("kind", "mutation", "rule"), MUTATIONS, ids=lambda part: part if isinstance(part, str) else part.__name__
)
@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_one_mutation_breaks_one_rule(
    kind: Callable[[Teller], Life], mutation: Callable[[Life, Teller], Life], rule: str, data: st.DataObject
) -> None:
    """The right one fires, for the work that was changed, and no other one that is proven."""
    of = Teller(9, data.draw)
    mutated = mutation(kind(of), of)
    verdict = judge(run_of_lives([*data.draw(others()), mutated]))
    failed = {one.id: one.findings for one in verdict.invariants if one.result is Result.FAIL}

    assert list(failed) == [rule]
    assert len({finding.logical_job for finding in failed[rule]}) == 1


def test_every_proven_rule_has_a_mutation() -> None:
    """There is none that nothing could break."""
    assert {rule for _, _, rule in MUTATIONS} == {one.id for one in INVARIANTS.values() if one.kind is Kind.PROVEN}
