"""A clean table of orders, and the defects of README.md, each put into it alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl

ROWS = 120
CONTRACT = """\
schema: mlctl.contract/1
data: {data}
rows: {{min: 100}}
key: [order, line]
columns:
  id: {{type: int, unique: true}}
  order: {{type: int}}
  line: {{type: int, min: 1, max: 3}}
  customer: {{type: str}}
  code: {{type: str, regex: "^[A-Z]{{2}}[0-9]{{4}}$"}}
  quantity: {{type: int, min: 1}}
  price: {{type: float, min: 0}}
  total: {{type: float}}
  amount: {{type: float, min: 0, max: 100000}}
  discount: {{type: float, min: 0, max: 1}}
  state: {{type: str, in: [new, paid, sent]}}
  ordered: {{type: date, min: 2015-01-01}}
  sent: {{type: date, nullable: true}}
checks:
  - expr: "ordered <= sent"
  - expr: "abs(total - price * quantity) < 0.01"
"""


def orders() -> pl.DataFrame:
    """120 rows, three lines for each order."""
    n = range(ROWS)
    day = [date(2025, 1, 1) + timedelta(i // 3) for i in n]
    return pl.DataFrame(
        {
            "id": [1000 + i for i in n],
            "order": [i // 3 for i in n],
            "line": [1 + i % 3 for i in n],
            "customer": [f"c{i % 17}" for i in n],
            "code": [f"AB{i:04}" for i in n],
            "quantity": [1 + i % 9 for i in n],
            "price": [0.25 * (1 + i % 40) for i in n],
            "total": [0.25 * (1 + i % 40) * (1 + i % 9) for i in n],
            "amount": [0.25 * (1 + i % 40) * (1 + i % 9) for i in n],
            "discount": [(i % 5) / 10 for i in n],
            "state": [("new", "paid", "sent")[i % 3] for i in n],
            "ordered": day,
            "sent": [d + timedelta(2) if i % 3 == 2 else None for i, d in enumerate(day)],
        }
    )


@dataclass(frozen=True)
class Defect:
    """`change` takes the clean table to the files that lie there (one, or the parts of a folder).

    `expected` are (file, column, rule, rows), files empty where there is one, rows from 1.
    """

    format: str
    change: Callable[[pl.DataFrame], list[pl.DataFrame]]
    expected: list[tuple[str, str, str, tuple[int, ...]]]


def put(column: str, values: dict[int, Any]) -> Callable[[pl.DataFrame], list[pl.DataFrame]]:
    """Put `values` (by row, from 1) into a column; a text makes a column of texts."""

    def change(frame: pl.DataFrame) -> list[pl.DataFrame]:
        old: list[Any] = frame[column].to_list()
        if any(isinstance(value, str) for value in values.values()):
            old = [None if value is None else str(value) for value in old]
        for row, value in values.items():
            old[row - 1] = value
        return [frame.with_columns(pl.Series(column, old))]

    return change


def at(file_format: str, column: str, rule: str, values: dict[int, Any], *more: int) -> Defect:
    """Wrong values in one column; the rule names their rows, and `more` if they repeat others."""
    named = tuple(sorted([*values, *more]))
    return Defect(file_format, put(column, values), [("", column, rule, named)])


def across(file_format: str, rule: str, change: Any, *rows: int) -> Defect:
    """A rule over several columns."""
    return Defect(file_format, change, [("", "", rule, rows)])


def unknown_quantity(frame: pl.DataFrame) -> list[pl.DataFrame]:
    (changed,) = put("quantity", {77: -999})(frame)
    return [changed.with_columns(total=pl.col("price") * pl.col("quantity"))]


def twice_a_line(frame: pl.DataFrame) -> list[pl.DataFrame]:
    return put("line", {50: 1})(frame)


def in_two_files(frame: pl.DataFrame) -> list[pl.DataFrame]:
    changed = put("id", {90: 1003})(frame)[0]
    return [changed.head(60), changed.tail(60)]


def sent_early(frame: pl.DataFrame) -> list[pl.DataFrame]:
    return put("sent", {33: frame["ordered"][32] - timedelta(1)})(frame)


STATES, CODE = "in [new, paid, sent]", "regex ^[A-Z]{2}[0-9]{4}$"
TOTAL = "expr: abs(total - price * quantity) < 0.01"
DEFECTS = {
    "missing-value": at("csv", "customer", "not null", {7: None, 110: None}),
    "not-a-number": at("parquet", "amount", "not null", {41: float("nan")}),
    "text-in-number": at("csv", "quantity", "type int", {12: "n/a"}),
    "decimal-comma": at("csv", "amount", "type float", {5: "12,50", 6: "3,75"}),
    "sentinel": Defect("parquet", unknown_quantity, [("", "quantity", "min 1", (77,))]),
    "above-range": at("arrow", "discount", "max 1.0", {100: 40.0}),
    "infinity": at("parquet", "amount", "max 100000.0", {99: float("inf")}),
    "unknown-category": at("jsonl", "state", STATES, {3: "lost"}),
    "other-case": at("csv", "state", STATES, {2: "Paid", 5: "PAID"}),
    "blank-around": at("tsv", "state", STATES, {2: "paid "}),
    "malformed-code": at("parquet", "code", CODE, {64: "AB"}),
    "lost-zeros": at("csv", "code", CODE, {13: "AB12"}),
    "repeated-id": at("parquet", "id", "unique", {118: 1002}, 3),
    "repeated-key": across("csv", "key order, line", twice_a_line, 49, 50),
    "repeated-across-files": Defect(
        "parquet",
        in_two_files,
        [("data/orders/0.parquet", "id", "unique", (4,)),
         ("data/orders/1.parquet", "id", "unique", (30,))],
    ),
    "before-start": at("jsonl", "ordered", "min 2015-01-01", {1: date(1970, 1, 1)}),
    "other-date-order": at("csv", "ordered", "type date", {20: "31/12/2025"}),
    "impossible-date": at("csv", "ordered", "type date", {20: "2025-02-30"}),
    "sent-before-ordered": across("arrow", "expr: ordered <= sent", sent_early, 33),
    "wrong-total": across("parquet", TOTAL, put("total", {88: 1e4}), 88),
    "column-gone": Defect(
        "parquet", lambda f: [f.drop("discount")], [("", "discount", "column missing", ())]
    ),
    "column-more": Defect(
        "csv",
        lambda f: [f.with_columns(comment=pl.lit("-"))],
        [("", "comment", "column not in the contract", ())],
    ),
    "column-renamed": Defect(
        "jsonl",
        lambda f: [f.rename({"quantity": "qty"})],
        [("", "quantity", "column missing", ()), ("", "qty", "column not in the contract", ())],
    ),
    "type-changed": Defect(
        "parquet", lambda f: [f.cast({"id": pl.String})], [("", "id", "type int", ())]
    ),
    "truncated": Defect("csv", lambda f: [f.head(60)], [("", "", "rows min 100", ())]),
}  # fmt: skip
