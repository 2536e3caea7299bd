"""Whether the broker can tell roots apart: one contract of IB is one contract of ours.

Two roots may share their contracts, held in two ways (COIL and COIL_Z): then they have one name.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from pyfutures.codes import diagnostic
from pyfutures.months import FIRST_MONTH, LAST_MONTH, ContractMonth
from pyfutures.specs.positions import locate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyfutures.chain.chain import Chain
    from pyfutures.diagnostics import Diagnostic
    from pyfutures.specs.model import IbIdentity, Spec

__all__ = ["confused"]


def confused(chains: Iterable[Chain]) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each two roots of different names that are one contract at IB."""
    groups: dict[tuple[str, str, str], list[Chain]] = {}
    for chain in chains:
        ib = chain.spec.ib
        if ib is not None:
            for symbol in dict.fromkeys(ib.symbol.values):
                for exchange in dict.fromkeys(ib.exchange.values):
                    key = (symbol, exchange, chain.spec.currency)
                    groups.setdefault(key, []).append(chain)
    told: set[tuple[str, str]] = set()
    for group in groups.values():
        for one, other in combinations(sorted(group, key=lambda chain: chain.root), 2):
            pair = (one.root, other.root)
            if one.spec.name != other.spec.name and pair not in told and _may_be_same(one, other):
                told.add(pair)
                yield from _compared(one, other)


def _may_be_same(one: Chain, other: Chain) -> bool:
    """Whether two roots could be the same in some month: quick, and true too often."""
    first, second = one.spec, other.spec
    if not set(first.multiplier.values) & set(second.multiplier.values):
        return False
    classes, others = (_classes(spec) for spec in (first, second))
    return None in classes | others or bool(classes & others)


def _classes(spec: Spec) -> set[str | None]:
    if spec.ib is None:
        return set()
    found = spec.ib.trading_class.values
    return {name for value in found for name in (value.default, *value.by_code.values())}


def _compared(one: Chain, other: Chain) -> Iterator[Diagnostic]:
    theirs = set(other.months)
    same = [month for month in one.months if month in theirs and _same_in(one, other, month)]
    if not same:
        return
    spec, at = one.spec, same[-1]
    identity = _identity(spec, at)
    if identity is None:
        return
    symbol, exchange, class_ = identity
    words = f"symbol {symbol} at {exchange}, multiplier {spec.multiplier.at(at)}"
    words += f", class {class_}" if class_ else ", without a class"
    span = f"the months {same[0]} to {same[-1]}"
    if same[0] == max(one.months[0], other.months[0]) and same[-1] == min(
        one.months[-1], other.months[-1]
    ):
        span = "any month"
    # The root that comes second was probably written second.
    place, related = (locate(chain.spec.locations, ("root",)) for chain in (other, one))
    yield diagnostic(
        "PF509",
        f"IB cannot tell `{other.root}` from `{one.root}` in {span}: {words}",
        place,
        hint="give each an `ib.trading_class` of its own, or mend `ib.symbol` or `multiplier`;"
        " roots that are one contract, held in two ways, have one `name`",
        related=((related, "the other root"),) if related else (),
    )


def _same_in(one: Chain, other: Chain, month: ContractMonth) -> bool:
    first, second = _identity(one.spec, month), _identity(other.spec, month)
    if first is None or second is None or first[:2] != second[:2]:
        return False
    if one.spec.multiplier.at(month) != other.spec.multiplier.at(month):
        return False
    return first[2] is None or second[2] is None or first[2] == second[2]


def _identity(spec: Spec, month: ContractMonth) -> tuple[str, str, str | None] | None:
    """Symbol, exchange and class at IB; None where the spec does not know them."""
    ib: IbIdentity | None = spec.ib
    if ib is None or not FIRST_MONTH <= month <= LAST_MONTH:
        return None
    symbol, exchange = ib.symbol.at(month), ib.exchange.at(month)
    classes = ib.trading_class.at(month)
    if symbol is None or exchange is None:
        return None
    return symbol, exchange, classes.for_month(month) if classes else None
