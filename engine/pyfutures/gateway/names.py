"""How IB spells things: local symbols, time zones, ids, order types; and what shares a symbol.

The odd forms of local symbols are those that gateways were seen to use; each shows on one exchange
here, so that nobody gets away with parsing them: `ESH6`, `ZC   JUL 25`, `FGBL 20240606 M`,
`169120019`, `1674H`, `M3FMIXM4`.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final
from zlib import crc32

if TYPE_CHECKING:
    from pyfutures.months import ContractMonth

__all__ = [
    "FARMS",
    "ORDER_TYPES",
    "SIZES",
    "WEEKLIES",
    "con_id",
    "ib_zone",
    "local_symbol",
    "underlying_id",
    "weekly_days",
]

#: What a gateway calls a zone (recorded: US/Central, MET; reported: US/Eastern, GB, JST).
_ZONES: Final = {
    "America/Chicago": "US/Central",
    "America/New_York": "US/Eastern",
    "America/Winnipeg": "US/Central",
    "America/Toronto": "US/Eastern",
    "Europe/Amsterdam": "MET",
    "Europe/Berlin": "MET",
    "Europe/Madrid": "MET",
    "Europe/Paris": "MET",
    "Europe/Rome": "MET",
    "Europe/London": "GB",
    "Asia/Tokyo": "JST",
}

#: Order types as contract details list them (recorded: milk futures).
ORDER_TYPES: Final = (
    "ACTIVETIM,AD,ADJUST,ALERT,ALGO,ALLOC,AVGCOST,BASKET,BENCHPX,COND,CONDORDER,DAY,DEACT,DEACTDIS,"
    "DEACTEOD,GAT,GTC,GTD,GTT,HID,ICE,IOC,LIT,LMT,LTH,MIT,MKT,MTL,NGCOMB,NONALGO,OCA,PEGBENCH,"
    "SCALE,SCALERST,SNAPMID,SNAPMKT,SNAPREL,STP,STPLMT,TRAIL,TRAILLIT,TRAILLMT,TRAILMIT,WHATIF"
)

#: Smaller siblings on the same symbol, by root: their class and multiplier.
SIZES: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "FDAX": (("FDXM", "5"), ("FDXS", "1")),
    "FESX": (("FSXE", "1"),),
    "FSMI": (("FSMS", "1"),),
    "SI": (("SIL", "1000"),),
    "FTI": (("MFA", "20"),),
    "FCE": (("MFC", "1"),),
    "SXF": (("SXM", "50"),),
    "FIB": (("MIN", "1"), ("MICR", "0.2")),
}

#: Roots with weekly contracts: under a class of their own for each week, or under the same class.
WEEKLIES: Final[dict[str, str]] = {"VX": "VX{week:02d}", "FMEU": "FMEU", "M1MSA": "M1MSA"}

#: The farms of market data, by exchange; `usfuture` for those that are not here.
FARMS: Final[dict[str, str]] = {
    "EUREX": "eufarm", "MATIF": "eufarm", "MONEP": "eufarm", "IDEM": "eufarm", "FTA": "eufarm",
    "MEFFRV": "eufarm", "ICEEU": "eufarm", "ICEEUSOFT": "eufarm", "IPE": "eufarm",
    "ENDEX": "eufarm", "NYSELIFFE": "eufarm", "OSE.JPN": "jfarm", "KSE": "hfarm", "HKFE": "hfarm",
    "SGX": "hfarm", "NSE": "hfarm", "SNFE": "hfarm",
}  # fmt: skip


def ib_zone(zone: str) -> str:
    """Return what a gateway calls an IANA zone."""
    return _ZONES.get(zone, zone)


def con_id(key: str, month: ContractMonth) -> int:
    """Return the id of a contract: the same in every run, from its class and month alone."""
    return (crc32(key.encode()) % 2_000_000 + 100_000) * 1000 + month.index - 1970 * 12


def underlying_id(symbol: str, exchange: str) -> int:
    """Return the id of what a future is on."""
    return crc32(f"{symbol}|{exchange}|IND".encode()) % 90_000_000 + 10_000_000


def local_symbol(
    exchange: str, trading_class: str, month: ContractMonth, last_trade: dt.date
) -> str:
    """Return the local symbol of a contract, in the form of its exchange."""
    year = month.year % 100
    if exchange == "CBOT":
        return f"{trading_class:<5}{month.abbreviation} {year:02d}"
    if exchange == "EUREX":
        return f"{trading_class} {last_trade:%Y%m%d} M"
    if exchange == "OSE.JPN":
        return f"{crc32(trading_class.encode()) % 900 + 100}{year:02d}{month.month:02d}19"
    if exchange == "KSE":
        digits = crc32(trading_class.encode()) % 900 + 100
        return f"{digits}{year % 10}{month.code}"
    if exchange == "MEFFRV":
        return f"M3{trading_class}{month.code}{year % 10}"
    if exchange in {"IPE", "ICEEU", "ENDEX", "SGX"}:
        return f"{trading_class}{month.code}{year:02d}"
    return f"{trading_class}{month.code}{year % 10}"


def weekly_days(last_trade: dt.date, month: ContractMonth) -> tuple[dt.date, ...]:
    """Return the last trades of the weeklies of a month: the same weekday, other weeks."""
    day = dt.date(month.year, month.month, 1)
    day += dt.timedelta((last_trade.weekday() - day.weekday()) % 7)
    days = (day + dt.timedelta(7 * i) for i in range(5))
    return tuple(d for d in days if d.month == month.month and abs((d - last_trade).days) > 2)
