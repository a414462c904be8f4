"""The same seed tells the same story, however it is told: 5,000 submits, a fifth of them repeated, every mode possible.

The golden files hold the story of seed 1337. After a change of fates or replies that was decided on, and that
CHANGELOG.md tells users of under **Fates**, write them anew with

    UPDATE_GOLDEN=1 python -m pytest tests/test_determinism.py
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest

from dummyllm.assembly import app_of
from dummyllm.clock import ManualClock
from dummyllm.settings import load
from tests.live import serve

GOLDEN = Path(__file__).parent / "golden"
ROWS_IN_CLEAR = 1_000
SUBMITS, DISTINCT = 5_000, 4_000
LATENCY_MS = 250
SETTINGS = {
    "MODE": "random",
    "RANDOM_WEIGHTS": "ok=30,echo=15,slow=15,fail=10,hang=10,timeout=10,flaky=10",
    "LATENCY_MS": str(LATENCY_MS),
    "SEED": "1337",
}
FINAL = ("ok", "fail", "timeout", "cancelled")

Ask = Callable[[str, str, bytes], Awaitable[Any]]
"""Sends method, path and body, and returns the JSON of the answer."""


@dataclass(frozen=True, slots=True)
class Story:
    """What a run told: of every (fingerprint, ordinal) its id, its fate, and its reply; and the digest of the fates."""

    jobs: dict[tuple[str, int], tuple[str, str, str | None]]
    fates: str


# --- What is sent ----------------------------------------------------------------------------------------------------


@cache
def payloads() -> tuple[bytes, ...]:
    """Return 5,000 bodies: 4,000 different ones, then 600 of them again and 200 of those twice more."""
    distinct = [payload(number) for number in range(DISTINCT)]
    again = [distinct[number * 6] for number in range(600)]
    return (*distinct, *again, *again[:200], *again[:200])


FEELINGS = ("sad", "happy", "tired of queues", "afraid of my computer", "not sure", "like my father")
OPENINGS = ("I am", "My mother says I am", "Why am I", "Do you think I am", "Perhaps I am", "I remember when I was")
TIMEOUTS_MS = (0, 49, 50, 51, 199, 249, 250, 251, 8_000, 86_400_000)
# Members that runners add, spelled as some runners spell them.
EXTRAS = (
    "",
    ',"temperature":0.70',
    ',"seed":18446744073709551616',
    ',"stop":["\\u00e9","é"]',
    ',"n":-0',
    ',"top_p":1e0',
)


def payload(number: int) -> bytes:
    text = f"{OPENINGS[number % 6]} {FEELINGS[number // 6 % 6]}, said number {number}"
    messages = [{"role": "user", "content": text}]
    if number % 5 == 0:
        messages = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Go on."}, *messages]
    op = "llm.embed" if number % 17 == 0 else "llm.chat"
    args = f'{{"model":"m{number % 3}","messages":{json.dumps(messages)}{EXTRAS[number % len(EXTRAS)]}}}'
    return f'{{"op":"{op}","args":{args},"timeout_ms":{TIMEOUTS_MS[number % 10]},"trace_id":"t-{number}"}}'.encode()


def shuffled(bodies: Iterable[bytes], by: int) -> list[bytes]:
    order = list(bodies)
    random.Random(by).shuffle(order)
    return order


# --- How it is sent --------------------------------------------------------------------------------------------------


async def tell(asks: list[Ask], bodies: Iterable[bytes], *, let_time_pass: Callable[[], object] = int) -> Story:
    """Submit all *bodies*, each of *asks* one at a time, and then read every job to its end."""
    ids = [answer["id"] for answer in await spread(asks, bodies, lambda ask, body: ask("POST", "/v1/jobs", body))]
    let_time_pass()
    rows = await spread(asks, ids, read)
    fates = (await asks[0]("GET", "/__admin/decisions?limit=1", b""))["fates"]
    jobs = dict(rows)
    assert len(jobs) == len(rows), "two jobs have the same fingerprint and ordinal"
    return Story(jobs, fates)


async def spread(asks: list[Ask], items: Iterable[Any], step: Callable[[Ask, Any], Awaitable[Any]]) -> list[Any]:
    """Take every one of *items* through *step*, as many at once as there are *asks*."""
    waiting, done = iter(items), []

    async def work(ask: Ask) -> None:
        done.extend([await step(ask, item) for item in waiting])

    await asyncio.gather(*map(work, asks))
    return done


async def read(ask: Ask, job_id: str) -> tuple[tuple[str, int], tuple[str, str, str | None]]:
    told = await ask("GET", f"/v1/jobs/{job_id}/request", b"")
    job = await ask("GET", f"/v1/jobs/{job_id}", b"")
    outcome = told["fate"]["outcome"]
    # On a wall clock the last jobs may still run; 1,500 ms is the longest fate there is, and each look is a round trip.
    for _ in range(50_000):
        if job["state"] == outcome:
            break
        assert job["state"] == "running"
        job = await ask("GET", f"/v1/jobs/{job_id}", b"")
    assert job["state"] == outcome, f"{job_id} never came to its end"
    assert (job["result"] is None) == (outcome != "ok")
    assert job["error"] == told["fate"]["failure"]
    reply = job["result"]["text"] if job["result"] else None
    return (told["fingerprint"], told["ordinal"]), (job_id, spelled(told["fate"]), reply)


def spelled(fate: dict[str, Any]) -> str:
    moments = " ".join(f"{moment['at_ms']}:{moment['state']}" for moment in fate["timeline"])
    return f"{fate['mode']} {moments} {fate['failure']['code'] if fate['failure'] else '-'}"


def in_process(concurrency: int, bodies: Iterable[bytes], **settings: str) -> Story:
    """Tell the story to an app in this process, under a clock moved by hand."""
    clock = ManualClock()
    app = app_of(load({f"DUMMYLLM_{name}": value for name, value in (SETTINGS | settings).items()}), clock)

    async def ask(method: str, path: str, body: bytes) -> Any:
        path, _, query = path.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(b"host", b"localhost"), (b"content-type", b"application/json")],
            "server": ("127.0.0.1", 80),
            "client": ("127.0.0.1", 9),
            "http_version": "1.1",
            "scheme": "http",
            "root_path": "",
        }
        answer = bytearray()

        async def receive() -> dict[str, Any]:
            await asyncio.sleep(0)  # lets the other clients in between
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            assert message.get("status", 200) in (200, 201), message
            answer.extend(message.get("body", b""))

        await app(scope, receive, send)
        return json.loads(answer)

    return asyncio.run(tell([ask] * concurrency, bodies, let_time_pass=lambda: clock.advance(6 * LATENCY_MS)))


def over_http(port: int, concurrency: int, bodies: Iterable[bytes]) -> Story:
    """Tell the story to a real server, over as many connections at once."""
    return asyncio.run(_over_http(port, concurrency, bodies))


async def _over_http(port: int, concurrency: int, bodies: Iterable[bytes]) -> Story:
    streams = [await asyncio.open_connection("127.0.0.1", port) for _ in range(concurrency)]

    def asker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Ask:
        async def ask(method: str, path: str, body: bytes) -> Any:
            head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            start = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", start)
            assert length is not None, start
            answer = await reader.readexactly(int(length[1]))
            assert start[9:12] in (b"200", b"201"), answer
            return json.loads(answer)

        return ask

    async with asyncio.timeout(120):
        story = await tell([asker(*stream) for stream in streams], bodies)
    for _, writer in streams:
        writer.close()
        await writer.wait_closed()
    return story


@cache
def the_story() -> Story:
    """Return what one client heard that sent everything in order, one at a time."""
    return in_process(1, payloads())


# --- The tests -------------------------------------------------------------------------------------------------------


def test_five_thousand_submits_are_a_fifth_repeats_and_meet_every_fate() -> None:
    """The other tests of this file are about something: every mode and every turn of flaky really befell jobs."""
    story = the_story()

    assert len(payloads()) == SUBMITS
    assert len(set(payloads())) == DISTINCT
    assert Counter(ordinal for _, ordinal in story.jobs) == {0: 4_000, 1: 600, 2: 200, 3: 200}
    kinds = Counter(re.sub(r"^(\w+) .* (?:\d+:)(\w+) \S+$", r"\1 \2", fate) for _, fate, _ in story.jobs.values())
    assert set(kinds) == {
        "ok ok", "echo ok", "slow ok", "fail fail", "hang running", "timeout timeout",
        "flaky ok", "flaky fail", "flaky running",
    }  # fmt: skip
    assert min(kinds.values()) >= 50
    assert len({fate for _, fate, _ in story.jobs.values() if fate.startswith("timeout")}) == 5  # 50 51 199 249 250
    assert all(
        (reply is not None) == (" 250:ok " in fate or " 1500:ok " in fate) for _, fate, reply in story.jobs.values()
    )


@pytest.mark.parametrize("concurrency", [8, 64])
def test_the_story_does_not_depend_on_concurrency_or_order(concurrency: int) -> None:
    """Not of arrival order, concurrency, process, machine, Python version or clock."""
    assert_same(in_process(concurrency, shuffled(payloads(), by=concurrency)), the_story())


@pytest.mark.parametrize("hash_seed", ["0", "4242"])
def test_the_story_is_the_same_in_another_process_over_sixty_four_connections(
    hash_seed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real server under another `PYTHONHASHSEED` and a wall clock tells it too."""
    monkeypatch.setenv("PYTHONHASHSEED", hash_seed)
    with serve(**SETTINGS) as server:
        story = over_http(server.port, 64, shuffled(payloads(), by=int(hash_seed)))

    assert_same(story, the_story())


def test_another_seed_tells_another_story() -> None:
    """Same seed, same fates; the digest of a single other job differs."""
    one = payloads()[:1]

    assert in_process(1, one) == in_process(1, one)
    assert in_process(1, one).fates != in_process(1, one, SEED="1338").fates


def test_the_fates_of_seed_1337_are_those_of_the_golden_file() -> None:
    """Golden fates change only on purpose."""
    story = the_story()
    rows = [
        [fingerprint, ordinal, *story.jobs[fingerprint, ordinal][:2]] for fingerprint, ordinal in sorted(story.jobs)
    ]

    compare_with_golden("fates_1337.jsonl", rows, {"settings": SETTINGS, "jobs": SUBMITS, "fates": story.fates})


def test_the_replies_of_seed_1337_are_those_of_the_golden_file() -> None:
    """Same seed = reproducible random mode selection and ELIZA variation."""
    story = the_story()
    rows = [[job_id, reply] for _, (job_id, _, reply) in sorted(story.jobs.items()) if reply is not None]

    compare_with_golden("fates_1337_replies.jsonl", rows, {"settings": SETTINGS, "replies": len(rows)})


def assert_same(story: Story, expected: Story) -> None:
    different = [key for key in expected.jobs if story.jobs.get(key) != expected.jobs[key]]
    examples = [(key, expected.jobs[key], story.jobs.get(key)) for key in different[:3]]
    assert not different, f"{len(different)} of {len(expected.jobs)} jobs differ, among them {examples}"
    assert story == expected


def compare_with_golden(name: str, rows: list[list[Any]], about: dict[str, Any]) -> None:
    """Compare *rows* with the golden file *name*: the first 1,000 in clear, all of them by their digest."""
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    about["digest_of_all_rows"] = blake2b("\n".join(lines).encode(), digest_size=16).hexdigest()
    text = "\n".join([json.dumps(about), *lines[:ROWS_IN_CLEAR]]) + "\n"
    if os.environ.get("UPDATE_GOLDEN") == "1":
        (GOLDEN / name).write_text(text, encoding="utf-8")
    golden = (GOLDEN / name).read_text(encoding="utf-8")
    if text == golden:
        return
    pairs = zip(golden.splitlines(), text.splitlines(), strict=False)
    changed = [f"- {was}\n+ {now}" for was, now in pairs if was != now]
    pytest.fail(
        f"{len(changed)} lines of tests/golden/{name} came out differently, the first of them:\n"
        + "\n".join(changed[:4])
        + "\nThe same seed no longer tells the same story. If that was decided on, say so under Fates in CHANGELOG.md "
        "and write the file anew: UPDATE_GOLDEN=1 python -m pytest tests/test_determinism.py"
    )
