"""Files of this machine and of any fsspec URL: read whole, written whole or not at all."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import BinaryIO

ENDINGS: Final = (".csv", ".csv.gz", ".parquet")
_NULLS: Final = ["", "nan", "NaN", "NAN", "NA", "N/A", "null", "NULL", "None"]


class FilesError(ValueError):
    """A file of an unknown kind, or one that cannot be read as what its name says."""


def is_url(place: str) -> bool:
    """Whether a place is a URL, and not a path of this machine."""
    return "://" in place


def _filesystem(url: str) -> tuple[Any, str]:
    try:
        import fsspec  # type: ignore[import-untyped] # noqa: PLC0415 - only who has URLs needs it

        return fsspec.core.url_to_fs(url)  # type: ignore[no-any-return]
    except (ImportError, ValueError) as error:
        raise FilesError(
            f"{url}: {error}; files on S3 need pip install 'pyfutures[cluster]'"
        ) from None


def exists(place: str) -> bool:
    """Whether there is a file or folder."""
    if not is_url(place):
        return Path(place).exists()
    files, path = _filesystem(place)
    files.invalidate_cache()
    return bool(files.exists(path))


def is_folder(place: str) -> bool:
    """Whether a place is a folder; on S3 a prefix with something under it."""
    if not is_url(place):
        return Path(place).is_dir()
    files, path = _filesystem(place)
    files.invalidate_cache()
    return bool(files.isdir(path))


def listed(folder: str, pattern: str = "*") -> list[str]:
    """Places in a folder that match a glob pattern, by name."""
    if not is_url(folder):
        return sorted(str(path) for path in Path(folder).glob(pattern))
    files, path = _filesystem(folder)
    files.invalidate_cache()
    found = files.glob(f"{path.rstrip('/')}/{pattern}")
    return sorted(str(files.unstrip_protocol(one)) for one in found)


def copy_folder(url: str, folder: str) -> int:
    """Copy all files under a URL into a folder of this machine; how many there were.

    Raises
    ------
    FilesError
        If nothing installed reads such a URL.
    OSError
        If a file cannot be read or written.

    """
    files, path = _filesystem(url)
    found = files.find(path)
    for one in found:
        target = Path(folder) / one.removeprefix(path).lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        files.get_file(one, str(target))
    return len(found)


@contextmanager
def open_input(place: str) -> Iterator[BinaryIO]:
    """Open a place for reading bytes.

    Raises
    ------
    FilesError
        If nothing installed reads such a URL.
    OSError
        If it cannot be opened.

    """
    if not is_url(place):
        with Path(place).open("rb") as source:
            yield source
        return
    files, path = _filesystem(place)
    files.invalidate_cache()
    with files.open(path, "rb") as source:
        yield source


def write_whole(place: str, write: Callable[[BinaryIO], object]) -> None:
    """Write a file that is there whole or not at all; one of that name is replaced in one step.

    Whatever stops it (a full disk, a kill) leaves the old file, and perhaps a draft beside it,
    which the next one replaces.

    Raises
    ------
    FilesError
        If nothing installed writes such a URL.
    OSError
        If it cannot be written.

    """
    if is_url(place):
        # An object store shows an object when all of it is there.
        import io  # noqa: PLC0415

        buffer = io.BytesIO()
        write(buffer)
        files, key = _filesystem(place)
        files.pipe_file(key, buffer.getvalue())
        return
    path = Path(place)
    draft = path.with_name(path.name + ".partial")
    try:
        with draft.open("wb") as sink:
            write(sink)
            sink.flush()
            os.fsync(sink.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    if os.name == "posix":
        # The new name is safe when the folder that holds it is.
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def table_of(source: BinaryIO, name: str, *, texts: Sequence[str] = ()) -> Any:  # noqa: ANN401
    """Arrow table of an open csv, csv.gz or parquet file, by the ending of its name.

    Columns of a csv whose name in small letters is among `texts` stay text.

    Raises
    ------
    FilesError
        If the file is of another kind, or damaged.
    ModuleNotFoundError
        If pyarrow is not installed.

    """
    pa, csv, parquet = arrow(name)
    try:
        if name.endswith((".csv", ".csv.gz")):
            # Kept until the end: an Arrow stream that goes closes its source.
            begin = _unzipped(source, name, pa)
            head = csv.read_csv(pa.BufferReader(_first_line(begin)))
            types = {one: pa.string() for one in head.column_names if one.lower() in texts}
            source.seek(0)
            return csv.read_csv(
                _unzipped(source, name, pa),
                read_options=csv.ReadOptions(use_threads=False),
                convert_options=csv.ConvertOptions(
                    column_types=types, null_values=_NULLS, strings_can_be_null=True
                ),
            )
        if name.endswith(".parquet"):
            # The file alone: `read_table` takes parts of a path for columns.
            with parquet.ParquetFile(source) as file:
                return file.read()
    except pa.ArrowException as error:
        raise FilesError(f"{name}: {error}") from None
    except OSError as error:
        if error.errno is not None:
            raise
        raise FilesError(f"{name}: {error}; the file is damaged, bring it anew") from None
    raise FilesError(f"{name}: neither .csv, .csv.gz nor .parquet")


def _unzipped(source: BinaryIO, name: str, pa: Any) -> Any:  # noqa: ANN401 - pyarrow has no types
    """What a csv is read from bit by bit, so that its text is never there as a whole."""
    return pa.CompressedInputStream(source, "gzip") if name.endswith(".gz") else source


def _first_line(stream: Any) -> bytes:  # noqa: ANN401
    line = b""
    while b"\n" not in line and (more := stream.read(1 << 12)):
        line += more
    return line.split(b"\n", 1)[0] + b"\n"


def same_place(one: str, other: str) -> bool:
    """Whether two places are one file."""
    if is_url(one) or is_url(other):
        return one == other
    return one == other or (
        Path(one).exists() and Path(other).exists() and Path(one).samefile(other)
    )


def arrow(name: str) -> tuple[Any, Any, Any]:
    """Return pyarrow, its csv and its parquet module.

    Raises
    ------
    ModuleNotFoundError
        If pyarrow is not installed.

    """
    try:
        import pyarrow as pa  # noqa: PLC0415 - only who has files needs it
        from pyarrow import csv, parquet  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{Path(name).name} needs pyarrow: pip install 'pyfutures[series]'", name=error.name
        ) from None
    return pa, csv, parquet
