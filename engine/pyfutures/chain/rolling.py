"""Roll calendars of a chain: the spec's own, and those with some parameters taken in hand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pyfutures.calendars import NAT, date_of
from pyfutures.chain.errors import ChainError
from pyfutures.chain.rolls import RollCalendar, RollRow
from pyfutures.chain.table import compile_deadline_days, compile_roll_days, membership
from pyfutures.cycles import Cycle, CycleError
from pyfutures.months import ContractMonth
from pyfutures.ranged import Ranged, Span
from pyfutures.specs.model import Anchor, OffsetUnit, Roll

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pyfutures.chain.chain import Chain


def own_calendar(chain: Chain) -> RollCalendar:
    """The roll calendar of the spec's own roll parameters.

    Raises
    ------
    ChainError
        If the root has no ``roll``, or no held month whose dates are known.
    """
    spec = chain.spec
    if spec.roll is None:
        raise ChainError(
            f"{chain.root} has no roll: add `roll: {{anchor: last_trade, offset: -5, carry: 1}}` to"
            f" {spec.path}"
        )
    return _calendar(chain, spec.hold, spec.priced, spec.roll, chain.roll_days, chain.deadline_days)


def changed_calendar(
    chain: Chain, *, hold: str | None, priced: str | None, changes: Mapping[str, Any]
) -> RollCalendar:
    """The roll calendar with other cycles and other fields of `Roll`; see `Chain.roll_calendar`.

    Raises
    ------
    ChainError
        If neither the spec nor the caller gives an offset, the anchor is not defined, or a cycle is
        not within the listed months.
    """
    spec = chain.spec
    if spec.roll is None and "offset" not in changes:
        raise ChainError(f"{chain.root} has no roll in {spec.path}: give a roll offset")
    own = spec.roll or Roll(Anchor.LAST_TRADE, 0, OffsetUnit.CALENDAR, 1)
    roll = replace(own, **changes)
    if roll.anchor is Anchor.FIRST_NOTICE and spec.first_notice is None:
        raise ChainError(f"{chain.root} has no first notice in {spec.path} to count a roll from")
    prices = spec.priced if priced is None else _cycle(chain, "priced", priced, spec.priced)
    held = spec.hold if hold is None else _cycle(chain, "hold", hold, spec.hold)
    _check_held_is_priced(chain, held, prices)
    if spec.roll is None or changes.keys() & {"anchor", "offset", "unit"}:
        deadlines = compile_deadline_days(
            spec,
            chain.table,
            close_out=0,
            by_notice=False,
            calendars=chain.calendars,
        )
    else:
        deadlines = chain.deadline_days
    days = compile_roll_days(spec, chain.table, roll, chain.calendars)
    return _calendar(chain, held, prices, roll, days, deadlines)


def has_predecessor(chain: Chain, month: ContractMonth) -> bool:
    """Whether the hold cycle has a month before the given one: it has none at its first listing."""
    return _neighbour(chain.spec.hold, month, -1) is not None


def _cycle(chain: Chain, name: str, codes: str, own: Cycle) -> Cycle:
    """The cycle of some codes, within the listing and less what the spec skips."""
    listed = {month.code for month in chain.months}
    if unlisted := sorted(set(codes) - listed):
        raise ChainError(
            f"{chain.root}: {name} cycle {codes} has {', '.join(unlisted)}, which"
            f" {chain.root} never lists: {chain.spec.listed}"
        )
    spans = chain.spec.listed.spans.spans
    bounded = Ranged((Span(spans[0].start, spans[-1].until, codes),))
    return Cycle(bounded, own.skip)


def _check_held_is_priced(chain: Chain, hold: Cycle, priced: Cycle) -> None:
    index = chain.table.index
    bare = index[membership(hold, index) & ~membership(priced, index)]
    if bare.size:
        month = ContractMonth.from_index(int(bare[0]))
        raise ChainError(
            f"{chain.root}: held month {month} is not in the priced cycle {priced}:"
            " hold only months that have prices"
        )


def _calendar(  # noqa: PLR0913, PLR0917 - the columns of a roll calendar
    chain: Chain,
    hold: Cycle,
    priced: Cycle,
    roll: Roll,
    rolls: NDArray[np.int64],
    deadlines: NDArray[np.int64],
) -> RollCalendar:
    """Rows of the held months whose dates are all known.

    A chain ends where its calendars do: the months after the first unknown one are left out, and
    whoever asks past them is told where the calendar ends.
    """
    held = np.flatnonzero(membership(hold, chain.table.index))
    known = (rolls[held] != NAT) & (deadlines[held] != NAT)
    if not known.any():
        raise ChainError(f"{chain.root}: no held month ({hold}) has a known roll date and deadline")
    start = int(np.argmax(known))
    unknown = np.flatnonzero(~known[start:])
    held = held[start : start + int(unknown[0]) if unknown.size else None]
    months = [chain.months[i] for i in held]
    return RollCalendar(
        root=chain.root,
        rows=tuple(
            RollRow.of(
                month,
                previous=months[n - 1] if n else None,
                forward=months[n + 1] if n + 1 < len(months) else None,
                carry=_neighbour(priced, month, roll.carry),
                roll_date=date_of(rolls[i]),
                deadline=date_of(deadlines[i]),
            )
            for n, (i, month) in enumerate(zip(held, months, strict=True))
        ),
    )


def _neighbour(cycle: Cycle, month: ContractMonth, steps: int) -> ContractMonth | None:
    try:
        return cycle.neighbour(month, steps)
    except CycleError:
        # The root was not listed yet, or is listed no more.
        return None
