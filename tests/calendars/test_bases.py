"""Bases: those shipped, those cached, and what is imported on the way."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import pickle
import re
import subprocess
import sys
import warnings
import zlib
from typing import TYPE_CHECKING, Any

import pytest

from pyfutures.calendars import BaseError, CacheWarning, CalendarLibrary, load_base, shipped_codes
from pyfutures.calendars import bases as module
from pyfutures.calendars.spec import WEEKDAYS

if TYPE_CHECKING:
    from pathlib import Path

UNSHIPPED = "XICE"
HEAVY = ("exchange_calendars", "pandas")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv(module.CACHE_VARIABLE, str(folder))
    return folder


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Replace the slow builder; the list tells what it was asked for."""
    asked: list[str] = []

    def build(code: str) -> module.Base:
        asked.append(code)
        return dataclasses.replace(load_base("XNYS"), code=code)

    monkeypatch.setattr(module, "_build", build)
    return asked


def run(code: str, **environment: str) -> Any:
    """JSON that a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )
    return json.loads(done.stdout)


def resummed(content: bytes) -> bytes:
    """The text of a base with the checksum that it ought to have."""
    body = content.partition(b"\n")[2]
    return b"%08x\n" % zlib.crc32(body) + body


class TestShipped:
    @pytest.mark.slow
    def test_the_installed_exchange_calendars_makes_the_same(self) -> None:
        """Fails when exchange_calendars has learnt something: compile anew and read the changes."""
        from pyfutures.calendars.compile import CODES, build_base

        assert shipped_codes() == set(CODES)
        for code in CODES:
            shipped, made = load_base(code), build_base(code)
            assert dataclasses.replace(shipped, version=made.version) == made, code

    def test_all_bases_of_the_contracts_are_shipped(self, library: CalendarLibrary) -> None:
        used = {spec.base for spec in library.specs.values()} - {None, WEEKDAYS}
        assert used <= shipped_codes()

    @pytest.mark.parametrize(
        ("code", "first", "last", "zone"),
        [
            ("XNYS", "1970-01-01", "2050-12-31", "America/New_York"),
            ("XTKS", "1997-01-01", "2050-12-31", "Asia/Tokyo"),
            ("XSES", "1986-01-01", "2026-12-31", "Asia/Singapore"),
            ("XHKG", "1970-01-01", "2049-12-31", "Asia/Hong_Kong"),
        ],
    )
    def test_bounds(self, code: str, first: str, last: str, zone: str) -> None:
        base = load_base(code)
        assert (str(base.first), str(base.last), base.zone) == (first, last, zone)
        assert len(base.flags) == (base.last - base.first).days + 1

    def test_early_closes_are_local_times(self) -> None:
        early = load_base("XNYS").early_closes
        assert early[dt.date(2024, 7, 3)] == early[dt.date(2024, 11, 29)] == dt.time(13, 0)
        assert dt.date(2024, 7, 2) not in early

    def test_every_closed_weekday_has_a_reason(self) -> None:
        base = load_base("XLON")
        assert base.reasons[dt.date(2024, 8, 26)] == "Summer Bank Holiday"
        days = [base.first + dt.timedelta(k) for k, flag in enumerate(base.flags) if not flag]
        assert {day for day in days if day.weekday() < 5} == set(base.reasons)

    def test_packing_loses_nothing(self) -> None:
        for code in ("XCBF", "XSES"):
            base = load_base(code)
            assert module.unpack(code, module.pack(base)) == base


class TestImports:
    def test_importing_calendars_is_cheap(self) -> None:
        code = (
            "import sys, json, pyfutures.calendars;"
            f"print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
        )
        assert run(code) == []

    def test_reading_a_shipped_base_is_cheap(self) -> None:
        code = (
            "import sys, json; from pyfutures.calendars import load_base; load_base('XKRX');"
            f"print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
        )
        assert run(code) == []


class TestCache:
    CODE = (
        "import sys, json; from pyfutures.calendars import load_base;"
        f" base = load_base({UNSHIPPED!r});"
        f"print(json.dumps([base.zone, sum(base.flags), {HEAVY[0]!r} in sys.modules,"
        f" {HEAVY[1]!r} in sys.modules]))"
    )

    def test_the_second_time_needs_no_builder(self, cache: Path) -> None:
        first = run(self.CODE)
        assert first[2:] == [True, True]
        assert [path.suffix for path in (cache / "bases").iterdir()] == [module.SUFFIX]
        second = run(self.CODE)
        assert second == [*first[:2], False, False]

    def test_it_is_kept(self, cache: Path, built: list[str]) -> None:
        base = load_base(UNSHIPPED)
        assert load_base(UNSHIPPED) == base
        assert built == [UNSHIPPED]
        (name,) = [path.name for path in (cache / "bases").iterdir()]
        assert name.startswith(f"{UNSHIPPED}-")
        assert "-1970-2050-" in name

    @pytest.mark.parametrize(
        "fault", ["empty", "garbage", "cut", "older form", "pickle", "list", "short"]
    )
    def test_a_broken_file_is_built_again(self, cache: Path, built: list[str], fault: str) -> None:
        base = load_base(UNSHIPPED)
        (path,) = (cache / "bases").iterdir()
        good = path.read_bytes()
        match fault:
            case "empty":
                path.write_bytes(b"")
            case "garbage":
                path.write_bytes(b"no base at all" * 100)
            case "cut":
                path.write_bytes(good[: len(good) // 2])
            case "older form":
                path.write_bytes(resummed(good.replace(b'"format": 2', b'"format": 1')))
            case "pickle":
                path.write_bytes(resummed(b"\n" + pickle.dumps({"format": 2})))
            case "list":
                path.write_bytes(resummed(b"\n[1]"))
            case "short":
                path.write_bytes(resummed(good.replace(b'"open": "', b'"open": "ff" , "": "')))
        with pytest.warns(CacheWarning, match="building it again"):
            assert load_base(UNSHIPPED) == base
        assert built == [UNSHIPPED, UNSHIPPED]
        assert path.read_bytes() == good
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert load_base(UNSHIPPED) == base

    @pytest.mark.usefixtures("built")
    def test_a_flipped_bit_does_not_go_unnoticed(self, cache: Path) -> None:
        base = load_base(UNSHIPPED)
        (path,) = (cache / "bases").iterdir()
        content = bytearray(path.read_bytes())
        content[len(content) // 3] ^= 0xFF
        path.write_bytes(bytes(content))
        with pytest.warns(CacheWarning):
            assert load_base(UNSHIPPED) == base

    def test_a_folder_that_cannot_be_written(
        self, tmp_path: Path, built: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # A file in place of the folder: it stops even root.
        (tmp_path / "file").write_text("in the way")
        monkeypatch.setenv(module.CACHE_VARIABLE, str(tmp_path / "file"))
        for _ in range(2):
            with pytest.warns(CacheWarning, match="cannot be cached.*PYFUTURES_CACHE"):
                assert load_base(UNSHIPPED).code == UNSHIPPED
        assert built == [UNSHIPPED, UNSHIPPED]

    @pytest.mark.usefixtures("built")
    def test_a_write_that_fails_leaves_nothing(
        self, cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object, **__: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(module, "pack", full)
        with pytest.warns(CacheWarning, match="No space left"):
            load_base(UNSHIPPED)
        assert list((cache / "bases").iterdir()) == []

    @pytest.mark.usefixtures("built")
    def test_a_code_makes_no_other_path(self, cache: Path) -> None:
        load_base("../../24/5")
        (path,) = (cache / "bases").iterdir()
        assert path.name.startswith("______24_5-")

    def test_without_the_variable_it_is_the_users_cache(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv(module.CACHE_VARIABLE)
        assert "pyfutures" in module.cache_folder().parts


class TestBuilder:
    @pytest.mark.parametrize("code", ["NOPE", "NYSE", "OSE", ""])
    def test_unknown_codes_and_aliases(self, code: str) -> None:
        with pytest.raises(BaseError, match="exchange_calendars has no calendar"):
            load_base(code)

    @pytest.mark.parametrize(
        ("code", "hint"),
        [
            ("weekday", "did you mean `weekdays`?"),
            ("xnys", "did you mean `XNYS`?"),
            ("us_future", "did you mean `us_futures`?"),
            ("NOPENOPE", "use a code such as `XNYS`"),
        ],
    )
    def test_what_was_meant(self, code: str, hint: str) -> None:
        with pytest.raises(BaseError, match=rf"has no calendar `{code}`; {re.escape(hint)}$"):
            load_base(code)

    def test_what_it_cannot_build(self) -> None:
        with pytest.raises(BaseError, match="cannot build `XTAE` from 1970-01-01"):
            load_base("XTAE")
