"""Timelines as a picture: an SVG that says in words whatever it says in colours."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dummyllm.cli.picture import AXIS_WIDTH, AXIS_X, FOOT, HEAD, LABEL_WIDTH, LABEL_X, ROWS_MAX, STYLE, Row, picture
from dummyllm.cli.terminal import printable
from dummyllm.core.timeline import State

SVG = "{http://www.w3.org/2000/svg}"
BAR_Y, END_Y = "8", "5"
Moments = tuple[tuple[int, str], ...]

OK: Moments = ((0, "queued"), (0, "running"), (250, "ok"))
HANG: Moments = ((0, "queued"), (0, "running"))

# Control characters, lone surrogates and non-characters too: whatever a Python string can hold.
ANY_TEXT = st.text(st.characters(exclude_categories=()) | st.sampled_from("\0\t\n\r\x1b\x7f\ud800\ufffe\u202e<>&'\"]"))
TIMES = st.integers(0, 7 * 86_400_000)
STATES = st.sampled_from([state.value for state in State])
MOMENTS = st.lists(st.tuples(TIMES, STATES), min_size=1, max_size=4).map(lambda moments: tuple(sorted(moments)))
ROWS = st.builds(
    Row,
    label=ANY_TEXT,
    note=ANY_TEXT,
    moments=st.lists(st.tuples(TIMES, STATES | ANY_TEXT), min_size=1).map(lambda moments: tuple(sorted(moments))),
    faults=st.lists(ANY_TEXT).map(tuple),
    ends_with=ANY_TEXT,
) | st.builds(Row, label=ANY_TEXT, note=ANY_TEXT, refused=ANY_TEXT)


def row(label: str = "ordinal 0", moments: Moments = OK, **rest: Any) -> Row:
    return Row(label=label, moments=moments, **rest)


def drawn(*rows: Row, title: str = "hello.json") -> ET.Element:
    return ET.fromstring(picture(title, rows))


def groups(root: ET.Element) -> list[ET.Element]:
    return root.findall(f"{SVG}g")


def group_of(one: Row) -> ET.Element:
    (group,) = groups(drawn(one))
    return group


def texts(element: ET.Element, kind: str = "") -> list[str]:
    """Return all texts, or those of one *kind*, as they are shown."""
    return [text.text or "" for text in element.iter(f"{SVG}text") if not kind or kind in text.get("class", "").split()]


def tooltip(group: ET.Element) -> str:
    return group.findtext(f"{SVG}title", "")


def number(element: ET.Element, name: str) -> float:
    return float(element.get(name, "nan"))


def bars(group: ET.Element) -> list[tuple[str, float, float]]:
    """Return state, left and right of every stretch on the axis."""
    rects = [rect for rect in group.iter(f"{SVG}rect") if rect.get("y") == BAR_Y]
    places = [(rect.get("class", ""), number(rect, "x"), number(rect, "width")) for rect in rects]
    return [(state, x, x + width) for state, x, width in places if x <= AXIS_X + AXIS_WIDTH]


def ends(group: ET.Element) -> list[tuple[str, float]]:
    """Return state and place of every mark at which a bar ends."""
    rects = [rect for rect in group.iter(f"{SVG}rect") if rect.get("y") == END_Y]
    return [(rect.get("class", ""), number(rect, "x") + number(rect, "width") / 2) for rect in rects]


def height(group: ET.Element) -> int:
    """Return how high a row is: the pointer finds its tooltip over all of it."""
    (touch,) = (path.get("d", "") for path in group.iter(f"{SVG}path") if path.get("class") == "touch")
    return int(re.findall("V([0-9]+)", touch)[0])


# ---- where things lie


def test_a_bar_is_as_long_as_its_state_lasts() -> None:
    """A second over 380 pixels: 0.5 s are half of them, and a state that takes no time is not drawn."""
    one, other = groups(
        drawn(row(moments=((0, "queued"), (500, "running"), (1000, "ok"))), row(moments=((0, "queued"), *OK[1:])))
    )

    assert bars(one) == [("queued", 195, 385), ("running", 385, 575)]
    assert ends(one) == [("ok", 575)]
    assert bars(other) == [("running", 195, 290)]
    assert ends(other) == [("ok", 290)]


@settings(deadline=None)
@given(st.lists(TIMES, min_size=1, max_size=4))
def test_all_rows_share_one_axis(ends_ms: list[int]) -> None:
    """Pixels are in proportion to milliseconds, from row to row."""
    found = [ends(group)[0][1] for group in groups(drawn(*(row(moments=(*HANG, (at, "ok"))) for at in ends_ms)))]
    longest_ms, farthest = max(ends_ms), max(found)

    assert farthest <= AXIS_X + AXIS_WIDTH + 0.01
    for at_ms, x in zip(ends_ms, found, strict=True):
        assert (x - AXIS_X) * longest_ms == pytest.approx((farthest - AXIS_X) * at_ms, abs=0.01 * (longest_ms + at_ms))


@settings(deadline=None)
@given(MOMENTS)
def test_bars_lie_end_to_end(moments: Moments) -> None:
    """In the order of the moments, without gaps, up to the mark at the end."""
    group = group_of(row(moments=moments))
    found = bars(group)
    lasting = [state for (from_ms, state), (to_ms, _) in pairwise(moments) if from_ms < to_ms]

    assert [state for state, *_ in found][: len(lasting)] == lasting
    for (*_, right), (_, left, _) in pairwise(found):
        assert left == pytest.approx(right, abs=0.01)
    if found and ends(group):
        assert found[-1][2] == pytest.approx(ends(group)[0][1], abs=0.01)


def test_ticks_stand_where_their_times_are() -> None:
    """A tick's word is in the middle over its line, and a bar that ends then ends there."""
    root = drawn(row(moments=((0, "running"), (600, "ok"))), row(moments=((0, "running"), (1000, "ok"))))
    ticks = {text.text: number(text, "x") for text in root.iter(f"{SVG}text") if text.get("class") == "tick"}
    lines = [path.get("d", "") for path in root.findall(f"{SVG}path")]

    assert list(ticks) == ["0", "200 ms", "400 ms", "600 ms", "800 ms", "1 s"]
    assert [ends(group)[0][1] for group in groups(root)] == [ticks["600 ms"], ticks["1 s"]]
    assert [line.partition(" ")[0] for line in lines] == [f"M{x:g}" for x in ticks.values()]


@settings(deadline=None)
@given(st.lists(ROWS, max_size=5))
def test_rows_stand_in_order_and_do_not_overlap(rows: list[Row]) -> None:
    """One under the other, in the order in which they were given, all inside the picture."""
    root = drawn(*rows)
    tops = [int(re.findall(r"[0-9]+", group.get("transform", ""))[1]) for group in groups(root)]
    heights = [height(group) for group in groups(root)]

    for group, one in zip(groups(root), rows, strict=True):
        assert tooltip(group) == printable(one.tooltip)
        assert all(number(text, "y") < height(group) for text in group.iter(f"{SVG}text"))
    bottoms = [top + high for top, high in zip(tops, heights, strict=True)]
    assert [HEAD, *bottoms] == [*tops, number(root, "height") - FOOT]


# ---- what is said


@settings(deadline=None, max_examples=300)
@given(MOMENTS)
def test_no_colour_stands_alone(moments: Moments) -> None:
    """Every state that is drawn is also a word in its row."""
    group = group_of(row(moments=moments))
    words = {word for text in texts(group) for word in text.split()}

    assert {state for state, *_ in bars(group)} <= words
    assert {state for state, _ in ends(group)} <= words


def test_a_word_stands_on_its_bar_if_there_is_room() -> None:
    """Otherwise the states and their times stand under the bar, all of them."""
    wide = group_of(row(moments=((0, "queued"), (500, "running"), (1000, "ok"))))
    narrow = group_of(row(moments=((0, "queued"), (10, "running"), (1000, "ok"))))

    assert (texts(wide, "on"), texts(wide, "path")) == (["queued", "running"], [])
    assert (texts(narrow, "on"), texts(narrow, "path")) == (["running"], ["queued 0 → running 10 ms → ok 1 s"])


def test_where_there_is_no_room_for_times_there_is_for_words() -> None:
    """The words under a bar do without times before they do without a state; the tooltip has both."""
    moments = tuple((400_001 + place, "cancelled") for place in range(5))
    group = group_of(row(moments=moments))

    assert texts(group, "path") == [" → ".join(["cancelled"] * 5)]
    assert "cancelled 400.001 s → cancelled 400.002 s" in tooltip(group)


@pytest.mark.parametrize("state", ["ok", "fail", "timeout", "cancelled"])
def test_a_bar_ends_with_the_final_state_and_its_time(state: str) -> None:
    """The word stands beside the mark, in the colour of the state."""
    group = group_of(row(moments=((0, "running"), (1337, state))))

    assert [mark for mark, _ in ends(group)] == [state]
    assert texts(group, "end") == [f"{state} 1.337 s"]
    assert "never ends" not in texts(group)


def test_a_job_that_never_ends_says_so() -> None:
    """Its bar goes to the end of the axis and fades out; an arrow points on."""
    hanging, _ = groups(drawn(row(moments=HANG), row()))

    assert bars(hanging) == [("running", AXIS_X, AXIS_X + AXIS_WIDTH)]
    assert ends(hanging) == []
    assert texts(hanging, "end") == ["never ends"]
    fading = [number(rect, "width") for rect in hanging.iter(f"{SVG}rect")][1:]
    assert fading == sorted(fading, reverse=True)
    assert len(fading) == 3
    assert [path.get("class") for path in hanging.iter(f"{SVG}path")][2:] == ["running"]


def test_a_state_that_nobody_knows_keeps_its_word() -> None:
    """Its colour is that of no other state, and if it is the last one the job never ends."""
    group = group_of(row(moments=((0, "running"), (500, "paused & <b>"), (1000, "running"), (1500, "?"))))

    assert [state for state, *_ in bars(group)] == ["running", "other", "running", "other"]
    assert texts(group, "on") == ["running", "paused & <b>", "running"]
    assert texts(group, "path") == ["running 0 → paused & <b> 500 ms → running 1 s → ? 1.5 s"]
    assert texts(group, "end") == ["never ends"]


def test_a_refused_submit_is_a_cross() -> None:
    """The submit never became a job: it has no bar and no end, only the reason."""
    group = group_of(Row(label="hit 2", refused="503 submit.status(503)"))

    assert [path.get("class") for path in group.iter(f"{SVG}path")] == ["touch", "grid", "cross"]
    assert texts(group, "end") == ["refused: 503 submit.status(503)"]
    assert not list(group.iter(f"{SVG}rect"))


@pytest.mark.parametrize(("moments", "reason"), [((), None), (OK, "503")])
def test_a_row_is_a_job_or_a_refusal(moments: Moments, reason: str | None) -> None:
    """A submit makes a job, or it is refused; anything else is a mistake of ours."""
    with pytest.raises(AssertionError, match="a submit makes a job, or it is refused"):
        row(moments=moments, refused=reason)


def test_every_fault_has_a_flag() -> None:
    """Beside it the fault as it was asked for, one after the other under the bar."""
    group = group_of(row(faults=("poll.stale(for_ms=300)", "submit.lost_ack")))
    places = [number(text, "x") for text in group.iter(f"{SVG}text") if text.get("class") == "fault"]

    assert texts(group, "fault") == ["poll.stale(for_ms=300)", "submit.lost_ack"]
    assert [path.get("class") for path in group.iter(f"{SVG}path")].count("flag") == 2
    assert places == [AXIS_X + 12, AXIS_X + 12 + 22 * 6 + 24]


def test_flags_without_room_are_counted() -> None:
    """The tooltip has them all."""
    faults = tuple(f"poll.stale(for_ms={number})" for number in range(100, 120))
    group = group_of(row(faults=faults))

    assert texts(group, "fault") == [*faults[:2], "+18 more"]
    assert ", ".join(faults) in tooltip(group)


def test_flags_make_way_for_the_words_under_a_bar() -> None:
    """Then they stand on a line of their own, and the row is higher by that line."""
    one, other, _ = groups(
        drawn(row(moments=((0, "queued"), (1, "running"), (1000, "ok")), faults=("submit.lost_ack",)), row(), row())
    )
    lines = {text.get("class"): number(text, "y") for text in one.iter(f"{SVG}text")}

    assert lines["path"] < lines["fault"]
    assert (one.get("transform"), other.get("transform")) == ("translate(0,78)", "translate(0,139)")


def test_a_long_reply_is_folded_once() -> None:
    """At a blank, into two lines; what is longer still ends with an ellipsis."""
    reply = "Hello there. How are you, in more than one word?"

    assert texts(group_of(row(ends_with=reply)), "ends") == ["Hello there. How are you, in more", "than one word?"]
    assert texts(group_of(row(ends_with="SIM_FLAKY")), "ends") == ["SIM_FLAKY"]
    assert texts(group_of(row(ends_with="x" * 50)), "ends") == ["x" * 37, "x" * 13]
    first, second = texts(group_of(row(ends_with=reply * 9)), "ends")
    assert first == "Hello there. How are you, in more"
    assert re.fullmatch(r"than one word\?Hello there\. How are …|than one word\?Hello there\. .*…", second)


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("ordinal 0, well known", "ordinal 0, well know…"),
        ("ordinal 0, well kno", "ordinal 0, well kno"),
        ("これは長い名前です、とても", "これは長い名前です、…"),
        ("e\u0301" * 20, "e\u0301" * 20),
    ],
)
def test_a_long_label_is_shortened_and_whole_in_the_tooltip(label: str, shown: str) -> None:
    """With an ellipsis; wide letters count twice, and accents not at all."""
    group = group_of(row(label))

    assert texts(group, "label") == [shown]
    assert tooltip(group).startswith(label)


def test_letters_wider_than_guessed_are_cut_off_before_the_axis() -> None:
    """Fonts differ: label and note stand in a box that lets nothing out."""
    box = group_of(row("W" * 99, note="W" * 99)).find(f"{SVG}svg")

    assert box is not None
    assert box.get("overflow") is None
    assert [text.get("class") for text in box] == ["label", "note"]
    assert LABEL_X <= number(box, "x") < number(box, "x") + number(box, "width") < AXIS_X - 3
    assert number(box, "width") >= LABEL_WIDTH


def test_a_tooltip_says_everything() -> None:
    """Label, note, all moments, faults, and what the job ends with."""
    whole = row("ordinal 1", note="flaky, rule poison", faults=("submit.lost_ack", "poll.missing"), ends_with="Hello")

    assert tooltip(group_of(whole)) == (
        "ordinal 1 · flaky, rule poison · queued 0 → running 0 → ok 250 ms · submit.lost_ack, poll.missing"
        " · ends with Hello"
    )
    assert tooltip(group_of(Row(label="hit 2", refused="503"))) == "hit 2 · refused: 503"


def test_those_who_cannot_see_it_are_told() -> None:
    """One image with a title and a description: how many ended how, and how long the axis is."""
    root = drawn(row(), row(), row(moments=HANG), Row(label="hit 3", refused="503"), title="hello.json & more")

    assert root.get("role") == "img"
    assert [child.tag for child in root][:2] == [f"{SVG}title", f"{SVG}desc"]
    assert root.findtext(f"{SVG}title") == "hello.json & more"
    assert root.findtext(f"{SVG}desc") == (
        "Rows: 4 (ok 2, never ends 1, refused 1). Time runs to the right, from 0 to 250 ms."
    )
    assert drawn().findtext(f"{SVG}desc") == "Rows: 0 (none). Time runs to the right, from 0 to 1 s."


# ---- any text, any number


@settings(deadline=None)
@given(ANY_TEXT, st.lists(ROWS, max_size=3))
def test_any_text_makes_well_formed_xml(title: str, rows: list[Row]) -> None:
    """What XML forbids, or could break a line, is spelled out as the commands do it; the rest is as it was."""
    root = ET.fromstring(picture(title, rows).encode())

    assert root.findtext(f"{SVG}title", "") == printable(title)
    for group, one in zip(groups(root), rows, strict=True):
        assert tooltip(group) == printable(one.tooltip)


def test_markup_in_a_text_stays_text() -> None:
    """A payload cannot put elements into the picture."""
    evil = "</text></title><script>alert(1)</script>&amp;\0"
    root = drawn(row(evil, note=evil, faults=(evil,), ends_with=evil), title=evil)

    assert not list(root.iter(f"{SVG}script"))
    assert root.findtext(f"{SVG}title") == "</text></title><script>alert(1)</script>&amp;\\x00"


def test_five_hundred_rows_are_drawn_and_the_rest_is_counted() -> None:
    """At most 500 rows, then a line `and N more`."""
    full = drawn(*(row(f"ordinal {ordinal}") for ordinal in range(ROWS_MAX)))
    over = drawn(*(row(f"ordinal {ordinal}") for ordinal in range(ROWS_MAX)), *[row(moments=HANG)] * 7)

    assert ROWS_MAX == len(groups(full)) == len(groups(over)) == 500
    assert texts(full)[-1] == "ok 250 ms"
    assert texts(over)[-1] == "and 7 more"
    assert number(over, "height") > number(full, "height")
    assert "ok 500, never ends 7" in over.findtext(f"{SVG}desc", "")


def test_the_same_rows_make_the_same_bytes() -> None:
    """In one process or another, whatever the seed of its hashes: no dates, no chance."""
    script = f"""
from dummyllm.cli.picture import Row, picture
rows = [Row(label="a", moments={OK}, faults=("x.y", "y.z")), Row(label="b", refused="503")]
print(picture("title", rows), end="")
"""
    rows = [row("a", faults=("x.y", "y.z")), Row(label="b", refused="503")]
    once = picture("title", rows)

    assert picture("title", rows) == once
    for seed in ("1", "2"):
        other = subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
            stdout=subprocess.PIPE,
            check=True,
        )
        assert other.stdout.decode() == once


# ---- a file that stands alone


@settings(deadline=None)
@given(MOMENTS)
def test_the_picture_needs_nothing_else(moments: Moments) -> None:
    """No scripts, and no references to anything outside the file or in it."""
    svg = picture("title", [row(moments=moments, faults=("a.b",)), Row(label="b", refused="503")])

    assert not re.search(r"href|src=|url\(|@import|<script|<image|<foreignObject|\bon[a-z]+=|<!|<\?", svg)
    assert re.findall(r"https?://[^\"]*", svg) == ["http://www.w3.org/2000/svg"]


def test_every_state_has_a_colour_of_its_own() -> None:
    """Seven colours, those of Okabe and Ito, for six states and for those that nobody knows."""
    colours = dict(re.findall(r"\.([a-z]+) \{ fill: (#[0-9a-f]{6}) \}", STYLE))
    states = [*(state.value for state in State), "other"]

    assert len({colours[state] for state in states}) == len(states)


def test_the_picture_follows_the_reader_into_the_dark() -> None:
    """Paper, ink and lines change with `prefers-color-scheme`, and ink stands out from paper in both."""
    light, _, dark = STYLE.partition("@media (prefers-color-scheme: dark)")

    for sheet in (light, dark):
        paper = colour(sheet, r"\.paper")
        assert contrast(colour(sheet, "text"), paper) > 10
        assert contrast(colour(sheet, r"\.note, \.tick, \.path"), paper) > 4.5
    assert colour(light, r"\.paper") != colour(dark, r"\.paper")


def test_words_on_a_bar_stand_out_from_it() -> None:
    """White on blue, black on all others: at least 4.5 to 1."""
    colours = dict(re.findall(r"\.([a-z]+) \{ fill: (#[0-9a-f]{6}) \}", STYLE))

    assert contrast("#ffffff", colours["running"]) > 4.5
    assert all(contrast("#000000", colours[state]) > 4.5 for state in ("queued", "ok", "fail", "timeout", "other"))


def colour(sheet: str, selector: str) -> str:
    match = re.search(rf"{selector} \{{[^}}]*?fill: (#[0-9a-f]{{6}})", sheet)
    assert match, f"{selector} has no colour"
    return match[1]


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours as WCAG 2 defines it, from 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
