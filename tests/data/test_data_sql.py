"""Imports from databases: SQLite always, PostgreSQL where a server is installed."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.postgres import PASSWORD, Postgres, postgres  # noqa: F401
from data.versions import Repo
from mlctl.data import pointer
from mlctl.data.sources._sql import is_ordered


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = Repo.make(tmp_path / "repo")
    connection = sqlite3.connect(repo.root / "shop.db")
    connection.execute("CREATE TABLE orders (id INTEGER, item TEXT, price REAL)")
    rows = [(3, "tea", 2.5), (1, "milk", None), (2, "Ü", 1.0)]
    connection.executemany("INSERT INTO orders VALUES (?, ?, ?)", rows)
    connection.commit()
    return repo


def insert(repo: Repo, *row: object) -> None:
    connection = sqlite3.connect(repo.root / "shop.db")
    connection.execute("INSERT INTO orders VALUES (?, ?, ?)", row)
    connection.commit()


def test_sqlite_rows_are_tracked_with_their_query(repo: Repo) -> None:
    query = "SELECT id, item, price FROM orders"
    done = repo.json("import", "sqlite:shop.db", "data/orders.parquet", "--query", query)
    assert done["origin"]["source"] == "sqlite:shop.db"
    frame = pl.read_parquet(repo.root / "data/orders.parquet")
    assert frame.rows() == [(1, "milk", None), (2, "Ü", 1.0), (3, "tea", 2.5)]
    assert pointer.read(str(repo.root), "data/orders.parquet.dvc").origin["query"] == query
    assert repo.is_clean()


def test_update_fetches_the_rows_again(repo: Repo) -> None:
    repo.write("q.sql", "SELECT * FROM orders\n")
    repo.write("sub/x", "")
    at = Repo(repo.root / "sub")
    at.mlctl("import", "sqlite:../shop.db", "../o.parquet", "--query-file", "../q.sql")
    before = repo.read("o.parquet.dvc")
    assert at.json("update", "../o.parquet")["updated"][0]["change"] == "unchanged"
    assert repo.read("o.parquet.dvc") == before
    insert(repo, 4, "salt", 0.5)
    assert repo.json("update", "o.parquet")["updated"][0]["change"] == "updated"
    assert pl.read_parquet(repo.root / "o.parquet").height == 4
    (repo.root / "o.parquet").unlink()
    repo.write("o.parquet", "mine")
    assert "was changed since" in repo.mlctl("update", "o.parquet", code=2)
    repo.mlctl("update", "o.parquet", "--force")
    assert repo.is_clean()


def test_the_order_of_rows_does_not_vary(repo: Repo) -> None:
    for name, query, items in [
        ("a", "SELECT item FROM orders ORDER BY price DESC", ["tea", "Ü", "milk"]),
        ("b", "SELECT item FROM (SELECT * FROM orders ORDER BY id)", ["milk", "tea", "Ü"]),
    ]:
        repo.mlctl("import", "sqlite:shop.db", f"{name}.parquet", "--query", query)
        assert pl.read_parquet(repo.root / f"{name}.parquet")["item"].to_list() == items


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        (["sqlite:shop.db", "x.parquet"], "--query", 2),
        (["sqlite:shop.db", "x.parquet", "--query", "SELEC"], "syntax error", 2),
        (["sqlite:shop.db", "x.parquet", "--query", "SELECT 1 FROM nope"], "no such table", 2),
        (["sqlite:shop.db", "x.parquet", "--query", "DELETE FROM orders"], "readonly", 2),
        (["sqlite:shop.db", "x.parquet", "--query", "SELECT 1 a, 2 a"], "one name", 2),
        (["sqlite:nope.db", "x.parquet", "--query", "SELECT 1"], "no such file", 2),
        (["sqlite:.gitignore", "x.parquet", "--query", "SELECT 1"], "not an SQLite", 2),
        (["sqlite:shop.db", "x.parquet", "--query-file", "nope"], "no such file", 2),
        (["shop.db", "x.db", "--query", "SELECT 1"], "no database", 2),
        (["sqlite:shop.db", "x.parquet", "--query", "SELECT 1", "--rev", "x"], "--rev", 2),
    ],
)
def test_what_is_refused(repo: Repo, arguments: list[str], said: str, code: int) -> None:
    repo.write(".gitignore", "x\n")
    before = repo.everything()
    assert said in repo.mlctl("import", *arguments, code=code)
    assert repo.everything() == before


@given(st.text("'\"-*/()o ", max_size=20))
def test_order_by_counts_only_where_it_orders_the_rows(noise: str) -> None:
    assert is_ordered("select a from t order\n by a")
    assert not is_ordered("select row_number() over (order by a) from t")
    assert not is_ordered("select 'order by' from t -- order by")
    assert not is_ordered('select "order by" from t /* order by */')
    is_ordered(noise)  # ends, whatever it is given


def test_get_tracks_nothing(repo: Repo) -> None:
    repo.mlctl("get", "sqlite:shop.db", "-o", "o.csv", "--query", "SELECT id FROM orders")
    assert repo.read("o.csv") == "id\n1\n2\n3\n"
    assert not (repo.root / "o.csv.dvc").exists()
    again = ["get", "sqlite:shop.db", "-o", "o.csv", "--query", "SELECT 1 AS x"]
    assert "exists" in repo.mlctl(*again, code=2)
    repo.mlctl(*again, "--force")
    assert repo.read("o.csv") == "x\n1\n"


def test_postgresql(
    repo: Repo,
    postgres: Postgres,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    own_home: Path,
) -> None:
    postgres.sql(
        "DROP TABLE IF EXISTS o; CREATE TABLE o (id int, item text, price numeric(8, 2),"
        " at timestamptz, ok boolean, tags text[]);"
        " INSERT INTO o VALUES (2, 'tea', 1.50, '2026-01-02T03:04:05Z', true, '{a,b}'),"
        " (1, NULL, NULL, NULL, NULL, NULL)"
    )
    query = "SELECT id, item, price, at, ok FROM o"
    asked = ["import", postgres.url, "o.parquet", "--query", query]
    assert "no password" in repo.mlctl(*asked, code=3)
    monkeypatch.setenv("PGPASSWORD", "wrong")
    assert "password authentication failed" in repo.mlctl(*asked, code=3)
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    done = repo.json(*asked)
    assert done["origin"]["source"] == postgres.url
    frame = pl.read_parquet(repo.root / "o.parquet")
    assert frame["id"].to_list() == [1, 2]
    assert frame["item"].to_list() == [None, "tea"]
    assert PASSWORD not in repo.read("o.parquet.dvc")
    assert repo.json("update", "o.parquet")["updated"][0]["change"] == "unchanged"
    monkeypatch.delenv("PGPASSWORD")
    (own_home / ".pgpass").write_text(f"127.0.0.1:{postgres.port}:*:postgres:{PASSWORD}\n")
    (own_home / ".pgpass").chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(own_home / ".pgpass"))
    postgres.sql("INSERT INTO o VALUES (3, 'milk')")
    assert repo.json("update", "o.parquet")["updated"][0]["change"] == "updated"
    delete = ["import", postgres.url, "x.parquet", "--query", "DELETE FROM o RETURNING id"]
    assert "read-only transaction" in repo.mlctl(*delete, code=2)
    bad = ["import", postgres.url, "x.parquet", "--query", "SELECT * FROM nope"]
    assert 'relation "nope" does not exist' in repo.mlctl(*bad, code=2)
    with_password = postgres.url.replace("postgres@", "postgres:geheim@")
    said = repo.mlctl("import", with_password, "x.parquet", "--query", "SELECT 1", code=2)
    assert "~/.pgpass" in said
    ordered = ["import", postgres.url, "t.parquet", "--query", "SELECT tags FROM o ORDER BY id"]
    repo.mlctl(*ordered)
    assert pl.read_parquet(repo.root / "t.parquet")["tags"].to_list() == [None, ["a", "b"], None]
