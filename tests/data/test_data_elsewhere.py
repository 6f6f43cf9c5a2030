"""Imports from other repositories, which stock DVC knows too; and the settings of remotes."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.versions import Repo


@pytest.fixture
def source(tmp_path: Path) -> Repo:
    """A repository with a file in git and one in DVC, in two versions."""
    source = Repo.make(tmp_path / "source")
    source.write("plain.txt", "one")
    source.write("heavy.txt", "heavy one")
    source.mlctl("add", "heavy.txt")
    source.mlctl("remote", "add", "-d", "store", str(tmp_path / "store"))
    source.mlctl("push")
    source.commit()
    source.git("tag", "v1")
    source.write("plain.txt", "two")
    source.write("heavy.txt", "heavy two")
    source.mlctl("add", "heavy.txt")
    source.mlctl("push")
    source.commit()
    return source


def test_import_and_update_from_a_repository(tmp_path: Path, source: Repo) -> None:
    repo = Repo.make(tmp_path / "repo")
    for name, content in (("plain.txt", "one"), ("heavy.txt", "heavy one")):
        path = f"data/{name}"
        repo.mlctl("import", f"git+file://{source.root}#{name}", path, "--rev", "v1")
        assert repo.read(path) == content
        assert repo.is_clean()
        assert repo.json("update", path, "--rev", "HEAD")["updated"][0]["change"] == "updated"
        assert repo.read(path) == content.replace("one", "two")
    source.write("plain.txt", "three")
    source.commit()
    repo.dvc("update", "--rev", "HEAD", "data/plain.txt.dvc")  # stock DVC takes it from here
    assert repo.read("data/plain.txt") == "three"
    again = ["import", f"git+{source.root}#plain.txt", "data/plain.txt"]
    assert "mlctl data update" in repo.mlctl(*again, code=2)
    repo.mlctl(*again, "--force")
    assert "plain.txt" not in repo.dvc("status")  # the other has an update


def test_get_from_a_repository(tmp_path: Path, source: Repo) -> None:
    place = Repo(tmp_path / "anywhere")
    place.root.mkdir()
    place.mlctl("get", f"git+{source.root}#heavy.txt")
    assert place.read("heavy.txt") == "heavy two"
    place.mlctl("get", f"git+{source.root}#heavy.txt", "-o", "old", "--rev", "v1")
    assert place.read("old") == "heavy one"
    assert "exists" in place.mlctl("get", f"git+{source.root}#heavy.txt", "-o", "old", code=2)


def test_what_is_refused(tmp_path: Path, source: Repo) -> None:
    repo = Repo.make(tmp_path / "repo")
    for text, said in [
        (f"git+{source.root}", "which file of it"),
        (f"git+{source.root}#nope", "nope"),
        (f"git+{tmp_path}/nothing#x", "nothing"),
        ("git+https://me:geheim@example.org/r.git#x", "password"),
        ("s3://me:geheim@bucket/x", "password"),
    ]:
        assert said in repo.mlctl("import", text, "x.txt", code=2)
    repo.write("mine", "mine")
    repo.mlctl("add", "mine")
    assert "was not imported" in repo.mlctl("update", "mine", code=2)
    repo.mlctl("import", str(source.root / "plain.txt"), "copy.txt")
    assert "whose place is not recorded" in repo.mlctl("update", "copy.txt", code=2)


def test_the_settings_of_remotes(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "repo")
    repo.mlctl("remote", "add", "--default", "Store", "../store")
    repo.mlctl("remote", "add", "host", "ssh://me@example.org/srv")
    repo.mlctl("remote", "modify", "host", "port", "2222")
    repo.mlctl("remote", "modify", "host", "password", "geheim")
    assert "geheim" not in repo.read(".dvc/config")
    assert "geheim" in repo.read(".dvc/config.local")
    assert "geheim" not in repo.mlctl("remote", "ls", "--json")
    listed = {item["name"]: item for item in repo.json("remote", "ls")["remotes"]}
    assert listed["host"]["options"] == ["password", "port"]
    assert listed["store"] == {
        "name": "store",
        "url": str(tmp_path / "store"),
        "default": True,
        "options": [],
    }
    assert repo.dvc("remote", "list").split()[:2] == ["store", str(tmp_path / "store")]
    repo.commit()
    assert ".dvc/config.local" not in repo.git("ls-files")
    assert "exists" in repo.mlctl("remote", "add", "store", "x", code=2)
    assert "password" in repo.mlctl("remote", "add", "x", "ssh://me:p@host/x", code=2)
    assert "nonsense" in repo.mlctl("remote", "modify", "host", "nonsense", "1", code=2)
    assert "no remote is called 'hots'" in repo.mlctl(
        "remote", "modify", "hots", "port", "1", code=2
    )
    repo.mlctl("remote", "default", "host")
    repo.mlctl("remote", "rm", "host")
    assert repo.json("remote", "default")["default"] is None
    assert "geheim" not in repo.read(".dvc/config.local")
    assert repo.dvc("remote", "list").split()[0] == "store"
