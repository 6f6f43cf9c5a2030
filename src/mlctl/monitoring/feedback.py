"""Feedback loops: a model's output that comes back as truth in the data that it learns from.

Sculley et al. 2015, "Hidden technical debt in machine learning systems". Looked at are training
rows of ids that the model has answered: where their target is what the model said, far more often
than the model is right elsewhere, the target is no independent truth.
"""

from __future__ import annotations

from math import erfc, sqrt
from typing import TYPE_CHECKING

from mlctl.monitoring.results import Finding
from mlctl.monitoring.spec import FeedbackSpec, MonitorSpec

if TYPE_CHECKING:
    import polars as pl

_LEAST = 30  # rows
_ALWAYS = 0.995  # share of agreement that no honest label has
_CERTAIN = 1e-6


def check(spec: MonitorSpec, log: pl.DataFrame, training: pl.DataFrame) -> tuple[Finding, ...]:
    """A `feedback_loop` where targets agree with predictions too often."""
    import polars as pl

    feedback, value = spec.feedback, spec.predictions.value
    if feedback is None or not value or value not in log.columns:
        return ()
    copied = [
        Finding("feedback_loop", f"the training data hold the model's own {name}", name)
        for name in (value, *spec.predictions.scores.values())
        if name in training.columns and name != feedback.target
    ]
    key = feedback.key or spec.id or ""
    if not key or key not in log.columns or key not in training.columns:
        return tuple(copied)
    if feedback.target not in training.columns:
        text = f"the training data have no column {feedback.target}"
        return (*copied, Finding("feedback_unchecked", text, feedback.target, "info"))
    sides = [side.with_columns(pl.col(key).cast(pl.String)) for side in (log, training)]
    pairs = (
        sides[0]
        .select(key, pl.col(value).alias("__said"))
        .join(sides[1].select(key, pl.col(feedback.target).alias("__true")), on=key, how="inner")
        .drop_nulls()
    )
    if pairs.height < _LEAST:
        return tuple(copied)
    return (*copied, *_agreeing(pairs, feedback, _usual(spec, log)))


def _agreeing(
    pairs: pl.DataFrame, feedback: FeedbackSpec, usual: float | None
) -> tuple[Finding, ...]:
    import polars as pl

    from mlctl.monitoring.performance.scored import words

    said, true = pairs["__said"], pairs["__true"]
    if said.dtype.is_float() and true.dtype.is_numeric() and said.n_unique() > 20:
        same = (said - true.cast(pl.Float64)).abs() <= 1e-9 * true.cast(pl.Float64).abs().clip(1.0)
    else:
        same = words(said) == words(true)
    n = pairs.height
    share = int(same.sum() or 0) / n
    text = (
        f"{feedback.target} is what the model said in {share:.1%} of {n} training rows "
        "that it has answered"
    )
    if usual is not None and 0 < usual < 1:
        z = (share - usual) / sqrt(usual * (1 - usual) / n)
        if share > usual and erfc(z / sqrt(2)) / 2 < _CERTAIN:
            return (Finding("feedback_loop", f"{text}; elsewhere it is right in {usual:.1%}"),)
    elif share >= _ALWAYS:
        return (Finding("feedback_loop", text),)
    return (Finding("answered_rows", text, severity="info"),)


def _usual(spec: MonitorSpec, log: pl.DataFrame) -> float | None:
    """How sure the model is of its answers on average: about how often it is right."""
    import polars as pl

    names = [name for name in spec.predictions.scores.values() if name in log.columns]
    if not names:
        return None
    if len(names) == 1:
        top = pl.max_horizontal(pl.col(names[0]), 1 - pl.col(names[0]))
    else:
        top = pl.max_horizontal(names)
    mean = log.select(top.mean()).item()
    return None if mean is None else float(mean)
