"""The laws of a reply: a pure function of script, seed and messages that answers anything, within known bounds."""

from __future__ import annotations

import pytest
from hypothesis import event, example, given, settings, target
from hypothesis import strategies as st

from dummyllm.eliza import explain, own_script, reply, texts_of
from dummyllm.eliza.limits import (
    FORGOTTEN_AT_ONCE,
    MESSAGE_CHARS_MAX,
    PATIENCE_MAX,
    PATIENCE_REGAINED,
    REPLY_CHARS_MAX,
    TALK_CHARS_MAX,
    TURNS_MAX,
)
from dummyllm.eliza.window import first_heard
from tests.eliza.scripted import script_of

STEPS_MAX = PATIENCE_MAX + TURNS_MAX * PATIENCE_REGAINED

OWN = own_script()
SEEDS = st.one_of(st.none(), st.integers(0, 50))
KEYS = sorted(key.lower() for key in OWN.keywords if not key.startswith(":"))
WORDS = st.one_of(
    st.sampled_from(KEYS), st.sampled_from(["you", "I", "my", "was", "are", "but", ",", ".", "3", "(x)", "of"])
)
PROSE = st.lists(WORDS, max_size=12).map(" ".join)
NOISE = st.text(st.characters(codec=None, categories=None), max_size=40)
TALKS = st.lists(st.one_of(PROSE, NOISE), max_size=8)


@given(TALKS, SEEDS)
def test_the_same_conversation_gets_the_same_reply(messages: list[str], seed: int | None) -> None:
    """No state is left behind: neither this call nor one in between changes the next."""
    first = reply(OWN, messages, seed=seed)
    reply(OWN, ["something else", *messages], seed=seed)

    assert reply(OWN, list(messages), seed=seed) == first


@given(TALKS, SEEDS)
def test_a_reply_depends_on_nothing_that_came_after_it(messages: list[str], seed: int | None) -> None:
    """The reply to the k-th message is the same whether the talk stopped there or went on."""
    turns = explain(OWN, messages, seed=seed)

    assert [turn.reply for turn in turns] == [reply(OWN, messages[: k + 1], seed=seed) for k in range(len(messages))]


@settings(max_examples=200)
@given(TALKS, SEEDS)
@example(["\ud800"], 1)
@example(["my \ud800\udfff"] * 4, None)
@example(["\x00", "\u202e", "\u0301", "", ".,.", "((((", "0", "3", "=", ";"], 3)
def test_anything_is_answered_in_one_clean_line(messages: list[str], seed: int | None) -> None:
    """Never empty, never too long, no control characters, no doubled blank, and it can be written as UTF-8."""
    for turn in explain(OWN, messages, seed=seed):
        said = turn.reply
        said.encode()
        str(turn).encode()
        assert 0 < len(said) <= REPLY_CHARS_MAX
        assert "  " not in said
        assert said == said.strip()
        assert all(char >= " " for char in said)


def test_without_messages_there_is_the_greeting() -> None:
    """Whatever the seed; and there is nothing to explain."""
    assert (
        reply(OWN, [], seed=1)
        == reply(OWN, [], seed=None)
        == "Hello. I am ELIZA, a program with the manners of another century. What is on your mind?"
    )
    assert explain(OWN, [], seed=1) == ()


def test_seeds_make_different_conversations() -> None:
    """Yet each is always the same."""
    said = {reply(OWN, ["I am sad about my code"], seed=seed) for seed in range(40)}

    assert len(said) > 3


# --- How far back ---


def test_sixty_four_turns_are_heard_and_forgotten_four_at_a_time() -> None:
    """So LIMIT goes on as if nothing had been forgotten."""
    heard = [[turn.number for turn in explain(OWN, ["x"] * count, seed=None)] for count in range(60, 75)]

    assert [(numbers[0], len(numbers)) for numbers in heard] == [
        *((1, count) for count in range(60, 65)),
        *((5, count - 4) for count in range(65, 69)),
        *((9, count - 8) for count in range(69, 73)),
        *((13, count - 12) for count in range(73, 75)),
    ]
    limits = [explain(OWN, ["x"] * count, seed=None)[-1].limit for count in range(60, 75)]
    assert limits == [count % 4 + 1 for count in range(60, 75)]


def test_someone_who_repeats_himself_for_ever_still_gets_different_answers() -> None:
    """Forgetting in groups keeps the cycles turning."""
    said = [reply(OWN, ["x"] * count, seed=5) for count in range(500, 512)]

    assert len(set(said)) >= FORGOTTEN_AT_ONCE


@given(st.lists(st.integers(0, 3_000), max_size=120))
def test_what_is_heard_keeps_within_its_caps_and_has_the_last_message(lengths: list[int]) -> None:
    """At most so many turns and so many characters, and as many as that allows but for one group."""
    messages = ["x" * length for length in lengths]
    first = first_heard(messages)
    chars = [min(length, MESSAGE_CHARS_MAX) for length in lengths]

    assert sum(chars[first:]) <= TALK_CHARS_MAX
    assert len(messages) - first <= TURNS_MAX
    assert first < len(messages) or not messages
    assert first % FORGOTTEN_AT_ONCE == 0
    earlier = first - FORGOTTEN_AT_ONCE
    assert earlier < 0 or sum(chars[earlier:]) > TALK_CHARS_MAX or len(messages) - earlier > TURNS_MAX


# --- What it costs ---

HEAVY = st.tuples(st.lists(WORDS, min_size=1, max_size=6), st.integers(1, 400), st.integers(1, 80)).map(
    lambda drawn: [" ".join(drawn[0] * drawn[1])] * drawn[2],
)


@settings(max_examples=60)
@given(HEAVY, SEEDS)
@example(["you was you " * 10] * 80, 1)
@example(["my you was I like " * 150] * 80, None)
def test_no_request_takes_more_steps_than_the_cap(messages: list[str], seed: int | None) -> None:
    """The search looks for costly conversations; patience bounds them all, reply by reply and together."""
    turns = explain(OWN, messages, seed=seed)
    total = sum(turn.steps for turn in turns)
    target(total, label="steps of a conversation")
    event(f"steps of a conversation: {total // 4_096 * 4_096} and more")

    assert total <= STEPS_MAX
    assert all(turn.steps <= PATIENCE_MAX for turn in turns)


@pytest.mark.parametrize(
    "rules",
    [
        "(A ((0) (PRE (1 1 A) (=A))))",
        "(A (=B)) (B (=A))",
        f"(A (({'0 A ' * 40}) (X)) (=A))",
        f"(A ((0 A 0) ({'1 3 ' * 500})))",
        f"(A {'((0 A 0 A 0 B) (X)) ' * 60} ((0) (NEWKEY)))",
    ],
)
def test_no_script_takes_more_steps_than_the_cap(rules: str) -> None:
    """Patience holds for scripts that their author never meant to be kind."""
    turns = explain(script_of(rules), [("a b " * 120)] * 80, seed=None)

    assert sum(turn.steps for turn in turns) <= STEPS_MAX
    assert all(turn.reply for turn in turns)


def test_the_steps_of_all_turns_have_a_sum_that_is_quick() -> None:
    """The product of the caps, written out: who raises one has to look at this figure, and to measure again."""
    assert STEPS_MAX == 12_288


def test_a_million_bytes_of_junk_are_passed_over() -> None:
    """Only the newest items, parts and characters are touched at all."""

    class Untouchable(dict[str, object]):
        def get(self, *_: object) -> object:
            raise AssertionError

    junk: list[object] = [Untouchable()] * 10_000
    assert texts_of([*junk, *([{"role": "user", "content": "x"}] * 256)])[-1] == "x"
