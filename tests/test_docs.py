"""The docs are true: made pages are made again and compared, blocks of the guides are executed.

In ``spec_language.md`` the first line of a ``yaml`` block says what it is (the guide tells readers
the same): a path of ``contracts/`` marks an excerpt that must be in that file, a path of
``my-contracts/`` a file that must load without a word, a code a mistake that must give that code.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from pyfutures.chain.validate import read_catalog, validate_paths
from pyfutures.codes import CODES
from pyfutures.continuous.policies import Missing, Policy
from pyfutures.continuous.series import COLUMNS
from pyfutures.report import reference
from pyfutures.report.chain import COLUMNS as CHAIN_COLUMNS
from pyfutures.report.text import report
from pyfutures.rules.steps import STEP_KINDS
from pyfutures.specs.yaml import load
from tests.peers.shared import shared

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def text_of(page):
    return (DOCS / page).read_text(encoding="utf-8")


def blocks(page, kind):
    return [m[2] for m in BLOCK.finditer(text_of(page)) if m[1] == kind]


def title(block):
    return block.split("\n", 1)[0].removeprefix("# ")


GUIDE = blocks("spec_language.md", "yaml")
EXCERPTS = [block for block in GUIDE if title(block).startswith("contracts/")]
OWN = [block for block in GUIDE if title(block).startswith("my-contracts/")]
MISTAKES = [block for block in GUIDE if re.match(r"PF\d{3}: ", title(block))]


# Made pages


def test_the_made_pages_are_as_committed(catalog):
    for path, text in reference.pages(DOCS, catalog).items():
        assert text == path.read_text(encoding="utf-8"), (
            f"{path.name}: python -m pyfutures.report.reference docs"
        )


def test_a_page_without_its_marks_is_refused(tmp_path):
    with pytest.raises(reference.PageError, match="begin roots"):
        reference.filled("# The catalogue", {"roots": "x"})


def test_only_what_is_between_the_marks_is_made():
    page = "a\n<!-- begin x -->\nold\n\n<!-- end x -->\nb\n"
    made = reference.filled(page, {"x": "| new \\1 |"})
    assert made == "a\n<!-- begin x -->\n\n| new \\1 |\n\n<!-- end x -->\nb\n"
    assert reference.filled(made, {"x": "| new \\1 |"}) == made


def test_the_generator_wants_a_folder(capsys):
    assert reference.main(["no such folder"]) == 2
    assert "usage" in capsys.readouterr().err


def keys(schema):
    """Every key of the mappings in a schema, at any depth."""
    for name, value in schema.items():
        if name == "properties":
            yield from value
        if isinstance(value, dict):
            yield from keys(value)


@pytest.mark.parametrize("kind", ["contract", "calendar"])
def test_every_key_is_in_the_reference(kind):
    schema = json.loads((ROOT / f"schemas/{kind}.schema.json").read_text(encoding="utf-8"))
    section = text_of("reference.md").split(f"## Keys of a {kind}")[1].split("\n## ")[0]
    shown = set(re.findall(r"^\| \**`(\w+)`", section, re.MULTILINE))
    assert shown == set(keys(schema))


def test_every_code_is_in_the_reference():
    shown = re.findall(r"^#### (PF\d{3}) (.+)$", text_of("reference.md"), re.MULTILINE)
    assert shown == [(code.code, code.title) for code in CODES.values()]


def test_every_root_has_one_line_in_the_catalogue(catalog):
    table = text_of("catalogue.md").split("<!-- begin roots -->")[1].split("<!-- end roots -->")[0]
    assert re.findall(r"^\| `(\w+)`", table, re.MULTILINE) == sorted(catalog)


# Known from rulebooks: ES the third Friday, CL three business days before the 25th.
@pytest.mark.parametrize(
    ("root", "words", "dates"),
    [
        ("ES", "third Friday of the contract month", "2026Z 2026-12-18<br>2027H 2027-03-19"),
        ("CL", "25th day of the month before the contract month", "2027F 2026-12-21"),
        ("EBM", "10th day of the contract month", "2026Z 2026-12-10<br>2027H 2027-03-10"),
    ],
)
def test_a_line_of_the_catalogue(root, words, dates):
    (line,) = re.findall(rf"^\| `{root}` .*$", text_of("catalogue.md"), re.MULTILINE)
    assert f"| {words}" in line
    assert f"| {dates}" in line


def test_what_is_left_out_has_a_reason_and_no_spec(catalog):
    rows = yaml.safe_load(text_of("left_out.yaml"))
    assert len(rows) < 10
    assert all(row.keys() == {"root", "exchange", "name", "reason"} for row in rows)
    assert not {row["root"] for row in rows} & set(catalog)


def test_known_roots_have_a_spec_or_are_left_out(catalog):
    facts = shared("facts", "expiry_rules.csv").read_text(encoding="utf-8").splitlines()[1:]
    known = {line.split(",", 1)[0] for line in facts}
    assert known - set(catalog) == {row["root"] for row in yaml.safe_load(text_of("left_out.yaml"))}


# The guide to specs


def test_every_yaml_block_of_the_guide_says_what_it_is():
    assert len(EXCERPTS) + len(OWN) + len(MISTAKES) == len(GUIDE)
    assert len(EXCERPTS) > 10
    assert len(MISTAKES) > 10


def contains(whole, part):
    """Whether a mapping has all that is in another; lists and plain values must be equal."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(key in whole and contains(whole[key], value) for key, value in part.items())
    return whole == part


@pytest.mark.parametrize("block", EXCERPTS, ids=title)
def test_an_excerpt_is_in_its_file(block):
    path = ROOT / title(block)
    (part, faults), (whole, _) = (
        load(text, "guide") for text in (block, path.read_text(encoding="utf-8"))
    )
    assert not faults
    for key, value in part.data.items():
        assert contains(whole.data.get(key), value), f"{key} of {path.name} is another"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A reader's folder: the catalogue under the name that the guide shows, and the own files."""
    home = tmp_path_factory.mktemp("guide")
    (home / "contracts").symlink_to(ROOT / "contracts")
    (home / "schemas").symlink_to(ROOT / "schemas")
    for block in OWN:
        path = home / title(block)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.split("\n", 1)[1], encoding="utf-8")
    return home


def test_own_files_load_without_a_word(folder):
    loaded = read_catalog([folder / "my-contracts"])
    assert report(loaded.diagnostics) == ""
    for block in OWN:
        name = Path(title(block)).stem
        assert name in loaded.chains or name in loaded.calendars
    assert str(loaded.chains["ES"].spec.hold) == "MZ"


SOUND = {
    "schema": "schema: 1",
    "root": "root: EXAMPLE",
    "name": "name: Example",
    "exchange": "exchange: XNYM",
    "currency": "currency: USD",
    "multiplier": "multiplier: 1000",
    "tick": "tick: 0.01",
    "months": "months:\n  listed: FGHJKMNQUVXZ",
    "last_trade": "last_trade:\n  calendar: us_expiry\n  rule:\n    - business_day: -3",
    "roll": "roll: {anchor: last_trade, offset: -10, carry: 1}",
    "sources": "sources:\n  - an example",
}


def written(block, folder):
    """The file of a mistake: what the block does not say is sound."""
    said = set(re.findall(r"^(\w+):", block, re.MULTILINE))
    kind = "calendar" if "calendar" in said else "contract"
    sound = {} if kind == "calendar" else SOUND
    line = f"# yaml-language-server: $schema={ROOT}/schemas/{kind}.schema.json\n"
    text = line + block + "".join(f"{sound[key]}\n" for key in sound if key not in said)
    root = re.search(r"^root: (\w+)", text, re.MULTILINE)
    name = root[1] if root else "example"
    path = folder / ("calendars" if kind == "calendar" else "xnym") / f"{name}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_the_sound_parts_are_sound(tmp_path):
    assert report(validate_paths([written("", tmp_path)], []).diagnostics) == ""


@pytest.mark.parametrize("block", MISTAKES, ids=title)
def test_a_mistake_gives_its_code(block, tmp_path):
    loaded = validate_paths([written(block, tmp_path)], [])
    assert [item.code for item in loaded.diagnostics] == [title(block)[:5]], report(
        loaded.diagnostics
    )


def test_every_step_is_in_the_guide():
    table = text_of("spec_language.md").split("| step | means |")[1].split("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+):", table, re.MULTILINE)) == set(STEP_KINDS)


def test_the_guide_names_only_roots_of_the_catalogue(catalog):
    table = text_of("spec_language.md").split("| step | means |")[1].split("\n\n")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    for row in rows:
        if len(row) == 3:
            event = catalog[row[2]].spec
            kind = re.match(r"`(\w+)", row[0])[1]
            data = load(Path(event.path).read_text(encoding="utf-8"), event.path)[0].data
            assert f"'{kind}'" in str(data), row


# What is shown on a command line


def commands(page):
    for block in blocks(page, "console"):
        yield from (part for part in re.split(r"^\$ ", block, flags=re.MULTILINE) if part.strip())


def run(command, folder, **environment):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command,
        shell=True,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PATH": path, "NO_COLOR": "1"} | environment,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def check_shown(part, folder, **environment):
    command, _, shown = part.partition("\n")
    printed = run(command, folder, **environment)
    if shown.strip():
        assert [line.rstrip() for line in printed.splitlines()] == shown.rstrip().splitlines()


@pytest.mark.parametrize(
    "part", list(commands("spec_language.md")), ids=lambda part: part.split("\n")[0]
)
def test_the_commands_of_the_guide(part, folder):
    if "copytree" in part:
        (folder / "schemas").unlink(missing_ok=True)  # here it is a link, for the other tests
    check_shown(part, folder, PYFUTURES_CONTRACTS="contracts")


# Continuous series


@pytest.mark.slow
def test_the_page_of_continuous_series(tmp_path):
    """Its blocks from top to bottom, as a reader would go through them in one folder."""
    session = []
    for match in BLOCK.finditer(text_of("continuous.md")):
        kind, block = match[1], match[2]
        if kind == "csv":
            (tmp_path / "es.csv").write_text(block, encoding="utf-8")
        elif kind == "console":
            for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                check_shown(part, tmp_path)
        elif kind == "python":
            session.append(block)
    (tmp_path / "session.py").write_text("\n".join(session), encoding="utf-8")
    run(f"{shlex.quote(sys.executable)} session.py", tmp_path)


def first_column(page, header):
    table = text_of(page).split(f"| {header} |")[1].split("\n\n")[0]
    return re.findall(r"^\| `([^`]+)`", table, re.MULTILINE)


def test_the_tables_of_the_page_of_continuous_series():
    assert tuple(first_column("continuous.md", "column")) == COLUMNS
    assert first_column("continuous.md", "policy") == list(Policy)
    assert first_column("continuous.md", "missing") == list(Missing)


def test_the_table_of_the_page_of_live_series():
    from pyfutures.nautilus.actor import RollActorConfig

    own = set(RollActorConfig.__struct_fields__) - set(RollActorConfig.__base__.__struct_fields__)
    listed = re.findall(r"`(\w+)`", " ".join(first_column_cells("live.md", "config")))
    assert set(listed) == own


def first_column_cells(page, header):
    table = text_of(page).split(f"| {header} |")[1].split("\n\n")[0]
    return [line.split(" | ")[0] for line in table.splitlines()[2:]]


# All pages


@pytest.mark.parametrize("page", sorted(path.name for path in DOCS.glob("*.md")))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)?(?:#([\w-]+))?\)", text_of(page)):
        path, anchor = target
        if path.startswith("http"):
            continue
        found = DOCS / (path or page)
        assert found.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", found.read_text(encoding="utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in headings}
            assert anchor in slugs, target


def test_the_columns_of_a_chain_are_words_of_the_docs():
    words = " ".join(text_of(path.name) for path in DOCS.glob("*.md"))
    assert all(column in words for column in CHAIN_COLUMNS)
