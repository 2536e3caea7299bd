"""Build bases with exchange_calendars, and the files of bases that the package ships.

``python -m pyfutures.calendars.compile`` rewrites `bases/`; run it when exchange_calendars
has learnt of new holidays, and read the dates it reports as moved.
"""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import sys
import warnings
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

import exchange_calendars
import pandas as pd
from exchange_calendars import calendar_utils

from pyfutures.calendars.bases import (
    FIRST_DAY,
    LAST_DAY,
    SHIPPED,
    SUFFIX,
    Base,
    load_base,
    pack,
    shipped_codes,
)
from pyfutures.calendars.calendar import HOLIDAY, WEEKEND
from pyfutures.calendars.errors import BaseError
from pyfutures.calendars.spec import WEEKDAYS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CODES: Final = (
    "BVMF CMES IEPA XAMS XASX XBKK XBOM XBRU XCBF XCSE XDUB XETR XEUR XHEL XHKG XIDX XIST XJSE"
    " XKLS XKRX XLIS XLON XMAD XMEX XMIL XMOS XNYS XNZE XOSL XPAR XSES XSHG XSTO XSWX XTAI XTKS"
    " XTSE XWAR XWBO us_futures"
)
CODES: Final = tuple(_CODES.split())
"""Bases that the package ships: those of `contracts/` and of the usual futures venues."""

_MONDAY_TO_FRIDAY: Final = 5


def build_base(code: str) -> Base:
    """Return the open days of `code`, as far within 1970-2050 as exchange_calendars knows them.

    Raises
    ------
    BaseError
        If exchange_calendars has no calendar of this code, or fails to build it.

    """
    # Aliases are refused: `OSE` means Oslo there, and Osaka to everybody who trades futures.
    known = exchange_calendars.get_calendar_names(include_aliases=False)
    if code not in known:
        names = {name.upper(): name for name in (*known, WEEKDAYS)}
        near = get_close_matches(code.upper(), names, 1)
        hint = f"did you mean `{names[near[0]]}`?" if near else "use a code such as `XNYS`"
        msg = f"exchange_calendars has no calendar `{code}`; {hint}"
        raise BaseError(msg)
    # The bounds are asked of the class: building the default calendar to ask would be slow.
    factory = calendar_utils._default_calendar_factories[code]  # noqa: SLF001
    low, high = factory.bound_min(), factory.bound_max()
    first = FIRST_DAY if low is None else max(FIRST_DAY, low.date())
    last = LAST_DAY if high is None else min(LAST_DAY, high.date())
    # What exchange_calendars and pandas have to settle with each other is no warning of ours.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            calendar = factory(start=pd.Timestamp(first), end=pd.Timestamp(last))
            return _base(code, calendar, first, last)
        except Exception as error:  # whatever it raises, the way out is the same
            msg = (
                f"exchange_calendars cannot build `{code}` from {first} to {last}:"
                f" {str(error)[:200]}"
            )
            raise BaseError(msg) from error


def compile_bases(folder: Path = SHIPPED) -> None:
    """Write all `CODES` to a folder, the same bytes for the same days."""
    folder.mkdir(exist_ok=True)
    for code in CODES:
        (folder / f"{code}{SUFFIX}").write_bytes(pack(build_base(code)))


def _base(code: str, calendar: Any, first: dt.date, last: dt.date) -> Base:  # noqa: ANN401
    flags = bytearray((last - first).days + 1)
    for day in _dates(calendar.sessions):
        flags[(day - first).days] = 1
    return Base(
        code=code,
        zone=str(calendar.tz),
        first=first,
        last=last,
        flags=bytes(flags),
        reasons=_reasons(calendar, first, bytes(flags)),
        early_closes={
            day: calendar.closes[pd.Timestamp(day)].tz_convert(calendar.tz).time()
            for day in _dates(calendar.early_closes)
        },
        version=importlib.metadata.version("exchange_calendars"),
    )


def _reasons(calendar: Any, first: dt.date, flags: bytes) -> dict[dt.date, str]:  # noqa: ANN401
    """Name every closed day from Monday to Friday."""
    named: dict[dt.date, str] = {}
    if calendar.regular_holidays is not None:
        last = first + dt.timedelta(len(flags) - 1)
        holidays = calendar.regular_holidays.holidays(
            pd.Timestamp(first),
            pd.Timestamp(last),
            return_name=True,
        )
        named = {day.date(): str(name) for day, name in holidays.items()}
    weekmask = calendar.weekmask
    reasons = {}
    for at, is_open in enumerate(flags):
        day = first + dt.timedelta(at)
        if not is_open and day.weekday() < _MONDAY_TO_FRIDAY:
            unnamed = HOLIDAY if weekmask[day.weekday()] == "1" else WEEKEND
            reasons[day] = named.get(day, unnamed)
    return reasons


def _dates(index: Any) -> Iterator[dt.date]:  # noqa: ANN401
    yield from index.to_numpy().astype("datetime64[D]").astype(object)


def main() -> None:
    """Rewrite the shipped files; say which days it opens and closes that were otherwise."""
    old = {code: load_base(code) for code in sorted(shipped_codes())}
    compile_bases()
    shipped_codes.cache_clear()
    write = sys.stdout.write
    for code in CODES:
        new = load_base(code)
        write(f"{code} {new.first} to {new.last}\n")
        if code in old:
            before, after = _open_days(old[code]), _open_days(new)
            for day in sorted(before ^ after):
                write(f"  {day} now {'open' if day in after else 'closed'}\n")
    size = sum(path.stat().st_size for path in SHIPPED.iterdir())
    write(f"{SHIPPED.name}: {size} bytes\n")


def _open_days(base: Base) -> set[dt.date]:
    return {base.first + dt.timedelta(at) for at, is_open in enumerate(base.flags) if is_open}


if __name__ == "__main__":
    main()
