"""Diagnostics as JUnit XML: a suite a file, a case a fault; a file without any is one case."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from pyfutures.report.paths import relative

if TYPE_CHECKING:
    from collections.abc import Collection

    from pyfutures.diagnostics import Diagnostic

__all__ = ["report"]

# What XML cannot hold even as an entity; a diagnostic may quote it from a file.
_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOWHERE: Final = "pyfutures"


def report(diagnostics: Collection[Diagnostic], paths: Collection[str]) -> str:
    """Return diagnostics as the text of a JUnit file.

    Parameters
    ----------
    diagnostics
        What was found. A warning is a case that passes and says so on its output.
    paths
        The files that were looked at.

    """
    by_path: dict[str, list[Diagnostic]] = {path: [] for path in sorted(paths)}
    for item in sorted(diagnostics, key=lambda item: item.order):
        path = item.location.path if item.location else _NOWHERE
        by_path.setdefault(path, []).append(item)
    suites = ET.Element("testsuites", name=_NOWHERE)
    for path, found in by_path.items():
        _suite(suites, relative(path), found)
    for key in ("tests", "failures"):
        suites.set(key, str(sum(int(suite.get(key, "0")) for suite in suites)))
    suites.set("errors", "0")
    ET.indent(suites)
    text: str = ET.tostring(suites, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _suite(suites: ET.Element, path: str, found: list[Diagnostic]) -> None:
    failures = sum(item.is_error for item in found)
    tests = str(max(1, len(found)))
    counts = {"name": _plain(path), "tests": tests, "failures": str(failures), "errors": "0"}
    suite = ET.SubElement(suites, "testsuite", counts)
    if not found:
        ET.SubElement(suite, "testcase", name="valid", classname=_plain(path))
    for item in found:
        at = item.location
        name = f"{item.code}:{at.line}:{at.column}" if at else item.code
        attributes = {"name": name, "classname": _plain(path)}
        attributes |= {"file": _plain(path), "line": str(at.line)} if at else {}
        case = ET.SubElement(suite, "testcase", attributes)
        text = _plain(f"{item}\n{item.help}" if item.help else str(item))
        if item.is_error:
            failure = ET.SubElement(case, "failure", message=_plain(item.message), type=item.code)
            failure.text = text
        else:
            ET.SubElement(case, "system-out").text = text


def _plain(text: str) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
