"""The operator's desk: asks the routes under `/__admin/`, and those of jobs, of an app in this process."""

from __future__ import annotations

from typing import Any

import msgspec

from dummyllm.assembly import app_of
from dummyllm.core.draw import Luck
from dummyllm.core.fingerprint import fingerprint_of
from dummyllm.core.request import JobRequest
from dummyllm.settings import load
from dummyllm.web.app import App
from tests.web.direct import direct
from tests.web.stack import Answer

WORK = JobRequest("report.render")
BODY = b'{"op":"report.render"}'
FIRST_JOB = f"/v1/jobs/{Luck(1337, fingerprint_of(WORK), 0).job_id()}"
HERE = [(b"host", b"localhost"), (b"content-type", b"application/json")]


def app_with(**settings: str) -> App:
    """Return the app of DUMMYLLM_ *settings*, whose admin is on and whose clock stands still unless they say else."""
    chosen = {"ADMIN": "1", "CLOCK": "manual"} | settings
    return app_of(load({f"DUMMYLLM_{name}": text for name, text in chosen.items()}))


def post(app: App, path: str, body: bytes = b"") -> Answer:
    """Return what *app* answers to a POST; *path* may have a query."""
    route, _, query = path.partition("?")
    return direct(app, "POST", route, body, HERE, query=query.encode())


def get(app: App, path: str) -> Answer:
    """Return what *app* answers to a GET; *path* may have a query."""
    route, _, query = path.partition("?")
    return direct(app, "GET", route, query=query.encode())


def submitted(app: App, op: str = WORK.op) -> Any:
    """Submit work of the kind *op* and return the answer."""
    return post(app, "/v1/jobs", msgspec.json.encode({"op": op})).json


def polled(app: App, job: Any) -> Any:
    """Return what a status read of *job* shows."""
    return get(app, f"/v1/jobs/{job['id']}").json
