"""What a failed test leaves behind: a few lines for its report, and the verdict and the journal as files."""

from __future__ import annotations

import re
from hashlib import blake2b
from pathlib import Path

from dummyllm.testing.dummy import Dummy
from dummyllm.verdict.finding import Result
from dummyllm.verdict.judge import Verdict
from dummyllm.verdict.report.text import text
from dummyllm.verdict.report.words import printable

FINDINGS_MAX = 10
NAME_LENGTH_MAX = 120
_UNFIT = re.compile(r"[^\w.=-]+")


def section(dummy: Dummy) -> str:
    """Return the seed, what replays the run, and what is proven against the runner so far."""
    run, verdict = dummy.judged(dummy.case())
    so_far = "" if verdict.is_final else " so far"
    why = f": {'; '.join(verdict.reasons)}" if verdict.reasons else ""
    lines = [
        f"seed     {verdict.seed}",
        f"replay   {run.heading.replay}",
        f"verdict  {verdict.verdict.value}{so_far}{why}",
    ]
    return "\n".join([*lines, *_findings(verdict)])


def _findings(verdict: Verdict) -> list[str]:
    """Return a line for each finding but for what is only pending; of many the first few."""
    told = [
        f"         {found.result.value}: {one.id}: {printable(found.message)}"
        for one in verdict.invariants
        for found in one.findings
        if found.result is not Result.PENDING
    ]
    more = len(told) - FINDINGS_MAX
    return [*told[:FINDINGS_MAX], f"         and {more} more"] if more > 0 else told


def write(dummy: Dummy, directory: Path, test: str) -> None:
    """Write the verdict as text and the journal as JSONL into *directory*, under a name that tells the *test*."""
    case = dummy.case()
    run, verdict = dummy.judged(case)
    name = file_name(test)
    (directory / f"{name}.txt").write_text(text(verdict, run) + "\n", encoding="utf-8")
    (directory / f"{name}.jsonl").write_bytes(case.as_file())


def file_name(test: str) -> str:
    """Return a name for files about *test*: letters that fit any file system, and a digest, since they may collide."""
    digest = blake2b(test.encode(), digest_size=4).hexdigest()
    return f"{_UNFIT.sub('-', test)[:NAME_LENGTH_MAX]}-{digest}"
