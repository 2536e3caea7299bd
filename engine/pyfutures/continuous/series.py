"""A built series: columns as arrays, the rolls, and the parquet file of both.

In arrays prices are integers of 1e-9 and `NO_PRICE` where missing; in the file they are floats and
nan, which anything can read. The rolls and what made them are in the metadata of the file.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from pyfutures import __version__
from pyfutures.continuous.adjustment import Adjustment, View
from pyfutures.continuous.bars import NO_PRICE, PRICE_SCALE, Roll
from pyfutures.continuous.files import arrow, open_input, write_whole
from pyfutures.continuous.machine import Missing, Policy
from pyfutures.months import ContractMonth

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

FORMAT_VERSION = 1
UNITS = ("open", "high", "low", "close", "forward", "carry", "previous")
COLUMNS = (
    "ts",
    "month",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "forward",
    "carry",
    "previous",
    "C",
    "R",
    "rolled",
)


class SeriesError(ValueError):
    """A file that does not hold a continuous series, or one of another version."""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """A continuous series with its rolls, oldest first.

    Parameters
    ----------
    root, start, policy, missing
        What was built, and how.
    fingerprint
        SHA-256 of the roll calendar's rows and of the policy.
    rolls
        The rolls, with the timestamp of the first bar after each.
    ts
        Scheduled closes, nanoseconds UTC.
    month
        `ContractMonth.index` of the current month.
    open, high, low, close, volume
        The bar of the current month.
    forward, carry, previous
        Closes of the other legs at the same time.
    C, R
        Sum of gaps (1e-9) and product of ratios of the rolls before each bar.
    rolled
        Whether a bar is the first one after a roll.
    calendar
        The rows of the months that were current, as text.
    state
        State of the machine before the last timestamp was closed, to go on from.

    """

    root: str
    start: ContractMonth
    policy: Policy
    missing: Missing
    fingerprint: str
    rolls: tuple[Roll, ...]
    ts: NDArray[np.int64]
    month: NDArray[np.int64]
    open: NDArray[np.int64]
    high: NDArray[np.int64]
    low: NDArray[np.int64]
    close: NDArray[np.int64]
    volume: NDArray[np.float64]
    forward: NDArray[np.int64]
    carry: NDArray[np.int64]
    previous: NDArray[np.int64]
    C: NDArray[np.int64]
    R: NDArray[np.float64]
    rolled: NDArray[np.bool_]
    calendar: tuple[str, ...] = ()
    state: dict[str, Any] | None = None

    def __len__(self) -> int:
        return int(self.ts.size)

    def month_texts(self) -> NDArray[np.str_]:
        """Months that are current at each bar, as text, ``2026H``."""
        distinct, inverse = np.unique(self.month, return_inverse=True)
        texts = [str(ContractMonth.from_index(int(index))) for index in distinct]
        return np.array(texts, dtype="<U5")[inverse]

    def view(self, mode: Adjustment) -> View:
        """View of this series, anchored at its first or at its newest month.

        Raises
        ------
        RatioError
            If a backward ratio would need the ratio of a roll with a leg that is not positive.

        """
        return View.of(mode, self.rolls, first=self.start)

    def adjusted(self, mode: Adjustment, column: str = "close") -> NDArray[np.int64]:
        """Prices, adjusted, of a column of the current month, in 1e-9.

        Raises
        ------
        RatioError
            If a ratio is needed and there is none.

        """
        prices: NDArray[np.int64] = getattr(self, column)
        stored = [(0, 1.0), *((roll.C, roll.R) for roll in self.rolls)]
        return self.view(mode).segment_units(prices, self.bounds(), stored)

    def bounds(self) -> list[int]:
        """Rows at which the segments begin, and the number of rows; a last one may be empty."""
        size = len(self)
        firsts = [roll.first_new_ts for roll in self.rolls]
        known = np.array([ts for ts in firsts if ts is not None], dtype=np.int64)
        rows: list[int] = np.searchsorted(self.ts, known).tolist()
        # Only the last roll can have no bar after it yet.
        return [0, *rows, *[size] * (len(firsts) - len(rows)), size]


def floats(units: NDArray[np.int64]) -> NDArray[np.float64]:
    """Prices as floats, nan for `NO_PRICE`."""
    prices = units / PRICE_SCALE
    prices[units == NO_PRICE] = np.nan
    return prices


def write_parquet(series: Series, path: Path | str) -> None:
    """Write a series to a parquet file or URL; a file of that name is replaced in one step.

    Raises
    ------
    ModuleNotFoundError
        If pyarrow is not installed.
    OSError
        If it cannot be written.

    """
    pa, _, parquet = arrow(str(path))
    columns: dict[str, Any] = {
        "ts": pa.array(series.ts).cast(pa.timestamp("ns", tz="UTC")),
        "month": pa.array(series.month_texts().tolist(), type=pa.string()),
        "volume": pa.array(series.volume),
        "C": pa.array(series.C / PRICE_SCALE),
        "R": pa.array(series.R),
        "rolled": pa.array(series.rolled),
    } | {name: pa.array(floats(getattr(series, name))) for name in UNITS}
    metadata = {
        "pyfutures.version": __version__,
        "pyfutures.format": str(FORMAT_VERSION),
        "pyfutures.root": series.root,
        "pyfutures.start": str(series.start),
        "pyfutures.policy": series.policy.value,
        "pyfutures.missing": series.missing.value,
        "pyfutures.fingerprint": series.fingerprint,
        "pyfutures.rolls": json.dumps([roll_data(roll) for roll in series.rolls]),
        "pyfutures.calendar": json.dumps(series.calendar),
        "pyfutures.state": json.dumps(series.state),
    }
    table = pa.table({name: columns[name] for name in COLUMNS}, metadata=metadata)
    write_whole(str(path), lambda sink: parquet.write_table(table, sink))


def read_parquet(path: Path | str) -> Series:
    """Series of a file or URL that `write_parquet` wrote.

    Raises
    ------
    SeriesError
        If the file is something else, damaged, or of another format version.
    ModuleNotFoundError
        If pyarrow is not installed.

    """
    pa, _, parquet = arrow(str(path))
    try:
        with open_input(str(path)) as source, parquet.ParquetFile(source) as file:
            table = file.read()
    except pa.ArrowException as error:
        raise _damaged(path, error) from None
    except OSError as error:
        if error.errno is not None:
            raise
        # What is in the file is no matter of the system.
        raise _damaged(path, error) from None
    metadata = {k.decode(): v.decode() for k, v in (table.schema.metadata or {}).items()}
    version = metadata.get("pyfutures.format")
    if version != str(FORMAT_VERSION):
        raise SeriesError(
            f"{path}: format version {version or 'none'}, expected {FORMAT_VERSION}; build it anew"
        )
    columns: dict[str, NDArray[Any]] = {
        "ts": table["ts"].to_numpy().astype("datetime64[ns]").astype(np.int64),
        "month": _month_indices(table["month"].to_numpy()),
        "volume": table["volume"].to_numpy(),
        "C": np.rint(table["C"].to_numpy() * PRICE_SCALE).astype(np.int64),
        "R": table["R"].to_numpy(),
        "rolled": table["rolled"].to_numpy(),
    } | {name: _units(table[name].to_numpy()) for name in UNITS}
    return Series(
        root=metadata["pyfutures.root"],
        start=ContractMonth.parse(metadata["pyfutures.start"]),
        policy=Policy(metadata["pyfutures.policy"]),
        missing=Missing(metadata["pyfutures.missing"]),
        fingerprint=metadata["pyfutures.fingerprint"],
        rolls=tuple(roll_of(data) for data in json.loads(metadata["pyfutures.rolls"])),
        calendar=tuple(json.loads(metadata.get("pyfutures.calendar", "[]"))),
        state=json.loads(metadata.get("pyfutures.state", "null")),
        **columns,
    )


def _damaged(path: Path | str, error: Exception) -> SeriesError:
    return SeriesError(
        f"{path}: {error}; the file is damaged or of another kind: remove it and build it anew"
    )


def is_series(place: str) -> bool:
    """Whether a file is one that `write_parquet` wrote.

    Raises
    ------
    ModuleNotFoundError
        If pyarrow is not installed.
    OSError
        If it cannot be opened.

    """
    if not place.endswith(".parquet"):
        return False
    pa, _, parquet = arrow(place)
    try:
        with open_input(place) as source, parquet.ParquetFile(source) as file:
            return b"pyfutures.format" in (file.schema_arrow.metadata or {})
    except pa.ArrowException:
        return False


def _month_indices(texts: NDArray[np.object_]) -> NDArray[np.int64]:
    distinct, inverse = np.unique(texts.astype("<U5"), return_inverse=True)
    indices = [ContractMonth.parse(str(text)).index for text in distinct]
    return np.array(indices, dtype=np.int64)[inverse]


def _units(prices: NDArray[np.float64]) -> NDArray[np.int64]:
    missing = np.isnan(prices)
    units = np.rint(np.where(missing, 0.0, prices) * PRICE_SCALE).astype(np.int64)
    units[missing] = NO_PRICE
    return units


def roll_data(roll: Roll) -> dict[str, Any]:
    """Roll as JSON holds it: months and dates as text, nan as None."""
    data = asdict(roll)
    return data | {
        "old": str(roll.old),
        "new": str(roll.new),
        "roll_date": str(roll.roll_date),
        "ratio": None if math.isnan(roll.ratio) else roll.ratio,
        "R": None if math.isnan(roll.R) else roll.R,
    }


def roll_of(data: dict[str, Any]) -> Roll:
    """Roll that `data` was made of."""
    return Roll(
        **data
        | {
            "old": ContractMonth.parse(data["old"]),
            "new": ContractMonth.parse(data["new"]),
            "roll_date": date.fromisoformat(data["roll_date"]),
            "ratio": math.nan if data["ratio"] is None else data["ratio"],
            "R": math.nan if data["R"] is None else data["R"],
        }
    )
