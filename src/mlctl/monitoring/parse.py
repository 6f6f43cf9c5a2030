"""A monitor's file -> `MonitorSpec`. The format is described in docs/formats/monitoring.md."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast, get_args

from mlctl.errors import InvalidInput, suggestion
from mlctl.monitoring import parse_rules as rules
from mlctl.monitoring.parse_values import duration, names, path_of, text_or, where_of
from mlctl.monitoring.spec import (
    MIN_ROWS,
    Every,
    FailOn,
    Kind,
    Labels,
    MonitorSpec,
    Predictions,
    ReferenceSpec,
    Season,
    SliceSpec,
    Unit,
)
from mlctl.records.document import Document

if TYPE_CHECKING:
    import polars as pl

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
RESERVED = ("mutes",)  # monitors/mutes.yaml is no monitor
_KEYS = (
    "schema", "current", "reference", "time", "every", "zone", "id", "columns", "slices",
    "metrics", "joint", "thresholds", "min_rows", "season", "predictions", "labels", "performance",
    "skew", "feedback", "alarm", "fail_on", "alerts", "retrain", "compat",
)  # fmt: skip
_ROWS = re.compile(r"([1-9][0-9]*) rows")
_KINDS = get_args(Kind)


def monitor_file(name: str) -> str:
    """The key of a monitor's file. Raises InvalidInput for what cannot be a name."""
    if not NAME.fullmatch(name) or name in RESERVED:
        raise InvalidInput(
            f"{name!r} is no name of a monitor",
            hint="letters, digits, '.', '_' and '-' only, as in monitors/<name>.yaml",
        )
    return f"monitors/{name}.yaml"


def parse_monitor(text: str, *, name: str) -> MonitorSpec:
    """The monitor in `text`. Raises ConfigError that names file, YAML path and line."""
    document = Document.parse(text, file=monitor_file(name))
    document.check_schema("monitor", 1)
    document.keys(known=_KEYS)
    document.keys("columns", known=("include", "exclude", "kinds"))
    labels = _labels(document)
    spec = MonitorSpec(
        name=name,
        current=where_of(document, "current", more=("log",)),
        reference=_reference(document),
        time=text_or(document, None, "time"),
        every=_every(document),
        zone=_zone(document),
        id=text_or(document, None, "id"),
        include=names(document, "columns", "include"),
        exclude=names(document, "columns", "exclude"),
        kinds=_kinds(document),
        slices=_slices(document),
        metrics=rules.plugins(document, "metrics", "mlctl.monitoring.drift", "drift metric"),
        joint=rules.plugins(document, "joint", "mlctl.monitoring.joint", "joint test"),
        thresholds=rules.thresholds(document),
        min_rows=document.whole("min_rows", least=1) or MIN_ROWS,
        season=cast("Season | None", _one_of(document, get_args(Season), "season")),
        predictions=_predictions(document),
        labels=labels,
        performance=rules.performance(document),
        skew=rules.skew(document),
        feedback=rules.feedback(document),
        alarm=rules.alarm(document),
        fail_on=cast("FailOn", document.one_of("fail_on", known=get_args(FailOn), default="never")),
        alerts=rules.alerts(document),
        retrain=rules.retrain(document),
        compat=cast("Any", _one_of(document, ("evidently", "nannyml"), "compat")),
    )
    _check(document, spec)
    return spec


def filled(spec: MonitorSpec, schema: Mapping[str, pl.DataType]) -> MonitorSpec:
    """`spec` with what a prediction log's own columns say: `id`, `at`, `prediction`, `p_<class>`.

    Nothing that is declared is changed.
    """
    if spec.current.log:
        scores = {name[2:]: name for name in schema if name.startswith("p_") and name != "p_"}
        value = "prediction" if "prediction" in schema else ""
        predictions = Predictions(
            spec.predictions.value or value, spec.predictions.scores or scores
        )
        time = spec.time or ("at" if "at" in schema else None)
        name = spec.id or ("id" if "id" in schema else None)
        spec = replace(spec, predictions=predictions, time=time, id=name)
    return spec


def completed(spec: MonitorSpec, schema: Mapping[str, pl.DataType]) -> MonitorSpec:
    """`spec` filled for its current data. Raises InvalidInput for a column that is not there."""
    spec = filled(spec, schema)
    declared = [spec.time, spec.id, spec.predictions.value, *spec.predictions.scores.values()]
    if spec.labels is not None:
        own = spec.labels.column if spec.labels.where is None else spec.labels.key
        declared += [own, spec.labels.time if spec.labels.where is None else ""]
    for column in filter(None, declared):
        if column not in schema:
            raise InvalidInput(
                f"{monitor_file(spec.name)}: {spec.current.label} has no column {column!r}",
                hint=suggestion(column, list(schema)),
            )
    return spec


def _reference(document: Document) -> ReferenceSpec:
    kinds = ("path", "sql", "baseline", "model", "before")
    document.keys("reference", known=(*kinds, "url", "rev"))
    given = [kind for kind in kinds if document.get("reference", kind) is not None]
    if len(given) != 1:
        said = f"{' and '.join(given)} exclude one another" if given else "'reference' is missing"
        hint = (
            "write `reference: {path: data/….parquet}`, or baseline, model or before in its place"
        )
        raise document.error(("reference",), said, hint=hint)
    match given[0]:
        case "before":
            return ReferenceSpec(before=document.whole("reference", "before", least=1) or 1)
        case "baseline":
            return ReferenceSpec(baseline=path_of(document, "reference", "baseline"))
        case "model":
            return ReferenceSpec(model=path_of(document, "reference", "model"))
    return ReferenceSpec(where=where_of(document, "reference"))


def _every(document: Document) -> Every:
    value = document.get("every")
    if value is None:
        return Every()
    if value in get_args(Unit):
        return Every(unit=cast("Unit", value))
    if isinstance(value, str) and (found := _ROWS.fullmatch(value)):
        return Every(rows=int(found[1]))
    raise document.wrong(("every",), f'{", ".join(get_args(Unit))} or "1000 rows"')


def _zone(document: Document) -> str:
    from zoneinfo import ZoneInfo

    zone = text_or(document, "UTC", "zone")
    try:
        ZoneInfo(zone)
    except (ValueError, OSError, KeyError):
        hint = 'a name as "Europe/Berlin", "Asia/Tokyo" or "UTC"'
        raise document.error(("zone",), f"no time zone is called {zone!r}", hint=hint) from None
    return zone


def _kinds(document: Document) -> dict[str, Kind]:
    found = document.mapping("columns", "kinds")
    return {
        str(name): cast("Kind", document.one_of("columns", "kinds", name, known=_KINDS))
        for name in found
    }


def _slices(document: Document) -> tuple[SliceSpec, ...]:
    from mlctl.data.contracts import expression

    found = []
    for at, value in enumerate(document.items("slices", of="columns or rules")):
        if not isinstance(value, Mapping):
            found.append(SliceSpec(column=document.text("slices", at)))
            continue
        document.keys("slices", at, known=("name", "where"))
        rule = document.text("slices", at, "where")
        try:
            expression.parse(rule)
        except expression.ExpressionError as error:
            raise document.error(("slices", at, "where"), str(error)) from None
        found.append(SliceSpec(name=document.text("slices", at, "name"), rule=rule))
    return tuple(found)


def _predictions(document: Document) -> Predictions:
    document.keys("predictions", known=("value", "scores"))
    scores = document.mapping("predictions", "scores")
    return Predictions(
        text_or(document, "", "predictions", "value"),
        {str(c): document.text("predictions", "scores", c) for c in scores},
    )


def _labels(document: Document) -> Labels | None:
    if document.get("labels") is None:
        return None
    document.keys("labels", known=("path", "sql", "url", "rev", "key", "column", "time", "wait"))
    elsewhere = any(document.get("labels", key) is not None for key in ("path", "sql"))
    where = where_of(document, "labels", others=("key", "column", "time", "wait"))
    return Labels(
        column=document.text("labels", "column"),
        where=where if elsewhere else None,
        key=document.text("labels", "key") if elsewhere else "",
        time=text_or(document, "", "labels", "time"),
        wait=duration(document, "labels", "wait"),
    )


def _one_of(document: Document, known: tuple[str, ...], key: str) -> str | None:
    return None if document.get(key) is None else document.one_of(key, known=known)


def _check(document: Document, spec: MonitorSpec) -> None:
    """Raise ConfigError for parts that ask for one another."""
    by_time = (("every", spec.every.unit is not None), ("season", spec.season is not None))
    for key, asked in by_time:
        if asked and spec.time is None and not spec.current.log:
            raise document.error((key,), "needs `time`, the column that holds each row's moment")
    if spec.reference.before and spec.every == Every():
        raise document.error(("reference", "before"), "needs `every`: there is one period only")
    if spec.performance is not None and spec.labels is None and not spec.performance.estimate:
        raise document.error(("performance",), "needs `labels`, or `estimate: true`")
    declared = spec.predictions.value or spec.predictions.scores or spec.current.log
    for key in ("performance", "feedback"):
        if document.get(key) is not None and not declared:
            hint = "predictions: {value: prediction, scores: {yes: p_yes}}"
            raise document.error((key,), "needs `predictions`, the model's columns", hint=hint)
