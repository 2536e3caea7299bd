"""The limits on requests for data, held against all clients of the login together.

The rules are those of `pyfutures.ib.pacing`, which the client holds against itself. The limit on
messages a second is a connection's own and lives in `session`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pyfutures.ib.pacing import Ledger, Rule

if TYPE_CHECKING:
    from pyfutures.gateway.clock import Timeline
    from pyfutures.gateway.session import Session
    from pyfutures.ib.pacing import Cost, Limits

__all__ = ["Pacing"]

_ANY = 10**9


class Pacing:
    """What was asked of the data farms, and whether one more request breaks a rule.

    Parameters
    ----------
    limits
        The limits; None for none.
    timeline
        Whose time counts.

    """

    def __init__(self, limits: Limits | None, timeline: Timeline) -> None:
        self._timeline = timeline
        self._ledger = None if limits is None else Ledger(replace(limits, messages=_ANY))

    def breaks(
        self, cost: Cost, session: Session | None = None, request_id: int = -1
    ) -> Rule | None:
        """Return the rule that a request breaks, else take note of it and return None."""
        if self._ledger is None:
            return None
        now = self._timeline.now
        broken = self._ledger.broken(cost, now)
        if broken is None:
            self._ledger.sent(cost, now, request_id=(session, request_id))
        return broken

    def done(self, session: Session, request_id: int) -> None:
        """Take note that a request was answered or cancelled."""
        if self._ledger is not None:
            self._ledger.done((session, request_id))

    def left(self, session: Session) -> None:
        """Take note that a client is gone with all its requests."""
        if self._ledger is not None:
            for key in [key for key in self._ledger.open if _is_of(key, session)]:
                self._ledger.done(key)


def _is_of(key: object, session: Session) -> bool:
    return isinstance(key, tuple) and key[0] is session
