"""`.gitignore` entries, byte for byte as DVC writes them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from mlctl.errors import InvalidInput
from mlctl.store.config import load_config
from mlctl.store.gitignore import GitIgnored, check_untracked, ignore, ignored, unignore

CASES: dict[str, tuple[str | None, list[str]]] = {
    "no file yet": (None, ["data"]),
    "several": (None, ["b", "a", "sub/c", "sub/d"]),
    "no newline at the end": ("*.tmp", ["data"]),
    "listed already": ("/data\n", ["data"]),
    "ignored by a pattern": ("dat*\n", ["data", "other"]),
    "ignored as a folder": ("folder/\n", ["folder"]),
    "folder pattern, but a file": ("data/\n", ["data"]),
    "exception": ("*\n!data\n", ["data"]),
    "special characters": (None, ["a[1].txt", "b*c", "!bang", "#hash", "with space", "é"]),
    "comment": ("# /data\n", ["data"]),
}


def snapshot(repo: Path) -> dict[str, bytes]:
    return {p.relative_to(repo).as_posix(): p.read_bytes() for p in repo.rglob(".gitignore")}


@pytest.mark.parametrize(("text", "keys"), CASES.values(), ids=CASES.keys())
def test_entries_are_those_of_dvc(repo, dvc, text, keys) -> None:
    for key in keys:
        (repo / key).parent.mkdir(exist_ok=True)
        (repo / key).mkdir() if key == "folder" else (repo / key).write_text("x")
    if text is not None:
        (repo / ".gitignore").write_text(text)
    start = snapshot(repo)
    with dvc() as opened:
        for key in keys:
            opened.scm.ignore(str(repo / key))
            opened.scm._reset()
    theirs = snapshot(repo)
    for path in repo.rglob(".gitignore"):
        path.unlink()
    for name, data in start.items():
        (repo / name).write_bytes(data)
    config = load_config(str(repo))
    written = ignore(config, keys)
    assert snapshot(repo) == theirs
    assert set(written) == {name for name in theirs if theirs[name] != start.get(name)}
    assert ignore(config, keys) == ()
    assert ignored(config, keys) == set(keys)

    unignore(config, keys)
    ours = snapshot(repo)
    for name, data in theirs.items():
        (repo / name).write_bytes(data)
    if "special characters" not in text if text else True:
        with dvc() as opened:
            for key in keys:
                opened.scm.ignore_remove(str(repo / key))
        if not any(c in key for key in keys for c in "[*!#"):
            assert snapshot(repo) == ours


def test_tracked_outputs_are_refused(repo) -> None:
    (repo / "data").mkdir()
    (repo / "data/x").write_text("x")
    subprocess.run(["git", "add", "-f", "data/x"], cwd=repo, check=True)
    config = load_config(str(repo))
    with pytest.raises(InvalidInput) as caught:
        check_untracked(config, ["other", "data"])
    assert "git rm -r --cached" in (caught.value.hint or "")
    check_untracked(config, ["other", "/abs/data", "dat"])


def test_without_git_nothing_happens(repo, configure) -> None:
    configure("[core]\n    no_scm = true\n")
    config = load_config(str(repo))
    assert config.git_root is None
    assert ignore(config, ["data"]) == ()
    assert unignore(config, ["data"]) == ()
    check_untracked(config, ["data"])
    assert not GitIgnored(config)("data")
    assert not (repo / ".gitignore").exists()


def test_a_repository_below_the_git_root(repo) -> None:
    shutil.rmtree(repo / ".dvc")
    (repo / "sub").mkdir()
    from dvc.repo import Repo

    Repo.init(str(repo / "sub"), subdir=True).close()
    config = load_config(str(repo / "sub"))
    (repo / ".gitignore").write_text("*.ignored\n")
    assert ignore(config, ["data", "x.ignored", "below/y"]) == (".gitignore", "below/.gitignore")
    assert (repo / "sub/.gitignore").read_text() == "/data\n"


def test_asking_one_by_one(repo) -> None:
    (repo / ".gitignore").write_text("venv/\n*.log\n!keep.log\n")
    (repo / "venv").mkdir()
    (repo / "far").symlink_to("/tmp")
    with GitIgnored(load_config(str(repo))) as is_ignored:
        answers = [is_ignored(k) for k in ("venv", "src", "a.log", "keep.log", "é.log")]
        assert answers == [True, False, True, False, True]
        assert not is_ignored("far/x")
        assert is_ignored("a.log")
    assert ignored(load_config(str(repo)), ["far/x", "a.log"]) == {"a.log"}
