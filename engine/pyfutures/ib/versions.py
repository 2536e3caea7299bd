"""Server versions, and which of them changed a layout that we speak.

Text protocol only: from 201 the frame itself changes (a raw 4-byte message id) and bodies turn into
protobuf family by family, so 200 is the highest version that is offered or accepted. 157 is the
lowest that any living client asks for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["MAX_VERSION", "MIN_VERSION", "Versions"]

MIN_VERSION: Final = 157
MAX_VERSION: Final = 200

DURATION: Final = 158
POST_TO_ATS: Final = 160
AUTO_CANCEL_PARENT: Final = 162
FRACTIONAL_SIZE: Final = 163
SIZE_RULES: Final = 164
ADVANCED_REJECT: Final = 166
MANUAL_ORDER_TIME: Final = 169
PEG_OFFSETS: Final = 170
ISSUER_ID: Final = 176
NO_FA_PROFILE: Final = 177
PENDING_PRICE_REVISION: Final = 178
FUND_FIELDS: Final = 179
LAST_TRADE_DATE: Final = 182
CUSTOMER_ACCOUNT: Final = 183
PROFESSIONAL_CUSTOMER: Final = 184
BOND_INTEREST: Final = 185
INELIGIBILITY: Final = 186
RFQ: Final = 187
INCLUDE_OVERNIGHT: Final = 189
NO_RFQ: Final = 190
CME_TAGGING: Final = 192
CME_TAGGING_OPEN_ORDER: Final = 193
ERROR_TIME: Final = 194
FULL_PREVIEW: Final = 195
HISTORICAL_END: Final = 196
SUBMITTER: Final = 198
IMBALANCE_ONLY: Final = 199
EXECUTION_DAYS: Final = 200


@dataclass(frozen=True, slots=True)
class Versions:
    """The server versions a client offers; prints as the handshake has it, ``v176..200``.

    Raises
    ------
    ValueError
        Where the range is empty or leaves 157 to 200.

    """

    lowest: int = 176
    highest: int = MAX_VERSION

    def __post_init__(self) -> None:
        if not MIN_VERSION <= self.lowest <= self.highest <= MAX_VERSION:
            raise ValueError(
                f"server versions {self.lowest}..{self.highest}: must rise and lie in "
                f"{MIN_VERSION}..{MAX_VERSION}; from 201 the protocol is protobuf"
            )

    def __str__(self) -> str:
        return f"v{self.lowest}..{self.highest}"

    def __contains__(self, version: int) -> bool:
        """Whether the client can speak `version`."""
        return self.lowest <= version <= self.highest
