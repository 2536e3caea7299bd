"""A broker's contract as a nautilus instrument.

The law: multiplier, tick and magnifier are the broker's, which are those that orders and positions
are counted in. The instrument expires at the earlier of the two last trades, at the time that the
spec has, else at the broker's, else at the close of that session; never at midnight.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from nautilus_trader.model.enums import AssetClass
from nautilus_trader.model.identifiers import Symbol
from nautilus_trader.model.instruments import FuturesContract
from nautilus_trader.model.objects import Currency, Price, Quantity

from pyfutures.chain import ChainError
from pyfutures.ib.comparison import broker_last_trade
from pyfutures.ib.messages.contracts import Contract
from pyfutures.ib.times import LastTrade, TimeError, hours, last_trade, zone

if TYPE_CHECKING:
    from nautilus_trader.model.identifiers import InstrumentId

    from pyfutures.chain import Chain
    from pyfutures.ib.messages.contracts import ContractDetails
    from pyfutures.months import ContractMonth
    from pyfutures.nautilus.prices import PriceScale

__all__ = [
    "asset_class",
    "expiration_ns",
    "future_of",
    "named",
    "session_close",
    "stray_expiration_ns",
]

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND: Final = dt.timedelta(microseconds=1)
_LAST_SECOND: Final = dt.time(23, 59, 59)
_ASSETS: Final = {
    "IND": AssetClass.INDEX,
    "STK": AssetClass.EQUITY,
    "CASH": AssetClass.FX,
    "BOND": AssetClass.DEBT,
    "CRYPTO": AssetClass.CRYPTOCURRENCY,
}


def named(details: ContractDetails) -> Contract:
    """Return how requests and orders name a contract: by its number, and enough to read a log."""
    known = details.contract
    return Contract(
        con_id=known.con_id,
        symbol=known.symbol,
        sec_type="FUT",
        exchange=known.exchange,
        currency=known.currency,
        local_symbol=known.local_symbol,
        trading_class=known.trading_class,
    )


def asset_class(details: ContractDetails) -> AssetClass:
    """Return what kind of thing the future is on; a label, nothing here depends on it."""
    return _ASSETS.get(details.under_sec_type, AssetClass.COMMODITY)


def future_of(  # noqa: PLR0913 - one parameter a fact that is not the broker's
    details: ContractDetails,
    identity: InstrumentId,
    *,
    scale: PriceScale,
    expires_ns: int,
    exchange: str,
    ts_ns: int,
) -> FuturesContract:
    """Return the instrument of a broker's contract.

    Parameters
    ----------
    details
        The broker's contract.
    identity
        Its id in the node.
    scale
        How its prices are read.
    expires_ns
        The instant of the last trade.
    exchange
        The MIC, or the broker's name of the exchange where that is not known.
    ts_ns
        When this became known.
    """
    contract = details.contract
    return FuturesContract(
        instrument_id=identity,
        raw_symbol=Symbol(contract.local_symbol or identity.symbol.value),
        asset_class=asset_class(details),
        currency=Currency.from_str(contract.currency),
        price_precision=scale.precision,
        price_increment=Price.from_str(f"{scale.increment:f}"),
        multiplier=Quantity.from_str(f"{scale.multiplier:f}"),
        lot_size=Quantity.from_int(1),
        underlying=contract.symbol,
        activation_ns=0,  # neither a spec nor the broker says since when it trades
        expiration_ns=expires_ns,
        ts_event=ts_ns,
        ts_init=ts_ns,
        exchange=exchange,
        info=_info(details),
    )


def _info(details: ContractDetails) -> dict[str, Any]:
    contract = details.contract
    return {
        "con_id": contract.con_id,
        "symbol": contract.symbol,
        "exchange": contract.exchange,
        "trading_class": contract.trading_class,
        "local_symbol": contract.local_symbol,
        "contract_month": details.contract_month,
        "price_magnifier": details.price_magnifier,
        "time_zone": details.time_zone,
        "trading_hours": details.trading_hours,
        "liquid_hours": details.liquid_hours,
        "long_name": details.long_name,
    }


def expiration_ns(
    chain: Chain, month: ContractMonth, details: ContractDetails, *, login_zone: str | None = None
) -> int | None:
    """Return the instant of the last trade, None if neither side knows its time of day.

    Raises
    ------
    ChainError
        If the month is not listed.
    """
    row = chain.row(month)
    try:
        told = broker_last_trade(chain, month, details, login_zone=login_zone)
    except TimeError:
        told = None
    if row.last_trade is not None and (told is None or row.last_trade <= told.date):
        day, instants = row.last_trade, [row.last_trade_utc]
        if told is not None and told.date == day:
            instants.append(told.instant)
    elif told is not None:
        day, instants = told.date, [told.instant]
    else:
        return None
    for instant in instants:
        if instant is not None:
            return _ns(instant)
    try:
        return chain.session_close_ns(day)
    except ChainError:  # the spec has no trading hours; the broker may
        close = session_close(details, day)
        return None if close is None else _ns(close)


def stray_expiration_ns(details: ContractDetails, *, login_zone: str | None = None) -> int:
    """Return the instant of the last trade of a contract that no spec knows.

    Where the broker tells a date alone, and has no hours of it any more, it is the last second of
    that day at the exchange: a position must not be dropped for it.

    Raises
    ------
    TimeError
        If the broker's text cannot be read.
    """
    told: LastTrade = last_trade(
        details.contract.last_trade,
        details.time_zone,
        date=details.contract.last_trade_date,
        login_zone=login_zone,
    )
    moment = told.instant or session_close(details, told.date)
    if moment is None:
        moment = dt.datetime.combine(told.date, _LAST_SECOND, zone(details.time_zone or "UTC"))
    return _ns(moment)


def session_close(details: ContractDetails, day: dt.date) -> dt.datetime | None:
    """Return the close of a day by the broker's hours, None if it tells none.

    It tells those of the next days only; on other days it is the time of day at which the first
    of these sessions closes.
    """
    text = details.liquid_hours or details.trading_hours
    try:
        where = zone(details.time_zone)
        closes = [
            one.close.astimezone(where) for one in hours(text, details.time_zone) if one.close
        ]
    except TimeError:
        return None
    if not closes:
        return None
    own = [close for close in closes if close.date() == day]
    return max(own) if own else dt.datetime.combine(day, closes[0].time(), where)


def _ns(moment: dt.datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND * 1000
