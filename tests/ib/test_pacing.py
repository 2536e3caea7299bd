"""The limits of the gateway are never broken, and everything goes in the end."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfutures.ib import messages as m
from pyfutures.ib.pacing import SECOND, Cost, Ledger, Limits, Pacer, Priority, Rule, cost_of

ES = m.Contract(con_id=1, symbol="ES", sec_type="FUT", exchange="CME")
NQ = m.Contract(con_id=2, symbol="NQ", sec_type="FUT", exchange="CME")
ids = itertools.count(1)


def bars(contract=ES, end="", size="5 secs", show="TRADES", duration="3600 S"):
    return m.RequestHistoricalBars(next(ids), contract, end, size, duration, show=show)


def ticks(contract=ES, start="", show="TRADES"):
    return m.RequestHistoricalTicks(next(ids), contract, start, "", show=show)


def sent_at(requests, *, limits=None, until=3000):
    """When each goes if all are put at once and every historical request is answered at once."""
    pacer = Pacer(cost_of, Ledger(limits or Limits()))
    for request in requests:
        pacer.put(request, ticket=id(request))
    now, when = 0, {}
    while len(pacer) and now < until * SECOND:
        for request in pacer.take(now):
            when[id(request)] = now / SECOND
            pacer.done(id(request))
        following = pacer.next_at(now)
        assert following is None or following >= now
        now = following if following is not None else now + SECOND
    return [when.get(id(request)) for request in requests]


def test_messages_a_second():
    when = sent_at([m.RequestCurrentTime() for _ in range(120)])
    assert when == [0.0] * 45 + [1.0] * 45 + [2.0] * 30


def test_orders_use_what_is_kept_for_them_and_go_first():
    control = [m.RequestCurrentTime() for _ in range(60)]
    orders = [m.CancelOrder(i) for i in range(10)]
    when = sent_at(control + orders)
    assert when[60:] == [0.0] * 10
    assert when[:60] == [0.0] * 35 + [1.0] * 25


def test_orders_alone_may_use_all_fifty():
    assert sent_at([m.CancelOrder(i) for i in range(51)]) == [0.0] * 50 + [1.0]


@pytest.mark.parametrize("make", [bars, ticks])
def test_identical_requests_are_fifteen_seconds_apart(make):
    assert sent_at([make(), make(), make()]) == [0.0, 15.0, 30.0]


def test_six_requests_for_one_contract_in_two_seconds():
    requests = [bars(end=f"2024010{i}-00:00:00") for i in range(1, 8)]
    assert sent_at(requests) == [0.0] * 5 + [2.0] * 2


def test_another_contract_or_kind_of_tick_is_another_count():
    requests = [
        bars(contract, f"2024010{i}-00:00:00", show=show)
        for i in range(1, 6)
        for contract in (ES, NQ)
        for show in ("TRADES", "MIDPOINT")
    ]
    assert sent_at(requests) == [0.0] * 20


def chain(count, show="TRADES"):
    return [bars(m.Contract(con_id=i), show=show) for i in range(count)]


def test_sixty_in_ten_minutes():
    when = sent_at(chain(61))
    assert when[44:46] == [0.0, 1.0]
    assert when[59:] == [1.0, 600.0]


def test_bid_ask_counts_twice():
    when = sent_at(chain(31, "BID_ASK"))
    assert when == [0.0] * 30 + [600.0]


def test_bars_of_a_minute_and_more_are_free_of_the_rules_of_small_bars():
    assert sent_at([bars(size="1 min") for _ in range(40)]) == [0.0] * 40


def test_tick_by_tick_once_an_instrument_in_fifteen_seconds():
    first, second = (m.RequestTickByTick(next(ids), ES, kind) for kind in ("BidAsk", "AllLast"))
    other = m.RequestTickByTick(next(ids), NQ, "BidAsk")
    assert sent_at([first, second, other]) == [0.0, 15.0, 0.0]


def test_fifty_open_requests():
    pacer = Pacer(cost_of)
    requests = [bars(m.Contract(con_id=i), size="1 day") for i in range(60)]
    for request in requests:
        pacer.put(request, ticket=request.request_id)
    gone = pacer.take(0) + pacer.take(SECOND)
    assert len(gone) == 50
    assert pacer.next_at(2 * SECOND) is None
    assert pacer.take(2 * SECOND) == []
    pacer.done(gone[0].request_id)
    assert pacer.take(2 * SECOND) == [requests[50]]
    pacer.ledger.reset()
    assert len(pacer.take(3 * SECOND)) == 9


def test_what_waits_for_itself_does_not_hold_up_the_rest():
    same, again, other = bars(), bars(), bars(NQ)
    assert sent_at([same, again, other]) == [0.0, 15.0, 0.0]


def test_a_request_can_be_taken_back():
    pacer = Pacer(cost_of)
    pacer.put(bars(), ticket=7)
    assert pacer.drop(7)
    assert not pacer.drop(7)
    assert pacer.take(0) == []
    assert pacer.next_at(0) is None


def test_a_clock_that_steps_back_breaks_nothing():
    ledger = Ledger()
    cost = cost_of(bars())
    ledger.sent(cost, 100 * SECOND)
    assert ledger.broken(cost, 0) is Rule.IDENTICAL
    assert ledger.earliest(cost, 0) == 115 * SECOND


def test_the_gateway_names_the_rule():
    ledger = Ledger(Limits(reserved=0))
    for i in range(5):
        ledger.sent(cost_of(bars(end=str(i))), 0, request_id=i)
    assert ledger.broken(cost_of(bars(end="x")), 0) is Rule.CONTRACT
    assert ledger.broken(cost_of(bars(end="0")), 0) is Rule.IDENTICAL
    assert ledger.broken(cost_of(bars(NQ)), 0) is None
    for i in range(45):
        ledger.sent(cost_of(bars(size="1 day")), 0, request_id=100 + i)
    assert ledger.broken(Cost(), 0) is Rule.MESSAGES
    assert ledger.broken(cost_of(bars(NQ)), SECOND) is Rule.OPEN


def test_keys_of_long_ago_are_forgotten():
    ledger = Ledger()
    for i in range(1000):
        ledger.sent(cost_of(bars(m.Contract(con_id=i))), i * 20 * SECOND, request_id=i)
        ledger.done(i)
    assert len(ledger._identical) + len(ledger._contract) < 10


@pytest.mark.parametrize("limits", [{"messages": 5, "reserved": 5}, {"open": 0}, {"total": 0}])
def test_limits_under_which_nothing_goes(limits):
    with pytest.raises(ValueError, match="nothing could ever be sent"):
        Limits(**limits)


REQUESTS = st.one_of(
    st.builds(m.CancelOrder, st.integers(1, 9)),
    st.just(m.RequestCurrentTime()),
    st.builds(
        bars, st.sampled_from([ES, NQ]), st.sampled_from("abc"),
        st.sampled_from(["5 secs", "30 secs", "1 min"]), st.sampled_from(["TRADES", "BID_ASK"]),
    ),
    st.builds(ticks, st.sampled_from([ES, NQ]), st.sampled_from("abc")),
    st.builds(m.RequestTickByTick, st.just(1), st.sampled_from([ES, NQ]), st.just("BidAsk")),
)  # fmt: skip
# Small limits, so that short runs meet all of them.
TIGHT = Limits(messages=6, reserved=2, open=3, contract=2, total=8)


def most(log, span, weight=lambda _: 1):
    """The most that ever went in any half-open span that ends with a message."""
    return max(
        (sum(weight(c) for at, c in log if end - span < at <= end) for end, _ in log), default=0
    )


@settings(deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.integers(0, 3 * SECOND), st.lists(REQUESTS, max_size=12), st.integers(0, 4)),
        max_size=20,
    )
)
def test_no_rule_is_ever_broken(steps):  # noqa: C901 - one run, then the rules
    pacer, now, log, opened, tickets = Pacer(cost_of, Ledger(TIGHT)), 0, [], {}, itertools.count()
    waiting_since = {}

    def take():
        for ticket, request in pacer.take(now):
            cost = cost_of(request)
            log.append((now, cost))
            if cost.priority is Priority.ORDER:
                # Never longer than it takes for other orders to be a second old.
                assert now - waiting_since[ticket] <= SECOND * (1 + len(waiting_since) // 6)
            if cost.holds:
                opened[ticket] = None
                assert len(opened) <= TIGHT.open

    pacer._cost = lambda pair: cost_of(pair[1])
    for step, requests, answers in steps:
        now += step
        for request in requests:
            ticket = next(tickets)
            waiting_since[ticket] = now
            pacer.put((ticket, request), ticket=ticket)
        take()
        for ticket in list(opened)[:answers]:
            pacer.done(ticket)
            del opened[ticket]
    put = sum(len(requests) for _, requests, _ in steps)
    for _ in range(10_000):
        if not len(pacer):
            break
        for ticket in list(opened):
            pacer.done(ticket)
        opened.clear()
        following = pacer.next_at(now)
        assert following is not None
        now = following
        take()
    assert len(log) == put

    assert most(log, SECOND) <= TIGHT.messages
    assert most(log, 600 * SECOND, lambda cost: cost.weight) <= TIGHT.total
    for span, limit, key in (
        (15 * SECOND, 1, "identical"),
        (2 * SECOND, TIGHT.contract, "contract"),
        (15 * SECOND, 1, "ticks"),
    ):
        for value in {getattr(cost, key) for _, cost in log} - {None}:
            assert most([row for row in log if getattr(row[1], key) == value], span) <= limit
