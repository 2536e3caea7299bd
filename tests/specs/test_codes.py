"""The table of codes: each is a small document."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import pyfutures
from pyfutures.codes import CODES, Code
from pyfutures.specs.checks import Finding, Registry

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.mark.parametrize("code", CODES.values(), ids=list(CODES))
def test_code_is_a_document(code: Code) -> None:
    assert re.fullmatch(r"PF[0-69][0-9]{2}", code.code)
    assert not code.title.endswith(".")
    assert code.title[0].islower() or code.title.startswith(("UTF", "."))
    for sentence in (code.what, code.why):
        assert sentence[0].isupper() or sentence.startswith(("`", "nautilus_trader"))
        assert sentence.endswith(".")
    assert code.example
    assert code.instead


def test_codes_are_in_order_and_titles_differ() -> None:
    assert list(CODES) == sorted(CODES)
    assert len({code.title for code in CODES.values()}) == len(CODES)


def test_codes_in_the_source_are_in_the_table() -> None:
    folder = Path(pyfutures.__file__).parent
    sources = (path.read_text(encoding="utf-8") for path in folder.rglob("*.py"))
    used = {code for source in sources for code in re.findall(r'"(PF[0-9]{3})"', source)}
    assert used <= set(CODES)


def test_a_check_needs_a_code_of_the_table() -> None:
    with pytest.raises(KeyError):
        Registry[int]()("PF000")


def test_a_registry_runs_its_checks_in_order() -> None:
    checks: Registry[int] = Registry()

    @checks("PF101")
    def _one(number: int) -> Iterator[Finding]:
        yield Finding((), f"{number} is one")

    @checks("PF002")
    def _two(number: int) -> Iterator[Finding]:
        yield Finding((), f"{number} is two", "so?")

    found = list(checks.run(3, {}))
    assert [(d.code, d.is_error, d.message, d.help) for d in found] == [
        ("PF101", True, "3 is one", None),
        ("PF002", False, "3 is two", "so?"),
    ]
