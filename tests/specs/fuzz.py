"""Mutations of the catalogue's files, each validated as the command line does, in this process.

``python -m tests.specs.fuzz 100000 [SEED]``: whatever stands in a file, the answer is yes or no
(exit 0 or 1), never a bug (3), within a second, and it can be printed in every format.
"""

from __future__ import annotations

import random
import re
import secrets
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from pyfutures.chain.validate import check
from pyfutures.codes import CODES
from pyfutures.report import concise, github, json, junit, markdown, sarif, text
from pyfutures.resources import data_dir
from pyfutures.specs.folders import Folder
from pyfutures.specs.load import load_paths

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyfutures.chain.validate import Checked

#: No single file may take longer; most take milliseconds.
SECONDS = 5.0
PIECES = [
    *("", " ", "\n", "\t", ":", ": ", "- ", "[", "]", "{", "}", ",", "'", '"', "#", "&a ", "*a"),
    *("!t ", "%", "|", ">", "? ", "---\n", "0", "-1", "1e9", "true", "null", "2026H", "2014-02-30"),
    *("H", "HMUZ", "ZZ", "from: ", "until: 2014X", "rule: []", "day: 31", "\0", "\x85", "é", "日"),
    *("by_month: {}", "else: []", "extends: ES\n", "schema: 2\n", "last_trade", "\u2028", "x" * 99),
    *("<<: *a", "\ufeff", "\r\n", "\r", "999999999999", "-40", "0.0156", "calendar: london\n"),
    *("# pyfutures: ignore[PF418] x", "month: 60", "ahead: 1\n", "expect: {2026H: 2026-03-20}\n"),
    *("dates: {2026H: 1999-01-01}", "skip: [2026H]", "first: 2020H\n", "last: 2019H\n", "\ud7ff"),
]


class Kitchen:
    """Files to mutate, and a folder of their own to validate the mutations in."""

    def __init__(self, folder: Path) -> None:
        contracts = data_dir("contracts")
        self.context = Folder(contracts)
        files = [*self.context.contract_files, *self.context.calendar_files.values()]
        self.sources = {
            path.relative_to(contracts): path.read_text(encoding="utf-8") for path in files
        }
        self.names = sorted(self.sources)
        self.folder = folder

    def mutation(self, rng: random.Random) -> tuple[Path, str]:
        """A file of the catalogue with something wrong in it."""
        name = rng.choice(self.names)
        source = self.sources[name]
        for _ in range(rng.choice([1, 1, 1, 2, 3, 8])):
            source = _changed(rng, source, self.sources[rng.choice(self.names)])
        return name, source

    def validated(self, name: Path, source: str) -> Checked:
        """What comes of a text in the place of a file."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8", newline="", errors="surrogatepass")
        try:
            return check(load_paths([path], [self.context.path]))
        finally:
            path.unlink()


def _changed(rng: random.Random, source: str, other: str) -> str:
    start = rng.randrange(len(source) + 1)
    end = min(len(source), start + rng.choice([0, 0, 1, 1, 3, 10, 60]))
    kind = rng.random()
    if kind < 0.4:
        return source[:start] + rng.choice(PIECES) + source[end:]
    if kind < 0.7:
        tokens = list(re.finditer(r"[\w.]+", source))
        words = re.findall(r"[\w.]+|[^\w\s]", other)
        if not tokens or not words:
            return source
        start, end = rng.choice(tokens).span()
        return source[:start] + rng.choice(words) + source[end:]
    lines = source.splitlines(keepends=True) or [""]
    if kind < 0.8:
        at = rng.randrange(len(lines))
        return "".join([*lines[:at], *lines[at + 1 :]])
    if kind < 0.9:
        at = rng.randrange(len(lines) + 1)
        return "".join([*lines[:at], rng.choice(other.splitlines(keepends=True)), *lines[at:]])
    at = rng.randrange(len(lines))
    lines[at] = rng.choice([" ", "  ", "\t", "    "]) + lines[at]
    return "".join(lines)


def exit_code(found: Checked) -> int:
    """The exit code of the command line, once everything has been drawn in every format."""
    items, paths = found.diagnostics, found.paths
    for item in items:
        assert item.code in CODES
        assert item.location is None or (item.location.line >= 1 and item.location.column >= 1)
    assert len(concise.report(items).splitlines()) == len(items)
    assert len(github.report(items).splitlines()) == len(items)
    for drawn in (
        *(text.report(items, colour=True), json.report(items, len(paths)), sarif.report(items)),
        *(junit.report(items, paths), markdown.report(items, paths)),
    ):
        drawn.encode("utf-8")
    return int(bool(found.errors))


def run(count: int, seed: int, folder: Path) -> Iterator[int]:
    """Validate so many mutations; yield the exit code of each."""
    kitchen = Kitchen(folder)
    rng = random.Random(seed)  # noqa: S311
    for number in range(count):
        name, source = kitchen.mutation(rng)
        start = time.perf_counter()
        try:
            yield exit_code(kitchen.validated(name, source))
        except Exception as error:
            error.add_note(f"mutation {number} of seed {seed}, {name}:\n{source}")
            raise
        if time.perf_counter() - start > SECONDS:
            raise TimeoutError(f"mutation {number} of seed {seed} took too long, {name}:\n{source}")


def main() -> None:
    """Run as many as asked for, and print the seed and what came of them."""
    count = int(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else secrets.randbelow(2**32)
    print(f"seed {seed}", flush=True)  # noqa: T201
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        codes: Counter[int] = Counter()
        for code in run(count, seed, Path(folder)):
            codes[code] += 1
            if sum(codes.values()) % 10_000 == 0:
                print(f"... {sum(codes.values())}", flush=True)  # noqa: T201
    took = time.perf_counter() - start
    told = dict(sorted(codes.items()))
    print(f"{count} mutations, seed {seed}: exit codes {told}, {took:.0f} s")  # noqa: T201


if __name__ == "__main__":
    main()
