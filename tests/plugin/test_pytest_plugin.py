"""The pytest plugin: each sub-run below is a real run of pytest on the tests that it shows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dummyllm.journal_file import read_journal
from tests.live import ROOT, environment
from tests.plugin.conftest import Ran

pytest_plugins = ["pytester"]

TALK = """
import httpx
import pytest
from dummyllm.testing import Dummy, serve

def mode_of(dummy):
    return httpx.get(f"{dummy.base_url}/health").json()["mode"]

def submit(dummy, op="a"):
    return httpx.post(f"{dummy.base_url}/v1/jobs", json={"op": op}).json()["id"]
"""


def test_the_plugin_comes_with_the_package(pytester: pytest.Pytester) -> None:
    """There is nothing to switch on."""
    pytester.makepyfile("def test_it(dummyllm): assert dummyllm.base_url")

    pytester.runpytest_subprocess("-W", "error").assert_outcomes(passed=1)


def test_the_fixture_is_a_real_server(ran: Ran) -> None:
    """`dummyllm.base_url` is where it is."""
    ran(
        TALK
        + """
def test_it(dummyllm):
    assert isinstance(dummyllm, Dummy)
    assert httpx.get(f"{dummyllm.base_url}/health").json()["ok"]
        """,
    ).assert_outcomes(passed=1)


def test_each_test_has_a_server_of_its_own(ran: Ran) -> None:
    """Its jobs, its ordinals, its port; the one before has ended, and a failed test leaves none behind either."""
    ran(
        TALK
        + """
before = []

@pytest.mark.parametrize("number", range(4))
def test_it(dummyllm, number):
    for url in before:
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{url}/health")
    submit(dummyllm)
    assert [job.ordinal for job in dummyllm.jobs] == [0]
    before.append(dummyllm.base_url)
    assert number != 2
        """,
    ).assert_outcomes(passed=3, failed=1)


def test_a_marker_has_any_setting(ran: Ran) -> None:
    """By its name, in small letters and without the prefix."""
    ran(
        TALK
        + """
@pytest.mark.dummyllm(script="fail,ok", faults="poll.stale=5", seed=7, clock="manual", latency_ms=0)
def test_it(dummyllm):
    assert [submit(dummyllm), submit(dummyllm)] == [job.id for job in dummyllm.jobs]
    assert [job.mode for job in dummyllm.jobs] == ["fail", "ok"]
    dummyllm.clock.advance(1)
    assert dummyllm.settings.seed == 7
        """,
    ).assert_outcomes(passed=1)


def test_markers_merge_and_the_nearest_wins(ran: Ran) -> None:
    """Of module, class, function and parameter; of two on one function the upper one."""
    ran(
        TALK
        + """
pytestmark = pytest.mark.dummyllm(mode="slow", seed=1, slots=1)

def told(dummy):
    return mode_of(dummy), dummy.settings.seed, dummy.settings.slots

def test_module(dummyllm):
    assert told(dummyllm) == ("slow", 1, 1)

@pytest.mark.dummyllm(mode="fail", seed=2)
class TestClass:
    def test_class(self, dummyllm):
        assert told(dummyllm) == ("fail", 2, 1)

    @pytest.mark.dummyllm(mode="hang")
    def test_function(self, dummyllm):
        assert told(dummyllm) == ("hang", 2, 1)

    @pytest.mark.dummyllm(mode="echo")
    @pytest.mark.dummyllm(mode="hang", slots=2)
    def test_two(self, dummyllm):
        assert told(dummyllm) == ("echo", 2, 2)

    @pytest.mark.dummyllm(mode="hang", slots=2)
    @pytest.mark.parametrize("mode", [pytest.param("ok", marks=pytest.mark.dummyllm(mode="ok", seed=3))])
    def test_parameter(self, dummyllm, mode):
        assert told(dummyllm) == (mode, 3, 2)

    class TestInner:
        def test_inner(self, dummyllm):
            assert told(dummyllm) == ("fail", 2, 1)

@pytest.mark.dummyllm(mode="fail", seed=3)
class Base:
    def test_derived(self, dummyllm):
        assert told(dummyllm) == ("fail", 4, 1)

@pytest.mark.dummyllm(seed=4)
class TestDerived(Base):
    pass
        """,
    ).assert_outcomes(passed=7)


def test_a_fixture_of_the_user_finds_the_marked_server(ran: Ran) -> None:
    """It is the same server all through a test."""
    ran(
        TALK
        + """
@pytest.fixture
def client(dummyllm):
    with httpx.Client(base_url=dummyllm.base_url) as client:
        yield client

@pytest.mark.dummyllm(mode="fail")
def test_it(client, dummyllm):
    assert client.get("/health").json()["mode"] == mode_of(dummyllm) == "fail"
        """,
    ).assert_outcomes(passed=1)


def test_a_marker_with_a_bad_setting_is_an_error_that_names_it(ran: Ran) -> None:
    """All mistakes at once, each with what carries its marker, and no traceback."""
    result = ran(
        TALK
        + """
pytestmark = pytest.mark.dummyllm(moed="ok")

@pytest.mark.dummyllm(mode="slwo", seed=7)
class TestClass:
    @pytest.mark.dummyllm(seed="x", script=["fail"])
    def test_it(self, dummyllm):
        pass
        """,
    )

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines_random(
        [
            "@pytest.mark.dummyllm on test_it.py: moed is not a setting (did you mean 'mode'?)",
            "@pytest.mark.dummyllm on TestClass: mode='slwo' is not a mode; use one of ok, *",
            "@pytest.mark.dummyllm on test_it: seed='x' is not a seed; use a whole number of at most 60 digits",
            "@pytest.mark.dummyllm on test_it: script is a list; write it as text, *",
        ]
    )
    result.stdout.no_fnmatch_line("*pytest_plugin.py*")
    result.stdout.no_fnmatch_line("*During handling*")


def test_a_marker_takes_settings_by_name(ran: Ran) -> None:
    """A value alone says nothing of what it is."""
    result = ran(
        TALK
        + """
@pytest.mark.dummyllm("flaky")
def test_it(dummyllm):
    pass
        """,
    )

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*dummyllm on test_it has 'flaky' without a name; write settings as mode='flaky'*"])


def test_the_marker_is_registered(ran: Ran) -> None:
    """`pytest --markers` tells of it."""
    ran("", "--markers").stdout.fnmatch_lines(["@pytest.mark.dummyllm(?*settings): settings of *"])


SEEDS = """
def test_default(dummyllm):
    print("default", dummyllm.settings.seed)

@pytest.mark.dummyllm(seed=2)
def test_marked(dummyllm):
    print("marked", dummyllm.settings.seed)
"""


@pytest.mark.parametrize(("options", "default"), [((), 1337), (("--dummyllm-seed", "-5"), -5)])
def test_an_option_sets_the_seed_of_those_whose_markers_name_none(
    ran: Ran, options: tuple[str, ...], default: int
) -> None:
    """`--dummyllm-seed N` is the default, and a marker wins."""
    result = ran(TALK + SEEDS, "-s", *options)

    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines([f"*default {default}", "*marked 2"])


def test_a_seed_that_is_none_ends_the_run_before_it_begins(ran: Ran) -> None:
    """What is wrong, and what is allowed."""
    result = ran(TALK + SEEDS, "--dummyllm-seed", "lucky")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--dummyllm-seed: 'lucky' is not a seed; use a whole number of at most 60 digits"])


FAILS = """
@pytest.mark.dummyllm(mode="hang", seed=7)
def test_it(dummyllm):
    submit(dummyllm)
    submit(dummyllm)
    assert len(dummyllm.jobs) == 1
"""


def test_a_failed_test_tells_what_its_server_knows(ran: Ran) -> None:
    """A section `dummyllm` with the seed, what replays the run, and what is proven so far."""
    result = ran(TALK + FAILS)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*- dummyllm -*",
            "seed     7",
            "replay   DUMMYLLM_MODE=hang DUMMYLLM_SEED=7 * dummyllm serve",
            "verdict  fail so far: no-concurrent-duplicate failed, 1 finding",
            "         fail: no-concurrent-duplicate: job_* was submitted by the runner while job_*",
        ]
    )
    result.stdout.no_fnmatch_line("*cancel-on-give-up*")  # the test broke off, so nothing was given up


def test_a_bad_runner_fails_its_test(ran: Ran) -> None:
    """By `assert_good_runner`: then the run is over, and the section agrees with the error. Our frames are hidden."""
    result = ran(
        TALK
        + """
@pytest.mark.dummyllm(mode="hang")
def test_it(dummyllm):
    submit(dummyllm)
    dummyllm.assert_good_runner()
        """,
    )

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *cancel-on-give-up*",
            "*- dummyllm -*",
            "verdict  fail: cancel-on-give-up failed, 1 finding",
            "*fail: cancel-on-give-up: job_*",
        ]
    )
    result.stdout.no_fnmatch_line("*testing/dummy.py*")


def test_what_was_required_is_in_the_section_too(ran: Ran) -> None:
    """A rule that nothing put to the test has no finding; the verdict says so."""
    result = ran(
        TALK
        + """
@pytest.mark.dummyllm(latency_ms=0)
def test_it(dummyllm):
    dummyllm.assert_good_runner(require=["backoff"])
        """,
    )

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*- dummyllm -*", "verdict  fail: backoff was required, and nothing put the runner to the test"]
    )


@pytest.mark.parametrize(
    ("tests", "outcomes"),
    [
        ("def test_it(dummyllm): pass", {"passed": 1}),
        ("def test_it(dummyllm): pytest.skip()", {"skipped": 1}),
        ("@pytest.mark.xfail\ndef test_it(dummyllm): assert False", {"xfailed": 1}),
        ("def test_it(): assert False", {"failed": 1}),
    ],
)
def test_who_did_not_fail_or_has_no_server_tells_nothing(
    ran: Ran, pytester: pytest.Pytester, tests: str, outcomes: dict[str, int]
) -> None:
    """No section, and no file."""
    result = ran(TALK + tests, "--dummyllm-report", "reports", "-rA")

    result.assert_outcomes(**outcomes)
    result.stdout.no_fnmatch_line("*- dummyllm -*")
    assert list((pytester.path / "reports").iterdir()) == []


@pytest.mark.parametrize("when", ["setup", "teardown"])
def test_a_test_that_fails_before_or_after_tells_as_well(ran: Ran, when: str) -> None:
    """Another fixture may be what fails."""
    result = ran(
        TALK
        + f"""
@pytest.fixture
def other(dummyllm):
    submit(dummyllm)
    assert {when == "teardown"}
    yield
    assert {when == "setup"}

def test_it(other):
    pass
        """,
    )

    result.assert_outcomes(errors=1, passed=int(when == "teardown"))
    result.stdout.fnmatch_lines(["*- dummyllm -*", "seed     1337"])


def test_a_directory_gets_the_verdict_and_the_journal_of_each_failed_test(ran: Ran, pytester: pytest.Pytester) -> None:
    """`--dummyllm-report DIR`: one file of text, and one that `dummyllm verdict` reads."""
    result = ran(
        TALK
        + """
def test_passes(dummyllm):
    submit(dummyllm)

@pytest.mark.dummyllm(mode="hang", seed=7)
@pytest.mark.parametrize("name", ["a/b", "a b"])
def test_fails(dummyllm, name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    submit(dummyllm)
    submit(dummyllm)
    assert name == ""
        """,
        "--dummyllm-report",
        "some/where",
    )

    result.assert_outcomes(passed=1, failed=2)
    texts = sorted((pytester.path / "some" / "where").glob("*.txt"))
    journals = sorted((pytester.path / "some" / "where").glob("*.jsonl"))
    assert len(texts) == len(journals) == 2  # two names that come to the same are kept apart
    for text, journal in zip(texts, journals, strict=True):
        assert text.stem == journal.stem
        assert text.name.startswith("test_it.py-test_fails-a-b-")
        assert "no-concurrent-duplicate" in text.read_text(encoding="utf-8")
        with journal.open("rb") as lines:
            kept = read_journal(lines)
        assert kept.heading.seed == "7"
        assert len(kept.lines) == 2


def test_a_directory_that_cannot_be_made_ends_the_run_before_it_begins(ran: Ran, pytester: pytest.Pytester) -> None:
    """Not after an hour, when the first test fails."""
    pytester.makefile(".txt", file="in the way")
    result = ran(TALK + FAILS, "--dummyllm-report", "file.txt/reports")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--dummyllm-report *file.txt*reports: Not a directory; name a directory"])


def test_servers_are_let_go_of_when_their_tests_are_over(ran: Ran) -> None:
    """A run of ten thousand tests does not keep ten thousand journals."""
    ran(
        TALK
        + """
import gc
import weakref

servers = []

@pytest.mark.parametrize("number", range(3))
def test_it(dummyllm, number):
    gc.collect()
    assert [server() for server in servers] == [None] * number
    servers.append(weakref.ref(dummyllm))
        """,
    ).assert_outcomes(passed=3)


HEAVY = ("starlette", "uvicorn", "httptools", "uvloop", "msgspec", "asyncio", "dummyllm.")
UNUSED = """
import sys

def test_it():
    heavy = [name for name in sys.modules if name.startswith({heavy})]
    assert heavy == ["dummyllm.pytest_plugin"]
"""


def test_whoever_does_not_use_it_does_not_wait_for_it(tmp_path: Path) -> None:
    """The plugin is imported by pytest in every run of everybody who has dummyLLM installed."""
    (tmp_path / "test_it.py").write_text(UNUSED.format(heavy=HEAVY), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "dummyllm", "-p", "no:cacheprovider", "test_it.py"]
    env = environment() | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False, timeout=120)

    assert "1 passed" in ended.stdout, ended.stdout + ended.stderr


def test_a_rule_that_is_none_fails_its_test_and_not_the_run(ran: Ran) -> None:
    """Whatever leaves a hook ends the whole run, and under xdist in silence."""
    result = ran(
        """
def test_one(dummyllm):
    dummyllm.assert_good_runner(require=["jiter"])

def test_two(dummyllm):
    pass
        """,
    )

    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(["E *'jiter' is no rule of the verdict (did you mean 'jitter'?)*"])


def test_a_report_that_cannot_be_written_fails_no_run(ran: Ran) -> None:
    """The directory may be gone by then."""
    result = ran(
        """
import shutil

def test_one(dummyllm):
    shutil.rmtree("reports")
    assert False

def test_two(dummyllm):
    pass
        """,
        "--dummyllm-report",
        "reports",
    )

    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(["--dummyllm-report *reports: No such file or directory"])
