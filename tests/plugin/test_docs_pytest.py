"""docs/pytest.md is true: its snippets are tests, its messages are what they print, its tables are what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dummyllm import pytest_plugin
from dummyllm.testing import Dummy
from tests.live import ROOT
from tests.plugin.conftest import Ran

pytest_plugins = ["pytester"]

PAGE = (ROOT / "docs" / "pytest.md").read_text(encoding="utf-8")
(RUNNER,) = re.findall(r"```python runner\n(.*?)```", PAGE, re.DOTALL)
TESTS: list[str] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
SAID: list[str] = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
IMPATIENT = "run_impatiently"

# What differs from run to run, and from one version of a client to the next.
VARIES = (
    (r" +took \d+ ms", ""),
    (r"\b\d+ ms", "N ms"),
    (r"(?m)^ *\d+  (?=submit|poll|·)", "N "),
    (r"python-httpx/[\d.]+", "httpx"),
    (r"\s+", " "),
)


def steady(text: str) -> str:
    """Return *text* in one line, without what differs from run to run."""
    for varies, stays in VARIES:
        text = re.sub(varies, stays, text)
    return text.strip()


def pattern(said: str) -> str:
    """Return the regular expression of what the page says: `…` stands for what was left out."""
    return re.escape(steady(said)).replace("…", ".*")


def the_one(texts: list[str], word: str) -> str:
    """Return the one of *texts* that has *word* in it."""
    found = [text for text in texts if word in text]
    assert len(found) == 1, f"{len(found)} blocks have {word!r}"
    return found[0]


@pytest.fixture(autouse=True)
def _runner(pytester: pytest.Pytester) -> None:
    pytester.syspathinsert()
    pytester.makepyfile(runner=RUNNER)


@pytest.mark.parametrize("test", [test for test in TESTS if IMPATIENT not in test])
def test_every_snippet_passes_twice(ran: Ran, test: str) -> None:
    """Run the test again: the seed is the same, so the fates are."""
    count = len(re.findall("^def test_", test, re.MULTILINE))
    assert count

    for _ in range(2):
        ran(test).assert_outcomes(passed=count)


def test_the_impatient_runner_is_told_what_the_page_says(ran: Ran) -> None:
    """It is that of `assert_good_runner`: the assertion of the test's own holds."""
    result = ran(the_one(TESTS, IMPATIENT))

    result.assert_outcomes(failed=1)
    lines = [line.removeprefix("E").removeprefix(" " * 7) for line in result.outlines if line.startswith("E  ")]
    message = "\n".join(lines).removeprefix("AssertionError: ")
    assert re.fullmatch(pattern(the_one(SAID, "dummyLLM verdict: ")), steady(message)), message


def test_a_failed_test_has_the_section_on_the_page(ran: Ran) -> None:
    """The seed, the line that starts the same server by hand, and what is proven so far."""
    test = the_one(TESTS, IMPATIENT).replace("    dummyllm.assert_good_runner()", "    assert len(dummyllm.jobs) == 1")
    result = ran(test)

    result.assert_outcomes(failed=1)
    _, title, section = str(result.stdout).partition("- dummyllm -")
    assert title
    section = re.split("^=", section, flags=re.MULTILINE)[0].strip("-")
    assert re.fullmatch(pattern(the_one(SAID, "so far").split("\n", 1)[1]), steady(section)), section


def test_a_mistake_is_told_as_on_the_page(ran: Ran) -> None:
    """A mistake is an error of the test."""
    test = "import pytest\n\n@pytest.mark.dummyllm(mode='slwo')\ndef test_it(dummyllm): pass"
    result = ran(test)

    result.assert_outcomes(errors=1)
    assert the_one(SAID, "slwo").strip() in result.outlines


def table(head: str) -> list[str]:
    """Return the first cells of the page's table that begins with the line *head*."""
    _, found, rest = PAGE.partition(f"\n{head}\n")
    assert found, f"the page has no table {head}"
    return [row.split("|")[1].strip().strip("`") for row in rest.partition("\n\n")[0].splitlines()[1:]]


def test_the_table_of_what_the_fixture_has_is_the_whole_list() -> None:
    """What else a Dummy has is for the plugin's own reports."""
    named = {re.match(r"\w+", cell)[0] for cell in table("| the fixture has | which is |")}  # type: ignore[index]
    public = {name for name in dir(Dummy) if not name.startswith("_")} | {"base_url", "clock", "settings"}

    assert public - named == {"case", "end", "judged"}
    assert named <= public


def test_the_table_of_options_is_the_whole_list() -> None:
    """Two options."""
    parser = pytest.Parser(_ispytest=True)
    pytest_plugin.pytest_addoption(parser)
    options = [option.names()[0] for option in parser.getgroup("dummyllm").options]

    assert [cell.split()[0] for cell in table("| option | does |")] == options


def test_every_page_it_names_exists() -> None:
    """A name of a page leads to it."""
    for name in re.findall(r"docs/[\w.]+\.md", PAGE):
        assert (ROOT / name).exists(), name
        assert Path(name).name in {path.name for path in (ROOT / "docs").iterdir()}
