"""The contracts of one root as a strategy sees them: ids, markets, what is held, orders."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from nautilus_trader.model.enums import OrderSide, TimeInForce
from nautilus_trader.model.identifiers import ClientOrderId, InstrumentId
from nautilus_trader.model.objects import Quantity

from pyfutures.nautilus.instruments import instrument_id
from pyfutures.nautilus.spreads import add_spread, leg_ids
from pyfutures.positions import OrderKind, Place, Quote

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nautilus_trader.cache.base import CacheFacade
    from nautilus_trader.common.factories import OrderFactory
    from nautilus_trader.model.identifiers import AccountId
    from nautilus_trader.model.objects import Price
    from nautilus_trader.model.orders import Order

    from pyfutures.chain import Chain
    from pyfutures.months import ContractMonth
    from pyfutures.nautilus.moves.liquidity import LiquidHours

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
    account
        The account whose positions and orders are looked at; None for all.
    """

    def __init__(
        self,
        chain: Chain,
        *,
        venue: str | None,
        cache: CacheFacade,
        hours: LiquidHours,
        account: str | None = None,
    ) -> None:
        self.root = chain.root
        self._chain = chain
        self._cache, self._hours, self._account = cache, hours, account
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
            if name in self._months and self._is_ours(position.account_id):
                held[name] = held.get(name, 0) + int(position.signed_qty)
        return held

    def _is_ours(self, account_id: AccountId | None) -> bool:
        if self._account is None or account_id is None:
            return True
        return str(account_id).partition("-")[2] == self._account

    def has_expired(self, name: str, now_ns: int) -> bool:
        """Return whether a contract trades no more."""
        last = self._chain.row(self._months[name]).last_trade_utc
        return last is not None and last.timestamp() * 10**9 <= now_ns

    def cached(self, name: ClientOrderId) -> Order | None:
        """Return an order as the node knows it."""
        return self._cache.order(name)

    def open_orders(self) -> list[Order]:
        """Return the orders that work, or may, in contracts of the root and spreads of them."""
        found = []
        for order in (*self._cache.orders_open(), *self._cache.orders_inflight()):
            ids = leg_ids(order.instrument_id) or (order.instrument_id,)
            if any(str(one) in self._months for one in ids) and self._is_ours(order.account_id):
                found.append(order)
        return found

    def missing(self, months: Iterable[ContractMonth]) -> list[InstrumentId]:
        """Return the contracts of months that the node does not have."""
        names = (self._names[month] for month in months)
        return [name for name in names if self._cache.instrument(name) is None]

    def price(self, instrument_id: InstrumentId, price: Decimal) -> Price:
        """Return a price of an instrument that the node has."""
        return self._cache.instrument(instrument_id).make_price(price)

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
        near, far = (self.instrument(month).id for month in months)
        spread = add_spread(self._cache, near, far)
        return factory.limit(
            spread.id,
            side,
            quantity,
            spread.make_price(action.price),
            time_in_force=TimeInForce.DAY,
            client_order_id=name,
        )
