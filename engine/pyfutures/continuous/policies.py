"""When to roll within the window, by name.

A policy is asked at the close of a timestamp in ``[roll_date, deadline)``, with the bars that the
current and the forward month have there. It cannot roll early, late or backwards: the machine does
not ask.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyfutures.continuous.bars import Bar


class Policy(StrEnum):
    """When to roll within the window."""

    FIRST_COMMON = "first_common"


class Missing(StrEnum):
    """What to do while a price that the roll needs is missing."""

    WAIT = "wait"


def _both_have_a_close(current: Bar | None, forward: Bar | None) -> bool:
    return (
        current is not None
        and forward is not None
        and current.close is not None
        and forward.close is not None
    )


DECISIONS: Mapping[Policy, Callable[[Bar | None, Bar | None], bool]] = {
    Policy.FIRST_COMMON: _both_have_a_close,
}
