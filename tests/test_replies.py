"""Replies: the text with which a job ends well, and its token counts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from dummyllm import eliza
from dummyllm.core.canonical import minified
from dummyllm.core.fingerprint import IdentityKind, identity_of
from dummyllm.core.job import Job, make_job
from dummyllm.core.mode import Mode
from dummyllm.core.policy import Policy
from dummyllm.core.request import JobRequest
from dummyllm.replies import Replies, Reply, Usage, echo, user_texts
from tests.core.chaos import one_step

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["role", "content", "type", "text", "user"]) | st.text(max_size=3), inner)
    ),
    max_leaves=12,
)


@pytest.fixture
def replies() -> Replies:
    return Replies(eliza.own_script(), 1337)


def job_of(args: bytes, mode: Mode = Mode.OK, *, op: str = "llm.chat", ordinal: int = 0, seed: int = 1337) -> Job:
    request = JobRequest(op, args)
    identity = identity_of(IdentityKind.PAYLOAD, request)
    return make_job(Policy(mode=mode, seed=seed), request, identity, now_ms=0, ordinal=ordinal)


def said(*texts: str) -> bytes:
    return json.dumps({"messages": [{"role": "user", "content": text} for text in texts]}).encode()


@pytest.mark.parametrize(
    "messages",
    [
        "[1e2, 1.0, -0, 18446744073709551616]",
        '[ {"b" : 1 , "a" : 2 , "b" : 3} ]',
        '["\\u00e9é\\u2028\u2028\\ud83d\\ude00😀\\/"]',
        '["a  b", " { } "]',
        "[" + "9" * 5000 + "]",
        "[1e400, 0.1000]",
        "[" * 60 + "]" * 60,
        "[]",
        "null",
        '"text"',
        '{"not": "a list"}',
    ],
)
def test_echo_returns_messages_verbatim(replies: Replies, messages: str) -> None:
    """Returns `args.messages` verbatim (minified JSON string)."""
    args = f'{{ "model" : "m" , "messages" : {messages} }}'.encode()

    assert replies.reply_to(job_of(args, Mode.ECHO)).text == minified(messages.encode()).decode()


@pytest.mark.parametrize("args", [b"{}", b'{"model":"m"}', b'{"Messages":[1]}'])
def test_echo_of_no_messages_is_an_empty_list(replies: Replies, args: bytes) -> None:
    """No `messages`: `[]`."""
    assert replies.reply_to(job_of(args, Mode.ECHO)).text == "[]"


def test_echo_of_duplicate_messages_is_the_last(replies: Replies) -> None:
    """Of duplicates the last counts, as in the fingerprint."""
    assert echo(b'{"messages":[1],"messages":[2]}') == "[2]"


@pytest.mark.parametrize("op", ["llm.embed", "LLM.chat", "llm.chat ", "é", "x" * 1_000])
def test_another_op_is_answered_by_its_name(replies: Replies, op: str) -> None:
    """`ok` for an `op` other than `llm.chat` answers `ok :: op=NAME`."""
    assert replies.reply_to(job_of(said("Hello"), op=op)).text == f"ok :: op={op}"


def test_another_op_is_echoed_all_the_same(replies: Replies) -> None:
    """Mode echo is for payload verification, whatever the op."""
    assert replies.reply_to(job_of(b'{"messages":[1]}', Mode.ECHO, op="llm.embed")).text == "[1]"


@pytest.mark.parametrize("mode", [Mode.OK, Mode.SLOW, Mode.FLAKY])
def test_a_chat_is_answered_by_eliza(replies: Replies, mode: Mode) -> None:
    """Mode ok: ELIZA chat response; slow is ok; so is a flaky job that ends well."""
    text = replies.reply_to(job_of(said("Hello", "I am sad"), mode)).text

    assert text == eliza.reply(eliza.own_script(), ["Hello", "I am sad"], seed=1337)
    assert text


@pytest.mark.parametrize("mode", [Mode.OK, Mode.ECHO, Mode.SLOW])
@pytest.mark.parametrize("op", ["llm.chat", "llm.embed"])
def test_a_rule_may_say_the_reply(replies: Replies, mode: Mode, op: str) -> None:
    """`reply = "text"`: the text of every job that ends well under it, whatever its mode and op."""
    job = job_of(said("Hello"), mode, op=op)
    ruled = replace(job, policy=Policy(mode=mode, reply="Néé."))

    assert replies.reply_to(ruled) == Reply("Néé.", Usage(replies.reply_to(job).usage.prompt_tokens, 1))


def test_a_rule_may_say_nothing(replies: Replies) -> None:
    """An empty reply is a reply, and not ELIZA's."""
    job = replace(job_of(said("Hello")), policy=Policy(reply=""))

    assert (replies.reply_to(job).text, replies.reply_to(job).usage.completion_tokens) == ("", 0)


@pytest.mark.parametrize(
    ("script", "text"),
    [
        ("ok+result.empty", ""),
        ("ok+result.cut(percent=50)", "ok :: op"),
        ("echo+result.cut(percent=50)", "["),
        ("ok+result.cut(percent=0)", ""),
        ("ok+cancel.ignored+poll.stale", "ok :: op=llm.emb"),
    ],
)
def test_a_fault_of_the_result_changes_the_text(replies: Replies, script: str, text: str) -> None:
    """Success with an empty, truncated or awkward text; and the tokens are those of the text that is told."""
    reply = replies.reply_to(one_step(script, request=JobRequest("llm.emb")))

    assert (reply.text, reply.usage.completion_tokens) == (text, -(-len(text) // 4))


def test_a_fault_of_the_result_changes_what_a_rule_says_too(replies: Replies) -> None:
    """The text of a finished job, wherever it came from."""
    awkward = replies.reply_to(one_step("ok+result.unicode", reply="plain")).text

    assert awkward != "plain"
    assert "plain" in awkward


def test_a_retry_gets_the_same_reply(replies: Replies) -> None:
    """A reply depends on nothing but script, seed and the user messages: not on ordinal, mode or id."""
    first = job_of(said("My mother hates me"))
    retry = job_of(said("My mother hates me"), Mode.SLOW, ordinal=5)
    decorated = job_of(said("My mother hates me")[:-1] + b',"temperature":0.5}')

    assert first.id != retry.id != decorated.id
    assert replies.reply_to(first).text == replies.reply_to(retry).text == replies.reply_to(decorated).text


def test_the_seed_chooses_where_cycles_start_and_classic_does_not_look_at_it() -> None:
    """`seeded` or `classic`."""
    script = eliza.own_script()
    jobs = [job_of(said(f"Why {number}")) for number in range(20)]

    def all_of(eliza_seed: int | None) -> list[str]:
        return [Replies(script, eliza_seed).reply_to(job).text for job in jobs]

    assert all_of(1) == all_of(1)
    assert len({tuple(all_of(seed)) for seed in range(6)}) > 1
    assert all_of(None) == [eliza.reply(script, [f"Why {number}"], seed=None) for number in range(20)]


def test_no_script_is_our_own_script() -> None:
    """DUMMYLLM_ELIZA_FILE: a script in the 1966 format, instead of our own."""
    job = job_of(said("Hello"))

    assert Replies(None, 1337).reply_to(job) == Replies(eliza.own_script(), 1337).reply_to(job)


@pytest.mark.parametrize(
    ("args", "mode", "usage"),
    [
        (b"{}", Mode.ECHO, Usage(1, 1)),
        (b'{"messages":[12]}', Mode.ECHO, Usage(1, 1)),
        (b'{"messages":[123]}', Mode.ECHO, Usage(2, 2)),
        (b'{"messages":[ 1 , 2 ]}', Mode.ECHO, Usage(2, 2)),
        ('{"messages":["éé"]}'.encode(), Mode.ECHO, Usage(2, 2)),
        (b'{"messages":[12345678]}', Mode.OK, Usage(3, 4)),
    ],
)
def test_a_token_is_four_characters_rounded_up(replies: Replies, args: bytes, mode: Mode, usage: Usage) -> None:
    """The point of the figure is that it is the same for the same text."""
    op = "llm.chat" if mode is Mode.ECHO else "llm.emb"  # answered with the 16 characters of `ok :: op=llm.emb`

    assert replies.reply_to(job_of(args, mode, op=op)).usage == usage


def test_a_reply_is_written_once_and_remembered(replies: Replies, monkeypatch: pytest.MonkeyPatch) -> None:
    """The text is made when it is first read; what is forgotten comes out the same again."""
    job, written = job_of(said("Hello")), []
    write = eliza.reply
    monkeypatch.setattr(eliza, "reply", lambda *args, **keys: written.append(1) or write(*args, **keys))
    first = [replies.reply_to(job) for _ in range(3)]
    assert len(written) == 1

    replies.clear()
    assert replies.reply_to(job) == first[0] == first[2]
    assert len(written) == 2


def test_an_id_that_comes_again_with_another_payload_gets_its_own_reply(replies: Replies) -> None:
    """After its counter was dropped, an identity by trace_id has the same id for another payload."""
    request, other = (JobRequest("llm.chat", b'{"messages":[%d]}' % n, trace_id="t") for n in (1, 2))
    identity = identity_of(IdentityKind.TRACE_ID, request)
    policy = Policy(mode=Mode.ECHO, identity=IdentityKind.TRACE_ID)
    job = make_job(policy, request, identity, now_ms=0, ordinal=0)
    later = make_job(policy, other, identity, now_ms=1, ordinal=0)
    assert job.id == later.id

    assert [replies.reply_to(job).text, replies.reply_to(later).text] == ["[1]", "[2]"]


@pytest.mark.parametrize(
    ("messages", "texts"),
    [
        (
            '[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c"}]',
            ["a", "c"],
        ),
        ('[{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url"}]}]', ["a"]),
        ('[{"role":"system","content":"a"}]', []),
        ("[1,null,[],{}]", []),
        ("null", []),
        ('"user"', []),
        ("{}", []),
    ],
)
def test_only_the_users_texts_are_heard(messages: str, texts: list[str]) -> None:
    """Whatever else is there is passed over."""
    assert user_texts(f'{{"messages":{messages}}}'.encode()) == texts


@pytest.mark.parametrize("number", ["9" * 5000, "-" + "9" * 5000, "1e400", "18446744073709551616", "0.1"])
def test_a_number_beside_the_text_does_not_silence_it(number: str) -> None:
    """A payload may hold any JSON number; what the user said is still heard."""
    args = f'{{"messages":[{{"role":"user","content":"Hello","n":{number}}}]}}'.encode()

    assert user_texts(args) == ["Hello"]


@settings(deadline=None, max_examples=150)
@given(messages=JSON, mode=st.sampled_from([Mode.OK, Mode.ECHO]))
def test_no_messages_whatever_make_a_reply_fail(messages: Any, mode: Mode) -> None:
    """A reply never fails: any JSON may stand where messages are expected."""
    reply = Replies(eliza.own_script(), 1337).reply_to(job_of(json.dumps({"messages": messages}).encode(), mode))

    assert isinstance(reply, Reply)
    assert reply.text
    assert reply.usage.completion_tokens == -(-len(reply.text) // 4)
