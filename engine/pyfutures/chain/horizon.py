"""Whether calendars reach as far as contracts are listed today.

The day is a parameter: nothing here has a clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from pyfutures.chain.table import event_spans
from pyfutures.codes import diagnostic
from pyfutures.rules import Status
from pyfutures.specs.positions import locate

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator

    from pyfutures.chain.chain import Chain
    from pyfutures.diagnostics import Diagnostic
    from pyfutures.months import ContractMonth
    from pyfutures.specs.model import DataPath, EventRule

__all__ = ["AHEAD", "ended"]

#: How many months ahead a contract is taken to be listed where its spec does not say.
AHEAD: Final = 12


def ended(chains: Iterable[Chain], today: dt.date) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each calendar that ends before months do that are listed today.

    Parameters
    ----------
    chains
        The compiled roots.
    today
        The day from which months ahead are counted.

    """
    now = today.year * 12 + today.month - 1
    found: dict[str, list[tuple[Chain, ContractMonth, DataPath]]] = {}
    for chain in chains:
        table = chain.table
        last = now + (chain.spec.ahead or AHEAD)
        bare = (table.index >= now) & (table.index <= last)
        bare &= table.last_trade.status == Status.UNKNOWN
        if not bare.any():
            continue
        for rows, rule in event_spans(chain.spec.last_trade, table.index):
            missing = np.flatnonzero(bare[rows]) + rows.start
            if missing.size:
                month = chain.months[missing[0]]
                place = (chain, month, (*rule.path, "calendar"))
                found.setdefault(_shortest(chain, rule), []).append(place)
    for name, places in found.items():
        chain, month, path = places[0]
        last_day = chain.calendars[name].valid_until
        others = {1: "", 2: " and another root"}.get(
            len(places), f" and {len(places) - 1} other roots"
        )
        yield diagnostic(
            "PF416",
            f"the calendar `{name}` ends on {last_day}: {chain.root} {month}{others}, listed"
            " today, has no last trade",
            locate(chain.spec.locations, path),
            hint="extend it with `valid_until`, or let it answer with `projected: true`",
        )


def _shortest(chain: Chain, rule: EventRule) -> str:
    """The calendar of a rule that ends first."""
    names = (rule.calendar, *rule.rule.calendars)
    return min(names, key=lambda name: chain.calendars[name].last)
