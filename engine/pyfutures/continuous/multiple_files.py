"""Files of multiple prices: csv, csv.gz and parquet, as many people write them.

Column names may be in any case, the time may be the unnamed first column, and a contract may be
20260300, 202603 or 2026H. What can be read in two ways is refused, with the row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pyfutures.chain.rolls import midnight_ns
from pyfutures.continuous.bars import instant
from pyfutures.continuous.files import FilesError, open_input, table_of
from pyfutures.continuous.multiple import LEGS, MultipleError, MultiplePrices
from pyfutures.continuous.stamps import StampError, to_ns
from pyfutures.months import FIRST_YEAR, LAST_YEAR, ContractMonth, MonthError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CODES = tuple(f"{leg}_contract" for leg in LEGS)
# The first that is there has the times.
_TIMES = ("ts", "datetime", "timestamp", "date", "index", "time", "")
# Codes below are yyyymm, those above yyyymm00.
_WITHOUT_DAY = 10**6


def read_multiple(path: str) -> MultiplePrices:
    """Multiple prices of a csv, csv.gz or parquet file.

    Parameters
    ----------
    path
        A file, or a URL.

    Raises
    ------
    MultipleError
        If a column is absent or there twice, a value cannot be read, or times go back.
    OSError
        If the file cannot be opened.
    ModuleNotFoundError
        If pyarrow, or what the URL needs, is not installed.

    """
    try:
        with open_input(path) as source:
            table = table_of(source, path, texts=_TIMES)
    except FilesError as error:
        raise MultipleError(str(error)) from None
    columns = _columns(path, table)
    times = table.column(columns.pop("ts"))
    try:
        ts, _ = to_ns(times, midnight_ns)
    except StampError as error:
        raise MultipleError(f"{path} {error}") from None
    back = ts[1:] < ts[:-1]
    if back.any():
        row = int(np.argmax(back)) + 1
        raise MultipleError(
            f"{path} row {row + 1}: {instant(int(ts[row]))} comes after "
            f"{instant(int(ts[row - 1]))}: sort the rows by time"
        )
    values: dict[str, Any] = {
        name: (_contracts if name in _CODES else _prices)(path, table.column(number), name)
        for name, number in columns.items()
    }
    return MultiplePrices(name=path, ts=ts, times=times, **values)


def _columns(path: str, table: Any) -> dict[str, int]:  # noqa: ANN401 - pyarrow has no types
    """Number of each column, that of the times under ``ts``."""
    numbers: dict[str, list[int]] = {}
    for number, name in enumerate(table.column_names):
        numbers.setdefault(name.lower().removeprefix("__index_level_0__"), []).append(number)
    time = next((one for one in _TIMES if one in numbers), None)
    wanted = [*LEGS, *_CODES]
    absent = [one for one in wanted if one not in numbers] + ([] if time is not None else ["ts"])
    if absent:
        raise MultipleError(
            f"{path}: no column {', '.join(absent)}; expected ts, {', '.join(wanted)}, found "
            f"{', '.join(table.column_names)}"
        )
    for one in (time or "", *wanted):
        if len(numbers[one]) > 1:
            twice = " and ".join(table.column_names[number] for number in numbers[one])
            raise MultipleError(f"{path}: {one or 'ts'} is there twice, as {twice}: keep one")
    return {"ts": numbers[time or ""][0]} | {one: numbers[one][0] for one in wanted}


def _prices(path: str, column: Any, name: str) -> NDArray[np.float64]:  # noqa: ANN401
    values = _floats(path, column, name)
    # A minimum is nan or infinite if any value is, and costs no column of flags.
    if values.size and not np.isfinite(values.min() - values.max()):
        infinite = np.isinf(values)
        if infinite.any():
            row = int(np.argmax(infinite))
            raise MultipleError(f"{path} row {row + 1}: {name} {values[row]} is no price")
    return values


def _floats(path: str, column: Any, name: str) -> NDArray[np.float64]:  # noqa: ANN401
    import pyarrow as pa  # noqa: PLC0415 - only who reads files needs it

    try:
        values = column.cast(pa.float64()).to_numpy()
    except pa.ArrowException:
        for row, scalar in enumerate(column, start=1):
            try:
                scalar.cast(pa.float64())
            except pa.ArrowException:
                shown = scalar.as_py()
                raise MultipleError(f"{path} row {row}: {name} {shown!r} is no number") from None
        raise
    return np.asarray(values, dtype=np.float64)


def _contracts(path: str, column: Any, name: str) -> NDArray[np.integer]:  # noqa: ANN401
    """Contracts as yyyymm00, 0 where there is none."""
    import pyarrow as pa  # noqa: PLC0415

    kind = column.type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _of_texts(path, column, name)
    # A file with holes in the column has floats.
    values = _floats(path, column, name)
    codes = np.where(np.isnan(values), 0.0, values)
    short = (codes > 0) & (codes < _WITHOUT_DAY)
    if short.any():
        codes[short] *= 100
    years, months = codes // 10_000, codes // 100 % 100
    held = (years >= FIRST_YEAR) & (years <= LAST_YEAR) & (months >= 1) & (months <= 12)
    fits = (codes == 0) | (held & (codes == np.rint(codes)))
    if not fits.all():
        row = int(np.argmin(fits))
        raise MultipleError(_no_month(path, row, name, f"{values[row]:.10g}"))
    return codes.astype(np.int32)


def _of_texts(path: str, column: Any, name: str) -> NDArray[np.integer]:  # noqa: ANN401
    import pyarrow as pa  # noqa: PLC0415

    encoded = column.cast(pa.string()).combine_chunks().dictionary_encode()
    places = encoded.indices.fill_null(-1).to_numpy()
    found = []
    for place, text in enumerate(encoded.dictionary.to_pylist()):
        code = _code(text.strip())
        if code is None:
            row = int(np.argmax(places == place))
            raise MultipleError(_no_month(path, row, name, repr(text)))
        found.append(code)
    # The place of a null is the last one.
    codes: NDArray[np.int32] = np.array([*found, 0], dtype=np.int32)[places]
    return codes


def _code(text: str) -> int | None:
    """Contract of a text as yyyymm00, 0 of none; None if it is no month."""
    if text.lower() in {"", "nan", "none"}:
        return 0
    whole = text.removesuffix(".0")
    if len(whole) == len("20260300") and whole.isdigit():
        whole = whole.removesuffix("00")
    try:
        month = ContractMonth.parse(whole)
    except MonthError:
        return None
    return (month.year * 100 + month.month) * 100


def _no_month(path: str, row: int, name: str, shown: str) -> str:
    return f"{path} row {row + 1}: {name} {shown} is no month: write 20260300, 202603 or 2026H"
