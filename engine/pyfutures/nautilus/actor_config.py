"""What a roll actor is told."""

from __future__ import annotations

from nautilus_trader.config import ActorConfig

__all__ = ["RollActorConfig"]


class RollActorConfig(ActorConfig, frozen=True, kw_only=True):  # type: ignore[misc, call-arg] # nautilus has no types
    """What a roll actor is to keep, and by which rules; a wrong type or key is refused.

    Parameters
    ----------
    root : str
        Root of the series.
    series : str, optional
        Name of the series, where a root has several; by default the root. The one that bears the
        name of the root says which month is current.
    bar_spec : str, default "1-DAY-LAST-EXTERNAL"
        Bars to take, as nautilus writes them after the instrument.
    contracts : tuple of str
        Folders laid over the built-in catalogue.
    hold, priced, anchor, offset, unit, carry : optional
        Stand in for the spec's own cycles and roll parameters.
    policy, missing : str
        When to roll within the window, and what to do while a price is missing; `open_interest` and
        `nearest` are for files alone.
    lag : int, default 1
        Sessions until a volume is known, for the policy `volume`.
    start : str, optional
        Month that a new series begins with; by default the one held at the broker, else that of the
        calendar when the actor starts.
    end : str, optional
        Month that is not left any more.
    venue : str, optional
        Stands in for the exchange of the spec in instrument ids.
    client_id : str, optional
        Data client to subscribe with; by default the one of the venue.
    grace_secs : float, default 60
        How long a bar may come after its timestamp before that is closed without it.
    capacity : int, default 1000
        Continuous bars kept in memory.
    native_bars : bool, default True
        Publish plain bars under the two ids of the root as well.
    store : str, optional
        File or URL of the store that the series is kept in. Without one it lives as long as the
        node, and in Redis where the node has it.
    account_id : str, optional
        The account of the lease and of the position; not needed where there is only one.
    rebuild : bool, default False
        Begin the stored series anew, where new rules would move a roll that was recorded.
    catalog : str, optional
        Folder of a ParquetDataCatalog that the series is appended to.
    export : str, optional
        Parquet file that the series is written to on stop, and by `export`.
    history_days : float, default 0
        How far back a new series begins, where the broker has history.
    history_secs : float, default 60
        How long to wait for history before it is asked for again, for each 5000 bars of time.
    history_tries : int, default 5
        How often it is asked for before the start fails; a series that was followed already is
        asked for on and on.
    refresh_mins : float, default 60
        Minutes between two looks at the instruments; a roll causes one as well. 0 for never.
    overdue_secs : float, default 600
        So long after a bar was due in trading hours it is missed, and subscribed to again. 0 for
        never.
    replay : bool, default False
        The time is that of the bars and no clock's: for a gateway that plays the past.
    """

    root: str
    series: str | None = None
    bar_spec: str = "1-DAY-LAST-EXTERNAL"
    contracts: tuple[str, ...] = ()
    hold: str | None = None
    priced: str | None = None
    anchor: str | None = None
    offset: int | None = None
    unit: str | None = None
    carry: int | None = None
    policy: str = "first_common"
    missing: str = "wait"
    lag: int = 1
    start: str | None = None
    end: str | None = None
    venue: str | None = None
    client_id: str | None = None
    grace_secs: float = 60.0
    capacity: int = 1000
    native_bars: bool = True
    store: str | None = None
    account_id: str | None = None
    rebuild: bool = False
    catalog: str | None = None
    export: str | None = None
    history_days: float = 0.0
    history_secs: float = 60.0
    history_tries: int = 5
    refresh_mins: float = 60.0
    overdue_secs: float = 600.0
    replay: bool = False
