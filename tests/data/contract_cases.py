"""Random tables with contracts that fit them more or less, and two oracles for their verdict."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

import polars as pl
from hypothesis import strategies as st

from mlctl.data.contracts.compile import Compiled, compile_contract
from mlctl.data.contracts.contract import Contract, parse
from mlctl.data.contracts.render import scalar

START = datetime(2024, 1, 1)  # noqa: DTZ001
# Of each type: its values, and the same as Polars has it.
VALUES: dict[str, tuple[st.SearchStrategy[Any], pl.DataType]] = {
    "int": (st.integers(-3, 3), pl.Int64()),
    "float": (st.sampled_from([-1.5, -0.0, 0.0, 0.25, 1.0, 2.5, math.inf]), pl.Float64()),
    "str": (st.sampled_from(["a", "b", "ab", "", "ä", "A"]), pl.String()),
    "bool": (st.booleans(), pl.Boolean()),
    "date": (st.integers(0, 4).map(lambda d: (START + timedelta(d)).date()), pl.Date()),
    "datetime": (st.integers(0, 4).map(lambda d: START + timedelta(hours=d)), pl.Datetime("us")),
}
NAMES = ("a", "b", "c d", "é")
EXPRESSIONS = ("a <= b", "a is null or b is not null", "not (a == b)", "a in [1, 2] or b > 0")


@st.composite
def tables(draw: st.DrawFn) -> tuple[pl.DataFrame, str]:
    """A frame of up to 40 rows, and the text of a contract."""
    rows = draw(st.integers(0, 40))
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
    promised = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
    types = {name: draw(st.sampled_from(sorted(VALUES))) for name in NAMES}
    if draw(st.booleans()):
        types |= {"a": "int", "b": "float"}
    frame = pl.DataFrame({name: draw(columns(name, types[name], rows)) for name in names})
    lines = ["schema: mlctl.contract/1", "data: data.parquet"]
    if draw(st.booleans()):
        lines.append(f"rows: {{min: {draw(st.integers(0, 20))}, max: {draw(st.integers(20, 60))}}}")
    lines.append(f"strict: {scalar(draw(st.booleans()))}")
    named = [name for name in promised if types[name] != "bool"]
    if named and draw(st.booleans()):
        key = draw(st.lists(st.sampled_from(named), min_size=1, max_size=3, unique=True))
        lines.append(f"key: [{', '.join(map(scalar, key))}]")
    else:
        key = []
    lines.append("columns:")
    lines += [f"  {scalar(n)}: {draw(promises(types[n], is_key=n in key))}" for n in promised]
    numbers = {"int", "float"}
    if {"a", "b"} <= set(promised) and types["a"] in numbers and types["b"] in numbers:
        share = draw(SHARES)
        text = draw(st.sampled_from(EXPRESSIONS))
        lines.append(f"checks: [{{expr: {scalar(text)}, max_failing: {share}}}]")
    return frame, "\n".join(lines) + "\n"


SHARES = st.sampled_from([0, 0, 0, 0.1, 0.29, 0.5])


@st.composite
def columns(draw: st.DrawFn, name: str, kind: str, rows: int) -> pl.Series:
    values, dtype = VALUES[kind]
    if draw(st.booleans()):
        values = values | st.none()
    found = draw(st.lists(values, min_size=rows, max_size=rows))
    if kind in {"int", "str"} and draw(st.booleans()):  # mostly distinct
        found = [
            v if i % 7 == 0 else (f"{v}{i}" if kind == "str" else i) for i, v in enumerate(found)
        ]
    return pl.Series(name, found, dtype=dtype)


@st.composite
def promises(draw: st.DrawFn, kind: str, *, is_key: bool) -> str:
    values = VALUES[kind][0]
    said = [f"type: {kind}"]
    if draw(st.booleans()) and not is_key:
        said.append(draw(st.sampled_from(["nullable: true", "max_missing: 0.3"])))
    low, few, pattern = draw(st.tuples(st.booleans(), st.booleans(), st.booleans()))
    if kind in {"int", "float", "date", "datetime"} and low:
        key = draw(st.sampled_from(["min", "above"]))
        said.append(f"{key}: {draw(tolerant(scalar(draw(values))))}")
    elif kind in {"int", "float", "date", "datetime"} and few:
        key = draw(st.sampled_from(["max", "below"]))
        said.append(f"{key}: {draw(tolerant(scalar(draw(values))))}")
    elif few and not is_key:
        listed = ", ".join(map(scalar, draw(st.lists(values, min_size=1, max_size=4))))
        said.append(f"in: {draw(tolerant(f'[{listed}]'))}")
    elif kind == "str" and pattern:
        said.append('regex: "^[a-z]"')
        said.append(draw(st.sampled_from(["length: {min: 2}", "length: {min: 1, max: 1}"])))
    if draw(st.booleans()) and kind != "bool" and not any("in:" in one for one in said):
        said.append(f"unique: {draw(tolerant('true'))}")
    said.append(f"max_failing: {draw(SHARES)}")
    return f"{{{', '.join(said)}}}"


def tolerant(value: str) -> st.SearchStrategy[str]:
    """A rule's value, bare or with a share of its own."""
    return st.just(value) | SHARES.map(lambda s: f"{{value: {value}, max_failing: {s}}}")


def compiled(text: str) -> Compiled:
    return compile_contract(contract(text))


def contract(text: str) -> Contract:
    return parse(text, file="c.yaml", name="c")


Broken = dict[tuple[str, str], tuple[int, tuple[int, ...]]]


def by_eager_polars(frame: pl.DataFrame, rules: Compiled) -> Broken:
    """Each broken rule with the count and the first 10 of its rows, on the whole frame at once."""
    found: Broken = {}
    for rule in rules.rules:
        if not set(rule.shown) <= set(frame.columns):
            continue
        bad = frame.select(b=rule.breaks, n=pl.lit(0) if not frame.width else pl.nth(0))["b"]
        if rule.distinct:
            keys = frame.select(rule.distinct)
            present = keys.select(~pl.any_horizontal(pl.all().is_null())).to_series()
            bad = bad | (keys.is_duplicated() & present)
        count = int(bad.sum())
        if count and count / frame.height > rule.max_failing:
            rows = tuple(row + 1 for row in bad.arg_true().head(10).to_list())
            found[rule.column, rule.check] = (count, rows)
    return found


def by_pandera(frame: pl.DataFrame, rules: Compiled) -> set[tuple[str, str]]:
    """(column, check) of everything that pandera finds broken, without what it cannot judge."""
    from pandera.errors import SchemaErrors

    missing = {c.name for c in rules.contract.columns} - set(frame.columns)
    moot = {(r.column, r.check) for r in rules.rules if missing.intersection(r.shown)}
    try:
        with everything():
            rules.schema.validate(frame, lazy=True)
    except SchemaErrors as errors:
        return {_identity(error) for error in errors.schema_errors} - moot
    return set()


def everything() -> Any:
    from pandera.config import ValidationDepth, config_context

    return config_context(validation_depth=ValidationDepth.SCHEMA_AND_DATA)


_PANDERA = {
    "not_nullable": "not null", "field_uniqueness": "unique",
    "column_in_dataframe": "column missing", "column_in_schema": "column not in the contract",
}  # fmt: skip


def _identity(error: Any) -> tuple[str, str]:
    check = getattr(error.check, "name", None) or str(error.check)
    if error.reason_code.name in {"COLUMN_NOT_IN_DATAFRAME", "COLUMN_NOT_IN_SCHEMA"}:
        return str(error.failure_cases), _PANDERA[check]
    return getattr(error.schema, "name", None) or "", _PANDERA.get(check, check)
