"""Jobs live as the documents say, whatever befalls them in whatever order: the app against a model of its own.

A run draws what the operator sets (a script, or a mode and faults at 100 percent; latency, slots, a queue), and then
fifty steps of submits, reads, cancels and time on a clock that is moved by hand. The connection is a dummy, so that
what breaks it shows. Every mode and every fault is what some of the runs are about, so none is left to chance.

A few hundred runs, the same each time, belong to the tests; `CAMPAIGN=1` makes it two thousand new ones.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from starlette.types import Message, Scope

from dummyllm.assembly import app_of
from dummyllm.clock import MANUAL_START_MS, ManualClock
from dummyllm.core.faults.registry import KINDS
from dummyllm.settings import load
from dummyllm.web.app import App
from tests.web.job_model import FINAL, GROUPS, LEGAL, REFUSALS, Fault, Life, Model, Rules, Step, Told, spelled
from tests.web.wire import id_of

IS_CAMPAIGN = os.environ.get("CAMPAIGN") == "1"
RUNS = 2_000 if IS_CAMPAIGN else 200
STEPS = 50

# --- What the operator sets ------------------------------------------------------------------------------------------

SCRIPTABLE = ("ok", "echo", "slow", "fail", "hang", "timeout", "flaky")
MODES = (*SCRIPTABLE, "random")


@st.composite
def some_faults(draw: st.DrawFn) -> tuple[tuple[str, Fault], ...]:
    """A fault for some of the groups, in any order."""
    groups = draw(st.lists(st.sampled_from(list(GROUPS)), unique=True, max_size=len(GROUPS)))
    return tuple((group, draw(st.sampled_from(GROUPS[group]))) for group in groups)


steps = st.one_of(
    st.builds(Step, mode=st.sampled_from(SCRIPTABLE), faults=some_faults()),
    st.builds(Step, mode=st.sampled_from(SCRIPTABLE), faults=some_faults()),
    st.builds(Step, refusal=st.sampled_from(REFUSALS)),
)
limits = {
    "base_ms": st.sampled_from([0, 1, 60, 250, 251, 1_000]),
    "slots": st.sampled_from([0, 0, 1, 2]),
    "queue_max": st.sampled_from([0, 0, 1]),
}
rules = st.one_of(
    st.builds(Rules, steps=st.lists(steps, min_size=1, max_size=4).map(tuple), drawn=some_faults(), **limits),
    st.builds(Rules, mode=st.sampled_from(MODES), drawn=some_faults(), **limits),
)

Focus = str | tuple[str, Fault]
"""What a run is about: a mode, or a fault with its group."""

FOCI: tuple[Focus, ...] = (
    *MODES,
    *(("", refusal) for refusal in REFUSALS),
    *((group, fault) for group, faults in GROUPS.items() for fault in faults),
)


def about(focus: Focus, rules: Rules) -> Rules:
    """Return *rules* so changed that *focus* comes into play."""
    if isinstance(focus, str):
        return replace(rules, steps=(), mode=focus)
    group, fault = focus
    if not group:
        after = rules.steps or (Step("hang"),)
        return replace(rules, steps=(Step(refusal=fault), *after))
    others = tuple(other for other in rules.drawn if other[0] != group)
    return replace(rules, drawn=(*others, focus))


def app_under(rules: Rules, clock: ManualClock) -> App:
    """Return the app that an operator gets who sets *rules*."""
    chosen = {
        "LATENCY_MS": str(rules.base_ms),
        "FAULTS": spelled(rules.drawn),
        "SLOTS": str(rules.slots),
        "QUEUE_MAX": str(rules.queue_max),
        "RANDOM_WEIGHTS": ",".join(f"{mode}=1" for mode in SCRIPTABLE),
    }
    if rules.steps:
        chosen["SCRIPT"] = ", ".join(step.text for step in rules.steps)
    else:
        chosen["MODE"] = rules.mode
    return app_of(load({f"DUMMYLLM_{name}": value for name, value in chosen.items()}), clock)


# --- A client --------------------------------------------------------------------------------------------------------


class Connection:
    """As much of a transport as an app touches that breaks it; *end* says how it ended, if it did."""

    def __init__(self) -> None:
        self.end: str | None = None

    def is_closing(self) -> bool:
        return self.end is not None

    def get_extra_info(self, _: str) -> None:
        return None

    def close(self) -> None:
        self.end = self.end or "FIN"

    def abort(self) -> None:
        self.end = "RST"


@dataclass
class Heard:
    """One request's side of a connection: what was sent to the client, and the connection itself."""

    transport: Connection = field(default_factory=Connection)
    sent: list[Message] = field(default_factory=list)

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int | None:
        return self.sent[0]["status"] if self.sent else None

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def body(self) -> bytes:
        return b"".join(message["body"] for message in self.sent[1:])

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return self.json["detail"]["error"]["code"]


RUNNER = asyncio.Runner()


def ask(app: App, method: str, path: str, body: bytes = b"", **headers: str) -> Heard:
    """Return what *app* does with one request."""
    fields = {"host": "localhost", "content-type": "application/json"} | headers
    scope: Scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in fields.items()],
        "server": ("127.0.0.1", 8787),
        "client": ("127.0.0.1", 50_000),
    }
    heard, incoming = Heard(), [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return incoming.pop() if incoming else {"type": "http.disconnect"}

    RUNNER.run(app(scope, receive, heard.send))
    return heard


# --- The machine -----------------------------------------------------------------------------------------------------


@dataclass
class Reached:
    """What the runs have come across so far."""

    states: set[str] = field(default_factory=set)
    modes: set[str] = field(default_factory=set)
    faults: set[str] = field(default_factory=set)
    transitions: set[tuple[str, str]] = field(default_factory=set)


REACHED = Reached()

WORKS = range(3)
recent = st.integers(0, 5)  # which job, counted from the latest


class Jobs(RuleBasedStateMachine):
    """Submits, reads, cancels and lets time pass, and compares every answer with the model's."""

    focus: Focus = "ok"

    @initialize(rules=rules)
    def start(self, rules: Rules) -> None:
        rules = about(self.focus, rules)
        note(f"what is set: {rules}")
        self.clock = ManualClock()
        self.app = app_under(rules, self.clock)
        self.model = Model(rules)
        self.truths: dict[int, str] = {}
        REACHED.modes.add("script" if rules.steps else rules.mode)

    # --- Submits ---

    @rule(
        work=st.sampled_from(WORKS),
        timeout_ms=st.sampled_from([0, 40, 400, 8_000]),
        key=st.sampled_from([None, None, "a", "b"]),
    )
    def submit(self, work: int, timeout_ms: int, key: str | None) -> None:
        model = self.model
        headers = {} if key is None else {"idempotency_key": key}
        heard = ask(self.app, "POST", "/v1/jobs", _payload(work, timeout_ms), **headers)
        first = model.keys.get(key or "")
        if first is not None and not first.is_gone(model.now_ms):
            self._compare_replay(heard, first, work)
            return
        refusal = model.refusal(work)
        if refusal is not None:
            self._compare_refusal(heard, refusal)
        elif model.meets_a_full_queue(work):
            room_ms = model.next_room_ms()
            wait_s = 30 if room_ms is None else max(1, -(-(room_ms - model.now_ms) // 1000))
            assert (heard.status, heard.code, heard.headers["retry-after"]) == (503, "FULL", str(wait_s))
        else:
            job = model.accept(work, timeout_ms, key)
            self._compare_ack(heard, job, job.faults.get("submit"))
            self._settle(job)
            model.start(job)
            self.truths[len(model.jobs) - 1] = "queued"
            REACHED.states.add("queued")

    def _settle(self, job: Life) -> None:
        """Ask which mode was chosen and, if that is flaky, which way it goes; all else the model knows by itself."""
        heard = ask(self.app, "GET", f"{_path(job)}/request")
        if heard.status == 404:
            assert job.has("run.vanish").number == 0
            job.settle("hang", 0, "running")
            return
        asked = heard.json
        drawn = self.model.rules.mode == "random" and not self.model.rules.steps
        assert asked["chosen_mode"] in (SCRIPTABLE if drawn else (job.mode,))
        assert (asked["ordinal"], asked["timeout_ms"]) == (job.ordinal, job.timeout_ms)
        fate = asked["fate"]
        assert asked["chosen_mode"] != "flaky" or fate["outcome"] in ("ok", "fail", "running", "queued")
        job.settle(asked["chosen_mode"], self.model.rules.base_ms, fate["outcome"])
        last = fate["timeline"][-1]
        assert (last["at_ms"] if last["state"] in FINAL else None, last["state"]) == (job.run_ms, job.outcome)
        assert set(fate.get("faults", ())) == {
            fault.text for group, fault in job.faults.items() if _is_jobs(job, group)
        }
        REACHED.modes.add(job.mode)

    def _compare_refusal(self, heard: Heard, refusal: Fault) -> None:
        if refusal.name == "submit.reset":
            assert (heard.sent, heard.transport.end) == ([], "RST")
        else:
            assert (heard.status, heard.code) == (refusal.number, "SIM_STATUS")
            assert heard.headers.get("retry-after") == ("2" if refusal.number == 503 else None)
        self._compare_entry("submit", None if refusal.name == "submit.reset" else refusal.number, refusal.text, None)

    def _compare_ack(self, heard: Heard, job: Life, fault: Fault | None, *, is_replay: bool = False) -> None:
        ack = {"id": _id(job), "state": "queued", "created_at": _seconds(job.accepted_ms)}
        whole = msgspec.json.encode(ack)
        name = fault.name if fault is not None else ""
        if name == "submit.lost_ack":
            assert (heard.sent, heard.transport.end) == ([], "FIN")
        elif name == "submit.cut_ack":
            assert (heard.status, heard.body, heard.transport.end) == (201, whole[: len(whole) // 2], "RST")
            assert heard.headers["content-length"] == str(len(whole))
        else:
            assert (heard.status, heard.body) == (201, whole)
            assert heard.transport.end == ("FIN" if name == "connection.close_idle" else None)
            assert heard.headers.get("idempotency-replayed") == ("true" if is_replay else None)
        self._compare_entry("submit", 201, fault.text if fault is not None else None, job)

    def _compare_replay(self, heard: Heard, first: Life, work: int) -> None:
        """The same key and an equal payload return the first answer and make no job; another payload is 422."""
        if first.work != work:
            assert (heard.status, heard.code) == (422, "IDEMPOTENCY_KEY_REUSED")
            return
        # A script's fault befell the submit that made the job; what befalls this answer is drawn anew.
        self._compare_ack(heard, first, dict(self.model.rules.drawn).get("submit"), is_replay=True)

    # --- Reads and cancels ---

    @precondition(lambda self: self.model.jobs)
    @rule(which=recent)
    def poll(self, which: int) -> None:
        number, job = self._picked(which)
        self._compare_read(ask(self.app, "GET", _path(job)), number, job)

    @precondition(lambda self: self.model.jobs)
    @rule(which=recent, reads=st.integers(2, 4))
    def poll_again(self, which: int, reads: int) -> None:
        for _ in range(reads):
            self.poll(which)

    @precondition(lambda self: self.model.jobs)
    @rule(which=recent, seconds=st.sampled_from([0, 1, 5]))
    def wait_for_the_end(self, which: int, seconds: int) -> None:
        """A wait runs the job to its end at once, and lets no more time pass than the client would have waited."""
        number, job = self._picked(which)
        model = self.model
        heard = ask(self.app, "GET", _path(job), prefer=f"wait={seconds}")
        model.wait(job, 1000 * seconds)
        assert self.clock.now_ms() == MANUAL_START_MS + model.now_ms
        self._compare_read(heard, number, job)

    @precondition(lambda self: self.model.jobs)
    @rule(which=recent)
    def cancel(self, which: int) -> None:
        number, job = self._picked(which)
        heard = ask(self.app, "POST", f"{_path(job)}/cancel")
        told = self.model.cancel(job)
        assert (heard.status, heard.transport.end) == (told.status, told.end)
        if told.status == 200:
            assert heard.json == {"id": _id(job), "state": told.state}
            self._see(number, told)
        elif told.status is not None:
            assert heard.code == ("NOT_FOUND" if told.status == 404 else "SIM_STATUS")
        self._compare_entry("cancel", 200 if told.end else told.status, told.fault, job)

    @precondition(lambda self: self.model.jobs)
    @rule(which=recent)
    def inspect(self, which: int) -> None:
        """Looking at a request counts nothing and moves nothing."""
        _, job = self._picked(which)
        heard = ask(self.app, "GET", f"{_path(job)}/request")
        assert heard.status == (404 if job.is_gone(self.model.now_ms) else 200)
        if heard.status == 200:
            assert (heard.json["ordinal"], heard.json["chosen_mode"]) == (job.ordinal, job.mode)

    def _compare_read(self, heard: Heard, number: int, job: Life) -> None:
        told = self.model.read(job)
        assert (heard.status, heard.transport.end) == (told.status, told.end)
        if told.status == 200:
            shown = heard.json
            assert (shown["id"], shown["created_at"]) == (_id(job), _seconds(job.accepted_ms))
            if told.is_stale and job.ends_ms == job.started_ms and shown["state"] == "queued":
                told = told._replace(state="queued", since_ms=job.accepted_ms)  # it was running for no time at all
            assert (shown["state"], shown["updated_at"]) == (told.state, _seconds(told.since_ms))
            assert (shown["error"] or {}).get("code") == job.error(told.state)
            assert (shown["result"] is not None) == (told.state == "ok")
            if told.state == "ok":
                self._compare_text(shown["result"], job)
            self._see(number, told)
        elif told.status is not None:
            assert heard.code == ("NOT_FOUND" if told.status == 404 else "SIM_STATUS")
            assert heard.headers.get("retry-after") == ("1" if told.status == 502 else None)
        self._compare_entry("poll", 200 if told.end else told.status, told.fault, job)

    def _compare_text(self, result: dict[str, Any], job: Life) -> None:
        own = f"[{job.work}]" if job.mode == "echo" else "ok :: op=x"
        text, fault = result["text"], job.faults.get("result")
        match fault.name if fault is not None else "":
            case "result.empty":
                assert text == ""
            case "result.cut":
                assert text == own[: len(own) * fault.number // 100]
            case "result.unicode":
                assert len(text) > len(own) + 100
                assert text.count(own) == 1
            case _:
                assert text == own
        assert result["usage"]["completion_tokens"] == -(-len(text) // 4)
        if fault is not None:
            REACHED.faults.add(fault.name)

    def _see(self, number: int, told: Told) -> None:
        """Note what a client saw; if it was the truth, it must be a state that may follow the one before."""
        job, before = self.model.jobs[number], self.truths[number]
        state = told.state
        if told.fault is not None and told.fault.startswith(("poll.stale", "poll.backwards", "poll.unknown")):
            return
        if (state, told.since_ms) != job.shown(self.model.now_ms):
            return  # a slow answer to a read that was stale as well
        REACHED.states.add(state)
        if state != before:
            assert (before, state) in LEGAL
            REACHED.transitions.add((before, state))
            self.truths[number] = state
        if job.is_stuck and state == "queued":
            REACHED.faults.add("run.stuck_queued")
        if job.has("run.late") and state == "ok":
            REACHED.faults.add("run.late")

    # --- Time ---

    @rule(by_ms=st.sampled_from([0, 1, 49, 60, 199, 250, 400, 999, 1_500, 8_000]))
    def let_time_pass(self, by_ms: int) -> None:
        self.model.advance(by_ms)
        self.clock.advance(by_ms)

    @precondition(lambda self: self.model.instants())
    @rule(short_ms=st.sampled_from([0, 0, 1]))
    def let_time_pass_up_to_the_next_moment(self, short_ms: int) -> None:
        by_ms = self.model.instants()[0] - self.model.now_ms - short_ms
        self.let_time_pass(by_ms)

    # --- What both sides share ---

    def _picked(self, which: int) -> tuple[int, Life]:
        jobs = self.model.jobs
        number = len(jobs) - 1 - which % len(jobs)
        return number, jobs[number]

    def _compare_entry(self, what: str, status: int | None, fault: str | None, job: Life | None) -> None:
        """The journal's last entry is about this request, and names the fault that befell it."""
        entry = list(self.app.backend.journal.since())[-1]
        assert (entry.what, entry.status or None, entry.fault) == (what, status, fault)
        assert entry.job == (_id(job) if job is not None else None)
        assert entry.served
        if fault is not None:
            REACHED.faults.add(fault.partition("(")[0])


def _payload(work: int, timeout_ms: int) -> bytes:
    return msgspec.json.encode({"op": "x", "args": {"messages": [work]}, "timeout_ms": timeout_ms})


def _id(job: Life) -> str:
    return id_of("x", {"messages": [job.work]}, job.ordinal)


def _path(job: Life) -> str:
    return f"/v1/jobs/{_id(job)}"


def _seconds(at_ms: int | None) -> int:
    assert at_ms is not None
    return (MANUAL_START_MS + at_ms) // 1000


def _is_jobs(job: Life, group: str) -> bool:
    """Say whether the fault of a *group* is one of the job's fate: of a read, only what a script forces is."""
    return group not in ("submit", "poll") or (group == "poll" and "poll" in job.forced)


@pytest.fixture(scope="module", autouse=True)
def _closed_runner() -> Iterator[None]:
    yield
    RUNNER.close()


def test_jobs_live_as_the_documents_say_and_every_corner_was_reached() -> None:
    """Every state, mode, fault and legal transition was reached by the runs; in one test, so that none runs alone."""
    chosen = settings(
        max_examples=RUNS // len(FOCI),
        stateful_step_count=STEPS,
        deadline=None,
        derandomize=not IS_CAMPAIGN,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    for number, focus in enumerate(FOCI):
        run_state_machine_as_test(type(f"Jobs{number}", (Jobs,), {"focus": focus}), settings=chosen)

    assert REACHED.states == {"queued", "running", *FINAL}
    assert REACHED.modes == {*MODES, "script"}
    assert REACHED.faults == set(KINDS)
    assert REACHED.transitions == LEGAL
