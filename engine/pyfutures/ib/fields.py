r"""One field of a message, between its text and its value.

Rules of this file. A field is text; empty means "not said" and takes the neutral value of its kind.
Unset numbers have several spellings (empty, 2147483647, 1.7976931348623157E308 with either E), all
read as None; each kind writes the one that the official peers write at that place. Spellings that
say the same are equal: `16.0100` is 16.01 (`exact.py` keeps the spelling where bytes matter). Since
server version 153 some texts escape what is not ASCII as ``\uXXXX``; that is the kind ESCAPED.
"""

from __future__ import annotations

import math
import re
import sys
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "BOOL",
    "DECIMAL",
    "DECIMAL_OR_NONE",
    "ESCAPED",
    "FLAG_OR_NONE",
    "FLOAT",
    "FLOAT_OR_NONE",
    "FLOAT_OR_SPELLED",
    "INT",
    "INT_OR_NONE",
    "INT_OR_SPELLED",
    "MARGIN",
    "TEXT",
    "UNSET_DECIMALS",
    "UNSET_FLOAT",
    "UNSET_INT",
    "Kind",
    "unescape",
]

UNSET_INT: Final = 2147483647
UNSET_FLOAT: Final = sys.float_info.max  # 1.7976931348623157E308
UNSET_DECIMALS: Final = frozenset(
    {
        "", "2147483647", "9223372036854775807", "-9223372036854775808",
        "1.7976931348623157E308", "1.7976931348623157e+308",
        "170141183460469231731687303715884105727",
    }
)  # fmt: skip
_ESCAPE: Final = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}"
)
_TO_ESCAPE: Final = re.compile(r"[^\x01-\x7e]|\\")


@dataclass(frozen=True, slots=True)
class Kind[T]:
    """How a field is read and written.

    `read` raises ValueError or ArithmeticError for a text that is none of its kind; `write`
    raises ValueError for a value that cannot be said.
    """

    name: str
    read: Callable[[str], T]
    write: Callable[[T], str]


def _int(text: str) -> int:
    return int(text) if text else 0


def _int_or_none(text: str) -> int | None:
    value = int(text) if text else UNSET_INT
    return None if value == UNSET_INT else value


def _float(text: str) -> float:
    value = float(text) if text else 0.0
    if not math.isfinite(value):
        raise ValueError("not finite")
    return value


def _float_or_none(text: str) -> float | None:
    if not text:
        return None
    value = float(text)
    if math.isnan(value):
        raise ValueError("not a number")
    return None if value == UNSET_FLOAT else value


def _decimal(text: str) -> Decimal:
    value = Decimal(text or 0)
    if not value.is_finite():
        raise InvalidOperation(f"{text} is no finite number")
    return value


def _decimal_or_none(text: str) -> Decimal | None:
    return None if text in UNSET_DECIMALS else _decimal(text)


def _bool(text: str) -> bool:
    return bool(text) and int(text) != 0


def _bool_or_none(text: str) -> bool | None:
    value = _int_or_none(text)
    return None if value is None else value != 0


def _write_int(value: int) -> str:
    return str(int(value))


def _write_float(value: float) -> str:
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return repr(float(value))


def _write_decimal(value: Decimal) -> str:
    # The plain form is what gateways send; past 40 digits it would be noise.
    return format(value, "f") if abs(value.adjusted()) < 40 else str(value)


def _write_bool(value: bool) -> str:  # noqa: FBT001 - the signature of all writers
    return "1" if value else "0"


def _write_text(value: str) -> str:
    if "\0" in value:
        raise ValueError("a text with a NUL would end its field")
    return value


def _unset[T](write: Callable[[T], str], spelling: str) -> Callable[[T | None], str]:
    def written(value: T | None) -> str:
        return spelling if value is None else write(value)

    return written


def unescape(text: str) -> str:
    r"""Return `text` with ``\uXXXX`` replaced by what it stands for, and nothing else."""
    if "\\u" not in text:
        return text
    return _ESCAPE.sub(_unescaped, text)


def _unescaped(found: re.Match[str]) -> str:
    text = found[0]
    high = int(text[2:6], 16)
    if len(text) > 6:
        return chr(0x10000 + ((high & 0x3FF) << 10) + (int(text[8:12], 16) & 0x3FF))
    # A lone surrogate is no character: leave it as it was written. So is NUL, the field's end.
    return text if 0xD800 <= high <= 0xDFFF or high == 0 else chr(high)


def _write_escaped(value: str) -> str:
    return _TO_ESCAPE.sub(_escaped, _write_text(value))


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code > 0xFFFF:
        code -= 0x10000
        return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
    return f"\\u{code:04x}"


INT: Final = Kind("int", _int, _write_int)
INT_OR_NONE: Final = Kind("int or unset", _int_or_none, _unset(_write_int, ""))
INT_OR_SPELLED: Final = Kind("int or unset", _int_or_none, _unset(_write_int, str(UNSET_INT)))
FLOAT: Final = Kind("float", _float, _write_float)
FLOAT_OR_NONE: Final = Kind("float or unset", _float_or_none, _unset(_write_float, ""))
# As the Python clients spell it in requests.
FLOAT_OR_SPELLED: Final = Kind(
    "float or unset", _float_or_none, _unset(_write_float, "1.7976931348623157e+308")
)
# As a gateway spells it in answers: margins, commissions, profits.
MARGIN: Final = Kind(
    "float or unset", _float_or_none, _unset(_write_float, "1.7976931348623157E308")
)
DECIMAL: Final = Kind("decimal", _decimal, _write_decimal)
DECIMAL_OR_NONE: Final = Kind("decimal or unset", _decimal_or_none, _unset(_write_decimal, ""))
BOOL: Final = Kind("flag", _bool, _write_bool)
FLAG_OR_NONE: Final = Kind("flag or unset", _bool_or_none, _unset(_write_bool, ""))
TEXT: Final = Kind("text", str, _write_text)
ESCAPED: Final = Kind("text", unescape, _write_escaped)
