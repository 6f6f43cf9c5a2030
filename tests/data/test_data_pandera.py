"""Contracts as pandera's YAML and back; pandera itself is the judge of what it loads."""

from __future__ import annotations

import json
import subprocess
import warnings
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings

from data.contract_cases import everything
from data.contract_cases import tables as random_tables
from data.contract_strategies import contracts
from mlctl.cli.main import run
from mlctl.data.contracts.compile import compile_contract
from mlctl.data.contracts.contract import Contract, parse
from mlctl.data.contracts.render import to_yaml
from mlctl.data.contracts.verdict import judge
from mlctl.data.pandera.exporting import export, to_text
from mlctl.data.pandera.importing import Imported, import_schema
from mlctl.errors import ConfigError

SLOW = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


def imported(text: str, **more: str) -> Imported:
    schema = yaml.safe_load(text)
    return import_schema(schema, source="s.yaml", file="c.yaml", name="c", **more)


@SLOW
@given(contracts())
def test_an_exported_contract_imports_as_an_equal_one(contract: Contract) -> None:
    text = to_text(export(contract))
    found = imported(text)
    assert found.contract == contract
    assert found.left == ()


def judged_by_pandera(text: str, frame: pl.DataFrame) -> set[tuple[str, str]]:
    """(column, check) of what pandera finds to be an error."""
    from pandera.errors import SchemaErrors
    from pandera.io import polars_io

    schema = polars_io.from_yaml(text)
    try:
        with everything(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            schema.validate(frame, lazy=True)
    except SchemaErrors as errors:
        return {(getattr(e.schema, "name", None) or "", str(e.check)) for e in errors.schema_errors}
    return set()


@settings(SLOW, max_examples=80)
@given(random_tables())
def test_pandera_loads_it_and_judges_alike(case: tuple[pl.DataFrame, str]) -> None:
    """But for what export says that it leaves out, which here are shares and what has no place."""
    frame, text = case
    contract = parse(text, file="c.yaml", name="c")
    assume({column.name for column in contract.columns} <= set(frame.columns))  # or it crashes
    exported = export(contract)
    theirs = judged_by_pandera(to_text(exported), frame)
    ours = judge(frame, compile_contract(contract)).failures
    if not exported.left:
        assert bool(theirs) == bool(ours)
    assert ours or not theirs  # never more strict


FLAT = """\
schema_type: dataframe
api: pandas
columns:
  a: {dtype: int64, greater_than_or_equal_to: 0.5, less_than: 9.0, unique: true}
  b:
    dtype: object
    nullable: true
    str_length: {min_value: 1, max_value: 3, exact_value: null}
    str_startswith: "a."
  c: {dtype: "datetime64[ns]", in_range: {min_value: '2020-01-01 00:00:00',
      max_value: '2021-01-01 00:00:00', include_min: true, include_max: false}}
  d: {dtype: category, isin: [x, y]}
  e: {dtype: float64, notin: [1, 2], not_equal_to: {value: 3, raise_warning: true}}
  f: {dtype: complex128}
  g: {dtype: bool, coerce: true}
  h: {dtype: str, str_contains: x, str_matches: y}
  i_.*: {dtype: int64, regex: true}
  j: {dtype: int64, required: false}
  k: {dtype: string, str_length: 4}
checks: null
index: [{dtype: int64, nullable: false}]
strict: true
unique: [a, g]
"""
AS_CONTRACT = """\
schema: mlctl.contract/1
data: d.csv
key: [a, g]
strict: false
columns:
  a: {type: int, unique: true, min: 1, below: 9}
  b: {type: str, nullable: true, regex: "^a\\\\.", length: {min: 1, max: 3}}
  c: {type: datetime, min: 2020-01-01T00:00:00, below: 2021-01-01T00:00:00}
  d: {type: str, in: [x, "y"]}
  e: {type: float}
  f: {type: any}
  g: {type: bool}
  h: {type: str, regex: "x"}
  k: {type: str, length: {min: 4, max: 4}}
checks:
  - expr: "`e` not in [1, 2]"
"""


def listed(text: str) -> str:
    """The same schema as pandera wrote it before 0.35: with a list of checks."""
    schema = yaml.safe_load(text)
    names = ("greater_than", "less_than", "str_", "in_range", "isin", "notin", "not_equal")
    for column in schema["columns"].values():
        checks = []
        for key in [key for key in column if key.startswith(names)]:
            value = column.pop(key)
            said = value if isinstance(value, dict) else {"value": value}
            warn = said.pop("raise_warning", False)
            checks.append({**said, "options": {"check_name": key, "raise_warning": warn}})
        column["checks"] = checks or None
    return yaml.safe_dump(schema)


def mapped(text: str) -> str:
    """As it was written before that: with a mapping of checks."""
    schema = yaml.safe_load(listed(text))
    for column in schema["columns"].values():
        checks: dict[str, Any] = {}
        for one in column["checks"] or []:
            options = one.pop("options")
            name = options.pop("check_name")
            plain = set(one) == {"value"} and not options["raise_warning"]
            checks[name] = one["value"] if plain else {**one, "options": options}
        column["checks"] = checks or None
    return yaml.safe_dump(schema)


@pytest.mark.parametrize("form", [str, listed, mapped])
def test_every_form_of_pandera_is_read_and_what_is_lost_is_said(form: Any) -> None:
    found = imported(form(FLAT), data="d.csv")
    assert to_yaml(found.contract) == to_yaml(parse(AS_CONTRACT, file="c", name="c"))
    assert set(found.left) == {
        "b: dtype object: read as str",
        "d: dtype category: read as str",
        "e: not_equal_to 3 only warns in pandera: left out",
        "f: dtype complex128: not checked",
        "g: coerce: True has no counterpart",
        "h: str_matches 'y' has no counterpart",
        "i_.*: a pattern of names, not a column: left out",
        "j: a column that may be absent: left out",
        "index: [{'dtype': 'int64', 'nullable': False}] has no counterpart",
    }


def test_what_is_no_schema_of_a_table_is_refused() -> None:
    for text, said in (
        ("schema_type: xarray_dataset", "expected one of dataframe, polars_dataframe"),
        ("columns: {a: {dtype: int64}}", "does not say which data"),
        ("columns: [1]\nmetadata: {mlctl: {data: d.csv}}", "expected a mapping of columns"),
        ("columns: {a: {isin: []}}\nmetadata: {mlctl: {data: d.csv}}", "no values to choose"),
    ):
        with pytest.raises(ConfigError, match=said):
            imported(text)


def test_the_verbs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc" / "config").touch()
    (tmp_path / "schema.yaml").write_text(FLAT)
    monkeypatch.chdir(tmp_path)
    verb = ["data", "contract"]
    assert run([*verb, "import", "schema.yaml", "--name", "raw"]) == 2
    assert "--data" in capsys.readouterr().err
    assert run([*verb, "import", "schema.yaml", "--name", "raw", "--data", "d.csv"]) == 0
    assert "left out: f: dtype complex128: not checked\n" in capsys.readouterr().out
    contract = (tmp_path / "contracts" / "raw.yaml").read_text()
    assert run([*verb, "export", "raw", "-o", "out.yaml"]) == 0
    assert "note: checks: `e` not in [1, 2]: not judged by pandera" in capsys.readouterr().err
    assert run([*verb, "import", "out.yaml", "--name", "raw"]) == 2
    assert run([*verb, "import", "out.yaml", "--name", "raw", "--force", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["left"] == []
    assert (tmp_path / "contracts" / "raw.yaml").read_text() == contract
    (tmp_path / "bad.yaml").write_text("a: [")
    assert run([*verb, "import", "bad.yaml"]) == 2
    assert run([*verb, "import", "gone.yaml"]) == 2
