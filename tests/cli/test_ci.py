"""What runs in the CI of others: the hooks of pre-commit and the action of GitHub."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

HERE = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
HOOKS = yaml.safe_load((HERE / ".pre-commit-hooks.yaml").read_text())
ACTION = yaml.safe_load((HERE / "action.yml").read_text())
SPEC = """# yaml-language-server: $schema=../../schemas/contract.schema.json
schema: 1
root: TT
name: Test index
exchange: XTST
currency: USD
multiplier: 50
tick: 0.25
settlement: cash
sources: [paper]
months: {listed: HMUZ}
last_trade:
  calendar: us_expiry
  rule:
    - weekday: {nth: 3, day: friday}
    - if_closed: previous
"""
MOVED = SPEC + "  dates: {2025Z: 2025-12-18, 2040Z: 2040-12-20}\n"


def environment(**more):
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    names = ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL")
    return {
        "PATH": path, "HOME": os.environ["HOME"], "NO_COLOR": "1",
        "GIT_CONFIG_GLOBAL": os.devnull, **dict.fromkeys(names, "ann@example.com"), **more,
    }  # fmt: skip


def git(folder, *words):
    done = subprocess.run(
        ["git", "-C", str(folder), *words],
        env=environment(), check=True, capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path):
    """Somebody's repository with a spec, and its origin."""
    folder = tmp_path / "work"
    (folder / "contracts/xtst").mkdir(parents=True)
    (folder / "contracts/xtst/TT.yaml").write_text(SPEC)
    shutil.copytree(HERE / "schemas", folder / "schemas")
    git(tmp_path, "init", "-q", "-b", "main", str(folder))
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    git(tmp_path, "clone", "-q", "--bare", str(folder), str(tmp_path / "origin.git"))
    git(folder, "remote", "add", "origin", f"file://{tmp_path / 'origin.git'}")
    return folder


class TestPreCommit:
    """The hooks as pre-commit runs them, with the pyfutures that is here in place of a new one."""

    @pytest.fixture
    def pre_commit(self, repository, tmp_path):
        own = [{**hook, "language": "system"} for hook in HOOKS]
        for hook in own:
            hook.pop("minimum_pre_commit_version")
        config = {"repos": [{"repo": "local", "hooks": own}]}
        (repository / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))

        def call(*words):
            done = subprocess.run(
                [BIN / "pre-commit", *words],
                cwd=repository, capture_output=True, text=True, check=False,
                env=environment(PRE_COMMIT_HOME=str(tmp_path / "cache")),
            )  # fmt: skip
            return done.returncode, done.stdout + done.stderr

        return call

    def test_manifest(self, pre_commit):
        assert pre_commit("validate-manifest", str(HERE / ".pre-commit-hooks.yaml")) == (0, "")
        # pre-commit installs this repository into an environment of the hook: not the platform.
        project = tomllib.loads((HERE / "pyproject.toml").read_text())["project"]
        assert not any("nautilus" in need for need in project["dependencies"])

    def test_clean(self, pre_commit, repository):
        git(repository, "add", ".")
        code, out = pre_commit("run", "--all-files")
        assert code == 0, out
        assert out.count("Passed") == 2

    def test_a_fault(self, pre_commit, repository):
        (repository / "contracts/xtst/TT.yaml").write_text(SPEC.replace("tick:", "tik:"))
        git(repository, "add", ".")
        code, out = pre_commit("run")
        assert code == 1
        assert out.count("contracts/xtst/TT.yaml:8:1: error[PF101]") == 2

    def test_other_files_are_not_looked_at(self, pre_commit, repository):
        (repository / "compose.yaml").write_text("root: [\n")
        git(repository, "add", "compose.yaml")
        code, out = pre_commit("run")
        assert (code, out.count("(no files to check)Skipped")) == (0, 2)


# --- the action: a small runner of its steps, in a real bash


class Runner:
    """Runs the `run` steps of the action; pip and gh are stand-ins that write down their words."""

    def __init__(self, folder, tmp_path, *, event="pull_request", comments="", refuses=False):
        self.folder, self.tmp_path, self.event = folder, tmp_path, event
        self.bin = tmp_path / "bin"
        self.bin.mkdir()
        self.gh = tmp_path / "gh.txt"
        self._tool("python", f'echo "$@" >>{tmp_path}/pip.txt')
        self._tool(
            "gh",
            f'echo "$@" >>{self.gh}\n'
            + ("exit 1\n" if refuses else f'case "$*" in *--paginate*) echo "{comments}";; esac'),
        )
        for name in ("summary", "output"):
            (tmp_path / name).write_text("")
        self.outputs = {}
        self.ran = []
        self.said = ""

    def _tool(self, name, body):
        path = self.bin / name
        path.write_text(f"#!/usr/bin/env bash\n{body}\n")
        path.chmod(0o755)

    def run(self, base, **given):
        inputs = {name: str(item["default"]) for name, item in ACTION["inputs"].items()} | given
        values = {f"inputs.{name}": value for name, value in inputs.items()}
        values |= {
            "github.action_path": str(HERE),
            "github.token": "a token",
            "github.event_name": self.event,
            "github.event.pull_request.base.sha": base,
            "github.event.pull_request.number": "7",
        }
        for step in ACTION["runs"]["steps"]:
            values |= {f"steps.plan.outputs.{k}": v for k, v in self.outputs.items()}
            if "run" not in step or not holds(step.get("if"), values):
                continue
            assert step["shell"] == "bash"
            self.ran.append(step["name"])
            code = self._step(step, values)
            if code:
                return code
        return 0

    def _step(self, step, values):
        script = self.tmp_path / "step.sh"
        script.write_text(step["run"])
        own = {name: filled(value, values) for name, value in step.get("env", {}).items()}
        files = {"GITHUB_STEP_SUMMARY": "summary", "GITHUB_OUTPUT": "output"}
        paths = {name: str(self.tmp_path / file) for name, file in files.items()}
        env = environment(
            RUNNER_TEMP=str(self.tmp_path), GITHUB_ACTIONS="true",
            GITHUB_REPOSITORY="ann/specs", **paths, **own,
        )  # fmt: skip
        env["PATH"] = f"{self.bin}{os.pathsep}{env['PATH']}"
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=self.folder, env=env, capture_output=True, text=True, check=False,
        )  # fmt: skip
        self.said += done.stdout + done.stderr
        lines = (self.tmp_path / "output").read_text().splitlines()
        self.outputs = dict(line.split("=", 1) for line in lines)
        return done.returncode

    @property
    def summary(self):
        return (self.tmp_path / "summary").read_text()

    @property
    def asked(self):
        return self.gh.read_text().splitlines() if self.gh.exists() else []


def filled(text, values):
    """The expressions of GitHub that the action uses: a name, or the first that is not empty."""

    def value(match):
        names = [name.strip() for name in match[1].split("||")]
        return next((values.get(name, "") for name in names if values.get(name)), "")

    return re.sub(r"\$\{\{(.*?)\}\}", value, text)


def holds(condition, values):
    """Whether an `if` of the action holds: comparisons with a text, joined by `&&`."""
    if condition is None:
        return True
    for part in condition.split("&&"):
        name, sign, text = re.fullmatch(r"\s*(\S+) (==|!=) '(.*)'\s*", part).groups()
        if (values.get(name, "") == text) is not (sign == "=="):
            return False
    return True


class TestAction:
    @pytest.fixture
    def base(self, repository):
        return git(repository, "rev-parse", "HEAD")

    @pytest.fixture
    def moved(self, repository):
        (repository / "contracts/xtst/TT.yaml").write_text(MOVED)

    @pytest.mark.usefixtures("moved")
    def test_validates_and_comments_the_plan(self, repository, tmp_path, base):
        runner = Runner(repository, tmp_path)
        assert runner.run(base) == 0, runner.said
        assert runner.ran == ["Install", "Validate", "Plan", "Comment"]
        assert (tmp_path / "pip.txt").read_text().split()[-1] == str(HERE)
        assert "2 dates move, 1 in the past" in runner.summary
        assert "| **TT** | last_trade | 2025Z |" in runner.summary
        assert runner.outputs["moves"] == "true"
        plan = runner.outputs["plan"]
        assert Path(plan).read_text() == runner.summary
        assert runner.asked[-1] == (
            f"api --silent --method POST repos/ann/specs/issues/7/comments -F body=@{plan}"
        )

    @pytest.mark.usefixtures("moved")
    def test_writes_its_comment_anew(self, repository, tmp_path, base):
        runner = Runner(repository, tmp_path, comments="4711")
        assert runner.run(base) == 0, runner.said
        first, second = runner.asked
        assert 'startswith("<!-- pyfutures diff -->")' in first
        assert "--method PATCH repos/ann/specs/issues/comments/4711" in second

    @pytest.mark.usefixtures("moved")
    def test_a_token_that_only_reads(self, repository, tmp_path, base):
        runner = Runner(repository, tmp_path, refuses=True)
        assert runner.run(base) == 0
        assert "::warning title=pyfutures::the plan could not be commented" in runner.said

    def test_faults_are_annotations(self, repository, tmp_path, base):
        (repository / "contracts/xtst/TT.yaml").write_text(SPEC.replace("tick:", "tik:"))
        runner = Runner(repository, tmp_path)
        assert runner.run(base) == 1
        assert re.search(r"::error file=contracts/xtst/TT.yaml,line=8,.*PF101", runner.said)
        assert runner.ran == ["Install", "Validate"]

    def test_strict(self, repository, tmp_path, base):
        shutil.rmtree(repository / "schemas")  # the schema line leads nowhere: a warning
        runner = Runner(repository, tmp_path)
        assert runner.run(base, strict="true") == 1
        assert "PF002" in runner.said

    @pytest.mark.usefixtures("moved")
    def test_fails_on_moves(self, repository, tmp_path, base):
        runner = Runner(repository, tmp_path)
        assert runner.run(base, **{"fail-on-moves": "true", "comment": "false"}) == 4
        assert runner.ran[-1] == "Moves"
        assert runner.asked == []

    def test_nothing_moves(self, repository, tmp_path, base):
        runner = Runner(repository, tmp_path)
        assert runner.run(base, **{"fail-on-moves": "true"}) == 0
        assert runner.outputs["moves"] == "false"
        assert "Plan: nothing moves" in runner.summary

    def test_a_push_has_no_base(self, repository, tmp_path):
        runner = Runner(repository, tmp_path, event="push")
        assert runner.run("") == 0
        assert (runner.outputs, runner.summary) == ({}, "")

    def test_the_first_specs_of_a_repository(self, repository, tmp_path):
        """Nothing to compare with: the base has no such folder; a folder that nobody has fails."""
        git(repository, "mv", "contracts", "specs")
        git(repository, "commit", "-q", "-m", "moved")
        before = git(repository, "rev-parse", "HEAD")
        git(repository, "mv", "specs", "contracts")
        git(repository, "commit", "-q", "-m", "first")
        runner = Runner(repository, tmp_path)
        assert runner.run(before) == 0, runner.said
        assert "the base has no contracts, so no date can move" in runner.said
        assert (runner.ran, runner.outputs) == (["Install", "Validate", "Plan"], {})
        assert runner.run(before, contracts="lost") == 2

    @pytest.mark.usefixtures("moved")
    @pytest.mark.parametrize(
        "place", [".", "./contracts/", "contracts/../contracts", "{folder}/contracts"]
    )
    def test_however_the_folder_is_named(self, repository, tmp_path, base, place):
        folder = repository / "contracts" if place == "." else repository
        runner = Runner(folder, tmp_path)
        named = {"contracts": place.format(folder=repository), "fail-on-moves": "true"}
        assert runner.run(base, **named) == 4, runner.said
        assert "2 dates move, 1 in the past" in runner.summary

    def test_mends_a_base_with_faults(self, repository, tmp_path):
        """Else no pull request could make it right."""
        spec = repository / "contracts/xtst/TT.yaml"
        right = spec.read_text()
        spec.write_text(right.replace("tick:", "tik:"))
        git(repository, "commit", "-q", "-a", "-m", "broken")
        broken = git(repository, "rev-parse", "HEAD")
        spec.write_text(right)
        runner = Runner(repository, tmp_path)
        assert runner.run(broken) == 0, runner.said
        assert "::warning title=pyfutures::the base has faults" in runner.said
        assert f"{broken}:contracts/xtst/TT.yaml:8:1: error[PF101]" in runner.said
        assert (runner.ran, runner.outputs) == (["Install", "Validate", "Plan"], {})

    def test_a_shallow_clone_fetches_the_base(self, repository, tmp_path, base):
        git(repository, "checkout", "-q", "-b", "change")
        (repository / "contracts/xtst/TT.yaml").write_text(MOVED)
        git(repository, "commit", "-q", "-a", "-m", "second")
        git(repository, "push", "-q", "origin", "change")
        shallow = tmp_path / "shallow"
        git(tmp_path, "clone", "-q", "--depth=1", "-b", "change",
            f"file://{tmp_path / 'origin.git'}", str(shallow))  # fmt: skip
        for wanted in (base, "main"):
            inner = tmp_path / f"of-{wanted[:4]}"
            inner.mkdir()
            runner = Runner(shallow, inner)
            assert runner.run(wanted) == 0, runner.said
            assert "2 dates move, 1 in the past" in runner.summary

    def test_what_is_declared_is_used(self):
        """No input without a use, no use of an input that is not declared."""
        text = (HERE / "action.yml").read_text()
        assert set(re.findall(r"inputs\.([a-z-]+)", text)) == set(ACTION["inputs"])
        assert ACTION["runs"]["using"] == "composite"


class TestExamples:
    def test_workflow(self):
        text = (HERE / "docs/examples/specs.yml").read_text()
        job = yaml.safe_load(text)["jobs"]["specs"]
        step = next(step for step in job["steps"] if step["uses"] == "./")
        assert set(step["with"]) <= set(ACTION["inputs"])
        assert yaml.safe_load(text)["permissions"]["pull-requests"] == "write"

    def test_pre_commit_config(self):
        (repo,) = yaml.safe_load((HERE / "docs/examples/pre-commit-config.yaml").read_text())[
            "repos"
        ]
        assert [hook["id"] for hook in repo["hooks"]] == [hook["id"] for hook in HOOKS]
