"""The one place that joins the parts: settings in, a server out."""

from __future__ import annotations

from dummyllm.backend import Backend
from dummyllm.clock import Clock, WallClock
from dummyllm.journal import Journal
from dummyllm.replies import Replies
from dummyllm.setting_values import ElizaOrder
from dummyllm.settings import Settings
from dummyllm.web.app import App


def backend_of(settings: Settings, clock: Clock | None = None) -> Backend:
    """Return the backend that *settings* ask for; *clock* None is the wall's."""
    eliza_seed = settings.seed if settings.eliza is ElizaOrder.SEEDED else None
    return Backend(
        policy=settings.policy,
        clock=clock or WallClock(),
        journal=Journal(settings.journal_max),
        replies=Replies(settings.eliza_file, eliza_seed),
        jobs_max=settings.jobs_max,
        bytes_max=settings.store_max_bytes,
    )


def app_of(settings: Settings, clock: Clock | None = None) -> App:
    """Return the server that *settings* ask for, as an ASGI callable."""
    return App(backend_of(settings, clock), settings)
