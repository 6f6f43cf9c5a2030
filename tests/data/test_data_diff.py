"""`mlctl data diff` on real repositories: with the data, without it, and what it says of both."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlctl.cli.main import run
from mlctl.data.diffing.columns import compare
from mlctl.data.diffing.diff import DataChange
from mlctl.data.diffing.files import FileChanges, compare_files
from mlctl.data.diffing.rows import RowChanges, compare_rows
from mlctl.data.diffing.words import number, sentences
from mlctl.data.profiles.column import of_series
from mlctl.data.profiles.marks import Marks
from mlctl.data.profiles.opening import TableFile

CONTRACT = """\
schema: mlctl.contract/1
data: data/raw.csv
strict: false
key: [id]
columns:
  id: {type: int}
  price: {type: float, nullable: true}
  plan: {type: str}
  seen: {type: date}
"""


def table(n: int = 2000) -> pl.DataFrame:
    random = np.random.default_rng(0)
    return pl.DataFrame(
        {
            "id": range(n),
            "price": random.lognormal(3, 1, n).round(2),
            "plan": [("free", "paid", "trial")[at % 3] for at in range(n)],
            "seen": [f"2024-0{1 + at % 6}-11" for at in range(n)],
            "mail": [f"p{at}@x.org" for at in range(n)],
        }
    )


def changed(frame: pl.DataFrame) -> pl.DataFrame:
    """10 rows gone, 40 new, the price of 500 doubled, that of 100 lost, a plan gone, one new."""
    at = pl.col("id")
    kept = frame.filter(at >= 10).with_columns(
        price=pl.when(at < 110)
        .then(None)
        .when(at >= 1500)
        .then(pl.col("price") * 2)
        .otherwise("price"),
        plan=pl.when(pl.col("plan") == "trial").then(pl.lit("team")).otherwise("plan"),
    )
    return pl.concat([kept, kept.tail(40).with_columns(id=at + 5000)])


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=tmp_path, check=True)
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc" / "config").touch()
    (tmp_path / ".dvc" / ".gitignore").write_text("/cache\n/tmp\n")
    (tmp_path / "data" / "img").mkdir(parents=True)
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts" / "raw.yaml").write_text(CONTRACT)
    monkeypatch.chdir(tmp_path)
    table().write_csv("data/raw.csv")
    for at in range(5):
        Path(f"data/img/{at}.png").write_text(f"picture {at}")
    assert run(["data", "add", "-q", "data/raw.csv", "data/img"]) == 0
    assert run(["data", "profile", "-q"]) == 0
    commit(tmp_path)
    return tmp_path


def commit(repo: Path) -> None:
    subprocess.run(["git", "add", "-A"], cwd=repo, check=True)
    subprocess.run(["git", "commit", "-q", "-m", "state"], cwd=repo, check=True)


def change(repo: Path) -> None:
    changed(table()).write_csv("data/raw.csv")
    Path("data/img/0.png").unlink()
    Path("data/img/1.png").rename("data/img/one.png")
    Path("data/img/2.png").write_text("another")
    Path("data/img/9.png").write_text("new")


def told(capsys: pytest.CaptureFixture[str], *args: str, code: int = 0) -> dict[str, object]:
    capsys.readouterr()
    assert run(["data", "diff", *args, "--json"]) == code
    data = json.loads(capsys.readouterr().out)
    assert data["schema"] == "mlctl.data.diff/1"
    return data


def said(capsys: pytest.CaptureFixture[str], *args: str, code: int = 0) -> str:
    capsys.readouterr()
    assert run(["data", "diff", *args]) == code
    return capsys.readouterr().out


def forget_the_data(repo: Path) -> None:
    shutil.rmtree(repo / ".dvc" / "cache")
    shutil.rmtree(repo / "data" / "img")
    (repo / "data" / "raw.csv").unlink()


def by_name(data: dict[str, object]) -> dict[str, dict[str, object]]:
    raw = next(item for item in data["data"] if item["path"] == "data/raw.csv")
    return {column["column"]: column for column in raw["columns"]}


def test_nothing_differs(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "--check") == "No data differs between HEAD and workspace.\n"
    assert told(capsys)["data"] == []
    forget_the_data(repo)
    assert told(capsys)["data"] == []


def test_files_rows_columns_and_labels(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(repo)
    data = told(capsys)
    assert (data["a"], data["b"]) == ("HEAD", "workspace")
    images, raw = data["data"]
    assert images["files"] == {
        "added": ["9.png"],
        "removed": ["0.png"],
        "changed": ["2.png"],
        "renamed": [["1.png", "one.png"]],
    }
    assert raw["change"] == "changed"
    assert (raw["old"]["rows"], raw["new"]["rows"]) == (2000, 2030)
    rows = raw["rows"]
    assert (rows["key"], rows["added"], rows["removed"]) == (["id"], 40, 10)
    before, after = table(), changed(table())
    both = before.join(after, on="id", suffix="_new")
    price = both.filter(pl.col("price").ne_missing(pl.col("price_new"))).height
    plan = both.filter(pl.col("plan") != pl.col("plan_new")).height
    either = both.filter(
        pl.col("price").ne_missing(pl.col("price_new")) | (pl.col("plan") != pl.col("plan_new"))
    ).height
    assert rows["columns"] == {"plan": plan, "price": price}
    assert (rows["changed"], rows["same"]) == (either, 1990 - either)
    columns = by_name(data)
    assert columns["price"]["missing"] == {"old": 0.0, "new": 100 / 2030}
    assert columns["price"]["mean"]["new"] == pytest.approx(after["price"].mean(), rel=1e-11)
    assert columns["price"]["distinct"]["new"] == after["price"].drop_nulls().n_unique()
    assert columns["price"]["distinct"]["error"] == [0.0, 0.0]
    assert columns["plan"]["new"] == [["team", (after["plan"] == "team").sum()]]
    assert columns["plan"]["gone"] == [["trial", 666]]
    exact = pytest.approx(sum(abs(a - b) for a, b in shares(before, after)) / 2)
    assert columns["plan"]["shift"] == {"measure": "categories", "value": exact, "error": 0.0}
    assert columns["mail"]["new"] == columns["mail"]["categories"] == []
    assert columns["mail"]["large"] is False


def shares(before: pl.DataFrame, after: pl.DataFrame) -> list[tuple[float, float]]:
    plans = set(before["plan"]) | set(after["plan"])
    return [((before["plan"] == p).mean(), (after["plan"] == p).mean()) for p in plans]


def test_without_the_data_the_profiles_say_the_same(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(repo)
    present = told(capsys)
    assert run(["data", "add", "-q", "data/raw.csv", "data/img"]) == 0
    assert run(["data", "profile", "-q"]) == 0
    commit(repo)
    forget_the_data(repo)
    absent = told(capsys, "HEAD~1..HEAD")
    assert by_name(absent) == by_name(present)
    assert absent["data"][0]["files"] == present["data"][0]["files"]
    raw = absent["data"][1]
    assert raw["rows"] is None
    assert raw["notes"] == ["rows: the data of HEAD~1 is neither in the workspace nor in the cache"]
    price = by_name(absent)["price"]
    before, after = (side["price"].drop_nulls().sort() for side in (table(), changed(table())))
    both = np.concatenate([before, after])
    exact = np.abs(
        np.searchsorted(before, both, "right") / len(before)
        - np.searchsorted(after, both, "right") / len(after)
    ).max()
    assert abs(price["shift"]["value"] - exact) <= price["shift"]["error"] <= 0.02
    for side, values in (("old", before), ("new", after)):
        for share, value in price["quantiles"][side].items():
            rank = np.searchsorted(values, value, "right") / len(values)
            assert abs(rank - float(share)) <= 0.01
    text = said(capsys, "HEAD~1", "data/raw.csv")
    assert "HEAD~1 → workspace" in text
    assert "new: team" in text
    assert "±" in text
    assert "≈" in text


def test_terminal_and_markdown(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(repo)
    text = said(capsys)
    assert "changed  data/raw.csv" in text
    assert "2,000 → 2,030 rows" in text
    assert "40 added, 10 removed" in text
    assert "> 1.png → one.png" in text
    assert "new: team 676; gone: trial 666" in text
    assert "2 more columns shifted by less than 0.02; of 1 more column the distribution" in text
    assert "p7@x.org" not in said(capsys, "--all")
    marked = said(capsys, "--markdown")
    assert marked.startswith("# Data: HEAD to workspace\n\n## `data/img` changed\n")
    assert "    - `+ 9.png`" in marked
    assert "| plan | 0.333 |" in marked
    assert marked == said(capsys, "--md")


def test_check_ends_with_1(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(repo)
    assert said(capsys, "--check", code=1)
    assert said(capsys)
    assert said(capsys, "HEAD..HEAD", "--check") == "No data differs between HEAD and HEAD.\n"


def test_revisions_and_paths(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    git = ["git", "checkout", "-q", "-b", "side"]
    subprocess.run(git, cwd=repo, check=True)
    change(repo)
    assert run(["data", "add", "-q", "data/raw.csv", "data/img"]) == 0
    commit(repo)
    paths = ["data/img", "data/raw.csv"]
    for words, sides in (
        (["main"], ("main", "workspace")),
        (["main..side"], ("main", "side")),
        (["main.."], ("main", "workspace")),
        (["..side"], ("HEAD", "side")),
        (["main..workspace"], ("main", "workspace")),
    ):
        data = told(capsys, *words)
        assert (data["a"], data["b"]) == sides
        assert [item["path"] for item in data["data"]] == ([] if sides[0] == "HEAD" else paths)
    assert len(told(capsys, "main", "data/raw.csv")["data"]) == 1
    assert len(told(capsys, "main", "data")["data"]) == 2
    assert len(told(capsys, "main", "data/img/9.png")["data"]) == 1
    assert told(capsys, "data/raw.csv")["data"] == []
    subprocess.run(["git", "checkout", "-q", "main"], cwd=repo, check=True)
    commit_something(repo)
    data = told(capsys, "main...side")
    assert len(data["a"]) == 7
    assert [item["path"] for item in data["data"]] == paths
    os.chdir(repo / "data")
    assert len(told(capsys, "main..side", "raw.csv")["data"]) == 1


def commit_something(repo: Path) -> None:
    (repo / "note").write_text("x")
    commit(repo)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nothing"], "nothing: tracked by DVC on neither side"),
        (["foo..bar"], "git knows no revision 'foo'"),
        (["foo...main"], "git knows no revision 'foo'"),
        (["main", "data/none.csv"], "data/none.csv: tracked by DVC on neither side"),
        (["main", "main"], "main: tracked by DVC on neither side"),
    ],
)
def test_what_is_no_revision_and_no_data(
    repo: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert run(["data", "diff", *words]) == 2
    assert message in capsys.readouterr().err


def test_added_removed_and_renamed_data(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("data/raw.csv.dvc").unlink()
    Path("data/raw.csv").rename("data/people.csv")
    shutil.rmtree("data/img")
    Path("data/img.dvc").unlink()
    pl.DataFrame({"a": [1, 2]}).write_parquet("data/new.parquet")
    assert run(["data", "add", "-q", "data/people.csv", "data/new.parquet"]) == 0
    data = told(capsys)
    found = {item["path"]: item for item in data["data"]}
    assert {path: item["change"] for path, item in found.items()} == {
        "data/img": "removed",
        "data/new.parquet": "added",
        "data/people.csv": "renamed",
    }
    assert found["data/new.parquet"]["new"]["rows"] == 2
    assert found["data/people.csv"]["old"]["path"] == "data/raw.csv"
    assert "data/raw.csv → data/people.csv" in said(capsys)


def test_outs_of_stages_are_data_and_metrics_are_not(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("sub").mkdir()
    Path("sub/dvc.yaml").write_text(
        "stages:\n  make:\n    wdir: ..\n    deps: [source.csv]\n    outs: [data/made.csv]\n"
        "    cmd: cp source.csv data/made.csv && cp source.csv m.json\n"
        "    metrics: [m.json: {cache: false}]\n"
    )
    Path("source.csv").write_text("a\n1\n2\n")
    assert run(["run", "-q", "-P"]) == 0
    commit(repo)
    Path("source.csv").write_text("a\n1\n3\n")
    assert run(["run", "-q", "-P"]) == 0
    (made,) = told(capsys)["data"]
    assert (made["path"], made["change"]) == ("data/made.csv", "changed")
    assert (made["rows"]["added"], made["rows"]["removed"], made["rows"]["same"]) == (1, 1, 1)


def test_a_stale_or_damaged_profile_is_no_profile(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(repo)
    assert run(["data", "add", "-q", "data/raw.csv", "data/img"]) == 0
    commit(repo)  # with the profiles of before
    forget_the_data(repo)
    raw = told(capsys, "HEAD~1..HEAD", "data/raw.csv")["data"][0]
    assert raw["columns"] == []
    assert (
        raw["notes"][0]
        == "columns: the profile of HEAD is of other data, and its data is not at hand"
    )
    place = repo / "profiles" / "data" / "raw.csv.json"
    place.write_text("<<<<<<< HEAD\n" + place.read_text())
    raw = told(capsys, "HEAD~1", "data/raw.csv")["data"][0]
    assert "conflict markers" in raw["notes"][0]
    images = told(capsys, "HEAD~1..HEAD", "data/img")["data"][0]
    assert images["files"] is None
    assert images["notes"] == ["files: neither the cache nor a profile lists those of HEAD"]
    assert "files" in said(capsys, "HEAD~1..HEAD")


def test_a_damaged_table_is_named(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("data/raw.csv").write_text("a,b\n1,2\n1,2,3\n")
    assert run(["data", "diff"]) == 2
    assert "data/raw.csv: cannot be read as a table" in capsys.readouterr().err


def test_before_the_first_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                 capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc" / "config").touch()
    monkeypatch.chdir(tmp_path)
    Path("raw.csv").write_text("a\n1\n")
    assert run(["data", "add", "-q", "raw.csv"]) == 0
    assert told(capsys)["data"][0]["change"] == "added"


# files


def test_renames_keep_names_where_they_can() -> None:
    old = {"a/x": "1", "a/y": "1", "b": "2", "same": "3", "gone": "4"}
    new = {"c/y": "1", "c/w": "1", "b": "5", "same": "3", "new": "6"}
    assert compare_files(old, new) == FileChanges(
        added=("new",), removed=("gone",), changed=("b",), renamed=(("a/x", "c/w"), ("a/y", "c/y"))
    )


LISTING = st.dictionaries(
    st.sampled_from([f"d{i}/f{j}" for i in range(3) for j in range(4)]), st.sampled_from("abcd")
)


@given(LISTING, LISTING)
@settings(max_examples=150, deadline=None)
def test_every_file_is_accounted_for_once(old: dict[str, str], new: dict[str, str]) -> None:
    found = compare_files(old, new)
    same = {path for path in old.keys() & new.keys() if old[path] == new[path]}
    from_ = [*found.removed, *found.changed, *(a for a, _ in found.renamed), *same]
    to = [*found.added, *found.changed, *(b for _, b in found.renamed), *same]
    assert sorted(from_) == sorted(old)
    assert sorted(to) == sorted(new)
    assert all(old[a] == new[b] for a, b in found.renamed)
    assert not {old[path] for path in found.removed} & {new[path] for path in found.added}
    assert bool(found) == (old != new)


# rows


def files(folder: Path, *frames: pl.DataFrame) -> list[list[TableFile]]:
    made = []
    for at, frame in enumerate(frames):
        frame.write_parquet(folder / f"{at}.parquet")
        made.append([TableFile(str(folder / f"{at}.parquet"), ".parquet", f"{at}.parquet")])
    return made


MARKS = Marks(key=("k",), label="y", shown=frozenset({"k", "y", "v"}))
ROWS = st.dictionaries(
    st.integers(0, 12), st.tuples(st.none() | st.integers(0, 2), st.sampled_from("ab"))
)


def keyed(rows: dict[int, tuple[int | None, str]]) -> pl.DataFrame:
    data = [(key, v, y) for key, (v, y) in rows.items()]
    return pl.DataFrame(data, {"k": pl.Int64, "v": pl.Int64, "y": pl.String}, orient="row")


@given(ROWS, ROWS)
@settings(max_examples=60, deadline=None)
def test_rows_by_key(tmp_path_factory, old, new) -> None:
    found = compare_rows(*files(tmp_path_factory.mktemp("rows"), keyed(old), keyed(new)), MARKS)
    both = old.keys() & new.keys()
    moved = [(old[k][1], new[k][1]) for k in both if old[k][1] != new[k][1]]
    assert found.added == len(new.keys() - old.keys())
    assert found.removed == len(old.keys() - new.keys())
    assert found.changed == sum(old[k] != new[k] for k in both)
    assert found.same == len(both) - found.changed
    assert found.columns.get("v", 0) == sum(old[k][0] != new[k][0] for k in both)
    assert found.relabelled == len(moved)
    assert found.labels == {pair: moved.count(pair) for pair in set(moved)}


@given(
    st.lists(st.tuples(st.integers(0, 2), st.none() | st.sampled_from("ab")), max_size=12),
    st.lists(st.tuples(st.integers(0, 2), st.none() | st.sampled_from("ab")), max_size=12),
)
@settings(max_examples=60, deadline=None)
def test_rows_as_wholes(tmp_path_factory, old, new) -> None:
    schema = {"v": pl.Int64, "y": pl.String}
    frames = [pl.DataFrame(rows, schema, orient="row") for rows in (old, new)]
    found = compare_rows(*files(tmp_path_factory.mktemp("rows"), *frames), Marks())
    added = sum(max(0, new.count(row) - old.count(row)) for row in set(new))
    removed = sum(max(0, old.count(row) - new.count(row)) for row in set(old))
    assert (found.added, found.removed, found.changed) == (added, removed, 0)
    assert found.same == len(new) - added
    assert found.why == "no contract names a key"


def test_a_key_that_names_several_rows_is_none(tmp_path: Path) -> None:
    twice = pl.DataFrame({"k": [1, 1, 2], "y": ["a", "b", "a"]})
    found = compare_rows(*files(tmp_path, twice, twice.head(2)), MARKS)
    assert (found.key, found.why) == ((), "the key k names several rows")
    assert (found.added, found.removed, found.same) == (0, 1, 2)


def test_labels_that_may_not_be_shown_are_not(tmp_path: Path) -> None:
    old, new = (pl.DataFrame({"k": [1], "y": [label]}) for label in ("a", "b"))
    hidden = Marks(key=("k",), label="y", shown=frozenset({"k"}))
    found = compare_rows(*files(tmp_path, old, new), hidden)
    assert (found.changed, found.labels, found.relabelled) == (1, {}, 1)
    assert compare_rows(*files(tmp_path, old, new), Marks(key=("k",))).relabelled is None


def test_columns_of_other_types_and_of_one_side_are_named(tmp_path: Path) -> None:
    old = pl.DataFrame({"k": [1, 2], "v": [1, 2], "gone": [1, 2], "t": ["a", "b"]})
    new = pl.DataFrame({"k": [1, 2], "v": [1.0, 2.5], "new": [1, 2], "t": [1, 2]})
    found = compare_rows(*files(tmp_path, old, new), MARKS)
    assert found.ignored == ("gone", "new", "t")
    assert (found.changed, dict(found.columns)) == (1, {"v": 1})
    assert compare_rows(*files(tmp_path, old.select("gone"), new.select("new")), MARKS) is None


# columns


def test_relabelled_rows_and_the_label_are_told() -> None:
    labels = [pl.Series("y", ["no"] * no + ["yes"] * (100 - no)) for no in (80, 75)]
    column = compare(*(of_series(side, "str", shown=True) for side in labels))
    rows = RowChanges(("k",), 0, 0, 5, 95, labels={("no", "yes"): 5}, relabelled=5)
    changed = DataChange("changed", None, None, columns=(column,), label="y", rows=rows)
    assert ("label y", "no 80.0 % → 75.0 %, yes 20.0 % → 25.0 %; 5 relabelled (no → yes 5)") in (
        sentences(changed)
    )
    same = replace(changed, rows=replace(rows, labels={}, relabelled=0, changed=0))
    assert dict(sentences(same))["label y"].endswith("; 0 relabelled")
    hidden = compare(*(of_series(side, "str", shown=False) for side in labels))
    assert "label y" not in dict(sentences(replace(changed, columns=(hidden,), rows=None)))


@pytest.mark.parametrize(
    ("old", "new", "shown", "large"),
    [
        ([1.0] * 100, [1.0] * 100, True, False),
        ([1.0] * 100, [2.0] * 100, True, True),
        ([1.0] * 100, [1.0] * 99 + [None], True, True),
        (["a"] * 100, ["a"] * 99 + ["b"], True, True),
        (["a"] * 100, ["a"] * 99 + ["b"], False, False),
        ([True] * 90 + [False] * 10, [True] * 80 + [False] * 20, False, True),
        ([None, None], [None, None], True, False),
    ],
)
def test_what_is_told_unasked(old: list, new: list, shown: bool, large: bool) -> None:
    kinds = {float: "float", str: "str", bool: "bool", type(None): "float"}
    kind = kinds[type(old[0])]
    dtype = {"float": pl.Float64, "str": pl.String, "bool": pl.Boolean}[kind]
    left, right = (
        of_series(pl.Series("c", side, dtype=dtype), kind, shown=shown) for side in (old, new)
    )
    assert compare(left, right).is_large is large


def test_a_column_that_changed_its_kind_is_told() -> None:
    left = of_series(pl.Series("c", ["1", "2"]), "str", shown=True)
    right = of_series(pl.Series("c", [1, 2]), "int", shown=True)
    found = compare(left, right)
    assert found.is_large
    assert found.kinds == ("str", "int")
    assert found.shift is None


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (19723, "date", "2024-01-01"),
        (1704067200.0, "datetime", "2024-01-01 00:00"),
        (1e300, "datetime", "1e+300"),
        (12345.678, "float", "12,345.7"),
        (0.000123456, "float", "0.0001235"),
        (1234567, "int", "1,234,567"),
    ],
)
def test_figures_are_told_as_what_they_are(value: float, kind: str, text: str) -> None:
    assert number(value, kind) == text
