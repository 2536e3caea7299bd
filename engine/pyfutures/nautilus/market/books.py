"""The order book of a contract, from IB's rows to levels.

IB names rows by their place: insert, change, delete. nautilus_trader names levels by their price.
So the rows are kept here, and what differs between the levels before and after a batch is told. The
rows of one read of the socket are one batch: between them a book may be crossed.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from nautilus_trader.model.data import (
    BookOrder,
    OrderBookDelta,
    OrderBookDeltas,
    OrderBookDepth10,
)
from nautilus_trader.model.enums import BookAction, OrderSide, RecordFlag

from pyfutures.ib.market import DepthReset

if TYPE_CHECKING:
    from pyfutures.ib.messages.depth import MarketDepth, MarketDepthL2
    from pyfutures.nautilus.market.values import MarketValues

    type DepthChange = MarketDepth | MarketDepthL2 | DepthReset
    type Levels = dict[float, Decimal]

__all__ = ["Book", "BookError"]

_ASK, _BID = 0, 1
_INSERT, _UPDATE, _DELETE = 0, 1, 2
_SIDES: Final = {_ASK: OrderSide.SELL, _BID: OrderSide.BUY}
_ROWS_MOST: Final = 200
_TEN: Final = 10


class BookError(ValueError):
    """A change of a row that is not there: something was missed, so the book must begin anew."""


class Book:
    """The rows of one order book.

    Parameters
    ----------
    values
        Makes prices and sizes of the instrument.

    """

    def __init__(self, values: MarketValues) -> None:
        self._values = values
        self._rows: dict[int, list[tuple[float, Decimal]]] = {_ASK: [], _BID: []}
        self._told: dict[int, Levels] = {_ASK: {}, _BID: {}}
        self._is_new = True
        self._sequence = 0

    def change(self, change: DepthChange) -> None:
        """Take a change.

        Raises
        ------
        BookError
            For a change of a row that is not there.
        """
        if isinstance(change, DepthReset):
            self._rows = {_ASK: [], _BID: []}
            self._is_new = True
            return
        rows, place = self._rows.get(change.side), change.position
        if rows is None or not 0 <= place <= _ROWS_MOST:
            raise BookError(f"{self._values.id}: no such row: {change}")
        row = (change.price, change.size)
        if change.operation == _INSERT and place <= len(rows):
            rows.insert(place, row)
        elif change.operation == _UPDATE and place < len(rows):
            rows[place] = row
        elif change.operation == _UPDATE and place == len(rows):
            rows.append(row)  # gateways fill a book by updates as well
        elif change.operation == _DELETE and place < len(rows):
            del rows[place]
        else:
            raise BookError(f"{self._values.id}: row {place} of {len(rows)}: {change}")

    def _levels(self, side: int) -> Levels:
        levels: Levels = {}
        for price, size in self._rows[side]:
            if size > 0:
                levels[price] = levels.get(price, Decimal(0)) + size
        return levels

    def deltas(self, ts_ns: int) -> OrderBookDeltas | None:
        """Return what changed since the last call; None if nothing did.

        A book that is new begins with a clear, and is a snapshot.
        """
        found: list[tuple[BookAction, BookOrder | None]] = []
        if self._is_new:
            self._told = {_ASK: {}, _BID: {}}
            found.append((BookAction.CLEAR, None))
        for side in (_BID, _ASK):
            before, after = self._told[side], self._levels(side)
            found += [
                (BookAction.DELETE, self._order(side, price, Decimal(0)))
                for price in before
                if price not in after
            ]
            for price, size in after.items():
                if price not in before:
                    found.append((BookAction.ADD, self._order(side, price, size)))
                elif before[price] != size:
                    found.append((BookAction.UPDATE, self._order(side, price, size)))
            self._told[side] = after
        flags = RecordFlag.F_SNAPSHOT if self._is_new else 0
        self._is_new = False
        if not found:
            return None
        last = len(found) - 1
        made = []
        for number, (action, order) in enumerate(found):
            self._sequence += 1
            flag = int(flags) | (int(RecordFlag.F_LAST) if number == last else 0)
            made.append(
                OrderBookDelta(self._values.id, action, order, flag, self._sequence, ts_ns, ts_ns)
            )
        return OrderBookDeltas(self._values.id, made)

    def depth(self, ts_ns: int) -> OrderBookDepth10:
        """Return the best ten levels of both sides."""
        sides = []
        for side in (_BID, _ASK):
            levels = sorted(self._levels(side).items(), reverse=side == _BID)[:_TEN]
            orders = [self._order(side, price, size) for price, size in levels]
            none = BookOrder(
                OrderSide.NO_ORDER_SIDE, self._values.prices[0.0], self._values.sizes[_ZERO], 0
            )
            counts = [1] * len(orders) + [0] * (_TEN - len(orders))
            sides.append((orders + [none] * (_TEN - len(orders)), counts))
        (bids, bid_counts), (asks, ask_counts) = sides
        self._sequence += 1
        return OrderBookDepth10(
            self._values.id,
            bids,
            asks,
            bid_counts,
            ask_counts,
            int(RecordFlag.F_LAST),
            self._sequence,
            ts_ns,
            ts_ns,
        )

    def _order(self, side: int, price: float, size: Decimal) -> BookOrder:
        values = self._values
        return BookOrder(_SIDES[side], values.prices[price], values.sizes[size], 0)


_ZERO: Final = Decimal(0)
