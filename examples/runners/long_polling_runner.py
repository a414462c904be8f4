"""A good job runner of another style: workers at a queue, long polls (`Prefer: wait`), and no keys.

    python examples/runners/long_polling_runner.py http://127.0.0.1:8787 < payloads.jsonl

Whoever has no Idempotency-Key cannot send a submit again without the risk of a second job. So here a submit is tried
again only if it was refused, for then there is no job. If no answer came, this runner says `unknown` and leaves it at
that: somebody who knows what the work is worth may look and decide. Everything else is as in good_runner.py.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

ENDS = ("ok", "fail", "timeout", "cancelled")
PASSING = (408, 425, 429, 500, 502, 503, 504)

View = dict[str, Any]
"""A job as the backend shows it; with the states `refused`, `unknown` and `gone` for what has no job to show."""


@dataclass(slots=True)
class Job:
    """A job that the backend has accepted. It is not asked about *not_before_s*, as it was told."""

    id: str
    accepted_s: float
    not_before_s: float = 0.0


class LongPollingRunner:
    """Runs payloads on the backend at *url*. Each is work of its own, and no two of them are equal."""

    def __init__(self, url: str, *, workers: int = 8, attempts: int = 3, wait_s: int = 30, answer_s: float = 5) -> None:
        self.workers = workers
        self.attempts = attempts  # jobs that one payload may become
        self.wait_s = wait_s  # for which the backend may hold an answer
        self.answer_s = answer_s  # for one that it does not hold
        self.client = httpx.AsyncClient(base_url=url, headers={"User-Agent": "LongPollingRunner"}, trust_env=False)

    async def run(self, payloads: Sequence[Mapping[str, Any]]) -> list[str]:
        """Return how each of *payloads* ended: `ok`, `fail`, `timeout` or `unknown`."""
        found: dict[int, str] = {}
        left = list(enumerate(payloads))[::-1]

        async def work() -> None:
            while left:
                number, payload = left.pop()
                found[number] = await self.see_through(json.dumps(payload).encode(), payload["timeout_ms"] / 1000)

        async with self.client, asyncio.TaskGroup() as group:
            for _ in range(self.workers):
                group.create_task(work())
        return [found[number] for number in range(len(payloads))]

    async def see_through(self, body: bytes, timeout_s: float) -> str:
        """Return how *body* ended: a job that failed is followed by another one, a bounded number of times."""
        for attempt in range(1, self.attempts + 1):
            match await self.attempt(body, now_s() + timeout_s):
                case None:  # given up, and nobody knows how it ended: while it may run on, there must not be another
                    return "timeout"
                case {"state": "refused"}:
                    return "fail"
                case {"state": "unknown"}:
                    return "unknown"
                case {"state": "ok", "result": {"text": str(text)}} if text:
                    return "ok"
                case {"state": "timeout" | "cancelled"}:
                    found = "timeout"
                case _:  # it failed, or is gone, or its text is empty
                    found = "fail"
            if attempt < self.attempts:
                await asyncio.sleep(self.backoff_s(attempt))
        return found

    async def attempt(self, body: bytes, deadline_s: float) -> View | None:
        """Return how one job ended; None if it was given up and may run on."""
        view = await self.submit(body, deadline_s)
        if view["state"] in (*ENDS, "refused", "unknown"):
            return view
        job = Job(view["id"], now_s())
        try:
            return await self.watch(job, deadline_s) or await self.cancel(job)
        except asyncio.CancelledError:  # whoever stops us would leave a job running that nobody waits for
            await self.cancel(job)
            raise

    async def submit(self, body: bytes, deadline_s: float) -> View:
        """Return the job of *body* as it is when it has ended or the wait is over."""
        failures = 0
        while True:
            headers = {"Content-Type": "application/json", **self.prefer(deadline_s)}
            answer = await self.ask("POST", "/v1/jobs", content=body, headers=headers)
            if answer is None:
                return {"state": "unknown"}
            if answer.status_code == 201:
                return view_of(answer)
            failures += 1
            wait_s = max(hint_s(answer), self.backoff_s(failures))
            if answer.status_code not in PASSING or now_s() + wait_s > deadline_s:
                return {"state": "refused"}
            await asyncio.sleep(wait_s)

    async def watch(self, job: Job, until_s: float) -> View | None:
        """Return how *job* ended, or None if it had not at *until_s*. Whatever is no end is a reason to ask again."""
        missing = 0
        while (at_s := max(now_s(), job.not_before_s)) < until_s:
            await asyncio.sleep(at_s - now_s())
            answer = await self.ask("GET", f"/v1/jobs/{job.id}", headers=self.prefer(until_s))
            job.not_before_s = now_s() + max(hint_s(answer), 0.1)
            if view_of(answer).get("state") in ENDS:
                return view_of(answer)
            is_new = now_s() < job.accepted_s + 1  # and may not have reached every copy of the truth
            missing = missing + 1 if answer is not None and answer.status_code == 404 and not is_new else 0
            if missing == 5:
                return {"state": "gone"}
        await asyncio.sleep(until_s - now_s())
        return None

    async def cancel(self, job: Job) -> View | None:
        """Give *job* up, and return how it ended, or None if that cannot be learnt."""
        for failures in range(1, 5):
            answer = await self.ask("POST", f"/v1/jobs/{job.id}/cancel")
            view = view_of(answer)
            if view.get("state") in ("fail", "timeout", "cancelled"):
                return view
            if view:  # it is under way, or has ended well in spite of us: then its text is worth a read
                break
            if answer is not None and answer.status_code == 404:
                return {"state": "gone"}
            await asyncio.sleep(max(hint_s(answer), self.backoff_s(failures)))
        return await self.watch(job, max(now_s(), job.not_before_s) + 3)

    def prefer(self, until_s: float) -> dict[str, str]:
        """Return the header that asks the backend to hold its answer, in whole seconds and not beyond *until_s*."""
        wait_s = min(self.wait_s, int(until_s - now_s()))
        return {"Prefer": f"wait={wait_s}"} if wait_s > 0 else {}

    def backoff_s(self, failures: int) -> float:
        """Return how long to wait after so many *failures*: a random time, as others may have failed as well."""
        return random.uniform(0, min(0.2 * 2**failures, 20))

    async def ask(self, method: str, path: str, *, headers: dict[str, str] | None = None, **more: Any) -> Any:
        """Return the answer to a request, or None if none came whole: then nobody knows what became of it."""
        held_s = self.wait_s if headers and "Prefer" in headers else 0
        try:
            return await self.client.request(method, path, timeout=held_s + self.answer_s, headers=headers, **more)
        except httpx.RequestError:
            return None


def view_of(answer: httpx.Response | None) -> View:
    """Return what *answer* shows of a job; nothing if it is no answer, or an error."""
    return dict(answer.json()) if answer is not None and answer.status_code in (200, 201) else {}


def hint_s(answer: httpx.Response | None) -> float:
    """Return for how long *answer* asks us to stay away."""
    hint = answer.headers.get("Retry-After", "") if answer is not None else ""
    return float(hint) if hint.isdecimal() else 0.0


def now_s() -> float:
    """Return the time, by the clock that asyncio waits by."""
    return asyncio.get_running_loop().time()


if __name__ == "__main__":
    lines = [json.loads(line) for line in sys.stdin if line.strip()]
    for outcome in asyncio.run(LongPollingRunner(sys.argv[1]).run(lines)):
        sys.stdout.write(f"{outcome}\n")
