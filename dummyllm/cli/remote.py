"""Answers a chat from a running server, through the HTTP that any runner uses: submit, poll, cancel what is late."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import msgspec

from dummyllm import eliza
from dummyllm.cli.fetch import Fetch
from dummyllm.cli.partner import AwayError, BarredError, Manner, Message, TroubleError, explanation, payload_of

TIMEOUT_MS = 30_000
POLL_MS_MIN, POLL_MS_MAX = 10, 250

UNFINISHED = ("queued", "running")


class Remote:
    """A partner behind *url*, whose *key* is blank if none is wanted. A job gets *timeout_ms*, then it is cancelled."""

    def __init__(self, url: str, key: str, *, timeout_ms: int = TIMEOUT_MS) -> None:
        self._fetch = Fetch(url, key, agent="dummyllm-chat")
        self._timeout_ms = timeout_ms
        health = self._call("GET", "/health")
        if health.get("name") != "dummyLLM":
            raise AwayError(f"what answers at {self._fetch.url} is no dummyLLM")
        self._seed = health.get("seed")
        self.title = f"{self._fetch.url}, mode {health.get('mode')}, seed {self._seed}"

    def greet(self) -> str:
        """Return the greeting of our own script: a greeting is no job, so no fate befalls it."""
        return eliza.reply(eliza.own_script(), [], seed=None)

    def answer(self, messages: Sequence[Message]) -> str:
        """Return the reply of a job; raise `TroubleError` if it ends badly or not in time, or an answer got lost."""
        try:
            return self._answered(messages)
        except AwayError as error:
            if isinstance(error, BarredError) or not self._is_there():
                raise
            raise TroubleError(
                "no answer that can be read, though the server is there; to say it again is a retry"
            ) from error

    def _is_there(self) -> bool:
        try:
            return self._call("GET", "/health").get("name") == "dummyLLM"
        except (AwayError, TroubleError):
            return False

    def _answered(self, messages: Sequence[Message]) -> str:
        body = payload_of(messages, timeout_ms=self._timeout_ms)
        job = self._call("POST", "/v1/jobs", body)
        end_s = time.monotonic() + self._timeout_ms / 1000
        pause_ms = POLL_MS_MIN
        while _is_unfinished(view := self._call("GET", f"/v1/jobs/{job['id']}")):
            if time.monotonic() >= end_s:
                state = self._call("POST", f"/v1/jobs/{job['id']}/cancel", b"{}")["state"]
                raise TroubleError(f"no answer within {self._timeout_ms} ms; the job was cancelled and is now {state}")
            time.sleep(pause_ms / 1000)
            pause_ms = min(2 * pause_ms, POLL_MS_MAX)
        error = view["error"]
        if error is not None:
            raise TroubleError(f"the job ended in {view['state']}, {error['code']}: {error['message']}")
        return str(view["result"]["text"])

    def explain(self, messages: Sequence[Message], reply: str) -> str | None:
        """Return how *reply* came about; None if our own script says otherwise, seeded and in the order of 1966."""
        script = eliza.own_script()
        return explanation([Manner(script, self._seed), Manner(script, None)], messages, reply)

    def _call(self, method: str, path: str, body: bytes | None = None) -> dict[str, Any]:
        try:
            return msgspec.json.decode(self._fetch.send(method, path, body), type=dict)
        except msgspec.DecodeError:
            raise AwayError(f"what answers at {self._fetch.url} is no dummyLLM") from None


def _is_unfinished(view: dict[str, Any]) -> bool:
    """Say whether a job is under way; one in a state that nobody documented is, while it has nothing to show."""
    return view["state"] in UNFINISHED or (view["result"] is None and view["error"] is None)
