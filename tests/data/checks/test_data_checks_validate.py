"""The checks as `mlctl validate` and `mlctl data scan` make them: seeded defects, by the file."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mlctl.adapters import tables
from mlctl.cli.main import run
from mlctl.data.contracts.verdict import Failure
from mlctl.data.validation import validate
from mlctl.errors import ConfigError

CONTRACT = """\
schema: mlctl.contract/1
data: data
splits: {train: data/train.csv, test: data/test.parquet}
label: churn
personal: scan
leakage:
  key: [customer]
  time: day
  duplicates: 0.0
  near_duplicates: {columns: [note], similarity: 0.8}
  target: 0.98
  labels: 0.1
columns:
  customer: {type: int}
  day: {type: date}
  note: {type: str, nullable: true}
  spent: {type: float, nullable: true}
  churn: {type: str, in: ["no", "yes"]}
  mail: {type: str, personal: true}
"""
WORDS = ["".join(random.Random(n).choices("abcdefghij", k=3 + n % 6)) for n in range(800)]
Data = dict[str, pl.DataFrame]


def clean() -> Data:
    source = random.Random(9)

    def row(n: int) -> dict[str, Any]:
        return {
            "customer": n,
            "day": date(2025, 1, 1) + timedelta(n // 10),
            "note": " ".join(source.choices(WORDS, k=12)),
            "spent": round(source.uniform(0, 100), 2),
            "churn": "yes" if source.random() < 0.3 else "no",
            "mail": f"c{n}@example.com",
        }

    return {
        "train": pl.DataFrame([row(n) for n in range(1500)]),
        "test": pl.DataFrame([row(n) for n in range(1500, 2000)]),
    }


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for mark in ("GIT_INDEX_FILE", "PRE_COMMIT"):
        monkeypatch.delenv(mark, raising=False)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    for folder in (".dvc", "data", "contracts"):
        (tmp_path / folder).mkdir()
    (tmp_path / ".dvc" / "config").touch()
    (tmp_path / "contracts" / "churn.yaml").write_text(CONTRACT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(repo: Path, data: Data) -> None:
    tables.write(data["train"], repo / "data" / "train.csv")
    tables.write(data["test"], repo / "data" / "test.parquet")


def failures(repo: Path, data: Data) -> list[Failure]:
    put(repo, data)
    (result,) = validate(str(repo))
    assert result.verdict is not None
    return list(result.verdict.failures)


def changed(split: str, column: str, values: dict[int, Any]) -> Callable[[Data], Data]:
    """The clean data with other values in some rows, from 1."""

    def change(data: Data) -> Data:
        old = data[split][column].to_list()
        for row, value in values.items():
            old[row - 1] = value
        series = pl.Series(column, old, dtype=data[split].schema[column])
        return {**data, split: data[split].with_columns(series)}

    return change


def with_rows(split: str, rows: Callable[[Data], pl.DataFrame]) -> Callable[[Data], Data]:
    return lambda data: {**data, split: pl.concat([data[split], rows(data)])}


def near(data: Data) -> Data:
    note = data["train"]["note"][41]
    return changed("test", "note", {7: note[:-3] + "xyz"})(data)


def labels_moved(data: Data) -> Data:
    return changed("test", "churn", dict.fromkeys(range(1, 401), "yes"))(data)


def leaked(data: Data) -> Data:
    """What was spent is filled in for those only who stay."""
    stays = pl.when(pl.col("churn") == "no").then(pl.col("spent"))
    return {name: frame.with_columns(spent=stays) for name, frame in data.items()}


TRAIN, TEST = "data/train.csv", "data/test.parquet"
Expected = list[tuple[str, str, str, tuple[int, ...]]]
DEFECTS: dict[str, tuple[Callable[[Data], Data], Expected]] = {
    "duplicate in train": (
        with_rows("train", lambda d: d["train"][[3]]),
        [(TRAIN, "", "duplicates in train", (1501,)),
         (TRAIN, "", "near-duplicates 0.8 in note in train", (1501,))],
    ),
    "train row in test": (
        with_rows("test", lambda d: d["train"][[3, 4]]),
        [(TEST, "", "duplicates of train in test", (501, 502)),
         (TEST, "", "near-duplicates 0.8 in note of train in test", (501, 502)),
         (TEST, "", "leakage of key customer of train in test", (501, 502)),
         (TEST, "day", "leakage of time from test into train", (501, 502))],
    ),
    "customer in both": (
        changed("test", "customer", {9: 12, 20: 800}),
        [(TEST, "", "leakage of key customer of train in test", (9, 20))],
    ),
    "test day in train": (
        changed("train", "day", {100: date(2026, 1, 1)}),
        [(TRAIN, "day", "leakage of time from test into train", (100,))],
    ),
    "nearly the same note": (
        near, [(TEST, "", "near-duplicates 0.8 in note of train in test", (7,))],
    ),
    "labels moved": (labels_moved, [("", "churn", "labels of test as of train", ())]),
    "missing tells": (leaked, [("", "spent", "leakage of target 0.98", ())]),
    "mail in a note": (
        changed("train", "note", {77: "please write to taro@example.co.jp today"}),
        [(TRAIN, "note", "personal: mail", (77,))],
    ),
    "cards in a note": (
        changed("test", "note", {5: "4111 1111 1111 1111", 6: "5500005555555559"}),
        [(TEST, "note", "personal: credit card", (5, 6))],
    ),
}  # fmt: skip


def test_clean_splits_pass(repo: Path) -> None:
    assert failures(repo, clean()) == []
    (result,) = validate(str(repo))
    assert result.cached


@pytest.mark.parametrize("name", DEFECTS)
def test_a_seeded_defect_is_named_by_file_row_column_and_rule(repo: Path, name: str) -> None:
    change, expected = DEFECTS[name]
    found = failures(repo, change(clean()))
    assert [(f.file, f.column, f.check, f.rows) for f in found] == expected


def test_reports_say_which_rows_and_never_a_whole_mail(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = clean()
    for name in ("train row in test", "mail in a note"):
        data = DEFECTS[name][0](data)
    put(repo, data)
    assert run(["validate"]) == 1
    said = " ".join(capsys.readouterr().out.split())
    files = [path.read_text() for path in (repo / "reports").rglob("*.*")]
    assert files
    for text in [said, *files]:
        assert "row 501 as row 4 of data/train.csv" in " ".join(text.split())
        assert "taro@" not in text


def test_a_column_that_is_missing_is_told_once(repo: Path) -> None:
    data = {name: frame.drop("note") for name, frame in clean().items()}
    assert {(f.column, f.check) for f in failures(repo, data)} == {("note", "column missing")}


def test_a_file_that_is_no_table_is_told_and_the_others_are_checked(repo: Path) -> None:
    put(repo, DEFECTS["duplicate in train"][0](clean()))
    whole = (repo / "data" / "test.parquet").read_bytes()
    (repo / "data" / "test.parquet").write_bytes(whole[: len(whole) // 2])
    (result,) = validate(str(repo))
    assert result.verdict is not None
    found = [(f.file, f.check) for f in result.verdict.failures]
    assert (TEST, "readable") in found
    assert (TRAIN, "duplicates in train") in found


def test_files_of_splits_must_be_files_of_the_data(repo: Path) -> None:
    put(repo, clean())
    path = repo / "contracts" / "churn.yaml"
    path.write_text(CONTRACT.replace("data: data\n", "data: data/train.csv\n"))
    with pytest.raises(ConfigError, match=r"data/test.parquet is not among the files of `data`"):
        validate(str(repo))
    path.write_text(CONTRACT.replace("test: data/test.parquet", "test: data/*"))
    with pytest.raises(ConfigError, match=r"data/train.csv is of train already"):
        validate(str(repo))
    path.write_text(CONTRACT.replace("data/test.parquet", "data/tset.parquet"))
    with pytest.raises(ConfigError, match=r"data/tset.parquet is not there"):
        validate(str(repo))


def test_scan_needs_no_contract(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(repo, clean())
    assert run(["data", "scan", "data"]) == 0
    said = capsys.readouterr().out
    assert "c*@*******.***" in said
    assert "c7@example.com" not in said
    assert "2 files, 2000 rows, 6 columns" in said
    assert run(["data", "scan", "data", "--check"]) == 1
    assert run(["data", "scan", "data", "--check", "--personal", "mail"]) == 0
    assert "nothing found" in capsys.readouterr().out
    assert run(["data", "scan", "data", "--personal", "mial"]) == 2
    assert "no column is called 'mial'" in capsys.readouterr().err


def test_scan_as_json(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(repo, clean())
    assert run(["data", "scan", "data/train.csv", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["schema"] == "mlctl.data.scan/1"
    (found,) = said["found"]
    assert found == {
        "file": "data/train.csv", "column": "mail", "kind": "mail", "count": 1500, "share": 1.0,
        "rows": list(range(1, 11)), "values": ["c*@*******.***"] * 10,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "is not there"),
        (lambda path: path.write_bytes(b""), "the file is empty"),
        (lambda path: path.write_bytes(b"PAR1 no"), "cannot be read as a table"),
    ],
)
def test_scan_of_what_is_no_table(
    repo: Path, capsys: pytest.CaptureFixture[str], make: Callable[[Path], Any], said: str
) -> None:
    make(repo / "data" / "x.parquet")
    assert run(["data", "scan", "data/x.parquet"]) == 2
    assert said in capsys.readouterr().err


def test_empty_splits_break_nothing(repo: Path) -> None:
    data = clean()
    assert failures(repo, {name: frame.clear() for name, frame in data.items()}) == []
    assert failures(repo, {**data, "train": data["train"].clear()}) == []
    assert failures(repo, {**data, "test": data["test"].clear()}) == []


@pytest.mark.parametrize("kind", ["bool", "int", "any", "date"])
def test_labels_of_every_type(repo: Path, kind: str) -> None:
    path = repo / "contracts" / "churn.yaml"
    path.write_text(CONTRACT.replace('{type: str, in: ["no", "yes"]}', f"{{type: {kind}}}"))
    yes = pl.col("churn") == "yes"
    made = {
        "bool": yes, "int": yes.cast(pl.Int64), "any": yes.cast(pl.Int8),
        "date": pl.lit(date(2025, 1, 1)) + pl.duration(days=yes.cast(pl.Int64)),
    }[kind]  # fmt: skip
    data = labels_moved(leaked(clean()))
    data = {name: frame.with_columns(churn=made) for name, frame in data.items()}
    found = {(f.column, f.check) for f in failures(repo, data)}
    assert ("churn", "labels of test as of train") in found


def test_columns_of_any_type_may_differ_from_file_to_file(repo: Path) -> None:
    (repo / "contracts" / "churn.yaml").write_text(
        "schema: mlctl.contract/1\ndata: data\ncolumns: {x: {type: any}}\n"
        "splits: {train: data/train.csv, test: data/test.parquet}\n"
        "leakage: {key: [x], duplicates: 0}\n"
    )
    data = {"train": pl.DataFrame({"x": ["1", "2", "2"]}), "test": pl.DataFrame({"x": [3, 1]})}
    assert {(f.file, f.check, f.rows) for f in failures(repo, data)} == {
        (TRAIN, "duplicates in train", (3,)),
        (TEST, "duplicates of train in test", (2,)),
        (TEST, "leakage of key x of train in test", (2,)),
    }
    data["test"] = pl.DataFrame({"x": [[1, 2], [1, 2], [2]]})
    assert (TEST, "duplicates in test", (2,)) in {
        (f.file, f.check, f.rows) for f in failures(repo, data)
    }


def test_scan_of_a_csv_that_breaks_off_is_no_clean_one(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repo / "data" / "x.csv").write_bytes(b"a,b\n" + b"1,2\n" * 100_000 + b"\xff,2\n")
    assert run(["data", "scan", "data/x.csv"]) == 2
    assert "not UTF-8" in capsys.readouterr().err


def test_of_many_files_the_first_ten_are_named(repo: Path) -> None:
    (repo / "contracts" / "churn.yaml").write_text(
        "schema: mlctl.contract/1\ndata: data\ncolumns: {x: {type: int}}\n"
        "leakage: {duplicates: 0}\n"
    )
    for number in range(14):
        tables.write(pl.DataFrame({"x": [number, number]}), repo / "data" / f"{number:02}.csv")
    (result,) = validate(str(repo))
    assert result.verdict is not None
    *named, rest = result.verdict.failures
    assert [(f.file, f.rows) for f in named] == [(f"data/{n:02}.csv", (2,)) for n in range(10)]
    assert (rest.check, rest.count, rest.detail) == ("duplicates", 4, "in 4 more files")


def test_a_single_file_that_is_no_table_is_told_once(repo: Path) -> None:
    (repo / "contracts" / "churn.yaml").write_text(
        "schema: mlctl.contract/1\ndata: data/x.csv\ncolumns: {x: {type: int}}\n"
        "personal: scan\nleakage: {duplicates: 0}\n"
    )
    (repo / "data" / "x.csv").write_bytes(b"x\n1\n\xff\n")
    (result,) = validate(str(repo))
    assert result.verdict is not None
    assert [f.check for f in result.verdict.failures] == ["readable"]
