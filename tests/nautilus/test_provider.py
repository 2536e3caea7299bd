"""The instrument provider at a simulated gateway, over TCP."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest
from nautilus_trader.common.component import LiveClock
from nautilus_trader.model.identifiers import InstrumentId

from pyfutures.chain import Catalog, UnknownRootError
from pyfutures.diagnostics import Severity
from pyfutures.gateway import contract_desk
from pyfutures.gateway.config import LastTradeForm
from pyfutures.ib.failures import ConnectError, RequestFailedError
from pyfutures.ib.messages.contracts import Contract
from pyfutures.months import ContractMonth
from pyfutures.nautilus import link as link_module
from pyfutures.nautilus.config import (
    Disagreement,
    FuturesDataClientConfig,
    FuturesInstrumentProviderConfig,
    MonthsSelection,
    VenueForm,
)
from pyfutures.nautilus.contracts.details import expiration_ns, session_close, stray_expiration_ns
from pyfutures.nautilus.contracts.disagreements import BrokerDisagreementError
from pyfutures.nautilus.contracts.listings import Listings, UnknownInstrumentError
from pyfutures.nautilus.contracts.selection import next_roll, selected
from pyfutures.nautilus.link import LinkClosedError, link_for, links_of
from pyfutures.testing import LastTradeForm as Form
from pyfutures.testing import made_details
from tests.gateway.tools import gateway

ROOTS = ("ES", "ZC", "VX", "FDAX", "FDXM", "COIL", "COIL_Z")
NOW = dt.datetime(2025, 7, 1, 14, tzinfo=dt.UTC)  # the gateway's clock
month = ContractMonth.parse


def config(port, patience=10.0, **fields):
    fields.setdefault("roots", frozenset({"ES"}))
    fields["roots"] = fields["roots"] and frozenset(fields["roots"])
    chosen = FuturesInstrumentProviderConfig(**fields)
    return FuturesDataClientConfig(
        port=port,
        instrument_provider=chosen,
        connection_timeout=patience,
        request_timeout=patience / 2,
    )


@contextlib.asynccontextmanager
async def linked(*, settings=None, **fields):
    async with gateway(roots=ROOTS, **(settings or {})) as server:
        loop = asyncio.get_running_loop()
        link = link_for(loop, config(server.port, **fields), clock=LiveClock())
        try:
            await link.open()
            yield server, link
        finally:
            await link.close()


def run(check, **options):
    async def main():
        async with linked(**options) as (server, link):
            return await check(server, link)

    return asyncio.run(main())


def ids(link):
    return sorted(str(listing.id) for listing in link.listings)


@pytest.fixture(scope="module")
def chains():
    return Catalog.load(roots=ROOTS)


# Which months.

SELECTED = [
    # root, selection, months on 2025-07-01: ES rolled on 16 June, ZC holds December only
    ("ES", {}, "2025U 2025Z"),
    ("ES", {"previous": True, "forward": False, "carry": False}, "2025M 2025U"),
    ("ES", {"held": 3, "forward": False, "carry": False}, "2025U 2025Z 2026H"),
    ("ES", {"listed": 1, "current": False, "forward": False, "carry": False}, "2025U"),
    ("ZC", {}, "2025U 2025Z 2026Z"),
    ("ZC", {"current": False, "forward": False, "carry": False, "listed": 2}, "2025N 2025U"),
    ("COIL_Z", {}, "2025X 2025Z 2026Z"),
]


@pytest.mark.parametrize(("root", "fields", "expected"), SELECTED)
def test_months(chains, root, fields, expected):
    found = selected(chains[root], MonthsSelection(**fields), NOW)
    assert " ".join(map(str, found)) == expected


def test_a_roll_changes_the_months(chains):
    # ES rolls on Monday 15 September 2025 (the third Friday less four days).
    assert next_roll(chains["ES"], NOW) == dt.date(2025, 9, 15)
    day = dt.datetime(2025, 9, 15, tzinfo=dt.UTC)
    before = selected(chains["ES"], MonthsSelection(), day - dt.timedelta(seconds=1))
    assert list(before) == [month("2025U"), month("2025Z")]
    assert list(selected(chains["ES"], MonthsSelection(), day)) == [month("2025Z"), month("2026H")]


def test_what_need_not_be_there(chains):
    found = selected(chains["ES"], MonthsSelection(previous=True, held=6, listed=2), NOW)
    required = [str(each) for each, must in found.items() if must]
    assert required == ["2025U", "2025Z"]  # 2025M has expired, the others may not be listed yet


# Instruments.


def test_instruments_are_the_brokers_contracts():
    async def check(server, link):
        corn = link.listings.by_id(InstrumentId.from_str("ZCZ25.XCBT"))
        instrument = corn.instrument
        assert str(instrument.price_increment) == "0.0025"
        assert (instrument.price_precision, str(instrument.multiplier)) == (4, "5000")
        assert str(instrument.quote_currency) == "USD"
        assert (instrument.exchange, instrument.underlying) == ("XCBT", "ZC")
        assert instrument.raw_symbol.value == "ZC   DEC 25"
        # 12 December, 12:01 in Chicago, not midnight.
        ends = dt.datetime(2025, 12, 12, 18, 1, tzinfo=dt.UTC)
        assert instrument.expiration_ns == int(ends.timestamp()) * 10**9
        assert corn.scale.magnifier == instrument.info["price_magnifier"] == 100
        assert corn.month == month("2025Z")
        assert corn.roots == ("ZC",)
        held = server.gateway.universe.of("ZC", month("2025Z"))
        assert link.listings.by_con_id(held.con_id) is corn
        assert corn.con_id == corn.contract.con_id == instrument.info["con_id"] == held.con_id
        assert link.provider.find(corn.id) is instrument
        assert ids(link) == ["ZCU25.XCBT", "ZCZ25.XCBT", "ZCZ26.XCBT"]
        assert link.listings.roots("ZC")[0].month == month("2025U")
        assert len(link.listings) == link.provider.count == 3
        with pytest.raises(UnknownInstrumentError, match=r"ESU25\.XCME is not loaded"):
            link.listings.by_id(InstrumentId.from_str("ESU25.XCME"))
        assert link.listings.by_con_id(1) is None

    run(check, roots={"ZC"})


def test_the_venue_may_be_the_brokers():
    async def check(server, link):
        assert ids(link) == ["ESU25.CME", "ESZ25.CME"]
        await link.provider.load_async(InstrumentId.from_str("ESH26.CME"))
        assert "ESH26.CME" in ids(link)
        with pytest.raises(UnknownInstrumentError, match=r"ESH26\.XCME is no contract"):
            await link.provider.load_async(InstrumentId.from_str("ESH26.XCME"))

    run(check, venue=VenueForm.IB)


def test_roots_that_are_one_contract_share_a_listing():
    async def check(server, link):
        december = link.listings.by_id(InstrumentId.from_str("COILZ25.IFEU"))
        assert december.roots == ("COIL", "COIL_Z")
        assert [chain.root for chain in december.chains] == ["COIL", "COIL_Z"]
        assert len({listing.con_id for listing in link.listings}) == len(link.listings)

    run(check, roots={"COIL", "COIL_Z"})


def test_one_symbol_with_several_sizes():
    async def check(server, link):
        sizes = {str(x.id): str(x.instrument.multiplier) for x in link.listings}
        assert sizes["FDAXU25.XEUR"] == "25"
        assert sizes["FDXMU25.XEUR"] == "5"

    run(check, roots={"FDAX", "FDXM"})


def test_weeklies_are_no_months():
    async def check(server, link):
        assert ids(link) == ["VXN25.XCBF", "VXQ25.XCBF", "VXU25.XCBF"]

    nearest = MonthsSelection(current=False, forward=False, carry=False, listed=3)
    run(check, roots={"VX"}, months=nearest)


def test_every_month_that_the_broker_has():
    async def check(server, link):
        listed = {
            f"ES{x.month.code}{x.month.year % 100}.XCME"
            for x in server.gateway.universe.instruments()
            if x.trading_class == "ES" and not x.is_expired(server.gateway.timeline.now)
            and x.listing.first <= NOW.date()
        }  # fmt: skip
        assert set(ids(link)) == listed
        assert len(listed) > 4

    run(check, months=MonthsSelection(all=True))


def test_single_contracts_and_expired_ones():
    async def check(server, link):
        assert ids(link) == ["ESH26.XCME"]
        await link.provider.load_ids_async([InstrumentId.from_str("ESM24.XCME")])
        assert ids(link) == ["ESH26.XCME", "ESM24.XCME"]

    run(check, roots=None, load_ids=frozenset({InstrumentId.from_str("ESH26.XCME")}))


def test_nothing_to_load_is_no_error():
    async def check(server, link):
        assert ids(link) == []

    run(check, roots=None)


UNKNOWN = ["ESF26.XCME", "NOPEH26.XCME", "ES.XCME", "ESH26.XEUR"]


@pytest.mark.parametrize("name", UNKNOWN)
def test_an_id_that_no_spec_has(name):
    async def check(server, link):
        with pytest.raises(UnknownInstrumentError, match="is no contract of the catalogue"):
            await link.provider.load_async(InstrumentId.from_str(name))

    run(check, roots=None)


# Positions.


def test_contracts_of_positions_are_loaded_whatever_they_are():
    async def check(server, link):
        known = {}
        for item in server.gateway.universe.instruments():
            known[item.trading_class, str(item.month)] = item
        weekly = known["VX27", "2025N"]
        wanted = [
            known["ES", "2025U"], known["ES", "2024M"], known["FDXM", "2025U"],
            known["COIL", "2025Z"], weekly,
        ]  # fmt: skip
        numbers = [item.con_id for item in wanted]
        stock = Contract(con_id=8314, symbol="IBM", sec_type="STK", local_symbol="IBM")
        first = wanted[0].spelled(exchange=False)  # as a position has it
        found = await link.provider.load_con_ids([first, *numbers[1:], stock])
        assert {x.con_id for x in found} == set(numbers)
        by_number = {x.con_id: x for x in found}
        assert [str(by_number[x].id) for x in numbers[:4]] == [
            "ESU25.XCME", "ESM24.XCME", "FDXMU25.XEUR", "COILZ25.IFEU",
        ]  # fmt: skip
        assert by_number[numbers[3]].roots == ("COIL", "COIL_Z")
        # No spec knows a weekly: it is named all the same, and can be traded.
        stray = by_number[weekly.con_id]
        assert (stray.chains, stray.month) == ((), weekly.month)
        assert stray.id.venue.value == "XCBF"
        assert stray.contract.exchange == "CFE"
        assert stray.instrument.expiration_ns == weekly.last_ns
        assert await link.provider.load_con_ids(numbers) == found

    run(check)


def test_a_position_that_the_broker_does_not_know_is_never_dropped():
    async def check(server, link):
        with pytest.raises(UnknownInstrumentError, match=r"contract 4711: there is a position"):
            await link.provider.load_con_ids([4711])

    run(check)


def test_one_that_the_broker_does_not_know_keeps_no_other_from_being_loaded():
    async def check(server, link):
        load = link.provider.load_con_ids
        fdxm, zc = (server.gateway.universe.of(x, month("2025U")) for x in ("FDXM", "ZC"))
        gone = Contract(con_id=4711, symbol="ES", sec_type="FUT", local_symbol="ESH9")
        (found,) = await load([gone, fdxm.con_id], required=False)
        assert found.con_id == fdxm.con_id
        assert await load([gone], required=False) == ()
        assert link.provider.unknown == {4711: 2}
        with pytest.raises(UnknownInstrumentError, match=r"contract 4711 \(ESH9\): there is a pos"):
            await load([gone, zc.con_id])
        assert link.listings.by_con_id(zc.con_id) is not None

    run(check)


def test_ids_of_strays_are_the_same_in_every_order():
    def loader(reverse):
        async def check(server, link):
            numbers = sorted(
                (x.con_id for x in server.gateway.universe.instruments()
                 if x.symbol == "VIX" and str(x.month) in {"2025N", "2025Q"}),
                reverse=reverse,
            )  # fmt: skip
            for number in numbers:
                with contextlib.suppress(UnknownInstrumentError):  # not listed yet
                    await link.provider.load_con_ids([number])
            return {x.con_id: str(x.id) for x in link.listings}

        return check

    found = run(loader(reverse=False), roots=None)
    assert found == run(loader(reverse=True), roots=None)
    assert len(set(found.values())) == len(found) > 3
    assert "VXN25.XCBF" in found.values()


# Disagreement.


@pytest.fixture
def other_tick(monkeypatch):
    """A gateway that has another tick for the December contract."""
    honest = contract_desk.details

    def details(session, about, instrument, sec_type="FUT"):
        made = honest(session, about, instrument, sec_type)
        return replace(made, min_tick=Decimal("0.5")) if instrument.month.code == "Z" else made

    monkeypatch.setattr(contract_desk, "details", details)


@pytest.mark.parametrize("word", [Disagreement.ERROR, "error"])  # Python checks no words
def test_a_disagreement_is_an_error_with_its_place(other_tick, word):
    async def main():
        async with linked(on_disagreement=word):
            pass

    with pytest.raises(BrokerDisagreementError) as caught:
        asyncio.run(main())
    (one,) = caught.value.diagnostics
    assert one.code == "PF605"
    assert "contracts/xcme/ES.yaml:8:7: error[PF605] ES 2025Z (ESZ5): tick 0.25" in str(one)
    assert "8 | tick: 0.25" in str(caught.value)


@pytest.mark.parametrize("word", [Disagreement.WARN, "warn"])
def test_or_a_warning_and_then_the_broker_is_right(other_tick, word):
    async def check(server, link):
        december = link.listings.by_id(InstrumentId.from_str("ESZ25.XCME"))
        assert december.scale.increment == Decimal("0.5")
        assert str(december.instrument.price_increment) == "0.5"
        (one,) = link.provider.warnings
        assert (one.code, one.severity) == ("PF605", Severity.WARNING)

    run(check, on_disagreement=word)


EXPIRY = [
    # the broker's text, the instant: spec ES 2026H is 2026-03-20 13:30 UTC
    ("20260320-13:30:00", "2026-03-20T13:30"),
    ("20260320", "2026-03-20T13:30"),
    ("20260320-12:00:00", "2026-03-20T13:30"),  # the spec's time wins on the same day
    ("20260319-13:30:00", "2026-03-19T13:30"),  # the earlier day wins
    ("20260319", "2026-03-19T21:00"),  # its session close: 16:00 in Chicago, summer time
    ("20260323", "2026-03-20T13:30"),
    ("no date at all", "2026-03-20T13:30"),
]


@pytest.mark.parametrize(("text", "expected"), EXPIRY)
def test_an_instrument_expires_at_the_earlier_last_trade(chains, text, expected):
    details = made_details(chains["ES"], month("2026H"), Form.DATE)
    details = replace(details, contract=replace(details.contract, last_trade=text))
    found = expiration_ns(chains["ES"], month("2026H"), details)
    assert dt.datetime.fromtimestamp(found / 1e9, dt.UTC).isoformat()[:16] == expected


HOURS = "20260318:0900-20260318:1730;20260319:0900-20260319:1200;20260320:CLOSED"


def test_a_stray_expires_at_its_close_and_not_at_midnight(chains):
    made = made_details(chains["ES"], month("2026H"), Form.DATE)

    def ends(text, hours):
        contract = replace(made.contract, last_trade=text)
        details = replace(made, contract=contract, liquid_hours=hours, time_zone="Europe/Berlin")
        found = stray_expiration_ns(details)
        return dt.datetime.fromtimestamp(found / 1e9, dt.UTC).isoformat()[:19]

    assert ends("20260319-15:15:00", HOURS) == "2026-03-19T15:15:00"
    assert ends("20260319", HOURS) == "2026-03-19T11:00:00"  # an early close
    assert ends("20260619", HOURS) == "2026-06-19T15:30:00"  # the usual one, in summer time
    assert ends("20260319", "") == "2026-03-19T22:59:59"
    assert session_close(replace(made, time_zone="Nowhere", liquid_hours=HOURS), NOW.date()) is None


@pytest.mark.parametrize("form", list(LastTradeForm))
def test_every_spelling_of_a_last_trade_gives_the_same_instruments(form):
    async def check(server, link):
        return {str(x.id): x.instrument.expiration_ns for x in link.listings}

    found = run(check, roots={"ES", "VX"}, settings={"last_trade_form": form, "fresh": True})
    assert found == run(check, roots={"ES", "VX"})


# A life.


def test_refresh_brings_new_months_and_tells():
    async def check(server, link):
        heard = []
        end = link.provider.subscribe(heard.append)
        await link.provider.initialize()  # it is loaded already
        assert heard == []
        server.gateway.timeline.now += 80 * 86400 * 10**9  # past the roll of September
        await link.provider.initialize(reload=True)
        assert [str(x.id) for x in heard if str(x.id) not in {"ESU25.XCME", "ESZ25.XCME"}] == [
            "ESH26.XCME"
        ]
        end()
        end()
        heard.clear()
        await link.provider.load_async(InstrumentId.from_str("ESM26.XCME"))
        assert heard == []
        assert ids(link) == ["ESH26.XCME", "ESM26.XCME", "ESU25.XCME", "ESZ25.XCME"]

    run(check, settings={"fresh": True})


def test_the_link_refreshes_by_itself_and_failures_are_loud():
    async def check(server, link):
        heard = asyncio.Event()
        link.provider.subscribe(lambda _: heard.set())
        link.provider.listings._by_con_id.clear()  # so that the next look finds them new
        await asyncio.wait_for(heard.wait(), 5)
        assert link.refresh_failures == 0
        server.gateway.line.farms["secdefil"] = contract_desk.FarmState.BROKEN
        for _ in range(500):
            if link.refresh_failures:
                break
            await asyncio.sleep(0.02)
        assert link.refresh_failures
        assert ids(link) == ["ESU25.XCME", "ESZ25.XCME"]
        assert await link.provider.until_roll() == pytest.approx(75.4 * 86400, rel=0.01)

    run(check, refresh_mins=0.0005, patience=0.5, settings={"fresh": True})


def test_a_refresh_that_is_due_in_an_outage_waits_for_the_gateway():
    async def check(server, link):
        looks = []
        initialize = link.provider.initialize

        async def counted(**options):
            looks.append(link.client.is_ready)
            await initialize(**options)

        link.provider.initialize = counted
        server.gateway.restart(300.0)
        while link.client.is_ready:
            await asyncio.sleep(0.01)
        looks.clear()
        await asyncio.sleep(1.3)  # longer than the patience of a question
        assert looks == []
        assert link.refresh_failures == 0
        await server.advance(301)
        while len(looks) < 2:
            await asyncio.sleep(0.01)
            await server.advance(1)  # it counts messages by its own seconds
        assert all(looks)
        assert link.refresh_failures == 0

    run(check, refresh_mins=0.05 / 60, patience=1.0, settings={"fresh": True})


def test_a_refresh_that_fails_is_tried_again_soon_and_not_when_the_next_is_due(monkeypatch):
    monkeypatch.setattr(link_module, "_RETRY", 0.01)

    async def check(server, link):
        asked = []

        async def ask():
            asked.append(link.refresh_failures)
            if len(asked) < 4:
                raise RequestFailedError("details", "no", code=321)
            return "done"

        answer = await asyncio.wait_for(link._done(ask), 5)
        assert (answer, asked) == ("done", [0, 1, 2, 3])

    run(check)  # the next refresh is due in an hour


def test_the_last_one_to_leave_closes_the_door():
    async def check(server, link):
        await link.open()
        assert link.users == 2
        await link.close()
        assert link.client.is_ready
        await link.close()
        assert not link.client.is_ready
        assert links_of(asyncio.get_running_loop()) == ()
        await link.close()
        with pytest.raises(LinkClosedError, match="build the node anew"):
            await link.open()

    run(check)


def test_whoever_opens_second_hears_why_the_first_failed():
    async def main():
        async with gateway(roots=ROOTS) as server:
            port = server.port
        config_ = FuturesDataClientConfig(port=port, connection_timeout=0.2)
        link = link_for(asyncio.get_running_loop(), config_, clock=LiveClock())
        failures = await asyncio.gather(link.open(), link.open(), return_exceptions=True)
        assert [type(x) for x in failures] == [ConnectError, ConnectError]
        assert f"127.0.0.1:{port}" in str(failures[0])
        assert link.waits_for == f"a session with 127.0.0.1:{port}"
        assert links_of(asyncio.get_running_loop()) == ()

    asyncio.run(main())


def test_an_unknown_root_names_the_nearest():
    async def main():
        async with linked(roots={"ESS"}):
            pass

    with pytest.raises(UnknownRootError, match="did you mean"):
        asyncio.run(main())


def test_two_contracts_under_one_id_are_an_error():
    async def check(server, link):
        one = link.listings.by_id(InstrumentId.from_str("ESU25.XCME"))
        listings = Listings()
        listings.add(one)
        with pytest.raises(ValueError, match=r"ESU25.XCME is two contracts at IB"):
            listings.add(replace(one, contract=replace(one.contract, con_id=1)))

    run(check)
