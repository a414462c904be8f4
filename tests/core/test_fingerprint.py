"""Fingerprint and identity: what counts as the same work."""

from __future__ import annotations

import json
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dummyllm.core.fingerprint import IdentityKind, fingerprint_of, identity_of, packed
from dummyllm.core.request import JobRequest

CHAT = b'{"model":"m","messages":[{"role":"user","content":"Hello"}]}'
TOO_LONG = b"9" * 4301


@settings(deadline=None)
@given(st.lists(st.binary(max_size=6), max_size=4), st.lists(st.binary(max_size=6), max_size=4))
def test_two_lists_of_parts_never_have_the_same_bytes(one: list[bytes], other: list[bytes]) -> None:
    """Each part has its length in front."""
    assert (b"".join(map(packed, one)) == b"".join(map(packed, other))) == (one == other)


@pytest.mark.parametrize("kind", IdentityKind)
def test_an_identity_and_a_fingerprint_have_128_bits(kind: IdentityKind) -> None:
    """128-bit digest of the canonical form of `op` and `args`."""
    request = JobRequest("llm.chat", CHAT, trace_id="t")

    assert len(identity_of(kind, request)) == len(fingerprint_of(request)) == 16


def test_timeout_and_trace_id_are_not_part_of_a_payload() -> None:
    """The fingerprint is of `op` + `args`, not of `trace_id`, not of `timeout_ms`."""
    request = JobRequest("llm.chat", CHAT, timeout_ms=8000, trace_id="a")
    again = JobRequest("llm.chat", CHAT, timeout_ms=1, trace_id=None)

    assert fingerprint_of(request) == fingerprint_of(again)
    assert identity_of(IdentityKind.PAYLOAD, request) == identity_of(IdentityKind.PAYLOAD, again)


def test_under_kind_payload_the_identity_is_the_fingerprint() -> None:
    """`payload` is the default."""
    request = JobRequest("llm.chat", CHAT, trace_id="t")

    assert identity_of(IdentityKind.PAYLOAD, request) == fingerprint_of(request)


@pytest.mark.parametrize(
    "other",
    [
        JobRequest("llm.chat2", CHAT),
        JobRequest("LLM.chat", CHAT),
        JobRequest("llm.chat", CHAT.replace(b"Hello", b"hello")),
        JobRequest("llm.chat", CHAT.replace(b"}]}", b'}],"temperature":0}')),
    ],
)
def test_another_op_or_other_args_are_other_work(other: JobRequest) -> None:
    """`op` and `args` both count."""
    assert fingerprint_of(other) != fingerprint_of(JobRequest("llm.chat", CHAT))


def test_white_space_inside_a_payload_too_long_to_read_does_not_matter() -> None:
    """What cannot be decoded is digested as its bytes without white space; other spellings are other work."""
    tight = fingerprint_of(JobRequest("op", b'{"n":%b,"a":1}' % TOO_LONG))

    assert fingerprint_of(JobRequest("op", b' { "n" : %b , "a" : 1 } ' % TOO_LONG)) == tight
    assert fingerprint_of(JobRequest("op", b'{"a":1,"n":%b}' % TOO_LONG)) != tight


def test_under_kind_prompt_only_op_model_and_messages_count() -> None:
    """`prompt`: for runners that decorate args."""
    plain = JobRequest("llm.chat", CHAT)
    decorated = JobRequest("llm.chat", b'{"run":7,' + CHAT[1:-1] + b',"n":%b}' % TOO_LONG, 1, "t")

    assert identity_of(IdentityKind.PROMPT, plain) == identity_of(IdentityKind.PROMPT, decorated)
    assert fingerprint_of(plain) != fingerprint_of(decorated)


@pytest.mark.parametrize("args", [b'{"messages":[]}', b'{"model":"m"}', b"{}", b'{"model":"n","messages":[]}'])
def test_another_model_or_other_messages_are_another_prompt(args: bytes) -> None:
    """`op`, `args.model` and `args.messages` all count."""
    prompt = JobRequest("llm.chat", b'{"model":"m","messages":[]}')

    assert identity_of(IdentityKind.PROMPT, JobRequest("llm.chat", args)) != identity_of(IdentityKind.PROMPT, prompt)
    assert identity_of(IdentityKind.PROMPT, JobRequest("llm.other", prompt.args)) != identity_of(
        IdentityKind.PROMPT, prompt
    )


@pytest.mark.parametrize(
    "args",
    [b'{"messages":null,"model":null}', b'{"model":null}', b'{"other":1}'],
)
def test_a_model_or_messages_that_is_not_there_counts_as_null(args: bytes) -> None:
    """So a runner may fill in its defaults."""
    assert identity_of(IdentityKind.PROMPT, JobRequest("op", args)) == identity_of(
        IdentityKind.PROMPT, JobRequest("op", b"{}")
    )


def test_a_prompt_with_an_integer_too_long_to_read_goes_by_its_bytes() -> None:
    """White space still does not matter, and the model and the messages still count."""
    tight = JobRequest("op", b'{"model":"m","messages":[%b]}' % TOO_LONG)
    spaced = JobRequest("op", b'{ "messages" : [ %b ], "model" : "m" }' % TOO_LONG)
    other = JobRequest("op", b'{"model":"n","messages":[%b]}' % TOO_LONG)

    assert identity_of(IdentityKind.PROMPT, tight) == identity_of(IdentityKind.PROMPT, spaced)
    assert identity_of(IdentityKind.PROMPT, tight) != identity_of(IdentityKind.PROMPT, other)


def test_under_kind_trace_id_only_op_and_trace_id_count() -> None:
    """`trace_id`: `op` and `trace_id`."""
    one = identity_of(IdentityKind.TRACE_ID, JobRequest("llm.chat", CHAT, trace_id="t"))

    assert identity_of(IdentityKind.TRACE_ID, JobRequest("llm.chat", b"{}", 1, "t")) == one
    assert identity_of(IdentityKind.TRACE_ID, JobRequest("llm.chat", CHAT, trace_id="u")) != one
    assert identity_of(IdentityKind.TRACE_ID, JobRequest("llm.embed", CHAT, trace_id="t")) != one


def test_without_a_trace_id_the_payload_decides() -> None:
    """A job without one falls back to its payload; an empty trace_id is one."""
    request = JobRequest("llm.chat", CHAT)

    assert identity_of(IdentityKind.TRACE_ID, request) == fingerprint_of(request)
    assert identity_of(IdentityKind.TRACE_ID, JobRequest("llm.chat", CHAT, trace_id="")) != fingerprint_of(request)


def test_no_two_tags_collide() -> None:
    """A trace_id that looks like a payload is still a trace_id: the tags keep them apart."""
    raw_twin = b'{"model":null,"messages":null}'
    ids = {
        "payload": identity_of(IdentityKind.PAYLOAD, JobRequest("op", b"{}")),
        "payload of a prompt": identity_of(IdentityKind.PAYLOAD, JobRequest("op", raw_twin)),
        "prompt": identity_of(IdentityKind.PROMPT, JobRequest("op", b"{}")),
        "trace_id": identity_of(IdentityKind.TRACE_ID, JobRequest("op", b"{}", trace_id="{}")),
        "trace_id of null": identity_of(IdentityKind.TRACE_ID, JobRequest("op", b"{}", trace_id="null")),
        "raw": identity_of(IdentityKind.PAYLOAD, JobRequest("op", b'{"model":%b}' % TOO_LONG)),
        "raw prompt": identity_of(IdentityKind.PROMPT, JobRequest("op", b'{"model":%b}' % TOO_LONG)),
    }

    for (one, one_id), (other, other_id) in combinations(ids.items(), 2):
        assert one_id != other_id, f"{one} and {other} have the same identity"


OBJECTS = st.dictionaries(st.sampled_from(["model", "messages", "n", "é"]), st.integers() | st.text("aé\n", max_size=3))


@settings(deadline=None)
@given(OBJECTS, OBJECTS, st.sampled_from(IdentityKind))
def test_equal_args_have_equal_identities_and_others_do_not(
    one: dict[str, object], other: dict[str, object], kind: IdentityKind
) -> None:
    """However they are spelled."""
    spelled = JobRequest("op", json.dumps(one, indent=2).encode())
    spelled_otherwise = JobRequest("op", json.dumps(other, ensure_ascii=False, sort_keys=True).encode())
    names = ("model", "messages") if kind is IdentityKind.PROMPT else tuple({*one, *other})
    same = [one.get(name) for name in names] == [other.get(name) for name in names]
    same = same and (kind is IdentityKind.PROMPT or one.keys() == other.keys())

    assert (identity_of(kind, spelled) == identity_of(kind, spelled_otherwise)) == same
