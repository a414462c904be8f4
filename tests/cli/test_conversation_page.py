"""docs/eliza.md holds a conversation that you would show a friend; `dummyllm chat` says it again, word for word."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "eliza.md"
BLOCK = re.compile(r"<!-- conversation: seed (\d+) -->\s*```[a-z]*\n(.*?)```", re.DOTALL)
TURNS_MIN = 20


def test_the_conversation_of_the_page_is_what_chat_says(call) -> None:
    """The `you>` lines of the page, piped through `dummyllm chat`, give the page's own transcript."""
    found = BLOCK.search(PAGE.read_text(encoding="utf-8"))
    assert found, f"{PAGE.name} has no conversation behind a marker `<!-- conversation: seed 1337 -->`"
    seed, block = found[1], found[2].strip()
    told = [line.rstrip() for line in block.splitlines() if line.strip()]
    typed = [line.removeprefix("you>").strip() for line in told if line.startswith("you>")]
    assert len(typed) >= TURNS_MIN

    said = call("chat", "--seed", seed, typed="".join(f"{line}\n" for line in typed)).out.splitlines()

    # The page may leave out the greeting, which is the same in every conversation.
    assert said[said[0] != told[0] :] == told
