"""Contracts: what the file may say, and that every fault is named with its place."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from mlctl.data.contracts.compile import compile_contract
from mlctl.data.contracts.contract import Freshness, ImagesContract, Range, parse
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
        ("rows: {min: 2,", "rows: {min: 2000,", "raw.yaml:3: rows.min", "greater than max 1000"),
        ("key: [id, day]", "key: [id, id]", "raw.yaml:4: key[1]", "named twice"),
        ("key: [id, day]", "key: [id, at]", "raw.yaml:4: key[1]", "may be missing"),
        ("strict: false", "label: colur", "raw.yaml:5: label", "'colur' is not among"),
        (
            "strict: false",
            "freshness: {column: dya, max_age: 2d}",
            "raw.yaml:5: freshness.column",
            "'dya' is not among",
        ),
        (
            "strict: false",
            "freshness: {column: id, max_age: 2d}",
            "raw.yaml:5: freshness.column",
            "not a date or datetime",
        ),
        (
            "strict: false",
            "freshness: {column: day, max_age: 2}",
            "raw.yaml:5: freshness.max_age",
            "expected a span of time, got 2",
        ),
        ("strict: false", "images: {}", "raw.yaml:3: rows", "with `images` has no 'rows'"),
        ("int, min: 0", "int, above: 3, max: 3", "raw.yaml:7: columns.id.above", "nothing lies"),
        ("int, min: 0", "int, above: 3, below: 4", "raw.yaml:7: columns.id.above", "nothing lies"),
        ("int, min: 0", "int, length: {max: 3}", "raw.yaml:7: columns.id.length", "has no length"),
        ("int, min: 0", "int, min: {valeu: 0}", "raw.yaml:7: columns.id.min.valeu", "unknown key"),
        (
            "int, min: 0",
            "int, min: {max_failing: 0}",
            "raw.yaml:7: columns.id.min",
            "says no `value`",
        ),
        ("int, min: 0", "int, min: 0, in: [1, -1]", "raw.yaml:7: columns.id.in[1]", "breaks 'min'"),
        (
            "int, min: 0",
            "int, below: 9, in: {value: [9]}",
            "raw.yaml:7: columns.id.in.value[0]",
            "'below'",
        ),
        (
            "int, min: 0",
            "int, unique: true, in: [1]",
            "raw.yaml:7: columns.id",
            "unique in 2 rows or more",
        ),
        ("in: [red,", "in: [Red,", "raw.yaml:11: columns.colour.in[0]", "breaks 'regex'"),
        (
            "in: [red,",
            "length: {max: 2}, in: [red,",
            "raw.yaml:11: columns.colour.in[0]",
            "breaks 'length'",
        ),
        (
            "in: [red,",
            "length: {min: 3, max: 2}, in: [red,",
            "raw.yaml:11: columns.colour.length.min",
            "greater",
        ),
        (
            "in: [red,",
            "length: {}, in: [red,",
            "raw.yaml:11: columns.colour.length",
            "expected {min, max}",
        ),
        ("^[a-z]+$", "(?=a)b", "raw.yaml:11: columns.colour.regex", "no look-around"),
        ("^[a-z]+$", r"(a)\\1", "raw.yaml:11: columns.colour.regex", "no look-around"),
        (
            "any, nullable: true",
            "any, nullable: false, max_missing: 0.1",
            "raw.yaml:12: columns.extra.max_missing",
            "`nullable: false`",
        ),
        ("  extra: {type: any", "  id: {type: any", "raw.yaml:12", "duplicate key"),
        ("share >= 0 and id < 100", "1 < 2", "raw.yaml:14: checks[0].expr", "reads no column"),
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
    with pytest.raises(ConfigError, match=r"raw\.yaml:14: checks\[0\]\.expr: expr"):
        compile_contract(parse(text, file="raw.yaml", name="raw"))


def test_rust_knows_patterns_that_python_does_not() -> None:
    for pattern in (r"^\p{Han}+$", r"\Aa\z", "(?<year>[0-9]+)", r"a\\\\1", "[(?=]", "(a(?i)b)"):
        text = GOOD.replace('in: [red, "yes", no], regex: "^[a-z]+$"', f"regex: '{pattern}'")
        contract = parse(text, file="raw.yaml", name="raw")
        assert compile_contract(contract).checks > 15, pattern


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


FULL = """\
schema: mlctl.contract/1
data: "data/*.parquet"
description: All orders
label: plan
freshness: {column: at, max_age: 36h}
columns:
  mail: {type: str, personal: true, max_missing: 0.05, length: {min: 3, max: 80, max_failing: 0.1}}
  plan:
    type: str
    in: {value: [a, b], max_failing: 0.2}
    description: what they pay
  price: {type: float, above: 0, below: {value: 10, max_failing: 0.01}, max_failing: 0.5}
  at: {type: datetime, unique: {value: true, max_failing: 0.25}}
checks:
  - {expr: price > 1, description: never free}
"""


def test_all_that_is_beside_the_rules_is_read() -> None:
    contract = parse(FULL, file="raw.yaml", name="raw")
    mail, plan, price, at = contract.columns
    assert (contract.data, contract.description, contract.label) == (
        "data/*.parquet",
        "All orders",
        "plan",
    )
    assert contract.freshness == Freshness("at", timedelta(hours=36))
    assert (mail.personal, mail.nullable, mail.max_missing) == (True, True, 0.05)
    assert (mail.length, mail.tolerance("length")) == (Range(3, 80), 0.1)
    assert (plan.values, plan.tolerance("in"), plan.tolerance("regex")) == (("a", "b"), 0.2, 0.0)
    assert (price.above, price.below) == (0.0, 10.0)
    assert (price.tolerance("above"), price.tolerance("below")) == (0.5, 0.01)
    assert (at.unique, at.tolerance("unique")) == (True, 0.25)
    assert (plan.description, contract.checks[0].description) == ("what they pay", "never free")


def test_a_contract_about_images() -> None:
    text = (
        "schema: mlctl.contract/1\ndata: data/images\nimages:\n  count: {min: 10}\n"
        "  per_folder: {min: 2, max: 9}\n  folders: ['0', '1']\n  formats: [png, jpeg]\n"
        "  modes: [L, RGB]\n  width: {min: 8, max: 8}\n  max_bytes: 1000\n  max_failing: 0.1\n"
    )
    contract = parse(text, file="i.yaml", name="i")
    assert contract.images == ImagesContract(
        count=Range(10, None),
        per_folder=Range(2, 9),
        folders=("0", "1"),
        formats=("png", "jpeg"),
        modes=("L", "RGB"),
        width=Range(8, 8),
        max_bytes=1000,
        max_failing=0.1,
    )
    for old, new, place in (
        ("[png, jpeg]", "[png, jpg]", "i.yaml:7: images.formats[1]: expected one of"),
        ("[png, jpeg]", "[png, png]", "i.yaml:7: images.formats[1]: 'png' is listed twice"),
        ("{min: 8, max: 8}", "{min: 9, max: 8}", "i.yaml:9: images.width.min: min 9 is greater"),
        ("count:", "cuont:", "i.yaml:4: images.cuont: unknown key"),
    ):
        with pytest.raises(ConfigError) as caught:
            parse(text.replace(old, new), file="i.yaml", name="i")
        assert str(caught.value).startswith(place)
