"""Rules: the first that matches a request decides, and what matches is no guess."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dummyllm.core.mode import Mode
from dummyllm.core.policy import Policy
from dummyllm.core.request import JobRequest
from dummyllm.core.rules import Rule, When, policy_for

FAILS = Policy(mode=Mode.FAIL)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["role", "content", "type", "text"]), inner)
    ),
    max_leaves=10,
)


def matches(when: When, request: JobRequest, ordinal: int = 0) -> bool:
    return Rule(name="r", when=when, policy=FAILS).matches(request, ordinal)


def chat(*texts: Any, model: Any = "llama3.1:70b", **more: Any) -> JobRequest:
    args = {"model": model, "messages": [{"role": "user", "content": text} for text in texts]}
    return JobRequest("llm.chat", json.dumps(args).encode(), **more)


def test_a_rule_that_asks_nothing_matches_everything() -> None:
    """All must match, and there is nothing that could not."""
    assert all(matches(When(), request) for request in (chat("x"), JobRequest("x"), JobRequest("x", trace_id="")))


@pytest.mark.parametrize(
    ("glob", "op", "hit"),
    [
        ("llm.chat", "llm.chat", True),
        ("llm.chat", "llm.chat2", False),
        ("llm.chat", "xllm.chat", False),
        ("llm.chat", "llmxchat", False),
        ("llm.*", "llm.", True),
        ("*", "", True),
        ("llm.chat", "LLM.chat", False),
        ("?lm.[a-d]hat", "llm.chat", True),
        ("llm.[!c]hat", "llm.chat", False),
        ("a\nb*", "a\nbc", True),
    ],
)
def test_an_op_is_matched_by_a_glob_from_end_to_end(glob: str, op: str, *, hit: bool) -> None:
    """Globs know `*`, `?` and `[…]`, and care for capitals."""
    assert matches(When(op=glob), JobRequest(op)) is hit


@pytest.mark.parametrize(
    ("glob", "model", "hit"),
    [
        ("*:70b", "llama3.1:70b", True),
        ("*:70b", "llama3.1:70B", False),
        ("*:70b", "llama3.1:8b", False),
        ("*", None, True),
        ("?*", None, False),
        ("?*", 7, False),
        ("", "", True),
    ],
)
def test_a_model_is_that_of_the_args(glob: str, model: Any, *, hit: bool) -> None:
    """`args.model`; one that is no text is as good as none."""
    assert matches(When(model=glob), chat("x", model=model)) is hit


def test_without_a_model_there_is_nothing_to_match() -> None:
    """The same as an empty one."""
    assert matches(When(model="*"), JobRequest("x", b"{}"))
    assert not matches(When(model="?*"), JobRequest("x", b"{}"))


@pytest.mark.parametrize(
    ("glob", "trace_id", "hit"),
    [
        ("pay-*", "pay-7", True),
        ("pay-*", "Pay-7", False),
        ("pay-*", "prepay-7", False),
        ("*", None, False),
        ("*", "", True),
        ("", "", True),
        ("", None, False),
    ],
)
def test_a_trace_id_has_to_be_there(glob: str, trace_id: str | None, *, hit: bool) -> None:
    """A job without one is not meant, and an empty one is one."""
    assert matches(When(trace_id=glob), JobRequest("x", trace_id=trace_id)) is hit


@pytest.mark.parametrize(
    ("request_", "hit"),
    [
        (chat("a POISON pill"), True),
        (chat("fine", "poison", "fine"), True),
        (chat("pois\non"), False),
        (chat("one\ntwo poison\nthree"), True),
        (chat([{"type": "text", "text": "Poison"}]), True),
        (chat([{"type": "image_url"}, {"type": "text", "text": "poison"}]), True),
        (chat([{"type": "text", "text": 7}, "poison", None]), False),
        (chat("poi", "son"), False),
        (chat(None, 7, {"text": "poison"}), False),
        (chat(), False),
        (JobRequest("x", b'{"prompt":"poison"}'), False),
        (JobRequest("x", b'{"messages":"poison"}'), False),
        (JobRequest("x", b'{"messages":["poison",null,[]]}'), False),
        (JobRequest("x", b'{"messages":[{"role":"system","content":"poison"}]}'), True),
        (JobRequest("x", b'{"messages":[{"content":"pois\\u006fn"}]}'), True),
        (JobRequest("x", b'{"messages":[{"content":"fine"}],"messages":[{"content":"poison"}]}'), True),
        (JobRequest("x", b'{"messages":[{"content":"poison"}],"messages":[{"content":"fine"}]}'), False),
    ],
)
def test_a_text_is_that_of_any_message(request_: JobRequest, *, hit: bool) -> None:
    """Of whatever role, in whatever part; text is case-insensitive, and of duplicate members the last counts."""
    assert matches(When(text="*poison*"), request_) is hit


@pytest.mark.parametrize("number", ["9" * 5000, "1e400", "18446744073709551616"])
def test_a_number_beside_the_text_does_not_hide_it(number: str) -> None:
    """A payload may hold any JSON number."""
    args = f'{{"n":{number},"model":"m","messages":[{{"content":"poison","n":{number}}}]}}'.encode()

    assert matches(When(model="m", text="poison"), JobRequest("x", args))


@pytest.mark.parametrize(
    ("ordinals", "matching"),
    [
        ((0, 2), [0, 1, 2]),
        ((1, 1), [1]),
        ((3, None), [3, 4, 5]),
        ((0, None), [0, 1, 2, 3, 4, 5]),
        ((7, 9), []),
    ],
)
def test_ordinals_go_from_the_first_to_the_last(ordinals: tuple[int, int | None], matching: list[int]) -> None:
    """`ordinal = "0..2"`: both included."""
    assert [n for n in range(6) if matches(When(ordinals=ordinals), chat("x"), n)] == matching


WHEN = When(op="llm.chat", model="*:70b", trace_id="pay-*", text="*poison*", ordinals=(0, 2))


@pytest.mark.parametrize(
    ("request_", "ordinal"),
    [
        (JobRequest("llm.embed", chat("poison").args, trace_id="pay-1"), 0),
        (chat("poison", model="m", trace_id="pay-1"), 0),
        (chat("poison", trace_id="x"), 0),
        (chat("cure", trace_id="pay-1"), 0),
        (chat("poison", trace_id="pay-1"), 3),
    ],
)
def test_all_must_match(request_: JobRequest, ordinal: int) -> None:
    """One thing that does not is enough."""
    assert matches(WHEN, chat("poison", trace_id="pay-1"), 2)
    assert not matches(WHEN, request_, ordinal)


def test_the_first_rule_that_matches_decides() -> None:
    """The first rule that matches op, model, trace_id, text or ordinal decides; with none, the server's own policy."""
    first, second, last = (Policy(seed=seed) for seed in (1, 2, 3))
    rules = (
        Rule(name="never", when=When(op="nothing"), policy=Policy(seed=0)),
        Rule(name="poison", when=When(text="poison"), policy=first),
        Rule(name="all of 70b", when=When(model="*:70b"), policy=second),
        Rule(name="traced", when=When(trace_id="*"), policy=last),
    )
    server = Policy(rules=rules)

    assert policy_for(server, chat("poison"), 0) is first
    assert policy_for(server, chat("cure"), 0) is second
    assert policy_for(server, chat("cure", model="m", trace_id="t"), 0) is last
    assert policy_for(server, chat("cure", model="m"), 0) is server


def test_rules_that_say_the_same_are_equal() -> None:
    """A rule is a value."""
    one, same, other = (Rule(name="r", when=When(op=op), policy=FAILS) for op in ("a", "a", "b"))

    assert one == same != other
    assert hash(one) == hash(same)


@settings(deadline=None, max_examples=300)
@given(model=JSON, messages=JSON)
def test_no_args_whatever_make_a_rule_fail(model: Any, messages: Any) -> None:
    """Any JSON may stand where model and messages are expected; what has another form has no text."""
    request = JobRequest("x", json.dumps({"model": model, "messages": messages}).encode())
    seen = isinstance(messages, list) and any(map(_says_something, messages))

    assert matches(When(model="*", text="*"), request) is seen
    assert matches(When(model="?*"), request) is (isinstance(model, str) and model != "")


def _says_something(message: Any) -> bool:
    if not isinstance(message, dict):
        return False
    content = message.get("content")
    if isinstance(content, list):
        return any(isinstance(part, dict) and isinstance(part.get("text", ""), str) for part in content)
    return isinstance(content, str)
