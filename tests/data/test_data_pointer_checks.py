"""`mlctl data check-pointers`: real git, real DVC pointers, real caches and remotes."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from mlctl.adapters.dvc import _repo, dvc
from mlctl.cli.main import run
from mlctl.data import tracking
from mlctl.data.pointer_checks import Asked, check
from mlctl.projects.settings import LARGE_FILE

Found = list[tuple[str, str, int]]  # rule, file, line


def git(repo: Path, *args: str) -> str:
    done = subprocess.run(
        ["git", *args], cwd=repo, check=True, capture_output=True, text=True, errors="replace"
    )
    return done.stdout


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A committed file, a committed folder and a stage with a cached and an uncached out."""
    for mark in [name for name in os.environ if name.startswith(("PRE_COMMIT", "GITHUB_"))]:
        monkeypatch.delenv(mark)
    root = made(tmp_path / "repo", tmp_path / "remote")
    monkeypatch.chdir(root)
    (root / "raw.csv").write_text("a\n1\n")
    (root / "images").mkdir()
    for name in ("one", "two"):
        (root / "images" / name).write_text(name)
    (root / "dvc.yaml").write_text(
        "stages:\n  sort:\n    wdir: out\n    cmd: cp ../raw.csv big.csv && echo '{}' > m.json\n"
        "    deps: [../raw.csv]\n    outs: [big.csv]\n    metrics: [m.json: {cache: false}]\n"
    )
    (root / "out").mkdir()
    tracking.add(str(root), ["raw.csv", "images"])
    assert run(["run", "-q"]) == 0
    commit(root)
    return root


def made(root: Path, remote: Path) -> Path:
    """What `git init`, `dvc init` and `dvc remote add -d` make."""
    (root / ".dvc").mkdir(parents=True)
    git(root, "init", "-q")
    (root / ".dvc" / ".gitignore").write_text("/config.local\n/tmp\n/cache\n")
    config = f"[core]\n    remote = here\n['remote \"here\"']\n    url = {remote}\n"
    (root / ".dvc" / "config").write_text(config)
    return root


def commit(repo: Path) -> None:
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "x")


def found(repo: Path, *names: str, **more: object) -> Found:
    asked = Asked(frozenset(names) or None, LARGE_FILE, **more)
    suite, _ = check(str(repo), asked)
    return [(f.rule, f.file, f.line) for f in suite.findings]


def notes(repo: Path) -> list[str]:
    return check(str(repo), Asked(None, LARGE_FILE))[1]


def change(repo: Path, key: str, text: str) -> None:
    """New data behind a pointer, staged."""
    path = repo / key
    path.unlink()
    path.write_text(text)
    tracking.add(str(repo), [key.split("/")[0]])
    git(repo, "add", "-A")


def forget(repo: Path, *md5s: str) -> None:
    for path in (repo / ".dvc" / "cache" / "files" / "md5").rglob("*"):
        if path.is_file() and (not md5s or path.parent.name + path.name in md5s):
            path.unlink()


def everything(repo: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in repo.rglob("*") if p.is_file()}


def test_a_sound_repository_has_no_findings_and_is_left_as_it_is(repo: Path) -> None:
    before = everything(repo)
    assert found(repo) == []
    assert found(repo, *git(repo, "ls-files").splitlines()) == []
    assert notes(repo) == []
    after = everything(repo)
    assert {n: d for n, d in after.items() if "/.mlctl/" not in n} == {
        n: d for n, d in before.items() if "/.mlctl/" not in n
    }


def test_the_local_folder_is_hidden_from_git(repo: Path) -> None:
    subprocess.run(["rm", "-r", ".mlctl"], cwd=repo, check=True)
    assert found(repo) == []
    assert git(repo, "status", "--short") == ""


def test_before_the_first_commit(repo: Path) -> None:
    git(repo, "update-ref", "-d", "HEAD")
    assert found(repo) == []
    forget(repo)
    assert [rule for rule, *_ in found(repo)] == ["missing-object"] * 3


def test_large_files(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repo / "small.bin").write_bytes(b"x" * LARGE_FILE)
    (repo / "big.bin").write_bytes(b"x" * (LARGE_FILE + 1))
    (repo / "link").symlink_to("big.bin")
    (repo / "untracked.bin").write_bytes(b"x" * (LARGE_FILE + 1))
    git(repo, "add", "small.bin", "big.bin", "link")
    assert found(repo) == [("large-file", "big.bin", 1)]
    assert found(repo, "small.bin") == []
    assert found(repo, "big.bin") == [("large-file", "big.bin", 1)]
    git(repo, "commit", "-qm", "x")
    (repo / "big.bin").write_bytes(b"y" * (LARGE_FILE + 1))
    git(repo, "add", "big.bin")
    assert found(repo, "big.bin") == []  # no news
    assert found(repo) == [("large-file", "big.bin", 1)]
    assert run(["data", "check-pointers"]) == 1
    assert "git rm --cached big.bin" in capsys.readouterr().out
    assert run(["data", "check-pointers", "--large-file", "1 MB"]) == 0
    (repo / "mlctl.yaml").write_text("data: {large_file: 600kB}\n")
    assert run(["data", "check-pointers"]) == 0
    assert run(["data", "check-pointers", "--large-file", "lots"]) == 2
    (repo / "mlctl.yaml").write_text("data: {large_file: lots}\n")
    assert run(["data", "check-pointers"]) == 2
    assert "mlctl.yaml:1: data.large_file: expected a size" in capsys.readouterr().err


def test_what_counts_is_the_index_and_not_the_work_tree(repo: Path) -> None:
    (repo / "big.bin").write_bytes(b"x" * (LARGE_FILE + 1))
    git(repo, "add", "big.bin")
    (repo / "big.bin").write_bytes(b"")
    (repo / "raw.csv.dvc").write_text("<<<<<<< HEAD\n")
    assert found(repo) == [("large-file", "big.bin", 1)]


def test_data_that_git_tracks_too(repo: Path) -> None:
    git(repo, "add", "-f", "raw.csv", "images/one", "out/big.csv")
    assert found(repo) == [
        ("tracked-twice", "images/one", 1),
        ("tracked-twice", "out/big.csv", 1),
        ("tracked-twice", "raw.csv", 1),
    ]
    assert found(repo, "raw.csv.dvc") == [("tracked-twice", "raw.csv", 1)]
    assert found(repo, "images/one") == [("tracked-twice", "images/one", 1)]
    assert found(repo, "dvc.yaml") == []


def test_a_changed_pointer_to_nothing(repo: Path) -> None:
    change(repo, "raw.csv", "a\n2\n")
    assert found(repo) == []
    forget(repo, md5_in(repo / "raw.csv.dvc"))
    assert found(repo) == [("missing-object", "raw.csv.dvc", 2)]
    assert found(repo, "raw.csv.dvc") == [("missing-object", "raw.csv.dvc", 2)]
    assert found(repo, "images.dvc") == []


def md5_in(pointer: Path) -> str:
    return pointer.read_text().split("md5: ")[1].split("\n")[0]


def test_a_file_of_a_changed_folder_that_is_nowhere(repo: Path) -> None:
    change(repo, "images/one", "another")
    listing = repo / ".dvc/cache/files/md5" / md5_in(repo / "images.dvc")[:2]
    entries = json.loads((listing / md5_in(repo / "images.dvc")[2:]).read_text())
    forget(repo, entries[0]["md5"])
    assert found(repo) == [("missing-object", "images.dvc", 2)]


def test_an_out_of_a_lock_that_is_nowhere(repo: Path) -> None:
    change(repo, "raw.csv", "a\n3\n")
    assert run(["run", "-q"]) == 0
    git(repo, "add", "-A")
    lines = (repo / "dvc.lock").read_text().splitlines()
    line = lines.index("    - path: big.csv") + 1
    assert "md5: " in lines[line + 1]
    forget(repo)
    assert ("missing-object", "dvc.lock", line + 2) in found(repo)
    assert len(found(repo, "dvc.lock")) == 1  # and not the uncached metrics


def test_what_did_not_change_is_a_note_without_a_remote(repo: Path) -> None:
    forget(repo)
    assert found(repo) == []
    (note,) = notes(repo)
    assert note.startswith("3 outs that did not change are not in the cache; --remote")


def test_a_merged_pointer_is_no_news(repo: Path) -> None:
    git(repo, "checkout", "-qb", "other")
    change(repo, "raw.csv", "a\n5\n")
    git(repo, "commit", "-qm", "other")
    git(repo, "checkout", "-q", "main")
    (repo / "more.txt").write_text("x")
    commit(repo)
    git(repo, "merge", "--no-commit", "--no-ff", "other")
    forget(repo)
    assert found(repo) == []


def test_the_remote_is_asked(repo: Path) -> None:
    asked = {"remote": True}
    assert [rule for rule, *_ in found(repo, **asked)] == ["not-pushed"] * 3
    assert dvc("push", "-q", cwd=repo).code == 0
    assert found(repo, **asked) == []
    forget(repo)
    assert found(repo, **asked) == []
    remote = repo.parent / "remote" / "files" / "md5"
    lost = md5_in(repo / "raw.csv.dvc")
    (remote / lost[:2] / lost[2:]).chmod(0o644)
    (remote / lost[:2] / lost[2:]).unlink()
    assert {rule for rule, *_ in found(repo, **asked)} == {"missing-object"}


def test_what_is_never_pushed_is_not_asked_for(repo: Path) -> None:
    assert dvc("push", "-q", cwd=repo).code == 0
    change(repo, "raw.csv", "a\n6\n")
    with (repo / "raw.csv.dvc").open("a") as file:
        file.write("  push: false\n")
    assert run(["run", "-q"]) == 0
    assert dvc("push", "-q", cwd=repo).code == 0
    git(repo, "add", "-A")
    assert found(repo, "raw.csv.dvc", remote=True) == []
    forget(repo)
    assert found(repo, "raw.csv.dvc", remote=True) == [("missing-object", "raw.csv.dvc", 2)]


def test_no_remote_and_a_remote_that_is_not_there(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dvc("remote", "modify", "here", "url", "ssh://nobody@127.0.0.1:9/x", cwd=repo)
    assert run(["data", "check-pointers", "--remote"]) == 3
    assert "cannot be asked: " in capsys.readouterr().err
    dvc("remote", "remove", "here", cwd=repo)
    _repo.cache_clear()
    assert run(["data", "check-pointers", "--remote"]) == 3
    assert "no remote" in capsys.readouterr().err


def test_before_a_push_the_pushed_commit_and_the_remote_count(
    repo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dvc("push", "-q", cwd=repo).code == 0
    change(repo, "raw.csv", "a\n7\n")
    git(repo, "commit", "-qm", "seven")
    for name, value in (("", "1"), ("_FROM_REF", "HEAD~1"), ("_TO_REF", "HEAD~1")):
        monkeypatch.setenv(f"PRE_COMMIT{name}", value)
    assert run(["data", "check-pointers", "raw.csv.dvc"]) == 0
    monkeypatch.setenv("PRE_COMMIT_TO_REF", "HEAD")
    assert run(["data", "check-pointers", "raw.csv.dvc"]) == 0  # in CI, which is no push
    monkeypatch.setenv("PRE_COMMIT_REMOTE_NAME", "origin")
    monkeypatch.setenv("PRE_COMMIT_TO_REF", "HEAD~1")
    assert run(["data", "check-pointers", "raw.csv.dvc"]) == 0
    monkeypatch.setenv("PRE_COMMIT_TO_REF", "HEAD")
    capsys.readouterr()
    assert run(["data", "check-pointers", "raw.csv.dvc", "--json"]) == 1
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert finding["rule"] == "not-pushed"
    assert finding["hint"] == "`mlctl data push raw.csv`"
    for name in ("TO_REF", "FROM_REF"):
        monkeypatch.delenv(f"PRE_COMMIT_{name}")
    monkeypatch.setenv("PRE_COMMIT_LOCAL_BRANCH", "refs/heads/main")
    git(repo, "rm", "-q", "--cached", "raw.csv.dvc")
    assert run(["data", "check-pointers", "raw.csv.dvc"]) == 1


@pytest.mark.parametrize("name", ["dvc.lock", "raw.csv.dvc"])
def test_conflict_markers(repo: Path, name: str) -> None:
    text = (repo / name).read_text()
    lines = text.splitlines(keepends=True)
    lines[1:2] = ["<<<<<<< HEAD\n", lines[1], "=======\n", lines[1], ">>>>>>> other\n"]
    (repo / name).write_text("".join(lines))
    git(repo, "add", name)
    assert found(repo) == [("conflict", name, 2)]
    assert bool(notes(repo)) is (name == "raw.csv.dvc")
    assert found(repo, "dvc.yaml") == []


def test_an_unresolved_merge(repo: Path) -> None:
    git(repo, "checkout", "-qb", "other")
    change(repo, "raw.csv", "a\n5\n")
    commit(repo)
    git(repo, "checkout", "-q", "main")
    dvc("checkout", "-q", cwd=repo)
    change(repo, "raw.csv", "a\n6\n")
    commit(repo)
    merged = subprocess.run(["git", "merge", "other"], cwd=repo, capture_output=True, check=False)
    assert merged.returncode == 1
    assert found(repo) == [("conflict", "raw.csv.dvc", 1)]


@pytest.mark.parametrize("text", ["outs: 5\n", "[", "outs:\n- path: [\n", "\0"])
def test_a_pointer_that_cannot_be_read(repo: Path, text: str) -> None:
    (repo / "raw.csv.dvc").write_text(text)
    git(repo, "add", "-A")
    assert [f[:2] for f in found(repo)] == [("unreadable", "raw.csv.dvc")]
    assert notes(repo)[0].startswith("outs of pipelines were not checked: raw.csv.dvc")


def profile(repo: Path, path: str, digest: str) -> None:
    file = repo / "profiles" / f"{path}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"schema": "mlctl.profile/1", "data": {"digest": digest}}, indent=1))
    git(repo, "add", "-A")


def test_profiles_of_other_data(repo: Path) -> None:
    profile(repo, "raw.csv", f"md5:{md5_in(repo / 'raw.csv.dvc')}")
    profile(repo, "images", f"md5:{md5_in(repo / 'images.dvc')}")
    assert found(repo) == []
    change(repo, "raw.csv", "a\n8\n")
    stale = ("stale-profile", "profiles/raw.csv.json", 4)
    assert found(repo) == [stale]
    assert found(repo, "raw.csv.dvc") == [stale]
    assert found(repo, "profiles/raw.csv.json") == [stale]
    assert found(repo, "images.dvc") == []
    profile(repo, "raw.csv", f"md5:{md5_in(repo / 'raw.csv.dvc')}")
    assert found(repo) == []
    (repo / "profiles" / "images.json").write_text("[]" + " " * LARGE_FILE)
    git(repo, "add", "-A")
    assert found(repo) == [("stale-profile", "profiles/images.json", 1)]


def test_an_import_is_not_asked_for(repo: Path, tmp_path: Path) -> None:
    """DVC fetches it again from where it comes, and pushes it nowhere."""
    assert dvc("push", "-q", cwd=repo).code == 0
    other = made(tmp_path / "other", tmp_path / "mine")
    dvc("import", "-q", str(repo), "raw.csv", cwd=other)
    git(other, "add", "-A")
    forget(other)
    assert found(other) == []
    assert found(other, remote=True) == []


def test_odd_names_and_another_folder(
    repo: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    name = b'out/\xff "x".bin'
    (repo / os.fsdecode(name)).write_bytes(b"x" * (LARGE_FILE + 1))
    git(repo, "add", "-A")
    monkeypatch.chdir(repo / "out")
    assert run(["data", "check-pointers", os.fsdecode(name[4:]), "../dvc.lock", "/etc/hosts"]) == 1
    out = capfdbinary.readouterr().out
    assert b'out/? "x".bin:1: large-file' in out
    assert b"2 files, 1 pointers  1 found" in out
    assert run(["data", "check-pointers", "--format", "sarif"]) == 1


def test_a_repository_without_git_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".dvc").mkdir()
    monkeypatch.chdir(tmp_path)
    assert run(["data", "check-pointers"]) == 3
