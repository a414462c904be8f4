"""Draws timelines under one another on a common axis, as one SVG that needs nothing else.

The same rows make the same bytes. Colours are those of Okabe and Ito, which nearly everybody can tell apart, and none
stands alone: every state is also a word, on its bar, beside it or under it. Fonts differ, so how wide words are is only
guessed, with room to spare. What was shortened is whole in the title that a pointer brings up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from unicodedata import combining, east_asian_width

from dummyllm.cli.axis import Axis, axis_for, duration, in_words, never_ends
from dummyllm.cli.terminal import printable
from dummyllm.core.timeline import State

ROWS_MAX = 500
_STATES = frozenset(state.value for state in State)

# Pixels. From left to right: label and note, the axis, the words beside a bar, what a job ends with.
WIDTH, HEAD, FOOT = 1000, 78, 14
LABEL_X, LABEL_WIDTH = 20, 160
AXIS_X, AXIS_WIDTH = 195, 380
ENDS_X, ENDS_WIDTH = 715, 270
UNDER_WIDTH = ENDS_X - AXIS_X - 15
ROW, BAR_Y, BAR_HEIGHT = 46, 8, 16
LINE_1, LINE_2, LINE_HEIGHT = 20, 37, 15

STYLE = """
text { font: 12px sans-serif; fill: #1f2328; stroke: #ffffff; stroke-width: 4px; paint-order: stroke }
.title { font-size: 16px; font-weight: bold } .label { font-size: 13px; font-weight: bold }
.note, .tick, .path { font-size: 11px; fill: #59636e } .tick { text-anchor: middle } .fault { font: 10px monospace }
.on { font-size: 11px; fill: #000000; stroke: none } .on-running { fill: #ffffff }
.paper { fill: #ffffff } .grid { stroke: #d1d9e0 } .touch { fill: none; pointer-events: all }
.flag { fill: #d55e00 } .cross { stroke: #d55e00; stroke-width: 3 }
.queued { fill: #999999 } .running { fill: #0072b2 } .ok { fill: #009e73 } .fail { fill: #d55e00 }
.timeout { fill: #e69f00 } .cancelled { fill: #cc79a7 } .other { fill: #56b4e9 }
@media (prefers-color-scheme: dark) { text { fill: #f0f6fc; stroke: #0d1117 } .note, .tick, .path { fill: #9198a1 }
.paper { fill: #0d1117 } .grid { stroke: #3d444d } }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What became of one submit: the *moments* of its job, or why it was *refused* and there is no job."""

    label: str
    note: str = ""
    moments: tuple[tuple[int, str], ...] = ()
    faults: tuple[str, ...] = ()
    ends_with: str = ""
    refused: str | None = None

    def __post_init__(self) -> None:
        assert bool(self.moments) == (self.refused is None), "a submit makes a job, or it is refused"

    @property
    def outcome(self) -> str:
        """The state in which the job ends, or `never ends`, or `refused`."""
        if self.refused is not None:
            return "refused"
        return "never ends" if never_ends(self.moments) else self.moments[-1][1]

    @property
    def tooltip(self) -> str:
        """Everything there is to say, in one line."""
        path = f"refused: {self.refused}" if self.refused is not None else in_words(self.moments)
        ends_with = f"ends with {self.ends_with}" if self.ends_with else ""
        return " · ".join(filter(None, (self.label, self.note, path, ", ".join(self.faults), ends_with)))


def picture(title: str, rows: Sequence[Row]) -> str:
    """Return an SVG of *rows* under *title*, the first 500 of them drawn; any text will do."""
    drawn = rows[:ROWS_MAX]
    axis = axis_for([row.moments for row in drawn], left_px=AXIS_X, width_px=AXIS_WIDTH)
    heights = [ROW + LINE_HEIGHT * bool(row.faults and _path(row, axis)) for row in drawn]
    bottom = HEAD + sum(heights)
    more = [_text(LABEL_X, bottom + 20, "note", f"and {len(rows) - ROWS_MAX} more")] if len(rows) > ROWS_MAX else []
    height = bottom + FOOT * (1 + len(more))
    size = f'width="{WIDTH}" height="{height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size} viewBox="0 0 {WIDTH} {height}">',
        f"<title>{_safe(title)}</title>\n<desc>{_safe(_described(rows, axis))}</desc>\n<style>{STYLE}</style>",
        f'<rect class="paper" {size} rx="6"/>',
        _text(LABEL_X, 32, "title", _shortened(title, WIDTH - 2 * LABEL_X, 16)),
        *_ticks(axis, bottom),
    ]
    for place, row in enumerate(drawn):
        y = HEAD + sum(heights[:place])
        lines += [f'<g transform="translate(0,{y})">', *_row(row, axis, heights[place]), "</g>"]
    return "\n".join([*filter(None, lines), *more, "</svg>\n"])


def _described(rows: Sequence[Row], axis: Axis) -> str:
    outcomes = ", ".join(f"{outcome} {count}" for outcome, count in Counter(row.outcome for row in rows).items())
    return f"Rows: {len(rows)} ({outcomes or 'none'}). Time runs to the right, from 0 to {duration(axis.until_ms)}."


def _ticks(axis: Axis, bottom: int) -> Iterator[str]:
    yield _text(ENDS_X, HEAD - 14, "note", "ends with")
    for at_ms in axis.ticks_ms:
        yield f'<path class="grid" d="M{axis.x_at(at_ms):g} {HEAD - 6}V{bottom}"/>'
        yield _text(axis.x_at(at_ms), HEAD - 14, "tick", duration(at_ms))


def _row(row: Row, axis: Axis, height: int) -> Iterator[str]:
    yield f"<title>{_safe(row.tooltip)}</title>"
    yield f'<path class="touch" d="M0 0H{WIDTH}V{height}H0z"/><path class="grid" d="M{LABEL_X} 0H{WIDTH - LABEL_X}"/>'
    yield f'<svg x="{LABEL_X}" width="{LABEL_WIDTH + 10}" height="{ROW}">'  # cuts off letters wider than we guessed
    yield _text(0, LINE_1, "label", _shortened(row.label, LABEL_WIDTH, 13))
    yield _text(0, LINE_2, "note", _shortened(row.note, LABEL_WIDTH, 11)) + "</svg>"
    if row.refused is not None:
        yield f'<path class="cross" d="M{axis.left_px - 6} {BAR_Y + 2}l12 12m0 -12l-12 12"/>'
        yield _text(axis.left_px + 14, LINE_1, "end", _shortened(f"refused: {row.refused}", UNDER_WIDTH - 14, 12))
    else:
        yield from _bar(row, axis)
    if path := _path(row, axis):
        yield _text(axis.left_px, LINE_2, "path", _shortened(path, UNDER_WIDTH, 11))
    yield from _flags(row.faults, axis.left_px, LINE_2 + LINE_HEIGHT if path else LINE_2)
    for y, words in zip((LINE_1, LINE_1 + LINE_HEIGHT), _folded(row.ends_with), strict=True):
        yield _text(ENDS_X, y, "ends", words)


def _bar(row: Row, axis: Axis) -> Iterator[str]:
    for state, left, right in axis.stretches(row.moments):
        yield _rect(state, left, BAR_Y, right - left, BAR_HEIGHT)
        if _fits(state, right - left):
            yield _text(left + 4, LINE_1, f"on on-{_kind(state)}", state)
    at_ms, state = row.moments[-1]
    if not never_ends(row.moments):
        yield _rect(state, axis.x_at(at_ms) - 3, BAR_Y - 3, 6, BAR_HEIGHT + 6)
        yield _text(axis.x_at(at_ms) + 8, LINE_1, "end", in_words(row.moments[-1:]))
        return
    for gap, width in ((3, 14), (20, 9), (32, 5)):
        yield _rect(state, axis.right_px + gap, BAR_Y, width, BAR_HEIGHT)
    yield f'<path class="{_kind(state)}" d="M{axis.right_px + 40} {BAR_Y}l10 8l-10 8z"/>'
    yield _text(axis.right_px + 56, LINE_1, "end", "never ends")


def _path(row: Row, axis: Axis) -> str:
    """Return all states in words, with their times if those fit in, if a state found no room on the bar."""
    if all(_fits(state, right - left) for state, left, right in axis.stretches(row.moments)):
        return ""
    path = in_words(row.moments)
    return path if _wide(path, 11) <= UNDER_WIDTH else " → ".join(state for _, state in row.moments)


def _flags(faults: Sequence[str], x: float, y: int) -> Iterator[str]:
    for place, fault in enumerate(faults):
        text = _shortened(fault, UNDER_WIDTH / 2, 10)
        if x + 24 + _wide(text, 10) > AXIS_X + UNDER_WIDTH - 50:
            yield _text(x, y, "fault", f"+{len(faults) - place} more")
            return
        yield f'<path class="flag" d="M{x:g} {y + 2}v-11l8 3l-7 3v5z"/>'
        yield _text(x + 12, y, "fault", text)
        x += 24 + _wide(text, 10)


def _folded(words: str) -> tuple[str, str]:
    words = printable(words)
    head = _shortened(words, ENDS_WIDTH, 12)
    if head != words:
        head = head[:-1].rpartition(" ")[0] or head[:-1]
    return head, _shortened(words[len(head) :].lstrip(), ENDS_WIDTH, 12)


def _kind(state: str) -> str:
    return state if state in _STATES else "other"


def _fits(word: str, width_px: float) -> bool:
    return _wide(word, 11) + 4 <= width_px


def _rect(state: str, x: float, y: int, width: float, height: int) -> str:
    return f'<rect class="{_kind(state)}" x="{x:g}" y="{y}" width="{width:g}" height="{height}" rx="2"/>'


def _text(x: float, y: int, classes: str, words: str) -> str:
    return f'<text class="{classes}" x="{x:g}" y="{y}">{_safe(words)}</text>' if words else ""


def _safe(words: str) -> str:
    return escape(printable(words))


def _shortened(words: str, room_px: float, size_px: int) -> str:
    words = printable(words)
    shorter = words[: int(room_px)]
    while shorter and _wide(shorter, size_px) > room_px:
        shorter = shorter[:-1]
    return words if shorter == words else shorter.rstrip() + "…"


def _wide(words: str, size_px: int) -> float:
    columns = sum(0 if combining(letter) else 2 if east_asian_width(letter) in "WF" else 1 for letter in words)
    return columns * 0.6 * size_px
