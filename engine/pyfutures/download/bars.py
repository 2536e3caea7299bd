"""Bars of one contract over any span: whole, in order, each one once, closed, with its holes named.

Theory of operation. The span is cut into windows (windows.py). Each is asked for with its end; an
answer that does not reach back to where the window should begin is asked on, from its first bar,
until the gateway has nothing more: so nothing depends on how far a duration really reaches. What an
answer has beyond its window is left out, so two windows never overlap. Answers come from the cache
where they are there: a download that was stopped goes on where it stopped.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from pyfutures.download.contracts import find_contract, find_head
from pyfutures.download.errors import DisorderError, DownloadError, FutureError
from pyfutures.download.holes import Hole, find_holes
from pyfutures.download.windows import TradingTimes, Window, windows
from pyfutures.ib.merge import longest_duration
from pyfutures.ib.messages.history import Bar, RequestHeadTimestamp, RequestHistoricalBars
from pyfutures.ib.times import BarSize, bar_time, format_utc

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyfutures.chain import Chain
    from pyfutures.download.contracts import FoundContract
    from pyfutures.ib.cached import CachedClient
    from pyfutures.months import ContractMonth

    #: Called with what is done and what there is to do, in requests.
    type Progress = Callable[[int, int], None]

__all__ = ["BarDownload", "BarRow", "BarsWanted", "download_bars", "span_of"]

_DAY: Final = dt.timedelta(days=1)
_SECOND: Final = dt.timedelta(seconds=1)
_LONGEST_LIFE: Final = dt.timedelta(days=3 * 366)
_SHOWS: Final = ("TRADES", "MIDPOINT", "BID", "ASK")


@dataclass(frozen=True, slots=True, kw_only=True)
class BarsWanted:
    """What to download.

    Attributes
    ----------
    size
        The size of the bars, a day at most.
    show
        TRADES, MIDPOINT, BID or ASK.
    start, end
        The bars that close after `start` and not after `end`, both with time zones. None: from the
        first there is, and to the last that is closed.
    use_rth
        Whether regular trading hours only.
    patience
        Seconds to go on trying where a request fails for reasons that may pass.

    Raises
    ------
    ValueError
        For a time without a zone, a span that is none, or a size or `show` that is not had.

    """

    size: BarSize
    show: str = "TRADES"
    start: dt.datetime | None = None
    end: dt.datetime | None = None
    use_rth: bool = False
    patience: float = 900.0

    def __post_init__(self) -> None:
        check_span(self.start, self.end)
        if self.size in {BarSize.WEEK_1, BarSize.MONTH_1}:
            raise ValueError(f"bars of {self.size}: a day at most; make longer ones of these")
        if self.show not in _SHOWS:
            raise ValueError(f"bars of `{self.show}`: there are {', '.join(_SHOWS)}")

    @property
    def length(self) -> dt.timedelta:
        """How long a bar is at most."""
        return dt.timedelta(seconds=self.size.seconds or 86400)


@dataclass(frozen=True, slots=True)
class BarRow:
    """A bar as files have it: `ts` is its scheduled close, prices are in currency, not magnified.

    `start` is where the gateway says that it starts. `volume` is None for bars that are not of
    trades.
    """

    month: ContractMonth
    ts: dt.datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal | None
    start: dt.datetime


@dataclass(frozen=True, slots=True)
class BarDownload:
    """What came of it.

    `repeated` is how many bars came twice, `unfinished` how many were left out because they were
    not closed.
    """

    contract: FoundContract
    wanted: BarsWanted
    rows: tuple[BarRow, ...]
    holes: tuple[Hole, ...] = ()
    notes: tuple[str, ...] = ()
    repeated: int = 0
    unfinished: int = 0


def check_span(start: dt.datetime | None, end: dt.datetime | None) -> None:
    """Say no to a span that is none.

    Raises
    ------
    ValueError
        For a time without a zone, or an end that is not after the start.

    """
    for name, moment in (("start", start), ("end", end)):
        if moment is not None and moment.tzinfo is None:
            raise ValueError(f"{name} {moment.isoformat()} has no time zone: write +00:00 for UTC")
    if start is not None and end is not None and end <= start:
        raise ValueError(f"end {end.isoformat()} is not after start {start.isoformat()}")


async def download_bars(
    client: CachedClient,
    chain: Chain,
    month: ContractMonth,
    wanted: BarsWanted,
    *,
    progress: Progress | None = None,
) -> BarDownload:
    """Return the bars of one contract.

    Parameters
    ----------
    client
        A client with a session; its cache is what makes a download resumable.
    chain
        The root.
    month
        A listed month.
    wanted
        What to download.
    progress
        Called behind each window.

    Raises
    ------
    ContractNotFoundError
        If the gateway does not have the contract.
    DisorderError
        If an answer is not in order.
    FutureError
        If the end is in the future.
    DownloadError
        If daily bars have no close because the spec has no hours.
    ChainError
        If the month is not listed.
    RequestError
        One of its kinds, once patience is over.

    """
    times = TradingTimes(chain)
    if wanted.size.seconds is None and not times.are_known:
        raise DownloadError(
            f"{chain.root} has no session close, so its daily bars have no time: add `hours` to"
            f" {chain.spec.path}"
        )
    now = await client.now(patience=wanted.patience)
    found = await find_contract(client, chain, month, patience=wanted.patience)
    request = RequestHeadTimestamp(0, found.contract, use_rth=wanted.use_rth, show=wanted.show)
    head = await find_head(client, request, patience=wanted.patience)
    span = span_of(found, (wanted.start, wanted.end), now, head, slack=wanted.length)
    work = _Work(client, found, wanted, times, now, head)
    await work.fetch(*span, progress)
    rows, unfinished = work.rows(*span)
    notes = list(found.notes)
    if not times.are_known:
        notes.append(f"{chain.root}: no `hours` in {chain.spec.path}, so holes were not looked for")
    return BarDownload(
        found, wanted, rows, work.holes(rows, *span), tuple(notes), work.repeated, unfinished
    )


def span_of(
    found: FoundContract,
    span: tuple[dt.datetime | None, dt.datetime | None],
    now: dt.datetime,
    head: dt.datetime | None,
    *,
    slack: dt.timedelta,
) -> tuple[dt.datetime, dt.datetime]:
    """Return what there can be of a span: the life of the contract so far.

    Raises
    ------
    FutureError
        If the end is later than `slack` behind now.

    """
    start, end = span
    if end is not None and end > now + slack:
        raise FutureError(
            f"end {end.isoformat()} is in the future: by the gateway it is {now.isoformat()}"
        )
    over = dt.datetime.combine(found.last_trade + 2 * _DAY, dt.time(), dt.UTC)
    until = min(now if end is None else end, now, over)
    born = over - _LONGEST_LIFE if head is None else head - slack
    since = born if start is None else max(start, born)
    return since.astimezone(dt.UTC), max(since, until).astimezone(dt.UTC)


@dataclass(slots=True)
class _Work:
    client: CachedClient
    found: FoundContract
    wanted: BarsWanted
    times: TradingTimes
    now: dt.datetime
    head: dt.datetime | None
    repeated: int = 0
    _bars: list[tuple[dt.datetime, Bar]] = field(default_factory=list)

    async def fetch(self, start: dt.datetime, end: dt.datetime, progress: Progress | None) -> None:
        """Fetch all bars that may lie in the span."""
        over = self.found.last_trade
        plan = windows(self.times, self.wanted.size, start - self.wanted.length, end)
        session = self.times.on(over)
        if session is not None:
            # Behind its last session a contract has no bars; asking would reach back over others.
            last = _instant(session.close_ns)
            plan = [
                Window(one.start, one.opens, min(one.end, last)) for one in plan if one.opens < last
            ]
        for done, window in enumerate(plan, 1):
            self._bars += await self._window(window)
            if progress is not None:
                progress(done, len(plan))
        for (a, _), (b, _) in pairwise(self._bars):
            if a >= b:
                raise DisorderError(f"{self._name}: bars of {a} and {b} in two answers")

    @property
    def _name(self) -> str:
        return f"{self.found.chain.root} {self.found.month}"

    async def _window(self, window: Window) -> list[tuple[dt.datetime, Bar]]:
        end = min(window.end, self.now - dt.timedelta(microseconds=self.now.microsecond))
        expected = window.opens if self.head is None else max(window.opens, self.head)
        found: list[tuple[dt.datetime, Bar]] = []
        while end > window.start:
            answer = self._in_order(await self._ask(end), end)
            mine = [pair for pair in answer if window.start <= pair[0] < end]
            found = mine + found
            reaches_back = any(start < window.start for start, _ in answer)
            if not mine or reaches_back or mine[0][0] <= expected:
                break
            end = mine[0][0]
        return found

    async def _ask(self, end: dt.datetime) -> tuple[Bar, ...]:
        wanted = self.wanted
        request = RequestHistoricalBars(
            0, self.found.contract, format_utc(end), wanted.size, longest_duration(wanted.size),
            use_rth=wanted.use_rth, show=wanted.show,
        )  # fmt: skip
        return await self.client.bars(request, patience=wanted.patience)

    def _in_order(self, bars: tuple[Bar, ...], end: dt.datetime) -> list[tuple[dt.datetime, Bar]]:
        """Return an answer with the start of each bar, each bar once."""
        found: list[tuple[dt.datetime, Bar]] = []
        for bar in bars:
            start = self._start(bar)
            if found and start <= found[-1][0]:
                if bar == found[-1][1]:
                    self.repeated += 1
                    continue
                how = "two bars" if start == found[-1][0] else f"one of {start} behind one"
                raise DisorderError(
                    f"{self._name}: {how} of {found[-1][0]} in the answer that ends at {end}"
                )
            found.append((start, bar))
        return found

    def _start(self, bar: Bar) -> dt.datetime:
        at = bar_time(bar.date)
        return at if isinstance(at, dt.datetime) else self.times.begin(at)

    def _close(self, start: dt.datetime, bar: Bar, following: dt.datetime | None) -> dt.datetime:
        """Return the scheduled close of a bar."""
        seconds = self.wanted.size.seconds
        if seconds is None:
            day = bar_time(bar.date)
            if isinstance(day, dt.datetime):
                raise DisorderError(f"{self._name}: a daily bar of {day}, which is no date")
            return _instant(self.found.chain.session_close_ns(day))
        end = self.times.bar_end(start, seconds)
        # Where the spec misses a break the next bar tells.
        return end if following is None else min(end, following)

    def rows(self, since: dt.datetime, until: dt.datetime) -> tuple[tuple[BarRow, ...], int]:
        """Return the rows that close within the span, and how many bars were not closed."""
        rows: list[BarRow] = []
        unfinished = 0
        following = [start for start, _ in self._bars[1:]]
        for (start, bar), after in zip(self._bars, [*following, None], strict=True):
            ts = self._close(start, bar, after)
            if ts > self.now:
                unfinished += start < until
            elif since < ts <= until:
                rows.append(self._row(start, ts, bar))
        return tuple(rows), unfinished

    def _row(self, start: dt.datetime, ts: dt.datetime, bar: Bar) -> BarRow:
        found = self.found
        return BarRow(
            month=found.month,
            ts=ts,
            open=price(bar.open, found),
            high=price(bar.high, found),
            low=price(bar.low, found),
            close=price(bar.close, found),
            volume=None if bar.volume < 0 else bar.volume,
            start=start,
        )

    def holes(
        self, rows: tuple[BarRow, ...], since: dt.datetime, until: dt.datetime
    ) -> tuple[Hole, ...]:
        """Return what should be there and is not, from the first bar to the end of the span."""
        first = since if self.head is None else max(since, self.head)
        if rows and self.head is None and self.wanted.start is None:
            first = rows[0].start
        day = first.astimezone(self.times.zone).date()
        expected = self.times.between(day, min(until.date() + _DAY, self.found.last_trade))
        seconds = self.wanted.size.seconds
        if self.wanted.use_rth:
            # Which hours are regular ones the spec does not say: whole sessions can be missed.
            there = {self.times.begin(self._day_of(row)) for row in rows}
            return find_holes(self.times, expected, list(there), None, within=(first, until))
        starts = [row.start for row in rows]
        return find_holes(self.times, expected, starts, seconds, within=(first, until))

    def _day_of(self, row: BarRow) -> dt.date:
        day = row.start.astimezone(self.times.zone).date()
        for one in (day, day + _DAY):
            session = self.times.on(one)
            if session and self.times.begin(one) <= row.start < _instant(session.close_ns):
                return one
        return day


def _instant(ns: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(ns // 1_000_000_000, dt.UTC)


def price(value: float, found: FoundContract) -> Decimal:
    """Return a quote of the gateway as a price in currency, exactly."""
    # The shortest text of a float is what stood on the wire.
    return Decimal(repr(value)) / found.magnifier
