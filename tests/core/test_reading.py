"""What a status read shows: who sees what at read n, at both sides of every edge."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from dummyllm.core.cancelling import cancel
from dummyllm.core.draw import Luck
from dummyllm.core.faults.drawn import fired_at_read, first_fired
from dummyllm.core.job import Job
from dummyllm.core.reading import Reading, plain_reading, read, vanishing
from dummyllm.core.replay import read_replay
from dummyllm.core.snapshot import Snapshot, snapshot_at
from dummyllm.core.timeline import State
from tests.core.chaos import HERE, accepted, fault, one_step, policy_of, texts

START_MS, END_MS = 1_000, 1_250


def reads(job: Job, *at_ms: int) -> list[Reading]:
    """Return what a read shows at each of these instants, one after another."""
    found = []
    for now_ms in at_ms:
        found.append(read(job, now_ms))
        job = found[-1].job
    return found


def shown(job: Job, *at_ms: int) -> list[str]:
    """Return the word that each read shows: a state, `404`, or the fault in whose place nothing is shown."""
    return [word_of(reading) for reading in reads(job, *at_ms)]


def word_of(reading: Reading) -> str:
    if reading.bend is not None and not reading.bend.kind.befalls_answer:
        return reading.bend.text
    if reading.snapshot is None:
        return "404"
    return reading.shown or reading.snapshot.state.value


def test_reads_are_counted_from_0() -> None:
    """The n-th status read; what it makes of the job is in the reading."""
    first, second, third = reads(one_step("poll.missing"), START_MS, START_MS, END_MS)

    assert [first.n, second.n, third.n] == [0, 1, 2]
    assert [first.job.reads, second.job.reads, third.job.reads] == [1, 2, 3]


def test_a_read_that_nobody_counts_has_no_number() -> None:
    """A job counts its polls only when a fault of reads is in force."""
    job = one_step("ok+cancel.ignored")

    assert plain_reading(job, END_MS) == Reading(job, snapshot_at(job, END_MS), None)
    assert plain_reading(job, END_MS).job is job


def test_a_read_without_a_fault_shows_what_is() -> None:
    """The truth, or what a fault makes of it."""
    job = accepted(policy_of("poll.reset=0.0001"))
    for now_ms in (START_MS, END_MS - 1, END_MS):
        assert read(job, now_ms) == Reading(replace(job, reads=1), snapshot_at(job, now_ms), 0)


# ---- poll.missing


@pytest.mark.parametrize(
    ("count", "text"), [(1, "poll.missing"), (1, "poll.missing(reads=1)"), (3, "poll.missing(reads=3)")]
)
def test_the_first_reads_do_not_find_a_new_job(count: int, text: str) -> None:
    """404 for the first reads after create; after them it is there, and was all the time."""
    job = one_step(text)

    assert shown(job, *[START_MS] * (count + 1)) == ["404"] * count + ["running"]
    assert shown(job, *[END_MS] * (count + 1)) == ["404"] * count + ["ok"]
    assert [reading.fault for reading in reads(job, *[START_MS] * (count + 1))] == [fault(text)] * count + [None]


# ---- poll.unknown_state


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("poll.unknown_state", ["paused", "running", "ok"]),
        ("poll.unknown_state(name=warming-up,reads=2)", ["warming-up", "warming-up", "ok"]),
        ("poll.unknown_state(reads=3)", ["paused"] * 3),
    ],
)
def test_the_first_reads_show_a_state_nobody_documented(text: str, words: list[str]) -> None:
    """A state nobody documented, then the truth."""
    assert shown(one_step(text), START_MS, START_MS, END_MS) == words


def test_an_unknown_state_hides_the_truth_and_does_not_change_it() -> None:
    """The snapshot is the true one; only the word is not."""
    reading = read(one_step("poll.unknown_state"), END_MS)

    assert (reading.shown, reading.snapshot) == ("paused", Snapshot(State.OK, END_MS))
    assert reading.fault == fault("poll.unknown_state")


# ---- poll.stale and poll.backwards


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("poll.stale", ["running", "running", "ok", "ok", "ok"]),
        ("poll.stale(reads=3)", ["running", "running", "running", "running", "ok"]),
        ("poll.backwards", ["running", "ok", "running", "ok", "ok"]),
        ("poll.backwards(reads=2)", ["running", "ok", "running", "running", "ok"]),
    ],
)
def test_reads_that_should_show_the_end_show_the_moment_before_it(text: str, words: list[str]) -> None:
    """Stale: the first reads that should show the end; backwards: the end is shown once, then the moment before."""
    at_ms = [END_MS - 1, END_MS, END_MS, END_MS, END_MS]

    assert shown(one_step(text), *at_ms) == words
    lagging = [word == "running" for word in words[1:]]
    assert [reading.fault is not None for reading in reads(one_step(text), *at_ms)] == [False, *lagging]


def test_reads_before_the_end_use_nothing_up() -> None:
    """Only reads that should show the end count, however many there were before."""
    assert shown(one_step("poll.stale"), *[START_MS] * 50, END_MS, END_MS)[50:] == ["running", "ok"]
    assert shown(one_step("poll.backwards"), *[START_MS] * 50, END_MS, END_MS, END_MS)[50:] == ["ok", "running", "ok"]


@pytest.mark.parametrize("text", ["poll.stale", "hang+poll.stale", "run.stuck_queued+poll.stale"])
def test_the_moment_before_the_end_is_what_was_shown_then(text: str) -> None:
    """With its state and since when; the end of a job may be its cancel."""
    job = cancel(one_step(text), 1_100).job
    before = snapshot_at(job, 1_099)
    stale, truth = reads(job, 5_000, 5_000)

    assert stale.snapshot == before
    assert before.state is (State.QUEUED if "stuck" in text else State.RUNNING)
    assert truth.snapshot is not None
    assert truth.snapshot.state is State.CANCELLED


def test_the_moment_before_a_cancel_that_came_too_late_is_the_one_before_the_end() -> None:
    """`cancel.slow`: the planned end may come first, and then it is the end."""
    job = replace(one_step("poll.stale+cancel.slow(ms=500)"), cancelled_at_ms=1_500)

    assert shown(job, 2_000, 2_000) == ["running", "ok"]


def test_a_job_that_never_ends_is_never_stale() -> None:
    """There is no end that should show."""
    assert shown(one_step("hang+poll.stale"), START_MS, 10**9, 10**12) == ["running"] * 3


# ---- run.vanish


@pytest.mark.parametrize(
    ("text", "at_ms", "words"),
    [
        ("hang+run.vanish", [1_099, 1_100, 10**9], ["running", "404", "404"]),
        ("ok+run.vanish(after_ms=250)", [1_249, 1_250, 1_251], ["running", "404", "404"]),
        ("ok+run.vanish(after_ms=251)", [1_249, 1_250, 1_251], ["running", "ok", "404"]),
        ("ok+run.vanish(after_ms=0)", [1_000], ["404"]),
    ],
)
def test_a_job_that_existed_is_gone(text: str, at_ms: list[int], words: list[str]) -> None:
    """404 after it existed: from so long after its start on, for ever."""
    assert shown(one_step(text), *at_ms) == words


def test_a_vanished_job_names_the_fault() -> None:
    """Whether its reads are counted or not."""
    job = one_step("run.vanish")

    assert read(job, 1_100).fault == plain_reading(job, 1_100).fault == vanishing(job) == fault("run.vanish")
    assert read(job, 1_099).fault is plain_reading(job, 1_099).fault is None
    assert vanishing(one_step("poll.stale")) is None


@pytest.mark.parametrize("text", ["poll.unknown_state(reads=9)", "poll.stale(reads=9)"])
def test_what_has_vanished_shows_nothing_else(text: str) -> None:
    """From then on everything that names it is answered 404."""
    assert shown(one_step(f"run.vanish(after_ms=300)+{text}"), 1_299, 1_300)[1] == "404"


# ---- which goes before another


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("poll.stale+poll.missing(reads=2)", ["404", "404", "running", "ok"]),
        ("poll.missing(reads=2)+poll.stale", ["404", "404", "running", "ok"]),
        ("poll.backwards+poll.unknown_state", ["paused", "ok", "running", "ok"]),
    ],
)
def test_a_read_that_shows_no_end_is_none_that_should_have(text: str, words: list[str]) -> None:
    """First reads go before end reads, in whatever order a script names them; what they befall uses no end read up."""
    assert shown(one_step(text), *[END_MS] * 4) == words


# ---- unit poll


@pytest.mark.parametrize("text", ["poll.status(503)", "poll.reset"])
def test_a_read_that_fails_shows_nothing_and_counts(text: str) -> None:
    """Only this read fails; the job is fine, and the next read is drawn anew."""
    job = accepted(policy_of(f"{text}=100"))
    first, second = reads(job, START_MS, END_MS)

    assert (first.fault, first.bend, first.n) == (fault(text), fault(text), 0)
    assert (second.fault, second.n, second.job.reads) == (fault(text), 1, 2)


def test_a_slow_read_shows_what_it_would_have_shown() -> None:
    """A read that dawdles has the same answer."""
    job = accepted(policy_of("poll.slow(ms=5)=100"))
    reading = read(job, END_MS)

    assert reading.snapshot == Snapshot(State.OK, END_MS)
    assert reading.fault == reading.bend == fault("poll.slow(ms=5)")


def test_a_read_may_be_slow_and_stale() -> None:
    """It shows the moment before the end, and late; what befell this read alone is named, as the rest is the job's."""
    job = one_step("poll.stale")
    job = replace(job, policy=policy_of("poll.slow=100"))
    first, second = reads(job, END_MS, END_MS)

    assert [one.snapshot.state for one in (first, second) if one.snapshot] == [State.RUNNING, State.OK]
    assert [one.fault for one in (first, second)] == [one.bend for one in (first, second)] == [fault("poll.slow")] * 2


def test_a_read_that_finds_nothing_is_not_slow() -> None:
    """There is no answer about the job that could take its time."""
    job = replace(one_step("poll.missing"), policy=policy_of("poll.slow=100"))
    missing, found = reads(job, START_MS, START_MS)

    assert (missing.fault, missing.bend) == (fault("poll.missing"), None)
    assert found.bend == fault("poll.slow")


def test_a_read_that_fails_uses_no_end_read_up() -> None:
    """Nobody saw the end that should have shown."""
    job = one_step("poll.backwards+poll.reset")

    assert shown(job, *[END_MS] * 4) == ["poll.reset", "ok", "running", "ok"]


def test_a_read_that_fails_is_one_of_the_first_reads() -> None:
    """The first status reads of the job, whatever becomes of them."""
    assert shown(one_step("poll.missing(reads=2)+poll.reset"), *[START_MS] * 3) == ["poll.reset", "404", "running"]


@pytest.mark.parametrize("text", ["poll.status(503)", "poll.reset", "poll.slow"])
def test_a_fault_of_a_step_befalls_the_first_read_and_no_other(text: str) -> None:
    """A fault of unit poll befalls the first status read."""
    assert [reading.bend for reading in reads(one_step(text), *[START_MS] * 3)] == [fault(text), None, None]


def test_a_fault_of_a_step_goes_before_those_that_are_drawn() -> None:
    """A script leaves nothing to chance."""
    job = accepted(policy_of("poll.status(503)=100", "ok+poll.slow"))

    assert [reading.fault for reading in reads(job, START_MS, START_MS)] == [
        fault("poll.slow"),
        fault("poll.status(503)"),
    ]


def test_each_read_is_drawn_by_ordinal_and_number() -> None:
    """Unit poll: drawn at the n-th status read, with the luck of the job."""
    policy = policy_of("poll.status(503)=30, poll.reset=30, poll.slow=30")
    for ordinal in range(20):
        job = accepted(policy, ordinal)
        found = [reading.bend for reading in reads(job, *[START_MS] * 20)]
        luck = Luck(1337, HERE, ordinal)
        assert found == [next(iter(fired_at_read(policy.poll_odds, luck, n)), None) for n in range(20)]
        assert len(set(map(str, found))) > 2


def test_a_read_has_another_draw_than_its_job() -> None:
    """Its site has the number of the read in it."""
    policy = policy_of("poll.reset=50")
    lucks = [Luck(1337, HERE, ordinal) for ordinal in range(400)]
    alike = sum(
        bool(first_fired(policy.poll_odds, luck)) == bool(fired_at_read(policy.poll_odds, luck, 0)) for luck in lucks
    )

    assert 150 < alike < 250


# ---- recorded reads


def test_a_recorded_read_fails_and_no_other() -> None:
    """A recorded list of faults, with no chance left."""
    replay = read_replay([f"{HERE.hex()} read 0 2 poll.status(503)", f"{HERE.hex()} read 1 0 poll.reset"])
    policy = policy_of("poll.slow=100", replay=replay)

    assert shown(accepted(policy, 0), *[START_MS] * 4) == ["running", "running", "poll.status(503)", "running"]
    assert shown(accepted(policy, 1), *[START_MS] * 2) == ["poll.reset", "running"]


# ---- laws

FIRST = st.sampled_from(["", "+poll.missing(reads=2)", "+poll.unknown_state(reads=3)"])
LAST = st.sampled_from(["", "+poll.stale(reads=2)", "+poll.backwards(reads=2)"])


@settings(deadline=None)
@given(st.sampled_from(["ok", "hang", "fail", "slow"]), FIRST, LAST, st.lists(st.integers(0, 2_000), max_size=12))
def test_in_the_end_every_read_shows_the_truth(mode: str, first: str, last: str, after_ms: list[int]) -> None:
    """A fault of reads changes what is shown, for so many reads, and never the job."""
    job = one_step(mode + first + last)
    found = reads(job, *(START_MS + ms for ms in sorted(after_ms)), *[10**7] * 8)
    final = found[-1]

    assert final.snapshot == snapshot_at(job, 10**7)
    assert (final.fault, final.shown, final.job.fate) == (None, None, job.fate)
    assert sum(reading.fault is not None for reading in found) <= 5
    assert all(texts((reading.fault,))[0] in mode + first + last for reading in found if reading.fault)
