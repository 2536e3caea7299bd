"""`pyfutures schema`: what an editor needs in a folder of one's own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from pyfutures.cli import run
from pyfutures.gateway.fault_actions import ACTIONS
from pyfutures.gateway.fault_checks import FATES

HERE = Path(__file__).resolve().parents[2]
FAULTS = json.loads((HERE / "schemas/fault_script.schema.json").read_text(encoding="utf-8"))
FAULT_PLACES = {
    f"{name}/{key}" if key else name: part
    for name, place in {"": FAULTS, **FAULTS["$defs"]}.items()
    for key, part in {"": place, **place.get("properties", {})}.items()
    if "$ref" not in part or "title" in part
}


@pytest.fixture
def pyfutures(capsys):
    def call(*words):
        code = run([str(word) for word in words])
        out, err = capsys.readouterr()
        return code, out, err

    return call


def test_write_makes_the_schema_line_lead_somewhere(pyfutures, tmp_path):
    spec = tmp_path / "my-contracts/xtst/MYES.yaml"
    spec.parent.mkdir(parents=True)
    text = "# yaml-language-server: $schema=../../schemas/contract.schema.json\n"
    spec.write_text(text + "schema: 1\nroot: MYES\nname: E-mini S&P 500 Futures\nextends: ES\n")
    words = ("validate", "--format", "concise", spec)
    assert "PF002" in pyfutures(*words)[1]
    code, out, _ = pyfutures("schema", "--write", tmp_path / "schemas")
    assert code == 0
    assert f"wrote {tmp_path / 'schemas/contract.schema.json'}" in out.splitlines()
    # Whether a file exists is asked once in a run.
    from pyfutures.specs import file_checks

    file_checks._exists.cache_clear()
    assert "PF002" not in pyfutures(*words)[1]


def test_write_copies_all_and_says_what_changed(pyfutures, tmp_path):
    pyfutures("schema", "--write", tmp_path)
    names = {path.name for path in (HERE / "schemas").glob("*.json")}
    assert {path.name for path in tmp_path.iterdir()} == names
    for name in names:
        assert (tmp_path / name).read_bytes() == (HERE / "schemas" / name).read_bytes()
    (tmp_path / "calendar.schema.json").write_text("{}")
    out = pyfutures("schema", "--write", tmp_path)[1].splitlines()
    assert [line for line in out if line.startswith("wrote")] == [
        f"wrote {tmp_path / 'calendar.schema.json'}"
    ]
    assert len(out) == len(names)


@pytest.mark.parametrize("name", ["contract", "calendar"])
def test_print(pyfutures, name):
    code, out, _ = pyfutures("schema", name)
    assert (code, json.loads(out)["$id"]) == (0, f"urn:pyfutures:{name}:1")


def test_unknown(pyfutures):
    code, _, err = pyfutures("schema", "contrct")
    assert (code, "no schema `contrct`: the schemas are calendar, contract" in err) == (2, True)


class TestFaultScript:
    """The schema of fault scripts, which an editor shows as that of a contract."""

    def test_it_has_every_action(self):
        actions = FAULTS["$defs"]["action"]["properties"]
        assert set(actions) == FATES | set(ACTIONS)

    @pytest.mark.parametrize("path", FAULT_PLACES)
    def test_every_place_explains_itself(self, path):
        place = FAULT_PLACES[path]
        assert all(place.get(key) for key in ("title", "description", "markdownDescription"))
        whole = Draft202012Validator({**place, "$defs": FAULTS["$defs"]})
        assert all(map(whole.is_valid, place.get("examples", ())))
