"""Whatever the market, the broker and the machine do, the position never goes past its aim.

A broker of a few lines fills, refuses and cancels as it likes, spreads by the leg; the kill switch
and the hours change at random. Every question is asked with nothing but the durable facts, so each
of them is a restart.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from pyfutures.months import ContractMonth
from pyfutures.positions import (
    Cancel,
    Done,
    Ended,
    Facts,
    Halt,
    Move,
    MoveId,
    MoveOrder,
    MoveRules,
    OrderKind,
    Place,
    Quote,
    Reprice,
    State,
    decide,
)

H, M = ContractMonth(2026, 3), ContractMonth(2026, 6)
ROLL = MoveId("ES", H, M, dt.datetime(2026, 3, 10, tzinfo=dt.UTC))
RULES = MoveRules(steps=3, step_secs=10, attempts=1000, leg_secs=10**9)
SECOND = 10**9


@dataclass
class Broker:
    position: dict[ContractMonth, int]
    orders: list[MoveOrder] = field(default_factory=list)
    done: dict[int, dict[ContractMonth, int]] = field(default_factory=dict)
    now: int = 0

    def facts(self, *, liquid: bool, killed: bool) -> Facts:
        quotes = {month: Quote(Decimal(100), Decimal(101), self.now) for month in (H, M)}
        return Facts(
            self.now, dict(self.position), list(self.orders), quotes, Decimal(1),
            liquid=liquid, killed=killed,
        )  # fmt: skip

    def do(self, action: object) -> None:
        match action:
            case Place(ref, legs, price):
                assert ref.number == len(self.orders) + 1
                self.orders.append(MoveOrder(ref, legs, State.IN_FLIGHT, self.now, price=price))
            case Reprice(ref, price, step):
                self._change(ref.number, price=price, step=step, sent_ns=self.now)
            case Cancel(ref, ended):
                self._change(ref.number, state=State.IN_FLIGHT, ended=ended)

    def _change(self, number: int, **changes: object) -> None:
        self.orders[number - 1] = replace(self.orders[number - 1], **changes)  # type: ignore[arg-type]

    def event(self, pick: int, what: str, *, month_first: bool) -> None:
        live = [order for order in self.orders if order.state is not State.DONE]
        if not live:
            return
        order = live[pick % len(live)]
        number = order.ref.number
        traded = self.done.setdefault(number, dict.fromkeys(order.legs, 0))
        if what == "fill":
            months = sorted(order.legs, reverse=not month_first)
            month = next(m for m in months if abs(traded[m]) < abs(order.legs[m]))
            sign = 1 if order.legs[month] > 0 else -1
            traded[month] += sign
            self.position[month] = self.position.get(month, 0) + sign
            if traded == order.legs:
                self._change(number, state=State.DONE, ended=Ended.FILLED)
        elif what == "answer":
            if order.ended is not None:
                self._change(number, state=State.DONE)
            else:
                self._change(number, state=State.WORKING)
        elif what == "refuse":
            self._change(number, state=State.DONE, ended=Ended.REFUSED)


EVENTS = st.tuples(
    st.integers(0, 3),
    st.sampled_from(["fill", "fill", "answer", "answer", "refuse", "nothing"]),
    st.booleans(),
    st.sampled_from([True, True, True, False]),
    st.sampled_from([False, False, False, True]),
)


@settings(max_examples=300)
@given(held=st.integers(-5, 5), wanted=st.integers(-5, 5), events=st.lists(EVENTS, max_size=60))
def test_the_position_never_goes_past_its_aim_and_gets_there(held, wanted, events):
    broker = Broker({H: held})
    move = Move(ROLL, {M: wanted})

    def ask(*, liquid: bool, killed: bool) -> tuple[object, ...]:
        broker.now += 11 * SECOND
        actions = decide(move, broker.facts(liquid=liquid, killed=killed), RULES)
        live = [order for order in broker.orders if order.state is not State.DONE]
        placed = [action for action in actions if isinstance(action, Place)]
        assert not (placed and live)  # one generation of orders at a time
        assert not (placed and (killed or not liquid))
        if any(action.ref.kind is OrderKind.LEG for action in placed) and held * wanted > 0:
            # Legs of a roll come only after a spread that ended, or for what no spread can do.
            spreads = [o for o in broker.orders if o.ref.kind is OrderKind.SPREAD]
            assert spreads
        for action in actions:
            broker.do(action)
        low, high = min(held, 0), max(held, 0)
        assert low <= broker.position.get(H, 0) <= high
        assert min(wanted, 0) <= broker.position.get(M, 0) <= max(wanted, 0)
        return actions

    for pick, what, month_first, liquid, killed in events:
        ask(liquid=liquid, killed=killed)
        broker.event(pick, what, month_first=month_first)
    for turn in range(200):
        actions = ask(liquid=True, killed=False)
        assert not any(isinstance(action, Halt) for action in actions)
        if isinstance(actions[0], Done):
            break
        broker.event(turn, "answer" if turn % 2 else "fill", month_first=True)
    assert {month: left for month, left in broker.position.items() if left} == (
        {M: wanted} if wanted else {}
    )
