"""How a data client answers requests: always, with nothing where something failed.

The law of catalogues: the span that an answer is for is written down as known. So what failed is
never written, the last minute of the past is not either, nor what a limit cut off.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
from nautilus_trader.model.data import DataType
from nautilus_trader.model.instruments import Instrument

from pyfutures.ib.failures import IbError
from pyfutures.nautilus.contracts.disagreements import BrokerDisagreementError
from pyfutures.nautilus.contracts.listings import UnknownInstrumentError
from pyfutures.nautilus.market.bar_forms import UnsupportedBarError, bar_form
from pyfutures.nautilus.market.events import FeedEventKind
from pyfutures.nautilus.market.past import DisorderedAnswerError, Past, Span

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from nautilus_trader.data.messages import (
        RequestBars,
        RequestData,
        RequestInstrument,
        RequestInstruments,
        RequestQuoteTicks,
        RequestTradeTicks,
    )
    from nautilus_trader.model.data import BarType
    from nautilus_trader.model.identifiers import InstrumentId, Venue

    from pyfutures.nautilus.contracts.listings import Listing
    from pyfutures.nautilus.link import Link
    from pyfutures.nautilus.market.feeds import LiveFeed
    from pyfutures.nautilus.market.trading_hours import TradingHours
    from pyfutures.nautilus.market.values import BarValues, MarketValues

__all__ = ["DataRequests", "unwritten"]

_SETTLES: Final = dt.timedelta(seconds=60)  # in which the end of the past may still come in
#: What a request can fail for that is no bug.
_FAILURES: Final = (
    BrokerDisagreementError,
    DisorderedAnswerError,
    IbError,
    UnknownInstrumentError,
    UnsupportedBarError,
)  # fmt: skip


class DataRequests:
    """The requests of a data client."""

    link: Link
    _past: Past
    _log: Any
    _handle_bars: Any
    _handle_quote_ticks: Any
    _handle_trade_ticks: Any
    _handle_instruments: Any
    _handle_data_response: Any

    # What the client gives.

    def tell(self, kind: FeedEventKind, feed: LiveFeed | str, text: str, count: int) -> None:
        """Log what happened to a feed, and publish it."""
        raise NotImplementedError  # the client's

    def _hours_of(self, listing: Listing) -> TradingHours:
        raise NotImplementedError

    def _values_of(self, listing: Listing) -> MarketValues:
        raise NotImplementedError

    def _bar_values(self, listing: Listing, bar_type: BarType) -> BarValues:
        raise NotImplementedError

    def _of_venue(self, venue: Venue | None) -> list[Listing]:
        raise NotImplementedError

    async def _found(self, instrument_id: InstrumentId) -> Listing:
        """Return a listing for a request, loaded from the broker where it is not known.

        Raises
        ------
        BrokerDisagreementError
            If the broker contradicts a spec, and the config wants that to be an error.
        RequestError
            If the broker does not answer.
        UnknownInstrumentError
            If it is no contract of the catalogue.
        """
        if instrument_id not in self.link.listings:
            await self.link.provider.load_async(instrument_id)
        return self.link.listings.by_id(instrument_id)

    # Requests.

    async def _request_instrument(self, request: RequestInstrument) -> None:
        found: list[Instrument] = []

        async def ask() -> None:
            found.append((await self._found(request.instrument_id)).instrument)

        done = await self._tried(f"the instrument {request.instrument_id}", ask)
        self._handle_data_response(
            DataType(Instrument, metadata={"instrument_id": request.instrument_id}),
            found,
            request.id,
            request.start,
            request.end,
            request.params if done else unwritten(request.params),
        )

    async def _request_instruments(self, request: RequestInstruments) -> None:
        found = [one.instrument for one in self._of_venue(request.venue)]
        self._handle_instruments(
            request.venue, found, request.id, request.start, request.end, request.params
        )

    async def _request_bars(self, request: RequestBars) -> None:
        bar_type = request.bar_type

        async def ask(span: Span) -> list[Any]:
            form = bar_form(bar_type, live=False)
            listing = await self._found(bar_type.instrument_id)
            values = self._bar_values(listing, bar_type)
            values.times.check(form.size)
            return await self._past.bars(listing, form, values, span)

        answer = await self._answer(f"bars {bar_type}", request, ask)
        self._handle_bars(bar_type, *answer)

    async def _request_quote_ticks(self, request: RequestQuoteTicks) -> None:
        async def ask(span: Span) -> list[Any]:
            listing = await self._found(request.instrument_id)
            values = self._values_of(listing)
            return await self._past.quotes(listing, values, self._hours_of(listing), span)

        answer = await self._answer(f"quotes of {request.instrument_id}", request, ask)
        self._handle_quote_ticks(request.instrument_id, *answer)

    async def _request_trade_ticks(self, request: RequestTradeTicks) -> None:
        async def ask(span: Span) -> list[Any]:
            listing = await self._found(request.instrument_id)
            values = self._values_of(listing)
            return await self._past.trades(listing, values, self._hours_of(listing), span)

        answer = await self._answer(f"trades of {request.instrument_id}", request, ask)
        self._handle_trade_ticks(request.instrument_id, *answer)

    async def _answer(
        self, what: str, request: RequestData, ask: Callable[[Span], Awaitable[list[Any]]]
    ) -> tuple[list[Any], Any, Any, Any, dict[str, Any]]:
        """Return what answers a request for a span: values, id, start, end, params.

        Where it is written to a catalogue, the span of the answer is what is known for sure: not
        the last minute, and not what a limit cut off. After a failure it is nothing.
        """
        found: list[Any] = []
        start, end, params = request.start, request.end, dict(request.params)

        async def work() -> None:
            nonlocal start, end
            now = await self._past.now()
            until = now if end is None else min(_instant(end), now)
            since = None if start is None or start.year <= 1970 else _instant(start)
            if since is not None and since > until:
                self._log.warning(f"Nothing of {what}: {since} is not past, it is {now}")
                until = since
            else:
                found.extend(await ask(Span(since, until, request.limit or 0)))
            if params.get("update_catalog"):
                start, end = _sure(found, request, now)

        if not await self._tried(what, work):
            params = unwritten(params)
            found = []
        elif params.get("update_catalog") and (start is None or end <= start):
            params = unwritten(params)
            start, end = request.start, request.end
        return found, request.id, start, end, params

    async def _tried(self, what: str, work: Callable[[], Awaitable[None]]) -> bool:
        """Do work for a request; whether it succeeded. Requests are answered in either case."""
        try:
            await work()
        except _FAILURES as error:
            self._log.error(f"Nothing can be had of {what}: {error}")
            why = str(error)
        except Exception as error:  # noqa: BLE001 - a request without an answer waits for ever
            self._log.exception(f"Nothing can be had of {what}", error)
            why = f"{type(error).__name__}: {error}"
        else:
            return True
        # Whoever asked could not tell it from a span in which nothing traded.
        self.tell(FeedEventKind.UNANSWERED, what, why, 1)
        return False


def _instant(moment: dt.datetime) -> dt.datetime:
    """Return a pandas timestamp as an instant of Python; what is below a microsecond is cut off."""
    at = pd.Timestamp(moment)
    at = at.tz_localize("UTC") if at.tzinfo is None else at.tz_convert("UTC")
    found: dt.datetime = at.floor("us").to_pydatetime()
    return found.replace(tzinfo=dt.UTC)


def _sure(
    found: Iterable[Any], request: RequestData, now: dt.datetime
) -> tuple[pd.Timestamp | None, pd.Timestamp]:
    """Return the span of which an answer says everything there is."""
    settled = pd.Timestamp(now - _SETTLES)
    start = None if request.start is None else pd.Timestamp(request.start)
    end = settled if request.end is None else min(pd.Timestamp(request.end), settled)
    values = list(found)
    if request.limit and len(values) >= request.limit:
        first = pd.Timestamp(values[0].ts_init, unit="ns", tz="UTC")
        start = first if start is None else max(start, first)
    return start, end


def unwritten(params: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return params with which nothing is written to a catalogue."""
    return {**(params or {}), "update_catalog": False}
