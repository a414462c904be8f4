"""A good job runner: what the verdict of dummyLLM asks for, in plain httpx.

    python examples/runners/good_runner.py http://127.0.0.1:8787 < payloads.jsonl

What a runner owes to a backend, and the function in which this one pays it:

- The same work has one trace_id and one payload, byte for byte, in all attempts (`work_of`).
- Each attempt at a job has a key. Whoever does not know whether a submit arrived sends it again, with the same key;
  whoever wants another job, because the first one failed, makes another key (`attempt`, `submit`).
- A hint when to come back is kept; without one, waits are random and their bound doubles (`hint_s`, `backoff_s`).
- What is refused for good is not tried again, and nothing is tried for ever (`submit`, `see_through`).
- A deadline counts from the submit; when it has passed, the job is cancelled, and not just forgotten (`attempt`).
- A cancel is a wish: the job is followed until its end is known, for a bounded time (`cancel`).
- A read that failed, an old state and an unknown word say nothing about the job: there is another read (`watch`).
- The end is read once, and then there is silence (`watch`).
- Work waits for nobody but its own job, and only so many jobs are under way at once (`run`).
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from math import inf
from typing import Any
from uuid import uuid4

import httpx

ENDS = frozenset({"ok", "fail", "timeout", "cancelled"})
PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504})  # what may go well a little later; all else is for good
GONE = frozenset({404, 410})


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a runner waits, and how often it tries. Times are in seconds."""

    concurrency: int = 8  # jobs at once
    attempts: int = 3  # jobs that one piece of work may become
    submits: int = 6  # requests that one job may take
    cancels: int = 4
    answer_s: float = 5.0  # for one answer
    poll_s: float = 0.5  # before the first read; half as long again before each one after it
    poll_s_max: float = 5.0
    backoff_s: float = 0.5  # the longest first wait after a failure; it doubles
    backoff_s_max: float = 20.0
    grace_s: float = 5.0  # so long a new job may be not found
    missing: int = 5  # so many reads in a row must say that a job is gone
    follow_s: float = 10.0  # how long a cancel is followed


@dataclass(frozen=True, slots=True)
class Work:
    """One piece of work: what is sent in every attempt."""

    body: bytes
    timeout_s: float


@dataclass(slots=True)
class Job:
    """A job that the backend has accepted. It is not asked about *not_before_s*, as it was told."""

    id: str
    accepted_s: float
    not_before_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is reported of a piece of work: `ok`, `fail`, `timeout` or `unknown`."""

    state: str
    text: str | None = None
    why: str = ""
    may_try_again: bool = False


class GoodRunner:
    """Runs payloads on the backend at *url*."""

    def __init__(self, url: str, patience: Patience | None = None) -> None:
        self.patience = patience or Patience()
        self.places = asyncio.Semaphore(self.patience.concurrency)
        self.client = httpx.AsyncClient(base_url=url, headers={"User-Agent": type(self).__name__}, trust_env=False)

    async def run(self, payloads: Iterable[Mapping[str, Any]]) -> list[Outcome]:
        """Return what came of each of *payloads*. All are under way side by side: one that hangs holds up no other."""
        async with self.client, asyncio.TaskGroup() as group:  # unlike gather, it waits for those that it stops
            tasks = [group.create_task(self.see_through(self.work_of(payload))) for payload in payloads]
        return [task.result() for task in tasks]

    def work_of(self, payload: Mapping[str, Any]) -> Work:
        """Return *payload* as it is sent from now on: it gets its bytes and its trace_id here, and once."""
        body = json.dumps({"trace_id": str(uuid4()), **payload}).encode()
        return Work(body, payload.get("timeout_ms", 8000) / 1000)

    async def see_through(self, work: Work) -> Outcome:
        """Return what came of *work*. What failed is tried again, but not for ever."""
        async with self.places:  # its place is its own until the end of its job is known
            for failures in range(1, self.patience.attempts + 1):
                outcome = await self.attempt(work)
                if not outcome.may_try_again or failures == self.patience.attempts:
                    break
                await asyncio.sleep(self.backoff_s(failures))
        return outcome

    async def attempt(self, work: Work) -> Outcome:
        """Make one job of *work*, and stay with it until its end is known or its time is up."""
        deadline_s = now_s() + work.timeout_s
        job = await self.submit(work, str(uuid4()), deadline_s)
        if isinstance(job, Outcome):
            return job
        try:
            end = await self.watch(job, deadline_s)
        except asyncio.CancelledError:  # whoever stops us would leave a job running that nobody waits for
            await self.cancel(job)
            raise
        return self.outcome_of(end or await self.cancel(job))

    async def submit(self, work: Work, key: str, deadline_s: float) -> Job | Outcome:
        """Return the job that *work* became; or, where there is none that we know of, what is to be reported."""
        may_exist = False
        for failures in range(1, self.patience.submits + 1):
            headers = {"Content-Type": "application/json", "Idempotency-Key": f'"{key}"'}
            answer = await self.ask("POST", "/v1/jobs", content=work.body, headers=headers)
            if answer is None:
                may_exist = True
            elif answer.status_code == 201:
                return Job(view_of(answer)["id"], now_s())
            elif answer.status_code not in PASSING:
                break
            wait_s = max(self.backoff_s(failures), hint_s(answer))
            if now_s() + wait_s > deadline_s:
                break
            await asyncio.sleep(wait_s)
        if may_exist:  # a failure that is none, if we said so: the job may go well
            return Outcome("unknown", why="nobody knows whether it was submitted")
        return Outcome("fail", why=f"refused with {answer.status_code}" if answer is not None else "")

    async def watch(self, job: Job, until_s: float) -> dict[str, Any] | None:
        """Return *job* as it ended, or None if it had not at *until_s*. A job that is lost ended as `gone`."""
        pause_s, missing = min(self.patience.poll_s, (until_s - now_s()) / 2), 0  # if time is short, one read at least
        while (at_s := max(now_s() + pause_s, job.not_before_s)) < until_s:
            await asyncio.sleep(at_s - now_s())
            pause_s = min(1.5 * pause_s, self.patience.poll_s_max)
            answer = await self.ask("GET", f"/v1/jobs/{job.id}", limit_s=until_s - now_s())
            job.not_before_s = now_s() + hint_s(answer)
            view = view_of(answer)
            if view.get("state") in ENDS:
                return view
            # Whatever else was said, or not said, is no news: neither an error of this read nor a state that went back,
            # nor one that nobody has documented. Only a 404 that stays is believed, if the job is not quite new.
            is_missing = answer is not None and answer.status_code in GONE
            is_missing = is_missing and now_s() > job.accepted_s + self.patience.grace_s
            missing = missing + 1 if is_missing else 0
            if missing == self.patience.missing:
                return {"state": "gone"}
        await asyncio.sleep(until_s - now_s())
        return None

    async def cancel(self, job: Job) -> dict[str, Any] | None:
        """Give *job* up, and return how it ended, or None if that cannot be learnt."""
        for failures in range(1, self.patience.cancels + 1):
            answer = await self.ask("POST", f"/v1/jobs/{job.id}/cancel")
            view = view_of(answer)
            if view.get("state") in ENDS - {"ok"}:
                return view
            if view:  # it is under way, or has ended well in spite of us: then its text is worth a read
                break
            if answer is not None and answer.status_code in GONE:
                return {"state": "gone"}
            await asyncio.sleep(max(self.backoff_s(failures), hint_s(answer)))
        return await self.watch(job, max(now_s(), job.not_before_s) + self.patience.follow_s)

    def outcome_of(self, end: dict[str, Any] | None) -> Outcome:
        """Return what is reported of a job that ended as *end* says; None is one that was given up and may run on."""
        if end is None:  # while it may, there must not be another
            return Outcome("timeout", why="it was given up, and nobody knows how it ended")
        if end["state"] == "ok":
            text = end["result"]["text"]
            return Outcome("ok", text) if text else Outcome("fail", why="its text is empty", may_try_again=True)
        state = {"cancelled": "timeout", "gone": "fail"}.get(end["state"], end["state"])
        return Outcome(state, why=f"it ended as {end['state']}", may_try_again=True)

    def backoff_s(self, failures: int) -> float:
        """Return how long to wait after so many *failures*: anything up to a bound that doubles. So crowds part."""
        return random.uniform(0, min(self.patience.backoff_s * 2 ** (failures - 1), self.patience.backoff_s_max))

    async def ask(self, method: str, path: str, *, limit_s: float = inf, **more: Any) -> httpx.Response | None:
        """Return the answer to a request, or None if none came whole: then nobody knows what became of it."""
        try:
            async with asyncio.timeout(min(self.patience.answer_s, limit_s)):
                return await self.client.request(method, path, timeout=None, **more)
        except (httpx.RequestError, TimeoutError):
            return None


def view_of(answer: httpx.Response | None) -> dict[str, Any]:
    """Return what *answer* shows of a job; nothing if it is no answer, or an error, whatever its body may say."""
    if answer is None or answer.status_code not in (200, 201):
        return {}
    view: dict[str, Any] = answer.json()
    return view


def hint_s(answer: httpx.Response | None) -> float:
    """Return for how long *answer* asks us to stay away: a Retry-After in seconds or as a date."""
    hint = answer.headers.get("Retry-After", "") if answer is not None else ""
    if hint.isdecimal():
        return float(hint)
    try:
        return max(0.0, parsedate_to_datetime(hint).timestamp() - time.time())
    except ValueError:
        return 0.0


def now_s() -> float:
    """Return the time, by the clock that asyncio waits by: nobody sets it."""
    return asyncio.get_running_loop().time()


if __name__ == "__main__":
    lines = [json.loads(line) for line in sys.stdin if line.strip()]
    for outcome in asyncio.run(GoodRunner(sys.argv[1]).run(lines)):
        sys.stdout.write(f"{outcome.state}\t{outcome.text or outcome.why}\n")
