"""How the adapter is set up in a node: frozen values that JSON and YAML can spell.

Rules of this file. Names and forms follow nautilus_trader: msgspec structs, unknown fields refused
with their path. Two configs are equal if every field is, which the base classes do not promise: two
clients share a connection and a provider only if they mean the same one.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final

import msgspec
from nautilus_trader.common.config import msgspec_encoding_hook
from nautilus_trader.config import (
    InstrumentProviderConfig,
    LiveDataClientConfig,
    LiveExecClientConfig,
    NautilusConfig,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
)

__all__ = [
    "BarStamp",
    "Disagreement",
    "FuturesDataClientConfig",
    "FuturesExecClientConfig",
    "FuturesInstrumentProviderConfig",
    "Limit",
    "MarketDataType",
    "MonthsSelection",
    "VenueForm",
]

_Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]


class VenueForm(StrEnum):
    """What stands behind the point of an instrument id."""

    MIC = "mic"  # ESH26.XCME
    IB = "ib"  # ESH26.CME


class Disagreement(StrEnum):
    """What becomes of a difference between a spec and the broker."""

    ERROR = "error"
    WARN = "warn"


class MarketDataType(StrEnum):
    """Which market data are asked for."""

    LIVE = "live"
    FROZEN = "frozen"
    DELAYED = "delayed"
    DELAYED_FROZEN = "delayed_frozen"


class BarStamp(StrEnum):
    """Which end of an intraday bar its `ts_event` is; IB itself stamps the start."""

    CLOSE = "close"
    OPEN = "open"


def _text(config: object) -> bytes:
    """Return every field in one order, those of dicts and nested structs too."""
    return msgspec.json.encode(config, enc_hook=msgspec_encoding_hook, order="deterministic")


def _same(one: object, other: object) -> bool:
    return type(one) is type(other) and _text(one) == _text(other)


class MonthsSelection(NautilusConfig, frozen=True):  # type: ignore[misc, call-arg] # nautilus has no types
    """Which months of a root are loaded: the union of what is asked for.

    Attributes
    ----------
    current, forward, carry, previous
        The places in the chain at this instant; of roots that have a `roll`.
    held
        So many months of the hold cycle, from the current one.
    listed
        So many listed months, from the nearest that still trades. A root without `roll` has only
        these; with `listed` 0 the nearest one of it is loaded.
    all
        Every listed month that the broker has.

    """

    current: bool = True
    forward: bool = True
    carry: bool = True
    previous: bool = False
    held: NonNegativeInt = 0
    listed: NonNegativeInt = 0
    all: bool = False


class FuturesInstrumentProviderConfig(InstrumentProviderConfig, frozen=True, kw_only=True):  # type: ignore[misc, call-arg] # nautilus has no types
    """Which contracts are loaded, and what they are called.

    Attributes
    ----------
    load_all
        Every root of the catalogue that IB has; `roots` need not be given then.
    load_ids
        Single contracts, such as ``ESH26.XCME``.
    catalog
        Folders of specs, laid over the built-in catalogue in this order.
    roots
        The roots to load.
    months
        How far along their chains.
    venue
        ``mic`` (ESH26.XCME) or ``ib`` (ESH26.CME).
    on_disagreement
        Whether a difference between spec and broker is an error, or a warning: then multiplier,
        tick and magnifier are the broker's, and the earlier last trade counts.
    include_expired
        Ask for expired contracts too, which IB has for about two years.
    refresh_mins
        Minutes between two looks at the broker's contracts, 0 for never; rolls cause one as well.

    """

    catalog: tuple[str, ...] = ()
    roots: frozenset[str] | None = None
    months: MonthsSelection = MonthsSelection()
    venue: VenueForm = VenueForm.MIC
    on_disagreement: Disagreement = Disagreement.ERROR
    include_expired: bool = False
    refresh_mins: NonNegativeFloat = 60.0

    def __post_init__(self) -> None:
        """Refuse what other adapters have and this one would silently leave out."""
        for name in ("filters", "filter_callable"):
            if getattr(self, name) is not None:
                raise ValueError(
                    f"`{name}` has no meaning here: name `roots`, `months` or `load_ids`"
                )
        # JSON and YAML are checked by their types; from Python anything may come.
        for name, kind in (("venue", VenueForm), ("on_disagreement", Disagreement)):
            value = getattr(self, name)
            if value not in set(kind):
                raise ValueError(f"`{name}` {value!r}: it is {' or '.join(kind)}")

    def __eq__(self, other: object) -> bool:
        """Whether every field is the same."""
        return _same(self, other)

    def __hash__(self) -> int:
        """Return a hash over every field."""
        return hash(_text(self))


class Limit(NautilusConfig, frozen=True):  # type: ignore[misc, call-arg] # nautilus has no types
    """The most contracts of a root in one order, and held long or short; None for no limit."""

    max_order_size: PositiveInt | None = None
    max_position: NonNegativeInt | None = None


class FuturesDataClientConfig(LiveDataClientConfig, frozen=True, kw_only=True):  # type: ignore[misc, call-arg] # nautilus has no types
    """Market data of one gateway.

    Attributes
    ----------
    instrument_provider
        Which contracts; the same as that of the execution client of the gateway.
    host, port, client_id
        The gateway, and the id under which it knows us. The execution client with the same three
        shares the connection.
    server_versions
        The lowest and the highest server version to offer.
    connection_timeout
        Seconds to wait for the first session.
    request_timeout, history_timeout
        Seconds to wait for an answer.
    login_zone
        The time zone chosen at the gateway's login, for times that name none.
    market_data_type
        Live, frozen or delayed quotes.
    tick_by_tick_quotes
        Whether every quote is asked for, which IB has for a few contracts at a time only and never
        delayed; else what changed, four times a second. The params of a subscription can say it
        too: ``tick_by_tick``.
    bar_stamp
        Which end of an intraday bar is its `ts_event`: the scheduled close, or the open. A daily
        bar has the close of its session in either case. `ts_init` of a bar of the past is its
        close.
    use_regular_trading_hours
        Only the regular hours, in bars of the past and live.
    stale_after_secs
        A feed that is silent so long within its trading hours is reported, and subscribed again;
        None for never.
    ignore_quote_size_changes
        Drop quotes whose prices are those of the quote before.

    """

    instrument_provider: FuturesInstrumentProviderConfig = FuturesInstrumentProviderConfig()
    host: str = "127.0.0.1"
    port: _Port = 4002
    client_id: NonNegativeInt = 1
    server_versions: tuple[int, int] = (176, 200)
    connection_timeout: PositiveFloat = 60.0
    request_timeout: PositiveFloat = 30.0
    history_timeout: PositiveFloat = 90.0
    login_zone: str | None = None
    market_data_type: MarketDataType = MarketDataType.LIVE
    tick_by_tick_quotes: bool = False
    bar_stamp: BarStamp = BarStamp.CLOSE
    use_regular_trading_hours: bool = False
    stale_after_secs: PositiveFloat | None = 300.0
    ignore_quote_size_changes: bool = False

    def __eq__(self, other: object) -> bool:
        """Whether every field is the same."""
        return _same(self, other)

    def __hash__(self) -> int:
        """Return a hash over every field."""
        return hash(_text(self))


class FuturesExecClientConfig(LiveExecClientConfig, frozen=True, kw_only=True):  # type: ignore[misc, call-arg] # nautilus has no types
    """Orders and accounts of one gateway.

    Attributes
    ----------
    instrument_provider, host, port, client_id, server_versions, connection_timeout
        As for the data client.
    request_timeout, history_timeout, login_zone
        As for the data client.
    account_id
        The account to trade, ``DU1234567``. None if the login has only one.
    allow_live
        Whether an account that is not a paper account may be traded.
    read_only
        Refuse every order; reports and account values flow.
    limits
        What may be ordered and held, by root.
    commission_timeout
        Seconds to hold a fill back until its commission is known.

    """

    instrument_provider: FuturesInstrumentProviderConfig = FuturesInstrumentProviderConfig()
    host: str = "127.0.0.1"
    port: _Port = 4002
    client_id: NonNegativeInt = 1
    server_versions: tuple[int, int] = (176, 200)
    connection_timeout: PositiveFloat = 60.0
    request_timeout: PositiveFloat = 30.0
    history_timeout: PositiveFloat = 90.0
    login_zone: str | None = None
    account_id: str | None = None
    allow_live: bool = False
    read_only: bool = False
    limits: dict[str, Limit] = {}  # noqa: RUF012 - msgspec copies it
    commission_timeout: PositiveFloat = 5.0

    def __eq__(self, other: object) -> bool:
        """Whether every field is the same."""
        return _same(self, other)

    def __hash__(self) -> int:
        """Return a hash over every field."""
        return hash(_text(self))


#: What the two clients of one connection must agree on.
SHARED: Final = (
    "server_versions",
    "connection_timeout",
    "request_timeout",
    "history_timeout",
    "login_zone",
    "instrument_provider",
)


def differences(one: NautilusConfig, other: NautilusConfig) -> dict[str, tuple[Any, Any]]:
    """Return the fields of one connection on which two clients disagree, with both values."""
    found: dict[str, tuple[Any, Any]] = {}
    for name in SHARED:
        ours, theirs = getattr(one, name), getattr(other, name)
        if ours == theirs:
            continue
        if name == "instrument_provider":
            found |= {
                f"{name}.{field}": (getattr(ours, field, None), getattr(theirs, field, None))
                for field in ours.__struct_fields__
                if getattr(ours, field, None) != getattr(theirs, field, None)
            } or {name: (ours, theirs)}
        else:
            found[name] = (ours, theirs)
    return found
