"""How a reply is found, step by step, as in 1966: each rule form in a script that is about nothing else."""

from __future__ import annotations

import pytest

from dummyllm.eliza import Origin, explain
from dummyllm.eliza.limits import HOPS_MAX, KEYSTACK_MAX, MEMORIES_MAX, MESSAGE_WORDS_MAX, PATIENCE_MAX, REPLY_WORDS_MAX
from tests.eliza.scripted import script_of, talked

# --- Reading from left to right ---


def test_only_the_first_clause_with_a_keyword_is_listened_to() -> None:
    """A delimiter before any keyword throws away what came before, one after a keyword what comes after."""
    script = script_of("(A ((0 A 0) (1 AND 3)))")

    assert talked(script, "one, two a three. four a five") == ["TWO AND THREE"]


@pytest.mark.parametrize("delimiter", [",", ".", "!", "?", ";", ":", " but ", " BUT ", " - ", "\u2014"])
def test_a_clause_ends_at_a_mark_or_at_the_word_but(delimiter: str) -> None:
    """BUT is in the program of 1966, though not in the paper."""
    script = script_of("(A ((0 A 0) (1 AND 3)))")

    assert talked(script, f"one{delimiter}two a three{delimiter}four") == ["TWO AND THREE"]


def test_a_word_is_replaced_while_it_is_read() -> None:
    """So patterns see the substitute, and the substitute is no keyword itself."""
    script = script_of("(I = YOU ((0 YOU 0) (WHO IS 2 1 3))) (YOU = I ((0 I 0) (SO 2 3)))")

    assert talked(script, "I see", "you see") == ["WHO IS YOU SEE", "SO I SEE"]


def test_a_word_with_nothing_but_a_substitute_is_no_keyword() -> None:
    """It only changes the clause, or the message goes to NONE."""
    script = script_of("(DONT = DON'T) (A ((0 DON'T 0) (DO)))")

    assert talked(script, "dont a", "dont") == ["DO", "NONE ONE"]


# --- The keystack ---


def stack_of(message: str) -> tuple[str, ...]:
    """Return the keystack that *message* makes of A and AA (0), B and BB (5), and C (9)."""
    script = script_of("(A ((0) (1))) (AA ((0) (1))) (B 5 ((0) (1))) (BB 5 ((0) (1))) (C 9 ((0) (1)))")
    return explain(script, [message], seed=None)[0].keystack


@pytest.mark.parametrize(
    ("message", "stack"),
    [
        ("a aa", "A AA"),  # equal precedence: to the bottom
        ("a b", "B A"),  # higher: to the top
        ("b a", "B A"),
        ("b bb", "B BB"),
        ("a b c", "C B A"),
        ("c a b", "C A B"),  # so it is not in order of precedence
        ("b a c bb", "C B A BB"),
        ("a a b a", "B A A A"),  # a word that comes twice is there twice
        ("x y", ""),
    ],
)
def test_a_keyword_of_higher_precedence_goes_on_top_and_any_other_to_the_bottom(message: str, stack: str) -> None:
    """Only a strictly higher one than all before it."""
    assert " ".join(stack_of(message)) == stack


def test_the_keystack_holds_thirty_two_keywords() -> None:
    """What falls off is the bottom."""
    assert stack_of("b " * 40 + "c") == ("C", *["B"] * (KEYSTACK_MAX - 1))


# --- Decomposition and reassembly ---


def test_the_first_decomposition_that_matches_is_used() -> None:
    """In the order of the script."""
    script = script_of("(A ((0 B 0) (B)) ((0 C 0) (C)) ((0) (ANY)))")

    assert talked(script, "a c b", "a c", "a") == ["B", "C", "ANY"]


def test_the_reassemblies_of_a_decomposition_take_turns() -> None:
    """Each has its own turn, and after the last comes the first."""
    script = script_of("(A ((0 B 0) (ONE) (TWO)) ((0) (UN) (DEUX) (TROIS)))")

    assert talked(script, "a", "a b", "a", "a b", "a", "a b", "a") == ["UN", "ONE", "DEUX", "TWO", "TROIS", "ONE", "UN"]


def test_newkey_gives_up_a_keyword_for_the_next() -> None:
    """It is an entry of the cycle like any other; below the last keyword is NONE."""
    script = script_of("(A 5 ((0) (FIRST) (NEWKEY))) (B ((0) (SECOND)))")

    assert talked(script, "a b", "a b", "a", "a") == ["FIRST", "SECOND", "FIRST", "NONE ONE"]


def test_a_link_goes_on_with_another_rule() -> None:
    """As an entry of a cycle, or as the rule's last resort; the clause stays as it is."""
    script = script_of("(A (=B)) (B ((0 B 0) (B HERE)) ((0 A 0) (1 FROM A 3) (=C))) (C ((0) (SEE)))")

    assert talked(script, "x a y", "x a y", "b") == ["X FROM A Y", "SEE", "B HERE"]


def test_a_link_is_the_last_resort_of_a_rule_in_which_nothing_matches() -> None:
    """Though it may stand before the decompositions."""
    script = script_of("(A (=B) ((0 C 0) (C))) (B ((0) (B)))")

    assert talked(script, "a c", "a") == ["C", "B"]


def test_pre_rewrites_the_clause_and_goes_on() -> None:
    """The new text is matched by the other rule, and by whatever comes after that."""
    script = script_of("(A ((0 A 0) (PRE (3 B 1) (=C)))) (C ((0 B 0) (LEFT 1 RIGHT 3)))")

    assert talked(script, "one a two") == ["LEFT TWO RIGHT ONE"]


def test_pre_and_newkey_together_tidy_the_clause_for_the_next_keyword() -> None:
    """The keystack stays as it was read, the words change."""
    script = script_of("(A 9 ((0 A 0) (PRE (1 3) (=X)))) (X ((0) (NEWKEY))) (B ((0) (HEARD 1)))")

    assert talked(script, "b a c") == ["HEARD B C"]


def test_a_number_that_the_user_typed_is_a_word() -> None:
    """Even when PRE has put it into the clause and it is matched again."""
    script = script_of("(A ((0 A 0) (PRE (1 3) (=B)))) (B ((0 1) (LAST 2 FIRST 1)))")

    assert talked(script, "3 a 0", "1 2 a 9") == ["LAST 0 FIRST 3", "LAST 9 FIRST 1 2"]


def test_a_tag_stands_for_every_keyword_that_carries_it() -> None:
    """DLIST gives tags; a lone slash before them is passed over."""
    script = script_of(
        "(MOM DLIST(/KIN)) (DAD DLIST(/ KIN NOUN)) (MY ((0 (/KIN) 0) (2)) ((0 (/NOUN) 0) (NEVER)) ((0) (WHO)))"
    )

    assert talked(script, "my mom", "my dad", "my dog") == ["MOM", "DAD", "WHO"]


# --- When no rule has words ---


def test_without_a_keyword_none_takes_turns() -> None:
    """It is a cycle like any other."""
    assert talked(script_of(""), "x", "y", "z", "x") == ["NONE ONE", "NONE TWO", "NONE THREE", "NONE ONE"]


def test_a_rule_in_which_nothing_matches_gives_a_built_in_line_by_limit() -> None:
    """LIMIT is 1 before the first message, counts before every reply, and goes from 4 to 1."""
    script = script_of("(A ((NEVER) (NO)))")

    assert talked(script, *["a"] * 5) == ["HMMM", "GO ON, PLEASE", "I SEE", "PLEASE CONTINUE", "HMMM"]


def test_in_a_natural_script_the_built_in_lines_are_natural_too() -> None:
    """With stops, and a capital only at the beginning."""
    script = script_of("(a ((never) (no)))")

    assert talked(script, *["a"] * 4) == ["Hmmm.", "Go on, please.", "I see.", "Please continue."]


def test_a_reply_without_words_is_a_built_in_line() -> None:
    """A part may be empty; a reply never is."""
    assert talked(script_of("(A ((0 A 0) (1)))"), "a") == ["HMMM"]


# --- Memory ---


def test_a_memory_comes_back_at_limit_four_when_there_is_no_keyword() -> None:
    """The fourth message of four has LIMIT 1, the third LIMIT 4."""
    script = script_of("")

    assert talked(script, "mine PURPOSE", "x", "y", "z") == ["WHOSE", "NONE ONE", "SECOND PURPOSE", "NONE TWO"]


def test_at_limit_four_a_keyword_comes_before_memory() -> None:
    """The memory waits for the next chance."""
    script = script_of("(A ((0) (HELLO)))")

    assert talked(script, "mine purpose", "x", "a", "x", "x", "x", "x")[2:] == [
        "HELLO",
        "NONE TWO",
        "NONE THREE",
        "NONE ONE",
        "SECOND PURPOSE",
    ]


def test_the_oldest_memory_comes_first_and_once() -> None:
    """Memories wait in a queue."""
    said = talked(script_of(""), "mine devonshire", "mine purpose", "x", "x", "x", "x", "x", "x", "x", "x", "x")

    assert [line for line in said if not line.startswith(("NONE", "WHOSE"))] == ["FIRST DEVONSHIRE", "SECOND PURPOSE"]


def test_the_memory_keyword_is_remembered_when_its_turn_comes_not_when_it_is_read() -> None:
    """A keyword above it that answers leaves no memory."""
    script = script_of("(A 9 ((0) (HELLO) (NEWKEY)))")
    turns = explain(script, ["a mine devonshire", "a mine devonshire"], seed=None)

    assert [turn.remembered for turn in turns] == [(), (("FIRST", "devonshire"),)]


def test_where_the_way_to_remember_does_not_fit_nothing_is_remembered() -> None:
    """There is no second choice among the four."""
    script = script_of("(A 9 ((0) (PRE (ALWAYS) (=MINE))))")

    assert explain(script, ["a mine"], seed=None)[0].remembered == ()


def test_sixty_four_memories_are_kept() -> None:
    """The oldest is forgotten first. A rule that links to the memory keyword lays down one for each hop."""
    script = script_of("(A ((0) (=MINE)))")
    turns = explain(script, ["a mine x"] * MEMORIES_MAX, seed=None)

    assert sum(len(turn.remembered) for turn in turns) == MEMORIES_MAX


# --- Scripts that never end ---


def test_a_script_that_goes_round_in_circles_gives_a_built_in_line() -> None:
    """After sixty-four rules."""
    turn = explain(script_of("(A (=B)) (B (=A))"), ["a"], seed=None)[0]

    assert (turn.reply, turn.origin, len(turn.hops)) == ("HMMM", Origin.BUILT_IN, HOPS_MAX)


def test_a_script_that_grows_its_clause_is_stopped() -> None:
    """Doubling the words sixty-four times would take longer than there are atoms."""
    turn = explain(script_of("(A ((0) (PRE (1 1) (=A))))"), ["a"], seed=None)[0]

    assert turn.reply == "HMMM"
    assert turn.steps == PATIENCE_MAX  # what is left when it runs out is gone


def test_a_clause_is_never_longer_than_a_message_and_a_reply_has_a_thousand_words_at_most() -> None:
    """PRE is cut after 256 words, a reply after 1,000."""
    script = script_of("(A ((0) (PRE (1 1) (=X)))) (X ((0) (1))) (B ((0) (1 1 1 1 1)))")
    pre, words = talked(script, "a " * 200, "b " * 250)

    assert (len(pre.split()), len(words.split())) == (MESSAGE_WORDS_MAX, REPLY_WORDS_MAX)


def test_a_script_that_counts_down_ends_by_itself() -> None:
    """PRE and links are a programming language; this program takes words away in pairs."""
    script = script_of("(EVEN ((EVEN) (YES)) ((EVEN 1) (NO)) ((EVEN 2 0) (PRE (1 3) (=EVEN))))")

    assert talked(script, "even a b c d", "even a b c") == ["YES", "NO"]


def test_patience_comes_back_while_the_talk_is_easy() -> None:
    """A message that uses it all up gets a built-in line; messages after that are answered again."""
    hard = "(A ((0) (PRE (1 1) (=A)))) (B ((0) (EASY)))"

    assert talked(script_of(hard), "a", "b", "b") == ["HMMM", "EASY", "EASY"]


# --- The trace ---


def test_a_turn_tells_how_its_reply_came_about() -> None:
    """Line by line, for people."""
    script = script_of("(A = ALPHA 5 ((0 ALPHA 0) (NEWKEY))) (B ((NEVER) (NO)) (=C)) (C ((0) (SEE 1)))")
    turns = explain(script, ["a, b", "b x a", "mine devonshire", "-", "x"], seed=None)

    assert (
        "\n".join(map(str, turns))
        == """\
turn 1, LIMIT 2, 14 steps
  heard: ALPHA
  keystack: A
  A: (0 ALPHA 0) entry 1 of 1: (NEWKEY)
  (NONE): (0) entry 1 of 3: (NONE ONE)
  reply, by rule: NONE ONE
turn 2, LIMIT 3, 20 steps
  heard: b x ALPHA
  keystack: A B
  A: (0 ALPHA 0) entry 1 of 1: (NEWKEY)
  B: no pattern matched: (=C)
  C: (0) entry 1 of 1: (SEE 1)
  reply, by rule: SEE B X ALPHA
turn 3, LIMIT 4, 13 steps
  heard: YOURS devonshire
  keystack: MINE
  MINE: (0) entry 1 of 1: (WHOSE)
  remembered: FIRST DEVONSHIRE
  reply, by rule: WHOSE
turn 4, LIMIT 1, 6 steps
  heard: (nothing)
  keystack: (empty)
  (NONE): (0) entry 2 of 3: (NONE TWO)
  reply, by rule: NONE TWO
turn 5, LIMIT 2, 6 steps
  heard: x
  keystack: (empty)
  (NONE): (0) entry 3 of 3: (NONE THREE)
  reply, by rule: NONE THREE"""
    )
