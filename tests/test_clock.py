"""Clocks: whole epoch milliseconds that never go back."""

from __future__ import annotations

import time

import pytest

from dummyllm.clock import ManualClock, ScaledClock, WallClock


def test_the_wall_clock_tells_epoch_milliseconds() -> None:
    """The epoch read at the start plus the monotonic time since."""
    before_ms = time.time_ns() // 1_000_000
    now_ms = WallClock().now_ms()
    after_ms = time.time_ns() // 1_000_000

    assert isinstance(now_ms, int)
    assert before_ms - 1 <= now_ms <= after_ms + 1


def test_the_wall_clock_never_goes_back() -> None:
    """Never less than it returned before."""
    clock = WallClock()
    told = [clock.now_ms() for _ in range(10_000)]

    assert told == sorted(told)


@pytest.mark.parametrize("by_s", [3_600, -3_600, -(10**9)])
def test_setting_the_systems_clock_moves_no_job(by_s: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Time inside is the epoch read once at the start plus the monotonic time since."""
    monotonic_ns, epoch_ns = 5_000_000_000, 1_700_000_000_000_000_000
    monkeypatch.setattr(time, "monotonic_ns", lambda: monotonic_ns)
    monkeypatch.setattr(time, "time_ns", lambda: epoch_ns)
    clock = WallClock()
    assert clock.now_ms() == 1_700_000_000_000

    epoch_ns += by_s * 10**9
    assert clock.now_ms() == 1_700_000_000_000
    monotonic_ns += 250_000_000
    assert clock.now_ms() == 1_700_000_000_250


@pytest.mark.parametrize(("passed_ns", "told_ms"), [(0, 0), (999_999, 0), (1_000_000, 1), (1_999_999, 1)])
def test_a_millisecond_is_over_when_it_is_over(passed_ns: int, told_ms: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Milliseconds are whole and never rounded up, so a job never ends early."""
    monotonic_ns = 0
    monkeypatch.setattr(time, "monotonic_ns", lambda: monotonic_ns)
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    clock = WallClock()
    monotonic_ns = passed_ns

    assert clock.now_ms() == told_ms


def test_a_manual_clock_stands_still_until_it_is_moved() -> None:
    """At first 2000-01-01T00:00:00Z; a test moves time by hand."""
    clock = ManualClock()
    assert time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(clock.now_ms() / 1000)) == "2000-01-01T00:00:00"

    clock.advance(250)
    clock.advance(0)
    assert clock.now_ms() == 946_684_800_250
    assert ManualClock(7).now_ms() == 7


def test_a_manual_clock_goes_back_to_its_beginning_for_another_run() -> None:
    """For a run that knows nothing of this one."""
    clock, other = ManualClock(), ManualClock(7)
    for moved in (clock, other):
        moved.advance(250)
        moved.restart()

    assert (clock.now_ms(), other.now_ms()) == (946_684_800_000, 7)


@pytest.mark.parametrize(
    ("pace", "passed_ns", "told_ms"),
    [
        (20, 0, 0),
        (20, 49_999, 0),
        (20, 50_000, 1),
        (20, 1_000_000_000, 20_000),
        (1, 999_999, 0),
        (1, 1_000_000, 1),
        (1_000, 1_000, 1),
        (1_000, 999, 0),
    ],
)
def test_a_scaled_clock_starts_at_the_walls_time_and_runs_so_many_times_as_fast(
    pace: int, passed_ns: int, told_ms: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`scale(20)`: whole milliseconds, never rounded up; setting the system's clock moves no job."""
    monotonic_ns, epoch_ns = 5_000_000_123, 1_700_000_000_000_000_000
    monkeypatch.setattr(time, "monotonic_ns", lambda: monotonic_ns)
    monkeypatch.setattr(time, "time_ns", lambda: epoch_ns)
    clock = ScaledClock(pace)
    assert clock.now_ms() == 1_700_000_000_000

    monotonic_ns += passed_ns
    epoch_ns -= 10**15
    assert clock.now_ms() == 1_700_000_000_000 + told_ms


def test_a_clock_says_how_fast_it_runs() -> None:
    """How many of its milliseconds pass in one of the wall's: 0 for a clock that stands still until it is moved."""
    assert (WallClock().pace, ScaledClock(20).pace, ManualClock().pace) == (1, 20, 0)


def test_a_manual_clock_does_not_run_backwards() -> None:
    """Never less than it returned before."""
    with pytest.raises(AssertionError, match="time does not run backwards: -1 ms"):
        ManualClock().advance(-1)
