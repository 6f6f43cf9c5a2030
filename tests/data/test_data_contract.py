"""Contracts: what the file may say, and that every fault is named with its place."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from mlctl.data.contracts.compile import compile_contract
from mlctl.data.contracts.contract import parse
from mlctl.data.contracts.expression import Apply, Column, ExpressionError, Literal
from mlctl.data.contracts.expression import parse as parse_expression
from mlctl.errors import ConfigError

GOOD = """\
schema: mlctl.contract/1
data: data/raw.csv
rows: {min: 2, max: 1000}
key: [id, day]
strict: false
columns:
  id: {type: int, min: 0}
  day: {type: date, min: 2020-01-01, max: 2030-12-31}
  at: {type: datetime, min: 2020-01-01, nullable: true}
  share: {type: float, min: 0, max: 1, max_failing: 0.01}
  colour: {type: str, in: [red, "yes", no], regex: "^[a-z]+$"}
  extra: {type: any, nullable: true}
checks:
  - expr: "share >= 0 and id < 100"
    max_failing: 0.5
"""


def test_everything_is_read() -> None:
    contract = parse(GOOD, file="contracts/raw.yaml", name="raw")
    by_name = {column.name: column for column in contract.columns}
    assert (contract.min_rows, contract.max_rows, contract.key) == (2, 1000, ("id", "day"))
    assert contract.strict is False
    assert by_name["day"].max == date(2030, 12, 31)
    assert by_name["at"].min == datetime.fromisoformat("2020-01-01")
    assert by_name["share"].min == 0.0
    assert isinstance(by_name["share"].min, float)
    assert by_name["colour"].values == ("red", "yes", "no")  # YAML 1.2: no booleans
    assert contract.checks[0].max_failing == 0.5
    assert compile_contract(contract).checks > 15


@pytest.mark.parametrize(
    ("old", "new", "place", "said"),
    [
        ("mlctl.contract/1", "mlctl.contract/2", "raw.yaml:1: schema", "reads 'mlctl.contract/1'"),
        ("data: data/raw.csv", "data: /etc/passwd", "raw.yaml:2: data", "inside of the repository"),
        (
            "rows: {min: 2,",
            "rows: {min: -2,",
            "raw.yaml:3: rows.min",
            "a whole number from 0",
        ),
        ("key: [id, day]", "key: [id, dya]", "raw.yaml:4: key[1]", "'dya' is not among"),
        ("strict: false", "strict: maybe", "raw.yaml:5: strict", "true or false"),
        ("type: int, min: 0", "type: integer", "raw.yaml:7: columns.id.type", "'integer'"),
        ("type: int, min: 0", "type: int, mni: 0", "raw.yaml:7: columns.id.mni", "unknown key"),
        ("type: int, min: 0", "type: int, min: 0.5", "raw.yaml:7: columns.id.min", "of type int"),
        ("min: 0, max: 1,", "min: 2, max: 1,", "raw.yaml:10: columns.share.min", "greater than"),
        ("0.01", "1.5", "raw.yaml:10: columns.share.max_failing", "from 0 to 1"),
        ("^[a-z]+$", "[", "raw.yaml:11: columns.colour.regex", "not a regular expression"),
        ("extra: {", "'*': {", "raw.yaml:12: columns.*", "as a pattern"),
        ("share >= 0", "shaer >= 0", "raw.yaml:14: checks[0].expr", "'shaer' is not among"),
        ("share >= 0", "share >=", "raw.yaml:14: checks[0].expr", "expected a value"),
        ("share >= 0", "__import__('os')", "raw.yaml:14: checks[0].expr", "no function"),
    ],
)
def test_faults_are_named_with_their_place(old: str, new: str, place: str, said: str) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError) as caught:
        parse(GOOD.replace(old, new, 1), file="raw.yaml", name="raw")
    assert str(caught.value).startswith(place)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "expr", ["colour > share", "id + 1", "length(share) > 1", "id in ['x']", "abs(colour) > 1"]
)
def test_expressions_that_do_not_fit_the_types_are_refused_without_data(expr: str) -> None:
    text = GOOD.replace("share >= 0 and id < 100", expr)
    with pytest.raises(ConfigError, match=r"raw\.yaml: checks: expr"):
        compile_contract(parse(text, file="raw.yaml", name="raw"))


def test_a_regular_expression_that_only_python_knows_is_refused() -> None:
    text = GOOD.replace("^[a-z]+$", "(?<=a)b")
    with pytest.raises(ConfigError, match=r"columns\.colour"):
        compile_contract(parse(text, file="raw.yaml", name="raw"))


def test_operators_bind_as_in_sql() -> None:
    node = parse_expression("not a == 1 or b + 2 * c < -3 and d")
    assert node == Apply(
        "or",
        (
            Apply("not", (Apply("==", (Column("a"), Literal(1))),)),
            Apply(
                "and",
                (
                    Apply(
                        "<",
                        (
                            Apply("+", (Column("b"), Apply("*", (Literal(2), Column("c"))))),
                            Literal(-3),
                        ),
                    ),
                    Column("d"),
                ),
            ),
        ),
    )
    chained = parse_expression("0 <= `a b` <= 1")
    assert chained == parse_expression("0 <= `a b` and `a b` <= 1")


@pytest.mark.parametrize("text", ["", "a b", "(a", "a in []", "a.b", "a; b", "f'x'", "(" * 200])
def test_what_is_no_expression_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse_expression(text)
