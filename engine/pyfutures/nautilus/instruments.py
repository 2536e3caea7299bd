"""Contracts of a chain as nautilus instruments.

An instrument id belongs to the broker's contract, class and month: two roots of ours that are one
contract at the broker share it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nautilus_trader.model.enums import AssetClass
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import FuturesContract
from nautilus_trader.model.objects import Currency, Price, Quantity

if TYPE_CHECKING:
    from decimal import Decimal

    from pyfutures.chain import Chain
    from pyfutures.months import ContractMonth

__all__ = ["contract_id", "futures_contract", "instrument_id"]

_NS: Final = 10**9


def instrument_id(chain: Chain, month: ContractMonth, *, venue: str | None = None) -> InstrumentId:
    """Return the id of a contract, ``ESH26.XCME``: class, month code, two-digit year, venue.

    Parameters
    ----------
    chain
        The root.
    month
        Any month; the chain need not list it.
    venue
        Stands in for the exchange of the spec.
    """
    name = chain.trading_class(month) or chain.root
    return contract_id(name, month, venue or chain.spec.exchange)


def contract_id(trading_class: str, month: ContractMonth, venue: str) -> InstrumentId:
    """Return the id of a broker's contract, ``ESH26.XCME``."""
    name = "_".join(trading_class.split())
    return InstrumentId(Symbol(f"{name}{month.code}{month.year % 100:02}"), Venue(venue))


def futures_contract(
    chain: Chain,
    month: ContractMonth,
    *,
    venue: str | None = None,
    asset_class: AssetClass = AssetClass.COMMODITY,
) -> FuturesContract:
    """Return the instrument of a listed month.

    Parameters
    ----------
    chain
        The root.
    month
        A listed month.
    venue
        Stands in for the exchange of the spec.
    asset_class
        A label: specs do not have it, and nothing here depends on it.

    Raises
    ------
    ChainError
        If the month is not listed.
    ValueError
        If tick, multiplier or the instant of the last trade is not known.
    """
    row = chain.row(month)
    if row.last_trade_utc is None:
        msg = (
            f"{chain.root} {month}: the instant of the last trade is not known;"
            f" add `at` to last_trade or `hours` to {chain.spec.path}"
        )
        raise ValueError(msg)
    tick = _known(chain, month, "tick", chain.spec.tick.at(month))
    multiplier = _known(chain, month, "multiplier", chain.spec.multiplier.at(month))
    identity = instrument_id(chain, month, venue=venue)
    return FuturesContract(
        instrument_id=identity,
        raw_symbol=identity.symbol,
        asset_class=asset_class,
        currency=Currency.from_str(chain.spec.currency),
        price_precision=max(0, -int(tick.as_tuple().exponent)),
        price_increment=Price.from_str(f"{tick:f}"),
        multiplier=Quantity.from_str(f"{multiplier:f}"),
        lot_size=Quantity.from_int(1),
        underlying=chain.root,
        activation_ns=0,  # a spec says which months exist, not since when
        expiration_ns=int(row.last_trade_utc.timestamp()) * _NS,
        ts_event=0,
        ts_init=0,
        exchange=chain.spec.exchange,
    )


def _known(chain: Chain, month: ContractMonth, name: str, value: Decimal | None) -> Decimal:
    if value is None:
        msg = f"{chain.root} {month}: no {name} in {chain.spec.path}"
        raise ValueError(msg)
    return value.normalize()
