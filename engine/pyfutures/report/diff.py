"""What a change moves, for people, programs and pull requests.

Past changes come first and are marked ``!``: a stored series was built on them. Months that change
alike are told together. Nothing is cut from the json.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from pyfutures.chain.diff import CELLS, DATES, WINDOW, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyfutures.chain.diff import (
        CalendarChange,
        CatalogDiff,
        CellChange,
        FactChange,
        RootChange,
        Value,
    )

__all__ = ["FORMAT_VERSION", "MARKER", "json_text", "markdown", "summary", "text"]

FORMAT_VERSION: Final = "1.0"
"""A new minor only adds keys; a new major may change them."""
MARKER: Final = "<!-- pyfutures diff -->"
"""First line of the markdown: who comments on a pull request finds the comment before by it."""

#: Months of one column of one root that are shown before they are only counted: past, future.
_SHOWN: Final = {True: 6, False: 4}
#: Rows of a table in markdown; a comment of a pull request ends at 65,536 characters.
_ROWS: Final = 200
_LOUD: Final = "PAST: a stored series of {root} would differ"
_RED, _GREEN, _YELLOW, _BOLD, _RESET = (f"\x1b[{n}m" for n in ("1;31", "32", "33", "1", "0"))
_DATED: Final = frozenset({*DATES, *WINDOW})


@dataclass(frozen=True, slots=True)
class _Line:
    """One line: its sign, the root, what changes, the month or months, and how."""

    sign: str
    root: str
    what: str
    months: str
    change: str
    note: str = ""


def text(diff: CatalogDiff, *, colour: bool = False, every: bool = False) -> str:
    """Return the changes for a terminal, past ones first in each root; empty if there is none.

    Parameters
    ----------
    diff
        The changes.
    colour
        Whether to use the colours of a terminal.
    every
        Show every month and not only the first ones of many.
    """
    lines = [line for root in diff.roots for line in _root_lines(root, every=every)]
    widths = [max((len(getattr(line, name)) for line in lines), default=0) for name in _COLUMNS]
    shown = [_aligned(line, widths, colour=colour) for line in lines]
    shown += [f"~ calendar {item.name}: {_calendar_words(item)}" for item in diff.calendars]
    return "".join(f"{line}\n" for line in shown)


def summary(diff: CatalogDiff) -> str:
    """Return one line: ``Plan: 1 root changes, …; 3 dates move, 1 in the past``."""
    if not diff:
        return "Plan: nothing moves"
    numbers = _numbers(diff)
    changed, dates, windows = (numbers[n] for n in ("changed", "dates", "roll_windows"))
    plan = (
        f"Plan: {changed} {'root changes' if changed == 1 else 'roots change'},"
        f" {numbers['added']} added, {numbers['removed']} removed;"
        f" {dates} {'date moves' if dates == 1 else 'dates move'}"
    )
    if numbers["past_dates"]:
        plan += f", {numbers['past_dates']} in the past"
    if windows:
        moves = "roll window moves" if windows == 1 else "roll windows move"
        past = f", {numbers['past_roll_windows']} in the past"
        plan += f"; {windows} {moves}{past if numbers['past_roll_windows'] else ''}"
    return plan


def json_text(diff: CatalogDiff, *, base: str, head: str) -> str:
    """Return the changes as the text of a JSON document with every cell, one newline at its end."""
    document: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "base": base,
        "head": head,
        "today": diff.today.isoformat(),
        "moves_dates": diff.moves_dates,
        "summary": _numbers(diff),
        "roots": [_root_data(root) for root in diff.roots],
        "calendars": [_calendar_data(item) for item in diff.calendars],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def markdown(diff: CatalogDiff, *, base: str, head: str, every: bool = False) -> str:
    """Return the changes as a comment of a pull request."""
    out = [MARKER, f"### {summary(diff)}", ""]
    if not diff:
        out.append(f"Every date of `{head}` is that of `{base}`.")
        return "\n".join(out) + "\n"
    lines = [line for root in diff.roots for line in _root_lines(root, every=every)]
    past = [line for line in lines if line.sign == "!"]
    if past:
        out += [
            "> [!WARNING]",
            "> Dates in the past move. Series and positions that were made by them would differ.",
            "",
            *_table(past, every=every),
        ]
    if rest := [line for line in lines if line.sign != "!"]:
        out += _table(rest, every=every)
    if diff.calendars:
        out += [f"- calendar `{item.name}`: {_calendar_words(item)}" for item in diff.calendars]
        out.append("")
    out.append(f"<sub>`{base}` against `{head}`, past as of {diff.today}</sub>")
    return "\n".join(out) + "\n"


_COLUMNS: Final = ("sign", "root", "what", "months", "change")


def _aligned(line: _Line, widths: Sequence[int], *, colour: bool) -> str:
    cells = [getattr(line, name).ljust(width) for name, width in zip(_COLUMNS, widths, strict=True)]
    shown = "  ".join([f"{cells[0]} {cells[1]}", *cells[2:], line.note]).rstrip()
    if not colour:
        return shown
    paint = {"!": _RED, "+": _GREEN, "-": _RED, "~": _YELLOW}[line.sign]
    # All of a line that is about the past is loud, only the sign of another.
    return (
        f"{paint}{shown}{_RESET}" if line.sign == "!" else f"{paint}{shown[0]}{_RESET}{shown[1:]}"
    )


def _table(lines: Sequence[_Line], *, every: bool) -> list[str]:
    out = ["| | root | what | months | change |", "|---|---|---|---|---|"]
    shown = lines if every else lines[:_ROWS]
    for line in shown:
        loud = "**" if line.sign == "!" else ""
        note = f" {line.note}" if line.note and line.sign != "!" else ""
        cells = [f"`{line.sign}`", f"{loud}{line.root}{loud}", line.what, line.months]
        cells.append(f"{loud}{line.change}{loud}{note}")
        out.append(f"| {' | '.join(cell.replace('|', '\\|') for cell in cells)} |")
    if hidden := len(lines) - len(shown):
        out += ["", f"… and {hidden} more rows: `pyfutures diff --all`"]
    return [*out, ""]


def _root_lines(root: RootChange, *, every: bool) -> Iterator[_Line]:
    if root.kind is not Kind.CHANGED:
        sign, verb = ("+", "new root") if root.kind is Kind.ADDED else ("-", "root removed")
        spec = root.chain.spec
        cycles = f"lists {spec.listed}, holds {spec.hold}"
        name = " ".join(spec.name.split())  # a name of several lines would end the row
        yield _Line(sign, root.root, verb, "", f"{name}; {cycles}")
        return
    for past in (True, False):
        cells = [cell for cell in root.cells if cell.is_past is past]
        cells.sort(key=lambda cell: (CELLS.index(cell.column), cell.month))
        for column, found in groupby(cells, key=lambda cell: cell.column):
            yield from _cell_lines(root.root, column, list(found), past=past, every=every)
        if past:
            for fact in root.facts:
                change = f"{fact.before or 'none'} → {fact.after or 'none'}"
                yield _Line("~", root.root, fact.key, "all months", change)


def _cell_lines(
    root: str, column: str, cells: Sequence[CellChange], *, past: bool, every: bool
) -> Iterator[_Line]:
    sign, note = ("!", _LOUD.format(root=root)) if past else ("~", "")
    if column in _DATED or column == "last_trade_utc":
        limit = len(cells) if every or len(cells) <= _SHOWN[past] else _SHOWN[past] - 1
        # Those nearest to today: the last of the past, the first of the future.
        cut = len(cells) - limit if past else limit
        near, far = (cells[cut:], cells[:cut]) if past else (cells[:cut], cells[cut:])
        more = [_Line(sign, root, column, _span(far), f"and {len(far)} more", note)] if far else []
        yield from more if past else ()
        for cell in near:
            change = f"{_shown(cell.before)} → {_shown(cell.after)}"
            yield _Line(sign, root, column, str(cell.month), change, note)
        yield from () if past else more
        return
    # Facts and flags change alike over long runs of months.
    for (before, after), run in groupby(cells, key=lambda cell: (cell.before, cell.after)):
        found = list(run)
        months = _span(found) + (f" ({len(found)} months)" if len(found) > 1 else "")
        if isinstance(before, bool):
            what = f"no longer {column}" if before else f"now {column}"
            yield _Line(sign, root, column, months, what, note)
        else:
            yield _Line(sign, root, column, months, f"{_shown(before)} → {_shown(after)}", note)


def _span(cells: Sequence[CellChange]) -> str:
    first, last = cells[0].month, cells[-1].month
    return str(first) if first == last else f"{first} to {last}"


def _calendar_words(item: CalendarChange) -> str:
    if item.kind is not Kind.CHANGED:
        what = item.kind.value
    else:
        parts = [
            _days("closes", item.closed),
            _days("opens", item.opened),
            _days("another early close on", item.early_closes),
        ]
        if item.valid_until:
            parts.append(f"valid until {item.valid_until[1]}, was {item.valid_until[0]}")
        what = ", ".join(filter(None, parts)) or "covers another span"
    if not item.roots:
        return f"{what}; moves nothing"
    names = ", ".join(item.roots[:10])
    more = f" and {len(item.roots) - 10} more" if len(item.roots) > 10 else ""
    return f"{what}; moves {names}{more}"


def _days(verb: str, days: Sequence[dt.date]) -> str:
    if not days:
        return ""
    more = f" and {len(days) - 3} days more" if len(days) > 3 else ""
    return f"{verb} {', '.join(day.isoformat() for day in days[:3])}{more}"


def _shown(value: Value) -> str:
    match value:
        case None:
            return "none"
        case dt.datetime():
            return f"{value:%Y-%m-%d %H:%M} UTC"
        case dt.date():
            return f"{value:%a %Y-%m-%d}"
        case bool():
            return "yes" if value else "no"
        case _:
            return value


def _numbers(diff: CatalogDiff) -> dict[str, int]:
    return {
        "changed": len(diff.of(Kind.CHANGED)),
        "added": len(diff.of(Kind.ADDED)),
        "removed": len(diff.of(Kind.REMOVED)),
        "dates": len(diff.dates),
        "past_dates": sum(cell.is_past for cell in diff.dates),
        "roll_windows": len(diff.windows),
        "past_roll_windows": sum(past for _, _, past in diff.windows),
    }


def _root_data(root: RootChange) -> dict[str, Any]:
    spec = root.chain.spec
    return {
        "root": root.root,
        "change": root.kind.value,
        "name": spec.name,
        "listed": str(spec.listed),
        "hold": str(spec.hold),
        "facts": [_fact_data(fact) for fact in root.facts],
        "cells": [_cell_data(cell) for cell in root.cells],
    }


def _fact_data(fact: FactChange) -> dict[str, str | None]:
    return {"key": fact.key, "before": fact.before, "after": fact.after}


def _cell_data(cell: CellChange) -> dict[str, Any]:
    return {
        "month": str(cell.month),
        "column": cell.column,
        "before": _plain(cell.before),
        "after": _plain(cell.after),
        "past": cell.is_past,
    }


def _calendar_data(item: CalendarChange) -> dict[str, Any]:
    ends = item.valid_until
    return {
        "calendar": item.name,
        "change": item.kind.value,
        "opened": [day.isoformat() for day in item.opened],
        "closed": [day.isoformat() for day in item.closed],
        "early_closes": [day.isoformat() for day in item.early_closes],
        "valid_until": None if ends is None else [day.isoformat() for day in ends],
        "roots": list(item.roots),
    }


def _plain(value: Value) -> str | bool | None:
    match value:
        case dt.datetime():
            return f"{value:%Y-%m-%dT%H:%M:%SZ}"
        case dt.date():
            return value.isoformat()
        case _:
            return value
