"""What people write on the command line for series: cycles, lengths of bars, files and URLs."""

from __future__ import annotations

import datetime as dt
import os
import re
from pathlib import Path

import click

from pyfutures.continuous.files import is_url
from pyfutures.continuous.frame import LONGEST_BAR
from pyfutures.cycles import Cycle, CycleError

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class CycleType(click.ParamType[str]):
    """Month codes on the command line."""

    name = "codes"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The codes, checked."""
        try:
            Cycle.of(value)
        except CycleError as error:
            self.fail(str(error), param, ctx)
        return value


class IntervalType(click.ParamType[dt.timedelta]):
    """The length of a bar: 1m, 1h, 1d."""

    name = "interval"

    def convert(
        self, value: str | dt.timedelta, param: click.Parameter | None, ctx: click.Context | None
    ) -> dt.timedelta:
        """The time that a text names."""
        if isinstance(value, dt.timedelta):
            return value
        match = re.fullmatch(r"([1-9][0-9]*)([smhd])", value)
        if match is None:
            self.fail(f"{value!r} is no length of a bar: write 1m, 1h or 1d", param, ctx)
        try:
            interval = dt.timedelta(**{_UNITS[match[2]]: int(match[1])})
        except OverflowError:
            interval = dt.timedelta.max
        if interval > LONGEST_BAR:
            self.fail(f"{value} is no length of a bar: at most {LONGEST_BAR.days}d", param, ctx)
        return interval


class PlaceType(click.ParamType[str]):
    """A file or folder that is there, or a URL; ``{root}`` stands for each root."""

    name = "place"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The place, if it is there."""
        if not is_url(value) and "{root}" not in value and not Path(value).exists():
            self.fail(f"{value!r}: no such file or folder", param, ctx)
        return value


def check_folder(out: str) -> None:
    """Refuse a file that could not be written in the end."""
    if is_url(out):
        return
    folder = Path(out).parent
    if not folder.is_dir():
        raise click.UsageError(f"--out {out}: the folder is not there: make {folder} first")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise click.UsageError(f"--out {out}: the folder {folder} cannot be written")
    if Path(out).is_dir():
        raise click.UsageError(f"--out {out} is a folder")
