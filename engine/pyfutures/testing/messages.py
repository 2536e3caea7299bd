"""Made messages: one of every kind, all about one story, and a way to have others.

The story: account DU1234567 buys two ESM5 at 5650.25. Nothing in it was recorded.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from pyfutures.ib import messages as m
from pyfutures.ib.codec import Codec, Role
from pyfutures.ib.framing import frame

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["SAMPLES", "body_of", "frames", "made", "parsed"]

_ACCOUNT: Final = "DU1234567"
_ID: Final = 7  # of requests
_ORDER: Final = 44
_PERM: Final = 998877
_EXEC: Final = "0000e0d5.6570c5a1.01.01"
_TIME: Final = 1_748_872_800  # 2025-06-02 14:00:00 UTC
_STAMP: Final = "20250602-14:00:00"
_TWO: Final = Decimal(2)

_CONTRACT: Final = m.Contract(
    con_id=100_200_300,
    symbol="ES",
    sec_type="FUT",
    last_trade="20250620",
    strike=0.0,
    multiplier="50",
    exchange="CME",
    currency="USD",
    local_symbol="ESM5",
    trading_class="ES",
)
_DETAILS: Final = m.ContractDetails(
    _ID,
    dataclasses.replace(_CONTRACT, last_trade="20250620-13:30:00"),
    market_name="ES",
    min_tick=Decimal("0.25"),
    order_types="ACTIVETIM,AD,ADJUST,ALERT,ALGO,GTC,GTD,IOC,LMT,MKT,OCA,STP,STPLMT,TRAIL,WHATIF",
    valid_exchanges="CME,QBALGO",
    price_magnifier=1,
    under_con_id=11_004_968,
    long_name="E-mini S&P 500",
    contract_month="202506",
    time_zone="US/Central",
    trading_hours="20250601:1700-20250602:1600;20250602:1700-20250603:1600;20250607:CLOSED",
    liquid_hours="20250602:0830-20250602:1600;20250603:0830-20250603:1600;20250607:CLOSED",
    ev_multiplier=0,
    agg_group=2_147_483_646,
    under_symbol="ES",
    under_sec_type="IND",
    market_rule_ids="67,67",
    real_expiration_date="20250620",
    min_size=Decimal(1),
    size_increment=Decimal(1),
    suggested_size_increment=Decimal(1),
)
_BAR: Final = m.Bar(
    str(_TIME), 5650.25, 5652.5, 5649.75, 5651.0, Decimal(1834), 5650.875, 912
)  # fmt: skip
_BUY: Final = m.Order(
    client_id=1,
    perm_id=_PERM,
    action="BUY",
    quantity=_TWO,
    type="LMT",
    limit_price=5650.25,
    aux_price=0.0,
    tif="DAY",
    account=_ACCOUNT,
)
_STATE: Final = m.OrderState(status="Submitted")
_FILL: Final = m.Execution(
    _EXEC, _STAMP, _ACCOUNT, "CME", "BOT", _TWO, 5650.25, _PERM, 1, 0, _TWO, 5650.25
)  # fmt: skip

_RESPONSES: Final = (
    m.NextValidId(_ORDER),
    m.ManagedAccounts(f"{_ACCOUNT},"),
    m.CurrentTime(_TIME),
    m.CurrentTimeInMillis(_TIME * 1000),
    m.ErrorMessage(-1, 2104, "Market data farm connection is OK:usfuture"),
    _DETAILS,
    m.ContractDetailsEnd(_ID),
    m.MarketRule(67, (m.PriceIncrement(Decimal(0), Decimal("0.25")),)),
    m.HistoricalBars(_ID, (_BAR,)),
    m.HistoricalBarsEnd(_ID, "20250602-13:00:00", _STAMP),
    m.HistoricalBarUpdate(_ID, _BAR),
    m.HeadTimestamp(_ID, "1672959600"),
    m.HistoricalMidpoints(_ID, (m.HistoricalMidpoint(_TIME, 5650.375),), done=True),
    m.HistoricalQuotes(
        _ID, (m.HistoricalQuote(_TIME, 0, 5650.25, 5650.5, Decimal(12), Decimal(9)),), done=True
    ),
    m.HistoricalTrades(
        _ID, (m.HistoricalTrade(_TIME, 0, 5650.25, Decimal(3), "CME", ""),), done=True
    ),
    m.HistoricalSchedule(
        _ID, "20250601-17:00:00", "20250602-16:00:00", "US/Central",
        (m.ScheduleSession("20250601-17:00:00", "20250602-16:00:00", "20250602"),),
    ),
    m.TickByTickTrade(_ID, 2, _TIME, 5650.25, Decimal(3), 0, "CME", ""),
    m.TickByTickQuote(_ID, _TIME, 5650.25, 5650.5, Decimal(12), Decimal(9), 0),
    m.TickByTickMidpoint(_ID, _TIME, 5650.375),
    m.TickPrice(_ID, 1, 5650.25, Decimal(12), 1),
    m.TickSize(_ID, 86, Decimal(2_031_544)),
    m.TickGeneric(_ID, 49, 0.0),
    m.TickString(_ID, 45, str(_TIME)),
    m.TickSnapshotEnd(_ID),
    m.TickParameters(_ID, Decimal("0.25"), "a60001", 3),
    m.MarketDataType(_ID, 1),
    m.RealTimeBar(_ID, _TIME, 5650.25, 5650.5, 5650.0, 5650.25, Decimal(41), 5650.2, 18),
    m.RerouteMarketData(_ID, 100_200_301, "CME"),
    m.MarketDepth(_ID, 0, 0, 1, 5650.25, Decimal(12)),
    m.MarketDepthL2(_ID, 0, "CME", 0, 1, 5650.25, Decimal(12), smart=False),
    m.DepthExchanges((m.DepthExchange("CME", "FUT", "", "Deep", 2_147_483_647),)),
    m.RerouteMarketDepth(_ID, 100_200_301, "CME"),
    m.OpenOrder(_ORDER, _CONTRACT, _BUY, _STATE),
    m.OpenOrderEnd(),
    m.OrderStatus(_ORDER, "Submitted", Decimal(0), _TWO, 0.0, _PERM, 0, 0.0, 1),
    m.OrderBound(_PERM, 1, _ORDER),
    m.CompletedOrder(
        _CONTRACT,
        m.Order(
            action="BUY", quantity=_TWO, type="LMT", limit_price=5650.25, tif="DAY",
            account=_ACCOUNT, perm_id=_PERM,
        ),
        m.OrderState(status="Filled"),
    ),
    m.CompletedOrdersEnd(),
    m.ExecutionDetails(-1, _ORDER, _CONTRACT, _FILL),
    m.ExecutionDetailsEnd(_ID),
    m.CommissionReport(_EXEC, 4.5, "USD"),
    m.Position(_ACCOUNT, _CONTRACT, _TWO, 282_514.75),
    m.PositionEnd(),
    m.PositionMulti(_ID, _ACCOUNT, _CONTRACT, _TWO, 282_514.75),
    m.PositionMultiEnd(_ID),
    m.AccountSummary(_ID, _ACCOUNT, "NetLiquidation", "1000000.00", "USD"),
    m.AccountSummaryEnd(_ID),
    m.AccountValue("CashBalance", "1000000.00", "USD", _ACCOUNT),
    m.PortfolioValue(
        dataclasses.replace(_CONTRACT, exchange="", primary_exchange="CME"),
        _TWO, 5651.0, 565_100.0, 282_514.75, 70.5, 0.0, _ACCOUNT,
    ),
    m.AccountTime("14:00"),
    m.AccountDownloadEnd(_ACCOUNT),
    m.AccountUpdateMulti(_ID, _ACCOUNT, "", "CashBalance", "1000000.00", "USD"),
    m.AccountUpdateMultiEnd(_ID),
    m.Pnl(_ID, 70.5, 70.5, 0.0),
    m.PnlSingle(_ID, _TWO, 70.5, 70.5, 0.0, 565_100.0),
)  # fmt: skip

_REQUESTS: Final = (
    m.StartApi(1),
    m.RequestIds(),
    m.RequestManagedAccounts(),
    m.RequestCurrentTime(),
    m.RequestCurrentTimeInMillis(),
    m.SetLogLevel(5),
    m.RequestContractDetails(_ID, m.Contract(symbol="ES", sec_type="FUT", exchange="CME")),
    m.RequestMarketRule(67),
    m.RequestHistoricalBars(_ID, _CONTRACT, _STAMP, "1 hour", "1 D"),
    m.CancelHistoricalBars(_ID),
    m.RequestHeadTimestamp(_ID, _CONTRACT),
    m.CancelHeadTimestamp(_ID),
    m.RequestHistoricalTicks(_ID, _CONTRACT, _STAMP, ""),
    m.RequestMarketData(_ID, _CONTRACT, "588"),
    m.CancelMarketData(_ID),
    m.RequestMarketDataType(1),
    m.RequestTickByTick(_ID, _CONTRACT, "AllLast"),
    m.CancelTickByTick(_ID),
    m.RequestRealTimeBars(_ID, _CONTRACT),
    m.CancelRealTimeBars(_ID),
    m.RequestMarketDepth(_ID, _CONTRACT),
    m.CancelMarketDepth(_ID),
    m.RequestDepthExchanges(),
    m.PlaceOrder(
        _ORDER,
        _CONTRACT,
        m.Order(
            action="BUY", quantity=_TWO, type="LMT", limit_price=5650.25, tif="DAY",
            account=_ACCOUNT,
        ),
    ),
    m.CancelOrder(_ORDER),
    m.GlobalCancel(),
    m.RequestOpenOrders(),
    m.RequestAllOpenOrders(),
    m.RequestAutoOpenOrders(),
    m.RequestCompletedOrders(),
    m.RequestExecutions(_ID),
    m.RequestPositions(),
    m.CancelPositions(),
    m.RequestPositionsMulti(_ID, _ACCOUNT),
    m.CancelPositionsMulti(_ID),
    m.RequestAccountSummary(_ID, "All", "NetLiquidation"),
    m.CancelAccountSummary(_ID),
    m.RequestAccountUpdates(subscribe=True, account=_ACCOUNT),
    m.RequestAccountUpdatesMulti(_ID, _ACCOUNT),
    m.CancelAccountUpdatesMulti(_ID),
    m.RequestPnl(_ID, _ACCOUNT),
    m.CancelPnl(_ID),
    m.RequestPnlSingle(_ID, _ACCOUNT, "", _CONTRACT.con_id),
    m.CancelPnlSingle(_ID),
)  # fmt: skip

#: One message of every kind that is parsed, by its class.
SAMPLES: Final[Mapping[type[m.Message], m.Message]] = {
    type(message): message for message in (*_RESPONSES, *_REQUESTS)
}
_SAMPLES_AND_PARTS: Final[Mapping[type[Any], Any]] = {
    **SAMPLES,
    m.Contract: _CONTRACT,
    m.Bar: _BAR,
    m.Order: _BUY,
    m.OrderState: _STATE,
    m.Execution: _FILL,
}


def made[T](kind: type[T], /, **changes: Any) -> T:  # noqa: ANN401 - fields of any kind
    """Return a message of a kind, or a part of one, with sensible values but for `changes`.

    Parameters
    ----------
    kind
        A class of `pyfutures.ib.messages`: any message, or Contract, Bar, Order, OrderState or
        Execution.
    changes
        Fields by name. A mapping changes fields of a part: ``contract={"symbol": "CL"}``.

    Raises
    ------
    KeyError
        For a class that is none of these.
    TypeError
        For a field that it does not have.

    Examples
    --------
    >>> from pyfutures.ib import messages as m
    >>> made(m.Position, position=Decimal(-1), contract={"local_symbol": "ESU5"}).position
    Decimal('-1')

    """
    if kind not in _SAMPLES_AND_PARTS:
        raise KeyError(f"{kind.__name__} is no message that is parsed")
    found: T = _changed(_SAMPLES_AND_PARTS[kind], changes)
    return found


def _changed(sample: Any, changes: Mapping[str, Any]) -> Any:  # noqa: ANN401
    values = {
        name: _changed(getattr(sample, name), value) if isinstance(value, Mapping) else value
        for name, value in changes.items()
    }
    return dataclasses.replace(sample, **values)


def body_of(message: m.Message, version: int = 176) -> bytes:
    """Return the bytes of a message without its length, at a server version.

    Raises
    ------
    EncodeError
        For a message that is not said at that version.

    """
    role = Role.GATEWAY if isinstance(message, m.Response) else Role.CLIENT
    return Codec(version, role).encode(message)


def parsed(body: bytes, version: int = 176, *, request: bool = False) -> m.Message:
    """Return the message that the bytes of a frame's body say.

    Raises
    ------
    MessageError
        For bytes that are none.

    """
    return Codec(version, Role.GATEWAY if request else Role.CLIENT).decode(body)


def frames(messages: Iterable[m.Message], version: int = 176) -> bytes:
    """Return the bytes of messages one behind the other, as they stand on the wire."""
    return b"".join(frame(body_of(message, version)) for message in messages)
