"""concurrency-limit: no more jobs at once than were agreed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dummyllm.verdict.finding import Evidence, Finding, Invariant, Kind
from dummyllm.verdict.run import Run, Story, done_ms

ID = "concurrency-limit"


@dataclass(frozen=True, slots=True)
class _Span:
    """The time for which a job counts: from its acknowledgement to its end, or to when the client let it go."""

    story: Story
    ack: int
    from_ms: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class _Peak:
    """The most jobs at once, the first instant of that, and how often as many as are allowed were reached."""

    jobs: int
    at_ms: int
    times_reached: int


def judge(run: Run) -> Evidence:
    """Sweep over acknowledgements and ends, and report the largest excess once."""
    evidence = Evidence()
    most = run.limits.concurrency_max
    if most is None:
        return evidence
    spans = [span for story in run.acked if not story.is_suspended(ID) and (span := _span(run, story)) is not None]
    if len(spans) <= most:
        return evidence
    peak = _peak(spans, most)
    evidence.premises = peak.times_reached
    strong = [span for span in spans if not run.work_of_story[span.story.id].is_weak]
    proven = peak if len(strong) == len(spans) else _peak(strong, most)
    if proven.jobs > most:
        evidence.breaches.append(_finding(run, strong, proven, most))
    elif peak.jobs > most:
        evidence.warnings.append(_finding(run, spans, peak, most))
    return evidence


def _span(run: Run, story: Story) -> _Span | None:
    """Return when the job of *story* counts; what overlaps by less than the slack does not overlap."""
    assert story.ack is not None, "only acknowledged jobs are judged"
    acked_ms = done_ms(story.ack)
    cancelled_ms = story.cancels[0].arrived_ms if story.cancels else None
    ends = [end for end in (story.ended_ms, cancelled_ms, story.told_gone_ms) if end is not None]
    until_ms = min(ends) - run.limits.slack_ms if ends else run.end_ms + 1
    return _Span(story, story.ack.seq, acked_ms, until_ms) if acked_ms < until_ms else None


def _peak(spans: Sequence[_Span], most: int) -> _Peak:
    moves = [(span.from_ms, 1) for span in spans] + [(span.until_ms, -1) for span in spans]
    now = jobs = at_ms = times_reached = 0
    for ms, by in sorted(moves):  # of one instant, ends come first
        now += by
        times_reached += by > 0 and now >= most
        if now > jobs:
            jobs, at_ms = now, ms
    return _Peak(jobs, at_ms, times_reached)


def _finding(run: Run, spans: Sequence[_Span], peak: _Peak, most: int) -> Finding:
    under_way = [span for span in spans if span.from_ms <= peak.at_ms < span.until_ms]
    under_way.sort(key=lambda span: (span.from_ms, span.ack))
    last = under_way[-1].story
    message = f"{peak.jobs} acknowledged jobs were under way at once, with {last.id} the last; the limit is {most}"
    entries = tuple(sorted(span.ack for span in under_way[-most - 1 :]))
    return Finding(message, entries, job=last.id, logical_job=run.work_of_story[last.id].name)


INVARIANT = Invariant(
    id=ID,
    kind=Kind.DECLARED,
    fails_when="DUMMYLLM_VERDICT_CONCURRENCY_MAX is set, and more acknowledged jobs than that are under way at once "
    "for longer than the slack; a job counts until it ends, a cancel is attempted, or a 404 or 410 is delivered for "
    "it.",
    means="A backend that is given more than was agreed slows down for everybody. A runner counts a job until it "
    "knows that it has ended.",
    breaks="A limit for each worker where it should be one for all; a place that is freed at a deadline while the job "
    "runs on.",
    remedy="Hold the place from before the submit until the end was read or the cancel was sent, and share one count.",
    premise="There were more jobs than the limit, and as many as the limit were under way at once.",
    judge=judge,
)
