"""Chain tables as text, csv and json, made column by column."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

from pyfutures.calendars import NAT, date_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyfutures.chain import Chain
    from pyfutures.chain.chain import Column
    from pyfutures.months import ContractMonth

COLUMNS: Final = (
    "root",
    "month",
    "listed",
    "priced",
    "hold",
    "trading_class",
    "first_notice",
    "last_trade",
    "last_trade_utc",
    "expiry",
    "roll_date",
    "deadline",
    "status",
    "verified",
)
"""Never renamed and never reordered: others read them by place."""

_DAYS: Final = np.dtype("datetime64[D]")

Cell = str | bool | None


@dataclass(frozen=True, slots=True)
class _Words:
    """What flags, and cells in which there is nothing to say, become."""

    yes: Cell
    no: Cell
    nothing: Cell

    def columns(
        self, chain: Chain, first: ContractMonth, last: ContractMonth
    ) -> Iterator[list[Cell]]:
        """The cells of a chain, column by column in the order of `COLUMNS`."""
        table = chain.columns(first, last)
        months = table["month"]
        size = len(months) if isinstance(months, list) else 0
        for name in COLUMNS:
            yield self._cells(table[name], size)

    def _cells(self, column: Column, size: int) -> list[Cell]:
        match column:
            case np.ndarray() if column.dtype.kind == "M":
                text = _day_text if column.dtype == _DAYS else _instant_text
                return self._filled(map(text, column.view(np.int64).tolist()))
            case np.ndarray():
                return [self.yes if flag else self.no for flag in column.tolist()]
            case list():
                return self._filled(column)
            case bool():
                return [self.yes if column else self.no] * size
            case _:
                return [column] * size

    def _filled(self, cells: Iterable[str | None]) -> list[Cell]:
        return [self.nothing if cell is None else cell for cell in cells]


_TEXT: Final = _Words("yes", "no", "")
_JSON: Final = _Words(True, False, None)


def csv_text(chains: Iterable[Chain], first: ContractMonth, last: ContractMonth) -> Iterable[str]:
    """Lines of csv, header first, one chunk a chain."""
    yield ",".join(COLUMNS) + "\n"
    for chain in chains:
        buffer = io.StringIO()
        rows = zip(*_TEXT.columns(chain, first, last), strict=True)
        csv.writer(buffer, lineterminator="\n").writerows(rows)
        yield buffer.getvalue()


def json_text(chains: Iterable[Chain], first: ContractMonth, last: ContractMonth) -> str:
    """A json document with one object a month; what is unknown is null."""
    rows = [
        dict(zip(COLUMNS, row, strict=True))
        for chain in chains
        for row in zip(*_JSON.columns(chain, first, last), strict=True)
    ]
    return json.dumps({"format_version": "1.0", "rows": rows}, indent=2)


def table_text(chains: Iterable[Chain], first: ContractMonth, last: ContractMonth) -> str:
    """A table for a terminal."""
    from tabulate import tabulate  # noqa: PLC0415 - slow to import, and only a table needs it

    rows = [row for chain in chains for row in zip(*_TEXT.columns(chain, first, last), strict=True)]
    return tabulate(rows, headers=COLUMNS, tablefmt="simple", disable_numparse=True)


# A catalogue has far fewer days and instants than cells: roots expire together.


@cache
def _day_text(number: int) -> str | None:
    return None if number == NAT else date_of(number).isoformat()


@cache
def _instant_text(seconds: int) -> str | None:
    if seconds == NAT:
        return None
    days, rest = divmod(seconds, 86_400)
    minutes, second = divmod(rest, 60)
    hour, minute = divmod(minutes, 60)
    return f"{_day_text(days)}T{hour:02}:{minute:02}:{second:02}Z"
