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
from mlctl.data.contracts.contract import ColumnContract, Contract, Scalar
from mlctl.data.contracts.rules import NOT_NULL, UNIQUE, Rule
from mlctl.errors import ConfigError

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
        """How many promises there are: rules, each column's presence and type, the row count."""
        rows = (self.contract.min_rows > 0) + (self.contract.max_rows is not None)
        typed = sum(column.type != "any" for column in self.contract.columns)
        return len(self.rules) + len(self.contract.columns) + typed + rows + self.contract.strict


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
        check_types(rule, types, contract.file)
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
    found: list[tuple[str, pl.Expr]] = []
    if not column.nullable:
        found.append((NOT_NULL, value.is_null()))
    if column.unique:
        found.append((UNIQUE, pl.lit(False)))
    if column.min is not None:
        found.append((f"min {column.min}", _breaks(value >= pl.lit(column.min))))
    if column.max is not None:
        found.append((f"max {column.max}", _breaks(value <= pl.lit(column.max))))
    if column.values is not None:
        listed = ", ".join(map(str, column.values[:5])) + (", …" if column.values[5:] else "")
        found.append((f"in [{listed}]", _breaks(value.is_in(list(column.values)))))
    if column.regex is not None:
        found.append((f"regex {column.regex}", _breaks(value.str.contains(column.regex))))
    return [
        Rule(name, check, breaks, column.max_failing, (name,), (name,) if check == UNIQUE else ())
        for check, breaks in found
    ]


def _is_checked_already(contract: Contract) -> bool:
    """Whether the key is one column that says itself that it is unique and not null."""
    strict = {c.name for c in contract.columns if c.unique and not c.nullable and not c.max_failing}
    return len(contract.key) == 1 and contract.key[0] in strict


def _key_rule(key: tuple[str, ...]) -> Rule:
    import polars as pl

    missing = pl.any_horizontal(pl.col(name).is_null() for name in key)
    return Rule("", f"key {', '.join(key)}", missing, 0.0, key, key)


def check_types(rule: Rule, types: Mapping[str, pl.DataType], file: str) -> None:
    """Evaluate the rule on no rows: Polars then names what does not fit the columns' types.

    Raises ConfigError, naming the contract `file`.
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
    where = f"columns.{rule.column}" if rule.column else "checks"
    raise ConfigError(f"{rule.check}: {said}", file=file, where=where)
