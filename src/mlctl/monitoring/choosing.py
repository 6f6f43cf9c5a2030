"""Which columns a monitor compares, and what each is. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from mlctl.errors import InvalidInput, suggestion
from mlctl.monitoring.results import Role
from mlctl.monitoring.spec import MonitorSpec

if TYPE_CHECKING:
    import polars as pl


def choose(
    spec: MonitorSpec, schema: Mapping[str, pl.DataType], *, file: str
) -> list[tuple[str, Role]]:
    """Those of the reference's columns that are compared, in their order, with their roles.

    Times, ids and keys are not; the columns of a model's output are predictions, a label is the
    target. Raises InvalidInput where a listed column or glob matches none.
    """
    for pattern in (*spec.include, *spec.exclude):
        if not any(_matches(name, pattern) for name in schema):
            raise InvalidInput(
                f"{file}: no column of the reference matches {pattern!r}",
                hint=suggestion(pattern, list(schema)),
            )
    for name in (*spec.kinds, *spec.thresholds.columns):
        if name not in schema:
            raise InvalidInput(
                f"{file}: the reference has no column {name!r}",
                hint=suggestion(name, list(schema)),
            )
    outputs = {spec.predictions.value, *spec.predictions.scores.values()} - {""}
    targets = {spec.labels.column} if spec.labels is not None else set()
    roles: Mapping[str, Role] = {
        **dict.fromkeys(targets, "target"),
        **dict.fromkeys(outputs, "prediction"),
    }
    return [
        (name, roles.get(name, "feature"))
        for name in schema
        if name not in _never(spec)
        and (not spec.include or any(_matches(name, p) for p in spec.include))
        and not any(_matches(name, p) for p in spec.exclude)
    ]


def _never(spec: MonitorSpec) -> set[str]:
    """Columns that say which row it is, or when, and labels that come late: nothing to compare."""
    names: Iterable[str | None] = (spec.time, spec.id)
    if spec.labels is not None:
        names = (*names, spec.labels.key, spec.labels.time, spec.labels.column)
    if spec.skew is not None:
        names = (*names, spec.skew.key)
    if spec.feedback is not None:
        names = (*names, spec.feedback.key)
    return {name for name in names if name}


def _matches(name: str, pattern: str) -> bool:
    return name == pattern or fnmatchcase(name, pattern)
