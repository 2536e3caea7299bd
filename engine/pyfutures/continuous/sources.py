"""Where the bars of a root are: files, a folder of downloads, or a nautilus_trader catalogue."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Final

from pyfutures.continuous.files import ENDINGS, is_folder, listed
from pyfutures.continuous.frame import BarsError
from pyfutures.continuous.native import month_of
from pyfutures.months import ContractMonth, MonthError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

_CATALOGUE: Final = "data/bar"
# The name of a catalogue's file ends with the ts_init of its last bar.
_LAST: Final = re.compile(r"_(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d)-(\d{9})Z\.parquet$")


def bar_files(
    places: Iterable[str],
    root: str,
    *,
    classes: Collection[str] = (),
    size: str | None = None,
    since: int | None = None,
) -> list[str]:
    """Files with the bars of a root.

    Parameters
    ----------
    places
        Files, folders and URLs of them; ``{root}`` stands for the root. Of a folder as
        ``pyfutures download`` writes it, the files of the root; of a catalogue the bars of the
        root's contracts.
    root
        The root.
    classes
        Its trading classes, to know its contracts in a catalogue.
    size
        Which bars to take where a folder has several: ``1d`` of downloads, what nautilus writes
        after the instrument (``1-DAY-LAST-EXTERNAL``) of a catalogue.
    since
        Files of a catalogue that end before this instant are left out.

    Raises
    ------
    BarsError
        If a folder has no bars of the root, or those of several sizes and none was asked for.
    OSError
        If a folder cannot be read.

    """
    files: list[str] = []
    for one in places:
        place = one.replace("{root}", root).rstrip("/")
        if not is_folder(place):
            files.append(place)
        elif is_folder(f"{place}/{_CATALOGUE}"):
            files += _of_catalogue(place, root, classes, size, since)
        else:
            files += _of_downloads(place, root, size)
    return files


def _of_downloads(folder: str, root: str, size: str | None) -> list[str]:
    sizes: dict[str, list[str]] = {}
    for path in listed(folder, f"{root}_*"):
        name = path.rsplit("/", 1)[-1]
        ending = next((one for one in ENDINGS if name.endswith(one)), None)
        if ending is None:
            continue
        rest = name[len(root) + 1 : -len(ending)]
        first, _, other = rest.partition("_")
        try:
            ContractMonth.parse(first)
        except MonthError:
            if "_" in rest and rest[:1].isalpha():
                continue  # of another root that begins like this one: COIL_Z
        else:
            rest = other
        sizes.setdefault(rest, []).append(path)
    return _one_size(folder, root, sizes, size)


def _of_catalogue(
    folder: str, root: str, classes: Collection[str], size: str | None, since: int | None
) -> list[str]:
    sizes: dict[str, list[str]] = {}
    for path in listed(f"{folder}/{_CATALOGUE}"):
        name = path.rstrip("/").rsplit("/", 1)[-1]
        instrument, *spec = name.rsplit("-", 4)
        # Which decade is meant does not matter yet.
        if len(spec) == 4 and month_of(instrument.rsplit(".", 1)[0], classes, 2000):
            sizes.setdefault("-".join(spec), []).append(path)
    chosen = _one_size(folder, root, sizes, size)
    files = [file for path in chosen for file in listed(path, "*.parquet")]
    if since is not None and (later := [one for one in files if not _ends_before(one, since)]):
        return later
    return files


def _one_size(folder: str, root: str, sizes: dict[str, list[str]], size: str | None) -> list[str]:
    if size is None and len(sizes) == 1:
        return next(iter(sizes.values()))
    if size in sizes:
        return sizes[size]
    there = ", ".join(sorted(sizes))
    if not there:
        raise BarsError(f"{folder}: no bars of {root}")
    asked = "say which with `--size`" if size is None else f"none of {size}"
    raise BarsError(f"{folder}: bars of {root} are there as {there}: {asked}")


def _ends_before(path: str, since: int) -> bool:
    match = _LAST.search(path)
    if match is None:
        return False
    day, hours, minutes, seconds, nanos = match.groups()
    at = dt.datetime.fromisoformat(f"{day}T{hours}:{minutes}:{seconds}+00:00")
    return int(at.timestamp()) * 10**9 + int(nanos) < since
