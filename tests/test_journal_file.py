"""The journal in a file: a line of JSON for each entry, and what can be read of it whatever became of the server."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.request import Request, urlopen

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dummyllm.core.request import JobId
from dummyllm.core.timeline import State
from dummyllm.journal import Delivered, Entry, Journal, What
from dummyllm.journal_file import GATHERED_MAX, JournalFile, JournalFileError, Read, read_journal
from dummyllm.journal_line import Amendment, Closing, Heading, Line, line_of
from dummyllm.verdict.attempts import run_of
from dummyllm.verdict.judge import judge
from dummyllm.web.app import App
from tests.live import Server, serve
from tests.web.desk import app_with, post, submitted

HEADING = Heading(version="0.3.1", seed="7", replay="dummyllm serve")
OTHER = Heading(version="0.3.1", seed="8")
CLOSING = Closing(1_800_000_000_000, "0123456789abcdef", "fedcba9876543210", "exact")
TORN = b'{"seq":9,"at_ms":180000'
PATIENCE_S = 20


def entry(seq: int, delivered: Delivered = Delivered.YES, **more: Any) -> Entry:
    return Entry(seq, 1_800_000_000_000 + seq, What.POLL, JobId("job_1"), status=200, delivered=delivered, **more)


def line(seq: int) -> Line:
    return line_of(entry(seq), 0.0)


def encoded(*parts: Any) -> list[bytes]:
    """Return *parts* as the lines of a file; bytes stand for themselves."""
    return [part if isinstance(part, bytes) else msgspec.json.encode(part) + b"\n" for part in parts]


def read(path: Path) -> Read:
    with path.open("rb") as lines:
        return read_journal(lines)


def seqs(found: Read) -> list[int]:
    return [one.seq for one in found.lines]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.jsonl"


@pytest.fixture
def keep(path: Path) -> Iterator[Callable[..., JournalFile]]:
    """Open the file, and close it with the test."""
    opened: list[JournalFile] = []

    def keep(heading: Heading = HEADING, at: Path = path) -> JournalFile:
        opened.append(JournalFile(at, heading, zero_s=0.0))
        return opened[-1]

    yield keep
    for file in opened:
        file.close(CLOSING)


# --- What is written is what is read ---------------------------------------------------------------------------------


def test_what_was_written_is_what_is_read(keep: Callable[..., JournalFile], path: Path) -> None:
    """A file begins with a heading, goes on with a line for each entry, and ends with a closing line."""
    file = keep()
    entries = [entry(0, state=State.RUNNING), entry(1, fault="poll.slow(ms=9)", took_ms=9), entry(2, note="é\u2028\n")]
    for one in entries:
        file.take(one)
    file.close(CLOSING)

    assert read(path) == Read(HEADING, tuple(line_of(one, 0.0) for one in entries), CLOSING, 5)
    assert path.read_bytes().count(b"\n") == 5


def test_an_entry_is_written_once_and_amended_when_more_is_known(keep: Callable[..., JournalFile], path: Path) -> None:
    """Whether a late answer arrived shows with the next request of its connection: that is a line of its own."""
    file = keep()
    late, other = entry(0, Delivered.UNKNOWN), entry(1, Delivered.UNKNOWN)
    file.take(late)
    file.take(other)
    late.delivered = Delivered.YES
    file.take(late)

    assert [(one.seq, one.delivered) for one in read(path).lines] == [(0, Delivered.YES), (1, Delivered.UNKNOWN)]
    assert path.read_bytes().splitlines()[-1] == b'{"amends":0,"delivered":"yes"}'


def test_what_is_amended_but_is_not_there_is_passed_over() -> None:
    """The beginning of a file may have been cut off by whoever copied it."""
    found = read_journal(encoded(HEADING, line(3), Amendment(2, Delivered.NO)))

    assert [(one.seq, one.delivered) for one in found.lines] == [(3, Delivered.YES)]


def test_lines_are_gathered_and_written_a_moment_later(keep: Callable[..., JournalFile], path: Path) -> None:
    """A request pays for no system call of its own; one call is due at a time."""
    file, due = keep(), []
    file.attach(lambda after_s, call: due.append((after_s, call)))
    for seq in range(3):
        file.take(entry(seq))
    assert (seqs(read(path)), [after_s for after_s, _ in due]) == ([], [0.1])

    due.pop()[1]()
    assert seqs(read(path)) == [0, 1, 2]
    file.take(entry(3))
    assert len(due) == 1


def test_many_lines_are_written_at_once(keep: Callable[..., JournalFile], path: Path) -> None:
    """A few times a second, or when they are many."""
    file = keep()
    file.attach(lambda *_: None)
    begun_bytes = path.stat().st_size
    for seq in range(GATHERED_MAX):
        assert path.stat().st_size == begun_bytes
        file.take(entry(seq))
    assert seqs(read(path)) == list(range(GATHERED_MAX))


def test_whatever_comes_after_the_closing_line_is_lost(keep: Callable[..., JournalFile], path: Path) -> None:
    """A connection may outlive the app by a moment."""
    file = keep()
    file.close(CLOSING)
    file.take(entry(0))
    file.close(CLOSING)

    assert read(path) == Read(HEADING, (), CLOSING, 2)


def test_a_disk_that_takes_no_more_is_said_once_and_harms_nobody(
    keep: Callable[..., JournalFile], capsys: pytest.CaptureFixture[str]
) -> None:
    """The journal ends there; the server goes on. /dev/full is such a disk."""
    file = keep(at=Path("/dev/full"))
    for seq in range(3):
        file.take(entry(seq))
    file.close(CLOSING)

    assert capsys.readouterr().err == (
        "dummyllm: the journal ends here: '/dev/full' cannot be written any more (No space left on device)\n"
    )


# --- Several runs in one file ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [[], [CLOSING], [b"garbage\n"], [TORN + b"\n"], [b"\xff\n"]])
def test_of_several_runs_in_one_file_the_last_counts(end: list[Any]) -> None:
    """However the one before it ended: what is wrong with an earlier run does no harm."""
    found = read_journal(encoded(HEADING, line(0), line(1), *end, OTHER, line(0)))

    assert (found.heading, seqs(found), found.closing) == (OTHER, [0], None)


def test_a_server_that_is_started_again_adds_to_the_file(keep: Callable[..., JournalFile], path: Path) -> None:
    """It is never written over."""
    for heading in (HEADING, OTHER):
        keep(heading).close(CLOSING)

    assert path.read_bytes().splitlines() == [
        one.removesuffix(b"\n") for one in encoded(HEADING, CLOSING, OTHER, CLOSING)
    ]
    assert read(path).heading == OTHER


def test_a_run_begins_on_a_line_of_its_own(keep: Callable[..., JournalFile], path: Path) -> None:
    """Also where the one before it was killed in the middle of a line."""
    path.write_bytes(b"".join(encoded(HEADING, line(0), TORN)))
    file = keep(OTHER)
    file.take(entry(0))

    assert read(path) == Read(OTHER, (line(0),), None, 5)


# --- A file that does not end in peace -------------------------------------------------------------------------------


@given(cut=st.integers(1, 400))
def test_of_a_file_that_was_cut_every_whole_line_is_read(cut: int) -> None:
    """A process that is killed loses the last moment: there is no closing line, and no line that is not whole."""
    raw = b"".join(encoded(HEADING, *map(line, range(5)), CLOSING))
    kept = raw[:-cut]
    found = read_journal(kept.splitlines(keepends=True))
    whole = kept.count(b"\n") + kept.endswith(b"}")  # an editor may have taken the last end of line

    assert (found.closing is None) == (cut > 1)
    assert found.lines == tuple(map(line, range(min(5, whole - 1))))
    assert found.ends_at_line == whole


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ([], "it has no whole line: a journal begins with a heading"),
        ([TORN], "it has no whole line: a journal begins with a heading"),
        ([b"# README\n", b"text\n"], "line 1 is no line of a journal: JSON is malformed: invalid character (byte 0)"),
        ([line(0), HEADING, b"[]\n"], "line 3 is no line of a journal: Expected `object`, got `array`"),
        ([line(0)], "line 1 is no line of a journal: Object missing required field `journal`"),
        ([HEADING, b"\n", line(0)], "line 2 is no line of a journal: Input data was truncated"),
        ([HEADING, b"\xff\n", b"x\n"], "line 2 is no line of a journal: JSON is malformed: invalid character (byte 0)"),
        ([HEADING, b'{"seq":1,"at_ms":1,"what":"nap","delivered":"yes"}\n'], "Invalid enum value 'nap' - at `$.what`"),
        ([b'{"journal":2,"new":1}\n', b'{"other":1}\n'], "its schema is 2, and this dummyLLM reads 1"),
        ([HEADING, line(0), b'{"journal":2}\n', line(0)], "its schema is 2, and this dummyLLM reads 1"),
        ([HEADING, b"x\n", b'{"journal":"1"}\n'], "line 3 is no line of a journal: Expected `int`, got `str` - at"),
    ],
)
def test_what_is_no_journal_is_refused_with_the_line_and_the_reason(parts: list[Any], why: str) -> None:
    """A file that is no journal, one of a later schema, or one with something else in the middle of its last run."""
    with pytest.raises(JournalFileError) as refused:
        read_journal(encoded(*parts))

    assert why in str(refused.value)


def test_members_of_a_later_version_are_passed_over() -> None:
    """Members are only ever added to the schema, so an old reader reads a new file."""
    parts = [json.loads(part) | {"later": [1]} for part in encoded(HEADING, line(0), CLOSING)]
    found = read_journal(encoded(*parts))

    assert found == Read(HEADING, (line(0),), CLOSING, 3)


PIECES = [
    *encoded(HEADING, line(0), Amendment(0, Delivered.NO), CLOSING),
    b'{"journal":2}\n',
    b'{"seq":',
    b"\n",
    b"[" * 9000,
]


@given(pieces=st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=40)), max_size=12))
def test_noise_is_a_journal_or_is_refused_and_nothing_else(pieces: list[bytes]) -> None:
    """Whatever the bytes, what comes of them is a run or one sentence."""
    lines = b"".join(pieces).splitlines(keepends=True)
    try:
        found = read_journal(lines)
    except JournalFileError:
        return
    judge(run_of(found.heading, found.lines, closing=found.closing))


@pytest.mark.parametrize(
    "noise", [b"[" * 100_000, b'{"seq":' * 50_000, b'{"x":"\xc3\x28"}', b'{"journal":1,"seed":"\xff"}']
)
def test_no_depth_and_no_encoding_is_too_much(noise: bytes) -> None:
    """A line that no decoder takes is a mistake in a line, not one of ours."""
    for parts in ([noise + b"\n"], [HEADING, noise + b"\n"]):
        with pytest.raises(JournalFileError, match="is no line of a journal"):
            read_journal(encoded(*parts))


# --- A server that keeps its journal in a file -----------------------------------------------------------------------


def closed(app: App, path: Path) -> Read:
    """Close the file of *app*, and return what it has."""
    assert app._journal_file is not None
    app._journal_file.close(CLOSING)
    return read(path)


def test_a_reset_begins_a_run_anew(path: Path) -> None:
    """What follows a reset is the same as after a start: a heading, and numbers from 0; the first entry says why."""
    app = app_with(JOURNAL=str(path))
    for _ in range(3):
        submitted(app)
    post(app, "/__admin/reset")
    submitted(app)
    found = closed(app, path)

    assert [(one.seq, one.what) for one in found.lines] == [(0, What.RESET), (1, What.SUBMIT)]
    assert path.read_bytes().count(b'{"journal":1') == 2


@pytest.mark.parametrize("was_kept", [True, False])
def test_what_becomes_known_of_a_forgotten_entry_is_not_told_of_another_one(
    keep: Callable[..., JournalFile], path: Path, *, was_kept: bool
) -> None:
    """A wait that a forced reset cuts, or a late answer that turns out to have arrived: both are of the run before."""
    file, journal = keep(), Journal(9)
    journal.clearing = lambda: file.begin(OTHER)
    early = entry(journal.next_seq(), Delivered.UNKNOWN)
    journal.append(early)
    if was_kept:
        file.take(early)
    journal.clear()
    file.take(entry(journal.next_seq(), Delivered.NO))
    early.delivered = Delivered.YES
    file.take(early)

    assert [(one.seq, one.delivered) for one in read(path).lines] == [(0, Delivered.NO)]


def test_the_file_has_what_fell_out_of_the_ring(path: Path) -> None:
    """`DUMMYLLM_JOURNAL_MAX` bounds the memory, not the file."""
    app = app_with(JOURNAL=str(path), JOURNAL_MAX="2")
    for _ in range(5):
        submitted(app)

    assert seqs(closed(app, path)) == [0, 1, 2, 3, 4]


def until(holds: Callable[[], bool]) -> None:
    """Look until it *holds*."""
    deadline_s = monotonic() + PATIENCE_S
    while not holds():
        assert monotonic() < deadline_s


def submit(server: Server, number: int) -> None:
    body = json.dumps({"op": "work", "args": {"n": number}}).encode()
    urlopen(Request(f"{server.url}/v1/jobs", body, {"Content-Type": "application/json"}), timeout=10).close()


def test_the_file_of_a_server_that_was_killed_says_where_it_ends(path: Path) -> None:
    """`kill -9` in the middle of a run: every line that was written is there, and the verdict says what is missing."""
    with serve(JOURNAL=str(path), LATENCY_MS="0") as server:
        for number in range(5):
            submit(server, number)
        until(lambda: len(read(path).lines) == 5)
        server.process.kill()
        server.process.wait()
    found = read(path)
    verdict = judge(run_of(found.heading, found.lines, closing=found.closing))

    assert (found.closing, found.ends_at_line) == (None, 6)
    assert verdict.notes[0] == (
        "the journal ends with entry 4 and has no closing line: the server did not come to its end in peace"
    )
    assert (verdict.seed, verdict.digests.fates, verdict.reproducible) == ("1337", None, None)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_file_of_a_server_that_was_stopped_ends_with_its_sums(path: Path, number: int) -> None:
    """Nothing that was gathered is lost: neither entries nor digests. What fell out of the ring is not missed."""
    with serve(JOURNAL=str(path), LATENCY_MS="0", JOURNAL_MAX="2") as server:
        for count in range(5):
            submit(server, count)
        server.stop(number)
    found = read(path)

    assert seqs(found) == [0, 1, 2, 3, 4]
    assert found.closing is not None
    assert (found.closing.reproducible, found.closing.dropped) == ("exact", 0)
    assert judge(run_of(found.heading, found.lines, closing=found.closing)).notes == ()
