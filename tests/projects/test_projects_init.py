from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mlctl.adapters import yaml
from mlctl.errors import InvalidInput
from mlctl.projects.init import ANSWERS, SETTINGS, start


def contents(root: Path) -> dict[str, bytes]:
    files = (path for path in root.rglob("*") if path.is_file() and ".git" not in path.parts)
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


def records(root: Path) -> object:
    return yaml.load((root / SETTINGS).read_text(), name=SETTINGS)["records"]["commit"]


def test_a_missing_folder_becomes_a_committed_project(run, tmp_path):
    started = start(tmp_path / "a" / "new", template="tabular")
    root = tmp_path / "a" / "new"
    assert started.git_made
    assert started.dvc_made
    assert not started.kept
    assert started.next[0] == "mlctl data import sklearn:breast_cancer data/raw.csv"
    assert run("git", "status", "--porcelain", cwd=root).stdout == ""
    assert run("git", "rev-parse", "HEAD", cwd=root).stdout.strip() == started.commit
    tracked = run("git", "ls-files", cwd=root).stdout.split()
    assert sorted(tracked) == sorted(started.added) == sorted(contents_without_dvc_tmp(root))
    assert records(root) == "auto"
    assert run("git", "log", "--format=%an", cwd=root).stdout.strip() == "mlctl"
    assert ["git does not know you" in note for note in started.notes] == [True]
    run("dvc", "status", cwd=root)


def contents_without_dvc_tmp(root: Path) -> list[str]:
    return [name for name in contents(root) if not name.startswith(".dvc/tmp/")]


def test_the_first_commit_is_the_users_where_git_knows_them(run, tmp_path):
    run("git", "config", "--global", "user.name", "Ada", cwd=tmp_path)
    run("git", "config", "--global", "user.email", "ada@example.org", cwd=tmp_path)
    started = start(tmp_path / "known")
    assert not started.notes
    assert run("git", "log", "--format=%an", cwd=tmp_path / "known").stdout.strip() == "Ada"


def test_the_answers_hold_no_path_of_this_machine(tmp_path):
    start(tmp_path / "p", template="vision", answers={"seed": "7"})
    answers = yaml.load((tmp_path / "p" / ANSWERS).read_text(), name=ANSWERS)
    assert answers["_src_path"] == "mlctl:vision"
    assert (answers["seed"], answers["project"]) == (7, "p")
    assert str(tmp_path) not in "".join(data.decode() for data in contents(tmp_path / "p").values())


def test_a_git_repository_keeps_every_byte_and_its_index(run, tmp_path):
    run("git", "init", "-q", cwd=tmp_path)
    (tmp_path / "README.md").write_bytes(b"mine\r\n")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "train.py").write_bytes(b"print('mine')\n")
    (tmp_path / "staged").write_bytes(b"x")
    run("git", "add", "staged", cwd=tmp_path)
    before = contents(tmp_path)

    started = start(tmp_path, template="tabular")

    after = contents(tmp_path)
    assert {name: after[name] for name in before} == before
    assert started.kept == ("README.md", "src/train.py")
    assert set(after) == set(before) | set(started.added)
    assert run("git", "diff", "--cached", "--name-only", cwd=tmp_path).stdout == "staged\n"
    assert started.commit is None
    assert not started.git_made
    assert records(tmp_path) == "off"
    assert any("records are not committed" in note for note in started.notes)


def test_a_dvc_repository_is_left_as_it_is(run, tmp_path):
    run("git", "init", "-q", cwd=tmp_path)
    run("dvc", "init", "-q", cwd=tmp_path)
    (tmp_path / "dvc.yaml").write_text("stages:\n  a: {cmd: echo a}\n")
    before = contents(tmp_path)
    started = start(tmp_path)
    assert (started.added, started.kept, started.dvc_made) == ((), (), False)
    assert contents(tmp_path) == before


def test_a_pipeline_that_is_there_gets_no_settings_beside_it(run, tmp_path):
    run("git", "init", "-q", cwd=tmp_path)
    (tmp_path / "dvc.yaml").write_text("stages:\n  a: {cmd: echo a}\n")
    started = start(tmp_path, template="tabular")
    assert not (tmp_path / SETTINGS).exists()
    assert "dvc.yaml" in started.kept
    assert any("dvc.yaml stays" in note for note in started.notes)


def test_subdir_is_a_project_inside_a_larger_repository(run, tmp_path):
    run("git", "init", "-q", cwd=tmp_path)
    started = start(tmp_path / "models" / "churn", template="tabular", subdir=True)
    root = tmp_path / "models" / "churn"
    assert not (root / ".git").exists()
    assert (root / ".dvc" / "config").is_file()
    assert started.commit is None
    assert records(root) == "off"
    run("dvc", "status", cwd=root)


def test_without_scm_there_is_no_git(run, tmp_path):
    start(tmp_path / "p", template="tabular", scm=False)
    assert not (tmp_path / "p" / ".git").exists()
    assert "no_scm = True" in (tmp_path / "p" / ".dvc" / "config").read_text()
    assert records(tmp_path / "p") == "off"
    run("dvc", "status", cwd=tmp_path / "p")


def test_files_inside_another_repository_are_refused(run, tmp_path):
    run("git", "init", "-q", cwd=tmp_path)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "file").touch()
    with pytest.raises(InvalidInput, match="lies inside the git repository") as caught:
        start(tmp_path / "sub")
    assert "--subdir" in (caught.value.hint or "")
    assert [path.name for path in (tmp_path / "sub").iterdir()] == ["file"]


def test_subdir_without_a_repository_around_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="--subdir needs a git repository"):
        start(tmp_path / "p", subdir=True)
    assert not (tmp_path / "p").exists()


@pytest.mark.parametrize(
    ("template", "answers", "says", "hints"),
    [
        ("tabluar", {}, "no template is called 'tabluar'", "did you mean 'tabular'?"),
        ("zzz", {}, "no template", "known: tabular, vision, none"),
        ("tabular", {"tsk": "regression"}, "no question 'tsk'", "did you mean 'task'?"),
        ("none", {"task": "regression"}, "no question 'task'", "--template"),
        ("tabular", {"task": "ranking"}, "'task'.*'ranking'", ""),
        ("tabular", {"seed": "x"}, "'seed': 'x' is not a whole number", ""),
        ("tabular", {"seed": "-1"}, "'seed': between 0 and", ""),
        ("tabular", {"target": "id"}, "'id': not the target itself", ""),
        ("tabular", {"target": "a: b"}, "'target': a column name", ""),
        ("vision", {"project": "a\n# b"}, "'project'", ""),
    ],
)
def test_a_bad_answer_makes_nothing(template, answers, says, hints, tmp_path):
    with pytest.raises(InvalidInput, match=says) as caught:
        start(tmp_path / "p", template=template, answers=answers)
    assert hints in (caught.value.hint or "")
    assert not (tmp_path / "p").exists()


def test_a_file_in_the_place_of_a_folder_makes_nothing(tmp_path):
    (tmp_path / "src").write_text("a file")
    with pytest.raises(InvalidInput, match="src is a file"):
        start(tmp_path, template="tabular", scm=False)
    assert [path.name for path in tmp_path.iterdir()] == ["src"]


def test_a_second_start_ends_what_the_first_began(tmp_path):
    root = tmp_path / "p"
    start(root, template="tabular", answers={"task": "regression", "seed": "3"})
    whole = contents(root)
    for name in (SETTINGS, "dvc.yaml", "params.yaml", "src/train.py"):
        (root / name).unlink()
    again = start(root, template="tabular")
    assert again.added == ("dvc.yaml", SETTINGS, "params.yaml", "src/train.py")
    assert contents(root) == whole


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_killed_while_rendering_leaves_nothing_half(number, mlctl, tmp_path, monkeypatch):
    aside = tmp_path / "aside"
    aside.mkdir()
    monkeypatch.setenv("TMPDIR", str(aside))
    argv = [sys.executable, "-m", "mlctl", "init", "p", "--template", "tabular"]
    process = subprocess.Popen(argv, cwd=tmp_path, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    until = time.monotonic() + 30
    while not list(aside.glob("mlctl-init-*/src")) and time.monotonic() < until:
        time.sleep(0.002)
    os.kill(process.pid, number)
    process.communicate(timeout=30)
    assert process.returncode == (-9 if number == signal.SIGKILL else 130)
    assert not (tmp_path / "p").exists()
    if number == signal.SIGINT:
        assert not list(aside.iterdir())
    mlctl("init", "p", "--template", "tabular", cwd=tmp_path)
    assert (tmp_path / "p" / "dvc.yaml").is_file()


def test_the_command_asks_nothing_without_a_terminal(mlctl, tmp_path):
    said = mlctl("init", "p", "-t", "tabular", "--set", "task=regression", cwd=tmp_path).stdout
    assert "added  dvc.yaml" in said
    assert said.endswith(
        "Next:\n  cd p\n  mlctl data import sklearn:diabetes data/raw.csv\n"
        "  mlctl run -j 2\n  mlctl report run last\n"
    )


def test_json_names_what_was_added_and_kept(mlctl, tmp_path):
    (tmp_path / "params.yaml").write_text("a: 1\n")
    said = json.loads(mlctl("init", "--json", "--template", "vision", cwd=tmp_path).stdout)
    assert (said["schema"], said["template"]) == ("mlctl.init/1", "vision")
    assert said["kept"] == ["params.yaml"]
    assert "dvc.yaml" in said["added"]


def test_a_word_that_sets_nothing_is_wrong_usage(mlctl, tmp_path):
    done = mlctl("init", "p", "--set", "task", cwd=tmp_path, ok=False)
    assert done.returncode == 2
    assert "--set task: not KEY=VALUE" in done.stderr


def test_without_copier_the_pip_line_is_said_and_nothing_made(mlctl, tmp_path, monkeypatch):
    shadow = tmp_path / "shadow" / "copier.py"
    shadow.parent.mkdir()
    shadow.write_text("raise ModuleNotFoundError('none here', name='copier')\n")
    monkeypatch.setenv("PYTHONPATH", str(shadow.parent))
    done = mlctl("init", "p", "--template", "tabular", cwd=tmp_path, ok=False)
    assert done.returncode == 3
    assert "pip install 'mlctl-git[init]'" in done.stderr
    assert not (tmp_path / "p").exists()
