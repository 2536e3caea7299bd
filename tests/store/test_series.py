"""A series on disk is what the roll machine said, whatever happens between two calls."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
import sqlalchemy as sa

from pyfutures.continuous import Late, RollMachine
from pyfutures.continuous.bars import Bar, ContinuousBar, Revised, Roll
from pyfutures.store import SeriesChangedError, SeriesConflictError, Store, StoreError
from pyfutures.store.tables import meta, targets
from tests.store.tools import DAY, calendar, day_ns, definition, fed, market, month

HELD = ("2024H 2024-03-11 2024-03-15", "2024M 2024-06-17 2024-06-21",
        "2024U 2024-09-16 2024-09-20", "2024Z 2024-12-16 2024-12-20",
        "2025H 2025-03-17 2025-03-21")  # fmt: skip


def _without_first(rolls):
    return [replace(roll, first_new_ts=None) for roll in rolls]


def test_what_was_said_is_there(store):
    log = store.series(definition())
    assert (log.is_new, log.state, log.last_ts, log.month) == (True, None, None, month("2024H"))
    machine, events = fed(log, market("2024-03-01", "2024-06-30"))
    said = [event for event in events if isinstance(event, ContinuousBar)]
    made = [event for event in events if isinstance(event, Roll)]
    assert len(made) == 2
    again = store.series(definition())
    assert list(again.bars()) == said
    assert len(again) == len(said)
    assert again.last_bars(3) == tuple(said[-3:])
    assert _without_first(again.rolls()) == made
    # Day after day: the bar after the roll is the next day's.
    assert [roll.first_new_ts for roll in again.rolls()] == [x.last_old_ts + DAY for x in made]
    assert again.state == machine.state()
    assert (again.is_new, again.month, again.last_ts) == (False, machine.month, said[-1].ts)


def test_a_part_can_be_read(store):
    log = store.series(definition())
    fed(log, market("2024-03-01", "2024-03-08"))
    some = log.bars(since_ns=day_ns("2024-03-03"), until_ns=day_ns("2024-03-05"))
    assert [bar.ts for bar in some] == [day_ns(f"2024-03-0{n}") for n in (3, 4, 5)]


def test_offsets_by_segment(store):
    """2024M is 250,000,001 above 2024H, and so on: the market of the tests is made like that."""
    log = store.series(definition())
    fed(log, market("2024-03-01", "2024-06-30"))
    first, second, third = log.segments()
    assert (first.month, first.first_ts, first.C, first.R) == (
        month("2024H"), day_ns("2024-03-01"), 0, 1.0,
    )  # fmt: skip
    assert (second.month, second.first_ts, second.C) == (
        month("2024M"), day_ns("2024-03-12"), 250_000_001,
    )  # fmt: skip
    assert (third.month, third.C) == (month("2024U"), 500_000_002)


def test_cut_anywhere_and_resumed_it_is_the_same(store):
    """The state holds the legs of the timestamp that is open, so a cut within one loses none."""
    bars = market("2024-03-01", "2024-06-30")
    _, expected = fed(store.series(definition(name="whole")), bars)
    pick = random.Random(11)  # noqa: S311 - where to cut, no secret
    cuts = sorted(pick.sample(range(1, len(bars)), 12))
    events = []
    for first, last in zip([0, *cuts], [*cuts, len(bars)], strict=True):
        events += fed(store.series(definition()), bars[first:last])[1]
    assert events == expected
    one, other = store.series(definition()), store.series(definition(name="whole"))
    assert list(one.bars()) == list(other.bars())
    assert one.rolls() == other.rolls()
    assert one.state == other.state
    assert store.series_names() == ("ES", "whole")


def test_what_is_missing_stays_missing(store):
    bar = market("2024-03-01", "2024-03-01")[0]
    bare = replace(bar, open=None, high=None, low=None, close=None, volume=math.nan,
                   open_interest=None)  # fmt: skip
    log = store.series(definition())
    later = Bar(month("2024H"), bar.ts + DAY, 1, 1, 1, 1, 1.0)
    fed(log, [bare, later])
    (stored,) = log.bars()
    assert stored.current.data() == bare.data()
    assert (stored.forward, stored.carry, stored.previous) == (None, None, None)


def test_refused_bars_are_written_down(store):
    log = store.series(definition())
    first, second = market("2024-03-01", "2024-03-01")[:2]
    other = replace(first, close=1)
    late = replace(first, ts=first.ts - DAY)
    _, events = fed(log, [first, second, other, late])
    assert [type(event) for event in events] == [Revised, Late]
    revised, refused = log.refusals()
    assert (revised.kind, revised.refused, revised.kept) == ("revised", other, first)
    assert (refused.kind, refused.refused, refused.kept) == ("late", late, None)


def test_one_call_is_written_whole_or_not_at_all(store):
    """The second roll's sum of gaps does not fit, so nothing of that call may be there."""
    log = store.series(definition())
    machine, events = fed(log, market("2024-03-01", "2024-03-20"))
    before = (list(log.bars()), log.rolls(), store.series(definition()).state)
    bar = next(event for event in events if isinstance(event, ContinuousBar))
    roll = next(event for event in events if isinstance(event, Roll))
    later = replace(bar, ts=day_ns("2024-04-01"))
    with pytest.raises(StoreError, match="more than the store counts"):
        log.append([later, replace(roll, C=2**63)], machine.state(), now_ns=0)
    again = store.series(definition())
    assert (list(again.bars()), again.rolls(), again.state) == before


def test_two_who_write_one_series_are_told(store):
    one, other = store.series(definition()), store.series(definition())
    machine = RollMachine(calendar(), start=month("2024H"))
    one.append((), machine.state(), now_ns=1)
    with pytest.raises(SeriesConflictError, match="another process has written"):
        other.append((), machine.state(), now_ns=2)


# New rules


def _stored(local):
    """A series with one roll, 2024H into 2024M at 2024-03-11, that has reached 2024-04-30."""
    fed(local.series(definition()), market("2024-03-01", "2024-04-30"))


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (
            ["2024H 2024-03-04 2024-03-15", *HELD[1:]],
            ["2024H into 2024M from 2024-03-11", "from 2024-03-04", "2024-03-11T21:00:00Z"],
        ),
        (["2024H 2024-03-11 2024-03-14", *HELD[1:]], ["before 2024-03-14"]),
        ([HELD[0], "2024J 2024-04-15 2024-04-19", *HELD[1:]], ["2024H into 2024J"]),
        ([HELD[0], "2024M 2024-04-15 2024-04-19", *HELD[2:]], ["of 2024M was 2024-06-17"]),
        ([HELD[0], *HELD[2:]], ["2024M was held and is not any more"]),
    ],
    ids=["earlier roll", "deadline of a roll", "another month", "a past roll date", "month gone"],
)  # fmt: skip
def test_rules_that_change_the_past_are_refused(local, rows, words):
    _stored(local)
    with pytest.raises(SeriesChangedError) as caught:
        local.series(definition(calendar(rows)))
    for word in [*words, "rebuild"]:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    "rows",
    [
        [*HELD[:1], "2024M 2024-06-10 2024-06-21", *HELD[2:]],
        [*HELD[:2], *HELD[3:]],
        [*HELD, "2025M 2025-06-16 2025-06-20"],
        ["2023Z 2023-12-11 2023-12-15", *HELD],
    ],
    ids=["a roll to come", "a month to come left out", "a month more", "months before the first"],
)
def test_rules_that_change_what_is_to_come_go_on(local, rows):
    _stored(local)
    log = local.series(definition(calendar(rows)))
    assert len(log) == 60
    # Taken over: the next change is compared with these.
    assert local.series(definition(calendar(rows))).last_ts == log.last_ts


def test_a_policy_that_made_rolls_cannot_be_changed_quietly(local):
    _stored(local)
    with pytest.raises(
        SeriesChangedError, match="policy was first_common and is volume, and 1 roll"
    ):
        local.series(definition(policy="volume", fingerprint="other"))
    log = local.series(definition(missing="infer", fingerprint="third"))
    assert log.month == month("2024M")


def test_an_empty_series_takes_any_rules(local):
    local.series(definition())
    log = local.series(definition(calendar([*HELD[:1], *HELD[2:]])))
    assert log.is_new


def test_a_rebuilt_series_is_new_and_the_old_one_stays(local):
    _stored(local)
    rows = calendar(["2024H 2024-03-04 2024-03-15", *HELD[1:]])
    log = local.series(definition(rows), rebuild=True)
    assert (log.is_new, log.generation, len(log)) == (True, 2, 0)
    fed(log, market("2024-03-01", "2024-03-08"))
    assert [roll.last_old_ts for roll in log.rolls()] == [day_ns("2024-03-04")]
    assert local.series(definition(rows)).generation == 2


@pytest.mark.parametrize(
    ("other", "text"),
    [
        (definition(calendar(root="NQ")), "root ES, not NQ"),
        (definition(bar_spec="1-HOUR-LAST-EXTERNAL"), "bars 1-DAY-LAST-EXTERNAL, not 1-HOUR"),
    ],
)
def test_a_name_is_one_series(local, other, text):
    local.series(definition())
    with pytest.raises(StoreError, match=text):
        local.series(other)


# The store itself


def test_an_older_store_is_taken_over(target):
    """Version 1 had no targets; all else is as it was."""
    with Store.open(target) as store:
        fed(store.series(definition()), market("2024-03-01", "2024-03-08"))
        before = tuple(store.series(definition()).bars())
        with store._database.writing() as connection:
            targets.drop(connection)
            connection.execute(meta.update().where(meta.c.key == "schema").values(value="1"))
    for _ in range(2):
        with Store.open(target) as store:
            assert tuple(store.series(definition()).bars()) == before
            assert store.target("DU1234567", "ES", strategy="ROLLING") is None
            with store._database.reading() as connection:
                assert connection.execute(sa.select(meta.c.value)).scalar() == "2"


def test_a_newer_store_is_refused(target):
    with Store.open(target) as store, store._database.writing() as connection:
        connection.exec_driver_sql("UPDATE pyf_meta SET value = '7' WHERE key = 'schema'")
    with pytest.raises(StoreError, match="has schema 7, this program knows 2"):
        Store.open(target)


@pytest.mark.parametrize(
    ("target_text", "text"),
    [("mysql://host/name", "a store is a file, or on PostgreSQL"), ("a://b://", "neither a file")],
)
def test_what_is_no_store_is_told(target_text, text):
    with pytest.raises(StoreError, match=text):
        Store.open(target_text)


def test_a_file_that_is_something_else_is_told(tmp_path):
    (tmp_path / "x.sqlite").write_text("no database, and long enough to be read as one" * 50)
    with pytest.raises(StoreError, match="cannot be opened: file is not a database"):
        Store.open(tmp_path / "x.sqlite")


def test_a_server_that_is_not_there_is_told_without_the_password():
    with pytest.raises(StoreError, match="cannot be opened") as caught:
        Store.open("postgresql://me:secret@127.0.0.1:9/none")
    assert "secret" not in str(caught.value)
