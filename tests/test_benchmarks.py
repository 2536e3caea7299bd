"""What the benchmarks compare must be the same thing: pandas' dates are ours, and so on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import rules, series
from benchmarks.pandas_rules import PandasRules
from benchmarks.timing import Figure
from pyfutures.calendars import NAT, date_of
from pyfutures.chain import Catalog
from pyfutures.continuous.adjustment import Adjustment
from pyfutures.continuous.build import build
from pyfutures.months import ContractMonth
from pyfutures.rules import Trace, parse_rule

EVERY = 7


@pytest.fixture(scope="module")
def pandas_rules(catalog):
    return PandasRules(catalog.calendars)


@pytest.fixture(scope="module")
def samples(catalog):
    """Each 7th listed month of every root, starting elsewhere in each."""
    months = {root: rules.listed(catalog[root]) for root in catalog}
    return {root: index[n % EVERY :: EVERY] for n, (root, index) in enumerate(months.items())}


def test_pandas_is_a_third_witness_of_every_root(catalog, samples, pandas_rules):
    found, known = [], 0
    for root, index in samples.items():
        months = [ContractMonth.from_index(number) for number in index.tolist()]
        others = [rules.pandas_days(pandas_rules, catalog[root].spec, month) for month in months]
        arrays = rules.array_days(catalog[root], index)
        found += rules.disagreements(root, index, arrays, others)
        known += sum(int((days != NAT).sum()) for days in arrays.values())
    assert known > 20_000
    assert found == []


def test_the_scalar_peer_finds_the_same_dates(catalog, samples):
    for root, index in samples.items():
        arrays = rules.array_days(catalog[root], index[::5])
        for row, number in enumerate(index[::5].tolist()):
            month = ContractMonth.from_index(number)
            traced = {
                name: day.day if isinstance(day, Trace) else day
                for name, day in rules.traced_days(catalog[root], month).items()
            }
            ours = {
                name: None if days[row] == NAT else date_of(days[row])
                for name, days in arrays.items()
            }
            assert ours == traced, (root, month)


def test_the_vectorised_days_are_those_of_the_chain(catalog, samples):
    for root, index in samples.items():
        table = catalog[root].table
        rows = np.searchsorted(table.index, index)
        for name, days in rules.array_days(catalog[root], index).items():
            assert days.tolist() == getattr(table, name).days[rows].tolist(), (root, name)


# All steps of the language, also those that no root uses; 2024-03-29 was Good Friday.
@pytest.mark.parametrize(
    ("steps", "month", "day"),
    [
        ([{"weekday": {"nth": -2, "day": "friday"}}], "2024H", "2024-03-22"),
        ([{"weekday": {"nth": 5, "day": "friday"}}], "2024H", "2024-03-29"),
        ([{"weekday": {"nth": 5, "day": "friday"}}], "2024J", None),
        ([{"month": -1}, {"day": -1}, {"if_closed": "previous"}], "2024J", "2024-03-28"),
        ([{"day": 29}, {"if_closed": "next"}], "2024H", "2024-04-01"),
        ([{"day": 30}], "2024G", None),
        ([{"business_day": -1}], "2024H", "2024-03-28"),
        ([{"business_day": 1}], "2024M", "2024-06-03"),
        ([{"business_day": 30}], "2024M", None),
        ([{"day": 29}, {"business_days": 1}], "2024H", "2024-04-01"),
        ([{"day": 29}, {"business_days": -1}], "2024H", "2024-03-28"),
        ([{"day": 29}, {"calendar_days": 3}], "2024H", "2024-04-01"),
        ([{"nearest": {"day": 15, "weekday": "wednesday"}}], "2024Z", "2024-12-18"),
        ([{"day": 31}, {"on_or_before": "wednesday"}], "2024H", "2024-03-27"),
        ([{"day": 28}, {"on_or_after": "wednesday"}], "2024H", "2024-04-03"),
        ([{"day": 29}, {"weeks_back_while_closed": {"weekdays_before": 4}}], "2024H", "2024-03-22"),
        ([{"day": 28}, {"weeks_back_while_closed": {"weekdays_after": 1}}], "2024H", "2024-03-21"),
        ([{"by_month": {"H": [{"day": 1}], "else": [{"day": 2}]}}], "2024H", "2024-03-01"),
        ([{"by_month": {"H": [{"day": 1}], "else": [{"day": 2}]}}], "2024M", "2024-06-02"),
        ([{"business_day": {"n": -2, "calendar": "london"}}], "2024H", "2024-03-27"),
        ([{"from": "last_trade"}], "2024H", None),
        # XNYS starts before 1970, what is shipped of it does not.
        ([{"month": -3}, {"business_day": 1}], "1970G", None),
    ],
)
def test_pandas_takes_every_step(pandas_rules, steps, month, day):
    found = pandas_rules.day(parse_rule(steps), ContractMonth.parse(month), "us_expiry")
    assert (found and f"{found:%Y-%m-%d}") == day


def test_a_numpy_repeat_and_add_is_the_backward_spread():
    calendar = Catalog.load(roots=["ES"])["ES"].rolls
    frame = series.bars(calendar, ContractMonth(2023, 3), ContractMonth(2024, 12))
    built = build(frame, calendar)
    assert len(built.rolls) == 7
    plain = series.repeat_and_add(built, *series.segments(built))
    assert plain.tolist() == built.adjusted(Adjustment.BACKWARD_SPREAD).tolist()


@pytest.mark.parametrize(
    ("figure", "verdict"),
    [
        (Figure("a", 1.0, "s", "", limit=2.0), "50% of the limit 2"),
        (Figure("a", 3.0, "s", "", limit=2.0), "OVER: 150% of the limit 2"),
        (Figure("a", 0, "dates", "", limit=0), ""),
        (Figure("a", 1, "dates", "", limit=0), "SHOULD BE 0"),
        (Figure("a", 150.0, "times", "", aim=100.0), "aim 100"),
        (Figure("a", 50.0, "times", "", aim=100.0), "BELOW the aim 100"),
        (Figure("a", 50.0, "times", ""), ""),
    ],
)
def test_a_figure_says_how_it_stands(figure, verdict):
    assert figure.verdict == verdict


def test_the_figures_that_are_kept_say_how_they_were_taken():
    text = (Path(__file__).parents[1] / "benchmarks" / "latest.json").read_text(encoding="utf-8")
    document = json.loads(text)
    assert document["command"] == "python -m benchmarks"
    assert {figure["name"].split(":")[0] for figure in document["figures"]} == {
        "actor",
        "ib",
        "node",
        "process",
        "rules",
        "series",
        "validate",
    }
    assert "/home" not in text
    assert str(Path.cwd()) not in text
