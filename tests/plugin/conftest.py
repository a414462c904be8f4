"""Runs pytest inside this process for a test of the plugin: a real run, in a tenth of the time that a process takes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Protocol

import pytest


class Ran(Protocol):
    """Runs pytest on a test, with no plugin but ours and every warning an error, and returns what came of it."""

    def __call__(self, test: str, *options: str) -> pytest.RunResult: ...


class Modules:
    """Has what was imported in runs. Pytester forgets it, and whoever imports it next would have two of each class."""

    def __init__(self) -> None:
        self.there: dict[str, ModuleType] = {}

    def pytest_unconfigure(self) -> None:
        """Note what is there when a run ends."""
        self.there |= sys.modules

    def come_back(self) -> None:
        """Have all of it again, but for the tests themselves."""
        for name, module in self.there.items():
            if name not in ("test_it", "runner"):
                sys.modules.setdefault(name, module)


@pytest.fixture
def modules() -> Iterator[Modules]:
    modules = Modules()
    yield modules
    modules.come_back()


@pytest.fixture
def pytester(modules: Modules, pytester: pytest.Pytester) -> pytest.Pytester:
    return pytester  # which forgets once more at its end, before the modules come back


@pytest.fixture
def ran(modules: Modules, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Ran:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # those of our own tests take seconds to import

    def ran(test: str, *options: str) -> pytest.RunResult:
        pytester.makepyfile(test_it=test)
        always = ("-p", "dummyllm", "-p", "no:cacheprovider", "-W", "error", "--strict-markers")
        result = pytester.runpytest_inprocess(*always, *options, plugins=[modules])
        modules.come_back()
        return result

    return ran
