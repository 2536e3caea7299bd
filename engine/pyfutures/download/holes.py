"""What should be there by the trading hours and the calendar of a root, and is not.

Between trades there need be no bar, so a hole within a session of TRADES may be a quiet time; a
session without any bar is worth a look.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyfutures.chain.sessions import Session
    from pyfutures.download.windows import TradingTimes

__all__ = ["Hole", "find_holes"]


@dataclass(frozen=True, slots=True)
class Hole:
    """Bars that are not there, from the start of the first to the close of the last.

    `session` is the trading date where all bars of it are missing, else None.
    """

    start: dt.datetime
    end: dt.datetime
    bars: int
    session: dt.date | None = None

    def __str__(self) -> str:
        """Return it as people write it."""
        if self.session is not None:
            return f"{self.session}: no bar in the session"
        count = "1 bar" if self.bars == 1 else f"{self.bars} bars"
        days = "" if self.end.date() == self.start.date() else "%Y-%m-%d "
        end = format(self.end, f"{days}%H:%M:%S")
        return f"{self.start:%Y-%m-%d %H:%M:%S} to {end} UTC: {count} missing"


def find_holes(
    times: TradingTimes,
    expected: Sequence[Session],
    starts: Sequence[dt.datetime],
    seconds: int | None,
    *,
    within: tuple[dt.datetime, dt.datetime],
) -> tuple[Hole, ...]:
    """Return the holes in bars, in order.

    Parameters
    ----------
    times
        When the root trades.
    expected
        The sessions that should have bars.
    starts
        Where the bars that are there start; of daily ones, where their trading dates begin.
    seconds
        The size of the bars; None for daily ones.
    within
        Only bars that close after the first and not after the second are looked for.

    """
    there = set(starts)
    return tuple(
        hole for one in expected for hole in _in_session(times, one, there, seconds, within)
    )


def _in_session(
    times: TradingTimes,
    session: Session,
    there: set[dt.datetime],
    seconds: int | None,
    within: tuple[dt.datetime, dt.datetime],
) -> Iterator[Hole]:
    first = times.begin(session.day)
    close = dt.datetime.fromtimestamp(session.close_ns // 1_000_000_000, dt.UTC)
    if seconds is None:
        if first not in there and within[0] < close <= within[1]:
            yield Hole(first, close, 1, session.day)
        return
    runs: list[list[tuple[dt.datetime, dt.datetime]]] = [[]]
    wanted = 0
    for start in times.bar_starts(session, seconds):
        end = times.bar_end(start, seconds)
        if not within[0] < end <= within[1]:
            continue
        wanted += 1
        if start in there:
            runs.append([])
        else:
            runs[-1].append((start, end))
    for run in filter(None, runs):
        whole = len(run) == wanted and within[0] <= first and close <= within[1]
        yield Hole(run[0][0], run[-1][1], len(run), session.day if whole else None)
