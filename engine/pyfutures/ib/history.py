"""The past, asked for: bars, ticks, schedules, the first instant; and bars kept up to date."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pyfutures.ib import versions as sv
from pyfutures.ib.answers import First
from pyfutures.ib.bar_feed import BarFeed, BarUpdate
from pyfutures.ib.messages.history import (
    Bar,
    CancelHeadTimestamp,
    CancelHistoricalBars,
    HeadTimestamp,
    HistoricalBars,
    HistoricalBarsEnd,
    HistoricalMidpoint,
    HistoricalMidpoints,
    HistoricalQuote,
    HistoricalQuotes,
    HistoricalSchedule,
    HistoricalTrade,
    HistoricalTrades,
    RequestHeadTimestamp,
    RequestHistoricalBars,
    RequestHistoricalTicks,
)
from pyfutures.ib.times import BarSize, bar_time, format_utc

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from pyfutures.ib.answers import Collector
    from pyfutures.ib.bar_feed import Closes, ServerTime
    from pyfutures.ib.feeds import Feeds
    from pyfutures.ib.messages.base import Response
    from pyfutures.ib.messages.contracts import Contract
    from pyfutures.ib.requests import Requests
    from pyfutures.ib.subscriptions import Subscription

__all__ = ["History", "name_of"]

_NONE: Final[frozenset[int]] = frozenset()


class _Bars:
    """The bars of one answer: one message up to version 195, one and an end from 196."""

    means_nothing = _NONE

    def __init__(self, version: int | None) -> None:
        self._needs_end = version is not None and version >= sv.HISTORICAL_END
        self._bars: list[Bar] = []

    def add(self, message: Response) -> bool:
        if isinstance(message, HistoricalBars):
            self._bars += message.bars
            return not self._needs_end
        return isinstance(message, HistoricalBarsEnd)

    def result(self) -> tuple[Bar, ...]:
        return tuple(self._bars)

    def nothing(self) -> tuple[Bar, ...]:
        return ()


class _Ticks[T]:
    """The ticks of one answer: several messages, the last one says so."""

    means_nothing = _NONE

    def __init__(
        self, kind: type[HistoricalTrades | HistoricalQuotes | HistoricalMidpoints]
    ) -> None:
        self._kind = kind
        self._ticks: list[T] = []

    def add(self, message: Response) -> bool:
        if not isinstance(message, self._kind):
            return False
        self._ticks += message.ticks  # type: ignore[arg-type]
        return message.done

    def result(self) -> tuple[T, ...]:
        return tuple(self._ticks)

    def nothing(self) -> tuple[T, ...]:
        return ()


class History:
    """What a gateway can be asked about the past. Part of `Client`.

    All methods that ask take `deadline` (seconds for the answer once the request is written; by
    default `ClientConfig.history_deadline`) and `patience` (seconds during which failures that may
    pass are met with another try), and raise a kind of `RequestError`. An answer that there is no
    data is an empty tuple.
    """

    def __init__(
        self,
        requests: Requests,
        feeds: Feeds,
        *,
        version: Callable[[], int | None],
        server_time: ServerTime,
        login_zone: str | None,
    ) -> None:
        self._requests = requests
        self._feeds = feeds
        self._version = version
        self._server_time = server_time
        self._login_zone = login_zone

    async def bars(  # noqa: PLR0913
        self,
        contract: Contract,
        *,
        size: BarSize,
        duration: str,
        end: dt.datetime | None = None,
        show: str = "TRADES",
        use_rth: bool = False,
        deadline: float | None = None,
        patience: float = 0.0,
    ) -> tuple[Bar, ...]:
        """Return bars, ascending; empty where there is no data.

        Parameters
        ----------
        contract
            The contract; expired ones need `include_expired`.
        size
            The size of the bars.
        duration
            How far back from `end`, in IB's words: `3600 S`, `5 D`, `1 Y`.
        end
            Where they end, with a time zone; None is now, and a must for CONTFUT.
        show
            TRADES, BID, ASK, MIDPOINT or BID_ASK.
        use_rth
            Whether regular trading hours only.

        Raises
        ------
        RequestError
            One of its kinds.
        TimeError
            For an end without a zone.

        """
        request = RequestHistoricalBars(
            0, contract, "" if end is None else format_utc(end), size, duration,
            use_rth=use_rth, show=show,
        )  # fmt: skip
        return await self.ask_bars(request, deadline=deadline, patience=patience)

    async def ask_bars(
        self,
        request: RequestHistoricalBars,
        *,
        deadline: float | None = None,
        patience: float = 0.0,
    ) -> tuple[Bar, ...]:
        """Return the bars that a request asks for; its id is replaced.

        Raises
        ------
        RequestError
            One of its kinds.

        """
        return await self._requests.ask(
            f"{request.bar_size} {request.show} bars of {name_of(request.contract)}",
            lambda request_id: replace(request, request_id=request_id, keep_up_to_date=False),
            lambda: _Bars(self._version()),
            cancel=CancelHistoricalBars,
            deadline=self._deadline(deadline),
            patience=patience,
        )

    async def schedule(  # noqa: PLR0913
        self,
        contract: Contract,
        *,
        duration: str = "1 M",
        end: dt.datetime | None = None,
        use_rth: bool = False,
        deadline: float | None = None,
        patience: float = 0.0,
    ) -> HistoricalSchedule:
        """Return the trading sessions of the past.

        Raises
        ------
        RequestError
            One of its kinds.

        """
        request = RequestHistoricalBars(
            0, contract, "" if end is None else format_utc(end), BarSize.DAY_1, duration,
            use_rth=use_rth, show="SCHEDULE",
        )  # fmt: skip
        return await self._requests.ask(
            f"schedule of {name_of(contract)}",
            lambda request_id: replace(request, request_id=request_id),
            lambda: First(HistoricalSchedule),
            cancel=CancelHistoricalBars,
            deadline=self._deadline(deadline),
            patience=patience,
        )

    async def head(
        self,
        contract: Contract,
        *,
        show: str = "TRADES",
        use_rth: bool = False,
        deadline: float | None = None,
        patience: float = 0.0,
    ) -> dt.datetime | dt.date:
        """Return the first instant with data.

        Raises
        ------
        RequestError
            One of its kinds.

        """
        answer = await self._requests.ask(
            f"first {show} of {name_of(contract)}",
            lambda request_id: RequestHeadTimestamp(
                request_id, contract, use_rth=use_rth, show=show
            ),
            lambda: First(HeadTimestamp),
            cancel=CancelHeadTimestamp,
            deadline=self._deadline(deadline),
            patience=patience,
        )
        return bar_time(answer.text, login_zone=self._login_zone)

    async def trades(  # noqa: PLR0913
        self,
        contract: Contract,
        *,
        start: dt.datetime | None = None,
        end: dt.datetime | None = None,
        count: int = 1000,
        use_rth: bool = False,
        deadline: float | None = None,
        patience: float = 0.0,
    ) -> tuple[HistoricalTrade, ...]:
        """Return trades after `start` or before `end`; a full second may make them more.

        Raises
        ------
        RequestError
            One of its kinds.
        ValueError
            Unless one of `start` and `end` is given.

        """
        request = _ticks_request(contract, "TRADES", start, end, count, use_rth=use_rth)
        return await self._ticks(
            f"trades of {name_of(contract)}",
            request,
            lambda: _Ticks[HistoricalTrade](HistoricalTrades),
            deadline=deadline,
            patience=patience,
        )

    async def quotes(  # noqa: PLR0913
        self,
        contract: Contract,
        *,
        start: dt.datetime | None = None,
        end: dt.datetime | None = None,
        count: int = 1000,
        use_rth: bool = False,
        ignore_size: bool = False,
        deadline: float | None = None,
        patience: float = 0.0,
    ) -> tuple[HistoricalQuote, ...]:
        """Return bids and asks after `start` or before `end`; see `trades`.

        Raises
        ------
        RequestError
            One of its kinds.
        ValueError
            Unless one of `start` and `end` is given.

        """
        request = replace(
            _ticks_request(contract, "BID_ASK", start, end, count, use_rth=use_rth),
            ignore_size=ignore_size,
        )
        return await self._ticks(
            f"quotes of {name_of(contract)}",
            request,
            lambda: _Ticks[HistoricalQuote](HistoricalQuotes),
            deadline=deadline,
            patience=patience,
        )

    async def midpoints(  # noqa: PLR0913
        self,
        contract: Contract,
        *,
        start: dt.datetime | None = None,
        end: dt.datetime | None = None,
        count: int = 1000,
        use_rth: bool = False,
        deadline: float | None = None,
        patience: float = 0.0,
    ) -> tuple[HistoricalMidpoint, ...]:
        """Return midpoints after `start` or before `end`; see `trades`.

        Raises
        ------
        RequestError
            One of its kinds.
        ValueError
            Unless one of `start` and `end` is given.

        """
        request = _ticks_request(contract, "MIDPOINT", start, end, count, use_rth=use_rth)
        return await self._ticks(
            f"midpoints of {name_of(contract)}",
            request,
            lambda: _Ticks[HistoricalMidpoint](HistoricalMidpoints),
            deadline=deadline,
            patience=patience,
        )

    def live_bars(  # noqa: PLR0913
        self,
        contract: Contract,
        *,
        size: BarSize,
        duration: str = "3600 S",
        show: str = "TRADES",
        use_rth: bool = False,
        history: bool = True,
        forming: bool = False,
        closes: Closes | None = None,
        callback: Callable[[BarUpdate], object] | None = None,
        queue_size: int | None = None,
    ) -> Subscription[BarUpdate]:
        """Return a subscription to bars that are kept up to date, each closed bar once, in order.

        It survives cuts: what was missed is filled in from the history.

        Parameters
        ----------
        contract
            The contract.
        size
            The size of the bars.
        duration
            How far the first block reaches back.
        show
            TRADES, BID, ASK or MIDPOINT.
        use_rth
            Whether regular trading hours only.
        history
            Whether the closed bars of the first block are handed out.
        forming
            Whether the bar that forms is handed out at each change, with `is_closed` unset.
        closes
            From the date of a bar to its scheduled close: then a bar whose time is over is handed
            out though no later one comes, a daily one too.
        callback
            Called with each value in place of the queue.
        queue_size
            How many values wait for a slow consumer.

        """
        template = RequestHistoricalBars(
            0, contract, "", size, duration, use_rth=use_rth, show=show, keep_up_to_date=True
        )
        name = f"live {size} {show} bars of {name_of(contract)}"
        return self._feeds.add(
            BarFeed(
                self._feeds,
                self._feeds.subscription(name, callback, queue_size),
                template,
                size=size,
                forming=forming,
                history=history,
                fetch=self._fetch,
                server_time=self._server_time,
                closes=closes,
            )
        )

    async def _ticks[T](
        self,
        name: str,
        request: RequestHistoricalTicks,
        collector: Callable[[], Collector[tuple[T, ...]]],
        *,
        deadline: float | None,
        patience: float,
    ) -> tuple[T, ...]:
        return await self._requests.ask(
            name,
            lambda request_id: replace(request, request_id=request_id),
            collector,
            deadline=self._deadline(deadline),
            patience=patience,
        )

    async def _fetch(self, request: RequestHistoricalBars) -> tuple[Bar, ...]:
        # A gap is filled patiently: pacing and a farm that is slow to wake must not tear it.
        return await self.ask_bars(request, patience=2 * self._deadline(None))

    def _deadline(self, deadline: float | None) -> float:
        return self._feeds.config.history_deadline if deadline is None else deadline


def _ticks_request(  # noqa: PLR0913
    contract: Contract,
    show: str,
    start: dt.datetime | None,
    end: dt.datetime | None,
    count: int,
    *,
    use_rth: bool,
) -> RequestHistoricalTicks:
    if (start is None) == (end is None):
        raise ValueError("ticks of the past are asked for from a start or to an end: give one")
    return RequestHistoricalTicks(
        0,
        contract,
        "" if start is None else format_utc(start),
        "" if end is None else format_utc(end),
        count,
        show,
        use_rth=use_rth,
    )


def name_of(contract: Contract) -> str:
    """Return a contract in few words, for messages to people."""
    return (
        contract.local_symbol
        or " ".join(
            filter(
                None, (contract.symbol, contract.sec_type, contract.last_trade, contract.exchange)
            )
        )
        or str(contract.con_id)
    )
