"""``pyfutures validate``: formats, codes, colours, mending and watching, as a user runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from pyfutures.cli import run, watching
from pyfutures.specs.fixes import mended
from pyfutures.specs.yaml import read

ROOT = Path(__file__).resolve().parents[2]
GOOD = """\
# yaml-language-server: $schema=../../schemas/contract.schema.json
schema: 1
root: WTI
name: Light Sweet Crude Oil            # as NYMEX calls it
exchange: XNYM
currency: USD
multiplier: 1000
tick: 0.01
months:
  listed: FGHJKMNQUVXZ
last_trade:
  calendar: us_expiry
  rule:
    - day: 20
    - if_closed: previous
sources: [NYMEX rulebook chapter 200]
"""


@pytest.fixture(autouse=True)
def _alone(monkeypatch):
    for name in ("GITHUB_ACTIONS", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of one's own with its schemas, which is the working folder."""
    (tmp_path / "schemas").symlink_to(ROOT / "schemas")
    (tmp_path / "contracts" / "xnym").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "contracts" / "xnym"


@pytest.fixture
def pyfutures(capsys):
    def call(*words):
        code = run([str(word) for word in words])
        out, err = capsys.readouterr()
        return code, out, err

    return call


def write(folder, text, root="WTI"):
    path = folder / f"{root}.yaml"
    path.write_bytes(text.encode("utf-8"))
    return path


BAD = GOOD.replace("tick: 0.01", "tick: 0,01").replace("USD", "usd")


class TestFormats:
    def test_text_with_the_count_on_stderr(self, pyfutures, folder):
        write(folder, BAD)
        code, out, err = pyfutures("validate", "contracts")
        assert code == 1
        assert "contracts/xnym/WTI.yaml:8:7: error[PF103]" in out
        assert "  |       ^^^^" in out
        assert err == "Found 2 errors in 1 of 1 file\n"

    @pytest.mark.parametrize(
        ("style", "found"),
        [
            ("concise", lambda out: len(out.splitlines())),
            ("json", lambda out: json.loads(out)["errors"]),
            ("github", lambda out: out.count("::error file=contracts/xnym/WTI.yaml,line=")),
            ("sarif", lambda out: len(json.loads(out)["runs"][0]["results"])),
            ("junit", lambda out: int(ET.fromstring(out).get("failures"))),  # noqa: S314
            ("markdown", lambda out: out.count("| error PF10")),
        ],
    )
    def test_each_finds_the_same(self, pyfutures, folder, style, found):
        write(folder, BAD)
        code, out, err = pyfutures("validate", "--format", style, "contracts")
        assert (code, found(out)) == (1, 2)
        assert err == "Found 2 errors in 1 of 1 file\n"

    @pytest.mark.parametrize("style", ["text", "concise", "github"])
    def test_nothing_to_say(self, pyfutures, folder, style):
        write(folder, GOOD)
        assert pyfutures("validate", "--format", style, "contracts") == (
            0,
            "",
            "Found no errors in 1 file\n",
        )

    def test_github_where_it_runs(self, pyfutures, folder, monkeypatch):
        write(folder, BAD)
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
        assert pyfutures("validate", "contracts")[1].startswith("::error file=")
        assert pyfutures("validate", "--format", "text", "contracts")[1].startswith("contracts/")
        monkeypatch.setenv("GITHUB_ACTIONS", "false")
        assert pyfutures("validate", "contracts")[1].startswith("contracts/")

    @pytest.mark.parametrize("style", ["text", "json", "sarif", "junit"])
    @pytest.mark.parametrize("name", [b"A\xff.yaml", b"A\n::error::B.yaml", b"\x1b[31mA.yaml"])
    def test_any_name_of_a_file(self, folder, name, style):
        (folder / os.fsdecode(name)).write_text("schema: 1\n")
        program = "from pyfutures.cli import main; main()"
        words = [sys.executable, "-c", program, "validate", "--format", style, "contracts"]
        # As a terminal has it: strict, where a test runner is not.
        there = {**os.environ, "PYTHONIOENCODING": "utf-8:strict", "PYTHONUTF8": "1"}
        done = subprocess.run(words, env=there, capture_output=True, check=False)
        assert done.returncode == 1, done.stderr
        text = done.stdout.decode("utf-8")
        assert "\x1b" not in text
        assert not any(line.startswith("::") for line in text.splitlines())
        if style in {"json", "sarif"}:
            assert json.loads(text)
        elif style == "junit":
            ET.fromstring(text)  # noqa: S314

    def test_colours(self, pyfutures, folder, monkeypatch):
        write(folder, BAD)
        assert "\x1b[" not in pyfutures("validate", "contracts")[1]
        assert "\x1b[1;31m" in pyfutures("validate", "--color", "always", "contracts")[1]
        monkeypatch.setenv("NO_COLOR", "1")
        assert "\x1b[" not in pyfutures("validate", "contracts")[1]
        assert "\x1b[1;31m" in pyfutures("validate", "--color", "always", "contracts")[1]
        assert "\x1b[" not in pyfutures("validate", "--color", "never", "contracts")[1]


class TestCodes:
    @pytest.mark.parametrize(
        ("words", "codes", "exit_code"),
        [
            ([], ["PF103", "PF105"], 1),
            (["--select", "PF103"], ["PF103"], 1),
            (["--select", "pf103,PF4"], ["PF103"], 1),
            (["--ignore", "PF103"], ["PF105"], 1),
            (["--ignore", "PF1"], [], 0),
            (["--select", "PF1", "--ignore", "PF105", "--ignore", "PF103"], [], 0),
            (["--select", "PF4"], [], 0),
        ],
    )
    def test_which_count(self, pyfutures, folder, words, codes, exit_code):
        write(folder, BAD)
        code, out, _ = pyfutures("validate", "--format", "json", *words, "contracts")
        found = sorted(item["code"] for item in json.loads(out)["diagnostics"])
        assert (code, found) == (exit_code, codes)

    @pytest.mark.parametrize("option", ["--select", "--ignore"])
    def test_an_unknown_code_is_usage(self, pyfutures, option):
        code, out, err = pyfutures("validate", option, "PF11O")
        assert (code, out) == (2, "")
        assert "no code starts with PF11O; did you mean `PF" in err
        assert pyfutures("validate", option, ",")[0] == 2

    def test_the_day_from_which_months_are_listed(self, pyfutures, folder):
        (folder.parent / "calendars").mkdir()
        (folder.parent / "calendars" / "short.yaml").write_text(
            "# yaml-language-server: $schema=../../schemas/calendar.schema.json\nschema: 1\n"
            "calendar: short\nbase: weekdays\nvalid_until: 2027-03-31\nsources: [made up]\n"
        )
        write(folder, GOOD.replace("us_expiry", "short"))
        # A year ahead of the first day is March 2027, which ends within the calendar.
        assert pyfutures("validate", "--as-of", "2026-03-01", "--strict", "contracts")[0] == 0
        code, out, _ = pyfutures("validate", "--as-of", "2026-04-01", "--strict", "contracts")
        assert code == 1
        assert "PF416" in out
        assert "WTI 2027J" in out


class TestFix:
    @pytest.mark.parametrize(
        ("right", "wrong"),
        [
            ("multiplier: 1000", 'multiplier: "1000"'),
            ("listed: FGHJKMNQUVXZ", "listed: ZXVUQNMKJHGF"),
            ("listed: FGHJKMNQUVXZ", "listed: fghjkmnquvxz"),
            ("schema: 1", 'schema: "1"'),
            (GOOD.split("\n", 1)[0] + "\n", ""),
            ("$schema=../../schemas", "$schema=../schemas"),
            ("# yaml", "\ufeff# yaml"),
        ],
    )
    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    def test_what_is_mended(self, pyfutures, folder, right, wrong, end):
        good, bad = (text.replace("\n", end) for text in (GOOD, GOOD.replace(right, wrong, 1)))
        path = write(folder, bad)
        path.chmod(0o640)
        assert pyfutures("validate", "--strict", path)[0] == 1
        code, out, err = pyfutures("validate", "--strict", "--fix", path)
        assert (code, out) == (0, "")
        assert err == "Mended 1 fault in 1 file\nFound no errors in 1 file\n"
        # Every other byte is as it was, comments and the space before them too.
        assert path.read_bytes().decode("utf-8") == good
        assert path.stat().st_mode & 0o777 == 0o640
        assert [item.name for item in folder.iterdir()] == ["WTI.yaml"]

    def test_digits_that_are_a_root(self, pyfutures, folder):
        path = write(folder, GOOD.replace("root: WTI", "root: 167  # of Korea"), "167")
        assert pyfutures("validate", "--fix", path)[0] == 0
        assert 'root: "167"  # of Korea\n' in path.read_text()

    def test_class_codes_that_are_keys(self, pyfutures, folder):
        text = GOOD + "ib: {symbol: CL, exchange: NYMEX, trading_class: {months: {ZH: A}}}\n"
        path = write(folder, text)
        assert pyfutures("validate", "--fix", path)[0] == 0
        assert "{months: {HZ: A}}" in path.read_text()

    def test_several_in_one_file_and_what_stays(self, pyfutures, folder):
        bad = GOOD.replace("1000", '"1000"').replace("FGHJKMNQUVXZ", "ZX").replace("USD", "usd")
        path = write(folder, bad)
        code, out, err = pyfutures("validate", "--fix", path)
        assert code == 1
        assert "PF105" in out
        assert err.startswith("Mended 2 faults in 1 file\nFound 1 error")
        assert path.read_text() == bad.replace('"1000"', "1000").replace("ZX", "XZ")

    def test_diff_writes_nothing(self, pyfutures, folder):
        bad = GOOD.replace("1000", '"1000"')
        path = write(folder, bad)
        code, out, err = pyfutures("validate", "--fix", "--diff", path)
        assert code == 1
        assert '-multiplier: "1000"\n+multiplier: 1000\n' in out
        assert "Would mend 1 fault in 1 file" in err
        assert path.read_text() == bad
        assert pyfutures("validate", "--diff", path)[0] == 2

    @pytest.mark.parametrize(
        ("words", "mended_codes"),
        [
            ([], {"PF002", "PF103"}),
            (["--ignore", "PF002"], {"PF103"}),
            (["--select", "PF002"], {"PF002"}),
            (["--select", "PF4"], set()),
        ],
    )
    def test_only_what_is_asked_for(self, pyfutures, folder, words, mended_codes):
        path = folder / "WTI.yaml"
        path.write_text(GOOD.split("\n", 1)[1].replace("1000\n", '"1000"\n'))
        pyfutures("validate", "--fix", *words, folder)
        text = path.read_text()
        assert text.startswith("# yaml-language-server") is ("PF002" in mended_codes)
        assert ("multiplier: 1000\n" in text) is ("PF103" in mended_codes)

    @pytest.mark.parametrize("command", [("validate", "--fix"), ("fmt",)])
    def test_a_read_only_file_is_left(self, pyfutures, folder, command):
        path = folder / "WTI.yaml"
        path.write_text(text := GOOD.replace("1000\n", '"1000"  \n'))
        path.chmod(0o444)
        code, _, err = pyfutures(*command, folder)
        assert (code, path.read_text()) == (2, text)
        assert "WTI.yaml: the file is read-only; it was not changed" in err
        assert [p.name for p in folder.iterdir()] == ["WTI.yaml"]

    def test_a_link_stays_a_link(self, pyfutures, folder, tmp_path):
        target = tmp_path / "kept.txt"
        target.write_text(GOOD.replace("1000", '"1000"'))
        (folder / "WTI.yaml").symlink_to(target)
        assert pyfutures("validate", "--fix", folder / "WTI.yaml")[0] == 0
        assert (folder / "WTI.yaml").is_symlink()
        assert "multiplier: 1000" in target.read_text()

    def test_a_file_that_may_not_be_written_stays_whole(self, pyfutures, folder, monkeypatch):
        path = write(folder, GOOD.replace("1000", '"1000"'))

        def refused(*_):
            raise PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr(Path, "replace", refused)
        code, _, err = pyfutures("validate", "--fix", path)
        assert code == 2
        assert "Permission denied" in err
        assert '"1000"' in path.read_text()
        assert [item.name for item in folder.iterdir()] == ["WTI.yaml"]

    def test_the_modeline_of_the_hint_is_the_one_that_is_written(self, folder):
        path = write(folder, GOOD)
        document, _ = read(path)
        assert document is not None
        assert mended(document.text, []) == GOOD


class TestWatch:
    def test_runs_again_after_each_change(self, folder):
        path = write(folder, GOOD)
        runs = []
        steps = iter(
            [
                lambda: None,
                lambda: path.write_text(BAD),
                lambda: None,
                lambda: write(folder, GOOD, "NEW"),
                path.unlink,
            ]
        )

        def sleep(_seconds):
            step = next(steps, None)
            if step is None:
                raise KeyboardInterrupt
            step()

        watching.watched(lambda: runs.append(1) or 0, [str(folder.parent)], sleep=sleep)
        assert len(runs) == 4

    def test_goes_on_while_there_is_nothing_to_check(self, pyfutures, folder, monkeypatch):
        """Only what is wrong from the start is wrong usage: an editor may write a file anew."""
        path = write(folder, GOOD)
        steps = iter([path.unlink, lambda: write(folder, BAD)])

        def sleep(_seconds):
            step = next(steps, None)
            if step is None:
                raise KeyboardInterrupt
            step()

        monkeypatch.setattr(watching.watched, "__kwdefaults__", {"clear": False, "sleep": sleep})
        code, out, err = pyfutures("validate", "--watch", folder)
        assert code == 0
        assert err.count("Watching for changes") == 3
        assert "Found no errors" in err.partition("Error: no specs in")[0]
        assert "error[" in out
        (folder / path.name).unlink()
        assert pyfutures("validate", "--watch", folder)[0] == 2

    def test_a_fix_that_cannot_be_written_ends_nothing(self, folder, capsys):
        path = write(folder, GOOD)
        refusal = PermissionError(13, "the file is read-only", "WTI.yaml")
        results = iter([0, refusal, 0])
        texts = iter([BAD, GOOD])

        def mend():
            if (result := next(results)) is refusal:
                raise refusal
            return result

        def sleep(_seconds):
            if (text := next(texts, None)) is None:
                raise KeyboardInterrupt
            path.write_text(text)

        watching.watched(mend, [str(path)], sleep=sleep)
        assert next(results, None) is None
        err = capsys.readouterr().err
        assert err.count("Watching for changes") == 3
        assert "Error: [Errno 13] the file is read-only: 'WTI.yaml'" in err

    def test_what_a_file_extends_and_its_calendar(self, folder):
        """As the loader takes them from the folder that the file lies in."""
        path = write(folder, GOOD)
        calendar = folder.parent / "calendars/days.yaml"
        calendar.parent.mkdir(exist_ok=True)
        calendar.write_text("schema: 1\n")
        for place in (path, folder):
            before = watching.snapshot([place])
            calendar.write_text(calendar.read_text() + "# changed\n")
            assert watching.snapshot([place]) != before
            before = watching.snapshot([place])
            other = write(folder, GOOD, f"OTHER{len(before)}")
            assert watching.snapshot([place]) != before
            other.unlink()

    def test_a_file_of_its_own(self, folder):
        path = write(folder, GOOD)
        before = watching.snapshot([path])
        os.utime(path, ns=(1, 1))
        assert watching.snapshot([path]) != before
        path.unlink()
        assert watching.snapshot([path]) == {}

    def test_on_the_command_line(self, pyfutures, folder, monkeypatch):
        path = write(folder, GOOD)

        def interrupt(_seconds):
            raise KeyboardInterrupt

        monkeypatch.setattr(
            watching.watched, "__kwdefaults__", {"clear": False, "sleep": interrupt}
        )
        code, _, err = pyfutures("validate", "--watch", path)
        assert code == 0
        assert err.splitlines() == [
            "Found no errors in 1 file",
            "Watching for changes; stop with Ctrl-C",
        ]
