"""Subscriptions one by one: what each says when, from the market's slots.

A stream knows the next instant at which it has something to say, and says it there. Which streams
there are, and what ends them, is the business of `feeds`.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Protocol

from pyfutures.gateway.bars import BarRow, Show
from pyfutures.gateway.clock import SECOND
from pyfutures.gateway.contracts import Instrument
from pyfutures.gateway.market import SLOT_NS
from pyfutures.gateway.names import ib_zone
from pyfutures.ib import messages as m
from pyfutures.ib.messages.market import TickType as T

if TYPE_CHECKING:
    from pyfutures.gateway.market import Day, Quote
    from pyfutures.gateway.session import Session
    from pyfutures.gateway.spreads import Tradable
    from pyfutures.ib.times import BarSize

__all__ = ["KeptBars", "MarketLine", "RealTimeBars", "Stream", "TickStream", "bar_date", "wire_bar"]

DELAY: Final = 15 * 60 * SECOND
_DELAYED: Final = {
    T.BID: T.DELAYED_BID, T.ASK: T.DELAYED_ASK, T.LAST: T.DELAYED_LAST, T.HIGH: T.DELAYED_HIGH,
    T.LOW: T.DELAYED_LOW, T.CLOSE: T.DELAYED_CLOSE, T.OPEN: T.DELAYED_OPEN,
    T.BID_SIZE: T.DELAYED_BID_SIZE, T.ASK_SIZE: T.DELAYED_ASK_SIZE,
    T.LAST_SIZE: T.DELAYED_LAST_SIZE, T.VOLUME: T.DELAYED_VOLUME,
    T.LAST_TIMESTAMP: T.DELAYED_LAST_TIMESTAMP, T.HALTED: T.DELAYED_HALTED,
}  # fmt: skip


class Stream(Protocol):
    """A subscription."""

    session: Session
    request_id: int
    what: Tradable

    def next_due(self, now: int) -> int | None:
        """Return when it has something to say after `now`; None if never."""

    def say(self, now: int) -> None:
        """Say what there is to say now."""


class MarketLine:
    """A line of market data: first all there is, then what changes.

    Parameters
    ----------
    session, request_id, what
        Whose, under which id, of what.
    delayed
        Whether it is a quarter of an hour behind.
    generic
        The generic ticks that were asked for.
    frozen
        Whether quotes of a closed market are those of its last moment.

    """

    def __init__(  # noqa: PLR0913 - one parameter a choice of the request
        self,
        session: Session,
        request_id: int,
        what: Tradable,
        *,
        delayed: bool = False,
        frozen: bool = False,
        generic: frozenset[int] = frozenset(),
    ) -> None:
        self.session = session
        self.request_id = request_id
        self.what = what
        self.delayed = delayed
        self.frozen = frozen
        self.generic = generic
        self._said: dict[int, object] = {}

    def next_due(self, now: int) -> int | None:
        """Return when it has something to say after `now`; None if never."""
        lag = DELAY if self.delayed else 0
        at = self.session.gateway.prices.next_slot(self.what, now - lag)
        return None if at is None else at + lag

    def start(self, now: int, *, snapshot: bool = False) -> None:
        """Say all there is."""
        kind = 3 if self.delayed else 2 if self.frozen else 1
        bbo = "" if snapshot else self.what.exchange
        send, about = self.session.send, self.request_id
        send(m.TickParameters(about, self.what.tick, bbo, 3))
        send(m.MarketDataType(about, kind))
        self.say(now)
        self._number(T.HALTED, 0.0)
        if 588 in self.generic and isinstance(self.what, Instrument) and not self.delayed:
            self._open_interest(now)

    def say(self, now: int) -> None:
        """Say what changed."""
        gateway = self.session.gateway
        at = now - DELAY if self.delayed else now
        quote = gateway.prices.quote(self.what, at)
        if quote is None:
            return
        if gateway.prices.is_open(self.what, at) or self.frozen:
            self._price(T.BID, T.BID_SIZE, quote.bid, quote.bid_size, mask=1)
            self._price(T.ASK, T.ASK_SIZE, quote.ask, quote.ask_size, mask=1)
        else:
            self._none(T.BID)
            self._none(T.ASK)
        if quote.last is not None and self._said.get(T.LAST_TIMESTAMP) != quote.last_ns:
            self._said[T.LAST_TIMESTAMP] = quote.last_ns
            self._text(T.LAST_TIMESTAMP, str(quote.last_ns // SECOND))
            self._price(T.LAST, T.LAST_SIZE, quote.last, quote.last_size, mask=0, always=True)
        if isinstance(self.what, Instrument):
            self._day(self.what, at, quote)

    def _day(self, what: Instrument, at: int, quote: Quote) -> None:
        gateway = self.session.gateway
        found = gateway.market.latest(what, at)
        if found is None:
            return
        day, slot = found
        volume, opened, high, low = day.so_far(slot)
        for kind, price in ((T.OPEN, opened), (T.HIGH, high), (T.LOW, low)):
            if price is not None:
                self._level(kind, what.quote(price))
        if self._said.get(T.VOLUME) != volume:
            self._said[T.VOLUME] = volume
            self._size(T.VOLUME, volume)
            if 233 in self.generic and quote.last is not None:
                stamp = quote.last_ns // 1_000_000
                last = what.quote(quote.last)
                text = f"{last};{quote.last_size};{stamp};{volume};{last};false"
                self._text(T.RT_VOLUME, text)
        before = what.hours.before(day.session)
        if before is not None and before.day >= what.listing.first:
            close = gateway.bars.settled(what, before)
            if close is not None:
                self._level(T.CLOSE, what.quote(close))

    def _open_interest(self, now: int) -> None:
        gateway, what = self.session.gateway, self.what
        if not isinstance(what, Instrument):
            return
        if not gateway.config.open_interest:
            self.session.error(
                self.request_id, 10090,
                "Part of requested market data is not subscribed. Subscription-independent ticks "
                "are still active.",
            )  # fmt: skip
            return
        session = what.hours.at(now) or what.hours.ahead(now)
        if session is not None:
            columns = what.product.curve.bars([what.listing], [session])[what.month]
            if len(columns):
                self._size(T.FUTURES_OPEN_INTEREST, int(columns.open_interest[-1]))

    # What a tick is called when it is delayed

    def _kind(self, kind: T) -> int:
        return int(_DELAYED.get(kind, kind) if self.delayed else kind)

    def _price(  # noqa: PLR0913 - a price, its size and how both are called
        self, kind: T, size_kind: T, price: int, size: int, *, mask: int, always: bool = False
    ) -> None:
        said, self._said[kind] = self._said.get(kind), (price, size)
        if said == (price, size) and not always:
            return
        if said is None or always or not isinstance(said, tuple) or said[0] != price:
            quoted = self.what.quote(price)
            send = m.TickPrice(self.request_id, self._kind(kind), quoted, Decimal(size), mask)
            self.session.send(send)
        self._size(size_kind, size)

    def _none(self, kind: T) -> None:
        if self._said.get(kind) != -1:
            self._said[kind] = -1
            none = m.TickPrice(self.request_id, self._kind(kind), -1.0, Decimal(0), 0)
            self.session.send(none)

    def _level(self, kind: T, price: float) -> None:
        if self._said.get(kind) != price:
            self._said[kind] = price
            self.session.send(m.TickPrice(self.request_id, self._kind(kind), price, Decimal(0), 0))

    def _size(self, kind: T, size: int) -> None:
        self.session.send(m.TickSize(self.request_id, self._kind(kind), Decimal(size)))

    def _text(self, kind: T, text: str) -> None:
        self.session.send(m.TickString(self.request_id, self._kind(kind), text))

    def _number(self, kind: T, value: float) -> None:
        self.session.send(m.TickGeneric(self.request_id, self._kind(kind), value))


def past_limits(day: Day, slot: int) -> tuple[bool, bool]:
    """Return whether the bid is below the day's low, and the ask above its high."""
    _, _, high, low = day.so_far(slot)
    quote = day.quote(slot)
    return low is not None and quote.bid < low, high is not None and quote.ask > high


class TickStream:
    """A tick-by-tick subscription; `kind` is Last, AllLast, BidAsk or MidPoint."""

    def __init__(self, session: Session, request_id: int, what: Instrument, kind: str) -> None:
        self.session = session
        self.request_id = request_id
        self.what: Tradable = what
        self.kind = kind
        self._instrument = what
        self._midpoint: float | None = None

    def next_due(self, now: int) -> int | None:
        """Return when it has something to say after `now`; None if never."""
        return self.session.gateway.market.next_slot(self._instrument, now)

    def say(self, now: int) -> None:
        """Say the trades, or the quote, of the slot."""
        market, what = self.session.gateway.market, self._instrument
        if not market.is_open(what, now):
            return
        found = market.latest(what, now)
        if found is None:
            return
        day, slot = found
        seconds = int(day.starts[slot]) // SECOND
        about, send = self.request_id, self.session.send
        if self.kind in {"Last", "AllLast"}:
            kind = 1 if self.kind == "Last" else 2
            for trade in day.trades(slot):
                price, size = what.quote(trade.price), Decimal(trade.size)
                send(m.TickByTickTrade(about, kind, seconds, price, size, 0, what.exchange, ""))
            return
        quote = day.quote(slot)
        if self.kind == "BidAsk":
            low, high = past_limits(day, slot)
            bid, ask = what.quote(quote.bid), what.quote(quote.ask)
            sizes = Decimal(quote.bid_size), Decimal(quote.ask_size)
            send(m.TickByTickQuote(about, seconds, bid, ask, *sizes, low | high << 1))
        elif quote.mark != self._midpoint:
            self._midpoint = quote.mark
            send(m.TickByTickMidpoint(about, seconds, what.quote(quote.mark)))


class RealTimeBars:
    """Bars of five seconds, each when it is complete."""

    def __init__(
        self, session: Session, request_id: int, what: Instrument, show: Show, *, use_rth: bool
    ) -> None:
        self.session = session
        self.request_id = request_id
        self.what: Tradable = what
        self.show = show
        self.use_rth = use_rth
        self._instrument = what

    def next_due(self, now: int) -> int | None:
        """Return when it has something to say after `now`; None if never."""
        at = self.session.gateway.market.next_slot(self._instrument, now - SLOT_NS)
        return None if at is None else at + SLOT_NS

    def say(self, now: int) -> None:
        """Say the bar that ends now."""
        gateway, what = self.session.gateway, self._instrument
        start = now - SLOT_NS
        found = gateway.market.latest(what, start)
        session = what.hours.at(start)
        if session is None or found is None or not gateway.market.is_open(what, start):
            return
        minute = start // (SLOT_NS * 12)
        if self.use_rth and not any(a <= minute < b for a, b in what.hours.liquid(session)):
            return
        day, slot = found
        quote = day.quote(slot)
        volume, count, price = Decimal(-1), -1, float(quote.mark)
        if self.show is Show.TRADES:
            trades = day.trades(slot)
            volume, count = Decimal(sum(trade.size for trade in trades)), len(trades)
            price = float(quote.bid if quote.last is None else quote.last)
        elif self.show is not Show.MIDPOINT:
            price = float(quote.bid if self.show is Show.BID else quote.ask)
        level = what.quote(price)
        average = level if count >= 0 else -1.0
        self.session.send(
            m.RealTimeBar(
                self.request_id, start // SECOND, level, level, level, level, volume, average, count
            )
        )


def wire_bar(what: Instrument, row: BarRow, date: str) -> m.Bar:
    """Return a bar as it is sent."""
    quote = what.quote
    average = -1.0 if row.volume < 0 else round(quote(row.average), 6)
    return m.Bar(
        date, quote(row.open), quote(row.high), quote(row.low), quote(row.close),
        Decimal(row.volume), average, row.count,
    )  # fmt: skip


def bar_date(what: Instrument, row: BarRow, size: BarSize, format_date: int) -> str:
    """Return when a bar is, as it is sent: its date, or the start of an intraday bar."""
    if size.seconds is None:
        return f"{row.day:%Y%m%d}"
    if format_date == 2:
        return str(row.start // SECOND)
    zone = what.hours.zone
    local = dt.datetime.fromtimestamp(row.start // SECOND, zone)
    return f"{local:%Y%m%d %H:%M:%S} {ib_zone(zone.key)}"


class KeptBars:
    """Bars that are kept up to date: the forming one again at every slot that changes it."""

    def __init__(  # noqa: PLR0913 - one parameter a choice of the request
        self,
        session: Session,
        request_id: int,
        what: Instrument,
        size: BarSize,
        show: Show,
        *,
        use_rth: bool,
        format_date: int,
    ) -> None:
        self.session = session
        self.request_id = request_id
        self.what: Tradable = what
        self.size = size
        self.show = show
        self.use_rth = use_rth
        self.format_date = format_date
        self._instrument = what
        self._last: BarRow | None = None

    def next_due(self, now: int) -> int | None:
        """Return when it has something to say after `now`; None if never."""
        return self.session.gateway.market.next_slot(self._instrument, now)

    def say(self, now: int) -> None:
        """Say the forming bar."""
        row = self.forming(now)
        if row is None or row == self._last:
            return
        self._last = row
        date = bar_date(self._instrument, row, self.size, self.format_date)
        self.session.send(
            m.HistoricalBarUpdate(self.request_id, wire_bar(self._instrument, row, date))
        )

    def forming(self, now: int) -> BarRow | None:
        """Return the bar that the present slot belongs to, None outside trading hours."""
        gateway, what = self.session.gateway, self._instrument
        session = what.hours.at(now)
        if session is None or what.is_expired(now):
            return None
        return gateway.bars.latest(
            what, session, self.size, self.show, until=now, use_rth=self.use_rth
        )
