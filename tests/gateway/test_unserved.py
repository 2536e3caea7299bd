"""What the gateway does not serve: an answer all the same, under the id that was asked with."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pyfutures.ib import messages as m
from pyfutures.ib.framing import frame
from tests.gateway.tools import connected, contract, order


def _said(*fields):
    return frame(("\0".join(fields) + "\0").encode())


async def _answer(raw, *fields):
    raw.write(_said(*fields))
    return await raw.sync()


# By the encoders of the official client: the id of a request has its place by its kind.
@pytest.mark.parametrize(
    ("fields", "name"),
    [
        (("81", "7", "ES"), "RequestMatchingSymbols"),
        (("78", "7", "ES", "CME", "FUT", "11004968"), "RequestSecDefOptParams"),
        (("83", "7", "a6"), "RequestSmartComponents"),
        (("84", "7", "BRFG", "x", ""), "RequestNewsArticle"),
        (("86", "7", "1", "BRFG", "", "", "10", ""), "RequestHistoricalNews"),
        (("88", "7", *[""] * 13, "0", "3 days"), "RequestHistogramData"),
        (("52", "2", "7", *[""] * 9), "RequestFundamentalData"),
        (("54", "3", "7", *[""] * 14), "CalculateImpliedVolatility"),
        (("55", "3", "7", *[""] * 14), "CalculateOptionPrice"),
        (("21", "2", "7", *[""] * 15), "ExerciseOptions"),
        (("22", "7", *[""] * 22), "RequestScannerSubscription"),
        (("68", "1", "7", "1"), "SubscribeToGroupEvents"),
        (("100", "7"), "RequestWshMetaData"),
        (("102", "7", "1"), "RequestWshEventData"),
    ],
)
def test_a_request_that_is_not_served_gets_its_error(fields, name):
    async def main():
        async with connected() as (_, raw):
            (error,) = await _answer(raw, *fields)
            assert (error.request_id, error.code) == (7, 321)
            assert error.text.endswith(f"cause - {name} is not served by this gateway")

    asyncio.run(main())


def test_a_cancel_of_what_cannot_be_there_is_300():
    async def main():
        async with connected() as (_, raw):
            for fields in (("23", "1", "7"), ("89", "7"), ("53", "1", "7"), ("56", "1", "7")):
                (error,) = await _answer(raw, *fields)
                assert (error.request_id, error.code) == (7, 300)

    asyncio.run(main())


def test_lists_without_an_id_are_answered_with_what_there_is():
    async def main():
        async with connected() as (_, raw):
            for asked, said in (
                (("85",), ("85", "0")),
                (("80",), ("78", "0")),
                (("24", "1"), ("19", "1", "<ScanParameterResponse/>")),
                (("104", "7"), ("107", "7", "")),
                (("79", "7"), ("77", "7", "0")),
            ):
                assert await _answer(raw, *asked) == [m.Unknown(said)]
            raw.send(m.RequestDepthExchanges())
            (told,) = await raw.sync()
            assert [one.exchange for one in told.exchanges] == ["CBOT", "CFE", "CME", "EUREX",
                                                                "NYMEX"]  # fmt: skip
            assert {one.sec_type for one in told.exchanges} == {"FUT"}

    asyncio.run(main())


def test_a_message_that_nobody_knows_is_320():
    async def main():
        async with connected() as (_, raw):
            (error,) = await _answer(raw, "4711", "7")
            assert (error.request_id, error.code) == (-1, 320)

    asyncio.run(main())


def test_a_request_that_cannot_be_read_gets_the_error_under_its_id():
    async def main():
        async with connected() as (server, raw):
            good = raw.connection.send(
                m.PlaceOrder(9, contract(server), order("BUY", 1, "LMT", 5000.0))
            )
            (error,) = await _answer(raw, *_broken(good, "1", "NaN", 17))
            assert (error.request_id, error.code) == (9, 320)
            (error,) = await _answer(raw, "9", "8", "12", "no con id", *[""] * 14)
            assert (error.request_id, error.code) == (12, 320)
            (error,) = await _answer(raw, "9", "8", "no id", *[""] * 14)
            assert (error.request_id, error.code) == (-1, 320)

    asyncio.run(main())


def _broken(data, was, now, place):
    fields = data[4:].decode().split("\0")[:-1]
    assert fields[place] == was
    return [*fields[:place], now, *fields[place + 1 :]]


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ({"algo_strategy": "Twap"}, "Algorithms"),
        ({"conditions": (m.TimeCondition(is_more=True, time="20250701-15:00:00"),)}, "Conditions"),
        ({"adjusted_order_type": "STP"}, "Adjusted stops"),
        ({"scale_price_increment": 0.25, "scale_init_level_size": 1}, "Scale orders"),
        ({"hedge_type": "F", "hedge_param": "HEUR/USD"}, "Hedges"),
        ({"all_or_none": True}, "All-or-none"),
        ({"min_quantity": 2}, "Minimum quantities"),
    ],
)
def test_an_order_of_a_kind_that_is_not_served_is_refused(more, what):
    async def main():
        async with connected() as (server, raw):
            wire = replace(order("BUY", 3, "MKT"), **more)
            raw.send(m.PlaceOrder(1, contract(server), wire))
            (error,) = await raw.sync()
            assert (error.request_id, error.code) == (1, 201)
            assert error.text == f"Order rejected - reason:{what} are not served by this gateway"
            assert not server.gateway.book.open()
            # Left as it was: what a peer sends back of an order that it heard of.
            echoed = replace(
                order("BUY", 1, "LMT", 4000.0),
                adjusted_order_type="None", min_quantity=0, hedge_type="",
                delta_neutral_type="None",
            )  # fmt: skip
            raw.send(m.PlaceOrder(2, contract(server), echoed))
            assert [type(x) for x in await raw.sync()] == [m.OpenOrder, m.OrderStatus]

    asyncio.run(main())
