"""``pyfutures code``: what a code means."""

from __future__ import annotations

import json

import pytest

from pyfutures.cli import run
from pyfutures.codes import CODES


@pytest.fixture
def pyfutures(capsys):
    def call(*words):
        code = run([str(word) for word in words])
        out, err = capsys.readouterr()
        return code, out, err

    return call


def test_one_code(pyfutures):
    code, out, _ = pyfutures("code", "PF420")
    assert code == 0
    assert out.startswith("PF420 empty roll window (error)\n\nWhat: ")
    for part in (
        "\n\nWhy: ",
        "\n\nExample:\n    settlement: physical\n",
        "\n\nInstead:\n    roll: ",
    ):
        assert part in out
    assert "# pyfutures: ignore[PF420]" in out


@pytest.mark.parametrize("name", ["pf012", "012", " PF012"])
def test_other_ways_to_name_one(pyfutures, name):
    assert pyfutures("code", name)[1].startswith("PF012 several documents (error)")


def test_what_cannot_be_ignored_does_not_say_how(pyfutures):
    assert "ignore[" not in pyfutures("code", "PF101")[1]


@pytest.mark.parametrize("name", ["PF999", "PF10", "E501", ""])
def test_an_unknown_code(pyfutures, name):
    code, out, err = pyfutures("code", name)
    assert (code, out) == (2, "")
    assert f"there is no code {name};" in err
    assert "did you mean `PF" in err or "the codes are `PF001`" in err


def test_the_list(pyfutures):
    code, out, _ = pyfutures("code")
    assert code == 0
    lines = out.splitlines()
    assert [line[:5] for line in lines] == list(CODES)
    assert "PF002  warning  no schema line" in lines


def test_all_of_them(pyfutures):
    _, out, _ = pyfutures("code", "--all")
    assert out.count("\n\nWhy: ") == len(CODES)
    assert pyfutures("code", "--all", "PF001")[0] == 2


def test_for_programs(pyfutures):
    rows = json.loads(pyfutures("code", "PF001", "PF002", "--format", "json")[1])
    assert [(row["code"], row["severity"]) for row in rows] == [
        ("PF001", "error"),
        ("PF002", "warning"),
    ]
    assert set(rows[0]) >= {"what", "why", "example", "instead", "title"}


def test_as_markdown(pyfutures):
    _, out, _ = pyfutures("code", "--all", "--format", "markdown")
    assert out.count("\n```yaml\n") == 2 * len(CODES)
