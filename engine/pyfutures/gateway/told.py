"""Orders as they are told: open, completed, and what they would cost."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from pyfutures.gateway.clock import SECOND
from pyfutures.ib import messages as m
from pyfutures.ib.times import zone

if TYPE_CHECKING:
    from pyfutures.gateway.accounts import Accounts
    from pyfutures.gateway.config import GatewayConfig
    from pyfutures.gateway.orders import Working

__all__ = ["completed_order", "cost_of_order", "open_order"]


def _wire(order: Working) -> m.Order:
    """Return an order with what gateways fill in."""
    wire = order.order
    stop = order.stop
    return replace(
        wire,
        quantity=Decimal(order.terms.quantity),
        tif=order.terms.tif,
        account=order.account,
        client_id=order.client_id,
        perm_id=order.perm_id,
        limit_price=wire.limit_price or 0.0,
        aux_price=wire.aux_price or 0.0,
        trail_stop_price=(
            order.what.quote(stop)
            if stop is not None and order.terms.type.startswith("TRAIL")
            else wire.trail_stop_price
        ),
        shares_allocation=f"{order.perm_id}.0/{order.account}/{order.terms.quantity}",
        # The text `None` is not empty, so that the block of a hedge follows (recorded elsewhere).
        delta_neutral_type=wire.delta_neutral_type or "None",
        delta_neutral_open_close=wire.delta_neutral_open_close or "?",
    )


def open_order(order: Working, state: m.OrderState | None = None) -> m.OpenOrder:
    """Return an order as it is told while it is open, and at its end."""
    said = m.OrderState(status=order.status) if state is None else state
    return m.OpenOrder(order.order_id, order.what.spelled(), _wire(order), said)


def completed_order(order: Working, config: GatewayConfig) -> m.CompletedOrder:
    """Return an order that is done."""
    ended = dt.datetime.fromtimestamp((order.ended or 0) // SECOND, zone(config.login_zone))
    said = f"Filled Size: {order.filled}" if order.filled else "Cancelled by Trader"
    state = m.OrderState(
        status=order.status,
        completed_time=f"{ended:%Y%m%d %H:%M:%S} {config.login_zone}",
        completed_status=said,
    )
    wire = replace(_wire(order), filled_quantity=Decimal(order.filled))
    return m.CompletedOrder(order.what.spelled(), wire, state)


def cost_of_order(order: Working, accounts: Accounts, config: GatewayConfig) -> m.OrderState:
    """Return what an order would cost: margins and equity before and after, and commission."""
    before = accounts.margins(order.account)
    size, each = order.terms.quantity, accounts.margin_of(order.what)
    held = accounts.position(order.account, order.what.con_id)
    after_size = abs(held + size * order.terms.side)
    change = (after_size - abs(held)) * each
    fee = float(config.fee(order.what.currency) * size)
    drop = -fee * config.rate(order.what.currency)
    least = 0.8 * change
    return m.OrderState(
        status=order.status,
        init_margin_before=round(before.initial, 2),
        maint_margin_before=round(before.maintenance, 2),
        equity_before=round(before.equity, 2),
        init_margin_change=round(change, 2),
        maint_margin_change=round(least, 2),
        equity_change=round(drop, 2),
        init_margin_after=round(before.initial + change, 2),
        maint_margin_after=round(before.maintenance + least, 2),
        equity_after=round(before.equity + drop, 2),
        commission=round(fee, 2),
        commission_currency=order.what.currency,
        margin_currency=config.currency,
    )
