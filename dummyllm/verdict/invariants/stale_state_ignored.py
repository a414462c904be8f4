"""stale-state-ignored: an answer from yesterday is no reason to start again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dummyllm.core.timeline import State
from dummyllm.journal import What
from dummyllm.journal_line import Line
from dummyllm.verdict.finding import Evidence, Finding, Invariant, Kind
from dummyllm.verdict.reaction import has_time_left, last_before, may_have_told_end, resubmit
from dummyllm.verdict.run import Run, Story, Work, by_whom, done_ms, is_delivered

ID = "stale-state-ignored"
FAULTS = ("poll.stale", "poll.backwards")


def judge(run: Run) -> Evidence:
    """Look at every delivered answer that lagged behind, and at what the runner submitted while it knew no better."""
    evidence = Evidence()
    for work in run.works:
        for story in work.stories:
            if story.ack is None or story.is_suspended(ID) or not any(map(_is_stale, story.reads)):
                continue
            answers = story.answers
            stale = list(_stale(run, story, answers))
            evidence.premises += len(stale)
            finding = next((f for line in stale if (f := _followed(run, work, story, answers, line)) is not None), None)
            if finding is not None:
                evidence.convict(finding, work)
    return evidence


def _stale(run: Run, story: Story, answers: Sequence[Line]) -> Iterator[Line]:
    """Yield the answers that lagged behind, as long as the client has no better reason to start again."""
    acked_ms = story.acked_ms
    assert acked_ms is not None, "only acknowledged jobs are judged"
    is_garbage = any(fault.startswith("result.") for fault in story.commit.faults)
    for line in answers:
        if line.what is What.CANCEL:  # an attempt lets the job go
            return
        if may_have_told_end(line) and (line.state is not State.OK or is_garbage):  # known to have failed
            return
        if _is_stale(line) and line.arrived_ms >= acked_ms and has_time_left(run, story, line):
            yield line


def _is_stale(read: Line) -> bool:
    """Say whether *read* is known to have told the client of a moment that was over."""
    return read.fault is not None and read.fault.startswith(FAULTS) and read.served and is_delivered(read)


def _followed(run: Run, work: Work, story: Story, answers: Sequence[Line], stale: Line) -> Finding | None:
    again = resubmit(work, story, stale)
    # Where something else was heard of the job in between, that may have been the reason.
    if again is None or last_before(answers, again) is not stale or not has_time_left(run, story, again):
        return None
    message = (
        f"a read of {story.id} lagged behind and showed {stale.state}; {again.arrived_ms - done_ms(stale)} ms later, "
        f"with time left, {by_whom(again)} submitted its work again"
    )
    return Finding(message, (stale.seq, again.seq), job=story.id, logical_job=work.name)


INVARIANT = Invariant(
    id=ID,
    kind=Kind.PROVEN,
    fails_when="After a delivered answer that lagged behind, and before anything else is heard of the job, its work "
    "is submitted again with time left of its timeout_ms; no cancel was attempted, and no failure was told before.",
    means="Reads may come from a copy that lags behind. A runner keeps the furthest state that it has seen, and takes "
    "one that is further back for no news at all.",
    breaks="Code that stores whatever state came last; a check that takes `running` after the end for a lost job.",
    remedy="Order the states and only move forward; within the deadline, answer an old state with another read.",
    premise="An answer that lagged behind was delivered while there was time left.",
    judge=judge,
)
