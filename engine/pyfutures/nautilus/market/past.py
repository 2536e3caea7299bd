"""Bars, quotes and trades of the past: any span, in order, each once, closed.

Theory of operation. Bars are asked for from the end backwards, each answer as long as the gateway's
limits let it be, until the span is covered, the limit is reached or there is nothing older. Ticks
are asked for forwards, session by session, since no answer spans two; where only the last so many
are wanted, backwards. The IB client keeps the pace. What closes after the span, or is not closed by
the gateway's clock, is left out.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from pyfutures.ib.bar_feed import start_of
from pyfutures.ib.failures import RequestFailedError
from pyfutures.ib.merge import duration_over, longest_duration
from pyfutures.nautilus.market.values import TradeIds

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from nautilus_trader.model.data import Bar as NativeBar
    from nautilus_trader.model.data import QuoteTick, TradeTick

    from pyfutures.ib.client import Client
    from pyfutures.ib.messages.contracts import Contract
    from pyfutures.ib.messages.history import Bar, HistoricalQuote, HistoricalTrade
    from pyfutures.nautilus.contracts.listings import Listing
    from pyfutures.nautilus.market.bar_forms import BarForm
    from pyfutures.nautilus.market.trading_hours import TradingHours
    from pyfutures.nautilus.market.values import BarValues, MarketValues

    type Tick = HistoricalTrade | HistoricalQuote
    type Moment = dt.datetime | None
    type AskTicks = Callable[[Moment, Moment, int], Awaitable[Sequence[Tick]]]

__all__ = ["DisorderedAnswerError", "Past", "Span"]

_NS: Final = 10**9
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND: Final = dt.timedelta(microseconds=1)
_DAY: Final = dt.timedelta(days=1)
_SECOND: Final = dt.timedelta(seconds=1)
_LIFE: Final = dt.timedelta(days=3 * 366)
_FULL: Final = 1000
_LENGTHS: Final = {"1 D": 86400, "1 W": 7 * 86400, "1 M": 28 * 86400, "1 Y": 364 * 86400}
_EMPTY_DAYS: Final = 14


class DisorderedAnswerError(ValueError):
    """An answer of the gateway whose times go back."""


@dataclass(frozen=True, slots=True)
class Span:
    """What is wanted: from `start` to `end`, both included, the last `limit` of it; 0 for all."""

    start: dt.datetime | None
    end: dt.datetime
    limit: int = 0

    @property
    def bounds_ns(self) -> tuple[int, int]:
        """The ends in UTC nanoseconds."""
        return 0 if self.start is None else _ns(self.start), _ns(self.end)


class Past:
    """Asks the gateway about the past.

    Parameters
    ----------
    ib
        The client.
    patience
        Seconds to go on trying where a request fails for reasons that may pass.
    use_rth
        Whether regular trading hours only.

    """

    def __init__(self, ib: Client, *, patience: float, use_rth: bool) -> None:
        self._ib = ib
        self._patience = patience
        self._use_rth = use_rth
        self._heads: dict[tuple[int, str], dt.datetime] = {}

    async def now(self) -> dt.datetime:
        """Return the gateway's time.

        Raises
        ------
        RequestError
            One of its kinds.
        """
        return await self._ib.reference.server_time(patience=self._patience)

    async def bars(
        self, listing: Listing, form: BarForm, values: BarValues, span: Span
    ) -> list[NativeBar]:
        """Return the bars that close within a span; `span.end` is not after the gateway's time.

        Raises
        ------
        DisorderedAnswerError
            For an answer whose times go back.
        RequestError
            One of its kinds.
        UnsupportedBarError
            For daily bars whose close is not known.
        """
        first, last = span.bounds_ns
        found: list[tuple[int, Bar]] = []
        cursor, floor = span.end, span.start
        oldest: dt.datetime | None = None
        while (floor is None or cursor > floor) and not (span.limit and len(found) >= span.limit):
            answer = await self._ask_bars(listing, form, cursor, span, len(found))
            older = [b for b in answer if oldest is None or start_of(b.date) < oldest]
            if not older:  # nothing in all this time: a contract that hardly trades, or its birth
                head = await self._head(listing, form.show)
                floor = head if floor is None else max(floor, head)
                cursor -= dt.timedelta(seconds=_length(form))
                continue
            oldest = cursor = start_of(older[0].date)
            closes = [(values.close_ns(bar), bar) for bar in older]
            found = [pair for pair in closes if first <= pair[0] <= last] + found
            if closes[0][0] < first:
                break
        if span.limit:
            found = found[-span.limit :]
        return [values.bar(bar) for _, bar in found]

    async def _ask_bars(
        self, listing: Listing, form: BarForm, end: dt.datetime, span: Span, had: int
    ) -> tuple[Bar, ...]:
        length = form.size.seconds or 86400
        wanted = float(_length(form))
        if span.start is not None:
            wanted = min(wanted, (end - span.start).total_seconds() + length)
        if span.limit:
            wanted = min(wanted, float((span.limit - had + 1) * length))
        bars = await self._ib.history.bars(
            _contract(listing),
            size=form.size,
            duration=duration_over(wanted, form.size),
            end=end,
            show=form.show,
            use_rth=self._use_rth,
            patience=self._patience,
        )
        for a, b in pairwise(bars):
            if int(a.date) >= int(b.date):
                raise DisorderedAnswerError(f"{listing.id}: a bar of {b.date} behind {a.date}")
        return bars

    async def _head(self, listing: Listing, show: str) -> dt.datetime:
        """Return an instant before which there is nothing."""
        key = (listing.con_id, show)
        if key not in self._heads:
            expiry = listing.instrument.expiration_ns // _NS
            born = dt.datetime.fromtimestamp(expiry, dt.UTC) - _LIFE
            try:
                told = await self._ib.history.head(
                    _contract(listing), show=show, patience=self._patience
                )
            except RequestFailedError:
                self._heads[key] = born  # not told of all expired contracts
            else:
                if not isinstance(told, dt.datetime):
                    told = dt.datetime.combine(told, dt.time(), dt.UTC)
                self._heads[key] = told - _DAY
        return self._heads[key]

    async def quotes(
        self, listing: Listing, values: MarketValues, hours: TradingHours, span: Span
    ) -> list[QuoteTick]:
        """Return the quotes of a span.

        Raises
        ------
        DisorderedAnswerError
            For an answer whose times go back.
        RequestError
            One of its kinds.
        """

        async def ask(start: Moment, end: Moment, count: int) -> Sequence[Tick]:
            return await self._ib.history.quotes(
                _contract(listing), start=start, end=end, count=count, use_rth=self._use_rth,
                patience=self._patience,
            )  # fmt: skip

        found = await self._ticks(listing, hours, span, ask, "BID_ASK")
        made = (values.quote(tick, tick.time * _NS) for tick in found)  # type: ignore[arg-type] # quotes were asked for
        return [one for one in made if one is not None]

    async def trades(
        self, listing: Listing, values: MarketValues, hours: TradingHours, span: Span
    ) -> list[TradeTick]:
        """Return the trades of a span.

        Raises
        ------
        DisorderedAnswerError
            For an answer whose times go back.
        RequestError
            One of its kinds.
        """

        async def ask(start: Moment, end: Moment, count: int) -> Sequence[Tick]:
            return await self._ib.history.trades(
                _contract(listing), start=start, end=end, count=count, use_rth=self._use_rth,
                patience=self._patience,
            )  # fmt: skip

        ids = TradeIds()
        found = await self._ticks(listing, hours, span, ask, "TRADES")
        made = (values.trade(tick, ids, tick.time * _NS) for tick in found)  # type: ignore[arg-type] # trades were asked for
        return [one for one in made if one is not None]

    async def _ticks(
        self, listing: Listing, hours: TradingHours, span: Span, ask: AskTicks, show: str
    ) -> list[Tick]:
        first, last = span.bounds_ns
        if span.limit:
            found = await self._backwards(listing, span, ask)
        else:
            start = span.start
            if start is None or start < span.end - _LIFE:
                start = max(start or span.end - _LIFE, await self._head(listing, show))
            found = await self._forwards(hours, start, span.end, ask)
        found = [tick for tick in found if first <= tick.time * _NS <= last]
        for a, b in pairwise(found):
            if b.time < a.time:
                raise DisorderedAnswerError(f"{listing.id}: a tick of {b.time} behind {a.time}")
        return found[-span.limit :] if span.limit else found

    async def _forwards(
        self, hours: TradingHours, start: dt.datetime, end: dt.datetime, ask: AskTicks
    ) -> list[Tick]:
        if start.microsecond:  # ticks have whole seconds
            start = start.replace(microsecond=0) + _SECOND
        until = end.replace(microsecond=0) + _SECOND  # the second of the end is in it
        edges = [start, *hours.sessions(start, until), until]
        found: list[Tick] = []
        for since, stop in pairwise(edges):
            cursor = since
            while cursor < stop:
                # Gateways answer in whole seconds; what lies before the start was had before.
                answer = [
                    tick
                    for tick in await ask(cursor, None, _FULL)
                    if tick.time >= cursor.timestamp()
                ]
                mine = [tick for tick in answer if tick.time < stop.timestamp()]
                found += mine
                if not mine or len(mine) < len(answer):
                    break
                cursor = dt.datetime.fromtimestamp(mine[-1].time, dt.UTC) + _SECOND
        return found

    async def _backwards(self, listing: Listing, span: Span, ask: AskTicks) -> list[Tick]:
        cursor = span.end.replace(microsecond=0) + _SECOND
        found: list[Tick] = []
        empty = 0
        while len(found) < span.limit and (span.start is None or cursor > span.start):
            count = min(_FULL, span.limit - len(found))
            answer = await ask(None, cursor, count)
            older = [tick for tick in answer if tick.time < cursor.timestamp()]
            if not older:
                empty += 1
                cursor -= _DAY
                if empty > _EMPTY_DAYS and cursor < await self._head(listing, "TRADES"):
                    break
                continue
            empty = 0
            found = older + found
            cursor = dt.datetime.fromtimestamp(older[0].time, dt.UTC)
        return found


def _contract(listing: Listing) -> Contract:
    """Return how to name a contract that may have expired."""
    return replace(listing.contract, include_expired=not listing.legs)


def _length(form: BarForm) -> int:
    """Return the seconds that the longest request for such bars reaches back."""
    words = longest_duration(form.size)
    return _LENGTHS.get(words) or int(words.split()[0])


def _ns(moment: dt.datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND * 1000
