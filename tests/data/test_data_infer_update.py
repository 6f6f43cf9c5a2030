"""`mlctl data infer --update`: a patch that a person reviews."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import polars as pl
import pytest

from mlctl.cli.main import run
from mlctl.data.inferring import infer_contract, update_contract
from mlctl.data.validation import validate
from mlctl.errors import ConfigError, InvalidInput

CONTRACT = """\
# our customers
schema: mlctl.contract/1
data: data/raw.csv   # daily
rows: {min: 2, max: 3}
key: [id]
columns:
  # the id of the shop
  id: {type: int, unique: true, min: 1}   # never reuse
  plan:
    type: str
    # agreed with sales
    in:
      - free
      - paid   # since 2020
  age: {type: int, min: 18, max: {value: 60, max_failing: 0.1}} # people
  price: {type: int, min: 0}
  at: {type: date, min: 2020-01-01}
  code: {type: str, length: {max: 3}}
  gone: {type: int}
  word: {type: str, regex: ^a}
  few: {type: int, max_missing: 0.1}
checks:
  - expr: "age > 18"
"""
NEW = "  new col: {type: float}  # new: seen 0 to 0.7; too few rows for a range [a guess]"
EXPECTED = (
    CONTRACT.replace("max: 3}\nkey", "max: 12}\nkey")
    .replace("# since 2020\n", "# since 2020\n      - gold\n")
    .replace("min: 18, max: {value: 60", "min: 0, max: {value: 120")
    .replace("max_failing: 0.1}}", "max_failing: 0.1}, nullable: true}")
    .replace("price: {type: int, min: 0}", "price: {type: float, min: -5.5}")
    .replace("min: 2020-01-01", "min: 2018-01-01")
    .replace("length: {max: 3}", "length: {max: 5}")
    .replace("max_missing: 0.1", "max_missing: 0.6")
    .replace("checks:", f"{NEW}\nchecks:")
)


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc" / "config").touch()
    (tmp_path / "data").mkdir()
    (tmp_path / "contracts").mkdir()
    pl.DataFrame(
        {
            "id": [*range(1, 8), 7],
            "plan": ["free", "gold"] * 4,
            "age": [15, 70, 80, 20, 20, 20, 20, None],
            "price": [1.5, 2, 3, -1, 5, 6, 7, 8],
            "at": ["2020-01-05"] * 7 + ["2019-05-05"],
            "code": ["a"] * 7 + ["abcde"],
            "word": ["ab"] * 7 + ["b"],
            "few": [None, None, 1, 2, 3, 4, 5, 6],
            "new col": [0.1 * i for i in range(8)],
        }
    ).write_csv(tmp_path / "data" / "raw.csv")
    (tmp_path / "contracts" / "raw.yaml").write_text(CONTRACT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_patch_widens_what_is_broken_and_keeps_the_rest(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contract = repo / "contracts" / "raw.yaml"
    assert run(["data", "infer", "data/raw.csv", "--update"]) == 0
    shown = capsys.readouterr().out
    assert contract.read_text() == CONTRACT
    assert "nothing written; --write applies this\n" in shown
    left = {line.split(": ")[1]: line for line in shown.splitlines() if line.startswith("left: ")}
    assert left.keys() == {"gone", "id", "word", "the table"}
    assert "a part of the key" not in left["id"]
    diff = shown[: shown.index("left: ")]
    (repo / "patch").write_text(diff)
    subprocess.run(["git", "apply", "patch"], cwd=repo, check=True)
    assert contract.read_text() == EXPECTED
    assert run(["data", "infer", "data/raw.csv", "--update", "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["diff"], again["changes"], again["written"]) == ("", [], False)
    assert {f.check for f in validate(str(repo))[0].verdict.failures} == {
        "column missing", "unique", "regex ^a", "expr: age > 18",
    }  # fmt: skip


def test_write_applies_it(repo: Path) -> None:
    updated = update_contract(str(repo), "data/raw.csv", write=True)
    assert updated.written
    assert (repo / "contracts" / "raw.yaml").read_text() == EXPECTED
    assert not update_contract(str(repo), "data/raw.csv", write=True).written


def test_data_that_keeps_its_contract_changes_nothing(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    infer_contract(str(repo), "data/raw.csv", name="mine")
    before = (repo / "contracts" / "mine.yaml").read_text()
    assert run(["data", "infer", "data/raw.csv", "--update", "--write", "--name", "mine"]) == 0
    assert capsys.readouterr().out == "contracts/mine.yaml: the data keeps it\n"
    assert (repo / "contracts" / "mine.yaml").read_text() == before


def test_an_update_needs_a_contract_that_it_can_edit(repo: Path) -> None:
    assert run(["data", "infer", "data/raw.csv", "--write"]) == 2
    assert run(["data", "infer", "data/raw.csv", "--update", "--force"]) == 2
    with pytest.raises(InvalidInput, match="no contract is called 'other'"):
        update_contract(str(repo), "data/raw.csv", name="other")
    shared = CONTRACT.replace("{type: int, min: 0}", "&x {type: int, min: 0}")
    (repo / "contracts" / "raw.yaml").write_text(shared)
    with pytest.raises(ConfigError, match=r"contracts/raw\.yaml: cannot be edited: .* anchors"):
        update_contract(str(repo), "data/raw.csv")


@pytest.mark.parametrize("data", ["parts", "parts/*.csv"])
def test_a_folder_of_tables_is_one_data_set(repo: Path, data: str) -> None:
    (repo / "parts").mkdir()
    for part in range(3):
        frame = pl.DataFrame({"id": range(part * 50, part * 50 + 50), "x": [1.5, 2.5] * 25})
        frame.write_csv(repo / "parts" / f"{part}.csv")
    written = infer_contract(str(repo), data, name="parts")
    assert (written.rows, written.contract.key) == (150, ("id",))
    assert [r.verdict.valid for r in validate(str(repo), ["parts"])] == [True]


def test_data_that_is_not_there_or_no_table_is_2(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repo / "data" / "bad.parquet").write_text("PAR1")
    (repo / "data" / "empty.csv").touch()
    for data in ("data/gone.csv", "data/bad.parquet", "data/empty.csv"):
        assert run(["data", "infer", data]) == 2, data
        assert data.split("/")[1] in capsys.readouterr().err
    assert [path.name for path in (repo / "contracts").iterdir()] == ["raw.yaml"]
