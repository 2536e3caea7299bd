"""Where a node starts in the chain, and which history it feeds in which order."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from pyfutures.continuous import Bar, RollMachine
from pyfutures.nautilus.series.placing import PlaceError, place
from pyfutures.nautilus.series.recovery import Recovery
from tests.store.tools import calendar, day_ns, market, month

NOW = day_ns("2024-04-10")  # between the rolls out of 2024H and 2024M


def months(text):
    """As ``2024H+2 2024M-1``."""
    found = {}
    for word in text.split():
        found[month(word[:5])] = int(word[5:])
    return found


def placed(held="", **known):
    stored = known.pop("stored", None)
    return place(
        calendar(),
        months(held),
        stored=stored and month(stored),
        left=[month(text) for text in known.pop("left", "").split()],
        expired=[month(text) for text in known.pop("expired", "").split()],
        has_intent=known.pop("has_intent", False),
        now_ns=NOW,
        wanted=known.pop("wanted", None) and month("2024H"),
    )


@pytest.mark.parametrize(
    ("held", "known", "start", "holds"),
    [
        ("", {}, "2024M", None),
        ("2024H+2", {}, "2024H", "2024H"),
        ("2024U-1", {}, "2024U", "2024U"),
        ("", {"stored": "2024U"}, "2024U", None),
        ("2024M+1", {"stored": "2024M"}, "2024M", "2024M"),
        ("2024H+1", {"stored": "2024M", "left": "2024H"}, "2024M", "2024H"),
        ("2024H+1", {"stored": "2024Z", "left": "2024H 2024M 2024U"}, "2024Z", "2024H"),
        ("", {"wanted": True}, "2024H", None),
        ("2024M+1", {"wanted": True}, "2024H", "2024M"),
        ("2024M+0", {}, "2024M", None),
    ],
    ids=[
        "calendar", "broker", "broker, short", "store", "both", "rolled, not moved yet",
        "several rolls behind", "configured", "configured and held", "closed",
    ],
)  # fmt: skip
def test_it_starts_at_the_broker_then_the_store_then_the_calendar(held, known, start, holds):
    found = placed(held, **known)
    assert (str(found.month), found.held and str(found.held)) == (start, holds)
    assert not found.is_moving


def test_an_interrupted_roll_goes_on():
    found = placed("2024H+1 2024M+2", stored="2024M", left="2024H", has_intent=True)
    assert (str(found.month), str(found.held), found.is_moving) == ("2024M", "2024H", True)


@pytest.mark.parametrize(
    ("held", "known", "words"),
    [
        ("2024N+1", {}, ["2024N +1", "not in the hold cycle HMUZ"]),
        ("2024U+1", {"stored": "2024M", "left": "2024H"}, ["2024U +1", "in 2024M", "from 2024H"]),
        ("2024H+1", {"stored": "2024M"}, ["2024H +1", "series is in 2024M", "must agree"]),
        ("2024H+1", {"stored": "2024M", "left": "2024H", "expired": "2024H"}, ["H has expired"]),
        ("2024H+1 2024M+1", {}, ["2024H +1, 2024M +1", "no open intent"]),
        ("2024H-1 2024M+1", {"has_intent": True}, ["opposite sign, as in a spread"]),
        ("2024H+1 2024U+1", {}, ["not neighbours", "no open intent"]),
        ("2024H+1 2024M+1 2024U+1", {"has_intent": True}, ["more than two months"]),
    ],
    ids=[
        "outside the cycle", "ahead of the store", "behind the store for no reason", "expired",
        "two months", "a spread", "not neighbours", "three months",
    ],
)  # fmt: skip
def test_what_does_not_agree_is_named(held, known, words):
    with pytest.raises(PlaceError) as caught:
        placed(held, **known)
    for word in ["ES", *words]:
        assert word in str(caught.value)


# Recovery


def _history(first, last):
    found = {}
    for bar in market(first, last, "2024H 2024M 2024U 2024Z 2025H"):
        found.setdefault(bar.month, []).append(bar)
    return found


def _recovered(machine, history, order, **options):
    """Bring months in some order, as answers come."""
    recovery = Recovery(machine, since_ns=0, **options)
    events, revised, asked = [], [], []
    while not recovery.is_done:
        new = list(recovery.to_ask())
        assert new or asked
        asked += new
        order(asked)
        one = asked.pop()
        revised += recovery.bring(one, history.get(one, ()))
        for bar in recovery.ready():
            events.extend(machine.feed(bar))
    return events, revised


@pytest.mark.parametrize("seed", range(5))
def test_history_in_any_order_makes_the_rolls_one_by_one(seed):
    """Three rolls; the months that come later are asked for only when they are wanted."""
    pick = random.Random(seed)  # noqa: S311 - an order, not a secret
    bars = market("2024-03-01", "2024-10-01", "2024H 2024M 2024U 2024Z 2025H")
    whole = RollMachine(calendar(), start=month("2024H"))
    expected = [event for bar in bars for event in whole.feed(bar)]
    machine = RollMachine(calendar(), start=month("2024H"))
    found, revised = _recovered(machine, _history("2024-03-01", "2024-10-01"), pick.shuffle)
    assert found == expected
    assert revised == []
    assert machine.state() | {"counts": 0} == whole.state() | {"counts": 0}
    assert machine.counts["rolls"] == 3


def test_only_what_is_wanted_is_asked_for():
    machine = RollMachine(calendar(), start=month("2024H"))
    assert [str(x) for x in Recovery(machine, since_ns=0).to_ask()] == ["2024H", "2024M", "2024U"]


def test_what_was_seen_before_is_compared_and_stands():
    machine = RollMachine(calendar(), start=month("2024H"))
    events = [x for bar in market("2024-03-01", "2024-03-08") for x in machine.feed(bar)]
    history = _history("2024-03-01", "2024-03-12")
    first = history[month("2024H")][0]
    history[month("2024H")][0] = other = replace(first, close=1)
    found, revised = _recovered(machine, history, list.sort, stored=events)
    (one,) = revised
    assert (one.kept, one.refused) == (first, other)
    # The 8th was open and goes on to be closed.
    assert [event.ts for event in found if hasattr(event, "current")] == [
        day_ns(f"2024-03-{n:02}") for n in (8, 9, 10, 11)
    ]
    assert isinstance(first, Bar)
