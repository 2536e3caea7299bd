"""Timestamps of a file as scheduled closes in nanoseconds UTC.

A column is of one kind: timestamps (without a zone they are UTC), whole nanoseconds, or bare dates.
A bare date is a trading date and closes when the session of the root closes, which only the caller
knows. All of them lie in the years that contract months have, far from where an int64 of
nanoseconds wraps into another century.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from pyfutures.months import FIRST_YEAR, LAST_YEAR

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

type Close = Callable[[date], int]

# Nanoseconds of 1970-04-26: counts of seconds or milliseconds of our time lie below.
_FEWEST_NS = 10**16
_EPOCH = date(1970, 1, 1)
# Days since 1970: the first that can be taken, and the first that cannot any more.
_FIRST_DAY = (date(FIRST_YEAR, 1, 1) - _EPOCH).days
_END_DAY = (date(LAST_YEAR + 1, 1, 1) - _EPOCH).days
_DAY_MS = 86_400_000
# Counts of a second, by the unit of an Arrow timestamp.
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}

# First match wins; every text of a column must be of the kind of the first one.
_KINDS = (
    ("whole nanoseconds", r"^\d+$"),
    ("dates", r"^\d{4}-\d{2}-\d{2}$"),
    ("timestamps with a zone", r"^\d{4}-\d{2}-\d{2}[ T].*(Z|[+-]\d{2}(:?\d{2})?)$"),
    ("timestamps without a zone", r"^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?$"),
)


class StampError(ValueError):
    """A timestamp that cannot be taken; the text names row and value."""


def to_ns(column: Any, close_of: Close | None) -> tuple[NDArray[np.int64], bool]:  # noqa: ANN401
    """Instant of each row, and whether the column is one of bare dates, which mean session closes.

    Parameters
    ----------
    column
        The column.
    close_of
        Session close of a trading date.

    Raises
    ------
    StampError
        If a value is missing, cannot be read or is outside the years of contract months, the kinds
        are mixed, or there are bare dates and no `close_of`.

    """
    import pyarrow as pa  # noqa: PLC0415 - only who reads files needs it

    column = column.combine_chunks()
    if column.null_count:
        row = column.is_null().to_pylist().index(True) + 1
        raise StampError(f"row {row}: no ts")
    if not len(column):
        return np.empty(0, dtype=np.int64), False
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        column = _parsed(column)
        kind = column.type
    if pa.types.is_date(kind):
        return _dates(column, close_of), True
    if pa.types.is_timestamp(kind):
        # In Arrow a timestamp with a zone counts in UTC already.
        counts = column.cast(pa.int64()).to_numpy()
        _check_span(counts, 86_400 * _PER_SECOND[kind.unit], f"datetime64[{kind.unit}]")
        return counts * (10**9 // _PER_SECOND[kind.unit]), False
    if pa.types.is_integer(kind):
        # The type of the file, as an uint64 may be more than an int64 holds.
        counts = column.to_numpy()
        small = (counts > -_FEWEST_NS) & (counts < _FEWEST_NS)
        if small.any():
            row = int(np.argmax(small))
            raise StampError(f"row {row + 1}: ts {counts[row]} is too small to count nanoseconds")
        _check_span(counts, 86_400 * 10**9, str(counts.dtype))
        return counts.astype(np.int64, copy=False), False
    raise StampError(f"ts: type {kind} is neither text, timestamp, date nor integer")


def _check_span(counts: NDArray[Any], per_day: int, shown_as: str) -> None:
    outside = (counts < _FIRST_DAY * per_day) | (counts >= _END_DAY * per_day)
    if outside.any():
        row = int(np.argmax(outside))
        raise StampError(
            f"row {row + 1}: ts {counts[row].astype(shown_as)} is outside {FIRST_YEAR} to"
            f" {LAST_YEAR}, the years of contract months: correct it or leave the row out"
        )


def _parsed(column: Any) -> Any:  # noqa: ANN401 - pyarrow has no types
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.compute as pc  # noqa: PLC0415

    types = (pa.int64(), pa.date32(), pa.timestamp("ns", tz="UTC"), pa.timestamp("ns"))
    first = column[0].as_py()
    for (name, pattern), to in zip(_KINDS, types, strict=True):
        fits = pc.match_substring_regex(column, pattern)
        if not fits[0].as_py():
            continue
        if not pc.all(fits).as_py():
            row = fits.to_pylist().index(False)
            raise StampError(
                f"row {row + 1}: ts {column[row].as_py()!r}, but the rows before are {name}"
            )
        try:
            return column.cast(to)
        except pa.ArrowInvalid:
            row = next(i for i, text in enumerate(column) if not _reads(text, to))
            text = column[row].as_py()
            raise StampError(
                f"row {row + 1}: ts {text!r} is not among {name} of {FIRST_YEAR} to {LAST_YEAR}"
            ) from None
    raise StampError(
        f"row 1: ts {first!r} is not a timestamp; write 2026-03-17T21:00:00Z, 2026-03-17 or "
        "nanoseconds"
    )


def _reads(scalar: Any, to: Any) -> bool:  # noqa: ANN401
    import pyarrow as pa  # noqa: PLC0415

    try:
        scalar.cast(to)
    except pa.ArrowInvalid:
        return False
    return True


def _dates(column: Any, close_of: Close | None) -> NDArray[np.int64]:  # noqa: ANN401
    import pyarrow as pa  # noqa: PLC0415

    if pa.types.is_date64(column.type):
        days = column.cast(pa.int64()).to_numpy() // _DAY_MS
    else:
        days = column.cast(pa.int32()).to_numpy().astype(np.int64)
    _check_span(days, 1, "datetime64[D]")
    if close_of is None:
        raise StampError(
            f"row 1: ts {column[0].as_py()} is a date, which closes at the session close of the "
            "root: its spec needs `hours`"
        )
    distinct, inverse = np.unique(days.astype("datetime64[D]"), return_inverse=True)
    closes = np.array([close_of(day) for day in distinct.tolist()], dtype=np.int64)
    return closes[inverse]
