"""`mlctl validate` and `mlctl data infer` on a repository: reports, memory, exit codes."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from mlctl.cli.main import run
from mlctl.data.contracts.verdict import Failure, Verdict
from mlctl.data.inferring import infer_contract
from mlctl.data.validated import Validated, to_dict, to_markdown
from mlctl.data.validation import validate
from mlctl.errors import ConfigError, InvalidInput


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for mark in ("GIT_INDEX_FILE", "PRE_COMMIT"):
        monkeypatch.delenv(mark, raising=False)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc" / "config").touch()
    (tmp_path / "data").mkdir()
    frame = pl.DataFrame({"id": range(60), "x": [float(i) for i in range(60)]})
    frame.write_csv(tmp_path / "data" / "raw.csv")
    frame.write_parquet(tmp_path / "data" / "clean.parquet")
    infer_contract(str(tmp_path), "data/raw.csv")
    infer_contract(str(tmp_path), "data/clean.parquet")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def reports(repo: Path) -> dict[str, bytes]:
    folder = repo / "reports"
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.*")}


def spoil(repo: Path) -> None:
    path = repo / "data" / "raw.csv"
    path.write_text(path.read_text().replace("\n5,5.0\n", "\n5,-9.0\n"))


def test_verdicts_reports_and_exit_codes(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["validate"]) == 0
    said = capsys.readouterr().out
    assert "raw    60 rows, 2 columns" in said
    assert said.count("  ok") == 2
    first = reports(repo)
    assert sorted(name.split("/")[1] for name in first) == ["clean"] * 2 + ["raw"] * 2
    assert run(["validate"]) == 0
    assert "(unchanged)" in capsys.readouterr().out
    assert reports(repo) == first
    spoil(repo)
    assert run(["validate"]) == 1
    said = capsys.readouterr().out
    assert "min 0" in said
    assert "invalid" in said
    new = reports(repo).keys() - first.keys()
    assert len(new) == 2
    (name,) = (name for name in new if name.endswith(".json"))
    record = json.loads(reports(repo)[name])
    assert record["schema"] == "mlctl.validation/1"
    assert record["valid"] is False
    assert record["failures"][0]["rows"] == [6]
    assert record["failures"][0]["values"] == [-9.0]
    md5 = record["data"]["digest"].removeprefix("md5:")
    assert Path(name).name.startswith(md5[:8] + ".")


def test_reports_do_not_depend_on_memory(repo: Path) -> None:
    spoil(repo)
    fresh = validate(str(repo))
    before = reports(repo)
    remembered = validate(str(repo))
    assert [r.cached for r in fresh] == [False, False]
    assert [r.cached for r in remembered] == [True, True]
    assert [r.verdict for r in remembered] == [r.verdict for r in fresh]
    for path in (repo / "reports").rglob("*.*"):
        path.unlink()
    validate(str(repo))
    assert reports(repo) == before
    (repo / ".mlctl" / "validate.json").write_text("{damaged")
    assert [r.cached for r in validate(str(repo))] == [False, False]
    assert reports(repo) == before


def test_memory_ends_with_the_data_and_with_the_contract(repo: Path) -> None:
    validate(str(repo))
    contract = repo / "contracts" / "raw.yaml"
    text = contract.read_text()
    assert "max: 89" in text
    contract.write_text(text.replace("max: 89", "max: 50"))
    assert [(r.dataset, r.cached, r.verdict.valid) for r in validate(str(repo))] == [
        ("clean", True, True),
        ("raw", False, False),
    ]
    assert subprocess.run(
        ["git", "check-ignore", "-q", ".mlctl/validate.json"], cwd=repo, check=False
    ).returncode == 0  # fmt: skip


def test_no_report_where_none_is_wanted_and_none_in_a_hook(
    repo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["validate", "--no-report"]) == 0
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/index")
    assert run(["validate", "raw", "--json"]) == 0
    assert not (repo / "reports").exists()
    out = capsys.readouterr().out
    said = json.loads(out[out.index("{") :])
    assert said["schema"] == "mlctl.validate/1"
    assert [d["dataset"] for d in said["datasets"]] == ["raw"]


def test_wrong_contracts_and_names_are_2(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InvalidInput, match="no contract is called 'rwa'") as caught:
        validate(str(repo), ["rwa"])
    assert caught.value.hint == "did you mean 'raw'?"
    contract = repo / "contracts" / "raw.yaml"
    contract.write_text(contract.read_text().replace("type: float", "type: flaot"))
    assert run(["validate"]) == 2
    assert "contracts/raw.yaml:10: columns.x.type" in capsys.readouterr().err
    assert not (repo / "reports").exists()


def test_missing_data_is_named(repo: Path) -> None:
    (repo / "data" / "raw.csv").unlink()
    with pytest.raises(ConfigError, match=r"data/raw\.csv is not there"):
        validate(str(repo))


def test_an_existing_contract_is_not_replaced(repo: Path) -> None:
    contract = repo / "contracts" / "raw.yaml"
    contract.write_text("mine")
    assert run(["data", "infer", "data/raw.csv"]) == 2
    assert contract.read_text() == "mine"
    assert run(["data", "infer", "data/raw.csv", "--name", "other"]) == 0
    assert run(["data", "infer", "data/raw.csv", "--force"]) == 0
    assert "type: float" in contract.read_text()
    assert (repo / "contracts" / "other.yaml").exists()


def test_the_file_at_fault_is_named_where_a_data_set_has_several() -> None:
    alone = Failure("min 0", "x", 1, 0.5, (2,), (-1,))
    among = replace(alone, file="data/raw/b.csv")
    verdict = Verdict(2, 1, 4, (alone, among))
    result = Validated("raw", "data/raw", "md5:1", "contracts/raw.yaml", "sha256:2", verdict)
    first, second = to_dict(result)["failures"]
    assert "file" not in first
    assert second == first | {"file": "data/raw/b.csv"}
    assert "| x | min 0 | 1 | 50.00% | data/raw/b.csv: 2 | -1 |" in to_markdown(result)
