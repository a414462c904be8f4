"""Every setting is read, heeded, or refused with a sentence; nothing is guessed."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from starlette.types import Message

from dummyllm.assembly import app_of, backend_of
from dummyllm.chaos_values import ClockChoice
from dummyllm.clock import ManualClock
from dummyllm.core.faults.drawn import Odds
from dummyllm.core.faults.registry import KINDS
from dummyllm.core.fingerprint import IdentityKind, fingerprint_of
from dummyllm.core.latency import FIXED, Lognormal, Uniform
from dummyllm.core.mode import Mode
from dummyllm.core.policy import Policy
from dummyllm.core.request import JobRequest
from dummyllm.core.script import read_script
from dummyllm.journal import Delivered
from dummyllm.setting_rows import Setting
from dummyllm.setting_values import ElizaOrder, Unknown
from dummyllm.settings import SETTINGS, Settings, SettingsError, load
from dummyllm.trial import Case as OnTrial
from dummyllm.trial import closing_of
from dummyllm.verdict.limits import Limits
from dummyllm.web.app import App
from tests.core.chaos import listed
from tests.live import ROOT, environment
from tests.web.direct import HERE, LOOPBACK, direct
from tests.web.stack import Answer, Served, ask, served

NAMES = [setting.name for setting in SETTINGS]
FILES = ("ELIZA_FILE", "RULES", "REPLAY")


def environ(**chosen: str) -> dict[str, str]:
    return {f"DUMMYLLM_{name}": value for name, value in chosen.items()}


def mistakes(**chosen: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as refused:
        load(environ(**chosen))
    return refused.value.mistakes


# ---- defaults and blanks


def test_without_any_setting_the_server_is_as_the_table_says() -> None:
    """The defaults of SPEC.md, and ours."""
    chosen = load({})

    assert (chosen.mode, chosen.latency_ms, chosen.seed) == (Mode.OK, 250, 1337)
    assert dict(chosen.random_weights) == {
        "ok": 70,
        "echo": 10,
        "slow": 10,
        "fail": 5,
        "hang": 3,
        "timeout": 2,
        "flaky": 0,
    }
    assert (chosen.identity, chosen.eliza, chosen.unknown) == (
        IdentityKind.PAYLOAD,
        ElizaOrder.SEEDED,
        Unknown.REFUSE,
    )
    assert (chosen.eliza_file, chosen.api_key, chosen.allowed_hosts, chosen.cors_origins) == (None, None, (), ())
    assert chosen.admin is False
    assert (chosen.max_body_bytes, chosen.store_max_bytes) == (8 * 2**20, 2**30)
    assert (chosen.jobs_max, chosen.journal_max, chosen.receive_timeout_ms) == (1_000_000, 100_000, 15_000)
    assert (chosen.latency_shape, chosen.script, chosen.rules, chosen.faults) == (FIXED, None, (), ())
    assert (chosen.swarm, chosen.preset, chosen.replay) == (False, None, None)
    assert (chosen.slots, chosen.queue_max, chosen.clock) == (0, 0, ClockChoice("wall"))
    assert chosen.policy == Policy()
    assert chosen.notes == ()
    assert {origin.source for origin in chosen.origins} == {"default"}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("blank", ["", " ", "\t \n"])
def test_blank_is_the_default(name: str, blank: str) -> None:
    """Unset or blank is the default: an empty line in a compose file changes nothing."""
    assert load(environ(**{name: blank})) == load({})


def test_other_names_are_nobodys_business() -> None:
    """Only the prefix is ours, capitals and all."""
    assert load({"PATH": "/bin", "MODE": "fail", "XDUMMYLLM_MODE": "fail", "DUMMYLLMMODE": "x"}) == load({})


# ---- what is read


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("MODE", "OK", Mode.OK),
        ("MODE", " Flaky\n", Mode.FLAKY),
        ("LATENCY_MS", "0", 0),
        ("LATENCY_MS", "86400000", 86_400_000),
        ("LATENCY_MS", "+5", 5),
        ("LATENCY_MS", " 007 ", 7),
        ("LATENCY_SHAPE", "Uniform( 0.5, 1.5 )", Uniform(0.5, 1.5)),
        ("LATENCY_SHAPE", "lognormal(p99=8)", Lognormal(8)),
        ("SCRIPT", " fail, fail , ok, ", read_script("fail,fail,ok")),
        ("FAULTS", "submit.lost_ack = 5 %", listed("submit.lost_ack=5")),
        ("SWARM", "on", True),
        ("PRESET", " Bad-Day ", "bad-day"),
        ("SLOTS", "0", 0),
        ("SLOTS", "1000000", 1_000_000),
        ("QUEUE_MAX", "100000000", 10**8),
        ("CLOCK", "Polls", ClockChoice("polls")),
        ("CLOCK", "scale(20)", ClockChoice("scale", 20)),
        ("SEED", "-5", -5),
        ("SEED", "0", 0),
        ("SEED", str(2**70), 2**70),
        ("SEED", "9" * 60, int("9" * 60)),
        ("SEED", "-" + "9" * 60, -int("9" * 60)),
        ("IDENTITY", "PROMPT", IdentityKind.PROMPT),
        ("IDENTITY", "trace_id", IdentityKind.TRACE_ID),
        ("ELIZA", "Classic", ElizaOrder.CLASSIC),
        ("ADMIN", "1", True),
        ("ADMIN", "TRUE", True),
        ("ADMIN", "yes", True),
        ("ADMIN", "on", True),
        ("ADMIN", "0", False),
        ("ADMIN", "No", False),
        ("API_KEY", " k!~ ", "k!~"),
        ("API_KEY", "k" * 256, "k" * 256),
        ("ALLOWED_HOSTS", "A.test, *.b.test,,[::1],*", ("a.test", "*.b.test", "[::1]", "*")),
        ("CORS_ORIGINS", "HTTP://A.test:3000,https://b.test", ("http://a.test:3000", "https://b.test")),
        ("UNKNOWN", "ignore", Unknown.IGNORE),
        ("MAX_BODY_BYTES", "1024", 1024),
        ("MAX_BODY_BYTES", "1 kib", 1024),
        ("MAX_BODY_BYTES", "16MiB", 2**24),
        ("STORE_MAX_BYTES", "1024GiB", 2**40),
        ("JOBS_MAX", "1", 1),
        ("JOURNAL_MAX", "100000000", 10**8),
        ("RECEIVE_TIMEOUT_MS", "100", 100),
    ],
)
def test_a_value_is_read(name: str, text: str, expected: object) -> None:
    """Blanks around it and capitals are forgiven; the value is what it says, and it is known where it came from."""
    chosen = load(environ(**{name: text}))

    assert getattr(chosen, name.lower()) == expected
    origin = next(origin for origin in chosen.origins if origin.setting.name == name)
    assert origin.source == "environment"
    assert origin.shown == ("***" if name == "API_KEY" else text.strip())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ok=1", {"ok": 1}),
        (" ok = 70 , fail=30 ", {"ok": 70, "fail": 30}),
        ("OK=1,Hang=2,", {"ok": 1, "hang": 2}),
        ("ok=1000000000,slow=1000000000", {"ok": 10**9, "slow": 10**9}),
        ("ok=0,fail=0", {}),
    ],
)
def test_weights_are_read(text: str, expected: Mapping[str, int]) -> None:
    """Spaces and a trailing comma are fine; a mode not named gets 0."""
    weights = dict(load(environ(RANDOM_WEIGHTS=text)).random_weights)

    assert {mode: weight for mode, weight in weights.items() if weight} == expected
    assert len(weights) == 7


# ---- what is refused

REFUSED = [
    ("MODE", "flakey", "use one of ok, echo, slow, fail, hang, timeout, flaky, random, script", "'flaky'"),
    ("MODE", "slwo", "is not a mode", "'slow'"),
    ("MODE", "1;2", "is not a mode", ""),
    ("MODE", "0", "is not a mode", ""),
    ("LATENCY_MS", "-1", "from 0 to 86400000", ""),
    ("LATENCY_MS", "86400001", "from 0 to 86400000", ""),
    ("LATENCY_MS", "abc", "from 0 to 86400000", ""),
    ("LATENCY_MS", "1e9", "from 0 to 86400000", ""),
    ("LATENCY_MS", "nan", "from 0 to 86400000", ""),
    ("LATENCY_MS", "250ms", "from 0 to 86400000", ""),
    ("LATENCY_MS", "2.5", "from 0 to 86400000", ""),
    ("LATENCY_MS", "1_000", "from 0 to 86400000", ""),
    ("LATENCY_MS", "٢٥٠", "from 0 to 86400000", ""),
    ("LATENCY_MS", "9" * 5000, "from 0 to 86400000", ""),
    ("LATENCY_MS", "1 2", "from 0 to 86400000", ""),
    ("RANDOM_WEIGHTS", "script=5", "gives script itself a weight", ""),
    ("LATENCY_SHAPE", "normal", "is not a latency shape; use fixed, uniform(0.5,1.5) or logn", "'lognormal'"),
    ("LATENCY_SHAPE", "uniform(2,1)", "is not uniform(low,high); use 0 <= low <= high <= 1000", ""),
    ("LATENCY_SHAPE", "lognormal(8)", "is not lognormal(p99=F); use 1 < F <= 1000", ""),
    ("SCRIPT", "fail,fial", "cannot be read at column 6: expected a mode (ok, echo, slow, fail,", "'fail'"),
    ("SCRIPT", "ok*0", "cannot be read at column 4: expected a count from 1 to 10000", ""),
    ("SCRIPT", "random", "cannot be read at column 1: expected a mode", ""),
    ("SCRIPT", "hang+submit.reset", "cannot be read at column 6: expected submit.reset alone in its step", ""),
    ("SCRIPT", "FAIL", "cannot be read at column 1: expected a mode", ""),
    ("RULES", "/no/such/rules.toml", "cannot be read (No such file or directory); use the path of a file that can", ""),
    ("RULES", str(ROOT), "cannot be read (Is a directory)", ""),
    ("RULES", str(ROOT / "README.md"), "is not TOML: ", ""),
    ("RULES", str(ROOT / "pyproject.toml"), "has mistakes: 'build-system' is not known", ""),
    ("FAULTS", "submit.lost_akc=5", "cannot be read at column 1: expected a fault: submit.status", "'submit.lost_ack'"),
    ("FAULTS", "submit.lost_ack", "cannot be read at column 16: expected '=' and a percent after the fault", ""),
    ("FAULTS", "run.late=101", "cannot be read at column 10: expected a percent from 0 to 100", ""),
    ("FAULTS", "run.late=-1", "cannot be read at column 10: expected a percent from 0 to 100", ""),
    ("FAULTS", "run.late=0.00001", "cannot be read at column 10: expected a percent", ""),
    ("FAULTS", "run.late=1,run.late=2", "cannot be read at column 12: expected run.late once", ""),
    ("FAULTS", "submit.status(200)=1", "expected a whole number from 400 to 599 as code of submit.status", ""),
    ("SWARM", "half", "is neither on nor off; use 1 or 0", ""),
    ("PRESET", "badday", "use one of bad-day, cancel-races, rate-limited, read-your-writes", "'bad-day'"),
    ("PRESET", "1", "is not a preset; use one of ", ""),
    ("REPLAY", "/no/such/run.faults", "cannot be read (No such file or directory)", ""),
    ("REPLAY", str(ROOT / "LICENSE"), "is no recorded run: line 1: 'MIT License' is no line of a recorded run", ""),
    ("SLOTS", "-1", "is not a number of slots; use a whole number from 0 to 1000000", ""),
    ("SLOTS", "1000001", "is not a number of slots; use a whole number from 0 to 1000000", ""),
    ("SLOTS", "all", "is not a number of slots", ""),
    ("QUEUE_MAX", "100000001", "is not a number of jobs; use a whole number from 0 to 100000000", ""),
    ("CLOCK", "sundial", "is not a clock; use one of wall, scale(20), polls, manual", ""),
    ("CLOCK", "poll", "is not a clock", "'polls'"),
    ("CLOCK", "scale(0)", "is not a scaled clock; use scale(N) with a whole number N from 1 to 1000", ""),
    ("SEED", "0x10", "a whole number of at most 60 digits", ""),
    ("SEED", "lucky", "a whole number of at most 60 digits", ""),
    ("SEED", "1.5", "a whole number of at most 60 digits", ""),
    ("SEED", "1" + "0" * 60, "a whole number of at most 60 digits", ""),
    ("SEED", "9" * 5000, "a whole number of at most 60 digits", ""),
    ("RANDOM_WEIGHTS", "ok=70,echo", "has 'echo' without a weight; write mode=weight", ""),
    ("RANDOM_WEIGHTS", "70", "has '70' without a weight", ""),
    ("RANDOM_WEIGHTS", "ok=-1", "gives ok the weight '-1'; use a whole number from 0 to 1000000000", ""),
    ("RANDOM_WEIGHTS", "ok=nan", "gives ok the weight 'nan'", ""),
    ("RANDOM_WEIGHTS", "ok=0.5", "gives ok the weight '0.5'", ""),
    ("RANDOM_WEIGHTS", "ok=", "gives ok the weight ''", ""),
    ("RANDOM_WEIGHTS", "ok=1=2", "gives ok the weight '1=2'", ""),
    ("RANDOM_WEIGHTS", "ok=1000000001", "gives ok the weight '1000000001'", ""),
    ("RANDOM_WEIGHTS", "ok=" + "9" * 5000, "from 0 to 1000000000", ""),
    ("RANDOM_WEIGHTS", "foo=1", "has 'foo', which is no mode; use one of ok, echo", ""),
    ("RANDOM_WEIGHTS", "fial=1", "has 'fial', which is no mode", "'fail'"),
    ("RANDOM_WEIGHTS", "=1", "has '', which is no mode", ""),
    ("RANDOM_WEIGHTS", "ok=1,ok=2", "names 'ok' twice", ""),
    ("RANDOM_WEIGHTS", "ok=1,OK=1", "names 'ok' twice", ""),
    ("RANDOM_WEIGHTS", "random=5", "gives random itself a weight", ""),
    ("RANDOM_WEIGHTS", "ok=1;fail=1", "gives ok the weight '1;fail=1'", ""),
    ("IDENTITY", "promt", "is not an identity; use one of payload, prompt, trace_id", "'prompt'"),
    ("ELIZA", "1966", "is not an order; use one of seeded, classic", ""),
    ("ELIZA_FILE", "/no/such/file", "cannot be read (No such file or directory)", ""),
    ("ELIZA_FILE", str(ROOT), "cannot be read (Is a directory)", ""),
    ("ELIZA_FILE", "a\x00b", "cannot be read", ""),
    ("ELIZA_FILE", "x" * 5000, "cannot be read (File name too long)", ""),
    ("ADMIN", "2", "is neither on nor off; use 1 or 0", ""),
    ("ADMIN", "maybe", "is neither on nor off", ""),
    ("ALLOWED_HOSTS", "a.test:80", "has 'a.test:80', which is no host name", ""),
    ("ALLOWED_HOSTS", "http://a.test", "which is no host name", ""),
    ("ALLOWED_HOSTS", "a.test b.test", "which is no host name", ""),
    ("ALLOWED_HOSTS", "*test", "which is no host name", ""),
    ("ALLOWED_HOSTS", "a.*.test", "which is no host name", ""),
    ("ALLOWED_HOSTS", "::1", "which is no host name", ""),
    ("CORS_ORIGINS", "*", "has '*', which is no origin", ""),
    ("CORS_ORIGINS", "a.test", "which is no origin; use origins such as http://localhost:3000", ""),
    ("CORS_ORIGINS", "http://a.test/", "which is no origin", ""),
    ("CORS_ORIGINS", "null", "which is no origin", ""),
    ("CORS_ORIGINS", "file://x", "which is no origin", ""),
    ("UNKNOWN", "allow", "use one of refuse, ignore", ""),
    ("MAX_BODY_BYTES", "1023", "from 1024 to 1073741824", ""),
    ("MAX_BODY_BYTES", "2GiB", "from 1024 to 1073741824", ""),
    ("MAX_BODY_BYTES", "8MB", "or one such as 8MiB", ""),
    ("MAX_BODY_BYTES", "8.5MiB", "or one such as 8MiB", ""),
    ("MAX_BODY_BYTES", "-1", "from 1024 to 1073741824", ""),
    ("STORE_MAX_BYTES", "unlimited", "is not a size", ""),
    ("JOBS_MAX", "0", "from 1 to 100000000", ""),
    ("JOURNAL_MAX", "0", "from 1 to 100000000", ""),
    ("RECEIVE_TIMEOUT_MS", "99", "from 100 to 86400000", ""),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "allowed", "nearest"), REFUSED)
def test_a_mistake_says_variable_value_what_is_allowed_and_the_nearest(
    name: str, text: str, allowed: str, nearest: str
) -> None:
    """One line: the variable, its value, what is allowed, and the nearest match where there is one."""
    (mistake,) = mistakes(**{name: text})

    assert mistake.startswith(f"DUMMYLLM_{name}={text!r} ")
    assert allowed in mistake
    assert ("did you mean" in mistake) is bool(nearest)
    assert nearest in mistake
    assert "\n" not in mistake


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("LATENCYMS", "DUMMYLLM_LATENCY_MS"),
        ("LATENCY", "DUMMYLLM_LATENCY_MS"),
        ("MODES", "DUMMYLLM_MODE"),
        ("RANDOM_WEIGHT", "DUMMYLLM_RANDOM_WEIGHTS"),
        ("ADMIM", "DUMMYLLM_ADMIN"),
    ],
)
def test_an_unknown_name_is_a_mistake(name: str, nearest: str) -> None:
    """A mistyped setting stops the server: a default in its place would make tests pass for the wrong reason."""
    (mistake,) = mistakes(**{name: "5"})

    assert mistake == f"DUMMYLLM_{name}='5' is not a setting (did you mean {nearest!r}?)"


@pytest.mark.parametrize("name", ["LENIENT", "", "XYZZY", "PORTAL", "SERVICE", "URLS", "mode"])
def test_a_name_near_to_nothing_is_a_mistake_too(name: str) -> None:
    """There is no lenient mode, and no name is passed over because it is far from all others."""
    (mistake,) = mistakes(**{name: "1"})

    assert mistake.startswith(f"DUMMYLLM_{name}='1' is not a setting")


@pytest.mark.parametrize(
    "name",
    ["PORT", "PORT_8787_TCP", "PORT_8787_TCP_ADDR", "PORT_8787_TCP_PORT", "SERVICE_HOST", "SERVICE_PORT", "URL"],
)
def test_what_kubernetes_injects_and_what_clients_use_passes(name: str) -> None:
    """A Service named dummyllm puts these into every container; `DUMMYLLM_URL` belongs to clients."""
    assert load(environ(**{name: "tcp://10.0.0.1:8787"})) == load({})


def test_all_mistakes_are_reported_at_once() -> None:
    """Not the first one: names first, then the table's rows in their order."""
    found = mistakes(SEED="x", MODE="y", ZZ="z", LATENCY_MS="-1", AA="a")

    assert [line.partition("=")[0] for line in found] == [
        "DUMMYLLM_AA",
        "DUMMYLLM_ZZ",
        "DUMMYLLM_MODE",
        "DUMMYLLM_LATENCY_MS",
        "DUMMYLLM_SEED",
    ]


CHAOS_GONE_WRONG = {
    "LATENCY_SHAPE": "normal",
    "SCRIPT": "fail,fial",
    "RULES": "/no/such/rules.toml",
    "FAULTS": "submit.lost_ack",
    "SWARM": "half",
    "PRESET": "badday",
    "REPLAY": "/no/such/run.faults",
    "SLOTS": "-1",
    "QUEUE_MAX": "many",
    "CLOCK": "sundial",
}


def test_all_mistakes_about_chaos_are_reported_at_once() -> None:
    """One line for each setting, as it would be said alone."""
    found = mistakes(**CHAOS_GONE_WRONG)

    assert list(found) == [mistakes(**{name: text})[0] for name, text in CHAOS_GONE_WRONG.items()]
    assert all(line.startswith(f"DUMMYLLM_{name}=") for name, line in zip(CHAOS_GONE_WRONG, found, strict=True))


def test_mode_script_needs_a_script() -> None:
    """A mode that has nothing to go by is a mistake; a script sets the mode by itself."""
    (mistake,) = mistakes(MODE="script")

    assert mistake == "DUMMYLLM_MODE='script' has no script; set DUMMYLLM_SCRIPT, as in fail,fail,ok"
    assert load(environ(MODE="script", SCRIPT="ok")).policy == load(environ(SCRIPT="ok")).policy
    assert load(environ(SCRIPT="ok")).policy.mode is Mode.SCRIPT


def test_slots_need_a_clock_that_all_jobs_share() -> None:
    """Under `polls` each job has its own, and none of them knows when another ends."""
    (mistake,) = mistakes(SLOTS="1", CLOCK="polls")

    assert mistake == (
        "DUMMYLLM_SLOTS needs a clock that all jobs share; DUMMYLLM_CLOCK='polls' gives each its own: use another"
    )
    for clock in ("wall", "scale(20)", "manual"):
        assert load(environ(SLOTS="1", CLOCK=clock)).slots == 1
    assert load(environ(SLOTS="0", CLOCK="polls")).slots == 0


def test_all_contradictions_are_reported_at_once() -> None:
    """When every value can be read, what they are together is looked at."""
    found = mistakes(MODE="script", SLOTS="1", CLOCK="polls", MAX_BODY_BYTES="2048", STORE_MAX_BYTES="2048")

    assert [re.match("DUMMYLLM_[A-Z_]+", line)[0] for line in found] == [  # type: ignore[index]
        "DUMMYLLM_STORE_MAX_BYTES",
        "DUMMYLLM_MODE",
        "DUMMYLLM_SLOTS",
    ]


def test_a_store_too_small_for_one_body_is_a_contradiction() -> None:
    """Both sides of the edge: a body that is allowed must find room."""
    (mistake,) = mistakes(MAX_BODY_BYTES="2048", STORE_MAX_BYTES="3071")

    assert "DUMMYLLM_STORE_MAX_BYTES is 3071" in mistake
    assert "use at least 3072" in mistake
    assert load(environ(MAX_BODY_BYTES="2048", STORE_MAX_BYTES="3072")).store_max_bytes == 3072


def test_a_script_with_a_mistake_is_refused_by_line(tmp_path: Path) -> None:
    """The reader's own complaint follows, with file and line."""
    script = tmp_path / "broken.eliza"
    script.write_text("(HELLO)\n(NONE ((0) (GO ON)\n", encoding="utf-8")

    (mistake,) = mistakes(ELIZA_FILE=str(script))

    assert "is no script in the 1966 format" in mistake
    assert f"{script}:" in mistake


def test_a_script_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    """It says so, rather than where the decoder stumbled."""
    script = tmp_path / "latin.eliza"
    script.write_bytes(b"(H\xe9)")

    assert "cannot be read (it is not UTF-8)" in mistakes(ELIZA_FILE=str(script))[0]


@pytest.mark.parametrize(
    "name", ["API_KEY", "API_KAY", "APIKEY", "KEY", "TOKEN", "API_TOKEN", "SECRET", "PASSWORD", "AUTH"]
)
def test_a_secret_is_never_shown(name: str) -> None:
    """Neither when it is wrong nor when its name is mistyped."""
    (mistake,) = mistakes(**{name: "my s3cret"})

    assert "s3cret" not in mistake
    assert mistake.startswith(f"DUMMYLLM_{name}='***' ")
    assert "s3cret" not in repr(load(environ(API_KEY="s3cret")).origins[0].shown)


# ---- notes


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"RANDOM_WEIGHTS": "ok=1"}, ["weights count in mode random"]),
        ({"RANDOM_WEIGHTS": "ok=1", "MODE": "fail"}, ["the mode is fail"]),
        ({"RANDOM_WEIGHTS": "ok=0", "MODE": "random"}, ["every job is ok"]),
        ({"RANDOM_WEIGHTS": "ok=1", "MODE": "random"}, []),
        ({"MODE": "random"}, []),
        ({"SCRIPT": "ok", "MODE": "fail"}, ["DUMMYLLM_SCRIPT is set, so DUMMYLLM_MODE=fail decides nothing"]),
        ({"SCRIPT": "ok", "MODE": "script"}, []),
        ({"SCRIPT": "ok"}, []),
        ({"QUEUE_MAX": "5"}, ["without DUMMYLLM_SLOTS nothing waits"]),
        ({"QUEUE_MAX": "5", "SLOTS": "1"}, []),
        ({"CLOCK": "manual"}, ["it is moved by POST /__admin/clock, which needs DUMMYLLM_ADMIN=1"]),
        ({"CLOCK": "manual", "ADMIN": "1"}, []),
        ({"CLOCK": "polls"}, []),
        ({"PRESET": "bad-day", "MODE": "ok"}, []),
        ({"PRESET": "bad-day", "SCRIPT": "ok"}, []),
    ],
)
def test_what_is_probably_not_meant_is_a_note(chosen: Mapping[str, str], words: list[str]) -> None:
    """Weights without mode random are a note, never an error; all weights zero means `ok`, and is one too."""
    notes = load(environ(**chosen)).notes

    assert len(notes) == len(words)
    assert all(word in note for word, note in zip(words, notes, strict=True))


@pytest.mark.parametrize("name", ["MODE", "SCRIPT", "RULES", "FAULTS", "SWARM"])
def test_what_a_recorded_run_overrides_is_a_note(name: str, tmp_path: Path) -> None:
    """REPLAY alone decides what befalls a job."""
    run, rules = tmp_path / "run.faults", tmp_path / "rules.toml"
    run.write_text("", encoding="utf-8")
    rules.write_text(ALWAYS_FAILS, encoding="utf-8")
    text = {"MODE": "ok", "SCRIPT": "ok", "RULES": str(rules), "FAULTS": "run.late=1", "SWARM": "1"}[name]

    assert load(environ(REPLAY=str(run))).notes == ()
    assert load(environ(REPLAY=str(run), **{name: text})).notes == (
        "DUMMYLLM_REPLAY is set: it alone decides what befalls a job",
    )


# ---- what they are together


def test_a_replay_goes_before_rules_they_before_a_script_and_it_before_a_mode(tmp_path: Path) -> None:
    """Precedence: REPLAY, then RULES, then SCRIPT, then MODE."""
    run, rules = tmp_path / "run.faults", tmp_path / "rules.toml"
    run.write_text(f"{IDENTITY_OF_CHAT} job 0 mode=hang latency_ms=1\n", encoding="utf-8")
    rules.write_text(ALWAYS_FAILS, encoding="utf-8")
    chosen = {"MODE": "timeout", "SCRIPT": "slow", "RULES": str(rules), "REPLAY": str(run)}
    told = {}
    for name in reversed(list(chosen)):
        told[name] = inspected(app_of(load(environ(**chosen)), ManualClock()))["chosen_mode"]
        del chosen[name]

    assert told == {"REPLAY": "hang", "RULES": "fail", "SCRIPT": "slow", "MODE": "timeout"}


def test_a_swarm_leaves_out_faults_by_the_seed() -> None:
    """Whether the seed leaves out about half of the faults; without DUMMYLLM_FAULTS, of all there are, at 5 % each."""
    faults = ", ".join(f"{kind.usage}=7" for kind in KINDS.values())
    some = {seed: names(load(environ(SWARM="1", FAULTS=faults, SEED=str(seed)))) for seed in range(20)}

    assert len({*map(frozenset, some.values())}) == 20
    assert all(0 < len(each) < len(KINDS) for each in some.values())
    assert names(load(environ(FAULTS=faults))) == [*KINDS]
    alone = load(environ(SWARM="1", SEED="3"))
    assert names(alone) == some[3]
    assert {one.millionths for one in all_odds(alone)} == {50_000}


def all_odds(settings_: Settings) -> list[Odds]:
    policy = settings_.policy
    return [*policy.submit_odds, *policy.job_odds, *policy.poll_odds]


def names(settings_: Settings) -> list[str]:
    return [one.fault.kind.name for one in all_odds(settings_)]


def test_a_rule_may_have_faults_of_its_own_or_none(tmp_path: Path) -> None:
    """`faults` ("" = none); a rule that says nothing of them has the server's."""
    rules = tmp_path / "rules.toml"
    rules.write_text(
        '[[rule]]\nname = "own"\nthen = { faults = "run.late=5" }\n'
        '[[rule]]\nname = "none"\nthen = { faults = "" }\n'
        '[[rule]]\nname = "server\'s"\nthen = { mode = "fail" }\n',
        encoding="utf-8",
    )
    policy = load(environ(RULES=str(rules), FAULTS="run.vanish=5, submit.reset=5")).policy
    found = [[one.fault.text for one in (*rule.policy.submit_odds, *rule.policy.job_odds)] for rule in policy.rules]

    assert found == [["run.late"], [], ["submit.reset", "run.vanish"]]
    assert [rule.policy.rule for rule in policy.rules] == ["own", "none", "server's"]


# ---- whatever is written


TEXTS = st.one_of(
    st.text(max_size=30),
    st.from_regex(r"\A[-+ 0-9a-zA-Z=,.*:/\[\]]{0,30}\Z"),
    st.sampled_from([text for _, text, _, _ in REFUSED]),
    st.binary(max_size=10).map(os.fsdecode),
)


@settings(max_examples=250, deadline=None)
@given(st.dictionaries(st.sampled_from([name for name in NAMES if name not in FILES]), TEXTS, max_size=4))
@example({"SEED": "-" + "0" * 70})
@example({"ALLOWED_HOSTS": "[::::::]"})
def test_any_environment_gives_settings_or_mistakes(chosen: dict[str, str]) -> None:
    """Settings or SettingsError, nothing else; and what was accepted makes a server."""
    try:
        loaded = load(environ(**chosen))
    except SettingsError as error:
        found = error.mistakes
    else:
        assert backend_of(loaded).policy.race
        return
    assert found
    for mistake in found:
        mistake.encode()  # what a shell put in as stray bytes must not break the printing of it
        assert mistake.startswith("DUMMYLLM_")
        assert "\n" not in mistake


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.text(max_size=30), st.binary(max_size=10).map(os.fsdecode)))
def test_any_path_gives_settings_or_mistakes(path: str) -> None:
    """A path is only ever read; whatever it names, the outcome is one of the two."""
    for name in FILES:
        try:
            load(environ(**{name: f"/no/such/place/{path}"}))
        except SettingsError as error:
            error.mistakes[0].encode()


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=20), st.text(max_size=10))
def test_any_name_under_our_prefix_is_a_setting_or_a_mistake(name: str, text: str) -> None:
    """No name is silently without effect."""
    if name in NAMES or name in ("URL", "PORT") or name.startswith(("PORT_", "SERVICE_")):
        return
    assert mistakes(**{name: text})[0].startswith(f"DUMMYLLM_{name}=")


# ---- every row is heeded

JSON = (b"content-type", b"application/json")
LOCAL = (b"host", b"localhost")
CHAT = b'{"op":"llm.chat","args":{"messages":[{"role":"user","content":"%s"}]}}'
IDENTITY_OF_CHAT = fingerprint_of(JobRequest("llm.chat", b'{"messages":[{"role":"user","content":"hello"}]}')).hex()
SAID = [b"hello", b"I am sad", b"my mother hates me", b"you are a computer", b"why not", b"yes", b"no", b"xyzzy"]


def submit(app: App, body: bytes = CHAT % b"hello", *headers: tuple[bytes, bytes]) -> Answer:
    return direct(app, "POST", "/v1/jobs", body, [LOCAL, JSON, *headers])


def inspected(app: App, body: bytes = CHAT % b"hello") -> dict[str, Any]:
    return direct(app, "GET", f"/v1/jobs/{submit(app, body).json['id']}/request").json


def replies(app: App) -> list[str]:
    ids = [submit(app, CHAT % text).json["id"] for text in SAID]
    clock = app.backend.clock
    assert isinstance(clock, ManualClock)
    clock.advance(250)
    return [direct(app, "GET", f"/v1/jobs/{job_id}").json["result"]["text"] for job_id in ids]


def patience(app: App) -> bool:
    """Say whether a request is given up whose body has not come within a third of a second."""
    sent: list[Message] = []

    async def receive() -> Message:
        return await asyncio.get_running_loop().create_future()

    async def send(message: Message) -> None:
        sent.append(message)

    async def ask_and_wait() -> None:
        scope = {"type": "http", "method": "POST", "path": "/v1/jobs", "headers": [LOCAL, JSON]}
        scope |= {"server": LOOPBACK, "client": HERE, "query_string": b""}
        task = asyncio.ensure_future(app(scope, receive, send))
        await asyncio.wait([task], timeout=0.35)
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(ask_and_wait())
    return bool(sent) and sent[0]["status"] == 408


def ordinals(app: App) -> list[object]:
    """Return the ordinals of four jobs: one, it again, it decorated, and another text under the same trace_id."""
    plain = b'{"op":"llm.chat","args":{"model":"m","messages":[1]},"trace_id":"t"}'
    decorated = b'{"op":"llm.chat","args":{"model":"m","messages":[1],"attempt":2},"trace_id":"t"}'
    other = b'{"op":"llm.chat","args":{"model":"m","messages":[2]},"trace_id":"t"}'
    return [inspected(app, body)["ordinal"] for body in (plain, plain, decorated, other)]


def befallen(app: App, submits: int) -> int:
    """Return how many of so many submits a fault befell, or their jobs."""
    for _ in range(submits):
        submit(app)
    jobs = app.backend.store.jobs()
    return sum(e.fault is not None for e in app.backend.journal.since()) + sum(bool(job.fate.faults) for job in jobs)


def states(app: App, jobs: int) -> list[str]:
    """Return the states of the first *jobs* of a server, which are submitted if they are not there yet."""
    while len(app.backend.store.jobs()) < jobs:
        submit(app)
    return [direct(app, "GET", f"/v1/jobs/{job.id}").json["state"] for job in app.backend.store.jobs()]


TWO_READS = [["running"], ["running"]], [["running"], ["ok"]]

ALWAYS_FAILS = '[[rule]]\nname = "always"\nthen = { mode = "fail" }\n'
OWN_SCRIPT = "(HELLO)\n(MY ((0) (PINEAPPLE)))\n(NONE ((0) (PINEAPPLE)))\n(MEMORY MY" + " (0 YOUR 0 = A 3)" * 4 + ")\n"


def found_against_a_duplicate(app: App, rule: str = "no-concurrent-duplicate") -> str:
    """Return what *rule* says of a runner that submits twice at once, each answer known to have arrived."""
    for _ in range(2):
        submit(app)
    for entry in app.backend.journal.since():
        entry.delivered = Delivered.YES
    verdict = OnTrial(app.backend, app.settings).verdict(is_final=True)
    return next(one.result.value for one in verdict.invariants if one.id == rule)


Case = tuple[dict[str, str], Callable[[App], object], object, object]
HEEDED: dict[str, list[Case]] = {
    "MODE": [({"MODE": "fail"}, lambda app: inspected(app)["chosen_mode"], "ok", "fail")],
    "RANDOM_WEIGHTS": [
        ({"MODE": "random", "RANDOM_WEIGHTS": "hang=1"}, lambda app: inspected(app)["chosen_mode"], "ok", "hang"),
        ({"MODE": "random", "RANDOM_WEIGHTS": "hang=0"}, lambda app: inspected(app)["chosen_mode"], "ok", "ok"),
    ],
    "LATENCY_MS": [({"LATENCY_MS": "40"}, lambda app: inspected(app)["fate"]["timeline"][-1]["at_ms"], 250, 40)],
    "LATENCY_SHAPE": [
        (
            {"LATENCY_SHAPE": "uniform(0.5,0.5)"},
            lambda app: inspected(app)["fate"]["timeline"][-1]["at_ms"],
            250,
            125,
        )
    ],
    "SCRIPT": [
        (
            {"SCRIPT": "fail,hang"},
            lambda app: [inspected(app)["chosen_mode"] for _ in range(3)],
            ["ok", "ok", "ok"],
            ["fail", "hang", "hang"],
        )
    ],
    "RULES": [({"RULES": "{rules}"}, lambda app: inspected(app)["chosen_mode"], "ok", "fail")],
    "FAULTS": [
        ({"FAULTS": "submit.status(503)=100"}, lambda app: submit(app).status, 201, 503),
        ({"FAULTS": "run.late=100"}, lambda app: inspected(app)["fate"].get("faults"), None, ["run.late"]),
    ],
    "SWARM": [({"SWARM": "1"}, lambda app: befallen(app, 100) > 0, False, True)],
    "PRESET": [({"PRESET": "rate-limited"}, lambda app: 429 in [submit(app).status for _ in range(20)], False, True)],
    "REPLAY": [({"REPLAY": "{replay}"}, lambda app: inspected(app)["chosen_mode"], "ok", "slow")],
    "SLOTS": [({"SLOTS": "1"}, lambda app: states(app, 2), ["running", "running"], ["running", "queued"])],
    "QUEUE_MAX": [
        (
            {"SLOTS": "1", "QUEUE_MAX": "1"},
            lambda app: [submit(app).status for _ in range(3)],
            [201, 201, 201],
            [201, 201, 503],
        )
    ],
    "CLOCK": [({"CLOCK": "polls"}, lambda app: [states(app, 1) for _ in range(2)], *TWO_READS)],
    "SEED": [({"SEED": "-1"}, lambda app: inspected(app)["seed"], 1337, -1)],
    "IDENTITY": [
        ({"IDENTITY": "prompt"}, ordinals, [0, 1, 0, 0], [0, 1, 2, 0]),
        ({"IDENTITY": "trace_id"}, ordinals, [0, 1, 0, 0], [0, 1, 2, 3]),
    ],
    "ELIZA": [
        (
            {"ELIZA": "classic"},
            lambda app: replies(app) == replies(app_of(load(environ(SEED="7")), ManualClock())),
            False,
            False,
        ),
        (
            {"ELIZA": "classic"},
            lambda app: (
                replies(app) == replies(app_of(load(environ(ELIZA=app.settings.eliza.value, SEED="7")), ManualClock()))
            ),
            False,
            True,
        ),
    ],
    "ELIZA_FILE": [({"ELIZA_FILE": "{script}"}, lambda app: set(replies(app)) == {"PINEAPPLE"}, False, True)],
    "ADMIN": [({"ADMIN": "1"}, lambda app: direct(app, "POST", "/__admin/reset").status, 403, 200)],
    "API_KEY": [({"API_KEY": "k"}, lambda app: submit(app).status, 201, 401)],
    "ALLOWED_HOSTS": [
        (
            {"ALLOWED_HOSTS": "llm.test"},
            lambda app: direct(app, "GET", "/v1/jobs/x", headers=[(b"host", b"llm.test")]).code,
            "HOST_NOT_ALLOWED",
            "NOT_FOUND",
        )
    ],
    "CORS_ORIGINS": [
        (
            {"CORS_ORIGINS": "http://page.test"},
            lambda app: submit(app, CHAT % b"x", (b"origin", b"http://page.test")).status,
            403,
            201,
        )
    ],
    "UNKNOWN": [({"UNKNOWN": "ignore"}, lambda app: submit(app, b'{"op":"x","more":1}').status, 422, 201)],
    "MAX_BODY_BYTES": [({"MAX_BODY_BYTES": "1024"}, lambda app: submit(app, CHAT % (b"x" * 1024)).status, 201, 413)],
    "JOBS_MAX": [({"JOBS_MAX": "1"}, lambda app: [submit(app).status for _ in range(2)], [201, 201], [201, 503])],
    "STORE_MAX_BYTES": [
        (
            {"STORE_MAX_BYTES": "2048", "MAX_BODY_BYTES": "1024"},
            lambda app: [submit(app).status for _ in range(3)],
            [201, 201, 201],
            [201, 201, 503],
        )
    ],
    "JOURNAL": [({"JOURNAL": "{journal}"}, lambda app: app.backend.journal.sink is None, True, False)],
    "JOURNAL_MAX": [
        (
            {"JOURNAL_MAX": "2"},
            lambda app: [submit(app).status for _ in range(3)] and app.backend.journal.dropped,
            0,
            1,
        )
    ],
    "RECEIVE_TIMEOUT_MS": [({"RECEIVE_TIMEOUT_MS": "100"}, patience, False, True)],
    "VERDICT": [({"VERDICT": "print"}, lambda app: app.settings.verdict_is_wanted, False, True)],
    "VERDICT_IDENTITY": [({"VERDICT_IDENTITY": "payload"}, found_against_a_duplicate, "warn", "fail")],
    "VERDICT_EXPECT": [
        (
            {"VERDICT_EXPECT": "{expect}"},
            lambda app: found_against_a_duplicate(app, "payload-integrity"),
            "not-exercised",
            "fail",
        )
    ],
}


def test_every_row_has_a_test_that_sees_the_behaviour_change() -> None:
    """No dead options: a new row is not done before it is below. The verdict's numbers have a test of their own."""
    assert list(HEEDED) == [setting.name for setting in SETTINGS if not setting.is_limit]


@pytest.mark.parametrize("setting", [setting for setting in SETTINGS if setting.is_limit], ids=lambda one: one.name)
def test_every_number_of_the_verdict_reaches_it(setting: Setting) -> None:
    """Each has its place in the limits, and the defaults are those that the rules were written with."""
    member = setting.name.removeprefix("VERDICT_").lower()

    assert getattr(load(environ(**{setting.name: "7"})).verdict_limits, member) == 7
    assert load({}).verdict_limits == Limits()


@pytest.mark.parametrize(
    ("chosen", "look", "before", "after"),
    [case for cases in HEEDED.values() for case in cases],
    ids=[name for name, cases in HEEDED.items() for _ in cases],
)
def test_a_setting_changes_what_is_seen_from_outside(
    tmp_path: Path, chosen: dict[str, str], look: Callable[[App], object], before: object, after: object
) -> None:
    """The same look at a server with the defaults and at one with the setting."""
    script = tmp_path / "script"
    script.write_text(OWN_SCRIPT, encoding="utf-8")
    rules = tmp_path / "rules.toml"
    rules.write_text(ALWAYS_FAILS, encoding="utf-8")
    (tmp_path / "expect.jsonl").write_text('{"op":"never.sent"}\n', encoding="utf-8")
    files = {name: tmp_path / name for name in ("journal", "verdict")} | {"expect": tmp_path / "expect.jsonl"}
    replay = tmp_path / "run.faults"
    replay.write_text(f"{IDENTITY_OF_CHAT} job 0 mode=slow latency_ms=1\n", encoding="utf-8")
    chosen = {name: text.format(script=script, rules=rules, replay=replay, **files) for name, text in chosen.items()}

    assert look(app_of(load({}), ManualClock())) == before
    app = app_of(load(environ(**chosen)), ManualClock())
    try:
        assert look(app) == after
    finally:
        if app._journal_file is not None:
            app._journal_file.close(closing_of(app.backend))


# ---- under a real uvicorn


def said_by_uvicorn(**chosen: str) -> tuple[int, list[str]]:
    """Run SPEC.md's own line with *chosen* settings, and return the exit status and what it said on stderr."""
    command = [sys.executable, "-m", "uvicorn", "server:app", "--host", "127.0.0.1", "--port", "0"]
    ended = subprocess.run(
        command, cwd=ROOT, env=environment(**chosen), capture_output=True, text=True, timeout=30, check=False
    )
    assert ended.stdout == ""
    return ended.returncode, ended.stderr.splitlines()


@pytest.mark.parametrize(
    "chosen",
    [
        {"MODE": "flakey", "LATENCY_MS": "250ms", "LATENCYMS": "5", "API_KEY": "my s3cret"},
        {"SEED": "lucky"},
        {"STORE_MAX_BYTES": "1MiB"},
        CHAOS_GONE_WRONG,
        {"MODE": "script", "SLOTS": "2", "CLOCK": "polls"},
        {"MODE": os.fsdecode(b"\xff\n\x1b[2J")},
        {"\udcff": "x"},
    ],
)
def test_a_bad_setting_stops_plain_uvicorn(chosen: dict[str, str]) -> None:
    """Exit status 2 and no traceback, one line for each mistake, the same lines that `load` gives."""
    status, lines = said_by_uvicorn(**chosen)

    expected = [f"dummyllm: {mistake}" for mistake in mistakes(**chosen)]
    assert status == 2
    assert lines == [line.encode(errors="backslashreplace").decode() for line in expected]


def test_a_good_environment_starts_plain_uvicorn(tmp_path: Path) -> None:
    """SPEC.md's own example, with what Kubernetes adds to it."""
    chosen = {
        "MODE": "random",
        "RANDOM_WEIGHTS": "ok=70,echo=10,slow=10,fail=5,hang=3,timeout=2,flaky=0",
        "LATENCY_MS": "250",
        "SEED": "1337",
        "PORT": "tcp://10.0.0.1:8787",
        "SERVICE_HOST": "10.0.0.1",
        "ADMIN": "",
    }
    server: Served
    with served(tmp_path / "stderr", **chosen) as server:
        health = ask(server.port, "GET", "/health").json

    assert (health["mode"], health["latency_ms"], health["seed"]) == ("random", 250, 1337)
    assert health["random_weights"] == dict(load(environ(**chosen)).random_weights)


@pytest.mark.parametrize("name", ["JOURNAL", "VERDICT"])
@pytest.mark.parametrize("path", ["x" * 300, "missing/run.jsonl", "."])
def test_a_file_that_cannot_be_is_refused(name: str, path: str) -> None:
    """Too long a name, a directory that is not there, a directory instead of a file."""
    with pytest.raises(SettingsError, match="is no file that can be written; use a path in a directory that exists"):
        load(environ(**{name: path}))
