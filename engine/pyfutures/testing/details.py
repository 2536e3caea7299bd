"""Contract details of every root of a catalogue, with what they mean: a table for parsers.

Rules of this file. A case is made from the chain of a root alone, and says what a parser must find
in it: month, last trade, class, multiplier, tick, magnifier. The last trade stands in it in one of
the three forms of gateways; they are three spellings of one instant, and whoever reads them must
not see a difference. Multiplier and tick are in currency, whatever the magnifier.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Final
from zlib import crc32
from zoneinfo import ZoneInfo

from pyfutures.gateway.names import ib_zone
from pyfutures.ib.messages.contracts import Contract, ContractDetails
from pyfutures.ib.times import last_trade
from pyfutures.months import ContractMonth
from pyfutures.testing.messages import body_of, made, parsed

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator

    from pyfutures.chain import Catalog, Chain, ChainRow

__all__ = [
    "DetailsCase",
    "Facts",
    "LastTradeForm",
    "check_details",
    "details_table",
    "made_details",
    "read_details",
]

_FIRST: Final = ContractMonth(2024, 1)
_LAST: Final = ContractMonth(2027, 12)


class LastTradeForm(StrEnum):
    """How contract details spell a last trade."""

    DATE = "date"  # 20250620
    UTC = "utc"  # 20250620-13:30:00
    ZONE = "zone"  # 20250620 08:30:00 US/Central


@dataclass(frozen=True, slots=True)
class Facts:
    """What contract details say of a contract.

    `last_trade` is the date on the clock of the exchange, which need not be the trading date: CNH
    trades last at 11:00 in Hong Kong, in Chicago on the evening before. `last_trade_utc` is None
    where they have a date only. `multiplier` and `tick` are in currency.
    """

    month: ContractMonth
    last_trade: dt.date
    last_trade_utc: dt.datetime | None
    trading_class: str
    multiplier: Decimal
    tick: Decimal
    magnifier: int


@dataclass(frozen=True, slots=True)
class DetailsCase:
    """Contract details, and what a parser must find in them."""

    root: str
    month: ContractMonth
    form: LastTradeForm
    details: ContractDetails
    expected: Facts

    def __str__(self) -> str:
        """Return it in few words, for the ids of parametrized tests."""
        return f"{self.root}-{self.month}-{self.form}"


def made_details(
    chain: Chain, month: ContractMonth, form: LastTradeForm = LastTradeForm.UTC
) -> ContractDetails:
    """Return contract details of a month as a gateway would send them.

    Raises
    ------
    ChainError
        If the month is not listed.
    ValueError
        If IB does not have the root in that month, or the spec does not know what is needed.

    """
    row = chain.row(month)
    identity, spec = chain.spec.ib, chain.spec
    symbol = identity.symbol.at(month) if identity else None
    exchange = identity.exchange.at(month) if identity else None
    multiplier, tick = spec.multiplier.at(month), spec.tick.at(month)
    if identity is None or symbol is None or exchange is None:
        raise ValueError(f"{chain.root} {month}: IB does not have it, by {spec.path}")
    if multiplier is None or tick is None or row.last_trade is None:
        raise ValueError(f"{chain.root} {month}: no multiplier, tick or last trade in {spec.path}")
    trading_class = row.trading_class or chain.root
    zone = _zone(chain, month)
    return made(
        ContractDetails,
        contract=made(
            Contract,
            con_id=crc32(f"{exchange} {trading_class} {month}".encode()) % 10**9 + 1,
            symbol=symbol,
            last_trade=_spelled(row, form, zone),
            multiplier=f"{multiplier:f}",
            exchange=exchange,
            currency=spec.currency,
            local_symbol=f"{trading_class}{month.code}{month.year % 10}",
            trading_class=trading_class,
        ),
        market_name=trading_class,
        min_tick=tick,
        valid_exchanges=exchange,
        price_magnifier=identity.price_magnifier,
        long_name=spec.name,
        contract_month=f"{month.year:04d}{month.month:02d}",
        time_zone=ib_zone(zone),
        trading_hours="",
        liquid_hours="",
        under_symbol=symbol,
        real_expiration_date=f"{row.expiry or row.last_trade:%Y%m%d}",
    )


def _zone(chain: Chain, month: ContractMonth) -> str:
    """Return the zone of the exchange: that of the trading hours, else of the last trade."""
    if chain.spec.hours is not None:
        return chain.spec.hours.zone
    rule = chain.spec.last_trade.spans.at(month)
    return "UTC" if rule is None or rule.at is None else rule.at.zone


def _spelled(row: ChainRow, form: LastTradeForm, zone: str) -> str:
    moment = row.last_trade_utc
    if moment is None or form is LastTradeForm.DATE:
        return f"{row.last_trade:%Y%m%d}"
    if form is LastTradeForm.UTC:
        return f"{moment:%Y%m%d-%H:%M:%S}"
    return f"{moment.astimezone(ZoneInfo(zone)):%Y%m%d %H:%M:%S} {ib_zone(zone)}"


def details_table(
    catalog: Catalog,
    *,
    roots: Iterable[str] | None = None,
    first: ContractMonth = _FIRST,
    last: ContractMonth = _LAST,
) -> Iterator[DetailsCase]:
    """Yield a case for every root, month and form.

    Parameters
    ----------
    catalog
        Whose roots; those that IB does not have are left out.
    roots
        Only these.
    first, last
        Only the priced months from the first to the last, both included; of roots that were
        delisted before, the last six.

    """
    for root in sorted(catalog if roots is None else roots):
        chain = catalog[root]
        if chain.spec.ib is None:
            continue
        yield from _cases(chain, first, last)


def _cases(chain: Chain, first: ContractMonth, last: ContractMonth) -> Iterator[DetailsCase]:
    rows = [row for row in chain.rows(first, last) if _is_told(chain, row)]
    if not rows:
        rows = [row for row in chain.rows(last=first) if _is_told(chain, row)][-6:]
    for row in rows:
        for form in LastTradeForm:
            if form is not LastTradeForm.DATE and row.last_trade_utc is None:
                continue
            details = made_details(chain, row.month, form)
            yield DetailsCase(chain.root, row.month, form, details, _facts(chain, row, form))


def _is_told(chain: Chain, row: ChainRow) -> bool:
    identity, spec, month = chain.spec.ib, chain.spec, row.month
    return (
        row.priced
        and row.last_trade is not None
        and identity is not None
        and identity.symbol.at(month) is not None
        and identity.exchange.at(month) is not None
        and spec.multiplier.at(month) is not None
        and spec.tick.at(month) is not None
    )


def _facts(chain: Chain, row: ChainRow, form: LastTradeForm) -> Facts:
    spec, month = chain.spec, row.month
    multiplier, tick = spec.multiplier.at(month), spec.tick.at(month)
    if multiplier is None or tick is None or row.last_trade is None or spec.ib is None:
        raise ValueError(f"{chain.root} {month} is not told")  # `_is_told` says no before
    moment = None if form is LastTradeForm.DATE else row.last_trade_utc
    local = moment.astimezone(ZoneInfo(_zone(chain, month))) if moment else None
    return Facts(
        month,
        local.date() if local else row.last_trade,
        moment,
        row.trading_class or chain.root,
        multiplier,
        tick,
        spec.ib.price_magnifier,
    )


def read_details(details: ContractDetails) -> Facts:
    """Return what contract details say, by the parsers of this package.

    Raises
    ------
    TimeError
        For a last trade or a zone that cannot be read.
    MonthError
        For a contract month that cannot.

    """
    contract = details.contract
    end = last_trade(contract.last_trade, details.time_zone, date=contract.last_trade_date)
    return Facts(
        ContractMonth.parse(details.contract_month),
        end.date,
        end.instant,
        contract.trading_class,
        Decimal(contract.multiplier),
        details.min_tick,
        details.price_magnifier,
    )


def _over_the_wire(details: ContractDetails, version: int) -> ContractDetails:
    message = parsed(body_of(details, version), version)
    if not isinstance(message, ContractDetails):
        raise TypeError(f"contract details were read as {type(message).__name__}")
    return message


def check_details(
    cases: Iterable[DetailsCase],
    read: Callable[[ContractDetails], object] = read_details,
    *,
    version: int = 176,
) -> int:
    """Run cases over the wire and through a parser, and return how many there were.

    Each is encoded as a gateway of a server version does, decoded as a client does, and read.

    Parameters
    ----------
    cases
        From `details_table`.
    read
        Your parser: what it returns has the attributes of `Facts`, all or some of them.
    version
        The server version.

    Raises
    ------
    AssertionError
        Where anything differs: every case is named, with what was found and what was expected.

    """
    count = 0
    faults: list[str] = []
    for case in cases:
        count += 1
        try:
            found = read(_over_the_wire(case.details, version))
        except Exception as error:  # noqa: BLE001 - a parser of the user's: any fault is a finding
            faults.append(f"{case}: {error!r}")
            continue
        for field in fields(Facts):
            missing = object()
            value = getattr(found, field.name, missing)
            expected = getattr(case.expected, field.name)
            if value is not missing and value != expected:
                faults.append(f"{case}: {field.name} is {value}, expected {expected}")
    if faults:
        shown = faults[:20] + ([f"and {len(faults) - 20} more"] if len(faults) > 20 else [])
        raise AssertionError(f"{len(faults)} faults in {count} cases:\n" + "\n".join(shown))
    return count
