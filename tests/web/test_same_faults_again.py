"""The same seed does it again: every fault befalls the same submit, job, read or cancel, whatever the concurrency.

The clock is `polls`, so that a job's life goes by its own reads and no time is left that could differ between runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.web.stack import Answer, Hung, Line, Served, ask, request, served
from tests.web.wire import digests, journal, payload

WORKS = 60
ATTEMPTS = 3
READS = 4

TWELVE = (
    "submit.status(429,retry_after=1)=12, submit.reset=5, submit.lost_ack=8, submit.cut_ack=4, "
    "connection.close_idle=5, run.vanish(after_ms=300)=10, result.cut=30, cancel.ignored=25, cancel.lost_ack=25, "
    "poll.missing=10, poll.stale(reads=2)=25, poll.status(502)=10"
)
SETTINGS = {"MODE": "random", "CLOCK": "polls", "ADMIN": "1"}

Place = tuple[str, str, int, int]
"""What was done to which identity, its hit or ordinal, and the number of the read or cancel."""


@dataclass(frozen=True)
class Run:
    """What befell a run: the fault at each place, both digests, the recording, and all that was decided."""

    faults: dict[Place, str | None]
    digests: tuple[str, str]
    text: str
    decisions: list[dict[str, Any]]

    def draws(self) -> dict[tuple[Place, str], tuple[float, bool]]:
        """Return each draw of a fault by its place and site: the number, and whether it fired."""
        return {
            (_place_of_draw(decided, fault["site"]), fault["site"]): (fault["u"], fault["fired"])
            for decided in self.decisions
            for fault in decided["faults"]
            if "u" in fault
        }


def ran(server: Served, concurrency: int) -> Run:
    """Let a runner do all its work on *server*, so much of it at once, and return what befell it."""
    assert ask(server.port, "POST", "/__admin/reset").status == 200
    with ThreadPoolExecutor(concurrency) as pool:
        list(pool.map(partial(work_through, server.port), range(WORKS)))
    entries = [entry for entry in journal(server.port) if entry["what"] in ("submit", "poll", "cancel")]
    faults = {_place(entry): entry.get("fault") for entry in entries if "identity" in entry}
    view = ask(server.port, "GET", "/__admin/decisions?limit=10000").json
    text = ask(server.port, "GET", "/__admin/faults").body.decode()
    return Run(faults, digests(server.port), text, view["decisions"])


def work_through(port: int, number: int) -> None:
    """Do one piece of work several times over: submit it, read it a few times, give it up, and look again."""
    body = payload("llm.chat", {"work": number})
    for _ in range(ATTEMPTS):
        posted = tried(port, "POST", "/v1/jobs", body)
        if posted is None or posted.status != 201:
            continue
        path = f"/v1/jobs/{posted.json['id']}"
        for _ in range(READS):
            tried(port, "GET", path)
        tried(port, "POST", path + "/cancel")
        tried(port, "GET", path)


def tried(port: int, method: str, path: str, body: bytes | None = None) -> Answer | None:
    """Return the answer to a request, or None if the connection broke."""
    with Line(port) as line:
        try:
            line.send(request(method, path, body))
            return line.answer()
        except (Hung, ConnectionResetError):
            return None


def _place(entry: dict[str, Any]) -> Place:
    counter = entry["hit"] if entry["what"] == "submit" else entry["ordinal"]
    return entry["what"], entry["identity"], counter, entry.get("n", -1)


def _place_of_draw(decided: dict[str, Any], site: str) -> Place:
    if decided["what"] == "submit" and not site.startswith(("submit.", "connection.")):
        return "job", decided["identity"], decided["ordinal"], -1
    return _place(decided)


@contextmanager
def chaos(folder: Path, **settings: str) -> Iterator[Served]:
    """Run a server with the twelve faults, unless *settings* say otherwise; it has nothing to complain of."""
    folder.mkdir(exist_ok=True)
    with served(folder / "stderr", **({"FAULTS": TWELVE} | SETTINGS | settings)) as server:
        yield server
        assert server.complaints() == ""


@pytest.fixture(scope="module")
def alone_and_together(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    """The same run with one client, and with 32 at once."""
    with chaos(tmp_path_factory.mktemp("chaos")) as server:
        return ran(server, 1), ran(server, 32)


@pytest.fixture(scope="module")
def alone(alone_and_together: tuple[Run, Run]) -> Run:
    """The run with one client."""
    return alone_and_together[0]


def test_every_one_of_the_twelve_faults_befell_somebody(alone: Run) -> None:
    """Several hundred requests under mode random: what follows is not said of an empty set."""
    befell = {fault.partition("(")[0] for fault in alone.faults.values() if fault is not None}
    decided = {fault["site"].partition("(")[0] for one in alone.decisions for fault in one["faults"] if fault["fired"]}

    assert len(alone.faults) > 400
    assert befell == {name for name in _names(TWELVE) if not name.startswith("result")}
    assert {name.partition("#")[0] for name in decided} >= _names(TWELVE)


def _names(faults: str) -> set[str]:
    return {item.strip().partition("=")[0].partition("(")[0] for item in faults.replace("),", ")=,").split(", ")}


def test_what_was_decided_is_what_befell(alone: Run) -> None:
    """Of the faults that fired, the first is served: the draws under /__admin/decisions are those that counted."""
    checked = 0
    for decided in alone.decisions:
        sites = {"submit": ("submit.", "connection."), "poll": ("poll.status",)}.get(decided["what"], ())
        drawn = [fault for fault in decided["faults"] if sites and fault["site"].startswith(sites)]
        fired = [fault["fault"] for fault in drawn if fault["fired"]]
        befell = alone.faults[_place(decided)]
        if drawn:
            assert (befell if befell and befell.startswith(sites) else None) == (fired[0] if fired else None), decided
            checked += bool(fired)

    assert checked > 50


def test_every_read_of_a_job_is_drawn_anew(alone: Run) -> None:
    """The next read is drawn anew: no two of a run have the same number, those of one job among them."""
    drawn = {site: u for (_, site), (u, _) in alone.draws().items() if site.startswith("poll.status(502)#")}
    numbers = [u for (_, site), (u, _) in alone.draws().items() if site in drawn]

    assert {site.partition("#")[2] for site in drawn} >= {"0", "1", "2", "3", "4"}
    assert len(set(numbers)) == len(numbers)


def test_concurrency_changes_nothing(alone_and_together: tuple[Run, Run]) -> None:
    """The same identity with the same counter is hit by the same faults; both digests and the recording are equal."""
    alone, together = alone_and_together

    assert together.faults == alone.faults
    assert together.draws() == alone.draws()
    assert together.digests == alone.digests
    assert together.text == alone.text


def test_another_seed_tells_another_story(alone: Run, tmp_path: Path) -> None:
    """The seed chooses among all stories this server can tell."""
    with chaos(tmp_path, SEED="1338") as server:
        other = ran(server, 8)

    assert other.digests[0] != alone.digests[0]
    assert other.digests[1] != alone.digests[1]
    common = other.faults.keys() & alone.faults.keys()
    assert sum(other.faults[place] != alone.faults[place] for place in common) > len(common) // 20
    before, after = alone.draws(), other.draws()
    assert [place for place in before.keys() & after.keys() if before[place][0] == after[place][0]] == []


@pytest.mark.parametrize("added", ["poll.reset=10", "submit.status(418)=10", "run.late=20", "cancel.slow=20"])
def test_one_more_fault_changes_no_other_decision(alone: Run, tmp_path: Path, added: str) -> None:
    """Every fault is drawn for itself, at its site: so no fault moves another one's draws."""
    with chaos(tmp_path, FAULTS=f"{TWELVE}, {added}") as server:
        more = ran(server, 8).draws()
    before = alone.draws()
    common = before.keys() & more.keys()

    assert len(common) > len(before) * 3 // 4
    assert {place: more[place] for place in common} == {place: before[place] for place in common}
    site = added.partition("=")[0]
    assert any(fired for (_, name), (_, fired) in more.items() if name.partition("#")[0] == site)


# --- Record and replay -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def replayed(alone: Run, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    """The recording of the run, played again with one client, and with 32 at once."""
    folder = tmp_path_factory.mktemp("replay")
    with replaying(folder, alone.text) as server:
        return ran(server, 1), ran(server, 32)


@contextmanager
def replaying(folder: Path, text: str) -> Iterator[Served]:
    """Run a server that plays the recording *text*."""
    (folder / "faults.txt").write_text(text, encoding="utf-8")
    with chaos(folder, FAULTS="", MODE="", REPLAY=str(folder / "faults.txt")) as server:
        yield server


@pytest.mark.parametrize("which", [0, 1], ids=["alone", "together"])
def test_a_recorded_run_plays_again(alone: Run, replayed: tuple[Run, Run], which: int) -> None:
    """Just those faults, and no chance: the same digests for the same client, at any concurrency."""
    again = replayed[which]

    assert again.faults == alone.faults
    assert again.digests == alone.digests
    assert again.text == alone.text


@pytest.mark.parametrize("what", ["read", "submit", "job"])
def test_a_line_taken_out_changes_nothing_else(
    alone: Run, replayed: tuple[Run, Run], what: str, tmp_path: Path
) -> None:
    """Whatever has no line goes well, so a line can be taken out, and nothing else changes."""
    identity, line = removable(alone, what)
    with replaying(tmp_path, alone.text.replace(line + "\n", "")) as server:
        less = ran(server, 8)
    before = replayed[0]
    changed = {
        place
        for place in before.faults.keys() | less.faults.keys()
        if before.faults.get(place) != less.faults.get(place)
    }

    assert changed, line
    assert {place[1] for place in changed} == {identity}
    missing = set(alone.text.splitlines()[3:]) - set(less.text.splitlines())
    assert missing == {line}
    if what == "read":
        words = line.split(" ")
        assert changed == {("poll", identity, int(words[2]), int(words[3]))}


LINES = {"read": " read ", "submit": " submit.lost_ack", "job": " cancel.ignored"}


def removable(run: Run, what: str) -> tuple[str, str]:
    """Return whose line, and the line, of a read, a submit or a job in the recording of *run* whose fault was seen."""
    lines = run.text.splitlines()
    lagging = {line.split(" ")[0] for line in lines if "poll.stale" in line}  # there, one read more is another end
    seen = {(place[1], fault) for place, fault in run.faults.items() if fault is not None}
    for line in lines:
        identity, *_, fault = line.split(" ")
        if LINES[what] in line and identity not in lagging and (identity, fault) in seen:
            return identity, line
    raise AssertionError(f"no {what} of this run can be taken out")
