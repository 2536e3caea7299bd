"""Every block of the README is executed.

``yaml`` blocks with a first comment line naming a file are written to that file; ``console`` blocks
are run, and what they show must be what the commands print; ``python`` blocks are run as files.
``sh`` blocks would start this very suite or an install: their commands must exist.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [(m[1], m[2]) for m in BLOCK.finditer((ROOT / "README.md").read_text(encoding="utf-8"))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A user's folder with the files that the README tells to write."""
    home = tmp_path_factory.mktemp("readme")
    for kind, text in BLOCKS:
        name = re.match(r"# (\S+\.(?:ya?ml|py))\n", text)
        if kind in {"yaml", "python"} and name:
            path = home / name[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text[name.end() :], encoding="utf-8")
    return home


def run(command, folder):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command,
        shell=True,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PATH": path, "NO_COLOR": "1"},
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def console_blocks():
    for kind, text in BLOCKS:
        if kind == "console":
            yield from (
                part for part in re.split(r"^\$ ", text, flags=re.MULTILINE) if part.strip()
            )


@pytest.mark.parametrize("part", list(console_blocks()), ids=lambda part: part.split("\n")[0])
def test_console(part, folder):
    command, _, shown = part.partition("\n")
    printed = run(command, folder)
    if shown.strip():
        assert [line.rstrip() for line in printed.splitlines()] == shown.rstrip().splitlines()


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [text for kind, text in BLOCKS if kind == "python"],
    ids=lambda text: text.split("\n")[0],
)
def test_python(text, folder):
    (folder / "block.py").write_text(text, encoding="utf-8")
    run(f"{shlex.quote(sys.executable)} block.py", folder)


def test_commands_of_sh_blocks_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for kind, text in BLOCKS:
        if kind == "sh":
            for line in text.splitlines():
                words = shlex.split(line, comments=True)
                if words[:1] == ["make"]:
                    assert words[1] in targets, line
                elif words:
                    assert words[0] in {"pip", "git", "cd"}, line


def test_workflow_is_yaml_and_its_commands_run(folder):
    for kind, text in BLOCKS:
        document = yaml.safe_load(text) if kind == "yaml" else None
        if isinstance(document, dict) and "jobs" in document:
            steps = [step for job in document["jobs"].values() for step in job["steps"]]
            commands = [
                step["run"] for step in steps if step.get("run", "").startswith("pyfutures")
            ]
            assert commands
            for command in commands:
                run(command, folder)
            return
    pytest.fail("the README shows no workflow")


def test_every_block_has_a_kind():
    assert {kind for kind, _ in BLOCKS} <= {"console", "python", "sh", "text", "yaml"}
