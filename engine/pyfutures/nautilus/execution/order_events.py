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

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from nautilus_trader.model.enums import TimeInForce

from pyfutures.ib.codes import CODES
from pyfutures.ib.failures import ClientClosedError, RequestError
from pyfutures.ib.masking import masked
from pyfutures.ib.orders import OrderEventKind, OrderPhase, split_exec_id
from pyfutures.nautilus.execution.fill_events import FillEvents
from pyfutures.nautilus.execution.orders import UnsupportedOrderError, reported_terms
from pyfutures.nautilus.execution.reports import venue_id
from pyfutures.nautilus.execution.tracks import Track, tracked

if TYPE_CHECKING:
    from nautilus_trader.model.identifiers import InstrumentId, StrategyId
    from nautilus_trader.model.orders import Order

    from pyfutures.ib.orders import Fill, OrderEvent, OrderView
    from pyfutures.nautilus.contracts.listings import Listing
    from pyfutures.nautilus.execution.client import FuturesExecutionClient

__all__ = ["OrderEvents"]

_ZERO: Final = Decimal(0)
_SOON: Final = 1.0  # seconds
#: Codes with which a gateway refuses a cancellation; the others refuse modifications.
_OF_CANCELS: Final = frozenset({135, 136, 161, 10147, 10148})
_MARGIN: Final = ("EQUITY WITH LOAN VALUE", "MARGIN", "AVAILABLE FUNDS", "BUYING POWER")


class OrderEvents(FillEvents):
    """Turns order events of the IB client into those of nautilus. Part of the execution client.

    Parameters
    ----------
    client
        The execution client that tells the node.

    """

    def __init__(self, client: FuturesExecutionClient) -> None:
        super().__init__(client)
        self._tracks: dict[int, Track] = {}
        self._waiting: list[OrderEvent] | None = []
        self._adopting: set[int] = set()
        self._ignored: set[int] = set()
        self._open: set[int] = set()

    # Starting, pausing, ending.

    def pause(self) -> None:
        """Keep what is heard from now on."""
        if self._waiting is None:
            self._waiting = []

    def resume(self, *, forget: bool = False) -> None:
        """Tell what was kept, unless it is to be forgotten, and what comes."""
        kept, self._waiting = self._waiting, None
        for event in () if forget or kept is None else kept:
            self._take(event)

    def refresh(self, view: OrderView) -> None:
        """Tell the node if IB has an order of its with other prices or another quantity."""
        track = self.track_of(view)
        if track is not None and view.order.type:
            self._updated(track, view)

    def close(self) -> None:
        """End it: fills that wait are told with the commissions that are known."""
        for track in tuple(self._tracks.values()):
            for base in tuple(track.held):
                self._commission_missing(track, base, "before the client was stopped")
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
        track = self._tracks[key] = tracked(key, order, listing)
        self._open.add(key)
        return track

    def open_orders(self) -> list[OrderView]:
        """Return the orders of the account that can still fill, by the book."""
        views = [self._ib.orders.book.view(key) for key in self._open]
        return [view for view in views if not view.is_final]

    def is_trading(self, instrument_id: InstrumentId, strategy_id: StrategyId) -> bool:
        """Return whether a strategy has an order that may still fill, or a fill to be told."""
        return any(
            (track.order.instrument_id, track.order.strategy_id) == (instrument_id, strategy_id)
            for track in self._tracks.values()
            if track.held or (track.key in self._open and not track.is_over)
        )

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

    # What is heard.

    def hear(self, event: OrderEvent) -> None:
        """Take an event of the IB client."""
        if not self._client.is_ours(event.order, event.fill):
            return
        (self._open.discard if event.order.is_final else self._open.add)(event.order.key)
        if self._waiting is not None:
            self._waiting.append(event)
        else:
            self._take(event)

    def _take(self, event: OrderEvent) -> None:
        view, fill = event.order, event.fill
        if self._is_told(event):
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
                code = f"error {event.code}: " if event.code else ""  # none: it never got there
                self._refused(track, view, masked(f"{code}{event.text}"), event.code)
            case _:
                self._warned(track, event)

    def _is_told(self, event: OrderEvent) -> bool:
        """Whether the node knows a fill; a commission that comes behind it is only noted."""
        if event.fill is None or event.kind is OrderEventKind.CORRECTION:
            return False
        base, _ = split_exec_id(event.fill.execution.exec_id)
        if base not in self._told:
            return False
        if event.kind is OrderEventKind.COMMISSION:
            self._late_commission(base, event)
        return True

    def _warned(self, track: Track, event: OrderEvent) -> None:
        self._log.warning(f"{track.order.client_order_id}: {event.code} {masked(event.text)}")
        if event.code not in CODES and event.order.phase is OrderPhase.SENT:
            # A code that nobody has listed may be a refusal: IB is asked what lives.
            self._later(("unlisted", track.key), _SOON, self._client.ask_orders)

    def _adopt(self, view: OrderView) -> None:
        """Report an order that somebody else placed; then it is as any other."""
        is_news = not view.is_final or any(
            split_exec_id(fill.execution.exec_id)[0] not in self._told for fill in view.fills
        )
        if view.perm_id and is_news and view.key not in {*self._adopting, *self._ignored}:
            self._adopting.add(view.key)
            self._client.create_task(self._adoption(view.key), log_msg="report of an order")

    async def _adoption(self, key: int) -> None:
        try:
            view = self._ib.orders.book.view(key)
            if not await self._client.report_external(view):
                self._ignored.add(key)
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
        self._ask_held(track.key)

    def _ask_held(self, key: int) -> None:
        def ask() -> None:
            self._client.create_task(self._is_held(key), log_msg="question about an order")

        self._later(("held", key), self._client.grace, ask)

    async def _is_held(self, key: int) -> None:
        try:
            open_ones = await self._ib.orders.open_orders(everyone=True)
        except ClientClosedError:
            return
        except RequestError as error:
            self._log.warning(f"an inactive order: {error}; it is asked again")
            self._ask_held(key)
            return
        view, track = self._ib.orders.book.view(key), self._tracks.get(key)
        if track is None or track.is_over or view.phase is not OrderPhase.HELD:
            return
        if any(one.order.perm_id == view.perm_id for one in open_ones):
            self._accept(track, view.perm_id)
            self._log.warning(f"{track.order.client_order_id}: inactive, but open at IB")
        else:
            self._end(track, lambda: self._rejected(track, view))

    def _cancelled(self, track: Track, view: OrderView) -> None:
        if track.filled >= view.order.quantity > 0:
            return  # a fill came behind the cancellation
        track.is_over = True
        now, order = self._client.now, track.order
        if view.error_code and view.error_code != 202 and not track.is_accepted:
            self._tell_rejected(track, view)
            return
        self._accept(track, view.perm_id)  # so that the node knows it by IB's number
        venue = venue_id(view.perm_id)
        expires = order.expire_time_ns if order.time_in_force == TimeInForce.GTD else 0
        if expires and not track.is_cancelling and self._client.ib_now >= expires:
            self._client.generate_order_expired(*track.name, venue, now)
            return
        is_immediate = order.time_in_force in {TimeInForce.IOC, TimeInForce.FOK}
        if not track.is_cancelling and not is_immediate:
            self.counts.broker_cancels += 1
            said = masked(view.error or "no reason")
            self._log.warning(f"{order.client_order_id}: cancelled, not by this node: {said}")
        self._client.generate_order_canceled(*track.name, venue, now)

    def _rejected(self, track: Track, view: OrderView) -> None:
        track.is_over = True
        if track.filled:  # nautilus has no way from partly filled to rejected
            said = masked(view.error)
            self._log.error(f"{track.order.client_order_id}: rest rejected: {said}")
            self._client.generate_order_canceled(
                *track.name, venue_id(view.perm_id), self._client.now
            )
            return
        self._tell_rejected(track, view)

    def _tell_rejected(self, track: Track, view: OrderView) -> None:
        self.counts.rejections += 1
        said = masked(view.error or "; ".join(view.warnings) or "no reason")
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
                *track.name, venue_id(view.perm_id), self._client.now
            )
        else:
            self._client.generate_order_rejected(
                *track.name,
                masked("; ".join(["lost: IB knows nothing of it", *view.warnings])),
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
        self._client.generate_order_canceled(*track.name, venue_id(view.perm_id), self._client.now)

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
            *track.name, venue_id(view.perm_id), quantity, terms.price,
            terms.trigger_price, self._client.now,
        )  # fmt: skip

    def _refused(self, track: Track, view: OrderView, reason: str, code: int) -> None:
        if code in _OF_CANCELS or (not code and not track.is_changing):
            self._cancel_refused(track, view, reason)
        elif track.is_changing and not track.is_over:
            track.is_changing = False
            self._client.generate_order_modify_rejected(
                *track.name, venue_id(view.perm_id), reason, self._client.now
            )
        else:
            self._log.warning(f"{track.order.client_order_id}: {reason}")

    def _cancel_refused(self, track: Track, view: OrderView, reason: str) -> None:
        if not track.is_cancelling or track.is_over:
            return
        track.is_cancelling = False
        self._client.generate_order_cancel_rejected(
            *track.name, venue_id(view.perm_id), reason, self._client.now
        )


def _quantity(track: Track) -> Decimal:
    quantity: Decimal = track.order.quantity.as_decimal()
    return quantity
