"""Columns that came, went, changed their type or their name. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from mlctl.monitoring.results import Finding
from mlctl.monitoring.spec import MonitorSpec

if TYPE_CHECKING:
    import polars as pl

_ALIKE = 0.6  # of two names, by the share of their letters that match


def column_findings(
    spec: MonitorSpec,
    current: Mapping[str, pl.DataType],
    reference: Mapping[str, pl.DataType] | None,
) -> list[Finding]:
    """What differs between the columns of the two sides; nothing against a baseline."""
    if reference is None or reference is current:
        return []
    expected = {spec.time, spec.id, spec.predictions.value, *spec.predictions.scores.values()}
    absent = {spec.labels.column} if spec.labels is not None else set()
    new = [name for name in current if name not in reference and name not in expected]
    gone = [name for name in reference if name not in current and name not in absent | expected]
    findings = [_gone(name, new, current, reference) for name in gone]
    findings += [Finding("new_column", f"{n} is not in the reference", n, "info") for n in new]
    findings += [
        Finding("type_changed", f"{name} is {current[name]}, in the reference {kind}", name)
        for name, kind in reference.items()
        if name in current and _family(current[name]) != _family(kind)
    ]
    return findings


def _gone(
    name: str,
    new: list[str],
    current: Mapping[str, pl.DataType],
    reference: Mapping[str, pl.DataType],
) -> Finding:
    alike = [
        (SequenceMatcher(None, name.lower(), other.lower()).ratio(), other)
        for other in new
        if _family(current[other]) == _family(reference[name])
    ]
    ratio, other = max(alike, default=(0.0, ""))
    was = f"; was it renamed to {other}?" if ratio >= _ALIKE else ""
    return Finding("missing_column", f"{name} is not in the current data{was}", name)


def _family(kind: pl.DataType) -> str:
    if kind.is_numeric() or str(kind) == "Boolean":
        return "number"
    return "moment" if kind.is_temporal() else str(kind).split("(")[0]
