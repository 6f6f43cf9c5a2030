"""Verdicts by pandera, and contracts inferred from data."""

from __future__ import annotations

import io
import math
from datetime import date, datetime

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlctl.data.contracts.compile import compile_contract
from mlctl.data.contracts.contract import parse
from mlctl.data.contracts.infer import infer
from mlctl.data.contracts.outcome import Verdict
from mlctl.data.contracts.render import to_yaml
from mlctl.data.contracts.verdict import judge

HEAD = "schema: mlctl.contract/1\ndata: d.csv\n"


def verdict_of(frame: pl.DataFrame, columns: str, rest: str = "", *, text: bool = False) -> Verdict:
    contract = parse(f"{HEAD}{rest}\ncolumns:\n{columns}", file="c.yaml", name="c")
    return judge(frame, compile_contract(contract), text=text)


def inferred(frame: pl.DataFrame, *, text: bool) -> str:
    found = infer(frame.lazy(), data="d.csv", name="d", file="c.yaml", text=text)
    return to_yaml(found.contract, found.notes)


def judged(frame: pl.DataFrame, contract: str, *, text: bool) -> Verdict:
    return judge(frame, compile_contract(parse(contract, file="c.yaml", name="c")), text=text)


def test_all_failures_come_at_once_with_rows_and_values() -> None:
    frame = pl.DataFrame(
        {
            "id": ["1", "2", "2", "x"],
            "a": ["0.5", "-1", None, "9"],
            "b": ["1", "1", "1", "1"],
            "c": ["red", "blue", "red", "red"],
            "late": ["2020-01-01", "2019-01-01", "2020-01-01", "2020-01-01"],
            "more": ["", "", "", ""],
        }
    )
    verdict = verdict_of(
        frame,
        "  id: {type: int}\n  a: {type: float, min: 0, max: 5}\n  b: {type: int, unique: true}\n"
        "  c: {type: str, in: [red], regex: '^r'}\n  late: {type: date, min: 2020-01-01}\n"
        "  gone: {type: int}\n",
        "rows: {min: 5}\nchecks: [{expr: 'a <= b'}, {expr: 'id < 0'}]",
        text=True,
    )
    found = {(f.column, f.check): (f.count, f.rows, f.values) for f in verdict.failures}
    assert found == {
        ("gone", "column missing"): (0, (), ()),
        ("", "rows min 5"): (4, (), ()),
        ("", "expr: a <= b"): (1, (4,), ((9.0, 1),)),
        ("id", "type int"): (1, (4,), ("x",)),
        ("a", "not null"): (1, (3,), (None,)),
        ("a", "min 0.0"): (1, (2,), (-1.0,)),
        ("a", "max 5.0"): (1, (4,), (9.0,)),
        ("b", "unique"): (4, (1, 2, 3, 4), (1, 1, 1, 1)),
        ("c", "in [red]"): (1, (2,), ("blue",)),
        ("c", "regex ^r"): (1, (2,), ("blue",)),
        ("late", "min 2020-01-01"): (1, (2,), ("2019-01-01",)),
        ("more", "column not in the contract"): (0, (), ()),
    }


def test_a_share_of_failing_rows_can_be_allowed() -> None:
    frame = pl.DataFrame({"a": [1.0] * 98 + [-1.0, None]})
    for share, valid in ((0.01, True), (0.009, False)):
        verdict = verdict_of(frame, f"  a: {{type: float, min: 0, max_failing: {share}}}\n")
        assert verdict.valid is valid


def test_types_are_judged_by_meaning_not_by_width() -> None:
    frame = pl.DataFrame(
        {
            "i": pl.Series([1, 2], dtype=pl.Int8),
            "f": pl.Series([1, 2], dtype=pl.UInt16),
            "s": pl.Series(["a", "b"], dtype=pl.Categorical),
            "t": pl.Series(
                [datetime.fromisoformat("2020-01-01")] * 2, dtype=pl.Datetime("ns", "UTC")
            ),
            "d": pl.Series([date(2020, 1, 1)] * 2),
            "n": pl.Series([None, None]),
        }
    )
    columns = (
        "  i: {type: int}\n  f: {type: float}\n  s: {type: str}\n  t: {type: datetime}\n"
        "  d: {type: datetime}\n  n: {type: int, nullable: true}\n"
    )
    assert verdict_of(frame, columns).failures == ()
    wrong = verdict_of(frame, columns.replace("i: {type: int}", "i: {type: str}"))
    assert [(f.check, f.detail) for f in wrong.failures] == [("type str", "is Int8")]


def test_nan_is_missing_and_infinity_is_not() -> None:
    frame = pl.DataFrame({"a": [1.0, math.nan, math.inf]})
    verdict = verdict_of(frame, "  a: {type: float, max: 5}\n")
    assert [(f.check, f.rows, f.values) for f in verdict.failures] == [
        ("not null", (2,), (None,)),
        ("max 5.0", (3,), ("Infinity",)),
    ]


def test_a_key_of_several_columns() -> None:
    frame = pl.DataFrame({"a": [1, 1, 2], "b": [1, 1, 1]})
    columns = "  a: {type: int}\n  b: {type: int}\n"
    verdict = verdict_of(frame, columns, "key: [a, b]")
    assert [(f.check, f.rows) for f in verdict.failures] == [("key a, b", (1, 2))]


def test_inference_tells_kinds_of_columns_apart() -> None:
    frame = pl.DataFrame(
        {
            "customer_id": [f"c{i}" for i in range(100)],
            "zip": [f"0{i:04}" for i in range(100)],
            "plan": ["free", "paid"] * 50,
            "target": [0, 1] * 50,
            "amount": [10.0 + i * 37 % 100 for i in range(100)],
            "change": [-50 + i * 37 % 100 for i in range(100)],
            "counter": [10 + i for i in range(100)],
            "note": [f"text {i}" for i in range(100)],
            "on": ["true", "false"] * 50,
            "day": [f"2021-03-{1 + i % 28:02}" for i in range(100)],
            "hole": [None, "1.5"] * 50,
        }
    ).cast(pl.String)
    contract = parse(inferred(frame, text=True), file="c.yaml", name="c")
    found = {c.name: c for c in contract.columns}
    assert {name: c.type for name, c in found.items()} == {
        "customer_id": "str", "zip": "str", "plan": "str", "target": "int", "amount": "float",
        "change": "int", "counter": "int", "note": "str", "on": "bool", "day": "date",
        "hole": "float",
    }  # fmt: skip
    assert contract.key == ("customer_id",)
    assert found["customer_id"].unique
    assert found["plan"].values == ("free", "paid")
    assert found["target"].values == (0, 1)
    assert found["note"].values is None
    assert found["hole"].nullable
    assert not found["amount"].nullable
    assert (found["amount"].min, found["amount"].max) == (-140.0, 260.0)
    assert (found["change"].min, found["change"].max) == (-200, 200)
    assert (found["counter"].min, found["counter"].max) == (0, None)
    assert found["day"].min == date(2020, 1, 1)
    assert contract.min_rows == 50


def test_mutated_data_fails() -> None:
    frame = pl.DataFrame({"id": range(200), "x": [float(i % 17) for i in range(200)]})
    contract = inferred(frame, text=False)
    assert judged(frame, contract, text=False).valid
    for mutated in (
        frame.with_columns(x=pl.col("x") * 100),
        frame.with_columns(x=-pl.col("x") - 1),
        frame.with_columns(id=pl.lit(1)),
        frame.with_columns(x=pl.when(pl.col("id") == 7).then(None).otherwise(pl.col("x"))),
        frame.drop("x"),
        frame.with_columns(y=pl.lit(1)),
        frame.head(3),
        frame.cast({"id": pl.String}),
    ):
        assert not judged(mutated, contract, text=False).valid


NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).filter(
    lambda name: name != "*" and not (name.startswith("^") and name.endswith("$"))
)
VALUES = st.sampled_from(
    [
        st.integers(-(2**63), 2**63 - 1),
        st.integers(-5, 5),
        st.floats(allow_nan=True, allow_infinity=True),
        st.floats(-1e3, 1e3),
        st.booleans(),
        st.dates(),
        st.datetimes(),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
        st.sampled_from(["yes", "no", "null", "1", "007", "true"]),
    ]
)


@st.composite
def frames(draw: st.DrawFn) -> pl.DataFrame:
    rows = draw(st.integers(0, 30))
    columns = {}
    for name in draw(st.lists(NAMES, min_size=1, max_size=4, unique=True)):
        values = draw(VALUES)
        if draw(st.booleans()):
            values = st.none() | values
        few = st.sampled_from(draw(st.lists(values, min_size=1, max_size=3)))
        chosen = few if draw(st.booleans()) else values
        columns[name] = pl.Series(name, draw(st.lists(chosen, min_size=rows, max_size=rows)))
    return pl.DataFrame(columns)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(frames())
def test_what_is_inferred_holds_for_the_data_that_it_was_inferred_from(frame: pl.DataFrame) -> None:
    assert judged(frame, inferred(frame, text=False), text=False).failures == ()
    text = pl.read_csv(io.BytesIO(frame.write_csv().encode()), infer_schema=False)
    assert judged(text, inferred(text, text=True), text=True).failures == ()


def test_the_contract_is_the_same_text_each_time() -> None:
    frame = pl.DataFrame({"c": ["b", "a"] * 40, "x": [0.1, 0.2] * 40})
    assert inferred(frame, text=False) == inferred(frame.clone(), text=False)


@pytest.mark.parametrize("name", ["a: b", "yes", "1", "#x", "ü", "'", '"', "\\", "a\nb", "~", "-"])
def test_odd_column_names_survive(name: str) -> None:
    frame = pl.DataFrame({name: [1.5, 2.5]})
    contract = parse(inferred(frame, text=False), file="c.yaml", name="c")
    assert contract.columns[0].name == name
