"""Answers a chat from a running server, through the HTTP that any runner uses: submit, poll, cancel what is late."""

from __future__ import annotations

import time
from collections.abc import Sequence
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

import msgspec

from dummyllm import eliza
from dummyllm.cli.partner import AwayError, Manner, Message, TroubleError, explanation, payload_of

TIMEOUT_MS = 30_000
SOCKET_TIMEOUT_S = 10
POLL_MS_MIN, POLL_MS_MAX = 10, 250

UNFINISHED = ("queued", "running")


class Remote:
    """A partner behind *url*, whose *key* is blank if none is wanted. A job gets *timeout_ms*, then it is cancelled."""

    def __init__(self, url: str, key: str, *, timeout_ms: int = TIMEOUT_MS) -> None:
        self._url = url.rstrip("/")
        self._key = key
        self._timeout_ms = timeout_ms
        self._opener = build_opener(ProxyHandler({}))  # a proxy for the web knows nothing of this machine's ports
        health = self._call("GET", "/health")
        if health.get("name") != "dummyLLM":
            raise AwayError(f"what answers at {self._url} is no dummyLLM")
        self._seed = health.get("seed")
        self.title = f"{self._url}, mode {health.get('mode')}, seed {self._seed}"

    def greet(self) -> str:
        """Return the greeting of our own script: a greeting is no job, so no fate befalls it."""
        return eliza.reply(eliza.own_script(), [], seed=None)

    def answer(self, messages: Sequence[Message]) -> str:
        """Return the reply of a job; raise `TroubleError` if it ends badly or not in time."""
        body = payload_of(messages, timeout_ms=self._timeout_ms)
        job = self._call("POST", "/v1/jobs", body)
        end_s = time.monotonic() + self._timeout_ms / 1000
        pause_ms = POLL_MS_MIN
        while (view := self._call("GET", f"/v1/jobs/{job['id']}"))["state"] in UNFINISHED:
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
        headers = {"Content-Type": "application/json", "User-Agent": "dummyllm-chat"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        request = Request(self._url + path, data=body, headers=headers, method=method)  # noqa: S310  # see `url_mistake`
        try:
            with self._opener.open(request, timeout=SOCKET_TIMEOUT_S) as answer:
                return msgspec.json.decode(answer.read(), type=dict)
        except HTTPError as error:
            raise self._refused(error) from None
        except (URLError, OSError, HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise AwayError(f"no server answers at {self._url} ({reason}); dummyllm serve starts one") from None
        except msgspec.DecodeError:
            raise AwayError(f"what answers at {self._url} is no dummyLLM") from None

    def _refused(self, error: HTTPError) -> Exception:
        try:
            said = msgspec.json.decode(error.read())["detail"]["error"]
            sentence = f"refused, {said['code']}: {said['message']}"
        except (msgspec.DecodeError, OSError, HTTPException, LookupError, TypeError):
            return AwayError(f"what answers at {self._url} is no dummyLLM (status {error.code})")
        return AwayError(sentence) if error.code in (401, 403) else TroubleError(sentence)


def url_mistake(url: str, source: str) -> str | None:
    """Return what is wrong with *url*, which came from *source*; None if nothing is."""
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in ("http", "https") and parts.hostname and not (parts.query or parts.fragment)
        is_good = is_good and (parts.port is None or parts.port > 0) and url.isprintable() and " " not in url
    except ValueError:
        is_good = False
    return None if is_good else f"{source}={url!r} is no URL of a server; use one such as http://127.0.0.1:8787"
