"""Ways in which people get YAML wrong: each is told once, at its line, with the way out.

A row replaces a piece of a sound spec. The line is that of the piece, counted here and not by the
code under test, unless a row says otherwise.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pyfutures.chain.validate import check
from pyfutures.report import text
from pyfutures.specs.load import load_paths

if TYPE_CHECKING:
    from pyfutures.diagnostics import Diagnostic

HERE = Path(__file__).parent
GOOD = """\
# yaml-language-server: $schema=../../schemas/contract.schema.json
schema: 1
root: WTI
name: Light Sweet Crude Oil
exchange: XNYM
currency: USD
multiplier: 1000
tick: 0.01
settlement: physical
ib: {symbol: CL, exchange: NYMEX, trading_class: CL}
months:
  listed: FGHJKMNQUVXZ
  hold: MZ
last_trade:
  calendar: us_expiry
  rule:
    - month: -1
    - day: 25
    - if_closed: previous
    - business_days: -3
  at: "14:30 America/New_York"
first_notice:
  rule:
    - from: last_trade
    - business_days: 2
roll: {anchor: last_trade, offset: -40, carry: -1}
hours: {zone: America/New_York, open: "18:00", close: "17:00"}
sources:
  - NYMEX rulebook chapter 200
"""
DAY = "    - day: 25"
AT = '  at: "14:30 America/New_York"'
MONTHS = "listed: FGHJKMNQUVXZ"
RULE = "    - month: -1\n    - day: 25\n    - if_closed: previous\n    - business_days: -3\n"
FROM_TO = "\n  - {to: 2014Z, value: 0.02}\n  - {from: 2015F, value: 0.01}"
MONTHS_OF = "\n  - {until: 2014Z, months: 0.02}\n  - {from: 2015F, value: 0.01}"
IB = "ib: {symbol: CL, exchange: NYMEX, trading_class: CL}"
BLOCK = "months:\n  listed: FGHJKMNQUVXZ\n  hold: MZ"
ROLL = "roll: {anchor: last_trade, offset: -40, carry: -1}"
HOURS = 'hours: {zone: America/New_York, open: "18:00", close: "17:00"}'
BREAKS = HOURS[:-1] + ", breaks: [%s]}"
MULT = "multiplier: 1000\ntick: 0.01\nsettlement: physical\n" + IB
PLAIN = "tick: 0.01\nsettlement: physical\n"
DEEP = "ib: {multiplier: 1, symbol: CL, exchange: NYMEX}"
EVENT = f"last_trade:\n  calendar: us_expiry\n  rule:\n{RULE}{AT}"
STEPS = "last_trade:\n  - month: -1\n  - day: 25"
UNTIL = "tick: 0.01"
BRANCH = "    - by_month: {HM: [{day: 25}], ELSE: [{day: 24}]}\n"

# What is there, what somebody wrote instead, the code, and words of the message or the help.
SLIPS = {
    # Tabs and indents
    "tab": ("  calendar: us", "\tcalendar: us", "PF008", "indent with spaces"),
    "tab after spaces": (DAY, "   \t- day: 25", "PF008", "indent with spaces"),
    "key too far in": ("  hold: MZ", "    hold: MZ", "PF007", "indented too far"),
    "key too far out": ("  hold: MZ", "hold: MZ", "PF101", "`hold` belongs in `months`"),
    "key one space out": ("  hold: MZ", " hold: MZ", "PF007", "start it in column 3"),
    "step one space out": (DAY, "   - day: 25", "PF007", "start it in column 5"),
    "step too far in": (DAY, "      - day: 25", "PF007", "start it in column 5"),
    # Colons, dashes, commas
    "no space after the colon": ("tick: 0.01", "tick:0.01", "PF007", "write `tick: 0.01`"),
    "equals sign": ("tick: 0.01", "tick = 0.01", "PF007", "write `tick: 0.01`"),
    "no space after the dash": (DAY, "    -day: 25", "PF007", "write `- day: 25`"),
    "no colon in a step": ("if_closed: previous", "if_closed previous", "PF103", "`if_closed: pr"),
    "two steps in one": ("\n    - if_closed", "\n      if_closed", "PF107", "- if_closed: prev"),
    "colon in a text": ("name: Light", "name: Crude: Light", "PF007", "quote a value that"),
    "colon in a source": ("- NYMEX rulebook", "- NYMEX: rulebook", "PF103", "quote a text that"),
    "no comma": ("-40, carry", "-40 carry", "PF007", "a comma is missing"),
    "semicolon": ("-40, carry", "-40; carry", "PF007", "a comma is missing"),
    "no space in brackets": ("{anchor: last", "{anchor:last", "PF101", "`anchor: last_trade`"),
    "bracket not closed": ("carry: -1}", "carry: -1", "PF007", "close it with `}`"),
    "another bracket": ("carry: -1}", "carry: -1]", "PF007", "a bracket is not closed"),
    # Quotes and first characters
    "quote not closed": (AT, AT[:-1], "PF007", "close the quotes"),
    "apostrophe not closed": ("name: Light", "name: 'Light", "PF007", "close the quotes"),
    "quote not closed within": ('"18:00"', '"18:00', "PF007", "close the quotes"),
    "apostrophe in apostrophes": ("Light Sweet", "'Light's Sweet'", "PF007", "quotes"),
    "curly quotes": (AT, "  at: \u201c14:30 America/New_York\u201d", "PF105", "straight quotes"),
    "percent": ("name: Light", "name: %Light", "PF007", "put the value in quotes"),
    "at sign": ("name: Light", "name: @Light", "PF007", "put the value in quotes"),
    "star": ("name: Light", "name: *Light*", "PF007", "put the value in quotes"),
    "bracket first": ("name: Light", "name: [Light]", "PF007", "put the whole value in quotes"),
    "comment instead of a value": ("name: Light", "name: # Light", "PF103", "`name` has no value"),
    # What YAML 1.1 reads otherwise, and what YAML has and specs have not
    "digits": ("root: WTI", "root: 167", "PF110", 'quote it: `"167"`'),
    "zero and digit": ("root: WTI", "root: 05", "PF501", "`root` is `05`"),
    "true": ("root: WTI", "root: true", "PF110", "YAML reads `true` as true or false"),
    "two letters": ("currency: USD", "currency: NO", "PF105", "`NO`: a currency has three letters"),
    "yes": ("sources:", "verified: yes\nsources:", "PF103", "write `true`"),
    "key twice": ("tick: 0.01", "tick: 0.01\ntick: 0.02", "PF009", "keep one of the two"),
    "anchor": ("multiplier: 1000", "multiplier: &m 1000", "PF010", "write the value out"),
    "alias": ("multiplier: 1000", "multiplier: *m", "PF010", "write the value out"),
    "merge key": ("roll: {anchor", "roll: {<<: *r, anchor", "PF010", "write the value out"),
    "tag": ("root: WTI", "root: !!str WTI", "PF011", "quote a value that is text"),
    "python tag": ("name: Light", "name: !!python/name:os.system Light", "PF011", "remove it"),
    "list as a key": ("tick: 0.01", "[tick, b]: 0.01", "PF016", "a key is plain text"),
    "text after the end": ("sources:", "...\nsources:", "PF007", "after the end of the document"),
    "conflict": ("tick: 0.01", "<<<<<<< HEAD\ntick: 0.01\n=======", "PF007", "conflict"),
    # Numbers
    "decimal comma": ("0.01", "0,01", "PF103", "write a point: `0.01`"),
    "thousands": ("1000\n", "1,000\n", "PF103", "write `1000`"),
    "underscore": ("1000\n", "1_000\n", "PF103", "write `1000`"),
    "currency sign": ("1000\n", "$1000\n", "PF103", "`1000`"),
    "fraction": ("0.01", "1/64", "PF103", "write `0.015625`"),
    "rounded fraction": ("0.01", "0.0156", "PF112", "write `0.015625`"),
    "quoted number": ("multiplier: 1000", 'multiplier: "1000"', "PF103", "remove the quotes"),
    "comment without space": ("0.01", "0.01#x", "PF103", "put a space before `#`"),
    "other comment": ("0.01", "0.01 // x", "PF103", "a comment starts with ` #`"),
    "minus sign": ("-40", "\u221240", "PF103", "write a hyphen"),
    "negative": ("0.01", "-0.01", "PF106", "more than 0"),
    "list of one": ("multiplier: 1000", "multiplier: [1000]", "PF103", "write `1000`"),
    # Months, dates and times
    "months in a list": (MONTHS, "listed: [H, M, U, Z]", "PF103", "as one text: `HMUZ`"),
    "months by number": (MONTHS, "listed: [3, 6, 9, 12]", "PF103", "as one text: `HMUZ`"),
    "months by name": (MONTHS, "listed: Mar Jun Sep Dec", "PF105", "write `HMUZ`"),
    "months with commas": (MONTHS, "listed: H,M,U,Z", "PF105", "write `HMUZ`"),
    "months out of order": (MONTHS, "listed: MZHU", "PF105", "write `HMUZ`"),
    "lower case months": (MONTHS, "listed: hmuz", "PF105", "write upper case: `HMUZ`"),
    "month by number": (AT, f"  dates: {{2026-03: 2026-02-20}}\n{AT}", "PF105", "write `2026H`"),
    "month first": (AT, f"  dates: {{H2026: 2026-02-20}}\n{AT}", "PF105", "write `2026H`"),
    "American date": (AT, f"  dates: {{2026H: 02/20/2026}}\n{AT}", "PF105", "write `2026-02-20`"),
    "date without zeros": (AT, f"  dates: {{2026H: 2026-2-20}}\n{AT}", "PF105", "`2026-02-20`"),
    "date as a number": (AT, f"  dates: {{2026H: 20260220}}\n{AT}", "PF110", "write `2026-02-20`"),
    "no such date": (AT, f"  dates: {{2026H: 2026-02-30}}\n{AT}", "PF401", "`2026-02-30`"),
    "twelve hours": (AT, '  at: "2:30pm America/New_York"', "PF105", "`14:30 America/New_York`"),
    "time without zone": (AT, '  at: "14:30"', "PF105", "a time of 24 hours and a zone"),
    "zone misspelt": (AT, '  at: "14:30 America/NewYork"', "PF304", "`America/New_York`"),
    "time as a number": ('"18:00"', "1800", "PF110", "write `18:00`"),
    # Rules
    "rule in words": (RULE, "    third friday\n", "PF103", "- weekday: {nth: 3, day: friday}"),
    "rule without dashes": (RULE, "    month: -1\n    day: 25\n", "PF103", "start each step with"),
    "step misspelt": ("if_closed", "if_close", "PF101", "did you mean `if_closed`?"),
    "weekday cut short": (DAY, "    - weekday: {nth: 3, day: fri}", "PF104", "`friday`"),
    "number in words": (DAY, "    - weekday: {nth: third, day: friday}", "PF103", "whole number"),
    "32nd": (DAY, "    - day: 32", "PF106", "-31 to 31"),
    # Keys
    "key misspelt": ("multiplier:", "multiplyer:", "PF101", "did you mean `multiplier`?"),
    "key with a hyphen": ("last_trade:", "last-trade:", "PF101", "did you mean `last_trade`?"),
    "key in upper case": ("currency:", "Currency:", "PF101", "did you mean `currency`?"),
    # Characters
    "hard space": ("tick: 0.01", "tick:\u00a00.01", "PF007", "remove U+00A0"),
    "zero width": ("0.01", "0.01\u200b", "PF103", "remove U+200B"),
    "wide colon": ("tick:", "tick\uff1a", "PF007", "write `:`"),
    "Cyrillic letter": ("USD", "US\u0421", "PF105", "Cyrillic"),
    "long dash": (DAY, "    \u2013 day: 25", "PF007", "write a hyphen"),
    "escape code": ("Light", "\x1b[31mLight", "PF006", "U+001B"),
    "line separator": ("Light", "A\u2028Light", "PF006", "U+2028"),
    # Merge keys, and what ranges are called elsewhere
    "merge key written out": ("{anchor: last", "{<<: {carry: 1}, anchor: last", "PF101", "merge"),
    "range to": ("tick: 0.01", f"tick: {FROM_TO}", "PF101", "did you mean `until`?"),
    "months of values": ("tick: 0.01", f"tick: {MONTHS_OF}", "PF101", "did you mean `value`?"),
    # Numbers that YAML 1.1 or a program would read
    "zero first": ("1000\n", "01000\n", "PF103", "write `1000`"),
    "hexadecimal": ("1000\n", "0x3E8\n", "PF103", "write `1000`"),
    "octal": ("1000\n", "0o1750\n", "PF103", "write `1000`"),
    "endless": ("1000\n", "1" * 400 + "\n", "PF103", "so many digits"),
    "far away": ("-40", "-99999999999999999999", "PF103", "so many digits"),
    # Months and moments
    "span of months": (MONTHS, "listed: F-Z", "PF105", "`FGHJKMNQUVXZ`"),
    "span with a dash": (MONTHS, "listed: H\u2013N", "PF105", "`HJKMN`"),
    "quarterly": (MONTHS, "listed: quarterly", "PF105", "write `HMUZ`"),
    "all months": (MONTHS, "listed: all", "PF105", "write `FGHJKMNQUVXZ`"),
    "short year": (MONTHS, f"{MONTHS}\n  skip: [14Z]", "PF105", "write `2014Z`"),
    "zone first": (AT, '  at: "America/New_York 14:30"', "PF105", "`14:30 America/New_York`"),
    "midnight": ('close: "17:00"', 'close: "24:00"', "PF105", "write `00:00`"),
    # Keys that look right
    "joiner in a key": ("tick: 0", "ti\u200dck: 0", "PF101", "remove U+200D"),
    "Cyrillic key": ("tick: 0", "ti\u0441k: 0", "PF101", "Cyrillic"),
    "no key": ("tick: 0.01", ": 0.01", "PF007", "no key before the colon"),
    "mark within": ("tick: 0.01", "\ufefftick: 0.01", "PF007", "remove U+FEFF"),
    "turned text": ("name: Light", "name: \u202eLight", "PF006", "U+202E changes the order"),
    # Texts where more is wanted, and the other way round
    "event in words": (AT, f"{AT}\nexpiry: third friday", "PF103", "{calendar: us_expiry"),
    "calendar in brackets": ("calendar: us_expiry", "calendar: [london]", "PF103", "`london`"),
    "version in words": ("schema: 1\n", "schema: v1\n", "PF104", "write `1`"),
    "parent in lower case": ("root: WTI", "root: WTI\nextends: base", "PF105", "write `BASE`"),
    "no escape": ("name: Light Sweet Crude Oil", 'name: "C:\\Oil"', "PF007", "for a backslash"),
    "ignored in vain": ("0.01", "0.01  # pyfutures: ignore[PF101]", "PF903", "cannot be ignored"),
    "ignored without need": ("0.01", "0.01  # pyfutures: ignore[PF418]", "PF901", "no such fault"),
    # Brackets, lists and mappings where something else is wanted
    "a list for a block": (IB, "ib: [CL, NYMEX]", "PF103", "such as `{symbol: CL"),
    "months as a flow list": (BLOCK, "months: [H, M, U, Z]", "PF103", "such as `{listed:"),
    "a dashed block": (ROLL, "roll:\n  - offset: -5", "PF103", "remove the `-`"),
    "a weekday in a list": (DAY, "    - weekday: [3, friday]", "PF103", "such as `{nth: 3"),
    "dates in a list": (AT, f"  dates: [2026H, 2026-02-20]\n{AT}", "PF103", "such as `{2012H"),
    "name in braces": ("name: Light Sweet Crude Oil", "name: {Light}", "PF103", "in quotes"),
    "sources without dashes": ("  - NYMEX r", "  rulebook: NYMEX r", "PF103", "start each entry"),
    "one range": ("hold: MZ", "hold: {from: 2014Z, months: Z}", "PF103", "ranges are a list"),
    "ranges as a mapping": ("0.01", "{2014Z: 0.01}", "PF103", "- {until: 2014X, value: 0.5}"),
    "true for a number": ("1000\n", "true\n", "PF103", "such as `1000`"),
    "steps without a rule": (EVENT, STEPS, "PF103", "put the steps into a rule"),
    "a break as a mapping": (HOURS, BREAKS % "{from: 12:00}", "PF103", "such as `15:15"),
    "a break with spaces": (HOURS, BREAKS % "12:00 - 13:00", "PF105", "`12:00-13:00`"),
    # A value that starts with what means something
    "greater than": ("name: Light", "name: > Light", "PF007", "put the value in quotes"),
    "bar": ("name: Light", "name: | Light", "PF007", "put the value in quotes"),
    "question mark": ("name: Light", "name: ? Light", "PF007", "put the value in quotes"),
    "dash": ("name: Light", "name: - Light", "PF007", "put the value in quotes"),
    "comma": ("name: Light", "name: ,Light", "PF007", "put the value in quotes"),
    "closing bracket": ("name: Light", "name: ]Light", "PF007", "put the value in quotes"),
    "back-tick": ("name: Light", "name: `Light`", "PF007", "start with a back-tick"),
    "number sign": ("name: Light", "name: #1 Light", "PF103", "in quotes if it starts with `#`"),
    "asterisk for a dash": (DAY, "    * day: 25", "PF007", "write `- day: 25`"),
    "bullet": (DAY, "    \u2022 day: 25", "PF007", "write `- day: 25`"),
    "bullet first": ("    - month: -1", "    \u2022 month: -1", "PF007", "write `- month: -1`"),
    "tab after the dash": (DAY, "    -\tday: 25", "PF008", "indent with spaces"),
    "line of a tab": ("tick: 0.01", "tick: 0.01\n\t", "PF008", "indent with spaces"),
    "value behind a tab": ("tick: 0.01", "tick:\n\t0.01", "PF008", "indent with spaces"),
    # What follows a value or a name
    "comma after a number": ("0.01", "0.01,", "PF103", "`0.01`: nothing follows"),
    "semicolon after a number": ("0.01", "0.01;", "PF103", "`0.01`: nothing follows"),
    "comma after a name": ("USD", "USD,", "PF105", "`USD`: nothing follows"),
    "comment at a name": ("USD", "USD#x", "PF105", "put a space before `#`"),
    "space in quotes": ("root: WTI", 'root: "WTI "', "PF105", "write `WTI`"),
    "file for a root": ("root: WTI", "root: WTI.yaml", "PF105", "write `WTI`"),
    "file for a parent": ("root: WTI", "root: WTI\nextends: base.yaml", "PF105", "write `BASE`"),
    "file for a calendar": ("us_expiry", "../calendars/us_expiry.yaml", "PF105", "`us_expiry`"),
    # Numbers with words
    "unit": ("1000\n", "1000 barrels\n", "PF103", "alone: `1000`"),
    "thousand": ("1000\n", "1k\n", "PF103", "write `1000`"),
    "ordinal": (DAY, "    - day: 25th", "PF103", "alone: `25`"),
    "days": ("-40", "-40d", "PF103", "alone: `-40`"),
    "days before": ("-40", "40 days before", "PF103", "such as `-40`"),
    "two points": ("0.01", "0.0.1", "PF103", "such as `0.01`"),
    "hard space after": ("0.01", "0.01\u00a0", "PF103", "remove U+00A0"),
    "too long": ("1000\n", "1" + ",000" * 50_000 + "\n", "PF103", "write one number"),
    # Moments and zones
    "winter alone": (AT, '  at: "14:30 EST"', "PF304", "write the place: `America/New_York`"),
    "summer alone": (AT, '  at: "14:30 EDT"', "PF304", "write the place: `America/New_York`"),
    "winter hours": ("zone: America/New_York", "zone: EST", "PF304", "`America/New_York`"),
    "abbreviation": ("zone: America/New_York", "zone: CST", "PF304", "`America/Chicago`"),
    "hours from UTC": (AT, '  at: "14:30-05:00"', "PF105", "change in summer"),
    "hours from GMT": ("zone: America/New_York", "zone: GMT-5", "PF304", "change in summer"),
    "number for a zone": ("zone: America/New_York", "zone: -5", "PF110", "change in summer"),
    "Zulu": (AT, '  at: "14:30Z"', "PF105", "write `14:30 UTC`"),
    "city": (AT, '  at: "14:30 New York"', "PF105", "did you mean `America/New_York`?"),
    "25 hours": (AT, '  at: "25:30 America/New_York"', "PF105", "from 00 to 23"),
    "endless zone": (AT, f'  at: "14:30 {"A" * 9000}"', "PF304", "such as `America/Chicago`"),
    # Keys in another place or of another name
    "point value": ("multiplier:", "point_value:", "PF101", "did you mean `multiplier`?"),
    "expiration": ("last_trade:", "expiration:", "PF101", "did you mean `last_trade`?"),
    "class": ("trading_class:", "class:", "PF101", "did you mean `trading_class`?"),
    "too deep": ("{symbol", "{multiplier: 1000, symbol", "PF101", "belongs at the top"),
    "moved too deep": (MULT, f"{PLAIN}{DEEP}", "PF101", "belongs at the top"),
    "moved too far out": (ROLL, "roll: {carry: -1}\noffset: -40", "PF101", "belongs in `roll`"),
    # Months and dates
    "date for a month": (UNTIL, "tick:\n  - {until: 2014-12-31, value: 1}", "PF105", "`2014Z`"),
    "date before its month": (AT, f"  dates: {{2026-02-20: 2026H}}\n{AT}", "PF105", "2026H: 2026"),
    "year before": (AT, f"  dates: {{2026H: 2025-02-20}}\n{AT}", "PF411", "not after"),
    "branch in upper case": (RULE, BRANCH, "PF105", "write `else`"),
    "number for a word": ("if_closed: previous", "if_closed: -1", "PF104", "`previous`, `next`"),
    "schema of a calendar": ("contract.schema.json", "calendar.schema.json", "PF002", "contract.s"),
    "dates that are true": (AT, f"  dates: true\n{AT}", "PF103", "such as `{2012H"),
    "expected number": ("sources:", "expect: 7\nsources:", "PF103", "such as `{2026H"),
    # Blocks and what they are headed by
    "head is gone": ("last_trade:\n", "", "PF101", "write `last_trade:` above them"),
    "head is indented": ("\nlast_trade:", "\n  last_trade:", "PF101", "start it in column 1"),
    "body is not": ("notice:\n  rule:", "notice:\nrule:", "PF101", "below `first_notice:`"),
    "empty and again": ("sources:", "sources:\nsources:", "PF009", "keep one of the two"),
    "settlement misspelt": ("settlement:", "setlement:", "PF101", "did you mean `settlement`?"),
    "dash at a key": ("tick: 0.01", "- tick: 0.01", "PF007", "starts with `- `, or none"),
    "no dash at first": ("    - month", "    month", "PF007", "starts with `- `, or none"),
    "quote at the end": ("root: WTI", 'root: WTI"', "PF105", "write `WTI`"),
    "bracket at the end": ("currency: USD", "currency: USD}", "PF105", "write `USD`"),
    "opened above": ("months:\n", "months: {\n", "PF007", "the bracket opens on line 11"),
}  # fmt: skip
#: Where the line to change is not the first that differs: so many lines below.
BELOW = {
    "two steps in one": -1,
    "text after the end": 1,
    "range to": 1,
    "months of values": 1,
    "value behind a tab": 1,
    "a dashed block": 1,
    "moved too far out": 1,
    "moved too deep": 2,
    "no dash at first": 1,
    "opened above": 2,
    "date for a month": 1,
    "steps without a rule": -1,
}


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    (tmp_path / "schemas").symlink_to(HERE.parents[1] / "schemas")
    path = tmp_path / "contracts" / "xnym" / "WTI.yaml"
    path.parent.mkdir(parents=True)
    return path


def found_in(path: Path, content: str | bytes) -> tuple[Diagnostic, ...]:
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return check(load_paths([path], [HERE / "context"])).diagnostics


def test_the_spec_is_sound(spec: Path) -> None:
    assert text.report(found_in(spec, GOOD)) == ""


def test_there_are_enough() -> None:
    assert len(SLIPS) + len(FILES) >= 160


@pytest.mark.parametrize("name", SLIPS)
def test_a_slip(spec: Path, name: str) -> None:
    right, wrong, code, words = SLIPS[name]
    assert right in GOOD
    source = GOOD.replace(right, wrong, 1)
    lines = zip(GOOD.splitlines(), source.splitlines(), strict=False)
    changed = next(number for number, (a, b) in enumerate(lines, 1) if a != b)
    found = found_in(spec, source)
    assert [item.code for item in found] == [code], text.report(found)
    assert found[0].location is not None
    assert found[0].location.line == changed + BELOW.get(name, 0), text.report(found)
    assert words in f"{found[0].message}\n{found[0].help}"


INDENTED = "".join(f"  {line}\n" for line in GOOD.splitlines()[1:])
KEYS = "".join(f"k{number}: {number}\n" for number in range(15_000))
# Whole files: the content, the line, the code, and words of the message or the help.
FILES: dict[str, tuple[str | bytes, int, str, str]] = {
    "byte order mark": ("\ufeff" + GOOD, 1, "PF004", "without a byte order mark"),
    "UTF-16": (GOOD.encode("utf-16"), 1, "PF003", "save the file as UTF-8"),
    "Latin-1": (GOOD.replace("Light", "L\xefght").encode("latin-1"), 4, "PF003", "UTF-8"),
    "NUL": (GOOD.replace("Light", "Li\0ght"), 4, "PF006", "is this a text file?"),
    "binary": (b"\x7fELF" + bytes(range(256)) * 20, 1, "PF003", "is this a text file?"),
    "compressed": (b"\x1f\x8b\x08\0" + bytes(100), 1, "PF003", "is this a text file?"),
    "huge": (GOOD + "# x\n" * 100_000, 1, "PF005", "a spec has at most"),
    "empty": ("", 1, "PF013", "the file is empty"),
    "only spaces": ("  \n\n", 1, "PF013", "the file is empty"),
    "only a comment": ("# to do\n", 1, "PF013", "the file is empty"),
    "two documents": (GOOD + "---\n" + GOOD, 30, "PF012", "a file has one spec"),
    "directive": ("%YAML 1.1\n---\n" + GOOD, 1, "PF011", "starts with `%`"),
    "list": ("- schema: 1\n- root: WTI\n", 1, "PF014", "not a list"),
    "web page": ("<!DOCTYPE html>\n<html><body>404</body></html>\n", 1, "PF014", "key: value"),
    "deep": ("[" * 100_000, 1, "PF015", "inside one another"),
    "cut off": (GOOD[: GOOD.index("exchange: NYMEX")], 10, "PF007", "not closed"),
    "newer": (GOOD.replace("schema: 1\n", "schema: 2\n"), 2, "PF109", "install a newer"),
    "no schema line": (GOOD.split("\n", 1)[1], 1, "PF002", "start the file with"),
    "under a key": ("WTI:\n" + INDENTED, 1, "PF101", "remove `WTI:`"),
    "under a list": ("specs:\n- " + INDENTED[2:], 1, "PF101", "remove `specs:`"),
    "of another program": (f"version: 3\n{KEYS}", 1, "PF101", "only `version`, `k0`, `k1` and"),
    "settings": ("[WTI]\nroot=WTI\n", 2, "PF007", "write `key: value` lines"),
    "fence": (GOOD + "```\n", 30, "PF007", "start with a back-tick"),
    "block twice": (GOOD + "roll: {offset: -3, carry: 1}\n", 30, "PF009", "keep one of the two"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file(spec: Path, name: str) -> None:
    content, line, code, words = FILES[name]
    found = found_in(spec, content)
    assert [item.code for item in found] == [code], text.report(found)
    assert found[0].location is not None
    assert found[0].location.line == line or name == "binary"
    assert words in f"{found[0].message}\n{found[0].help}"


def test_a_comment_on_another_line(spec: Path) -> None:
    """The rule is at fault from its first step on, where the comment has to stand."""
    rule = "calendar_days: 800  # pyfutures: ignore[PF418] named after its delivery"
    found = found_in(spec, GOOD.replace("business_days: -3", rule))
    (unused,) = (item for item in found if item.code == "PF901")
    assert unused.help is not None
    assert "there is one on line 17" in unused.help


def test_what_is_no_file(tmp_path: Path) -> None:
    """A pipe would be waited for, a device may never end, a folder has no text."""
    os.mkfifo(tmp_path / "PIPE.yaml")
    (tmp_path / "FOLDER.yaml").mkdir()
    (tmp_path / "LOOP.yaml").symlink_to("LOOP.yaml")
    (tmp_path / "ZERO.yaml").symlink_to("/dev/zero")
    found = check(load_paths([tmp_path], [])).diagnostics
    names = {Path(item.location.path).stem: item.code for item in found if item.location}
    assert names == dict.fromkeys(("PIPE", "FOLDER", "LOOP", "ZERO"), "PF001")
    assert len(found) == 4


@pytest.mark.parametrize(
    "content",
    [
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("\n", "\r"),
        GOOD.replace("\n", "\r\n", 5),
        GOOD.rstrip("\n"),
        GOOD.replace("tick: 0.01", "tick:\t0.01\t# a cent"),
        GOOD.replace("tick: 0.01", '"tick": 1e-2'),
        GOOD.replace("carry: -1}", "carry: -1,}"),
        GOOD.replace("Light", "\U0001f6e2 Ligh\u0308t \u65e5\u672c"),
        GOOD.replace("name: Light Sweet", "name: >\n  Light Sweet"),
        GOOD.replace('open: "18:00"', "open: 18:00"),
    ],
    ids=["CRLF", "CR", "mixed", "no end", "tabs", "forms", "comma", "letters", "folded", "bare"],
)  # fmt: skip
def test_what_only_looks_wrong_is_silent(spec: Path, content: str) -> None:
    assert text.report(found_in(spec, content)) == ""
