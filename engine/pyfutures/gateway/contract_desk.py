"""Answers about contracts: details, market rules."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final
from zlib import crc32

from pyfutures.gateway.config import LastTradeForm
from pyfutures.gateway.contracts import AmbiguousError, NotFoundError, plain
from pyfutures.gateway.line import FarmState
from pyfutures.gateway.names import ORDER_TYPES, ib_zone, underlying_id
from pyfutures.gateway.session import Session, handles
from pyfutures.gateway.spreads import spread
from pyfutures.ib import messages as m
from pyfutures.ib import versions as sv
from pyfutures.ib.times import zone

if TYPE_CHECKING:
    from pyfutures.gateway.contracts import Instrument
    from pyfutures.gateway.spreads import Tradable

__all__ = ["details", "resolve"]

_SEC_TYPES: Final = {"STK", "OPT", "FUT", "CONTFUT", "FUT+CONTFUT", "IND", "FOP", "CASH", "BAG",
                     "WAR", "BOND", "CMDTY", "NEWS", "FUND", "CRYPTO", "CFD"}  # fmt: skip
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def rule_id(instrument: Instrument) -> int:
    """Return the id of a market rule: one a tick."""
    return crc32(plain(instrument.tick).encode()) % 900 + 100


def last_trade_text(instrument: Instrument, form: LastTradeForm, login_zone: str) -> str:
    """Return the last trade as contract details spell it."""
    if form is LastTradeForm.DATE or not instrument.timed:
        return f"{instrument.last_trade:%Y%m%d}"
    moment = _EPOCH + dt.timedelta(seconds=instrument.last_ns // 1_000_000_000)
    if form is LastTradeForm.UTC:
        return f"{moment:%Y%m%d-%H:%M:%S}"
    if form is LastTradeForm.OPERATOR:
        return f"{moment.astimezone(zone(login_zone)):%Y%m%d %H:%M:%S} {login_zone}"
    name = ib_zone(instrument.hours.zone.key)
    return f"{moment.astimezone(instrument.hours.zone):%Y%m%d %H:%M:%S} {name}"


def details(
    session: Session, about: int, instrument: Instrument, sec_type: str = "FUT"
) -> m.ContractDetails:
    """Return what the gateway knows of a contract, as it tells this client."""
    config, now = session.gateway.config, session.gateway.timeline.now
    # Before 163 gateways knew dates only.
    form = config.last_trade_form if session.version >= sv.FRACTIONAL_SIZE else LastTradeForm.DATE
    contract = replace(
        instrument.spelled(sec_type=sec_type),
        last_trade=last_trade_text(instrument, form, config.login_zone),
        last_trade_date=(
            f"{instrument.last_trade:%Y%m%d}" if session.version >= sv.LAST_TRADE_DATE else ""
        ),
        right="",
    )
    month = instrument.month
    return m.ContractDetails(
        request_id=about,
        contract=contract,
        market_name=instrument.trading_class,
        min_tick=instrument.tick,
        order_types=ORDER_TYPES,
        valid_exchanges=instrument.exchange,
        price_magnifier=instrument.magnifier,
        under_con_id=underlying_id(instrument.symbol, instrument.exchange),
        long_name=instrument.product.chain.spec.name,
        contract_month=f"{month.year:04d}{month.month:02d}",
        time_zone=ib_zone(instrument.hours.zone.key),
        trading_hours=instrument.hours.text(now, liquid=False),
        liquid_hours=instrument.hours.text(now, liquid=True),
        ev_multiplier=0,
        under_symbol=instrument.symbol,
        under_sec_type="IND",
        market_rule_ids=str(rule_id(instrument)),
        real_expiration_date=f"{instrument.expiry:%Y%m%d}",
        min_size=Decimal(1),
        size_increment=Decimal(1),
        suggested_size_increment=Decimal(1),
    )


def resolve(session: Session, about: int, named: m.Contract, kind: str) -> Tradable | None:
    """Return the one contract or spread that a request is about; else say why there is none.

    Parameters
    ----------
    session
        Whose request it is.
    about
        The id to say it to.
    named
        What the request names.
    kind
        What IB calls this kind of request inside its error messages.

    """
    universe, now = session.gateway.universe, session.gateway.timeline.now
    if named.sec_type and named.sec_type not in _SEC_TYPES:
        session.invalid(about, kind, "Please enter a valid security type")
        return None
    if not named.exchange:
        session.invalid(about, kind, "Please enter exchange")
        return None
    try:
        if named.sec_type == "BAG":
            return spread(named, universe, now)
        if not (named.con_id or named.symbol or named.local_symbol):
            session.invalid(about, kind, "Please enter a valid symbol")
            return None
        return universe.one(named, now)
    except NotFoundError:
        session.error(about, 200)
    except AmbiguousError:
        name = named.symbol or named.local_symbol
        session.error(about, 200, f"The contract description specified for {name} is ambiguous.")
    return None


@handles(m.RequestContractDetails)
def _details(session: Session, request: m.RequestContractDetails) -> None:
    gateway, about, named = session.gateway, request.request_id, request.contract
    line = gateway.line
    if not line.up or line.farms.get("secdefil") is FarmState.BROKEN:
        return
    if named.sec_type not in _SEC_TYPES and not (named.con_id and not named.sec_type):
        session.invalid(about, "bW", "Please enter a valid security type")
        return
    if not (named.con_id or named.symbol or named.local_symbol or named.trading_class):
        session.invalid(
            about, "bW", "The symbol or the local-symbol or the security id must be entered"
        )
        return
    found = [] if line.resetting else gateway.universe.match(named, gateway.timeline.now)
    if not found:
        session.error(about, 200)
        return
    kind = "CONTFUT" if named.sec_type == "CONTFUT" else "FUT"
    # In no order that anybody should rely on.
    for item in sorted(found, key=lambda item: crc32(str(item.con_id).encode())):
        session.send(details(session, about, item, kind))
    session.send(m.ContractDetailsEnd(about))


@handles(m.RequestMarketRule)
def _market_rule(session: Session, request: m.RequestMarketRule) -> None:
    for item in session.gateway.universe.instruments():
        if rule_id(item) == request.rule_id:
            increment = m.PriceIncrement(Decimal(0), item.tick)
            session.send(m.MarketRule(request.rule_id, (increment,)))
            return
    session.error(-1, 321, "Error validating request.-'cE' : cause - Unknown market rule")
