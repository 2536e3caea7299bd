"""The report for programs: its form is a promise."""

from __future__ import annotations

import json as plain

from pyfutures.codes import diagnostic
from pyfutures.diagnostics import Location
from pyfutures.report import json


def test_document() -> None:
    here, there = Location("a.yaml", 3, 1, 3, 5), Location("a.yaml", 2, 1, 2, 5)
    found = [
        diagnostic("PF009", "the key `tick` is there twice", here, related=((there, "first"),)),
        diagnostic("PF002", "ü", there, hint="add it"),
        diagnostic("PF507", "unknown root `X`"),
    ]
    text = json.report(found, 87)
    assert "ü" in text
    assert text.endswith("}\n")
    at = {"path": "a.yaml", "line": 3, "column": 1, "end_line": 3, "end_column": 5}
    first = at | {"line": 2, "end_line": 2}
    assert plain.loads(text) == {
        "format_version": "1.1",
        "files": 87,
        "errors": 2,
        "warnings": 1,
        "diagnostics": [
            {
                "code": "PF507",
                "severity": "error",
                "message": "unknown root `X`",
                "location": None,
                "help": None,
                "related": [],
                "fix": None,
            },
            {
                "code": "PF002",
                "severity": "warning",
                "message": "ü",
                "location": first,
                "help": "add it",
                "related": [],
                "fix": None,
            },
            {
                "code": "PF009",
                "severity": "error",
                "message": "the key `tick` is there twice",
                "location": at,
                "help": None,
                "related": [{"message": "first", "location": first}],
                "fix": None,
            },
        ],
    }
