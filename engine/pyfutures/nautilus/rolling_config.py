"""What a rolling strategy is to hold, and how it moves it."""

from __future__ import annotations

from typing import Literal

# msgspec reads the annotations when a node's file is read.
from nautilus_trader.config import (  # noqa: TC002
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
)
from nautilus_trader.trading.config import StrategyConfig

from pyfutures.positions import MoveRules

__all__ = ["RollingStrategyConfig"]


class RollingStrategyConfig(StrategyConfig, frozen=True, kw_only=True):  # type: ignore[misc, call-arg] # nautilus has no types
    """What to hold, and how it is moved; a wrong type or key is refused.

    Attributes
    ----------
    root
        The root to hold.
    contracts
        Folders laid over the built-in catalogue.
    target
        Signed quantity to hold; None for what is held at start. One that `set_target` has set
        counts instead, until this is another than it was then.
    open_when_flat
        Open the target by the calendar when nothing is held; else a flat root stays flat until
        `set_target` is called.
    adopt
        Take what the broker holds in a contract of this root and no ledger explains.
    on_expired
        What a ledger means that has a contract which trades no more: a `fault`, nothing is held and
        stays so (`flat`), or nothing is held and the target is opened anew (`reopen`).
    hold
        Month codes of the hold cycle, if the roll actor was given another one than the spec's.
    spread, steps, step_secs, beyond, leg_secs, attempts, retry_secs, stale_secs, hurry_secs
        As in `pyfutures.positions.MoveRules`.
    hours
        When orders may be sent, as ``09:30-16:00 America/New_York``; by default the liquid hours
        that the broker tells, else the trading hours of the spec.
    dry_run
        Decide and write down, but send nothing.
    kill_file
        While this file exists nothing is sent, and what works is cancelled.
    store
        Where moves and ledgers are kept: path of a SQLite file, or a URL. None keeps them in
        memory, for backtests.
    account_id
        The account at the broker; by default the only one there is.
    venue, client_id
        Stand in for the exchange of the spec in instrument ids, and for the client of the venue.
    poll_secs, check_secs
        Seconds between two looks at an open move, and between two comparisons with the broker.
    settle_secs
        Seconds in which, after a start in the middle of a move, positions and orders must agree,
        and a contract that is to be traded must be known; else that is a fault.
    replay
        For a gateway that plays the past: hours and deadlines, which are those of the clock, are
        not looked at.
    """

    root: str
    contracts: tuple[str, ...] = ()
    target: int | None = None
    open_when_flat: bool = False
    adopt: bool = False
    on_expired: Literal["fault", "flat", "reopen"] = "fault"
    hold: str | None = None
    spread: bool = True
    steps: PositiveInt = 5
    step_secs: PositiveFloat = 30.0
    beyond: NonNegativeInt = 0
    leg_secs: PositiveFloat = 60.0
    attempts: PositiveInt = 3
    retry_secs: PositiveFloat = 5.0
    stale_secs: PositiveFloat = 300.0
    hurry_secs: NonNegativeFloat = 86_400.0
    hours: str | None = None
    dry_run: bool = False
    kill_file: str | None = None
    store: str | None = None
    account_id: str | None = None
    venue: str | None = None
    client_id: str | None = None
    poll_secs: PositiveFloat = 1.0
    check_secs: PositiveFloat = 30.0
    settle_secs: PositiveFloat = 20.0
    replay: bool = False

    @property
    def rules(self) -> MoveRules:
        """How a position is moved."""
        return MoveRules(
            spread=self.spread,
            steps=self.steps,
            step_secs=self.step_secs,
            beyond=self.beyond,
            leg_secs=self.leg_secs,
            attempts=self.attempts,
            retry_secs=self.retry_secs,
            stale_secs=self.stale_secs,
            hurry_secs=self.hurry_secs,
        )
