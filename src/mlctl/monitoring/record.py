"""The committed report of a monitor: its data, and its JSON, which is the truth.

The JSON has one line for each column, so that two reports diff well. It is kept under
`size_limit`: first the distributions of the mildest columns give way, then their metrics, then the
mildest columns themselves, which are counted in `omitted`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from mlctl.errors import ConfigError
from mlctl.monitoring.judge import ColumnReport, Distribution, State
from mlctl.monitoring.spec import Thresholds
from mlctl.records.canonical import plain
from mlctl.records.schema import load_record

KIND, VERSION = "monitor-report", 1
SCHEMA = f"mlctl.{KIND}/{VERSION}"
Verdict = Literal["drift", "ok", "insufficient"]


@dataclass(frozen=True, slots=True)
class DataRef:
    """One side's data: the path as the monitor has it, its files, rows and digest (`md5:…`).

    One file has its own digest, as DVC has it; more have that of the list of theirs.
    """

    path: str
    files: int
    rows: int
    digest: str


@dataclass(frozen=True, slots=True)
class MonitorReport:
    """What a monitor found in one period. `digest` is that of all that the report follows from.

    `counts` has the number of columns in each state; `new_columns` are in the current data alone.
    """

    monitor: str
    period: str
    digest: str
    verdict: Verdict
    reference: DataRef
    current: DataRef
    thresholds: Thresholds
    min_rows: int
    counts: Mapping[State, int]
    columns: tuple[ColumnReport, ...]
    new_columns: tuple[str, ...] = ()
    omitted: int = 0

    @property
    def stem(self) -> str:
        """The report's file name without its ending."""
        return f"{self.period}.{self.digest.rsplit(':', 1)[-1][:8]}"


def size_limit(columns: int) -> int:
    """Bytes that the JSON may take: 20 kB, and 250 for each column past 60."""
    return 20_000 + 250 * max(0, columns - 60)


def to_dict(report: MonitorReport) -> dict[str, Any]:
    """The report as JSON-ready data: `mlctl.monitor-report/1`, floats to 4 digits."""
    limits = report.thresholds
    return {
        "schema": SCHEMA,
        "monitor": report.monitor,
        "period": report.period,
        "digest": report.digest,
        "verdict": report.verdict,
        "counts": {state: report.counts.get(state, 0) for state in ("drift", "insufficient", "ok")},
        "reference": _ref(report.reference),
        "current": _ref(report.current),
        "thresholds": {
            name: value
            for name, value in (
                ("q", limits.q),
                ("effect", limits.effect),
                ("missing", limits.missing),
                ("share", limits.share),
            )
            if value is not None
        },
        "min_rows": report.min_rows,
        "new_columns": list(report.new_columns),
        "omitted": report.omitted,
        "columns": [_column(column) for column in report.columns],
    }


def report_text(report: MonitorReport) -> str:
    """The JSON as it is committed; its size is the caller's concern (`fitted`)."""
    parts = []
    for key, value in to_dict(report).items():
        if key == "columns" and value:
            lines = ",\n".join(f"  {_compact(column)}" for column in value)
            parts.append(f' "columns": [\n{lines}\n ]')
        else:
            parts.append(f" {_compact(key)}: {_compact(value)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def fitted(report: MonitorReport) -> MonitorReport:
    """`report` with as much detail as its size limit allows, the worst columns served first."""
    limit = size_limit(len(report.columns) + report.omitted)
    report = replace(report, new_columns=_fit_names(report.new_columns, limit // 10))
    if len(report_text(report).encode()) <= limit:
        return report
    columns = list(report.columns)
    for reduce in (_without_plot, _without_metrics):
        excess = len(report_text(replace(report, columns=tuple(columns))).encode()) - limit
        for at in range(len(columns) - 1, -1, -1):
            if excess <= 0:
                return replace(report, columns=tuple(columns))
            before = len(_compact(_column(columns[at])).encode())
            columns[at] = reduce(columns[at])
            excess -= before - len(_compact(_column(columns[at])).encode())
    while columns:
        shorter = replace(
            report, columns=tuple(columns), omitted=len(report.columns) - len(columns)
        )
        excess = len(report_text(shorter).encode()) - limit
        if excess <= 0:
            return shorter
        while columns and excess > 0:
            excess -= len(_compact(_column(columns.pop())).encode())
    return replace(report, columns=(), omitted=len(report.columns))


def parse_report(text: str, *, name: str) -> MonitorReport:
    """The report in `text`; `name` is its file. Raises ConfigError for none, or a newer one."""
    data = load_record(text, kind=KIND, newest=VERSION, name=name)
    try:
        return MonitorReport(
            monitor=data["monitor"],
            period=data["period"],
            digest=data["digest"],
            verdict=data["verdict"],
            reference=DataRef(**data["reference"]),
            current=DataRef(**data["current"]),
            thresholds=Thresholds(**{"share": None, **data["thresholds"]}),
            min_rows=data["min_rows"],
            counts=data["counts"],
            columns=tuple(_parse_column(column) for column in data["columns"]),
            new_columns=tuple(data["new_columns"]),
            omitted=data["omitted"],
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(
            f"not a report of a monitor: {type(error).__name__}: {error}",
            file=name,
            hint=f"restore it from git: git checkout HEAD -- {name}",
        ) from None


def _ref(data: DataRef) -> dict[str, Any]:
    return {"path": data.path, "files": data.files, "rows": data.rows, "digest": data.digest}


def _column(column: ColumnReport) -> dict[str, Any]:
    """The column as data, without what says nothing."""
    data: dict[str, Any] = {
        "column": column.name,
        "kind": column.kind,
        "state": column.state,
        "reasons": list(column.reasons),
        "effect": _round(column.effect),
        "q": _round(column.q),
        "missing": [_round(share) for share in column.missing] if any(column.missing) else [],
        "missing_q": _round(column.missing_q),
        "new": _round(column.new_categories) or None,
        "metrics": {name: _round(value) for name, value in sorted(column.metrics.items())},
        "note": column.note,
    }
    if column.distribution is not None:
        data["plot"] = _plot(column.distribution)
    return {key: value for key, value in data.items() if value not in (None, "", [], {})}


def _plot(plot: Distribution) -> dict[str, Any]:
    """Shares in thousandths: what a plot can show, in a third of the bytes."""
    data: dict[str, Any] = {
        "ref": [round(share * 1000) for share in plot.reference],
        "cur": [round(share * 1000) for share in plot.current],
    }
    if plot.ends:
        data["ends"] = [_round(end) for end in plot.ends]
    if plot.labels:
        data["labels"] = [label if len(label) <= 16 else label[:15] + "…" for label in plot.labels]
    return data


def _parse_column(data: Mapping[str, Any]) -> ColumnReport:
    plot, missing = data.get("plot"), data.get("missing", (0.0, 0.0))
    return ColumnReport(
        name=data["column"],
        kind=data["kind"],
        state=data["state"],
        reasons=tuple(data.get("reasons", ())),
        effect=data.get("effect"),
        q=data.get("q"),
        missing=(missing[0], missing[1]),
        missing_q=data.get("missing_q"),
        new_categories=data.get("new", 0.0),
        metrics=data.get("metrics", {}),
        note=data.get("note", ""),
        distribution=_parse_plot(plot) if plot else None,
    )


def _parse_plot(data: Mapping[str, Any]) -> Distribution:
    ends = data.get("ends")
    return Distribution(
        tuple(share / 1000 for share in data["ref"]),
        tuple(share / 1000 for share in data["cur"]),
        tuple(data.get("labels", ())),
        (ends[0], ends[1]) if ends else None,
    )


def _without_plot(column: ColumnReport) -> ColumnReport:
    return replace(column, distribution=None)


def _without_metrics(column: ColumnReport) -> ColumnReport:
    return replace(column, metrics={})


def _fit_names(names: Sequence[str], limit: int) -> tuple[str, ...]:
    kept = list(names)
    while kept and len(_compact(kept).encode()) > limit:
        kept.pop()
    return tuple(kept)


def _round(value: float | None) -> float | None:
    """Four digits: more would differ between machines and say nothing."""
    if value is None:
        return None
    rounded = float(f"{value:.4g}")
    return int(rounded) if rounded == int(rounded) and abs(rounded) < 1e15 else rounded


def _compact(value: Any) -> str:
    return json.dumps(plain(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
