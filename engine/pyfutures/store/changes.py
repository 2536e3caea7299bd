"""What new rules would change in what a stored series has recorded.

Only the past counts: rolls that were made, and dates that the series has reached. Whatever lies
ahead may change as often as a spec is corrected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyfutures.continuous.bars import instant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyfutures.chain.rolls import RollCalendar
    from pyfutures.continuous.bars import Roll

__all__ = ["calendar_changes", "policy_changes"]

type Row = tuple[str, str, str, str]  # month, forward, roll date, deadline


def calendar_changes(  # noqa: PLR0913 - what was, what is, and how far it came
    stored: Sequence[str],
    calendar: RollCalendar,
    *,
    start: str,
    month: str,
    last_ts: int | None,
    rolls: Sequence[Roll],
) -> tuple[str, ...]:
    """Return what differs in the past, one sentence each.

    Parameters
    ----------
    stored
        The rows that the series was made with, as texts.
    calendar
        The rows of now.
    start, month
        The first month of the series, and its current one.
    last_ts
        Its last bar; None if it has none.
    rolls
        Its rolls.
    """
    if last_ts is None:
        return ()
    reached = instant(last_ts)
    was = {row[0]: row for row in map(_row, stored)}
    now = {row[0]: row for row in map(_row, map(str, calendar))}
    made = {str(roll.old): roll for roll in rolls}
    found: list[str] = []
    for old in (row for row in was.values() if start <= row[0] <= month):
        name = old[0]
        new = now.get(name)
        if new is None:
            found.append(f"{name} was held and is not any more{_made(made.get(name))}")
        elif roll := made.get(name):
            if old[1:] != new[1:]:
                found.append(f"{_words(old)}, now {_words(new)}{_made(roll)}")
        else:
            found.extend(
                f"the {what} of {name} was {then} and is {is_now}, and the series has reached"
                f" {reached}"
                for what, then, is_now in zip(
                    ("roll date", "deadline"), old[2:], new[2:], strict=True
                )
                # Dates of this form compare as text.
                if then != is_now and min(then, is_now) <= reached
            )
    between = sorted(name for name in now if start < name < month and name not in was)
    found.extend(f"{name} was not held and would be" for name in between)
    return tuple(found)


def policy_changes(
    stored: tuple[str, str], new: tuple[str, str], rolls: Sequence[Roll]
) -> tuple[str, ...]:
    """Return what a change of the policies of rolling and of missing prices puts in doubt.

    Parameters
    ----------
    stored, new
        Policy of rolling and policy of missing prices.
    rolls
        The rolls of the series.
    """
    found = []
    if stored[0] != new[0] and rolls:
        found.append(
            f"the policy was {stored[0]} and is {new[0]}, and {len(rolls)} rolls were made by the"
            f" old one, the last{_words_of(rolls[-1])}"
        )
    if stored[1] != new[1] and (inferred := [roll for roll in rolls if roll.inferred]):
        found.append(
            f"the policy for missing prices was {stored[1]} and is {new[1]}, and"
            f" {len(inferred)} rolls were made with an inferred price, the last"
            f"{_words_of(inferred[-1])}"
        )
    return tuple(found)


def _row(text: str) -> Row:
    month, _, forward, _, roll_date, deadline = text.split()
    return month, forward, roll_date, deadline


def _words(row: Row) -> str:
    return f"{row[0]} into {row[1]} from {row[2]} to before {row[3]}"


def _made(roll: Roll | None) -> str:
    return "" if roll is None else f"; recorded is the roll{_words_of(roll)}"


def _words_of(roll: Roll) -> str:
    return f" {roll.old} to {roll.new} at {instant(roll.last_old_ts)}"
