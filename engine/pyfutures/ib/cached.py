"""The client's questions about contracts and the past, answered from the cache where it can be.

What may be kept, and for how long, is in `keeping.py`; of two that ask the same at once one asks.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakValueDictionary

from pyfutures.ib.cache import Entry, key_of
from pyfutures.ib.failures import RequestError, RequestFailedError
from pyfutures.ib.farms import FarmKind
from pyfutures.ib.history import name_of
from pyfutures.ib.keeping import CachePolicy, Keep, is_final, is_never_kept, moment
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
from pyfutures.ib.times import BarSize, bar_time

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from pyfutures.ib.cache import Cache
    from pyfutures.ib.client import Client
    from pyfutures.ib.keeping import Asking, Tick
    from pyfutures.ib.messages.base import Message
    from pyfutures.ib.messages.contracts import Contract
    from pyfutures.ib.messages.history import Bar

__all__ = ["CachePolicy", "CachedClient"]

_DAY: Final = dt.timedelta(days=1)
_LONG_AGO: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_NEVER: Final = dt.datetime(9000, 1, 1, tzinfo=dt.UTC)


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

        return await self._answer(
            request,
            ask,
            _DETAILS,
            lambda found, now: self.policy.details(
                found, now=now, login_zone=self.client.config.login_zone
            ),
            patience=patience,
        )

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
        end = moment(request.end)
        return await self._answer(
            request,
            lambda: self.client.history.ask_bars(request, patience=patience),
            _Form(
                lambda bars: (HistoricalBars(0, bars),),
                lambda messages: _first(messages, HistoricalBars).bars,
            ),
            lambda bars, now: self.policy.bars(bars, end=end, now=now),
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
        end = moment(request.end)

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
            lambda _, now: self.policy.span(end, now),
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
            lambda _at, _now: Keep(),
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
        request = replace(request, request_id=0)
        start, end = moment(request.start), moment(request.end)
        return await self._answer(
            request,
            lambda: self._ask_ticks(request, (start, end), patience),
            _TICKS[request.show],
            lambda ticks, now: self.policy.ticks(ticks, asked=request, now=now),
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
        request: Asking,
        ask: Callable[[], Awaitable[T]],
        form: _Form[T],
        judge: Callable[[T, dt.datetime], Keep | None],
        *,
        patience: float,
        settled_at: dt.datetime | None = None,
    ) -> T:
        """Return what is kept, else what is asked, and keep it if it may be."""
        cache = self.cache
        if cache is None or is_never_kept(request):
            return await self._asked(ask)
        key = key_of(request, ",".join(self.client.accounts))
        # Of two that ask the same at once one asks, and the other finds the answer.
        lock = self._locks.setdefault(key, asyncio.Lock())
        async with lock:
            entry = cache.get(key, await self._surely(_LONG_AGO, patience))
            if entry is not None:
                self.found += 1
                if entry.code:
                    asked = f"{type(request).__name__} of {name_of(request.contract)}"
                    what = f"{asked}, as answered before"
                    raise RequestFailedError(what, entry.text, code=entry.code)
                return form.unpack(entry.messages)
            doubtful = self._is_doubtful
            try:
                answer = await self._asked(ask)
            except RequestFailedError as error:
                if is_final(error) and not (doubtful or self._is_doubtful):
                    now = await self._surely(_LONG_AGO)
                    failed = Entry((), error.code, error.text, self.policy.nothing(now).expires)
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

    async def _asked[T](self, ask: Callable[[], Awaitable[T]]) -> T:
        clock = self.client.clock
        async with self._gate:
            wait = self._free_at - clock.monotonic()
            if wait > 0:
                await clock.sleep(wait)
            self._free_at = clock.monotonic() + self.policy.delay
        self.asked += 1
        return await ask()


def _text_of(at: dt.datetime | dt.date) -> str:
    if isinstance(at, dt.datetime):
        return str(int(at.timestamp()))
    return f"{at.year:04d}{at:%m%d}"


def _first[T](messages: Sequence[Message], kind: type[T]) -> T:
    return next(message for message in messages if isinstance(message, kind))


# Python 3.12 cannot make a frozen, slotted generic by its subscript.
_DETAILS: Final[_Form[tuple[ContractDetails, ...]]] = _Form(
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
