"""What a broker says of a contract, held against what the spec says.

Rules of this file. It decides which of IB's contracts is a month of a root (`resolve`), and says
where the two disagree (`compare`); it asks nobody and changes nothing. A filter counts only if it
leaves something: a lone candidate with another class, multiplier or date is kept and reported, and
so is never mistaken for "no such contract". What differs in class *and* multiplier is another
product. The computed last trade only chooses among several, and only the nearest within five days.
Dates are those of the exchange's zone. Every fault is a `Diagnostic` at the line of the spec.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final

from pyfutures.codes import diagnostic
from pyfutures.ib.times import LastTrade, TimeError, last_trade
from pyfutures.specs.positions import locate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pyfutures.chain import Chain
    from pyfutures.diagnostics import Diagnostic, Location
    from pyfutures.ib.messages.contracts import ContractDetails
    from pyfutures.months import ContractMonth
    from pyfutures.ranged import Ranged
    from pyfutures.specs.model import DataPath

__all__ = ["Resolution", "broker_last_trade", "compare", "resolve"]

#: How far from the computed last trade one of several candidates may end.
NEAR_DAYS: Final = 5


@dataclass(frozen=True, slots=True)
class Resolution:
    """The broker's contract of a month, None if there is not exactly one; and what is wrong."""

    details: ContractDetails | None
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def is_found(self) -> bool:
        """Whether there is exactly one contract."""
        return self.details is not None


def resolve(
    chain: Chain,
    month: ContractMonth,
    candidates: Iterable[ContractDetails],
    *,
    login_zone: str | None = None,
) -> Resolution:
    """Return which of the candidates is the month of the root, with all that disagrees.

    Parameters
    ----------
    chain
        The root.
    month
        A listed month.
    candidates
        What IB knows under the symbol and exchange of the spec, in any order; with weeklies, other
        sizes and other months as they come.
    login_zone
        The zone chosen at the gateway's login, for last trades that name none.

    Returns
    -------
    Resolution
        PF601 if there is none, PF602 with the list if there are several, else the contract and
        what `compare` says of it.

    Raises
    ------
    ChainError
        If the month is not listed.

    """
    chain.row(month)
    found = tuple({one.contract.con_id: one for one in candidates}.values())
    fits = [one for one in found if one.contract_month == f"{month.year:04d}{month.month:02d}"]
    fits = _kept(fits, [one for one in fits if _has_class(one, chain, month)])
    fits = _kept(fits, [one for one in fits if _has_size(one, chain, month)])
    fits = [one for one in fits if _has_class(one, chain, month) or _has_size(one, chain, month)]
    if len(fits) > 1:
        fits = _nearest(fits, chain, month, login_zone)
    if not fits:
        return Resolution(None, (_missing(chain, month, found),))
    if len(fits) > 1:
        return Resolution(None, (_several(chain, month, fits),))
    return Resolution(fits[0], compare(chain, month, fits[0], login_zone=login_zone))


def compare(
    chain: Chain,
    month: ContractMonth,
    details: ContractDetails,
    *,
    login_zone: str | None = None,
) -> tuple[Diagnostic, ...]:
    """Return where the broker's contract is not what the spec says, in order of the codes.

    What the spec does not say (no tick in that range, a date that its calendar does not
    reach) is not compared; a spec without a class stands for one that is called like the root.

    Parameters
    ----------
    chain
        The root.
    month
        A listed month.
    details
        The broker's contract.
    login_zone
        The zone chosen at the gateway's login, for last trades that name none.

    Raises
    ------
    ChainError
        If the month is not listed.

    """
    return tuple(_differences(chain, month, details, login_zone))


def broker_last_trade(
    chain: Chain, month: ContractMonth, details: ContractDetails, *, login_zone: str | None = None
) -> LastTrade:
    """Return the broker's last trade, its date as the trading date of the exchange.

    Raises
    ------
    ChainError
        If the month is not listed.
    TimeError
        If the broker's text cannot be read.

    """
    row = chain.row(month)
    contract = details.contract
    told = last_trade(
        contract.last_trade,
        details.time_zone,
        date=contract.last_trade_date,
        login_zone=login_zone,
    )
    if told.instant is not None and told.instant == row.last_trade_utc and row.last_trade:
        # In an evening session the calendar date at the exchange is the one before.
        return LastTrade(row.last_trade, told.instant)
    return told


def _differences(
    chain: Chain, month: ContractMonth, details: ContractDetails, login_zone: str | None
) -> Iterator[Diagnostic]:
    spec, contract = chain.spec, details.contract
    name = _name(chain, month, details)
    yield from _dates(chain, month, details, login_zone)
    multiplier, size = spec.multiplier.at(month), number(contract.multiplier)
    if multiplier is not None and size != multiplier:
        yield diagnostic(
            "PF604",
            f"{name}: multiplier {_plain(multiplier)} in the spec, {contract.multiplier or 'none'}"
            " at IB",
            _at(chain, _ranged_path(spec.multiplier, month, "multiplier")),
            hint="IB's counts for orders and positions; correct the spec, or name the trading"
            " class that has this size",
        )
    tick = spec.tick.at(month)
    if tick is not None and details.min_tick != tick:
        yield diagnostic(
            "PF605",
            f"{name}: tick {_plain(tick)} in the spec, {_plain(details.min_tick)} at IB",
            _at(chain, _ranged_path(spec.tick, month, "tick")),
            hint="both are in currency, also where IB quotes in cents",
        )
    if spec.ib is None:
        return
    if details.price_magnifier != spec.ib.price_magnifier:
        yield diagnostic(
            "PF606",
            f"{name}: price magnifier {spec.ib.price_magnifier} in the spec,"
            f" {details.price_magnifier} at IB",
            _at(chain, ("ib", "price_magnifier")),
            hint=f"set `price_magnifier: {details.price_magnifier}` under `ib`",
        )
    wanted = chain.trading_class(month) or chain.root
    if contract.trading_class and contract.trading_class != wanted:
        yield diagnostic(
            "PF607",
            f"{name}: trading class {wanted} in the spec, {contract.trading_class} at IB",
            _class_place(chain, month),
            hint="a class that changed takes ranges of contract months",
        )
    if contract.currency and contract.currency != spec.currency:
        yield diagnostic(
            "PF608",
            f"{name}: currency {spec.currency} in the spec, {contract.currency} at IB",
            _at(chain, ("currency",)),
        )


def _dates(
    chain: Chain, month: ContractMonth, details: ContractDetails, login_zone: str | None
) -> Iterator[Diagnostic]:
    expected = chain.row(month).last_trade
    place = _at(chain, _date_path(chain, month))
    try:
        told = broker_last_trade(chain, month, details, login_zone=login_zone)
    except TimeError as error:
        yield diagnostic(
            "PF609",
            f"{_name(chain, month, details)}: IB's last trade cannot be read: {error}",
            place,
        )
        return
    if expected is not None and told.date != expected:
        yield diagnostic(
            "PF603",
            f"{_name(chain, month, details)}: last trade {expected} in the spec, {told.date} at IB",
            place,
            hint=f"the earlier of the two, {min(expected, told.date)}, counts until they agree;"
            f" if IB is right, list the date: `dates: {{{month}: {told.date}}}`",
        )


def number(text: str) -> Decimal | None:
    """Return a number of the wire, None where there is none."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _kept(before: list[ContractDetails], after: list[ContractDetails]) -> list[ContractDetails]:
    """Return what a filter left, or all if it left nothing."""
    return after or before


def _has_class(one: ContractDetails, chain: Chain, month: ContractMonth) -> bool:
    # A spec without a class stands for one that is called like the root: instrument ids need it.
    return one.contract.trading_class in {chain.trading_class(month) or chain.root, ""}


def _has_size(one: ContractDetails, chain: Chain, month: ContractMonth) -> bool:
    wanted = chain.spec.multiplier.at(month)
    return (
        wanted is None or not one.contract.multiplier or number(one.contract.multiplier) == wanted
    )


def _nearest(
    fits: list[ContractDetails], chain: Chain, month: ContractMonth, login_zone: str | None
) -> list[ContractDetails]:
    """Return those that end nearest to the computed last trade, all if none is near."""
    expected = chain.row(month).last_trade
    if expected is None:
        return fits
    near: dict[int, list[ContractDetails]] = {}
    for one in fits:
        try:
            ends = broker_last_trade(chain, month, one, login_zone=login_zone).date
        except TimeError:
            continue  # it is not known to be near; if it is chosen, `compare` says so
        near.setdefault(abs((ends - expected).days), []).append(one)
    best = min(near, default=NEAR_DAYS + 1)
    return near[best] if best <= NEAR_DAYS else fits


def _missing(chain: Chain, month: ContractMonth, found: Sequence[ContractDetails]) -> Diagnostic:
    if chain.spec.ib is None:
        return diagnostic(
            "PF601",
            f"{chain.root} {month}: the spec has no `ib`",
            _at(chain, ()),
            hint="add `ib: {symbol: ..., exchange: ...}`",
        )
    symbol, exchange = chain.spec.ib.symbol.at(month), chain.spec.ib.exchange.at(month)
    words = (symbol, chain.trading_class(month), exchange, chain.spec.currency)
    wanted = " ".join(filter(None, words))
    others = [
        f"{one.contract.local_symbol} (class {one.contract.trading_class}, x"
        f" {one.contract.multiplier})"
        for one in found
        if one.contract_month == f"{month.year:04d}{month.month:02d}"
    ]
    if others:
        text = f"IB has other contracts of that month only: {', '.join(others)}"
    elif found:
        text = f"IB has the symbol and not the month, among {len(found)} contracts"
    else:
        text = "IB has no such contract"
    ends = chain.row(month).last_trade
    hint = "IB knows expired contracts for about two years"
    if ends is not None:
        hint += f"; this one's last trade is {ends}"
    return diagnostic(
        "PF601",
        f"{chain.root} {month} ({wanted}): {text}",
        _at(chain, ("ib",)),
        hint=hint,
    )


def _several(chain: Chain, month: ContractMonth, fits: list[ContractDetails]) -> Diagnostic:
    names = ", ".join(
        f"{one.contract.local_symbol} (class {one.contract.trading_class}, x"
        f" {one.contract.multiplier}, last trade {one.contract.last_trade},"
        f" id {one.contract.con_id})"
        for one in fits
    )
    return diagnostic(
        "PF602",
        f"{chain.root} {month}: {len(fits)} contracts at IB: {names}",
        _at(chain, ("ib",)),
        hint="name the `trading_class` that is meant",
    )


def _name(chain: Chain, month: ContractMonth, details: ContractDetails) -> str:
    return f"{chain.root} {month} ({details.contract.local_symbol or details.contract.con_id})"


def _plain(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _at(chain: Chain, path: DataPath) -> Location | None:
    return locate(chain.spec.locations, path)


def _ranged_path[T](values: Ranged[T], month: ContractMonth, key: str) -> DataPath:
    """Return where the value for a month stands: a plain value, or one of its ranges."""
    if len(values.spans) == 1 and values.spans[0].start is values.spans[0].until is None:
        return (key,)
    for place, span in enumerate(values.spans):
        if month in span:
            return (key, place, "value")
    return (key,)


def _class_place(chain: Chain, month: ContractMonth) -> Location | None:
    spec = chain.spec
    if spec.ib is None or chain.trading_class(month) is None:
        # It is called like the root, which the file says itself, whatever `ib` it has from others.
        place = _at(chain, ("ib",))
        return place if place and place.path == spec.path else _at(chain, ("root",))
    return _at(chain, ("ib", *_ranged_path(spec.ib.trading_class, month, "trading_class")))


def _date_path(chain: Chain, month: ContractMonth) -> DataPath:
    event = chain.spec.last_trade
    rule = event.spans.at(month)
    path: DataPath = ("last_trade",) if rule is None else rule.path
    return (*path, "dates", str(month)) if month in event.dates else (*path, "rule")
