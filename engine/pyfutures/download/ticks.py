"""Trades, quotes or midpoints of one contract over any span: whole, in order, each one once.

Theory of operation. Ticks are asked for from an instant on, a thousand at a time. A gateway
completes the last second of an answer, so the next one starts with the second after it. No answer
spans two sessions: an empty one means that the session has no more, and the next one is asked for
from its open. Every session starts anew at its open, hence a longer download finds the answers of a
shorter one in the cache.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from pyfutures.download.bars import check_span, span_of
from pyfutures.download.contracts import find_contract, find_head
from pyfutures.download.errors import DisorderError
from pyfutures.download.windows import TradingTimes, at_minute
from pyfutures.ib.messages.history import (
    HistoricalMidpoint,
    HistoricalQuote,
    HistoricalTrade,
    RequestHeadTimestamp,
    RequestHistoricalTicks,
)
from pyfutures.ib.times import format_utc

if TYPE_CHECKING:
    from pyfutures.chain import Chain
    from pyfutures.download.bars import Progress
    from pyfutures.download.contracts import FoundContract
    from pyfutures.ib.cached import CachedClient
    from pyfutures.months import ContractMonth

    type Tick = HistoricalTrade | HistoricalQuote | HistoricalMidpoint

__all__ = ["TickDownload", "TickKind", "TicksWanted", "download_ticks"]

_DAY: Final = dt.timedelta(days=1)
_SECOND: Final = dt.timedelta(seconds=1)


class TickKind(StrEnum):
    """What a tick is of."""

    TRADES = "trades"
    QUOTES = "quotes"
    MIDPOINTS = "midpoints"


_SHOWS: Final = {
    TickKind.TRADES: "TRADES",
    TickKind.QUOTES: "BID_ASK",
    TickKind.MIDPOINTS: "MIDPOINT",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TicksWanted:
    """What to download: the ticks from `start` to before `end`, both with time zones.

    None: from the first there is, and to now. `count` is how many an answer may have, 1000 at most.

    Raises
    ------
    ValueError
        For a time without a zone, a span that is none, or a count that is not had.

    """

    kind: TickKind
    start: dt.datetime | None = None
    end: dt.datetime | None = None
    use_rth: bool = False
    count: int = 1000
    patience: float = 900.0

    def __post_init__(self) -> None:
        check_span(self.start, self.end)
        if not 0 < self.count <= 1000:
            raise ValueError(f"count {self.count}: an answer has 1 to 1000 ticks")


@dataclass(frozen=True, slots=True)
class TickDownload:
    """What came of it. Prices of ticks are as the gateway quotes them; see `price`."""

    contract: FoundContract
    wanted: TicksWanted
    ticks: tuple[Tick, ...]
    notes: tuple[str, ...] = ()

    def price(self, quote: float) -> Decimal:
        """Return a quote of the gateway as a price in currency, exactly."""
        return Decimal(repr(quote)) / self.contract.magnifier


async def download_ticks(
    client: CachedClient,
    chain: Chain,
    month: ContractMonth,
    wanted: TicksWanted,
    *,
    progress: Progress | None = None,
) -> TickDownload:
    """Return the ticks of one contract.

    Parameters
    ----------
    client
        A client with a session; its cache is what makes a download resumable.
    chain
        The root.
    month
        A listed month.
    wanted
        What to download.
    progress
        Called behind each answer, in seconds of the span.

    Raises
    ------
    ContractNotFoundError
        If the gateway does not have the contract.
    DisorderError
        If an answer is not in order.
    FutureError
        If the end is in the future.
    ChainError
        If the month is not listed.
    RequestError
        One of its kinds, once patience is over.

    """
    now = await client.now(patience=wanted.patience)
    found = await find_contract(client, chain, month, patience=wanted.patience)
    head = None
    if wanted.start is None:
        show = "TRADES" if wanted.kind is TickKind.TRADES else "BID"
        request = RequestHeadTimestamp(0, found.contract, use_rth=wanted.use_rth, show=show)
        head = await find_head(client, request, patience=wanted.patience)
    start, end = span_of(found, (wanted.start, wanted.end), now, head, slack=_SECOND)
    times = TradingTimes(chain)
    ticks: list[Tick] = []
    total = int((end - start).total_seconds())
    for since, until in _stretches(times, start, end):
        cursor = since
        while cursor < until:
            answer = await _ask(client, found, wanted, cursor)
            mine = [one for one in answer if one.time < until.timestamp()]
            ticks += mine
            if not mine or len(mine) < len(answer):
                break
            cursor = dt.datetime.fromtimestamp(mine[-1].time, dt.UTC) + _SECOND
        if progress is not None:
            progress(int((until - start).total_seconds()), total)
    return TickDownload(found, wanted, tuple(ticks), found.notes)


def _stretches(
    times: TradingTimes, start: dt.datetime, end: dt.datetime
) -> list[tuple[dt.datetime, dt.datetime]]:
    """Return the spans to ask through: sessions, each up to the next one, else days."""
    if start.microsecond:  # ticks have whole seconds
        start = start.replace(microsecond=0) + _SECOND
    sessions = times.between(start.date() - _DAY, end.date() + 2 * _DAY)
    opens = [at_minute(session.stretches[0][0]) for session in sessions]
    if not times.are_known:
        days = range((end.date() - start.date()).days + 2)
        opens = [dt.datetime.combine(start.date() + n * _DAY, dt.time(), dt.UTC) for n in days]
    edges = [start, *(one for one in opens if start < one < end), end]
    return [pair for pair in pairwise(edges) if pair[0] < pair[1]]


async def _ask(
    client: CachedClient, found: FoundContract, wanted: TicksWanted, start: dt.datetime
) -> tuple[Tick, ...]:
    request = RequestHistoricalTicks(
        0, found.contract, format_utc(start), "", wanted.count, _SHOWS[wanted.kind],
        use_rth=wanted.use_rth,
    )  # fmt: skip
    answer = await client.ticks(request, patience=wanted.patience)
    name = f"{found.chain.root} {found.month}"
    for a, b in pairwise(answer):
        if b.time < a.time:
            raise DisorderError(f"{name}: a tick of {b.time} behind one of {a.time}")
    # Gateways answer in whole seconds; what lies before the start was had before.
    return tuple(one for one in answer if one.time >= start.timestamp())
