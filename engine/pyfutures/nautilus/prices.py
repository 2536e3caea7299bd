"""Prices as IB quotes them and as a node has them: the only place where the two meet.

The law: price inside = IB's price / magnifier; multiplier and tick as IB gives them, in currency;
average price = average cost / multiplier (and not by the magnifier too); order price to IB = price
x magnifier. Corn at 450 cents: 4.50 inside, multiplier 5000, tick 0.0025, average cost 22,500.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING

from nautilus_trader.model.objects import Price

if TYPE_CHECKING:
    from pyfutures.ib.messages.contracts import ContractDetails

__all__ = ["PriceScale"]


@dataclass(frozen=True, slots=True)
class PriceScale:
    """How the prices of one contract are read and written.

    `precision` is the number of decimals of `increment`, the tick in currency.
    """

    magnifier: int
    precision: int
    increment: Decimal
    multiplier: Decimal

    @classmethod
    def of(cls, details: ContractDetails) -> PriceScale:
        """Return the scale of a broker's contract.

        Raises
        ------
        ValueError
            If its tick is not positive or its multiplier no number.

        """
        name = details.contract.local_symbol or str(details.contract.con_id)
        tick = details.min_tick.normalize()
        if tick <= 0:
            raise ValueError(f"{name}: IB's tick {details.min_tick} is not positive")
        try:
            multiplier = Decimal(details.contract.multiplier or "1")
        except ArithmeticError:
            raise ValueError(
                f"{name}: IB's multiplier {details.contract.multiplier!r} is no number"
            ) from None
        return cls(
            magnifier=details.price_magnifier or 1,
            precision=max(0, -int(tick.as_tuple().exponent)),
            increment=tick,
            multiplier=multiplier,
        )

    def value(self, quoted: Decimal | float) -> Decimal:
        """Return a price of IB as it is inside, exact to the last digit that was sent."""
        exact = quoted if isinstance(quoted, Decimal) else Decimal(repr(float(quoted)))
        return exact / self.magnifier

    def price(self, quoted: Decimal | float) -> Price:
        """Return a price of IB as a price of the instrument, rounded to its precision."""
        return self.rounded(self.value(quoted))

    def rounded(self, value: Decimal) -> Price:
        """Return a price inside, rounded to the precision of the instrument."""
        step = Decimal(1).scaleb(-self.precision)
        return Price.from_str(f"{value.quantize(step, rounding=ROUND_HALF_EVEN):f}")

    def quoted(self, price: Price) -> Decimal:
        """Return a price of the instrument as orders to IB have it."""
        value: Decimal = price.as_decimal()
        return value * self.magnifier

    def average(self, average_cost: Decimal | float) -> Decimal:
        """Return the average price of a position, of what IB calls its average cost."""
        exact = (
            average_cost
            if isinstance(average_cost, Decimal)
            else Decimal(repr(float(average_cost)))
        )
        return exact / self.multiplier
