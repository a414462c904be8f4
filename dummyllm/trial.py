"""Puts the runner of a running server on trial: the journal so far goes in, and the verdict comes out."""

from __future__ import annotations

from collections.abc import Collection
from time import monotonic
from typing import TYPE_CHECKING

import msgspec

from dummyllm import __version__
from dummyllm.backend import Backend
from dummyllm.journal_line import Closing, Heading, Line, line_of
from dummyllm.settings import Settings

if TYPE_CHECKING:
    # The judge is three dozen modules: a server that nobody asks for a verdict starts without them.
    from dummyllm.verdict.judge import Verdict
    from dummyllm.verdict.run import Run


def heading_of(settings: Settings, backend: Backend) -> Heading:
    """Return what a journal of *backend* begins with; it began with the server, whenever it is asked for."""
    age_ms = int((monotonic() - backend.journal.zero_s) * 1000)
    return Heading(
        version=__version__,
        seed=str(settings.seed),
        identity=settings.identity.value,
        clock=settings.clock.name,
        pace=backend.clock.pace,
        started_at_ms=backend.clock.now_ms() - age_ms * backend.clock.pace,
        replay=" ".join([*settings.replay_words, "dummyllm serve"]),
    )


def closing_of(backend: Backend) -> Closing:
    """Return what a journal of *backend* ends with, if it ended now."""
    return Closing(
        closed_at_ms=backend.clock.now_ms(),
        fates=backend.fates_digest,
        traffic=backend.traffic.digest,
        reproducible=backend.reproducible,
        dropped=backend.journal.dropped,
    )


class Case:
    """All that is known at one instant, taken at once, so that it can be judged elsewhere while the server goes on."""

    def __init__(self, backend: Backend, settings: Settings) -> None:
        journal = backend.journal
        self._settings = settings
        self._heading = heading_of(settings, backend)
        self._closing = closing_of(backend)
        self._lines: list[Line] = [line_of(entry, journal.zero_s) for entry in journal.since()]
        self._now_ms = int((monotonic() - journal.zero_s) * 1000)

    def as_file(self) -> bytes:
        """Return what a file has that keeps this journal."""
        return msgspec.json.Encoder().encode_lines([self._heading, *self._lines, self._closing])

    def run(self, *, is_final: bool) -> Run:
        """Return the run so far; *is_final* says that nothing more will come."""
        from dummyllm.verdict.attempts import run_of  # noqa: PLC0415

        settings = self._settings
        return run_of(
            self._heading,
            self._lines,
            same=settings.verdict_identity,
            limits=settings.verdict_limits,
            is_final=is_final,
            now_ms=self._now_ms,
            expected=settings.verdict_expect,
            closing=self._closing,
        )

    def verdict(self, *, is_final: bool, required: Collection[str] = ()) -> Verdict:
        """Return the verdict; raise `verdict.judge.UnknownRule` if one of *required* is none."""
        from dummyllm.verdict.judge import judge  # noqa: PLC0415

        return judge(self.run(is_final=is_final), required)
