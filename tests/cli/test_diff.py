"""`pyfutures diff`: what moves between revisions, folders and wheels, in all formats."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from pyfutures.chain.revisions import differing, opened
from pyfutures.cli import run

HERE = Path(__file__).resolve().parents[2]
TODAY = ["--today", "2026-07-01"]
MODELINE = "# yaml-language-server: $schema=../../schemas/contract.schema.json\n"
# Third Friday: 2025-12-19, 2026-12-18 and 2027-03-19 by any wall calendar.
SPEC = (
    MODELINE
    + """schema: 1
root: TT
name: Test index
exchange: XTST
currency: USD
multiplier: 50
tick: 0.25
settlement: cash
ib: {symbol: TT, exchange: TST, trading_class: TT}
sources: [paper]
months:
  listed: HMUZ
last_trade:
  calendar: days
  rule:
    - weekday: {nth: 3, day: friday}
    - if_closed: previous
"""
)
CALENDAR = """# yaml-language-server: $schema=../../schemas/calendar.schema.json
schema: 1
calendar: days
name: Mondays to Fridays
base: weekdays
projected: true
remove:
  2026-01-01: New Year
sources: [paper]
"""
MOVED = "  dates: {2025Z: 2025-12-18, 2026Z: 2026-12-17, 2027H: 2027-03-18}\n"
ROLL = "roll: {offset: -5, carry: 1}\n"


@pytest.fixture
def pyfutures(capsys):
    def call(*words):
        code = run([str(word) for word in words])
        out, err = capsys.readouterr()
        return code, out, err

    return call


def write(folder, *, spec=SPEC, calendar=CALENDAR, root="TT"):
    for name, text in ((f"xtst/{root}.yaml", spec), ("calendars/days.yaml", calendar)):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def sides(tmp_path):
    """A folder before and one after; the function rewrites what is after."""
    before = write(tmp_path / "before")

    def after(**texts):
        shutil.rmtree(tmp_path / "after", ignore_errors=True)
        return before, write(tmp_path / "after", **texts)

    return after


def git(folder, *words):
    environment = {
        **os.environ,
        **dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"), "Ann Author"),
        **dict.fromkeys(("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"), "ann@example.com"),
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
    subprocess.run(
        ["git", "-C", str(folder), *words], env=environment, check=True, capture_output=True
    )


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A clone with one commit, in which the tests stand."""
    write(tmp_path / "contracts")
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    monkeypatch.chdir(tmp_path)
    return tmp_path


class TestThreeDates:
    """One date in the past and two in the future move."""

    def test_text(self, pyfutures, sides):
        code, out, _ = pyfutures("diff", *sides(spec=SPEC + MOVED), *TODAY)
        assert code == 0
        assert out == (
            "! TT  last_trade  2025Z  Fri 2025-12-19 → Thu 2025-12-18"
            "  PAST: a stored series of TT would differ\n"
            "~ TT  last_trade  2026Z  Fri 2026-12-18 → Thu 2026-12-17\n"
            "~ TT  last_trade  2027H  Fri 2027-03-19 → Thu 2027-03-18\n"
            "Plan: 1 root changes, 0 added, 0 removed; 3 dates move, 1 in the past\n"
        )

    def test_json(self, pyfutures, sides):
        before, after = sides(spec=SPEC + MOVED)
        _, out, _ = pyfutures("diff", before, after, *TODAY, "--format", "json")
        found = json.loads(out)
        assert found["format_version"] == "1.0"
        assert (found["base"], found["head"]) == (str(before), str(after))
        assert (found["today"], found["moves_dates"]) == ("2026-07-01", True)
        assert found["summary"] == {
            "changed": 1, "added": 0, "removed": 0, "dates": 3, "past_dates": 1,
            "roll_windows": 0, "past_roll_windows": 0,
        }  # fmt: skip
        (root,) = found["roots"]
        assert (root["root"], root["change"], root["facts"]) == ("TT", "changed", [])
        assert [tuple(cell.values()) for cell in root["cells"]] == [
            ("2025Z", "last_trade", "2025-12-19", "2025-12-18", True),
            ("2026Z", "last_trade", "2026-12-18", "2026-12-17", False),
            ("2027H", "last_trade", "2027-03-19", "2027-03-18", False),
        ]
        assert found["calendars"] == []

    def test_markdown(self, pyfutures, sides):
        before, after = sides(spec=SPEC + MOVED)
        _, out, _ = pyfutures("diff", before, after, *TODAY, "--format", "markdown")
        lines = out.splitlines()
        assert lines[0] == "<!-- pyfutures diff -->"
        assert lines[1] == (
            "### Plan: 1 root changes, 0 added, 0 removed; 3 dates move, 1 in the past"
        )
        rows = [line for line in lines if line.startswith("| `")]
        assert rows == [
            "| `!` | **TT** | last_trade | 2025Z | **Fri 2025-12-19 → Thu 2025-12-18** |",
            "| `~` | TT | last_trade | 2026Z | Fri 2026-12-18 → Thu 2026-12-17 |",
            "| `~` | TT | last_trade | 2027H | Fri 2027-03-19 → Thu 2027-03-18 |",
        ]
        # The loud part comes before all else.
        assert lines.index("> [!WARNING]") < lines.index(rows[0]) < lines.index(rows[1])

    def test_exit_code(self, pyfutures, sides):
        words = (*sides(spec=SPEC + MOVED), *TODAY)
        assert pyfutures("diff", *words, "--exit-code")[0] == 4
        for style in ("json", "markdown"):
            assert pyfutures("diff", *words, "--exit-code", "--format", style)[0] == 4

    def test_tomorrow_all_is_past(self, pyfutures, sides):
        words = (*sides(spec=SPEC + MOVED), "--today", "2030-01-01")
        _, out, _ = pyfutures("diff", *words)
        assert out.count("PAST") == 3
        assert out.endswith("3 dates move, 3 in the past\n")

    def test_roll_windows_move_with_them(self, pyfutures, tmp_path):
        before = write(tmp_path / "before", spec=SPEC + ROLL)
        after = write(tmp_path / "after", spec=SPEC + MOVED + ROLL)
        _, out, _ = pyfutures("diff", before, after, *TODAY)
        assert "! TT  roll_date   2025Z  Sun 2025-12-14 → Sat 2025-12-13  PAST" in out
        assert "~ TT  deadline    2026Z  Fri 2026-12-18 → Thu 2026-12-17" in out
        assert out.endswith("1 in the past; 3 roll windows move, 1 in the past\n")


class TestNothingMoves:
    @pytest.mark.parametrize(
        "spec",
        [
            SPEC.replace("[paper]", "[another paper]"),
            SPEC.replace("root: TT", "# a comment\nroot: TT"),
            SPEC.replace("Test index", "Index of tests"),
            SPEC.replace("{nth: 3, day: friday}", "\n        nth: 3\n        day: friday"),
            SPEC.replace("\n", "\r\n"),
            # Another way to say the same: on Mondays to Fridays a Friday is closed never.
            SPEC.replace("    - if_closed: previous\n", ""),
        ],
    )
    def test_text_alone(self, pyfutures, sides, spec):
        assert pyfutures("diff", *sides(spec=spec), "--exit-code") == (
            0, "Plan: nothing moves\n", "",
        )  # fmt: skip

    def test_a_file_that_moved(self, pyfutures, sides):
        before, after = sides()
        (after / "xoth").mkdir()
        (after / "xtst/TT.yaml").rename(after / "xoth/TT.yaml")
        assert pyfutures("diff", before, after)[1] == "Plan: nothing moves\n"

    def test_markdown_and_json(self, pyfutures, sides):
        words = ("diff", *sides())
        assert "Every date of" in pyfutures(*words, "--format", "markdown")[1]
        assert json.loads(pyfutures(*words, "--format", "json")[1])["roots"] == []


class TestOtherChanges:
    @pytest.mark.parametrize(
        ("old", "new", "line", "code"),
        [
            (
                "multiplier: 50",
                "multiplier: 5",
                "multiplier  1970H to 2026M (226 months)  50 → 5",
                0,
            ),
            ("tick: 0.25", "tick: 0.5", "tick  2026U to 2050Z (98 months)  0.25 → 0.5", 0),
            ("trading_class: TT", "trading_class: TU", "trading_class", 0),
            ("symbol: TT", "symbol: TU", "ib_symbol", 0),
            ("currency: USD", "currency: EUR", "currency  all months  USD → EUR", 0),
            ("listed: HMUZ", "listed: HMZ", "no longer listed", 4),
            ("listed: HMUZ", "listed: HMUXZ", "now listed", 0),
            ("listed: HMUZ", "listed: HMUZ\n  hold: Z", "no longer hold", 4),
        ],
    )
    def test_facts_and_cycles(self, pyfutures, sides, old, new, line, code):
        assert old in SPEC
        found, out, _ = pyfutures(
            "diff", *sides(spec=SPEC.replace(old, new)), *TODAY, "--exit-code"
        )
        assert " ".join(line.split()) in " ".join(out.split())
        assert found == code

    def test_roll_policy(self, pyfutures, tmp_path):
        before = write(tmp_path / "before", spec=SPEC + ROLL)
        after = write(tmp_path / "after", spec=SPEC + ROLL.replace("-5", "-6"))
        _, out, _ = pyfutures("diff", before, after, *TODAY)
        assert "~ TT  roll.offset  all months      -5 → -6" in out
        assert "~ TT  roll_date    2026U           Sun 2026-09-13 → Sat 2026-09-12" in out
        # Those of the past that are nearest are shown, the others counted.
        assert "! TT  roll_date    1970H to 2025H  and 221 more" in out

    def test_forward_and_carry(self, pyfutures, tmp_path):
        before = write(tmp_path / "before", spec=SPEC + ROLL)
        after = write(tmp_path / "after", spec=SPEC + ROLL.replace("carry: 1", "carry: -1"))
        _, out, _ = pyfutures("diff", before, after, *TODAY, "--all")
        assert "~ TT  carry       2026U" in out
        assert "2026Z → 2026M" in out
        assert "roll.carry  all months  1 → -1" in out

    def test_all_months(self, pyfutures, sides):
        words = (*sides(spec=SPEC.replace("nth: 3", "nth: 2")), *TODAY)
        few, every = (pyfutures("diff", *words, *more)[1] for more in ((), ("--all",)))
        assert "! TT  last_trade  2026M           Fri 2026-06-19 → Fri 2026-06-12" in few
        assert len(few.splitlines()) < 14
        assert len(every.splitlines()) == 81 * 4 + 1

    def test_added_and_removed(self, pyfutures, sides):
        before, after = sides()
        write(after, spec=SPEC.replace("TT", "TU"), root="TU")
        code, out, _ = pyfutures("diff", before, after, "--exit-code")
        assert code == 0
        assert out == (
            "+ TU  new root    Test index; lists HMUZ, holds HMUZ\n"
            "Plan: 0 roots change, 1 added, 0 removed; 0 dates move\n"
        )
        code, out, _ = pyfutures("diff", after, before, "--exit-code")
        assert code == 4
        assert out.startswith("- TU  root removed")
        spec = SPEC.replace("TT", "TU").replace("Test index", '"Test\\n| index"')
        write(after, spec=spec, root="TU")
        _, out, _ = pyfutures("diff", before, after, "--format", "markdown")
        assert "| `+` | TU | new root |  | Test \\| index; lists HMUZ, holds HMUZ |" in out

    def test_what_extends_it_moves_too(self, pyfutures, tmp_path):
        child = MODELINE + "schema: 1\nroot: TU\nname: Other\nextends: TT\nib: {symbol: TU}\n"
        folders = [tmp_path / "before", tmp_path / "after"]
        for folder, spec in zip(folders, (SPEC, SPEC + MOVED), strict=True):
            write(folder, spec=spec)
            write(folder, spec=child, root="TU")
        _, out, _ = pyfutures("diff", *folders, *TODAY)
        assert "~ TU  last_trade  2027H  Fri 2027-03-19 → Thu 2027-03-18" in out


class TestCalendars:
    def test_through_the_dates_they_move(self, pyfutures, sides):
        calendar = CALENDAR.replace("remove:\n", "remove:\n  2026-12-18: Founder's day\n")
        _, out, _ = pyfutures("diff", *sides(calendar=calendar), *TODAY)
        assert out == (
            "~ TT  last_trade  2026Z  Fri 2026-12-18 → Thu 2026-12-17\n"
            "~ calendar days: closes 2026-12-18; moves TT\n"
            "Plan: 1 root changes, 0 added, 0 removed; 1 date moves\n"
        )

    def test_a_day_that_no_contract_ends_on(self, pyfutures, sides):
        words = sides(calendar=CALENDAR.replace("2026-01-01: New Year", "2026-05-01: Labour"))
        code, out, _ = pyfutures("diff", *words, "--exit-code")
        assert (code, out.splitlines()[0]) == (
            0,
            "~ calendar days: closes 2026-05-01, opens 2026-01-01; moves nothing",
        )

    def test_joined(self, pyfutures, tmp_path):
        """The calendar of the rule is joined from one that changes."""
        joined = CALENDAR.partition("base:")[0].replace("calendar: days", "calendar: both")
        joined += "all: [days, weekday]\nsources: [paper]\n"
        folders = [tmp_path / "before", tmp_path / "after"]
        closed = CALENDAR.replace("remove:\n", "remove:\n  2026-12-18: Founder's day\n")
        for folder, calendar in zip(folders, (CALENDAR, closed), strict=True):
            write(folder, spec=SPEC.replace("calendar: days", "calendar: both"), calendar=calendar)
            names = {"both": joined, "weekday": CALENDAR.replace("r: days", "r: weekday")}
            for name, text in names.items():
                (folder / f"calendars/{name}.yaml").write_text(text)
        _, out, _ = pyfutures("diff", *folders, *TODAY)
        assert "~ TT  last_trade  2026Z  Fri 2026-12-18 → Thu 2026-12-17" in out
        assert "~ calendar both: closes 2026-12-18; moves TT" in out

    def test_of_the_built_in_catalogue_below_a_root_of_ours(self, pyfutures, tmp_path):
        """ES counts on `us_expiry`; our own calendar of that name moves what extends ES."""
        spec = MODELINE + "schema: 1\nroot: MYES\nname: Ours\nextends: ES\n"
        text = (HERE / "contracts/calendars/us_expiry.yaml").read_text()
        closed = text.replace("sources:", "remove: {2027-03-19: closed}\nsources:", 1)
        folders = [tmp_path / "before", tmp_path / "after"]
        for folder, calendar in zip(folders, (text, closed), strict=True):
            (folder / "calendars").mkdir(parents=True)
            (folder / "xtst").mkdir()
            (folder / "calendars/us_expiry.yaml").write_text(calendar)
            (folder / "xtst/MYES.yaml").write_text(spec)
        _, out, _ = pyfutures("diff", *folders, *TODAY)
        assert "MYES  last_trade  2027H  Fri 2027-03-19 → Thu 2027-03-18" in out


class TestSides:
    def test_revision_against_the_folder_here(self, pyfutures, repository):
        write(repository / "contracts", spec=SPEC + MOVED)
        code, out, _ = pyfutures("diff", "HEAD", *TODAY, "--exit-code")
        assert (code, out.count("→")) == (4, 3)

    def test_two_revisions(self, pyfutures, repository):
        write(repository / "contracts", spec=SPEC + MOVED)
        git(repository, "commit", "-q", "-a", "-m", "second")
        assert pyfutures("diff", "HEAD~1", "main", *TODAY)[1].count("→") == 3
        assert pyfutures("diff", "main", "HEAD~1", *TODAY)[1].count("→") == 3
        assert pyfutures("diff", "main")[1] == "Plan: nothing moves\n"

    # The folder we stand in, below the repository; where contracts lie, as seen from there.
    @pytest.mark.parametrize(
        ("place", "path"),
        [
            ("contracts", "."),
            ("contracts/xtst", ".."),
            ("other", "../contracts"),
            (".", "./contracts/"),
            (".", "{top}/contracts"),
            ("other", "{top}/contracts"),
            ("linked", "{top}/linked/../contracts"),
        ],
    )
    def test_where_contracts_lie(self, pyfutures, repository, monkeypatch, place, path):
        write(repository / "contracts", spec=SPEC + MOVED)
        (repository / "other").mkdir()
        (repository / "linked").symlink_to("other")
        monkeypatch.chdir(repository / place)
        words = ["diff", "HEAD", "--path", path.format(top=repository), *TODAY, "--exit-code"]
        code, out, err = pyfutures(*words)
        assert (code, err) == (4, "")
        assert "3 dates move, 1 in the past" in out

    @pytest.mark.usefixtures("repository")
    def test_outside_the_repository(self, pyfutures):
        code, _, err = pyfutures("diff", "HEAD", "HEAD", "--path", "../elsewhere")
        assert code == 2
        assert "lies outside the repository" in err

    def test_from_a_folder_below(self, pyfutures, repository, monkeypatch):
        (repository / "mine").mkdir()
        shutil.move(repository / "contracts", repository / "mine/specs")
        git(repository, "add", ".")
        git(repository, "commit", "-q", "-m", "moved")
        write(repository / "mine/specs", spec=SPEC + MOVED)
        for folder, place in ((".", "mine/specs"), ("mine", "specs")):
            monkeypatch.chdir(repository / folder)
            assert pyfutures("diff", "HEAD", "--path", place, *TODAY)[1].count("→") == 3
            # A folder of our own specs is the one that is meant.
            assert pyfutures("--contracts", place, "diff", "HEAD", *TODAY)[1].count("→") == 3

    def test_checkouts(self, pyfutures, tmp_path):
        write(tmp_path / "one/contracts")
        write(tmp_path / "two/contracts", spec=SPEC + MOVED)
        assert pyfutures("diff", tmp_path / "one", tmp_path / "two", *TODAY)[1].count("→") == 3

    def test_wheel(self, pyfutures, sides, tmp_path):
        before, after = sides(spec=SPEC + MOVED)
        wheel = tmp_path / "pyfutures-9.9.9-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr("pyfutures/__init__.py", "")
            for path in before.rglob("*.yaml"):
                name = path.relative_to(before).as_posix()
                archive.write(path, f"pyfutures/_data/contracts/{name}")
        assert pyfutures("diff", wheel, after, *TODAY)[1].count("→") == 3

    def test_the_catalogue_itself(self, pyfutures, tmp_path):
        """Copied and with one rule changed; nothing else of 300 roots is told."""
        shutil.copytree(HERE / "contracts", tmp_path / "contracts")
        spec = tmp_path / "contracts/xnym/CL.yaml"
        spec.write_text(spec.read_text().replace("business_days: -3", "business_days: -4"))
        _, out, _ = pyfutures("diff", HERE / "contracts", tmp_path, *TODAY)
        assert "~ CL  last_trade    2026U           Thu 2026-08-20 → Wed 2026-08-19" in out
        assert {line.split()[1] for line in out.splitlines()[:-1]} == {"CL"}

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["nowhere"], "`nowhere` is no folder, no wheel and no git revision here"),
            (["HEAD", "HEAD", "--path", "elsewhere"], "`HEAD` has no folder `elsewhere`"),
            (["--", "--output=x"], "`--output=x` is no git revision"),
            (["empty"], "`empty` has no contracts, neither in itself nor in `contracts`"),
            (["contracts/xtst/TT.yaml"], "is neither a folder nor a wheel"),
            (["other.zip"], "carries no contracts"),
        ],
    )
    def test_wrong_usage(self, pyfutures, repository, words, said):
        (repository / "empty").mkdir()
        with zipfile.ZipFile(repository / "other.zip", "w") as archive:
            archive.writestr("readme", "")
        code, _, err = pyfutures("diff", *words)
        assert (code, said in err) == (2, True), err

    def test_no_folder_here(self, pyfutures, repository, monkeypatch):
        (repository / "below").mkdir()
        monkeypatch.chdir(repository / "below")
        code, _, err = pyfutures("diff", "HEAD")
        assert (code, "there is no folder `contracts` here: name it with --path" in err) == (
            2,
            True,
        )

    def test_what_is_left_out_of_releases(self, pyfutures, repository):
        """As `git archive` leaves it out, all of it or some: every root would be a new one."""
        for pattern in ("contracts", "contracts/xtst/TT.yaml"):
            (repository / ".gitattributes").write_text(f"{pattern} export-ignore\n")
            git(repository, "add", ".gitattributes")
            git(repository, "commit", "-q", "-m", "not in releases")
            write(repository / "contracts", spec=SPEC + MOVED)
            code, out, err = pyfutures("diff", "HEAD", *TODAY, "--exit-code")
            assert (code, out.count("→"), err) == (4, 3, "")
            assert "new root" not in out

    def test_the_index_stays(self, pyfutures, repository):
        """What is staged is seen in the folder, and stays staged."""
        write(repository / "contracts", spec=SPEC + MOVED)
        git(repository, "add", ".")
        index = (repository / ".git/index").read_bytes()
        assert pyfutures("diff", "HEAD", *TODAY)[1].count("→") == 3
        assert (repository / ".git/index").read_bytes() == index

    def test_line_ends_of_a_checkout(self, repository):
        git(repository, "config", "core.autocrlf", "true")
        shutil.rmtree(repository / "contracts")
        git(repository, "checkout", "-q", ".")
        assert b"\r\n" in (repository / "contracts/xtst/TT.yaml").read_bytes()
        with opened("HEAD") as old, opened("contracts") as new:
            assert differing(old, new) == (frozenset(), frozenset(), frozenset())

    @pytest.mark.parametrize("place", ["bare.git", "work/.git", "linked"])
    def test_repositories_of_other_forms(self, pyfutures, repository, monkeypatch, place):
        """A bare one has no folder here, a linked one its revisions elsewhere."""
        write(repository / "contracts", spec=SPEC + MOVED)
        git(repository, "commit", "-q", "-a", "-m", "second")
        git(repository, "clone", "-q", "--bare", ".", "bare.git")
        git(repository, "clone", "-q", ".", "work")
        git(repository, "worktree", "add", "-q", "linked", "HEAD~1")
        monkeypatch.chdir(repository / place)
        code, out, err = pyfutures("diff", "main~1", "main", *TODAY)
        assert (code, out.count("→"), err) == (0, 3, "")

    def test_a_submodule(self, pyfutures, repository, tmp_path_factory, monkeypatch):
        """A revision has none of its files: that is not a folder without roots."""
        outer = tmp_path_factory.mktemp("outer")
        git(outer, "init", "-q", "-b", "main")
        add = ("submodule", "add", "-q", str(repository), "specs")
        git(outer, "-c", "protocol.file.allow=always", *add)
        git(outer, "commit", "-q", "-m", "first")
        monkeypatch.chdir(outer)
        code, out, err = pyfutures("diff", "HEAD", "--path", "specs/contracts")
        assert (code, out, "has no folder `specs/contracts`" in err) == (2, "", True)
        code, out, err = pyfutures("diff", "HEAD", "--path", "specs")
        assert (code, out, "`specs` is a submodule" in err) == (2, "", True)
        monkeypatch.chdir("specs")
        assert pyfutures("diff", "HEAD")[:2] == (0, "Plan: nothing moves\n")

    @pytest.mark.parametrize(
        ("link", "target", "said"),
        [
            ("contracts/xtst/TU.yaml", "../../TU.yaml", "is a link to `../../TU.yaml`, outside"),
            ("contracts/xoth", "../other/xtst", "`xoth` is a link to a folder"),
            ("specs", "contracts", "`specs` is a link: compare folders"),
        ],
    )
    def test_links_that_lead_outside(self, pyfutures, repository, link, target, said):
        write(repository / "other", root="TU")
        (repository / "TU.yaml").write_text(SPEC.replace("TT", "TU"))
        (repository / link).symlink_to(target)
        git(repository, "add", ".")
        git(repository, "commit", "-q", "-m", "linked")
        path = "specs" if link == "specs" else "contracts"
        code, out, err = pyfutures("diff", "HEAD", "--path", path)
        assert (code, out, said in err) == (2, "", True), err

    def test_links_that_stay_inside(self, pyfutures, repository):
        (repository / "contracts/elsewhere").symlink_to("../lost")
        (repository / "contracts/notes").symlink_to("../others")
        (repository / "others").mkdir()
        (repository / "others/notes.txt").write_text("no spec")
        (repository / "contracts/parts").mkdir()
        spec = repository / "contracts/xtst/TT.yaml"
        spec.rename(repository / "contracts/parts/TT.txt")
        spec.symlink_to("../parts/TT.txt")
        git(repository, "add", ".")
        git(repository, "commit", "-q", "-m", "linked")
        (repository / "contracts/parts/TT.txt").write_text(SPEC + MOVED)
        assert pyfutures("diff", "HEAD", *TODAY)[1].count("→") == 3

    def test_a_branch_that_is_called_as_a_folder(self, pyfutures, repository):
        (repository / "docs").mkdir()
        git(repository, "branch", "docs")
        code, _, err = pyfutures("diff", "docs")
        assert (code, "for the git revision write refs/heads/docs" in err) == (2, True), err
        assert pyfutures("diff", "refs/heads/docs")[:2] == (0, "Plan: nothing moves\n")

    @pytest.mark.parametrize("name", ["mes contrats ñ", ":(top) [a]*", "-x"])
    def test_spaces_and_other_letters(self, pyfutures, repository, name):
        (repository / "contracts").rename(repository / name)
        git(repository, "add", ".")
        git(repository, "commit", "-q", "-m", "moved")
        write(repository / name, spec=SPEC + MOVED)
        words = ("diff", "HEAD", f"--path={name}", *TODAY)
        assert pyfutures(*words)[1].count("→") == 3

    def test_a_wheel_that_is_damaged(self, pyfutures, sides, tmp_path):
        _, after = sides()
        wheel = tmp_path / "bad.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr("pyfutures/_data/contracts/xtst/TT.yaml", SPEC)
        wheel.write_bytes(wheel.read_bytes().replace(b"Test index", b"Tset index", 1))
        code, _, err = pyfutures("diff", wheel, after)
        assert (code, "cannot be read: Bad CRC-32" in err) == (2, True), err

    def test_outside_of_git(self, pyfutures, tmp_path, monkeypatch):
        write(tmp_path / "contracts")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
        code, _, err = pyfutures("diff", "main")
        assert (code, "no git revision here" in err) == (2, True)

    def test_a_wheel_cannot_write_elsewhere(self, pyfutures, sides, tmp_path):
        _, after = sides()
        wheel = tmp_path / "bad.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr("pyfutures/_data/contracts/../../../out.yaml", "x")
        code, _, err = pyfutures("diff", wheel, after)
        assert (code, "outside its folder" in err) == (2, True)


class TestErrors:
    def test_after(self, pyfutures, repository):
        write(repository / "contracts", spec=SPEC.replace("multiplier", "multiplyer"))
        code, out, err = pyfutures("diff", "HEAD", "--format", "markdown")
        assert (code, out) == (1, "")
        assert "contracts/xtst/TT.yaml:7:1: error[PF101]" in err
        assert "7 | multiplyer: 50" in err
        assert "contracts: Found 1 error in 1 of 1 file" in err

    def test_before(self, pyfutures, repository):
        write(repository / "contracts", spec=SPEC.replace("multiplier", "multiplyer"))
        git(repository, "commit", "-q", "-a", "-m", "broken")
        write(repository / "contracts")
        code, out, err = pyfutures("diff", "HEAD", "--exit-code")
        assert (code, out) == (1, "")
        # The file is named as git has it, with its line.
        assert "HEAD:contracts/xtst/TT.yaml:7:1: error[PF101]" in err
        assert "7 | multiplyer: 50" in err
        assert "pyfutures-" not in err

    def test_both(self, pyfutures, sides):
        before, after = sides(spec=SPEC.replace("tick", "tik"))
        write(before, spec=SPEC.replace("tick", "tck"))
        code, _, err = pyfutures("diff", before, after)
        assert code == 1
        assert f"{before}: Found 1 error" in err
        assert f"{after}: Found 1 error" in err
