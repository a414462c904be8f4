"""Knows where the user's words are in the `messages` of a chat request, whatever else is in there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dummyllm.eliza.limits import ITEMS_FORGOTTEN_AT_ONCE, ITEMS_MAX, MESSAGE_CHARS_MAX, PARTS_MAX

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT_PARTS: Final = frozenset(("text", "input_text"))


def texts_of(messages_json: object) -> list[str]:
    """Return the texts of the user's messages in a decoded `messages` list, in order, each as far as ELIZA hears it.

    Only messages of role `user` count, so an assistant turn that was cut, edited or dropped changes no reply. A message
    without any text is no turn: null, a number, a list of pictures. An empty text is one: the user had nothing to say.
    """
    if not isinstance(messages_json, list):
        return []
    excess = max(0, len(messages_json) - ITEMS_MAX)
    start = -(-excess // ITEMS_FORGOTTEN_AT_ONCE) * ITEMS_FORGOTTEN_AT_ONCE
    texts = (_text_of(item) for item in messages_json[start:])
    return [text for text in texts if text is not None]


def _text_of(item: object) -> str | None:
    if not isinstance(item, dict) or item.get("role") != "user":
        return None
    content = item.get("content")
    if isinstance(content, str):
        return content[:MESSAGE_CHARS_MAX]
    if not isinstance(content, list):
        return None
    parts = list(_parts(content))
    return " ".join(parts)[:MESSAGE_CHARS_MAX] if parts else None


def _parts(content: list[object]) -> Iterator[str]:
    for part in content[:PARTS_MAX]:
        text = part.get("text") if isinstance(part, dict) and _is_text(part.get("type")) else part
        if isinstance(text, str):
            yield text[:MESSAGE_CHARS_MAX]


def _is_text(kind: object) -> bool:
    return isinstance(kind, str) and kind in TEXT_PARTS
