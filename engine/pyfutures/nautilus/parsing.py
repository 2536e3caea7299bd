"""Between nautilus' values and ours, without rounding.

Our prices are integers in units of 1e-9. A nautilus price is an integer too, with nine or sixteen
decimals according to the build; floats have no part in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nautilus_trader.model.data import Bar as NativeBar
from nautilus_trader.model.objects import FIXED_PRECISION, Price, Quantity

from pyfutures.continuous.bars import Bar

if TYPE_CHECKING:
    from nautilus_trader.model.data import BarType

    from pyfutures.months import ContractMonth

__all__ = ["bar_from_native", "bar_to_native", "price_from_native", "price_to_native"]

_DECIMALS: Final = 9
_RAW: Final = 10**FIXED_PRECISION
_RAW_PER_UNIT: Final = 10 ** (FIXED_PRECISION - _DECIMALS)


def price_from_native(price: Price) -> int:
    """Return a price in units of 1e-9.

    Raises
    ------
    ValueError
        If it has more than nine decimals.
    """
    units, rest = divmod(int(price.raw), _RAW_PER_UNIT)
    if rest:
        msg = f"price {price} has more than {_DECIMALS} decimals: pyfutures keeps {_DECIMALS}"
        raise ValueError(msg)
    return int(units)


def price_to_native(units: int, precision: int) -> Price:
    """Return a nautilus price with `precision` decimals.

    Raises
    ------
    ValueError
        If the price does not fit that many decimals.
    """
    if precision > _DECIMALS or units % 10 ** (_DECIMALS - precision):
        msg = f"price {units} x 1e-9 does not fit {precision} decimals"
        raise ValueError(msg)
    return Price.from_raw(units * _RAW_PER_UNIT, precision)


def bar_from_native(bar: NativeBar, month: ContractMonth) -> Bar:
    """Return a bar of the roll machine; its timestamp is the native bar's `ts_event`.

    Raises
    ------
    ValueError
        If a price has more than nine decimals.
    """
    return Bar(
        month=month,
        ts=int(bar.ts_event),
        open=price_from_native(bar.open),
        high=price_from_native(bar.high),
        low=price_from_native(bar.low),
        close=price_from_native(bar.close),
        # Not as_double(): it gives 1000465.0000000001 for 1000465.
        volume=int(bar.volume.raw) / _RAW,
    )


def bar_to_native(bar: Bar, bar_type: BarType, precision: int) -> NativeBar:
    """Return a native bar that arrives at its close.

    Raises
    ------
    ValueError
        If a price or the volume is missing, which a native bar cannot say, a price does not fit
        `precision` decimals, or the volume is not a whole number.
    """
    prices = []
    for units in (bar.open, bar.high, bar.low, bar.close):
        if units is None:
            msg = f"bar of {bar.month} at {bar.ts}: a native bar has no missing price"
            raise ValueError(msg)
        prices.append(price_to_native(units, precision))
    if not bar.volume.is_integer():
        msg = f"bar of {bar.month} at {bar.ts}: volume {bar.volume} is not a whole number"
        raise ValueError(msg)
    volume = Quantity.from_raw(int(bar.volume) * _RAW, 0)
    return NativeBar(bar_type, *prices, volume, bar.ts, bar.ts)
