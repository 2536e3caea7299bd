"""A continuous series as plain bars of nautilus, under two ids of the root.

``ES_UNADJUSTED.XCME`` has the prices of the current month as they were, ``ES_FORWARD_SPREAD.XCME``
the same less the sum of the gaps of all rolls before: neither is ever rewritten, so that any
strategy and indicator can subscribe to them as to bars of a contract. No order has these prices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from nautilus_trader.model.data import Bar as NativeBar
from nautilus_trader.model.data import BarType
from nautilus_trader.model.objects import FIXED_PRECISION, Price, Quantity

if TYPE_CHECKING:
    from pyfutures.chain import Chain
    from pyfutures.continuous.bars import ContinuousBar

__all__ = ["CONTINUOUS", "FORWARD_SPREAD", "UNADJUSTED", "RootBars", "root_bar_type"]

CONTINUOUS: Final = "CONTINUOUS"
UNADJUSTED: Final = "UNADJUSTED"
FORWARD_SPREAD: Final = "FORWARD_SPREAD"
_MOST: Final = 9  # decimals of our prices
_RAW: Final = 10**FIXED_PRECISION
_RAW_PER_UNIT: Final = 10 ** (FIXED_PRECISION - _MOST)


def root_bar_type(series: str, kind: str, venue: str, bar_spec: str) -> BarType:
    """Return the bar type of a series, ``ES_UNADJUSTED.XCME-1-DAY-LAST-EXTERNAL``.

    Parameters
    ----------
    series
        Name of the series, the root if it has no other.
    kind
        `CONTINUOUS`, `UNADJUSTED` or `FORWARD_SPREAD`.
    venue
        Venue of the contracts.
    bar_spec
        Bars as nautilus writes them after the instrument.
    """
    return BarType.from_str(f"{series}_{kind}.{venue}-{bar_spec}")


class RootBars:
    """Makes the plain bars of a series.

    Parameters
    ----------
    chain
        The root; the finest tick that it ever had says how many decimals the prices have.
    series, venue, bar_spec
        As for `root_bar_type`.

    Attributes
    ----------
    missing : int
        Bars that could not be made, since a price or the volume was missing.

    """

    def __init__(self, chain: Chain, series: str, *, venue: str, bar_spec: str) -> None:
        self._unadjusted = root_bar_type(series, UNADJUSTED, venue, bar_spec)
        self._forward = root_bar_type(series, FORWARD_SPREAD, venue, bar_spec)
        ticks = [tick.normalize() for tick in chain.spec.tick.values]
        exponents = [-int(tick.as_tuple().exponent) for tick in ticks]
        self._precision = min(_MOST, max(0, *exponents)) if exponents else _MOST
        self._step: int = 10 ** (_MOST - self._precision)
        self.missing = 0

    def made(self, bar: ContinuousBar, ts_init: int) -> tuple[NativeBar, ...]:
        """Return the two bars; none where a price or the volume is missing.

        Prices finer than the tick (settlements may be) keep their decimals.
        """
        current, C = bar.current, bar.C  # noqa: N806 - as the series calls it
        prices = (current.open, current.high, current.low, current.close)
        if None in prices or not current.volume.is_integer():
            self.missing += 1
            return ()
        known = cast("tuple[int, int, int, int]", prices)
        precision, step = self._precision, self._step
        while C % step or any(price % step for price in known):
            precision, step = precision + 1, step // 10
        volume = Quantity.from_raw(int(current.volume) * _RAW, 0)
        ts = bar.ts
        return (
            NativeBar(
                self._unadjusted,
                *(Price.from_raw(price * _RAW_PER_UNIT, precision) for price in known),
                volume, ts, ts_init,
            ),
            NativeBar(
                self._forward,
                *(Price.from_raw((price - C) * _RAW_PER_UNIT, precision) for price in known),
                volume, ts, ts_init,
            ),
        )  # fmt: skip
