"""Answers about the past: bars, head timestamps, ticks, schedules."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import numpy as np

from pyfutures.gateway.bars import Show
from pyfutures.gateway.clock import SECOND
from pyfutures.gateway.contract_desk import resolve
from pyfutures.gateway.contracts import Instrument
from pyfutures.gateway.data_desk import is_permitted
from pyfutures.gateway.feeds import Feed
from pyfutures.gateway.hours import NS_PER_MINUTE
from pyfutures.gateway.names import ib_zone
from pyfutures.gateway.session import Session, handles
from pyfutures.gateway.spans import (
    Duration,
    end_of,
    has_zone,
    is_too_long,
    moment_of,
    sessions_of,
    utc_text,
    whole_periods,
)
from pyfutures.gateway.streams import KeptBars, bar_date, past_limits, wire_bar
from pyfutures.ib import messages as m
from pyfutures.ib import versions as sv
from pyfutures.ib.codes import CODES
from pyfutures.ib.pacing import cost_of
from pyfutures.ib.times import BarSize, TimeError

if TYPE_CHECKING:
    from pyfutures.gateway.bars import BarRow
    from pyfutures.gateway.market import Day

__all__: list[str] = []

_SIZES: Final = {size.value: size for size in BarSize}
_TICK_LIMIT: Final = 1000
_KEPT_LEAST: Final = 5  # seconds of a bar that is kept up to date
type _Tick = m.HistoricalTrade | m.HistoricalQuote | m.HistoricalMidpoint


def failed(session: Session, about: int, reason: str) -> None:
    """Say 162, whose text alone tells what it means."""
    session.error(about, 162, CODES[162].text.format(reason))


def _no_data(session: Session, about: int, what: Instrument, show: str) -> None:
    name = show.capitalize()
    failed(
        session, about, f"HMDS query returned no data: {what.local_symbol}@{what.exchange} {name}"
    )


def _future(session: Session, about: int, named: m.Contract, kind: str) -> Instrument | None:
    """Return the contract whose past is asked for, else say why there is none."""
    what = resolve(session, about, named, kind)
    if what is None:
        return None
    if not isinstance(what, Instrument):
        session.error(about, 200)
        return None
    if not is_permitted(session, what):
        failed(session, about, f"No market data permissions for {what.exchange} FUT")
        return None
    if not session.gateway.line.has_past(what):
        failed(session, about, "HMDS server connection was lost")
        return None
    return what


def _shown(session: Session, about: int, show: str, kind: str) -> Show | None:
    if show in set(Show):
        return Show(show)
    session.invalid(about, kind, f"Invalid what to show {show[:40]}")
    return None


def _is_free(session: Session, about: int) -> bool:
    if session.gateway.feeds.has(session, about):
        session.error(about, 322, CODES[322].text.format(" Duplicate ticker id"))
        return False
    return True


# Bars


@handles(m.RequestHistoricalBars)
def _bars(session: Session, request: m.RequestHistoricalBars) -> None:
    gateway, about = session.gateway, request.request_id
    if not gateway.line.up or not _is_free(session, about):
        return
    what = _future(session, about, request.contract, "bQ")
    if what is None:
        return
    asked = _asked(session, request)
    if asked is None:
        return
    size, duration, end = asked
    broken = gateway.pacing.breaks(cost_of(request), session, about)
    if broken is not None:
        failed(session, about, "Historical data request pacing violation")
        return
    if request.show == "SCHEDULE":
        _schedule(session, request, what, duration, end)
    else:
        show = _shown(session, about, request.show, "bQ")
        asked_of = None if show is None else (size, show, duration, end)
        if asked_of is not None and _send_bars(session, request, what, asked_of):
            return  # it stays open
    gateway.pacing.done(session, about)


def _asked(
    session: Session, request: m.RequestHistoricalBars
) -> tuple[BarSize, Duration, int] | None:
    """Return size, duration and end of a request for bars; else say what is wrong with them."""
    config, about = session.gateway.config, request.request_id
    if request.contract.sec_type == "CONTFUT" and request.end and not config.contfut_end:
        session.error(about, 10339)
        return None
    size = _SIZES.get(request.bar_size)
    if size is None:
        legal = ", ".join(_SIZES)
        cause = f"Historical data bar size setting is invalid. Legal ones are: {legal}"
        session.invalid(about, "bQ", cause)
        return None
    if request.show == "SCHEDULE" and size is not BarSize.DAY_1:
        session.invalid(about, "bQ", "Historical schedule is given for bars of 1 day only")
        return None
    small = size.seconds is not None and size.seconds < _KEPT_LEAST
    if request.keep_up_to_date and (request.end or small or request.show == "SCHEDULE"):
        session.invalid(about, "bQ", "Such a request cannot be kept up to date")
        return None
    try:
        duration = Duration.parse(request.duration)
    except ValueError as error:
        session.invalid(about, "bQ", f"Historical data query duration is invalid: {error}")
        return None
    if duration.unit in "DWM" and duration.seconds > 366 * 86400:
        cause = "Historical data requests for durations longer than 365 days must be made in years"
        session.invalid(about, "bQ", cause)
        return None
    if is_too_long(duration, size, strict=config.strict_steps):
        failed(session, about, "Time length exceed max.")
        return None
    try:
        end = end_of(request.end, session.gateway.timeline.now, config.login_zone)
    except TimeError:
        session.error(about, 10314)
        return None
    if not has_zone(request.end):
        session.error(about, 2174)
    return size, duration, end


def _send_bars(
    session: Session,
    request: m.RequestHistoricalBars,
    what: Instrument,
    asked: tuple[BarSize, Show, Duration, int],
) -> bool:
    """Say the bars; whether more will follow."""
    size, show, duration, end = asked
    gateway, about = session.gateway, request.request_id
    now = gateway.timeline.now
    if size is BarSize.WEEK_1 and duration.seconds < 7 * 86400:
        duration = Duration(1, "W")
    elif size is BarSize.MONTH_1 and duration.seconds < 30 * 86400:
        duration = Duration(1, "M")
    found, start = sessions_of(what, end, duration, use_rth=request.use_rth)
    found = whole_periods(what, found, size)
    step = (size.seconds or 0) * SECOND
    until = min(now, end + step) if step else now
    rows = gateway.bars.of(
        what, found, size, show, until=until, since=start - step, use_rth=request.use_rth
    )
    rows = [row for row in rows if row.start < end or end >= now]
    if step:
        rows = [row for row in rows if row.start + step > start]
    if not rows and not request.keep_up_to_date:
        _no_data(session, about, what, request.show)
        return False
    bars = tuple(
        wire_bar(what, row, bar_date(what, row, size, request.format_date)) for row in rows
    )
    first, last = utc_text(_begin(end, duration)), utc_text(end)
    if session.version >= sv.HISTORICAL_END:
        session.send(m.HistoricalBars(about, bars))
        session.send(m.HistoricalBarsEnd(about, first, last))
    else:
        session.send(m.HistoricalBars(about, bars, first, last))
    if not request.keep_up_to_date:
        return False
    kept = KeptBars(
        session, about, what, size, show, use_rth=request.use_rth, format_date=request.format_date
    )
    gateway.feeds.add(Feed.BARS, kept)
    return True


def _begin(end: int, duration: Duration) -> int:
    """Return the start that an answer names: so much earlier on the calendar."""
    return max(0, end - duration.seconds * SECOND)


@handles(m.CancelHistoricalBars)
def _cancel_bars(session: Session, request: m.CancelHistoricalBars) -> None:
    about = request.request_id
    session.gateway.pacing.done(session, about)
    if session.gateway.feeds.end(session, Feed.BARS, about):
        failed(session, about, f"API historical data query cancelled: {about}")
    else:
        session.error(about, 366, CODES[366].text.format(about))


# Schedules


def _schedule(
    session: Session,
    request: m.RequestHistoricalBars,
    what: Instrument,
    duration: Duration,
    end: int,
) -> None:
    found, _ = sessions_of(what, end, duration)
    hours, clock = what.hours, "%Y%m%d-%H:%M:%S"
    rows = []
    for one in found:
        stretches = hours.liquid(one) if request.use_rth else one.stretches
        if stretches:
            first, last = hours.local(stretches[0][0]), hours.local(stretches[-1][1])
            rows.append(
                m.ScheduleSession(f"{first:{clock}}", f"{last:{clock}}", f"{one.day:%Y%m%d}")
            )
    if not rows:
        _no_data(session, request.request_id, what, request.show)
        return
    zone = ib_zone(hours.zone.key)
    session.send(
        m.HistoricalSchedule(request.request_id, rows[0].start, rows[-1].end, zone, tuple(rows))
    )


# The first instant


@handles(m.RequestHeadTimestamp)
def _head(session: Session, request: m.RequestHeadTimestamp) -> None:
    about = request.request_id
    if not session.gateway.line.up:
        return
    what = _future(session, about, request.contract, "cA")
    show = _shown(session, about, request.show, "cA") if what is not None else None
    if what is None or show is None:
        return
    row = _first_bar(session, what, show, use_rth=request.use_rth)
    if row is None:
        _no_data(session, about, what, request.show)
        return
    text = str(row.start // SECOND) if request.format_date == 2 else utc_text(row.start)
    session.send(m.HeadTimestamp(about, text))


def _first_bar(session: Session, what: Instrument, show: Show, *, use_rth: bool) -> BarRow | None:
    gateway = session.gateway
    now = gateway.timeline.now
    year = what.listing.first.year
    last = min(what.last_trade, dt.datetime.fromtimestamp(now // SECOND, dt.UTC).date())
    while year <= last.year:
        bounds = (max(what.listing.first, dt.date(year, 1, 1)), dt.date(year, 12, 31))
        for one in what.hours.between(*bounds):
            rows = gateway.bars.of(what, [one], BarSize.MINUTE_1, show, until=now, use_rth=use_rth)
            if rows:
                return rows[0]
        year += 1
    return None


@handles(m.CancelHeadTimestamp)
def _cancel_head(session: Session, request: m.CancelHeadTimestamp) -> None:
    pass  # it was answered at once


# Ticks


@handles(m.RequestHistoricalTicks)
def _ticks(session: Session, request: m.RequestHistoricalTicks) -> None:
    gateway, about = session.gateway, request.request_id
    if not gateway.line.up or not _is_free(session, about):
        return
    what = _future(session, about, request.contract, "cE")
    if what is None:
        return
    if request.show not in {"TRADES", "BID_ASK", "MIDPOINT"}:
        session.invalid(about, "cE", f"Invalid what to show {request.show[:40]}")
        return
    if not 0 < request.count <= _TICK_LIMIT or bool(request.start) is bool(request.end):
        cause = "Give start or end, and a number of ticks from 1 to 1000"
        session.error(about, 10187, CODES[10187].text.format(cause))
        return
    now, zone = gateway.timeline.now, gateway.config.login_zone
    try:
        start = moment_of(request.start, zone) if request.start else None
        end = end_of(request.end, now, zone)
    except TimeError:
        session.error(about, 10314)
        return
    if not has_zone(request.start or request.end):
        session.error(about, 2174)
    if gateway.pacing.breaks(cost_of(request), session, about) is not None:
        failed(session, about, "Historical data request pacing violation")
        return
    gateway.pacing.done(session, about)
    ticks = _span(session, request, what, start, end)
    kinds = {
        "TRADES": m.HistoricalTrades, "BID_ASK": m.HistoricalQuotes,
        "MIDPOINT": m.HistoricalMidpoints,
    }  # fmt: skip
    answer = kinds[request.show](about, tuple(ticks), done=True)
    session.send(answer)


def _span(
    session: Session,
    request: m.RequestHistoricalTicks,
    what: Instrument,
    start: int | None,
    end: int,
) -> list[_Tick]:
    """Return the ticks from `start` on or up to `end`, of one session, whole seconds."""
    gateway, now = session.gateway, session.gateway.timeline.now
    one = what.hours.ahead(end - 1 if start is None else start)
    for _ in range(30):  # sessions without a tick are skipped
        if one is None:
            return []
        begins = one.stretches[0][0] * NS_PER_MINUTE
        if start is not None and begins > now:
            return []
        listed = what.listing.first <= one.day <= what.last_trade
        if listed and (start is not None or begins < end):
            slots = _slots(gateway.market.day(what, one), request, (start, end), now)
            if slots:
                return _gather(gateway.market.day(what, one), request, slots, back=start is None)
        if start is not None:
            one = what.hours.ahead(one.stretches[-1][1] * NS_PER_MINUTE)
        else:
            one = what.hours.before(one)
    return []


def _slots(
    day: Day, request: m.RequestHistoricalTicks, bounds: tuple[int | None, int], now: int
) -> list[int]:
    """Return the slots of a day that have ticks of the kind, within the span."""
    start, end = bounds
    starts = day.starts
    keep = starts <= now
    keep &= starts >= start if start is not None else starts < end
    hours = day.instrument.hours
    stretches = hours.liquid(day.session) if request.use_rth else day.session.stretches
    minutes = starts // NS_PER_MINUTE
    inside = np.zeros(len(starts), np.bool_)
    for opened, closed in stretches:
        inside |= (minutes >= opened) & (minutes < closed)
    keep &= inside
    if request.show == "TRADES":
        keep &= day.size.ravel() > 0
    elif request.show == "MIDPOINT":  # which is a tick where it changes
        keep &= np.diff(day.bid.ravel(), prepend=-1) != 0
    found: list[int] = np.flatnonzero(keep).tolist()
    return found


def _gather(
    day: Day, request: m.RequestHistoricalTicks, slots: list[int], *, back: bool
) -> list[_Tick]:
    """Return as many ticks as asked for, and those that complete a second."""
    groups: list[list[_Tick]] = []
    count = 0
    for slot in reversed(slots) if back else slots:
        group = _ticks_of(day, request.show, slot)
        groups.append(group)
        count += len(group)
        if count >= request.count:
            break
    if back:
        groups.reverse()
    return [tick for group in groups for tick in group]


def _ticks_of(day: Day, show: str, slot: int) -> list[_Tick]:
    what, quote = day.instrument, day.quote(slot)
    seconds = int(day.starts[slot]) // SECOND
    if show == "TRADES":
        return [
            m.HistoricalTrade(
                seconds, 0, what.quote(trade.price), Decimal(trade.size), what.exchange, ""
            )
            for trade in day.trades(slot)
        ]
    if show == "MIDPOINT":
        return [m.HistoricalMidpoint(seconds, what.quote(quote.mark))]
    low, high = past_limits(day, slot)
    sizes = Decimal(quote.bid_size), Decimal(quote.ask_size)
    # The mask of the past has the bits of the live one in reverse.
    bid, ask = what.quote(quote.bid), what.quote(quote.ask)
    return [m.HistoricalQuote(seconds, high | low << 1, bid, ask, *sizes)]
