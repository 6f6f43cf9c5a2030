"""Rules of a contract judged: lengths, open bounds, missing values, shares, freshness."""

from __future__ import annotations

from datetime import datetime

import polars as pl
import pytest

from mlctl.data.contracts.compile import compile_contract
from mlctl.data.contracts.contract import parse
from mlctl.data.contracts.verdict import Failure, judge

HEAD = "schema: mlctl.contract/1\ndata: d.csv\n"
NOW = datetime.fromisoformat("2026-03-10T12:00:00")


def failures(frame: pl.DataFrame, columns: str, rest: str = "") -> list[Failure]:
    contract = parse(f"{HEAD}{rest}\ncolumns:\n{columns}", file="c.yaml", name="c")
    return list(judge(frame, compile_contract(contract), now=NOW).failures)


def test_open_bounds_leave_out_the_bound_itself() -> None:
    frame = pl.DataFrame({"x": [0, 1, 2, 3]})
    found = failures(frame, "  x: {type: int, above: 0, below: 3}\n")
    assert [(f.check, f.rows) for f in found] == [("above 0", (1,)), ("below 3", (4,))]


def test_length_counts_characters_not_bytes() -> None:
    frame = pl.DataFrame({"x": ["", "é", "日本", "abc", None]})
    column = "  x: {{type: str, nullable: true, length: {}}}\n"
    found = failures(frame, column.format("{min: 1, max: 2}"))
    assert [(f.check, f.rows, f.values) for f in found] == [("length 1 to 2", (1, 4), ("", "abc"))]
    assert [f.check for f in failures(frame, column.format("{min: 4}"))] == ["length from 4"]


def test_missing_values_up_to_a_share() -> None:
    frame = pl.DataFrame({"x": [None, *range(9)]})
    assert failures(frame, "  x: {type: int, max_missing: 0.1}\n") == []
    found = failures(frame, "  x: {type: int, max_missing: 0.09, max_failing: 0.5}\n")
    assert [(f.check, f.count, f.share) for f in found] == [("max_missing 0.09", 1, 0.1)]


def test_each_rule_has_its_own_share() -> None:
    frame = pl.DataFrame({"x": [-1, *range(8), 99]})
    rule = "  x: {{type: int, min: {{value: 0, max_failing: {}}}, max: 50, max_failing: {}}}\n"
    assert [f.check for f in failures(frame, rule.format(0.1, 0))] == ["max 50"]
    assert [f.check for f in failures(frame, rule.format(0, 0.1))] == ["min 0"]


@pytest.mark.parametrize(
    ("age", "newest", "said"),
    [
        ("36h", "2026-03-09 00:00:00", None),
        ("36h", "2026-03-08 23:59:59", "the newest value is 2026-03-08 23:59:59"),
        ("1w", "2027-01-01 00:00:00", None),
    ],
)
def test_freshness_of_datetimes(age: str, newest: str, said: str | None) -> None:
    moments = [datetime.fromisoformat("2020-01-01"), datetime.fromisoformat(newest), None]
    rest = f"freshness: {{column: x, max_age: {age}}}"
    found = failures(pl.DataFrame({"x": moments}), "  x: {type: datetime, nullable: true}\n", rest)
    wanted = [] if said is None else [(f"freshness {age}", "x", said)]
    assert [(f.check, f.column, f.detail) for f in found] == wanted


@pytest.mark.parametrize(("day", "is_fresh"), [("2026-03-08", True), ("2026-03-07", False)])
def test_a_date_is_fresh_until_its_end(day: str, *, is_fresh: bool) -> None:
    frame = pl.DataFrame({"x": [day, "2025-01-01"]})
    found = failures(frame, "  x: {type: date}\n", "freshness: {column: x, max_age: 36h}")
    assert (found == []) is is_fresh


def test_freshness_without_a_value_or_a_column() -> None:
    rest = "freshness: {column: x, max_age: 1d}"
    column = "  x: {type: date, nullable: true}\n"
    none = failures(pl.DataFrame({"x": pl.Series([None], dtype=pl.Date)}), column, rest)
    assert [(f.check, f.detail) for f in none] == [("freshness 1d", "no value is there")]
    text = failures(pl.DataFrame({"x": ["never"]}), column, rest)
    assert [f.check for f in text] == ["type date"]
    gone = failures(pl.DataFrame({"y": [1]}), column + "  y: {type: int}\n", rest)
    assert [f.check for f in gone] == ["column missing"]
