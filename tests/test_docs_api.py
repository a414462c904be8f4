"""Runs every command of docs/api.md against real servers, and compares its tables with the code."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from dummyllm.core import failure
from dummyllm.core.fate import Fate
from dummyllm.core.faults.kind import CODE
from dummyllm.core.fingerprint import IdentityKind, identity_of
from dummyllm.core.job import make_job
from dummyllm.core.mode import WEIGHABLE_MODES, Mode
from dummyllm.core.policy import Policy
from dummyllm.core.request import JobRequest
from dummyllm.core.timeline import FINAL_STATES, State
from dummyllm.web.openapi.operations import OPERATIONS
from dummyllm.web.refusal import MEANINGS, STATUS_OF
from tests.live import serve

PAGE = Path(__file__).parent.parent / "docs" / "api.md"
PAGE_URL = "http://127.0.0.1:8787"
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SET = re.compile(r"DUMMYLLM_([A-Z_]+)=(\S*)")
# What differs from run to run: instants, and how long an answer took.
TIMES = re.compile(r'("(?:time|created_at|updated_at|at_ms|ended_at_ms|arrived_ms|took_ms)":)\d+')
DATE = re.compile(r"^date: .*$", re.MULTILINE)
CURL = "curl/8.14.1"
CONTENT_TYPES = {"--json": "application/json", "-d": "application/x-www-form-urlencoded"}


def test_every_command_prints_what_the_page_says() -> None:
    """The commands on this page run as a test. Only times differ, and `…` stands for what was left out."""
    with ExitStack() as servers:
        url = ""
        for command, printed in commands(PAGE.read_text(encoding="utf-8")):
            if command[-4:] == ["uvicorn", "server:app", "--port", "8787"]:
                servers.close()
                settings = dict(SET.findall(" ".join(command[:-4])))
                url = servers.enter_context(serve(**settings)).url
                assert printed == ""
            else:
                found = curl(command, url)
                assert re.fullmatch(pattern(printed), steady(found)), f"{shlex.join(command)} printed\n{found}"


@pytest.mark.parametrize(
    ("said", "found", "fits"),
    [
        ('{"time":1}\n', '{"time":22}\n', True),
        ('{"seed":1}\n', '{"seed":2}\n', False),
        ("a … z\n", "a b z\n", True),
        ("a … z\n", "a b\n", False),
        ("date: then\nx: 1\n", "date: now\nx: 1\n", True),
        ("a.c\n", "abc\n", False),
    ],
)
def test_a_command_must_print_what_the_page_says(said: str, found: str, *, fits: bool) -> None:
    """Only times differ, and `…` stands for what was left out."""
    assert bool(re.fullmatch(pattern(said), steady(found))) is fits


def test_the_table_of_errors_is_the_whole_list() -> None:
    """Every error code with its status and its meaning; that of `SIM_STATUS` is whatever a fault may name."""
    rows = [(status, code.strip("`"), meaning) for status, code, meaning in table("| status | code | meaning |")]

    statuses = {code: str(status) for code, status in STATUS_OF.items()} | {"SIM_STATUS": f"{CODE.least} – {CODE.most}"}
    assert rows == [(statuses[code], code, MEANINGS[code]) for code in STATUS_OF]


def test_the_table_of_failures_is_the_whole_list() -> None:
    """Of a job that has ended badly, its own code is in `error`."""
    rows = [(code.strip("`"), message) for code, message in table("| code | message |")]

    assert rows == [(f.code, f.message) for f in vars(failure).values() if isinstance(f, failure.Failure)]


def test_the_table_of_states_is_the_whole_list_with_the_final_ones_last() -> None:
    """The last four are final: a job in one of them stays as it is."""
    states = [State(state.strip("`")) for state, _ in table("| state | what it means |")]

    assert states == list(State)
    assert set(states[-4:]) == FINAL_STATES


def test_the_table_of_modes_has_the_end_that_each_mode_plans() -> None:
    """The last column is the end in milliseconds after the submit, for *b* = 250 and a `timeout_ms` of 8000."""
    rows = {Mode(mode.strip("`")): rest for mode, *rest in table("| mode | ends | after | such as |")}

    assert list(rows) == list(Mode)
    for mode, (ends, _, such_as) in rows.items():
        if mode not in WEIGHABLE_MODES:
            continue
        planned = {(fate.outcome, fate.ends_at_ms) for fate in fates_of(mode)}
        assert {str(end_ms) for _, end_ms in planned if end_ms is not None} == {such_as} - {"–"}, mode
        for state in State:
            ends_so = any(outcome is state and end_ms is not None for outcome, end_ms in planned)
            assert (f"`{state}`" in ends.replace("`running`", "")) == ends_so, (mode, state)
        assert ("never" in ends) == ((State.RUNNING, None) in planned), mode


def test_every_route_is_on_the_page() -> None:
    """The table of requests is what `/openapi.json` describes."""
    requests = {request.strip("` ") for (cell, _) in table("| request | does |") for request in cell.split(",")}

    assert requests == {f"{operation.method.upper()} {operation.path}" for operation in OPERATIONS}


def fates_of(mode: Mode) -> Iterator[Fate]:
    """Yield the fates that *mode* with its defaults plans for forty jobs."""
    for number in range(40):
        request = JobRequest(f"op-{number}")
        identity = identity_of(IdentityKind.PAYLOAD, request)
        yield make_job(Policy(mode=mode), request, identity, now_ms=0, ordinal=0).fate


def table(head: str) -> list[list[str]]:
    """Return the cells of the page's table that begins with the line *head*."""
    _, found, rest = PAGE.read_text(encoding="utf-8").partition(f"\n{head}\n")
    assert found, f"docs/api.md has no table {head}"
    rows = rest.partition("\n\n")[0].splitlines()[1:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def commands(page: str) -> Iterator[tuple[list[str], str]]:
    """Yield the words of each command in the console blocks of *page*, and what it prints."""
    for block in CONSOLE.findall(page):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            line, _, printed = part.partition("\n")
            yield shlex.split(line), printed


def curl(command: list[str], url: str) -> str:
    """Return what curl would print: the few options this page uses, so that no curl is needed."""
    assert command[0] == "curl", command
    words = iter(command[1:])
    method, target, body, shows_head = "GET", "", None, False
    headers = {"User-Agent": CURL}
    for word in words:
        match word:
            case "-s":
                pass
            case "-i":
                shows_head = True
            case "-X":
                method = next(words)
            case "-H":
                name, _, value = next(words).partition(": ")
                headers[name] = value
            case "-d" | "--json":
                method, body = "POST", next(words)
                headers["Content-Type"] = (
                    "application/json" if word == "--json" else "application/x-www-form-urlencoded"
                )
            case _:
                assert word.startswith(PAGE_URL), f"curl {word} is not an option this page uses"
                target = word.replace(PAGE_URL, url)
    answer = httpx.request(method, target, headers=headers, content=body)
    text = answer.text.replace(url, PAGE_URL)
    return (head_of(answer) if shows_head else "") + text.removesuffix("\n") + "\n"


def head_of(answer: httpx.Response) -> str:
    """Return the head of *answer* as `curl -i` prints it."""
    lines = [f"{name}: {value}" for name, value in answer.headers.items()]
    status = HTTPStatus(answer.status_code)
    return "\n".join([f"HTTP/1.1 {status.value} {status.phrase}", *lines, "", ""])


def pattern(printed: str) -> str:
    """Return the regular expression of what the page says is *printed*."""
    return re.escape(steady(printed)).replace("…", ".*")


def steady(printed: str) -> str:
    """Return *printed* without what differs from run to run."""
    return DATE.sub("date: then", TIMES.sub(r"\g<1>0", printed))
