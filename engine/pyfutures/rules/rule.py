"""A date rule: its steps, checked, and the words for them.

A rule is in the state `start` (the contract month) until a `month` step moves it or an anchor turns
it into a `date`. Anchors need a month, adjusters need a date, `from` needs the contract month
itself, and a rule ends in a date. All branches of a `by_month` end alike. What breaks this is a
`RuleError` when the rule is parsed; the evaluations rely on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from pyfutures.rules.errors import RuleError
from pyfutures.rules.steps import (
    ELSE,
    STEP_KINDS,
    THAT_MONTH,
    AnchorEvent,
    Branch,
    BusinessDay,
    BusinessDays,
    ByMonth,
    CalendarDays,
    Day,
    Direction,
    From,
    IfClosed,
    Month,
    Nearest,
    NthWeekday,
    OnOrAfter,
    OnOrBefore,
    Side,
    State,
    Step,
    StepKind,
    Weekday,
    WeeksBackWhileClosed,
    month_words,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Rule", "parse_rule"]

type Path = tuple[int | str, ...]

_KEYS: Final = ", ".join(f"`{kind}`" for kind in STEP_KINDS)


@dataclass(frozen=True, slots=True)
class Rule:
    """How the day of a contract month is found. Prints as the words of its steps.

    Raises
    ------
    RuleError
        When the steps are in an order that means nothing.

    """

    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        """Check the order of the steps."""
        if _check_steps(self.steps, (), State.START) is not State.DATE:
            raise RuleError(
                (),
                "the rule never gets to a day",
                "add an anchor: `weekday`, `day`, `business_day`, `nearest` or `from`",
            )

    def __str__(self) -> str:
        """Print the words of the rule."""
        return self.text

    @property
    def text(self) -> str:
        """In words, ``25th day of the month before the contract month; if closed, …``."""
        return "; ".join(_words(self.steps, 0)[0])

    @property
    def calendars(self) -> tuple[str, ...]:
        """Names of the calendars that steps name themselves, in the order of the rule."""
        named = (getattr(step, "calendar", None) for step in _flat(self.steps))
        return tuple(dict.fromkeys(name for name in named if name is not None))

    @property
    def events(self) -> tuple[AnchorEvent, ...]:
        """Events that the rule counts from."""
        named = (step.event for step in _flat(self.steps) if isinstance(step, From))
        return tuple(dict.fromkeys(named))


def parse_rule(data: Sequence[object]) -> Rule:
    """Return the rule that a list of one-key mappings describes.

    Parameters
    ----------
    data
        The value of a ``rule`` key, ``[{"weekday": {"nth": 3, "day": "friday"}}]``.

    Raises
    ------
    RuleError
        With the path from `data` to the step at fault: an unknown or missing key, a number out of
        its range, or steps whose order means nothing.

    """
    text = repr(data)
    if text not in _KNOWN:
        _KNOWN[text] = Rule(_parse_steps(data, ()))
    return _KNOWN[text]


#: Rules by their data as text: a rule is read several times, and many roots have the same one.
_KNOWN: Final[dict[str, Rule]] = {}


def _flat(steps: tuple[Step, ...]) -> Iterator[Step]:
    for step in steps:
        yield step
        if isinstance(step, ByMonth):
            for branch in step.branches:
                yield from _flat(branch.steps)
            yield from _flat(step.otherwise or ())


# --- words


def _words(steps: tuple[Step, ...], shift: int | None) -> tuple[list[str], int | None]:
    """Words of the steps, and how far the month has moved; None when that depends on the month."""
    words: list[str] = []
    for step in steps:
        match step:
            case Month():
                shift = None if shift is None else shift + step.shift
                if shift is None:
                    words.append(step.text)
            case NthWeekday() | Day() | BusinessDay() | Nearest():
                words.append(step.words(THAT_MONTH if shift is None else month_words(shift)))
            case ByMonth():
                text, shift = _branch_words(step, shift)
                words.append(text)
            case _:
                words.append(step.text)
    return words, shift


def _branch_words(step: ByMonth, shift: int | None) -> tuple[str, int | None]:
    named = [(f"for {branch.codes}", branch.steps) for branch in step.branches]
    if step.otherwise is not None:
        named.append(("otherwise", step.otherwise))
    texts, shifts = [], set()
    for name, steps in named:
        words, after = _words(steps, shift)
        if after is not None and all(isinstance(inner, Month) for inner in steps):
            # A branch that only moves the month, or does nothing.
            words = [month_words(after) if after != shift else "as it is"]
        texts.append(f"{name} ({'; '.join(words) or 'as it is'})")
        shifts.add(after)
    return ", ".join(texts), shifts.pop() if len(shifts) == 1 else None


# --- the order of steps


def _check_steps(steps: tuple[Step, ...], path: Path, state: State) -> State:
    for number, step in enumerate(steps):
        state = _check_step(step, (*path, number), state)
    return state


def _check_step(step: Step, path: Path, state: State) -> State:
    match step:
        case ByMonth():
            return _check_branches(step, path, state)
        case From():
            if state is not State.START:
                raise RuleError(
                    (*path, step.kind),
                    f"`from: {step.event}` is the event of the contract month itself",
                    "make it the first step",
                )
            return State.DATE
        case Month() | NthWeekday() | Day() | BusinessDay() | Nearest():
            if state is State.DATE:
                raise RuleError(
                    (*path, step.kind),
                    f"`{step.kind}` starts from a month, but the rule already has a day",
                    "put it first, or move the day with `business_days` or `calendar_days`",
                )
            return State.MONTH if isinstance(step, Month) else State.DATE
        case _:
            if state is not State.DATE:
                raise RuleError(
                    (*path, step.kind),
                    f"`{step.kind}` moves a day, but the rule has no day yet",
                    "put `weekday`, `day`, `business_day`, `nearest` or `from` before it",
                )
            return State.DATE


def _check_branches(step: ByMonth, path: Path, state: State) -> State:
    place = (*path, step.kind.value)
    ends: set[State] = set()
    for branch in step.branches:
        ends.add(_check_steps(branch.steps, (*place, branch.codes), state))
    if step.otherwise is not None:
        ends.add(_check_steps(step.otherwise, (*place, ELSE), state))
    if ends == {State.DATE}:
        return State.DATE
    if State.DATE in ends:
        raise RuleError(
            place,
            "some branches end in a day and some in a month",
            "give every branch an anchor, or none",
        )
    return State.MONTH if State.MONTH in ends else State.START


# --- from plain data


def _parse_steps(data: object, path: Path) -> tuple[Step, ...]:
    if not isinstance(data, Sequence) or isinstance(data, str):
        raise RuleError(path, f"`{data}` is no list of steps", "write one `- key: value` a step")
    return tuple(_parse_step(item, (*path, number)) for number, item in enumerate(data))


def _parse_step(data: object, path: Path) -> Step:
    if not isinstance(data, Mapping) or len(data) != 1:
        raise RuleError(path, f"`{data}` is no step", "a step is a mapping with one key")
    ((key, value),) = data.items()
    try:
        kind = StepKind(key)
    except ValueError:
        raise RuleError((*path, key), f"unknown step `{key}`", f"one of {_KEYS}") from None
    place = (*path, kind.value)
    try:
        return _make_step(kind, value, place)
    except RuleError:
        raise
    except ValueError as error:
        raise RuleError(place, str(error)) from None


def _make_step(kind: StepKind, value: object, path: Path) -> Step:  # noqa: C901, PLR0912
    match kind:
        case StepKind.MONTH:
            return Month(_integer(value, path))
        case StepKind.WEEKDAY:
            fields = _Fields(value, path)
            return NthWeekday(fields.integer("nth"), fields.weekday("day"))
        case StepKind.DAY:
            return Day(_integer(value, path))
        case StepKind.BUSINESS_DAY:
            fields = _Fields(value, path, short="n")
            return BusinessDay(fields.integer("n"), fields.calendar())
        case StepKind.NEAREST:
            fields = _Fields(value, path)
            return Nearest(fields.integer("day"), fields.weekday("weekday"))
        case StepKind.FROM:
            return From(AnchorEvent(_text(value, path, AnchorEvent)))
        case StepKind.IF_CLOSED:
            fields = _Fields(value, path, short="direction")
            direction = _text(fields.get("direction"), path, Direction)
            return IfClosed(Direction(direction), fields.calendar())
        case StepKind.BUSINESS_DAYS:
            fields = _Fields(value, path, short="n")
            return BusinessDays(fields.integer("n"), fields.calendar())
        case StepKind.CALENDAR_DAYS:
            return CalendarDays(_integer(value, path))
        case StepKind.ON_OR_BEFORE:
            return OnOrBefore(Weekday(_text(value, path, Weekday)))
        case StepKind.ON_OR_AFTER:
            return OnOrAfter(Weekday(_text(value, path, Weekday)))
        case StepKind.WEEKS_BACK_WHILE_CLOSED:
            fields = _Fields(value, path)
            side = fields.side()
            return WeeksBackWhileClosed(fields.integer(f"weekdays_{side}"), side, fields.calendar())
        case StepKind.BY_MONTH:
            return _parse_by_month(value, path)


def _parse_by_month(value: object, path: Path) -> ByMonth:
    if not isinstance(value, Mapping):
        raise RuleError(path, f"`{value}` has no branches", "write `G: [...]` and `else: [...]`")
    branches = {key: _parse_steps(steps, (*path, key)) for key, steps in value.items()}
    otherwise = branches.pop(ELSE, None)
    return ByMonth(tuple(Branch(codes, steps) for codes, steps in branches.items()), otherwise)


class _Fields(NamedTuple):
    """The fields of a step; `short` names the one that a bare value stands for."""

    value: object
    path: Path
    short: str | None = None

    def get(self, name: str) -> object:
        if not isinstance(self.value, Mapping):
            if name == self.short:
                return self.value
            raise RuleError(self.path, f"`{self.value}` is no mapping", f"it needs `{name}`")
        if name not in self.value:
            raise RuleError(self.path, f"`{name}` is missing")
        return self.value[name]

    def integer(self, name: str) -> int:
        return _integer(self.get(name), self.path)

    def weekday(self, name: str) -> Weekday:
        return Weekday(_text(self.get(name), self.path, Weekday))

    def side(self) -> Side:
        given = self.value if isinstance(self.value, Mapping) else {}
        sides = [side for side in Side if f"weekdays_{side}" in given]
        if len(sides) != 1:
            raise RuleError(self.path, "give one of `weekdays_before` and `weekdays_after`")
        return sides[0]

    def calendar(self) -> str | None:
        if not isinstance(self.value, Mapping) or "calendar" not in self.value:
            return None
        return str(self.value["calendar"])


def _integer(value: object, path: Path) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise RuleError(path, f"`{value}` is no whole number")
    return value


def _text(value: object, path: Path, closed: type[Weekday | Direction | AnchorEvent]) -> str:
    if value not in list(closed):
        raise RuleError(path, f"`{value}` is not expected here", f"one of {', '.join(closed)}")
    return str(value)
