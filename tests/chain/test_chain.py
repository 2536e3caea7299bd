"""Chains: rows, membership, rolls and places in the chain, on the built-in roots."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfutures.chain import Catalog, ChainError, UnknownRootError, explain
from pyfutures.diagnostics import SpecError
from pyfutures.months import FIRST_MONTH, LAST_MONTH, ContractMonth
from pyfutures.specs.model import Anchor

M = ContractMonth.parse


def months(text):
    return [M(word) for word in text.split()]


class TestMembership:
    @pytest.mark.parametrize(
        ("first", "last", "listed"),
        [
            # the exchange moved from X F H K to U Z H K with the crop of 2015
            ("2014F", "2016H", "2014F 2014H 2014K 2014X 2015F 2015H 2015K 2015U 2015Z 2016H"),
        ],
    )
    def test_wheat_lists_two_cycles(self, catalog, first, last, listed):
        assert [row.month for row in catalog["EBM"].rows(M(first), M(last))] == months(listed)

    def test_wheat_holds_x_then_z(self, catalog):
        held = [row.month for row in catalog["EBM"].rows(M("2012F"), M("2017Z")) if row.hold]
        assert held == months("2012X 2013X 2014X 2015Z 2016Z 2017Z")

    def test_one_trading_class_two_hold_cycles(self, catalog):
        every = [row.hold for row in catalog["COIL"].rows(M("2024F"), M("2024Z"))]
        december = [row.month for row in catalog["COIL_Z"].rows(M("2024F"), M("2024Z")) if row.hold]
        assert every == [True] * 12
        assert december == [M("2024Z")]
        assert catalog["COIL"].trading_class(M("2024Z")) == "COIL"
        assert catalog["COIL_Z"].trading_class(M("2024Z")) == "COIL"

    def test_one_symbol_three_classes(self, catalog):
        found = {
            root: (
                catalog[root].spec.ib.symbol.at(M("2024H")),
                catalog[root].trading_class(M("2024H")),
                int(catalog[root].spec.multiplier.at(M("2024H"))),
            )
            for root in ("FDAX", "FDXM", "FDXS")
        }
        assert found == {
            "FDAX": ("DAX", "FDAX", 25),
            "FDXM": ("DAX", "FDXM", 5),
            "FDXS": ("DAX", "FDXS", 1),
        }

    def test_an_unlisted_month_is_an_error(self, catalog):
        with pytest.raises(ChainError, match="ES 2026G is not listed: ES lists HMUZ"):
            catalog["ES"].row(M("2026G"))


class TestPlaces:
    def test_crude_held_in_december(self, catalog):
        # 2024Z last traded on 2024-11-20; 40 days before is 2024-10-11.
        chain = catalog["CL"]
        place = chain.position(dt.datetime(2024, 10, 10, 23, 59, 59, tzinfo=dt.UTC))
        assert (place.previous, place.current, place.forward) == tuple(months("2023Z 2024Z 2025Z"))
        assert place.carry == M("2024X")
        assert place.roll_date == dt.date(2024, 10, 11)

    def test_a_month_is_current_until_its_roll_date(self, catalog):
        chain = catalog["CL"]
        midnight = dt.datetime(2024, 10, 11, tzinfo=dt.UTC)
        before = chain.position(midnight - dt.timedelta(microseconds=1))
        assert (before.current, chain.position(midnight).current) == tuple(months("2024Z 2025Z"))

    def test_an_instant_needs_a_zone(self, catalog):
        with pytest.raises(ChainError, match="has no zone"):
            catalog["CL"].position(dt.datetime(2024, 1, 1))  # noqa: DTZ001

    @given(st.lists(st.dates(dt.date(1971, 1, 1), dt.date(2049, 1, 1)), max_size=30))
    def test_one_by_one_as_all_at_once(self, catalog, days):
        rolls = catalog["ES"].rolls
        ns = np.array(days, "datetime64[ns]").astype(np.int64)
        assert [rolls.rows[i] for i in rolls.positions(ns)] == [rolls.position(int(i)) for i in ns]


class TestRolls:
    def test_copper_by_hand(self, catalog):
        # Last trades 2021-03-29 and 2021-07-28; 30 days earlier.
        rolls = catalog["HG"].roll_calendar(hold="HNUZ", priced="FHJMNUVZ", offset=-30, carry=1)
        row = rolls.row(M("2021H"))
        assert (str(row.roll_date), str(row.deadline)) == ("2021-02-27", "2021-03-29")
        assert (row.previous, row.forward, row.carry) == tuple(months("2020Z 2021N 2021J"))
        assert str(rolls.row(M("2021N")).roll_date) == "2021-06-28"

    @pytest.mark.parametrize(("offset", "day"), [(28, "2021-03-29"), (-3, "2021-02-26")])
    def test_copper_from_the_start_of_the_month(self, catalog, offset, day):
        rolls = catalog["HG"].roll_calendar(anchor=Anchor.MONTH_START, offset=offset)
        assert str(rolls.row(M("2021H")).roll_date) == day

    def test_deadline_of_delivery_is_first_notice(self, catalog):
        row = catalog["HG"].row(M("2021H"))
        # First notice on a Friday, and two sessions before it: the broker's close-out.
        assert (row.first_notice, row.deadline) == (dt.date(2021, 2, 26), dt.date(2021, 2, 24))
        assert row.roll_date < row.deadline

    def test_held_month_must_be_listed(self, catalog):
        with pytest.raises(ChainError, match="hold cycle GM has G, which ES never lists"):
            catalog["ES"].roll_calendar(hold="GM", offset=-5)

    def test_held_month_must_be_priced(self, catalog):
        with pytest.raises(ChainError, match="not in the priced cycle"):
            catalog["HG"].roll_calendar(hold="HKN", priced="HN", offset=-30)


COPPER = """\
# yaml-language-server: $schema=../../schemas/contract.schema.json
schema: 1
root: HG
extends: HG
roll: {anchor: last_trade, offset: -30, carry: 1}
"""


class TestFolders:
    def test_a_users_folder_wins_root_by_root(self, tmp_path, catalog):
        (tmp_path / "x").mkdir()
        (tmp_path / "x" / "ES.yaml").write_text(
            "schema: 1\nroot: ES\nextends: ES\nname: Mine\nmonths: {hold: HZ}\n"
        )
        mine = Catalog.load(tmp_path)
        assert mine["ES"].spec.name == "Mine"
        assert [r.month for r in mine["ES"].rows(M("2026F"), M("2026Z")) if r.hold] == months(
            "2026H 2026Z"
        )
        assert mine["NQ"].fingerprint == catalog["NQ"].fingerprint

    def test_a_roll_inside_the_notice_period_is_an_error_of_the_spec(self, tmp_path):
        (tmp_path / "xcec").mkdir()
        (tmp_path / "xcec" / "HG.yaml").write_text(COPPER)
        with pytest.raises(SpecError) as error:
            Catalog.load(tmp_path, roots=["HG"])
        text = str(error.value)
        assert "HG.yaml:5:" in text
        assert "PF420" in text
        assert "is not before the deadline" in text
        assert "first notice" in text

    def test_unknown_root(self):
        with pytest.raises(UnknownRootError, match="did you mean"):
            Catalog.load(roots=["ESS"])

    def test_missing_folder(self, tmp_path):
        with pytest.raises(FileNotFoundError, match="nowhere"):
            Catalog.load(tmp_path / "nowhere")


class TestFingerprint:
    def test_a_comment_changes_nothing_and_a_date_does(self, tmp_path, catalog):
        (tmp_path / "x").mkdir()
        path = tmp_path / "x" / "ES.yaml"
        path.write_text("# a comment\nschema: 1\nroot: ES\nextends: ES\n")
        assert Catalog.load(tmp_path)["ES"].fingerprint == catalog["ES"].fingerprint
        path.write_text(
            "schema: 1\nroot: ES\nextends: ES\nlast_trade: {dates: {2040H: 2040-03-15}}\n"
        )
        assert Catalog.load(tmp_path)["ES"].fingerprint != catalog["ES"].fingerprint


@pytest.fixture(scope="module")
def chains(catalog):
    return list(catalog.values())


class TestWholeCatalogue:
    """Laws that hold for every root and every month of the compiled span."""

    def test_last_trades_strictly_increase(self, chains):
        for chain in chains:
            days = [row.last_trade for row in chain.rows() if row.last_trade is not None]
            assert all(a < b for a, b in pairwise(days)), chain.root

    def test_a_rule_ends_on_an_open_day(self, chains):
        for chain in chains:
            for row in chain.rows():
                rule = chain.spec.last_trade.spans.at(row.month)
                if row.last_trade is None or row.month in chain.spec.last_trade.dates:
                    continue
                names = {rule.calendar, *rule.rule.calendars}
                assert any(chain.calendars[n].is_open(row.last_trade) for n in names), (
                    chain.root,
                    row.month,
                )

    def test_roll_before_deadline_before_or_on_last_trade(self, chains):
        checked = 0
        for chain in chains:
            for row in chain.rows():
                if row.roll_date is not None and row.deadline is not None:
                    assert row.roll_date < row.deadline <= row.last_trade, (chain.root, row.month)
                    checked += 1
        assert checked > 10_000

    def test_roll_dates_strictly_increase(self, chains):
        for chain in chains:
            days = [row.roll_date for row in chain.rows() if row.roll_date is not None]
            assert all(a < b for a, b in pairwise(days)), chain.root

    def test_hold_within_priced_within_listed(self, chains):
        for chain in chains:
            spec = chain.spec
            listed, priced, hold = (
                set(c.between(FIRST_MONTH, LAST_MONTH))
                for c in (spec.listed, spec.priced, spec.hold)
            )
            assert hold <= priced <= listed, chain.root

    def test_one_month_explained_as_compiled(self, chains):
        for chain in chains:
            for month in (M("2012H"), M("2021Z"), M("2024M"), M("2026U")):
                if month not in chain.spec.listed:
                    continue
                row, found = chain.row(month), explain(chain, month)
                assert (found.steps.day if found.steps else found.explicit) == row.last_trade


def test_the_hash_of_the_catalogue_is_stable(catalog):
    code = "from pyfutures.chain import Catalog; print(Catalog.load().fingerprint)"
    environment = os.environ | {"PYTHONHASHSEED": "7"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.strip() == catalog.fingerprint


WTI = """\
schema: 1
root: AAA
name: Made up
exchange: XNYM
currency: USD
multiplier: 1000
tick: 0.01
months: {listed: HMUZ}
last_trade: {calendar: %s, rule: [{weekday: {nth: 3, day: wednesday}}]}
roll: {offset: %d, carry: 1}
sources: [made up]
"""


def folder(tmp_path, calendar="short", offset=-5, calendar_text="base: weekdays\n"):
    (tmp_path / "x").mkdir(exist_ok=True)
    (tmp_path / "calendars").mkdir(exist_ok=True)
    (tmp_path / "x" / "AAA.yaml").write_text(WTI % (calendar, offset))
    (tmp_path / "calendars" / "short.yaml").write_text(
        f"schema: 1\ncalendar: short\nname: Short\nsources: [made up]\n{calendar_text}"
    )
    return tmp_path


class TestTheEndOfACalendar:
    ENDS = "base: weekdays\nvalid_until: 2026-12-31\n"

    def test_a_day_that_no_step_asked_about_is_unknown_past_it(self, tmp_path):
        chain = Catalog.load(folder(tmp_path, calendar_text=self.ENDS))["AAA"]
        known, beyond = chain.rows(M("2026Z"), M("2027H"))
        assert (str(known.last_trade), known.status) == ("2026-12-16", "")
        assert (beyond.last_trade, beyond.status) == (None, "unknown")

    def test_projected_past_it_where_the_calendar_projects(self, tmp_path):
        text = self.ENDS + "projected: true\n"
        chain = Catalog.load(folder(tmp_path, calendar_text=text))["AAA"]
        assert [row.status for row in chain.rows(M("2026Z"), M("2027H"))] == ["", "projected"]
        assert explain(chain, M("2027H")).steps.projected

    def test_it_does_not_switch_off_other_checks(self, tmp_path):
        with pytest.raises(SpecError, match="PF420"):
            Catalog.load(folder(tmp_path, offset=5, calendar_text=self.ENDS))

    def test_positions_end_with_it(self, tmp_path):
        chain = Catalog.load(folder(tmp_path, calendar_text=self.ENDS))["AAA"]
        chain.position(dt.datetime(2026, 12, 1, tzinfo=dt.UTC))
        for at in (dt.datetime(2027, 1, 1, tzinfo=dt.UTC), dt.datetime(1970, 1, 1, tzinfo=dt.UTC)):
            with pytest.raises(ChainError, match=r"no position at .* by the calendar short"):
                chain.position(at)


def test_a_calendar_without_an_open_day_is_an_error_of_the_specs(tmp_path):
    text = "base: weekdays\nvalid_from: 2026-01-01\nvalid_until: 2026-01-02\n"
    closed = 'remove: {2026-01-01: "a", 2026-01-02: "b"}\n'
    chain = Catalog.load(folder(tmp_path, calendar_text=text + closed))["AAA"]
    assert {row.status for row in chain.rows()} == {"unknown"}
    with pytest.raises(ChainError, match="no held month"):
        chain.position(dt.datetime(2026, 1, 1, tzinfo=dt.UTC))


class TestRollsInHand:
    def test_the_specs_own_codes_keep_its_masks(self, catalog):
        # RX skips 2010U, 2010Z, 2011H, 2011M and 2011U.
        rolls = catalog["RX"].roll_calendar(hold="HMUZ")
        assert rolls.row(M("2010M")).forward == M("2011Z")

    def test_an_anchor_that_is_not_there(self, catalog):
        with pytest.raises(ChainError, match="ES has no first notice"):
            catalog["ES"].roll_calendar(anchor=Anchor.FIRST_NOTICE)


def test_before_its_first_listing_the_first_month_is_current(catalog):
    # Three-month SOFR futures were first listed with 2018M.
    place = catalog["SR3"].position(dt.datetime(2015, 1, 1, tzinfo=dt.UTC))
    assert (place.previous, place.current) == (None, M("2018M"))


def test_columns_say_the_same_as_rows(catalog):
    for root in ("CL", "DC", "EBM", "HSI", "A0F", "ES"):
        columns = catalog[root].columns(M("2019F"), M("2030Z"))
        rows = catalog[root].rows(M("2019F"), M("2030Z"))
        for name, column in columns.items():
            values = [getattr(row, name) for row in rows]
            if isinstance(column, (str, bool)):
                assert set(values) == {column}
            elif name == "month":
                assert list(map(str, values)) == column
            elif name == "last_trade_utc":
                seconds = [None if v is None else v.replace(tzinfo=None) for v in values]
                assert column.tolist() == seconds
            else:
                assert list(column.tolist() if hasattr(column, "tolist") else column) == values
