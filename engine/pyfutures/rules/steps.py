"""The steps of date rules, one frozen value each.

A rule is read left to right. It starts in a month (the contract month), an anchor step turns the
month into a day, and adjusters move the day (`State`; `rule` checks the order). The steps only say
what to do: `scalar` and `vector` are the two ways of doing it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Final

from pyfutures.months import MONTH_CODES
from pyfutures.weekdays import Weekday

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ANCHORS",
    "CONTRACT_MONTH",
    "ELSE",
    "MOST_WEEKS_BACK",
    "STEP_KINDS",
    "THAT_MONTH",
    "AnchorEvent",
    "AnchorStep",
    "Branch",
    "BusinessDay",
    "BusinessDays",
    "ByMonth",
    "CalendarDays",
    "Day",
    "Direction",
    "From",
    "IfClosed",
    "LeafStep",
    "Month",
    "Nearest",
    "NthWeekday",
    "OnOrAfter",
    "OnOrBefore",
    "Side",
    "State",
    "Step",
    "StepKind",
    "Weekday",
    "WeeksBackWhileClosed",
    "month_words",
]

CONTRACT_MONTH: Final = "the contract month"
THAT_MONTH: Final = "that month"
ELSE: Final = "else"
MOST_WEEKS_BACK: Final = 52
"""A search further back than this has no answer: its calendar is wrong."""

_LONGEST_MONTH: Final = 31
_MOST_WEEKS: Final = 5
_MOST_SHIFT: Final = 3660
_MOST_MONTHS: Final = 120
_MOST_WINDOW: Final = 30
_ORDINALS: Final = (
    *("first", "second", "third", "fourth", "fifth"),
    *("sixth", "seventh", "eighth", "ninth", "tenth"),
)


class State(StrEnum):
    """What a rule holds between two steps."""

    START = "start"
    """The contract month, not yet shifted."""
    MONTH = "month"
    DATE = "date"


class Direction(StrEnum):
    """Where a closed day moves to."""

    PREVIOUS = "previous"
    NEXT = "next"


class AnchorEvent(StrEnum):
    """An event of the same contract month that another event may be counted from."""

    LAST_TRADE = "last_trade"


class StepKind(StrEnum):
    """The keys of the steps, as the YAML has them."""

    MONTH = "month"
    WEEKDAY = "weekday"
    DAY = "day"
    BUSINESS_DAY = "business_day"
    NEAREST = "nearest"
    FROM = "from"
    IF_CLOSED = "if_closed"
    BUSINESS_DAYS = "business_days"
    CALENDAR_DAYS = "calendar_days"
    ON_OR_BEFORE = "on_or_before"
    ON_OR_AFTER = "on_or_after"
    WEEKS_BACK_WHILE_CLOSED = "weeks_back_while_closed"
    BY_MONTH = "by_month"


@dataclass(frozen=True, slots=True)
class Month:
    """A later or earlier month to start from; several of them add up."""

    shift: int
    kind: ClassVar = StepKind.MONTH

    def __post_init__(self) -> None:
        """Refuse a shift that does nothing or leaves the century."""
        _check(self.shift, "month", _MOST_MONTHS)

    @property
    def text(self) -> str:
        """In words, ``the month before the contract month``."""
        return month_words(self.shift)


@dataclass(frozen=True, slots=True)
class NthWeekday:
    """The n-th given weekday of the month, from its end if negative.

    The third Friday of the contract month (CME rulebook chapter 358, E-mini S&P 500) is
    ``weekday: {nth: 3, day: friday}``.
    """

    nth: int
    day: Weekday
    kind: ClassVar = StepKind.WEEKDAY

    def __post_init__(self) -> None:
        """Refuse a number that no month can have."""
        _check(self.nth, "nth", _MOST_WEEKS)

    @property
    def text(self) -> str:
        """In words, ``third Friday of the contract month``."""
        return self.words(CONTRACT_MONTH)

    def words(self, month: str) -> str:
        """Say it of a month that is named so."""
        return f"{_ordinal(self.nth)} {self.day.title_word} of {month}"


@dataclass(frozen=True, slots=True)
class Day:
    """The n-th calendar day of the month, open or closed; -1 is the last. Never clamped."""

    n: int
    kind: ClassVar = StepKind.DAY

    def __post_init__(self) -> None:
        """Refuse a number that no month can have."""
        _check(self.n, "day", _LONGEST_MONTH)

    @property
    def text(self) -> str:
        """In words, ``25th day of the contract month``."""
        return self.words(CONTRACT_MONTH)

    def words(self, month: str) -> str:
        """Say it of a month that is named so."""
        return f"{_numeral(self.n)} day of {month}"


@dataclass(frozen=True, slots=True)
class BusinessDay:
    """The n-th open day of the month, from its end if negative.

    The third last business day of the delivery month (COMEX rulebook chapter 113, gold) is
    ``business_day: -3``.
    """

    n: int
    calendar: str | None = None
    kind: ClassVar = StepKind.BUSINESS_DAY

    def __post_init__(self) -> None:
        """Refuse a number that no month can have."""
        _check(self.n, "business_day", _LONGEST_MONTH)

    @property
    def text(self) -> str:
        """In words, ``second last business day of the contract month``."""
        return self.words(CONTRACT_MONTH)

    def words(self, month: str) -> str:
        """Say it of a month that is named so."""
        return f"{_ordinal(self.n)} business day{_by(self.calendar)} of {month}"


@dataclass(frozen=True, slots=True)
class Nearest:
    """The given weekday nearest to the n-th calendar day: at most three days away, so never a tie.

    The Wednesday closest to the 15th of the contract month (B3, Ibovespa futures) is
    ``nearest: {day: 15, weekday: wednesday}``.
    """

    day: int
    weekday: Weekday
    kind: ClassVar = StepKind.NEAREST

    def __post_init__(self) -> None:
        """Refuse a number that no month can have."""
        _check(self.day, "day", _LONGEST_MONTH)

    @property
    def text(self) -> str:
        """In words, ``Wednesday nearest the 15th day of the contract month``."""
        return self.words(CONTRACT_MONTH)

    def words(self, month: str) -> str:
        """Say it of a month that is named so."""
        return f"{self.weekday.title_word} nearest the {_numeral(self.day)} day of {month}"


@dataclass(frozen=True, slots=True)
class From:
    """The day of another event of the same contract month."""

    event: AnchorEvent
    kind: ClassVar = StepKind.FROM

    @property
    def text(self) -> str:
        """In words, ``the day of last trade``."""
        return f"the day of {self.event.replace('_', ' ')}"


@dataclass(frozen=True, slots=True)
class IfClosed:
    """The day itself if it is open, else the open day before or after it."""

    direction: Direction
    calendar: str | None = None
    kind: ClassVar = StepKind.IF_CLOSED

    @property
    def text(self) -> str:
        """In words, ``if closed, the previous business day``."""
        return f"if closed{_by(self.calendar)}, the {self.direction} business day"


@dataclass(frozen=True, slots=True)
class BusinessDays:
    """So many open days later or earlier. Strict: the start is never counted, and may be closed."""

    n: int
    calendar: str | None = None
    kind: ClassVar = StepKind.BUSINESS_DAYS

    def __post_init__(self) -> None:
        """Refuse a count that does nothing or takes years."""
        _check(self.n, "business_days", _MOST_SHIFT)

    @property
    def text(self) -> str:
        """In words, ``3 business days before``."""
        return _count(self.n, "business day", _by(self.calendar))


@dataclass(frozen=True, slots=True)
class CalendarDays:
    """So many calendar days later or earlier."""

    n: int
    kind: ClassVar = StepKind.CALENDAR_DAYS

    def __post_init__(self) -> None:
        """Refuse a count that does nothing or takes years."""
        _check(self.n, "calendar_days", _MOST_SHIFT)

    @property
    def text(self) -> str:
        """In words, ``7 calendar days before``."""
        return _count(self.n, "calendar day", "")


@dataclass(frozen=True, slots=True)
class OnOrBefore:
    """The last given weekday that is not after the day, open or closed."""

    weekday: Weekday
    kind: ClassVar = StepKind.ON_OR_BEFORE

    @property
    def text(self) -> str:
        """In words, ``the Wednesday on or before``."""
        return f"the {self.weekday.title_word} on or before"


@dataclass(frozen=True, slots=True)
class OnOrAfter:
    """The first given weekday that is not before the day, open or closed."""

    weekday: Weekday
    kind: ClassVar = StepKind.ON_OR_AFTER

    @property
    def text(self) -> str:
        """In words, ``the Wednesday on or after``."""
        return f"the {self.weekday.title_word} on or after"


@dataclass(frozen=True, slots=True)
class WeeksBackWhileClosed:
    """A week earlier, again and again, while the day or a weekday next to it is closed.

    The window is the day itself and so many days Monday to Friday `before` (or `after`) it. Feeder
    cattle (CME rulebook chapter 102) stop on the last Thursday that has no holiday on it or on any
    of the four weekdays before it: ``weeks_back_while_closed: {weekdays_before: 4}``.
    """

    weekdays: int
    side: Side
    calendar: str | None = None
    kind: ClassVar = StepKind.WEEKS_BACK_WHILE_CLOSED

    def __post_init__(self) -> None:
        """Refuse a window that is no window."""
        if not 0 <= self.weekdays <= _MOST_WINDOW:
            message = f"`weekdays_{self.side}` is `{self.weekdays}`: it must be 0 to {_MOST_WINDOW}"
            raise ValueError(message)

    @property
    def text(self) -> str:
        """In words, with the size of the window."""
        near = {0: "", 1: f" or the weekday {self.side} it"}.get(
            self.weekdays, f" or any of the {self.weekdays} weekdays {self.side} it"
        )
        return f"a week back while it{near} is closed{_by(self.calendar)}"


class Side(StrEnum):
    """On which side of the day a window lies."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Branch:
    """The steps for some contract months, given by their codes."""

    codes: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class ByMonth:
    """Different steps for different contract months; the code is that of the contract month.

    Brent stops on the last business day of the second month before, but for the February contract
    on the second last one (ICE Futures Europe, Brent crude): ``by_month: {G: [...], else: [...]}``.
    """

    branches: tuple[Branch, ...]
    otherwise: tuple[Step, ...] | None = None
    kind: ClassVar = StepKind.BY_MONTH

    def __post_init__(self) -> None:
        """Refuse codes that are unknown, given twice, or left without a branch."""
        given = "".join(branch.codes for branch in self.branches)
        for code in given:
            if code not in MONTH_CODES:
                message = f"`{code}` is not one of the month codes {MONTH_CODES}"
                raise ValueError(message)
            if given.count(code) > 1:
                message = f"month code `{code}` has two branches"
                raise ValueError(message)
        missing = "".join(code for code in MONTH_CODES if code not in given)
        if missing and self.otherwise is None:
            message = f"months {missing} have no branch: add `else`, `else: []` to leave them alone"
            raise ValueError(message)

    def branch(self, code: str) -> tuple[str, tuple[Step, ...]]:
        """Return the key of the branch for a month code and its steps."""
        for branch in self.branches:
            if code in branch.codes:
                return branch.codes, branch.steps
        return ELSE, self.otherwise or ()

    @property
    def text(self) -> str:
        """In words: the months of each branch."""
        names = [f"for {branch.codes}" for branch in self.branches]
        return ", ".join(names if self.otherwise is None else [*names, "otherwise"])


type AnchorStep = NthWeekday | Day | BusinessDay | Nearest
"""The steps that find a day in a month."""

ANCHORS: Final = (NthWeekday, Day, BusinessDay, Nearest)

type LeafStep = (
    Month
    | AnchorStep
    | From
    | IfClosed
    | BusinessDays
    | CalendarDays
    | OnOrBefore
    | OnOrAfter
    | WeeksBackWhileClosed
)
"""The steps that hold no other steps."""

type Step = LeafStep | ByMonth

STEP_KINDS: Final[Mapping[StepKind, type]] = MappingProxyType(
    {
        step.kind: step
        for step in (
            Month,
            NthWeekday,
            Day,
            BusinessDay,
            Nearest,
            From,
            IfClosed,
            BusinessDays,
            CalendarDays,
            OnOrBefore,
            OnOrAfter,
            WeeksBackWhileClosed,
            ByMonth,
        )
    }
)
"""The class of each key."""


def month_words(shift: int) -> str:
    """Name the month that lies so far from the contract month."""
    if shift == 0:
        return CONTRACT_MONTH
    side = "before" if shift < 0 else "after"
    place = "" if abs(shift) == 1 else f"{_ordinal(abs(shift))} "
    return f"the {place}month {side} {CONTRACT_MONTH}"


def _check(number: int, name: str, most: int) -> None:
    if number == 0 or abs(number) > most:
        message = f"`{name}` is `{number}`: it must be 1 to {most}, or -1 to -{most}"
        raise ValueError(message)


def _by(calendar: str | None) -> str:
    return "" if calendar is None else f" ({calendar})"


def _count(n: int, unit: str, by: str) -> str:
    plural = "" if abs(n) == 1 else "s"
    return f"{abs(n)} {unit}{plural}{by} {'after' if n > 0 else 'before'}"


def _ordinal(n: int) -> str:
    if n < 0:
        return "last" if n == -1 else f"{_ordinal(-n)} last"
    return _ORDINALS[n - 1] if n <= len(_ORDINALS) else _numeral(n)


def _numeral(n: int) -> str:
    if n < 0:
        return _ordinal(n)
    teens = 10 <= n % 100 <= 20
    return f"{n}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(n % 10, 'th')}"
