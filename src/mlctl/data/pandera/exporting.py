"""A contract as YAML that pandera 0.35 loads (Polars API). Pure.

What pandera's YAML cannot hold stands under `metadata.mlctl`, which pandera passes over, in the
contract's own words. A rule that a share of rows may break only warns in pandera.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mlctl.data.contracts import span
from mlctl.data.contracts.checkrules import sections
from mlctl.data.contracts.model import SCHEMA, ColumnContract, Contract, Kind
from mlctl.data.contracts.render import scalar
from mlctl.errors import InvalidInput

DTYPES: dict[Kind, str | None] = {
    "int": "Int64", "float": "Float64", "str": "String", "bool": "Boolean", "date": "Date",
    "datetime": "Datetime(time_unit='us', time_zone=None)", "any": None,
}  # fmt: skip
CHECKS = {
    "min": "greater_than_or_equal_to", "max": "less_than_or_equal_to", "above": "greater_than",
    "below": "less_than", "in": "isin", "regex": "str_contains",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Exported:
    """The mapping to be written as YAML, and what pandera judges in another way or not at all."""

    schema: dict[str, Any]
    left: tuple[str, ...]


def export(contract: Contract) -> Exported:
    """The schema of `contract`. Raises InvalidInput for one about images."""
    if contract.images is not None:
        raise InvalidInput(f"{contract.file} is about images, which pandera does not judge")
    columns: dict[str, Any] = {}
    extras: dict[str, Any] = {}
    left: list[str] = []
    for column in contract.columns:
        columns[column.name], extra, said = _column(column)
        extras |= {column.name: extra} if extra else {}
        left += [f"{column.name}: {text}" for text in said]
    own, more = _whole(contract)
    schema: dict[str, Any] = {
        "schema_type": "polars_dataframe",
        "api": "polars",
        "columns": columns,
        "strict": contract.strict,
        "unique": list(contract.key) or None,
        "description": contract.description,
        "metadata": {"mlctl": {**own, **({"columns": extras} if extras else {})}},
    }
    return Exported({k: v for k, v in schema.items() if v is not None}, (*more, *left))


def _whole(contract: Contract) -> tuple[dict[str, Any], list[str]]:
    """What is not of one column: in the contract's words, and which of it pandera leaves out."""
    own: dict[str, Any] = {"schema": SCHEMA, "data": contract.data}
    rows = {"min": contract.min_rows or None, "max": contract.max_rows}
    if rows := {key: value for key, value in rows.items() if value is not None}:
        own["rows"] = rows
    if contract.label is not None:
        own["label"] = contract.label
    if contract.freshness is not None:
        age = span.text(contract.freshness.max_age)
        own["freshness"] = {"column": contract.freshness.column, "max_age": age}
    if contract.checks:
        own["checks"] = [
            {"expr": c.text}
            | ({"max_failing": c.max_failing} if c.max_failing else {})
            | ({"description": c.description} if c.description is not None else {})
            for c in contract.checks
        ]
    own |= sections(contract)
    unknown = ("rows", "freshness", "leakage", "personal")
    left = [f"{key}: not judged by pandera" for key in unknown if key in own]
    left += [f"checks: {check.text}: not judged by pandera" for check in contract.checks]
    return own, left


def _column(column: ColumnContract) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """The column for pandera, what it cannot hold, and what is to be said of that."""
    found: dict[str, Any] = {"dtype": DTYPES[column.type], "description": column.description}
    extra: dict[str, Any] = {}
    said: list[str] = []
    found["nullable"] = column.nullable or column.tolerance("nullable") > 0 or None
    if found["nullable"] and not column.nullable:
        extra["nullable"] = False
        said.append("not null: pandera allows missing values, since a share of rows may fail")
    if column.max_missing is not None and not column.nullable:
        extra["nullable"] = False
    if column.unique and (column.nullable or column.tolerance("unique")):
        extra["unique"] = True
        said.append("unique: left out, pandera would judge more strictly")
    elif column.unique:
        found["unique"] = True
    for rule, value in _rules(column).items():
        if _is_lost(value):
            extra[rule] = value
            said.append(f"{rule}: pandera's YAML has no parts of a second")
            continue
        warns = column.tolerance(rule) > 0
        found[CHECKS[rule]] = (
            {"value": _plain(value), "raise_warning": True} if warns else _plain(value)
        )
        said += [f"{rule}: only a warning in pandera, since a share may fail"] if warns else []
    if column.length is not None:
        ends = {"min_value": column.length.min or 0, "max_value": column.length.max}
        if column.length.min is None:
            extra["length"] = {"max": column.length.max}
        warns = column.tolerance("length") > 0
        found["str_length"] = ends | ({"raise_warning": True} if warns else {})
        said += ["length: only a warning in pandera, since a share may fail"] if warns else []
    extra |= _own(column)
    if column.max_missing is not None:
        said.append("max_missing: pandera allows all values to be missing")
    return {k: v for k, v in found.items() if v is not None}, extra, said


def _rules(column: ColumnContract) -> dict[str, Any]:
    values = None if column.values is None else list(column.values)
    rules = {
        "min": column.min, "max": column.max, "above": column.above, "below": column.below,
        "in": values, "regex": column.regex,
    }  # fmt: skip
    return {rule: value for rule, value in rules.items() if value is not None}


def _own(column: ColumnContract) -> dict[str, Any]:
    said = {
        "max_failing": column.max_failing or None,
        "max_missing": column.max_missing,
        "personal": column.personal or None,
        "tolerances": dict(column.tolerances) or None,
    }
    return {key: value for key, value in said.items() if value is not None}


def _is_lost(value: Any) -> bool:
    """Whether pandera's form of moments, whole seconds, cannot hold it."""
    if isinstance(value, list):
        return any(isinstance(item, datetime) for item in value)
    return isinstance(value, datetime) and value.microsecond != 0


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    return value


def to_text(exported: Exported) -> str:
    """The YAML, for PyYAML, which pandera reads with; texts that it may misread are quoted."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """With quotes where a contract has them."""

    def quoted(dumper: Any, text: str) -> Any:
        style = None if scalar(text) == text else '"'
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    Dumper.add_representer(str, quoted)
    Dumper.ignore_aliases = lambda _self, _data: True  # type: ignore[method-assign,assignment]
    text: str = yaml.dump(
        exported.schema, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=1 << 30
    )
    return text
