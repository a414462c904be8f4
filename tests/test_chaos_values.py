"""The settings that make chaos: each text is a value, or a sentence that says what is allowed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dummyllm import chaos_values
from dummyllm.chaos_values import ClockChoice, clock, contents, every_fault, faults, replay, script
from dummyllm.core.faults.registry import KINDS
from dummyllm.core.mode import Mode
from dummyllm.core.replay import HEADING

Read = Callable[[str], object]

ME = "0aff8219456e3c4a25f984226f52147e"


def complaint_about(read: Read, text: str) -> str:
    with pytest.raises(ValueError, match=r"^(is|cannot be read) ") as caught:
        read(text)
    return str(caught.value)


# ---- clocks


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("wall", ClockChoice("wall")),
        (" Wall\n", ClockChoice("wall")),
        ("POLLS", ClockChoice("polls")),
        ("manual", ClockChoice("manual")),
        ("scale(20)", ClockChoice("scale", 20)),
        ("Scale ( 20 )", ClockChoice("scale", 20)),
        ("scale(1)", ClockChoice("scale", 1)),
        ("scale(1000)", ClockChoice("scale", 1_000)),
    ],
)
def test_a_clock_is_chosen(text: str, choice: ClockChoice) -> None:
    """`wall`, `scale(20)`, `polls` or `manual`; capitals and blanks are forgiven."""
    assert clock(text) == choice


SCALED = "is not a scaled clock; use scale(N) with a whole number N from 1 to 1000"
CLOCK = "is not a clock; use one of wall, scale(20), polls, manual"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("scale(0)", SCALED),
        ("scale(1001)", SCALED),
        ("scale(2.5)", SCALED),
        ("scale(-1)", SCALED),
        ("scale(٣)", SCALED),
        ("scale", SCALED),
        ("scaled", SCALED),
        ("poll", f"{CLOCK} (did you mean 'polls'?)"),
        ("manuel", f"{CLOCK} (did you mean 'manual'?)"),
        ("20", CLOCK),
    ],
)
def test_another_clock_is_refused(text: str, complaint: str) -> None:
    """Both sides of the edge, and the nearest match."""
    assert complaint_about(clock, text) == complaint


# ---- scripts and faults


def test_a_script_is_read() -> None:
    """Fates by step."""
    assert [script("fail, hang*2").at(step).mode for step in range(4)] == [Mode.FAIL, Mode.HANG, Mode.HANG, Mode.HANG]


@pytest.mark.parametrize("read", [script, faults])
@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("Run.late", "cannot be read at column 1: expected "),
        ("", "cannot be read at column 1: expected "),
        ("fail;ok", "cannot be read at column "),
        ("x" * 70_000, "cannot be read at column 65537: expected at most 65,536 characters, found 70,000"),
    ],
)
def test_a_mistake_in_the_grammar_is_told_by_its_column(read: Read, text: str, complaint: str) -> None:
    """Parse errors name the setting, the column and what was expected."""
    assert complaint_about(read, text).startswith(complaint)


def test_faults_are_read_with_their_shares() -> None:
    """Percent of the fault's unit."""
    found = faults("submit.lost_ack=5, submit.status(429,retry_after=2)=10%")

    assert [(one.text, share) for one, share in found] == [
        ("submit.lost_ack", 50_000),
        ("submit.status(429,retry_after=2)", 100_000),
    ]


def test_every_fault_is_every_fault() -> None:
    """All there are, each befalling five in a hundred, with its defaults."""
    found = every_fault()

    assert [(one.text, share) for one, share in found] == [(kind.usage, 50_000) for kind in KINDS.values()]


# ---- recorded runs


def test_a_recorded_run_is_read_from_a_file(tmp_path: Path) -> None:
    """A file that `dummyllm record` wrote."""
    file = tmp_path / "run.faults"
    file.write_text(f"{HEADING}\n{ME} submit 0 submit.reset\r\n\n{ME} job 1 run.late\n", encoding="utf-8")

    run = replay(str(file))
    assert [one.text for one in run.submits.values()] == ["submit.reset"]
    assert [[one.text for one in faults] for faults in run.jobs.values()] == [["run.late"]]


@pytest.mark.parametrize(
    ("wrong", "told", "more"), [(1, 1, ""), (3, 3, ""), (4, 3, "; and 1 more"), (9, 3, "; and 6 more")]
)
def test_the_first_three_mistakes_of_a_recording_are_told(tmp_path: Path, wrong: int, told: int, more: str) -> None:
    """Each with its line, and how many there are more: a file that is something else has a mistake in every line."""
    file = tmp_path / "run.faults"
    file.write_text("\n".join([HEADING, *["?"] * wrong]), encoding="utf-8")
    complaint = complaint_about(replay, str(file))

    assert complaint.startswith("is no recorded run: line 2: '?' is no line of a recorded run; ")
    assert complaint.count("is no line") == told
    assert complaint.endswith(f"or job, or read{more}")


# ---- files


@pytest.mark.parametrize("read", [contents, replay])
@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        ("/no/such/file", "cannot be read (No such file or directory); use the path of a file that can"),
        ("/", "cannot be read (Is a directory); use the path of a file that can"),
        ("x" * 5_000, "cannot be read (File name too long); use the path of a file that can"),
        ("a\x00b", "cannot be read (no file is called so); use the path of a file that can"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(read: Read, path: str, complaint: str) -> None:
    """What is wrong, in the words of the system."""
    assert complaint_about(read, path) == complaint


def test_a_file_that_is_not_utf_8_is_told(tmp_path: Path) -> None:
    """And where it is not."""
    file = tmp_path / "latin"
    file.write_bytes(b"abc\xe9d")

    assert complaint_about(contents, str(file)) == "is not UTF-8: byte 3 cannot be read"


def test_a_file_is_read_up_to_its_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both sides of the edge."""
    monkeypatch.setattr(chaos_values, "FILE_BYTES_MAX", 10)
    file = tmp_path / "file"
    file.write_bytes(b"0123456789")
    assert contents(str(file)) == "0123456789"

    file.write_bytes(b"0123456789a")
    assert complaint_about(contents, str(file)) == "is longer than 10 bytes"


@settings(deadline=None, max_examples=200)
@given(
    st.sampled_from([clock, script, faults, replay]),
    st.text(max_size=20)
    | st.from_regex(r"\A[a-z0-9.()=,+* %-]{0,30}\Z")
    | st.binary(max_size=10).map(os.fsdecode).map(lambda path: f"/no/such/place/{path}"),
)
def test_any_text_is_a_value_or_a_complaint(read: Read, text: str) -> None:
    """A value or ValueError, nothing else; and the complaint is one line that can be printed."""
    try:
        assert read(text) is not None
    except ValueError as error:
        complaint = str(error)
    else:
        return
    complaint.encode()
    assert "\n" not in complaint
