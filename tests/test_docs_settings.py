"""docs/settings.md shows the tables of settings and presets as the program has them, and rules that mean what it says.

The tables on the page are written by `python -m tests.test_docs_settings`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from dummyllm.assembly import app_of
from dummyllm.chaos_values import CLOCKS
from dummyllm.clock import ManualClock
from dummyllm.core.fingerprint import IdentityKind
from dummyllm.core.latency import Uniform
from dummyllm.core.mode import Mode
from dummyllm.core.policy import Policy
from dummyllm.core.request import JobRequest
from dummyllm.core.rules import policy_for
from dummyllm.presets import PRESETS
from dummyllm.rules_file import GLOBS, THEN
from dummyllm.settings import SETTINGS, Setting, SettingsError, load
from tests.web.direct import direct

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "settings.md"
BEGIN, END = "<!-- the table of dummyllm/settings.py -->", "<!-- its end -->"
PRESETS_BEGIN, PRESETS_END = "<!-- the presets of dummyllm/presets.py -->", "<!-- their end -->"
SNIPPET = re.compile(r"(?:^    export DUMMYLLM_.*\n)+", re.MULTILINE)
EXPORT = re.compile(r"^    export (DUMMYLLM_\w+)=\"?([^\"\n]*)\"?$", re.MULTILINE)


def table() -> str:
    """Return the table of settings as the page has it."""
    head = ["| setting | default | allowed | meaning |", "| --- | --- | --- | --- |"]
    return "\n".join([*head, *map(row, SETTINGS)])


def row(setting: Setting) -> str:
    default = f"`{setting.default}`" if setting.default else "none"
    cells = [f"`{setting.variable}`", default, setting.allowed, setting.help]
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def presets() -> str:
    """Return the table of presets as the page has it: what each of them sets."""
    head = ["| `DUMMYLLM_PRESET` | sets |", "| --- | --- |"]
    return "\n".join([*head, *(f"| `{name}` | {bundle(settings)} |" for name, settings in PRESETS.items())])


def bundle(settings: Mapping[str, str]) -> str:
    return "<br>".join(f"`{name}={text}`" for name, text in settings.items())


def with_table(page: str) -> str:
    """Return *page* with the tables of today between their marks."""
    page = between(page, BEGIN, table(), END)
    return between(page, PRESETS_BEGIN, presets(), PRESETS_END)


def between(page: str, begin: str, text: str, end: str) -> str:
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n\n{text}\n\n{end}{after}"


def test_the_page_has_the_table_that_the_program_has() -> None:
    """A row that is added, changed or dropped fails here until `python -m tests.test_docs_settings` was run."""
    page = PAGE.read_text(encoding="utf-8")

    assert all(page.count(mark) == 1 for mark in (BEGIN, END, PRESETS_BEGIN, PRESETS_END))
    assert with_table(page) == page


def test_every_setting_is_spoken_of_outside_the_table() -> None:
    """The table says what; the words around it say what for."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    prose = before + rest.partition(END)[2]

    named = [setting.name for setting in SETTINGS if not setting.is_limit]
    assert [name for name in named if f"`{name}`" not in prose] == []


@pytest.mark.parametrize("kind", IdentityKind)
def test_every_identity_is_explained(kind: IdentityKind) -> None:
    """Each kind has its own row."""
    assert f"\n| `{kind.value}` |" in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("clock", CLOCKS)
def test_every_clock_is_explained(clock: str) -> None:
    """Each kind has its own row."""
    assert f"\n| `{clock}` | " in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("shape", ["fixed", "uniform(0.5,1.5)", "lognormal(p99=8)"])
def test_every_shape_of_latency_is_explained(shape: str) -> None:
    """Each kind has its own row, and is one that the server takes."""
    assert f"\n| `{shape}` | " in PAGE.read_text(encoding="utf-8")
    assert load({"DUMMYLLM_LATENCY_SHAPE": shape}).latency_shape.spelled == shape


def test_every_export_on_the_page_is_one_the_server_takes() -> None:
    """What can be copied from the page can be used."""
    page = PAGE.read_text(encoding="utf-8")
    snippets = [dict(EXPORT.findall(snippet)) for snippet in SNIPPET.findall(page)]

    assert len(snippets) >= 5
    assert sum(map(len, snippets)) == page.count("    export ")
    for environ in snippets:
        assert load(environ).notes == ()


# ---- rules


@pytest.fixture
def policy(tmp_path: Path) -> Policy:
    """The policy of a server that has the rules of the page."""
    file = tmp_path / "rules.toml"
    file.write_text(
        re.findall(r"^```toml\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)[0],
        encoding="utf-8",
    )
    return load({"DUMMYLLM_RULES": str(file), "DUMMYLLM_FAULTS": "run.late=5"}).policy


POISON = b'{"model":"llama3:70b","messages":[{"role":"user","content":"This is POISON."}]}'


@pytest.mark.parametrize(
    ("request_", "ordinal", "rule"),
    [
        (JobRequest("llm.chat", POISON, trace_id="pay-1"), 2, "poison"),
        (JobRequest("llm.chat", POISON, trace_id="pay-1"), 3, "everything else"),
        (JobRequest("llm.chat", POISON), 1, "second attempts"),
        (JobRequest("report.render"), 1, "reports"),
        (JobRequest("llm.chat", POISON), 0, "everything else"),
        (JobRequest("llm.embed"), 1, "embeddings"),
    ],
)
def test_the_rules_on_the_page_decide_as_it_says(policy: Policy, request_: JobRequest, ordinal: int, rule: str) -> None:
    """Rules are tried from the top, and the first whose `when` matches decides."""
    assert policy_for(policy, request_, ordinal).rule == rule


def test_the_rules_on_the_page_say_what_it_says(policy: Policy) -> None:
    """What `then` leaves open stays as the other settings have it."""
    poison, embeddings, reports, second, rest = (rule.policy for rule in policy.rules)

    assert (poison.mode, poison.job_odds) == (Mode.FAIL, policy.job_odds)
    assert (embeddings.mode, embeddings.base_latency_ms, embeddings.reply) == (Mode.OK, 40, "[0.25, -1.5]")
    assert embeddings.shape == Uniform(0.5, 1.5)
    assert ([one.fault.text for one in embeddings.submit_odds], embeddings.job_odds) == (["submit.status(429)"], ())
    assert reports.script is not None
    assert reports.script.spelled == "ok+submit.status(503),hang+cancel.ignored,ok"
    assert (second.mode, second.script, second.job_odds) == (Mode.OK, None, ())
    assert (rest.mode, rest.random_weights["ok"] if rest.random_weights else None, rest.job_odds) == (
        Mode.RANDOM,
        9,
        (),
    )


def test_every_key_of_a_rule_is_explained() -> None:
    """What a file of rules may say is what the page says it may."""
    page = PAGE.read_text(encoding="utf-8")
    rows = {
        word for row in re.findall(r"^\| (`[a-z_`, ]+`) \|", page, re.MULTILINE) for word in re.findall(r"`(\w+)`", row)
    }

    assert {*GLOBS, "ordinal", *THEN} <= rows


# ---- slots and clocks


def test_a_full_queue_says_when_as_the_page_says() -> None:
    """`Retry-After` has the seconds until the next job is due to end, at least 1; 30 if none of those ever ends."""
    hints = []
    for settings in ({"LATENCY_MS": "4001"}, {"LATENCY_MS": "10"}, {"MODE": "hang"}):
        chosen = {"SLOTS": "1", "QUEUE_MAX": "1", **settings}
        app = app_of(load({f"DUMMYLLM_{name}": text for name, text in chosen.items()}), ManualClock())
        json = [(b"host", b"localhost"), (b"content-type", b"application/json")]
        *_, refused = [direct(app, "POST", "/v1/jobs", b'{"op":"x"}', json) for _ in range(3)]
        assert (refused.status, refused.code) == (503, "FULL")
        hints.append(refused.headers["retry-after"])

    assert hints == ["5", "1", "30"]


def test_the_refusals_on_the_page_are_the_ones_the_program_prints() -> None:
    """The example of a start that fails is what such a start prints."""
    page = PAGE.read_text(encoding="utf-8")
    shown = re.findall(r"^    dummyllm: (.*)$", page, re.MULTILINE)
    environ = {"DUMMYLLM_MODE": "flakey", "DUMMYLLM_LATENCYMS": "100", "DUMMYLLM_RANDOM_WEIGHTS": "ok=70,echo"}

    with pytest.raises(SettingsError) as refused:
        load(environ)

    assert shown == list(refused.value.mistakes)


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
