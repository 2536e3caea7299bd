"""Adjusted prices as tables and files: ts, adjusted, adjustment."""

from __future__ import annotations

import gzip
import io
from typing import TYPE_CHECKING, Any

import numpy as np

from pyfutures.continuous.files import arrow, write_whole
from pyfutures.continuous.multiple import adjust, adjustment
from pyfutures.continuous.series import floats

if TYPE_CHECKING:
    from typing import BinaryIO

    from pyfutures.continuous.adjustment import Adjustment
    from pyfutures.continuous.multiple import MultiplePrices
    from pyfutures.continuous.policies import Missing
    from pyfutures.continuous.series import Series


def adjusted_multiple(prices: MultiplePrices, mode: Adjustment, missing: Missing) -> Any:  # noqa: ANN401 - pyarrow has no types
    """Arrow table of adjusted multiple prices, with the times as the file has them.

    Raises
    ------
    MultipleError, RatioError
        As `multiple.adjust` does.

    """
    adjusted = adjust(prices, mode, missing=missing)
    return _table(prices.times, adjusted, adjustment(prices, mode, missing=missing))


def adjusted_series(series: Series, mode: Adjustment) -> Any:  # noqa: ANN401
    """Arrow table of the adjusted closes of a series.

    Raises
    ------
    RatioError
        If a ratio is needed of a roll with a price that is not positive.

    """
    pa, _, _ = arrow(series.root)
    adjusted = series.adjusted(mode)
    difference = adjusted - series.close  # exact, and 0 where both are missing
    added = floats(difference)
    added[np.isnan(floats(series.close))] = np.nan
    times = pa.array(series.ts).cast(pa.timestamp("ns", tz="UTC"))
    return _table(times, floats(adjusted), added)


def _table(times: Any, adjusted: Any, added: Any) -> Any:  # noqa: ANN401
    pa, _, _ = arrow("")
    return pa.table({"ts": times, "adjusted": pa.array(adjusted), "adjustment": pa.array(added)})


def write_table(table: Any, place: str) -> None:  # noqa: ANN401
    """Write a table as csv, csv.gz or parquet, by the ending; whole or not at all.

    Raises
    ------
    OSError
        If it cannot be written.

    """
    _, csv, parquet = arrow(place)

    def write(sink: BinaryIO) -> None:
        if place.endswith(".parquet"):
            parquet.write_table(table, sink)
            return
        text = io.BytesIO()
        options = csv.WriteOptions(include_header=False, quoting_style="needed")
        csv.write_csv(_texts(table), text, options)
        data = (",".join(table.column_names) + "\n").encode() + text.getvalue()
        # The zip of one and the same data is the same bytes: no time is written into it.
        sink.write(gzip.compress(data, mtime=0) if place.endswith(".gz") else data)

    write_whole(place, write)


def _texts(table: Any) -> Any:  # noqa: ANN401
    """Table for csv: a nan is an empty cell, as in the files that people bring."""
    pa, _, _ = arrow("")
    columns = {name: table[name] for name in table.column_names}
    for name in ("adjusted", "adjustment"):
        values = table[name].to_numpy()
        columns[name] = pa.array(values, mask=np.isnan(values))
    return pa.table(columns)
