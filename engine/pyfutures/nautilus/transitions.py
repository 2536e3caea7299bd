"""Recorded rolls in the form of nautilus' own continuous futures.

nautilus builds an adjusted series from transitions that the caller brings; it finds no rolls. Only
rolls that were made are given out: a row to come has no prices yet, and in a BACKWARD mode it would
shift the bars of today. A transition takes place just after the last bar of the old month, since
that bar still belongs to it.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pyfutures.continuous.bars import instant, price_text
from pyfutures.nautilus.instruments import instrument_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyfutures.chain import Chain
    from pyfutures.continuous.bars import Roll

__all__ = ["TransitionError", "to_transitions"]


class TransitionError(ValueError):
    """Rolls that nautilus cannot make a chain of."""


def to_transitions(
    rolls: Iterable[Roll], chain: Chain, *, until: int, venue: str | None = None
) -> list[dict[str, Any]]:
    """Return the transitions of the rolls made until an instant, oldest first.

    They are what `continuous_future_transitions` takes in the params of `request_aggregated_bars`
    and `subscribe_bars`.

    Parameters
    ----------
    rolls
        Rolls of one series, oldest first: of a batch build, a store, or heard as they happen.
    chain
        The root, for the ids of its contracts.
    until
        UTC nanoseconds; a roll whose last old bar is later is left out.
    venue
        Stands in for the exchange of the spec in instrument ids.

    Raises
    ------
    TransitionError
        If the rolls do not follow one another.
    """
    made = [roll for roll in rolls if roll.last_old_ts < until]
    for one, other in pairwise(made):
        if other.last_old_ts <= one.last_old_ts or other.old != one.new:
            raise TransitionError(
                f"{chain.root}: the roll from {other.old} at {instant(other.last_old_ts)} does not"
                f" follow the one into {one.new} at {instant(one.last_old_ts)}: give the rolls of"
                " one series, oldest first and without gaps"
            )
    return [
        {
            "transition_time_ns": roll.last_old_ts + 1,
            "pre_instrument_id": str(instrument_id(chain, roll.old, venue=venue)),
            "post_instrument_id": str(instrument_id(chain, roll.new, venue=venue)),
            "pre_price": price_text(roll.pre_price),
            "post_price": price_text(roll.post_price),
        }
        for roll in made
    ]
