"""What a spec author gets from an editor, by driving the real yaml-language-server."""

from __future__ import annotations

import json
import re

import pytest

from pyfutures.rules.steps import StepKind
from tests.editor.language_server import ROOT, LanguageServer, find

SETTINGS = json.loads((ROOT / ".vscode/settings.json").read_text())
YAML = {"completion": True, "hover": True, "validate": True, "yamlVersion": "1.2"}
CONTRACT = "# yaml-language-server: $schema=../../schemas/contract.schema.json\n"
CALENDAR = "# yaml-language-server: $schema=../../schemas/calendar.schema.json\n"
# Nothing lies there: the server takes the text from the editor.
SPEC = ROOT / "contracts/xtst/TT.yaml"
DAYS = ROOT / "contracts/calendars/tt.yaml"
HEAD = """schema: 1
root: TT
name: Test index
exchange: XTST
currency: USD
multiplier: 50
tick: 0.25
"""
SOUND = (
    CONTRACT
    + HEAD
    + """settlement: cash
months: {listed: HMUZ}
last_trade:
  calendar: us_expiry
  rule:
    - weekday: {nth: 3, day: friday}
    - if_closed: previous
sources: [paper]
"""
)

needs_server = pytest.mark.skipif(
    find() is None, reason="no yaml-language-server: npm ci with tests/editor/package-lock.json"
)


@pytest.fixture(scope="module")
def server():
    found = LanguageServer(ROOT, {"yaml": YAML})
    yield found
    found.close()


@needs_server
class TestCompletion:
    def test_keys_of_a_contract(self, server):
        found = server.complete(SPEC, CONTRACT + HEAD + "|\n")
        assert {"settlement", "months", "last_trade", "first_notice", "roll", "ib"} <= found.keys()
        # What is there already is not offered again.
        assert not {"root", "tick"} & found.keys()

    def test_keys_within(self, server):
        found = server.complete(SPEC, CONTRACT + HEAD + "roll:\n  |\n")
        assert {"anchor", "offset", "unit", "carry", "close_out"} <= found.keys()

    @pytest.mark.parametrize(
        ("text", "values"),
        [
            ("settlement: |\n", {"physical", "cash"}),
            ("roll:\n  anchor: |\n", {"last_trade", "first_notice", "month_start"}),
            ("roll:\n  unit: |\n", {"calendar", "business"}),
            ("last_trade:\n  rule:\n    - if_closed: |\n", {"previous", "next"}),
            ("last_trade:\n  rule:\n    - on_or_before: |\n", {"monday", "friday", "sunday"}),
        ],
    )
    def test_values(self, server, text, values):
        found = server.complete(SPEC, CONTRACT + HEAD + text)
        assert values <= {label.strip('"') for label in found}
        assert "[object Object]" not in found

    def test_every_step_of_a_rule(self, server):
        """A step is a mapping with one key: all of them are offered, not the first of a union."""
        found = server.complete(SPEC, CONTRACT + HEAD + "last_trade:\n  rule:\n    - |\n")
        assert {kind.value for kind in StepKind} <= found.keys()

    def test_keys_of_a_calendar(self, server):
        found = server.complete(DAYS, CALENDAR + "schema: 1\ncalendar: tt\n|\n")
        assert {"base", "add", "remove", "annual", "all", "any", "sequence"} <= found.keys()


@needs_server
class TestHover:
    @pytest.mark.parametrize(
        ("text", "title"),
        [
            ("ro|ot: TT", "root"),
            ("settle|ment: cash", "settlement"),
            ("last_t|rade:", "last\\_trade"),
            ("if_clo|sed: previous", "if\\_closed"),
            ("week|day: {nth: 3", "weekday"),
        ],
    )
    def test_says_what_a_key_is(self, server, text, title):
        plain = text.replace("|", "")
        assert SOUND.count(plain) == 1
        found = server.hover(SPEC, SOUND.replace(plain, text))
        assert len(found) > 40
        assert found.split("\n")[0] == f"#### {title}"

    def test_markdown_is_not_escaped(self, server):
        """`description` would show backslashes before each mark."""
        found = server.hover(SPEC, SOUND.replace("if_closed:", "if_clo|sed:"))
        assert "\\`" not in found
        assert "`{direction: previous, calendar: london}` asks another calendar" in found

    def test_values_say_what_they_mean(self, server):
        found = server.hover(SPEC, SOUND.replace("settlement: cash", "settlement: ca|sh"))
        schema = json.loads((ROOT / "schemas/contract.schema.json").read_text())
        words = schema["properties"]["settlement"]["markdownEnumDescriptions"]
        assert all(sentence in found for sentence in words)


@needs_server
class TestDiagnostics:
    def test_sound(self, server):
        assert server.open(SPEC, SOUND) == []

    @pytest.mark.parametrize(
        ("old", "new", "line", "said"),
        [
            ("multiplier: 50", "multiplyer: 50", 6, "multiplyer"),
            ("if_closed: previous", "if_closed: previuos", 14, "previous"),
            ("- weekday: {nth: 3, day: friday}", "- weekdy: {nth: 3, day: friday}", 13, "weekdy"),
            ("settlement: cash", "settlement: kash", 8, "cash"),
            ("listed: HMUZ", "listed: HMUA", 9, ""),
            ("tick: 0.25", "tick: 0,25", 7, ""),
        ],
    )
    def test_a_typo_at_its_line(self, server, old, new, line, said):
        assert old in SOUND
        found = server.open(SPEC, SOUND.replace(old, new))
        lines = {item["range"]["start"]["line"] for item in found}
        # A required key that is misspelt is missing too, at the top of the mapping.
        assert line in lines
        assert any(said in item["message"] for item in found)

    @pytest.mark.parametrize("name", ["xcme/ES", "xnym/CL", "xcbt/ZC", "xmat/EBM", "xeur/FDAX"])
    def test_shipped_specs_are_sound(self, server, name):
        path = ROOT / f"contracts/{name}.yaml"
        assert server.open(path, path.read_text(encoding="utf-8")) == []

    def test_shipped_calendars_are_sound(self, server):
        for path in sorted((ROOT / "contracts/calendars").glob("*.yaml"))[:8]:
            assert server.open(path, path.read_text(encoding="utf-8")) == []


@needs_server
def test_settings_alone_find_the_schema():
    """In a checkout a file without the line at its top has its schema by its folder."""
    yaml = {
        **YAML,
        "schemas": {
            (ROOT / name).as_uri(): globs for name, globs in SETTINGS["yaml.schemas"].items()
        },
    }
    server = LanguageServer(ROOT, {"yaml": yaml})
    try:
        bare = SOUND.replace(CONTRACT, "")
        wrong = [item["message"] for item in server.open(SPEC, bare.replace("root", "rot"))]
        assert any("rot" in message for message in wrong)
        days = [item["message"] for item in server.open(DAYS, "schema: 1\ncalender: tt\n")]
        assert any("calender" in message for message in days)
        # And a calendar is not taken for a contract.
        assert not any("multiplier" in message for message in days)
    finally:
        server.close()


# --- without the server


def test_every_shipped_file_names_its_schema():
    files = sorted((ROOT / "contracts").rglob("*.yaml"))
    assert len(files) > 340
    for path in files:
        kind = "calendar" if path.parent.name == "calendars" else "contract"
        first = path.read_text(encoding="utf-8").split("\n", 1)[0]
        match = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
        assert match, path
        target = (path.parent / match[1]).resolve()
        assert target == ROOT / f"schemas/{kind}.schema.json", path
        assert target.is_file()


def test_settings_of_the_editor():
    assert all((ROOT / name).is_file() for name in SETTINGS["yaml.schemas"])
    recommended = json.loads((ROOT / ".vscode/extensions.json").read_text())["recommendations"]
    assert recommended == ["redhat.vscode-yaml"]


def test_the_lock_names_no_host():
    """Wherever packages come from, it is not written down, and versions are."""
    folder = ROOT / "tests/editor"
    lock = json.loads((folder / "package-lock.json").read_text())
    wanted = json.loads((folder / "package.json").read_text())["devDependencies"]
    for place, package in lock["packages"].items():
        assert "resolved" not in package, place
        assert not place or package["integrity"].startswith("sha512-"), place
    for name, version in wanted.items():
        assert lock["packages"][f"node_modules/{name}"]["version"] == version
