"""`pyfutures explain`: every step with its line and calendar, the roll, the place, IB's names.

Days by wall calendars and the exchanges' holiday lists: Juneteenth 2026 is Friday 19 June, so the
E-mini ends on Thursday; Memorial Day 2026 is Monday 25 May; Thanksgiving 2026 is 26 November.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path

import pytest

from pyfutures.chain.explanation import story
from pyfutures.cli import run
from pyfutures.ib.local_symbols import local_symbols
from pyfutures.months import ContractMonth as M
from pyfutures.report.explain import json_text, text

HERE = Path(__file__).resolve().parents[2]


@pytest.fixture
def explain(capsys):
    def call(*words, folder=None, today="2026-11-01"):
        given = [] if folder is None else ["--contracts", str(folder)]
        code = run([*given, "explain", *words, "--today", today])
        out, err = capsys.readouterr()
        assert code == 0, err
        return out

    return call


@pytest.fixture
def data(explain):
    return lambda *words, **more: json.loads(explain(*words, "--format", "json", **more))


class TestSteps:
    def test_each_names_its_line(self, explain):
        """The line that is named has the key of the step."""
        keys = {
            "the month before the contract month": "month: -1",
            "25th day of the month before": "day: 25",
            "if closed, the previous business day [us_expiry]": "if_closed: previous",
            "3 business days before [us_expiry]": "business_days: -3",
            "at 14:30 America/New_York": "at:",
            "the day of last trade": "from: last_trade",
            "2 business days after [us_expiry]": "business_days: 2",
            "40 calendar days before last trade": "roll:",
            "deadline: last trade, less 2 sessions [us_expiry]": "close_out: 2",
            "not held: Z": "hold: Z",
        }
        lines = explain("CL", "2026X").splitlines() + explain("CL", "2026Z").splitlines()
        for words, key in keys.items():
            line = next(line for line in lines if line.strip().startswith(words))
            path, number = re.search(r"(\S+):(\d+)$", line).groups()
            assert key in Path(path).read_text().splitlines()[int(number) - 1], line

    def test_why_days_were_skipped(self, explain):
        out = explain("ES", "2026M")
        assert "last trade: Thu 2026-06-18" in out
        assert "Fri 2026-06-19 closed: Juneteenth" in out
        assert "Mon 2026-05-25 closed: Memorial Day" in explain("CL", "2026M")

    def test_a_day_that_no_step_asks_about(self, explain):
        """Notice of the Bund is on the day of the last trade: a rule without a question."""
        after = explain("FGBL", "2026Z").partition("first notice: Tue 2026-12-08\n")[2]
        assert [" ".join(line.split()[:-3]) for line in after.splitlines()[:2]] == [
            "the day of last trade",
            "a business day, kept [eurex]",
        ]

    def test_roll_that_begins_on_a_closed_day(self, explain):
        out = explain("CL", "2026Z")
        assert "roll date: Sun 2026-10-11, deadline: Wed 2026-11-18" in out
        assert "Sun 2026-10-11 closed: weekend; first session Mon 2026-10-12" in out

    def test_roll_by_business_days_says_which_do_not_count(self, explain, tmp_path):
        """Five business days before 30 November 2026: Thanksgiving, the 26th, is none."""
        (tmp_path / "x").mkdir()
        (tmp_path / "x" / "HG.yaml").write_text(
            "schema: 1\nroot: HG\nextends: HG\n"
            "roll: {anchor: first_notice, offset: -5, unit: business, carry: 1}\n"
        )
        out = explain("HG", "2026Z", folder=tmp_path)
        assert "first notice: Mon 2026-11-30" in out
        assert "counted from first notice" in out
        # 27, 25, 24, 23, 20.
        assert "5 business days before first notice [us_expiry]" in out
        assert "roll date: Fri 2026-11-20" in out
        assert "Thu 2026-11-26 closed: Thanksgiving" in out

    def test_deadline_by_notice(self, data):
        """Corn is delivered: the deadline counts from notice, the last business day before."""
        roll = data("ZC", "2026Z")["roll"]
        assert roll["deadline"] <= "2026-11-30"
        assert any("first notice" in step["text"] for step in roll["steps"])

    def test_unknown_says_why(self, explain, data):
        out = explain("HSI", "2050F")
        assert "last trade: unknown: calendar `hong_kong` knows 1970-01-01 to 2049-12-31" in out
        found = data("HSI", "2050F")["events"]["last_trade"]
        assert (found["date"], found["steps"]) == (None, [])
        assert "hong_kong" in found["unknown"]

    def test_projected(self, explain, data):
        assert "(projected)" in explain("A0F", "2030F")
        assert data("A0F", "2030F")["events"]["last_trade"]["projected"] is True

    def test_settled_in_cash(self, explain):
        assert "first notice: none, settled in cash" in explain("ES", "2026Z")


class TestPlace:
    @pytest.mark.parametrize(
        ("month", "role"),
        [
            ("2026Z", "current"),
            ("2027H", "forward and carry"),
            ("2026U", "previous"),
            ("2027M", None),
        ],
    )
    def test_of_quarterly_months(self, data, month, role):
        """On 1 November 2026 the December E-mini is held; carry is the month after."""
        found = data("ES", month)
        assert found["role"] == role
        assert found["current"]["month"] == "2026Z"
        assert (found["current"]["previous"], found["current"]["forward"]) == ("2026U", "2027H")

    def test_moves_with_today(self, data):
        """The roll date itself belongs to the next month."""
        for today, current in (("2026-12-13", "2026Z"), ("2026-12-14", "2027H")):
            assert data("ES", "2026Z", today=today)["current"]["month"] == current

    def test_own_place_and_span(self, data, explain):
        assert data("CL", "2026Z")["place"] == {
            "month": "2026Z", "previous": "2025Z", "forward": "2027Z", "carry": "2026X",
            "held_from": "2025-10-11", "roll_date": "2026-10-11",
        }  # fmt: skip
        assert "previous 2025Z, forward 2027Z, carry 2026X" in explain("CL", "2026Z")

    def test_a_month_that_is_not_held(self, explain, data):
        out = explain("CL", "2026X")
        assert "roll: none, 2026X is not held (hold cycle Z)" in out
        assert "the held months around it are 2025Z and 2026Z" in out
        assert data("CL", "2026X")["place"] is None
        # It is the carry of December until that is left.
        assert data("CL", "2026X", today="2026-10-01")["role"] == "carry"


class TestNames:
    def test_text(self, explain):
        out = explain("ZC", "2027H")
        assert "at IB: symbol ZC, exchange CBOT, class ZC, contract month 202703, USD" in out
        assert "multiplier 5000, tick 0.0025 in currency; prices are quoted times 100" in out
        assert "local symbol `ZCH7` or `ZC   MAR 27`" in out

    def test_json(self, data):
        assert data("FGBL", "2026Z")["ib"] == {
            "symbol": "GBL", "exchange": "EUREX", "trading_class": "FGBL", "currency": "EUR",
            "multiplier": "1000", "tick": "0.01", "price_magnifier": 1,
            "local_symbols": ["FGBL 20261208 M"],
        }  # fmt: skip

    # As gateways were seen to spell them.
    @pytest.mark.parametrize(
        ("exchange", "name", "month", "day", "forms"),
        [
            ("CME", "ES", "2025U", None, ("ESU5",)),
            ("CBOT", "ZC", "2025N", None, ("ZCN5", "ZC   JUL 25")),
            ("EUREX", "FGBL", "2024M", "2024-06-06", ("FGBL 20240606 M",)),
            ("EUREX", "FGBL", "2024M", None, ()),
            ("IPE", "COIL", "2025Z", None, ("COILZ25",)),
            ("OSE.JPN", "225", "2025Z", None, ()),
            ("KSE", "05", "2025Z", None, ()),
        ],
    )
    def test_local_symbols(self, exchange, name, month, day, forms):
        ends = None if day is None else dt.date.fromisoformat(day)
        assert local_symbols(exchange, name, M.parse(month), ends) == forms


class TestJson:
    def test_same_steps_as_text(self, explain, data):
        out, found = explain("CL", "2026M"), data("CL", "2026M")
        assert found["format_version"] == "1.0"
        for event in ("last_trade", "first_notice"):
            for step in found["events"][event]["steps"]:
                assert step["text"] in out
                assert f"{step['location']['path']}:{step['location']['line']}" in out
        assert found["events"]["expiry"] == {
            "date": "2026-05-19", "unknown": None, "projected": False, "steps": [],
        }  # fmt: skip

    def test_every_root_of_the_catalogue(self, catalog):
        """Each has a story for a month of next year, whose dates are those of the chain."""
        for chain in catalog.values():
            month = next((m for m in chain.months if m.year >= 2026), chain.months[-1])
            found = story(chain, month, today=dt.date(2026, 11, 1))
            row = chain.row(month)
            assert [event.day for event in found.events] == [
                row.last_trade, row.first_notice, row.expiry,
            ]  # fmt: skip
            assert text(found).startswith(f"{chain.root} {month}  ")
            assert json.loads(json_text(found))["roll"]["deadline"] == (
                row.deadline and row.deadline.isoformat()
            )
