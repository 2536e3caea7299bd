"""Bars, books and hours without a node: tables, and laws."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nautilus_trader.model.book import OrderBook
from nautilus_trader.model.data import BarType
from nautilus_trader.model.enums import BookAction, BookType, MarketStatusAction
from nautilus_trader.model.identifiers import InstrumentId

from pyfutures.chain import Catalog
from pyfutures.download.windows import TradingTimes
from pyfutures.ib.market import DepthReset
from pyfutures.ib.messages.contracts import Contract, ContractDetails
from pyfutures.ib.messages.depth import MarketDepth
from pyfutures.ib.messages.history import Bar, HistoricalTrade
from pyfutures.ib.messages.market import TickByTickQuote
from pyfutures.ib.times import BarSize
from pyfutures.months import ContractMonth
from pyfutures.nautilus.config import BarStamp
from pyfutures.nautilus.contracts.listings import Listing
from pyfutures.nautilus.instruments import futures_contract
from pyfutures.nautilus.market.bar_forms import BarTimes, UnsupportedBarError, bar_form
from pyfutures.nautilus.market.books import Book, BookError
from pyfutures.nautilus.market.statuses import Statuses
from pyfutures.nautilus.market.trading_hours import TradingHours, TradingHoursBook
from pyfutures.nautilus.market.values import BarValues, MarketValues, TradeIds
from pyfutures.nautilus.prices import PriceScale

NS = 10**9
CATALOG = Catalog.load(roots=["ES", "ZC", "FDAX", "HSI"])
PLAIN = PriceScale(1, 2, Decimal("0.25"), Decimal(50))
CENTS = PriceScale(100, 4, Decimal("0.0025"), Decimal(5000))


def utc(*numbers):
    return dt.datetime(*numbers, tzinfo=dt.UTC)


def listing(root="ES", month="2025U", *, scale=PLAIN, details=None, chains=True):
    chain = CATALOG[root]
    when = ContractMonth.parse(month)
    contract = Contract(con_id=1, symbol=root, sec_type="FUT", exchange="CME")
    return Listing(
        futures_contract(chain, when), contract, details, (chain,) if chains else (), when, scale
    )


def broker(text, zone="US/Central"):
    contract = Contract(con_id=1, symbol="ES", sec_type="FUT", exchange="CME")
    return ContractDetails(
        request_id=0, contract=contract, trading_hours=text, liquid_hours=text, time_zone=zone
    )


def times(root="ES", **more):
    one = listing(root, **more)
    return BarTimes(one, TradingHoursBook().of(one))


@pytest.mark.parametrize(
    ("words", "size", "show"),
    [
        ("5-SECOND-LAST", "5 secs", "TRADES"),
        ("30-SECOND-BID", "30 secs", "BID"),
        ("1-MINUTE-ASK", "1 min", "ASK"),
        ("20-MINUTE-MID", "20 mins", "MIDPOINT"),
        ("8-HOUR-LAST", "8 hours", "TRADES"),
        ("1-DAY-LAST", "1 day", "TRADES"),
    ],
)
def test_bar_types_in_the_words_of_ib(words, size, show):
    form = bar_form(BarType.from_str(f"ESU25.XCME-{words}-EXTERNAL"), live=True)
    assert (form.size, form.show) == (size, show)


@pytest.mark.parametrize("words", ["6-MINUTE-LAST", "1-WEEK-LAST", "100-TICK-LAST", "1-DAY-MARK"])
def test_other_bars_are_refused(words):
    with pytest.raises(UnsupportedBarError, match="IB has bars of"):
        bar_form(BarType.from_str(f"ESU25.XCME-{words}-EXTERNAL"), live=False)


def test_one_second_is_of_the_past_only():
    kind = BarType.from_str("ESU25.XCME-1-SECOND-LAST-EXTERNAL")
    assert bar_form(kind, live=False).size is BarSize.SECOND_1
    with pytest.raises(UnsupportedBarError, match="of the past only"):
        bar_form(kind, live=True)
    with pytest.raises(UnsupportedBarError, match="EXTERNAL"):
        bar_form(BarType.from_str("ESU25.XCME-1-MINUTE-LAST-INTERNAL"), live=False)


@pytest.mark.parametrize(
    ("root", "start", "size", "close"),
    [
        ("ES", utc(2025, 7, 1, 14, 0), BarSize.MINUTE_1, utc(2025, 7, 1, 14, 1)),
        # Sessions of CME end at 16:00 in Chicago: 21:00 UTC in summer, 22:00 in winter.
        ("ES", utc(2025, 7, 1, 17, 0), BarSize.HOUR_4, utc(2025, 7, 1, 21, 0)),
        ("ES", utc(2025, 7, 1, 20, 59), BarSize.MINUTE_1, utc(2025, 7, 1, 21, 0)),
        ("ES", utc(2025, 1, 14, 21, 0), BarSize.HOUR_8, utc(2025, 1, 14, 22, 0)),
        # A session opens at 17:00; bars of four hours are cut at 20:00 in Chicago.
        ("ES", utc(2025, 7, 1, 22, 0), BarSize.HOUR_4, utc(2025, 7, 2, 1, 0)),
        # Clocks change on the Sunday between: 17:00 in Chicago is 23:00, then 22:00 UTC.
        ("ES", utc(2025, 3, 6, 23, 0), BarSize.HOUR_1, utc(2025, 3, 7, 0, 0)),
        ("ES", utc(2025, 3, 9, 22, 0), BarSize.HOUR_1, utc(2025, 3, 9, 23, 0)),
    ],
)
def test_intraday_bars_close_on_the_clock_or_where_trading_stops(root, start, size, close):
    date = str(int(start.timestamp()))
    assert times(root).close(date, size) == close


@pytest.mark.parametrize(
    ("date", "close"),
    [("20250701", utc(2025, 7, 1, 21)), ("20250114", utc(2025, 1, 14, 22)),
     ("20250307", utc(2025, 3, 7, 22)), ("20250310", utc(2025, 3, 10, 21))],
)  # fmt: skip
def test_daily_bars_close_with_their_session(date, close):
    assert times().close(date, BarSize.DAY_1) == close


def test_without_hours_a_daily_bar_has_no_time_and_the_broker_may_have_it():
    bare = times(chains=False)
    with pytest.raises(UnsupportedBarError, match="add `hours` to the spec"):
        bare.check(BarSize.DAY_1)
    told = times(chains=False, details=broker("20250630:1700-20250701:1600"))
    assert told.close("20250701", BarSize.DAY_1) == utc(2025, 7, 1, 21)
    assert told.close(str(int(utc(2025, 7, 1, 17).timestamp())), BarSize.HOUR_8) == utc(
        2025, 7, 1, 21
    )


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["ES", "ZC", "FDAX", "HSI"]),
    st.integers(0, 9 * 365 * 1440),  # minutes
    st.sampled_from([5, 30, 60, 180, 900, 1800, 3600, 14400, 28800]),
)
def test_bars_are_stamped_as_downloads_are(root, minute, seconds):
    start = utc(2018, 1, 1) + dt.timedelta(minutes=minute)
    size = next(size for size in BarSize if size.seconds == seconds)
    found = _TIMES[root].close(str(int(start.timestamp())), size)
    assert found == _SPECS[root].bar_end(start, seconds)


_TIMES = {root: times(root) for root in ("ES", "ZC", "FDAX", "HSI")}
_SPECS = {root: TradingTimes(CATALOG[root]) for root in ("ES", "ZC", "FDAX", "HSI")}


def test_bars_in_currency_with_the_stamp_that_was_chosen():
    one = listing("ZC", "2025Z", scale=CENTS)
    kind = BarType.from_str(f"{one.id}-1-MINUTE-LAST-EXTERNAL")
    start = utc(2025, 7, 1, 14, 0)
    told = Bar(str(int(start.timestamp())), 450.25, 451.0, 450.0, 450.5, Decimal(7), 450.4, 3)
    made = {}
    for stamp in BarStamp:
        values = BarValues(
            kind, BarSize.MINUTE_1, values=MarketValues(one),
            times=BarTimes(one, TradingHoursBook().of(one)), stamp=stamp,
        )  # fmt: skip
        made[stamp] = values.bar(told)
    # Corn at 450 1/4 cents a bushel is 4.5025 dollars.
    bar = made[BarStamp.CLOSE]
    assert [str(x) for x in (bar.open, bar.high, bar.low, bar.close, bar.volume)] == [
        "4.5025", "4.5100", "4.5000", "4.5050", "7",
    ]  # fmt: skip
    close = int(start.timestamp() + 60) * NS
    assert (bar.ts_event, bar.ts_init) == (close, close)
    assert (made[BarStamp.OPEN].ts_event, made[BarStamp.OPEN].ts_init) == (close - 60 * NS, close)


def test_quotes_and_trades_without_a_side_or_a_size_are_none():
    values, ids = MarketValues(listing()), TradeIds()
    one, none = Decimal(1), Decimal(0)
    assert values.quote(TickByTickQuote(1, 7, -1.0, 5.0, none, one, 0), 9) is None
    negative = values.quote(TickByTickQuote(1, 7, -1.0, 5.0, one, one, 0), 9)
    assert (str(negative.bid_price), negative.ts_event, negative.ts_init) == ("-1.00", 7 * NS, 9)
    trades = [
        values.trade(HistoricalTrade(second, 0, 5.0, size, "CME", ""), ids, 0)
        for second, size in ((7, one), (7, none), (7, one), (8, one))
    ]
    assert [trade and str(trade.trade_id) for trade in trades] == ["7-0", None, "7-2", "8-0"]
    with pytest.raises(ValueError, match="whole contracts"):
        values.sizes[Decimal("1.5")]


# Books.

ASK, BID = 0, 1
INSERT, UPDATE, DELETE = 0, 1, 2


def row(place, operation, side, price, size):
    return MarketDepth(1, place, operation, side, price, Decimal(size))


def test_a_book_begins_with_a_clear_and_tells_levels_not_rows():
    book = Book(MarketValues(listing()))
    for one in (row(0, INSERT, BID, 10.0, 5), row(1, INSERT, BID, 9.75, 3),
                row(0, INSERT, ASK, 10.25, 4)):  # fmt: skip
        book.change(one)
    first = [(d.action, str(d.order.price), int(d.order.size)) for d in book.deltas(1).deltas]
    assert first == [
        (BookAction.CLEAR, "0", 0), (BookAction.ADD, "10.00", 5), (BookAction.ADD, "9.75", 3),
        (BookAction.ADD, "10.25", 4),
    ]  # fmt: skip
    assert book.deltas(2) is None
    # The best bid moves up a tick: rows shift, levels hardly change.
    for one in (row(0, INSERT, BID, 10.25, 1), row(2, DELETE, BID, 0.0, 0),
                row(0, DELETE, ASK, 0.0, 0), row(0, UPDATE, ASK, 10.5, 2)):  # fmt: skip
        book.change(one)
    second = [(d.action, str(d.order.price), int(d.order.size)) for d in book.deltas(3).deltas]
    assert second == [
        (BookAction.DELETE, "9.75", 0), (BookAction.ADD, "10.25", 1),
        (BookAction.DELETE, "10.25", 0), (BookAction.ADD, "10.50", 2),
    ]  # fmt: skip
    book.change(DepthReset())
    assert [d.action for d in book.deltas(4).deltas] == [BookAction.CLEAR]


@pytest.mark.parametrize(
    "change",
    [row(1, INSERT, BID, 1.0, 1), row(0, DELETE, BID, 1.0, 1), row(2, UPDATE, ASK, 1.0, 1),
     row(-1, INSERT, BID, 1.0, 1), row(0, 7, BID, 1.0, 1), row(0, INSERT, 3, 1.0, 1)],
)  # fmt: skip
def test_a_row_that_cannot_be_is_an_error(change):
    with pytest.raises(BookError):
        Book(MarketValues(listing())).change(change)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_deltas_build_the_book_that_the_rows_are(data):
    book, rows = Book(MarketValues(listing())), {ASK: [], BID: []}
    built = OrderBook(listing().id, BookType.L2_MBP)
    for _ in range(data.draw(st.integers(1, 5))):
        for _ in range(data.draw(st.integers(0, 8))):
            side = data.draw(st.sampled_from([ASK, BID]))
            have = rows[side]
            operation = data.draw(st.sampled_from([INSERT, UPDATE, DELETE] if have else [INSERT]))
            last = len(have) if operation == INSERT else len(have) - 1
            place = data.draw(st.integers(0, last))
            price = 100.0 + (data.draw(st.integers(1, 8)) * (0.25 if side == ASK else -0.25))
            size = data.draw(st.integers(1, 9))
            if operation == INSERT:
                have.insert(place, (price, size))
            elif operation == UPDATE:
                have[place] = (price, size)
            else:
                del have[place]
            book.change(row(place, operation, side, price, size))
        if data.draw(st.integers(0, 6)) == 0:
            book.change(DepthReset())
            rows = {ASK: [], BID: []}
        deltas = book.deltas(1)
        if deltas is not None:
            built.apply_deltas(deltas)
        for side, levels in ((ASK, built.asks()), (BID, built.bids())):
            wanted = {}
            for price, size in rows[side]:
                wanted[price] = wanted.get(price, 0) + size
            assert {float(x.price): x.size() for x in levels} == wanted
        depth = book.depth(2)
        told = [(float(x.price), int(x.size)) for x in depth.asks if x.size > 0]
        merged = {}
        for price, size in rows[ASK]:
            merged[price] = merged.get(price, 0) + size
        assert told == sorted(merged.items())[:10]


# Hours.


def test_the_broker_is_believed_for_the_days_that_it_tells_and_the_spec_for_others():
    # An early close on Thursday that no calendar knows, and Friday closed.
    text = "20250701:1700-20250702:1600;20250702:1700-20250703:1100;20250704:CLOSED"
    one = listing(details=broker(text))
    hours = TradingHoursBook().of(one)
    assert hours.stretch(utc(2025, 7, 3, 15, 59)) == (utc(2025, 7, 2, 22), utc(2025, 7, 3, 16))
    assert hours.stretch(utc(2025, 7, 3, 16, 0)) is None
    assert hours.stretch(utc(2025, 7, 4, 15, 0)) is None
    assert hours.closed(utc(2025, 7, 4, 0, 0)) == utc(2025, 7, 3, 16)
    assert hours.opens(utc(2025, 7, 3, 17, 0)) == utc(2025, 7, 6, 22)  # Sunday, by the spec
    assert hours.stretch(utc(2025, 7, 8, 15, 0)) == (utc(2025, 7, 7, 22), utc(2025, 7, 8, 21))
    # Bars are cut by the spec, whoever asks when.
    assert hours.planned(utc(2025, 7, 8, 15, 0)) == (utc(2025, 7, 7, 22), utc(2025, 7, 8, 21))


def test_nobody_tells():
    hours = TradingHours(listing(chains=False), None)
    assert not hours.are_known
    assert hours.stretch(utc(2025, 7, 1)) is None
    assert hours.opens(utc(2025, 7, 1)) is None
    assert hours.closed(utc(2025, 7, 1)) is None
    assert TradingHours(listing(chains=False, details=broker("rubbish")), None).opens(
        utc(2025, 7, 1)
    ) is None  # fmt: skip


def told_statuses(one, *moments, halts=()):
    given_out = []
    outlet = SimpleNamespace(now=0, give=given_out.append)
    statuses = Statuses(outlet)
    hours = TradingHoursBook().of(one)
    statuses.add(one, hours, moments[0])
    following = [statuses.review(moment) for moment in moments]
    return [(s.action, s.ts_event // NS) for s in given_out], following


def test_status_by_hours_with_breaks_and_the_end():
    # HSI: 09:15 to 12:00, 13:00 to 16:30 and 17:15 to 03:00 in Hong Kong (UTC+8), of which the
    # spec may know the sessions in another cut; here only that a break within one is a pause.
    one = listing("HSI", "2025U")
    hours = TradingHoursBook().of(one)
    moment, seen = utc(2025, 7, 2, 0, 0), []
    for _ in range(8):
        stretch = hours.stretch(moment)
        moment = hours.opens(moment) if stretch is None else stretch[1]
        seen.append(moment)
    actions, following = told_statuses(one, *seen)
    assert following[:-1] == seen[1:]
    assert {action for action, _ in actions} >= {MarketStatusAction.TRADING}
    spec = _SPECS["HSI"]
    for action, at in actions:
        moment = dt.datetime.fromtimestamp(at, dt.UTC)
        sessions = spec.between(moment.date() - dt.timedelta(2), moment.date() + dt.timedelta(2))
        ends = {b * 60: b == s.stretches[-1][1] for s in sessions for _, b in s.stretches}
        if action == MarketStatusAction.PAUSE:
            assert ends[at] is False
        elif action == MarketStatusAction.CLOSE:
            assert ends[at] is True


def test_after_its_last_trade_a_contract_is_not_available():
    one = listing("ES", "2025M")  # last trade 2025-06-20, 08:30 in Chicago
    last = utc(2025, 6, 20, 13, 30)
    actions, following = told_statuses(one, last - dt.timedelta(minutes=1), last)
    assert [action for action, _ in actions] == [
        MarketStatusAction.TRADING, MarketStatusAction.NOT_AVAILABLE_FOR_TRADING,
    ]  # fmt: skip
    assert following == [last, None]


def test_an_id_of_nothing_is_of_no_status():
    statuses = Statuses(SimpleNamespace(now=0, give=None))
    statuses.halt(InstrumentId.from_str("X.Y"), utc(2025, 1, 1), is_halted=True)
    assert statuses.review(utc(2025, 1, 1)) is None
