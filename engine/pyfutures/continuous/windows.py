"""Roll calendars made of others: explicit deadlines, and the n-th month of the hold cycle."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING

from pyfutures.chain.rolls import RollCalendar, RollCalendarError, RollRow

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from pyfutures.chain import Chain
    from pyfutures.months import ContractMonth


class Deadline(StrEnum):
    """Before which day of its month a roll must be made."""

    LAST_TRADE = "last_trade"
    FIRST_NOTICE = "first_notice"


def with_deadline(calendar: RollCalendar, chain: Chain, deadline: Deadline) -> RollCalendar:
    """Calendar with the last trade, or the first notice, of each month as its deadline.

    Raises
    ------
    RollCalendarError
        If a month has no such day.

    """
    days: dict[ContractMonth, dt.date] = {}
    for row in calendar:
        listed = chain.row(row.month)
        day = listed.last_trade if deadline is Deadline.LAST_TRADE else listed.first_notice
        if day is None:
            raise RollCalendarError(
                f"{calendar.root} {row.month} has no {deadline.value}: give another deadline"
            )
        days[row.month] = day
    return with_days(calendar, deadlines=days)


def with_days(
    calendar: RollCalendar,
    *,
    roll_dates: Mapping[ContractMonth, dt.date] | None = None,
    deadlines: Mapping[ContractMonth, dt.date] | None = None,
) -> RollCalendar:
    """Calendar with some roll dates and deadlines replaced by given ones.

    Raises
    ------
    RollCalendarError
        If a month is not held, or roll dates no longer increase.

    """
    dates, ends = roll_dates or {}, deadlines or {}
    for month in (*dates, *ends):
        calendar.index(month)
    rows = (
        RollRow.of(
            row.month,
            previous=row.previous,
            forward=row.forward,
            carry=row.carry,
            roll_date=dates.get(row.month, row.roll_date),
            deadline=ends.get(row.month, row.deadline),
        )
        for row in calendar
    )
    return RollCalendar(calendar.root, tuple(rows))


def nth(calendar: RollCalendar, place: int) -> RollCalendar:
    """Calendar of the series that holds the n-th month of the hold cycle, 1 for the current one.

    The second month is held while the first is current, and rolls in the window of the first.

    Raises
    ------
    RollCalendarError
        If `place` is less than 1, or the calendar is shorter.

    """
    ahead = place - 1
    if ahead < 0 or ahead >= len(calendar):
        raise RollCalendarError(
            f"{calendar.root}: there is no month {place} in a cycle of {len(calendar)} held months:"
            " 1 is the current one"
        )
    if not ahead:
        return calendar
    rows = []
    for number, window in enumerate(calendar.rows[:-ahead]):
        row = calendar.rows[number + ahead]
        rows.append(
            replace(
                row,
                previous=row.previous if number else None,
                roll_date=window.roll_date,
                deadline=window.deadline,
                roll_ns=window.roll_ns,
                deadline_ns=window.deadline_ns,
            )
        )
    return RollCalendar(calendar.root, tuple(rows))
