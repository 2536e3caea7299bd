"""Downloads as files that `pyfutures continuous build` reads; a file is there whole or not at all.

Prices in csv are exact decimals. The zip of one and the same data is the same bytes: no time is
written into it.
"""

from __future__ import annotations

import csv
import gzip
import io
import os
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from pyfutures.download.ticks import TickKind
from pyfutures.ib.messages.history import HistoricalQuote, HistoricalTrade

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from pyfutures.download.bars import BarRow
    from pyfutures.download.ticks import TickDownload

    type Cell = str | Decimal | dt.datetime | None

__all__ = ["ENDINGS", "write_bars", "write_ticks"]

ENDINGS: Final = (".csv.gz", ".csv", ".parquet")
_BARS: Final = ("contract", "ts", "open", "high", "low", "close", "volume")
_TICKS: Final = {
    TickKind.TRADES: ("contract", "ts", "price", "size", "exchange", "conditions"),
    TickKind.QUOTES: ("contract", "ts", "bid", "ask", "bid_size", "ask_size"),
    TickKind.MIDPOINTS: ("contract", "ts", "price"),
}


def write_bars(rows: Iterable[BarRow], path: Path) -> int:
    """Write bars of any number of contracts; return how many.

    Parameters
    ----------
    rows
        The bars.
    path
        A file ending in ``.csv``, ``.csv.gz`` or ``.parquet``.

    Raises
    ------
    ValueError
        For another ending.
    ModuleNotFoundError
        For parquet without pyarrow.
    OSError
        If it cannot be written.

    """
    table: list[tuple[Cell, ...]] = [
        (str(row.month), row.ts, row.open, row.high, row.low, row.close, row.volume) for row in rows
    ]
    _write(_BARS, table, path)
    return len(table)


def write_ticks(downloads: Sequence[TickDownload], path: Path) -> int:
    """Write ticks of one kind of any number of contracts; return how many.

    Raises
    ------
    ValueError
        For another ending than ``.csv``, ``.csv.gz`` or ``.parquet``, or two kinds of ticks.
    ModuleNotFoundError
        For parquet without pyarrow.
    OSError
        If it cannot be written.

    """
    kinds = {one.wanted.kind for one in downloads}
    if len(kinds) != 1:
        raise ValueError(f"{path}: ticks of one kind, not of {len(kinds)}")
    table = [row for one in downloads for row in _tick_rows(one)]
    _write(_TICKS[kinds.pop()], table, path)
    return len(table)


def _tick_rows(download: TickDownload) -> Iterator[tuple[Cell, ...]]:
    import datetime as dt  # noqa: PLC0415 - above it is for types only

    month = str(download.contract.month)
    price = download.price
    for tick in download.ticks:
        ts = dt.datetime.fromtimestamp(tick.time, dt.UTC)
        if isinstance(tick, HistoricalTrade):
            yield month, ts, price(tick.price), tick.size, tick.exchange, tick.conditions
        elif isinstance(tick, HistoricalQuote):
            yield month, ts, price(tick.bid), price(tick.ask), tick.bid_size, tick.ask_size
        else:
            yield month, ts, price(tick.price)


def _write(names: Sequence[str], table: list[tuple[Cell, ...]], path: Path) -> None:
    ending = next((one for one in ENDINGS if path.name.endswith(one)), None)
    if ending is None:
        raise ValueError(f"{path}: write to a file that ends in {', '.join(ENDINGS)}")
    path.parent.mkdir(parents=True, exist_ok=True)
    data = _parquet(names, table, path) if ending == ".parquet" else _csv(names, table)
    if ending == ".csv.gz":
        data = gzip.compress(data, mtime=0)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(data)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _csv(names: Sequence[str], table: list[tuple[Cell, ...]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_text(cell) for cell in row] for row in table)
    return text.getvalue().encode()


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, Decimal):
        return f"{cell:f}"
    return f"{cell:%Y-%m-%dT%H:%M:%SZ}"


def _parquet(names: Sequence[str], table: list[tuple[Cell, ...]], path: Path) -> bytes:
    try:
        import pyarrow as pa  # noqa: PLC0415 - only who writes parquet needs it
        from pyarrow import parquet  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"writing {path} needs pyarrow: pip install 'pyfutures[series]'", name=error.name
        ) from None
    texts = {"contract", "exchange", "conditions"}
    types = {name: pa.string() if name in texts else pa.float64() for name in names}
    types["ts"] = pa.timestamp("ns", tz="UTC")
    columns = {
        name: pa.array(
            [float(cell) if isinstance(cell := row[i], Decimal) else cell for row in table],
            type=types[name],
        )
        for i, name in enumerate(names)
    }
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.table(columns), sink)
    data: bytes = sink.getvalue().to_pybytes()
    return data
