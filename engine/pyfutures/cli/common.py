"""What several commands share: parameter types, options, loading with faults as exit codes."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from pyfutures.chain import Catalog, ChainError, RollCalendarError, UnknownRootError
from pyfutures.diagnostics import SpecError
from pyfutures.months import FIRST_MONTH, LAST_MONTH, ContractMonth, MonthError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence


class MonthType(click.ParamType[ContractMonth]):
    """A contract month on the command line."""

    name = "month"

    def convert(
        self, value: str | ContractMonth, param: click.Parameter | None, ctx: click.Context | None
    ) -> ContractMonth:
        """The month that a text names, within the compiled span."""
        if isinstance(value, ContractMonth):
            return value
        try:
            month = ContractMonth.parse(value)
        except MonthError as error:
            self.fail(str(error), param, ctx)
        if not FIRST_MONTH <= month <= LAST_MONTH:
            self.fail(f"{month} is outside {FIRST_MONTH} to {LAST_MONTH}", param, ctx)
        return month


class InstantType(click.ParamType[dt.datetime]):
    """An instant on the command line: a date (00:00 UTC) or a time with its offset."""

    name = "instant"

    def convert(
        self, value: str | dt.datetime, param: click.Parameter | None, ctx: click.Context | None
    ) -> dt.datetime:
        """The aware instant that a text names."""
        if isinstance(value, dt.datetime):
            return value
        try:
            instant = dt.datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no instant: write 2026-03-01T14:30Z or 2026-03-01", param, ctx)
        if not FIRST_MONTH.year <= instant.year <= LAST_MONTH.year:
            self.fail(f"{value!r} is outside {FIRST_MONTH.year} to {LAST_MONTH.year}", param, ctx)
        if instant.tzinfo is None:
            if len(value) > len("2026-03-01"):
                self.fail(
                    f"{value!r} has no zone: write {value}Z for UTC, or an offset", param, ctx
                )
            instant = instant.replace(tzinfo=dt.UTC)
        return instant


class DayType(click.DateTime):
    """A day on the command line, of the years that contracts are compiled for."""

    name = "day"

    def __init__(self) -> None:
        super().__init__(formats=["%Y-%m-%d"])

    def convert(
        self,
        value: str | dt.datetime,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> dt.datetime:
        """The midnight before the day that a text names."""
        day: dt.datetime = super().convert(value, param, ctx)
        if not FIRST_MONTH.year <= day.year <= LAST_MONTH.year:
            self.fail(f"{value!r} is outside {FIRST_MONTH.year} to {LAST_MONTH.year}", param, ctx)
        return day


DAY = DayType()
MONTH = MonthType()
INSTANT = InstantType()


def at_gateway[F: Callable[..., object]](command: F) -> F:
    """Give a command the options that say where a gateway is: host, port and client id."""
    options = (
        click.option(
            "--host", default="127.0.0.1", show_default=True, help="Address of the gateway."
        ),
        click.option(
            "--port",
            type=click.IntRange(1, 65_535),
            default=4002,
            show_default=True,
            help="Its port.",
        ),
        click.option(
            "--client-id",
            type=click.IntRange(0, 2**31 - 1),
            default=1,
            show_default=True,
            help="Our id at the gateway.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def load(folders: Sequence[str], roots: Collection[str] | None = None) -> Catalog:
    """The catalogue; a report of its faults and exit 1; or exit 2 for an unknown root."""
    try:
        return Catalog.load(*folders, roots=roots)
    except SpecError as error:
        click.echo(str(error), err=True)
        raise click.exceptions.Exit(1) from None
    except UnknownRootError as error:
        own = "" if folders else "; specs of your own: pyfutures --contracts DIR COMMAND"
        raise click.UsageError(f"{error}{own}") from None


@contextmanager
def answers() -> Iterator[None]:
    """Turn a question that a chain cannot answer into a usage error: exit 2 and its own words."""
    try:
        yield
    except (ChainError, RollCalendarError) as error:
        raise click.UsageError(str(error)) from None
