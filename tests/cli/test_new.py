"""``pyfutures new``: a first file that already passes, for a reader to go on from."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyfutures.chain.validate import read_catalog, validate_paths
from pyfutures.cli import run
from pyfutures.report.text import report
from pyfutures.specs.layout import formatted
from pyfutures.specs.yaml import read

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def pyfutures(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def call(*words):
        code = run([str(word) for word in words])
        out, err = capsys.readouterr()
        return code, out, err

    return call


def test_a_first_file(pyfutures, tmp_path):
    code, out, err = pyfutures("new", "WTI")
    assert (code, out) == (0, "contracts/xcme/WTI.yaml\n")
    assert "Found no errors in 1 file" in err
    lines = (tmp_path / "contracts/xcme/WTI.yaml").read_text().splitlines()
    assert lines[0] == "# yaml-language-server: $schema=../../schemas/contract.schema.json"
    assert "root: WTI" in lines
    assert sum(line.startswith("# ") for line in lines) > 15
    assert (tmp_path / "schemas" / "calendar.schema.json").is_file()
    assert pyfutures("validate", "--strict", "contracts")[0] == 0


def test_what_is_known_goes_in(pyfutures, tmp_path):
    words = ["--exchange", "XNYM", "--currency", "EUR", "--multiplier", "12.5", "--tick", "1e-7"]
    assert pyfutures("new", "05", "--name", "Kospi: mini", *words)[0] == 0
    document, _ = read(tmp_path / "contracts/xnym/05.yaml")
    data = document.data
    assert (data["root"], data["name"], data["currency"]) == ("05", "Kospi: mini", "EUR")
    assert (str(data["multiplier"]), f"{data['tick']:f}") == ("12.5", "0.0000001")


# Every form of rule and of ranges that the catalogue has.
@pytest.mark.parametrize(
    "root", ["CL", "EBM", "GF", "VX", "JB", "NIFTY", "FTMIB", "COIL_Z", "167", "ZC", "GDK", "YIW"]
)
def test_like_another_root(pyfutures, tmp_path, catalog, root):
    code, out, err = pyfutures("new", "LIKE", "--like", root)
    assert code == 0, out + err
    path = tmp_path / out.strip()
    checked = validate_paths([path], [])
    assert report(checked.diagnostics) == ""
    ours, theirs = checked.chains["LIKE"], catalog[root]
    assert ours.spec.ib is None or set(ours.spec.ib.symbol.values) == {"LIKE"}
    assert [span.value.rule for span in ours.spec.last_trade.spans.spans] == [
        span.value.rule for span in theirs.spec.last_trade.spans.spans
    ]
    assert (ours.spec.roll, ours.spec.hours) == (theirs.spec.roll, theirs.spec.hours)
    assert (ours.spec.tick, ours.spec.multiplier) == (theirs.spec.tick, theirs.spec.multiplier)
    text = path.read_text(encoding="utf-8")
    assert formatted(text, "x") == (text, [])
    assert all(len(line) <= 100 for line in text.splitlines())


@pytest.mark.parametrize(
    ("words", "at_ib"),
    [
        (["--exchange", "XNYM"], "NYMEX"),
        (["--like", "ES", "--exchange", "XEUR"], "EUREX"),
        (["--like", "ES", "--exchange", "XXXX"], None),  # nobody knows what IB calls it
    ],
)
def test_elsewhere(pyfutures, tmp_path, words, at_ib):
    code, out, _ = pyfutures("new", "QQ", *words)
    assert code == 0
    data = read(tmp_path / out.strip())[0].data
    assert data.get("ib") == (at_ib and {"symbol": "QQ", "exchange": at_ib})
    assert data["name"] == "Name of the contract"  # not that of the other root


def test_it_stands_beside_the_catalogue(pyfutures, tmp_path):
    pyfutures("new", "WTI", "--like", "CL")
    checked = read_catalog([tmp_path / "contracts"])
    assert report(checked.diagnostics) == ""


def test_in_a_folder_of_ones_own(pyfutures, tmp_path):
    (tmp_path / "my").mkdir()
    (tmp_path / "schemas").symlink_to(ROOT / "schemas")
    code, out, _ = pyfutures("--contracts", "my", "new", "WTI")
    assert (code, out) == (0, "my/xcme/WTI.yaml\n")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["wti"], "is no root"),
        (["A/B"], "is no root"),
        (["X" * 21], "is no root"),
        (["WTI", "--like", "CLL"], "did you mean"),
        (["WTI", "--tick", "0"], "no number above 0"),
        (["WTI", "--tick", "nan"], "no number above 0"),
        (["WTI", "--multiplier", "many"], "no number above 0"),
        (["WTI", "--exchange", "../x"], "no MIC"),
        (["WTI", "--currency", "dollar"], "no currency"),
    ],
)
def test_wrong_usage(pyfutures, tmp_path, words, text):
    code, out, err = pyfutures("new", *words)
    assert (code, out) == (2, "")
    assert text in err
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_kept(pyfutures, tmp_path):
    pyfutures("new", "WTI")
    path = tmp_path / "contracts/xcme/WTI.yaml"
    path.write_text("mine\n")
    code, _, err = pyfutures("new", "WTI")
    assert code == 2
    assert "is already there" in err
    assert path.read_text() == "mine\n"


def test_a_root_of_another_exchange_is_no_second_one(pyfutures, tmp_path):
    pyfutures("new", "WTI", "--exchange", "XNYM")
    code, out, err = pyfutures("new", "WTI", "--like", "ES")
    assert (code, out) == (2, "")
    assert "contracts/xnym/WTI.yaml is already there; it was not changed" in err
    assert [path.name for path in tmp_path.rglob("*.yaml")] == ["WTI.yaml"]


def test_the_folder_of_ones_own_is_made(pyfutures, tmp_path):
    code, out, _ = pyfutures("--contracts", "mine", "new", "WTI", "--like", "CL")
    assert (code, out) == (0, "mine/xnym/WTI.yaml\n")
    assert (tmp_path / "schemas/contract.schema.json").is_file()
    assert pyfutures("validate", "--strict", "mine")[0] == 0


# Only `new` writes, and only to the last of the folders.
@pytest.mark.parametrize(
    "words",
    [
        ("--contracts", "mine", "chain", "ES"),
        ("--contracts", "mine", "validate"),
        ("--contracts", "lost", "--contracts", "mine", "new", "WTI"),
    ],
)
def test_a_folder_that_is_not_there(pyfutures, tmp_path, words):
    code, _, err = pyfutures(*words)
    assert code == 2
    assert "does not exist" in err
    assert not (tmp_path / "mine").exists()


def test_where_the_option_of_folders_stands(pyfutures):
    code, _, err = pyfutures("chain", "--contracts", "mine", "ES")
    assert code == 2
    assert "--contracts goes before the command: pyfutures --contracts DIR COMMAND" in err
    assert "Did you mean" not in err


def test_an_unknown_root_may_be_ones_own(pyfutures):
    code, _, err = pyfutures("chain", "WTI")
    assert code == 2
    assert "specs of your own: pyfutures --contracts DIR COMMAND" in err
