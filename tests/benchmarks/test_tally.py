from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from benchmarks.tally import parse, percentile, tally, with_omitted


@pytest.mark.parametrize(("percent", "expected"), [(0, 1), (1, 1), (50, 50), (99, 99), (100, 100)])
def test_a_percentile_is_a_value_that_was_measured(percent: int, expected: int) -> None:
    """The nearest rank: of 1 … 100 the 99th percentile is 99, not something in between."""
    assert percentile(range(1, 101), percent) == expected


def test_of_few_values_the_99th_percentile_is_the_largest() -> None:
    """With less than a hundred values there is no other that 99 in a hundred do not exceed."""
    assert percentile([10, 20, 30], 99) == 30
    assert percentile([], 99) == 0


def test_a_pause_also_counts_as_the_requests_held_back_behind_it() -> None:
    """One answer in 500 µs on a connection that asks every 100 µs hid four more, each a little shorter."""
    assert with_omitted([100, 500], interval_us=100) == [100, 500, 400, 300, 200]


@pytest.mark.parametrize(("latency_us", "omitted"), [(199, 0), (200, 0), (201, 1)])
def test_nothing_is_held_back_within_two_intervals(latency_us: int, omitted: int) -> None:
    """A shorter wait than two intervals hides nobody but itself."""
    assert len(with_omitted([latency_us], interval_us=100)) == 1 + omitted


def test_the_tally_of_a_run_is_corrected() -> None:
    """Ten answers in 10 ms on one connection are one a millisecond; the one of 5 ms weighs more than a tenth."""
    done = tally([100] * 9 + [5000], seconds=0.01, connections=1, refused=0, broken=0)

    assert (done.completed, done.p50_us, done.max_us) == (10, 100, 5000)
    assert done.per_second == pytest.approx(1000)
    assert tally([100] * 9 + [900], seconds=0.01, connections=1, refused=0, broken=0).p99_us == 900


def test_a_tally_survives_its_way_through_a_process() -> None:
    """A generator may print what it likes before it, as wrk does."""
    done = tally([100, 200], seconds=1.0, connections=2, refused=1, broken=0)

    assert parse(f"Running 1s test\n  2 threads\n{json.dumps(asdict(done))}\n") == done
