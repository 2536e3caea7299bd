"""A calendar as its author writes it: a base or a join, less and plus single days."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from pyfutures.calendars.annual import Annual
from pyfutures.calendars.calendar import HOLIDAY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

WEEKDAYS: Final = "weekdays"
"""The base that is open from Monday to Friday."""


class JoinKind(StrEnum):
    """How several calendars make one."""

    ALL = "all"
    """Open where all members are open."""
    ANY = "any"
    """Open where at least one member is open."""
    SEQUENCE = "sequence"
    """One member after the other in time."""


@dataclass(frozen=True, slots=True)
class Member:
    """One calendar of a join; `until` is its last day in a sequence, None for the last one."""

    calendar: str
    until: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Join:
    """Calendars made into one."""

    kind: JoinKind
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarSpec:
    """What a calendar file says. Built by `from_data` or, in tests and programs, by hand.

    Attributes
    ----------
    calendar : str
        Unique name, used by rules.
    title : str
        Name for people; YAML key ``name``.
    base : str or None
        Code of exchange_calendars, or ``weekdays``. None if joined.
    join : Join or None
        The calendars it is made of instead.
    zone : str or None
        Time zone of `early_closes`; that of the base by default.
    add, remove : mapping of date to str
        Single days that are open, or closed, after all; with the reason.
    annual : tuple of Annual
        Days closed every year. `add` wins over them.
    early_closes : mapping of date to time
        Local time of an early end.
    base_early_closes : bool
        Whether the early closes of the base hold too. Equities often end early on days on
        which futures do not, hence False.
    valid_from, valid_until : date or None
        Narrow, or (`valid_until`) stretch by hand, what the base or the members cover.
    projected : bool
        Whether it answers, marked as projected, beyond what is valid.
    sources : tuple of str
        Where the days are published.

    """

    calendar: str
    title: str = ""
    base: str | None = None
    join: Join | None = None
    zone: str | None = None
    add: Mapping[dt.date, str] = field(default_factory=dict)
    remove: Mapping[dt.date, str] = field(default_factory=dict)
    annual: tuple[Annual, ...] = ()
    early_closes: Mapping[dt.date, dt.time] = field(default_factory=dict)
    base_early_closes: bool = False
    valid_from: dt.date | None = None
    valid_until: dt.date | None = None
    projected: bool = False
    sources: tuple[str, ...] = ()

    @classmethod
    def from_data(cls, data: Mapping[str, object]) -> CalendarSpec:
        """Return the calendar written in `data`, which the calendar schema has accepted.

        Raises
        ------
        ValueError
            If a text that looks like a date or a time is none (``2023-02-29``). A schema
            cannot see that; `bad_dates` finds them all, with their places.

        """
        return cls(
            calendar=str(data["calendar"]),
            title=str(data.get("name", "")),
            base=_text(data.get("base")),
            join=_join(data),
            zone=_text(data.get("zone")),
            add=_days(data.get("add")),
            remove=_days(data.get("remove")),
            annual=tuple(Annual.from_data(rule) for rule in _rows(data.get("annual"))),
            early_closes={
                dt.date.fromisoformat(day): dt.time.fromisoformat(str(time))
                for day, time in _mapping(data.get("early_closes")).items()
            },
            base_early_closes=bool(data.get("base_early_closes", False)),
            valid_from=_date(data.get("valid_from")),
            valid_until=_date(data.get("valid_until")),
            projected=bool(data.get("projected", False)),
            sources=tuple(str(source) for source in _list(data.get("sources"))),
        )

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of the calendars it is joined from, each once, in order."""
        members = self.join.members if self.join else ()
        return tuple(dict.fromkeys(member.calendar for member in members))


def bad_dates(data: Mapping[str, object]) -> list[tuple[tuple[str | int, ...], str]]:
    """Return the path and text of every date of a calendar file that no calendar has.

    Parameters
    ----------
    data
        A calendar file that its schema has accepted, so that all dates look like dates.

    """
    return [(path, text) for path, text in _dated(data) if not _is_date(text)]


def _dated(data: Mapping[str, object]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield the path and text of every date of a calendar file."""
    for key in ("add", "remove", "early_closes"):
        for at, day in enumerate(_list(data.get(key))):
            yield (key, at), str(day)
        for day in _mapping(data.get(key)):
            yield (key, day), day
    for key in ("valid_from", "valid_until"):
        if key in data:
            yield (key,), str(data[key])
    for at, member in enumerate(_rows(data.get("sequence"))):
        if "until" in member:
            yield ("sequence", at, "until"), str(member["until"])


def _is_date(text: str) -> bool:
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _join(data: Mapping[str, object]) -> Join | None:
    for kind in (JoinKind.ALL, JoinKind.ANY):
        if kind in data:
            return Join(kind, tuple(Member(str(name)) for name in _list(data[kind])))
    if JoinKind.SEQUENCE in data:
        rows = _rows(data[JoinKind.SEQUENCE])
        members = (Member(str(row["calendar"]), _date(row.get("until"))) for row in rows)
        return Join(JoinKind.SEQUENCE, tuple(members))
    return None


def _days(value: object) -> dict[dt.date, str]:
    if isinstance(value, list):
        return {dt.date.fromisoformat(str(day)): HOLIDAY for day in value}
    return {dt.date.fromisoformat(day): str(why) for day, why in _mapping(value).items()}


def _date(value: object) -> dt.date | None:
    return None if value is None else dt.date.fromisoformat(str(value))


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> Iterable[object]:
    return value if isinstance(value, list) else ()


def _rows(value: object) -> Iterable[Mapping[str, object]]:
    return (_mapping(row) for row in _list(value))
