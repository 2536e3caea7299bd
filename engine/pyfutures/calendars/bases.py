"""Open days of exchanges, before any author's changes.

The wheel ships the texts in `bases/`, compiled from exchange_calendars (`python -m
pyfutures.calendars.compile`), so that nobody waits for that package: a base is read in less than
a millisecond. A base that is not shipped is built once by exchange_calendars and kept in the
user's cache in the same form: a line with a checksum, then JSON.
"""

from __future__ import annotations

import binascii
import contextlib
import datetime as dt
import importlib
import json
import os
import warnings
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from pyfutures.calendars.days import date_of, day_number
from pyfutures.calendars.later import Later

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

FIRST_DAY: Final = dt.date(1970, 1, 1)
LAST_DAY: Final = dt.date(2050, 12, 31)
SHIPPED: Final = Path(__file__).with_name("bases")
SUFFIX: Final = ".base"
CACHE_VARIABLE: Final = "PYFUTURES_CACHE"

_FORMAT: Final = 2
_BROKEN: Final = (OSError, ValueError, KeyError, TypeError, AttributeError)


class CacheWarning(UserWarning):
    """The cache of built bases cannot be used; everything works, more slowly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """Open days of one exchange.

    Attributes
    ----------
    code : str
        Name in exchange_calendars.
    zone : str
        Time zone of the exchange.
    first, last : date
        What exchange_calendars knows within 1970-2050.
    flags : bytes
        One byte a day from `first` to `last`: 1 open, 0 closed.
    reasons : mapping of date to str
        Why a Monday-to-Friday day is closed.
    early_closes : mapping of date to time
        Local time at which a day ends early.
    version : str
        Version of exchange_calendars that made it.

    """

    code: str
    zone: str
    first: dt.date
    last: dt.date
    flags: bytes
    reasons: Mapping[dt.date, str]
    early_closes: Mapping[dt.date, dt.time]
    version: str


def load_base(code: str) -> Base:
    """Return the open days of `code`: shipped, else cached, else built by exchange_calendars.

    Raises
    ------
    BaseError
        If exchange_calendars has no calendar of this code or fails to build it.

    Warns
    -----
    CacheWarning
        If a base that is not shipped cannot be read from or kept in the cache.

    """
    if code in shipped_codes():
        return unpack(code, (SHIPPED / f"{code}{SUFFIX}").read_bytes())
    return _cached(code)


@cache
def shipped_codes() -> frozenset[str]:
    """Codes of the bases that come with the package."""
    return frozenset(path.stem for path in SHIPPED.glob(f"*{SUFFIX}"))


def pack(base: Base) -> bytes:
    """The text that holds `base`: a line with its checksum, then JSON with a line a part."""
    parts = {
        "format": _FORMAT,
        "zone": base.zone,
        "first": base.first.isoformat(),
        "last": base.last.isoformat(),
        "version": base.version,
        "closed": _grouped((why, day) for day, why in base.reasons.items()),
        "early": _grouped((f"{at:%H:%M}", day) for day, at in base.early_closes.items()),
        "open": np.packbits(np.frombuffer(base.flags, np.uint8)).tobytes().hex(),
    }
    lines = (f"{json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in parts.items())
    body = ("{\n" + ",\n".join(lines) + "\n}\n").encode()
    return b"%08x\n" % binascii.crc32(body) + body


def _grouped(days: Iterable[tuple[str, dt.date]]) -> dict[str, list[int]]:
    """Numbers of days by what is said of them."""
    grouped: dict[str, list[int]] = defaultdict(list)
    for key, day in sorted(days):
        grouped[key].append(day_number(day))
    return grouped


def unpack(code: str, content: bytes) -> Base:
    """Return the base that `pack` made a text of.

    Raises
    ------
    ValueError, KeyError, TypeError, AttributeError
        If the text is not what `pack` makes.

    """
    checksum, _, body = content.partition(b"\n")
    if checksum != b"%08x" % binascii.crc32(body):
        msg = "its checksum is another one"
        raise ValueError(msg)
    parts = json.loads(body)
    if parts["format"] != _FORMAT:
        msg = f"format {parts['format']} is not {_FORMAT}"
        raise ValueError(msg)
    first, last = dt.date.fromisoformat(parts["first"]), dt.date.fromisoformat(parts["last"])
    length = (last - first).days + 1
    packed = np.frombuffer(bytes.fromhex(parts["open"]), np.uint8)
    flags = np.unpackbits(packed)[:length].tobytes()
    if len(flags) != length:
        msg = f"{len(flags)} days do not fit {first} to {last}"
        raise ValueError(msg)
    closed, early = parts["closed"], parts["early"]
    return Base(
        code=code,
        zone=parts["zone"],
        first=first,
        last=last,
        flags=flags,
        reasons=Later(lambda: {date_of(day): why for why, days in closed.items() for day in days}),
        early_closes=Later(
            lambda: {
                date_of(day): dt.time.fromisoformat(at)
                for at, days in early.items()
                for day in days
            }
        ),
        version=parts["version"],
    )


def cache_folder() -> Path:
    """Folder of bases built on this computer; ``PYFUTURES_CACHE`` overrides the user's cache."""
    if named := os.environ.get(CACHE_VARIABLE):
        return Path(named) / "bases"
    import platformdirs  # noqa: PLC0415 - only where a base is not shipped

    return Path(platformdirs.user_cache_dir("pyfutures")) / "bases"


def _cached(code: str) -> Base:
    import importlib.metadata  # noqa: PLC0415 - only where a base is not shipped

    # Spaces, slashes and dots (a user's `24/5`) must not make another path.
    stem = "".join(sign if sign.isalnum() else "_" for sign in code)
    version = importlib.metadata.version("exchange_calendars")
    path = cache_folder() / f"{stem}-{version}-{FIRST_DAY:%Y}-{LAST_DAY:%Y}-v{_FORMAT}{SUFFIX}"
    if path.is_file():
        try:
            return _read(path, code)
        except _BROKEN as error:
            _warn(f"cached calendar {path} is unreadable ({error}); building it again")
    base = _build(code)
    try:
        _write(path, base)
    except OSError as error:
        _warn(
            f"calendar {code} cannot be cached ({error}); it is built anew each time."
            f" Set {CACHE_VARIABLE} to a folder that can be written",
        )
    return base


def _build(code: str) -> Base:
    # By name: the builder imports pandas, which nobody else here may.
    build: Callable[[str], Base] = importlib.import_module("pyfutures.calendars.compile").build_base
    return build(code)


def _read(path: Path, code: str) -> Base:
    base = unpack(code, path.read_bytes())
    # What is broken has to show here, where it can still be built again.
    for later in (base.reasons, base.early_closes):
        len(later)
    return base


def _write(path: Path, base: Base) -> None:
    """Write beside, then rename: a reader sees the whole file or none."""
    import tempfile  # noqa: PLC0415 - only where a base is not shipped

    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(pack(base))
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _warn(message: str) -> None:
    warnings.warn(message, CacheWarning, stacklevel=4)
