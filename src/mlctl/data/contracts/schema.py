"""A compiled contract as a pandera schema (Polars backend), for those who use pandera.

It judges frames whose columns have the contract's own types, as `canonical` of `adapters.tables`
gives them, and missing values as nulls.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from mlctl.adapters.tables import canonical
from mlctl.data.contracts.contract import ColumnContract, Contract
from mlctl.data.contracts.rules import NOT_NULL, Rule
from mlctl.plugins import missing_extra

if TYPE_CHECKING:
    import polars as pl


def to_pandera(contract: Contract, rules: Sequence[Rule]) -> Any:
    """The pandera.polars.DataFrameSchema. Raises MissingExtra without pandera."""
    pa = _pandera()
    columns = {
        column.name: _column(column, [rule for rule in rules if rule.column == column.name])
        for column in contract.columns
    }
    across = [_check(rule) for rule in rules if not rule.column]
    return pa.DataFrameSchema(columns, checks=across + _row_count(contract), strict=contract.strict)


def _column(column: ColumnContract, rules: Sequence[Rule]) -> Any:
    """Pandera's own `nullable` where no row may break it.

    Its `unique` takes missing values for equal, so that is a check.
    """
    nullable = column.nullable or column.tolerance("nullable") > 0
    return _pandera().Column(
        None if column.type == "any" else canonical(column.type),
        nullable=nullable,
        checks=[_check(rule) for rule in rules if nullable or rule.check != NOT_NULL],
    )


def _check(rule: Rule) -> Any:
    """A condition for each row, or for the table where a share of rows may break the rule."""
    import polars as pl

    breaks = rule.breaks
    if rule.distinct:
        present = pl.all_horizontal(pl.col(name).is_not_null() for name in rule.distinct)
        breaks = breaks | (pl.struct(*rule.distinct).is_duplicated() & present)
    few = breaks.mean().fill_null(0.0) <= rule.max_failing
    return _named(rule.check, few if rule.max_failing else ~breaks)


def _row_count(contract: Contract) -> list[Any]:
    import polars as pl

    low, high = contract.min_rows, contract.max_rows
    found = [_named(f"rows min {low}", pl.len() >= low)] if low else []
    return found + ([] if high is None else [_named(f"rows max {high}", pl.len() <= high)])


def _named(name: str, holds: pl.Expr) -> Any:
    check: Callable[[Any], Any] = lambda data: data.lazyframe.select(holds)  # noqa: E731
    return _pandera().Check(check, name=name, ignore_na=False)


def _pandera() -> Any:
    try:
        import pandera.polars
    except ModuleNotFoundError as error:
        raise missing_extra("pandera", "validate") from error
    return pandera.polars
