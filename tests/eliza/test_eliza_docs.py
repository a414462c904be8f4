"""docs/eliza.md holds: its conversation, its example script, its vectors and its caps are what the program does."""

from __future__ import annotations

import json
import re
from hashlib import blake2b
from pathlib import Path

import pytest

from dummyllm.eliza import ScriptError, explain, limits, own_script, read_script, reply
from dummyllm.eliza.cycle import start_of
from dummyllm.eliza.memory import BCD
from tests.eliza.scripted import script_of

PAGE = (Path(__file__).parents[2] / "docs" / "eliza.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)(?: (\w+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = {name: text for _, name, text in BLOCK.findall(PAGE) if name}
CONVERSATION = re.compile(r"^<!-- conversation: seed (\d+) -->\n\n```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CAP = re.compile(r"^\| `([A-Z_]+_MAX|[A-Z_]*FORGOTTEN_AT_ONCE|PATIENCE_REGAINED)` \| ([0-9,]+) \|", re.MULTILINE)


def exchanges(text: str) -> list[tuple[str, str]]:
    lines = text.splitlines()
    assert all(line.startswith("you> ") for line in lines[::2])
    assert all(line.startswith("eliza> ") for line in lines[1::2])
    return [(you[5:], eliza[7:]) for you, eliza in zip(lines[::2], lines[1::2], strict=True)]


def test_the_conversation_on_the_page_is_what_is_said() -> None:
    """Twenty turns, word for word."""
    (seed, text), *others = CONVERSATION.findall(PAGE)
    talk = exchanges(text)
    turns = explain(own_script(), [you for you, _ in talk], seed=int(seed))

    assert not others
    assert len(talk) == 20
    assert [turn.reply for turn in turns] == [eliza for _, eliza in talk]


def test_the_snippet_prints_what_the_page_says(capsys: pytest.CaptureFixture[str]) -> None:
    """The block of Python and the block below it."""
    snippet, output = next(
        (text, below)
        for (language, _, text), (_, _, below) in zip(BLOCK.findall(PAGE), BLOCK.findall(PAGE)[1:], strict=False)
        if language == "python"
    )
    exec(snippet, {})

    assert capsys.readouterr().out == output


def test_the_script_on_the_page_can_be_talked_to() -> None:
    """Without a seed, as on the page."""
    talk = exchanges(BLOCKS["transcript"])
    turns = explain(read_script(BLOCKS["script"]), [you for you, _ in talk], seed=None)

    assert [turn.reply for turn in turns] == [eliza for _, eliza in talk]
    assert {turn.origin for turn in turns} == {"rule", "memory"}


def test_the_mistakes_on_the_page_are_told_in_its_words() -> None:
    """A script without MEMORY, and with a part that the pattern does not have."""
    with pytest.raises(ScriptError) as caught:
        read_script("(Hi)\n(sorry ((0 sorry 0)\n    (You said 4.)))\n(NONE ((0) (Go on.)))", source="my.eliza")

    assert str(caught.value) == BLOCKS["mistakes"].strip()


@pytest.mark.parametrize("vector", json.loads(BLOCKS["vectors"]))
def test_the_vectors_come_out_of_the_page_and_of_the_program(vector: dict[str, int | str]) -> None:
    """First from the recipe on the page and hashlib alone, then from the program."""
    seed, keyword, number = int(vector["seed"]), str(vector["keyword"]), int(vector["decomposition"])
    message = b"eliza" + b"\0" + str(seed).encode() + b"\0" + keyword.encode() + b"\0" + str(number).encode()
    digest = blake2b(message, digest_size=8).digest()
    assert digest.hex() == vector["draw"]
    assert [0, 2, 3, 4][int.from_bytes(digest, "big") % 4] == vector["start"]

    if keyword == "(NONE)":
        return
    rule = "((0) (A) (NEWKEY) (C) (D) (E))" * number
    decomposition = script_of(f"({keyword} {rule})").keywords[keyword].decompositions[number - 1]
    assert start_of(decomposition, seed) == vector["start"]


def test_the_vector_of_none_is_what_a_message_without_keyword_gets() -> None:
    """NONE has a name that no word can have."""
    vector = next(vector for vector in json.loads(BLOCKS["vectors"]) if vector["keyword"] == "(NONE)")
    script = read_script(
        "(HI) (MEMORY M (0=A) (0=B) (0=C) (0=D)) (M ((0) (X))) (NONE ((0) (ONE) (NEWKEY) (TWO) (THREE) (FOUR)))"
    )

    assert reply(script, ["x"], seed=vector["seed"]) == ["ONE", "", "TWO", "THREE", "FOUR"][vector["start"]]


def test_the_table_of_codes_is_the_one_in_use() -> None:
    """Four rows of sixteen."""
    assert BLOCKS["bcd"].replace("\n", "") == BCD


def test_every_cap_is_on_the_page_with_its_value() -> None:
    """And no other."""
    on_the_page = {name: int(value.replace(",", "")) for name, value in CAP.findall(PAGE)}

    assert on_the_page == {name: value for name, value in vars(limits).items() if name.isupper()}


def test_the_page_names_the_sum_of_all_steps() -> None:
    """What a conversation starts with, and what comes back with every turn."""
    assert f"{limits.PATIENCE_MAX + limits.TURNS_MAX * limits.PATIENCE_REGAINED:,} steps" in PAGE
