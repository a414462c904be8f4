"""Servers that several tests share: one on each stack, with whatever is bad for them kept in their stderr."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.web.stack import STACKS, Served, served


@pytest.fixture(scope="module", params=STACKS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with the module's SETTINGS on each stack; it must have logged nothing bad when the module is done."""
    settings = getattr(request.module, "SETTINGS", {})
    with served(tmp_path_factory.mktemp("server") / "stderr", *STACKS[request.param], **settings) as running:
        yield running
        running.stop()
        assert running.complaints() == ""


@pytest.fixture(scope="module")
def one_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with the module's SETTINGS on the stack uvicorn picks by itself; it too must have logged nothing bad."""
    settings = getattr(request.module, "SETTINGS", {})
    with served(tmp_path_factory.mktemp("server") / "stderr", **settings) as running:
        yield running
        running.stop()
        assert running.complaints() == ""
