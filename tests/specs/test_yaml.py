"""YAML as specs read it: the types of YAML 1.2, places, and texts that only look like YAML."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from pyfutures.diagnostics import Location
from pyfutures.specs.yaml import MAX_BYTES, load, read

if TYPE_CHECKING:
    from pathlib import Path


def data_of(text: str) -> object:
    document, found = load(text, "x.yaml")
    assert not found
    assert document is not None
    return document.data


# The right column is YAML 1.2's core schema (yaml.org/spec/1.2.2, chapter 10.3), less octal and
# hexadecimal integers and .inf and .nan, which no spec can mean: those stay text.
@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("05", "05"),
        ("007", "007"),
        ("167", 167),
        ("-3", -3),
        ("+3", 3),
        ("0", 0),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
        ("0o17", "0o17"),
        ("12345678901234567890", "12345678901234567890"),
        ("0.25", Decimal("0.25")),
        ("1.50", Decimal("1.50")),
        (".5", Decimal("0.5")),
        ("5.", 5),
        ("1e-7", Decimal("1e-7")),
        ("1.5E3", 1500),
        ("1e999999999", "1e999999999"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("NO", "NO"),
        ("N", "N"),
        ("yes", "yes"),
        ("on", "on"),
        ("off", "off"),
        ("true", True),
        ("False", False),
        ("TrUe", "TrUe"),
        ("null", None),
        ("~", None),
        ("", None),
        ("15:30", "15:30"),
        ("2026-01-15", "2026-01-15"),
        ("2026-01-15 10:00:00", "2026-01-15 10:00:00"),
        ("=", "="),
        ("<<", "<<"),
        ('"167"', "167"),
        ("'true'", "true"),
        ('"tab\\there"', "tab\there"),
    ],
)
def test_scalar(written: str, value: object) -> None:
    found = data_of(f"key: {written}\n")
    assert found == {"key": value}
    assert isinstance(found, dict)
    assert type(found["key"]) is type(value)


@pytest.mark.parametrize("key", ["on", "05", "1.50", "true", "2012H", "15:30", "null", "<<"])
def test_keys_are_text(key: str) -> None:
    assert data_of(f"{key}: 1\n") == {key: 1}


def test_line_ends_of_windows() -> None:
    assert data_of("a: 1\r\nb:\r\n  - x\r\n") == {"a": 1, "b": ["x"]}


def test_block_text() -> None:
    assert data_of("a: |\n  x\n  y\nb: >-\n  05\n") == {"a": "x\ny\n", "b": "05"}


@pytest.mark.parametrize(
    ("text", "path", "value", "key"),
    [
        ("a: 1\nroll:\n  offset: -5\n", ("roll", "offset"), (3, 11, 3, 13), (3, 3, 3, 9)),
        ("r: [x, {day: 25}]\n", ("r", 1, "day"), (1, 14, 1, 16), (1, 9, 1, 12)),
        ("r: [x, {day: 25}]\n", ("r", 0), (1, 5, 1, 6), (1, 5, 1, 6)),
        ("日本: 'ü'\n", ("日本",), (1, 5, 1, 8), (1, 1, 1, 3)),
        ("a:\r\n  b: 1\r\n", ("a", "b"), (2, 6, 2, 7), (2, 3, 2, 4)),
    ],
)
def test_place(
    text: str,
    path: tuple[str | int, ...],
    value: tuple[int, int, int, int],
    key: tuple[int, int, int, int],
) -> None:
    document, _ = load(text, "x.yaml")
    assert document is not None
    assert document.spans[path] == Location("x.yaml", *value)
    assert document.spans.key(path) == Location("x.yaml", *key)


def test_places_are_a_mapping() -> None:
    document, _ = load("a: {b: [1, 2]}\n", "x.yaml")
    assert document is not None
    assert set(document.spans) == {(), ("a",), ("a", "b"), ("a", "b", 0), ("a", "b", 1)}
    assert len(document.spans) == 5
    assert ("a", "c") not in document.spans
    with pytest.raises(KeyError):
        document.spans[("a", "b", 0, "c")]


TRAPS: list[tuple[str, bytes | str, list[tuple[str, int, int]]]] = [
    ("nothing", b"", [("PF013", 1, 1)]),
    ("spaces", b"  \n\n", [("PF013", 1, 1)]),
    ("an end", b"---\n...\n", [("PF013", 1, 1)]),
    ("a word", b"ES\n", [("PF014", 1, 1)]),
    ("a tilde", b"~\n", [("PF014", 1, 1)]),
    ("a list", b"- a\n- b\n", [("PF014", 1, 1)]),
    ("NUL", b"a: 1\nb: \x00\n", [("PF006", 2, 4)]),
    ("bell", b"a: \x07\n", [("PF006", 1, 4)]),
    ("latin-1", "a: 1\nb: xü\n".encode("latin-1"), [("PF003", 2, 5)]),
    ("UTF-16", "a: 1\n".encode("utf-16"), [("PF003", 1, 1)]),
    ("a surrogate", b"a: \xed\xa0\x80\n", [("PF003", 1, 4)]),
    ("an escaped surrogate", b'a: "\\ud800"\n', [("PF007", 1, 7)]),
    ("2 MB", b"a: 1\n" * 400_000, [("PF005", 1, 1)]),
    ("2 MB of one line", b"a: " + b"x" * 2_000_000, [("PF005", 1, 1)]),
    ("a tab", b"a:\n\tb: 1\n", [("PF008", 2, 1)]),
    ("a tab after spaces", b"a:\n  \tb: 1\n", [("PF008", 2, 3)]),
    ("an open double quote", b'a: "x\nb: 1\n', [("PF007", 1, 4)]),
    ("an open single quote", b"a: 'x\nb: 1\n", [("PF007", 1, 4)]),
    ("an open bracket", b"a: [1, 2\n", [("PF007", 1, 4)]),
    ("an open brace", b"a: {b: 1\n", [("PF007", 1, 4)]),
    ("two colons", b"a: b: c\n", [("PF007", 1, 5)]),
    ("no colon", b"a: 1\nb\n", [("PF007", 2, 1)]),
    ("an at sign", b"a: @b\n", [("PF007", 1, 4)]),
    ("a back-tick", b"a: `b`\n", [("PF007", 1, 4)]),
    ("a percent sign", b"a: %b\n", [("PF007", 1, 4)]),
    ("a key in a list key", b"? [a]\n: 1\n", [("PF016", 1, 3)]),
    ("a mapping key", b"{{a: 1}: 2}\n", [("PF016", 1, 2)]),
    ("an unknown alias", b"a: *b\n", [("PF010", 1, 4)]),
    ("an alias as key", b"a: &x b\n*x : 1\n", [("PF010", 1, 4), ("PF010", 2, 1)]),
    ("an anchored key", b"&x a: 1\n", [("PF010", 1, 1)]),
    ("a tag", b"a: !!str 1\n", [("PF011", 1, 4)]),
    ("an object", b"a: !!python/object:os.system x\n", [("PF011", 1, 4)]),
    ("a directive", b"%YAML 1.1\n---\na: 1\n", [("PF011", 1, 1)]),
    ("two documents", b"a: 1\n---\nb: 1\n", [("PF012", 2, 1)]),
    ("a key twice", b"a: 1\na: 2\n", [("PF009", 2, 1)]),
    ("a key twice in braces", b"a: {b: 1, c: 2, b: 3}\n", [("PF009", 1, 17)]),
    ("a key three times", b"a: 1\na: 2\na: 3\n", [("PF009", 2, 1), ("PF009", 3, 1)]),
    ("05 and '05'", b"05: 1\n'05': 2\n", [("PF009", 2, 1)]),
    ("brackets", b"[" * 200_000, [("PF015", 1, 25)]),
    ("braces", b"{a: " * 50_000, [("PF015", 1, 97)]),
    ("dashes", b"- " * 100_000, [("PF015", 1, 49)]),
    ("question marks", b"? " * 100_000, [("PF016", 1, 3)]),
    (
        "a billion laughs",
        b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
        [
            ("PF010", 1, 4),
            ("PF010", 2, 4),
            ("PF010", 2, 8),
            ("PF010", 2, 12),
            ("PF010", 3, 5),
            ("PF010", 3, 9),
        ],
    ),
    ("a byte order mark", b"\xef\xbb\xbfa: 1\n", [("PF004", 1, 1)]),
]


@pytest.mark.parametrize(("content", "expected"), [t[1:] for t in TRAPS], ids=[t[0] for t in TRAPS])
def test_trap(content: bytes | str, expected: list[tuple[str, int, int]]) -> None:
    _, found = load(content, "x.yaml")
    at = [(d.code, d.location.line, d.location.column) for d in found if d.location]
    assert at == expected


def test_the_first_of_two_keys_is_kept() -> None:
    document, _ = load("a: 1\na: {b: 1}\nc: 2\n", "x.yaml")
    assert document is not None
    assert document.data == {"a": 1, "c": 2}
    assert document.spans[("a",)].line == 1


def test_a_byte_order_mark_is_a_warning() -> None:
    document, found = load(b"\xef\xbb\xbfa: 1\n", "x.yaml")
    assert document is not None
    assert document.data == {"a": 1}
    assert not found[0].is_error


def test_a_text_of_any_size_below_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(b"a: 1\n#" + b"x" * (MAX_BYTES - 6))
    assert read(path)[1] == []
    path.write_bytes(b"a: 1\n#" + b"x" * (MAX_BYTES - 5))
    assert [d.code for d in read(path)[1]] == ["PF005"]


@pytest.mark.parametrize("name", ["absent.yaml", "folder", "nul\0.yaml"])
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    document, found = read(tmp_path / name)
    assert document is None
    assert [d.code for d in found] == ["PF001"]
