"""A real server for the length of a block, for tests: `with serve(mode="flaky", seed=7) as dummy: …`."""

from __future__ import annotations

from dummyllm.settings import SettingsError
from dummyllm.testing.dummy import Dummy, DummyClock, JobView
from dummyllm.testing.serving import Serving, serve

__all__ = ["Dummy", "DummyClock", "JobView", "Serving", "SettingsError", "serve"]
