"""`mlctl data import`: real sources, origins that DVC keeps, nothing lost."""

from __future__ import annotations

import http.server
import json
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import polars as pl
import pytest

from mlctl import plugins
from mlctl.adapters.dvc import dvc
from mlctl.cli.main import run
from mlctl.data import pointer
from mlctl.data.importing import import_data
from mlctl.data.source import Source, split
from mlctl.data.sources import http as http_source
from mlctl.data.sources import path as path_source
from mlctl.data.sources.sklearn import NAMES, snake_case
from mlctl.errors import InvalidInput, NotAble


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    folder = tmp_path / "repo"
    folder.mkdir()
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    (folder / ".dvc" / "tmp").mkdir(parents=True)
    (folder / ".dvc" / "config").touch()
    (folder / ".dvc" / ".gitignore").write_text("/tmp\n/cache\n")
    return folder


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    folder = tmp_path / "served"
    folder.mkdir()
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_sources_are_plugins() -> None:
    assert plugins.names("mlctl.data.sources") == [
        "http",
        "https",
        "path",
        "postgres",
        "postgresql",
        "sklearn",
        "sqlite",
    ]
    sources: list[Source] = [http_source, path_source]
    assert all(callable(source.fetch) for source in sources)
    assert split("sklearn:wine") == ("sklearn", "wine")
    assert split("file:///a/b.csv") == ("path", "/a/b.csv")
    assert split("../a:b.csv") == ("path", "../a:b.csv")
    assert split("https://x.org/a") == ("https", "//x.org/a")


@pytest.mark.parametrize("name", sorted(NAMES))
def test_sklearn_data_has_the_same_bytes_each_time(repo: Path, name: str) -> None:
    first = import_data(str(repo), f"sklearn:{name}", "data/a.csv")
    frame = pl.read_csv(repo / "data" / "a.csv")
    assert frame.columns[0] == "id"
    assert frame.columns[-1] == "target"
    assert frame["id"].to_list() == list(range(frame.height))
    assert all(column == snake_case(column) for column in frame.columns)
    before = (repo / "data" / "a.csv.dvc").read_bytes()
    again = import_data(str(repo), f"sklearn:{name}", "data/a.csv")
    assert (first.added.change, again.added.change) == ("added", "unchanged")
    assert (repo / "data" / "a.csv.dvc").read_bytes() == before
    assert dict(again.origin) == dict(first.origin)


def test_the_origin_is_kept_by_dvc(repo: Path) -> None:
    import_data(str(repo), "sklearn:iris", "data/iris.parquet")
    assert pl.read_parquet(repo / "data" / "iris.parquet").shape == (150, 6)
    origin = pointer.read(str(repo), "data/iris.parquet.dvc").origin
    assert origin["source"] == "sklearn:iris"
    assert origin["classes"] == ["setosa", "versicolor", "virginica"]
    assert dvc("status", cwd=repo).stdout.strip() == "Data and pipelines are up to date."
    (repo / "data" / "iris.parquet").write_bytes(b"other")
    dvc("add", "-q", "data/iris.parquet", cwd=repo)
    assert pointer.read(str(repo), "data/iris.parquet.dvc").origin == origin


def test_the_web_is_fetched_and_refreshed(repo: Path, served: tuple[Path, str]) -> None:
    folder, url = served
    (folder / "raw data.csv").write_text("a,b\n1,2\n")
    source = url.replace("://", "://user:secret@") + "/raw%20data.csv?token=hidden"
    done = import_data(str(repo), source, "raw.csv")
    assert done.origin["source"] == f"{url}/raw%20data.csv"
    text = (repo / "raw.csv.dvc").read_text()
    assert "secret" not in text
    assert "hidden" not in text
    (folder / "raw data.csv").write_text("a,b\n3,4\n")
    assert import_data(str(repo), source, "raw.csv").added.change == "updated"
    assert (repo / "raw.csv").read_text() == "a,b\n3,4\n"
    with pytest.raises(NotAble, match="404"):
        import_data(str(repo), f"{url}/nothing.csv", "other.csv")
    assert not (repo / "other.csv").exists()


def test_local_files_leave_no_absolute_path(repo: Path, tmp_path: Path) -> None:
    original = tmp_path / "x.csv"
    original.write_text("a\n1\n")
    done = import_data(str(repo), str(original), "data/x.jsonl")
    assert (repo / "data" / "x.jsonl").read_text() == '{"a":1}\n'
    assert done.origin["source"] == "file:x.csv"
    assert str(tmp_path) not in (repo / "data" / "x.jsonl.dvc").read_text()


def test_nothing_is_lost_without_force(repo: Path, tmp_path: Path) -> None:
    original = tmp_path / "x.csv"
    original.write_text("a\n1\n")
    (repo / "x.csv").write_text("mine\n")
    with pytest.raises(InvalidInput, match="exists and is not tracked"):
        import_data(str(repo), str(original), "x.csv")
    assert (repo / "x.csv").read_text() == "mine\n"
    import_data(str(repo), str(original), "x.csv", force=True)
    (repo / "x.csv").write_text("edited\n")
    with pytest.raises(InvalidInput, match="was changed since"):
        import_data(str(repo), str(original), "x.csv")
    assert (repo / "x.csv").read_text() == "edited\n"


def test_a_path_that_cannot_be_tracked_is_refused_before_it_is_written(repo: Path) -> None:
    (repo / "new.csv").write_text("a\n1\n")
    before = (repo / ".git" / "config").read_bytes()
    for path in (".git/config", ".dvc/config"):
        with pytest.raises(InvalidInput, match="where no out may be"):
            import_data(str(repo), str(repo / "new.csv"), path, force=True)
    assert (repo / ".git" / "config").read_bytes() == before
    assert (repo / ".dvc" / "config").read_bytes() == b""


def test_unknown_sources_are_named(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidInput, match="no data source is called 'sklaern'") as caught:
        import_data(str(repo), "sklaern:iris", "x.csv")
    assert caught.value.hint == "did you mean 'sklearn'?"
    monkeypatch.chdir(repo)
    assert run(["data", "import", "sklearn:irsi", "x.csv"]) == 2
    assert run(["data", "import", "sklearn:iris", "../x.csv"]) == 2


def test_the_verbs_speak_json(
    repo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(repo)
    (repo / "sub").mkdir()
    assert run(["data", "import", "sklearn:iris", "sub/iris.csv", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["schema"], said["path"]) == ("mlctl.data.import/1", "sub/iris.csv")
    assert run(["data", "add", "-C", "sub", "iris.csv", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [item["change"] for item in said["added"]] == ["unchanged"]
    assert run(["data", "ls", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [(d["path"], d["source"], d["state"]) for d in said["data"]] == [
        ("sub/iris.csv", "sklearn:iris", "ok")
    ]
