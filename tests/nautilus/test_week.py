"""A day of the simulated week, and that it would notice what it looks for."""

from __future__ import annotations

import asyncio
import copy

import pytest

from tests.nautilus.exec_tools import BUY, ESU, desk, until
from tests.nautilus.tools import UTCNOW
from tests.nautilus.week import run
from tests.nautilus.week_check import differences


def test_a_day_of_trouble():
    found, words = run(2, days=1, speed=5000)
    assert not found, f"{words}: {found}"


BARS = [[60, 1.0, 2.0, 0.5, 1.5, 7], [120, 1.0, 2.0, 0.5, 1.5, 8], [180, 1.0, 2.0, 0.5, 1.5, 9]]
FILL = {"id": "e.1.01.01", "side": "BUY", "size": 2, "price": 4000.25, "commission": 4.5}
ORDER = {
    "ref": "O-1", "perm_id": "19", "instrument": "ESU25.XCME", "side": "BUY", "quantity": 2,
    "filled": 2,
}  # fmt: skip


@pytest.fixture
def both():
    theirs = {
        "bugs": [],
        "bars": {"ESU25.XCME": {str(bar[0]): bar[1:] for bar in BARS}},
        "orders": [ORDER | {"status": "Filled"}],
        "fills": [FILL | {"ref": "O-1", "perm_id": "19", "instrument": "ESU25.XCME"}],
        "positions": {"ESU25.XCME": 2},
    }
    ours = {
        "over": True, "code": 0, "said": "WEEK-001 runs\n",
        "bars": {"ESU25.XCME": copy.deepcopy(BARS)},
        "orders": [ORDER | {"strategy": "Trader-001", "status": "FILLED", "fills": [dict(FILL)]}],
        "positions": {"ESU25.XCME": {"Trader-001": 2}},
        "traders": {
            "Trader-001": {"mine": ["O-1"], "heard": [["OrderFilled", "O-1"]]},
            "Trader-002": {"mine": [], "heard": []},
        },
    }  # fmt: skip
    return theirs, ours


def test_what_agrees_is_silent(both):
    assert list(differences(*both)) == []


def _bar(ours, change):
    change(ours["bars"]["ESU25.XCME"])


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda o: _bar(o, lambda bars: bars.pop(1)), "1 bars lost"),
        (lambda o: _bar(o, lambda bars: bars.insert(1, bars[0])), "told twice"),
        (lambda o: _bar(o, lambda bars: bars.reverse()), "out of order"),
        (lambda o: _bar(o, lambda bars: bars[1].__setitem__(5, 3)), "the market has"),
        (lambda o: o["orders"][0].update(strategy="Trader-002"), "the node says Trader-002"),
        (lambda o: o["orders"][0].update(perm_id="20"), "perm_id 20, at the gateway 19"),
        (lambda o: o["orders"][0].update(status="ACCEPTED"), "ACCEPTED, at the gateway Filled"),
        (lambda o: o["orders"][0]["fills"].clear(), "was never told"),
        (lambda o: o["orders"][0]["fills"].append(dict(FILL)), "executions told twice"),
        (lambda o: o["orders"][0]["fills"][0].update(price=1.0), "price 1.0"),
        (lambda o: o["orders"][0]["fills"][0].update(commission=1.0), "commission 1.0"),
        (lambda o: o["positions"].clear(), "positions {}"),
        (
            lambda o: o["positions"].update({"ESU25.XCME": {"Trader-002": 2}}),
            "Trader-001 holds 0 ESU25.XCME, and its fills come to 2",
        ),
        (lambda o: o["traders"]["Trader-002"]["heard"].append(["OrderFilled", "O-1"]), "of others"),
        (lambda o: o.update(code=1), "the node ended with 1"),
    ],
)
def test_one_difference_is_noticed(both, spoil, words):
    theirs, ours = both
    spoil(ours)
    assert any(words in line for line in differences(theirs, ours))


# What the week brought to light: requests that got lost on a connection that broke.


@UTCNOW
def test_a_cancellation_that_got_lost_is_refused_and_can_be_asked_for_again():
    async def scenario():
        async with desk() as d:
            made = d.strategy.limit(ESU, BUY, 3000)
            await d.status(made, "ACCEPTED")
            d.gateway.faults.when("CancelOrder", ["drop", "cut"])
            d.strategy.cancel_order(made)
            await until(lambda: "OrderCancelRejected" in d.strategy.names(made), "refusal")
            assert made.last_event.reason == "the gateway did not hear of the cancellation"
            assert made.status_string() == "ACCEPTED"
            d.strategy.cancel_order(made)
            await d.status(made, "CANCELED")

    asyncio.run(scenario())


@UTCNOW
def test_a_modification_that_got_lost_is_refused_and_can_be_asked_for_again():
    async def scenario():
        async with desk() as d:
            made = d.strategy.limit(ESU, BUY, 3000)
            await d.status(made, "ACCEPTED")
            d.gateway.faults.when("PlaceOrder", ["drop", "cut"])
            d.strategy.modify_order(made, price=d.strategy.px(ESU, 3010))
            await until(lambda: "OrderModifyRejected" in d.strategy.names(made), "refusal")
            assert made.last_event.reason == "the gateway did not hear of the modification"
            assert (made.status_string(), str(made.price)) == ("ACCEPTED", "3000.00")
            d.strategy.modify_order(made, price=d.strategy.px(ESU, 3010))
            await until(lambda: str(made.price) == "3010.00", "modification")

    asyncio.run(scenario())
