"""Open days of exchanges, before any author's changes.

The wheel ships `bases.npz`, compiled from exchange_calendars (`python -m
pyfutures.calendars.compile`), so that nobody waits for that package: a base is read in about
a millisecond. A base that is not shipped is built once by exchange_calendars and kept in the
user's cache in the same form. The form is plain arrays; nothing is ever unpickled.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import importlib
import io
import json
import os
import warnings
import zipfile
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from pyfutures.calendars.days import date_of, day_number
from pyfutures.calendars.later import Later

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from numpy.typing import NDArray

    type Arrays = Mapping[str, NDArray[Any]]

FIRST_DAY: Final = dt.date(1970, 1, 1)
LAST_DAY: Final = dt.date(2050, 12, 31)
SHIPPED: Final = Path(__file__).with_name("bases.npz")
CACHE_VARIABLE: Final = "PYFUTURES_CACHE"

_FORMAT: Final = 1
_PARTS: Final = ("meta", "open", "closed", "early")
_BROKEN: Final = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
)


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
    if f"{code}/{_PARTS[0]}" in shipped():
        return unpack(code, {part: shipped()[f"{code}/{part}"] for part in _PARTS})
    return _cached(code)


def shipped_codes() -> frozenset[str]:
    """Codes of the bases that come with the package."""
    return frozenset(name.split("/")[0] for name in shipped())


@cache
def shipped() -> Arrays:
    """The arrays of all bases that come with the package; each is unpacked when asked for."""
    if not SHIPPED.exists():  # while it is being compiled for the first time
        return {}
    arrays: Arrays = np.load(io.BytesIO(SHIPPED.read_bytes()), allow_pickle=False)
    return arrays


def pack(base: Base) -> dict[str, NDArray[Any]]:
    """Arrays that hold `base`: small integers and one JSON text, compressible."""
    names = sorted(set(base.reasons.values()))
    number = {name: at for at, name in enumerate(names)}
    meta = {
        "format": _FORMAT,
        "zone": base.zone,
        "first": base.first.isoformat(),
        "last": base.last.isoformat(),
        "names": names,
        "version": base.version,
    }
    closed = [(day_number(day), number[why]) for day, why in sorted(base.reasons.items())]
    early = [
        (day_number(day), close.hour * 60 + close.minute)
        for day, close in sorted(base.early_closes.items())
    ]
    return {
        "meta": np.frombuffer(json.dumps(meta, ensure_ascii=False).encode(), np.uint8),
        "open": np.packbits(np.frombuffer(base.flags, np.uint8)),
        "closed": np.array(closed, np.int16).reshape(-1, 2),
        "early": np.array(early, np.int16).reshape(-1, 2),
    }


def unpack(code: str, arrays: Arrays) -> Base:
    """Return the base that `pack` made `arrays` of.

    Raises
    ------
    ValueError, KeyError, TypeError
        If the arrays are not what `pack` makes.

    """
    meta = json.loads(arrays["meta"].tobytes())
    if meta["format"] != _FORMAT:
        msg = f"format {meta['format']} is not {_FORMAT}"
        raise ValueError(msg)
    first, last = dt.date.fromisoformat(meta["first"]), dt.date.fromisoformat(meta["last"])
    length = (last - first).days + 1
    flags = np.unpackbits(arrays["open"])[:length].tobytes()
    if len(flags) != length:
        msg = f"{len(flags)} days do not fit {first} to {last}"
        raise ValueError(msg)
    names, closed, early = meta["names"], arrays["closed"], arrays["early"]
    return Base(
        code=code,
        zone=meta["zone"],
        first=first,
        last=last,
        flags=flags,
        reasons=Later(lambda: {date_of(day): names[at] for day, at in closed.tolist()}),
        early_closes=Later(
            lambda: {date_of(day): dt.time(*divmod(at, 60)) for day, at in early.tolist()}
        ),
        version=meta["version"],
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
    path = cache_folder() / f"{stem}-{version}-{FIRST_DAY:%Y}-{LAST_DAY:%Y}-v{_FORMAT}.npz"
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
    # Opened here: numpy leaves a broken archive open.
    with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
        base = unpack(code, {part: archive[part] for part in _PARTS})
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
            np.savez_compressed(file, allow_pickle=False, **pack(base))
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _warn(message: str) -> None:
    warnings.warn(message, CacheWarning, stacklevel=4)
