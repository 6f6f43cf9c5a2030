"""The committed JSON of a report, which is the truth: `mlctl.monitor-report/2`.

It has one line for each column, so that two reports diff well. It is kept under `size_limit`: first
the distributions of the mildest columns give way, then their metrics, then the columns themselves,
which are counted in `omitted`.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

from mlctl.errors import ConfigError
from mlctl.monitoring.report.parts import (
    column_data,
    compact,
    head_data,
    parse_head,
)
from mlctl.monitoring.results import ColumnReport, MonitorReport
from mlctl.records.schema import load_record

KIND, VERSION = "monitor-report", 2
SCHEMA = f"mlctl.{KIND}/{VERSION}"
_MOST = 20  # findings, and slices: the worst
_LONGEST = 160  # characters of a sentence


def size_limit(columns: int) -> int:
    """Bytes that the JSON may take: 20 kB, and 250 for each column past 60."""
    return 20_000 + 250 * max(0, columns - 60)


def to_dict(report: MonitorReport) -> dict[str, Any]:
    """The report as JSON-ready data: floats to 4 digits, without what says nothing."""
    data = {"schema": SCHEMA, **head_data(report)}
    return {**data, "columns": [column_data(column) for column in report.columns]}


def report_text(report: MonitorReport) -> str:
    """The JSON as it is committed; its size is the caller's concern (`fitted`)."""
    parts = []
    for key, value in to_dict(report).items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            lines = ",\n".join(f"  {compact(item)}" for item in value)
            parts.append(f" {compact(key)}: [\n{lines}\n ]")
        else:
            parts.append(f" {compact(key)}: {compact(value)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def sealed(report: MonitorReport) -> MonitorReport:
    """The report with the digest of all its other content, cut to its size."""
    bare = fitted(replace(report, digest="sha256:" + "0" * 64))
    digest = hashlib.sha256(report_text(replace(bare, digest="")).encode()).hexdigest()
    return replace(bare, digest=f"sha256:{digest}")


def fitted(report: MonitorReport) -> MonitorReport:
    """`report` with as much detail as its size limit allows, the worst columns served first."""
    total = len(report.columns) + report.omitted
    limit = size_limit(total)
    report = _bounded(report)
    excess = _size(report) - limit
    columns = list(report.columns)
    for slimmer in (_without_plot, _without_metrics):
        for at in range(len(columns) - 1, -1, -1):
            if excess <= 0:
                break
            before = len(compact(column_data(columns[at])).encode())
            columns[at] = slimmer(columns[at])
            excess -= before - len(compact(column_data(columns[at])).encode())
    while columns and excess > 0:
        excess -= len(compact(column_data(columns.pop())).encode()) + 4
    return replace(report, columns=tuple(columns), omitted=total - len(columns))


def parse_report(text: str, *, name: str) -> MonitorReport:
    """The report in `text`; `name` is its file. Raises ConfigError for none, or a newer one."""
    data = load_record(text, kind=KIND, newest=VERSION, name=name)
    try:
        return parse_head(data)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise ConfigError(
            f"not a report of a monitor: {type(error).__name__}: {error}",
            file=name,
            hint=f"restore it from git: git checkout HEAD -- {name}",
        ) from None


def _bounded(report: MonitorReport) -> MonitorReport:
    """What grows with the monitor rather than with its columns, to its worst part."""
    findings = [replace(f, text=_clip(f.text)) for f in report.findings[:_MOST]]
    causes = [replace(c, text=_clip(c.text)) for c in report.causes]
    slices = sorted(report.slices, key=lambda part: part.state != "drift")[:_MOST]
    return replace(report, findings=tuple(findings), causes=tuple(causes), slices=tuple(slices))


def _clip(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _without_plot(column: ColumnReport) -> ColumnReport:
    return replace(column, distribution=None)


def _without_metrics(column: ColumnReport) -> ColumnReport:
    return replace(column, metrics={})


def _size(report: MonitorReport) -> int:
    return len(report_text(report).encode())
