"""The limit of a calendar spread, step by step from the middle to the other side of the market."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

__all__ = ["MoveRules", "Quote", "spread_quote", "step_price"]

_NS: Final = 10**9


@dataclass(frozen=True, slots=True)
class MoveRules:
    """How a position is moved.

    Parameters
    ----------
    spread
        Try one order for both months first.
    steps
        Prices that a spread order goes through: the first is the middle of the market, the last
        its other side, or `beyond` ticks past it.
    step_secs
        How long each price stands.
    beyond
        Ticks past the other side at the last step.
    leg_secs
        How long a leg, a market order, may stay unfilled before that is a fault.
    attempts
        Leg orders of a month that may be refused before that is a fault.
    retry_secs
        How long after a refusal a leg, or a cancel, is tried again.
    stale_secs
        Age from which a quote is none.
    hurry_secs
        From how long before the deadline a spread that cannot be priced is not waited for.
    """

    spread: bool = True
    steps: int = 5
    step_secs: float = 30.0
    beyond: int = 0
    leg_secs: float = 60.0
    attempts: int = 3
    retry_secs: float = 5.0
    stale_secs: float = 300.0
    hurry_secs: float = 86_400.0

    def __post_init__(self) -> None:
        """Refuse rules under which nothing would ever be sent."""
        if self.steps < 1 or self.attempts < 1:
            raise ValueError("steps and attempts are at least 1")
        times = (self.step_secs, self.leg_secs, self.retry_secs, self.stale_secs)
        if min(times) <= 0 or self.beyond < 0:
            raise ValueError(
                "step_secs, leg_secs, retry_secs and stale_secs are above 0, beyond is not below 0"
            )

    @property
    def step_ns(self) -> int:
        """How long each price stands, in nanoseconds."""
        return round(self.step_secs * _NS)

    @property
    def leg_ns(self) -> int:
        """How long a leg may stay unfilled, in nanoseconds."""
        return round(self.leg_secs * _NS)

    @property
    def retry_ns(self) -> int:
        """How long after a refusal something is tried again, in nanoseconds."""
        return round(self.retry_secs * _NS)

    @property
    def stale_ns(self) -> int:
        """Age from which a quote is none, in nanoseconds."""
        return round(self.stale_secs * _NS)

    @property
    def hurry_ns(self) -> int:
        """How long before the deadline nothing is waited for, in nanoseconds."""
        return round(self.hurry_secs * _NS)


@dataclass(frozen=True, slots=True)
class Quote:
    """Best bid and ask, and when they were seen."""

    bid: Decimal
    ask: Decimal
    ts: int


def spread_quote(near: Quote, far: Quote) -> Quote:
    """Return the market in ``near - far`` that two markets imply, as old as the older."""
    return Quote(near.bid - far.ask, near.ask - far.bid, min(near.ts, far.ts))


def step_price(quote: Quote, *, buy: bool, step: int, tick: Decimal, rules: MoveRules) -> Decimal:
    """Return the limit at a step.

    Even steps from the middle (step 0) to the other side and `beyond` (the last step), rounded to
    the tick away from us: a price is never worse than its step asks for.
    """
    middle = (quote.bid + quote.ask) / 2
    limit = quote.ask + rules.beyond * tick if buy else quote.bid - rules.beyond * tick
    share = Decimal(1) if rules.steps == 1 else Decimal(step) / (rules.steps - 1)
    raw = middle + (limit - middle) * min(share, Decimal(1))
    rounding = ROUND_FLOOR if buy else ROUND_CEILING
    return (raw / tick).to_integral_value(rounding) * tick
