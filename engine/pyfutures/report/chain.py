"""Chain tables as text, csv and json, made column by column."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Final

import numpy as np

from pyfutures.chain.instants import NAT_NS
from pyfutures.calendars import NAT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from pyfutures.chain import Chain
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

_FLAGS: Final = frozenset({"listed", "priced", "hold", "verified"})

Cell = str | bool | None


def chain_columns(
    chain: Chain, first: ContractMonth, last: ContractMonth
) -> dict[str, list[Cell]]:
    """The cells of a chain by column: texts, flags, and None where there is nothing to say."""
    table = chain.columns(first, last)
    size = len(table["month"])
    columns: dict[str, list[Cell]] = {}
    for name in COLUMNS:
        values = table[name]
        match values:
            case np.ndarray() if values.dtype.kind == "M":
                columns[name] = _texts(values)
            case np.ndarray():
                columns[name] = values.tolist()
            case list():
                columns[name] = values
            case _:
                columns[name] = [values] * size
    return columns


def csv_text(chains: Iterable[Chain], first: ContractMonth, last: ContractMonth) -> Iterable[str]:
    """Lines of csv, header first, one chunk a chain."""
    yield ",".join(COLUMNS) + "\n"
    for chain in chains:
        columns = chain_columns(chain, first, last)
        cells = [
            [_YES_NO[v] for v in values] if name in _FLAGS else [v or "" for v in values]
            for name, values in columns.items()
        ]
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
        [_YES_NO[cell] if isinstance(cell, bool) else cell or "" for cell in row]
        for chain in chains
        for row in zip(*chain_columns(chain, first, last).values(), strict=True)
    ]
    return tabulate(rows, headers=COLUMNS, tablefmt="simple", disable_numparse=True)


_YES_NO: Final = {True: "yes", False: "no"}


def _texts(values: NDArray[np.datetime64]) -> list[Cell]:
    texts = np.datetime_as_string(values)
    if values.dtype != np.dtype("datetime64[D]"):
        texts = np.char.add(texts, "Z")
    cells: list[Cell] = texts.tolist()
    for i in np.flatnonzero(np.isnat(values)):
        cells[i] = None
    return cells
