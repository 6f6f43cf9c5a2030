"""Run a monitor and write its report; list and read the reports that are committed."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from mlctl.adapters import files
from mlctl.errors import InvalidInput, suggestion
from mlctl.monitoring.columns import pair
from mlctl.monitoring.inputs import Side, chosen_columns, period_of, read_side
from mlctl.monitoring.judge import STATES, ColumnReport, judge
from mlctl.monitoring.record import (
    SCHEMA,
    MonitorReport,
    Verdict,
    fitted,
    parse_report,
    report_text,
)
from mlctl.monitoring.render import to_html, to_markdown
from mlctl.monitoring.spec import MonitorSpec, Thresholds, monitor_file, parse_monitor

StrPath = str | os.PathLike[str]
FOLDER = "reports/monitoring"
_PERIOD = re.compile(r"(\d{4}-\d{2}-\d{2})(_\d{4}-\d{2}-\d{2})?")


@dataclass(frozen=True, slots=True)
class MonitorRun:
    """One run of a monitor. `paths` are the report's files; `changed` is off where all was there.

    `failed` says that the monitor asks for a failure on this verdict.
    """

    report: MonitorReport
    paths: tuple[str, ...]
    changed: bool
    failed: bool


@dataclass(frozen=True, slots=True)
class MonitorEntry:
    """One monitor, and its latest committed report, None before the first."""

    spec: MonitorSpec
    reports: int
    latest: MonitorReport | None


def monitor_names(root: StrPath) -> list[str]:
    """The monitors of the repository, sorted."""
    return sorted(path.stem for path in Path(root, "monitors").glob("*.yaml"))


def load_monitor(root: StrPath, name: str) -> MonitorSpec:
    """The monitor `name`. Raises InvalidInput where there is none, ConfigError for a wrong one."""
    key = monitor_file(name)
    if not Path(root, key).is_file():
        hint = suggestion(name, monitor_names(root)) or "monitors are files in monitors/"
        raise InvalidInput(f"no monitor is called {name!r}", hint=hint)
    return parse_monitor(files.read_text(Path(root, key), name=key), name=name)


def run_monitor(root: StrPath, name: str) -> MonitorRun:
    """Compare the data of the monitor `name` and write its report as JSON, Markdown and HTML.

    The files follow from the monitor and the data alone: running again changes nothing. Raises
    InvalidInput or ConfigError where the monitor or its data cannot be used; nothing is written.
    """
    spec = load_monitor(root, name)
    reference = read_side(root, spec.reference, what="reference")
    current = read_side(root, spec.current, what="current")
    text = report_text(fitted(compare(spec, reference, current)))
    report = parse_report(text, name=name)  # so that the others are drawn from what is committed
    base = f"{FOLDER}/{name}/{report.stem}"
    texts = {
        f"{base}.md": to_markdown(report),
        f"{base}.html": to_html(report),
        f"{base}.json": text,  # last: whoever sees it finds the others
    }
    changed = [key for key, text in texts.items() if not _holds(Path(root, key), text)]
    for key in changed:
        files.write_text(Path(root, key), texts[key])
    failed = spec.fail_on == "drift" and report.verdict == "drift"
    return MonitorRun(report, tuple(sorted(texts)), bool(changed), failed)


def compare(spec: MonitorSpec, reference: Side, current: Side) -> MonitorReport:
    """The report on two tables, in full length. Touches no file."""
    if not reference.table.height:
        raise InvalidInput(f"{spec.reference}: the reference has no rows")
    names = chosen_columns(spec, monitor_file(spec.name), reference.table.columns)
    theirs = set(current.table.columns)
    pairs = [
        pair(
            reference.table[name],
            current.table[name] if name in theirs else None,
            current.table.height,
        )
        for name in names
    ]
    columns = judge(pairs, spec.thresholds, min_rows=spec.min_rows)
    counts = Counter(column.state for column in columns)
    period = current.ref.digest.removeprefix("md5:")[:8]
    if spec.time is not None:
        period = period_of(current.table, spec.time, path=spec.current)
    return MonitorReport(
        monitor=spec.name,
        period=period,
        digest=_digest(spec, reference, current),
        verdict=_verdict(columns, spec.thresholds),
        reference=reference.ref,
        current=current.ref,
        thresholds=spec.thresholds,
        min_rows=spec.min_rows,
        counts={state: counts[state] for state in STATES},
        columns=columns,
        new_columns=tuple(c for c in current.table.columns if c not in reference.table.columns),
    )


def list_monitors(root: StrPath) -> list[MonitorEntry]:
    """Every monitor with its latest report."""
    entries = []
    for name in monitor_names(root):
        found = _report_files(root, name)
        latest = _read(root, found[-1]) if found else None
        entries.append(MonitorEntry(load_monitor(root, name), len(found), latest))
    return entries


def show_report(root: StrPath, name: str, period: str | None = None) -> MonitorReport:
    """The latest committed report of a monitor, or that of a period or of a report's file name.

    Raises InvalidInput where there is none.
    """
    monitor_file(name)
    found = _report_files(root, name)
    if not found:
        raise InvalidInput(
            f"no report of {name!r} is there", hint=f"run `mlctl monitor run {name}`"
        )
    if period is not None:
        wanted = [key for key in found if Path(key).name.startswith(f"{period}.")]
        wanted = wanted or [key for key in found if Path(key).stem == period]
        if not wanted:
            periods = ", ".join(dict.fromkeys(_period_of_file(key) for key in found[-8:]))
            raise InvalidInput(f"{name!r} has no report of {period!r}", hint=f"latest: {periods}")
        found = wanted
    return _read(root, found[-1])


def _verdict(columns: Sequence[ColumnReport], thresholds: Thresholds) -> Verdict:
    drifted = sum(column.state == "drift" for column in columns)
    judged = sum(column.state != "insufficient" for column in columns)
    if not judged:
        return "insufficient"
    if not drifted:
        return "ok"
    return "drift" if drifted / judged >= (thresholds.share or 0) else "ok"


def _digest(spec: MonitorSpec, reference: Side, current: Side) -> str:
    """The digest of all that the report follows from."""
    told = asdict(spec)
    del told["fail_on"]  # what is done about a verdict is no part of it
    key = [SCHEMA, told, reference.ref.digest, current.ref.digest]
    return f"sha256:{hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()}"


def _holds(path: Path, text: str) -> bool:
    try:
        return path.read_bytes() == text.encode("utf-8")
    except FileNotFoundError:
        return False


def _report_files(root: StrPath, name: str) -> list[str]:
    """The JSON reports of a monitor, the latest last: by their last day, or by file time."""
    folder = Path(root, FOLDER, name)

    def age(path: Path) -> tuple[str, int, str]:
        dated = _PERIOD.fullmatch(_period_of_file(path.name))
        return (dated[0][-10:] if dated else "", path.stat().st_mtime_ns, path.name)

    return [f"{FOLDER}/{name}/{path.name}" for path in sorted(folder.glob("*.json"), key=age)]


def _period_of_file(key: str) -> str:
    return Path(key).stem.rsplit(".", 1)[0]


def _read(root: StrPath, key: str) -> MonitorReport:
    return parse_report(files.read_text(Path(root, key), name=key), name=key)
