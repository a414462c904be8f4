"""Whatever a client sent means nothing in Markdown but itself: a renderer shows just these letters."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from dummyllm.verdict.report import escaped
from dummyllm.verdict.report.words import printable
from tests.verdict.report.stories import NASTY

GFM = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
TAG = re.compile(r"<[^>]*>")

# Letters of which Markdown and HTML make something, in the places in which they do.
SPECIAL = st.text(st.sampled_from("*_`~[]()<>#+-=.!|\\&;:@/ \n\tab1w$\x1b\u202e"), max_size=30)


def shown(html: str) -> str:
    """Return what a reader sees of *html*."""
    return " ".join(unescape(TAG.sub("", html)).split())


def seen(text: str) -> str:
    return " ".join(printable(text.strip()).split())


@given(SPECIAL)
def test_a_sentence_is_shown_as_it_is(text: str) -> None:
    """No emphasis, no link, no list, no heading, no tag, no code."""
    html = GFM.render(escaped.markdown(text))

    assert shown(html) == seen(text)
    assert set(re.findall(r"<(\w+)", html)) <= {"p"}


@given(SPECIAL)
def test_a_sentence_in_a_list_is_shown_as_it_is(text: str) -> None:
    """Wherever it begins."""
    html = GFM.render(f"- {escaped.markdown(text)}\n- x")

    assert shown(html) == f"{seen(text)} x".strip()
    assert set(re.findall(r"<(\w+)", html)) <= {"ul", "li"}


@given(SPECIAL)
def test_text_between_tags_is_shown_as_it_is(text: str) -> None:
    """A summary is HTML, in which Markdown means nothing."""
    html = GFM.render(f"<details>\n<summary>{escaped.html(text)}</summary>\n\nx\n\n</details>")

    assert shown(html) == " ".join(f"{printable(text)} x".split())
    assert re.findall(r"</?(\w+)", html) == ["details", "summary", "summary", "p", "p", "details"]


@given(SPECIAL.filter(lambda text: text.strip()))
def test_code_is_shown_as_it_is(text: str) -> None:
    """However many ticks are in it."""
    html = GFM.render(f"x {escaped.code(text)} y")

    assert html.count("<code>") == 1
    assert shown(html) == " ".join(f"x {printable(text)} y".split())


@example(["```"])
@example(["`````", "```"])
@given(st.lists(SPECIAL.map(printable), min_size=1, max_size=5))
def test_a_fence_ends_where_its_lines_end(lines: list[str]) -> None:
    """However many ticks are in them."""
    (fence,) = [
        token for token in GFM.parse("\n".join([*escaped.fenced(lines, "text"), "after"])) if token.type == "fence"
    ]

    assert fence.content == "".join(f"{line}\n" for line in lines)
    assert fence.info == "text"


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("ask @team", "ask @<!-- -->team"),
        ("see #12", "see #<!-- -->12"),
        ("http://x.test", "http:<!-- -->//x.test"),
        ("www.x.test", "www<!-- -->.x.test"),
        ("an @ alone, a # alone", "an @ alone, a # alone"),
    ],
)
def test_nobody_is_called_and_nothing_becomes_a_link(text: str, cut: str) -> None:
    """What GitHub makes of bare names, numbers and addresses is cut by a comment that nobody sees."""
    assert escaped.markdown(text) == cut
    assert escaped.html(text) == cut
    assert shown(GFM.render(escaped.markdown(text))) == text


def test_the_ids_of_jobs_and_rules_stay_readable_in_the_source() -> None:
    """Markdown is read as it is, too: nothing is escaped that means nothing."""
    text = "job_12eb8f0367abacfed8909bf6 ended 5400 ms before: no-concurrent-duplicate, timeout_ms (8000)."

    assert escaped.markdown(text) == text


@pytest.mark.parametrize(
    ("text", "said"), [("- a", r"\- a"), ("1. a", r"1\. a"), ("503) a", r"503\) a"), ("_a_", r"\_a\_")]
)
def test_what_would_begin_a_block_is_escaped(text: str, said: str) -> None:
    """A User-Agent may begin with a dash."""
    assert escaped.markdown(text) == said


def test_the_worst_that_a_client_can_send_is_one_line() -> None:
    """Control characters are spelled out."""
    assert escaped.markdown(NASTY).isprintable()
    assert escaped.html(NASTY).isprintable()
