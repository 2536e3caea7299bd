"""What the gateway says of orders, told to the node: each thing once, in an order nautilus takes.

Theory of operation. The book of the IB client says what is true of an order; this module remembers
what the node was told (`Track`) and tells the difference. nautilus applies events later than they
are sent, so its orders are asked once, when a track begins, and never after. Fills come from
executions only, each by its id, held until their commission is known or a deadline passes; an
order's end is held until its fills were told. While the node reconciles, everything waits: what
reports have said is not said again.

    told of IB                          told to the node
    working, with its permanent id      accepted
    a fill                              accepted first if need be, then filled
    cancelled                           canceled; expired if its time was over; rejected on error
    rejected, lost before an answer     rejected
    held (`Inactive`) with a reason     accepted; without one: IB is asked whether it is open
    an order that nobody here placed    reported, and then as any other
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from nautilus_trader.model.enums import OrderStatus, OrderType, TimeInForce
from nautilus_trader.model.identifiers import ClientOrderId, VenueOrderId
from nautilus_trader.model.objects import Money

from pyfutures.ib.codes import CODES
from pyfutures.ib.orders import OrderEventKind, OrderPhase, split_exec_id
from pyfutures.nautilus.accounts import masked
from pyfutures.nautilus.orders import UnsupportedOrderError, reported_terms
from pyfutures.nautilus.reports import (
    commission_of,
    instant_ns,
    liquidity_of,
    side_of,
    trade_id,
)
from pyfutures.nautilus.spreads import BAG, SpreadFills

if TYPE_CHECKING:
    from collections.abc import Callable

    from nautilus_trader.model.identifiers import TradeId
    from nautilus_trader.model.orders import Order

    from pyfutures.ib.clock import Timer
    from pyfutures.ib.orders import Fill, OrderEvent, OrderView
    from pyfutures.nautilus.execution import FuturesExecutionClient
    from pyfutures.nautilus.listings import Listing

__all__ = ["Counts", "OrderEvents", "Track"]

_ZERO: Final = Decimal(0)
_SOON: Final = 1.0  # seconds
#: Codes with which a gateway refuses a cancellation; the others refuse modifications.
_OF_CANCELS: Final = frozenset({135, 136, 161, 10147, 10148})
_MARGIN: Final = ("EQUITY WITH LOAN VALUE", "MARGIN", "AVAILABLE FUNDS", "BUYING POWER")
_UNTOLD: Final = frozenset({OrderStatus.INITIALIZED, OrderStatus.SUBMITTED, OrderStatus.RELEASED})


@dataclass(slots=True)
class Counts:
    """How often what should not happen did."""

    fills: int = 0
    late_commissions: int = 0
    missing_commissions: int = 0
    corrections: int = 0
    external_orders: int = 0
    rejections: int = 0
    margin_rejections: int = 0
    broker_cancels: int = 0
    inactive: int = 0
    lost: int = 0
    revived: int = 0
    legs_without_whole: int = 0


@dataclass(slots=True, eq=False)
class Track:
    """What the node was told of one order."""

    key: int
    order: Order
    listing: Listing
    is_accepted: bool = False
    is_over: bool = False
    is_changing: bool = False
    is_cancelling: bool = False
    phase: OrderPhase = OrderPhase.SENT
    filled: Decimal = _ZERO
    told: tuple[object, ...] = ()
    held: dict[str, tuple[Fill, Timer]] = field(default_factory=dict)
    spread: SpreadFills | None = None
    ending: Callable[[], None] | None = None

    @property
    def name(self) -> tuple[object, object, object]:
        """Strategy, instrument and client order id, as events begin."""
        return self.order.strategy_id, self.order.instrument_id, self.order.client_order_id


class OrderEvents:
    """Turns order events of the IB client into those of nautilus. Part of the execution client.

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
        self._tracks: dict[int, Track] = {}
        self._told: dict[str, bool] = {}  # executions, and whether with their commission
        self._waiting: list[OrderEvent] | None = []
        self._adopting: set[int] = set()
        self._timers: dict[object, Timer] = {}

    # Starting, pausing, ending.

    def pause(self) -> None:
        """Keep what is heard from now on."""
        if self._waiting is None:
            self._waiting = []

    def resume(self) -> None:
        """Tell what was kept, and what comes."""
        kept, self._waiting = self._waiting, None
        for event in kept or ():
            self._take(event)

    def close(self) -> None:
        """End it: fills that wait are told with the commissions that are known."""
        for track in tuple(self._tracks.values()):
            for base in tuple(track.held):
                self._commission_missing(track, base)
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def reported(self, fill: Fill) -> None:
        """Take note that a report says a fill: it is not told again."""
        base, _ = split_exec_id(fill.execution.exec_id)
        self._told.setdefault(base, fill.commission is not None)

    @property
    def is_waiting(self) -> bool:
        """Whether something is known that the node was not told."""
        return self._waiting is not None or bool(self._adopting) or self.has_held_fills

    @property
    def has_held_fills(self) -> bool:
        """Whether fills wait for their commission."""
        return any(track.held for track in self._tracks.values())

    # Which order.

    def placed(self, key: int, order: Order, listing: Listing) -> Track:
        """Take note of an order that is being placed."""
        track = self._tracks[key] = self._tracked(key, order, listing)
        return track

    def find(self, order: Order) -> OrderView | None:
        """Return what the book has of an order of the node, None if nothing."""
        book = self._ib.orders.book
        for track in reversed(self._tracks.values()):
            if track.order.client_order_id == order.client_order_id:
                return book.view(track.key)
        ref, venue = order.client_order_id.value, order.venue_order_id
        for view in book:
            if venue is not None and view.perm_id and str(view.perm_id) == venue.value:
                return view
        for view in book:
            if view.order.order_ref == ref and venue is None and self._client.is_own(view):
                return view
        return None

    def track_of(self, view: OrderView) -> Track | None:
        """Return the track of an order in the book, None if the node does not know it."""
        found = self._tracks.get(view.key)
        if found is not None:
            return found
        order = self._client.cached_order(view)
        listing = None if order is None else self._client.listing_of_order(order)
        if order is None or listing is None:
            return None
        return self.placed(view.key, order, listing)

    @staticmethod
    def _tracked(key: int, order: Order, listing: Listing) -> Track:
        spread = None
        if listing.legs:
            first, second = listing.legs
            spread = SpreadFills(first.con_id, second.con_id)
        return Track(
            key, order, listing,
            is_accepted=order.status not in _UNTOLD,
            is_over=order.is_closed,
            is_cancelling=order.status == OrderStatus.PENDING_CANCEL,
            is_changing=order.status == OrderStatus.PENDING_UPDATE,
            filled=order.filled_qty.as_decimal(),
            told=_terms_of(order), spread=spread,
        )  # fmt: skip

    # What is heard.

    def hear(self, event: OrderEvent) -> None:
        """Take an event of the IB client."""
        if not self._client.is_ours(event.order, event.fill):
            return
        if self._waiting is not None:
            self._waiting.append(event)
        else:
            self._take(event)

    def _take(self, event: OrderEvent) -> None:
        view, fill = event.order, event.fill
        if fill is not None and event.kind is not OrderEventKind.CORRECTION:
            base, _ = split_exec_id(fill.execution.exec_id)
            if base in self._told and event.kind is OrderEventKind.FILL:
                return
            if base in self._told and event.kind is OrderEventKind.COMMISSION:
                self._late_commission(base, event)
                return
        track = self.track_of(view)
        if track is None:
            self._adopt(view)
            return
        match event.kind:
            case OrderEventKind.PHASE:
                self._phase(track, view)
            case OrderEventKind.ACCEPTED:
                self._updated(track, view)
            case OrderEventKind.FILL if fill is not None:
                self._filled(track, fill)
            case OrderEventKind.CORRECTION if fill is not None:
                self._corrected(track, fill)
            case OrderEventKind.COMMISSION if fill is not None:
                self._commission(track, fill)
            case OrderEventKind.REFUSED:
                self._refused(track, view, f"error {event.code}: {event.text}", event.code)
            case _:
                self._warned(track, event)

    def _warned(self, track: Track, event: OrderEvent) -> None:
        self._log.warning(f"{track.order.client_order_id}: {event.code} {event.text}")
        if event.code not in CODES and event.order.phase is OrderPhase.SENT:
            # A code that nobody has listed may be a refusal: IB is asked what lives.
            self._later(("unlisted", track.key), _SOON, self._client.ask_orders)

    def _adopt(self, view: OrderView) -> None:
        """Report an order that somebody else placed; then it is as any other."""
        is_news = not view.is_final or any(
            split_exec_id(fill.execution.exec_id)[0] not in self._told for fill in view.fills
        )
        if view.perm_id and is_news and view.key not in self._adopting:
            self._adopting.add(view.key)
            self._client.create_task(self._adoption(view.key), log_msg="report of an order")

    async def _adoption(self, key: int) -> None:
        try:
            view = self._ib.orders.book.view(key)
            if not await self._client.report_external(view):
                return
        finally:
            self._adopting.discard(key)
        view = self._ib.orders.book.view(key)  # as it is by now
        track = self.track_of(view)
        if track is None:
            return  # filtered by the node's configuration
        self.counts.external_orders += 1
        track.is_accepted = True
        for fill in view.fills:
            if split_exec_id(fill.execution.exec_id)[0] not in self._told:
                self._filled(track, fill)
        self._phase(track, view)

    # Phases.

    def _phase(self, track: Track, view: OrderView) -> None:
        before, track.phase = track.phase, view.phase
        match view.phase:
            case OrderPhase.WORKING:
                self._working(track, view, before)
            case OrderPhase.HELD:
                self._held(track, view)
            case OrderPhase.CANCELLED:
                self._end(track, lambda: self._cancelled(track, view))
            case OrderPhase.REJECTED:
                self._end(track, lambda: self._rejected(track, view))
            case OrderPhase.LOST:
                self._end(track, lambda: self._lost(track, view))
            case OrderPhase.FILLED:
                self._expect_fills(track)
            case _:
                pass

    def _accept(self, track: Track, perm_id: int) -> None:
        if track.is_accepted or not perm_id:
            return
        track.is_accepted = True
        self._client.generate_order_accepted(
            *track.name, VenueOrderId(str(perm_id)), self._client.now
        )

    def _working(self, track: Track, view: OrderView, before: OrderPhase) -> None:
        if track.is_over:
            if before in {OrderPhase.REJECTED, OrderPhase.LOST}:
                self._revived(track, view)
            return
        self._accept(track, view.perm_id)
        if before is OrderPhase.CANCELLING and track.is_cancelling:
            self._cancel_refused(track, view, "the order works on, says the gateway")

    def _revived(self, track: Track, view: OrderView) -> None:
        """Report an order that was believed dead anew: nautilus takes no rejection back."""
        self.counts.revived += 1
        self._log.error(
            f"{track.order.client_order_id}: IB has it working although it was {track.phase};"
            f" it is reported as an external order {view.perm_id}"
        )
        del self._tracks[track.key]
        self._client.disown(track.order.client_order_id)
        self._adopt(view)

    def _held(self, track: Track, view: OrderView) -> None:
        self.counts.inactive += 1
        why = view.why_held
        if why:
            self._accept(track, view.perm_id)
            self._log.warning(f"{track.order.client_order_id}: held by IB: {why}")
            return
        key = track.key

        def ask() -> None:
            self._client.create_task(self._is_held(key), log_msg="question about an order")

        self._later(("held", key), self._client.grace, ask)

    async def _is_held(self, key: int) -> None:
        open_ones = await self._ib.orders.open_orders(everyone=True)
        view, track = self._ib.orders.book.view(key), self._tracks.get(key)
        if track is None or track.is_over or view.phase is not OrderPhase.HELD:
            return
        if any(one.order.perm_id == view.perm_id for one in open_ones):
            self._accept(track, view.perm_id)
            self._log.warning(f"{track.order.client_order_id}: inactive, but open at IB")
        else:
            self._end(track, lambda: self._rejected(track, view))

    def _end(self, track: Track, tell: Callable[[], None]) -> None:
        """Tell an order's end, behind the fills that wait."""
        if track.is_over:
            return
        if track.held:
            track.ending = tell
        else:
            track.ending = None
            tell()

    def _cancelled(self, track: Track, view: OrderView) -> None:
        if track.filled >= view.order.quantity > 0:
            return  # a fill came behind the cancellation
        track.is_over = True
        now, order = self._client.now, track.order
        if view.error_code and view.error_code != 202 and not track.is_accepted:
            self._tell_rejected(track, view)
            return
        venue = VenueOrderId(str(view.perm_id))
        expires = order.expire_time_ns if order.time_in_force == TimeInForce.GTD else 0
        if expires and not track.is_cancelling and self._client.ib_now >= expires:
            self._accept(track, view.perm_id)
            self._client.generate_order_expired(*track.name, venue, now)
            return
        is_immediate = order.time_in_force in {TimeInForce.IOC, TimeInForce.FOK}
        if not track.is_cancelling and not is_immediate:
            self.counts.broker_cancels += 1
            said = view.error or "no reason"
            self._log.warning(f"{order.client_order_id}: cancelled, not by this node: {said}")
        self._client.generate_order_canceled(*track.name, venue, now)

    def _rejected(self, track: Track, view: OrderView) -> None:
        track.is_over = True
        if track.filled:  # nautilus has no way from partly filled to rejected
            self._log.error(f"{track.order.client_order_id}: rest rejected: {view.error}")
            self._client.generate_order_canceled(
                *track.name, VenueOrderId(str(view.perm_id)), self._client.now
            )
            return
        self._tell_rejected(track, view)

    def _tell_rejected(self, track: Track, view: OrderView) -> None:
        self.counts.rejections += 1
        said = view.error or "; ".join(view.warnings) or "no reason"
        reason = f"error {view.error_code}: {said}" if view.error_code else f"inactive: {said}"
        if any(words in said.upper() for words in _MARGIN):
            self.counts.margin_rejections += 1
            reason = f"margin: {reason}"
        self._client.generate_order_rejected(*track.name, reason, self._client.now)

    def _lost(self, track: Track, view: OrderView) -> None:
        track.is_over = True
        self.counts.lost += 1
        self._log.error(f"{track.order.client_order_id}: IB knows nothing of it")
        if track.is_accepted:
            self._client.generate_order_canceled(
                *track.name, VenueOrderId(str(view.perm_id)), self._client.now
            )
        else:
            self._client.generate_order_rejected(
                *track.name, "; ".join(["lost: IB knows nothing of it", *view.warnings]),
                self._client.now,
            )

    def _expect_fills(self, track: Track) -> None:
        """Ask for executions if those of a filled order do not come."""
        key = track.key

        def ask() -> None:
            view = self._ib.orders.book.view(key)
            if view.filled < view.order.quantity:
                self._log.warning(f"{track.order.client_order_id}: filled, without executions")
                self._client.ask_executions()

        if self._ib.orders.book.view(key).filled < self._ib.orders.book.view(key).order.quantity:
            self._later(("fills", key), self._client.config.commission_timeout, ask)
        elif track.is_changing and not track.held:
            view = self._ib.orders.book.view(key)
            if track.filled >= view.order.quantity and track.filled < _quantity(track):
                # Reduced to what was filled: the rest is gone.
                self._end(track, lambda: self._cancelled_rest(track, view))

    def _cancelled_rest(self, track: Track, view: OrderView) -> None:
        track.is_over, track.is_changing = True, False
        self._client.generate_order_canceled(
            *track.name, VenueOrderId(str(view.perm_id)), self._client.now
        )

    # Modifications and cancellations.

    def _updated(self, track: Track, view: OrderView) -> None:
        if track.is_over or not view.perm_id:
            return
        try:
            terms = reported_terms(view.order, track.listing.scale)
        except UnsupportedOrderError as error:
            self._log.error(f"{track.order.client_order_id}: {error}")
            return
        self._accept(track, view.perm_id)
        quantity = track.listing.instrument.make_qty(view.order.quantity)
        told = (quantity, terms.price, terms.trigger_price)
        if told == track.told and not track.is_changing:
            return
        if view.order.quantity <= track.filled:
            self._expect_fills(track)
            return
        track.told, track.is_changing = told, False
        self._client.generate_order_updated(
            *track.name, VenueOrderId(str(view.perm_id)), quantity, terms.price,
            terms.trigger_price, self._client.now,
        )  # fmt: skip

    def _refused(self, track: Track, view: OrderView, reason: str, code: int) -> None:
        if code in _OF_CANCELS:
            self._cancel_refused(track, view, reason)
        elif track.is_changing and not track.is_over:
            track.is_changing = False
            self._client.generate_order_modify_rejected(
                *track.name, VenueOrderId(str(view.perm_id)), reason, self._client.now
            )
        else:
            self._log.warning(f"{track.order.client_order_id}: {reason}")

    def _cancel_refused(self, track: Track, view: OrderView, reason: str) -> None:
        if not track.is_cancelling or track.is_over:
            return
        track.is_cancelling = False
        self._client.generate_order_cancel_rejected(
            *track.name, VenueOrderId(str(view.perm_id)), reason, self._client.now
        )

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

    def _commission_missing(self, track: Track, base: str) -> None:
        fill, timer = track.held.pop(base)
        timer.cancel()
        self.counts.missing_commissions += 1
        self._log.error(
            f"{track.order.client_order_id}: no commission of {fill.execution.exec_id} within"
            f" {self._client.config.commission_timeout:g} s; the fill is told without"
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

    def _later(self, key: object, seconds: float, action: Callable[[], None]) -> None:
        before = self._timers.pop(key, None)
        if before is not None:
            before.cancel()

        def run() -> None:
            self._timers.pop(key, None)
            action()

        self._timers[key] = self._ib.clock.call_later(seconds, run)


def _quantity(track: Track) -> Decimal:
    quantity: Decimal = track.order.quantity.as_decimal()
    return quantity


def _terms_of(order: Order) -> tuple[object, ...]:
    price = order.price if order.has_price and order.order_type != OrderType.MARKET else None
    trigger = order.trigger_price if order.has_trigger_price else None
    return (order.quantity, price, trigger)
