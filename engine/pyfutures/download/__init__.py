"""Historical data of contracts, downloaded: any span of bars, quotes and trades, whole and checked.

A session with a gateway, a chain and a contract month go in; rows in the form that
`pyfutures continuous build` reads come out, with every hole named.
"""

from __future__ import annotations

from pyfutures.download.bars import BarDownload, BarRow, BarsWanted, download_bars
from pyfutures.download.contracts import FoundContract, find_contract
from pyfutures.download.errors import (
    ContractNotFoundError,
    DisorderError,
    DownloadError,
    FutureError,
)
from pyfutures.download.files import write_bars, write_ticks
from pyfutures.download.holes import Hole
from pyfutures.download.ticks import TickDownload, TickKind, TicksWanted, download_ticks

__all__ = [
    "BarDownload",
    "BarRow",
    "BarsWanted",
    "ContractNotFoundError",
    "DisorderError",
    "DownloadError",
    "FoundContract",
    "FutureError",
    "Hole",
    "TickDownload",
    "TickKind",
    "TicksWanted",
    "download_bars",
    "download_ticks",
    "find_contract",
    "write_bars",
    "write_ticks",
]
