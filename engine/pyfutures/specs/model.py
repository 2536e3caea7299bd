"""What a validated contract spec is: frozen values that print as people write them.

Built by :mod:`pyfutures.specs.build` from checked data only; nothing here validates.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping
    from decimal import Decimal

    from pyfutures.cycles import Cycle
    from pyfutures.diagnostics import Location
    from pyfutures.months import ContractMonth
    from pyfutures.ranged import Ranged
    from pyfutures.rules.rule import Rule

__all__ = [
    "Anchor",
    "ClockTime",
    "Event",
    "EventRule",
    "IbIdentity",
    "OffsetUnit",
    "Roll",
    "Settlement",
    "Spec",
    "TradingClass",
    "TradingHours",
]

#: Where a value stands in a document: keys and list positions from the top.
type DataPath = tuple[str | int, ...]


class Settlement(StrEnum):
    """How a contract ends: by delivery or in cash."""

    PHYSICAL = "physical"
    CASH = "cash"


class Anchor(StrEnum):
    """The date a roll is counted from."""

    LAST_TRADE = "last_trade"
    FIRST_NOTICE = "first_notice"
    MONTH_START = "month_start"


class OffsetUnit(StrEnum):
    """What a roll offset counts: calendar days or open days of the last-trade calendar."""

    CALENDAR = "calendar"
    BUSINESS = "business"


@dataclass(frozen=True, slots=True)
class ClockTime:
    """A time of day in a zone, ``14:30 America/New_York``."""

    time: dt.time
    zone: str

    def __str__(self) -> str:
        """Return the text a spec has it in."""
        return f"{self.time:%H:%M} {self.zone}"


@dataclass(frozen=True, slots=True)
class TradingClass:
    """The broker's class within a symbol; it may depend on the month code."""

    default: str | None
    by_code: Mapping[str, str] = field(default_factory=dict)

    def for_month(self, month: ContractMonth) -> str | None:
        """Return the class of a contract month, or None if the spec names none for it."""
        return self.by_code.get(month.code, self.default)


@dataclass(frozen=True, slots=True)
class IbIdentity:
    """How Interactive Brokers knows the root.

    IB quotes market data and order prices times `price_magnifier`; multiplier and tick it gives
    in currency.
    """

    symbol: Ranged[str]
    exchange: Ranged[str]
    trading_class: Ranged[TradingClass]
    price_magnifier: int = 1


@dataclass(frozen=True, slots=True)
class EventRule:
    """How the date of an event is found in one range of contract months.

    `path` is where the rule stands in the spec, for :attr:`Spec.locations`.
    """

    calendar: str
    rule: Rule
    at: ClockTime | None
    path: DataPath


@dataclass(frozen=True, slots=True)
class Event:
    """A dated event of each contract month: a rule, and listed dates that win over it."""

    spans: Ranged[EventRule]
    dates: Mapping[ContractMonth, dt.date] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Roll:
    """When the current contract is left for the next one of the hold cycle.

    The roll date is the anchor plus `offset`; `carry` is the neighbour in the priced cycle
    (-1 or 1); positions are closed `close_out` sessions before the last safe day.
    """

    anchor: Anchor
    offset: int
    unit: OffsetUnit
    carry: int
    close_out: int = 0


@dataclass(frozen=True, slots=True)
class TradingHours:
    """Daily trading hours in a zone; `open` after `close` means it opens the evening before."""

    zone: str
    open: dt.time
    close: dt.time
    breaks: tuple[tuple[dt.time, dt.time], ...] = ()


@dataclass(frozen=True, slots=True)
class Spec:
    """Everything a contract file says of one root, with its defaults filled in.

    `settlement`, `ib`, `first_notice`, `roll`, `hours` and `ahead` are None where the spec is
    silent; `expiry` None means the last trade. `ahead` is how many calendar months ahead contracts
    are listed, `expect` dates that the rules have to give, by month and column. `path` is the
    root's own file; `locations` finds each value, also those that came from another file by
    ``extends``.
    """

    root: str
    name: str
    exchange: str
    currency: str
    multiplier: Ranged[Decimal]
    tick: Ranged[Decimal]
    settlement: Settlement | None
    ib: IbIdentity | None
    listed: Cycle
    priced: Cycle
    hold: Cycle
    last_trade: Event
    first_notice: Event | None
    expiry: Event | None
    roll: Roll | None
    hours: TradingHours | None
    verified: bool
    sources: tuple[str, ...]
    path: str
    locations: Mapping[DataPath, Location] = field(compare=False, repr=False, hash=False)
    ahead: int | None = None
    expect: Mapping[ContractMonth, Mapping[str, dt.date]] = field(
        default_factory=dict, compare=False, repr=False, hash=False
    )
