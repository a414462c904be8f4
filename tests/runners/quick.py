"""The good runners, with as much patience as a test has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from examples.runners.good_runner import GoodRunner, Patience
from examples.runners.long_polling_runner import LongPollingRunner
from tests.runners.trial import Payload

QUICK = Patience(
    concurrency=6,
    answer_s=1.5,
    poll_s=0.03,
    poll_s_max=0.25,
    backoff_s=0.2,
    backoff_s_max=2.0,
    grace_s=0.3,
    follow_s=2.5,
)


async def _run(of: Callable[[str], Any], url: str, asked: Sequence[Payload]) -> Sequence[Any]:
    return await of(url).run(asked)


def runner_of(kind: type[GoodRunner], patience: Patience = QUICK) -> Any:
    """Return what runs payloads as *kind* does."""
    return partial(_run, partial(kind, patience=patience))


def good_runner(concurrency: int = QUICK.concurrency) -> Any:
    """Return examples/runners/good_runner.py, with so many jobs at once."""
    return runner_of(GoodRunner, replace(QUICK, concurrency=concurrency, submits=10))


def long_polling_runner(concurrency: int = QUICK.concurrency) -> Any:
    """Return examples/runners/long_polling_runner.py, with so many jobs at once."""
    kind = partial(LongPollingRunner, workers=concurrency, attempts=QUICK.attempts, wait_s=1, answer_s=QUICK.answer_s)
    return partial(_run, kind)


GOOD = {"good_runner": good_runner, "long_polling_runner": long_polling_runner}
