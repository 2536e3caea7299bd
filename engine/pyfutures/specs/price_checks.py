"""Checks of prices: what they are counted in, and by what steps."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from pyfutures.specs import currencies
from pyfutures.specs.checks import Draft, Finding, contract_checks
from pyfutures.specs.parts import parts

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__: list[str] = []

#: Prices are held as whole multiples of 10^-9: a tick with more digits lies between two of them.
_DIGITS: Final = 9
#: What exchanges cut a point into, and people round: 1/32 is written 0.0313 now and then.
_CUTS: Final = (3, 6, 8, 12, 16, 32, 64, 128, 256, 512)
#: With fewer significant digits a short tick such as 0.3 would be taken for a rounded one.
_SIGNIFICANT: Final = 2


@contract_checks("PF112")
def tick_on_grid(draft: Draft) -> Iterator[Finding]:
    """See that a tick is exact: no fraction that was rounded, no more digits than prices have."""
    if not draft.has("tick"):
        return
    for part in parts(draft.get("tick"), ("tick",), "value"):
        tick = Decimal(part.value)
        digits = -int(tick.normalize().as_tuple().exponent)
        cut = _rounded(tick, digits)
        if cut is not None:
            exact = Decimal(1) / cut
            # A third has no end: as far as prices go is as near as it can be written.
            ends = -int(exact.normalize().as_tuple().exponent) <= _DIGITS
            hint = f"write `{exact.normalize():f}`" if ends else "give the tick of another unit"
            yield Finding(part.path, f"the tick {tick:f} is 1/{cut}, rounded", hint)
        elif digits > _DIGITS:
            message = (
                f"the tick {tick:f} has {digits} digits after the point; prices have {_DIGITS}"
            )
            yield Finding(part.path, message, "is it in the unit that prices are quoted in?")


@contract_checks("PF113")
def known_currency(draft: Draft) -> Iterator[Finding]:
    """See that the currency is one."""
    if draft.has("currency") and (code := draft.get("currency")) not in currencies.CODES:
        yield Finding(("currency",), f"no currency has the code `{code}`", currencies.hint(code))


def _rounded(tick: Decimal, digits: int) -> int | None:
    """Return the cut of a point that a tick is a rounded part of, or None."""
    if digits < 1 or len(tick.normalize().as_tuple().digits) < _SIGNIFICANT:
        return None
    # Half of the last digit of the tick is the most that rounding changes.
    value, one = int(tick.scaleb(digits)), 10**digits
    return next((n for n in _CUTS if 0 < 2 * abs(value * n - one) <= n), None)
