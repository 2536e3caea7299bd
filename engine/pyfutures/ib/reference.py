"""What exists: contracts, chains, price rules; and what time the gateway has."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from pyfutures.ib.answers import First, Many
from pyfutures.ib.history import name_of
from pyfutures.ib.messages.contracts import (
    Contract,
    ContractDetails,
    ContractDetailsEnd,
    MarketRule,
    PriceIncrement,
    RequestContractDetails,
    RequestMarketRule,
)
from pyfutures.ib.messages.depth import DepthExchange, DepthExchanges, RequestDepthExchanges
from pyfutures.ib.messages.session import CurrentTime, RequestCurrentTime

if TYPE_CHECKING:
    from pyfutures.ib.requests import Requests

__all__ = ["Reference"]

_UNKNOWN: Final = frozenset({200})


class Reference:
    """What a gateway can be asked about contracts. Part of `Client`.

    All methods take `deadline` (seconds for the answer once the request is written) and `patience`
    (seconds during which failures that may pass are met with another try), and raise a kind of
    `RequestError`.
    """

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    async def details(
        self, contract: Contract, *, deadline: float | None = None, patience: float = 0.0
    ) -> tuple[ContractDetails, ...]:
        """Return all contracts that match, in the gateway's order; empty if there is none.

        While IB's servers are reset gateways deny contracts that exist: then "none" is an error
        that may pass (code 200, not final), and `patience` helps.

        Raises
        ------
        RequestError
            One of its kinds.

        """
        return await self._requests.ask(
            f"details of {name_of(contract)}",
            lambda request_id: RequestContractDetails(request_id, contract),
            lambda: Many(ContractDetails, ContractDetailsEnd, means_nothing=_UNKNOWN),
            deadline=deadline,
            patience=patience,
        )

    async def chain(  # noqa: PLR0913
        self,
        symbol: str,
        *,
        exchange: str,
        currency: str = "",
        trading_class: str = "",
        include_expired: bool = False,
        deadline: float | None = None,
        patience: float = 0.0,
    ) -> tuple[ContractDetails, ...]:
        """Return all futures of a symbol; expired ones too, about two years back, if asked for.

        Raises
        ------
        RequestError
            One of its kinds.

        """
        contract = Contract(
            symbol=symbol, sec_type="FUT", exchange=exchange, currency=currency,
            trading_class=trading_class, include_expired=include_expired,
        )  # fmt: skip
        return await self.details(contract, deadline=deadline, patience=patience)

    async def continuous(
        self,
        symbol: str,
        *,
        exchange: str,
        currency: str = "",
        deadline: float | None = None,
        patience: float = 0.0,
    ) -> ContractDetails | None:
        """Return the contract that IB's continuous future stands for now, None if there is none.

        Its `sec_type` is CONTFUT; the id is that of the contract it stands for.

        Raises
        ------
        RequestError
            One of its kinds.

        """
        contract = Contract(symbol=symbol, sec_type="CONTFUT", exchange=exchange, currency=currency)
        found = await self.details(contract, deadline=deadline, patience=patience)
        return found[0] if found else None

    async def market_rule(
        self, rule_id: int, *, deadline: float | None = None, patience: float = 0.0
    ) -> tuple[PriceIncrement, ...]:
        """Return the price increments of a rule, by rising price.

        Raises
        ------
        RequestError
            One of its kinds.

        """
        rule = await self._requests.ask_lane(
            f"market rule {rule_id}",
            ("rule", rule_id),
            RequestMarketRule(rule_id),
            lambda: First(MarketRule),
            deadline=deadline,
            patience=patience,
        )
        return rule.increments

    async def depth_exchanges(
        self, *, deadline: float | None = None, patience: float = 0.0
    ) -> tuple[DepthExchange, ...]:
        """Return the exchanges that offer an order book.

        Raises
        ------
        RequestError
            One of its kinds.

        """
        answer = await self._requests.ask_lane(
            "exchanges with order books",
            "depth exchanges",
            RequestDepthExchanges(),
            lambda: First(DepthExchanges),
            deadline=deadline,
            patience=patience,
        )
        return answer.exchanges

    async def server_time(
        self, *, deadline: float | None = None, patience: float = 0.0
    ) -> dt.datetime:
        """Return the gateway's clock, to the second.

        Raises
        ------
        RequestError
            One of its kinds.

        """
        answer = await self._requests.ask_lane(
            "server time",
            "time",
            RequestCurrentTime(),
            lambda: First(CurrentTime),
            deadline=deadline,
            patience=patience,
        )
        return dt.datetime.fromtimestamp(answer.seconds, dt.UTC)
