"""Says what a correct runner reports of each piece of work, for a harness that compares it with the runner's own books.

It goes by what befell the jobs, and by what the client can know of it; what the runner did wrong does not change it.

- `ok` when a job ended ok and the client was told, or would have been, had it asked in time. The first such job counts.
- Otherwise the last attempt decides: `fail` if its job failed or is gone, or if the submit was refused; `timeout` if
  the server gave up, or the client's own deadline came first; `cancelled` if it was cancelled before that.
- `unknown` where an honest runner cannot know: an acknowledgement that was lost, a success whose text a fault cut, one
  that reads did not show, or that came after the deadline and a cancel, or submits that may be the work of several
  customers.
- `open` while the run goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

import msgspec

from dummyllm.core.timeline import State
from dummyllm.journal import What
from dummyllm.journal_line import Line
from dummyllm.verdict.run import Run, Story, Work, done_ms, is_delivered, is_lost, is_refused, shows_end

GARBAGE = ("result.empty", "result.cut")


class Report(StrEnum):
    """What a runner may say of a piece of work."""

    OK = "ok"
    FAIL = "fail"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    OPEN = "open"


class Foretold(msgspec.Struct, frozen=True, gc=False):
    """What a correct runner reports of one piece of work, and *why*; *job* is the job that decided it.

    The work is told by its first submit: *fingerprint*, *trace_id*, *key*.
    """

    logical_job: str
    outcome: Report
    why: str
    job: str | None
    jobs: tuple[str, ...]
    tie: str
    fingerprint: str | None
    trace_id: str | None
    key: str | None


def oracle_of(run: Run) -> Iterator[Foretold]:
    """Yield what a correct runner reports of each piece of work, in their order."""
    for work in run.works:
        outcome, why, job = _foretold(run, work)
        first = work.submits[0]
        jobs = tuple([story.id for story in work.stories])
        yield Foretold(work.name, outcome, why, job, jobs, work.tie, first.fingerprint, first.trace_id, first.key)


def _foretold(run: Run, work: Work) -> tuple[Report, str, str | None]:
    if work.ambiguous:
        return Report.UNKNOWN, "equal payloads, and nothing that says whether they are one piece of work", None
    good = [story for story in work.stories if story.ack is not None and story.ended_as is State.OK]
    told = [story for story in good if _has_text(story)]
    in_time = (story for story in good if _is_in_time(run, story) and not _is_hidden(story))
    best = min(told, key=_told_ms, default=None) or next(in_time, None)
    if best is not None:
        return _well(run, best)
    if not run.is_final and any(not story.is_over(run.end_ms) and not story.cancels for story in work.stories):
        return Report.OPEN, "a job is under way", None
    last = work.submits[-1]
    story = work.story_of(last)
    if story is None or story.ack is None:
        return _without_job(work, last)
    return *_badly(run, work, story), story.id


def _told_ms(story: Story) -> int:
    return 0 if story.told_end is None else done_ms(story.told_end)


def _well(run: Run, story: Story) -> tuple[Report, str, str | None]:
    """Return what is reported of a job that ended ok."""
    if any(fault.startswith(GARBAGE) for fault in story.commit.faults):
        return Report.UNKNOWN, "a fault cut its text, and only who looks at it can tell", story.id
    told = story.told_end
    if told is None:
        return Report.OK, "it ended ok in time, whether or not anybody asked", story.id
    had_cancelled = bool(story.cancels) and story.cancels[0].arrived_ms <= done_ms(told)
    if had_cancelled and not _is_in_time(run, story):
        return (
            Report.UNKNOWN,
            "it ended ok after the deadline and a cancel: to keep it is right, and to drop it",
            story.id,
        )
    return Report.OK, "its success was delivered", story.id


def _without_job(work: Work, last: Line) -> tuple[Report, str, str | None]:
    """Return what is reported when the last submit left the client without a job that it knows of."""
    if last.job is not None or not is_refused(last):
        return Report.UNKNOWN, "no answer to its last submit is known to have arrived", last.job
    doubtful = next((line for line in reversed(work.submits[:-1]) if _is_doubtful(work, line)), None)
    if doubtful is not None:
        why = f"its last submit was refused with {last.status}, and one before may have made a job"
        return Report.UNKNOWN, why, doubtful.job
    return Report.FAIL, f"its last submit was refused with {last.status}", None


def _is_doubtful(work: Work, line: Line) -> bool:
    """Say whether the client of the submit *line* may not know what became of it."""
    story = work.story_of(line)
    return not is_refused(line) if story is None else story.ack is None


def _badly(run: Run, work: Work, story: Story) -> tuple[Report, str]:
    """Return what is reported when the last job did not end ok in time."""
    if story.ended_as is State.CANCELLED:
        return _cancelled(run, work, story)
    if story.is_out_of_reach:
        if (story.contacts[-1].fault or "").startswith("poll."):
            return Report.UNKNOWN, "it was not found, as if it were gone, until nobody asked any more"
        return Report.FAIL, "it is not to be found any more"
    if story.ended_as is None:
        outlived = story.timeout_ms and run.end_ms - story.accepted_ms >= story.timeout_ms
        if outlived or any(_passed_ms(story, line) >= story.timeout_ms > 0 for line in story.contacts):
            return Report.TIMEOUT, "it never ended, and its deadline passed"
        return Report.UNKNOWN, "it was under way when the run was over"
    if story.told_end is None and not _is_in_time(run, story):
        if story.ended_as is State.OK and story.may_have_been_told:
            return Report.UNKNOWN, "it ended ok after its deadline, and an answer that said so may have arrived"
        return Report.TIMEOUT, "its deadline passed before it ended"
    if story.ended_as is State.OK or (story.told_end is None and _is_hidden(story)):
        return Report.UNKNOWN, f"it ended {story.ended_as}, and whoever asked could not hear of it, or had no text"
    return (Report.TIMEOUT if story.ended_as is State.TIMEOUT else Report.FAIL), f"it ended {story.ended_as}"


def _cancelled(run: Run, work: Work, story: Story) -> tuple[Report, str]:
    """Return what is reported of a job that its client gave up: before its deadline, or at it.

    A deadline counts from the acceptance or from the first submit that led to it: nobody but the client knows.
    """
    deadline_ms = story.timeout_ms - run.limits.slack_ms
    cancel = story.cancels[0] if story.cancels else None
    if cancel is not None and _passed_ms(story, cancel) >= deadline_ms:
        return Report.TIMEOUT, "it was cancelled at its deadline"
    if cancel is not None and cancel.arrived_ms - _first_submit(work, story).arrived_ms >= deadline_ms:
        return Report.UNKNOWN, "it was cancelled at its deadline, if that counts from the first submit that led to it"
    return Report.CANCELLED, "it was cancelled before its deadline"


def _first_submit(work: Work, story: Story) -> Line:
    """Return the first of the submits that led to the job of *story*: those right before it, with its key or no job."""
    first = story.commit
    for line in reversed(work.submits):
        if line.seq < first.seq:
            if line.job is not None and (line.key is None or line.key != first.key):
                break
            first = line
    return first


def _has_text(story: Story) -> bool:
    """Say whether the end was delivered by an answer that has the text as well; the answer to a cancel has none."""
    return any(line.what is not What.CANCEL and shows_end(line) and is_delivered(line) for line in story.answers)


def _is_hidden(story: Story) -> bool:
    """Say whether whoever asks after the end may not hear of it: the job vanishes, or a read hid its end before."""
    if any(fault.startswith("run.vanish") for fault in story.commit.faults):
        return True
    return any(story.is_over(line.arrived_ms) and (is_lost(line) or not shows_end(line)) for line in story.reads)


def _is_in_time(run: Run, story: Story) -> bool:
    """Say whether the job ended before its client's deadline, by the clock that it goes by; 0 is no deadline."""
    if not story.timeout_ms or story.ended_ms is None:
        return story.ended_ms is not None
    if run.heading.pace:
        return (story.ended_ms - story.accepted_ms) * run.heading.pace <= story.timeout_ms
    return (story.commit.ends_after_ms or 0) <= story.timeout_ms


def _passed_ms(story: Story, line: Line) -> int:
    """Return how long after the acceptance *line* came, by the wall's clock or the jobs', whichever is more."""
    return max(line.arrived_ms - story.accepted_ms, line.at_ms - story.commit.at_ms)
