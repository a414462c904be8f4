"""Keeps the journal in a file as well: a line of JSON for each entry, written as soon as its answer has left.

Entries are gathered, and made into lines and written together, a few times a second or when they are many: so a request
pays for no system call of its own, and what makes lines is busy seldom, and then in one go. A process that is killed
loses the last moment; every whole line before it can be read. The schema is in `journal_line`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import msgspec

from dummyllm.journal import FORGOTTEN, Entry
from dummyllm.journal_line import SCHEMA, Amendment, Closing, Heading, Line, line_of

GATHERED_MAX = 256
FLUSH_AFTER_S = 0.1
SHARED = ("job", "identity", "fingerprint", "user_agent")

Later = Callable[[float, Callable[[], None]], object]
"""Calls a function in so many seconds."""

_encode_lines = msgspec.json.Encoder().encode_lines


class JournalFile:
    """The file at *path*, to which a run is added that begins with *heading*. Before `attach` nothing is held back."""

    def __init__(self, path: Path, heading: Heading, zero_s: float) -> None:
        self._path = path
        has_torn_line = _is_torn(path)
        self._file: BinaryIO = path.open("ab")
        self._zero_s = zero_s
        self._gathered: list[Entry | Heading | Amendment | Closing] = []
        self._later: Later | None = None
        self._is_due = False
        if has_torn_line:
            self._file.write(b"\n")
        self.begin(heading)

    def begin(self, heading: Heading) -> None:
        """Begin another run: what is read of the file is the last one."""
        self._gathered.append(heading)
        self.flush()

    def attach(self, later: Later) -> None:
        """Use *later* to write what was gathered a moment after it was."""
        self._later = later

    def take(self, entry: Entry) -> None:
        """Write *entry*, whose answer has left; the next time, only whether it arrived."""
        if entry.seq == FORGOTTEN:
            return  # it belongs to the run before the reset, and its number to another entry by now
        gathered = self._gathered
        if entry.is_kept:
            gathered.append(Amendment(entry.seq, entry.delivered))
        else:
            entry.is_kept = True
            gathered.append(entry)
        if self._later is None or len(gathered) >= GATHERED_MAX:
            self.flush()
        elif not self._is_due:
            self._is_due = True
            self._later(FLUSH_AFTER_S, self.flush)

    def close(self, closing: Closing) -> None:
        """Write the last line. Whatever is written after it is lost."""
        if not self._file.closed:
            self._gathered.append(closing)
            self.flush()
            self._file.close()

    def flush(self) -> None:
        """Hand what was gathered to the operating system; if it takes no more, say so once, and write no more."""
        self._is_due = False
        gathered, self._gathered = self._gathered, []
        if gathered and not self._file.closed:
            zero_s = self._zero_s
            lines = [line_of(one, zero_s) if isinstance(one, Entry) else one for one in gathered]
            try:
                self._file.write(_encode_lines(lines))
                self._file.flush()
            except OSError as error:
                why = f"{str(self._path)!r} cannot be written any more ({error.strerror})"
                sys.stderr.write(f"dummyllm: the journal ends here: {why}\n")
                with suppress(OSError):
                    self._file.close()


def _is_torn(path: Path) -> bool:
    """Say whether the file at *path* ends in the middle of a line, as a process that was killed leaves it."""
    if not path.is_file() or not path.stat().st_size:
        return False
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"


class Read(msgspec.Struct, frozen=True):
    """What a file has. *closing* is None if the server was killed; then *ends_at_line* is the last that is whole."""

    heading: Heading
    lines: tuple[Line, ...]
    closing: Closing | None
    ends_at_line: int


class JournalFileError(ValueError):
    """A file that is no journal; the sentence says why, and in which line."""


def read_journal(lines: Iterable[bytes]) -> Read:
    """Return the last run that the *lines* of a file have; a last line that is not whole is passed over.

    Raise `JournalFileError` if the file is no journal, or if its last run is of a later schema, or has something in its
    middle that is no line. What is wrong with an earlier run does no harm.
    """
    reading = _Reading()
    number = 0
    for number, raw in enumerate(lines, start=1):
        if not raw.endswith(b"\n") and not _is_json(raw):
            number -= 1  # noqa: PLW2901  # it is not whole
            break
        try:
            reading.take(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            reading.mistake = reading.mistake or f"line {number} is no line of a journal: {error}"
    return reading.end(number)


def _is_json(raw: bytes) -> bool:
    """Say whether a last line without its end is whole nevertheless: a part of an object is no JSON."""
    try:
        msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


class _Reading:
    """What was read so far of the run that began last."""

    def __init__(self) -> None:
        self.mistake: str | None = None
        self._heading: Heading | None = None
        self._found: dict[int, Line] = {}
        self._closing: Closing | None = None
        self._texts: dict[str, str] = {}

    def _interned(self, line: Line) -> Line:
        """Return *line* with the one copy of each text that many lines share: a third of the memory of a long run."""
        for member in SHARED:
            text = getattr(line, member)
            if text is not None:
                msgspec.structs.force_setattr(line, member, self._texts.setdefault(text, text))
        return line

    def take(self, raw: bytes) -> None:
        """Take one whole line; raise what the decoder raises if it is none."""
        if raw.startswith(b'{"journal"'):
            self.mistake = None
            self._begin(raw)
        elif self._heading is None:
            self._begin(raw)
        elif raw.startswith(b'{"amends"'):
            amendment = _amendment(raw)
            line = self._found.get(amendment.amends)
            if line is not None:
                self._found[line.seq] = msgspec.structs.replace(line, delivered=amendment.delivered)
        elif raw.startswith(b'{"closed_at_ms"'):
            self._closing = _closing(raw)
        else:
            line = self._interned(_line(raw))
            self._found[line.seq] = line

    def _begin(self, raw: bytes) -> None:
        version = _version(raw).journal
        if version == SCHEMA:
            self._heading = _heading(raw)
        else:
            self.mistake = f"its schema is {version}, and this dummyLLM reads {SCHEMA}"
        self._found.clear()
        self._closing = None

    def end(self, ends_at_line: int) -> Read:
        """Return what was read, or raise `JournalFileError`."""
        if self.mistake is not None:
            raise JournalFileError(self.mistake)
        if self._heading is None:
            raise JournalFileError("it has no whole line: a journal begins with a heading")
        return Read(self._heading, tuple(self._found.values()), self._closing, ends_at_line)


class _Version(msgspec.Struct):
    journal: int


_version = msgspec.json.Decoder(_Version).decode
_heading = msgspec.json.Decoder(Heading).decode
_line = msgspec.json.Decoder(Line).decode
_amendment = msgspec.json.Decoder(Amendment).decode
_closing = msgspec.json.Decoder(Closing).decode
