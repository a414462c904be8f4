"""Runners with one honest mistake each: the good one (examples/runners/good_runner.py), and what is different.

Each mistake is one that people make, and its docstring says how they come to make it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx

from examples.runners.good_runner import ENDS, GoodRunner, Job, Outcome, Work, now_s, view_of

# What is sent


class SendsNoKey(GoodRunner):
    """The official SDKs make a key for every request and then do not send it: a retry is a second job."""

    async def ask(self, method: str, path: str, **more: Any) -> httpx.Response | None:
        more.get("headers", {}).pop("Idempotency-Key", None)
        return await super().ask(method, path, **more)


class MakesAKeyForEachRequest(GoodRunner):
    """The key is made where the request is sent, and not where the work comes in."""

    async def ask(self, method: str, path: str, **more: Any) -> httpx.Response | None:
        if "Idempotency-Key" in more.get("headers", {}):
            more["headers"]["Idempotency-Key"] = str(uuid4())
        return await super().ask(method, path, **more)


class CountsItsAttemptsInThePayload(GoodRunner):
    """The payload is built anew for each attempt, and has a counter; the key stands for the place in the queue."""

    sent = 0

    async def ask(self, method: str, path: str, **more: Any) -> httpx.Response | None:
        if "content" in more:
            self.sent += 1
            payload = json.loads(more["content"])
            payload["args"]["attempt"] = self.sent
            more["content"] = json.dumps(payload).encode()
        return await super().ask(method, path, **more)


class NormalisesText(GoodRunner):
    """Text is cleaned on its way, as some frameworks do it to everything: umlauts do not survive."""

    def work_of(self, payload: Mapping[str, Any]) -> Work:
        work = super().work_of(payload)
        text = json.dumps(json.loads(work.body), ensure_ascii=False)
        return replace(work, body=text.encode("ascii", "ignore"))


class LosesAPayload(GoodRunner):
    """The queue is read a page at a time, and the last one is not full."""

    async def run(self, payloads: Iterable[Mapping[str, Any]]) -> list[Outcome]:
        return await super().run(list(payloads)[:-1])


class SendsATestFlag(GoodRunner):
    """A flag that only the staging backend knows has found its way into the payload."""

    def work_of(self, payload: Mapping[str, Any]) -> Work:
        return super().work_of({**payload, "simulate": "fail"})


class MakesATraceForEachAttempt(GoodRunner):
    """The trace_id is made inside of the loop that tries again."""

    async def attempt(self, work: Work) -> Outcome:
        body = json.dumps({**json.loads(work.body), "trace_id": str(uuid4())}).encode()
        return await super().attempt(replace(work, body=body))


# When to try again


class IgnoresHints(GoodRunner):
    """The retry library does not read headers."""

    async def ask(self, method: str, path: str, **more: Any) -> httpx.Response | None:
        answer = await super().ask(method, path, **more)
        if answer is not None:
            answer.headers.pop("Retry-After", None)
        return answer


class TriesAgainAtOnce(GoodRunner):
    """There is a loop, and no wait in it."""

    def backoff_s(self, failures: int) -> float:
        return 0.0


class WaitsAsLongEachTime(GoodRunner):
    """A fixed delay: whoever fails together comes back together."""

    def backoff_s(self, failures: int) -> float:
        return self.patience.backoff_s


class BelievesNoRefusal(GoodRunner):
    """Whatever is not 201 is tried again: the status was lost on the way to the retry rule."""

    async def ask(self, method: str, path: str, **more: Any) -> httpx.Response | None:
        answer = await super().ask(method, path, **more)
        if answer is not None and answer.status_code == 400:
            answer.status_code = 500
        return answer


class NeverGivesUp(GoodRunner):
    """The counter of attempts is kept in memory, by a worker that is started anew whenever a job fails."""

    async def see_through(self, work: Work) -> Outcome:
        while (outcome := await super().see_through(work)).may_try_again:
            pass
        return outcome


class TriesAgainInTwoLayers(GoodRunner):
    """Three attempts here, and three in the queue above: they multiply."""

    async def see_through(self, work: Work) -> Outcome:
        for _ in range(3):
            outcome = await super().see_through(work)
            if not outcome.may_try_again:
                break
        return outcome


# When the time is up


class GivesUpWithoutACancel(GoodRunner):
    """The deadline raises, and nobody thinks of the job."""

    async def cancel(self, job: Job) -> dict[str, Any] | None:
        return {"state": "timeout"}


class TakesACancelForTheEnd(GoodRunner):
    """Any 200 to a cancel is the end: the next attempt begins."""

    async def cancel(self, job: Job) -> dict[str, Any] | None:
        await self.ask("POST", f"/v1/jobs/{job.id}/cancel")
        return {"state": "cancelled"}


class ForgetsWhatItCancels(GoodRunner):
    """The cancel is sent, and what came of it is nobody's affair."""

    async def cancel(self, job: Job) -> dict[str, Any] | None:
        await self.ask("POST", f"/v1/jobs/{job.id}/cancel")
        return None


class HasADeadlineForEachRead(GoodRunner):
    """The deadline bounds a read, and begins anew with every answer."""

    async def watch(self, job: Job, until_s: float) -> dict[str, Any] | None:
        while (end := await super().watch(job, now_s() + 0.3)) is None:
            pass
        return end


# What a read says


class ForgetsWhatItSubmits(GoodRunner):
    """Fire and forget: the submit was acknowledged, so the work is done."""

    async def watch(self, job: Job, until_s: float) -> dict[str, Any] | None:
        return {"state": "ok", "result": {"text": "accepted"}}


class ReadsOn(GoodRunner):
    """The loop that reads is not stopped when its job has ended: it goes on until the next one begins."""

    async def watch(self, job: Job, until_s: float) -> dict[str, Any] | None:
        end = await super().watch(job, until_s)
        for _ in range(8):
            await asyncio.sleep(self.patience.poll_s)
            await self.ask("GET", f"/v1/jobs/{job.id}")
        return end


class ReadsWithoutAPause(GoodRunner):
    """A sleep of zero."""

    def __init__(self, url: str, patience: Any) -> None:
        super().__init__(url, replace(patience, poll_s=0.0))


class _Reads(GoodRunner):
    """Reads as the good one, and looks for a reason to stop at each answer."""

    async def watch(self, job: Job, until_s: float) -> dict[str, Any] | None:
        pause_s = self.patience.poll_s
        while now_s() + pause_s < until_s:
            await asyncio.sleep(pause_s)
            answer = await self.ask("GET", f"/v1/jobs/{job.id}")
            view = view_of(answer)
            if view.get("state") in ENDS:
                return view
            found = self.found(job, answer, view)
            if found is not None:
                return found
        return None

    def found(self, job: Job, answer: httpx.Response | None, view: dict[str, Any]) -> dict[str, Any] | None:
        raise NotImplementedError


class TakesAFailedReadForAFailedJob(_Reads):
    """One `except` around submit and read starts both over."""

    def found(self, job: Job, answer: httpx.Response | None, view: dict[str, Any]) -> dict[str, Any] | None:
        return {"state": "fail"} if answer is not None and answer.status_code >= 500 else None


class GivesUpAfterABrokenRead(_Reads):
    """An error on the line ends the loop, and the work is on record as failed."""

    def found(self, job: Job, answer: httpx.Response | None, view: dict[str, Any]) -> dict[str, Any] | None:
        return {"state": "fail"} if answer is None else None

    def outcome_of(self, end: dict[str, Any] | None) -> Outcome:
        return replace(super().outcome_of(end), may_try_again=False)


class BelievesTheFirst404(_Reads):
    """What is not found is lost, even if it was made a moment ago."""

    def found(self, job: Job, answer: httpx.Response | None, view: dict[str, Any]) -> dict[str, Any] | None:
        return {"state": "gone"} if answer is not None and answer.status_code == 404 else None


class TakesAnUnknownStateForAFailure(_Reads):
    """The last branch of the `if` is for everything else."""

    def found(self, job: Job, answer: httpx.Response | None, view: dict[str, Any]) -> dict[str, Any] | None:
        return {"state": "fail"} if view and view["state"] not in ("queued", "running") else None

    def outcome_of(self, end: dict[str, Any] | None) -> Outcome:
        return replace(super().outcome_of(end), may_try_again=False)


class StartsAgainAfterAnUnknownState(_Reads):
    """The same, with a retry."""

    found = TakesAnUnknownStateForAFailure.found


class KnowsHowLongAJobTakes(_Reads):
    """What still runs after the usual time must have got lost: it is submitted again."""

    usual_s = 0.1

    def found(self, job: Job, answer: httpx.Response | None, view: dict[str, Any]) -> dict[str, Any] | None:
        return {"state": "fail"} if now_s() > job.accepted_s + self.usual_s else None


class LooksAgainAndBelievesIt(GoodRunner):
    """The result is fetched by a second read, and if that says `running`, the work begins again."""

    async def watch(self, job: Job, until_s: float) -> dict[str, Any] | None:
        end = await super().watch(job, until_s)
        await asyncio.sleep(0.1)
        view = view_of(await self.ask("GET", f"/v1/jobs/{job.id}"))
        return {"state": "fail"} if view.get("state") == "running" else end


# The work as a whole


class RedeliversWhatTakesLong(GoodRunner):
    """The queue's visibility timeout is shorter than the job: another worker gets the same message."""

    visible_after_s = 0.1

    async def attempt(self, work: Work) -> Outcome:
        first = asyncio.create_task(super().attempt(work))
        done, _ = await asyncio.wait({first}, timeout=self.visible_after_s)
        if not done:
            await super().attempt(work)
        return await first


class LosesItsResult(GoodRunner):
    """The result could not be stored the first time, so the work is done again."""

    async def see_through(self, work: Work) -> Outcome:
        await super().see_through(work)
        await asyncio.sleep(0.2)
        return await super().see_through(work)


class WaitsForOneAfterTheOther(GoodRunner):
    """Everything is submitted at once, and the jobs are waited for in the order of their submits."""

    async def run(self, payloads: Iterable[Mapping[str, Any]]) -> list[Outcome]:
        self.turn = asyncio.Lock()
        return await super().run(payloads)

    async def watch(self, job: Job, until_s: float) -> dict[str, Any] | None:
        async with self.turn:
            return await super().watch(job, max(until_s, now_s() + 1))


class CountsItsPlacesTwice(GoodRunner):
    """The limit is one for each worker, and there are two workers."""

    def __init__(self, url: str, patience: Any) -> None:
        super().__init__(url, replace(patience, concurrency=2 * patience.concurrency))
