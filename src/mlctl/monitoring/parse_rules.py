"""The rules in a monitor's file: metrics and limits, performance, alarms, alerts, retraining."""

from __future__ import annotations

import re
from typing import cast, get_args

from mlctl import plugins as modules
from mlctl.errors import suggestion
from mlctl.monitoring.parse_values import (
    duration,
    names,
    path_of,
    positive,
    text_or,
    where_of,
)
from mlctl.monitoring.spec import (
    SCORES,
    AlarmRule,
    Channel,
    FeedbackSpec,
    Limits,
    PerformanceSpec,
    RetrainSpec,
    ScoreLimit,
    SkewSpec,
    Task,
    Thresholds,
)
from mlctl.records.document import Document

_SHARES = ("q", "effect", "missing", "new", "share")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def plugins(document: Document, key: str, package: str, kind: str) -> tuple[str, ...]:
    """A list of plug-ins' names, each of which is there."""
    found = names(document, key)
    known = [name.replace("-", "_") for name in modules.names(package)]
    known += modules.external(package)
    for at, name in enumerate(found):
        if name not in known:
            hint = suggestion(name, known) or f"one of {', '.join(known)}"
            raise document.error((key, at), f"no {kind} is called {name!r}", hint=hint)
    return found


def thresholds(document: Document) -> Thresholds:
    document.keys("thresholds", known=(*_SHARES, "learned", "metrics", "columns"))
    given = {key: document.share("thresholds", key, above=0) for key in _SHARES}
    columns = {}
    for name in document.mapping("thresholds", "columns"):
        place = ("thresholds", "columns", str(name))
        document.keys(*place, known=("effect", "missing"))
        columns[str(name)] = Limits(
            document.share(*place, "effect", above=0), document.share(*place, "missing", above=0)
        )
    metrics = {
        str(name): cast("float", positive(document, "thresholds", "metrics", name))
        for name in document.mapping("thresholds", "metrics")
    }
    return Thresholds(
        **{key: value for key, value in given.items() if value is not None},
        learned=document.flag("thresholds", "learned", default=False),
        metrics=metrics,
        columns=columns,
    )


def performance(document: Document) -> PerformanceSpec | None:
    if document.get("performance") is None:
        return None
    document.keys("performance", known=("task", "metrics", "estimate", "limits"))
    limits = {}
    for name in document.mapping("performance", "limits"):
        place = ("performance", "limits", str(name))
        document.keys(*place, known=("least", "most", "drop"))
        limits[str(name)] = ScoreLimit(*(_number(document, *place, k) for k in _LIMITS))
    task = cast("Task", document.one_of("performance", "task", known=get_args(Task)))
    metrics = names(document, "performance", "metrics") or _USUAL[task]
    for at, name in enumerate(metrics):
        if name not in SCORES[task]:
            hint = suggestion(name, SCORES[task]) or f"one of {', '.join(SCORES[task])}"
            where = ("performance", "metrics", at)
            raise document.error(where, f"no metric of {task} is called {name!r}", hint=hint)
    for name in limits:
        if name not in metrics:
            place = ("performance", "limits", name)
            raise document.error(place, "is a limit of a metric that is not asked for")
    return PerformanceSpec(
        task,
        metrics,
        document.flag("performance", "estimate", default=True),
        limits,
    )


_LIMITS = ("least", "most", "drop")
_USUAL = {"classification": ("accuracy", "roc_auc"), "regression": ("mae", "rmse")}


def skew(document: Document) -> SkewSpec | None:
    if document.get("skew") is None:
        return None
    where = where_of(document, "skew", others=("key", "tolerance", "limit"))
    tolerance, limit = positive(document, "skew", "tolerance"), document.share("skew", "limit")
    return SkewSpec(
        where,
        document.text("skew", "key"),
        1e-6 if tolerance is None else tolerance,
        0.01 if limit is None else limit,
    )


def feedback(document: Document) -> FeedbackSpec | None:
    if document.get("feedback") is None:
        return None
    where = where_of(document, "feedback", others=("target", "key"))
    target = document.text("feedback", "target")
    return FeedbackSpec(where, target, text_or(document, "", "feedback", "key"))


def alarm(document: Document) -> AlarmRule:
    document.keys("alarm", known=("after", "of"))
    after = document.whole("alarm", "after", least=1) or 1
    of = document.whole("alarm", "of", least=1) or after
    if of < after:
        raise document.error(("alarm",), f"{after} of the last {of} periods can never be bad")
    return AlarmRule(after, of)


def alerts(document: Document) -> tuple[Channel, ...]:
    kinds = tuple(modules.names("mlctl.monitoring.alerts"))
    found = []
    for at in range(len(document.items("alerts", of="channels"))):
        place = ("alerts", at)
        document.keys(*place, known=(*kinds, "to"))
        given = [kind for kind in kinds if document.get(*place, kind) is not None]
        if len(given) != 1:
            raise document.error(place, f"expected one of {', '.join(kinds)}")
        variable = document.text(*place, given[0])
        if not _VARIABLE.fullmatch(variable):
            raise document.error(
                (*place, given[0]),
                "expected the name of an environment variable that holds the address",
                hint="addresses hold secrets, which never go into git",
            )
        to = document.items(*place, "to", of="addresses")
        found.append(Channel(given[0], variable, tuple(map(str, to))))
    return tuple(found)


def retrain(document: Document) -> RetrainSpec | None:
    if document.get("retrain") is None:
        return None
    known = ("run", "cooldown", "budget", "metrics", "metric", "better")
    document.keys("retrain", known=known)
    stages = names(document, "retrain", "run")
    if not stages:
        raise document.error(("retrain", "run"), "expected the stages to run, as `run: [train]`")
    file = document.get("retrain", "metrics") and path_of(document, "retrain", "metrics")
    better = document.one_of("retrain", "better", known=("higher", "lower"), default="higher")
    return RetrainSpec(
        stages,
        duration(document, "retrain", "cooldown", default=7 * 86_400.0),
        document.whole("retrain", "budget", least=1) or 4,
        file or "",
        text_or(document, "", "retrain", "metric"),
        "lower" if better == "lower" else "higher",
    )


def _number(document: Document, *path: str) -> float | None:
    value = document.get(*path)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise document.wrong(path, "a number")
    return float(value)
