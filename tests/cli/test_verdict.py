"""`dummyllm verdict`: what a runner did wrong, asked of a running server or of the file of a journal."""

from __future__ import annotations

import gc
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import Request, urlopen
from xml.etree import ElementTree as ET

import msgspec
import pytest

from dummyllm.cli import judged, news
from dummyllm.cli.main import main
from dummyllm.cli.verdict import FormName, SameName
from dummyllm.journal_line import Amendment, Closing
from dummyllm.verdict.invariants.registry import INVARIANTS
from dummyllm.verdict.judge import Verdict
from dummyllm.verdict.report.forms import Form
from dummyllm.verdict.report.page import page
from dummyllm.verdict.same import Same
from tests.live import Server
from tests.live import serve as live
from tests.verdict.report.stories import CLOSING, duplicate, told_with, well
from tests.verdict.told import Told

BY_PAYLOAD = {"VERDICT_IDENTITY": "payload"}


@pytest.fixture
def keep(tmp_path: Path) -> Callable[..., str]:
    """Keep a run in a file, and return its path."""

    def keep(told: Told, *, closing: Closing | None = CLOSING, torn: bytes = b"") -> str:
        parts = [told.heading, *told.lines, *([] if closing is None else [closing])]
        (tmp_path / "run.jsonl").write_bytes(msgspec.json.Encoder().encode_lines(parts) + torn)
        return str(tmp_path / "run.jsonl")

    return keep


# --- A file ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("told", "status", "word"), [(duplicate(), 1, "fail"), (well(), 0, "pass")])
def test_the_exit_status_is_the_verdict(call, keep, told: Told, status: int, word: str) -> None:
    """0 if no rule was broken, and 1 if one was; the verdict goes to standard output."""
    said = call("verdict", keep(told), **BY_PAYLOAD)

    assert (said.status, said.err) == (status, "")
    assert said.out.startswith(f"dummyLLM verdict: {word} (")
    assert said.out.splitlines()[-3 if status else -1].startswith(("replay", "verdict"))


def test_a_rule_that_was_required_and_not_exercised_is_a_failure(call, keep) -> None:
    """`--require` takes a list; one that was exercised and kept is well."""
    file = keep(well())

    assert call("verdict", file, "--require", "terminal-state-read, quiet-after-terminal").status == 0
    assert call("verdict", file, "--require", "terminal-state-read,isolation").status == 1
    assert call("verdict", file, "--require", ",").status == 0


@pytest.mark.parametrize("form", list(Form))
def test_the_verdict_is_written_in_any_form(call, keep, form: str) -> None:
    """Text, JSON, JUnit, Markdown."""
    said = call("verdict", keep(duplicate()), "--format", form, **BY_PAYLOAD)

    assert said.status == 1
    match form:
        case "json":
            assert msgspec.json.decode(said.out, type=Verdict).verdict == "fail"
        case "junit":
            assert ET.fromstring(said.out)[0].get("failures") == "2"
        case "markdown":
            assert said.out.startswith("## ✗ dummyLLM verdict: fail\n")
        case _:
            assert said.out.startswith("dummyLLM verdict: fail (")


@pytest.mark.parametrize(
    ("name", "options", "begins"),
    [
        ("v.xml", [], "<?xml"),
        ("v.md", [], "## "),
        ("v.json", [], "{\n"),
        ("v.txt", [], "dummyLLM"),
        ("v.txt", ["--format", "json"], "{\n"),
    ],
)
def test_the_verdict_is_written_to_a_file(
    call, keep, tmp_path: Path, name: str, options: list[str], begins: str
) -> None:
    """In the form that its name asks for, or `--format`; what came of it is said in one line on standard error."""
    said = call("verdict", keep(duplicate()), "--out", str(tmp_path / name), *options, **BY_PAYLOAD)

    assert (tmp_path / name).read_text(encoding="utf-8").startswith(begins)
    assert (said.status, said.out) == (1, "")
    assert (
        said.err == "dummyllm: fail: no-concurrent-duplicate failed, 1 finding; terminal-state-read failed, 1 finding\n"
    )


def test_the_environment_says_by_what_a_file_is_judged(call, keep) -> None:
    """The DUMMYLLM_VERDICT_ settings of this environment count; `--identity` has the last word."""
    file = keep(duplicate(told_with()))

    def failed(*options: str, **settings: str) -> tuple[str, list[str]]:
        told = json.loads(call("verdict", file, "--format", "json", *options, **settings).out)
        return told["identity"], [one["id"] for one in told["invariants"] if one["result"] == "fail"]

    assert failed() == ("auto", [])  # it is not sure that the two are one piece of work
    assert failed(VERDICT_IDENTITY="payload") == ("payload", ["no-concurrent-duplicate", "terminal-state-read"])
    assert failed("--identity", "key", VERDICT_IDENTITY="payload") == ("key", ["terminal-state-read"])
    assert failed("--identity", "key", VERDICT_TERMINAL_AFTER_MS="60000") == ("key", [])


def test_what_was_to_be_sent_is_compared_with_what_came(call, keep, tmp_path: Path) -> None:
    """`--expect`, or DUMMYLLM_VERDICT_EXPECT: one submit body a line."""
    file, expect = keep(well()), tmp_path / "jobs.jsonl"
    expect.write_text('{"op":"never.sent"}\n')
    sentence = "the payload in line 1 of those to be sent (never.sent) never came"

    assert sentence in call("verdict", file, "--expect", str(expect)).out
    assert sentence in call("verdict", file, VERDICT_EXPECT=str(expect)).out
    assert sentence not in call("verdict", file).out


def test_the_file_of_a_server_that_was_killed_says_where_it_ends(call, keep) -> None:
    """There is no closing line, and the last line is not whole."""
    said = call("verdict", keep(well(), closing=None, torn=b'{"seq":2,"at'))

    assert said.status == 0
    told = " ".join(said.out.split())
    assert (
        "note the journal ends with entry 1 and has no closing line: the server did not come to its end in peace"
        in told
    )
    assert "note the last whole line of the file is line 3" in told


def test_a_file_may_come_from_standard_input(call, keep) -> None:
    """`curl -s URL/__admin/journal.jsonl | dummyllm verdict -`."""
    text = Path(keep(duplicate())).read_text(encoding="utf-8")
    said = call("verdict", "-", typed=text, **BY_PAYLOAD)

    assert said.out == call("verdict", keep(duplicate()), **BY_PAYLOAD).out


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([], "RUN is missing: the URL of a running server, the file of a journal, or -"),
        (["nowhere.jsonl"], "'nowhere.jsonl' cannot be read (No such file or directory); use the file of a journal"),
        (["127.0.0.1:8787"], "or a URL such as http://127.0.0.1:8787"),
        ([str(Path(__file__).parent)], "cannot be read (Is a directory)"),
        ([__file__], "is no journal: line 1 is no line of a journal: Expected `object`, got `str`"),
        (["-"], "'<stdin>' is no journal: it has no whole line: a journal begins with a heading"),
        (["ftp://127.0.0.1"], "RUN='ftp://127.0.0.1' is no URL of a server"),
        (
            ["http://127.0.0.1:8787", "--identity", "key"],
            "--identity is for files; a server judges by its own settings",
        ),
        (["http://127.0.0.1:8787", "--expect", "x"], "--expect is for files; a server judges by its own settings"),
        (
            ["-", "--require", "bakoff"],
            "--require: 'bakoff' is no rule of the verdict (did you mean 'backoff'?); dummyllm verdict --rules lists",
        ),
    ],
)
def test_a_wrong_call_is_status_2_and_one_line(call, argv: list[str], said: str) -> None:
    """What was wrong, and what is allowed."""
    told = call("verdict", *argv)

    assert (told.status, told.out) == (2, "")
    assert said in told.err
    assert len(told.err.splitlines()) == 1


def test_all_mistakes_of_a_call_are_said_at_once(call) -> None:
    """A line for each."""
    said = call("verdict", "--require", "bakoff,jiter")

    assert said.status == 2
    assert [line.partition(" is ")[0] for line in said.err.splitlines()] == [
        "dummyllm: --require: 'bakoff'", "dummyllm: --require: 'jiter'", "dummyllm: RUN",
    ]  # fmt: skip


def test_bad_settings_and_files_that_are_none_are_wrong_calls(call, keep, tmp_path: Path) -> None:
    """In the words in which a server refuses them."""
    file = keep(well())

    assert call("verdict", file, VERDICT_IDENTITY="who").err.startswith(
        "dummyllm: DUMMYLLM_VERDICT_IDENTITY='who' is not"
    )
    assert "--expect 'nowhere' cannot be read" in call("verdict", file, "--expect", "nowhere").err
    said = call("verdict", file, "--out", str(tmp_path / "no" / "where"))
    assert (said.status, said.out) == (2, "")
    assert "cannot be written (No such file or directory)" in said.err


class Screen(io.StringIO):
    """A terminal, as far as a program can tell."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environ", "has_colours"), [({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False)]
)
def test_colours_are_for_terminals_that_have_them(keep, environ: dict[str, str], *, has_colours: bool) -> None:
    """And not for files, pipes and those who said NO_COLOR."""
    out = Screen()
    assert main(["verdict", keep(duplicate()), "--identity", "payload"], environ, out, io.StringIO()) == 1

    assert ("\x1b[31m" in out.getvalue()) is has_colours


def test_the_choices_are_those_of_the_verdict() -> None:
    """A form or an identity that is added is one that can be asked for."""
    assert list(FormName.__args__) == list(Form)
    assert list(SameName.__args__) == list(Same)


# --- A running server ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server that has seen a job that nobody looks after."""
    with live(MODE="hang", VERDICT_IDENTITY="payload", API_KEY="sesame") as running:
        body = Request(
            f"{running.url}/v1/jobs", b'{"op":"work"}', {"Content-Type": "application/json", "x-api-key": "sesame"}
        )
        urlopen(body, timeout=10).close()
        yield running


def test_a_running_server_is_asked(call, server: Server) -> None:
    """It judges by its own settings, as if the run were over; the story is told from its journal."""
    said = call("verdict", server.url, API_KEY="sesame")

    assert (said.status, said.err) == (1, "")
    assert "FAIL cancel-on-give-up\n" in said.out
    assert "submit   201 queued  yes        ◄ 0\n" in said.out
    assert ", identity payload" in " ".join(said.out.split())
    assert said.out.splitlines()[-2] == (
        'replay         DUMMYLLM_MODE=hang DUMMYLLM_API_KEY="${DUMMYLLM_API_KEY:?}" DUMMYLLM_VERDICT_IDENTITY=payload '
        "dummyllm serve"
    )


def test_the_verdict_of_a_server_is_the_one_that_it_gives(call, server: Server) -> None:
    """`GET /__admin/verdict?final=1`, with what is required."""
    query = Request(f"{server.url}/__admin/verdict?final=1&require=jitter", headers={"x-api-key": "sesame"})
    with urlopen(query, timeout=10) as answer:
        given = msgspec.json.decode(answer.read(), type=Verdict)
    said = call("verdict", server.url, "--require", "jitter", "--format", "json", API_KEY="sesame")
    found = msgspec.json.decode(said.out, type=Verdict)

    assert (found.reasons, found.digests, found.is_final) == (given.reasons, given.digests, True)
    assert [reason.split()[0] for reason in found.reasons] == ["jitter", "cancel-on-give-up"]


def test_a_server_that_is_not_there_or_refuses_did_not_work(call, server: Server) -> None:
    """Status 1 and one line."""
    for said in (call("verdict", "http://127.0.0.1:1"), call("verdict", server.url)):
        assert (said.status, said.out) == (1, "")
        assert len(said.err.splitlines()) == 1
    assert "refused, UNAUTHORIZED: " in call("verdict", server.url).err


# --- The rules -------------------------------------------------------------------------------------------------------


def test_every_rule_is_listed(call) -> None:
    """A line each: its id, how far it is to be trusted, and what it asks for."""
    lines = call("verdict", "--rules").out.splitlines()

    assert [line.split()[:2] for line in lines] == [[rule.id, rule.kind] for rule in INVARIANTS.values()]
    assert max(map(len, lines)) <= 120


@pytest.mark.parametrize("rule", INVARIANTS)
def test_all_is_told_about_one_rule(call, rule: str) -> None:
    """In lines that a terminal has room for."""
    said = call("verdict", "--rules", rule)
    told = " ".join(said.out.split())

    assert (said.status, said.err) == (0, "")
    assert said.out.startswith(f"{rule}\n\nkind             {INVARIANTS[rule].kind}.\n")
    assert " ".join(INVARIANTS[rule].remedy.split()) in told
    assert max(map(len, said.out.splitlines())) <= 100


def test_the_page_of_the_docs_is_printed(call) -> None:
    """`dummyllm verdict --rules --markdown > docs/verdict.md`; with an id it is the section of that rule."""
    assert call("verdict", "--rules", "--markdown").out == page()
    assert call("verdict", "--markdown").out == page()
    assert call("verdict", "--rules", "backoff", "--markdown").out.startswith("### backoff\n\n- **Kind**: proven.\n")


def test_a_rule_that_does_not_exist_is_a_wrong_call(call) -> None:
    """With the nearest that does."""
    said = call("verdict", "--rules", "bakoff")

    assert (said.status, said.out) == (2, "")
    assert said.err == (
        "dummyllm: 'bakoff' is no rule of the verdict (did you mean 'backoff'?); dummyllm verdict --rules lists them\n"
    )


def test_an_amendment_counts(call, keep) -> None:
    """What became known later convicts, or does not."""
    told = told_with()
    told.submit(job=1, ends_after_ms=None, delivered="unknown")
    assert call("verdict", keep(told)).status == 0
    amendment = msgspec.json.encode(Amendment(0, told.submit(job=2).delivered)) + b"\n"
    told.lines.pop()

    said = call("verdict", keep(told, closing=None, torn=amendment))
    assert (said.status, "PENDING cancel-on-give-up" in said.out) == (0, True), "a killed server cut its runner short"


# --- A long one ------------------------------------------------------------------------------------------------------


def test_a_long_journal_is_told_of_while_it_is_read(call, keep, monkeypatch: pytest.MonkeyPatch) -> None:
    """How far it is goes to standard error, so that the verdict can be piped; a short one is read without a word."""
    file = keep(well())
    quiet = call("verdict", file)
    monkeypatch.setattr(news, "SECONDS_BETWEEN_NEWS", -1.0)
    monkeypatch.setattr(judged, "CHECK_EVERY", 2)

    said = call("verdict", file)

    assert (said.status, said.out, quiet.err) == (quiet.status, quiet.out, "")
    assert said.err.splitlines() == [
        "dummyllm: 2 lines read in 0 s",
        "dummyllm: 4 lines read in 0 s",
        f"dummyllm: judging {len(well().lines)} entries",
    ]


def test_no_garbage_is_looked_for_while_a_run_is_judged() -> None:
    """And afterwards it is as it was."""
    was_enabled = gc.isenabled()

    with judged.nothing_collected():
        assert not gc.isenabled()

    assert gc.isenabled() == was_enabled
