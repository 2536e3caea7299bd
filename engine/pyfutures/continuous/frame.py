"""Bars of many contracts as arrays, read from csv and parquet files.

Prices become integers of 1e-9 exactly or not at all, timestamps become the scheduled close in UTC.
A file that says one thing of two kinds, or two things of one bar, is refused: the error names file,
row (counted from 1, without the header) and value.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pyfutures.continuous.bars import NO_PRICE, PRICE_SCALE, Bar, instant
from pyfutures.continuous.files import FilesError, is_url, open_input
from pyfutures.continuous.native import NativeError, is_native, native_part
from pyfutures.continuous.stamps import Close, StampError, to_ns
from pyfutures.months import ContractMonth, MonthError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from numpy.typing import NDArray

PRICES = ("open", "high", "low", "close")
COLUMNS = ("contract", "ts", *PRICES, "volume")
_OPTIONAL = "open_interest"
# No bar is longer. Timestamps end long before an int64 does, so that adding it is safe.
LONGEST_BAR = timedelta(days=366)
# Below this a float is nearer to its count of 1e-9 than to any other one.
_FLOAT_IS_EXACT_TO = 1e6
_GIVE_LENGTH = "give the length of a bar: `interval`, `--interval 1h`"
_NULLS = ["", "nan", "NaN", "NAN", "NA", "N/A", "null", "NULL", "None"]


class BarsError(ValueError):
    """Bars that cannot be taken as they are."""


class Stamp(StrEnum):
    """Which end of its bar a timestamp of a file means."""

    OPEN = "open"
    CLOSE = "close"


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Bars of many contracts, ordered by time and month, one bar a contract and timestamp.

    Parameters
    ----------
    months
        The contract months there are, oldest first.
    month
        Index into `months` of each bar.
    ts
        Scheduled close, nanoseconds UTC.
    open, high, low, close
        Prices in 1e-9, `NO_PRICE` where missing.
    volume
        Volumes, nan where missing.
    open_interest
        Open interests, nan where missing; None if there is no such column.
    duplicates
        How many bars were left out because an identical one was there.

    """

    months: tuple[ContractMonth, ...]
    month: NDArray[np.int64]
    ts: NDArray[np.int64]
    open: NDArray[np.int64]
    high: NDArray[np.int64]
    low: NDArray[np.int64]
    close: NDArray[np.int64]
    volume: NDArray[np.float64]
    open_interest: NDArray[np.float64] | None = None
    duplicates: int = 0

    def __len__(self) -> int:
        return int(self.ts.size)

    def since(self, row: int) -> Frame:
        """Frame of the rows from one on."""
        interests = self.open_interest
        return replace(
            self,
            **{name: getattr(self, name)[row:] for name in ("month", "ts", *PRICES, "volume")},
            open_interest=None if interests is None else interests[row:],
        )

    def bars(self, rows: NDArray[np.int64] | slice = slice(None)) -> Iterator[Bar]:
        """Bars of some rows, or of all, in order: what a roll machine is fed."""
        months = self.months
        codes = self.month[rows].tolist()
        interests: list[float | None] = [None] * len(codes)
        if self.open_interest is not None:
            known = self.open_interest[rows].tolist()
            interests = [None if math.isnan(value) else value for value in known]
        return map(
            Bar,
            [months[code] for code in codes],
            self.ts[rows].tolist(),
            _prices(self.open[rows]),
            _prices(self.high[rows]),
            _prices(self.low[rows]),
            _prices(self.close[rows]),
            self.volume[rows].tolist(),
            interests,
        )


def _prices(units: NDArray[np.int64]) -> list[int | None]:
    prices: list[int | None] = units.tolist()
    if (units == NO_PRICE).any():
        return [None if price == NO_PRICE else price for price in prices]
    return prices


def read_bars(
    paths: Path | str | Sequence[Path | str],
    *,
    close_of: Close | None = None,
    stamp: Stamp = Stamp.CLOSE,
    interval: timedelta | None = None,
    classes: Collection[str] = (),
) -> Frame:
    """Bars of one or more files with the columns contract, ts, open, high, low, close, volume.

    Parameters
    ----------
    paths
        Files, or URLs, ending in ``.csv``, ``.csv.gz`` or ``.parquet``. A column `open_interest` is
        read if all of them have it; other columns are left alone. A parquet file of bars that
        nautilus_trader wrote into a catalogue is read as it is.
    close_of
        Session close, in nanoseconds UTC, of a trading date: for files whose ts are bare dates.
    stamp
        Which end of the bar the ts mean. A bare date is a trading date either way.
    interval
        Length of a bar, for `Stamp.OPEN`. By default the shortest step between two timestamps of a
        contract, of which all other steps must be multiples.
    classes
        Trading classes of the root: the months of a catalogue's files are read from instruments
        like ``ESH26.XCME``.

    Raises
    ------
    BarsError
        If a file is not of a known kind, lacks a column, or has a row that cannot be taken: a
        contract or ts that cannot be read, a price that is no whole number of 1e-9, or a second,
        different bar of a contract and ts. If bars are to be longer than a year.
    OSError
        If a file cannot be opened.
    ModuleNotFoundError
        If pyarrow is not installed.

    """
    files = list(map(str, [paths] if isinstance(paths, Path | str) else paths))
    parts = [_part(path, close_of, classes) for path in files]
    opens = [part for part in parts if not part.pop("dates")]
    if Stamp(stamp) is Stamp.OPEN and opens:
        length = _length(opens, interval)
        for part in opens:
            part["ts"] = part["ts"] + length
    if not sum(part["ts"].size for part in parts):
        raise BarsError(f"no bars in {', '.join(files) or 'no files'}")
    columns = [*PRICES, "volume"]
    if all(_OPTIONAL in part for part in parts):
        columns.append(_OPTIONAL)
    joined = {
        name: np.concatenate([part[name] for part in parts]) for name in ("index", "ts", *columns)
    }
    # Stable: of equal bars the one read first comes first.
    order = np.lexsort((joined["index"], joined["ts"]))
    joined = {name: column[order] for name, column in joined.items()}
    starts = np.cumsum([0, *(part["ts"].size for part in parts)])
    keep = _without_duplicates(joined, columns, order, files, starts)
    dropped = int(keep.size - keep.sum())
    if dropped:
        joined = {name: column[keep] for name, column in joined.items()}
    distinct, month = np.unique(joined.pop("index"), return_inverse=True)
    return Frame(
        months=tuple(ContractMonth.from_index(int(i)) for i in distinct),
        month=month.astype(np.int64, copy=False),
        duplicates=dropped,
        **joined,
    )


def _length(parts: list[dict[str, Any]], interval: timedelta | None) -> int:
    if interval is None:
        interval = timedelta(microseconds=_step(parts) // 1000)
    if not timedelta(0) < interval <= LONGEST_BAR:
        raise BarsError(
            f"{interval} is no length of a bar: more than nothing, at most {LONGEST_BAR.days} days;"
            f" {_GIVE_LENGTH}"
        )
    return interval // timedelta(microseconds=1) * 1000


def _step(parts: list[dict[str, Any]]) -> int:
    """Length of a bar by the timestamps: the shortest step, if all others are multiples of it."""
    index = np.concatenate([part["index"] for part in parts])
    ts = np.concatenate([part["ts"] for part in parts])
    order = np.lexsort((ts, index))
    steps = np.diff(ts[order])[np.diff(index[order]) == 0]
    steps = steps[steps > 0]
    if not steps.size:
        raise BarsError(
            f"no contract has two timestamps that mean the open of a bar; {_GIVE_LENGTH}"
        )
    shortest = int(steps.min())
    odd = steps[steps % shortest != 0]
    if odd.size:
        raise BarsError(
            f"timestamps mean the open of a bar, but their steps of"
            f" {timedelta(microseconds=shortest // 1000)} and"
            f" {timedelta(microseconds=int(odd[0]) // 1000)} do not tell its length; {_GIVE_LENGTH}"
        )
    return shortest


def _without_duplicates(
    joined: dict[str, NDArray[Any]],
    columns: list[str],
    order: NDArray[np.int64],
    files: list[str],
    starts: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Mask of the first bar of each contract and timestamp, the others being identical."""
    index, ts = joined["index"], joined["ts"]
    again = np.flatnonzero((index[1:] == index[:-1]) & (ts[1:] == ts[:-1])) + 1
    for name in columns:
        values = joined[name]
        one, other = values[again - 1], values[again]
        differs = (one != other) & ~((one != one) & (other != other))  # noqa: PLR0124 - nan
        if differs.any():
            at = int(again[np.argmax(differs)])
            rows = []
            for i in order[[at - 1, at]]:
                file = int(np.searchsorted(starts, i, side="right")) - 1
                rows.append(f"{files[file]} row {int(i - starts[file]) + 1}")
            raise BarsError(
                f"{rows[0]} and {rows[1]} disagree on {name} of "
                f"{ContractMonth.from_index(int(index[at]))} at {instant(int(ts[at]))}; keep one"
            )
    keep = np.ones(ts.size, dtype=np.bool_)
    keep[again] = False
    return keep


# One file


def _part(path: str, close_of: Close | None, classes: Collection[str]) -> dict[str, Any]:
    table = _table(path)
    if not is_native(table):
        return _own_part(path, table, close_of)
    try:
        return native_part(table, classes)
    except NativeError as error:
        raise BarsError(f"{path}: {error}") from None


def _own_part(path: str, table: Any, close_of: Close | None) -> dict[str, Any]:  # noqa: ANN401
    names = table.column_names
    absent = [name for name in COLUMNS if name not in names]
    if absent:
        raise BarsError(
            f"{path}: no column {', '.join(absent)}; expected {', '.join(COLUMNS)} and perhaps "
            f"{_OPTIONAL}, found {', '.join(names)}"
        )
    for name in (*COLUMNS, _OPTIONAL):
        if names.count(name) > 1:
            raise BarsError(f"{path}: column {name} is there {names.count(name)} times; keep one")
    for name in ("contract", "ts"):
        _check_text(path, name, table[name])
    try:
        ts, dates = to_ns(table["ts"], close_of)
    except StampError as error:
        raise BarsError(f"{path} {error}") from None
    part: dict[str, Any] = {"index": _months(path, table["contract"]), "ts": ts, "dates": dates}
    for name in PRICES:
        part[name] = _units(path, name, _floats(path, name, table[name]))
    for name in ("volume", _OPTIONAL):
        if name in names:
            part[name] = _floats(path, name, table[name])
    return part


def _table(path: str) -> Any:  # noqa: ANN401 - pyarrow has no types
    try:
        import pyarrow as pa  # noqa: PLC0415 - only who reads files needs it
        from pyarrow import csv, parquet  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"reading {path} needs pyarrow: pip install 'pyfutures[series]'", name=error.name
        ) from None
    if not path.endswith((".csv", ".csv.gz", ".parquet")):
        raise BarsError(f"{path}: neither .csv, .csv.gz nor .parquet")
    try:
        with _source(path, pa) as source:
            if path.endswith(".parquet"):
                # The file alone: `read_table` takes parts of the path for columns.
                with parquet.ParquetFile(source) as file:
                    return file.read()
            numbers = (*PRICES, "volume", _OPTIONAL)
            return csv.read_csv(
                source,
                read_options=csv.ReadOptions(use_threads=False),  # else errors name no row
                convert_options=csv.ConvertOptions(
                    column_types={"contract": pa.string(), "ts": pa.string()}
                    | dict.fromkeys(numbers, pa.float64()),
                    null_values=_NULLS,
                    strings_can_be_null=True,
                ),
            )
    except pa.ArrowException as error:
        raise BarsError(f"{path}: {error}") from None
    except OSError as error:
        if error.errno is not None:
            raise
        # What is in the file, as a damaged archive, is no matter of the system.
        raise BarsError(f"{path}: {error}; the file is damaged, bring it anew") from None
    except FilesError as error:
        raise BarsError(str(error)) from None


@contextmanager
def _source(path: str, pa: Any) -> Iterator[Any]:  # noqa: ANN401 - pyarrow has no types
    """What pyarrow reads a file from: its name here, its bytes from elsewhere."""
    if not is_url(path):
        yield path
        return
    with open_input(path) as source:
        data = source.read()
    buffer = pa.py_buffer(data)
    zipped = path.endswith(".gz")
    yield (
        pa.CompressedInputStream(pa.BufferReader(buffer), "gzip")
        if zipped
        else pa.BufferReader(buffer)
    )


def _check_text(path: str, name: str, column: Any) -> None:  # noqa: ANN401
    """Refuse bytes that are no text: a parquet file may call them so, and nobody looked."""
    import pyarrow as pa  # noqa: PLC0415

    try:
        content = column.cast(pa.binary())
    except pa.ArrowException:
        return  # of another type
    try:
        content.cast(pa.string())
    except pa.ArrowInvalid:
        for row, value in enumerate(content.to_pylist(), start=1):
            try:
                (value or b"").decode()
            except UnicodeDecodeError:
                raise BarsError(
                    f"{path} row {row}: {name} {value!r} is not text in UTF-8"
                ) from None
        raise


def _months(path: str, column: Any) -> NDArray[np.int64]:  # noqa: ANN401
    """Month index of each row."""
    import pyarrow as pa  # noqa: PLC0415

    try:
        encoded = column.cast(pa.string()).combine_chunks().dictionary_encode()
    except pa.ArrowException:
        raise BarsError(
            f"{path}: contract has type {column.type}, which is no month; write 2026H"
        ) from None
    if encoded.null_count:
        row = encoded.is_null().to_pylist().index(True) + 1
        raise BarsError(f"{path} row {row}: no contract")
    codes = encoded.indices.to_numpy()
    found = []
    for code, text in enumerate(encoded.dictionary.to_pylist()):
        try:
            found.append(ContractMonth.parse(text).index)
        except MonthError as error:
            row = int(np.argmax(codes == code)) + 1
            raise BarsError(f"{path} row {row}: contract: {error}") from None
    indices: NDArray[np.int64] = np.array(found, dtype=np.int64)[codes]
    return indices


def _floats(path: str, name: str, column: Any) -> NDArray[np.float64]:  # noqa: ANN401
    import pyarrow as pa  # noqa: PLC0415

    try:
        values = column.cast(pa.float64()).to_numpy()
    except pa.ArrowInvalid as error:
        raise BarsError(f"{path}: {name}: {error}") from None
    except pa.ArrowNotImplementedError:
        raise BarsError(f"{path}: {name} has type {column.type}, which is no number") from None
    return np.asarray(values, dtype=np.float64)


def _units(path: str, name: str, values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Whole numbers of 1e-9, `NO_PRICE` for nan.

    A float of a price is the nearest one to a decimal of few digits. Multiplying loses that where
    the float is coarse, so values that are large, or that look wrong, are read from their shortest
    text instead, which is that decimal.
    """
    missing = np.isnan(values)
    scaled = np.where(missing, 0.0, values) * PRICE_SCALE
    out_of_range = np.abs(scaled) >= 2.0**63
    if out_of_range.any():
        row = int(np.argmax(out_of_range))
        raise BarsError(
            f"{path} row {row + 1}: {name} {float(values[row])!r} is not within what an int64 "
            "counts in 1e-9"
        )
    rounded = np.rint(scaled)
    units = rounded.astype(np.int64)
    doubtful = (np.abs(scaled - rounded) > 1e-3) | (np.abs(values) >= _FLOAT_IS_EXACT_TO)
    for row in np.flatnonzero(doubtful).tolist():
        value = float(values[row])
        count = Decimal(repr(value)) * PRICE_SCALE
        whole = round(count)
        # Two neighbours of a float are the same decimal to whoever computed it.
        allowed = min(0.25, max(1e-3, 2 * math.ulp(value) * PRICE_SCALE))
        if abs(count - whole) > allowed:
            raise BarsError(
                f"{path} row {row + 1}: {name} {value!r} is not a whole number of 0.000000001"
            )
        units[row] = whole
    units[missing] = NO_PRICE
    return units
