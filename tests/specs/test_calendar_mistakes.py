"""Ways in which people get calendars wrong: each is told once, at its line, with the way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyfutures.chain.validate import check
from pyfutures.report import text
from pyfutures.specs.load import load_paths

HERE = Path(__file__).parent
GOOD = """\
# yaml-language-server: $schema=../../schemas/calendar.schema.json
schema: 1
calendar: city
name: Business days of a city
base: XNYS
zone: America/New_York
add:
  2012-10-29: Sandy
remove:
  2026-11-27: the day after
annual:
  - {name: Juneteenth, month: 6, day: 19, from: 2022}
early_closes:
  2026-12-24: "13:00"
valid_from: 1990-01-01
valid_until: 2030-12-31
projected: true
sources:
  - the exchange
"""
ADD = "add:\n  2012-10-29: Sandy"
DAY = "  2012-10-29: Sandy"
ANNUAL = "annual:\n  - {name: Juneteenth, month: 6, day: 19, from: 2022}"
EARLY = '  2026-12-24: "13:00"'
ZONE = "zone: America/New_York"

# What is there, what somebody wrote instead, how many lines below the change it is told, the code,
# and words of the message or the help.
SLIPS = {
    "days with dashes": (ADD, "add:\n  - 2012-10-29: Sandy", 0, "PF103", "remove the `-`"),
    "a day alone": (ADD, "add: 2012-10-29", 0, "PF103", "`[2012-10-29]`"),
    "no reason": (DAY, "  2012-10-29:", 0, "PF103", "write it behind `2012-10-29:`"),
    "no days": (ADD, "add:", -1, "PF103", "write it behind `add:`"),
    "American date": (DAY, "  10/29/2012: Sandy", 0, "PF105", "write `2012-10-29`"),
    "date as a number": (DAY, "  20121029: Sandy", 0, "PF105", "write `2012-10-29`"),
    "no such date": (DAY, "  2012-02-30: Sandy", 0, "PF401", "`2012-02-30`"),
    "year alone": (DAY, "  2012: Sandy", 0, "PF105", "`YYYY-MM-DD`"),
    "reason that is true": (DAY, "  2012-10-29: true", 0, "PF110", 'quote it: `"true"`'),
    "day twice": (DAY, f"{DAY}\n{DAY}", 0, "PF009", "keep one of the two"),
    "day in both": ("2026-11-27", "2012-10-29", 0, "PF308", "both `add` and `remove`"),
    "holidays": ("remove:", "holidays:", 0, "PF101", "did you mean `remove`?"),
    "closed": ("remove:", "closed:", 0, "PF101", "did you mean `remove`?"),
    "annual without dash": ("  - {name", "  {name", 0, "PF103", "start each entry with `- `"),
    "annual as dates": (ANNUAL, "annual: [06-19]", 0, "PF103", "`{name: Veterans Day"),
    "reason of a day": ("{name: Jun", "{reason: Jun", 0, "PF101", "did you mean `name`?"),
    "quoted year": ("2022}", '"2022"}', 0, "PF103", "remove the quotes"),
    "years turned": ("2022}", "2022, until: 2010}", 0, "PF203", "swap `from` and `until`"),
    "time of 12 hours": (EARLY, "  2026-12-24: 1pm", 0, "PF105", "write `13:00`"),
    "hour alone": (EARLY, "  2026-12-24: 13", 0, "PF110", "such as `13:00`"),
    "time and zone": (EARLY, '  2026-12-24: "13:00 UTC"', 0, "PF105", "a key of its own"),
    "early on a holiday": ("2026-12-24", "2026-12-25", 0, "PF308", "it is closed"),
    "city for a zone": (ZONE, "zone: New York", 0, "PF105", "did you mean `America/New_York`?"),
    "winter alone": (ZONE, "zone: EST", 0, "PF304", "write the place: `America/New_York`"),
    "exchange for a base": ("XNYS", "NYSE", 0, "PF308", "did you mean `XNYS`?"),
    "base in lower case": ("XNYS", "xnys", 0, "PF308", "did you mean `XNYS`?"),
    "two bases": ("XNYS", "XNYS\nall: [london]", 0, "PF111", "keep one of the two"),
    "member misspelt": ("base: XNYS", "all: [londn, us_expiry]", 0, "PF303", "`london`?"),
    "member alone": ("base: XNYS", "all: london", 0, "PF103", "`[london]`"),
    "of itself": ("base: XNYS", "all: [city, london]", 0, "PF307", "city -> city"),
    "spans without ends": ("base: XNYS", "sequence: [london]", 0, "PF103", "{calendar: london, "),
    "year for a date": ("2030-12-31", "2030", 0, "PF110", "such as `2018-12-05`"),
    "span turned": ("2030-12-31", "1980-12-31", 0, "PF308", "1980-12-31"),
    "yes": ("true", "yes", 0, "PF103", "write `true`"),
    "name in upper case": ("calendar: city", "calendar: City", 0, "PF105", "write `city`"),
    "another file": ("calendar: city", "calendar: town", 0, "PF506", "`calendar: city`"),
    "schema of a contract": ("calendar.schema", "contract.schema", 0, "PF002", "of a contract"),
    "key of a contract": ("calendar: city", "calendar: city\nroot: WTI", 0, "PF101", "`root`"),
}  # fmt: skip


@pytest.fixture
def calendar(tmp_path: Path) -> Path:
    (tmp_path / "schemas").symlink_to(HERE.parents[1] / "schemas")
    path = tmp_path / "contracts" / "calendars" / "city.yaml"
    path.parent.mkdir(parents=True)
    return path


def test_the_calendar_is_sound(calendar: Path) -> None:
    calendar.write_text(GOOD, encoding="utf-8")
    found = check(load_paths([calendar], [HERE / "context"])).diagnostics
    assert text.report(found) == ""


@pytest.mark.parametrize("name", SLIPS)
def test_a_slip(calendar: Path, name: str) -> None:
    right, wrong, below, code, words = SLIPS[name]
    assert right in GOOD
    source = GOOD.replace(right, wrong, 1)
    lines = zip(GOOD.splitlines(), source.splitlines(), strict=False)
    changed = next(number for number, (a, b) in enumerate(lines, 1) if a != b)
    calendar.write_text(source, encoding="utf-8")
    found = check(load_paths([calendar], [HERE / "context"])).diagnostics
    assert [item.code for item in found] == [code], text.report(found)
    assert found[0].location is not None
    assert found[0].location.line == changed + below, text.report(found)
    assert words in f"{found[0].message}\n{found[0].help}"
