"""Faults in YAML: played as written, or refused with the place and the reason."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest

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


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("schema: 1\nfaults: [{do: explode}]", "fault 1: `explode` is nothing that a fault can do"),
        ("schema: 1\nfaults: [{when: {request: Nope}, do: drop}]", "`Nope` is no message"),
        ("schema: 1\nfaults: [{at: soon, do: {error: 1100}}]", "`soon` is no amount of time"),
        ("schema: 1\nfaults: [{at: 2025-07-01T14:00:00, do: {error: 1}}]", "has no zone"),
        ("schema: 1\nfaults: [{at: +5s}]", "'do' is a required property"),
        ("schema: 2\nfaults: []", "1 was expected"),
        ("schema: 1\nfaults: [{when: {client: 1}, do: drop}]", "not valid under any"),
        ("schema: 1\nfaults: [{do: drop, why: me}]", "'why' was unexpected"),
        ("schema: 1\nfaults: [\n", "faults.yaml"),
        ("schema: 1\nschema: 1\nfaults: []", "faults.yaml"),
    ],
)
def test_a_script_that_cannot_be(tmp_path, text, words):
    with pytest.raises(ScriptError) as caught:
        _script(tmp_path, text)
    assert words in str(caught.value)


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
