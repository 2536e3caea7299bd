"""What can go wrong with a store; every text says what was found and what to do."""

from __future__ import annotations

__all__ = [
    "IntentError",
    "LeaseError",
    "LeaseHeldError",
    "LeaseLostError",
    "SeriesChangedError",
    "SeriesConflictError",
    "StoreError",
    "StoreFailedError",
    "StoreVersionError",
]


class StoreError(RuntimeError):
    """Something is wrong with a store."""


class StoreVersionError(StoreError):
    """The store was written by a program that knows more than this one, or is none of ours."""


class StoreFailedError(StoreError):
    """The database does not do what it is told: it is gone, full, locked or may not be written.

    Nothing of the call is written, unless the connection was lost while it was committed.
    """


class LeaseError(StoreError):
    """Something is wrong with a lease."""


class LeaseHeldError(LeaseError):
    """Another node holds the account and root."""


class LeaseLostError(LeaseError):
    """The lease that a write stands on is another node's by now."""


class SeriesChangedError(StoreError):
    """A recorded roll or a past date of a stored series would be another by the new rules.

    Attributes
    ----------
    differences
        What would differ, one sentence each.

    """

    def __init__(self, name: str, differences: tuple[str, ...]) -> None:
        self.name = name
        self.differences = differences
        super().__init__(name, differences)

    def __str__(self) -> str:
        lines = "".join(f"\n  {line}" for line in self.differences)
        return (
            f"{self.name}: the stored series was made by other rules, and these differ in what has"
            f" passed:{lines}\ntake the change back, or have the series rebuilt (rebuild: true)"
        )


class SeriesConflictError(StoreError):
    """Another process has written to the series in between."""


class IntentError(StoreError):
    """An intent is there already, or is not open."""
