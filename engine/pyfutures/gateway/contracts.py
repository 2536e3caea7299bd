"""The contracts that the gateway knows, and how a request finds them.

Every instrument comes from a chain. Roots that share a symbol, class and month are one contract
here, as they are at IB. Ids depend on class and month alone, never on what else is loaded. Prices
are integers in ticks everywhere inside; `quote` turns them into IB's magnified quotes.
"""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import TYPE_CHECKING, Final

from pyfutures.chain import Catalog
from pyfutures.chain.sessions import Listing, listings
from pyfutures.gateway.curve import MODELS, Curve, CurveModel
from pyfutures.gateway.hours import Hours
from pyfutures.gateway.names import SIZES, WEEKLIES, con_id, local_symbol, weekly_days
from pyfutures.ib.messages.contracts import Contract
from pyfutures.months import ContractMonth

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyfutures.chain import Chain
    from pyfutures.gateway.config import GatewayConfig
    from pyfutures.specs.model import IbIdentity

__all__ = ["AmbiguousError", "Instrument", "NotFoundError", "Product", "Universe"]

_log = logging.getLogger(__name__)

_SCALE: Final = 10**9
_SECOND: Final = 10**9
_YEARS_BACK: Final = 3
_YEARS_AHEAD: Final = 5
_EXPIRED: Final = dt.timedelta(days=730)  # how long expired contracts are to be had
_LEAD: Final = dt.timedelta(days=7)  # a continuous future leaves its contract this long before


class NotFoundError(LookupError):
    """No contract is what was asked for."""


class AmbiguousError(LookupError):
    """More than one contract is what was asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class Instrument:
    """One contract. `tick` and `multiplier` are in currency; quotes are times `magnifier`."""

    con_id: int
    product: Product = field(repr=False)
    symbol: str
    exchange: str
    currency: str
    trading_class: str
    multiplier: Decimal
    magnifier: int
    tick: Decimal
    month: ContractMonth
    local_symbol: str
    listing: Listing
    timed: bool  # whether the time of the last trade is known
    expiry: dt.date
    ratio: tuple[int, int]  # the tick of quotes as a fraction: the same for any number of ticks

    @property
    def last_trade(self) -> dt.date:
        """The last trading day."""
        return self.listing.last

    @property
    def last_ns(self) -> int:
        """The instant of the last trade."""
        return self.listing.last_ns

    @property
    def hours(self) -> Hours:
        """When it trades."""
        return self.product.hours

    @property
    def quote_tick(self) -> Decimal:
        """The tick of quotes and order prices."""
        return self.tick * self.magnifier

    @property
    def tick_value(self) -> Decimal:
        """What a tick of one contract is worth, in its currency."""
        return self.tick * self.multiplier

    def quote(self, ticks: float) -> float:
        """Return a price in ticks as IB quotes it."""
        above, below = self.ratio
        twice = ticks * 2
        # Integers divide to the nearest float, so a quote is the same whichever way it comes.
        if twice == int(twice):
            return int(twice) * above / (2 * below)
        return ticks * above / below

    def ticks(self, quote: float) -> int | None:
        """Return a quote in ticks; None if it is not on the grid."""
        try:
            exact = Decimal(repr(float(quote))) / self.quote_tick
        except InvalidOperation:
            return None
        if not exact.is_finite() or abs(exact) > 10**15:
            return None
        nearest = round(exact)
        return nearest if abs(exact - nearest) < Decimal("1e-6") else None

    def money(self, ticks: float) -> float:
        """Return what a price in ticks is worth for one contract, in its currency."""
        return float(Decimal(str(ticks)) * self.tick_value)

    def is_expired(self, now: int) -> bool:
        """Whether it trades no more."""
        return now >= self.last_ns

    def spelled(self, *, exchange: bool = True, sec_type: str = "FUT") -> Contract:
        """Return it as answers name it: with the last trading day as a date."""
        return Contract(
            con_id=self.con_id,
            symbol=self.symbol,
            sec_type=sec_type,
            last_trade=f"{self.last_trade:%Y%m%d}",
            strike=0.0,
            right="?",
            multiplier=plain(self.multiplier),
            exchange=self.exchange if exchange else "",
            currency=self.currency,
            local_symbol=self.local_symbol,
            trading_class=self.trading_class,
        )


def plain(number: Decimal) -> str:
    """Return a number without an exponent and without zeros behind its point."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


class Product:
    """The contracts of one root, or of a variant of it.

    Parameters
    ----------
    chain
        Its months and dates.
    seed
        That of the market.
    variant
        Class and multiplier, where they are not those of the root.
    weekly
        The class of weeklies, with `{week}` where it depends on the week.

    """

    def __init__(
        self,
        chain: Chain,
        seed: int,
        hours: Hours,
        *,
        variant: tuple[str, str] | None = None,
        weekly: str | None = None,
    ) -> None:
        identity = chain.spec.ib
        if identity is None:
            raise ValueError(f"{chain.root}: {chain.spec.path} has no `ib`, so IB does not know it")
        self.chain = chain
        self.identity: IbIdentity = identity
        self.hours = hours
        self.seed = seed
        self._variant = variant
        self._weekly = weekly
        self._known: dict[int, Instrument] = {}
        self._years: dict[int, tuple[Instrument, ...]] = {}

    @property
    def root(self) -> str:
        """The root it comes from."""
        return self.chain.root

    @cached_property
    def symbols(self) -> frozenset[str]:
        """The symbols it has had."""
        return frozenset(span.value for span in self.identity.symbol.spans)

    @cached_property
    def curve(self) -> Curve:
        """Its market."""
        if self.root in MODELS:
            return Curve(self.root, self.seed)
        tick = float(self.chain.spec.tick.spans[-1].value)
        return Curve(self.root, self.seed, model=CurveModel(4000 * tick, 0.25))

    def instruments(self, year: int) -> tuple[Instrument, ...]:
        """Return the contracts that matter in a year, by month."""
        if year not in self._years:
            months = (ContractMonth(year - _YEARS_BACK, 1), ContractMonth(year + _YEARS_AHEAD, 12))
            self._years[year] = tuple(self._compile(*months))
        return self._years[year]

    def _compile(self, first: ContractMonth, last: ContractMonth) -> Iterator[Instrument]:
        priced = {row.month: row for row in listings(self.chain, first, last)}
        for row in self.chain.rows(first, last):
            tick = self.chain.spec.tick.at(row.month)
            if row.last_trade is None or tick is None:
                continue
            end = row.last_trade_utc or dt.datetime.combine(row.last_trade, dt.time(23, 59), dt.UTC)
            listing = priced.get(row.month) or Listing(
                row.month,
                row.last_trade - dt.timedelta(3 * 365),
                row.last_trade,
                int(end.timestamp()) * _SECOND,
                int(tick * _SCALE),
            )
            timed = row.last_trade_utc is not None
            if self._weekly is None:
                made = self._make(listing, row.trading_class, row.expiry, timed=timed)
                if made is not None:
                    yield made
            else:
                yield from self._weeklies(listing, timed=timed)

    def _weeklies(self, monthly: Listing, *, timed: bool) -> Iterator[Instrument]:
        for day in weekly_days(monthly.last, monthly.month):
            shift = (day - monthly.last).days
            listing = Listing(
                monthly.month,
                day - dt.timedelta(60),
                day,
                monthly.last_ns + shift * 86400 * _SECOND,
                monthly.tick,
            )
            week = day.isocalendar().week
            name = (self._weekly or "").format(week=week)
            made = self._make(listing, name, day, timed=timed, key=f"week {week}")
            if made is not None:
                yield made

    def _make(
        self,
        listing: Listing,
        trading_class: str | None,
        expiry: dt.date | None,
        *,
        timed: bool,
        key: str = "",
    ) -> Instrument | None:
        month = listing.month
        symbol, exchange = self.identity.symbol.at(month), self.identity.exchange.at(month)
        multiplier = self.chain.spec.multiplier.at(month)
        if symbol is None or exchange is None or multiplier is None:
            return None
        trading_class = trading_class or self.root
        if self._variant is not None:
            trading_class, multiplier = self._variant[0], Decimal(self._variant[1])
        currency = self.chain.spec.currency
        parts = (symbol, exchange, currency, trading_class, plain(multiplier), key)
        number = con_id("|".join(parts), month)
        if number not in self._known:
            local = local_symbol(exchange, trading_class, month, listing.last)
            if key:  # weeklies of one class have the week in their name
                local = f"{local[:-2]}{listing.last:%d}{local[-2:]}"
            tick = Decimal(listing.tick) / _SCALE
            magnifier = self.identity.price_magnifier
            self._known[number] = Instrument(
                number, self, symbol, exchange, currency, trading_class, multiplier, magnifier,
                tick, month, local, listing, timed, expiry or listing.last,
                (tick * magnifier).as_integer_ratio(),
            )  # fmt: skip
        return self._known[number]


class Universe:
    """All contracts.

    Parameters
    ----------
    products
        Of which they are. Where two have one contract in common, the first one's counts.

    """

    def __init__(self, products: Iterable[Product]) -> None:
        self.products = tuple(products)
        self._year: int | None = None
        self._by_id: dict[int, Instrument] = {}
        self._by_symbol: dict[str, list[Instrument]] = {}

    @classmethod
    def load(cls, config: GatewayConfig) -> Universe:
        """Return the contracts of the roots of a configuration.

        Raises
        ------
        ValueError
            For a root that IB does not have.
        UnknownRootError
            For a root that is not in the catalogue.

        """
        catalog = Catalog.load(roots=None if config.roots is None else sorted(set(config.roots)))
        products: list[Product] = []
        roots = list(catalog) if config.roots is None else list(dict.fromkeys(config.roots))
        classes: set[tuple[str, str]] = set()
        for root in roots:
            chain = catalog[root]
            identity = chain.spec.ib
            if identity is None:
                if config.roots is not None:
                    raise ValueError(f"{root} is not at IB: {chain.spec.path} has no `ib`")
                continue
            hours = Hours(chain)
            products.append(Product(chain, config.seed, hours))
            symbol = identity.symbol.spans[-1].value
            named = identity.trading_class.spans[-1].value.default or root
            classes.add((symbol, named))
        if config.variants:
            for product in tuple(products):
                products.extend(_variants(product, classes))
        return cls(products)

    def refresh(self, now: int) -> None:
        """Bring the contracts up to the year of an instant."""
        year = dt.datetime.fromtimestamp(now // _SECOND, dt.UTC).year
        if year == self._year:
            return
        self._year = year
        self._by_symbol = {}
        by_id: dict[int, Instrument] = {}
        for product in self.products:
            for instrument in product.instruments(year):
                other = by_id.setdefault(instrument.con_id, instrument)
                if other is instrument:
                    self._by_symbol.setdefault(instrument.symbol, []).append(instrument)
                elif other.local_symbol != instrument.local_symbol:
                    _log.warning("%s and %s have one id", other, instrument)
        # Contracts that left the window are still positions and orders.
        self._by_id |= by_id

    def by_id(self, number: int) -> Instrument | None:
        """Return the contract with an id."""
        return self._by_id.get(number)

    def instruments(self) -> tuple[Instrument, ...]:
        """Return all contracts of the present years."""
        return tuple(item for items in self._by_symbol.values() for item in items)

    def of(self, root: str, month: ContractMonth) -> Instrument:
        """Return the contract of a root and month.

        Raises
        ------
        NotFoundError
            If there is none.

        """
        for product in self.products:
            if product.root == root:
                for item in product.instruments(self._year or month.year):
                    if item.month == month:
                        self._by_id.setdefault(item.con_id, item)
                        return self._by_id[item.con_id]
        raise NotFoundError(f"{root} {month} is no contract of this gateway")

    def match(self, named: Contract, now: int) -> list[Instrument]:
        """Return the contracts that a request names, by last trade; CONTFUT gives the leading one.

        Expired ones only if `include_expired` is set, and for two years.
        """
        self.refresh(now)
        if named.sec_type not in {"FUT", "CONTFUT", "", "FUT+CONTFUT"}:
            return []
        if named.con_id:
            one = self._by_id.get(named.con_id)
            found = [] if one is None else [one]
        elif named.symbol:
            found = self._by_symbol.get(named.symbol, [])
        elif named.local_symbol or named.trading_class:
            found = list(self.instruments())
        else:
            found = []
        today = dt.datetime.fromtimestamp(now // _SECOND, dt.UTC).date()
        answer = [
            item
            for item in found
            if _is(item, named) and _lives(item, today, now, expired=named.include_expired)
        ]
        answer.sort(key=lambda item: (item.listing.last_ns, item.local_symbol))
        if named.sec_type == "CONTFUT" and not named.con_id:
            return _leading(answer, now)
        return answer

    def one(self, named: Contract, now: int) -> Instrument:
        """Return the one contract that a request names.

        Raises
        ------
        NotFoundError
            If none is.
        AmbiguousError
            If more than one is.

        """
        found = self.match(named, now)
        if not found:
            raise NotFoundError
        if len(found) > 1:
            raise AmbiguousError
        return found[0]


def _variants(product: Product, classes: set[tuple[str, str]]) -> Iterator[Product]:
    chain = product.chain
    symbol = product.identity.symbol.spans[-1].value
    for name, multiplier in SIZES.get(product.root, ()):
        if (symbol, name) not in classes:
            yield Product(chain, product.seed, product.hours, variant=(name, multiplier))
    if product.root in WEEKLIES:
        yield Product(chain, product.seed, product.hours, weekly=WEEKLIES[product.root])


def _lives(item: Instrument, today: dt.date, now: int, *, expired: bool) -> bool:
    if item.listing.first > today:
        return False
    if not item.is_expired(now):
        return True
    return expired and today - item.last_trade <= _EXPIRED


def _is(item: Instrument, named: Contract) -> bool:
    """Whether what a request says of a contract is true of it; silence is."""
    pairs = (
        (named.symbol, item.symbol),
        (named.exchange, item.exchange),
        (named.currency, item.currency),
        (named.local_symbol, item.local_symbol),
        (named.trading_class, item.trading_class),
    )
    if any(said and said != true for said, true in pairs):
        return False
    if named.multiplier:
        try:
            if Decimal(named.multiplier) != item.multiplier:
                return False
        except InvalidOperation:
            return False
    return _is_dated(item, named.last_trade)


def _is_dated(item: Instrument, said: str) -> bool:
    said = said.partition("-")[0].partition(" ")[0]
    if len(said) == 6:
        return said == f"{item.month.year:04d}{item.month.month:02d}"
    return not said or said == f"{item.last_trade:%Y%m%d}"


def _leading(found: list[Instrument], now: int) -> list[Instrument]:
    """Return the leading contract of each product, the months that are held before others."""
    answer: dict[tuple[str, str, str], Instrument] = {}
    for item in found:
        key = (item.trading_class, item.exchange, item.currency)
        if key in answer or item.last_ns - now < _LEAD.total_seconds() * _SECOND:
            continue
        answer[key] = item
    return list(answer.values())
