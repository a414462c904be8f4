"""no-redundant-execution: what went well is not done again."""

from __future__ import annotations

from dummyllm.core.timeline import State
from dummyllm.journal import What
from dummyllm.journal_line import Line
from dummyllm.verdict.finding import Evidence, Finding, Invariant, Kind
from dummyllm.verdict.run import Run, Story, Work, by_whom, done_ms, is_delivered, shows_end

ID = "no-redundant-execution"


def judge(run: Run) -> Evidence:
    """Look at every job whose success its client was told of, and at the jobs of the same work that came after that."""
    evidence = Evidence()
    for work in run.works:
        told = [(line, story) for story in work.stories if (line := _told_ok(story)) is not None]
        evidence.premises += len(told)
        if told and len(work.stories) > 1:
            ok, first = min(told, key=lambda one: done_ms(one[0]))
            for later in work.stories:
                # Who sends the same key again asks for the same job, and cannot know that the server forgot it.
                is_again = later.commit.key is not None and later.commit.key == first.commit.key
                if later.accepted_ms > done_ms(ok) + run.limits.slack_ms and not is_again:
                    evidence.convict(_finding(work, first, ok, later), work)
    return evidence


def _told_ok(story: Story) -> Line | None:
    """Return the first answer that told the client that the job went well, if it is one that it must be content with.

    Whoever cancelled has let go of the result, so that of a cancel is none; nor is one that a fault made a mess of.
    """
    if story.ended_as is not State.OK or story.ack is None or story.is_suspended(ID) or _is_garbage(story):
        return None
    told = [line for line in story.answers if line.what is not What.CANCEL and shows_end(line) and is_delivered(line)]
    return min(told, key=done_ms, default=None)


def _is_garbage(story: Story) -> bool:
    return any(fault.startswith("result.") for fault in story.commit.faults)


def _finding(work: Work, first: Story, ok: Line, later: Story) -> Finding:
    message = (
        f"{later.id} was submitted by {by_whom(later.commit)} {later.accepted_ms - done_ms(ok)} ms after it was told "
        f"that {first.id} had ended ok: the same work is done twice"
    )
    return Finding(message, (ok.seq, later.commit.seq), job=later.id, logical_job=work.name)


INVARIANT = Invariant(
    id=ID,
    kind=Kind.PROVEN,
    fails_when="A job of some work is submitted more than 50 ms after an `ok` of an earlier one was delivered, other "
    "than as the answer to a cancel, and not with the same Idempotency-Key; the earlier one carried no result.* fault, "
    "for to retry garbage is right.",
    means="A success is kept. Whatever fails afterwards, on the runner's own side, is done again there.",
    breaks="A result that is lost between the answer and the database; a message that is acknowledged to its queue "
    "too late, so that it comes again; a second result that overwrites the first.",
    remedy="Store the result before anything else can fail, and look for a stored one before you submit.",
    premise="The `ok` of a job was delivered.",
    judge=judge,
)
