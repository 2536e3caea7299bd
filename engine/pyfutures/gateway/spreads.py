"""Prices of what can be traded: a contract, or a calendar spread of two of one product."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyfutures.gateway.contracts import Instrument, NotFoundError
from pyfutures.gateway.market import Market, Quote
from pyfutures.ib.messages.contracts import ComboLeg, Contract

if TYPE_CHECKING:
    from decimal import Decimal

    from pyfutures.gateway.contracts import Universe
    from pyfutures.gateway.hours import Hours

__all__ = ["Prices", "Spread", "Tradable", "spread"]


@dataclass(frozen=True, slots=True)
class Spread:
    """A calendar spread: one contract bought and one sold when it is bought, one for one."""

    legs: tuple[tuple[Instrument, int], ...]
    contract: Contract

    @property
    def con_id(self) -> int:
        """The id of a combination that has none of its own."""
        return 0

    @property
    def _first(self) -> Instrument:
        return self.legs[0][0]

    @property
    def symbol(self) -> str:
        """The symbol of its legs."""
        return self._first.symbol

    @property
    def exchange(self) -> str:
        """Where it trades."""
        return self._first.exchange

    @property
    def currency(self) -> str:
        """The currency of its legs."""
        return self._first.currency

    @property
    def local_symbol(self) -> str:
        """A name for it."""
        return "-".join(leg.local_symbol for leg, _ in self.legs)

    @property
    def magnifier(self) -> int:
        """The magnifier of its legs."""
        return self._first.magnifier

    @property
    def multiplier(self) -> Decimal:
        """The multiplier of its legs."""
        return self._first.multiplier

    @property
    def tick(self) -> Decimal:
        """The tick, in currency."""
        return self._first.tick

    @property
    def quote_tick(self) -> Decimal:
        """The tick of quotes."""
        return self._first.quote_tick

    @property
    def hours(self) -> Hours:
        """When it trades."""
        return self._first.hours

    @property
    def last_ns(self) -> int:
        """The last trade of the leg that ends first."""
        return min(leg.last_ns for leg, _ in self.legs)

    def quote(self, ticks: float) -> float:
        """Return a price in ticks as IB quotes it."""
        return self._first.quote(ticks)

    def ticks(self, quote: float) -> int | None:
        """Return a quote in ticks; None if it is not on the grid."""
        return self._first.ticks(quote)

    def money(self, ticks: float) -> float:
        """Return what a price in ticks is worth for one spread."""
        return self._first.money(ticks)

    def is_expired(self, now: int) -> bool:
        """Whether it trades no more."""
        return now >= self.last_ns

    def spelled(self) -> Contract:
        """Return it as answers name it."""
        return self.contract


type Tradable = Instrument | Spread


def spread(named: Contract, universe: Universe, now: int) -> Spread:
    """Return the calendar spread that a request names.

    Raises
    ------
    NotFoundError
        If it is none: legs that do not exist, of several products, or not one for one.

    """
    universe.refresh(now)
    found = [(universe.by_id(leg.con_id), leg) for leg in named.legs]
    legs = [(item, leg) for item, leg in found if item is not None]
    if len(legs) != 2 or len(found) != 2:
        raise NotFoundError
    (one, first), (other, second) = legs
    sides = {first.action, second.action}
    same = (one.symbol, one.trading_class, one.exchange, one.multiplier) == (
        other.symbol, other.trading_class, other.exchange, other.multiplier,
    )  # fmt: skip
    if not same or one is other or sides != {"BUY", "SELL"}:
        raise NotFoundError
    if first.ratio != 1 or second.ratio != 1 or one.is_expired(now) or other.is_expired(now):
        raise NotFoundError
    signed = tuple((item, 1 if leg.action == "BUY" else -1) for item, leg in legs)
    contract = Contract(
        symbol=one.symbol,
        sec_type="BAG",
        strike=0.0,
        right="?",
        exchange=one.exchange,
        currency=one.currency,
        local_symbol=one.symbol,
        trading_class="COMB",
        legs_text=",".join(f"{item.con_id}|{sign}" for item, sign in signed),
        legs=tuple(ComboLeg(item.con_id, 1, leg.action, item.exchange) for item, leg in legs),
    )
    return Spread(signed, contract)


class Prices:
    """Quotes of contracts and spreads.

    Parameters
    ----------
    market
        Where contracts are quoted.

    """

    def __init__(self, market: Market) -> None:
        self.market = market

    def is_open(self, what: Tradable, ns: int) -> bool:
        """Whether it trades at an instant."""
        return not what.is_expired(ns) and what.hours.at(ns) is not None

    def quote(self, what: Tradable, ns: int) -> Quote | None:
        """Return the market of it; of a spread, what its legs make."""
        if isinstance(what, Instrument):
            return self.market.quote(what, ns)
        quotes = [(self.market.quote(leg, ns), sign) for leg, sign in what.legs]
        (one, sign), (other, _) = quotes
        if one is None or other is None:
            return None
        bought, sold = (one, other) if sign > 0 else (other, one)
        last = None if bought.last is None or sold.last is None else bought.last - sold.last
        return Quote(
            bought.bid - sold.ask,
            bought.ask - sold.bid,
            min(bought.bid_size, sold.ask_size),
            min(bought.ask_size, sold.bid_size),
            last,
            min(bought.last_size, sold.last_size),
            max(bought.last_ns, sold.last_ns),
        )

    def next_slot(self, what: Tradable, ns: int) -> int | None:
        """Return when its market moves next; None if never."""
        if isinstance(what, Instrument):
            return self.market.next_slot(what, ns)
        moves = [self.market.next_slot(leg, ns) for leg, _ in what.legs]
        known = [at for at in moves if at is not None]
        return min(known) if len(known) == len(moves) else None
