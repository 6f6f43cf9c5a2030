"""README.md, .ci/run and the documents agree with one another and with the command line."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

import readme
from readme import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("examples/*.md")])


def page_name(path):
    return path.relative_to(ROOT).as_posix()


def test_ci_runs_the_tests_command_of_the_readme(tmp_path):
    """With tools that only say what they are asked: README's line, in its two halves."""
    (tmp_path / "bin").mkdir()
    for tool in (
        "git",
        "chromium",
        "dot",
        "apt-get",
        "ruff",
        "mypy",
        "lint-imports",
        "pytest",
        "pip",
    ):
        stub = tmp_path / "bin" / tool
        stub.write_text(f'#!/bin/sh\necho "{tool} $*" >>"$SAID"\n')
        stub.chmod(0o755)
    repo = tmp_path / "repo"
    (repo / ".ci").mkdir(parents=True)
    (repo / ".ci" / "run").write_bytes((ROOT / ".ci" / "run").read_bytes())
    (repo / "README.md").write_bytes((ROOT / "README.md").read_bytes())
    stub = tmp_path / "bin" / "python3"
    stub.write_text(
        '#!/bin/sh\necho "python3 $*" >>"$SAID"\n'
        'case "$*" in "-m venv "*) mkdir -p "$3/bin"; : >"$3/bin/activate";; esac\n'
    )
    stub.chmod(0o755)
    said = tmp_path / "said"
    env = {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin", "SAID": str(said)}
    subprocess.run(["bash", ".ci/run"], cwd=repo, env=env, check=True)
    lines = [line for line in said.read_text().splitlines() if "ensurepip" not in line]
    lines = [line for line in lines if line != "git --version"]
    asked = [step for step in readme.command("tests").split(" && ") if not step.startswith(". ")]
    asked = [step.replace("'", "") for step in asked]
    linters = ["ruff check", "ruff format --check", "mypy", "lint-imports"]
    assert [line.strip() for line in lines] == [*asked[:-1], *linters, asked[-1]]


@pytest.mark.parametrize("name", ["demo", "tests"])
def test_each_command_begins_on_a_fresh_machine(name):
    assert readme.command(name).startswith("python3 -m venv .venv && . .venv/bin/activate && ")


@pytest.mark.parametrize("path", PAGES, ids=page_name)
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (path.parent / target).exists(), f"{page_name(path)}: {target}"


def test_the_reference_is_what_the_command_line_says(tmp_path):
    made = ROOT / "docs" / "reference"
    env = {**os.environ, "COLUMNS": "80"}
    subprocess.run([sys.executable, made / "generate.py", tmp_path], env=env, check=True)
    fresh = {path.name: path.read_text() for path in tmp_path.iterdir()}
    kept = {path.name: path.read_text() for path in (made / "cli").iterdir()}
    stale = sorted(name for name in fresh.keys() | kept.keys() if fresh.get(name) != kept.get(name))
    assert not stale, f"run `python docs/reference/generate.py`: {stale} are not current"


@pytest.mark.parametrize("path", PAGES, ids=page_name)
def test_commands_in_the_documents_exist(path):
    import click

    from mlctl.cli._app import root_command

    root = root_command()
    context = click.Context(root, info_name="mlctl")
    text = path.read_text(encoding="utf-8")
    blocks = re.findall(r"```(?:sh|console|yaml)\n(.*?)```", text, re.DOTALL)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    inline = re.findall(r"`(mlctl [^`\n]+)`", text)
    words = [
        re.findall(r"(?:^|\$ |&& |run: )mlctl ([a-z][a-z-]*)\b", line) for line in [*lines, *inline]
    ]
    unknown = {verb for found in words for verb in found} - set(root.list_commands(context))
    assert not unknown, f"{page_name(path)}: no such verb {sorted(unknown)}"


def test_every_decision_and_format_is_listed():
    for folder in ("adr", "formats"):
        index = (ROOT / "docs" / folder / "index.md").read_text(encoding="utf-8")
        pages = {path.name for path in (ROOT / "docs" / folder).glob("*.md")} - {"index.md"}
        assert not {page for page in pages if f"({page})" not in index}


def test_every_json_document_is_described():
    verbs = ROOT / "src" / "mlctl" / "cli"
    sources = [path.read_text(encoding="utf-8") for path in verbs.rglob("*.py")]
    printed = {name for text in sources for name in re.findall(r'print_json\(\s*"([^"]+)"', text)}
    page = (ROOT / "docs" / "reference" / "json.md").read_text(encoding="utf-8")
    assert printed
    assert not {name for name in printed if not re.search(rf"`mlctl\.{name}/[0-9]+`", page)}
