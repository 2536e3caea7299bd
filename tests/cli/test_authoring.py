"""The newcomer's path of docs/authoring.md, walked from top to bottom in an empty folder.

``yaml`` blocks that name a file in their first line are written to it; ``console`` blocks are run,
and what they show must be what the commands print. ``python -m tests.cli.test_authoring`` writes
what they print into the page.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parents[2]
PAGE = HERE / "docs/authoring.md"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAME = re.compile(r"# (\S+\.ya?ml)\n")


def run(command, folder):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    names = ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL")
    env = {**os.environ, "PATH": path, "NO_COLOR": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    env |= dict.fromkeys(names, "ann@example.com")
    env.pop("GITHUB_ACTIONS", None)
    done = subprocess.run(
        command, shell=True, cwd=folder, capture_output=True, text=True, check=False, env=env
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def walk(text, folder):
    """Each console block of the page with what it should have been."""
    subprocess.run(["git", "init", "-q", "-b", "main", str(folder)], check=True)
    for match in BLOCK.finditer(text):
        kind, body = match.groups()
        name = NAME.match(body)
        if kind == "yaml" and name:
            path = folder / name[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(body[name.end() :], encoding="utf-8")
        elif kind == "console":
            said = ""
            for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
                command = part.split("\n", 1)[0]
                said += f"$ {command}\n{run(command, folder)}"
            yield body, said


def test_the_newcomers_path(tmp_path):
    shown = list(walk(PAGE.read_text(encoding="utf-8"), tmp_path))
    assert len(shown) >= 8
    for body, said in shown:
        assert said == body
    assert (tmp_path / "futures.html").stat().st_size > 20_000


def test_the_workflow_is_that_of_the_examples():
    blocks = [body for kind, body in BLOCK.findall(PAGE.read_text()) if kind == "yaml"]
    shown = yaml.safe_load(next(body for body in blocks if "runs-on" in body))
    example = yaml.safe_load((HERE / "docs/examples/specs.yml").read_text())
    for key in ("permissions", "jobs"):
        assert shown[key] == example[key]


def test_what_it_links_to_is_there():
    for target in re.findall(r"\]\((?!http)([^)#]+)", PAGE.read_text()):
        path = HERE / "docs" / target
        assert path.is_file(), target
        assert path.suffix != ".png" or 10_000 < path.stat().st_size < 300_000


def update():
    text = PAGE.read_text(encoding="utf-8")
    folder = Path(tempfile.mkdtemp())
    for body, said in walk(text, folder):
        text = text.replace(f"```console\n{body}```", f"```console\n{said}```")
    PAGE.write_text(text, encoding="utf-8")
    shutil.rmtree(folder)


if __name__ == "__main__":
    update()
