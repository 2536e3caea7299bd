"""Local symbols as gateways were seen to spell them, where they follow from a spec.

They cannot be parsed: years have one digit or two, some exchanges number their contracts. So this
goes one way only, for people who look for a contract in TWS; a program asks for contract details.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import datetime as dt

    from pyfutures.months import ContractMonth

__all__ = ["local_symbols"]

_ONE_DIGIT: Final = frozenset({"CFE", "CME", "CBOT", "COMEX", "NYMEX", "NYBOT"})
_TWO_DIGITS: Final = frozenset({"ENDEX", "ICEEU", "ICEEUSOFT", "IPE", "SGX"})


def local_symbols(
    exchange: str, trading_class: str, month: ContractMonth, last_trade: dt.date | None
) -> tuple[str, ...]:
    """Return the forms in which a contract was seen, the usual one first; empty if unknown.

    Parameters
    ----------
    exchange
        IB's name of the exchange.
    trading_class
        IB's class of the month.
    month
        The contract month.
    last_trade
        Its last trade; Eurex has it in the name.
    """
    year = month.year % 100
    if exchange == "EUREX":
        return () if last_trade is None else (f"{trading_class} {last_trade:%Y%m%d} M",)
    if exchange in _TWO_DIGITS:
        return (f"{trading_class}{month.code}{year:02d}",)
    if exchange not in _ONE_DIGIT:
        return ()
    short = f"{trading_class}{month.code}{year % 10}"
    if exchange == "CBOT":
        return (short, f"{trading_class:<5}{month.abbreviation} {year:02d}")
    return (short,)
