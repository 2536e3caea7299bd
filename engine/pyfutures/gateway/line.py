"""What stands between the gateway and IB's servers: the line, the data farms, resets, rivals."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from pyfutures.gateway.names import FARMS

if TYPE_CHECKING:
    from pyfutures.gateway.contracts import Instrument

__all__ = ["Connectivity", "FarmState", "Line", "history_farm", "market_farm"]


class Connectivity(StrEnum):
    """What becomes of the line."""

    LOST = "lost"  # 1100
    BROKEN = "broken"  # 2110
    RESTORED_LOST = "restored_lost"  # 1101
    RESTORED_KEPT = "restored_kept"  # 1102
    RESTORED_SILENTLY = "restored_silently"  # neither is said


class FarmState(StrEnum):
    """What is said of a farm."""

    OK = "ok"
    BROKEN = "broken"
    INACTIVE = "inactive"
    CONNECTING = "connecting"


_CODES: Final = {
    ("market", FarmState.OK): 2104,
    ("market", FarmState.BROKEN): 2103,
    ("market", FarmState.INACTIVE): 2108,
    ("market", FarmState.CONNECTING): 2119,
    ("history", FarmState.OK): 2106,
    ("history", FarmState.BROKEN): 2105,
    ("history", FarmState.INACTIVE): 2107,
    ("history", FarmState.CONNECTING): 2107,
    ("contracts", FarmState.OK): 2158,
    ("contracts", FarmState.BROKEN): 2157,
    ("contracts", FarmState.INACTIVE): 2157,
    ("contracts", FarmState.CONNECTING): 2157,
}


def market_farm(exchange: str) -> str:
    """Return the farm that has the live data of an exchange."""
    return FARMS.get(exchange, "usfuture")


def history_farm(exchange: str) -> str:
    """Return the farm that has the past of an exchange."""
    return {"eufarm": "euhmds", "jfarm": "apachmds", "hfarm": "hkhmds"}.get(
        market_farm(exchange), "ushmds"
    )


def kind_of(farm: str) -> str:
    """Return what a farm has: market, history or contracts."""
    if farm.startswith("secdef"):
        return "contracts"
    return "history" if farm.endswith("hmds") else "market"


def notice(farm: str, state: FarmState) -> int:
    """Return the code of a notice about a farm."""
    return _CODES[kind_of(farm), state]


@dataclass(slots=True)
class Line:
    """The state of what lies behind the gateway."""

    up: bool = True
    farms: dict[str, FarmState] = field(
        default_factory=lambda: dict.fromkeys(
            ("usfarm", "usfuture", "ushmds", "secdefil"), FarmState.OK
        )
    )
    resetting: bool = False  # contract details answer 200
    competing: bool = False  # another session has the market data

    def works(self, farm: str) -> bool:
        """Whether data of a farm comes through."""
        return self.up and self.farms.get(farm) is not FarmState.BROKEN

    def is_live(self, instrument: Instrument) -> bool:
        """Whether live data of a contract comes through."""
        return not self.competing and self.works(market_farm(instrument.exchange))

    def has_past(self, instrument: Instrument) -> bool:
        """Whether past data of a contract comes through."""
        return self.works(history_farm(instrument.exchange))
