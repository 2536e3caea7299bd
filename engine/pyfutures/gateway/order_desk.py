"""Answers about orders: placed, changed, cancelled, open, completed; executions.

What IB's servers would refuse is refused here with their codes, before an order gets to the book.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pyfutures.gateway.auctions import Auction, next_auction
from pyfutures.gateway.clock import SECOND
from pyfutures.gateway.contract_desk import resolve
from pyfutures.gateway.market import SLOT_NS
from pyfutures.gateway.orders import ORDER_TYPES, Terms, Working
from pyfutures.gateway.session import Session, handles
from pyfutures.gateway.told import completed_order, cost_of_order, open_order
from pyfutures.ib import messages as m
from pyfutures.ib.codes import CODES
from pyfutures.ib.times import TimeError, instant, zone

if TYPE_CHECKING:
    from pyfutures.gateway.core import Gateway
    from pyfutures.gateway.fills import Fill
    from pyfutures.gateway.spreads import Tradable

__all__ = ["Refusal", "make_order", "place_by_hand", "terms_of"]

_SIDES: Final = {"BUY": 1, "SELL": -1}
_TIFS: Final = {"DAY", "GTC", "IOC", "FOK", "GTD", "OPG"}
_AT_OPEN: Final = {"MKT", "LMT"}
_AT_CLOSE: Final = {"DAY", "GTC"}  # the times in force with which it can be waited for
_MOST: Final = 100_000  # contracts in one order
_ACTIVE: Final = 20  # orders on one side of a contract and account


class Refusal(Exception):  # noqa: N818 - it is an answer
    """An order is refused: the code and the text say why."""

    def __init__(self, code: int, text: str | None = None) -> None:
        self.code = code
        self.text = CODES[code].text if text is None else text
        super().__init__(f"{code}: {self.text}")


def _rejected(reason: str) -> Refusal:
    return Refusal(201, CODES[201].text.format(reason))


def terms_of(wire: m.Order, what: Tradable) -> Terms:
    """Return what an order asks for.

    Raises
    ------
    Refusal
        For what IB would refuse: side, size, type, prices, time in force.

    """
    side = _SIDES.get(wire.action)
    if side is None:
        raise Refusal(321, f"Error validating request.-'bK' : cause - Action {wire.action[:20]}")
    if wire.quantity <= 0:
        raise Refusal(434)
    if wire.quantity != wire.quantity.to_integral_value() or wire.quantity > _MOST:
        raise Refusal(
            10318,
            f"This order doesn't support fractional quantity trading: {wire.quantity:f}"[:200],
        )
    if (feature := _not_served(wire)) is not None:
        raise _rejected(f"{feature} are not served by this gateway")
    kind = ORDER_TYPES.get(wire.type)
    if kind is None:
        text = f"Unsupported order type for this exchange and security type: {wire.type[:20]}"
        raise Refusal(387, text)
    tif = wire.tif or "DAY"
    if tif not in _TIFS:
        raise _rejected(f"Time in force {tif[:20]} is not supported")
    if tif == "GTD" and not wire.good_till:
        raise _rejected("Good-till-date order without a date")
    terms = Terms(kind, side, int(wire.quantity), tif)
    closing = terms.auction is Auction.CLOSE and tif not in _AT_CLOSE
    if closing or (tif == "OPG" and kind not in _AT_OPEN):
        raise _rejected(f"The time in force {tif} is invalid for an order of type {kind}")
    return _priced(terms, wire, what)


def _not_served(wire: m.Order) -> str | None:
    """Return what an order asks for that it would not get: it must not trade without it."""
    asked = {
        "Algorithms": wire.algo_strategy,
        "Conditions": wire.conditions,
        "Adjusted stops": wire.adjusted_order_type not in {"", "None"},
        "Scale orders": (wire.scale_price_increment or 0) > 0,
        "Hedges": wire.hedge_type,
        "All-or-none": wire.all_or_none,
        "Minimum quantities": (wire.min_quantity or 0) > 1,
    }
    return next((name for name, is_asked in asked.items() if is_asked), None)


def _priced(terms: Terms, wire: m.Order, what: Tradable) -> Terms:
    if terms.type in {"TRAIL", "TRAIL LIMIT"}:
        percent = wire.trailing_percent
        if percent is not None and not 0 < percent < 100:
            raise _rejected("The trailing percentage must lie between 0 and 100")
        trail = _ticks(wire.aux_price, what)
        if percent is None and (trail is None or trail <= 0):
            raise _rejected("A trailing stop needs an amount or a percentage")
        stop = _ticks(wire.trail_stop_price, what)
        limit = _ticks(wire.limit_price, what)
        offset = _ticks(wire.limit_price_offset, what)
        if terms.type == "TRAIL LIMIT" and limit is None and offset is None:
            raise _rejected("A trailing stop limit order needs a limit price or offset")
        return replace(
            terms, stop=stop, trail=trail if percent is None else None, percent=percent,
            limit=limit, offset=offset,
        )  # fmt: skip
    limit = stop = None
    if terms.has_limit:
        limit = _ticks(wire.limit_price, what)
        if limit is None:
            raise _rejected("Limit price is missing")
    if terms.is_conditional:
        stop = _ticks(wire.aux_price, what)
        if stop is None:
            raise _rejected("Stop price is missing")
    return replace(terms, limit=limit, stop=stop)


def _ticks(price: float | None, what: Tradable) -> int | None:
    """Return a price on the grid, None for none."""
    if price is None:
        return None
    ticks = what.ticks(price) if math.isfinite(price) else None
    if ticks is None:
        raise Refusal(110)
    return ticks


def make_order(
    gateway: Gateway, client_id: int, order_id: int, what: Tradable, wire: m.Order
) -> Working:
    """Return an order that IB takes.

    Raises
    ------
    Refusal
        For one that it does not.

    """
    now, book = gateway.timeline.now, gateway.book
    if what.is_expired(now):
        raise _rejected("The contract is expired")
    terms = terms_of(wire, what)
    account = wire.account or gateway.config.accounts[0]
    if account not in gateway.accounts.names():
        raise Refusal(
            321, f"Error validating request.-'bK' : cause - Invalid account code '{account[:40]}'."
        )
    parent = book.find(client_id, wire.parent_id) if wire.parent_id else None
    if wire.parent_id and (parent is None or parent.status.is_done):
        raise _rejected("The parent order is not found")
    order = Working(
        client_id, order_id, book.next_perm_id(), account, what, wire, terms, now,
        parent=parent, transmitted=wire.transmit,
    )  # fmt: skip
    if book.active(account, what, terms.side) >= _ACTIVE:
        raise _rejected(f"The maximum of {_ACTIVE} working orders on one side is reached")
    order.expires = _expiry(gateway, what, wire, terms)
    if wire.good_after:
        order.active_from = _moment(gateway, wire.good_after)
    return order


def _moment(gateway: Gateway, text: str) -> int:
    try:
        moment = instant(text, login_zone=gateway.config.login_zone)
        return int(moment.timestamp()) * SECOND
    except TimeError:
        raise _rejected(f"Invalid time {text[:40]}") from None


def _expiry(gateway: Gateway, what: Tradable, wire: m.Order, terms: Terms) -> int:
    """Return when an order ends by itself: with its contract at the latest."""
    now, ends = gateway.timeline.now, what.last_ns
    if terms.tif == "GTD":
        ends = min(ends, _moment(gateway, wire.good_till))
        if ends <= now:
            raise _rejected("The good-till-date is past")
    elif terms.tif == "OPG":
        opening = next_auction(what, Auction.OPEN, now)
        if opening is None:
            raise _rejected("The contract does not open again")
        ends = min(ends, opening + SLOT_NS)
    elif terms.tif == "DAY":
        trading = what.hours.at(now) or what.hours.ahead(now)
        if trading is not None:
            ends = min(ends, trading.close_ns)
    return ends


# Place and change


@handles(m.PlaceOrder)
def _place(session: Session, request: m.PlaceOrder) -> None:
    gateway, order_id, wire = session.gateway, request.order_id, request.order
    if gateway.config.read_only:
        cause = "The API interface is currently in Read-Only mode."
        session.invalid(order_id, "bK", cause)
        return
    found = gateway.book.find(session.client_id, order_id)
    if found is not None and found.is_open and not wire.what_if:
        _change(session, found, request)
        return
    if not wire.what_if and not _is_free(session, order_id, found):
        return
    what = resolve(session, order_id, request.contract, "bK")
    if what is None:
        return
    try:
        order = make_order(gateway, session.client_id, order_id, what, wire)
    except Refusal as refusal:
        session.error(order_id, refusal.code, refusal.text)
        return
    if wire.what_if:
        state = cost_of_order(order, gateway.accounts, gateway.config)
        session.send(open_order(order, state))
        return
    gateway.used_order_id(session.client_id, order_id)
    state = cost_of_order(order, gateway.accounts, gateway.config)
    needed = state.init_margin_after or 0.0
    equity = state.equity_after or 0.0
    if (state.init_margin_change or 0.0) > 0 and needed > equity:
        gateway.book.refuse(order, 201, CODES[201].text.format(
            "YOUR ORDER IS NOT ACCEPTED. IN ORDER TO OBTAIN THE DESIRED POSITION YOUR EQUITY WITH "
            f"LOAN VALUE [{equity:.2f} {gateway.config.currency}] MUST EXCEED THE INITIAL MARGIN "
            f"[{needed:.2f} {gateway.config.currency}]"
        ))  # fmt: skip
        return
    gateway.faults.placing(order)
    if gateway.line.up:
        gateway.book.place(order)
    else:
        session.send(open_order(order))
        session.send(order.spelled())
        gateway.once_up(lambda: gateway.book.place(order))


def _is_free(session: Session, order_id: int, found: Working | None) -> bool:
    """Whether a client may use an order id; else say why not."""
    if found is not None:
        session.error(order_id, 104 if found.filled else 103)
    elif session.gateway.book.is_used(session.client_id, order_id):
        session.error(order_id, 103)
    elif order_id <= 0:  # those of orders made by hand, which IB gives
        session.invalid(order_id, "bK", f"Invalid order id {order_id}")
    else:
        return True
    return False


def _change(session: Session, order: Working, request: m.PlaceOrder) -> None:
    gateway, wire = session.gateway, request.order
    named = request.contract
    other = named.con_id and order.what.con_id and named.con_id != order.what.con_id
    if other or wire.action != order.order.action:
        session.error(order.order_id, 105)
        return
    try:
        terms = terms_of(wire, order.what)
        expires = _expiry(gateway, order.what, wire, terms)
    except Refusal as refusal:
        session.error(order.order_id, refusal.code, refusal.text)  # it stays as it was
        return
    if terms.quantity < order.filled:
        session.error(order.order_id, 104)
        return
    order.expires = expires
    if gateway.line.up or gateway.book.double_on_modify:
        gateway.book.modify(order, wire, terms)
    else:
        gateway.once_up(lambda: gateway.book.modify(order, wire, terms))


# Cancel


@handles(m.CancelOrder)
def _cancel(session: Session, request: m.CancelOrder) -> None:
    gateway, order_id = session.gateway, request.order_id
    order = gateway.book.find(session.client_id, order_id)
    if order is None:
        session.error(order_id, 10147, CODES[10147].text.format(order_id))
        return
    if not order.is_open:
        session.error(order_id, 10148, CODES[10148].text.format(order_id, order.status))
        return
    faults = gateway.faults
    delay, error_first = faults.cancelling()
    gateway.once_up(lambda: gateway.book.cancel(order, delay=delay, error_first=error_first))


@handles(m.GlobalCancel)
def _cancel_all(session: Session, _: m.GlobalCancel) -> None:
    gateway = session.gateway
    for order in gateway.book.open():
        gateway.once_up(lambda order=order: gateway.book.cancel(order))  # type: ignore[misc]


# Ask


def _tell_open(session: Session, client_id: int | None) -> None:
    for order in session.gateway.book.open(client_id):
        told = order
        if order.client_id != session.client_id and order.client_id == 0:
            # Of orders made by hand another client sees no id.
            told = replace(order, order_id=0, children=[])
        session.send(open_order(told))
        session.send(told.spelled())
    session.send(m.OpenOrderEnd())


@handles(m.RequestOpenOrders)
def _open(session: Session, _: m.RequestOpenOrders) -> None:
    _bind(session)
    _tell_open(session, session.client_id)


@handles(m.RequestAllOpenOrders)
def _all_open(session: Session, _: m.RequestAllOpenOrders) -> None:
    _tell_open(session, None)


@handles(m.RequestAutoOpenOrders)
def _auto_open(session: Session, request: m.RequestAutoOpenOrders) -> None:
    if session.client_id != 0:
        session.invalid(-1, "bP", "Only the client with id 0 binds orders")
        return
    session.binds_orders = request.bind
    _bind(session)


def _bind(session: Session) -> None:
    if session.binds_orders:
        for bound in session.gateway.book.bind(session.client_id):
            session.send(bound)


@handles(m.RequestCompletedOrders)
def _completed(session: Session, request: m.RequestCompletedOrders) -> None:
    for order in session.gateway.book.done():
        if request.api_only and order.order_id == 0:
            continue
        session.send(completed_order(order, session.gateway.config))
    session.send(m.CompletedOrdersEnd())


# Executions


@handles(m.RequestExecutions)
def _executions(session: Session, request: m.RequestExecutions) -> None:
    about = request.request_id
    if not session.gateway.line.up:
        return
    try:
        since = _since(session, request)
    except TimeError:
        session.error(about, 10314)
        return
    for fill in tuple(session.gateway.book.fills.all):
        if fill.ns >= since and _matches(fill, request, session):
            session.send(replace(fill.details, request_id=about))
            if fill.report is not None:
                session.send(fill.report)
    session.send(m.ExecutionDetailsEnd(about))


def _since(session: Session, request: m.RequestExecutions) -> int:
    """Return from when on executions are told: since midnight, or for so many days."""
    config = session.gateway.config
    where = zone(config.login_zone)
    now = dt.datetime.fromtimestamp(session.gateway.timeline.now // SECOND, where)
    midnight = now.replace(hour=0, minute=0, second=0)
    days = request.last_days if request.last_days is not None and 0 < request.last_days < 8 else 1
    if request.dates:
        days = 7
    since = int((midnight - dt.timedelta(days - 1)).timestamp()) * SECOND
    if request.time:
        since = max(
            since, int(instant(request.time, login_zone=config.login_zone).timestamp()) * SECOND
        )
    return since


def _matches(fill: Fill, request: m.RequestExecutions, session: Session) -> bool:
    contract, execution = fill.details.contract, fill.details.execution
    sides = {"BUY": "BOT", "SELL": "SLD"}
    pairs = (
        (request.account, execution.account),
        (request.symbol, contract.symbol),
        (request.sec_type, contract.sec_type),
        (request.exchange, contract.exchange),
        (sides.get(request.side, request.side), execution.side),
    )
    if any(said and said != true for said, true in pairs):
        return False
    if request.client_id and request.client_id != execution.client_id:
        return False
    if not request.dates:
        return True
    where = zone(session.gateway.config.login_zone)
    day = dt.datetime.fromtimestamp(fill.ns // SECOND, where)
    return f"{day:%Y%m%d}" in request.dates


def place_by_hand(gateway: Gateway, what: Tradable, wire: m.Order) -> Working:
    """Return an order placed as by hand in TWS: for client 0, without an order id.

    Raises
    ------
    Refusal
        For one that IB does not take.

    """
    order = make_order(gateway, 0, 0, what, replace(wire, transmit=True))
    gateway.book.place(order)
    return order
