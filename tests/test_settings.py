"""Every setting is read, heeded, or refused with a sentence; nothing is guessed."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from starlette.types import Message

from dummyllm.assembly import app_of, backend_of
from dummyllm.clock import ManualClock
from dummyllm.core.fingerprint import IdentityKind
from dummyllm.core.mode import Mode
from dummyllm.setting_values import ElizaOrder, Unknown
from dummyllm.settings import SETTINGS, SettingsError, load
from dummyllm.web.app import App
from tests.live import ROOT, environment
from tests.web.direct import HERE, LOOPBACK, direct
from tests.web.stack import Answer, Served, ask, served

NAMES = [setting.name for setting in SETTINGS]


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
    ("MODE", "flakey", "is not a mode; use one of ok, echo, slow, fail, hang, timeout, flaky, random", "'flaky'"),
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
    ],
)
def test_what_is_probably_not_meant_is_a_note(chosen: Mapping[str, str], words: list[str]) -> None:
    """Weights without mode random are a note, never an error; all weights zero means `ok`, and is one too."""
    notes = load(environ(**chosen)).notes

    assert len(notes) == len(words)
    assert all(word in note for word, note in zip(words, notes, strict=True))


# ---- whatever is written


TEXTS = st.one_of(
    st.text(max_size=30),
    st.from_regex(r"\A[-+ 0-9a-zA-Z=,.*:/\[\]]{0,30}\Z"),
    st.sampled_from([text for _, text, _, _ in REFUSED]),
    st.binary(max_size=10).map(os.fsdecode),
)


@settings(max_examples=250, deadline=None)
@given(st.dictionaries(st.sampled_from([name for name in NAMES if name != "ELIZA_FILE"]), TEXTS, max_size=4))
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
def test_any_path_to_a_script_gives_settings_or_mistakes(path: str) -> None:
    """A path is only ever read; whatever it names, the outcome is one of the two."""
    try:
        load(environ(ELIZA_FILE=f"/no/such/place/{path}"))
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
SAID = [b"hello", b"I am sad", b"my mother hates me", b"you are a computer", b"why not", b"yes", b"no", b"xyzzy"]


def submit(app: App, body: bytes = CHAT % b"hello", *headers: tuple[bytes, bytes]) -> Answer:
    return direct(app, "POST", "/v1/jobs", body, [LOCAL, JSON, *headers])


def inspected(app: App, body: bytes = CHAT % b"hello") -> Mapping[str, object]:
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


OWN_SCRIPT = "(HELLO)\n(MY ((0) (PINEAPPLE)))\n(NONE ((0) (PINEAPPLE)))\n(MEMORY MY" + " (0 YOUR 0 = A 3)" * 4 + ")\n"

Case = tuple[dict[str, str], Callable[[App], object], object, object]
HEEDED: dict[str, list[Case]] = {
    "MODE": [({"MODE": "fail"}, lambda app: inspected(app)["chosen_mode"], "ok", "fail")],
    "RANDOM_WEIGHTS": [
        ({"MODE": "random", "RANDOM_WEIGHTS": "hang=1"}, lambda app: inspected(app)["chosen_mode"], "ok", "hang"),
        ({"MODE": "random", "RANDOM_WEIGHTS": "hang=0"}, lambda app: inspected(app)["chosen_mode"], "ok", "ok"),
    ],
    "LATENCY_MS": [({"LATENCY_MS": "40"}, lambda app: inspected(app)["fate"]["timeline"][-1]["at_ms"], 250, 40)],
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
    "JOURNAL_MAX": [
        (
            {"JOURNAL_MAX": "2"},
            lambda app: [submit(app).status for _ in range(3)] and app.backend.journal.dropped,
            0,
            1,
        )
    ],
    "RECEIVE_TIMEOUT_MS": [({"RECEIVE_TIMEOUT_MS": "100"}, patience, False, True)],
}


def test_every_row_has_a_test_that_sees_the_behaviour_change() -> None:
    """No dead options: a new row is not done before it is below."""
    assert list(HEEDED) == NAMES


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
    chosen = {name: text.format(script=script) for name, text in chosen.items()}

    assert look(app_of(load({}), ManualClock())) == before
    assert look(app_of(load(environ(**chosen)), ManualClock())) == after


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
