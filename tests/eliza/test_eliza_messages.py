"""Whose words in a chat request are the user's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dummyllm.eliza import texts_of
from dummyllm.eliza.limits import ITEMS_FORGOTTEN_AT_ONCE, ITEMS_MAX, MESSAGE_CHARS_MAX, PARTS_MAX


def user(content: object) -> dict[str, object]:
    return {"role": "user", "content": content}


def text(content: object) -> dict[str, object]:
    return {"type": "text", "text": content}


OTHER_ROLES = ("system", "developer", "tool", "assistant", "USER", "", None, 1, ["user"])


@pytest.mark.parametrize(
    ("messages", "texts"),
    [
        ([user("Hello"), {"role": "assistant", "content": "Hi"}, user("Bye")], ["Hello", "Bye"]),
        ([{"role": role, "content": "x"} for role in OTHER_ROLES], []),
        ([user("Hello"), {"role": "assistant", "content": "Hi"}], ["Hello"]),
        (
            [user([text("one"), {"type": "image_url"}, {"type": "input_text", "text": "two"}, "three"])],
            ["one two three"],
        ),
        ([user("")], [""]),
        ([user([{"type": "text", "text": ""}])], [""]),
        ([user([]), user(None), user(3), user({"type": "text", "text": "x"}), user([{"type": "image_url"}])], []),
        ([user([{"type": "text"}, text(3), {"type": ["text"], "text": "x"}, {"text": "x"}, None, 7, [["x"]]])], []),
        ([{"role": "user"}, {}, [], None, "user", 3, True], []),
        ([], []),
        ({"role": "user", "content": "x"}, []),
        ("Hello", []),
        (None, []),
    ],
)
def test_only_texts_of_the_role_user_count(messages: object, texts: list[str]) -> None:
    """Whatever else is in there is passed over; a message without any text is no turn."""
    assert texts_of(messages) == texts


JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.sampled_from(["user", "text"])
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(["role", "content", "type", "text", "x"]), inner, max_size=4),
    ),
    max_leaves=12,
)


@given(st.one_of(JSON, st.lists(st.fixed_dictionaries({"role": st.just("user"), "content": JSON}), max_size=5)))
def test_any_json_is_read_without_complaint(messages: object) -> None:
    """What comes out is a list of texts."""
    assert all(isinstance(text, str) for text in texts_of(messages))


def test_a_text_is_cut_where_eliza_stops_hearing() -> None:
    """Part by part, before they are joined."""
    assert texts_of([user("x" * 9_999)]) == ["x" * MESSAGE_CHARS_MAX]
    assert texts_of([user(["x" * 1_500, "y" * 9_999])]) == ["x" * 1_500 + " " + "y" * 499]


def test_the_first_thirty_two_parts_are_looked_at() -> None:
    """More than that is no prose."""
    assert texts_of([user(["a"] * (PARTS_MAX + 1))]) == [" ".join("a" * PARTS_MAX)]


def test_of_a_very_long_list_the_newest_messages_are_looked_at() -> None:
    """The oldest are forgotten 64 at a time when there are more than 256."""
    messages = [user(str(number)) for number in range(ITEMS_MAX + 1)]

    assert len(texts_of(messages[:-1])) == ITEMS_MAX
    assert texts_of(messages)[0] == str(ITEMS_FORGOTTEN_AT_ONCE)
    assert texts_of(messages)[-1] == str(ITEMS_MAX)
