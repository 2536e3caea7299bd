"""What an order would cost in margin and commission: a question with an answer, not an order.

A strategy asks with `request_margin`; the execution client asks IB what if, and calls back, always:
with figures, or with the reason why there are none. The answer is published too, on the topic
`margins.<client>.<instrument>`.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from nautilus_trader.core.data import Data
from nautilus_trader.model.identifiers import ClientId
from nautilus_trader.model.objects import Currency, Money

if TYPE_CHECKING:
    from collections.abc import Callable

    from nautilus_trader.model.identifiers import ClientOrderId, InstrumentId
    from nautilus_trader.model.orders import Order
    from nautilus_trader.trading.strategy import Strategy

    from pyfutures.ib.messages.order import OrderState

__all__ = [
    "MarginQuote",
    "MarginRequest",
    "margin_endpoint",
    "margin_quote",
    "margin_topic",
    "request_margin",
]

_DEFAULT: Final = ClientId("PYF")


@dataclass(frozen=True, eq=False)
class MarginQuote(Data):  # type: ignore[misc] # nautilus has no types
    """What an order would do to an account.

    Attributes
    ----------
    client_order_id, instrument_id
        The order that was asked about.
    initial, maintenance
        The change of the margins; None where IB does not say.
    initial_after, maintenance_after, equity_after
        What they would be.
    commission
        What it would cost; None where IB gives a range only.
    warning
        What IB remarks.
    error
        Why there are no figures; empty where there are.
    ts
        When it was answered, UTC nanoseconds.

    """

    client_order_id: ClientOrderId
    instrument_id: InstrumentId
    initial: Money | None = None
    maintenance: Money | None = None
    initial_after: Money | None = None
    maintenance_after: Money | None = None
    equity_after: Money | None = None
    commission: Money | None = None
    warning: str = ""
    error: str = ""
    ts: int = 0

    @property
    def ts_event(self) -> int:
        """When it was answered."""
        return self.ts

    @property
    def ts_init(self) -> int:
        """When it was answered."""
        return self.ts


@dataclass(frozen=True, slots=True)
class MarginRequest:
    """A question for the execution client, and whom to answer."""

    order: Order
    callback: Callable[[MarginQuote], object]


def margin_endpoint(client_id: ClientId) -> str:
    """Return where the message bus takes questions to a client."""
    return f"{client_id}.margins"


def margin_topic(client_id: ClientId, instrument_id: InstrumentId) -> str:
    """Return where the message bus publishes answers."""
    return f"margins.{client_id}.{instrument_id}"


def request_margin(
    strategy: Strategy,
    order: Order,
    callback: Callable[[MarginQuote], object],
    *,
    client_id: ClientId = _DEFAULT,
) -> None:
    """Ask what an order would cost; nothing is placed.

    Parameters
    ----------
    strategy
        Who asks.
    order
        Any order of its order factory, that is not submitted for it.
    callback
        Called once, with a `MarginQuote`.
    client_id
        The execution client to ask.

    """
    strategy.msgbus.send(endpoint=margin_endpoint(client_id), msg=MarginRequest(order, callback))


def margin_quote(order: Order, state: OrderState, *, ts: int) -> MarginQuote:
    """Return IB's answer as a quote."""
    unit = state.margin_currency or state.commission_currency

    def money(value: float | None, currency: str) -> Money | None:
        if value is None or not currency:
            return None
        return Money(Decimal(repr(value)), Currency.from_str(currency))

    return MarginQuote(
        client_order_id=order.client_order_id,
        instrument_id=order.instrument_id,
        initial=money(state.init_margin_change, unit),
        maintenance=money(state.maint_margin_change, unit),
        initial_after=money(state.init_margin_after, unit),
        maintenance_after=money(state.maint_margin_after, unit),
        equity_after=money(state.equity_after, unit),
        commission=money(state.commission, state.commission_currency),
        warning=state.warning,
        ts=ts,
    )
