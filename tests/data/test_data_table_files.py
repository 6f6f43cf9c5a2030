"""Data sets of several files, and what formats do to types, validated as `mlctl validate` does."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from mlctl.adapters import tables
from mlctl.data.contracts.rules import Rule
from mlctl.data.validated import Validated
from mlctl.data.validation import validate
from mlctl.errors import ConfigError
from mlctl.store.tree import tree_bytes, tree_id

COLUMNS = "  id: {type: int, unique: true}\n  x: {type: float, min: 0, nullable: true}\n"


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for mark in ("GIT_INDEX_FILE", "PRE_COMMIT"):
        monkeypatch.delenv(mark, raising=False)
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc" / "config").touch()
    (tmp_path / "contracts").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def judged(repo: Path, data: str, columns: str = COLUMNS, rest: str = "") -> Validated:
    text = f"schema: mlctl.contract/1\ndata: '{data}'\n{rest}\ncolumns:\n{columns}"
    (repo / "contracts" / "c.yaml").write_text(text)
    (result,) = validate(str(repo))
    return result


def failures(result: Validated) -> list[tuple[object, ...]]:
    return [(f.file, f.column, f.check, f.count, f.rows, f.values) for f in result.verdict.failures]


def lay(repo: Path, name: str, ids: list[int], xs: list[float | None]) -> str:
    path = repo / "data" / name
    tables.write(pl.DataFrame({"id": ids, "x": xs}, schema={"id": pl.Int64, "x": pl.Float64}), path)
    return md5(path)


def md5(path: Path) -> str:
    return subprocess.check_output(["md5sum", path], text=True).split()[0]


def test_a_folder_is_one_table_whose_files_are_named(repo: Path) -> None:
    digests = {
        "a.csv": lay(repo, "all/a.csv", [1, 2], [0.5, -1.0]),
        "b/c.parquet": lay(repo, "all/b/c.parquet", [3, 1], [1.0, None]),
        "d[1].jsonl": lay(repo, "all/d[1].jsonl", [5], [-2.0]),
        "e*.arrow": lay(repo, "all/e*.arrow", [6], [2.0]),
    }
    (repo / "data" / "all" / ".hidden.csv").write_text("no,table\n")
    result = judged(repo, "data/all/", rest="rows: {min: 6}")
    assert failures(result) == [
        ("data/all/a.csv", "id", "unique", 1, (1,), (1,)),
        ("data/all/b/c.parquet", "id", "unique", 1, (2,), (1,)),
        ("data/all/a.csv", "x", "min 0.0", 1, (2,), (-1.0,)),
        ("data/all/d[1].jsonl", "x", "min 0.0", 1, (1,), (-2.0,)),
    ]
    digests[".hidden.csv"] = md5(repo / "data" / "all" / ".hidden.csv")  # part of it, as for DVC
    assert result.data_digest == f"md5:{tree_id(tree_bytes(digests.items()))}"
    again = judged(repo, "data/all/", rest="rows: {min: 6}")
    assert (again.cached, again.verdict) == (True, result.verdict)


def test_a_pattern_chooses_files_and_shares_are_of_all_rows(repo: Path) -> None:
    lay(repo, "2024/a.csv", [1, 2, 3], [-1.0, 2.0, 3.0])
    lay(repo, "2025/a.csv", [4], [4.0])
    lay(repo, "2025/b.parquet", [4], [4.0])
    result = judged(repo, "data/**/*.csv")
    assert [(f.file, f.share) for f in result.verdict.failures] == [("data/2024/a.csv", 0.25)]
    assert result.verdict.rows == 4
    allowed = COLUMNS.replace("min: 0,", "min: 0, max_failing: 0.25,")
    assert judged(repo, "data/**/*.csv", allowed).verdict.valid
    one = judged(repo, "data/2024/*.csv")
    assert [f.file for f in one.verdict.failures] == [""]


def test_each_file_must_have_the_columns(repo: Path) -> None:
    lay(repo, "all/a.csv", [1], [1.0])
    (repo / "data" / "all" / "b.csv").write_text("id,more\n2,3\n")
    assert failures(judged(repo, "data/all")) == [
        ("data/all/b.csv", "x", "column missing", 0, (), ()),
        ("data/all/b.csv", "more", "column not in the contract", 0, (), ()),
    ]


def test_of_many_files_at_fault_the_first_ten_are_named(repo: Path) -> None:
    for number in range(13):
        lay(repo, f"all/{number:02}.csv", [number], [-1.0])
    found = judged(repo, "data/all").verdict.failures
    assert [f.file for f in found[:10]] == [f"data/all/{number:02}.csv" for number in range(10)]
    last = found[10:]
    assert [(f.file, f.check, f.count, f.detail) for f in last] == [
        ("", "min 0.0", 3, "in 3 more files")
    ]


def test_values_of_json_lines_have_their_own_types(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "_BLOCK", 1)  # each line is a part
    for block in (1, 1 << 24):
        monkeypatch.setattr(tables, "_BLOCK", block)
        (repo / "data").mkdir(exist_ok=True)
        (repo / "data" / "a.jsonl").write_text(
            '{"id": 1, "x": 1}\n\n{"id": "two", "x": 2.5}\n{"id": 3}\n{"id": 2.5, "late": true}\n'
        )
        found = failures(judged(repo, "data/a.jsonl"))
        assert ("", "late", "column not in the contract", 0, (), ()) in found
        (bad,) = (f for f in found if f[1] == "id")
        assert bad[:5] == ("", "id", "type int", 2, (2, 4))
        shutil.rmtree(repo / ".mlctl" / "verdicts")


def test_texts_for_numbers_in_json_lines_are_another_type(repo: Path) -> None:
    (repo / "data").mkdir()
    (repo / "data" / "a.jsonl").write_text('{"id": "1", "x": 1.5}\n{"id": "2", "x": 2}\n')
    (failure,) = judged(repo, "data/a.jsonl").verdict.failures
    assert (failure.check, failure.detail) == ("type int", "is String")


def test_one_row_of_many_millions_is_not_rounded_away() -> None:
    rule = Rule("a", "min 0", pl.lit(True), 0.0, ("a",))
    assert rule.breaks_in(50_000_000, 1)
    assert not rule.breaks_in(50_000_000, 0)
    assert not Rule("a", "min 0", pl.lit(True), 0.29, ("a",)).breaks_in(100, 29)


def test_what_cannot_be_compared_cannot_be_unique(repo: Path) -> None:
    (repo / "data").mkdir()
    pl.DataFrame({"id": [[1], [1]]}).write_parquet(repo / "data" / "a.parquet")
    with pytest.raises(ConfigError) as caught:
        judged(repo, "data/a.parquet", "  id: {type: any, unique: true}\n")
    said = "contracts/c.yaml:5: columns.id: unique: a column of type List(Int64) cannot be compared"
    assert str(caught.value) == said


def test_a_rule_that_does_not_fit_a_column_of_any_type_is_an_error_of_the_contract(
    repo: Path,
) -> None:
    (repo / "data").mkdir()
    pl.DataFrame({"x": ["a"]}).write_parquet(repo / "data" / "a.parquet")
    with pytest.raises(ConfigError, match=r"c\.yaml:3: checks\[0\]\.expr: expr: x - 1 > 0: .*"):
        judged(repo, "data/a.parquet", "  x: {type: any}\n", 'checks: [{expr: "x - 1 > 0"}]')


def test_neither_pandera_nor_numpy_is_imported(repo: Path) -> None:
    lay(repo, "a.csv", [1], [1.0])
    judged(repo, "data/a.csv")
    shutil.rmtree(repo / ".mlctl" / "verdicts")
    program = (
        "import sys; from mlctl.cli.main import run; code = run(['validate', '--no-report'])\n"
        "print(code, sorted({'pandera', 'numpy', 'pandas', 'pyarrow'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=repo, check=True
    )
    assert done.stdout.splitlines()[-1] == "0 []"
