"""The one place that joins the parts: settings in, a server out."""

from __future__ import annotations

from functools import partial

from dummyllm.backend import Backend
from dummyllm.chaos_values import ClockChoice
from dummyllm.clock import Clock, ManualClock, ScaledClock, WallClock
from dummyllm.core.schedule import Schedule
from dummyllm.journal import Journal
from dummyllm.replies import Replies
from dummyllm.setting_values import ElizaOrder
from dummyllm.settings import Settings
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
    return App(backend_of(settings, clock), settings)
