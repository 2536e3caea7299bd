"""The client's questions about contracts and the past, answered from the cache where it can be.

Rules of this file. What may be remembered, and for how long:

    bars          whose end is given and past: for good once they have settled, before that until
                  they have (late volume, a close that becomes the settlement); never up to now
    ticks         a full answer like bars; a short one once its session is over for sure
    contracts     until the first of them that still trades has expired
    "nothing"     for a while, and never while IB's servers are reset, the line is down or a farm
                  is broken: gateways deny then what exists
    errors        only those that the table in `codes.py` calls final, and like "nothing"
    CONTFUT       never: what it stands for changes without a date

An answer that was cut off is an error of the client, so it never gets here; one whose times are out
of order is handed on and not kept. The time is the gateway's, not ours.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakValueDictionary

from pyfutures.ib.cache import Entry, key_of
from pyfutures.ib.codes import CODES
from pyfutures.ib.failures import RequestError, RequestFailedError
from pyfutures.ib.farms import FarmKind
from pyfutures.ib.history import name_of
from pyfutures.ib.messages.contracts import ContractDetails, RequestContractDetails
from pyfutures.ib.messages.history import (
    HeadTimestamp,
    HistoricalBars,
    HistoricalMidpoints,
    HistoricalQuotes,
    HistoricalSchedule,
    HistoricalTrades,
    RequestHeadTimestamp,
    RequestHistoricalBars,
    RequestHistoricalTicks,
)
from pyfutures.ib.times import BarSize, TimeError, bar_time, instant, last_trade, zone

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from pyfutures.ib.cache import Cache
    from pyfutures.ib.client import Client
    from pyfutures.ib.messages.base import Message
    from pyfutures.ib.messages.contracts import Contract
    from pyfutures.ib.messages.history import (
        Bar,
        HistoricalMidpoint,
        HistoricalQuote,
        HistoricalTrade,
    )

    type Tick = HistoricalTrade | HistoricalQuote | HistoricalMidpoint
    type _Asking = (
        RequestContractDetails
        | RequestHistoricalBars
        | RequestHistoricalTicks
        | RequestHeadTimestamp
    )

__all__ = ["CachePolicy", "CachedClient"]

_DAY: Final = dt.timedelta(days=1)
_CLOSURE: Final = dt.timedelta(days=12)  # longer than any market is closed
_LONG_AGO: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_NEVER: Final = dt.datetime(9000, 1, 1, tzinfo=dt.UTC)
# Final errors that are about an id or a moment, not about what was asked.
_PASSING: Final = frozenset({102, 320, 322})


@dataclass(frozen=True, slots=True, kw_only=True)
class CachePolicy:
    """For how long answers are good.

    Attributes
    ----------
    delay
        Seconds between two requests that the cache cannot answer, from start to start.
    lag
        How long behind the end of a span its data may still come in.
    settles
        How long behind the end of a span its data may still be revised.
    nothing_for
        How long "there is nothing" and final errors are believed; None for good.
    details_for
        How long contract details are kept at most; None: until the front contract has expired.
        Their trading hours are those of the week in which they were asked for.

    """

    delay: float = 0.0
    lag: dt.timedelta = dt.timedelta(minutes=1)
    settles: dt.timedelta = dt.timedelta(days=1)
    nothing_for: dt.timedelta | None = dt.timedelta(days=7)
    details_for: dt.timedelta | None = None

    def __post_init__(self) -> None:
        if self.delay < 0 or self.lag < dt.timedelta(0) or self.settles < self.lag:
            raise ValueError(f"{self}: not negative, and `settles` not shorter than `lag`")


@dataclass(frozen=True, slots=True)
class _Keep:
    """Whether an answer may be kept, and until when; `denies` if it says that nothing is there."""

    expires: dt.datetime | None = None
    denies: bool = False


@dataclass(frozen=True, slots=True)
class _Form[T]:
    """How an answer becomes messages, and messages become an answer."""

    pack: Callable[[T], Sequence[Message]]
    unpack: Callable[[tuple[Message, ...]], T]


class CachedClient:
    """A client whose answers are kept.

    Ids of requests are 0 in what it returns, whether it was asked for or found.

    Parameters
    ----------
    client
        The client; it must have a session.
    cache
        Where answers are kept; None keeps nothing.
    policy
        For how long.

    """

    def __init__(
        self, client: Client, cache: Cache | None, *, policy: CachePolicy | None = None
    ) -> None:
        self.client = client
        self.cache = cache
        self.policy = CachePolicy() if policy is None else policy
        self.asked = 0
        self.found = 0
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._gate = asyncio.Lock()
        self._free_at = 0.0
        self._known: tuple[dt.datetime, float] | None = None  # the gateway's time, and ours then

    # The gateway's clock.

    async def now(self, *, patience: float | None = None) -> dt.datetime:
        """Return the gateway's time.

        Raises
        ------
        RequestError
            One of its kinds.

        """
        if patience is None:
            patience = self.client.config.request_deadline
        now = await self.client.reference.server_time(patience=patience)
        self._known = now, self.client.clock.monotonic()
        return now

    async def _surely(self, moment: dt.datetime, patience: float | None = None) -> dt.datetime:
        """Return the gateway's time, asked for only where it decides whether `moment` is past."""
        if self._known is not None:
            known, then = self._known
            if known >= moment:
                # A simulated clock may run at any speed: what is known is all that is sure.
                return known + dt.timedelta(seconds=self.client.clock.monotonic() - then)
        return await self.now(patience=patience)

    # What can be asked.

    async def details(
        self, contract: Contract, *, patience: float = 0.0
    ) -> tuple[ContractDetails, ...]:
        """Return all contracts that match; empty if there is none.

        Raises
        ------
        RequestError
            One of its kinds.

        """
        request = RequestContractDetails(0, contract)

        async def ask() -> tuple[ContractDetails, ...]:
            found = await self.client.reference.details(contract, patience=patience)
            return tuple(replace(one, request_id=0) for one in found)

        return await self._answer(request, ask, _DETAILS, self._judge_details, patience=patience)

    async def bars(
        self, request: RequestHistoricalBars, *, patience: float = 0.0
    ) -> tuple[Bar, ...]:
        """Return the bars that a request asks for, ascending; empty where there is no data.

        Raises
        ------
        RequestError
            One of its kinds.
        TimeError
            For an end that says no zone.

        """
        request = replace(request, request_id=0, keep_up_to_date=False)
        end = _moment(request.end)

        def judge(bars: tuple[Bar, ...], now: dt.datetime) -> _Keep | None:
            if end is None or any(a.date >= b.date for a, b in pairwise(bars)):
                return None
            return self._judge_span(end, now, denies=not bars)

        return await self._answer(
            request,
            lambda: self.client.history.ask_bars(request, patience=patience),
            _Form(
                lambda bars: (HistoricalBars(0, bars),),
                lambda messages: _first(messages, HistoricalBars).bars,
            ),
            judge,
            settled_at=end,
            patience=patience,
        )

    async def schedule(
        self, request: RequestHistoricalBars, *, patience: float = 0.0
    ) -> HistoricalSchedule:
        """Return the trading sessions that a request for `SCHEDULE` asks for.

        Raises
        ------
        RequestError
            One of its kinds.
        TimeError
            For an end that says no zone.

        """
        request = replace(
            request, request_id=0, bar_size=BarSize.DAY_1, show="SCHEDULE", keep_up_to_date=False
        )
        end = _moment(request.end)

        async def ask() -> HistoricalSchedule:
            found = await self.client.history.schedule(
                request.contract, duration=request.duration, end=end, use_rth=request.use_rth,
                patience=patience,
            )  # fmt: skip
            return replace(found, request_id=0)

        return await self._answer(
            request,
            ask,
            _Form(lambda found: (found,), lambda messages: _first(messages, HistoricalSchedule)),
            lambda _, now: None if end is None else self._judge_span(end, now),
            settled_at=end,
            patience=patience,
        )

    async def head(
        self, request: RequestHeadTimestamp, *, patience: float = 0.0
    ) -> dt.datetime | dt.date:
        """Return the first instant with data.

        Raises
        ------
        RequestError
            One of its kinds.

        """
        request = replace(request, request_id=0, format_date=2)
        return await self._answer(
            request,
            lambda: self.client.history.head(
                request.contract, show=request.show, use_rth=request.use_rth, patience=patience
            ),
            _Form(
                lambda at: (HeadTimestamp(0, _text_of(at)),),
                lambda messages: bar_time(_first(messages, HeadTimestamp).text),
            ),
            lambda _at, _now: _Keep(),
            settled_at=_LONG_AGO,
            patience=patience,
        )

    async def ticks(
        self, request: RequestHistoricalTicks, *, patience: float = 0.0
    ) -> tuple[Tick, ...]:
        """Return the trades, quotes or midpoints that a request asks for, ascending.

        Raises
        ------
        RequestError
            One of its kinds.
        TimeError
            For a start or an end that says no zone.
        ValueError
            Unless one of them is given, and `show` is TRADES, BID_ASK or MIDPOINT.

        """
        if request.show not in _TICKS:
            raise ValueError(f"ticks of `{request.show}`: there are {', '.join(_TICKS)}")
        form = _TICKS[request.show]
        request = replace(request, request_id=0)
        start, end = _moment(request.start), _moment(request.end)

        def judge(ticks: tuple[Tick, ...], now: dt.datetime) -> _Keep | None:
            if any(a.time > b.time for a, b in pairwise(ticks)):
                return None
            if end is not None:
                return self._judge_span(end, now, denies=not ticks)
            if not ticks:
                return self._judge_span((start or _NEVER) + _CLOSURE, now, denies=True)
            last = dt.datetime.fromtimestamp(ticks[-1].time, dt.UTC)
            # No answer spans two sessions: a short one is whole when its session is over.
            return self._judge_span(last if len(ticks) >= request.count else last + _DAY, now)

        return await self._answer(
            request,
            lambda: self._ask_ticks(request, (start, end), patience),
            form,
            judge,
            settled_at=None if (last := end or start) is None else last + 2 * _DAY,
            patience=patience,
        )

    async def _ask_ticks(
        self,
        request: RequestHistoricalTicks,
        span: tuple[dt.datetime | None, dt.datetime | None],
        patience: float,
    ) -> tuple[Tick, ...]:
        history, contract, count = self.client.history, request.contract, request.count
        start, end = span
        if request.show == "TRADES":
            return await history.trades(
                contract, start=start, end=end, count=count, use_rth=request.use_rth,
                patience=patience,
            )  # fmt: skip
        if request.show == "MIDPOINT":
            return await history.midpoints(
                contract, start=start, end=end, count=count, use_rth=request.use_rth,
                patience=patience,
            )  # fmt: skip
        return await history.quotes(
            contract, start=start, end=end, count=count, use_rth=request.use_rth,
            ignore_size=request.ignore_size, patience=patience,
        )  # fmt: skip

    # What may be kept.

    def _judge_span(
        self, end: dt.datetime, now: dt.datetime, *, denies: bool = False
    ) -> _Keep | None:
        if end + self.policy.lag > now:
            return None
        settled = end + self.policy.settles
        if denies:
            return _Keep(self._forgotten(now), denies=True)
        return _Keep(None if settled <= now else settled)

    def _judge_details(self, found: tuple[ContractDetails, ...], now: dt.datetime) -> _Keep | None:
        if not found:
            return _Keep(self._forgotten(now), denies=True)
        try:
            ends = [self._end_of(one) for one in found]
        except TimeError:
            return None  # whoever reads them will say what is wrong with them
        alive = [end for end in ends if end is not None and end > now]
        expires = min(alive, default=None)
        if self.policy.details_for is not None:
            expires = min(filter(None, (expires, now + self.policy.details_for)))
        return _Keep(expires)

    def _end_of(self, one: ContractDetails) -> dt.datetime | None:
        contract = one.contract
        if not contract.last_trade:
            return None  # not a future
        end = last_trade(
            contract.last_trade,
            one.time_zone,
            date=contract.last_trade_date,
            login_zone=self.client.config.login_zone,
        )
        if end.instant is not None:
            return end.instant
        where = zone(one.time_zone) if one.time_zone else dt.UTC
        return dt.datetime.combine(end.date + _DAY, dt.time(), where).astimezone(dt.UTC)

    def _forgotten(self, now: dt.datetime) -> dt.datetime | None:
        return None if self.policy.nothing_for is None else now + self.policy.nothing_for

    @property
    def _is_doubtful(self) -> bool:
        """Whether a gateway may deny now what exists."""
        client = self.client
        return (
            client.in_reset
            or not client.is_ready
            or any(client.farms.is_broken(kind) for kind in FarmKind)
        )

    async def _answer[T](  # noqa: PLR0913 - the one way that all questions go
        self,
        request: _Asking,
        ask: Callable[[], Awaitable[T]],
        form: _Form[T],
        judge: Callable[[T, dt.datetime], _Keep | None],
        *,
        patience: float,
        settled_at: dt.datetime | None = None,
    ) -> T:
        """Return what is kept, else what is asked, and keep it if it may be."""
        cache, contract = self.cache, request.contract
        if cache is None or contract.sec_type == "CONTFUT" or _is_up_to_now(request):
            return await self._asked(ask)
        key = key_of(request, ",".join(self.client.accounts))
        # Of two that ask the same at once one asks, and the other finds the answer.
        lock = self._locks.setdefault(key, asyncio.Lock())
        async with lock:
            entry = cache.get(key, await self._surely(_LONG_AGO, patience))
            if entry is not None:
                self.found += 1
                if entry.code:
                    what = f"{type(request).__name__} of {name_of(contract)}, as answered before"
                    raise RequestFailedError(what, entry.text, code=entry.code)
                return form.unpack(entry.messages)
            doubtful = self._is_doubtful
            try:
                answer = await self._asked(ask)
            except RequestFailedError as error:
                if self._is_final(error) and not (doubtful or self._is_doubtful):
                    now = await self._surely(_LONG_AGO)
                    failed = Entry((), error.code, error.text, self._forgotten(now))
                    cache.put(key, request, failed, now=now)
                raise
            doubtful = doubtful or self._is_doubtful
            try:
                now = await self._surely((settled_at or _NEVER) + self.policy.settles)
            except RequestError:
                return answer  # the answer is here; only whether to keep it cannot be told
            keep = judge(answer, now)
            if keep is not None and not (keep.denies and doubtful):
                entry = Entry(tuple(form.pack(answer)), expires=keep.expires)
                cache.put(key, request, entry, now=now)
            return answer

    @staticmethod
    def _is_final(error: RequestFailedError) -> bool:
        # A code that is not in the table fails its request, but nobody knows whether for good.
        return error.is_final and error.code in CODES and error.code not in _PASSING

    async def _asked[T](self, ask: Callable[[], Awaitable[T]]) -> T:
        clock = self.client.clock
        async with self._gate:
            wait = self._free_at - clock.monotonic()
            if wait > 0:
                await clock.sleep(wait)
            self._free_at = clock.monotonic() + self.policy.delay
        self.asked += 1
        return await ask()


def _is_up_to_now(request: _Asking) -> bool:
    """Whether the answer is another one at any time."""
    if isinstance(request, RequestHistoricalBars):
        return not request.end
    return isinstance(request, RequestHistoricalTicks) and not (request.start or request.end)


def _moment(text: str) -> dt.datetime | None:
    return instant(text) if text else None


def _text_of(at: dt.datetime | dt.date) -> str:
    if isinstance(at, dt.datetime):
        return str(int(at.timestamp()))
    return f"{at.year:04d}{at:%m%d}"


def _first[T](messages: Sequence[Message], kind: type[T]) -> T:
    return next(message for message in messages if isinstance(message, kind))


_DETAILS: Final = _Form[tuple[ContractDetails, ...]](
    tuple, lambda messages: tuple(one for one in messages if isinstance(one, ContractDetails))
)


def _form(kind: type[HistoricalTrades | HistoricalQuotes | HistoricalMidpoints]) -> _Form[Any]:
    return _Form(
        lambda ticks: (kind(0, ticks, done=True),), lambda messages: _first(messages, kind).ticks
    )


_TICKS: Final[dict[str, _Form[Any]]] = {
    "TRADES": _form(HistoricalTrades),
    "BID_ASK": _form(HistoricalQuotes),
    "MIDPOINT": _form(HistoricalMidpoints),
}
