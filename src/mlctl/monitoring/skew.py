"""Training-serving skew, row by row: the features that served a request against those of training.

The same key must have the same features on both sides. (TensorFlow Data Validation calls a
difference of the distributions skew; the rows tell which feature is computed in two ways.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlctl.monitoring.results import Finding
from mlctl.monitoring.spec import MonitorSpec, SkewSpec

if TYPE_CHECKING:
    import polars as pl


def check(spec: MonitorSpec, serving: pl.DataFrame, training: pl.DataFrame) -> tuple[Finding, ...]:
    """A finding for each feature that differs: a warning over the limit, else for information."""
    skew = spec.skew
    if skew is None or skew.key not in serving.columns or skew.key not in training.columns:
        return ()
    pairs, lost = _joined(serving, training, skew)
    findings = []
    if lost:
        text = f"{lost} of {serving.height} rows have no features of training to compare with"
        findings.append(Finding("skew_unmatched", text, skew.key, "info"))
    if not pairs.height:
        return tuple(findings)
    for name in training.columns:
        if name != skew.key and name in serving.columns:
            found = _compared(pairs, name, skew)
            if found is not None:
                findings.append(found)
    return tuple(findings)


def _joined(
    serving: pl.DataFrame, training: pl.DataFrame, skew: SkewSpec
) -> tuple[pl.DataFrame, int]:
    import polars as pl

    key = skew.key
    if serving.schema[key] != training.schema[key]:
        serving, training = (
            side.with_columns(pl.col(key).cast(pl.String)) for side in (serving, training)
        )
    serving = serving.unique(key, keep="last", maintain_order=True).drop_nulls(key)
    training = training.unique(key, keep="last", maintain_order=True)
    pairs = serving.join(training, on=key, how="inner", suffix="__training", maintain_order="left")
    return pairs, serving.height - pairs.height


def _compared(pairs: pl.DataFrame, name: str, skew: SkewSpec) -> Finding | None:
    import polars as pl

    here, there = pairs[name], pairs[f"{name}__training"]
    if here.dtype.is_numeric() and there.dtype.is_numeric():
        a, b = here.cast(pl.Float64), there.cast(pl.Float64)
        near = (a - b).abs() <= skew.tolerance * pl.Series(b.abs()).fill_null(0.0).clip(1.0)
        same = near | (a.is_nan() & b.is_nan()).fill_null(False)
    else:
        same = here.cast(pl.String, strict=False) == there.cast(pl.String, strict=False)
    both_null = here.is_null() & there.is_null()
    different = int((~(same.fill_null(False) | both_null)).sum())
    if not different:
        return None
    share = different / pairs.height
    text = f"{name} differs from training in {share:.1%} of {pairs.height} rows with the same key"
    return Finding("training_serving_skew", text, name, "warning" if share > skew.limit else "info")
