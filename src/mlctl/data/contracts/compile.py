"""Contracts compiled: one rule for each promise, and the pandera schema that judges them.

Pandera (Polars backend) gives the verdict; each rule also carries the Polars condition of a row
that breaks it, which is how `verdict` names rows and values.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlctl.data.contracts import expression
from mlctl.data.contracts.contract import ColumnContract, Contract, Scalar
from mlctl.errors import ConfigError

if TYPE_CHECKING:
    import polars as pl

NOT_NULL, UNIQUE = "not null", "unique"


@dataclass(frozen=True, slots=True)
class Rule:
    """One promise over rows: `breaks` is true in a row that breaks it and never null."""

    column: str
    check: str
    breaks: pl.Expr
    max_failing: float
    shown: tuple[str, ...]  # the columns whose values explain a failure


@dataclass(frozen=True, slots=True)
class Compiled:
    """A contract ready to judge frames; `schema` is a pandera.polars.DataFrameSchema."""

    contract: Contract
    rules: tuple[Rule, ...]
    schema: Any

    @property
    def checks(self) -> int:
        """How many promises there are: rules, each column's presence and type, the row count."""
        rows = (self.contract.min_rows > 0) + (self.contract.max_rows is not None)
        typed = sum(column.type != "any" for column in self.contract.columns)
        return len(self.rules) + len(self.contract.columns) + typed + rows + self.contract.strict


def compile_contract(contract: Contract) -> Compiled:
    """Rules and schema of `contract`.

    Raises ConfigError where an expression or a regular expression does not fit the columns' types,
    and MissingExtra without Polars or pandera.
    """
    rules = [rule for column in contract.columns for rule in _column_rules(column)]
    rules += [
        Rule("", f"expr: {check.text}", _breaks(expr_of(check.node)), check.max_failing, shown)
        for check in contract.checks
        for shown in [tuple(sorted(expression.columns(check.node)))]
    ]
    if contract.key and not _is_checked_already(contract):
        rules.append(_key_rule(contract.key))
    for rule in rules:
        _try(rule, contract)
    return Compiled(contract, tuple(rules), _schema(contract, rules))


def expr_of(node: expression.Node) -> pl.Expr:
    """The Polars expression of a parsed one."""
    import polars as pl

    match node:
        case expression.Column(name):
            return pl.col(name)
        case expression.Literal(value):
            return pl.lit(_naive(value))
        case expression.Member(operand, values):
            return expr_of(operand).is_in([_naive(value) for value in values])
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
        found.append((UNIQUE, value.is_duplicated() & value.is_not_null()))
    if column.min is not None:
        found.append((f"min {column.min}", _breaks(value >= pl.lit(column.min))))
    if column.max is not None:
        found.append((f"max {column.max}", _breaks(value <= pl.lit(column.max))))
    if column.values is not None:
        listed = ", ".join(map(str, column.values[:5])) + (", …" if column.values[5:] else "")
        found.append((f"in [{listed}]", _breaks(value.is_in(list(column.values)))))
    if column.regex is not None:
        found.append((f"regex {column.regex}", _breaks(value.str.contains(column.regex))))
    return [Rule(name, check, breaks, column.max_failing, (name,)) for check, breaks in found]


def _is_checked_already(contract: Contract) -> bool:
    """Whether the key is one column that says itself that it is unique and not null."""
    strict = {c.name for c in contract.columns if c.unique and not c.nullable and not c.max_failing}
    return len(contract.key) == 1 and contract.key[0] in strict


def _key_rule(key: tuple[str, ...]) -> Rule:
    import polars as pl

    missing = pl.any_horizontal(pl.col(name).is_null() for name in key)
    repeated = pl.struct(*key).is_duplicated()
    return Rule("", f"key {', '.join(key)}", missing | repeated, 0.0, key)


def _try(rule: Rule, contract: Contract) -> None:
    """Evaluate the rule on no rows: Polars then names what does not fit the columns' types."""
    import polars as pl

    from mlctl.adapters.tables import canonical

    schema = {c.name: pl.Null() if c.type == "any" else canonical(c.type) for c in contract.columns}
    try:
        kind = pl.DataFrame(schema=schema).select(rule.breaks.alias("breaks")).schema["breaks"]
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, TypeError) as error:
        said = str(error).split("\n")[0]
    else:
        if kind in (pl.Boolean, pl.Null):
            return
        said = "it is not a condition"
    where = f"columns.{rule.column}" if rule.column else "checks"
    raise ConfigError(f"{rule.check}: {said}", file=contract.file, where=where)


def _schema(contract: Contract, rules: list[Rule]) -> Any:
    pa = _pandera()
    from mlctl.adapters.tables import canonical

    columns = {
        column.name: pa.Column(
            None if column.type == "any" else canonical(column.type),
            nullable=column.nullable,
            unique=column.unique,
            checks=[
                _check(rule)
                for rule in rules
                if rule.column == column.name and rule.check not in {NOT_NULL, UNIQUE}
            ],
        )
        for column in contract.columns
    }
    across = [_check(rule) for rule in rules if not rule.column]
    return pa.DataFrameSchema(columns, checks=across + _row_count(contract), strict=contract.strict)


def _check(rule: Rule) -> Any:
    def holds(data: Any) -> Any:
        return data.lazyframe.select(~rule.breaks)

    return _pandera().Check(holds, name=rule.check, ignore_na=False)


def _row_count(contract: Contract) -> list[Any]:
    import polars as pl

    pa = _pandera()
    low, high = contract.min_rows, contract.max_rows
    found = []
    if low:
        found.append(
            pa.Check(lambda d: d.lazyframe.select(pl.len() >= low), name=f"rows min {low}")
        )
    if high is not None:
        found.append(
            pa.Check(lambda d: d.lazyframe.select(pl.len() <= high), name=f"rows max {high}")
        )
    return found


def _pandera() -> Any:
    from mlctl.plugins import missing_extra

    try:
        import pandera.polars
    except ModuleNotFoundError as error:
        raise missing_extra("pandera", "validate") from error
    return pandera.polars
