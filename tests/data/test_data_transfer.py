"""push, fetch, pull and checkout, with stock DVC at the other end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from data.ssh_remote import SshRemote, serving
from data.versions import Repo, filled, objects


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def ssh(tmp_path: Path) -> Iterator[SshRemote]:
    with serving(tmp_path / "sshd") as remote:
        yield remote


@pytest.fixture
def repo(tmp_path: Path, store: Path) -> Repo:
    return filled(tmp_path / "repo", str(store))


def test_stock_dvc_pulls_what_was_pushed(tmp_path: Path, repo: Repo, store: Path) -> None:
    pushed = repo.json("push")["remotes"][0]
    assert (pushed["remote"], pushed["objects"], pushed["present"]) == ("store", 6, 0)
    assert "in sync" in repo.dvc("status", "-c")
    assert {path.name for path in store.iterdir()} == {"files"}
    clone = repo.clone(tmp_path / "clone")
    clone.dvc("pull")
    assert clone.is_clean()
    again = repo.json("push")["remotes"][0]
    assert (again["objects"], again["present"]) == (0, 6)


def test_what_stock_dvc_pushed_is_pulled(tmp_path: Path, repo: Repo) -> None:
    repo.dvc("push")
    clone = repo.clone(tmp_path / "clone")
    pulled = clone.json("pull")
    assert pulled["remotes"][0]["objects"] == 5  # the listing goes with its files
    assert {(out["path"], out["outcome"]) for out in pulled["outs"]} == {
        ("images", "added"),
        ("raw.csv", "added"),
        ("out", "added"),
    }
    assert clone.is_clean()
    assert clone.read("images/sub/z.txt") == "sub/z"
    assert "everything is there" in clone.mlctl("fetch")
    assert clone.json("pull")["remotes"] == []


def test_over_ssh(tmp_path: Path, ssh: SshRemote) -> None:
    store = tmp_path / "store"
    repo = filled(tmp_path / "repo", ssh.url(store))
    repo.mlctl("remote", "modify", "store", "keyfile", str(ssh.key), "--local")
    assert repo.json("push")["remotes"][0]["objects"] == 6
    assert repo.json("push")["remotes"][0]["objects"] == 0
    assert "in sync" in repo.dvc("status", "-c")
    assert {path.name for path in store.iterdir()} == {"files"}
    clone = repo.clone(tmp_path / "clone")
    clone.mlctl("pull", "-j", "2")
    assert clone.is_clean()
    stock = repo.clone(tmp_path / "stock")
    stock.dvc("pull")
    assert stock.is_clean()
    assert all(item["to_push"] == 0 for item in repo.json("status", "-c")["data"])
    ssh.server.stop()
    assert "remote 'store'" in clone.mlctl("push", code=3)
    assert "remote 'store'" in clone.mlctl("status", "-c", code=3)


def test_a_part_of_a_folder(tmp_path: Path, repo: Repo) -> None:
    repo.mlctl("push")
    clone = repo.clone(tmp_path / "clone")
    clone.mlctl("pull", "images/sub")
    assert [p.name for p in (clone.root / "images").rglob("*") if p.is_file()] == ["z.txt"]
    clone.mlctl("pull", "images/x.txt", "raw.csv.dvc", "s")
    assert clone.read("images/x.txt") == "x"
    assert not (clone.root / "images/y.txt").exists()
    assert (clone.root / "out").exists()
    clone.mlctl("pull")
    assert clone.is_clean()
    assert "nothing called" in clone.mlctl("checkout", "images/nope", code=1)
    assert "no stage or out" in clone.mlctl("pull", "nope", code=2)


def test_a_listing_never_arrives_before_its_files(repo: Repo, store: Path) -> None:
    """A damaged file stays here, and with it the listing that names it; the rest goes."""
    damaged = repo.object("9dd4e461268c8034f5c8564e155c67a6")  # x
    damaged.chmod(0o644)
    damaged.write_text("y")
    damaged.chmod(0o444)
    said = repo.mlctl("push", code=3)
    assert "images/x.txt (9dd4e461268c8034f5c8564e155c67a6) is damaged" in said
    there = objects(store)
    assert not [md5 for md5 in there if md5.endswith(".dir")]
    assert len(there) == 4
    assert not (store / ".mlctl-tmp").exists()


def test_what_a_remote_damaged_is_not_taken(tmp_path: Path, repo: Repo, store: Path) -> None:
    repo.mlctl("push")
    bad = store / "files/md5/9d/d4e461268c8034f5c8564e155c67a6"
    bad.chmod(0o644)
    bad.write_text("y")
    bad.chmod(0o444)
    clone = repo.clone(tmp_path / "clone")
    said = clone.mlctl("pull", code=3)
    assert "images/x.txt (9dd4e461268c8034f5c8564e155c67a6) is damaged: its md5 is 4152" in said
    assert (clone.root / "raw.csv").exists()
    assert not (clone.root / "images").exists()
    assert not [md5 for md5 in objects(clone.root / ".dvc" / "cache") if md5.endswith(".dir")]
    assert not (clone.root / ".dvc" / "cache" / ".mlctl-tmp").exists()


def test_a_cut_off_object_of_a_remote_is_sent_again(tmp_path: Path, ssh: SshRemote) -> None:
    """Another tool may send to an object's own name, and be killed in between."""
    store = tmp_path / "store"
    repo = filled(tmp_path / "repo", ssh.url(store))
    repo.mlctl("remote", "modify", "store", "keyfile", str(ssh.key), "--local")
    repo.mlctl("push")
    part = store / "files/md5/9d/d4e461268c8034f5c8564e155c67a6"
    part.write_text("")
    assert repo.json("push")["remotes"][0]["objects"] == 1
    assert part.read_text() == "x"


def test_missing_here_and_there(tmp_path: Path, repo: Repo, store: Path) -> None:
    os.unlink(repo.object("9dd4e461268c8034f5c8564e155c67a6"))
    assert "images/x.txt" in repo.mlctl("push", code=3)
    clone = repo.clone(tmp_path / "clone")
    said = clone.mlctl("pull", code=3)
    assert "images" in said
    assert "is missing" in said
    nowhere = {item["path"]: item["nowhere"] for item in repo.json("status", "-c")["data"]}
    assert nowhere == {"images": 1, "out": 0, "raw.csv": 0}


def test_remotes_of_outs_and_outs_that_are_not_pushed(tmp_path: Path, repo: Repo) -> None:
    other = tmp_path / "other"
    repo.dvc("remote", "add", "other", str(other))
    for name, option in (("raw.csv", "  remote: other\n"), ("images", "  push: false\n")):
        repo.write(f"{name}.dvc", repo.read(f"{name}.dvc") + option)
    pushed = {item["remote"]: item["objects"] for item in repo.json("push")["remotes"]}
    assert pushed == {"other": 1, "store": 1}
    repo.commit()
    clone = repo.clone(tmp_path / "clone")
    clone.mlctl("pull", "raw.csv", "out")
    assert clone.read("raw.csv") == repo.read("raw.csv")


def test_a_remote_that_is_wrong(tmp_path: Path, repo: Repo, store: Path) -> None:
    assert "known: store" in repo.mlctl("push", "-r", "stor", code=2)
    clone = repo.clone(tmp_path / "clone")
    assert "there is no folder" in clone.mlctl("fetch", code=3)
    repo.dvc("remote", "add", "-f", "store", "s3://bucket/path")
    assert "pip install 'dvc-s3'" in repo.mlctl("push", code=3)
    repo.write(".dvc/config", "[core]\n    remote = gone\n")
    assert "no remote is called 'gone'" in repo.mlctl("push", code=2)
    repo.write(".dvc/config", "")
    assert "mlctl data remote add" in repo.mlctl("push", code=2)
    repo.write(".dvc/config", "['remote \"store\"']\n    url = /x\n    nonsense = 1\n")
    assert "nonsense" in repo.mlctl("push", code=2)


def test_imports_of_repositories_are_not_pushed(tmp_path: Path, repo: Repo, store: Path) -> None:
    """They come from their source again, in one call of DVC."""
    source = Repo.make(tmp_path / "source")
    source.write("data.txt", "theirs")
    source.commit()
    repo.mlctl("import", f"git+{source.root}#data.txt", "theirs.txt")
    repo.commit()
    assert repo.json("push")["remotes"][0]["objects"] == 6
    clone = repo.clone(tmp_path / "clone")
    clone.mlctl("pull")
    assert clone.read("theirs.txt") == "theirs"
    assert clone.is_clean()


def test_checkout_loses_nothing(tmp_path: Path, repo: Repo) -> None:
    repo.write("raw.csv", "changed")
    os.unlink(repo.root / "images/x.txt")
    found = {out["path"]: out["outcome"] for out in repo.json("checkout", code=1)["outs"]}
    assert found == {"raw.csv": "refused", "images": "modified", "out": "unchanged"}
    assert repo.read("raw.csv") == "changed"
    assert repo.read("images/x.txt") == "x"
    repo.mlctl("checkout", "--force")
    assert repo.is_clean()
    os.unlink(repo.object("9dd4e461268c8034f5c8564e155c67a6"))
    os.unlink(repo.root / "images/x.txt")
    found = {out["path"]: out["outcome"] for out in repo.json("checkout", code=1)["outs"]}
    assert found["images"] == "missing"


def test_status_agrees_with_stock_dvc(repo: Repo) -> None:
    assert repo.json("status")["changed"] == 0
    repo.write("images/new", "new")
    os.unlink(repo.root / "raw.csv")
    states = {item["path"]: item["state"] for item in repo.json("status")["data"]}
    assert states == {"images": "modified", "raw.csv": "missing"}
    assert repo.mlctl("status", "--check", code=1)
    stock = repo.dvc("status")
    assert "modified:           images" in stock
    assert "deleted:            raw.csv" in stock


def test_a_lane_of_a_killed_process_is_swept(repo: Repo, store: Path) -> None:
    repo.mlctl("push")
    client = (repo.root / ".mlctl/lanes/client").read_text().strip()
    for top in (store, repo.root / ".dvc" / "cache"):
        for name in (f"{client}-0", f"{client}-1", "other-0"):
            (top / ".mlctl-tmp" / name).mkdir(parents=True)
            (top / ".mlctl-tmp" / name / "part").write_text("part")
    (repo.root / ".mlctl/lanes/1.lock").touch()
    repo.mlctl("push")
    repo.mlctl("fetch")
    for top in (store, repo.root / ".dvc" / "cache"):
        assert [p.name for p in (top / ".mlctl-tmp").iterdir()] == ["other-0"]
