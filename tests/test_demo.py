"""The demo end to end, and that it would notice if actor and batch disagreed."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from pyfutures.demo import Disagreement, Published, batch, compare, prepare
from pyfutures.report.html import ContractSpan, RollMark, Section, page
from tests.nautilus.tools import expected


class Page(HTMLParser):
    """Sections, the text of the figures, and every address that an element refers to."""

    def __init__(self, text):
        super().__init__()
        self.addresses, self.sections, self.ids, self.figures = [], [], set(), ""
        self._open = None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self._open = found.get("id")
        self.ids.add(self._open)
        if tag == "section":
            self.sections.append(found["id"])
        self.addresses += [v for k, v in attrs if k in {"src", "href", "srcset", "action", "data"}]

    def handle_data(self, data):
        if self._open == "figures":
            self.figures += data
            self._open = None


def _demo(folder, *options):
    return subprocess.run(
        [sys.executable, "-m", "pyfutures.demo", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.slow
def test_the_demo_from_specs_to_a_page(tmp_path):
    done = _demo(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("actor = batch, bit for bit") == 3
    for words in ("bought 1 ES", "bought 1 ZC", "the connection was cut", "flat again; gained"):
        assert words in done.stdout
    assert "none missing, none twice; the node has stopped" in done.stdout
    text = (tmp_path / "demo.html").read_text(encoding="utf-8")
    found = Page(text)
    assert found.sections == ["ES", "CL", "HG"]
    assert all(address.startswith("#") for address in found.addresses)
    assert "prefers-color-scheme: dark" in text
    figures = json.loads(found.figures)
    assert {f"{kind}-{root}" for kind in ("series", "chain") for root in found.sections} == set(
        figures
    )
    assert set(figures) <= found.ids
    for root in found.sections:
        unadjusted, backward, forward, rolls = figures[f"series-{root}"]["data"]
        assert len(rolls["x"]) >= 3
        assert len(unadjusted["y"]) == len(backward["y"]) == len(forward["y"]) > 900
        # The views meet the market at their anchors, and nowhere else need they.
        assert backward["y"][-1] == unadjusted["y"][-1]
        assert forward["y"][0] == unadjusted["y"][0]
        assert backward["y"][0] != unadjusted["y"][0]


@pytest.mark.slow
def test_the_same_seed_is_the_same_page(tmp_path):
    for name in ("one.html", "two.html"):
        done = _demo(tmp_path, "--out", name, "--seed", "3", "--years", "1")
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()


# Comparing


@pytest.fixture(scope="module")
def market(catalog):
    return prepare(catalog["ES"], dt.date(2024, 1, 2), dt.date(2024, 6, 28))


@pytest.fixture(scope="module")
def published(catalog, market):
    bars = [bar for columns in market.columns.values() for bar in columns.bars()]
    bars = [replace(bar, open_interest=None) for bar in bars]
    bars.sort(key=lambda bar: (bar.ts, bar.month))
    events = expected(catalog["ES"], bars, start=str(market.start))
    return Published(
        [event for event in events if hasattr(event, "current")],
        [event for event in events if hasattr(event, "gap")],
    )


def test_equal_series_are_equal(market, published):
    compare("ES", published, batch(market))
    assert len(published.rolls) == 2


@pytest.mark.parametrize(
    ("what", "change", "text"),
    [
        ("bars", lambda bar: replace(bar, C=bar.C + 1), "C of bar 40"),
        ("bars", lambda bar: replace(bar, R=float(np.nextafter(bar.R, 2))), "R of bar 40"),
        ("bars", lambda bar: replace(bar, rolled=True), "rolled of bar 40"),
        ("bars", lambda bar: replace(bar, forward=None), "forward of bar 40"),
        ("rolls", lambda roll: replace(roll, gap=roll.gap + 1), "rolls differ"),
    ],
)
def test_one_bit_is_noticed(market, published, what, change, text):
    other = Published(list(published.bars), list(published.rolls))
    rows = getattr(other, what)
    at = 40 if what == "bars" else 1
    rows[at] = change(rows[at])
    with pytest.raises(Disagreement, match=text):
        compare("ES", other, batch(market))


def test_a_missing_bar_is_noticed(market, published):
    with pytest.raises(Disagreement, match="bars, the batch"):
        compare("ES", Published(published.bars[:-1], published.rolls), batch(market))


# The page


def test_texts_are_escaped():
    instant = dt.datetime(2024, 3, 11, 21, tzinfo=dt.UTC)
    section = Section(
        root="ES",
        name="</script><b>S&P",
        currency="</script>",
        summary="<i>",
        times=[instant],
        unadjusted=[1.0],
        backward=[None],
        forward=[1.0],
        rolls=[RollMark("2024H", "2024M", instant.date(), instant, "1", "2", "<1>")],
        contracts=[ContractSpan("2024H", instant.date(), instant.date())],
    )
    found = Page(page("a < b", [section], notes=["<p>"]))
    figures = json.loads(found.figures)
    assert figures["series-ES"]["layout"]["yaxis"]["title"]["text"] == "</script>"
    assert found.sections == ["ES"]
