"""The file of rules: every mistake in it at once, each with its rule and the path of its key; or the rules it means."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dummyllm.chaos_values import faults, script
from dummyllm.core.latency import Uniform
from dummyllm.core.mode import Mode
from dummyllm.core.policy import Policy
from dummyllm.core.replay import read_replay
from dummyllm.core.rules import When
from dummyllm.rules_file import Draft, rules
from dummyllm.settings import SettingsError, load


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rules.toml"


def written(file: Path, text: str) -> tuple[Draft, ...]:
    """Return the rules of a *file* that says *text*."""
    file.write_text(text, encoding="utf-8")
    return rules(str(file))


def complaint(file: Path, text: str) -> str:
    with pytest.raises(ValueError, match=r"^[a-z]") as caught:
        written(file, text)
    return str(caught.value)


def one(file: Path, when: str = "{}", then: str = '{ mode = "fail" }') -> Draft:
    """Return the rule with this *when* and this *then*."""
    (draft,) = written(file, f'[[rule]]\nname = "r"\nwhen = {when}\nthen = {then}\n')
    return draft


# ---- what is read

POISON = """
# Rules are tried from the top.
[[rule]]
name = "poison"
when = { op = "llm.chat", model = "*:70b", trace_id = "pay-*", text = "*poison*", ordinal = "0..2" }
then = { mode = "fail" }

[[rule]]
name = "the rest"
then = { weights = { ok = 3, slow = 1 }, latency_ms = 4, latency_shape = "uniform(0.5,1.5)", faults = "", reply = "No" }
"""


def test_a_file_has_rules_in_the_order_in_which_they_are_tried(file: Path) -> None:
    """`when`: all must match; `then`: one of mode, script, weights, and whatever else is to be different."""
    first, second = written(file, POISON)

    assert first == Draft(
        name="poison",
        when=When(op="llm.chat", model="*:70b", trace_id="pay-*", text="*poison*", ordinals=(0, 2)),
        mode=Mode.FAIL,
    )
    assert second.when == When()
    assert second.weights is not None
    assert {mode.value: weight for mode, weight in second.weights if weight} == {"ok": 3, "slow": 1}
    assert (second.latency_ms, second.shape, second.faults, second.reply) == (4, Uniform(0.5, 1.5), (), "No")


def test_a_rule_may_be_written_as_tables_of_its_own(file: Path) -> None:
    """It is TOML: one rule, whichever way it is spelled."""
    long = '[[rule]]\nname = "r"\n[rule.when]\nop = "x"\n[rule.then]\nmode = "fail"\n'

    assert written(file, long) == (one(file, '{ op = "x" }'),)


@pytest.mark.parametrize(
    ("text", "ordinals"),
    [
        ("0", (0, 0)),
        ('"0"', (0, 0)),
        ('"0..2"', (0, 2)),
        ('" 3..3 "', (3, 3)),
        ('"3.."', (3, None)),
        ("7", (7, 7)),
        ('"999999999999999999"', (10**18 - 1, 10**18 - 1)),
    ],
)
def test_ordinals_are_a_number_or_a_range(file: Path, text: str, ordinals: tuple[int, int | None]) -> None:
    """From the first to the last, both included; without a last one for ever."""
    assert one(file, f"{{ ordinal = {text} }}").when.ordinals == ordinals


@pytest.mark.parametrize(
    ("then", "chosen"),
    [
        ('{ mode = "HANG" }', {"mode": Mode.HANG}),
        ('{ script = "fail,ok" }', {"script": script("fail,ok")}),
        (
            '{ weights = "ok=1" }',
            {"weights": tuple((m, int(m is Mode.OK)) for m in Mode if m.value not in ("random", "script"))},
        ),
        ("{ latency_ms = 0 }", {"latency_ms": 0}),
        ("{ latency_ms = 86400000 }", {"latency_ms": 86_400_000}),
        ('{ faults = "run.late=5" }', {"faults": faults("run.late=5")}),
        ('{ faults = "" }', {"faults": ()}),
        ('{ reply = "" }', {"reply": ""}),
    ],
)
def test_a_rule_says_one_thing_or_several(file: Path, then: str, chosen: dict[str, object]) -> None:
    """None leaves to the server's own settings what it does not say."""
    assert one(file, then=then) == Draft(name="r", when=When(), **chosen)  # type: ignore[arg-type]


# ---- what it makes of a policy


def policy(file: Path, then: str, base: Policy) -> Policy:
    return one(file, then=then).rule(base, None).policy


def test_what_a_rule_does_not_say_is_the_servers(file: Path) -> None:
    """Its policy is the server's own but for what it says, and for its name."""
    base = Policy(mode=Mode.RANDOM, seed=7, base_latency_ms=40)

    assert policy(file, "{ latency_ms = 9 }", base) == Policy(mode=Mode.RANDOM, seed=7, base_latency_ms=9, rule="r")
    assert policy(file, '{ reply = "x" }', base) == Policy(
        mode=Mode.RANDOM, seed=7, base_latency_ms=40, rule="r", reply="x"
    )


@pytest.mark.parametrize(
    ("then", "mode", "spelled"),
    [
        ('{ mode = "fail" }', Mode.FAIL, None),
        ('{ mode = "random" }', Mode.RANDOM, None),
        ("{ weights = { hang = 1 } }", Mode.RANDOM, None),
        ('{ script = "hang" }', Mode.SCRIPT, "hang"),
        ("{ latency_ms = 5 }", Mode.SCRIPT, "fail,ok"),
    ],
)
def test_a_rule_with_a_mode_of_its_own_has_no_script_but_its_own(
    file: Path, then: str, mode: Mode, spelled: str | None
) -> None:
    """RULES, then SCRIPT, then MODE: what a rule says goes before the server's script."""
    made = policy(file, then, Policy(mode=Mode.SCRIPT, script=script("fail,ok")))

    assert (made.mode, made.script.spelled if made.script else None) == (mode, spelled)


def test_a_recorded_run_leaves_a_rule_its_reply_only(file: Path) -> None:
    """REPLAY, then RULES: what befalls a job is recorded; what it replies is not."""
    base = Policy(replay=read_replay([]))
    then = '{ mode = "hang", latency_ms = 9, faults = "run.late=100", reply = "x" }'
    draft = one(file, then=then)

    assert draft.rule(base, {"job_odds": ("whatever",)}).policy == Policy(replay=base.replay, rule="r", reply="x")


# ---- what is refused

MODES = "ok, echo, slow, fail, hang, timeout, flaky, random, script"
THEN = "mode, script, weights, latency_ms, latency_shape, faults, reply"
NAMELESS = "rule 1, name is missing; give each rule a name of its own"
SILENT = "then says nothing; use mode, script, weights, latency_ms, latency_shape, faults or reply"
SUBMITS = "submit.status, submit.reset, submit.lost_ack, submit.cut_ack or submit.slow_ack"
SHAPES = "fixed, uniform(0.5,1.5) or lognormal(p99=8)"
RESET = "found 'submit.rest' (did you mean 'submit.reset'?)"
PERCENT = "'=' and a percent after the fault"
FILES = {
    "": ["there is no rule; write [[rule]]"],
    "rule = []": ["there is no rule; write [[rule]]"],
    "rule = 5": ["there is no rule; write [[rule]]"],
    '[rule]\nname = "r"': ["there is no rule; write [[rule]]"],
    "[[rules]]": [
        "'rules' is not known; a file of rules has [[rule]] and nothing else",
        "there is no rule; write [[rule]]",
    ],
    '"a\\nb" = 1\n[[rule]]\nname = "r"\nthen = { mode = "ok" }': [
        "'a\\nb' is not known; a file of rules has [[rule]] and nothing else"
    ],
    "[[rule]]": [NAMELESS, f"rule 1, {SILENT}"],
    "rule = [7]": [NAMELESS, f"rule 1, {SILENT}"],
    '[[rule]]\nname = ""\nthen = { mode = "ok" }': [NAMELESS],
    '[[rule]]\nname = 5\nthen = { mode = "ok" }': [NAMELESS],
    '[[rule]]\nname = "r"': [f"rule 'r', {SILENT}"],
    '[[rule]]\nname = "r"\nthen = {}': [f"rule 'r', {SILENT}"],
    '[[rule]]\nname = "r"\nthen = 5': ["rule 'r', then is 5; write then = { … }"],
    '[[rule]]\nname = "r"\nwhen = "x"\nthen = { mode = "ok" }': ["rule 'r', when is 'x'; write when = { … }"],
    '[[rule]]\nname = "r"\nthen = { mode = "ok" }\n[[rule]]\nname = "r"\nthen = { mode = "ok" }': [
        "rule 'r', name 'r' is the name of two rules; give each its own"
    ],
    '[[rule]]\nname = "r"\nthn = { mode = "ok" }': [
        "rule 'r', thn is not known (did you mean 'then'?)",
        f"rule 'r', {SILENT}",
    ],
    '[[rule]]\nname = "r"\nqq = 1\nthen = { mode = "ok" }': ["rule 'r', qq is not known; use name, when, then"],
}
RULES = {
    ('{ user = "x" }', '{ mode = "ok" }'): [
        "rule 'r', when.user is not known; use op, model, trace_id, text, ordinal"
    ],
    ('{ modle = "x" }', '{ mode = "ok" }'): ["rule 'r', when.modle is not known (did you mean 'model'?)"],
    ("{ op = 5 }", '{ mode = "ok" }'): ["rule 'r', when.op is 5; use a text in quotes"],
    ('{ text = ["x"] }', '{ mode = "ok" }'): ["rule 'r', when.text is ['x']; use a text in quotes"],
    ('{ ordinal = "2..1" }', '{ mode = "ok" }'): [
        "rule 'r', when.ordinal is '2..1'; use a number such as 0, or a range such as \"0..2\" or \"3..\""
    ],
    ("{ ordinal = -1 }", '{ mode = "ok" }'): [
        "rule 'r', when.ordinal is -1; use a number such as 0, or a range such as \"0..2\" or \"3..\""
    ],
    ("{ ordinal = true }", '{ mode = "ok" }'): [
        "rule 'r', when.ordinal is True; use a number such as 0, or a range such as \"0..2\" or \"3..\""
    ],
    ("{ ordinal = 0.5 }", '{ mode = "ok" }'): [
        "rule 'r', when.ordinal is 0.5; use a number such as 0, or a range such as \"0..2\" or \"3..\""
    ],
    ('{ ordinal = "٣" }', '{ mode = "ok" }'): [
        "rule 'r', when.ordinal is '٣'; use a number such as 0, or a range such as \"0..2\" or \"3..\""
    ],
    ("{}", '{ modee = "ok" }'): ["rule 'r', then.modee is not known (did you mean 'mode'?)"],
    ("{}", '{ "a\\tb" = 1 }'): [f"rule 'r', then.'a\\tb' is not known; use {THEN}"],
    ("{}", '{ mode = "flakey" }'): [
        f"rule 'r', then.mode = 'flakey' is not a mode; use one of {MODES} (did you mean 'flaky'?)"
    ],
    ("{}", '{ mode = "script" }'): [
        "rule 'r', then.mode = 'script' has no script; write script = \"fail,fail,ok\" instead of mode"
    ],
    ("{}", "{ mode = 5 }"): ["rule 'r', then.mode is 5; use a text in quotes"],
    ("{}", '{ mode = "ok", script = "ok" }'): [
        "rule 'r', then has mode and script; use one of mode, script, weights"
    ],
    ("{}", '{ script = "ok", weights = "ok=1" }'): [
        "rule 'r', then has script and weights; use one of mode, script, weights"
    ],
    ("{}", '{ script = "submit.rest" }'): [
        f"rule 'r', then.script = 'submit.rest' cannot be read at column 1: expected a fault: {SUBMITS}, {RESET}"
    ],
    ("{}", '{ faults = "run.late" }'): [
        f"rule 'r', then.faults = 'run.late' cannot be read at column 9: expected {PERCENT}, found the end"
    ],
    ("{}", "{ weights = { ok = -1 } }"): [
        "rule 'r', then.weights = 'ok=-1' gives ok the weight '-1'; use a whole number from 0 to 1000000000"
    ],
    ("{}", "{ weights = 5 }"): ["rule 'r', then.weights is 5; use a text in quotes"],
    ("{}", "{ latency_ms = -1 }"): ["rule 'r', then.latency_ms is -1; use a whole number from 0 to 86400000"],
    ("{}", "{ latency_ms = 86400001 }"): [
        "rule 'r', then.latency_ms is 86400001; use a whole number from 0 to 86400000"
    ],
    ("{}", "{ latency_ms = true }"): ["rule 'r', then.latency_ms is True; use a whole number from 0 to 86400000"],
    ("{}", '{ latency_ms = "5" }'): ["rule 'r', then.latency_ms is '5'; use a whole number from 0 to 86400000"],
    ("{}", '{ latency_shape = "normal" }'): [
        f"rule 'r', then.latency_shape = 'normal' is not a latency shape; use {SHAPES} (did you mean 'lognormal'?)"
    ],
    ("{}", "{ reply = 5 }"): ["rule 'r', then.reply is 5; use a text in quotes"],
}  # fmt: skip


@pytest.mark.parametrize("text", FILES)
def test_a_mistake_in_a_file_is_told(file: Path, text: str) -> None:
    """The rule by its name, or by its number if it has none, and the path of the key."""
    assert complaint(file, text) == "has mistakes: " + "; ".join(FILES[text])


@pytest.mark.parametrize(("when", "then"), RULES)
def test_a_mistake_in_a_rule_is_told(file: Path, when: str, then: str) -> None:
    """An error names the rule and the key path, what stands there, what is allowed, and the nearest match."""
    assert complaint(file, f'[[rule]]\nname = "r"\nwhen = {when}\nthen = {then}\n') == "has mistakes: " + "; ".join(
        RULES[when, then]
    )


def test_all_mistakes_are_reported_at_once(file: Path) -> None:
    """In every rule, and of a rule that is wrong the name counts as taken."""
    text = """
    extra = 1
    [[rule]]
    name = "a"
    when = { op = 5, ordinal = "x" }
    then = { mode = "slwo", latency_ms = -1, colour = "red" }
    [[rule]]
    name = "a"
    then = { script = "" }
    [[rule]]
    then = { weights = "ok" }
    """
    found = complaint(file, text)
    begins = [
        "has mistakes: 'extra' is not known",
        "; rule 'a', then.colour is not known",
        "; rule 'a', when.op is 5",
        "; rule 'a', then.mode = 'slwo' is not a mode",
        "; rule 'a', then.latency_ms is -1",
        "; rule 'a', when.ordinal is 'x'",
        "; rule 'a', name 'a' is the name of two rules",
        "; rule 'a', then.script = '' cannot be read at column 1",
        "; rule 3, name is missing",
        "; rule 3, then.weights = 'ok' has 'ok' without a weight",
    ]
    places = [found.find(begin) for begin in begins]

    assert places == sorted(places)
    assert places[0] == 0
    assert len(set(places)) == len(places)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x = 1\n[[rule]", r"is not TOML: .+ \(at line 2, column 7\)"),
        ('name = "r', r"is not TOML: .+ \(at end of document\)"),
        ("x = " + "[" * 5_000, r"is nested too deeply; a file of rules has \[\[rule\]\] and nothing else"),
    ],
    ids=["a bracket too few", "a quote too few", "brackets too many"],
)
def test_what_is_not_toml_is_refused(file: Path, text: str, reason: str) -> None:
    """With the line and the column."""
    assert re.fullmatch(reason, complaint(file, text))


def test_a_setting_names_the_file(file: Path) -> None:
    """An error names the file, the rule and the key path."""
    file.write_text('[[rule]]\nname = "r"\nthen = { mode = "slwo" }\n', encoding="utf-8")
    with pytest.raises(SettingsError) as refused:
        load({"DUMMYLLM_RULES": str(file)})

    (mistake,) = refused.value.mistakes
    assert mistake.startswith(f"DUMMYLLM_RULES='{file}' has mistakes: rule 'r', then.mode = 'slwo' is not a mode")


@pytest.mark.parametrize(
    ("path", "reason"),
    [("/no/such/file", "cannot be read (No such file or directory)"), ("/", "cannot be read (Is a directory)")],
)
def test_a_file_that_cannot_be_read_is_told(path: str, reason: str) -> None:
    """Rules are read once, at start."""
    with pytest.raises(ValueError, match="cannot be read") as caught:
        rules(path)

    assert str(caught.value) == f"{reason}; use the path of a file that can"


KEYS = st.sampled_from(["name", "when", "then", "op", "ordinal", "mode", "script", "weights", "faults", "reply", "x"])
VALUES = st.recursive(
    st.sampled_from(["5", "true", '"ok"', '"0..2"', '"run.late=5"', "[]", "1979-05-27", "nan", '"\\n"']),
    lambda inner: st.dictionaries(KEYS, inner, max_size=4).map(
        lambda table: "{ " + ", ".join(f"{key} = {value}" for key, value in table.items()) + " }"
    ),
    max_leaves=6,
)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.dictionaries(KEYS, VALUES, max_size=4), max_size=3))
@example([{"name": '"r"', "then": '{ weights = { "ok" = true } }'}])
def test_any_toml_is_rules_or_mistakes(tables: list[dict[str, str]]) -> None:
    """Nothing else comes of it, and each mistake is in one line."""
    text = "".join("[[rule]]\n" + "".join(f"{key} = {value}\n" for key, value in table.items()) for table in tables)
    try:
        drafts = _read(text)
    except ValueError as error:
        complaint = str(error)
    else:
        assert len(drafts) == len(tables)
        assert all(draft.rule(Policy(), None).policy.rule == draft.name for draft in drafts)
        return
    assert complaint.startswith("has mistakes: ")
    assert "\n" not in complaint


def _read(text: str) -> tuple[Draft, ...]:
    """Return the rules that *text* says, by way of a file."""
    with NamedTemporaryFile("w", suffix=".toml", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        return rules(file.name)
