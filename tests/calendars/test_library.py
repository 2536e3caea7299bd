"""Calendars from what an author writes: changes, joins, bounds, mistakes."""

from __future__ import annotations

import copy
import datetime as dt
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfutures.calendars import (
    Annual,
    Base,
    Calendar,
    CalendarLibrary,
    CalendarRangeError,
    CalendarSpec,
    CalendarSpecError,
    CircularJoinError,
    UnknownCalendarError,
    bad_dates,
)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def base(code: str) -> Base:
    """One made-up exchange: weekdays of 2024 less two holidays; CITY2 knows 2023 to 2025."""
    first, last = {
        "CITY": (day("2024-01-01"), day("2024-12-31")),
        "CITY2": (day("2023-01-01"), day("2025-12-31")),
        "SUNDAYS": (day("2023-01-01"), day("2024-12-31")),
    }[code]
    reasons = {
        "CITY": {day("2024-05-01"): "May Day", day("2024-12-25"): "Christmas"},
        "CITY2": {day("2024-08-26"): "Bank Holiday", day("2024-12-25"): "Christmas"},
        "SUNDAYS": {},
    }[code]
    days = [first + dt.timedelta(k) for k in range((last - first).days + 1)]
    weekend = (4, 5) if code == "SUNDAYS" else (5, 6)
    flags = bytes(d.weekday() not in weekend and d not in reasons for d in days)
    early = {day("2024-12-24"): dt.time(13, 0), day("2024-07-03"): dt.time(13, 0)}
    return Base(
        code=code,
        zone="America/New_York",
        first=first,
        last=last,
        flags=flags,
        reasons=reasons,
        early_closes=early if code == "CITY" else {day("2024-12-24"): dt.time(12, 30)},
        version="0",
    )


def library(*documents: dict[str, Any]) -> CalendarLibrary:
    specs = [CalendarSpec.from_data(document) for document in documents]
    return CalendarLibrary({spec.calendar: spec for spec in specs}, base=base)


def only(**document: Any) -> Calendar:
    return library({"calendar": "it", **document})["it"]


CITY = {"calendar": "city", "base": "CITY"}
CITY2 = {"calendar": "city2", "base": "CITY2"}


class TestChanges:
    def test_add_and_remove(self) -> None:
        it = only(base="CITY", add={"2024-05-01": "open after all"}, remove=["2024-05-02"])
        assert it.is_open(day("2024-05-01"))
        assert it.why_closed(day("2024-05-02")) == "holiday"
        assert it.is_open(day("2024-05-03"))

    def test_a_reason_is_kept(self) -> None:
        it = only(base="CITY", remove={"2024-05-02": "flood"})
        assert it.why_closed(day("2024-05-02")) == "flood"
        assert it.why_closed(day("2024-12-25")) == "Christmas"

    def test_add_on_a_weekend(self) -> None:
        it = only(base="CITY", add=["2024-06-01"])
        assert it.is_open(day("2024-06-01"))
        assert it.next(day("2024-05-31")) == day("2024-06-01")
        assert it.next(day("2024-06-01")) == day("2024-06-03")
        assert it.why_closed(day("2024-06-02")) == "weekend"

    def test_add_wins_over_annual(self) -> None:
        annual = [{"name": "July", "month": 7, "day": 4}]
        assert only(base="CITY", annual=annual).why_closed(day("2024-07-04")) == "July"
        assert only(base="CITY", annual=annual, add=["2024-07-04"]).is_open(day("2024-07-04"))

    def test_weekdays(self) -> None:
        it = only(base="weekdays")
        assert (it.first, it.last) == (day("1970-01-01"), day("2050-12-31"))
        assert it.is_open(day("2024-12-25"))
        assert it.why_closed(day("2024-12-28")) == "weekend"
        assert it.zone is None

    def test_early_closes_of_the_base_are_asked_for(self) -> None:
        eve = day("2024-12-24")
        assert only(base="CITY").early_closes.get(eve) is None
        assert only(base="CITY", base_early_closes=True).early_closes.get(eve) == dt.time(13, 0)
        own = only(base="CITY", base_early_closes=True, early_closes={"2024-12-24": "12:15"})
        assert own.early_closes.get(eve) == dt.time(12, 15)
        assert own.early_closes.get(day("2024-07-03")) == dt.time(13, 0)
        assert own.zone == "America/New_York"

    def test_a_closed_day_does_not_end_early(self) -> None:
        it = only(base="CITY", base_early_closes=True, remove=["2024-12-24"])
        assert it.early_closes.get(day("2024-12-24")) is None

    def test_it_cannot_be_changed(self) -> None:
        it = only(base="CITY")
        with pytest.raises(AttributeError):
            it.last = day("2030-01-01")  # type: ignore[misc]
        with pytest.raises(TypeError):
            it.reasons[day("2024-01-02")] = "no"  # type: ignore[index]
        with pytest.raises(ValueError, match="read-only"):
            it.days[0] = 0

    @pytest.mark.parametrize("copied", [copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))])  # noqa: S301
    def test_it_can_be_copied(self, copied: Any) -> None:
        it = only(base="CITY", base_early_closes=True)
        other = copied(it)
        assert other.flags == it.flags
        assert other.early_closes == it.early_closes
        assert other.days.tolist() == it.days.tolist()


class TestBounds:
    def test_unknown_past_the_end_of_the_base(self) -> None:
        it = only(base="CITY")
        assert not it.projected
        with pytest.raises(CalendarRangeError, match="`it` knows 2024-01-01 to 2024-12-31, not"):
            it.is_open(day("2025-01-02"))
        with pytest.raises(CalendarRangeError, match="declare `projected: true`"):
            it.next(day("2024-12-31"))
        with pytest.raises(CalendarRangeError, match="nothing earlier is recorded"):
            it.previous(day("2024-01-01"))

    def test_projected_past_the_end_of_the_base(self) -> None:
        it = only(
            base="CITY", projected=True, annual=[{"name": "Christmas", "month": 12, "day": 25}]
        )
        assert it.projected
        assert (it.valid_until, it.last) == (day("2024-12-31"), day("2050-12-31"))
        assert it.is_open(day("2025-05-01"))  # the base's May Day is not known any more
        assert it.why_closed(day("2025-12-25")) == "Christmas"
        assert it.why_closed(day("2025-12-27")) == "weekend"
        assert it.valid_until < day("2025-01-01")

    def test_a_week_that_starts_on_sunday_is_projected_as_it_was(self) -> None:
        it = only(base="SUNDAYS", projected=True)
        assert it.is_open(day("2025-01-05"))  # a Sunday
        assert not it.is_open(day("2025-01-10"))  # a Friday

    def test_the_author_knows_a_year_more_than_the_base(self) -> None:
        it = only(base="CITY", valid_until="2025-12-31", remove={"2025-05-01": "May Day"})
        assert not it.projected
        assert not it.is_open(day("2025-05-01"))
        assert it.is_open(day("2025-05-02"))
        with pytest.raises(CalendarRangeError):
            it.is_open(day("2026-01-01"))

    def test_the_author_trusts_less_than_the_base_says(self) -> None:
        it = only(base="CITY", valid_until="2024-06-30", valid_from="2024-02-01")
        assert (it.first, it.last) == (day("2024-02-01"), day("2024-06-30"))
        guessed = only(base="CITY", valid_until="2024-06-30", projected=True)
        assert guessed.valid_until < day("2024-07-01")
        assert guessed.why_closed(day("2024-12-25")) == "Christmas"

    @pytest.mark.parametrize(
        ("document", "message", "path"),
        [
            (
                {"valid_from": "2023-12-01"},
                "`valid_from` 2023-12-01 lies before 2024-01-01",
                ("valid_from",),
            ),
            (
                {"valid_until": "2023-12-31"},
                "`valid_until` 2023-12-31 lies outside",
                ("valid_until",),
            ),
            (
                {"valid_until": "2051-01-01"},
                "`valid_until` 2051-01-01 lies outside",
                ("valid_until",),
            ),
            (
                {"remove": ["2025-01-02"]},
                "`remove` 2025-01-02 lies outside 2024-01-01 to 2024-12",
                ("remove", "2025-01-02"),
            ),
            ({"add": ["1999-01-02"]}, "`add` 1999-01-02 lies outside", ("add", "1999-01-02")),
            (
                {"add": ["2024-05-02"], "remove": ["2024-05-02"]},
                "in both `add` and `remove`",
                ("remove", "2024-05-02"),
            ),
            (
                {"early_closes": {"2024-05-01": "13:00"}},
                "2024-05-01 cannot end early: it is closed",
                ("early_closes", "2024-05-01"),
            ),
            (
                {"early_closes": {"2025-05-02": "13:00"}},
                "`early_closes` 2025-05-02 lies outside",
                ("early_closes", "2025-05-02"),
            ),
            (
                {"base": "weekdays", "early_closes": {"2024-05-02": "13:00"}},
                "early closes are local times, but of no zone; name the `zone`",
                ("early_closes",),
            ),
        ],
    )
    def test_contradictions(
        self, document: dict[str, Any], message: str, path: tuple[str | int, ...]
    ) -> None:
        with pytest.raises(CalendarSpecError, match=message) as it:
            only(**{"base": "CITY", **document})
        assert it.value.path == path

    def test_early_closes_of_the_base_in_another_zone(self) -> None:
        it = only(base="CITY", base_early_closes=True, zone="America/Chicago")
        assert it.early_closes[day("2024-12-24")] == dt.time(12, 0)


class TestJoins:
    def test_all(self) -> None:
        it = library(CITY, CITY2, {"calendar": "it", "all": ["city", "city2"]})["it"]
        assert it.why_closed(day("2024-05-01")) == "May Day (city)"
        assert it.why_closed(day("2024-08-26")) == "Bank Holiday (city2)"
        assert it.why_closed(day("2024-12-25")) == "Christmas"
        assert it.is_open(day("2024-05-02"))

    def test_any(self) -> None:
        it = library(CITY, CITY2, {"calendar": "it", "any": ["city", "city2"]})["it"]
        assert it.is_open(day("2024-05-01"))
        assert it.is_open(day("2024-08-26"))
        assert it.why_closed(day("2024-12-25")) == "Christmas"
        assert it.why_closed(day("2024-12-28")) == "weekend"

    def test_a_join_knows_what_all_members_know(self) -> None:
        for kind in ("all", "any"):
            it = library(CITY, CITY2, {"calendar": "it", kind: ["city", "city2"]})["it"]
            assert (it.first, it.valid_until, it.last) == (
                day("2024-01-01"),
                day("2024-12-31"),
                day("2024-12-31"),
            )

    def test_a_join_is_projected_where_a_member_is(self) -> None:
        guessed = {**CITY, "projected": True}
        it = library(guessed, CITY2, {"calendar": "it", "all": ["city", "city2"]})["it"]
        assert (it.valid_until, it.last) == (day("2024-12-31"), day("2025-12-31"))
        assert it.valid_until < day("2025-06-02")

    def test_sequence(self) -> None:
        steps = [{"calendar": "city2", "until": "2024-06-30"}, {"calendar": "city"}]
        it = library(CITY, CITY2, {"calendar": "it", "sequence": steps})["it"]
        assert (it.first, it.last) == (day("2023-01-01"), day("2024-12-31"))
        assert it.is_open(day("2024-05-01"))  # city's May Day, in city2's time
        assert it.is_open(day("2024-08-26"))  # city2's holiday, in city's time
        assert it.why_closed(day("2024-12-25")) == "Christmas"
        assert it.next(day("2024-06-28")) == day("2024-07-01")

    def test_sequence_needs_a_member_only_in_its_span(self) -> None:
        steps = [{"calendar": "city", "until": "2024-12-31"}, {"calendar": "city2"}]
        it = library(CITY, CITY2, {"calendar": "it", "sequence": steps})["it"]
        assert not it.projected
        assert (it.first, it.last) == (day("2024-01-01"), day("2025-12-31"))

    def test_sequence_ends_where_a_member_falls_short(self) -> None:
        steps = [{"calendar": "city", "until": "2025-06-30"}, {"calendar": "city2"}]
        it = library(CITY, CITY2, {"calendar": "it", "sequence": steps})["it"]
        assert it.last == day("2024-12-31")

    def test_sequence_projected_in_its_first_span(self) -> None:
        steps = [{"calendar": "city", "until": "2025-06-30"}, {"calendar": "city2"}]
        guessed = {**CITY, "projected": True}
        it = library(guessed, CITY2, {"calendar": "it", "sequence": steps})["it"]
        assert (it.valid_until, it.last) == (day("2024-12-31"), day("2025-12-31"))

    @pytest.mark.parametrize(
        ("steps", "message"),
        [
            ([("city2", "2023-06-30"), ("city", None)], "nothing is known from 2023-07-01 until"),
            ([("city", None), ("city2", None)], "all calendars but the last need `until`"),
            ([("city", "2024-06-30"), ("city2", "2025-06-30")], "and the last has none"),
            (
                [("city2", "2024-06-30"), ("city", "2024-03-31"), ("city2", None)],
                "`until` 2024-03-31 of `city` is not after the one before it",
            ),
        ],
    )
    def test_sequences_that_make_no_sense(
        self, steps: list[tuple[str, str | None]], message: str
    ) -> None:
        rows = [{"calendar": name} | ({"until": end} if end else {}) for name, end in steps]
        with pytest.raises(CalendarSpecError, match=message):
            library(CITY, CITY2, {"calendar": "it", "sequence": rows})["it"]

    def test_a_join_may_be_changed_like_any_calendar(self) -> None:
        it = library(
            CITY,
            {
                "calendar": "it",
                "all": ["city"],
                "annual": [{"name": "Veterans Day", "month": 11, "day": 11}],
                "add": ["2024-05-01"],
                "valid_until": "2024-11-30",
            },
        )["it"]
        assert it.why_closed(day("2024-11-11")) == "Veterans Day"
        assert it.is_open(day("2024-05-01"))
        assert it.last == day("2024-11-30")

    def test_early_closes_of_members_in_the_same_zone(self) -> None:
        members = [{**member, "base_early_closes": True} for member in (CITY, CITY2)]
        it = library(*members, {"calendar": "it", "all": ["city", "city2"]})["it"]
        assert it.early_closes.get(day("2024-12-24")) == dt.time(12, 30)
        assert it.early_closes.get(day("2024-07-03")) == dt.time(13, 0)
        elsewhere = {"calendar": "it", "all": ["city", "city2"], "zone": "Europe/London"}
        it = library(*members, elsewhere)["it"]
        assert it.early_closes == {
            day("2024-07-03"): dt.time(18, 0),
            day("2024-12-24"): dt.time(17, 30),
        }
        either = {"calendar": "it", "any": ["city", "city2"]}
        assert not library(*members, either)["it"].early_closes

    def test_early_closes_of_a_member_in_another_zone(self) -> None:
        city = {**CITY, "base_early_closes": True}
        moved = {**CITY2, "zone": "Europe/London"}
        join = {"calendar": "it", "all": ["city", "city2"]}
        it = library(city, moved, join)["it"]
        assert it.zone == "America/New_York"
        assert it.early_closes[day("2024-12-24")] == dt.time(13, 0)
        # 12:30 in New York is 17:30 in London.
        late = {**moved, "base_early_closes": True}
        message = "in the times of America/New_York and Europe/London; name the `zone`"
        with pytest.raises(CalendarSpecError, match=message) as told:
            library(city, late, join)["it"]
        assert told.value.path == ("all",)
        it = library(city, late, {**join, "zone": "Europe/London"})["it"]
        assert it.early_closes[day("2024-12-24")] == dt.time(17, 30)
        with pytest.raises(CalendarSpecError, match="on another day in Asia/Tokyo") as told:
            library(city, late, {**join, "zone": "Asia/Tokyo"})["it"]
        assert told.value.path == ("zone",)

    def test_members_without_a_day_in_common(self) -> None:
        late = {"calendar": "late", "base": "CITY2", "valid_from": "2025-01-01"}
        with pytest.raises(CalendarSpecError, match="no day in common"):
            library(CITY, late, {"calendar": "it", "all": ["city", "late"]})["it"]

    def test_joins_of_joins(self) -> None:
        it = library(
            CITY,
            CITY2,
            {"calendar": "both", "all": ["city", "city2"]},
            {"calendar": "it", "any": ["both", "city"]},
        )["it"]
        assert it.why_closed(day("2024-05-01")) == "May Day (city) (both); May Day (city)"
        assert it.is_open(day("2024-08-26"))

    def test_a_ring(self) -> None:
        ring = library({"calendar": "a", "all": ["b"]}, {"calendar": "b", "any": ["a"]})
        with pytest.raises(CircularJoinError, match="a -> b -> a"):
            ring["a"]
        with pytest.raises(CircularJoinError, match="b -> a -> b"):
            ring["b"]

    @given(data=st.data())
    def test_joins_are_what_their_names_say(self, data: st.DataObject) -> None:
        some = library(
            CITY,
            CITY2,
            {"calendar": "every", "all": ["city", "city2"]},
            {"calendar": "either", "any": ["city", "city2"]},
        )
        when = data.draw(st.dates(day("2024-01-01"), day("2024-12-31")))
        opened = [some[name].is_open(when) for name in ("city", "city2")]
        assert some["every"].is_open(when) == all(opened)
        assert some["either"].is_open(when) == any(opened)


class TestLibrary:
    def test_it_is_a_mapping_that_compiles_late(self) -> None:
        asked: list[str] = []

        def counted(code: str) -> Base:
            asked.append(code)
            return base(code)

        specs = {name: CalendarSpec(calendar=name, base="CITY") for name in ("a", "b")}
        it = CalendarLibrary(specs, base=counted)
        assert list(it) == ["a", "b"]
        assert "a" in it
        assert "c" not in it
        assert len(it) == 2
        assert not asked
        assert it["a"] is it["a"]
        assert asked == ["CITY"]

    def test_unknown_names(self) -> None:
        it = library(CITY, {"calendar": "it", "all": ["citi"]})
        with pytest.raises(
            UnknownCalendarError, match=r"no calendar `citi`; did you mean `city`\?"
        ):
            it["it"]
        with pytest.raises(KeyError, match="known: city, it"):
            it["zzz"]
        assert it.get("zzz") is None

    def test_nothing_to_build_on(self) -> None:
        with pytest.raises(CalendarSpecError, match="neither `base` nor a join"):
            CalendarLibrary({"it": CalendarSpec(calendar="it")})["it"]

    def test_needs(self) -> None:
        data = {"calendar": "it", "all": ["b", "a", "b"]}
        assert CalendarSpec.from_data(data).needs == ("b", "a")
        assert CalendarSpec.from_data(CITY).needs == ()

    def test_a_base_that_does_not_exist(self) -> None:
        spec = CalendarSpec(calendar="it", base="OSE")
        with pytest.raises(CalendarSpecError, match=r"calendar `it`: .*no calendar `OSE`;") as it:
            CalendarLibrary({"it": spec})["it"]
        assert it.value.path == ("base",)

    def test_days_out_of_bounds(self) -> None:
        with pytest.raises(CalendarSpecError, match="lies outside"):
            Calendar.from_days("it", [day("2024-01-05")], first=day("2024-01-08"))
        with pytest.raises(CalendarSpecError, match="no open day"):
            Calendar.from_days("it", [])
        empty = Calendar.from_days("it", [], first=day("2024-01-05"), last=day("2024-01-08"))
        with pytest.raises(CalendarRangeError):
            empty.next(day("2024-01-05"))


class TestFromData:
    def test_all_keys(self) -> None:
        spec = CalendarSpec.from_data(
            {
                "schema": 1,
                "calendar": "it",
                "name": "It",
                "base": "XNYS",
                "zone": "America/Chicago",
                "add": ["2018-12-05"],
                "remove": {"2026-06-03": "local election"},
                "annual": [{"name": "Good Friday", "easter": -2, "from": 2000, "until": 2010}],
                "early_closes": {"2024-11-29": "12:15"},
                "base_early_closes": True,
                "valid_from": "1990-01-01",
                "valid_until": "2026-12-31",
                "projected": True,
                "sources": ["a page"],
            }
        )
        assert spec == CalendarSpec(
            calendar="it",
            title="It",
            base="XNYS",
            zone="America/Chicago",
            add={day("2018-12-05"): "holiday"},
            remove={day("2026-06-03"): "local election"},
            annual=(Annual(name="Good Friday", easter=-2, since=2000, until=2010),),
            early_closes={day("2024-11-29"): dt.time(12, 15)},
            base_early_closes=True,
            valid_from=day("1990-01-01"),
            valid_until=day("2026-12-31"),
            projected=True,
            sources=("a page",),
        )

    def test_dates_that_no_calendar_has(self) -> None:
        data = {
            "calendar": "it",
            "add": ["2024-02-29", "2023-02-29"],
            "remove": {"2024-04-31": "x", "2024-04-30": "y"},
            "early_closes": {"2024-06-31": "12:00"},
            "valid_until": "2025-11-31",
            "sequence": [{"calendar": "a", "until": "2100-02-29"}, {"calendar": "b"}],
        }
        assert bad_dates(data) == [
            (("add", 1), "2023-02-29"),
            (("remove", "2024-04-31"), "2024-04-31"),
            (("early_closes", "2024-06-31"), "2024-06-31"),
            (("valid_until",), "2025-11-31"),
            (("sequence", 0, "until"), "2100-02-29"),
        ]
        with pytest.raises(
            ValueError, match=r"day is out of range|day \d+ must be in range|day must be in"
        ):
            CalendarSpec.from_data(data)
