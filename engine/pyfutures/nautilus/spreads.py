"""Calendar spreads: two months of a root as one instrument and one order.

Rules of this file. `ESH26-ESM26.XCME` is the first month bought and the second sold when the spread
is bought; its price is the first less the second, in currency, and may be negative. At IB it is a
BAG. A fill of it is told three times there, as a whole and leg by leg: the whole fills the order,
the legs make the positions and carry the commissions, and each counts once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from nautilus_trader.model.identifiers import (
    InstrumentId,
    Symbol,
    generic_spread_id_to_list,
    is_generic_spread_id,
)
from nautilus_trader.model.instruments import FuturesSpread

from pyfutures.ib.messages.contracts import ComboLeg, Contract
from pyfutures.nautilus.contracts.listings import Listing

if TYPE_CHECKING:
    from nautilus_trader.cache.cache import Cache
    from nautilus_trader.model.instruments import FuturesContract

    from pyfutures.ib.orders import Fill

__all__ = [
    "BAG",
    "SpreadError",
    "SpreadFills",
    "add_spread",
    "leg_ids",
    "spread_id",
    "spread_instrument",
    "spread_listing",
]

#: What IB calls the security type of combinations.
BAG: Final = "BAG"
_ZERO: Final = Decimal(0)


class SpreadError(ValueError):
    """Two contracts that are no calendar spread."""


def spread_id(first: InstrumentId, second: InstrumentId) -> InstrumentId:
    """Return the id of a calendar spread, ``ESH26-ESM26.XCME``.

    Parameters
    ----------
    first
        What is bought when the spread is bought.
    second
        What is sold then.

    Raises
    ------
    SpreadError
        If they are the same, or of two venues.

    """
    if first.venue != second.venue or first.symbol == second.symbol:
        raise SpreadError(f"{first} and {second}: a spread has two months of one venue")
    return InstrumentId(Symbol(f"{first.symbol}-{second.symbol}"), first.venue)


def leg_ids(instrument_id: InstrumentId) -> tuple[InstrumentId, InstrumentId] | None:
    """Return what is bought and what is sold when a spread is bought; None if it is none.

    nautilus' own form, ``(1)ESH26___((1))ESM26.XCME``, is read too.
    """
    if is_generic_spread_id(instrument_id):
        signed = dict(generic_spread_id_to_list(instrument_id))
        bought = [leg for leg, ratio in signed.items() if ratio == 1]
        sold = [leg for leg, ratio in signed.items() if ratio == -1]
        if len(signed) == 2 and bought and sold:
            return bought[0], sold[0]
        return None
    first, dash, second = instrument_id.symbol.value.partition("-")
    if not (dash and first and second) or "-" in second:
        return None
    venue = instrument_id.venue
    return InstrumentId(Symbol(first), venue), InstrumentId(Symbol(second), venue)


def spread_instrument(
    first: FuturesContract,
    second: FuturesContract,
    *,
    instrument_id: InstrumentId | None = None,
) -> FuturesSpread:
    """Return the spread of two contracts as an instrument.

    Parameters
    ----------
    first, second
        What is bought and what is sold when it is bought.
    instrument_id
        Its id, if it is not that of `spread_id`.

    Raises
    ------
    SpreadError
        If they are of two products.

    """
    identity = instrument_id or spread_id(first.id, second.id)
    facts = [
        (x.quote_currency, x.multiplier, x.price_increment, x.underlying) for x in (first, second)
    ]
    if facts[0] != facts[1]:
        raise SpreadError(f"{identity}: the legs differ: {facts[0]} and {facts[1]}")
    return FuturesSpread(
        instrument_id=identity,
        raw_symbol=identity.symbol,
        asset_class=first.asset_class,
        currency=first.quote_currency,
        price_precision=first.price_precision,
        price_increment=first.price_increment,
        multiplier=first.multiplier,
        lot_size=first.lot_size,
        underlying=first.underlying,
        strategy_type="CALENDAR",
        activation_ns=max(first.activation_ns, second.activation_ns),
        expiration_ns=min(first.expiration_ns, second.expiration_ns),
        ts_event=max(first.ts_event, second.ts_event),
        ts_init=max(first.ts_init, second.ts_init),
        exchange=first.exchange,
    )


def add_spread(cache: Cache, first: InstrumentId, second: InstrumentId) -> FuturesSpread:
    """Return a calendar spread that orders can name, having added it to a node's cache.

    Parameters
    ----------
    cache
        That of the strategy.
    first, second
        What is bought and what is sold when it is bought; both are in the cache.

    Raises
    ------
    SpreadError
        If one of them is not in the cache, or they are of two products.

    """
    known = cache.instrument(spread_id(first, second))
    if known is not None:
        return known
    legs = [cache.instrument(leg) for leg in (first, second)]
    if None in legs:
        raise SpreadError(f"{first} and {second}: both must be loaded, one is not in the cache")
    made = spread_instrument(*legs)
    cache.add_instrument(made)
    return made


def spread_listing(
    first: Listing, second: Listing, *, instrument_id: InstrumentId | None = None
) -> Listing:
    """Return the spread of two listings, with the BAG that stands for it at IB.

    Raises
    ------
    SpreadError
        If they are of two products.

    """
    instrument = spread_instrument(first.instrument, second.instrument, instrument_id=instrument_id)
    one, other = first.contract, second.contract
    if (one.symbol, one.exchange, one.currency) != (other.symbol, other.exchange, other.currency):
        raise SpreadError(f"{instrument.id}: IB has the legs as two products")
    contract = Contract(
        symbol=one.symbol,
        sec_type=BAG,
        exchange=one.exchange,
        currency=one.currency,
        legs=(
            ComboLeg(one.con_id, 1, "BUY", one.exchange),
            ComboLeg(other.con_id, 1, "SELL", other.exchange),
        ),
    )
    chains = tuple(chain for chain in first.chains if chain in second.chains)
    return Listing(
        instrument=instrument,
        contract=contract,
        details=None,
        chains=chains,
        month=None,
        scale=first.scale,
        legs=(first, second),
    )


@dataclass(slots=True)
class SpreadFills:
    """What was told of the fills of one spread order, and what the order has not been told yet.

    Attributes
    ----------
    first, second
        The broker's numbers of the legs.
    whole
        How much of the order is filled, and at what sum of price times size.
    legs
        The same of each leg, the size signed as the leg was traded.

    """

    first: int
    second: int
    whole: list[Decimal] = field(default_factory=lambda: [_ZERO, _ZERO])
    legs: dict[int, list[Decimal]] = field(default_factory=dict)
    made_up: Decimal = _ZERO

    def take(self, fill: Fill) -> Decimal:
        """Take an execution in; return how much of it the order, or a leg, must be told.

        A whole that comes after it was made up from its legs has been told.
        """
        size, price = fill.execution.shares, Decimal(repr(fill.execution.price))
        if fill.contract.sec_type == BAG:
            late = min(size, self.made_up)
            self.made_up -= late
            self._add(self.whole, size - late, price)
            return size - late
        self._add(self.legs.setdefault(fill.contract.con_id, [_ZERO, _ZERO]), size, price)
        return size

    def missing(self) -> tuple[Decimal, Decimal] | None:
        """Return what both legs say and the whole does not: size and price; None if nothing.

        Sizes are those of the order, prices are IB's quotes. Gateways that tell only legs exist.
        """
        one, other = self.legs.get(self.first), self.legs.get(self.second)
        if one is None or other is None or one[0] != other[0] or one[0] <= self.whole[0]:
            return None
        size = one[0] - self.whole[0]
        return size, (one[1] - other[1] - self.whole[1]) / size

    def make_up(self, size: Decimal, price: Decimal) -> None:
        """Take note that the order was told of a whole that only its legs show."""
        self.made_up += size
        self._add(self.whole, size, price)

    @staticmethod
    def _add(sums: list[Decimal], size: Decimal, price: Decimal) -> None:
        sums[0] += size
        sums[1] += size * price
