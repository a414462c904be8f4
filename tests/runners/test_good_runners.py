"""The good runners are never accused: not by any rule, not in any chaos, whatever makes two submits the same work.

A false accusation costs more than a missed one, so the suite looks for one in a few dozen runs, and `CAMPAIGN=1` in
hundreds.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from dummyllm.presets import PRESETS
from dummyllm.verdict.invariants.registry import INVARIANTS
from dummyllm.verdict.judge import judge
from dummyllm.verdict.oracle import Report
from dummyllm.verdict.same import Same
from tests.runners import hurried
from tests.runners.quick import GOOD, QUICK
from tests.runners.trial import Payload, Runner, Trial, payloads, put_on_trial

SEEDS = range(1, 201) if os.environ.get("CAMPAIGN") else range(1, 11)
SIDE_BY_SIDE = 12

NEVER_EXERCISED: Mapping[str, Mapping[str, str]] = {
    "good_runner": {},
    "long_polling_runner": {
        "key-stable": "it has no key, and submits nothing again whose acknowledgement it did not get",
        "poll-cadence": "it asks the server to hold its answers, and such reads are no storm",
    },
}


@dataclass(frozen=True, kw_only=True)
class Weather:
    """What the runners go through: the server's *settings*, and how many *jobs* they are asked to do."""

    name: str
    settings: Mapping[str, str]
    jobs: int = 12
    timeout_ms: int = 2_500
    concurrency: int = QUICK.concurrency
    rules: str = ""


Trials = Sequence[tuple[Weather, Trial]]


def every_weather() -> Iterator[Weather]:
    """Yield the presets, the swarms, and what puts the rules to the test for which neither has enough jobs or time."""
    for preset in PRESETS:
        yield Weather(name=preset, settings={"PRESET": preset, "LATENCY_MS": "20"}, jobs=24)
    for seed in SEEDS:
        yield Weather(
            name=f"swarm of seed {seed}",
            settings={"SWARM": "1", "SEED": str(seed), "MODE": "random", "LATENCY_MS": "20"},
        )
    outage = {"SCRIPT": "submit.status(503)*6, ok", "LATENCY_MS": "20"}
    yield Weather(name="an outage", settings=outage, jobs=24, concurrency=24, timeout_ms=60_000)
    yield Weather(name="a refusal", settings={"SCRIPT": "submit.status(403), ok"})
    lagging = "poll.missing(reads=2)=20, poll.stale(reads=2)=25, poll.backwards=25, poll.unknown_state(reads=2)=25"
    settings = {"FAULTS": lagging, "LATENCY_MS": "1100"}
    yield Weather(name="replicas that lag", settings=settings, jobs=24, timeout_ms=8_000)
    hangs = '[[rule]]\nname = "hangs"\nwhen = { trace_id = "case-0" }\nthen = { mode = "hang" }\n'
    yield Weather(name="one job that hangs", settings={"LATENCY_MS": "1200"}, rules=hangs, timeout_ms=8_000)


@pytest.fixture(scope="module", params=GOOD)
def trials(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Trials]:
    """What a good runner did in every weather, and its name."""
    return request.param, hurried.run(weathered(GOOD[request.param], tmp_path_factory.mktemp("rules")))


async def weathered(runner: Callable[[int], Runner], path: Path) -> Trials:
    """Return what *runner* did in every weather."""
    places = asyncio.Semaphore(SIDE_BY_SIDE)

    async def one(number: int, weather: Weather) -> tuple[Weather, Trial]:
        settings = dict(weather.settings)
        if weather.rules:
            rules = path / f"{number}.toml"
            rules.write_text(weather.rules, encoding="utf-8")
            settings["RULES"] = str(rules)
        async with places:
            asked = payloads(weather.jobs, timeout_ms=weather.timeout_ms)
            return weather, await put_on_trial(runner(weather.concurrency), asked, settings)

    return await asyncio.gather(*(one(number, weather) for number, weather in enumerate(every_weather())))


def test_a_good_runner_is_never_accused(trials: tuple[str, Trials]) -> None:
    """Not even warned: not by one rule, in any chaos. Every rule that can be is put to the test on the way."""
    name, weathers = trials
    premises: Counter[str] = Counter()
    accusations = []
    for weather, trial in weathers:
        assert not [line for line in trial.lines if line.code == "INTERNAL"], "that was a bug of ours"
        for same in Same:
            verdict = judge(trial.run(same, concurrency_max=weather.concurrency, attempts_max=QUICK.attempts))
            premises.update({one.id: one.premises for one in verdict.invariants})
            accusations += [(weather.name, same, one.id, one.findings) for one in verdict.invariants if one.findings]
            accusations += [(weather.name, same, reason) for reason in verdict.reasons]

    assert accusations == []
    assert {rule for rule in INVARIANTS if not premises[rule]} == set(NEVER_EXERCISED[name])


def test_a_good_runner_reports_what_the_oracle_foretells(trials: tuple[str, Trials]) -> None:
    """So a harness can compare its runner's books with the oracle, which says `unknown` where nobody can know."""
    _, weathers = trials
    different = []
    for weather, trial in weathers:
        foretold = {one.trace_id: one for one in judge(trial.run()).oracle}
        for payload, reported in zip(trial.asked, trial.reported, strict=True):
            one = foretold[payload["trace_id"]]
            if one.outcome not in (Report.UNKNOWN, getattr(reported, "state", reported)):
                different.append((weather.name, payload["trace_id"], reported, one.outcome, one.why))

    assert different == []


@pytest.mark.parametrize("name", GOOD)
def test_a_good_runner_that_is_stopped_gives_up_its_jobs(name: str) -> None:
    """A Ctrl-C or a deploy ends the runner; what it has under way must not run on."""

    async def stopped(url: str, asked: Sequence[Payload]) -> Sequence[str]:
        with suppress(TimeoutError):
            await asyncio.wait_for(GOOD[name]()(url, asked), 1.5)
        return []

    asked = payloads(QUICK.concurrency)
    run = hurried.run(put_on_trial(stopped, asked, {"MODE": "hang"})).run()

    assert [(one.id, one.findings) for one in judge(run).invariants if one.findings] == []
    assert [len(story.cancels) for story in run.acked] == [1] * len(asked)


def test_every_rule_is_put_to_the_test_by_one_of_them() -> None:
    """What the one cannot exercise, the other one does."""
    assert not set.intersection(*(set(rules) for rules in NEVER_EXERCISED.values()))
