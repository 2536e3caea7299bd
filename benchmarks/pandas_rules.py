"""The same date rules with pandas' own offsets: what people write who have pandas and no engine.

A calendar is a `CustomBusinessDay` over its holidays, kept once it is made, as are the offsets of
so many days in it; a rule is walked step by step on a `Timestamp`. Offsets are added to one day at
a time: pandas adds a custom business day to a whole index one by one as well, and warns of it.

It shares the parsed steps with the engine and nothing else, so that it is a third witness of the
dates besides a peer for the speed. Where a calendar does not reach, or a month has no such day, it
answers None.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from pandas.tseries.offsets import (
    BDay,
    CustomBusinessDay,
    MonthBegin,
    MonthEnd,
    Week,
)

from pyfutures.rules import steps as s

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from pyfutures.calendars import Calendar
    from pyfutures.months import ContractMonth
    from pyfutures.rules import Rule

__all__ = ["PandasCalendar", "PandasRules"]

_ONE_DAY = pd.Timedelta(days=1)
_ONE_WEEK = pd.Timedelta(weeks=1)
_TO_MONTH_END = MonthEnd()
# Offsets cost as much to make as to add.
_months = cache(MonthBegin)
_week = cache(lambda weekday: Week(weekday=weekday))


class NoDateError(Exception):
    """The rule has no day for this month."""


class PandasCalendar:
    """Business days of one calendar as pandas offsets.

    Parameters
    ----------
    calendar
        The calendar whose open days they are.
    """

    def __init__(self, calendar: Calendar) -> None:
        self.first = pd.Timestamp(calendar.first)
        self.last = pd.Timestamp(calendar.last)
        opened = pd.DatetimeIndex(calendar.days.astype("datetime64[D]"))
        all_week = bool((opened.day_of_week > 4).any())
        every_day = pd.date_range(self.first, self.last, freq="D" if all_week else "B")
        self._days = np.busdaycalendar(
            weekmask="1111111" if all_week else "1111100",
            holidays=every_day.difference(opened).to_numpy().astype("datetime64[D]"),
        )
        self.offset = cache(self._offset)
        self._day = self.offset(1)

    def _offset(self, n: int) -> CustomBusinessDay:
        return CustomBusinessDay(n, calendar=self._days)

    def shift(self, day: pd.Timestamp, n: int) -> pd.Timestamp:
        """The n-th business day after (or before) a day, open or not."""
        return self.known(self.known(day) + self.offset(n))

    def on_or_before(self, day: pd.Timestamp) -> pd.Timestamp:
        """The day itself if it is open, else the business day before it."""
        return self.known(self._day.rollback(self.known(day)))

    def on_or_after(self, day: pd.Timestamp) -> pd.Timestamp:
        """The day itself if it is open, else the business day after it."""
        return self.known(self._day.rollforward(self.known(day)))

    def is_open(self, day: pd.Timestamp) -> bool:
        """Whether a day is a business day."""
        return bool(self._day.is_on_offset(self.known(day)))

    def known(self, day: pd.Timestamp) -> pd.Timestamp:
        """The day, if the calendar reaches so far: pandas would take any weekday for open."""
        if not self.first <= day <= self.last:
            raise NoDateError
        return day


class PandasRules:
    """Evaluates rules month by month.

    Parameters
    ----------
    calendars
        Calendars by name; each is turned into offsets the first time that a rule asks for it.
    """

    def __init__(self, calendars: Mapping[str, Calendar]) -> None:
        self.calendar = cache(lambda name: PandasCalendar(calendars[name]))

    def day(
        self,
        rule: Rule,
        month: ContractMonth,
        calendar: str,
        last_trade: dt.date | None = None,
    ) -> pd.Timestamp | None:
        """The day that a rule gives a contract month, None if it gives none."""
        at = pd.Timestamp(month.year, month.month, 1)
        try:
            return self._walk(rule.steps, at, month, calendar, last_trade)
        except NoDateError:
            return None

    def _walk(
        self,
        steps: tuple[s.Step, ...],
        at: pd.Timestamp,
        month: ContractMonth,
        calendar: str,
        last_trade: dt.date | None,
    ) -> pd.Timestamp:
        for step in steps:
            match step:
                case s.ByMonth():
                    _, branch = step.branch(month.code)
                    at = self._walk(branch, at, month, calendar, last_trade)
                case s.From():
                    if last_trade is None:
                        raise NoDateError
                    at = pd.Timestamp(last_trade)
                case s.BusinessDay() | s.IfClosed() | s.BusinessDays() | s.WeeksBackWhileClosed():
                    at = _in_calendar(step, at, self.calendar(step.calendar or calendar))
                case _:
                    at = _by_the_almanac(step, at)
        return at


def _by_the_almanac(step: s.LeafStep, at: pd.Timestamp) -> pd.Timestamp:
    """Steps that no holiday touches; `at` is the first of the month before there is a day."""
    match step:
        case s.Month():
            return at + _months(step.shift)
        case s.NthWeekday():
            week = _week(step.day.number)
            if step.nth > 0:
                day = week.rollforward(at) + (step.nth - 1) * _ONE_WEEK
            else:
                day = week.rollback(at + _TO_MONTH_END) + (step.nth + 1) * _ONE_WEEK
            return _same_month(day, at)
        case s.Day():
            return _day_of_month(at, step.n)
        case s.Nearest():
            target, week = _day_of_month(at, step.day), _week(step.weekday.number)
            sides = (week.rollback(target), week.rollforward(target))
            return min(sides, key=lambda day: abs(day - target))
        case s.CalendarDays():
            return at + step.n * _ONE_DAY
        case s.OnOrBefore():
            return _week(step.weekday.number).rollback(at)
        case s.OnOrAfter():
            return _week(step.weekday.number).rollforward(at)
        case _:
            raise TypeError(step)


def _in_calendar(
    step: s.BusinessDay | s.IfClosed | s.BusinessDays | s.WeeksBackWhileClosed,
    at: pd.Timestamp,
    calendar: PandasCalendar,
) -> pd.Timestamp:
    match step:
        case s.BusinessDay():
            # Counted from the first or the last day of the month, which counts if it is open.
            if step.n > 0:
                start, left = calendar.on_or_after(at), step.n - 1
            else:
                start, left = calendar.on_or_before(at + _TO_MONTH_END), step.n + 1
            return _same_month(calendar.shift(start, left) if left else start, at)
        case s.BusinessDays():
            return calendar.shift(at, step.n)
        case s.IfClosed(direction=s.Direction.PREVIOUS):
            return calendar.on_or_before(at)
        case s.IfClosed():
            return calendar.on_or_after(at)
        case s.WeeksBackWhileClosed():
            sign = -1 if step.side is s.Side.BEFORE else 1
            for _ in range(s.MOST_WEEKS_BACK + 1):
                near = (at + BDay(sign * n) for n in range(1, step.weekdays + 1))
                if calendar.is_open(at) and all(calendar.is_open(day) for day in near):
                    return at
                at -= _ONE_WEEK
            raise NoDateError


def _day_of_month(first: pd.Timestamp, n: int) -> pd.Timestamp:
    day = first + (n - 1) * _ONE_DAY if n > 0 else first + _months(1) + n * _ONE_DAY
    return _same_month(day, first)


def _same_month(day: pd.Timestamp, first: pd.Timestamp) -> pd.Timestamp:
    if day.month != first.month:
        raise NoDateError
    return day
