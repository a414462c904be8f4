"""Our own script: enough for ten minutes of talk, without rules that can never speak or replies that read badly."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dummyllm.eliza import explain, own_script, reply
from dummyllm.eliza.answer import Answer
from dummyllm.eliza.clause import Clause
from dummyllm.eliza.cycle import Cycles
from dummyllm.eliza.patience import Patience
from dummyllm.eliza.rules import Decomposition, Keyword, Link, Pre, Words
from dummyllm.eliza.speech import spoken
from dummyllm.eliza.words import keys_of, words_of

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPT = own_script()
RULES = [*SCRIPT.keywords.values(), SCRIPT.none]
GOLDEN = Path(__file__).parent.parent / "golden" / "eliza_1337.txt"


def decompositions() -> Iterator[tuple[Keyword, Decomposition]]:
    for rule in RULES:
        for decomposition in rule.decompositions:
            yield rule, decomposition


def replies() -> list[Words]:
    return [entry for _, decomposition in decompositions() for entry in decomposition.cycle if isinstance(entry, Words)]


def clauses(decomposition: Decomposition) -> Iterator[list[str]]:
    """Yield clauses made from the pattern of *decomposition*: a word of each list, nothing or a word for each `0`."""
    segments = decomposition.pattern.segments
    for choose, *fills in product((min, max), *[([], ["something"])] * (len(segments) - 1)):
        clause: list[str] = []
        for segment, fill in zip(segments, [*fills, []], strict=True):
            tests = dict(segment.tests)
            clause += [
                choose(tests[place]).lower() if place in tests else "thing" for place in range(segment.width)
            ] + fill
        yield clause


def said_by(rule: Keyword, decomposition: Decomposition, clause: list[str]) -> list[list[str]] | None:
    """Return what one round of *decomposition* says to *clause*; None if an earlier one of *rule* matches first."""
    said, places = [], set()
    cycles = Cycles(None)
    keys = keys_of(clause)
    for _ in decomposition.cycle:
        answer = Answer(SCRIPT, cycles, Patience(), Clause(clause, keys, frozenset(keys)))
        said.append(answer.words([rule]))
        if answer.hops[0].pattern != decomposition.pattern.source:
            return None
        places.add(answer.hops[0].place)
    assert places == set(range(1, len(decomposition.cycle) + 1))
    return said


def test_there_is_enough_to_talk_about() -> None:
    """Keywords that answer, replies, and lines for when there is no keyword."""
    assert sum(rule.speaks for rule in RULES) >= 450
    assert len(replies()) >= 1_000
    assert len(SCRIPT.none.decompositions[0].cycle) >= 12


def test_every_decomposition_can_speak_and_every_reply_reads_well() -> None:
    """Each matches some clause that no earlier one takes away, and its whole cycle has something to say."""
    mute = []
    for rule, decomposition in decompositions():
        rounds = [said for clause in clauses(decomposition) if (said := said_by(rule, decomposition, clause))]
        if not rounds:
            mute.append(f"{rule.key}: {decomposition.pattern.source}")
        for words in (words for said in rounds for words in said):
            text = spoken(words, natural=True)
            assert text, decomposition.pattern.source
            assert "  " not in text
            assert not any(char.isdigit() for char in text), text
    assert not mute


def test_no_reply_is_written_twice() -> None:
    """Each of them is in one rule only, the rest are links."""
    texts = [str(entry) for entry in replies()]

    assert sorted({text for text in texts if texts.count(text) > 1}) == []


def test_every_reply_is_made_of_whole_sentences() -> None:
    """It begins with a capital or the user's words, ends with a mark, and a part never begins a later sentence."""
    for entry in replies():
        first, last = entry.words[0], entry.words[-1]
        assert isinstance(first, int) or first[0].isupper() or first == "git", str(entry)
        assert isinstance(last, str), str(entry)
        assert last[-1] in ".?!", str(entry)
        for word, following in zip(entry.words, entry.words[1:], strict=False):
            assert not (isinstance(following, int) and isinstance(word, str) and word[-1] in ".?!"), str(entry)


@pytest.mark.parametrize(
    "key", [rule.key for rule in SCRIPT.keywords.values() if not rule.key.startswith(":") and rule.speaks]
)
def test_every_keyword_answers_when_it_is_typed(key: str) -> None:
    """Alone, as a message; nothing falls through to a built-in line."""
    turn = explain(SCRIPT, [key.lower()], seed=None)[0]

    assert turn.keystack == (key,)
    assert turn.origin == "rule"


def test_a_rule_that_nobody_can_type_is_linked_to() -> None:
    """Their names have a colon, which ends a clause."""
    links = {rule.link for rule in RULES} | {
        entry.to
        for _, decomposition in decompositions()
        for entry in decomposition.cycle
        if isinstance(entry, Link | Pre)
    }
    hidden = {rule.key for rule in SCRIPT.keywords.values() if rule.key.startswith(":")}

    assert hidden <= links
    assert all(words_of(key)[0] == ":" for key in hidden)


@pytest.mark.parametrize(
    ("message", "part"),
    [
        ("I want to paint myself green", "paint yourself green"),
        ("you are kind", "I am kind"),
        ("are you kind", "I were kind"),
        ("I was lost", "to be lost"),
        ("I'm lost", "to be lost"),
        ("I am proud of myself", "you are proud"),
        ("I am afraid of your answers", "afraid of my answers"),
        ("I can't see myself", "see yourself"),
        ("my sister trusts you", "your sister trusts me"),
        ("is your accent yours", "my accent mine"),
    ],
)
def test_pronouns_are_turned_round(message: str, part: str) -> None:
    """The user's I is our you, and the user's you is our I or me, whichever the sentence needs."""
    assert any(part in reply(SCRIPT, [message], seed=seed) for seed in range(200))


@pytest.mark.parametrize(
    "message",
    [
        "I want to kill myself",
        "I am suicidal",
        "i think about suicide",
        "I want to die",
        "my boss makes me want to kill myself",
    ],
)
def test_where_play_ends_the_reply_sends_to_people(message: str) -> None:
    """Before every other rule, and with nothing funny in it."""
    for seed in range(20):
        assert "emergency number" in reply(SCRIPT, [message], seed=seed)


def test_earlier_topics_come_back() -> None:
    """What the user said of something of his own is brought up when the talk runs dry."""
    said = [turn.reply for turn in explain(SCRIPT, ["my boss hates my garden", "so", "so"], seed=1337)]

    assert "your boss hates your garden" in said[-1]


def conversations() -> list[list[tuple[str, str]]]:
    blocks = GOLDEN.read_text(encoding="utf-8").strip().split("\n\n")
    return [
        [
            (you.removeprefix("you> "), eliza.removeprefix("eliza> "))
            for you, eliza in zip(lines[1::2], lines[2::2], strict=True)
        ]
        for lines in (block.split("\n") for block in blocks)
    ]


@pytest.mark.parametrize("conversation", conversations())
def test_the_conversations_of_seed_1337_are_as_they_were(conversation: list[tuple[str, str]]) -> None:
    """Changing a reply is a decision: it changes this file."""
    turns = explain(SCRIPT, [you for you, _ in conversation], seed=1337)

    assert [turn.reply for turn in turns] == [eliza for _, eliza in conversation]
