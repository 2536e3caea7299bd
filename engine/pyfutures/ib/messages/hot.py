"""Decoders by hand for the messages that come by the thousand.

Rules of this file. Each function reads the same layout as the tables do, without walking them; a test
holds the two against each other, on good messages and on mutated ones. Plain calls on plain fields: no
loop but over items, no copy of the list. What goes wrong is an IndexError, a ValueError or an
ArithmeticError, which `codec.py` turns into a `MessageError`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from pyfutures.ib.fields import BOOL, DECIMAL, DECIMAL_OR_NONE, FLOAT, FLOAT_OR_NONE, INT, MARGIN
from pyfutures.ib.messages.contracts import Contract
from pyfutures.ib.messages.history import (
    Bar,
    HistoricalBars,
    HistoricalBarUpdate,
    HistoricalMidpoint,
    HistoricalMidpoints,
    HistoricalQuote,
    HistoricalQuotes,
    HistoricalTrade,
    HistoricalTrades,
)
from pyfutures.ib.messages.market import (
    RealTimeBar,
    TickByTickMidpoint,
    TickByTickQuote,
    TickByTickTrade,
    TickPrice,
    TickSize,
    TickString,
)
from pyfutures.ib.messages.orders import Execution, ExecutionDetails, OrderStatus
from pyfutures.ib.fields import unescape
from pyfutures.ib import versions as sv

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyfutures.ib.messages.base import Response

    type Fields = list[str]

__all__ = ["hot_decoders"]

_int = INT.read
_float = FLOAT.read
_decimal = DECIMAL.read
_bool = BOOL.read


def _bars(f: Fields, at: int) -> tuple[Bar, ...]:
    count = _int(f[at])
    first, last = at + 1, at + 1 + 8 * count
    if count < 0 or last > len(f):
        raise IndexError(f"{count} bars announced, {len(f) - first} fields left")
    return tuple(
        map(
            Bar,
            f[first:last:8],
            map(_float, f[first + 1 : last : 8]),
            map(_float, f[first + 2 : last : 8]),
            map(_float, f[first + 3 : last : 8]),
            map(_float, f[first + 4 : last : 8]),
            map(_decimal, f[first + 5 : last : 8]),
            map(_decimal, f[first + 6 : last : 8]),
            map(_int, f[first + 7 : last : 8]),
        )
    )


def historical_bars(f: Fields) -> HistoricalBars:
    """Return the bars of a message below version 196."""
    return HistoricalBars(_int(f[1]), _bars(f, 4), f[2], f[3])


def historical_bars_196(f: Fields) -> HistoricalBars:
    """Return the bars of a message from version 196."""
    return HistoricalBars(_int(f[1]), _bars(f, 2))


def historical_bar_update(f: Fields) -> HistoricalBarUpdate:
    """Return the bar; open, close, high, low, average, volume is the order here."""
    return HistoricalBarUpdate(
        _int(f[1]),
        Bar(
            f[3], _float(f[4]), _float(f[6]), _float(f[7]), _float(f[5]), _decimal(f[9]),
            _decimal(f[8]), _int(f[2]),
        ),
    )  # fmt: skip
