"""Answers about the present: market data lines, tick-by-tick, real-time bars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyfutures.gateway.bars import Show
from pyfutures.gateway.contract_desk import resolve
from pyfutures.gateway.contracts import Instrument
from pyfutures.gateway.feeds import Feed
from pyfutures.gateway.session import Session, handles
from pyfutures.gateway.streams import MarketLine, RealTimeBars, TickStream
from pyfutures.ib import messages as m
from pyfutures.ib.codes import CODES
from pyfutures.ib.pacing import Cost

if TYPE_CHECKING:
    from pyfutures.gateway.spreads import Tradable

__all__ = ["is_permitted"]

#: What a future has of generic ticks; others are refused.
_GENERIC: Final = frozenset(
    {100, 101, 105, 106, 162, 165, 221, 225, 232, 233, 236, 258, 292, 293, 294, 295, 318, 375, 411,
     456, 460, 499, 506, 576, 577, 578, 584, 586, 587, 588, 595, 614, 619}
)  # fmt: skip
_TICKS: Final = {"Last", "AllLast", "BidAsk", "MidPoint"}


def is_permitted(session: Session, what: Tradable) -> bool:
    """Whether the login has live data of it."""
    allowed = session.gateway.config.market_data
    return allowed is None or what.exchange in allowed or what.currency in allowed


def _is_free(session: Session, about: int) -> bool:
    """Whether an id may be used; else say that it is in use."""
    if session.gateway.feeds.has(session, about):
        session.error(about, 102)
        return False
    return True


@handles(m.RequestMarketDataType)
def _type(session: Session, request: m.RequestMarketDataType) -> None:
    if request.type in {1, 2, 3, 4}:
        session.market_data_type = request.type
    else:
        session.invalid(-1, "cb", "Invalid market data type")


@handles(m.RequestMarketData)
def _line(session: Session, request: m.RequestMarketData) -> None:
    gateway, about = session.gateway, request.request_id
    if not gateway.line.up or not _is_free(session, about):
        return
    generic = _generic(session, request)
    if generic is None:
        return
    what = resolve(session, about, request.contract, "cD")
    if what is None:
        return
    if gateway.line.competing:
        session.error(about, 10197)
        return
    delayed = False
    wants_delayed = session.market_data_type in {3, 4}
    if not is_permitted(session, what):
        if wants_delayed and gateway.config.delayed:
            delayed = True
            session.error(about, 10167)
        elif wants_delayed:
            session.error(about, 10186)
            return
        else:
            code = 10168 if gateway.config.delayed else 354
            session.error(about, code, CODES[code].text.format(""))
            return
    if gateway.feeds.count(session, Feed.LINE) >= gateway.config.lines:
        session.error(about, 101)
        return
    line = MarketLine(
        session, about, what, delayed=delayed, frozen=session.market_data_type == 2,
        generic=generic,
    )  # fmt: skip
    line.start(gateway.timeline.now, snapshot=request.snapshot)
    if request.snapshot:
        session.send(m.TickSnapshotEnd(about))
    else:
        gateway.feeds.add(Feed.LINE, line)


def _generic(session: Session, request: m.RequestMarketData) -> frozenset[int] | None:
    words = [word.strip() for word in request.generic_ticks.split(",") if word.strip()]
    numbers = [word.partition(":")[0] for word in words]
    known = [int(word) for word in numbers if word.isascii() and word.isdigit()]
    if len(known) == len(words) and _GENERIC.issuperset(known):
        return frozenset(known)
    session.invalid(
        request.request_id, "cD", f"Incorrect generic tick list of {request.generic_ticks[:80]}"
    )
    return None


@handles(m.CancelMarketData)
def _cancel_line(session: Session, request: m.CancelMarketData) -> None:
    _end(session, Feed.LINE, request.request_id)


@handles(m.RequestTickByTick)
def _ticks(session: Session, request: m.RequestTickByTick) -> None:
    gateway, about = session.gateway, request.request_id
    if not gateway.line.up or not _is_free(session, about):
        return
    if request.type not in _TICKS:
        session.invalid(about, "cF", f"Invalid tick type {request.type[:20]}")
        return
    what = _permitted(session, about, request.contract, place="cF", code=10189)
    if what is None:
        return
    if gateway.feeds.count(session, Feed.TICKS) >= gateway.config.tick_by_tick:
        session.error(about, 10190)
        return
    # Gateways take quotes and trades of one contract at once, so the kind is part of the key.
    if gateway.pacing.breaks(Cost(ticks=(what.con_id, request.type))) is not None:
        reason = "Tick-by-tick requests for one contract: at most one in 15 seconds"
        session.error(about, 10189, CODES[10189].text.format(reason))
        return
    stream = TickStream(session, about, what, request.type)
    if request.type in {"BidAsk", "MidPoint"}:
        stream.say(gateway.timeline.now)
    gateway.feeds.add(Feed.TICKS, stream)


@handles(m.CancelTickByTick)
def _cancel_ticks(session: Session, request: m.CancelTickByTick) -> None:
    _end(session, Feed.TICKS, request.request_id)


@handles(m.RequestRealTimeBars)
def _real_time(session: Session, request: m.RequestRealTimeBars) -> None:
    gateway, about = session.gateway, request.request_id
    if not gateway.line.up or not _is_free(session, about):
        return
    if request.show not in {Show.TRADES, Show.MIDPOINT, Show.BID, Show.ASK}:
        session.invalid(about, "cC", f"Invalid what to show {request.show[:20]}")
        return
    what = _permitted(session, about, request.contract, place="cC", code=420)
    if what is None:
        return
    if gateway.feeds.count(session, Feed.REAL_TIME) >= gateway.config.lines:
        session.error(about, 101)
        return
    stream = RealTimeBars(session, about, what, Show(request.show), use_rth=request.use_rth)
    gateway.feeds.add(Feed.REAL_TIME, stream)


@handles(m.CancelRealTimeBars)
def _cancel_real_time(session: Session, request: m.CancelRealTimeBars) -> None:
    _end(session, Feed.REAL_TIME, request.request_id)


def _permitted(
    session: Session, about: int, named: m.Contract, *, place: str, code: int
) -> Instrument | None:
    """Return the instrument that a stream is asked for; None where the client was told why not."""
    what = resolve(session, about, named, place)
    if what is None:
        return None
    if isinstance(what, Instrument) and is_permitted(session, what):
        return what
    reason = f"No market data permissions for {what.exchange} FUT"
    session.error(about, code, CODES[code].text.format(reason))
    return None


def _end(session: Session, feed: Feed, about: int) -> None:
    if not session.gateway.feeds.end(session, feed, about):
        session.error(about, 300, CODES[300].text.format(about))
