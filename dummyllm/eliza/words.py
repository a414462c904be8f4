"""Knows what a word is: how a message is cut into words and how two words are compared.

Nothing here asks the running Python's Unicode tables, because they differ between versions and a reply may not: blanks,
apostrophes and delimiters are listed below, letters and accents are composed as in Unicode 3.2 (which every Python
carries unchanged), and letters have capitals in ASCII, Latin-1, Latin Extended-A, Greek and Cyrillic.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING, Final
from unicodedata import ucd_3_2_0

from dummyllm.eliza.limits import MESSAGE_CHARS_MAX, MESSAGE_WORDS_MAX

if TYPE_CHECKING:
    from collections.abc import Sequence

BLANKS: Final = (
    *chain(range(0x21), range(0x7F, 0xA1), range(0x2000, 0x200B)),  # controls and spaces
    *(0x1680, 0x180E, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000),  # spaces further up
    *map(ord, '"*<>()[]{}`\u00a1\u00bf\u00ab\u00bb\u201a\u201c\u201d\u201e\u201f\u2039\u203a'),  # quotes, brackets
)
DROPPED: Final = (0x00AD, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF)
SURROGATES: Final = dict.fromkeys(range(0xD800, 0xE000), "\ufffd")
APOSTROPHES: Final = "\u00b4\u02bc\u2018\u2019\u201b\uff07"
MARKS: Final = {  # of other scripts and keyboards, and the mark that stands for each
    **dict.fromkeys("\u2026\u3002\uff0e", "."),
    **dict.fromkeys("\u2012\u2013\u2014\u2015\u060c\u3001\uff0c", ","),
    **dict.fromkeys("\uff01", "!"),
    **dict.fromkeys("\u037e\u061f\uff1f", "?"),
    **dict.fromkeys("\uff1a", ":"),
    **dict.fromkeys("\u061b\uff1b", ";"),
}
HEARD: Final = str.maketrans(
    {
        **dict.fromkeys(BLANKS, " "),
        **dict.fromkeys(DROPPED, ""),
        **SURROGATES,
        **{ord(sign): "'" for sign in APOSTROPHES},
        **{ord(sign): mark for sign, mark in MARKS.items()},
    },
)

CASED: Final = chain(b"abcdefghijklmnopqrstuvwxyz", range(0xE0, 0x180), range(0x3AC, 0x3CF), range(0x430, 0x460))
CAPITALS: Final = {code: chr(code).upper() for code in CASED if len(chr(code).upper()) == 1}
COMPARED: Final = {**CAPITALS, **{ord(sign): "'" for sign in APOSTROPHES}}

DELIMITERS: Final = frozenset((*".,:;!?", "-", "--", "---", "BUT"))
COMPOSED_CHARS_MAX: Final = 64  # composing is quadratic in the marks on one letter, and no keyword is longer
MARKED: Final = re.compile("[\u0300-\u036f\u3099\u309a]")  # accents, and the voicing marks of kana

TOKEN: Final = re.compile(r"[^ .,:;!?]+(?:(?<=[0-9])[.,:](?=[0-9])[^ .,:;!?]+)*|[.,:;!?]")


def words_of(message: str) -> list[str]:
    """Return the words and delimiters of *message* as typed, as far as ELIZA hears it.

    A stop, comma or colon between two digits belongs to its number: `3.5` and `10:30` are words.
    """
    heard = message[:MESSAGE_CHARS_MAX].translate(HEARD)
    words: list[str] = TOKEN.findall(heard)[:MESSAGE_WORDS_MAX]
    if MARKED.search(heard):
        words = [composed(word) for word in words]
    if "'" in heard:
        words = [bare for word in words if (bare := word.strip("'"))]
    return words


def key_of(word: str) -> str:
    """Return *word* in capitals, as it is compared: two words are the same when their keys are."""
    return word.upper() if word.isascii() else word.translate(COMPARED)


def keys_of(words: Sequence[str]) -> list[str]:
    """Return the key of each of *words*."""
    joined = " ".join(words)
    return (joined.upper() if joined.isascii() else joined.translate(COMPARED)).split(" ") if words else []


def composed(word: str) -> str:
    """Return *word* with letter and mark as one character, where Unicode 3.2 has one."""
    return ucd_3_2_0.normalize("NFC", word) if MARKED.search(word) and len(word) <= COMPOSED_CHARS_MAX else word
