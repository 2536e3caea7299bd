"""Bars in the parquet files of a nautilus_trader catalogue, read without the platform.

Prices are fixed-point integers in bytes, of 8 (scaled by 1e9) or 16 (by 1e16) as the build of the
platform has it; they become integers of 1e-9 exactly or not at all. The instrument of a file is in
its metadata, and its month in the instrument, ``ESH26.XCME``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pyfutures.continuous.bars import NO_PRICE
from pyfutures.months import FIRST_YEAR, LAST_YEAR, ContractMonth, MonthError

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

# The last time that a two-digit year may mean: contracts are listed a dozen years ahead.
_AHEAD: Final = 15
_SYMBOL: Final = re.compile(r"(?P<name>.+?)=?(?P<code>[FGHJKMNQUVXZ])(?P<year>\d{4}|\d{1,2})")
_SYMBOL_YEAR_FIRST: Final = re.compile(r"(?P<name>.+)=(?P<year>\d{4})(?P<code>[FGHJKMNQUVXZ])")
_PRICES: Final = ("open", "high", "low", "close")
_STEP: Final = 10**7  # from 1e-16 to 1e-9
_HIGH: Final = 2**64 // _STEP
_HIGH_REST: Final = 2**64 - _HIGH * _STEP


class NativeError(ValueError):
    """A file of a catalogue whose bars cannot be taken."""


def is_native(table: Any) -> bool:  # noqa: ANN401 - pyarrow has no types
    """Whether a table is of bars as nautilus_trader writes them."""
    return b"bar_type" in (table.schema.metadata or {})


def month_of(symbol: str, classes: Collection[str], near: int) -> ContractMonth | None:
    """Contract month of an instrument's symbol, None if it is of no given class.

    Parameters
    ----------
    symbol
        ``ESH26``, ``ESH6``, ``ESH2026`` or ``ES=2026H``; blanks of a class are underscores.
    classes
        Trading classes of the root.
    near
        A year at which the contract trades: it says which century or decade is meant.

    """
    names = {"_".join(one.split()) for one in classes}
    for pattern in (_SYMBOL_YEAR_FIRST, _SYMBOL):
        match = pattern.fullmatch(symbol)
        if match is None or match["name"] not in names:
            continue
        year, digits = int(match["year"]), len(match["year"])
        if digits < 4:
            every = 10**digits
            # The first such year that is not before the bars.
            year = near + (year - near) % every
            if digits == 2 and year > near + _AHEAD:
                year -= every
        try:
            return ContractMonth.parse(f"{year}{match['code']}")
        except MonthError:
            return None
    return None


def native_part(table: Any, classes: Collection[str]) -> dict[str, Any]:  # noqa: ANN401
    """Columns of one file of a catalogue, as `read_bars` joins them.

    Raises
    ------
    NativeError
        If the instrument is of no given class, or a price is no whole number of 1e-9.

    """
    bar_type = table.schema.metadata[b"bar_type"].decode()
    ts = table["ts_event"].to_numpy().astype(np.int64)
    instrument = bar_type.rsplit("-", 4)[0]
    symbol = instrument.rsplit(".", 1)[0]
    near = (
        int(ts[0].astype("datetime64[ns]").astype("datetime64[Y]").astype(int)) + 1970
        if ts.size
        else 1970
    )
    month = month_of(symbol, classes, near)
    if month is None:
        raise NativeError(
            f"instrument {instrument} is no contract of trading class "
            f"{' or '.join(sorted(classes)) or '(none given)'}, {FIRST_YEAR} to {LAST_YEAR}"
        )
    part: dict[str, Any] = {"index": np.full(ts.size, month.index), "ts": ts, "dates": False}
    for name in _PRICES:
        part[name] = _fixed(name, table[name])
    part["volume"] = _volumes(table["volume"])
    return part


def _raw(column: Any) -> tuple[NDArray[np.int64], NDArray[np.uint64] | None]:  # noqa: ANN401
    """High and low half of each integer; 8-byte ones have no low half."""
    column = column.combine_chunks()
    width = column.type.byte_width
    data = np.frombuffer(column.buffers()[1], dtype=np.uint8)
    data = data[column.offset * width : (column.offset + len(column)) * width]
    if width == 8:
        return data.view("<i8").astype(np.int64), None
    halves = data.view("<u8").reshape(-1, 2)
    return halves[:, 1].view(np.int64), halves[:, 0]


def _fixed(name: str, column: Any) -> NDArray[np.int64]:  # noqa: ANN401
    high, low = _raw(column)
    if low is None:
        return high
    # high * 2**64 + low, divided by 1e7 with what is left over, in pieces that fit.
    rest = high * _HIGH_REST + (low % _STEP).astype(np.int64)
    units: NDArray[np.int64] = high * _HIGH + (low // _STEP).astype(np.int64) + rest // _STEP
    too_large = np.abs(high) >= NO_PRICE // -_HIGH - 1
    odd = (rest % _STEP != 0) | too_large
    if odd.any():
        row = int(np.argmax(odd))
        value = (int(high[row]) << 64) + int(low[row])
        raise NativeError(
            f"row {row + 1}: {name} {value / 1e16!r} is not a whole number of 0.000000001 that an"
            " int64 counts"
        )
    return units


def _volumes(column: Any) -> NDArray[np.float64]:  # noqa: ANN401
    high, low = _raw(column)
    if low is None:
        return high.view(np.uint64) / 1e9
    return (high.astype(np.float64) * 2.0**64 + low.astype(np.float64)) / 1e16
