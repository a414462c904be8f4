"""Recorded runs: what befell one, a line each, and nothing left to chance."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dummyllm.core.digest import spelled
from dummyllm.core.fate import Turn
from dummyllm.core.faults.fault import Fault
from dummyllm.core.faults.kind import Unit
from dummyllm.core.faults.registry import KINDS
from dummyllm.core.latency import LATENCY_MS_MAX
from dummyllm.core.mode import WEIGHABLE_MODES, Mode
from dummyllm.core.replay import HEADING, Course, Replay, ReplayError, read_replay
from dummyllm.core.request import Identity, JobRequest
from tests.core.chaos import fault, texts

HELLO = Identity(bytes.fromhex("0aff8219456e3c4a25f984226f52147e"))
OTHER = Identity(bytes.fromhex("ffffffffffffffffffffffffffffffff"))
ME, YOU = HELLO.hex(), OTHER.hex()
REQUEST = JobRequest("llm.chat", timeout_ms=2_000)


def mistakes(*lines: str) -> tuple[str, ...]:
    with pytest.raises(ReplayError) as caught:
        read_replay(lines)
    return caught.value.mistakes


def fate_of(replay: Replay, identity: Identity = HELLO, ordinal: int = 0) -> str:
    """Return the fate that a job had, as one line of text, in a server whose base latency is 250 ms."""
    return spelled(replay.fate(250, REQUEST, identity, ordinal))


# ---- what lines say


def test_every_kind_of_line_is_read() -> None:
    """A submit, a job's course, a fault that befell it, and a read: the lines that the module shows."""
    replay = read_replay(
        [
            HEADING,
            "",
            f"{ME} submit 3 submit.lost_ack             # the hit, and the fault that befell it",
            f"{ME} job 0 mode=flaky/fail latency_ms=250",
            f"  {ME}   job   0   run.vanish(after_ms=100)  ",
            f"{ME} read 0 2 poll.status(503)",
        ]
    )

    assert replay.submits == {(HELLO, 3): fault("submit.lost_ack")}
    assert replay.courses == {(HELLO, 0): Course(Mode.FLAKY, Turn.FAIL, 250)}
    assert replay.jobs == {(HELLO, 0): (fault("run.vanish(after_ms=100)"),)}
    assert replay.reads == {(HELLO, 0, 2): fault("poll.status(503)")}


def test_whatever_has_no_line_goes_well() -> None:
    """A submit is accepted, a job is `ok` at the base latency, a read shows what is."""
    empty = read_replay([HEADING, "# nothing went wrong"])

    assert (empty.submits, empty.courses, empty.jobs, empty.reads) == ({}, {}, {}, {})
    assert fate_of(empty) == "ok 0:queued 0:running 250:ok -"
    assert empty.course(HELLO, 5, base_ms=70) == Course(Mode.OK, None, 70)


@pytest.mark.parametrize(
    ("course", "fate"),
    [
        ("mode=ok latency_ms=7", "ok 0:queued 0:running 7:ok -"),
        ("mode=echo latency_ms=0", "echo 0:queued 0:running 0:ok -"),
        ("mode=slow latency_ms=10", "slow 0:queued 0:running 60:ok -"),
        ("mode=fail latency_ms=10", "fail 0:queued 0:running 10:fail SIM_FAIL"),
        ("mode=timeout latency_ms=9999", "timeout 0:queued 0:running 2000:timeout TIMEOUT"),
        ("mode=hang latency_ms=250", "hang 0:queued 0:running -"),
        ("mode=flaky/fail latency_ms=9", "flaky 0:queued 0:running 9:fail SIM_FLAKY"),
        ("mode=flaky/hang latency_ms=9", "flaky 0:queued 0:running -"),
        ("mode=flaky/ok   latency_ms=9", "flaky 0:queued 0:running 9:ok -"),
        (f"mode=ok latency_ms={LATENCY_MS_MAX}", f"ok 0:queued 0:running {LATENCY_MS_MAX}:ok -"),
    ],
)
def test_a_course_says_how_a_job_fared(course: str, fate: str) -> None:
    """Its mode, which way it went if it was flaky, and its latency; and only that job's."""
    replay = read_replay([f"{ME} job 4 {course}"])

    assert fate_of(replay, ordinal=4) == fate
    assert fate_of(replay, ordinal=3) == fate_of(replay, OTHER, 4) == "ok 0:queued 0:running 250:ok -"


def test_faults_of_a_job_are_worked_into_its_fate() -> None:
    """… in the one order that faults have, whatever the order of their lines."""
    lines = [f"{ME} job 0 {text}" for text in ("poll.stale(reads=2)", "run.late", "cancel.ignored")]
    told = "ok 0:queued 0:running 2100:ok - +run.late +cancel.ignored +poll.stale(reads=2)"

    assert fate_of(read_replay(lines)) == fate_of(read_replay(reversed(lines))) == told
    assert fate_of(read_replay(lines), ordinal=1) == "ok 0:queued 0:running 250:ok -"


def test_reads_are_counted_if_any_was_recorded() -> None:
    """A read that was recorded is found by its number."""
    request = JobRequest("x")

    assert read_replay([f"{ME} read 0 2 poll.reset"]).fate(250, request, OTHER, 9).counts_reads
    assert not read_replay([f"{ME} submit 0 submit.reset"]).fate(250, request, HELLO, 0).counts_reads


def test_a_recorded_run_is_equal_to_itself_only() -> None:
    """It is equal to another only if it is the same one: to compare a million lines would help nobody."""
    one = read_replay([f"{ME} submit 0 submit.reset"])

    assert one == one  # noqa: PLR0124
    assert one != read_replay([])
    assert one != read_replay([f"{ME} submit 0 submit.reset"])
    assert len({one, read_replay([])}) == 2


# ---- mistakes

MODES = "ok, echo, slow, fail, hang, timeout, flaky"
NO_LINE = "is no line of a recorded run; write IDENTITY submit HIT FAULT, or job, or read"
NO_COURSE = f"is no course; write mode=MODE latency_ms=NUMBER, where MODE is {MODES}"
NO_TURN = "is no course; flaky, and nothing else, says how it went: flaky/fail, flaky/hang, flaky/ok"

MISTAKES = {
    "hello": f"'hello' {NO_LINE}",
    ME: f"'{ME}' {NO_LINE}",
    f"{ME} submit 0": f"'{ME} submit 0' {NO_LINE}",
    f"{ME.upper()} submit 0 submit.reset": f"'{ME.upper()} submit 0 submit.reset' {NO_LINE}",
    f"{ME[:-1]} submit 0 submit.reset": f"'{ME[:-1]} submit 0 submit.reset' {NO_LINE}",
    f"{ME} submit -1 submit.reset": f"'{ME} submit -1 submit.reset' {NO_LINE}",
    f"{ME} submit ١ submit.reset": f"'{ME} submit ١ submit.reset' {NO_LINE}",
    f"{ME} read 0 poll.reset": f"'{ME} read 0 poll.reset' {NO_LINE}",
    f"{ME} poll 0 0 poll.reset": f"'{ME} poll 0 0 poll.reset' {NO_LINE}",
    f"{ME} submit {'9' * 20} submit.reset": f"'{ME} submit {'9' * 20} submit.reset' {NO_LINE}",
    f"{ME} submit 0 submit.resett": "'submit.resett' is no fault: column 1: expected a fault: submit.status, "
    "submit.reset, submit.lost_ack, submit.cut_ack or submit.slow_ack, found 'submit.resett' (did you mean "
    "'submit.reset'?)",
    f"{ME} submit 0 ok": "'ok' is not one fault",
    f"{ME} submit 0 ok+submit.lost_ack": "'ok+submit.lost_ack' is not one fault",
    f"{ME} submit 0 submit.lost_ack*2": "'submit.lost_ack*2' is not one fault",
    f"{ME} submit 0 submit.reset, submit.reset": "'submit.reset, submit.reset' is not one fault",
    f"{ME} submit 0 submit.lost_ack+run.late": "'submit.lost_ack+run.late' is not one fault",
    f"{ME} submit 0 run.late": "run.late befalls a job, and the line is about a submit",
    f"{ME} job 0 submit.reset": "submit.reset befalls a submit, and the line is about a job",
    f"{ME} job 0 poll.reset": "poll.reset befalls a poll, and the line is about a job",
    f"{ME} read 0 0 poll.stale": "poll.stale befalls a job, and the line is about a poll",
    f"{ME} read 0 0 mode=ok latency_ms=1": "'mode=ok latency_ms=1' is no fault: column 1: expected a mode "
    f"({MODES}) or a fault of two words and a dot, such as submit.lost_ack, found 'mode'",
    f"{ME} job 0 mode=okay latency_ms=1": f"'mode=okay latency_ms=1' {NO_COURSE}",
    f"{ME} job 0 mode=random latency_ms=1": f"'mode=random latency_ms=1' {NO_COURSE}",
    f"{ME} job 0 mode=script latency_ms=1": f"'mode=script latency_ms=1' {NO_COURSE}",
    f"{ME} job 0 mode=ok": f"'mode=ok' {NO_COURSE}",
    f"{ME} job 0 mode=ok latency_ms=-1": f"'mode=ok latency_ms=-1' {NO_COURSE}",
    f"{ME} job 0 mode=ok latency_ms={LATENCY_MS_MAX + 1}": f"'mode=ok latency_ms={LATENCY_MS_MAX + 1}' {NO_COURSE}",
    f"{ME} job 0 mode=flaky latency_ms=1": f"'mode=flaky latency_ms=1' {NO_TURN}",
    f"{ME} job 0 mode=flaky/slow latency_ms=1": f"'mode=flaky/slow latency_ms=1' {NO_TURN}",
    f"{ME} job 0 mode=ok/fail latency_ms=1": f"'mode=ok/fail latency_ms=1' {NO_TURN}",
}


@pytest.mark.parametrize("line", MISTAKES)
def test_a_mistake_says_where_it_is_and_what_is_allowed(line: str) -> None:
    """The number of the line, what stands there, and what could."""
    assert mistakes(HEADING, line) == (f"line 2: {MISTAKES[line]}",)


@pytest.mark.parametrize(
    ("first", "second", "mistake"),
    [
        ("submit 0 submit.reset", "submit 0 submit.reset", "is another fault of this submit; keep one"),
        ("submit 0 submit.reset", "submit 0 submit.lost_ack", "is another fault of this submit; keep one"),
        ("read 0 1 poll.reset", "read 0 1 poll.slow", "is another fault of this read; keep one"),
        ("job 0 mode=ok latency_ms=1", "job 0 mode=hang latency_ms=1", "is another course of this job; keep one"),
        ("job 0 run.late", "job 0 run.vanish", "run.vanish and run.late exclude each other; keep one"),
        ("job 0 run.late", "job 0 run.late(factor=2)", "run.late(factor=2) and run.late exclude each other; keep one"),
    ],
)
def test_two_lines_that_cannot_both_be_true_are_a_mistake(first: str, second: str, mistake: str) -> None:
    """Were one of them passed over, taking the other out would let it in."""
    assert mistakes(f"{ME} {first}", f"{ME} {second}") == (f"line 2: {mistake}",)
    assert read_replay([f"{ME} {first}", f"{YOU} {second}"])


def test_a_submit_a_job_and_a_read_of_one_number_are_three_things() -> None:
    """They have counters of their own."""
    lines = ["submit 0 submit.lost_ack", "job 0 run.late", "job 0 mode=hang latency_ms=1", "read 0 0 poll.reset"]

    assert read_replay(f"{ME} {line}" for line in [*lines, "job 1 run.late", "read 0 1 poll.reset"])


def test_all_mistakes_are_reported_at_once() -> None:
    """Each with its line; lines in between that are right do not matter."""
    found = mistakes("hello", f"{ME} submit 0 submit.reset", f"{ME} job 0 poll.reset", "", f"{ME} job 0 mode=x")

    assert [mistake.partition(":")[0] for mistake in found] == ["line 1", "line 3", "line 5"]


def test_a_mistake_that_is_long_is_cut() -> None:
    """A file that is something else altogether is not printed."""
    (mistake,) = mistakes("x" * 10_000)

    assert len(mistake) < 200


# ---- laws

PLACES = st.sampled_from([HELLO, OTHER]), st.integers(0, 2)
USAGES = {unit: [kind.usage for kind in KINDS.values() if kind.unit is unit] for unit in Unit}
COURSES = st.builds(
    Course,
    st.sampled_from([mode for mode in WEIGHABLE_MODES if mode is not Mode.FLAKY]),
    st.none(),
    st.integers(0, LATENCY_MS_MAX),
) | st.builds(Course, st.just(Mode.FLAKY), st.sampled_from(Turn), st.integers(0, LATENCY_MS_MAX))
RUNS = st.builds(
    Replay,
    st.dictionaries(st.tuples(*PLACES), st.sampled_from(USAGES[Unit.SUBMIT]).map(fault)),
    st.dictionaries(st.tuples(*PLACES), COURSES),
    st.dictionaries(
        st.tuples(*PLACES),
        st.lists(st.sampled_from(USAGES[Unit.JOB]).map(fault), min_size=1, unique_by=lambda one: one.kind.excludes).map(
            tuple
        ),
    ),
    st.dictionaries(st.tuples(*PLACES, st.integers(0, 2)), st.sampled_from(USAGES[Unit.POLL]).map(fault)),
)


def lines_of(replay: Replay) -> list[str]:
    """Return the lines that record *replay*."""
    return [
        *(f"{identity.hex()} submit {hit} {one.text}" for (identity, hit), one in replay.submits.items()),
        *(f"{identity.hex()} job {ordinal} {one.spelled}" for (identity, ordinal), one in replay.courses.items()),
        *(
            f"{identity.hex()} job {ordinal} {one.text}"
            for (identity, ordinal), faults in replay.jobs.items()
            for one in faults
        ),
        *(f"{identity.hex()} read {ordinal} {n} {one.text}" for (identity, ordinal, n), one in replay.reads.items()),
    ]


def told(replay: Replay) -> dict[tuple[str, ...], object]:
    """Return what *replay* says of every submit, job and read that there could be."""
    found: dict[tuple[str, ...], object] = {}
    for identity in (HELLO, OTHER):
        for number in range(3):
            place = identity.hex(), str(number)
            submit, faults = replay.submits.get((identity, number)), replay.jobs.get((identity, number), ())
            found["submit", *place] = _texts(submit)
            found["course", *place] = replay.course(identity, number, 250).spelled
            found["faults", *place] = frozenset(texts(faults))
            for n in range(3):
                found["read", *place, str(n)] = _texts(replay.reads.get((identity, number, n)))
    return found


def _texts(one: Fault | None) -> str | None:
    return one.text if one is not None else None


@settings(deadline=None)
@given(RUNS, st.randoms(use_true_random=False))
def test_a_run_written_down_and_read_again_is_the_same_run(replay: Replay, chance: Random) -> None:
    """… in whatever order its lines stand."""
    lines = lines_of(replay)
    chance.shuffle(lines)
    again = read_replay([HEADING, *lines])

    assert told(again) == told(replay)
    assert all(fate_of(again, *place) == fate_of(replay, *place) for place in replay.jobs)


@settings(deadline=None)
@given(RUNS.filter(lambda replay: bool(lines_of(replay))), st.data())
def test_taking_one_line_out_changes_nothing_else(replay: Replay, data: st.DataObject) -> None:
    """A line can be taken out, and nothing else changes: so a long recording can be cut down to what matters."""
    lines = lines_of(replay)
    out = data.draw(st.integers(0, len(lines) - 1))
    before, after = told(read_replay(lines)), told(read_replay([*lines[:out], *lines[out + 1 :]]))
    changed = [place for place in before if before[place] != after[place]]
    identity, what, number, rest = lines[out].split(" ", 3)
    kind = ("course" if rest.startswith("mode=") else "faults") if what == "job" else what
    place = (kind, identity, number) if what != "read" else (kind, identity, number, rest.partition(" ")[0])

    # A course that says what holds anyway changes nothing by going.
    assert changed == [place] or (not changed and rest == "mode=ok latency_ms=250")


@settings(deadline=None)
@given(st.lists(st.text(max_size=60) | st.sampled_from([*MISTAKES, f"{ME} submit 0 submit.reset"]), max_size=5))
def test_any_lines_are_a_run_or_mistakes(lines: list[str]) -> None:
    """Nothing else comes of it; and each mistake is one sentence about one line."""
    try:
        read_replay(lines)
    except ReplayError as error:
        found = error.mistakes
    else:
        return
    assert 1 <= len(found) <= len(lines)
    assert all(mistake.startswith("line ") for mistake in found)
