"""The page of market data says what is so: its blocks run, its tables are the code's."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from nautilus_trader.model.data import BarType

from pyfutures.nautilus.market import bar_forms
from pyfutures.nautilus.market.events import FeedEventKind, feed_topic
from tests.nautilus.data_tools import ESU, START, until, with_room

pytestmark = pytest.mark.filterwarnings("ignore:Timestamp.utcnow is deprecated")

TEXT = (Path(__file__).parents[2] / "docs" / "market_data.md").read_text("utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


def test_the_blocks_of_the_page_run():
    async def work(room):
        keeper = room.keeper
        words = {"self": keeper, "near": ESU, "BarType": BarType, "feed_topic": feed_topic,
                 "then": START - dt.timedelta(days=5)}  # fmt: skip
        for block in BLOCKS:
            exec(compile(block, "docs/market_data.md", "exec"), words)  # noqa: S102 - our own page
        await until(lambda: keeper.statuses and keeper.deltas and keeper.past, "what was asked for")
        await until(lambda: len(room.client.feeds) == 4, "feeds")

    assert len(BLOCKS) == 4
    with_room(work)


def test_the_table_of_bars_is_the_codes():
    rows = dict(re.findall(r"^\| (SECOND|MINUTE|HOUR|DAY) \| ([\d, ]+) \|", TEXT, re.MULTILINE))
    assert {name: sorted(map(int, steps.split(", "))) for name, steps in rows.items()} == {
        aggregation.name: sorted(steps) for aggregation, steps in bar_forms._SIZES.items()
    }


def test_every_kind_of_event_is_on_the_page():
    assert all(str(kind) in TEXT for kind in FeedEventKind)
