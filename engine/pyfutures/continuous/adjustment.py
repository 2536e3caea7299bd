"""Adjusted prices as views on what a continuous bar stores.

With C_k and R_k the sum of gaps and the product of ratios of the rolls before segment k, and the
newest segment called now:

    backward_spread   price + (C_now - C_k)      backward_ratio   price * (R_now / R_k)
    forward_spread    price - C_k                forward_ratio    price / R_k

So a roll rewrites nothing that is stored or published; only a backward view has an anchor that
moves, and it says which month it is anchored at. Spreads are exact on integers. Ratios need
positive legs: where a roll has another one, its ratio is nan, and a view that needs it refuses.
Values are rounded half to even to 1e-9, the same in scalars and arrays.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self, assert_never

import numpy as np

from pyfutures.continuous.bars import (
    NO_PRICE,
    PRICE_SCALE,
    Bar,
    ContinuousBar,
    Roll,
    instant,
    price_text,
)
from pyfutures.continuous.shifts import add_units, multiply_units

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pyfutures.months import ContractMonth


class Adjustment(StrEnum):
    """How prices of different months are made comparable; named as nautilus_trader names them."""

    BACKWARD_SPREAD = "backward_spread"
    FORWARD_SPREAD = "forward_spread"
    BACKWARD_RATIO = "backward_ratio"
    FORWARD_RATIO = "forward_ratio"

    @property
    def is_ratio(self) -> bool:
        """Whether prices are multiplied, not shifted."""
        return self in {Adjustment.BACKWARD_RATIO, Adjustment.FORWARD_RATIO}

    @property
    def is_backward(self) -> bool:
        """Whether the newest month's prices are left as they are, not the oldest's."""
        return self in {Adjustment.BACKWARD_SPREAD, Adjustment.BACKWARD_RATIO}


class RatioError(ValueError):
    """A ratio view needs the ratio of a roll with a leg that is not positive."""


@dataclass(frozen=True, slots=True)
class View:
    """One adjustment with its anchor: the month whose prices it leaves as they are.

    Parameters
    ----------
    mode
        The adjustment.
    anchor
        The month of the anchor segment: the first of the series, or the newest.
    C, R
        Stored values of the anchor segment: 0 and 1 for the first.
    bad_roll
        The first roll without a ratio, if there is one; only named in errors.

    """

    mode: Adjustment
    anchor: ContractMonth
    C: int = 0
    R: float = 1.0
    bad_roll: Roll | None = None

    @classmethod
    def of(cls, mode: Adjustment, rolls: Sequence[Roll], *, first: ContractMonth) -> Self:
        """View of the series that starts with `first` and made `rolls`, anchored by its mode.

        Raises
        ------
        RatioError
            If a backward ratio would need the ratio of a roll with a leg that is not positive.

        """
        bad = next((roll for roll in rolls if math.isnan(roll.ratio)), None)
        if not mode.is_backward or not rolls:
            return cls(mode, first, bad_roll=bad)
        now = rolls[-1]
        view = cls(mode, now.new, now.C, now.R, bad)
        if mode.is_ratio and math.isnan(now.R):
            raise view.refusal()
        return view

    def price(self, price: int | None, c_k: int, r_k: float) -> int | None:
        """Price, adjusted, of a bar that stores `c_k` and `r_k`, in 1e-9; None stays None.

        Raises
        ------
        RatioError
            If a ratio is needed and is nan.

        """
        if price is None:
            return None
        match self.mode:
            case Adjustment.BACKWARD_SPREAD | Adjustment.FORWARD_SPREAD:
                return price + (self.C - c_k)
            case Adjustment.BACKWARD_RATIO | Adjustment.FORWARD_RATIO:
                factor = self.R / r_k
                if math.isnan(factor):
                    raise self.refusal()
                return round(price * factor)
            case _ as never:
                assert_never(never)

    def bar(self, bar: ContinuousBar) -> Bar:
        """Bar of the current month with adjusted prices.

        Raises
        ------
        RatioError
            If a ratio is needed and is nan.

        """
        own, c_k, r_k = bar.current, bar.C, bar.R
        return Bar(
            own.month,
            own.ts,
            self.price(own.open, c_k, r_k),
            self.price(own.high, c_k, r_k),
            self.price(own.low, c_k, r_k),
            self.price(own.close, c_k, r_k),
            own.volume,
            own.open_interest,
        )

    def units(
        self, prices: NDArray[np.int64], c_k: NDArray[np.int64], r_k: NDArray[np.float64]
    ) -> NDArray[np.int64]:
        """Prices, adjusted, in 1e-9: equal to `price` one by one; `NO_PRICE` stays.

        Raises
        ------
        RatioError
            If a ratio is needed and is nan.

        """
        missing = prices == NO_PRICE
        adjusted = self._adjusted(np.where(missing, 0, prices), self.C - c_k, r_k)
        # A spread does not pass through a float: its integers are the answer.
        units: NDArray[np.int64] = (
            np.round(adjusted).astype(np.int64) if self.mode.is_ratio else adjusted
        )
        units[missing] = NO_PRICE
        return units

    def segment_units(
        self,
        prices: NDArray[np.int64],
        bounds: Sequence[int],
        segments: Sequence[tuple[int, float]],
    ) -> NDArray[np.int64]:
        """Prices, adjusted, in 1e-9, where each segment has one C and R: `units`, but fast.

        Parameters
        ----------
        prices
            Prices; `NO_PRICE` stays.
        bounds
            Where the segments begin, and the number of prices.
        segments
            C and R of each.

        Raises
        ------
        RatioError
            If a ratio is needed and is nan.

        """
        if not self.mode.is_ratio:
            return add_units(prices, bounds, [self.C - c_k for c_k, _ in segments])
        factors = [self.R / r_k for _, r_k in segments]
        sizes = [last - first for first, last in pairwise(bounds)]
        if any(size and math.isnan(one) for one, size in zip(factors, sizes, strict=True)):
            raise self.refusal()
        return multiply_units(prices, bounds, factors)

    def floats(
        self, prices: NDArray[np.float64], c_k: NDArray[np.float64], r_k: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Prices, adjusted, as floats: for plots and files; `c_k` in price points, nan stays nan.

        Raises
        ------
        RatioError
            If a ratio is needed and is nan.

        """
        return self._adjusted(prices, self.C / PRICE_SCALE - c_k, r_k)

    def _adjusted(
        self, prices: NDArray[Any], shift: NDArray[Any], r_k: NDArray[np.float64]
    ) -> NDArray[Any]:
        adjusted: NDArray[Any]
        if self.mode.is_ratio:
            factors = self.R / r_k
            if np.isnan(factors).any():
                raise self.refusal()
            adjusted = prices * factors
        else:
            adjusted = prices + shift
        return adjusted

    def refusal(self) -> RatioError:
        """Error that names the roll for which there is no ratio."""
        roll = self.bad_roll
        where = (
            "a roll before has a leg that is not positive"
            if roll is None
            else f"{roll.root} rolled from {roll.old} at {price_text(roll.pre_price)} to "
            f"{roll.new} at {price_text(roll.post_price)} on {instant(roll.last_old_ts)}, and both "
            "must be positive"
        )
        kind = "backward_spread" if self.mode.is_backward else "forward_spread"
        return RatioError(f"no {self.mode.value} view: {where}; take {kind}")

    def __str__(self) -> str:
        return f"{self.mode.value} anchored at {self.anchor}"
