"""What can be wrong with a download that is no fault of the line: the contract, or the data."""

from __future__ import annotations

__all__ = ["ContractNotFoundError", "DisorderError", "DownloadError", "FutureError"]


class DownloadError(Exception):
    """A download that cannot be done as asked."""


class ContractNotFoundError(DownloadError):
    """The gateway has no such contract, or more than one; the text says which."""


class FutureError(DownloadError):
    """A span that ends in the future."""


class DisorderError(DownloadError):
    """An answer whose times are not in order, or that says two things of one time."""
