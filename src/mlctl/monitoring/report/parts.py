"""The parts of a report as JSON-ready data, and back (docs/formats/monitoring.md). Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

from mlctl.monitoring.results import (
    Alarm,
    Cause,
    ColumnReport,
    Compat,
    CompatColumn,
    DataRef,
    Distribution,
    Estimate,
    Finding,
    JointReport,
    LabelState,
    MonitorReport,
    Score,
    SliceReport,
)
from mlctl.monitoring.spec import Limits, Thresholds
from mlctl.records.canonical import number, plain

T = TypeVar("T")
_EMPTY: tuple[Any, ...] = (None, "", [], {})


def head_data(report: MonitorReport) -> dict[str, Any]:
    """Everything but the columns, in the order in which people read it."""
    data: dict[str, Any] = {
        "monitor": report.monitor,
        "period": report.period,
        "start": report.start,
        "end": report.end,
        "revision": report.revision,
        "digest": report.digest,
        "verdict": report.verdict,
        "alarm": bare(report.alarm),
        "counts": {state: report.counts.get(state, 0) for state in ("drift", "insufficient", "ok")},
        "labels": bare(report.labels),
        "scores": [bare(score) for score in report.scores],
        "causes": [bare(cause) for cause in report.causes],
        "findings": [bare(finding) for finding in report.findings],
        "slices": [bare(part) for part in report.slices],
        "joint": [bare(test) for test in report.joint],
        "versus": report.versus,
        "season": report.season,
        "reference": bare(report.reference),
        "current": bare(report.current),
        "thresholds": bare(report.thresholds),
        "min_rows": report.min_rows,
        "compat": bare(report.compat),
        "omitted": report.omitted,
    }
    return {key: value for key, value in data.items() if value not in _EMPTY}


def bare(value: Any) -> Any:
    """A dataclass as a mapping without fields that say nothing; numbers to four digits."""
    if is_dataclass(value) and not isinstance(value, type):
        data = {f.name: bare(getattr(value, f.name)) for f in fields(value)}
        return {name: item for name, item in data.items() if item not in _EMPTY}
    if isinstance(value, Mapping):
        return {str(key): bare(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [bare(item) for item in value]
    return rounded(value) if isinstance(value, float) else value


def column_data(column: ColumnReport) -> dict[str, Any]:
    """The column as data, without what says nothing."""
    data: dict[str, Any] = {
        "column": column.name,
        "kind": column.kind,
        "state": column.state,
        "role": column.role if column.role != "feature" else None,
        "reasons": list(column.reasons),
        "effect": rounded(column.effect),
        "error": rounded(column.error) or None,
        "q": rounded(column.q),
        "missing": [rounded(share) for share in column.missing] if any(column.missing) else [],
        "missing_q": rounded(column.missing_q),
        "new": rounded(column.new_categories) or None,
        "metrics": {name: rounded(value) for name, value in sorted(column.metrics.items())},
        "note": column.note,
    }
    if column.distribution is not None:
        data["plot"] = _plot(column.distribution)
    return {key: value for key, value in data.items() if value not in _EMPTY}


def parse_head(data: Mapping[str, Any]) -> MonitorReport:
    """The report of a loaded record. Raises KeyError, TypeError or ValueError."""
    findings = tuple(Finding(**finding) for finding in data.get("findings", ()))
    # Version 1 named the new columns in a list of their own, and knew no alarms.
    findings += tuple(
        Finding("new_column", f"{name} is not in the reference", name, "info")
        for name in data.get("new_columns", ())
    )
    return MonitorReport(
        monitor=data["monitor"],
        period=data["period"],
        start=data.get("start", ""),
        end=data.get("end", ""),
        revision=int(data.get("revision", 1)),
        digest=data["digest"],
        verdict=data["verdict"],
        alarm=Alarm(**data.get("alarm", {"state": "quiet"})),
        versus=data.get("versus", "data"),
        season=data.get("season", ""),
        reference=_ref(data["reference"]),
        current=_ref(data["current"]),
        thresholds=_thresholds(data["thresholds"]),
        min_rows=data["min_rows"],
        counts=data["counts"],
        columns=tuple(_column(column) for column in data["columns"]),
        labels=LabelState(**data["labels"]) if data.get("labels") else None,
        scores=tuple(_score(score) for score in data.get("scores", ())),
        slices=tuple(_slice(part) for part in data.get("slices", ())),
        joint=tuple(_joint(test) for test in data.get("joint", ())),
        causes=tuple(Cause(**cause) for cause in data.get("causes", ())),
        findings=findings,
        compat=_compat(data["compat"]) if data.get("compat") else None,
        omitted=data.get("omitted", 0),
    )


def rounded(value: float | None) -> float | None:
    """Four digits: more would differ between machines and say nothing."""
    if value is None or value != value or value in (float("inf"), -float("inf")):
        return value
    short = float(f"{value:.4g}")
    return int(short) if short == int(short) and abs(short) < 1e15 else short


def compact(value: Any) -> str:
    """One line of JSON; NaN and infinities are strings."""
    return json.dumps(plain(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _ref(data: Mapping[str, Any]) -> DataRef:
    return DataRef(data["path"], data["files"], data["rows"], data.get("digest", ""))


def _thresholds(data: Mapping[str, Any]) -> Thresholds:
    columns = {name: Limits(**limits) for name, limits in data.get("columns", {}).items()}
    return Thresholds(**{"share": None, **data, "columns": columns})


def _score(data: Mapping[str, Any]) -> Score:
    estimate = data.get("estimate")
    known = {"value": None, "low": None, "high": None, **_numbers(data)}
    return Score(**{**known, "estimate": Estimate(**_numbers(estimate)) if estimate else None})


def _slice(data: Mapping[str, Any]) -> SliceReport:
    drifted = tuple(
        (name, number(effect), number(q)) for name, effect, q in data.get("drifted", ())
    )
    return SliceReport(**{"counts": {}, **data, "drifted": drifted})


def _joint(data: Mapping[str, Any]) -> JointReport:
    known = {"value": None, "q": None, **_numbers(data)}
    return JointReport(**{**known, "columns": tuple(data.get("columns", ()))})


def _compat(data: Mapping[str, Any]) -> Compat:
    columns = tuple(
        CompatColumn(**{"value": None, "limit": None, **_numbers(column)})
        for column in data.get("columns", ())
    )
    return Compat(data["tool"], data["drift"], columns)


def _numbers(data: Mapping[str, Any]) -> dict[str, Any]:
    """The mapping with the numbers that JSON cannot say as numbers again."""
    words = ("NaN", "Infinity", "-Infinity")
    return {key: number(value) if value in words else value for key, value in data.items()}


def _plot(plot: Distribution) -> dict[str, Any]:
    """Shares in thousandths: what a plot can show, in a third of the bytes."""
    data: dict[str, Any] = {
        "ref": [round(share * 1000) for share in plot.reference],
        "cur": [round(share * 1000) for share in plot.current],
    }
    if plot.ends:
        data["ends"] = [rounded(end) for end in plot.ends]
    if plot.labels:
        data["labels"] = [label if len(label) <= 16 else label[:15] + "…" for label in plot.labels]
    return data


def _column(data: Mapping[str, Any]) -> ColumnReport:
    plot, missing = data.get("plot"), data.get("missing", (0.0, 0.0))
    return ColumnReport(
        name=data["column"],
        kind=data["kind"],
        state=data["state"],
        role=data.get("role", "feature"),
        reasons=tuple(data.get("reasons", ())),
        effect=data.get("effect"),
        error=data.get("error", 0.0),
        q=data.get("q"),
        missing=(missing[0], missing[1]),
        missing_q=data.get("missing_q"),
        new_categories=data.get("new", 0.0),
        metrics=data.get("metrics", {}),
        note=data.get("note", ""),
        distribution=_distribution(plot) if plot else None,
    )


def _distribution(data: Mapping[str, Any]) -> Distribution:
    ends = data.get("ends")
    return Distribution(
        tuple(share / 1000 for share in data["ref"]),
        tuple(share / 1000 for share in data["cur"]),
        tuple(data.get("labels", ())),
        (ends[0], ends[1]) if ends else None,
    )
