"""Chains as pictures of time: one SVG that needs nothing else, light or dark as its reader.

A lane a root shows who is held when; below it each root has a row a contract month: a line as far
as it trades, a bar while it is held, its roll window, first notice and last trade. Since when a
month is listed no spec says, so lines come in from the left.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING, Final

from pyfutures.chain.agenda import hold_segments
from pyfutures.report.timeline_style import PICTURE_STYLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyfutures.chain import Chain, ChainRow
    from pyfutures.chain.agenda import HoldSegment

__all__ = ["LEGEND", "Window", "chain_picture", "lanes_picture", "legend_mark", "svg_text"]

_WIDTH: Final = 1240
_LEFT: Final = 92
_RIGHT: Final = 24
_AXIS: Final = 40
_ROW: Final = 23
_LANE: Final = 38
_FOOT: Final = 20  # for the word today
_LEAST_TEXT: Final = 44  # pixels that the name of a month needs
_LEAST_TICK: Final = 46
_NEAR: Final = 10
# Pixels of a letter, on the wide side: bold at 12 and at 15 pixels, plain at 12.
_BOLD: Final = 11
_TITLE: Final = 10
_PLAIN: Final = 7

#: What a mark means: its class, and the words for it.
LEGEND: Final = (
    ("listed", "listed"),
    ("held", "held"),
    ("window", "roll window"),
    ("notice", "first notice"),
    ("last", "last trade"),
    ("expiry", "expiry on another day"),
    ("today", "today"),
)


@dataclass(frozen=True, slots=True)
class Window:
    """The span of a picture, both days included, and what is today."""

    first: dt.date
    last: dt.date
    today: dt.date
    left: int = _LEFT

    def __post_init__(self) -> None:
        """Refuse a span that has no width."""
        if self.last <= self.first:
            raise ValueError(f"nothing to see from {self.first} to {self.last}")

    def x(self, day: dt.date) -> float:
        """Where the start of a day is, within the picture."""
        share = (day - self.first).days / ((self.last - self.first).days + 1)
        width = _WIDTH - self.left - _RIGHT
        return round(self.left + width * min(max(share, 0.0), 1.0), 1)

    def __contains__(self, day: dt.date) -> bool:
        """Whether a day is in the span."""
        return self.first <= day <= self.last


def svg_text(chains: Sequence[Chain], window: Window) -> str:
    """Return one SVG document with the lanes of all roots and the months of each."""
    parts = [_lanes(chains, window)] if len(chains) > 1 else []
    parts += [_months(chain, window) for chain in chains]
    top = 44
    body: list[str] = []
    for height, lines in parts:
        body.append(f'<g transform="translate(0 {top})">{"".join(lines)}</g>')
        top += height + 26
    legend = _legend_row()
    return (
        f'<svg class="pf" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top}"'
        f' width="{_WIDTH}" height="{top}" role="img" aria-label="{_label(chains, window)}">'
        f"<style>\n{PICTURE_STYLE}</style>"
        f'<rect class="back" width="{_WIDTH}" height="{top}"/>{legend}{"".join(body)}</svg>\n'
    )


def lanes_picture(chains: Sequence[Chain], window: Window) -> str:
    """Return an SVG element: a lane a root, who is held when."""
    return _element(_lanes(chains, window), "lanes", f"Held months, {_label(chains, window)}")


def chain_picture(chain: Chain, window: Window) -> str:
    """Return an SVG element: a row a contract month of one root."""
    return _element(_months(chain, window), "chain", f"Contracts, {_label([chain], window)}")


def legend_mark(kind: str) -> str:
    """Return a small SVG element with one mark."""
    return f'<svg class="pf" viewBox="0 0 26 14" aria-hidden="true">{_sample(kind, 0)}</svg>'


def _element(part: tuple[int, list[str]], kind: str, label: str) -> str:
    height, lines = part
    return (
        f'<svg class="pf {kind}" viewBox="0 0 {_WIDTH} {height}" role="img"'
        f' aria-label="{label}">{"".join(lines)}</svg>'
    )


def _label(chains: Sequence[Chain], window: Window) -> str:
    return f"{', '.join(escape(c.root) for c in chains)}, {window.first} to {window.last}"


# --- lanes: who is held when


def _lanes(chains: Sequence[Chain], window: Window) -> tuple[int, list[str]]:
    longest = max((len(chain.root) for chain in chains), default=0)
    window = replace(window, left=max(_LEFT, 14 + _BOLD * longest + 8))
    height = _AXIS + _LANE * len(chains) + _FOOT
    # Stripes first: a mark may reach into the next lane.
    lines = [_stripe(_AXIS + n * _LANE, _LANE) for n in range(0, len(chains), 2)]
    lines += _axis(window, height)
    for number, chain in enumerate(chains):
        top = _AXIS + number * _LANE
        lines.append(f'<text class="strong" x="14" y="{top + 20}">{escape(chain.root)}</text>')
        segments = hold_segments(chain)
        shown = [s for s in segments if s.deadline >= window.first and _start(s) <= window.last]
        for place, segment in enumerate(shown):
            lines += _lane_segment(chain, segment, window, top, is_odd=place % 2 == 1)
        for segment in shown:
            lines += _marks(chain.row(segment.month), window, top + 31)
        if not shown:
            why = "no roll in the spec" if chain.spec.roll is None else "no known roll dates here"
            lines.append(f'<text class="soft" x="{window.left + 8}" y="{top + 20}">{why}</text>')
    lines += _today(window, height)
    return height, lines


def _lane_segment(
    chain: Chain, segment: HoldSegment, window: Window, top: int, *, is_odd: bool
) -> Iterator[str]:
    start, end = window.x(_start(segment)), window.x(segment.roll_date)
    row = chain.row(segment.month)
    projected = " projected" if row.status else ""
    words = _held_words(chain, segment)
    if end > start:
        tone = " next" if is_odd else ""
        yield (
            f'<rect class="held{tone}{projected}" x="{start}" y="{top + 5}"'
            f' width="{max(end - start - 1, 1):.1f}" height="20" rx="4">'
            f"<title>{words}</title></rect>"
        )
        if end - start >= _LEAST_TEXT:
            middle = round((start + end) / 2, 1)
            yield (
                f'<text class="onheld" x="{middle}" y="{top + 19}" text-anchor="middle"'
                f' pointer-events="none">{segment.month}</text>'
            )
    yield from _window_bar(segment, window, top + 29, 4, chain.root)


def _start(segment: HoldSegment) -> dt.date:
    return segment.start or dt.date.min


# --- a row a month


def _months(chain: Chain, window: Window) -> tuple[int, list[str]]:
    segments = {segment.month: segment for segment in hold_segments(chain)}
    rows = [row for row in chain.rows() if _is_seen(row, segments.get(row.month), window)]
    height = 26 + _AXIS + _ROW * max(len(rows), 1) + _FOOT
    title = f"{chain.root} · {chain.spec.name}"
    policy = escape(_policy(chain))
    room = (_WIDTH - _RIGHT - 14 - _PLAIN * len(policy)) // _TITLE
    short = title if len(title) <= room else f"{title[: room - 1].rstrip()}…"
    lines = [
        f'<text class="title" x="14" y="17">{escape(short)}<title>{escape(title)}</title></text>',
        f'<text class="soft" x="{_WIDTH - _RIGHT}" y="17" text-anchor="end">{policy}</text>',
        '<g transform="translate(0 26)">',
        *_axis(window, height - 26),
    ]
    place = 0
    for number, row in enumerate(rows):
        top = _AXIS + number * _ROW
        segment = segments.get(row.month)
        if number % 2 == 0:
            lines.append(_stripe(top, _ROW))
        lines += _month_row(chain, row, segment, window, top, is_odd=place % 2 == 1)
        place += segment is not None
    if not rows:
        lines.append(
            f'<text class="soft" x="{_LEFT + 8}" y="{_AXIS + 16}">no known date in this span</text>'
        )
    return height, [*lines, *_today(window, height - 26), "</g>"]


def _is_seen(row: ChainRow, segment: HoldSegment | None, window: Window) -> bool:
    """Whether a month ends in the span, or is held in it."""
    if row.last_trade is None:
        return False
    if segment is not None and _start(segment) <= window.last and row.last_trade >= window.first:
        return True
    return row.last_trade in window


def _month_row(  # noqa: PLR0913 - what a row shows
    chain: Chain,
    row: ChainRow,
    segment: HoldSegment | None,
    window: Window,
    top: int,
    *,
    is_odd: bool,
) -> Iterator[str]:
    assert row.last_trade is not None  # noqa: S101 - only such rows are seen
    middle = top + _ROW // 2
    unheld = "" if row.hold else " unheld"
    now = segment is not None and _start(segment) <= window.today < segment.roll_date
    weight = ' class="strong"' if now else "" if row.hold else ' class="soft"'
    yield f'<text{weight} x="14" y="{middle + 4}">{row.month}</text>'
    projected = " projected" if row.status else ""
    yield (
        f'<line class="listed{unheld}{projected}" x1="{_LEFT}" y1="{middle}"'
        f' x2="{window.x(row.last_trade)}" y2="{middle}">'
        f"<title>{escape(chain.root)} {row.month}: last trade {row.last_trade:%a %Y-%m-%d}</title>"
        "</line>"
    )
    if segment is not None:
        start, end = window.x(_start(segment)), window.x(segment.roll_date)
        if end > start:
            tone = " next" if is_odd else ""
            yield (
                f'<rect class="held{tone}{projected}" x="{start}" y="{middle - 6}"'
                f' width="{end - start:.1f}" height="12" rx="3">'
                f"<title>{_held_words(chain, segment)}</title></rect>"
            )
        yield from _window_bar(segment, window, middle - 6, 12, chain.root)
    yield from _marks(row, window, middle)


def _window_bar(
    segment: HoldSegment, window: Window, top: float, height: int, root: str
) -> Iterator[str]:
    """Yield the roll window, at least a visible two pixels wide."""
    start, end = window.x(segment.roll_date), window.x(segment.deadline)
    if end > start:
        yield (
            f'<rect class="window" x="{start}" y="{top}" width="{max(end - start, 2):.1f}"'
            f' height="{height}" rx="1.5"><title>{escape(root)} {segment.month}: roll from'
            f" {segment.roll_date:%a %Y-%m-%d}, before {segment.deadline:%a %Y-%m-%d}"
            "</title></rect>"
        )


def _marks(row: ChainRow, window: Window, middle: float) -> Iterator[str]:
    name = f"{escape(row.root)} {row.month}"
    last, notice, expiry = row.last_trade, row.first_notice, row.expiry
    if expiry and expiry != last and expiry in window:
        yield (
            f'<circle class="expiry" cx="{window.x(expiry)}" cy="{middle}" r="4">'
            f"<title>{name}: expiry {expiry:%a %Y-%m-%d}</title></circle>"
        )
    # Where they are about the same day, one goes above and one below.
    apart = 0.0
    if last and notice and abs(window.x(last) - window.x(notice)) < _NEAR:
        apart = 4.5
    if notice and notice in window:
        words = f"{name}: first notice {notice:%a %Y-%m-%d}"
        yield _notice_mark(window.x(notice), middle - apart, words)
    if last and last in window:
        yield _last_mark(window.x(last), middle + apart, f"{name}: last trade {last:%a %Y-%m-%d}")


def _last_mark(x: float, y: float, words: str) -> str:
    return (
        f'<path class="last" d="M{x - 3.5:.1f} {y - 3.5:.1f}l7 7m0-7l-7 7">'
        f"<title>{words}</title></path>"
    )


def _notice_mark(x: float, y: float, words: str) -> str:
    return (
        f'<path class="notice" d="M{x:.1f} {y - 5:.1f}l5 5l-5 5l-5-5z">'
        f"<title>{words}</title></path>"
    )


# --- what all pictures share


def _axis(window: Window, height: int) -> Iterator[str]:
    """Yield the months above and their lines below; years stand out."""
    day = window.first.replace(day=1)
    last_year, shown = None, -1e9
    while day <= window.last:
        if day >= window.first:
            x = window.x(day)
            kind = "year" if day.month == 1 else "grid"
            bottom = height - _FOOT
            yield f'<line class="{kind}" x1="{x}" y1="{_AXIS - 6}" x2="{x}" y2="{bottom}"/>'
        after = (day + dt.timedelta(days=32)).replace(day=1)
        left, right = window.x(max(day, window.first)), window.x(min(after, window.last))
        if right - left >= _LEAST_TICK or (right - left > 12 and left - shown >= _LEAST_TICK):
            yield f'<text class="soft" x="{left + 5:.1f}" y="{_AXIS - 9}">{day:%b}</text>'
            shown = left
        if day.year != last_year:
            last_year = day.year
            next_year = min(dt.date(day.year + 1, 1, 1), window.last)
            if window.x(next_year) - left > 34:
                yield f'<text class="strong" x="{left + 5:.1f}" y="{_AXIS - 25}">{day.year}</text>'
        day = after


def _today(window: Window, height: int) -> Iterator[str]:
    if window.today in window:
        x = window.x(window.today)
        bottom = height - _FOOT
        yield f'<line class="today" x1="{x}" y1="{_AXIS - 6}" x2="{x}" y2="{bottom + 2}"/>'
        middle = min(max(x, window.left), _WIDTH - _RIGHT - 40)
        yield (
            f'<text class="todaytext" x="{middle}" y="{bottom + 14}" text-anchor="middle">'
            f"today, {window.today.day} {window.today:%b}</text>"
        )


def _stripe(top: int, height: int) -> str:
    return f'<rect class="stripe" x="0" y="{top}" width="{_WIDTH}" height="{height}"/>'


def _held_words(chain: Chain, segment: HoldSegment) -> str:
    start = f"from {segment.start:%a %Y-%m-%d} " if segment.start else ""
    return (
        f"{escape(chain.root)} {segment.month}: held {start}to the roll,"
        f" {segment.roll_date:%a %Y-%m-%d}"
    )


def _policy(chain: Chain) -> str:
    roll = chain.spec.roll
    if roll is None:
        return "no roll in the spec"
    days = "business days" if roll.unit == "business" else "days"
    side = "after" if roll.offset > 0 else "before"
    return f"rolls {abs(roll.offset)} {days} {side} {roll.anchor.value.replace('_', ' ')}"


def _legend_row() -> str:
    parts, x = [], 14
    for kind, words in LEGEND:
        parts.append(f'<g transform="translate(0 12)">{_sample(kind, x)}</g>')
        parts.append(f'<text class="soft" x="{x + 32}" y="23">{words}</text>')
        x += 46 + 7 * len(words)
    return f'<g class="legend">{"".join(parts)}</g>'


def _sample(kind: str, x: int) -> str:
    match kind:
        case "listed" | "today":
            return f'<line class="{kind}" x1="{x + 2}" y1="7" x2="{x + 24}" y2="7"/>'
        case "held" | "window":
            return f'<rect class="{kind}" x="{x + 2}" y="2" width="22" height="10" rx="3"/>'
        case "notice":
            return _notice_mark(x + 13, 7, "first notice")
        case "last":
            return _last_mark(x + 13, 7, "last trade")
        case _:
            return f'<circle class="{kind}" cx="{x + 13}" cy="7" r="4"/>'
