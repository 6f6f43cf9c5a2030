"""scikit-learn: parameters, scores and curves of estimators."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Tuple

from ._current import current
from ._encode import number
from ._warn import harmless

_PLAIN = (bool, int, float, str, type(None), list, tuple, dict)


@harmless
def log_estimator(
    estimator: Any,
    data: Any = None,
    labels: Any = None,
    *,
    prefix: str = "",
    scoring: Optional[Mapping[str, Any]] = None,
) -> None:
    """Log an estimator's parameters and, with `data` and `labels`, its scores on them.

    `scoring` maps a name to a scorer (`sklearn.metrics.get_scorer`) or its name; without it there
    is one score, `score`, the estimator's own. A search (`GridSearchCV`) also tells its best.
    """
    run = current()
    params = {f"{prefix}{name}": _plain(v) for name, v in estimator.get_params().items()}
    for name, value in getattr(estimator, "best_params_", {}).items():
        params[f"{prefix}best.{name}"] = _plain(value)
    run.log_params(params)
    scores = {}
    if number(getattr(estimator, "best_score_", None)) is not None:
        scores[f"{prefix}best_score"] = estimator.best_score_
    if data is not None:
        for name, scorer in (scoring or {"score": None}).items():
            scores[prefix + name] = _score(estimator, data, labels, scorer)
    if scores:
        run.log_metrics(scores)


def curve(
    kind: str, labels: Any, predictions: Any, **options: Any
) -> Tuple[List[Dict[str, Any]], str, str, str]:
    """The points of a curve, the names of its axes, and the template that draws it.

    Raises ValueError for a kind that there is not.
    """
    from sklearn import metrics

    if kind == "confusion_matrix":
        pairs = zip(labels, predictions)
        points = [{"actual": str(a), "predicted": str(p)} for a, p in pairs]
        return points, "predicted", "actual", "confusion"
    if kind == "roc":
        xs, ys, _ = metrics.roc_curve(labels, predictions, drop_intermediate=True)
        names = "fpr", "tpr"
    elif kind == "precision_recall":
        ys, xs, _ = metrics.precision_recall_curve(labels, predictions)
        names = "recall", "precision"
    elif kind == "det":
        xs, ys, _ = metrics.det_curve(labels, predictions)
        names = "fpr", "fnr"
    elif kind == "calibration":
        from sklearn.calibration import calibration_curve

        bins = int(options.get("n_bins", 10))
        ys, xs = calibration_curve(labels, predictions, n_bins=bins)
        names = "prob_pred", "prob_true"
    else:
        raise ValueError(
            f"no curve {kind!r}: roc, precision_recall, det, calibration, confusion_matrix"
        )
    x, y = names
    return [{x: float(a), y: float(b)} for a, b in zip(xs, ys)], x, y, "linear"


def _score(estimator: Any, data: Any, labels: Any, scorer: Any) -> float:
    if isinstance(scorer, str):
        from sklearn.metrics import get_scorer

        scorer = get_scorer(scorer)
    result = estimator.score(data, labels) if scorer is None else scorer(estimator, data, labels)
    return float(result)


def _plain(value: Any) -> Any:
    """A parameter that can be compared; an estimator within another is its name."""
    if isinstance(value, _PLAIN):
        return value
    return type(value).__name__ if hasattr(value, "get_params") else str(value)
