"""Texts as logs may show them: no account number in full.

IB's own texts name accounts, and so does a message that is misread. Values and messages are never
logged at all, only their kind.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["masked"]

# U1234567, DU1234567, DUH123456, F1234567, DF1234567, I1234567: two letters and two digits stay.
_ACCOUNT: Final = re.compile(r"(?<![A-Za-z0-9])(D?[UFI][A-Z]?)\d{3,7}(\d{2})(?![A-Za-z0-9])")


def masked(text: object) -> str:
    """Return a text with account numbers as ``DU***67``."""
    return _ACCOUNT.sub(r"\1***\2", str(text))
