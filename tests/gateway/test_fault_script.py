"""Faults in YAML: played as written, or refused with the place and the reason."""

from __future__ import annotations

import asyncio
import datetime as dt
import re

import pytest

from pyfutures.gateway.fault_fields import FaultError
from pyfutures.gateway.fault_script import Script, ScriptError
from pyfutures.gateway.fault_values import duration
from pyfutures.ib import messages as m
from tests.gateway.tools import connected, contract, errors, of, order

SCRIPT = """\
schema: 1
faults:
  - at: +5s
    do: {connectivity: {state: lost, for: 30s}}
  - at: 2025-07-01T14:01:00Z
    do: [{farm: {name: usfuture, state: inactive}}, {error: {code: 2110}}]
  - at: +100s
    every: 10s
    times: 3
    do: {error: {code: 1100}}
  - when: {request: RequestHistoricalBars, skip: 1}
    do: {error: {code: 162, text: "…:Historical data request pacing violation"}}
  - when: {response: [OpenOrder, OrderStatus], client: 1}
    times: always
    do: {duplicate: 2}
    note: each of them twice
  - when: {response: CommissionReport, where: {currency: USD}}
    do: {set: {commission: 0.85}}
"""


def _script(tmp_path, text):
    path = tmp_path / "faults.yaml"
    path.write_text(text, "utf-8")
    return Script(path)


def test_a_script_is_played(tmp_path):
    script = _script(tmp_path, SCRIPT)

    async def main():
        async with connected(limits=None) as (server, raw):
            script.play(server.gateway)
            await server.advance(6)
            assert errors(await raw.sync()) == [1100]
            await server.advance(30)
            assert errors(await raw.sync()) == [1102]
            await server.advance_to(dt.datetime(2025, 7, 1, 14, 1, tzinfo=dt.UTC))
            assert errors(await raw.sync()) == [2108, 2110]
            await server.advance(100)
            assert errors(await raw.sync()) == [1100] * 3
            named = contract(server)
            for number in range(3):
                raw.send(m.RequestHistoricalBars(number, named, "", "1 day", "1 D"))
            assert [type(a) for a in await raw.sync()] == [
                m.HistoricalBars, m.ErrorMessage, m.HistoricalBars,
            ]  # fmt: skip
            raw.send(m.PlaceOrder(1, named, order("BUY", 1)))
            said = await raw.sync()
            statuses = [one.status for one in of(m.OrderStatus, said)]
            assert statuses == ["Submitted", "Submitted", "Filled", "Filled"]
            assert of(m.CommissionReport, said)[0].commission == 0.85

    asyncio.run(main())


def _fault(text):
    return f"schema: 1\nfaults:\n  - {text}\n"


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        (_fault("do: explode"), "3:5", "fault 1: `explode` is nothing that a fault can do: there"),
        (_fault("do: {restrt: {}}"), "3:5", "can do: did you mean `restart`?"),
        (_fault("{when: {request: Nope}, do: drop}"), "3:6", "`Nope` is no message"),
        (_fault("{when: {response: OrderStaus}, do: drop}"), "3:6", "did you mean `OrderStatus`?"),
        (_fault("{at: soon, do: {error: 1100}}"), "3:6", "`soon` is no amount of time"),
        (_fault("{at: +1s, every: now, do: {error: 1100}}"), "3:15", "`now` is no amount of time"),
        (_fault("{at: 2025-07-01T14:00:00, do: {error: 1}}"), "3:6", "has no zone"),
        (_fault("{at: +5s, do: drop}"), "3:15", "`drop` happens to messages only"),
        (_fault("{at: +5s}"), "3:5", "'do' is a required property"),
        ("schema: 2\nfaults: []", "1:1", "1 was expected"),
        (_fault("{when: {client: 1}, do: drop}"), "3:6", "not valid under any"),
        (_fault("{do: drop, why: me}"), "3:16", "unknown key `why`: there are"),
        (_fault("{do: drop, tims: 3}"), "3:16", "unknown key `tims`: did you mean `times`?"),
        (_fault("{when: {request: PlaceOrder, were: {}}, do: drop}"), "3:34", "mean `where`?"),
        ("schema: 1\nfaults: [\n", "", "faults.yaml"),
        ("schema: 1\nschema: 1\nfaults: []", "2:1", "schema"),
        # Fields and values
        (
            _fault("{when: {request: PlaceOrder, where: {contract.symbl: ES}}, do: drop}"), "3:42",
            "`contract.symbl` is no field of PlaceOrder: did you mean `contract.symbol`?",
        ),
        (
            _fault("{when: {request: PlaceOrder, where: {symbol.root: ES}}, do: drop}"), "3:42",
            "`symbol.root` is no field of PlaceOrder",
        ),
        (
            _fault("{when: {request: PlaceOrder, where: {contract: ES}}, do: drop}"), "3:42",
            "is a Contract: name one of its fields, as in `contract.con_id`",
        ),
        (
            _fault("{when: {request: PlaceOrder, where: {order_id: first}}, do: drop}"), "3:42",
            "`order_id` of PlaceOrder cannot be `first`: it is a whole number",
        ),
        (
            _fault("{when: {response: [OpenOrder, OrderStatus], where: {perm_id: 1}}, do: drop}"),
            "3:57", "`perm_id` is no field of OpenOrder: did you mean `order.perm_id`?",
        ),
        (
            _fault("{when: {response: OrderStatus}, do: {set: {permid: 0}}}"), "3:48",
            "`permid` is no field of OrderStatus: did you mean `perm_id`?",
        ),
        (
            _fault("{when: {response: OrderStatus}, do: [{delay: 1s}, {set: {filld: 0}}]}"), "3:62",
            "did you mean `filled`?",
        ),
        (
            _fault("{when: {response: OrderStatus}, do: {set: {filled: much}}}"), "3:48",
            "`filled` of OrderStatus cannot be `much`: it is a number",
        ),
        (
            _fault("{when: {response: OrderStatus}, do: {set: {status: null}}}"), "3:48",
            "`status` of OrderStatus is never nothing",
        ),
        (
            _fault("{when: {response: OpenOrder}, do: {set: {order.transmit: maybe}}}"), "3:46",
            "cannot be `maybe`: it is true or false",
        ),
        (
            _fault("{when: {response: HistoricalBars}, do: {set: {bars: many}}}"), "3:51",
            "`bars` of HistoricalBars cannot be `many`",
        ),
        (
            _fault("{when: {response: OrderStatus}, do: {set: perm_id}}"), "3:42",
            "`set` takes fields and their values",
        ),
        (
            _fault("{when: {request: PlaceOrder}, do: {set: {order_id: 1}}}"), "3:40",
            "`set` happens to responses, and PlaceOrder is a request",
        ),
        (
            _fault("{when: {response: OrderStatus}, do: {delay: later}}"), "3:42",
            "`later` is no amount of time",
        ),
        (
            _fault("{when: {response: OrderStatus}, do: {hold_until: ExecutionDetail}}"), "3:42",
            "did you mean `ExecutionDetails`?",
        ),
        (_fault("{do: {farm: {nam: usfuture}}}"), "3:18", "`farm` takes no `nam`: did you mean"),
        (_fault("{do: {wedge: {for: 5s}}}"), "3:19", "`wedge` takes no `for`"),
    ],
)  # fmt: skip
def test_a_script_that_cannot_be(tmp_path, text, place, words):
    with pytest.raises(ScriptError) as caught:
        _script(tmp_path, text)
    said = str(caught.value)
    assert said.startswith(f"{tmp_path / 'faults.yaml'}:{place}")
    assert words in said


def test_all_that_cannot_be_is_said_at_once(tmp_path):
    with pytest.raises(ScriptError) as caught:
        _script(tmp_path, "schema: 1\nfaults:\n  - do: explode\n  - do: drop\n  - do: wedge\n")
    assert [line.split(":")[1] for line in str(caught.value).splitlines()] == ["3", "4"]


@pytest.mark.parametrize(
    ("kinds", "do", "where", "words"),
    [
        ("OrderStatus", "drop", {"permid": 1}, "did you mean `perm_id`?"),
        ("OrderStatus", {"set": {"stats": "x"}}, None, "did you mean `status`?"),
        (m.PlaceOrder, {"set": {"order_id": 1}}, None, "happens to responses"),
    ],
)
def test_what_cannot_be_is_refused_from_python_too(kinds, do, where, words):
    async def main():
        async with connected() as (server, _):
            with pytest.raises(FaultError, match=re.escape(words)):
                server.gateway.faults.when(kinds, do, where=where)
            with pytest.raises(FaultError, match="messages only"):
                server.gateway.faults.after(1, "drop")

    asyncio.run(main())


def test_values_are_compared_as_the_field_has_them(tmp_path):
    text = """\
schema: 1
faults:
  - when: {response: CommissionReport, where: {commission: "2.25"}}
    do: {set: {realized_pnl: 1}}
  - when: {response: ExecutionDetails, where: {execution.shares: 1, order_id: "1"}}
    do: {set: {execution.shares: "3", execution.exec_id: 7, execution.liquidation: 1.0}}
  - when: {response: OpenOrder, where: {order.limit_price: 0, contract.delta_neutral.con_id: 9}}
    do: drop
    times: always
"""
    script = _script(tmp_path, text)

    async def main():
        async with connected() as (server, raw):
            script.play(server.gateway)
            raw.send(m.PlaceOrder(1, contract(server), order("BUY", 1)))
            said = await raw.sync()
            (report,) = of(m.CommissionReport, said)
            assert report.realized_pnl == 1.0
            (fill,) = of(m.ExecutionDetails, said)
            assert (fill.execution.shares, fill.execution.exec_id) == (3, "7")
            assert fill.execution.liquidation == 1
            assert len(of(m.OpenOrder, said)) == 2  # none has a part that is nothing

    asyncio.run(main())


def test_an_action_that_fails_when_it_happens_does_not_end_the_gateway(tmp_path, caplog):
    text = """\
schema: 1
faults:
  - at: +1s
    do: {early_close: {root: ES, day: tomorrow, at: "12:00"}}
  - at: +1s
    do: {connectivity: {state: sideways}}
  - at: +1s
    do: {revise: {root: XX, month: 2025U, day: 2025-07-01}}
  - at: +2s
    do: {error: {code: 2100}}
"""
    script = _script(tmp_path, text)

    async def main():
        async with connected() as (server, raw):
            script.play(server.gateway)
            await server.advance(3)
            assert errors(await raw.sync()) == [2100]
            assert len(server.gateway.bugs) == 3
            server.gateway.bugs.clear()

    asyncio.run(main())
    assert "fault `connectivity: {'state': 'sideways'}` failed" in caplog.text


def test_a_billion_times_costs_what_has_happened(tmp_path):
    script = _script(
        tmp_path,
        "schema: 1\nfaults: [{at: +1s, every: 1s, times: 1000000000, do: {error: 2100}}]",
    )

    async def main():
        async with connected() as (server, raw):
            script.play(server.gateway)
            await server.advance(4.5)
            assert errors(await raw.sync()) == [2100] * 4

    asyncio.run(main())


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5s", 5), ("+5s", 5), ("200ms", 0.2), ("2m", 120), ("1.5h", 5400), ("1d", 86400), (7, 7)],
)
def test_amounts_of_time(text, seconds):
    assert duration(text) == round(seconds * 10**9)
