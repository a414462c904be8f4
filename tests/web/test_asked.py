"""The two headers with which a client asks for more than an answer: Idempotency-Key, and Prefer with its wait."""

from __future__ import annotations

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dummyllm.web.asked import idempotency_key, preference_applied, wait_s
from dummyllm.web.refusal import Refusal

UUID = "8e03978e-40d5-43dd-bc93-6894a57f9324"
HEADER_BYTES_MAX = 65_536  # a request with more of them is refused before anybody reads them


def key_of(raw: bytes) -> str | Refusal | None:
    """Return the key in the header *raw*, or the refusal that it meets with."""
    try:
        return idempotency_key({b"idempotency-key": raw})
    except Refusal as refusal:
        return refusal


def is_refused(raw: bytes) -> bool:
    """Say whether *raw* is a key that cannot be read."""
    found = key_of(raw)
    return isinstance(found, Refusal) and (found.status, found.code) == (400, "BAD_REQUEST")


def wait_of(raw: bytes) -> int | None:
    """Return the wait in the header *raw*."""
    return wait_s({b"prefer": raw})


def test_who_asks_for_nothing_gets_nothing() -> None:
    """Both headers are the client's choice."""
    assert idempotency_key({b"host": b"localhost"}) is None
    assert wait_s({b"host": b"localhost"}) is None


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        (f'"{UUID}"', UUID),
        (UUID, UUID),
        (f'  "{UUID}"  ', UUID),
        (f"\t{UUID}\t", UUID),
        ('"a"', "a"),
        ("a", "a"),
        ('"order 17, attempt 2"', "order 17, attempt 2"),
        (r'"say \"hi\""', 'say "hi"'),
        (r'"back\\slash"', r"back\slash"),
        (r"back\slash", r"back\slash"),
        ('"a";retry=1', "a"),
        ("a;retry=1", "a;retry=1"),
        ('" "', " "),
        ("!#$%&'*+-./:;<=>?@[]^_`{|}~", "!#$%&'*+-./:;<=>?@[]^_`{|}~"),
    ],
)
def test_a_key_is_a_string_in_double_quotes_or_bare(raw: str, key: str) -> None:
    """A key is a string in double quotes (RFC 8941), or bare; the parameters of a string are none of it."""
    assert key_of(raw.encode()) == key


def test_a_key_is_the_same_with_quotes_and_without() -> None:
    """A client that changes its library keeps its keys."""
    assert key_of(UUID.encode()) == key_of(f'"{UUID}"'.encode())


@pytest.mark.parametrize(
    "raw",
    [
        "", "  ", '""', '"', 'a"', '"a', '"a" b', '"a"b', '"a" ;b', "a b", "a,b", '"a", "b"', r'"\a"', r'"a\"',
        "\x00", "\x7f", '"\x1f"', '"a\tb"', "é", '"é"',
    ],
    ids=repr,
)  # fmt: skip
def test_a_key_that_cannot_be_read_is_refused(raw: str) -> None:
    """A key that cannot be read is 400 `BAD_REQUEST`: the client relies on it, so it is never passed over."""
    assert is_refused(raw.encode("latin-1"))
    assert str(key_of(raw.encode("latin-1"))) == (
        f"Idempotency-Key {raw!r} cannot be read; use 1 to 255 printable ASCII characters in double quotes, "
        f'as in "{UUID}"'
    )


@pytest.mark.parametrize("spelled", ["{}", '"{}"'])
def test_a_key_has_at_most_255_characters(spelled: str) -> None:
    """The key is 1 to 255 characters, the quotes apart."""
    assert key_of(spelled.format("k" * 255).encode()) == "k" * 255
    assert is_refused(spelled.format("k" * 256).encode())


def test_the_characters_of_a_key_are_counted_as_they_are_meant() -> None:
    """A quote inside a string takes a backslash before it, and is one character."""
    assert key_of(b'"' + rb"\"" * 255 + b'"') == '"' * 255
    assert is_refused(b'"' + rb"\"" * 256 + b'"')


def test_a_refusal_repeats_no_more_than_the_beginning_of_a_key() -> None:
    """What is repeated of a header is bounded: 80 bytes of it."""
    message = str(key_of(b"k" * 60_000))

    assert f"'{'k' * 80}'" in message
    assert len(message) < 300


@given(st.binary(max_size=300) | st.text(' "\\;,aé', max_size=300).map(lambda text: text.encode("latin-1")))
def test_whatever_comes_as_a_key_is_read_or_refused(raw: bytes) -> None:
    """Any bytes give a key of 1 to 255 printable ASCII characters, or 400 `BAD_REQUEST`."""
    key = key_of(raw)

    assert is_refused(raw) or (isinstance(key, str) and 1 <= len(key) <= 255 and key.isascii() and key.isprintable())


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=255))
def test_every_string_of_printable_ascii_is_a_key(key: str) -> None:
    """What a client writes as RFC 8941 has it is what the server reads."""
    spelled = '"' + key.replace("\\", r"\\").replace('"', r"\"") + '"'

    assert key_of(spelled.encode()) == key


@pytest.mark.parametrize(
    ("raw", "wait"),
    [
        ("wait=10", 10),
        ("wait=0", 0),
        ("WAIT=10", 10),
        (" wait = 10 ", 10),
        ('wait="10"', 10),
        ("wait=0010", 10),
        ("respond-async, wait=10", 10),
        ("wait=10, respond-async", 10),
        ("wait=10; patiently", 10),
        (',, wait=10, return="minimal"', 10),
        ("wait=10, wait=20", 10),
        (r'note="a \" quote, wait=20", wait=10', 10),
        ("wait=soon, wait=10", 10),
    ],
)
def test_a_wait_is_a_number_of_seconds(raw: str, wait: int) -> None:
    """`Prefer: wait=N` (RFC 7240) asks for N seconds, among other preferences or alone."""
    assert wait_of(raw.encode()) == wait


@pytest.mark.parametrize(
    "raw",
    ["", ",", "respond-async", "return=minimal", "handling=lenient; wait=10", "wait", "wait=", "wait=soon", "wait=-1",
     "wait=+1", "wait=1.5", "wait=10s", "wait=1 0", 'wait="10', 'wait=10"', '"wait=10"', 'note="x, wait=10"',
     'note="x, wait=10', "await=10", "wait-for=10", "wait=١", "\x00"],
    ids=repr,
)  # fmt: skip
def test_any_other_preference_is_ignored(raw: str) -> None:
    """A preference that we do not know, or cannot read, is ignored; so is what only looks like a wait."""
    assert wait_of(raw.encode()) is None


@pytest.mark.parametrize(
    ("asked_s", "granted_s"),
    [("599", 599), ("600", 600), ("601", 600), ("1000000000", 600), ("0" * 5000 + "7", 7), ("9" * 60_000, 600)],
    ids=lambda asked: str(asked)[:12],
)
def test_a_wait_is_granted_up_to_600_seconds(asked_s: str, granted_s: int) -> None:
    """N is 600 at most: who asks for more gets 600, however many digits it takes."""
    assert wait_of(f"wait={asked_s}".encode()) == granted_s


def test_the_answer_says_which_wait_was_granted() -> None:
    """`Preference-Applied` has the wait that was granted."""
    assert preference_applied(600) == (b"preference-applied", b"wait=600")


@given(st.binary(max_size=300) | st.text('wait=0123,;" \\', max_size=100).map(str.encode))
def test_whatever_comes_as_a_preference_is_a_wait_or_nothing(raw: bytes) -> None:
    """Any bytes give a wait from 0 to 600 seconds, or none; a preference is never refused."""
    wait = wait_of(raw)

    assert wait is None or 0 <= wait <= 600


@given(st.lists(st.sampled_from(["respond-async", "return=minimal", 'a="b, c"', "d; e=f", " "])), st.integers(0, 600))
def test_a_wait_is_found_among_all_other_preferences(others: list[str], wait: int) -> None:
    """Preferences are a list, in any order."""
    raw = ",".join([*others, f"wait={wait}"])

    assert wait_of(raw.encode()) == wait
    assert wait_of(",".join(others).encode()) is None


@pytest.mark.parametrize(
    "piece",
    [b'"', b'\\"', b'"\\"', b"\\", b",", b" ", b";", b"wait=", b"wait =", b"wait=1,x", b"0", b'wait=0;"'],
    ids=repr,
)
def test_the_longest_header_costs_next_to_nothing(piece: bytes) -> None:
    """Reading a header takes a time that grows with its length and no faster: here 64 KiB of what is hard to read."""
    raw = piece * (HEADER_BYTES_MAX // len(piece))
    start = process_time()

    for tried in (raw, b'"' + raw, b"wait=" + raw, raw + b'"', raw + b"x"):
        key_of(tried)
        wait_of(tried)

    assert process_time() - start < 1
