"""How deep a body is nested: what a reader that goes byte by byte finds, found without going byte by byte."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from dummyllm.web.decode import depth_of

TEXTS = st.text(st.sampled_from('"\\[]{}, a'), max_size=6)
VALUES = st.recursive(TEXTS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4))


def depth_by_bytes(body: bytes) -> int:
    """Return the depth of *body* as a reader finds it that knows where it is at every byte."""
    depth = deepest = 0
    is_inside = is_escaped = False
    for byte in body.decode():
        if is_escaped:
            is_escaped = False
        elif is_inside:
            is_escaped, is_inside = byte == "\\", byte != '"'
        elif byte == '"':
            is_inside = True
        else:
            depth += (byte in "[{") - (byte in "]}")
            deepest = max(deepest, depth)
    return deepest


@given(VALUES, st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", " : ")]))
def test_brackets_count_where_they_are_no_text(value: object, separators: tuple[str, str]) -> None:
    """Texts full of brackets, quotes and backslashes change nothing."""
    body = json.dumps(value, separators=separators).encode()

    assert depth_of(body) == depth_by_bytes(body)
