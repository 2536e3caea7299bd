"""Folders and files: what is read, who wins, what is told of whom."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from pyfutures.calendars import CalendarLibrary, CalendarSpecError
from pyfutures.months import ContractMonth
from pyfutures.specs.load import Loaded, load_folders, load_paths
from pyfutures.specs.model import Anchor, ClockTime, OffsetUnit, Settlement
from pyfutures.specs.positions import locate

HERE = Path(__file__).parent
CONTEXT = HERE / "context"
MODELINE = f"# $schema: {HERE.parents[1] / 'schemas'}/{{}}.schema.json\n"
FACTS = """\
name: Made up
exchange: XTST
currency: USD
multiplier: 50
tick: 0.25
months: {listed: HMUZ}
last_trade:
  calendar: us
  rule: [{weekday: {nth: 3, day: friday}}]
sources: [made up]
"""


def contract(folder: Path, root: str, text: str = FACTS, *, place: str = "xtst") -> Path:
    path = folder / place / f"{root}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    head = MODELINE.format("contract") + f"schema: 1\nroot: {root}\n"
    path.write_text(head + text, encoding="utf-8")
    return path


def calendar(folder: Path, name: str, text: str = "base: weekdays\n") -> Path:
    path = folder / "calendars" / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    head = MODELINE.format("calendar") + f"schema: 1\ncalendar: {name}\nsources: [made up]\n"
    path.write_text(head + text, encoding="utf-8")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    calendar(tmp_path / "specs", "us")
    return tmp_path / "specs"


def codes(loaded: Loaded) -> list[str]:
    return [item.code for item in loaded.diagnostics]


def told(loaded: Loaded) -> list[tuple[str, str, int]]:
    return [
        (d.code, Path(d.location.path).name, d.location.line)
        for d in loaded.diagnostics
        if d.location
    ]


# --- the model


def test_every_part_of_the_model() -> None:
    spec = load_paths([HERE / "ok" / "FULL.yaml"], [CONTEXT]).specs["FULL"]
    early, late = ContractMonth.parse("2012H"), ContractMonth.parse("2024H")
    assert (spec.root, spec.exchange, spec.currency) == ("FULL", "XTST", "USD")
    assert [spec.multiplier.at(m) for m in (early, late)] == [Decimal(10), Decimal(25)]
    assert spec.tick.at(early) == Decimal("0.0000001")
    assert spec.settlement is Settlement.PHYSICAL
    assert spec.ib is not None
    assert [spec.ib.symbol.at(m) for m in (early, late)] == ["167", "NO"]
    classes = [spec.ib.trading_class.at(m) for m in (early, late, late.shift(3))]
    assert [c and c.for_month(late) for c in classes] == ["OLD", "NEWER", "NEWER"]
    assert spec.ib.price_magnifier == 100
    assert str(spec.listed.next(ContractMonth.parse("2004H"))) == "2004X"
    assert ContractMonth.parse("2005H") not in spec.priced
    assert ContractMonth.parse("2005H") in spec.listed
    assert str(spec.hold.next(ContractMonth.parse("2005X"))) == "2007X"
    assert str(spec.hold.next(ContractMonth.parse("2014X"))) == "2015Z"
    assert spec.last_trade.dates == {early: dt.date(2012, 3, 30)}
    rule = spec.last_trade.spans.at(late)
    assert rule is not None
    assert (rule.calendar, rule.path) == ("london", ("last_trade", 1))
    assert rule.at == ClockTime(dt.time(14, 30), "America/New_York")
    assert str(rule.at) == "14:30 America/New_York"
    assert spec.first_notice is not None
    # It names no calendar: it has that of the last trade, which changes in 2014.
    notice = spec.first_notice.spans
    assert [s.value.calendar for s in notice.spans] == ["us_expiry", "london"]
    assert [str(s.until) for s in notice.spans] == ["2014X", "None"]
    assert spec.expiry is not None
    assert spec.roll is not None
    assert (spec.roll.anchor, spec.roll.unit) == (Anchor.FIRST_NOTICE, OffsetUnit.BUSINESS)
    assert (spec.roll.offset, spec.roll.carry, spec.roll.close_out) == (-12, -1, 2)
    assert spec.hours is not None
    assert spec.hours.breaks[1] == (dt.time(12), dt.time(13))
    assert spec.verified is False


def test_what_is_left_out_has_its_default(folder: Path) -> None:
    contract(folder, "ES", FACTS + "roll: {offset: -5, carry: 1}\n")
    spec = load_folders([folder]).specs["ES"]
    assert spec.priced == spec.listed
    assert spec.hold == spec.listed
    assert (spec.settlement, spec.ib, spec.first_notice, spec.expiry) == (None, None, None, None)
    assert spec.hours is None
    assert spec.verified is True
    assert spec.roll is not None
    assert (spec.roll.anchor, spec.roll.unit) == (Anchor.LAST_TRADE, OffsetUnit.CALENDAR)
    assert spec.roll.close_out == 0


# --- extends


def test_extends_keeps_the_places(folder: Path) -> None:
    contract(folder, "COIL", FACTS + "ib: {symbol: COIL, exchange: IPE}\n")
    text = "extends: COIL\nmonths: {hold: Z}\nib: {exchange: ICE}\n"
    contract(folder, "COIL_Z", text, place="other")
    spec = load_folders([folder]).specs["COIL_Z"]
    assert (spec.root, spec.name) == ("COIL_Z", "Made up")
    assert Path(spec.path).name == "COIL_Z.yaml"

    def at(*path: str | int) -> tuple[str, int]:
        found = locate(spec.locations, path)
        assert found is not None
        return Path(found.path).name, found.line

    assert at("months", "hold") == ("COIL_Z.yaml", 5)
    assert at("months", "listed") == ("COIL.yaml", 9)
    assert at("ib", "exchange") == ("COIL_Z.yaml", 6)
    assert at("ib", "symbol") == ("COIL.yaml", 14)
    assert at("last_trade", "rule", 0, "weekday", "nth") == ("COIL.yaml", 12)
    assert at("root") == ("COIL_Z.yaml", 3)
    assert at("roll", "offset") == ("COIL_Z.yaml", 3)  # the nearest thing there is


def test_lists_and_scalars_hide_what_they_replace(folder: Path) -> None:
    contract(folder, "A", FACTS)
    event = "- {calendar: us, rule: [{day: 1}]}"
    contract(folder, "B", f"extends: A\nlast_trade:\n  {event}\nsources: [other]\n")
    spec = load_folders([folder]).specs["B"]
    assert spec.sources == ("other",)
    assert ("last_trade", "rule") not in spec.locations
    assert ("last_trade", 0, "rule", 0, "day") in spec.locations
    assert all(spec.locations[path] for path in spec.locations)


def test_grandparents(folder: Path) -> None:
    contract(folder, "A", FACTS)
    contract(folder, "B", "extends: A\nmultiplier: 5\n")
    contract(folder, "C", "extends: B\ntick: 1\n")
    spec = load_folders([folder], ["C"]).specs["C"]
    assert (spec.multiplier.values, spec.tick.values) == ((Decimal(5),), (Decimal(1),))
    assert Path(spec.locations[("multiplier",)].path).name == "B.yaml"
    assert Path(spec.locations[("currency",)].path).name == "A.yaml"


def test_a_fault_of_the_extended_spec_is_told_once(folder: Path) -> None:
    contract(folder, "A", FACTS.replace("tick: 0.25", "tick: x").replace("currency: USD\n", ""))
    contract(folder, "B", "extends: A\n")
    child = contract(folder, "C", "extends: B\nmultiplier: y\n")
    loaded = load_folders([folder])
    assert told(loaded) == [
        ("PF102", "A.yaml", 3),
        ("PF103", "A.yaml", 7),
        ("PF103", "C.yaml", 5),
    ]
    assert loaded.specs == {}
    alone = load_paths([child], [folder])
    assert told(alone) == [("PF505", "C.yaml", 4), ("PF103", "C.yaml", 5)]


def test_a_conflict_is_told_where_it_was_made(folder: Path) -> None:
    contract(folder, "A", FACTS.replace("HMUZ}", "HMUZ, hold: H}"))
    contract(folder, "B", "extends: A\nmonths: {listed: MUZ, priced: MUZ}\n")
    loaded = load_folders([folder])
    assert told(loaded) == [("PF201", "B.yaml", 4)]
    assert Path(loaded.diagnostics[0].related[0][0].path).name == "A.yaml"
    assert set(loaded.specs) == {"A"}


def test_extends_a_file_that_is_not_yaml(folder: Path) -> None:
    contract(folder, "A", "name: 'x\n")
    child = contract(folder, "B", "extends: A\ntick: x\n")
    assert told(load_folders([folder])) == [("PF007", "A.yaml", 4), ("PF103", "B.yaml", 5)]
    assert codes(load_paths([child], [])) == ["PF505", "PF103"]


def test_circles(folder: Path) -> None:
    contract(folder, "A", "extends: B\n")
    contract(folder, "B", "extends: C\n")
    contract(folder, "C", "extends: A\n")
    contract(folder, "D", "extends: A\n")
    contract(folder, "E", "extends: E\n")
    loaded = load_folders([folder])
    assert told(loaded) == [("PF504", "C.yaml", 4), ("PF504", "E.yaml", 4)]
    assert loaded.specs == {}
    assert codes(load_paths([folder / "xtst" / "D.yaml"], [])) == ["PF505"]


def test_a_user_changes_a_root_by_extending_it(tmp_path: Path, folder: Path) -> None:
    contract(folder, "ES", FACTS)
    contract(folder, "MES", "extends: ES\n")
    mine = tmp_path / "mine"
    contract(mine, "ES", "extends: ES\ntick: 0.5\n", place=".")
    for roots in (None, ["ES", "MES"]):
        specs = load_folders([folder, mine], roots).specs
        assert specs["ES"].tick.values == (Decimal("0.5"),)
        # What extends the root in the earlier folder does not change.
        assert specs["MES"].tick.values == (Decimal("0.25"),)
    assert load_paths([mine], [folder]).specs["ES"].tick.values == (Decimal("0.5"),)
    contract(mine, "MINE", "extends: ES\n")
    specs = load_folders([folder, mine], ["MINE"]).specs
    assert specs["MINE"].tick.values == (Decimal("0.5"),)


# --- folders


def test_later_folders_win(tmp_path: Path, folder: Path) -> None:
    contract(folder, "A", FACTS)
    contract(folder, "B", FACTS)
    mine = tmp_path / "mine"
    contract(mine, "B", FACTS.replace("Made up", "Mine"))
    calendar(mine, "us", "base: XNYS\n")
    for roots in (None, ["A", "B"]):
        loaded = load_folders([folder, mine], roots)
        assert codes(loaded) == []
        assert [s.name for s in loaded.specs.values()] == ["Made up", "Mine"]
        assert loaded.calendars["us"].base == "XNYS"


def test_one_root_reads_what_it_needs(folder: Path) -> None:
    contract(folder, "A", FACTS)
    contract(folder, "B", "extends: A\nlast_trade: {calendar: join}\n")
    contract(folder, "BROKEN", "name: 'x\n")
    calendar(folder, "join", "all: [us, other]\n")
    calendar(folder, "other")
    calendar(folder, "broken", "base: [\n")
    loaded = load_folders([folder], ["B"])
    assert [Path(path).name for path in loaded.paths] == [
        *("join.yaml", "other.yaml", "us.yaml"),
        *("A.yaml", "B.yaml"),
    ]
    assert (set(loaded.specs), set(loaded.calendars)) == ({"B"}, {"join", "us", "other"})
    assert codes(loaded) == []


@pytest.mark.parametrize("root", ["ESS", "../xtst/ES", "", "E*", "*"])
def test_an_unknown_root(folder: Path, root: str) -> None:
    contract(folder, "ES", FACTS)
    loaded = load_folders([folder], [root])
    assert codes(loaded) == ["PF507"]
    assert loaded.specs == {}


def test_the_root_of_a_file_is_its_name(folder: Path) -> None:
    path = contract(folder, "ES", FACTS)
    path.rename(path.with_name("NQ.yaml"))
    assert told(load_folders([folder])) == [("PF501", "NQ.yaml", 3)]
    calendar(folder, "a").rename(folder / "calendars" / "b.yaml")
    assert "PF506" in codes(load_folders([folder]))


def test_a_root_in_two_files(folder: Path) -> None:
    contract(folder, "ES", FACTS, place="xcme")
    contract(folder, "ES", FACTS, place="xcbt")
    for roots in (None, ["ES"]):
        loaded = load_folders([folder], roots)
        assert [
            (d.code, d.location and Path(d.location.path).parent.name) for d in loaded.errors
        ] == [("PF502", "xcme")]
        assert loaded.specs == {}
    assert codes(load_paths([folder], [])) == ["PF502"]


def test_files_that_are_not_read_are_told_of(folder: Path) -> None:
    path = contract(folder, "ES", FACTS)
    path.rename(path.with_suffix(".yml"))
    assert load_paths([folder / "xtst"], []).paths == (str(path.with_suffix(".yml")),)
    (folder / "xtst" / ".ES.yaml").write_text("x", encoding="utf-8")
    (folder / "xtst" / "README.md").write_text("x", encoding="utf-8")
    assert told(load_folders([folder])) == [("PF017", "ES.yml", 1)]


def test_the_end_of_a_name_counts_by_the_letter(folder: Path) -> None:
    path = contract(folder, "ES", FACTS)
    path.rename(path.with_suffix(".YAML"))
    assert told(load_folders([folder])) == [("PF017", "ES.YAML", 1)]
    assert told(load_paths([folder], [])) == [("PF017", "ES.YAML", 1)]


def test_files_too_deep_are_told_of_by_their_folder(folder: Path) -> None:
    contract(folder, "ES", FACTS, place="xtst/old/older")
    contract(folder, "NQ", FACTS, place="calendars/xtst")
    contract(folder, "GC", FACTS, place=".hidden/old")
    (folder / "xtst" / "old" / "loop").symlink_to(folder / "xtst")
    expected = [("PF017", "xtst", 1), ("PF017", "older", 1)]
    assert told(load_folders([folder])) == expected
    assert told(load_paths([folder], [])) == expected


@pytest.mark.parametrize("name", ["ES.yml", "ES.txt", "ES.YAML", "ES"])
def test_a_file_that_nothing_would_load(folder: Path, name: str) -> None:
    path = contract(folder, "ES", FACTS)
    path = path.rename(path.with_name(name))
    loaded = load_paths([path], [])
    assert told(loaded) == [("PF018", name, 1)]
    assert loaded.specs == {}
    assert loaded.paths == (str(path),)


def test_a_link_to_itself(folder: Path) -> None:
    contract(folder, "ES", FACTS.replace("tick: 0.25", "tick: x"))
    loop = folder / "xtst" / "LOOP.yaml"
    loop.symlink_to(loop)
    (folder / "loop").symlink_to(folder / "loop")
    for loaded in (load_paths([folder], []), load_folders([folder])):
        assert told(loaded) == [("PF103", "ES.yaml", 8), ("PF001", "LOOP.yaml", 1)]


def test_an_absent_folder(tmp_path: Path) -> None:
    assert codes(load_folders([tmp_path / "absent"])) == ["PF001"]
    assert codes(load_folders([tmp_path / "absent"], [])) == ["PF001"]
    assert codes(load_paths([tmp_path / "absent.yaml"], [])) == ["PF001"]


def test_an_empty_folder(tmp_path: Path) -> None:
    assert codes(load_folders([tmp_path])) == []
    assert load_paths([tmp_path], []).paths == ()


# --- calendars


def test_a_calendar_with_errors_takes_its_specs_along(folder: Path) -> None:
    path = contract(folder, "ES", FACTS.replace("calendar: us", "calendar: join"))
    calendar(folder, "join", "all: [us, bad]\n")
    bad = calendar(folder, "bad", "bsae: weekdays\n")
    loaded = load_folders([folder])
    assert told(loaded) == [("PF101", "bad.yaml", 5)]
    assert (loaded.specs, set(loaded.calendars)) == ({}, {"us"})
    assert told(load_paths([path], [])) == [("PF306", "ES.yaml", 11)]
    assert told(load_paths([bad], [])) == [("PF101", "bad.yaml", 5)]


def test_calendars_joined_in_a_circle(folder: Path) -> None:
    calendar(folder, "a", "all: [us, b]\n")
    calendar(folder, "b", "any: [a, us]\n")
    calendar(folder, "c", "all: [c, us]\n")
    loaded = load_folders([folder])
    assert [d.code for d in loaded.errors] == ["PF307", "PF307"]
    assert set(loaded.calendars) == {"us"}


def test_faults_of_calendars(folder: Path) -> None:
    text = "all: [us, uss]\nremove: [2023-02-29]\nzone: Mars/Base\nadd: {2023-02-30: made up}\n"
    calendar(folder, "a", text)
    loaded = load_folders([folder])
    assert sorted(told(loaded)) == [
        ("PF303", "a.yaml", 5),
        ("PF304", "a.yaml", 7),
        ("PF401", "a.yaml", 6),
        ("PF401", "a.yaml", 8),
    ]


def test_faults_of_annual_days(folder: Path) -> None:
    rows = (
        "{name: A, month: 2, day: 30}",
        "{name: B, month: 2, day: 29}",
        "{name: C, month: 4, day: 31, from: 2010, until: 2009}",
        "{name: D, month: 13, day: 1, from: 2010, until: 2010}",
    )
    text = "base: weekdays\nannual:\n" + "".join(f"- {row}\n" for row in rows)
    calendar(folder, "a", text)
    assert told(load_folders([folder])) == [
        *(("PF401", "a.yaml", 7), ("PF401", "a.yaml", 9), ("PF203", "a.yaml", 9)),
        ("PF106", "a.yaml", 10),
    ]


def test_one_bad_date_does_not_hide_another(folder: Path) -> None:
    calendar(folder, "a", "base: weekdays\nadd:\n- 1.2.2024\n- 2023-02-30\n")
    assert told(load_folders([folder])) == [("PF105", "a.yaml", 7), ("PF401", "a.yaml", 8)]


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("base: weekdays\nadd: [2024-01-01, 2060-01-01]\n", 6, 19),
        ("base: weekdays\nadd:\n  2060-01-01: made up\n", 7, 3),
        ("base: weekdays\nadd: [2024-01-01]\nremove: [2024-01-02, 2024-01-01]\n", 7, 22),
        ("base: weekdays\nvalid_until: 1960-01-01\n", 6, 14),
        ("base: weekday\n", 5, 7),
        ("base: weekdays\nearly_closes: {2024-01-02: '13:00'}\n", 6, 15),
        ("base: weekdays\nzone: UTC\nearly_closes: {2024-01-06: '13:00'}\n", 7, 16),
        (
            "sequence:\n- {calendar: us, until: 2020-01-01}\n- {calendar: us, until: 2021-01-01}\n",
            7,
            25,
        ),
    ],
)
def test_a_calendar_that_cannot_be_built_says_where(
    folder: Path, text: str, line: int, column: int
) -> None:
    calendar(folder, "a", text)
    calendar(folder, "b", "all: [us, a]\n")
    loaded = load_folders([folder])
    assert codes(loaded) == []
    library = CalendarLibrary(loaded.calendars)
    for name in ("a", "b"):
        with pytest.raises(CalendarSpecError) as error:
            library[name]
        at = loaded.unbuilt(error.value).location
        assert at is not None
        assert (Path(at.path).name, at.line, at.column) == ("a.yaml", line, column)


def test_a_calendar_is_known_by_its_content(tmp_path: Path) -> None:
    path = calendar(tmp_path, "it")
    stray = path.rename(tmp_path / "it.yaml")
    loaded = load_paths([stray], [])
    assert (codes(loaded), set(loaded.calendars)) == ([], {"it"})


def test_a_calendar_among_contracts_is_not_found(folder: Path) -> None:
    contract(folder, "ES", FACTS)
    path = calendar(folder, "short")
    path.rename(folder / "xtst" / "short.yaml")
    assert told(load_paths([folder], [])) == [("PF508", "short.yaml", 3)]


def test_a_cycle_without_a_month(folder: Path) -> None:
    months = "months: {listed: [{until: 1900F, months: Z}, {from: 2199Z, months: H}]}\n"
    contract(folder, "ES", FACTS.replace("months: {listed: HMUZ}\n", months))
    assert codes(load_folders([folder])) == ["PF208", "PF205", "PF205"]


# --- paths


def test_paths_find_their_own_folder(folder: Path) -> None:
    path = contract(folder, "ES", FACTS)
    contract(folder, "NQ", "extends: ES\n")
    loaded = load_paths([folder / "xtst" / "NQ.yaml"], [])
    assert (codes(loaded), set(loaded.specs)) == ([], {"NQ"})
    assert set(load_paths([folder / "xtst"], []).specs) == {"ES", "NQ"}
    assert set(load_paths([folder], []).specs) == {"ES", "NQ"}
    assert set(load_paths([folder / "calendars"], []).calendars) == {"us"}
    assert load_paths([path, path], []).paths == (str(path),)


def test_exchanges_side_by_side_are_one_folder(tmp_path: Path, folder: Path) -> None:
    mine = tmp_path / "mine"
    contract(mine, "CL", FACTS.replace("Made up", "Mine"), place="xnym")
    path = contract(mine, "AAA", "extends: CL\n", place="xcec")
    contract(folder, "CL", FACTS)
    for given in (mine, mine / "xcec", path):
        loaded = load_paths([given], [folder])
        assert codes(loaded) == []
        assert loaded.specs["AAA"].name == "Mine"


def test_one_file_by_two_names(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contract(folder, "A", FACTS.replace("tick: 0.25", "tick: x"))
    contract(folder, "B", "extends: A\n")
    contract(folder, "ES", "extends: ES\n")
    monkeypatch.chdir(folder.parent)
    given = [
        Path("specs/xtst/A.yaml"),
        Path("specs/xtst/B.yaml"),
        Path("specs/xtst/../xtst/A.yaml"),
    ]
    loaded = load_paths(given, [folder])
    assert [str(d.location) for d in loaded.diagnostics] == ["specs/xtst/A.yaml:8:7"]
    assert loaded.paths == ("specs/xtst/A.yaml", "specs/xtst/B.yaml")
    assert codes(load_paths([Path("specs/xtst/ES.yaml")], [folder])) == ["PF504"]
    assert codes(load_paths([Path("specs")], [folder])) == ["PF103", "PF504"]


def test_only_the_given_paths_are_told_of(folder: Path) -> None:
    contract(folder, "A", "name: 'x\n")
    path = contract(folder, "B", FACTS)
    assert codes(load_paths([path], [])) == []
    assert codes(load_paths([path, folder / "xtst" / "A.yaml"], [])) == ["PF007"]


def test_the_schema_line(folder: Path) -> None:
    path = contract(folder, "ES", FACTS)
    text = path.read_text(encoding="utf-8")
    rest = text.split("\n", 1)[1]
    for line in ("", "# a comment\n\n", "#yaml-language-server: $schema=absent.json\n"):
        path.write_text(line + rest, encoding="utf-8")
        loaded = load_folders([folder])
        assert codes(loaded) == ["PF002"]
        assert set(loaded.specs) == {"ES"}  # a warning keeps nothing from being loaded
    address = "https://example.org/contract.schema.json"
    named = f"# $schema: {address}\n"
    for line in (
        f"# yaml-language-server: $schema={address}\n",
        f"# c\n\n{named}",
        f"---\n{named}",
    ):
        path.write_text(line + rest, encoding="utf-8")
        assert codes(load_folders([folder])) == []


def test_a_sound_folder_is_read_without_jsonschema(folder: Path) -> None:
    contract(folder, "ES", FACTS)
    code = (
        "import sys\nfrom pathlib import Path\nfrom pyfutures.specs.load import load_folders\n"
        "loaded = load_folders([Path(sys.argv[1])])\n"
        "assert set(loaded.specs) == {'ES'}, loaded\n"
        "slow = {'jsonschema', 'pandas', 'exchange_calendars', 'nautilus_trader'}\n"
        "assert not slow & set(sys.modules), slow & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True)


def test_the_first_and_the_last_listed_month(folder: Path) -> None:
    contract(folder, "ES", FACTS.replace("months: {", "months: {first: 1981Z, last: 2023M, "))
    spec = load_folders([folder]).specs["ES"]
    found = spec.listed.between(ContractMonth.parse("1970F"), ContractMonth.parse("2050Z"))
    assert (str(found[0]), str(found[-1])) == ("1981Z", "2023M")
    assert spec.hold == spec.priced == spec.listed
