"""Chain tables as text, csv and json, made column by column."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

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

Cell = str | bool | None


def chain_columns(chain: Chain, first: ContractMonth, last: ContractMonth) -> dict[str, list[Cell]]:
    """The cells of a chain by column: texts, flags, and None where there is nothing to say."""
    table = chain.columns(first, last)
    months = table["month"]
    size = len(months) if isinstance(months, list) else 0
    return {name: _cells(table[name], size) for name in COLUMNS}


def _cells(column: Column, size: int) -> list[Cell]:
    match column:
        case np.ndarray() if column.dtype.kind == "M":
            return _texts(column)
        case np.ndarray():
            flags: list[Cell] = column.tolist()
            return flags
        case list():
            return [*column]
        case _:
            return [column] * size


def _shown(cell: Cell) -> str:
    """A cell in text: flags as yes and no, nothing where there is nothing to say."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return cell or ""


def csv_text(chains: Iterable[Chain], first: ContractMonth, last: ContractMonth) -> Iterable[str]:
    """Lines of csv, header first, one chunk a chain."""
    yield ",".join(COLUMNS) + "\n"
    for chain in chains:
        cells = [list(map(_shown, column)) for column in chain_columns(chain, first, last).values()]
        buffer = io.StringIO()
        csv.writer(buffer, lineterminator="\n").writerows(zip(*cells, strict=True))
        yield buffer.getvalue()


def json_text(chains: Iterable[Chain], first: ContractMonth, last: ContractMonth) -> str:
    """A json document with one object a month; what is unknown is null."""
    rows = [
        dict(zip(COLUMNS, row, strict=True))
        for chain in chains
        for row in zip(*chain_columns(chain, first, last).values(), strict=True)
    ]
    return json.dumps({"format_version": "1.0", "rows": rows}, indent=2)


def table_text(chains: Iterable[Chain], first: ContractMonth, last: ContractMonth) -> str:
    """A table for a terminal."""
    from tabulate import tabulate  # noqa: PLC0415 - slow to import, and only a table needs it

    rows = [
        list(map(_shown, row))
        for chain in chains
        for row in zip(*chain_columns(chain, first, last).values(), strict=True)
    ]
    return tabulate(rows, headers=COLUMNS, tablefmt="simple", disable_numparse=True)


def _texts(values: NDArray[np.datetime64]) -> list[Cell]:
    texts = np.datetime_as_string(values)
    if values.dtype != np.dtype("datetime64[D]"):
        texts = np.char.add(texts, "Z")
    cells: list[Cell] = texts.tolist()
    for i in np.flatnonzero(np.isnat(values)):
        cells[i] = None
    return cells
