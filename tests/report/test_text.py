"""The report for people: excerpts, colours, counts."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from pyfutures.codes import diagnostic
from pyfutures.diagnostics import Diagnostic, Location, SpecError
from pyfutures.report import concise, text

if TYPE_CHECKING:
    from pathlib import Path

SOURCES = {
    "a.yaml": [
        "schema: 1",
        "roll:",
        "  ofset: -5",
        "\tx: 日本: 1",
        "name: " + "y" * 150 + " end: 1",
    ],
    "b.yaml": ["x"] * 120,
}


def fault(line: int, column: int, end: int, path: str = "a.yaml", **more: object) -> Diagnostic:
    at = Location(path, line, column, line, end)
    return diagnostic("PF101", "unknown key `ofset` in `roll`", at, **more)  # type: ignore[arg-type]


def drawn(item: Diagnostic) -> list[str]:
    return text.report([item], sources=dict(SOURCES)).splitlines()


def test_a_diagnostic() -> None:
    assert drawn(fault(3, 3, 8, hint="did you mean `offset`?")) == [
        "a.yaml:3:3: error[PF101] unknown key `ofset` in `roll`",
        "  |",
        "3 |   ofset: -5",
        "  |   ^^^^^",
        "  = help: did you mean `offset`?",
        "",
    ]


def test_another_place_and_a_long_help() -> None:
    other = Location("b.yaml", 120, 1, 120, 2)
    item = fault(3, 3, 8, hint="one\ntwo", related=((other, "first here"),))
    assert drawn(item)[1:] == [
        "    |",
        "  3 |   ofset: -5",
        "    |   ^^^^^",
        "    ::: b.yaml:120:1: first here",
        "    |",
        "120 | x",
        "    | -",
        "    = help: one",
        "            two",
        "",
    ]


# Two columns a wide character; a tab goes to the next multiple of four.
@pytest.mark.parametrize(
    ("line", "column", "end", "shown", "marks"),
    [
        (4, 2, 3, "    x: 日本: 1", "    ^"),
        (4, 5, 7, "    x: 日本: 1", "       ^^^^"),
        (4, 9, 10, "    x: 日本: 1", "             ^"),
        (1, 9, 9, "schema: 1", "        ^"),
        (1, 10, 10, "schema: 1", "         ^"),
        (1, 500, 600, "schema: 1", "         ^"),
    ],
)
def test_marks(line: int, column: int, end: int, shown: str, marks: str) -> None:
    assert drawn(fault(line, column, end))[2:4] == [f"{line} | {shown}", f"  | {marks}"]


def test_a_long_line_is_cut() -> None:
    lines = drawn(fault(5, 158, 161))
    assert lines[2].endswith("y end: 1")
    assert lines[2].startswith("5 | ...y")
    assert len(lines[2]) < 120
    start = lines[3].index("^")
    assert lines[2][start : start + 3] == "end"


def test_several_lines_are_marked_to_the_end_of_the_first() -> None:
    item = diagnostic("PF007", "x", Location("a.yaml", 2, 1, 3, 4))
    assert drawn(item)[2:4] == ["2 | roll:", "  | ^^^^^"]


@pytest.mark.parametrize("path", ["absent.yaml", "a.yaml"])
def test_no_excerpt_where_there_is_no_line(path: str) -> None:
    assert drawn(fault(99, 1, 2, path=path))[1:] == [""]


def test_order() -> None:
    faults = [fault(3, 3, 4), fault(1, 9, 10, path="b.yaml"), fault(1, 1, 2), fault(3, 1, 2)]
    lines = concise.report(faults).splitlines()
    assert [line.split(" ")[0] for line in lines] == [
        *("a.yaml:1:1:", "a.yaml:3:1:", "a.yaml:3:3:", "b.yaml:1:9:"),
    ]


def test_concise() -> None:
    item = fault(3, 3, 8, hint="did you mean `offset`?\nor not")
    line = (
        "a.yaml:3:3: error[PF101] unknown key `ofset` in `roll` (did you mean `offset`? or not)\n"
    )
    assert concise.report([item]) == line
    assert concise.report([diagnostic("PF507", "unknown root `X`")]) == (
        "error[PF507] unknown root `X`\n"
    )


def test_colours_change_no_character() -> None:
    other = Location("b.yaml", 120, 1, 120, 2)
    item = fault(3, 3, 8, hint="one\ntwo", related=((other, "first here"),))
    plain = text.report([item], sources=dict(SOURCES))
    coloured = text.report([item], sources=dict(SOURCES), colour=True)
    assert "\x1b[1;31merror[PF101]\x1b[0m" in coloured
    assert "\x1b[1;31m^^^^^\x1b[0m" in coloured
    for code in ("0", "1", "1;31", "1;33", "1;34", "1;36"):
        coloured = coloured.replace(f"\x1b[{code}m", "")
    assert coloured == plain


def test_who_wants_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert text.wants_colour(Terminal())
    assert not text.wants_colour(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not text.wants_colour(Terminal())
    monkeypatch.setenv("NO_COLOR", "")  # no-color.org: only when not empty
    assert text.wants_colour(Terminal())
    monkeypatch.setenv("TERM", "dumb")
    assert not text.wants_colour(Terminal())


WARNING = diagnostic("PF002", "no line", Location("a.yaml", 1, 1, 1, 1))


@pytest.mark.parametrize(
    ("diagnostics", "files", "line"),
    [
        ([], 87, "Found no errors in 87 files"),
        ([], 1, "Found no errors in 1 file"),
        ([fault(1, 1, 2)], 1, "Found 1 error in 1 of 1 file"),
        (
            [fault(1, 1, 2), fault(2, 1, 2), fault(1, 1, 2, path="b.yaml")],
            87,
            "Found 3 errors in 2 of 87 files",
        ),
        ([fault(1, 1, 2), WARNING], 2, "Found 1 error and 1 warning in 1 of 2 files"),
        ([WARNING, WARNING], 2, "Found 2 warnings in 1 of 2 files"),
    ],
)
def test_summary(diagnostics: list[Diagnostic], files: int, line: str) -> None:
    assert text.summary(diagnostics, files) == line


def test_spec_error_is_the_report(tmp_path: Path) -> None:
    path = tmp_path / "ES.yaml"
    path.write_text("roll:\r\n  ofset: -5\r\n", encoding="utf-8", newline="")
    item = fault(2, 3, 8, path=str(path))
    error = SpecError([item])
    assert error.diagnostics == (item,)
    assert str(error) == text.report([item]).strip()
    assert "2 |   ofset: -5" in str(error)


def test_spec_error_counts_what_it_does_not_show() -> None:
    faults = [fault(1, n, n + 1, path="absent.yaml") for n in range(1, 26)]
    error = SpecError(reversed(faults))
    assert len(error.diagnostics) == 25
    assert str(error).endswith(
        "absent.yaml:1:20: error[PF101] unknown key `ofset` in `roll`\n\n... and 5 more"
    )
    assert error.diagnostics[0].location == Location("absent.yaml", 1, 1, 1, 2)
