"""Timestamps of a file as scheduled closes in nanoseconds UTC.

A column is of one kind: timestamps (without a zone they are UTC), whole nanoseconds, or bare dates.
A bare date is a trading date and closes when the session of the root closes, which only the caller
knows.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

type Close = Callable[[date], int]

# Nanoseconds of 1970-04-26: counts of seconds or milliseconds of our time lie below.
_FEWEST_NS = 10**16

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
        If a value is missing or cannot be read, the kinds are mixed, or there are bare dates and
        no `close_of`.

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
        return _dates(column.cast(pa.date32()), close_of), True
    if pa.types.is_timestamp(kind):
        # In Arrow a timestamp with a zone counts in UTC already.
        ns = column.cast(pa.timestamp("ns", tz=kind.tz)).cast(pa.int64()).to_numpy()
    elif pa.types.is_integer(kind):
        ns = column.cast(pa.int64()).to_numpy()
        small = np.abs(ns) < _FEWEST_NS
        if small.any():
            row = int(np.argmax(small))
            raise StampError(f"row {row + 1}: ts {ns[row]} is too small to count nanoseconds")
    else:
        raise StampError(f"ts: type {kind} is neither text, timestamp, date nor integer")
    return np.asarray(ns, dtype=np.int64), False


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
            raise StampError(f"row {row + 1}: ts {text!r} is not among {name}") from None
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
    days, inverse = np.unique(column.to_numpy(zero_copy_only=False), return_inverse=True)
    if close_of is None:
        raise StampError(
            f"row 1: ts {column[0].as_py()} is a date, which closes at the session close of the "
            "root: its spec needs `hours`"
        )
    closes = np.array([close_of(day) for day in days.tolist()], dtype=np.int64)
    return closes[inverse]
