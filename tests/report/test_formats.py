"""The formats for programs, each over the same three diagnostics; nothing is lost or broken."""

from __future__ import annotations

import json as plain
import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from jsonschema import Draft202012Validator

from pyfutures.codes import CODES, diagnostic
from pyfutures.diagnostics import Edit, Location
from pyfutures.report import concise, github, json, junit, markdown, sarif
from pyfutures.report.paths import relative

if TYPE_CHECKING:
    from pathlib import Path

HERE = Location("contracts/xcme/a,b.yaml", 3, 7, 3, 10)
THERE = Location("contracts/xcme/a,b.yaml", 2, 1, 5, 1)
FOUND = [
    diagnostic("PF009", "the key `tick` is there twice", HERE, related=((THERE, "first here"),)),
    diagnostic("PF110", "100%: `root`, is text | 167", HERE, hint='quote it:\n`"167"`',
               fix=Edit(HERE, '"167"')),
    diagnostic("PF002", "no line at the top <names> the schema", Location("b.yaml", 1, 1, 1, 1)),
    diagnostic("PF507", "unknown root `X`"),
]  # fmt: skip
PATHS = ["b.yaml", "c.yaml", "contracts/xcme/a,b.yaml"]


def test_concise_is_one_line_each() -> None:
    assert concise.report(FOUND).splitlines()[-1] == (
        'contracts/xcme/a,b.yaml:3:7: error[PF110] 100%: `root`, is text | 167 (quote it: `"167"`)'
    )
    assert len(concise.report(FOUND).splitlines()) == 4


# https://docs.github.com/actions/reference/workflow-commands-for-github-actions
COMMAND = re.compile(r"::(error|warning) ([^:]*)::(.*)")
UNESCAPED = {"%25": "%", "%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ","}


def unescaped(text: str) -> str:
    return re.sub("%(25|0D|0A|3A|2C)", lambda match: UNESCAPED[match[0]], text)


def test_github() -> None:
    lines = github.report(FOUND).splitlines()
    assert len(lines) == 4
    match = COMMAND.fullmatch(lines[3])
    assert match is not None
    properties = dict(part.split("=", 1) for part in match[2].split(","))
    assert {name: unescaped(value) for name, value in properties.items()} == {
        "file": "contracts/xcme/a,b.yaml",
        "line": "3",
        "endLine": "3",
        "col": "7",
        "endColumn": "10",
        "title": "PF110",
    }
    assert unescaped(match[3]) == '100%: `root`, is text | 167\nhelp: quote it:\n`"167"`'
    assert "first here: contracts/xcme/a,b.yaml:2:1" in lines[2]
    assert lines[1].startswith("::warning file=b.yaml,")
    assert lines[0] == "::error title=PF507::unknown root `X`"


@pytest.mark.parametrize(
    ("text", "plain_", "in_property"),
    [
        ("50%", "50%25", "50%25"),
        ("a\r\nb", "a%0D%0Ab", "a%0D%0Ab"),
        ("C:\\x, y", "C:\\x, y", "C%3A\\x%2C y"),
        ("%0A", "%250A", "%250A"),
    ],
)
def test_what_github_escapes(text: str, plain_: str, in_property: str) -> None:
    assert github.escaped(text) == plain_
    assert github.escaped(text, in_property=True) == in_property


# The parts of the official schema of SARIF 2.1.0 that we use, with its required properties, types
# and limits (docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json).
MESSAGE = {
    "type": "object",
    "required": ["text"],
    "properties": {"text": {"type": "string"}, "markdown": {"type": "string"}},
    "additionalProperties": False,
}
COUNT = {"type": "integer", "minimum": 1}
LOCATION = {
    "type": "object",
    "properties": {
        "id": {"type": "integer", "minimum": -1},
        "message": MESSAGE,
        "physicalLocation": {
            "type": "object",
            "required": ["artifactLocation"],
            "properties": {
                "artifactLocation": {
                    "type": "object",
                    "properties": {"uri": {"type": "string", "pattern": r"^[^\s,<>\"|]*$"}},
                    "additionalProperties": False,
                },
                "region": {
                    "type": "object",
                    "properties": dict.fromkeys(
                        ("startLine", "startColumn", "endLine", "endColumn"), COUNT
                    ),
                    "required": ["startLine"],
                    "additionalProperties": False,
                },
            },
            "additionalProperties": False,
        },
    },
    "additionalProperties": False,
}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
DESCRIPTOR = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"type": "string"},
        "name": {"type": "string"},
        **dict.fromkeys(("shortDescription", "fullDescription", "help"), MESSAGE),
        "defaultConfiguration": {"type": "object", "properties": {"level": LEVEL}},
    },
    "additionalProperties": False,
}
RESULT = {
    "type": "object",
    "required": ["message"],
    "properties": {
        "ruleId": {"type": "string"},
        "ruleIndex": {"type": "integer", "minimum": -1},
        "level": LEVEL,
        "message": MESSAGE,
        "locations": {"type": "array", "items": LOCATION, "uniqueItems": False},
        "relatedLocations": {"type": "array", "items": LOCATION, "uniqueItems": True},
    },
    "additionalProperties": False,
}
SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"enum": ["2.1.0"]},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tool"],
                "properties": {
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name"],
                                "properties": {
                                    "name": {"type": "string"},
                                    "semanticVersion": {"type": "string"},
                                    "rules": {
                                        "type": "array",
                                        "items": DESCRIPTOR,
                                        "uniqueItems": True,
                                    },
                                },
                                "additionalProperties": False,
                            }
                        },
                        "additionalProperties": False,
                    },
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "results": {"type": "array", "items": RESULT},
                },
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}


@pytest.mark.parametrize("found", [FOUND, [], [diagnostic(code, "x", HERE) for code in CODES]])
def test_sarif_is_sarif(found: list[Any]) -> None:
    document = plain.loads(sarif.report(found))
    errors = [error.message for error in Draft202012Validator(SARIF).iter_errors(document)]
    assert errors == []
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len(run["results"]) == len(found)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert CODES[result["ruleId"]].why in rules[result["ruleIndex"]]["help"]["markdown"]


def test_sarif_places() -> None:
    results = sarif.document(FOUND)["runs"][0]["results"]
    (place,) = results[3]["locations"]
    assert place["physicalLocation"] == {
        "artifactLocation": {"uri": "contracts/xcme/a%2Cb.yaml"},
        "region": {"startLine": 3, "startColumn": 7, "endLine": 3, "endColumn": 10},
    }
    (other,) = results[2]["relatedLocations"]
    assert other["message"]["text"] == "first here"
    # A place without extent has no end.
    (top,) = results[1]["locations"]
    assert top["physicalLocation"]["region"] == {"startLine": 1, "startColumn": 1}
    assert "locations" not in results[0]


def test_junit() -> None:
    root = ET.fromstring(junit.report(FOUND, PATHS))  # noqa: S314 - our own text
    assert root.tag == "testsuites"
    assert (root.get("tests"), root.get("failures")) == ("5", "3")
    suites = {suite.get("name"): suite for suite in root}
    assert set(suites) == {*PATHS, "pyfutures"}
    sound = suites["c.yaml"]
    assert [(case.get("name"), len(case)) for case in sound] == [("valid", 0)]
    faulty = suites["contracts/xcme/a,b.yaml"]
    assert (faulty.get("tests"), faulty.get("failures")) == ("2", "2")
    failure = faulty[1].find("failure")
    assert failure is not None
    assert (failure.get("type"), failure.get("message")) == ("PF110", "100%: `root`, is text | 167")
    assert "quote it" in (failure.text or "")
    (warning,) = suites["b.yaml"]
    assert warning.find("failure") is None
    assert "<names>" in (warning.findtext("system-out") or "")


def test_junit_holds_what_xml_cannot() -> None:
    item = diagnostic("PF006", "the character \x00\x1b\ufffe", Location("a\x01.yaml", 1, 1, 1, 1))
    root = ET.fromstring(junit.report([item], []))  # noqa: S314 - our own text
    assert root[0][0][0].get("message") == "the character \ufffd\ufffd\ufffd"


def test_markdown() -> None:
    lines = markdown.report(FOUND, PATHS).splitlines()
    assert lines[0] == "**Found 3 errors and 1 warning in 2 of 3 files**"
    assert lines[2:4] == ["| place | code | what | help |", "|---|---|---|---|"]
    assert len(lines) == 8
    assert lines[7] == (
        "| `contracts/xcme/a,b.yaml:3:7` | error PF110 | 100%: `root`, is text \\| 167 |"
        ' quote it:<br>`"167"` |'
    )
    assert "\\<names\\>" in lines[5]
    assert markdown.report([], PATHS) == "**Found no errors in 3 files**\n"


def test_json_has_the_fix() -> None:
    rows = plain.loads(json.report(FOUND, 3))["diagnostics"]
    fixes = {row["code"]: row["fix"] for row in rows}
    assert fixes["PF110"]["text"] == '"167"'
    assert fixes["PF110"]["location"]["column"] == 7
    assert fixes["PF009"] is None


def test_paths_are_relative_to_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert relative(str(tmp_path / "x" / "a.yaml")) == "x/a.yaml"
    assert relative("x/a.yaml") == "x/a.yaml"
    outside = "/elsewhere/a b.yaml"
    assert relative(outside) == outside
    item = diagnostic("PF013", "x", Location(outside, 1, 1, 1, 1))
    (result,) = sarif.document([item])["runs"][0]["results"]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "file:///elsewhere/a%20b.yaml"
