"""The pytest plugin: the fixture `dummyllm`, its marker of the same name, and two options.

pytest imports this module in every run of everybody who has dummyLLM installed, so it imports nothing but pytest: the
server comes with the first test that uses the fixture.
"""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from dummyllm.testing import Dummy, Serving

MARKER = (
    "dummyllm(**settings): settings of the server that the fixture `dummyllm` runs, in small letters and without "
    "DUMMYLLM_, as in mode='flaky', seed=7; of several markers the nearest wins"
)
_DUMMY = pytest.StashKey["Dummy"]()


@pytest.fixture
def dummyllm(request: pytest.FixtureRequest) -> Iterator[Dummy]:
    """Run a dummyLLM server for this test alone; `@pytest.mark.dummyllm(…)` sets it up."""
    with _serving(request) as dummy:
        request.node.stash[_DUMMY] = dummy
        yield dummy


def _serving(request: pytest.FixtureRequest) -> Serving:
    """Return the server that the test's markers ask for."""
    from dummyllm.testing import SettingsError, serve  # noqa: PLC0415  # see above

    settings, places = _marked(request)
    seed: str | None = request.config.option.dummyllm_seed
    try:
        return serve(**({} if seed is None else {"seed": seed}) | settings)
    except SettingsError as error:
        mistakes = error.mistakes
    told = [f"@pytest.mark.dummyllm on {_place(mistake, places)}: {mistake}" for mistake in mistakes]
    pytest.fail("\n".join(told), pytrace=False)


def _marked(request: pytest.FixtureRequest) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the settings that the test's markers ask for, and of each the name of what carries the marker."""
    settings: dict[str, Any] = {}
    places: dict[str, str] = {}
    for node in request.node.listchain():  # the nearest last, and a parameter's own marker after the function's
        for marker in node.own_markers:
            if marker.name != "dummyllm":
                continue
            if marker.args:
                sorry = f"has {marker.args[0]!r} without a name; write settings as mode='flaky', seed=7"
                pytest.fail(f"@pytest.mark.dummyllm on {node.name} {sorry}", pytrace=False)
            settings |= marker.kwargs
            places |= dict.fromkeys(marker.kwargs, node.name)
    return settings, places


def _place(mistake: str, places: dict[str, str]) -> str:
    """Return what carries the marker that made *mistake*, which begins with the name of a setting."""
    named = [place for name, place in places.items() if mistake.startswith((f"{name}=", f"{name} "))]
    return (named or [*places.values()])[0]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the two options."""
    group = parser.getgroup("dummyllm")
    group.addoption(
        "--dummyllm-seed",
        metavar="N",
        type=_seed,
        help="the seed of every dummyLLM server whose markers name none (default: 1337)",
    )
    group.addoption(
        "--dummyllm-report",
        metavar="DIR",
        help="write the verdict and the journal of each failed test that used the fixture dummyllm into this directory",
    )


def _seed(text: str) -> str:
    from dummyllm.setting_values import seed  # noqa: PLC0415

    try:
        seed(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} {error}") from None
    return text


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and make the directory for reports, so that a run does not end without them."""
    config.addinivalue_line("markers", MARKER)
    directory = _reports(config)
    if directory is not None:
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise pytest.UsageError(f"--dummyllm-report {directory}: {error.strerror}; name a directory") from None


def _reports(config: pytest.Config) -> Path | None:
    named: str | None = config.option.dummyllm_report
    return None if named is None else config.invocation_params.dir / named


# Old-style, which every pluggy knows: a plugin that cannot be loaded breaks the runs of those who never use it.
@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, None]:
    """Tell what the server knows of a test that failed."""
    outcome = yield
    report: pytest.TestReport = outcome.get_result()
    dummy = item.stash.get(_DUMMY, None)
    if dummy is not None and report.failed:
        from dummyllm.testing.report import section, write  # noqa: PLC0415

        report.sections.append(("dummyllm", section(dummy)))
        directory = _reports(item.config)
        if directory is not None:
            try:
                write(dummy, directory, item.nodeid)
            except OSError as error:  # whatever leaves a hook ends the whole run
                report.sections.append(("dummyllm", f"--dummyllm-report {directory}: {error.strerror}"))
    if dummy is not None and call.when == "teardown":
        del item.stash[_DUMMY]  # items are kept to the end of the run, and journals need not be
