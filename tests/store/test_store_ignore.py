"""`.dvcignore` as a table, each row judged by DVC's own filter."""

from __future__ import annotations

import os
import subprocess

import pytest

from mlctl.errors import InvalidInput
from mlctl.store.gitignore import GitIgnored
from mlctl.store.ignore import Ignore

FILES = [
    "a.log", "a.txt", "dir/a.log", "dir/keep.log", "dir/deep/a.log", "dir/deep/b.txt", "build/x",
    "sub/build/x", "build.txt", "with space/x y", "é/ü.log", "#hash", "!bang", "dir/deep/build/y",
    "foo/bar/baz/q", "foo/q", ".hidden/x", "dir/.git", "x/.hg/y", "dir2/one/two/three",
]  # fmt: skip
CASES: dict[str, dict[str, str]] = {
    "none": {},
    "comments only": {"": "# nothing\n\n"},
    "glob": {"": "*.log\n"},
    "glob with exception": {"": "*.log\n!keep.log\n"},
    "exception before": {"": "!keep.log\n*.log\n"},
    "folder": {"": "build/\n"},
    "anchored": {"": "/build\n"},
    "path": {"": "dir/deep\n"},
    "exception under an ignored folder": {"": "dir/\n!dir/keep.log\n"},
    "double star": {"": "**/deep/*\n"},
    "inner double star": {"": "foo/**/q\n"},
    "trailing double star": {"": "dir/**\n"},
    "all but": {"": "*\n!*.txt\n!*/\n"},
    "question and class": {"": "[ab].???\n"},
    "spaces": {"": "  with space/  \n"},
    "escapes": {"": "\\#hash\n\\!bang\n"},
    "unicode": {"": "ü.log\n"},
    "hidden": {"": ".*\n"},
    "deeper": {"dir": "*.log\n"},
    "deeper wins": {"": "*.log\n", "dir": "!*.log\n"},
    "deeper anchored": {"dir": "/deep\n/a.log\n"},
    "deeper folder": {"dir": "build/\n", "dir2/one": "two\n"},
    "deeper double star": {"dir": "**/a.log\n"},
    "deeper escapes": {"dir": "\\!x\n"},
    "ignored ignore file": {"": "dir/.dvcignore\n", "dir": "*.log\n"},
    "star slash": {"": "*/\n"},
}


def build(repo, ignores) -> None:
    for name in FILES:
        path = repo / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    for folder, text in ignores.items():
        (repo / folder).mkdir(parents=True, exist_ok=True)
        (repo / folder / ".dvcignore").write_text(text)


@pytest.mark.parametrize("ignores", CASES.values(), ids=CASES.keys())
def test_ignored_as_dvc_says(repo, dvc, ignores) -> None:
    build(repo, ignores)
    ignore = Ignore(str(repo))
    keys = dict.fromkeys(FILES, False)
    keys |= {os.path.dirname(name): True for name in FILES if "/" in name}
    with dvc() as opened:
        for key, isdir in keys.items():
            ask = opened.dvcignore.is_ignored_dir if isdir else opened.dvcignore.is_ignored_file
            assert ignore.is_ignored(key, isdir) == ask(str(repo / key)), key


@pytest.mark.parametrize("ignores", CASES.values(), ids=CASES.keys())
def test_walked_as_dvc_walks(repo, dvc, ignores) -> None:
    build(repo, ignores)
    ignore = Ignore(str(repo))
    with dvc() as opened:
        for top in ("foo", "build", "é", "dir2", "sub", "x"):
            theirs = opened.dvcignore.find(opened.fs, str(repo / top))
            found = sorted(os.path.relpath(path, repo / top) for path in theirs)
            skipped = [name for name in found if name.endswith(".dvcignore")]
            if skipped:
                continue
            assert sorted(name for name, _ in ignore.walk(top)) == found, top


def test_links_are_walked_as_dvc_walks_them(repo, dvc, tmp_path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "far/file").write_text("far")
    (repo / "data/real").mkdir(parents=True)
    (repo / "data/real/x").write_text("x")
    (repo / "data/linked").symlink_to(repo / "data/real")
    (repo / "data/far").symlink_to(tmp_path / "far")
    (repo / "data/file").symlink_to(tmp_path / "far/file")
    with dvc() as opened:
        theirs = opened.dvcignore.find(opened.fs, str(repo / "data"))
        found = sorted(os.path.relpath(path, repo / "data") for path in theirs)
    assert sorted(name for name, _ in Ignore(str(repo)).walk("data")) == found


def test_another_repository_inside_is_ignored(repo, dvc) -> None:
    for name in ("data/sub/.dvc/config", "data/sub/x", "data/y"):
        (repo / name).parent.mkdir(parents=True, exist_ok=True)
        (repo / name).write_text("")
    ignore = Ignore(str(repo))
    assert [name for name, _ in ignore.walk("data")] == ["y"]
    with dvc() as opened:
        list(opened.dvcignore.walk(opened.fs, str(repo)))
        assert opened.dvcignore.is_ignored_file(str(repo / "data/sub/x"))
    assert ignore.is_ignored("data/sub/x", False)
    assert not ignore.is_ignored("data/sub/x", False, subrepos=False)


@pytest.mark.parametrize("what", ["fifo", "broken link", ".dvcignore"])
def test_what_cannot_be_tracked_is_an_error(repo, what) -> None:
    (repo / "data").mkdir()
    if what == "fifo":
        os.mkfifo(repo / "data/pipe")
    elif what == "broken link":
        (repo / "data/link").symlink_to("nowhere")
    else:
        (repo / "data/.dvcignore").write_text("")
    with pytest.raises(InvalidInput, match="data/"):
        list(Ignore(str(repo)).walk("data"))


def test_stage_files_are_found_as_dvc_finds_them(repo, dvc) -> None:
    for name in (
        "dvc.yaml",
        "a/dvc.yaml",
        "a/b/c.dvc",
        "x.dvc",
        "out/d.dvc",
        "venv/e.dvc",
        "i/f.dvc",
    ):
        (repo / name).parent.mkdir(parents=True, exist_ok=True)
        (repo / name).write_text("outs: []\n" if name.endswith(".dvc") else "stages: {}\n")
    (repo / ".gitignore").write_text("/venv\n")
    (repo / ".dvcignore").write_text("/i\n")
    from mlctl.store.config import load_config

    with GitIgnored(load_config(str(repo))) as is_git_ignored:
        found = list(Ignore(str(repo)).find_files(is_git_ignored))
    with dvc() as opened:
        from dvc.repo.index import collect_files

        theirs = [os.path.relpath(path, repo) for path, _ in collect_files(opened)]
    assert sorted(found) == sorted(theirs)
    assert found[0] == "dvc.yaml"


def test_pathspec_is_not_imported_without_patterns(repo) -> None:
    code = (
        "import sys; from mlctl.store.workspace import open_workspace\n"
        f"w = open_workspace({str(repo)!r}); list(w.ignore.find_files()); w.observe('.dvc')\n"
        "assert not {'pathspec', 'dvc', 'configobj', 'ctypes'} & set(sys.modules), sys.modules"
    )
    subprocess.run([os.sys.executable, "-c", code], check=True)
