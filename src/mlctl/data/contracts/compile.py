"""Contracts compiled: a rule for each promise, as Polars conditions and as a pandera schema.

`verdict` judges by the conditions, in a stream (docs/adr/0013-own-judge.md says why); the schema is
what a contract is to those who use pandera.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from mlctl.data.contracts import expression
from mlctl.data.contracts.model import TOLERANT, ColumnContract, Contract, Range, Scalar
from mlctl.data.contracts.rules import NOT_NULL, UNIQUE, Rule
from mlctl.records.source import YamlPath

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class Compiled:
    """A contract ready to judge tables."""

    contract: Contract
    rules: tuple[Rule, ...]

    @property
    def schema(self) -> Any:
        """The same as a pandera.polars.DataFrameSchema. Raises MissingExtra without pandera."""
        from mlctl.data.contracts.schema import to_pandera

        return to_pandera(self.contract, self.rules)

    @property
    def checks(self) -> int:
        """How many there are: rules, each column's presence and type, rows, freshness, strict."""
        rows = (self.contract.min_rows > 0) + (self.contract.max_rows is not None)
        typed = sum(column.type != "any" for column in self.contract.columns)
        whole = rows + self.contract.strict + (self.contract.freshness is not None)
        return len(self.rules) + len(self.contract.columns) + typed + whole


def compile_contract(contract: Contract) -> Compiled:
    """The rules of `contract`.

    Raises ConfigError where an expression or a regular expression does not fit the columns' types,
    and MissingExtra without Polars.
    """
    import polars as pl

    from mlctl.adapters.tables import canonical

    rules = [rule for column in contract.columns for rule in _column_rules(column)]
    rules += [
        Rule("", f"expr: {check.text}", _breaks(expr_of(check.node)), check.max_failing, shown)
        for check in contract.checks
        for shown in [tuple(sorted(expression.columns(check.node)))]
    ]
    if contract.key and not _is_checked_already(contract):
        rules.append(_key_rule(contract.key))
    types = {c.name: pl.Null() if c.type == "any" else canonical(c.type) for c in contract.columns}
    for rule in rules:
        check_types(rule, types, contract)
    return Compiled(contract, tuple(rules))


def expr_of(node: expression.Node) -> pl.Expr:
    """The Polars expression of a parsed one."""
    import polars as pl

    match node:
        case expression.Column(name):
            return pl.col(name)
        case expression.Literal(value):
            return pl.lit(_naive(value))
        case expression.Member(operand, values):
            member = expr_of(operand)  # `is_in` would not look for whole numbers among fractions
            return reduce(or_, (member == pl.lit(_naive(value)) for value in values))
        case expression.Apply(op, operands):
            return _OPERATIONS[op](*(expr_of(operand) for operand in operands))


_OPERATIONS: dict[str, Callable[..., pl.Expr]] = {
    "or": lambda a, b: a | b,
    "and": lambda a, b: a & b,
    "not": lambda a: ~a,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "%": lambda a, b: a % b,
    "neg": lambda a: -a,
    "abs": lambda a: a.abs(),
    "length": lambda a: a.str.len_chars(),
    "is null": lambda a: a.is_null(),
    "is not null": lambda a: a.is_not_null(),
}


def _naive(value: Scalar) -> Any:
    from datetime import UTC, datetime

    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).replace(tzinfo=None)
    return value


def _breaks(holds: pl.Expr) -> pl.Expr:
    return (~holds).fill_null(False)


def _column_rules(column: ColumnContract) -> list[Rule]:
    import polars as pl

    name = column.name
    value = pl.col(name)
    found: list[tuple[str, str, pl.Expr]] = []  # the key of the promise, the check, what breaks it
    if not column.nullable:
        found.append(("nullable", NOT_NULL, value.is_null()))
    if column.unique:
        found.append(("unique", UNIQUE, pl.lit(False)))
    for key, holds in _BOUNDS.items():
        bound = getattr(column, key)
        if bound is not None:
            found.append((key, f"{key} {bound}", _breaks(holds(value, pl.lit(bound)))))
    if column.values is not None:
        listed = ", ".join(map(str, column.values[:5])) + (", …" if column.values[5:] else "")
        found.append(("in", f"in [{listed}]", _breaks(value.is_in(list(column.values)))))
    if column.regex is not None:
        matches = value.str.contains(column.regex)
        found.append(("regex", f"regex {column.regex}", _breaks(matches)))
    if column.length is not None:
        found.append(("length", *_length(column.length, value.str.len_chars())))
    rules = [
        Rule(name, check, breaks, column.tolerance(key), (name,), (name,) if key == UNIQUE else ())
        for key, check, breaks in found
    ]
    if column.max_missing is not None:
        share = column.max_missing
        rules.append(Rule(name, f"max_missing {share:g}", value.is_null(), share, (name,)))
    return rules


_BOUNDS: dict[str, Callable[..., pl.Expr]] = {
    "min": lambda value, bound: value >= bound,
    "max": lambda value, bound: value <= bound,
    "above": lambda value, bound: value > bound,
    "below": lambda value, bound: value < bound,
}


def _length(length: Range, characters: pl.Expr) -> tuple[str, pl.Expr]:
    low, high = length.min or 0, length.max
    said = f"length from {low}" if high is None else f"length {low} to {high}"
    return said, _breaks(characters.is_between(low, 2**32 - 1 if high is None else high))


def _is_checked_already(contract: Contract) -> bool:
    """Whether the key is one column that says itself that it is unique and not null."""
    column = contract.column(contract.key[0]) if len(contract.key) == 1 else None
    if column is None or not column.unique or column.nullable:
        return False
    return not column.tolerance("unique") and not column.tolerance("nullable")


def _key_rule(key: tuple[str, ...]) -> Rule:
    import polars as pl

    missing = pl.any_horizontal(pl.col(name).is_null() for name in key)
    return Rule("", f"key {', '.join(key)}", missing, 0.0, key, key)


def check_types(rule: Rule, types: Mapping[str, pl.DataType], contract: Contract) -> None:
    """Evaluate the rule on no rows: Polars then names what does not fit the columns' types.

    Raises ConfigError, naming where in the contract the rule stands.
    """
    import polars as pl

    frame = pl.DataFrame(schema={name: types[name] for name in rule.shown})
    try:
        kind = frame.select(rule.breaks.alias("breaks")).schema["breaks"]
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, TypeError) as error:
        said = str(error).split("\n")[0]
    else:
        if kind in (pl.Boolean, pl.Null):
            return
        said = "it is not a condition"
    raise contract.source.error(_place(rule, contract), f"{rule.check}: {said}")


def _place(rule: Rule, contract: Contract) -> YamlPath:
    """The YAML path of a rule."""
    if rule.column:
        word = rule.check.split()[0]
        return ("columns", rule.column, *((word,) if word in TOLERANT else ()))
    texts = [f"expr: {check.text}" for check in contract.checks]
    return ("checks", texts.index(rule.check), "expr") if rule.check in texts else ("key",)
