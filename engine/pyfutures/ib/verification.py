"""A root held against all that the broker has of it: its months, and what each of them is.

Rules of this file. Nobody is asked here. A fault that many months share (a multiplier, a class) is
told once, with how many it is about. The broker lists some years ahead and a spec all there will
be, so a month counts as missing only if the broker has a later one. Exchanges list far years in
part (E-minis: five years of quarters, then Decembers): beyond a year a month is missing only if the
broker has the same month of a later year, or of no year at all.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pyfutures.chain.errors import ChainError
from pyfutures.codes import diagnostic
from pyfutures.ib.comparison import number, resolve
from pyfutures.months import ContractMonth, MonthError
from pyfutures.specs.positions import locate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pyfutures.chain import Chain
    from pyfutures.diagnostics import Diagnostic
    from pyfutures.ib.messages.contracts import ContractDetails
    from pyfutures.specs.model import DataPath

__all__ = ["Query", "Verification", "check_notices", "queries", "verify"]

#: Faults of one kind at one line that are told one by one: dates differ from month to month.
_TOLD: Final = {"PF603": 4}
_NAMED: Final = 8  # months that one message names
_NEAR: Final = dt.timedelta(days=365)  # so far ahead every listed month is there


@dataclass(frozen=True, slots=True, order=True)
class Query:
    """What a gateway is asked for: all futures of a symbol on an exchange."""

    symbol: str
    exchange: str
    currency: str

    def __str__(self) -> str:
        """Print the words of the question."""
        return f"{self.symbol} {self.exchange} {self.currency}"


@dataclass(frozen=True, slots=True)
class Verification:
    """What was compared of a root, and every disagreement."""

    root: str
    compared: tuple[ContractMonth, ...]
    diagnostics: tuple[Diagnostic, ...]


def queries(chain: Chain, today: dt.date) -> tuple[Query, ...]:
    """Return what to ask for a root: the symbols and exchanges of its months from today on."""
    if chain.spec.ib is None:
        return ()
    ahead = (month for month in chain.months if month.last_day >= today.replace(day=1))
    found = dict.fromkeys(_query(chain, month) for month in ahead)
    return tuple(query for query in found if query is not None)


def _query(chain: Chain, month: ContractMonth) -> Query | None:
    """Return what to ask for one month, None where the spec has no symbol or exchange for it."""
    if chain.spec.ib is None:
        return None
    symbol, exchange = chain.spec.ib.symbol.at(month), chain.spec.ib.exchange.at(month)
    if symbol is None or exchange is None:
        return None
    return Query(symbol, exchange, chain.spec.currency)


def verify(
    chain: Chain,
    candidates: Iterable[ContractDetails],
    *,
    today: dt.date,
    login_zone: str | None = None,
    whole: bool = True,
) -> Verification:
    """Return where a spec and the broker disagree on the contracts that still trade.

    Parameters
    ----------
    chain
        The root.
    candidates
        The contracts of its symbols and exchanges, with whatever else shares them.
    today
        Months whose last trade is before it are not looked at.
    login_zone
        The zone chosen at the gateway's login, for last trades that name none.
    whole
        Whether the candidates are all that the broker has; only then months can be missing.
    """
    found = tuple(candidates)
    asked = queries(chain, today)
    months = _months(found)
    listed = set(chain.months)
    diagnostics: list[Diagnostic] = []
    compared: list[ContractMonth] = []
    classes: set[str] = set()
    for month in sorted(months.keys() & listed):
        ends = chain.row(month).last_trade
        if ends is not None and ends < today and month.last_day < today:
            continue
        mine = _asked_for(months[month], chain, month, asked)
        if ends is not None and ends < today:
            # It has expired, and the weeklies of its month live on: only its own class is it.
            own = chain.trading_class(month) or chain.root
            mine = [one for one in mine if one.contract.trading_class in {own, ""}]
        resolution = resolve(chain, month, mine, login_zone=login_zone)
        if resolution.details is None and not _is_ambiguous(resolution.diagnostics):
            continue  # others share the symbol in that month; it is missing, see below
        compared.append(month)
        diagnostics += resolution.diagnostics
        if resolution.details is not None:
            classes.add(resolution.details.contract.trading_class)
    if whole:
        denied = _denied(chain, compared, today)
        for month in {_query(chain, month): month for month in reversed(denied)}.values():
            mine = _asked_for(found, chain, month, asked)
            diagnostics += resolve(chain, month, mine, login_zone=login_zone).diagnostics
        if compared:
            diagnostics += _missing(chain, compared, today, {*denied})
    if compared:
        diagnostics += _unlisted(chain, months, classes, today)
    return Verification(chain.root, tuple(compared), tuple(_told(diagnostics)))


def check_notices(
    chains: Mapping[str, Chain], notices: Iterable[tuple[str, ContractMonth, dt.date]]
) -> tuple[Diagnostic, ...]:
    """Return where specs and the broker's list of first notices disagree.

    Parameters
    ----------
    chains
        The roots; rows of others are left out.
    notices
        Root, month and day, a row a contract.
    """
    found: list[Diagnostic] = []
    for root, month, day in notices:
        if root not in chains:
            continue
        chain = chains[root]
        try:
            expected = chain.row(month).first_notice
        except ChainError:
            at = locate(chain.spec.locations, ("months", "listed"))
            message = f"{root} {month}: not listed, but the broker's list has its first notice"
            found.append(diagnostic("PF612", message, at))
            continue
        if expected == day:
            continue
        in_spec = "none" if expected is None else f"{expected:%a %Y-%m-%d}"
        found.append(
            diagnostic(
                "PF613",
                f"{root} {month}: first notice {in_spec} in the spec, {day:%a %Y-%m-%d} in the"
                " broker's list",
                locate(chain.spec.locations, _notice_path(chain, month)),
                hint=f"if the broker is right, list the date: `dates: {{{month}: {day}}}`"
                if chain.spec.first_notice
                else "add `first_notice` with its rule",
            )
        )
    return tuple(found)


def _months(found: Sequence[ContractDetails]) -> dict[ContractMonth, list[ContractDetails]]:
    months: dict[ContractMonth, list[ContractDetails]] = {}
    for one in found:
        try:
            month = ContractMonth.parse(one.contract_month)
        except MonthError:
            continue  # a contract without a delivery month is of no chain
        months.setdefault(month, []).append(one)
    return months


def _denied(chain: Chain, compared: Sequence[ContractMonth], today: dt.date) -> list[ContractMonth]:
    """Return the months of the symbols and exchanges of which the broker has nothing at all.

    Each of these is one fault. A symbol of far months only may not be listed yet.
    """
    there = {_query(chain, month) for month in compared}
    return [
        row.month
        for row in chain.rows()
        if (row.month.last_day if row.last_trade is None else row.last_trade) > today
        and _query(chain, row.month) not in there
        and (
            not compared
            or row.month < compared[-1]
            or (row.last_trade is not None and row.last_trade < today + _NEAR)
        )
    ]


def _asked_for(
    found: Sequence[ContractDetails], chain: Chain, month: ContractMonth, asked: Sequence[Query]
) -> list[ContractDetails]:
    """Return what came of the question about a month: another symbol is another contract."""
    query = _query(chain, month)
    if len(asked) < 2 or query is None:
        return list(found)  # whatever names the broker gives to what was asked for
    place = query.symbol, query.exchange
    return [one for one in found if (one.contract.symbol, one.contract.exchange) == place]


def _is_ambiguous(diagnostics: Iterable[Diagnostic]) -> bool:
    return any(item.code == "PF602" for item in diagnostics)


def _missing(
    chain: Chain, compared: Sequence[ContractMonth], today: dt.date, told: set[ContractMonth]
) -> Iterator[Diagnostic]:
    """Yield the months of the spec that the broker leaves out between others."""
    known = set(compared)
    # The last year in which the broker has each month of the year.
    years = {month.month: month.year for month in sorted(compared)}
    gone = [
        row.month
        for row in chain.rows(last=compared[-1])
        if row.month not in known
        and row.month not in told
        and row.last_trade is not None
        and today < row.last_trade
        and (
            row.last_trade < today + _NEAR
            or row.month.month not in years
            or years[row.month.month] > row.month.year
        )
    ]
    if gone:
        yield diagnostic(
            "PF611",
            f"{chain.root}: IB does not have {_named(gone)}, but later months",
            locate(chain.spec.locations, ("months", "listed")),
            hint="skip single months with `skip`, or correct the listed cycle",
        )


def _unlisted(
    chain: Chain,
    months: Mapping[ContractMonth, Sequence[ContractDetails]],
    classes: set[str],
    today: dt.date,
) -> Iterator[Diagnostic]:
    """Yield the months of the broker, in a class of the root, that the spec does not list."""
    listed = set(chain.months)
    extra = [
        month
        for month, found in sorted(months.items())
        if month not in listed
        and month.last_day >= today
        and any(_is_of_root(one, chain, month, classes) for one in found)
    ]
    if extra:
        yield diagnostic(
            "PF612",
            f"{chain.root}: IB has {_named(extra)}, not in the listed months {chain.spec.listed}",
            locate(chain.spec.locations, ("months", "listed")),
            hint="add the month to `months.listed`; what is not traded stays out of `priced`",
        )


def _is_of_root(
    one: ContractDetails, chain: Chain, month: ContractMonth, classes: set[str]
) -> bool:
    """Whether a contract is one of the root's: its class, and its size where that is known."""
    wanted = chain.spec.multiplier.at(month)
    size = number(one.contract.multiplier)
    return one.contract.trading_class in classes and (wanted is None or size == wanted)


def _told(diagnostics: Sequence[Diagnostic]) -> Iterator[Diagnostic]:
    """Yield one diagnostic for many months with the same fault at the same line."""
    groups: dict[tuple[object, ...], list[Diagnostic]] = {}
    for item in diagnostics:
        groups.setdefault((item.code, item.location), []).append(item)
    for (code, _), found in groups.items():
        shown = _TOLD.get(str(code), 1)
        if len(found) <= shown:
            yield from found
            continue
        yield from found[: shown - 1]
        last, rest = found[shown - 1], len(found) - shown
        months = "month" if rest == 1 else "months"
        yield (
            replace(last, message=f"{last.message}; the same in {rest} other {months}")
            if (shown == 1)
            else replace(last, message=f"{last.message}; and in {rest} other {months}")
        )


def _named(months: Sequence[ContractMonth]) -> str:
    names = " ".join(map(str, months[:_NAMED]))
    more = len(months) - _NAMED
    return f"{names} and {more} more" if more > 0 else names


def _notice_path(chain: Chain, month: ContractMonth) -> DataPath:
    event = chain.spec.first_notice
    if event is None:
        return ("first_notice",)
    rule = event.spans.at(month)
    path: DataPath = ("first_notice",) if rule is None else rule.path
    return (*path, "dates", str(month)) if month in event.dates else (*path, "rule")
