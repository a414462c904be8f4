"""The least a runner does, and what a worse one does, for tests of what a test may ask of a server."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Any

import httpx

HELLO = {"op": "llm.chat", "args": {"model": "llama3.1:8b", "messages": [{"role": "user", "content": "Hello"}]}}

PATIENCE_S = 30

# Nobody here speaks TLS, and to read the certificates of the system for each request takes longer than all the rest.
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
get = partial(httpx.get, verify=_NO_TLS, timeout=PATIENCE_S)
post = partial(httpx.post, verify=_NO_TLS, timeout=PATIENCE_S)


def soon(is_so: Callable[[], object]) -> bool:
    """Say whether it comes to be so; ask without a pause, and give up after a while."""
    end_s = monotonic() + PATIENCE_S
    while not is_so():
        if monotonic() > end_s:
            return False
    return True


def submit(url: str, payload: Any = HELLO) -> str:
    """Submit *payload*, and return the id of its job."""
    job_id: str = post(f"{url}/v1/jobs", json=payload).raise_for_status().json()["id"]
    return job_id


def read(url: str, job_id: str) -> str:
    """Return the state in which the server shows the job."""
    state: str = get(f"{url}/v1/jobs/{job_id}").raise_for_status().json()["state"]
    return state


def run(url: str, payload: Any = HELLO) -> str:
    """Submit *payload* once, ask until the job has ended, and return how."""
    job_id = submit(url, payload)
    state = "queued"
    while state in ("queued", "running"):
        state = read(url, job_id)
    return state


def run_twice_at_once(url: str) -> None:
    """Submit the same work again while it is under way: what a visibility timeout does that is too short."""
    submit(url)
    submit(url)
