"""The contracts of one root as a strategy sees them: ids, markets, what is held, orders."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from nautilus_trader.model.enums import OrderSide, TimeInForce
from nautilus_trader.model.identifiers import ClientOrderId, InstrumentId
from nautilus_trader.model.objects import Quantity

from pyfutures.nautilus.instruments import instrument_id
from pyfutures.nautilus.spreads import spread_id, spread_instrument
from pyfutures.positions import OrderKind, Place, Quote

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nautilus_trader.cache.base import CacheFacade
    from nautilus_trader.common.factories import OrderFactory
    from nautilus_trader.model.orders import Order

    from pyfutures.chain import Chain
    from pyfutures.months import ContractMonth
    from pyfutures.nautilus.liquidity import LiquidHours

__all__ = ["ContractNotLoadedError", "RootMarket"]


class ContractNotLoadedError(RuntimeError):
    """A month that is to be traded has no instrument in the node."""


class RootMarket:
    """The contracts of a root in a node.

    Parameters
    ----------
    chain
        The root.
    venue
        Stands in for the exchange of the spec in ids.
    cache
        The node's cache.
    hours
        When orders may be sent.
    """

    def __init__(
        self, chain: Chain, *, venue: str | None, cache: CacheFacade, hours: LiquidHours
    ) -> None:
        self.root = chain.root
        self._cache, self._hours = cache, hours
        self._names = {month: instrument_id(chain, month, venue=venue) for month in chain.months}
        self._months = {str(name): month for month, name in self._names.items()}

    def name(self, month: ContractMonth) -> InstrumentId:
        """Return the id of a listed month."""
        return self._names[month]

    def month(self, name: str) -> ContractMonth:
        """Return the month of an id."""
        return self._months[name]

    def __contains__(self, name: object) -> bool:
        return name in self._months

    def only_ours(self, quantities: dict[str, int]) -> dict[str, int]:
        """Return what is of the contracts of this root."""
        return {name: quantity for name, quantity in quantities.items() if name in self._months}

    def held(self) -> dict[str, int]:
        """Return what the broker holds in the contracts of the root: signed quantity by id."""
        held: dict[str, int] = {}
        for position in self._cache.positions_open():
            name = str(position.instrument_id)
            if name in self._months:
                held[name] = held.get(name, 0) + int(position.signed_qty)
        return held

    def instrument(self, month: ContractMonth) -> Any:  # noqa: ANN401 - nautilus has no types
        """Return the instrument of a month.

        Raises
        ------
        ContractNotLoadedError
            If the node does not have it.
        """
        found = self._cache.instrument(self._names[month])
        if found is None:
            raise ContractNotLoadedError(
                f"{self.root} {month}: {self._names[month]} is not loaded; widen `months` of the"
                " instrument provider"
            )
        return found

    def tick(self, months: Iterable[ContractMonth]) -> Decimal:
        """Return the price step of months; 1 if there are none."""
        for month in months:
            tick: Decimal = self.instrument(month).price_increment.as_decimal()
            return tick
        return Decimal(1)

    def quotes(self, months: Iterable[ContractMonth]) -> dict[ContractMonth, Quote]:
        """Return the last quotes of months, as far as there are any."""
        found = {}
        for month in months:
            tick = self._cache.quote_tick(self._names[month])
            if tick is not None:
                bid, ask = tick.bid_price.as_decimal(), tick.ask_price.as_decimal()
                found[month] = Quote(bid, ask, tick.ts_event)
        return found

    def is_liquid(self, months: Iterable[ContractMonth], now_ns: int) -> bool:
        """Return whether all of these months are in their liquid hours."""
        instruments = [self._cache.instrument(self._names[month]) for month in months]
        return all(self._hours.holds(now_ns, instrument) for instrument in instruments)

    def order(self, action: Place, factory: OrderFactory) -> Order:
        """Return the order of an action; the instrument of a spread is made when it is first used.

        Raises
        ------
        ContractNotLoadedError
            If the node does not have the contracts.
        """
        name = ClientOrderId(str(action.ref))
        months = sorted(action.legs)
        quantity = Quantity.from_int(abs(action.legs[months[0]]))
        side = OrderSide.BUY if action.legs[months[0]] > 0 else OrderSide.SELL
        if action.ref.kind is OrderKind.LEG:
            return factory.market(
                self.instrument(months[0]).id,
                side,
                quantity,
                time_in_force=TimeInForce.DAY,
                client_order_id=name,
            )
        spread = self._spread(*months)
        return factory.limit(
            spread.id,
            side,
            quantity,
            spread.make_price(action.price),
            time_in_force=TimeInForce.DAY,
            client_order_id=name,
        )

    def _spread(self, near: ContractMonth, far: ContractMonth) -> Any:  # noqa: ANN401 - no types
        legs = self.instrument(near), self.instrument(far)
        found = self._cache.instrument(spread_id(legs[0].id, legs[1].id))
        if found is None:
            found = spread_instrument(*legs)
            self._cache.add_instrument(found)
        return found
