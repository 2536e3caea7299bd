"""What people write when they mean something else: texts that are nearly right, and the right one.

Each function gets a text that was refused and returns what was probably meant, or None.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from typing import TYPE_CHECKING, Final

from pyfutures.months import MONTH_CODES
from pyfutures.specs.words import ticks

if TYPE_CHECKING:
    from collections.abc import Callable
    from fractions import Fraction

__all__ = [
    "DASHES",
    "codes_hint",
    "contract_month",
    "day",
    "number",
    "odd_character",
    "reordered",
    "time_of_day",
]

_NAMES: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CYCLES: Final = {
    "all": MONTH_CODES,
    "monthly": MONTH_CODES,
    "serial": MONTH_CODES,
    "quarterly": "HMUZ",
    "quarters": "HMUZ",
    "imm": "HMUZ",
}
_GAPS: Final = re.compile(r"[\s,;/|.+-]+")
#: A longer hint is no help.
_LONG: Final = 90
_QUOTES: Final = "\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb\u02bc\u2032\u2033"
DASHES: Final = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d"


def odd_character(text: str) -> str | None:
    """Return a hint about a character that looks like another one, or like none at all."""
    for char in text:
        if char.isascii() and char.isprintable():
            continue
        number_ = f"U+{ord(char):04X}"
        kind = unicodedata.category(char)
        if char in _QUOTES:
            return f"write straight quotes: `{char}` is {number_}"
        if char in DASHES:
            return f"write a hyphen: `{char}` is {number_}"
        if kind in {"Zs", "Cf", "Zl", "Zp"}:
            what = "a space" if kind == "Zs" else "an invisible character"
            return f"there is {what} that is none: remove {number_}"
        if kind == "Cc":
            return (
                f"there is a control character, {number_}; in double quotes write `\\\\` for `\\`"
            )
        plain = unicodedata.normalize("NFKC", char)
        if plain != char and plain.isascii():
            return f"write `{plain}`: `{char}` is {number_}"
        if kind.startswith("L"):
            name = unicodedata.name(char, "").split(" ")[0].capitalize()
            if name != "Latin":
                return f"`{char}` is a {name} letter, {number_}; type it anew"
    return None


def codes_hint(text: str) -> str:
    """Return how month codes are to be written, or what in them is no month code."""
    if match := re.fullmatch(f"([{MONTH_CODES}]) ?[-.{DASHES}]+ ?([{MONTH_CODES}])", text.upper()):
        first, last = (MONTH_CODES.index(code) for code in match.groups())
        if first < last:
            return f"write every month code: `{MONTH_CODES[first : last + 1]}`"
    if text.lower() in _CYCLES:
        return f"write `{_CYCLES[text.lower()]}`"
    meant = _codes(text)
    if meant is not None:
        return f"write `{meant}`" if text.upper() == text else f"write upper case: `{meant}`"
    if text.upper() != text and (meant := _codes(text.upper())):
        return f"write `{meant}`"
    parts = [part.lower() for part in _GAPS.split(text) if part]
    if parts and all(part[:3] in _NAMES and part.isalpha() for part in parts):
        return f"write `{_sorted(''.join(MONTH_CODES[_NAMES.index(p[:3])] for p in parts))}`"
    if parts and all(part.isdigit() and 1 <= int(part[:3]) <= 12 for part in parts):
        return f"write `{_sorted(''.join(MONTH_CODES[int(part) - 1] for part in parts))}`"
    stray = dict.fromkeys(char for char in text if char not in MONTH_CODES)
    verb = "is no month code" if len(stray) == 1 else "are no month codes"
    return odd_character(text) or f"{ticks(stray)} {verb}; they are {MONTH_CODES}"


def reordered(text: str) -> str | None:
    """Return month codes in order, if that is all that is wrong with them; None otherwise."""
    ordered = _sorted(text.upper())
    return ordered if sorted(text.upper()) == sorted(ordered) else None


def _codes(text: str) -> str | None:
    joined = _GAPS.sub("", text).upper() if text.isupper() or text.islower() else ""
    return _sorted(joined) if joined and not set(joined) - set(MONTH_CODES) else None


def _sorted(text: str) -> str:
    return "".join(code for code in MONTH_CODES if code in text)


def contract_month(text: str) -> str | None:
    """Return a contract month as it is written, from the other ways to write one."""
    text = text.strip()
    if match := re.fullmatch(r"([12][0-9]{3})[-/ ]?([fghjkmnquvxz])", text, re.IGNORECASE):
        return f"{match[1]}{match[2].upper()}"
    if match := re.fullmatch(r"([fghjkmnquvxz])[-/ ]?([12][0-9]{3}|[0-9]{2})", text, re.IGNORECASE):
        return f"{_year(match[2])}{match[1].upper()}"
    if match := re.fullmatch(r"([12][0-9]{3})[-/ ]?(0?[1-9]|1[0-2])", text):
        return f"{match[1]}{MONTH_CODES[int(match[2]) - 1]}"
    if match := re.fullmatch(r"(0?[1-9]|1[0-2])[-/ ]([12][0-9]{3})", text):
        return f"{match[2]}{MONTH_CODES[int(match[1]) - 1]}"
    if match := re.fullmatch(r"([0-9]{2})[-/ ]?([fghjkmnquvxz])", text, re.IGNORECASE):
        return f"{_year(match[1])}{match[2].upper()}"
    if match := re.fullmatch(r"([12][0-9]{3})-([01][0-9])-[0-3][0-9]", text):
        return contract_month(f"{match[1]}-{match[2]}")
    match = re.fullmatch(r"([a-z]{3})[a-z]*[-/ ]?([12][0-9]{3}|[0-9]{2})", text.lower())
    if match and match[1] in _NAMES:
        return f"{_year(match[2])}{MONTH_CODES[_NAMES.index(match[1])]}"
    return None


def _year(text: str) -> str:
    if len(text) == 4:
        return text
    return f"20{text}" if int(text) < 70 else f"19{text}"


def day(text: str) -> str | None:
    """Return a date as it is written, from other ways to write one; None where two are possible."""
    text = text.strip()
    if match := re.fullmatch(
        r"([12][0-9]{3})[-/. ]?([0-9]{1,2})[-/. ]?([0-9]{1,2})(?:[T ].*)?", text
    ):
        return _date(match[1], match[2], match[3])
    if match := re.fullmatch(r"([0-9]{1,2})[-/. ]([0-9]{1,2})[-/. ]([12][0-9]{3})", text):
        first, second, year = match.groups()
        found = {_date(year, first, second), _date(year, second, first)} - {None}
        return found.pop() if len(found) == 1 else None
    return None


def _date(year: str, month: str, number_: str) -> str | None:
    try:
        return dt.date(int(year), int(month), int(number_)).isoformat()
    except ValueError:
        return None


def time_of_day(text: str) -> str | None:
    """Return a time of 24 hours, from other ways to write one; what follows it stays."""
    if match := re.fullmatch(r"([A-Za-z_]+(?:/[A-Za-z_]+)*) +([0-9][0-9:.]*)", text.strip()):
        text = f"{match[2]} {match[1]}"
    form = r"([0-9]{1,2})(?:[:.h]?([0-9]{2}))?(?::[0-9]{2})? ?([ap])?\.?(?:m\.?)?( .*)?"
    match = re.fullmatch(form, text.strip(), re.IGNORECASE)
    if match is None or (match[2] is None and match[3] is None):
        return None
    hour, minute = int(match[1]), int(match[2] or 0)
    if match[3] is not None:
        hour = hour % 12 + (12 if match[3].lower() == "p" else 0)
    if (hour, minute) == (24, 0) and match[4] is None:
        hour = 0  # a session that closes at midnight; as a moment of a day it would be another day
    return f"{hour:02}:{minute:02}{match[4] or ''}" if hour < 24 and minute < 60 else None


def number(text: str) -> str | None:
    """Return a hint how a number is to be written that was written in another way."""
    plain = text.strip(" \n")
    for form, hint in _NUMBERS:
        if match := re.fullmatch(form, plain):
            told = hint(match)
            return told if len(told) <= _LONG else "write one number, without all that"
    return odd_character(plain)


def _without_gaps(match: re.Match[str]) -> str:
    return f"write `{re.sub("[_ ']", '', match[0])}`"


def _thousands(match: re.Match[str]) -> str:
    text = match[0]
    either = f", or `{text.replace(',', '.')}`" if text.count(",") == 1 else ""
    return f"write `{text.replace(',', '')}`{either}"


def _fraction(match: re.Match[str]) -> str:
    from fractions import Fraction  # noqa: PLC0415 - few write a tick so

    value = Fraction(int(match[1]), int(match[2]))
    ends = not set(_factors(value.denominator)) - {2, 5}
    return f"write `{_decimal(value)}`" if ends else "write a decimal number"


def _in_thousands(match: re.Match[str]) -> str:
    times = 1_000 if match[2] in "kK" else 1_000_000
    return f"write `{int(match[1]) * times}`"


#: A number with its unit or currency. What is before something has a sign, and here perhaps a word.
_AMONG_WORDS: Final = (
    r"(?!.*(?:ago|back|before|earlier|prior))([-+]?)(?:[$€£¥]|[A-Z]{3})? ?"
    r"([-+]?[0-9]+(?:\.[0-9]+)?) ?(?:[$€£¥]|[A-WYZa-wyz][A-Za-z ]*)?"
)
#: Ways to write a number that are none here, and what to write: the first that fits tells.
_NUMBERS: Final[tuple[tuple[str, Callable[[re.Match[str]], str]], ...]] = (
    (r"([-+]?)0+([1-9][0-9]{0,17}(?:\.[0-9]+)?)", lambda m: f"write `{m[1]}{m[2]}`"),
    (
        "0x[0-9A-Fa-f]{1,12}|0o[0-7]{1,16}|0b[01]{1,48}",
        lambda m: f"write `{int(m[0], 0)}`",
    ),
    ("[-+]?[0-9]+", lambda _: "no fact of a contract has so many digits"),
    (r"(?!.* #)[-+]?[0-9.]+#.*", lambda _: "put a space before `#`"),
    (r"([-+]?[0-9.]+) *[,;]", lambda m: f"write `{m[1]}`: nothing follows a value"),
    (r"[-+]?[0-9.]+ *(?://|--|;).*", lambda _: "a comment starts with ` #`"),
    (r"[-+]?[0-9.]+[\"']|[\"'][-+]?[0-9.]+", lambda _: "remove the quote"),
    ("([0-9]{1,18}) *[/:] *([1-9][0-9]{0,17})", _fraction),
    ("[-+]?[1-9][0-9]{0,2}(?:,[0-9]{3})+", _thousands),
    (r"[-+]?[0-9]+(?:[_ '][0-9]{3})+(?:\.[0-9]+)?", _without_gaps),
    ("[-+]?[0-9]+,[0-9]+", lambda m: f"write a point: `{m[0].replace(',', '.')}`"),
    ("([-+]?[0-9]{1,9}) ?([kKmM])", _in_thousands),
    (_AMONG_WORDS, lambda m: f"write the number alone: `{m[1]}{m[2]}`"),
)


def _decimal(value: Fraction) -> str:
    text = f"{value.numerator / value.denominator:.12f}".rstrip("0")
    return text + "0" if text.endswith(".") else text


def _factors(value: int) -> list[int]:
    found, divisor = [], 2
    while divisor * divisor <= value:
        while value % divisor == 0:
            found.append(divisor)
            value //= divisor
        divisor += 1
    return [*found, value] if value > 1 else found
