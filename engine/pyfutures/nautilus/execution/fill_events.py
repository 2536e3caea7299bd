"""Fills of orders, told to the node: each once, with its commission, whole and legs of spreads.

A fill waits for its commission, for nautilus takes none later; behind a deadline it is told
without, loudly. An execution is known by its id before corrections.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from nautilus_trader.model.enums import OrderType
from nautilus_trader.model.identifiers import ClientOrderId, VenueOrderId
from nautilus_trader.model.objects import Money

from pyfutures.ib.orders import split_exec_id
from pyfutures.nautilus.execution.accounts import masked
from pyfutures.nautilus.execution.reports import (
    commission_of,
    instant_ns,
    liquidity_of,
    side_of,
    trade_id,
)
from pyfutures.nautilus.execution.tracks import Counts, Track
from pyfutures.nautilus.spreads import BAG

if TYPE_CHECKING:
    from collections.abc import Callable

    from nautilus_trader.model.identifiers import TradeId
    from nautilus_trader.model.objects import Price

    from pyfutures.ib.clock import Timer
    from pyfutures.ib.orders import Fill, OrderEvent
    from pyfutures.nautilus.contracts.listings import Listing
    from pyfutures.nautilus.execution.client import FuturesExecutionClient

__all__ = ["FillEvents"]

#: Orders that need no limit when they are sent.
_LATE_LIMIT: Final = frozenset({OrderType.MARKET_TO_LIMIT, OrderType.TRAILING_STOP_LIMIT})


class FillEvents:
    """The half of `OrderEvents` that tells fills.

    Parameters
    ----------
    client
        The execution client that tells the node.

    """

    def __init__(self, client: FuturesExecutionClient) -> None:
        self._client = client
        self._ib = client.link.client
        self._log = client.log
        self.counts = Counts()
        self._told: dict[str, bool] = {}  # executions, and whether with their commission
        self._timers: dict[object, Timer] = {}

    # Fills.

    def _filled(self, track: Track, fill: Fill) -> None:
        base, _ = split_exec_id(fill.execution.exec_id)
        if base in self._told or base in track.held:
            return
        self._accept(track, fill.execution.perm_id)
        if track.spread is not None:
            size = track.spread.take(fill)
            if fill.contract.sec_type == BAG:
                self._told[base] = True  # the legs carry the commissions
                if size:
                    self._tell_whole(track, fill, size)
                return
            self._mind_whole(track)
        if fill.commission is not None and fill.commission.commission is not None:
            self._tell_fill(track, fill)
            return
        timer = self._ib.clock.call_later(
            self._client.config.commission_timeout,
            lambda: self._commission_missing(track, base),
        )
        track.held[base] = (fill, timer)

    def _commission(self, track: Track, fill: Fill) -> None:
        base, _ = split_exec_id(fill.execution.exec_id)
        held = track.held.get(base)
        if held is None or fill.commission is None or fill.commission.commission is None:
            return
        held[1].cancel()
        del track.held[base]
        self._tell_fill(track, fill)

    def _commission_missing(self, track: Track, base: str, when: str = "") -> None:
        fill, timer = track.held.pop(base)
        timer.cancel()
        self.counts.missing_commissions += 1
        self._log.error(
            f"{track.order.client_order_id}: no commission of {fill.execution.exec_id}"
            f" {when or f'within {self._client.config.commission_timeout:g} s'}; the fill is told"
            " without"
        )
        self._tell_fill(track, fill)

    def _late_commission(self, base: str, event: OrderEvent) -> None:
        report = event.fill.commission if event.fill is not None else None
        if report is None or report.commission is None or self._told[base]:
            return
        self._told[base] = True
        self.counts.late_commissions += 1
        self._log.error(
            f"{event.order.order.order_ref}: commission {report.commission} {report.currency} of"
            f" {report.exec_id} came after the fill was told without; it is in no position"
        )

    def _corrected(self, track: Track, fill: Fill) -> None:
        self.counts.corrections += 1
        execution = fill.execution
        self._log.error(
            f"{track.order.client_order_id}: {execution.exec_id} corrects a fill to"
            f" {execution.shares} at {execution.price}; nautilus keeps the first telling"
        )
        self._client.check_positions()

    def _tell_fill(self, track: Track, fill: Fill) -> None:
        """Tell a fill: of the order, or of a leg of a spread order, which makes a position."""
        base, _ = split_exec_id(fill.execution.exec_id)
        listing, name, venue = track.listing, track.name, str(fill.execution.perm_id)
        if track.spread is not None:
            leg = next((x for x in listing.legs if x.con_id == fill.contract.con_id), None)
            if leg is None:
                self._log.error(f"{fill.execution.exec_id}: a leg that {listing.id} does not have")
                self._client.check_positions()
                return
            number = listing.legs.index(leg)
            listing = leg
            # nautilus books fills with this mark without an order behind them.
            of_leg = ClientOrderId(f"{track.order.client_order_id}-LEG-{leg.id.symbol}")
            name, venue = (track.order.strategy_id, leg.id, of_leg), f"{venue}-LEG-{number}"
        else:
            track.filled += fill.execution.shares
        commission = commission_of(fill, listing)
        self._told[base] = commission is not None
        self._generate(
            track, listing, name, venue, fill,
            identity=trade_id(fill.execution.exec_id), size=fill.execution.shares,
            price=Decimal(repr(fill.execution.price)), commission=commission,
        )  # fmt: skip
        if track.ending is not None and not track.held:
            self._end(track, track.ending)

    def _tell_whole(self, track: Track, fill: Fill, size: Decimal) -> None:
        """Tell a fill of a spread order as a whole."""
        track.filled += size
        self._generate(
            track, track.listing, track.name, str(fill.execution.perm_id), fill,
            identity=trade_id(fill.execution.exec_id), size=size,
            price=Decimal(repr(fill.execution.price)), commission=None,
        )  # fmt: skip

    def _generate(  # noqa: PLR0913 - the parts of a fill
        self,
        track: Track,
        listing: Listing,
        name: tuple[object, object, object],
        venue: str,
        fill: Fill,
        *,
        identity: TradeId,
        size: Decimal,
        price: Decimal,
        commission: Money | None,
    ) -> None:
        self.counts.fills += 1
        execution, instrument, now = fill.execution, listing.instrument, self._client.now
        is_whole = listing is track.listing
        if track.order.order_type in _LATE_LIMIT and track.told[1] is None:
            self._give_limit(track, listing.scale.price(price), venue)
        side = track.order.side if is_whole else side_of(execution.side)
        self._client.generate_order_filled(
            *name,
            VenueOrderId(venue),
            None,
            identity,
            side,
            track.order.order_type,
            instrument.make_qty(size),
            listing.scale.price(price),
            instrument.quote_currency,
            commission or Money(0, instrument.quote_currency),
            liquidity_of(execution.last_liquidity),
            instant_ns(execution.time, login_zone=self._ib.config.login_zone, default=now),
            {"price": str(listing.scale.value(price)), "exec_id": execution.exec_id},
        )
        self._client.filled(masked(execution.account))

    def _give_limit(self, track: Track, price: Price, venue: str) -> None:
        """Tell the limit of an order that was sent without: nautilus takes no fill before it."""
        quantity, _, trigger = track.told
        track.told = (quantity, price, trigger)
        self._client.generate_order_updated(
            *track.name, VenueOrderId(venue), quantity, price, trigger, self._client.now
        )

    def _mind_whole(self, track: Track) -> None:
        """Make the whole up from the legs, if a gateway tells only those."""
        key = track.key

        def make_up() -> None:
            if track.spread is None:
                return
            missing = track.spread.missing()
            if missing is None:
                return
            size, price = missing
            self.counts.legs_without_whole += 1
            track.spread.make_up(size, price)
            track.filled += size
            view = self._ib.orders.book.view(key)
            last = view.fills[-1]
            self._generate(
                track, track.listing, track.name, str(view.perm_id), last,
                identity=trade_id(f"{split_exec_id(last.execution.exec_id)[0]}.C"),
                size=size, price=price, commission=None,
            )  # fmt: skip

        self._later(("whole", key), self._client.config.commission_timeout, make_up)

    def _accept(self, track: Track, perm_id: int) -> None:
        if track.is_accepted or not perm_id:
            return
        track.is_accepted = True
        self._client.generate_order_accepted(
            *track.name, VenueOrderId(str(perm_id)), self._client.now
        )

    def _end(self, track: Track, tell: Callable[[], None]) -> None:
        """Tell an order's end, behind the fills that wait."""
        if track.is_over:
            return
        if track.held:
            track.ending = tell
        else:
            track.ending = None
            tell()

    def _later(self, key: object, seconds: float, action: Callable[[], None]) -> None:
        before = self._timers.pop(key, None)
        if before is not None:
            before.cancel()

        def run() -> None:
            self._timers.pop(key, None)
            action()

        self._timers[key] = self._ib.clock.call_later(seconds, run)
