"""Whatever stands in a file, there are diagnostics and no exception."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfutures.codes import CODES
from pyfutures.report import json, text
from pyfutures.specs.load import Loaded, load_paths
from pyfutures.specs.yaml import load
from tests.specs import fuzz

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
CONTEXT = HERE / "context"
GOOD = [path.read_text(encoding="utf-8") for path in sorted(HERE.glob("ok/*.yaml"))]
GOOD += [path.read_text(encoding="utf-8") for path in sorted(CONTEXT.glob("*/*.yaml"))]
PIECES = [
    *("", " ", "\n", "\t", ":", ": ", "- ", "[", "]", "{", "}", ",", "'", '"', "#", "&a ", "*a"),
    *("!t ", "%", "|", ">", "? ", "---\n", "0", "-1", "1e9", "true", "null", "2026H", "2014-02-30"),
    *("H", "HMUZ", "ZZ", "from: ", "until: 2014X", "rule: []", "day: 31", "\0", "\x85", "é", "日"),
    *(
        "by_month: {}",
        "else: []",
        "extends: BASE\n",
        "schema: 2\n",
        "last_trade",
        "\u2028",
        "x" * 99,
    ),
]


def sound(loaded: Loaded) -> None:
    """See that what came of a file can be printed and located."""
    for item in loaded.diagnostics:
        assert item.code in CODES
        assert item.location is not None
        assert item.location.line >= 1
        assert item.location.column >= 1
        assert (
            item.message[0].islower() or not item.message[0].isalpha() or item.message[:2].isupper()
        )
        assert not item.message.endswith(".")
        ours = re.sub(r"`[^`]*`", "", item.message)  # without what it quotes of the file
        assert not re.search(r"instance|additionalProp|oneOf|None|Decimal|\bdict\b", ours)
    assert text.report(loaded.diagnostics, colour=True) or not loaded.diagnostics
    assert json.report(loaded.diagnostics, 1)
    if not loaded.errors:
        assert loaded.specs or loaded.calendars


def mutated(rng: random.Random) -> str:
    source = rng.choice(GOOD)
    for _ in range(rng.choice([1, 1, 1, 2, 3, 8])):
        start = rng.randrange(len(source) + 1)
        end = min(len(source), start + rng.choice([0, 0, 1, 1, 3, 10]))
        kind = rng.random()
        if kind < 0.5:
            piece = rng.choice(PIECES)
        elif kind < 0.8:
            words = re.findall(r"[\w.]+|[^\w\s]", source)
            piece = rng.choice(words) if words else ""
            tokens = list(re.finditer(r"[\w.]+", source))
            if tokens:
                token = rng.choice(tokens)
                start, end = token.span()
        else:
            lines = source.splitlines(keepends=True) or [""]
            piece = rng.choice(lines)
            start = end = source.rfind("\n", 0, start) + 1
        source = source[:start] + piece + source[end:]
    return source


def cases(count: int, seed: int) -> Iterator[str]:
    rng = random.Random(seed)  # noqa: S311
    for _ in range(count):
        yield mutated(rng)


@pytest.mark.parametrize("seed", range(8))
def test_mutations_of_good_specs(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "FULL.yaml"
    for source in cases(60, seed):
        path.write_text(source, encoding="utf-8", newline="")
        sound(load_paths([path], [CONTEXT]))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_mutations_of_the_catalogue(tmp_path: Path, seed: int) -> None:
    # `python -m tests.specs.fuzz 100000` runs as many as one likes.
    codes = list(fuzz.run(250, seed, tmp_path))
    assert len(codes) == 250
    assert set(codes) == {0, 1}


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(), st.binary(), st.text(st.sampled_from("[]{}:-,&*!|>'\"%@`#? \n\tab1"))))
def test_any_text(content: str | bytes) -> None:
    document, found = load(content, "x.yaml")
    assert document is not None or any(item.is_error for item in found)
    assert all(item.location for item in found)


VALUES = st.recursive(
    st.one_of(
        *(st.none(), st.booleans(), st.integers(), st.text(max_size=8)),
        st.sampled_from(
            ["2014X", "HMUZ", "us_expiry", "14:30 America/New_York", "friday", 1, "17:00"]
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                [
                    "from",
                    "until",
                    "value",
                    "months",
                    "rule",
                    "calendar",
                    "day",
                    "n",
                    "else",
                    "x",
                    "H",
                ]
            ),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=6,
)
KEYS = st.sampled_from(
    [
        *("tick", "multiplier", "ib", "months", "last_trade", "first_notice", "expiry", "roll"),
        *("hours", "settlement", "sources", "extends", "name", "schema", "verified", "currency"),
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_any_values_under_known_keys(
    tmp_path_factory: pytest.TempPathFactory, data: object
) -> None:
    import json as plain

    path = tmp_path_factory.getbasetemp() / "ANY.yaml"
    assert isinstance(data, dict)
    body = plain.dumps({"root": "ANY", "schema": 1, "extends": "BASE", **data})
    path.write_text(body, encoding="utf-8")
    sound(load_paths([path], [CONTEXT]))
