"""The one place that joins the parts: settings in, a server out."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from dummyllm.backend import Backend
from dummyllm.chaos_values import ClockChoice
from dummyllm.clock import Clock, ManualClock, ScaledClock, WallClock
from dummyllm.core.schedule import Schedule
from dummyllm.journal import Journal
from dummyllm.journal_file import JournalFile
from dummyllm.replies import Replies
from dummyllm.setting_values import ElizaOrder
from dummyllm.settings import Settings
from dummyllm.trial import heading_of
from dummyllm.web.app import App


def backend_of(settings: Settings, clock: Clock | None = None) -> Backend:
    """Return the backend that *settings* ask for; *clock* None is the one that they choose."""
    new_schedule = partial(Schedule, slots=settings.slots, queue_max=settings.queue_max) if settings.slots else None
    return Backend(
        policy=settings.policy,
        clock=clock or clock_of(settings.clock),
        journal=Journal(settings.journal_max),
        replies=replies_of(settings),
        jobs_max=settings.jobs_max,
        bytes_max=settings.store_max_bytes,
        new_schedule=new_schedule,
        moves_by_reads=settings.clock.name == "polls",
    )


def replies_of(settings: Settings) -> Replies:
    """Return whoever writes the replies that *settings* ask for."""
    return Replies(settings.eliza_file, settings.seed if settings.eliza is ElizaOrder.SEEDED else None)


def clock_of(choice: ClockChoice) -> Clock:
    """Return the clock that the operator chose. Under `polls` the jobs' own clocks run, and the shared one stands."""
    match choice.name:
        case "scale":
            return ScaledClock(choice.pace)
        case "polls" | "manual":
            return ManualClock()
        case _:
            return WallClock()


def app_of(settings: Settings, clock: Clock | None = None) -> App:
    """Return the server that *settings* ask for, as an ASGI callable."""
    backend = backend_of(settings, clock)
    file = None if settings.journal is None else _kept(backend, settings, settings.journal)
    return App(backend, settings, file)


def _kept(backend: Backend, settings: Settings, path: Path) -> JournalFile:
    """Keep the journal of *backend* in the file at *path* as well."""
    journal = backend.journal
    file = JournalFile(path, heading_of(settings, backend), journal.zero_s)
    journal.sink = file.take
    journal.clearing = lambda: file.begin(heading_of(settings, backend))
    return file
