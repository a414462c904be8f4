"""The floor is driven as uvicorn drives it, by the exchange of `benchmarks.hotpath`."""

from __future__ import annotations

import asyncio
import json

from benchmarks.floor import app
from benchmarks.hotpath import Exchange, Lifespan
from benchmarks.payload import submit_body


def ask(method: str, path: str, body: bytes = b"") -> Exchange:
    """Return a finished exchange with the floor."""
    exchange = Exchange(app, method, path, body)
    asyncio.run(exchange.run())
    return exchange


def test_a_job_is_accepted_and_found_again() -> None:
    """POST answers 201 with a 28 character id; GET answers for that id, with every member a status has."""
    accepted = ask("POST", "/v1/jobs", submit_body(1))
    job = json.loads(accepted.answer)

    assert accepted.status == 201
    assert set(job) == {"id", "state", "created_at"}
    assert len(job["id"]) == 28
    assert job["id"].startswith("job_")

    found = ask("GET", f"/v1/jobs/{job['id']}")

    assert found.status == 200
    assert json.loads(found.answer) == job | {"updated_at": job["created_at"], "result": None, "error": None}


def test_no_two_jobs_share_an_id() -> None:
    """Also not two jobs with the same payload."""
    ids = {json.loads(ask("POST", "/v1/jobs", submit_body(2)).answer)["id"] for _ in range(3)}

    assert len(ids) == 3


def test_what_is_no_job_is_refused() -> None:
    """The floor decodes strictly, and what it does not know is 404."""
    assert ask("POST", "/v1/jobs", b"{").status == 400
    assert ask("POST", "/v1/jobs", b'{"op":"llm.chat"}').status == 400
    assert ask("GET", "/v1/jobs/job_unknown").status == 404
    assert ask("DELETE", "/v1/jobs").status == 404


def test_health_is_a_small_object() -> None:
    """It is what a measured start waits for."""
    assert json.loads(ask("GET", "/health").answer)["ok"] is True


def test_a_body_may_come_in_pieces() -> None:
    """`receive` is called until nothing more is announced."""
    whole = submit_body(3)
    pieces = iter([whole[:100], whole[100:200], whole[200:]])
    statuses = []

    async def receive() -> dict[str, object]:
        piece = next(pieces)
        return {"type": "http.request", "body": piece, "more_body": not whole.endswith(piece)}

    async def send(message: dict[str, object]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    asyncio.run(app({"type": "http", "method": "POST", "path": "/v1/jobs"}, receive, send))  # type: ignore[arg-type]

    assert statuses == [201]


def test_the_lifespan_starts_and_ends() -> None:
    """Both ends are confirmed: a server waits for that."""

    async def live() -> None:
        async with Lifespan(app):
            pass

    asyncio.run(asyncio.wait_for(live(), timeout=5))
