"""A series in a ParquetDataCatalog of nautilus, and how it is read back where the store is lost.

A file appears whole or not at all: it is written beside the catalogue and then moved in, since a
kill in the middle of nautilus' own write leaves a file that cannot be read any more. `ts_init` is
the timestamp of the bar, so that the catalogue does not depend on when it was written.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from nautilus_trader.persistence.catalog import ParquetDataCatalog

from pyfutures.nautilus.types import ContinuousBarData, RollEvent

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nautilus_trader.model.data import BarType

    from pyfutures.continuous.bars import ContinuousBar, Roll

__all__ = ["Archive"]


class Archive:
    """One series in a catalogue on a local disk.

    Parameters
    ----------
    path
        Folder of the catalogue; made if it is not there.
    bar_type
        The series.

    """

    def __init__(self, path: str | Path, bar_type: BarType) -> None:
        self._path = Path(path).absolute()
        self._path.mkdir(parents=True, exist_ok=True)
        self._bar_type = bar_type
        self._catalog = ParquetDataCatalog(str(self._path))

    @property
    def last_ts(self) -> int | None:
        """The last bar in the catalogue."""
        return self._last(ContinuousBarData)

    def append(self, bars: Iterable[ContinuousBar], rolls: Iterable[Roll]) -> int:
        """Write what is later than what is there; return how many bars that were."""
        new_bars = [ContinuousBarData(bar, bar.ts, self._bar_type) for bar in bars]
        new_rolls = [RollEvent(roll, roll.last_old_ts, self._bar_type) for roll in rolls]
        self._write(RollEvent, new_rolls)
        # Last, since a reader goes by the bars.
        return self._write(ContinuousBarData, new_bars)

    def bars(self, *, since_ns: int | None = None) -> list[ContinuousBar]:
        """Return the bars from `since_ns` on, oldest first; all by default."""
        return [data.bar for data in self._read(ContinuousBarData, since_ns)]

    def rolls(self) -> list[Roll]:
        """Return all rolls, oldest first."""
        return [data.roll for data in self._read(RollEvent)]

    def _last(self, cls: type) -> int | None:
        intervals = self._catalog.get_intervals(cls, str(self._bar_type))
        return int(intervals[-1][1]) if intervals else None

    def _write(self, cls: type, data: Sequence[ContinuousBarData | RollEvent]) -> int:
        last = self._last(cls)
        new = [one for one in data if last is None or one.ts_event > last]
        if not new:
            return 0
        stage = tempfile.mkdtemp(prefix=".pyfutures-", dir=self._path)
        try:
            # From right after what is there: else nautilus cannot join the files.
            ParquetDataCatalog(stage).write_data(new, start=None if last is None else last + 1)
            for file in Path(stage).rglob("*.parquet"):
                target = self._path / file.relative_to(stage)
                target.parent.mkdir(parents=True, exist_ok=True)
                file.replace(target)
        finally:
            shutil.rmtree(stage, ignore_errors=True)
        return len(new)

    def _read(
        self, cls: type, since_ns: int | None = None
    ) -> list[ContinuousBarData] | list[RollEvent]:
        if self._last(cls) is None:
            return []
        found = self._catalog.query(cls, identifiers=[str(self._bar_type)], start=since_ns)
        return [getattr(one, "data", one) for one in found]
