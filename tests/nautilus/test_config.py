"""Configs: what they refuse, when two are the same, and that one connection serves both clients."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from nautilus_trader.common.component import LiveClock
from nautilus_trader.common.config import ImportableConfig
from nautilus_trader.config import InstrumentProviderConfig
from nautilus_trader.model.identifiers import AccountId, InstrumentId

from pyfutures.ib.versions import Versions
from pyfutures.nautilus.config import (
    BarStamp,
    Disagreement,
    FuturesDataClientConfig,
    FuturesExecClientConfig,
    FuturesInstrumentProviderConfig,
    Limit,
    MarketDataType,
    MonthsSelection,
    VenueForm,
)
from pyfutures.nautilus.link import LinkConflictError, client_config, link_for, links_of

ES = FuturesInstrumentProviderConfig(roots=frozenset({"ES"}))


def provider(**fields):
    return FuturesInstrumentProviderConfig(**fields)


OTHERS = [
    {"load_all": True},
    {"load_ids": frozenset({InstrumentId.from_str("ESH26.XCME")})},
    {"log_warnings": False},
    {"catalog": ("specs",)},
    {"roots": frozenset({"ES", "NQ"})},
    {"months": MonthsSelection(listed=2)},
    {"venue": VenueForm.IB},
    {"on_disagreement": Disagreement.WARN},
    {"include_expired": True},
    {"refresh_mins": 30.0},
]


@pytest.mark.parametrize("fields", OTHERS, ids=[next(iter(row)) for row in OTHERS])
def test_provider_configs_differ_if_any_field_does(fields):
    one, same, other = provider(**fields), provider(**fields), provider()
    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert hash(one) != hash(other)
    assert len({one, same, other}) == 2


def test_the_base_class_overlooks_the_fields_of_its_children():
    # Why ours has an equality of its own; if this fails, it can go.
    base = InstrumentProviderConfig
    assert base.__eq__(provider(), provider(venue=VenueForm.IB))
    assert base.__hash__(provider()) == base.__hash__(provider(venue=VenueForm.IB))
    with pytest.raises(TypeError, match="unhashable"):
        base.__hash__(base(filters={"a": [1]}))


def test_client_configs_are_hashable_with_their_dicts():
    one = FuturesExecClientConfig(limits={"ES": Limit(max_position=3)})
    same = FuturesExecClientConfig(limits={"ES": Limit(max_position=3)})
    other = FuturesExecClientConfig(limits={"ES": Limit(max_position=4)})
    assert one == same != other
    assert len({one, same, other}) == 2
    assert FuturesDataClientConfig() != FuturesExecClientConfig()


def test_json_says_everything():
    text = """{"host": "gateway", "port": 4001, "client_id": 7, "server_versions": [176, 178],
        "market_data_type": "delayed", "bar_stamp": "open", "routing": {"default": true},
        "instrument_provider": {"roots": ["ES"], "months": {"listed": 4, "carry": false},
            "load_ids": ["ESH26.XCME"], "venue": "ib", "on_disagreement": "warn"}}"""
    config = FuturesDataClientConfig.parse(text)
    assert (config.market_data_type, config.bar_stamp) == (MarketDataType.DELAYED, BarStamp.OPEN)
    assert config.instrument_provider == provider(
        roots=frozenset({"ES"}),
        months=MonthsSelection(listed=4, carry=False),
        load_ids=frozenset({InstrumentId.from_str("ESH26.XCME")}),
        venue=VenueForm.IB,
        on_disagreement=Disagreement.WARN,
    )
    assert FuturesDataClientConfig.parse(config.json()) == config
    assert client_config(config).versions == Versions(176, 178)
    path = FuturesDataClientConfig.fully_qualified_name()
    assert path == "pyfutures.nautilus.config:FuturesDataClientConfig"
    assert ImportableConfig(path=path, config=config.json_primitives()).create() == config


BAD = [
    ('{"prot": 4002}', "unknown field `prot`"),
    ('{"port": "4002"}', r"Expected `int`, got `str` - at `\$.port`"),
    ('{"port": 0}', r"`int` >= 1 - at `\$.port`"),
    ('{"bar_stamp": "end"}', r"Invalid enum value 'end' - at `\$.bar_stamp`"),
    ('{"instrument_provider": {"root": "ES"}}', r"`root` - at `\$.instrument_provider`"),
    (
        '{"instrument_provider": {"filters": {"a": 1}}}',
        r"`filters` has no meaning .*\$\.instrument",
    ),
    ('{"instrument_provider": {"months": {"listed": -1}}}', r"at `\$.instrument_provider.months"),
]


@pytest.mark.parametrize(("text", "words"), BAD, ids=[row[1] for row in BAD])
def test_what_cannot_be_is_refused_with_its_path(text, words):
    with pytest.raises(msgspec.ValidationError, match=words):
        FuturesDataClientConfig.parse(text)


@pytest.mark.parametrize("field", ["venue", "on_disagreement"])
def test_a_word_that_python_gives_is_one_of_the_words(field):
    with pytest.raises(ValueError, match=f"`{field}` 'mice': it is (mic or ib|error or warn)"):
        FuturesInstrumentProviderConfig(**{field: "mice"})


def test_a_limit_is_named_with_its_path():
    with pytest.raises(
        msgspec.ValidationError, match=r"unknown field `max` - at `\$.limits\[...\]`"
    ):
        FuturesExecClientConfig.parse('{"limits": {"ES": {"max": 1}}}')


def test_both_clients_of_a_gateway_share_a_link_and_no_others_do():
    async def main():
        loop, clock = asyncio.get_running_loop(), LiveClock()

        def link(kind=FuturesDataClientConfig, **fields):
            return link_for(loop, kind(**{"instrument_provider": ES, **fields}), clock=clock)

        data = link(market_data_type=MarketDataType.DELAYED)
        assert link(FuturesExecClientConfig, read_only=True) is data
        assert len({data, link(port=4001), link(client_id=2), link(host="other")}) == 4
        assert len(links_of(loop)) == 4
        with pytest.raises(LinkConflictError, match=r"request_timeout 30\.0 and 5\.0") as caught:
            link(FuturesExecClientConfig, request_timeout=5.0)
        assert "127.0.0.1:4002 with client id 1" in str(caught.value)
        with pytest.raises(LinkConflictError, match=r"instrument_provider\.venue"):
            link(instrument_provider=provider(roots=frozenset({"ES"}), venue=VenueForm.IB))
        await data.close()  # nobody opened it
        return data

    one, other = asyncio.run(main()), asyncio.run(main())
    assert one is not other  # each loop has its own


def test_a_loop_takes_its_links_along():
    from pyfutures.nautilus import link

    loops = []

    async def main():
        loop = asyncio.get_running_loop()
        loops.append(loop)
        link_for(loop, FuturesDataClientConfig(), clock=LiveClock())
        return list(link._LINKS)

    asyncio.run(main())  # a link that nobody ever opens
    assert asyncio.run(main()) == [loops[1]]


def test_an_account_id_ends_its_client_id_at_the_first_hyphen():
    # Why two gateways in a node are PYF and PYF2, not PYF-2.
    assert AccountId("PYF-2-DU1234567").get_issuer() == "PYF"
    assert AccountId("PYF2-DU1234567").get_issuer() == "PYF2"
