"""``python -m pyfutures.demo``: the whole way from specs to a continuous series, without a network.

The built-in catalogue is checked, three roots are given simulated bars, one roll actor a root rolls
through them in a single backtest, and a batch build of the same bars has to give the same series
bit for bit. What came out is drawn on one HTML page that works offline. Last, a live node trades
through the adapter against a simulated gateway.
"""

from __future__ import annotations

import datetime as dt
import sys
import time
import warnings
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import numpy as np

from pyfutures.chain import Catalog
from pyfutures.chain.sessions import listings, sessions
from pyfutures.chain.validate import read_catalog
from pyfutures.continuous.adjustment import Adjustment
from pyfutures.continuous.bars import NO_PRICE, PRICE_SCALE, ContinuousBar, Roll, price_text
from pyfutures.continuous.build import build
from pyfutures.continuous.frame import Frame
from pyfutures.gateway.curve import Curve
from pyfutures.months import ContractMonth
from pyfutures.report.chain import table_text
from pyfutures.report.html import ContractSpan, RollMark, Section, page
from pyfutures.report.text import report, summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from pyfutures.chain import Chain
    from pyfutures.continuous.series import Series
    from pyfutures.gateway.curve import Columns

__all__ = ["Disagreement", "Market", "Published", "batch", "compare", "main", "prepare", "replay"]

#: In contango, in both, in backwardation most of the time.
ROOTS: Final = ("ES", "CL", "HG")
FIRST_DAY: Final = dt.date(2022, 1, 3)
_LEAST_ROLLS: Final = 3
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Disagreement(Exception):  # noqa: N818 - it is what the demo looks for
    """The actor's series and the batch's differ; says where first."""


@dataclass(frozen=True, slots=True)
class Published:
    """What a roll actor published of one root."""

    bars: list[ContinuousBar] = field(default_factory=list)
    rolls: list[Roll] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Market:
    """A root with its simulated bars, by time, and the month its series starts with."""

    chain: Chain
    start: ContractMonth
    columns: Mapping[ContractMonth, Columns]

    @property
    def root(self) -> str:
        """Root of the bars."""
        return self.chain.root


def prepare(chain: Chain, first: dt.date, last: dt.date, *, seed: int = 0) -> Market:
    """Return the bars, first day to last, of every month that a series of the root looks at.

    Raises
    ------
    ChainError
        If the root has no roll.
    RollCalendarError
        If the roll calendar does not reach the dates.
    """
    calendar = chain.rolls
    open_days = sessions(chain, first, last)
    begin, finish = (
        calendar.index(calendar.position(day.close_ns).month)
        for day in (open_days[0], open_days[-1])
    )
    # The legs of the month after the last one are subscribed to ahead of the roll.
    months = {month for row in calendar.rows[begin : finish + 2] for month in row.legs}
    contracts = [x for x in listings(chain, min(months), max(months)) if x.month in months]
    columns = Curve(chain.root, seed).bars(contracts, open_days)
    kept = {month: each for month, each in columns.items() if len(each)}
    return Market(chain, calendar.rows[begin].month, kept)


def batch(market: Market) -> Series:
    """Return the series that the batch build makes of the bars."""
    months = tuple(sorted(market.columns))
    parts = [market.columns[month] for month in months]
    ts = np.concatenate([part.ts for part in parts])
    codes = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    order = np.lexsort((codes, ts))
    frame = Frame(
        months,
        codes[order],
        ts[order],
        open=np.concatenate([part.open for part in parts])[order],
        high=np.concatenate([part.high for part in parts])[order],
        low=np.concatenate([part.low for part in parts])[order],
        close=np.concatenate([part.close for part in parts])[order],
        volume=np.concatenate([part.volume for part in parts])[order].astype(np.float64),
    )
    return build(frame, market.chain.rolls, start=market.start)


def replay(markets: Sequence[Market]) -> dict[str, Published]:
    """Return the series, by root, that roll actors publish in one backtest of all the bars.

    Raises
    ------
    RollActorError
        If an actor fails.
    """
    # Only here: the platform takes a second to import.
    from nautilus_trader.backtest.config import BacktestEngineConfig  # noqa: PLC0415
    from nautilus_trader.backtest.engine import BacktestEngine  # noqa: PLC0415
    from nautilus_trader.config import LoggingConfig  # noqa: PLC0415
    from nautilus_trader.model.data import BarType  # noqa: PLC0415
    from nautilus_trader.model.enums import AccountType, OmsType  # noqa: PLC0415
    from nautilus_trader.model.identifiers import ComponentId, Venue  # noqa: PLC0415
    from nautilus_trader.model.objects import Currency, Money  # noqa: PLC0415

    from pyfutures.nautilus.actor import RollActor, RollActorConfig  # noqa: PLC0415
    from pyfutures.nautilus.instruments import futures_contract  # noqa: PLC0415
    from pyfutures.nautilus.parsing import bar_to_native  # noqa: PLC0415
    from pyfutures.nautilus.types import bar_topic, roll_topic  # noqa: PLC0415

    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
    published = {market.root: Published() for market in markets}
    actors = []
    for venue in dict.fromkeys(market.chain.spec.exchange for market in markets):
        engine.add_venue(
            Venue(venue),
            oms_type=OmsType.NETTING,
            account_type=AccountType.MARGIN,
            starting_balances=[Money(1_000_000, Currency.from_str("USD"))],
        )
    for market in markets:
        root = market.root
        for month, columns in sorted(market.columns.items()):
            contract = futures_contract(market.chain, month)
            engine.add_instrument(contract)
            bar_type = BarType.from_str(f"{contract.id}-1-DAY-LAST-EXTERNAL")
            bars = (bar_to_native(b, bar_type, contract.price_precision) for b in columns.bars())
            engine.add_data(list(bars), sort=False)
        config = RollActorConfig(
            component_id=ComponentId(f"ROLL-{root}"), root=root, start=str(market.start)
        )
        actors.append(RollActor(config, market.chain))
        engine.add_actor(actors[-1])
        bus, to = engine.kernel.msgbus, published[root]
        bus.subscribe(bar_topic(root), lambda data, to=to: to.bars.append(data.bar))
        bus.subscribe(roll_topic(root), lambda data, to=to: to.rolls.append(data.roll))
    try:
        engine.sort_data()
        with warnings.catch_warnings():
            # nautilus 1.231 calls what pandas 3 deprecates; nothing here can change it.
            warnings.filterwarnings("ignore", message="Timestamp.utcnow is deprecated")
            engine.run()
        for actor in actors:
            if actor.failure is not None:
                raise actor.failure
    finally:
        engine.dispose()
    return published


def compare(root: str, ours: Published, built: Series) -> None:
    """Compare what an actor published with a built series, every column and roll, bit for bit.

    Raises
    ------
    Disagreement
        At the first difference.
    """
    if len(ours.bars) != len(built):
        msg = f"{root}: the actor has {len(ours.bars)} bars, the batch {len(built)}"
        raise Disagreement(msg)
    for name, values in _columns(ours.bars).items():
        theirs = getattr(built, name)
        # Floats as their bits: nan equals nan, and nothing else is equal that is not the same.
        kind = np.int64 if theirs.dtype == np.float64 else theirs.dtype
        differ = np.flatnonzero(values.astype(theirs.dtype).view(kind) != theirs.view(kind))
        if differ.size:
            at = differ[0]
            msg = (
                f"{root}: {name} of bar {at} at {_utc(ours.bars[at].ts):%Y-%m-%d %H:%M} is"
                f" {values[at]} by the actor, {theirs[at]} by the batch"
            )
            raise Disagreement(msg)
    # A live roll does not know its first new bar yet; the flag of that bar was compared above.
    rolls = [replace(roll, first_new_ts=None) for roll in built.rolls]
    if repr(ours.rolls) != repr(rolls):
        msg = f"{root}: rolls differ\n  actor {ours.rolls}\n  batch {rolls}"
        raise Disagreement(msg)


def _columns(bars: Sequence[ContinuousBar]) -> dict[str, NDArray[np.generic]]:
    legs = {
        "forward": [bar.forward for bar in bars],
        "carry": [bar.carry for bar in bars],
        "previous": [bar.previous for bar in bars],
    }
    prices = {
        name: [getattr(bar.current, name) for bar in bars]
        for name in ("open", "high", "low", "close")
    } | {name: [leg and leg.close for leg in column] for name, column in legs.items()}
    columns: dict[str, NDArray[np.generic]] = {
        name: np.array([NO_PRICE if price is None else price for price in column])
        for name, column in prices.items()
    }
    return columns | {
        "ts": np.array([bar.ts for bar in bars]),
        "month": np.array([bar.month.index for bar in bars]),
        "volume": np.array([bar.current.volume for bar in bars]),
        "C": np.array([bar.C for bar in bars]),
        "R": np.array([bar.R for bar in bars]),
        "rolled": np.array([bar.rolled for bar in bars]),
    }


def section(market: Market, series: Series) -> Section:
    """Return what the page shows of a root."""
    spec = market.chain.spec
    times = [_utc(ts) for ts in series.ts.tolist()]
    both = (series.forward != NO_PRICE) & (series.close != NO_PRICE)
    rising = (series.forward > series.close)[both].mean()
    return Section(
        root=market.root,
        name=spec.name,
        currency=spec.currency,
        summary=(
            f"{len(series)} daily bars from {times[0]:%Y-%m-%d} to {times[-1]:%Y-%m-%d},"
            f" {len(series.rolls)} rolls; in contango on {rising:.0%} of the days."
            " The bars are simulated."
        ),
        times=times,
        unadjusted=_points(series.close),
        backward=_points(series.adjusted(Adjustment.BACKWARD_SPREAD)),
        forward=_points(series.adjusted(Adjustment.FORWARD_SPREAD)),
        rolls=[_mark(roll) for roll in series.rolls],
        contracts=list(_spans(market, series)),
    )


def _mark(roll: Roll) -> RollMark:
    return RollMark(
        str(roll.old),
        str(roll.new),
        roll.roll_date,
        _utc(roll.last_old_ts),
        price_text(roll.pre_price),
        price_text(roll.post_price),
        price_text(roll.gap),
    )


def _spans(market: Market, series: Series) -> Iterator[ContractSpan]:
    for month, columns in sorted(market.columns.items()):
        row = market.chain.row(month)
        if row.last_trade is None:
            continue
        held = series.ts[series.month == month.index]
        yield ContractSpan(
            str(month),
            _utc(int(columns.ts[0])).date(),
            row.last_trade,
            row.roll_date,
            (_utc(int(held[0])).date(), _utc(int(held[-1])).date()) if held.size else None,
        )


def _utc(ns: int) -> dt.datetime:
    return _EPOCH + dt.timedelta(microseconds=ns // 1000)


def _points(units: NDArray[np.int64]) -> list[float | None]:
    return [None if price == NO_PRICE else price / PRICE_SCALE for price in units.tolist()]


@click.command()
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default="demo.html")
@click.option("--seed", type=click.IntRange(0), default=7, show_default=True)
@click.option("--years", type=click.IntRange(1, 20), default=4, show_default=True)
def main(out: Path, seed: int, years: int) -> None:
    """Show specs, chains, rolls and continuous series on simulated bars, and write a page."""
    began = time.perf_counter()

    def step(text: str) -> None:
        click.echo(f"[{time.perf_counter() - began:5.1f} s] {text}")

    step("validating the built-in catalogue")
    loaded = read_catalog(())
    click.echo(report(loaded.diagnostics), nl=False)
    step(summary(loaded.diagnostics, len(loaded.paths)))
    if loaded.errors:
        sys.exit(1)
    catalog = Catalog(loaded.chains, loaded.calendars)
    last = dt.date(FIRST_DAY.year + years - 1, 12, 31)
    shown = ContractMonth(FIRST_DAY.year, 1)
    step(f"chains of {', '.join(ROOTS)}")
    click.echo(table_text([catalog[root] for root in ROOTS], shown, shown.shift(12)))
    markets = []
    for root in ROOTS:
        market = prepare(catalog[root], FIRST_DAY, last, seed=seed)
        markets.append(market)
        size = sum(map(len, market.columns.values()))
        step(f"{root}: {size} simulated bars of {len(market.columns)} contracts, to {last}")
    step("one backtest with a roll actor a root")
    replayed = replay(markets)
    sections = []
    for market in markets:
        root = market.root
        built, ours = batch(market), replayed[root]
        try:
            compare(root, ours, built)
        except Disagreement as error:
            click.echo(f"actor and batch disagree: {error}", err=True)
            sys.exit(1)
        step(f"{root}: {len(ours.bars)} bars, {len(ours.rolls)} rolls; actor = batch, bit for bit")
        if years >= _LEAST_ROLLS and len(ours.rolls) < _LEAST_ROLLS:
            click.echo(f"{root}: only {len(ours.rolls)} rolls in {years} years", err=True)
            sys.exit(1)
        sections.append(section(market, built))
    notes = (
        "Futures contracts as data: rules become dates, dates become chains, chains become rolls.",
        f"Simulated markets, seed {seed}. Roll actors kept the series in one backtest.",
        "A batch build of the same bars gives the same numbers, bit for bit.",
    )
    out.write_text(page("pyfutures: continuous futures", sections, notes=notes), encoding="utf-8")
    step(f"wrote {out}")
    _live(step)


def _live(step: Callable[[str], None]) -> None:
    """Run the live node, and tell what happened."""
    from pyfutures.demo_live import LiveError, live  # noqa: PLC0415 - the platform is slow to load

    step("a live node: simulated gateway, specs, adapter, strategy")
    try:
        found = live()
    except LiveError as error:
        click.echo(f"the live node: {error}", err=True)
        sys.exit(1)
    for line in found.lines:
        click.echo(f"          {line}")
    bars = ", ".join(f"{len(bars)} of {name}" for name, bars in found.bars.items())
    step(f"minutes: {bars}; none missing, none twice; the node has stopped")


if __name__ == "__main__":
    main()
