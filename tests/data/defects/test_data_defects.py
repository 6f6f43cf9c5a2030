"""Every seeded defect is found and named; nothing is found in clean data."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from data.defects.clean import CLEAN
from data.defects.seeded import CONTRACT, DEFECTS, orders
from mlctl.adapters import tables
from mlctl.data.inferring import infer_contract
from mlctl.data.validation import validate

PAGE = (Path(__file__).parent / "README.md").read_text(encoding="utf-8")


def listed(title: str) -> list[list[str]]:
    """The cells of the table under a title of README.md."""
    lines = PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0].splitlines()
    table = [line.strip("|") for line in lines if line.startswith("|")]
    return [[cell.strip() for cell in line.split("|")] for line in table[2:]]


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc" / "config").touch()
    (tmp_path / "contracts").mkdir()
    return tmp_path


def lay(repo: Path, frames: list[pl.DataFrame], ending: str) -> str:
    """Write the files of a data set; its path from the root."""
    if len(frames) == 1:
        tables.write(frames[0], repo / "data" / f"orders.{ending}")
        return f"data/orders.{ending}"
    for number, frame in enumerate(frames):
        tables.write(frame, repo / "data" / "orders" / f"{number}.{ending}")
    return "data/orders"


def test_the_page_lists_what_is_tested() -> None:
    rows = [[name, kind, column, rule] for name, kind, _, column, rule in listed("Defects")]
    assert rows == [
        [
            name,
            defect.format,
            ", ".join(dict.fromkeys(c for _, c, _, _ in defect.expected if c)),
            ", ".join(dict.fromkeys(rule for _, _, rule, _ in defect.expected)),
        ]
        for name, defect in DEFECTS.items()
    ]
    assert [cells[0] for cells in listed("Clean data")] == list(CLEAN)
    assert len(DEFECTS) >= 20
    assert len(CLEAN) >= 20


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_found_and_nothing_else(repo: Path, name: str) -> None:
    defect = DEFECTS[name]
    data = lay(repo, defect.change(orders()), defect.format)
    (repo / "contracts" / "orders.yaml").write_text(CONTRACT.format(data=data))
    (result,) = validate(str(repo))
    found = [(f.file, f.column, f.check, f.rows) for f in result.verdict.failures]
    assert found == defect.expected


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet", "jsonl", "arrow"])
def test_the_orders_are_clean_without_a_defect(repo: Path, ending: str) -> None:
    data = lay(repo, [orders().head(60), orders().tail(60)], ending)
    (repo / "contracts" / "orders.yaml").write_text(CONTRACT.format(data=data))
    (result,) = validate(str(repo))
    assert result.verdict.failures == ()


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("name", CLEAN)
def test_the_second_half_of_clean_data_passes_what_the_first_suggests(
    repo: Path, name: str, ending: str
) -> None:
    frame = CLEAN[name]()
    half = frame.height // 2
    tables.write(frame.head(half), repo / "data" / f"first.{ending}")
    tables.write(frame.tail(-half), repo / "data" / f"second.{ending}")
    infer_contract(str(repo), f"data/first.{ending}", name="half")
    contract = repo / "contracts" / "half.yaml"
    contract.write_text(contract.read_text().replace("data/first", "data/second"))
    (result,) = validate(str(repo))
    said = [(f.column, f.check, f.count, f.values) for f in result.verdict.failures]
    assert said == []
