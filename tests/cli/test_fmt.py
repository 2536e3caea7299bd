"""``pyfutures fmt``: the layout of a file, and nothing but its layout."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyfutures.cli import run
from pyfutures.specs.folders import Folder
from pyfutures.specs.layout import formatted
from pyfutures.specs.yaml import load

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def pyfutures(capsys):
    def call(*words):
        code = run([str(word) for word in words])
        out, err = capsys.readouterr()
        return code, out, err

    return call


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a:   1\n", "a: 1\n"),
        ("a : 1\n", "a: 1\n"),
        ("a: 1   # why\n", "a: 1   # why\n"),
        ("a: { b: 1,c: 2 ,  d: 3 }\n", "a: {b: 1, c: 2, d: 3}\n"),
        ("a: [ 1,2 ,3, ]\n", "a: [1, 2, 3]\n"),
        ("a: {}\nb: [ ]\n", "a: {}\nb: [ ]\n"),
        ("a: {b: , c: 1}\n", "a: {b: , c: 1}\n"),
        ('a: {"b":  "x , y:  z"}\n', 'a: {"b": "x , y:  z"}\n'),
        ("a: 1 \t\n\n\n\nb: 2\n\n\n", "a: 1\n\nb: 2\n"),
        ("\n\n# first\na: 1", "# first\na: 1\n"),
        ("\ufeffa: 1\r\nb: 2\r\n", "a: 1\nb: 2\n"),
        ("a: 1\rb: 2\r", "a: 1\nb: 2\n"),
        ("a: |\n  x  \n\n\n  y\nb:  2\n", "a: |\n  x  \n\n\n  y\nb: 2\n"),
        ("a: 'x\n\n\n  y'\n", "a: 'x\n\n\n  y'\n"),
        ("a:\n  - b:  1\n  -   c: 2\n", "a:\n  - b: 1\n  -   c: 2\n"),
        ("a: [1,\n    2,3]\n", "a: [1,\n    2, 3]\n"),
        ("a: 1  # x,y:  z \n#b:  1\n", "a: 1  # x,y:  z\n#b:  1\n"),
    ],
)  # fmt: skip
def test_layout(before, after):
    assert formatted(before, "x.yaml") == (after, [])
    assert formatted(after, "x.yaml") == (after, [])


def test_what_is_no_yaml_stays():
    text, found = formatted("a: [1\nb:  2\n", "x.yaml")
    assert text == "a: [1\nb:  2\n"
    assert [item.code for item in found] == ["PF007"]


def test_the_catalogue_is_laid_out(pyfutures):
    code, out, err = pyfutures("fmt", "--check", ROOT / "contracts")
    assert (code, out) == (0, "")
    assert "0 of 3" in err


def test_a_spoiled_catalogue_means_the_same():
    folder = Folder(ROOT / "contracts")
    for path in [*folder.contract_files[::7], *folder.calendar_files.values()]:
        good = path.read_text(encoding="utf-8")
        spoiled = good.replace("{", "{ ").replace(", ", " ,").replace("\n", "  \r\n")
        after, found = formatted(spoiled, str(path))
        data = [load(text, "x")[0].data for text in (spoiled, after)]
        assert data[0] == data[1]
        assert found == []
        assert "\r" not in after
        assert " \n" not in after


def test_files_are_written_once(pyfutures, tmp_path):
    (tmp_path / "calendars").mkdir()
    one, two = tmp_path / "calendars" / "one.yaml", tmp_path / "calendars" / "two.yaml"
    one.write_bytes(b"calendar:  one\r\n")
    two.write_bytes(b"calendar: two\n")
    words = ["fmt", str(tmp_path)]
    code, out, err = pyfutures(*words, "--check")
    assert (code, out) == (1, f"{one}: would change\n")
    code, out, _ = pyfutures(*words, "--diff")
    assert code == 1
    assert "+calendar: one" in out
    assert one.read_bytes() == b"calendar:  one\r\n"
    code, out, err = pyfutures(*words)
    assert (code, out, err) == (0, "", "1 of 2 files changed\n")
    assert one.read_bytes() == b"calendar: one\n"
    assert pyfutures(*words, "--check")[0] == 0


def test_a_faulty_file_is_told_of(pyfutures, tmp_path):
    path = tmp_path / "X.yaml"
    path.write_text("a: [1\n")
    code, out, _ = pyfutures("fmt", path)
    assert code == 1
    assert "PF007" in out
    assert path.read_text() == "a: [1\n"


def test_wrong_usage(pyfutures, tmp_path):
    assert pyfutures("fmt")[0] == 2
    assert pyfutures("fmt", tmp_path)[0] == 2
    assert pyfutures("fmt", tmp_path / "none.yaml")[0] == 2
