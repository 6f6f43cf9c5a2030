"""Slices: rows that are also looked at on their own, the same in current and reference data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mlctl.errors import InvalidInput, suggestion
from mlctl.monitoring.cuts import Rows, Source
from mlctl.monitoring.spec import SliceSpec

if TYPE_CHECKING:
    pass

MOST = 10  # values of a column, the most frequent ones of the reference


def sliced(slices: tuple[SliceSpec, ...], source: Source, like: Source | None) -> dict[str, Rows]:
    """The rows of `source` in each slice; the values of a column are those frequent in `like`.

    Raises InvalidInput for a column or a rule that `source` cannot have.
    """
    found: dict[str, Rows] = {}
    for one in slices:
        found.update(_by_rule(one, source) if one.rule else _by_column(one.column, source, like))
    return found


def _by_column(column: str, source: Source, like: Source | None) -> Mapping[str, Rows]:
    import numpy as np
    import polars as pl

    for side in (source, like or source):
        if column not in side.schema:
            raise InvalidInput(
                f"{side.ref.path} has no column {column!r} to slice by",
                hint=suggestion(column, list(side.schema)),
            )
    known = (like or source).read([column])[column].cast(pl.String).drop_nulls()
    counts = known.alias("value").value_counts(name="rows")
    ordered = counts.sort(["rows", "value"], descending=[True, False])
    values = ordered["value"].head(MOST).to_list()
    here = source.read([column])[column].cast(pl.String)
    return {f"{column}={v}": np.flatnonzero((here == v).fill_null(False)) for v in values}


def _by_rule(one: SliceSpec, source: Source) -> Mapping[str, Rows]:
    import numpy as np
    import polars as pl

    from mlctl.data.contracts import expression
    from mlctl.data.contracts.compile import expr_of

    node = expression.parse(one.rule)
    names = sorted(expression.columns(node))
    missing = [name for name in names if name not in source.schema]
    if missing:
        raise InvalidInput(
            f"{source.ref.path} has no column {missing[0]!r} for the slice {one.name!r}",
            hint=suggestion(missing[0], list(source.schema)),
        )
    try:
        holds = source.read(names).select(expr_of(node).alias("holds"))["holds"]
    except pl.exceptions.PolarsError as error:
        raise InvalidInput(f"the slice {one.name!r}: {str(error).splitlines()[0]}") from None
    if holds.dtype != pl.Boolean:
        raise InvalidInput(
            f"the slice {one.name!r}: `{one.rule}` is neither true nor false of a row"
        )
    return {one.name: np.flatnonzero(holds.fill_null(False))}
