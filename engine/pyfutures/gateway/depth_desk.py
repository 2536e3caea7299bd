"""Answers about order books: rows around the quote, told as gateways tell them, by place.

The best row is the quote with its size; behind it there is a row at every tick, with a size that
depends on price and time alone. Rows are inserted and deleted as the quote moves, and changed where
only a size does.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from pyfutures.gateway.contract_desk import resolve
from pyfutures.gateway.contracts import Instrument
from pyfutures.gateway.data_desk import is_permitted
from pyfutures.gateway.feeds import Feed
from pyfutures.gateway.market import SLOT_NS
from pyfutures.gateway.session import Session, handles
from pyfutures.ib import messages as m
from pyfutures.ib.codes import CODES

if TYPE_CHECKING:
    from pyfutures.gateway.spreads import Tradable

__all__ = ["DepthStream"]

_MOST: Final = 3  # books at a time, as logins without more market data lines have
_ROWS_MOST: Final = 60
_NO_GROUP: Final = 2_147_483_647  # IB's unset integer
_ASK, _BID = 0, 1
_INSERT, _UPDATE, _DELETE = 0, 1, 2

type _Rows = list[tuple[int, int]]


class DepthStream:
    """A subscription to an order book.

    Parameters
    ----------
    session, request_id, what
        Whose, under which id, of what.
    rows
        How many of each side.

    """

    def __init__(self, session: Session, request_id: int, what: Instrument, rows: int) -> None:
        self.session = session
        self.request_id = request_id
        self.what: Tradable = what
        self.rows = rows
        self._said: dict[int, _Rows] = {_ASK: [], _BID: []}

    def next_due(self, now: int) -> int | None:
        """Return when it has something to say after `now`; None if never."""
        return self.session.gateway.prices.next_slot(self.what, now)

    def say(self, now: int) -> None:
        """Say what changed."""
        for side in (_BID, _ASK):
            self._change(side, self.book(side, now))

    def book(self, side: int, now: int) -> list[tuple[int, int]]:
        """Return the rows of a side as price in ticks and size, the best one first."""
        prices = self.session.gateway.prices
        quote = prices.quote(self.what, now)
        if quote is None or not prices.is_open(self.what, now):
            return []
        best, size = (quote.bid, quote.bid_size) if side == _BID else (quote.ask, quote.ask_size)
        step = -1 if side == _BID else 1
        slot = now // SLOT_NS
        behind = (best + step * n for n in range(1, self.rows))
        return [(best, size), *((at, 10 + (at * 7919 + slot // 4) % 90) for at in behind)]

    def _change(self, side: int, rows: _Rows) -> None:
        said = self._said[side]
        wanted = {price for price, _ in rows}
        for place in range(len(said) - 1, -1, -1):
            if said[place][0] not in wanted:
                self._send(place, _DELETE, side, said.pop(place))
        for place, row in enumerate(rows):
            if place >= len(said) or said[place][0] != row[0]:
                said.insert(place, row)
                self._send(place, _INSERT, side, row)
            elif said[place] != row:
                said[place] = row
                self._send(place, _UPDATE, side, row)

    def _send(self, place: int, operation: int, side: int, row: tuple[int, int]) -> None:
        price, size = row
        gone = operation == _DELETE
        self.session.send(
            m.MarketDepth(
                self.request_id, place, operation, side,
                0.0 if gone else self.what.quote(price), Decimal(0 if gone else size),
            )
        )  # fmt: skip


@handles(m.RequestMarketDepth)
def _depth(session: Session, request: m.RequestMarketDepth) -> None:
    gateway, about = session.gateway, request.request_id
    if not gateway.line.up:
        return
    if gateway.feeds.has(session, about):
        session.error(about, 102)
        return
    what = resolve(session, about, request.contract, "cB")
    if what is None:
        return
    if not isinstance(what, Instrument) or not is_permitted(session, what):
        session.error(about, 354, CODES[354].text.format(""))
        return
    if gateway.feeds.count(session, Feed.DEPTH) >= _MOST:
        session.error(about, 309, f"Max number ({_MOST}) of market depth requests has been reached")
        return
    stream = DepthStream(session, about, what, max(1, min(request.rows, _ROWS_MOST)))
    stream.say(gateway.timeline.now)
    gateway.feeds.add(Feed.DEPTH, stream)


@handles(m.CancelMarketDepth)
def _cancel_depth(session: Session, request: m.CancelMarketDepth) -> None:
    if not session.gateway.feeds.end(session, Feed.DEPTH, request.request_id):
        text = f"Can't find the subscribed market depth with tickerId:{request.request_id}"
        session.error(request.request_id, 310, text)


@handles(m.RequestDepthExchanges)
def _exchanges(session: Session, _: m.RequestDepthExchanges) -> None:
    names = sorted({item.exchange for item in session.gateway.universe.instruments()})
    session.send(
        m.DepthExchanges(
            tuple(m.DepthExchange(name, "FUT", "", "Deep", _NO_GROUP) for name in names)
        )
    )
