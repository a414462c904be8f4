"""Knows how ELIZA remembers: a hash picks one of four ways to keep a clause, to be said when the talk runs dry.

The paper of 1966 says the way is chosen at random. The program hashed the last word instead, with the HASH of SLIP: the
word is written in the six-bit characters of the IBM 7094, six to a machine word, and the square of that number gives
bits from its middle. So one clause is always remembered in the same way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from dummyllm.eliza.clause import Clause
    from dummyllm.eliza.rules import Memory, MemoryRule

# Sixteen codes a line; `_` stands for codes without a character.
BCD: Final = "0123456789_='___+ABCDEFGHI_.)___-JKLMNOPQR_$*___ /STUVWXYZ_,(___"
CODES: Final = {ord(char): code for code, char in enumerate(BCD) if char != "_"}
CELL_CHARS: Final = 6
MAGNITUDE: Final = 2**35 - 1  # a machine word of 36 bits without its sign
WAY_BITS: Final = 2


def way_of(memory: Memory, clause: Clause) -> MemoryRule:
    """Return the way in which *clause*, which must have words, is remembered."""
    return memory.rules[hashed(last_cell(clause.keys[-1]), WAY_BITS)]


def hashed(cell: int, bits: int) -> int:
    """Return so many *bits* from the middle of the square of *cell*."""
    return ((cell & MAGNITUDE) ** 2 >> (35 - bits // 2)) & ((1 << bits) - 1)


def last_cell(key: str) -> int:
    """Return the machine word that holds the end of *key*: a word of eight letters had its last two in a cell.

    What the 7094 could not print counts by its bytes in UTF-8, and of each byte by the low six bits.
    """
    text = key.encode(errors="surrogatepass")
    cell = 0
    for byte in text[(len(text) - 1) // CELL_CHARS * CELL_CHARS :].ljust(CELL_CHARS):
        cell = cell << 6 | CODES.get(byte, byte & 0o77)
    return cell
