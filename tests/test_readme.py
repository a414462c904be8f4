"""README.md is true: its commands print what it shows, its example is a test, its table is the table of settings."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path

import httpx
import pytest

from dummyllm.settings import SETTINGS
from tests.live import ROOT, environment, serve
from tests.test_docs_api import commands, curl, pattern, steady

README = (ROOT / "README.md").read_text(encoding="utf-8")
SPEC_LINES = (
    "python3 -m venv .venv",
    "source .venv/bin/activate",
    "pip install -r requirements.txt",
    "uvicorn server:app --host 127.0.0.1 --port 8787",
)


def block(language: str, word: str) -> str:
    """Return the one fenced block in *language* that has *word* in it."""
    found = [text for text in re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL) if word in text]
    assert len(found) == 1, f"{len(found)} blocks in {language} have {word!r}"
    return found[0]


def test_the_first_talk_with_the_server_is_as_shown() -> None:
    """The id is the same on your machine: it follows from the seed and the payload."""
    with serve(LATENCY_MS="0") as server:
        for command, printed in commands(f"```console\n{block('console', 'curl')}```"):
            found = curl(command, server.url)
            assert re.fullmatch(pattern(printed), steady(found)), found


def test_fates_are_foretold_as_shown(tmp_path: Path) -> None:
    """So it is written, before any server runs."""
    (tmp_path / "hello.json").write_text(block("json", "Hello"), encoding="utf-8")
    first, shown = block("console", "dummyllm fate").split("\n", 1)
    settings, _, rest = first.removeprefix("$ ").partition("dummyllm ")

    said = subprocess.run(
        [sys.executable, "-m", "dummyllm", *rest.split()],
        env=environment() | dict(word.split("=", 1) for word in settings.split()) | {"PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert said.stdout == shown


def tried(example: str, place: Path) -> str:
    """Save *example* as test_retry.py in *place*, run it as the page says, and return what pytest prints."""
    (place / "test_retry.py").write_text(example, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_retry.py"]
    env = environment() | {"PYTHONPATH": str(ROOT)}
    said = subprocess.run(command, env=env, cwd=place, capture_output=True, text=True, check=False, timeout=120)
    return said.stdout + said.stderr


def test_the_example_passes_twice(tmp_path: Path) -> None:
    """Run it again: the same fates."""
    for _ in range(2):
        said = tried(block("python", "def run("), tmp_path)
        assert "2 passed" in said, said


def test_the_example_can_fail(tmp_path: Path) -> None:
    """With another script the runner meets something else."""
    example = block("python", "def run(").replace("fail,fail,ok", "fail,timeout,timeout,ok")
    assert '"fail,timeout,timeout,ok"' in example

    said = tried(example, tmp_path)

    assert "2 failed" in said, said


def test_a_harder_script_leaves_two_jobs(tmp_path: Path) -> None:
    """It refuses the first submit, accepts the second without a word, and does well by the third."""
    script = re.search(r"`DUMMYLLM_SCRIPT=(submit[^`]+)`", README)[1]
    with serve(SCRIPT=script, LATENCY_MS="0") as server:
        (tmp_path / "test_retry.py").write_text(block("python", "def run("), encoding="utf-8")
        module = runpy.run_path(str(tmp_path / "test_retry.py"))
        assert module["run"](server.url, module["HELLO"]) == "Hello. Pull up a chair. What is the matter?"
        journal = httpx.get(f"{server.url}/__admin/journal").json()["entries"]

    assert [entry.get("fault") for entry in journal if entry["what"] == "submit"] == [
        "submit.status(503,retry_after=1)",
        "submit.lost_ack",
        None,
    ]
    assert len({entry["job"] for entry in journal if "job" in entry}) == 2


def test_every_setting_has_its_row() -> None:
    """All are variables of the server's environment."""
    listed = [setting for setting in SETTINGS if not setting.is_limit]
    rows = [f"| `{s.variable}` | {f'`{s.default}`' if s.default else 'none'} | {s.help} |" for s in listed]

    assert "\n".join(rows) in README


@pytest.mark.parametrize("line", SPEC_LINES)
def test_the_lines_of_the_specification_stand_as_they_are(line: str) -> None:
    """Without make, these four lines install and run."""
    assert line in block("bash", "requirements.txt").splitlines()


def test_every_page_it_names_exists() -> None:
    """A link leads somewhere."""
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target


def test_the_words_it_tells_to_type_are_in_the_makefile() -> None:
    """`make serve`, `make test` and `make bench`."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    for word in set(re.findall(r"(?:^|`)make ([a-z]+)", README, re.MULTILINE)):
        assert f"\n{word}:" in makefile, word


def test_the_runtime_dependencies_are_written_alike_twice() -> None:
    """requirements.txt is the runtime part of pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["dependencies"] == (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
