"""``pyfutures explain``: every step from a contract month to its dates."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import click
from tabulate import tabulate

from pyfutures.calendars import CalendarError
from pyfutures.chain import early_close, explain
from pyfutures.cli.common import MONTH, answers, load
from pyfutures.rules import RuleFailure
from pyfutures.specs.model import Settlement
from pyfutures.specs.positions import locate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyfutures.chain import Chain, ChainRow, Explanation
    from pyfutures.months import ContractMonth
    from pyfutures.specs.model import DataPath

_EVENTS = ("last_trade", "first_notice", "expiry")

type _Line = tuple[str, str, str]  # what, the day it gives, the line of the spec


@click.command(name="explain")
@click.argument("root")
@click.argument("month", type=MONTH)
@click.pass_obj
def command(folders: tuple[str, ...], root: str, month: ContractMonth) -> None:
    """Say step by step why the dates of a contract month are what they are.

    Each step is shown with the line of the spec that it comes from.

    \b
    Example:
      pyfutures explain CL 2026Z
    """  # noqa: D301 - \b is click's mark for a paragraph that keeps its lines
    chain = load(folders, [root])[root]
    with answers():
        row = chain.row(month)
    click.echo(f"{root} {month}  {chain.spec.name}")
    for event in _EVENTS:
        _explain_event(chain, month, event, row)
    _explain_roll(chain, row)
    _explain_cycles(chain, row)


def _explain_event(chain: Chain, month: ContractMonth, event: str, row: ChainRow) -> None:
    day: dt.date | None = getattr(row, event)
    title = event.replace("_", " ")
    try:
        found = explain(chain, month, event)
    except (CalendarError, RuleFailure) as error:
        click.echo(f"\n{title}: unknown: {error}")
        return
    if found is None:
        if event == "expiry":
            click.echo(f"\nexpiry: {_text(day)}: the last trade, since the spec has no rule for it")
        return
    projected = " (projected)" if found.steps is not None and found.steps.projected else ""
    click.echo(f"\n{title}: {_text(day)}{projected}")
    lines = list(_steps(chain, event, month, found))
    if event == "last_trade":
        lines += _clock(chain, month, found, row)
    click.echo(tabulate(lines, tablefmt="plain", disable_numparse=True, preserve_whitespace=True))


def _steps(chain: Chain, event: str, month: ContractMonth, found: Explanation) -> Iterator[_Line]:
    if found.explicit is not None:
        yield ("  named in `dates`", _text(found.explicit), _dates_line(chain, event, month))
    elif found.rule is None or found.steps is None:
        yield ("  no rule covers this month", "", _line(chain, (event,)))
    else:
        for step in found.steps.steps:
            calendar = f" [{step.calendar}]" if step.calendar else ""
            place = _line(chain, (*found.rule.path, "rule", *step.path))
            yield (f"  {step.text}{calendar}", _text(step.after), place)
            if step.note:
                yield (f"    {step.note}", "", "")


def _clock(
    chain: Chain, month: ContractMonth, found: Explanation, row: ChainRow
) -> Iterator[_Line]:
    """The time of day: ``at``, else the session close; clipped to an early close of the day."""
    rule, hours = found.rule, chain.spec.hours
    if rule is None or row.last_trade is None:
        return
    if rule.at is not None:
        what, place = f"at {rule.at}", _line(chain, (*rule.path, "at"))
    elif hours is not None:
        what = f"at the session close, {hours.close:%H:%M} {hours.zone}"
        place = _line(chain, ("hours", "close"))
    else:
        yield ("  time of day unknown: neither `at` nor `hours`", "", _line(chain, rule.path))
        return
    early = early_close(chain, month)
    instant = "" if row.last_trade_utc is None else f"{row.last_trade_utc:%Y-%m-%d %H:%M} UTC"
    if early is None:
        yield (f"  {what}", instant, place)
    else:
        yield (f"  {what}", "", place)
        yield (f"    clipped to the early close of {early}", instant, "")


def _explain_roll(chain: Chain, row: ChainRow) -> None:
    roll = chain.spec.roll
    if roll is None:
        click.echo("\nroll: none in the spec")
        return
    if not row.hold:
        click.echo(f"\nroll: none, {row.month} is not held (hold cycle {chain.spec.hold})")
        return
    click.echo(f"\nroll date: {_text(row.roll_date)}, deadline: {_text(row.deadline)}")
    days = "business days" if roll.unit == "business" else "calendar days"
    anchor = roll.anchor.value.replace("_", " ")
    side = "after" if roll.offset > 0 else "before"
    words = f"{abs(roll.offset)} {days} {side} {anchor}" if roll.offset else f"on {anchor}"
    lines = [(f"  {words}", _text(row.roll_date), _line(chain, ("roll", "offset")))]
    bound = _bound(chain, row)
    close_out = f", less {roll.close_out} sessions" if roll.close_out else ""
    lines.append((f"  deadline: {bound}{close_out}", _text(row.deadline), ""))
    click.echo(tabulate(lines, tablefmt="plain", disable_numparse=True, preserve_whitespace=True))


def _bound(chain: Chain, row: ChainRow) -> str:
    notice = row.first_notice if chain.spec.settlement is Settlement.PHYSICAL else None
    if notice and row.last_trade and notice < row.last_trade:
        return "first notice"
    return "last trade"


def _explain_cycles(chain: Chain, row: ChainRow) -> None:
    held = " held," if row.hold else ""
    priced = " priced," if row.priced else ""
    class_ = f", IB class {row.trading_class}" if row.trading_class else ""
    click.echo(
        f"\n{row.month} is listed,{priced}{held}"
        f" verified: {'yes' if row.verified else 'no'}{class_}"
    )
    if chain.spec.roll is not None and row.hold and row.month in chain.rolls:
        place = chain.rolls.row(row.month)
        click.echo(f"  previous {place.previous}, forward {place.forward}, carry {place.carry}")


def _dates_line(chain: Chain, event: str, month: ContractMonth) -> str:
    """Where `dates` names the month: in the block, or in the range that it belongs to."""
    paths = [path for path in chain.spec.locations if path[0:1] == (event,) and str(month) in path]
    return _line(chain, paths[0] if paths else (event,))


def _line(chain: Chain, path: DataPath) -> str:
    place = locate(chain.spec.locations, path)
    return "" if place is None else f"{place.path}:{place.line}"


def _text(value: dt.date | ContractMonth | None) -> str:
    if value is None:
        return "unknown"
    return f"{value:%a %Y-%m-%d}" if isinstance(value, dt.date) else str(value)
