"""What will roll, by a calendar written down by hand."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import pytest

from pyfutures.chain import RollCalendar, RollRow
from pyfutures.chain.rolls import RollCalendarError
from pyfutures.months import ContractMonth
from pyfutures.positions import MoveRules
from pyfutures.positions.plan import PlannedMove, plan

H, M, U, Z = (ContractMonth(2026, month) for month in (3, 6, 9, 12))
WINDOWS = {
    H: (dt.date(2026, 3, 12), dt.date(2026, 3, 20)),
    M: (dt.date(2026, 6, 11), dt.date(2026, 6, 19)),
    U: (dt.date(2026, 9, 10), dt.date(2026, 9, 18)),
    Z: (dt.date(2026, 12, 10), dt.date(2026, 12, 18)),
}
FORWARD = dict(pairwise(WINDOWS))
ES = RollCalendar(
    "ES",
    tuple(
        RollRow.of(month, roll_date=first, deadline=last, forward=FORWARD.get(month))
        for month, (first, last) in WINDOWS.items()
    ),
)


@pytest.mark.parametrize(
    ("today", "days", "held", "moves"),
    [
        (dt.date(2026, 3, 2), 9, {H: 2}, []),
        (dt.date(2026, 3, 2), 10, {H: 2}, [(H, M, 2, dt.date(2026, 3, 12))]),
        (dt.date(2026, 3, 16), 0, {H: -2}, [(H, M, -2, dt.date(2026, 3, 16))]),
        # Missed two rolls: one move, to the month that is current now.
        (dt.date(2026, 6, 15), 0, {H: 1}, [(H, U, 1, dt.date(2026, 6, 15))]),
        # An interrupted roll: what is in the new month stays.
        (dt.date(2026, 3, 16), 5, {H: 1, M: 1}, [(H, M, 1, dt.date(2026, 3, 16))]),
        (dt.date(2026, 3, 16), 5, {H: 0, M: 2}, []),
        (dt.date(2026, 3, 2), 365, {Z: 1}, []),  # nothing to roll to is compiled
    ],
)
def test_moves_of_the_next_days(today, days, held, moves):
    found = plan({"ES": ES}, {"ES": held}, today=today, days=days)
    assert [(move.source, move.target, move.quantity, move.day) for move in found] == moves


def test_a_month_that_the_root_does_not_hold():
    with pytest.raises(RollCalendarError, match="2026J is not a held month"):
        plan({"ES": ES}, {"ES": {ContractMonth(2026, 4): 1}}, today=dt.date(2026, 3, 2), days=1)


@pytest.mark.parametrize(
    ("rules", "quantity", "words"),
    [
        (
            MoveRules(),
            2,
            (
                "sell 2 ES 2026H, buy 2 ES 2026M: one calendar spread, limit in 5 steps of 30 s",
                "what remains: market orders",
            ),
        ),
        (
            MoveRules(spread=False),
            -1,
            ("buy 1 ES 2026H, sell 1 ES 2026M: two market orders",),
        ),
    ],
)
def test_orders_in_words(rules, quantity, words):
    move = PlannedMove("ES", H, M, quantity, dt.date(2026, 3, 12), dt.date(2026, 3, 20))
    assert move.orders(rules) == words
