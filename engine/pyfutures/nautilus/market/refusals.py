"""What a future at IB does not have: each subscription and request says so, and why.

A request that is refused is answered with nothing, for an actor waits for its answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyfutures.nautilus.market.events import FeedEventKind
from pyfutures.nautilus.market.requests import unwritten

if TYPE_CHECKING:
    from collections.abc import Callable

    from nautilus_trader.data.messages import (
        RequestData,
        SubscribeData,
        UnsubscribeData,
    )
    from nautilus_trader.model.identifiers import InstrumentId

    from pyfutures.nautilus.market.feeds import LiveFeed

__all__ = ["UNSUPPORTED_REQUESTS", "UNSUPPORTED_SUBSCRIPTIONS", "DataRefusals"]

#: Why, by what nautilus calls them.
UNSUPPORTED_SUBSCRIPTIONS: Final = {
    "mark_prices": "IB sends no mark prices of futures",
    "index_prices": "IB sends no index prices with futures",
    "funding_rates": "futures that expire have no funding",
    "option_greeks": "futures have no greeks",
    "instrument_close": "IB has no event for the close of a session: take daily bars",
}
UNSUPPORTED_REQUESTS: Final = {
    "funding_rates": "futures that expire have no funding",
    "forward_prices": "only options need forward prices",
    "order_book_snapshot": "IB sends order books to subscribers only: subscribe",
    "order_book_deltas": "IB keeps no order books of the past",
    "order_book_depth": "IB keeps no order books of the past",
    "data": "this client has no data of its own kinds",
}


class DataRefusals:
    """The subscriptions and requests that a data client refuses."""

    _log: Any
    _handle_data_response: Any
    _remove_subscription_mark_prices: Callable[[InstrumentId], None]
    _remove_subscription_index_prices: Callable[[InstrumentId], None]
    _remove_subscription_funding_rates: Callable[[InstrumentId], None]
    _remove_subscription_option_greeks: Callable[[InstrumentId], None]
    _remove_subscription_instrument_close: Callable[[InstrumentId], None]

    def tell(self, kind: FeedEventKind, feed: LiveFeed | str, text: str, count: int) -> None:
        """Log what happened to a feed, and publish it."""
        raise NotImplementedError  # the client's

    def _refuse(self, what: str, command: Any) -> None:  # noqa: ANN401 - of several kinds
        getattr(self, f"_remove_subscription_{what}")(command.instrument_id)
        self.tell(
            FeedEventKind.UNSUPPORTED,
            f"{what.replace('_', ' ')} of {command.instrument_id}",
            f"Cannot subscribe: {UNSUPPORTED_SUBSCRIPTIONS[what]}",
            1,
        )

    def _answer_nothing(self, what: str, request: RequestData) -> None:
        words = str(request.data_type) if what == "data" else what.replace("_", " ")
        self._log.warning(f"Cannot request {words}: {UNSUPPORTED_REQUESTS[what]}")
        self._handle_data_response(
            request.data_type,
            [],
            request.id,
            getattr(request, "start", None),
            getattr(request, "end", None),
            unwritten(request.params),
        )

    async def _subscribe_mark_prices(self, command: SubscribeData) -> None:
        self._refuse("mark_prices", command)

    async def _unsubscribe_mark_prices(self, command: UnsubscribeData) -> None:
        """Do nothing: there was nothing to begin with."""

    async def _subscribe_index_prices(self, command: SubscribeData) -> None:
        self._refuse("index_prices", command)

    async def _unsubscribe_index_prices(self, command: UnsubscribeData) -> None:
        """Do nothing: there was nothing to begin with."""

    async def _subscribe_funding_rates(self, command: SubscribeData) -> None:
        self._refuse("funding_rates", command)

    async def _unsubscribe_funding_rates(self, command: UnsubscribeData) -> None:
        """Do nothing: there was nothing to begin with."""

    async def _subscribe_option_greeks(self, command: SubscribeData) -> None:
        self._refuse("option_greeks", command)

    async def _unsubscribe_option_greeks(self, command: UnsubscribeData) -> None:
        """Do nothing: there was nothing to begin with."""

    async def _subscribe_instrument_close(self, command: SubscribeData) -> None:
        self._refuse("instrument_close", command)

    async def _unsubscribe_instrument_close(self, command: UnsubscribeData) -> None:
        """Do nothing: there was nothing to begin with."""

    async def _request_funding_rates(self, request: RequestData) -> None:
        self._answer_nothing("funding_rates", request)

    async def _request_forward_prices(self, request: RequestData) -> None:
        self._answer_nothing("forward_prices", request)

    async def _request_order_book_snapshot(self, request: RequestData) -> None:
        self._answer_nothing("order_book_snapshot", request)

    async def _request_order_book_deltas(self, request: RequestData) -> None:
        self._answer_nothing("order_book_deltas", request)

    async def _request_order_book_depth(self, request: RequestData) -> None:
        self._answer_nothing("order_book_depth", request)

    async def _request(self, request: RequestData) -> None:
        self._answer_nothing("data", request)
